"""Masks that decide on what may be too large: r*where(r < 5, 1, 0), r = exp(f), is no number at r = inf."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from symbackprop.exponentials.exponents import is_at_most_0
from symbackprop.exponentials.meanings import Meanings
from symbackprop.integers.bounds import negated
from symbackprop.notation.arithmetic import factors_of, is_reciprocal, multiply
from symbackprop.notation.expressions import (
    ZERO,
    Add,
    Apply,
    Comparison,
    Element,
    Expression,
    Multiply,
    Number,
    Power,
    Reduction,
    Where,
)
from symbackprop.notation.pairs import as_power

_GROWING = frozenset(("exp", "expm1", "cosh", "sinh"))


def mask_of_large(node: Expression, meanings: Meanings) -> Expression | None:
    """f*where(c, g, 0) = where(c, f*g, 0) and f*relu(g) = where(g > 0, f*relu(g), 0), f made of exponentials.

    The condition reads f: a clipped ratio exp(f) has no derivative where it is infinite. Masks are seen
    behind names.
    """
    factors = factors_of(node)
    growing = [each for each in factors if _may_overflow(each, meanings)]
    for place, factor in enumerate(factors) if growing else ():
        others = (*factors[:place], *factors[place + 1 :])
        for condition, chosen in _masked(factor, meanings):
            large = [each for each in others if each in growing and _is_read(each, condition, meanings)]
            if large:
                rest = (each for each in others if each not in large)
                return multiply(*rest, Where(condition, multiply(*large, chosen), ZERO))
    return None


def _masked(factor: Expression, meanings: Meanings) -> Iterator[tuple[Expression, Expression]]:
    """The conditions outside which a factor is 0, each with what it is there."""
    pending, seen = [(factor, meanings)], {(factor, meanings.known)}
    while pending:  # a chain of names may be long
        node, known = pending.pop()
        match node:
            case Where(condition, chosen, otherwise) if otherwise == ZERO:
                yield condition, chosen if node is factor else factor
            case Where(condition, chosen, otherwise) if chosen == ZERO:
                yield negated(condition), otherwise if node is factor else factor
            case Apply("relu", (argument,)):
                yield Comparison(">", argument, ZERO), factor
            case Element() if known.says_of_name(node, _leads_to_mask):
                meant, inside = known.opened(node)
                parts = factors_of(meant) if meant is not node else ()
                pending += [(each, inside) for each in reversed(parts) if (each, inside.known) not in seen]
                seen.update((each, inside.known) for each in parts)


def _leads_to_mask(node: Expression, meanings: Meanings) -> bool:
    """Whether a factor is 0 outside some condition; each name is looked at once."""
    match node:
        case Element():
            return meanings.says_of_name(node, _leads_to_mask)
        case Multiply():
            return any(_leads_to_mask(each, meanings) for each in node.factors)
        case Where(_, chosen, otherwise):
            return ZERO in (chosen, otherwise)
        case Apply("relu", _):
            return True
    return False


def _may_overflow(factor: Expression, meanings: Meanings) -> bool:
    """Whether nothing keeps a factor from overflowing."""
    base, exponent = as_power(factor)
    return exponent > 0 and _is_large(base, meanings)


def _is_read(factor: Expression, condition: Expression, meanings: Meanings) -> bool:
    """Whether a condition reads a factor, by its name or behind others."""
    base, _ = as_power(factor)
    return base in condition.walk() or (
        isinstance(base, Element) and base.tensor in _read_by(condition, meanings)
    )


def _read_by(condition: Expression, meanings: Meanings) -> set[str]:
    """The tensors that a condition reads, and those behind their names."""
    found: set[str] = set()
    pending = [*condition.tensors]
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            number, equation = meanings.definitions.get(name, (meanings.known, None))
            pending += equation.reads if equation is not None and number < meanings.known else ()
    return found


def _is_large(node: Expression, meanings: Meanings) -> bool:
    """Whether it may overflow, as an exponential or a sum or product of some that nothing divides."""
    match node:
        case Apply(function, (argument,)) if function in _GROWING:
            return not is_at_most_0(argument)
        case Element():
            return meanings.says_of_name(node, _is_large)
        case Multiply():
            return not any(map(is_reciprocal, factors_of(node))) and _is_any_large(node.children, meanings)
        case Add() | Where() | Reduction("sum" | "prod" | "max", _, _):
            return _is_any_large(node.children, meanings)
        case Power(base, Number(exponent)):
            return exponent > 0 and _is_large(base, meanings)
    return False


def _is_any_large(nodes: Sequence[Expression], meanings: Meanings) -> bool:
    return any(_is_large(each, meanings) for each in nodes)
