"""What a program for an expression costs, as a number to compare equal forms by.

The unit is one arithmetic operation on one array element in a pass over memory (`cost.weights`), at typical
sizes (`cost.assumptions`), a sum of products in the order of `cost.contraction`. A subexpression that stands
in several places counts once.
"""

from __future__ import annotations

from fractions import Fraction
from math import prod
from typing import TypeAlias

from symbackprop.cost.assumptions import FORM, Assumptions
from symbackprop.cost.contraction import contraction_plan
from symbackprop.cost.weights import (
    COFACTOR_WEIGHT,
    DIVISION_WEIGHT,
    FACTORISATION_WEIGHT,
    INVERSE_WEIGHT,
    MATRIX_PRODUCT_WEIGHT,
    power_weight,
    weight_of,
)
from symbackprop.integers.guards import padded_element
from symbackprop.notation.arithmetic import coefficient_and_rest, factors_of, is_reciprocal
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
from symbackprop.notation.matrix_functions import MatrixFunction
from symbackprop.notation.substitution import canonical_bound_names

Cost: TypeAlias = Fraction

# As many terms as this are too many to be multiplied out, and are not counted further.
MOST_TERMS = 64

# 1/(1 + e^u) is not wrong, but e^u/(1 + e^u) is not a number for large u: a function is better.
OVERFLOW_WEIGHT = 40
_FACTORISATIONS = {
    "inv": INVERSE_WEIGHT,
    "det": FACTORISATION_WEIGHT,
    "logdet": FACTORISATION_WEIGHT,
    "cofactor": COFACTOR_WEIGHT,
}


def cost(*expressions: Expression, assuming: Assumptions = FORM) -> Cost:
    """The cost of computing all these expressions together."""
    total = Fraction(0)
    distinct: set[Expression] = set()
    pending = [canonical_bound_names(expression) for expression in expressions]
    while pending:
        node = pending.pop()
        if node not in distinct:
            distinct.add(node)
            pending.extend(node.children)
            if own := _own_cost(node, assuming):
                total += own
    return total


def _own_cost(node: Expression, assuming: Assumptions) -> Cost:
    """The cost of a node where its children are known, kept with it: forms have most nodes in common."""
    known: dict[Assumptions, Cost] = node.__dict__.setdefault("_own_costs", {})
    if assuming not in known:
        known[assuming] = _worked_out(node, assuming)
    return known[assuming]


def _worked_out(node: Expression, assuming: Assumptions) -> Cost:
    elements = assuming.count(node.free_indices)
    match node:
        case Add(terms):
            return Fraction(elements * (len(terms) - 1))
        case Multiply():
            return _product_cost(node, assuming)
        case Power(base, exponent):
            return Fraction(elements * _power_weight(base, exponent))
        case Apply(function, _):
            return Fraction(elements * weight_of(function))
        case Reduction():
            return _reduction_cost(node, assuming)
        case MatrixFunction():
            return _factorisation_cost(node, assuming)
        case Where() if padded_element(node) is not None:
            return Fraction(0)  # a slice, and zeros at its end
        case Where() | Comparison() | Logic() | Delta():
            return Fraction(elements)
    return Fraction(0)


def _factorisation_cost(node: MatrixFunction, assuming: Assumptions) -> Cost:
    """Of an axis with n values: a part of n^3 multiply-adds for each matrix of the batch."""
    size = assuming.size(node.axis)
    weight = _FACTORISATIONS[node.kind] * MATRIX_PRODUCT_WEIGHT
    return weight * size**3 * assuming.count(node.batch_indices)


def _power_weight(base: Expression, exponent: Expression) -> int:
    if not isinstance(exponent, Number):
        return power_weight(None)
    division = DIVISION_WEIGHT if exponent.value < 0 else 0
    return power_weight(exponent.value) + division + OVERFLOW_WEIGHT * _overflowing_terms(base, exponent)


def _overflowing_terms(base: Expression, exponent: Expression) -> int:
    """How many terms of a divisor may overflow: 1/(e^(2*u) + 3*e^u + 2) is no better than two quotients."""
    below = is_reciprocal(Power(base, exponent))
    return sum(map(_holds_exponential, base.terms)) if below and isinstance(base, Add) else 0


def _holds_exponential(term: Expression) -> bool:
    return any(isinstance(factor, Apply) and factor.function == "exp" for factor in factors_of(term))


def _product_cost(node: Multiply, assuming: Assumptions) -> Cost:
    """A number goes to the smallest array; a minus sign turns a plus into a minus for nothing."""
    number, rest = coefficient_and_rest(node)
    arrays = tuple(factor.free_indices for factor in rest)
    scaling = 0 if abs(number) == 1 else min((assuming.count(indices) for indices in arrays), default=0)
    return scaling + _contraction_cost(arrays, node.free_indices, assuming)


def _reduction_cost(node: Reduction, assuming: Assumptions) -> Cost:
    """A product of arrays is contracted; anything else is a pass over the body and its reduction."""
    factors = factors_of(node.body)
    if node.kind != "sum" or len(factors) == 1:
        return Fraction(assuming.count(node.body.free_indices))
    arrays = tuple(factor.free_indices for factor in factors if not isinstance(factor, Number))
    # The body of a contraction is never stored: take back what the product itself was charged.
    return _contraction_cost(arrays, node.free_indices, assuming) - _own_cost(node.body, assuming)


def _contraction_cost(
    arrays: tuple[frozenset[Index], ...], output: frozenset[Index], assuming: Assumptions
) -> Cost:
    return contraction_plan(arrays, output, assuming).cost if arrays else Fraction(0)


def terms_multiplied_out(expression: Expression) -> int:
    """How many terms an expression has, up to MOST_TERMS, where products of sums are multiplied out."""
    match expression:
        case Add(terms):
            found = sum(map(terms_multiplied_out, terms))
        case Multiply(factors):
            found = prod(map(terms_multiplied_out, factors))
        case Power(base, Number(exponent)) if exponent > 1 and isinstance(base, Add):
            found = MOST_TERMS
        case _:
            return 1
    return min(found, MOST_TERMS)
