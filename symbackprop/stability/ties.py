"""What a delta ties: delta(p,q)*f[p] is delta(p,q)*f[q], so that f[q] may cancel across a sum."""

from __future__ import annotations

from symbackprop.notation.arithmetic import factors_of, is_sum, multiply, power
from symbackprop.notation.expressions import Delta, Element, Expression, Multiply, Number, Reduction
from symbackprop.notation.substitution import rename_bound
from symbackprop.stability.meanings import Meanings
from symbackprop.stability.pairs import as_power


def cancelled_under_delta(node: Expression, _meanings: Meanings) -> Expression | None:
    """f[q]*sum(i, delta(p,q)*g/f[p]) = sum(i, delta(p,q)*g)."""
    if not isinstance(node, Multiply):
        return None
    for at, factor in enumerate(node.factors):
        if not is_sum(factor):
            continue
        inside = rename_bound(factor, (node.free_indices - factor.free_indices))
        parts = list(factors_of(inside.body))
        for other_at, other in enumerate(node.factors):
            base, exponent = as_power(other)
            tied = _tied(base, parts) if isinstance(base, Element) and exponent > 0 else None
            if tied is not None:
                place, below = tied
                times = min(exponent, -below)
                parts[place] = power(as_power(parts[place])[0], Number(below + times))
                changed = {
                    at: Reduction("sum", inside.indices, multiply(*parts)),
                    other_at: power(base, Number(exponent - times)),
                }
                return multiply(*(changed.get(each, old) for each, old in enumerate(node.factors)))
    return None


def _tied(element: Element, parts: list[Expression]) -> tuple[int, int] | None:
    """The place and the exponent of a reciprocal of the element, read at the other position of a delta."""
    for delta in parts:
        if not isinstance(delta, Delta):
            continue
        for place, part in enumerate(parts):
            base, exponent = as_power(part)
            if isinstance(base, Element) and exponent < 0 and base.tensor == element.tensor:
                there = tuple(delta.right if each == delta.left else each for each in base.positions)
                back = tuple(delta.left if each == delta.right else each for each in base.positions)
                if element.positions in (there, back):
                    return place, exponent
    return None
