"""Names that stand for something while the algebra is at work, and that no equation may keep.

No name of a model holds one of these signs: `#0` is a bound index in canonical form, `?0` an argument that is
still to be filled in, `@0` an index in a key.
"""

from __future__ import annotations

from collections.abc import Iterable

from symbackprop.notation.expressions import Element, Expression, Index, Reduction
from symbackprop.notation.matrix_functions import MatrixFunction

SIGNS = frozenset("#?@")


def placeholder_in(expressions: Iterable[Expression]) -> str | None:
    """The first placeholder that stands in one of the expressions; None where there is none."""
    seen: set[Expression] = set()
    pending = list(expressions)
    while pending:
        node = pending.pop()
        if node not in seen:
            seen.add(node)
            for name in _names_of(node):
                if not SIGNS.isdisjoint(name):
                    return name
            pending.extend(node.children)
    return None


def _names_of(node: Expression) -> tuple[str, ...]:
    match node:
        case Index(name, _):
            return (name,)
        case Element(tensor, _) | MatrixFunction(_, tensor, _, _, _):
            return (tensor,)
        case Reduction(_, indices, _):
            return tuple([index.name for index in indices])
    return ()
