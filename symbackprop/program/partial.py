"""Which expressions may be undefined, or overflow, for some real values of what they read."""

from __future__ import annotations

from symbackprop.notation.expressions import Apply, Expression, Number, Power, Where
from symbackprop.notation.matrices import MatrixFunction
from symbackprop.program.counting import is_counted

# Functions that are defined, and do not overflow, for every real argument.
TOTAL_FUNCTIONS = frozenset(
    {
        "abs",
        "sign",
        "sin",
        "cos",
        "atan",
        "tanh",
        "erf",
        "normcdf",
        "sigmoid",
        "relu",
        "softplus",
        "gelu",
        "silu",
        "floor",
        "mod",
        "max",
        "min",
    }
)


def needs_guard(expression: Expression) -> bool:
    """Whether a branch of a `where` may be undefined, or overflow, in places where it is not chosen."""
    return any(
        isinstance(node, Where)
        and not is_counted(node.condition)
        and any(is_partial(part) for part in (node.chosen, node.otherwise))
        for node in expression.walk()
    )


def is_partial(branch: Expression) -> bool:
    """Whether an expression is not defined everywhere."""
    return any(
        (isinstance(node, Apply) and node.function not in TOTAL_FUNCTIONS)
        or _is_partial_power(node)
        or (isinstance(node, MatrixFunction) and node.kind in ("inv", "logdet"))
        for node in branch.walk()
    )


def _is_partial_power(node: Expression) -> bool:
    if not isinstance(node, Power):
        return False
    exponent = node.exponent
    return not (isinstance(exponent, Number) and exponent.value.denominator == 1 and exponent.value > 0)
