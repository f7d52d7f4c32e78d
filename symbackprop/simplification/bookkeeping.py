"""0 + x = x, 1*x = x, x*x = x^2: the arithmetic that keeps sums and products flat."""

from __future__ import annotations

from symbackprop.notation.arithmetic import normalised
from symbackprop.notation.expressions import Expression
from symbackprop.rewriting.rule import Rule


def flatten(node: Expression) -> Expression | None:
    """Put a sum, product or power together again by its builder."""
    again = normalised(node)
    return None if again == node else again


BOOKKEEPING_RULES = (
    Rule("arithmetic", "0 + x = x, 1*x = x, x*x = x^2, x + x = 2*x", flatten, "the tree gets smaller"),
)
