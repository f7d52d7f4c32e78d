"""Functions that are formulas, written out."""

from __future__ import annotations

from functools import cache

from symbackprop.functions.elementary import ALL_FUNCTIONS, definition_of
from symbackprop.notation.expressions import Apply, Element, Expression, Where
from symbackprop.notation.substitution import rewrite_bottom_up


def opened(expression: Expression) -> Expression:
    """Element-wise functions that are made of e^u and log(u) alone (sigmoid, ...) written out."""

    def open_one(node: Expression) -> Expression:
        if isinstance(node, Apply) and is_exponential(node.function):
            formula = definition_of(node)
            if formula is not None and not any(isinstance(part, Where) for part in formula.walk()):
                return rewrite_bottom_up(formula, open_one)
        return node

    return rewrite_bottom_up(expression, open_one)


@cache
def is_exponential(function: str) -> bool:
    """Whether it is exp, log, or a formula in which no other elementary function stands."""
    definition = ALL_FUNCTIONS[function].definition
    if definition is None or ALL_FUNCTIONS[function].arity > 1:
        return function in ("exp", "log")
    parts = tuple(definition(Element("?")).walk())
    applied = {part.function for part in parts if isinstance(part, Apply)}
    return all(map(is_exponential, applied)) and not any(isinstance(part, Where) for part in parts)
