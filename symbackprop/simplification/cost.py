"""What a program for an expression costs, as a number to compare equal forms by.

The unit is one arithmetic operation on one array element in a pass over memory. Sizes are symbols, so every
axis counts as `TYPICAL_SIZE` values; a contraction runs inside a matrix product, where an operation is
cheaper than a pass by `CONTRACTION_WEIGHT`. A subexpression that stands in several places counts once.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import TypeAlias

from symbackprop.notation.arithmetic import coefficient_and_rest, factors_of
from symbackprop.notation.expressions import (
    Add,
    Apply,
    Comparison,
    Delta,
    Expression,
    Index,
    Logic,
    Multiply,
    Number,
    Power,
    Reduction,
    Where,
)
from symbackprop.notation.substitution import canonical_bound_names

Cost: TypeAlias = Fraction

TYPICAL_SIZE = 32
CONTRACTION_WEIGHT = Fraction(1, 16)
FUNCTION_WEIGHT = 10
ROOT_WEIGHT = 4
DIVISION_WEIGHT = 1


def extent(indices: Iterable[Index]) -> int:
    """How many elements an array over these indices has."""
    return TYPICAL_SIZE ** len(frozenset(indices))


def cost(*expressions: Expression) -> Cost:
    """The cost of computing all these expressions together."""
    distinct: dict[Expression, None] = {}
    for expression in expressions:
        for node in canonical_bound_names(expression).walk():
            distinct.setdefault(node)
    return sum((_own_cost(node) for node in distinct), Fraction(0))


def _own_cost(node: Expression) -> Cost:
    """The cost of a node where its children are known."""
    elements = extent(node.free_indices)
    match node:
        case Add(terms):
            return Fraction(elements * (len(terms) - 1))
        case Multiply():
            return _product_cost(node)
        case Power(_, exponent):
            return Fraction(elements * _power_weight(exponent))
        case Apply():
            return Fraction(elements * FUNCTION_WEIGHT)
        case Reduction():
            return _reduction_cost(node)
        case Where() | Comparison() | Logic() | Delta():
            return Fraction(elements)
    return Fraction(0)


def _product_cost(node: Multiply) -> Cost:
    """The pair with the smallest result is multiplied first; a minus sign turns a plus into a minus for nothing."""
    number, rest = coefficient_and_rest(node)
    arrays = [factor.free_indices for factor in rest]
    total = 0 if abs(number) == 1 else min(extent(indices) for indices in arrays)
    while len(arrays) > 1:
        _, left, right = min(
            (extent(arrays[left] | arrays[right]), left, right)
            for right in range(len(arrays))
            for left in range(right)
        )
        merged = arrays.pop(right) | arrays.pop(left)
        arrays.append(merged)
        total += extent(merged)
    return Fraction(total)


def _power_weight(exponent: Expression) -> int:
    if not isinstance(exponent, Number):
        return FUNCTION_WEIGHT
    size = abs(exponent.value)
    root = ROOT_WEIGHT if size.denominator > 1 else 0
    division = DIVISION_WEIGHT if exponent.value < 0 else 0  # beyond the product it stands in
    return root + division + max(0, int(size).bit_length() - 1)


def _reduction_cost(node: Reduction) -> Cost:
    """A product of arrays is contracted; anything else is a pass over the body and its reduction."""
    involved = extent(node.body.free_indices | frozenset(node.indices))
    arrays = [factor for factor in factors_of(node.body) if factor.free_indices & frozenset(node.indices)]
    if node.kind == "sum" and len(arrays) > 1:
        return CONTRACTION_WEIGHT * involved + extent(node.free_indices) - _passes_saved(node)
    return Fraction(involved)


def _passes_saved(node: Reduction) -> Cost:
    """The body of a contraction is never stored: take back what the product itself was charged."""
    assert isinstance(node.body, Multiply)
    return _own_cost(node.body)
