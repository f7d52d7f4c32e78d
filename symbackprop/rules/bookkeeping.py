"""0 + f = f, 1*f = f, f*f = f^2: the arithmetic that keeps sums and products flat."""

from __future__ import annotations

from symbackprop.notation.arithmetic import normalised
from symbackprop.notation.expressions import ONE, ZERO, Add, Expression, Multiply, Number, Power
from symbackprop.rules.stating import stated


def flatten(node: Expression) -> Expression | None:
    """Put a sum, product or power together again by its builder."""
    if isinstance(node, Multiply) and _is_flat(node):
        return None
    again = normalised(node)
    return None if again == node else again


def _is_flat(node: Multiply) -> bool:
    """A look that is cheaper than building: different bases, nothing nested, a number in front at most."""
    rest = node.factors[1:] if isinstance(node.factors[0], Number) else node.factors
    if len(rest) < len(node.factors) and node.factors[0] in (ZERO, ONE):
        return False
    bases = [factor.base if isinstance(factor, Power) else factor for factor in rest]
    is_nested = any(isinstance(base, Multiply | Number | Power) for base in bases)
    return len(set(bases)) == len(rest) > 0 and not is_nested


ARITHMETIC = (
    "0 + f = f, 0*f = 0, 1*f = f, f + f = 2*f, f^g*f^h = f^(g + h), (f^g*h)^n = f^(g*n)*h^n, "
    "where n is an integer"
)
BOOKKEEPING_RULES = (
    stated(
        "arithmetic",
        ARITHMETIC,
        flatten,
        decreases="size",
        example="0 + 1*x[i]",
        near_miss="x[i] + y[j]",
        roots=(Add, Multiply, Power),
    ),
)
