"""Derivatives of the element-wise functions: SymPy's for most elementary ones, derived for those by formulas.

A function that the table defines by a formula gets the derivative of that formula, then expressed through
the cheapest known quantities: sigmoid' = e^-u / (1 + e^-u)^2 becomes sigmoid * (1 - sigmoid) because the
search finds it, not because it stands in a table.
"""

from __future__ import annotations

from functools import cache

import sympy

from symbackprop.algebra.scalar_algebra import from_sympy
from symbackprop.errors import InternalError
from symbackprop.functions.table import FUNCTIONS
from symbackprop.notation.arithmetic import normalised
from symbackprop.notation.derivatives import PartialDerivative
from symbackprop.notation.expressions import ZERO, Element, Expression
from symbackprop.notation.substitution import rewrite_bottom_up
from symbackprop.systems.dependence import moves

PLACEHOLDERS = (Element("?0"), Element("?1"))


@cache
def elementary_derivative(function: str) -> Expression:
    """f'(u) of an elementary function, at the placeholder for u: the table's, or else SymPy's."""
    row = FUNCTIONS[function]
    if row.derivative is not None:
        return row.derivative(PLACEHOLDERS[0])
    if row.sympy is None:
        raise InternalError(f"'{function}' has neither a formula nor a SymPy function")
    argument = sympy.Symbol("u", real=True)
    value = getattr(sympy, row.sympy.name)(*row.sympy.orders, argument)
    return from_sympy(value.diff(argument), lambda symbol: PLACEHOLDERS[0])


def at_arguments(expression: Expression, arguments: tuple[Expression, ...]) -> Expression:
    """Put arguments in the place of the placeholders."""
    filled = dict(zip(PLACEHOLDERS, arguments, strict=False))

    def fill(node: Expression) -> Expression:
        return filled.get(node, node) if isinstance(node, Element) else normalised(node)

    return rewrite_bottom_up(expression, fill)


def derivative(expression: Expression, by: Element) -> Expression:
    """d expression / d by, still to be worked out; 0 where the expression does not depend on that tensor."""
    return PartialDerivative(expression, by) if moves(expression, by.tensor) else ZERO
