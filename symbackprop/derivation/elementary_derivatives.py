"""Derivatives of the element-wise functions: SymPy's for most elementary ones, derived for those by formulas.

A function that the table defines by a formula gets the derivative of that formula, then expressed through
the cheapest known quantities: sigmoid' = e^-u / (1 + e^-u)^2 becomes sigmoid * (1 - sigmoid) because the
search finds it, not because it stands in a table.
"""

from __future__ import annotations

from functools import cache
from math import isclose, pi, prod

from symbackprop.algebra.scalar_algebra import from_sympy
from symbackprop.deferred_imports import sympy
from symbackprop.errors import InternalError
from symbackprop.functions.record import Evaluation
from symbackprop.functions.table import FUNCTIONS
from symbackprop.notation.arithmetic import normalised
from symbackprop.notation.derivatives import PartialDerivative
from symbackprop.notation.expressions import (
    ZERO,
    Add,
    Apply,
    Constant,
    Element,
    Expression,
    Multiply,
    Number,
    Power,
)
from symbackprop.notation.substitution import rewrite_bottom_up
from symbackprop.storage.folder import store, stored
from symbackprop.storage.spelled import read_expression, spelled
from symbackprop.systems.dependence import moves

PLACEHOLDERS = (Element("?0"), Element("?1"))
POINTS, STEP = (0.3, 0.8), 1e-30  # where every function is defined


@cache
def elementary_derivative(function: str) -> Expression:
    """f'(u) of an elementary function, at the placeholder for u: the table's, or else SymPy's."""
    row = FUNCTIONS[function]
    if row.derivative is not None:
        return row.derivative(PLACEHOLDERS[0])
    if row.sympy is None:
        raise InternalError(f"'{function}' has neither a formula nor a SymPy function")
    question = f"derivative of {function}"
    try:
        known = read_expression(stored(question))
        if _is_derivative(known, row.evaluate):
            return known
    except (ValueError, TypeError, ArithmeticError):
        pass  # nothing is stored, or nothing that is a function of its argument
    argument = sympy.Symbol("u", real=True)
    value = getattr(sympy, row.sympy.name)(*row.sympy.orders, argument)
    found = from_sympy(value.diff(argument), {argument: PLACEHOLDERS[0]})
    store(question, spelled(found))
    return found


def _is_derivative(formula: Expression, function: Evaluation) -> bool:
    """Whether a complex step through the function says the same at two points of every domain."""
    steps = [(point, function(complex(point, STEP)).imag / STEP) for point in POINTS]
    return all(isclose(_value(formula, point), slope, rel_tol=1e-9) for point, slope in steps)


def _value(formula: Expression, argument: float) -> float:
    """The formula's value for an argument; TypeError where it is no elementary formula."""
    match formula:
        case Number(value):
            return float(value)
        case Constant():
            return pi
        case Apply(function, arguments):
            return FUNCTIONS[function].evaluate(*[_value(each, argument) for each in arguments]).real
        case Add(parts) | Multiply(parts):
            combine = sum if isinstance(formula, Add) else prod
            return float(combine(_value(each, argument) for each in parts))
        case Power(base, exponent):
            return float(_value(base, argument) ** _value(exponent, argument))
    if formula != PLACEHOLDERS[0]:
        raise TypeError(f"{formula} is no function of one argument")
    return argument


def at_arguments(expression: Expression, arguments: tuple[Expression, ...]) -> Expression:
    """Put arguments in the place of the placeholders."""
    filled = dict(zip(PLACEHOLDERS, arguments, strict=False))

    def fill(node: Expression) -> Expression:
        return filled.get(node, node) if isinstance(node, Element) else normalised(node)

    return rewrite_bottom_up(expression, fill)


def derivative(expression: Expression, by: Element) -> Expression:
    """d expression / d by, still to be worked out; 0 where the expression does not depend on that tensor."""
    return PartialDerivative(expression, by) if moves(expression, by.tensor) else ZERO
