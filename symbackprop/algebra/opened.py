"""Functions that are formulas, written out."""

from __future__ import annotations

from symbackprop.functions.elementary import ALL_FUNCTIONS, definition_of
from symbackprop.notation.expressions import Apply, Comparison, Expression, Where
from symbackprop.notation.substitution import rewrite_bottom_up


def opened(expression: Expression) -> Expression:
    """Element-wise functions that are rational in e^u (sigmoid, ...) written out."""

    def open_one(node: Expression) -> Expression:
        if isinstance(node, Apply) and ALL_FUNCTIONS[node.function].arity == 1:
            formula = definition_of(node)
            if formula is not None and not any(map(_is_no_quotient, formula.walk())):
                return rewrite_bottom_up(formula, open_one)
        return node

    return rewrite_bottom_up(expression, open_one)


def _is_no_quotient(node: Expression) -> bool:
    return isinstance(node, Where | Comparison) or (
        isinstance(node, Apply) and node.function in {"sign", "erf", "normcdf"}
    )
