"""Which statements compute branches that are not chosen, and may be undefined or overflow there."""

from __future__ import annotations

from symbackprop.indexing.counting import is_counted
from symbackprop.notation.expressions import Expression, Where
from symbackprop.systems.partial import is_partial


def needs_guard(expression: Expression) -> bool:
    """Whether a branch of a `where` may be undefined, or overflow, in places where it is not chosen."""
    return any(
        isinstance(node, Where)
        and not is_counted(node.condition)
        and any(is_partial(part) for part in (node.chosen, node.otherwise))
        for node in expression.walk()
    )
