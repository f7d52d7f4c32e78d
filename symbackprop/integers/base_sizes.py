"""Related sizes in terms of those that no relation states: H*E for the size of D, T + 1 for that of S."""

from __future__ import annotations

from collections.abc import Iterator

from symbackprop.integers.linear import LinearForm, linear_form
from symbackprop.notation.arithmetic import multiply, power
from symbackprop.notation.expressions import Axis, Element, Expression, Index, Multiply, Number, Power, Size
from symbackprop.notation.substitution import rewrite_bottom_up


def in_base_sizes(expression: Expression) -> Expression:
    """The expression with its formula in the place of every related size."""
    return rewrite_bottom_up(expression, _in_base) if expression.has_related_sizes else expression


def _in_base(node: Expression) -> Expression:
    match node:
        case Size(axis) if axis.formula is not None:
            return axis.formula
        case Power(Size(axis), Number() as exponent) if axis.size is not None:
            return power(Number(axis.size), exponent)
        case Power(Multiply(factors), Number(exponent)) if exponent.denominator == 1 and not node.tensors:
            return multiply(*(power(factor, node.exponent) for factor in factors))
    return node


def related_form(expression: Expression) -> LinearForm:
    """The linear form of an expression of integers, its sizes in terms of those that no relation states."""
    return linear_form(in_base_sizes(expression))


def with_formulas(expression: Expression) -> Iterator[Expression]:
    """Every node of the tree, and those of the formulas of the related sizes that it speaks of."""
    for node in expression.walk():
        yield node
        axis = _axis_of(node)
        if axis is not None and axis.formula is not None:
            yield from axis.formula.walk()


def _axis_of(node: Expression) -> Axis | None:
    match node:
        case Index(_, axis) | Size(axis) | Element(_, _, axis):
            return axis
    return None
