"""What a program for an expression costs, as a number to compare equal forms by.

The unit is one arithmetic operation on one array element in a pass over memory. An axis counts as
`TYPICAL_SIZE` values, or with its declared size where that is larger, so that a small size does not change
the form; a contraction runs inside a matrix product, where an operation is cheaper than a pass by
`CONTRACTION_WEIGHT`. A subexpression that stands in several places counts once.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from typing import TypeAlias

from symbackprop.integers.guards import padded_element
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
from symbackprop.notation.matrix_functions import MatrixFunction
from symbackprop.notation.substitution import canonical_bound_names

Cost: TypeAlias = Fraction

TYPICAL_SIZE = 32
CONTRACTION_WEIGHT = Fraction(1, 16)
# Singular values take some ten times as long as an inverse.
COFACTOR_WEIGHT = 10
FUNCTION_WEIGHT = 10
ROOT_WEIGHT = 4
DIVISION_WEIGHT = 1
OVERFLOW_WEIGHT = 40


def extent(indices: Iterable[Index]) -> int:
    """How many elements an array over these indices has."""
    return math.prod(max(index.axis.size or 0, TYPICAL_SIZE) for index in frozenset(indices))


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
        case Power(base, exponent):
            weight = _power_weight(exponent) + (OVERFLOW_WEIGHT if _may_overflow(base, exponent) else 0)
            return Fraction(elements * weight)
        case Apply():
            return Fraction(elements * FUNCTION_WEIGHT)
        case Reduction():
            return _reduction_cost(node)
        case MatrixFunction():
            return _factorisation_cost(node)
        case Where() if padded_element(node) is not None:
            return Fraction(0)  # a slice, and zeros at its end
        case Where() | Comparison() | Logic() | Delta():
            return Fraction(elements)
    return Fraction(0)


def _factorisation_cost(node: MatrixFunction) -> Cost:
    """Of an axis with n values: n^3 multiply-adds for each matrix of the batch."""
    size = max(node.axis.size or 0, TYPICAL_SIZE)
    weight = COFACTOR_WEIGHT if node.kind == "cofactor" else 1
    return weight * CONTRACTION_WEIGHT * size**3 * extent(node.batch_indices)


def _may_overflow(base: Expression, exponent: Expression) -> bool:
    """1/(1 + e^u) is not wrong, but e^u/(1 + e^u) is not a number for large u: a function is better."""
    below = isinstance(exponent, Number) and exponent.value < 0
    return below and isinstance(base, Add) and any(_holds_exponential(term) for term in base.terms)


def _holds_exponential(term: Expression) -> bool:
    return any(isinstance(factor, Apply) and factor.function == "exp" for factor in factors_of(term))


def _product_cost(node: Multiply) -> Cost:
    """The pair with the smallest result comes first; a minus sign turns a plus into a minus for nothing."""
    number, rest = coefficient_and_rest(node)
    arrays = [factor.free_indices for factor in rest]
    scaling = 0 if abs(number) == 1 else min((extent(indices) for indices in arrays), default=0)
    return Fraction(scaling) + _pairwise(arrays, frozenset(), Fraction(1))


def _pairwise(arrays: list[frozenset[Index]], bound: frozenset[Index], weight: Fraction) -> Fraction:
    """Multiply arrays in pairs, the smallest work first; an index is summed as soon as one array has it.

    Arrays over the same indices are alike: the pair is looked for among index sets, so that a product of many
    factors takes linear time.
    """
    waiting: dict[frozenset[Index], deque[int]] = {}
    for place, indices in enumerate(arrays):
        waiting.setdefault(indices, deque()).append(place)
    total = Fraction(0)
    for place in range(len(arrays), 2 * len(arrays) - 1):
        work, _, pair = min(_first_pairs(waiting))
        for indices in pair:
            waiting[indices].popleft()
            if not waiting[indices]:
                del waiting[indices]
        merged = pair[0] | pair[1]
        left = merged - (bound - frozenset[Index]().union(*waiting))
        waiting.setdefault(left, deque()).append(place)
        # Where an index is summed the pair is a matrix product, otherwise a pass.
        total += weight * work + extent(left) if left != merged else work
    return total


def _first_pairs(
    waiting: Mapping[frozenset[Index], deque[int]],
) -> Iterator[tuple[int, tuple[int, int], tuple[frozenset[Index], frozenset[Index]]]]:
    """For each two index sets their work, and the places and sets of the first pair of arrays over them."""
    sets = list(waiting)
    for number, one in enumerate(sets):
        if len(waiting[one]) > 1:
            yield extent(one), (waiting[one][0], waiting[one][1]), (one, one)
        for other in sets[number + 1 :]:
            left, right = sorted((waiting[one][0], waiting[other][0]))
            yield extent(one | other), (left, right), (one, other)


def _power_weight(exponent: Expression) -> int:
    if not isinstance(exponent, Number):
        return FUNCTION_WEIGHT
    size = abs(exponent.value)
    root = ROOT_WEIGHT if size.denominator > 1 else 0
    division = DIVISION_WEIGHT if exponent.value < 0 else 0  # beyond the product it stands in
    return root + division + max(0, int(size).bit_length() - 1)


def _reduction_cost(node: Reduction) -> Cost:
    """A product of arrays is contracted; anything else is a pass over the body and its reduction.

    A factor that no bound index moves is none of a contraction's: the sum costs what it does with it outside.
    """
    involved = extent(node.body.free_indices | frozenset(node.indices))
    factors = factors_of(node.body)
    if node.kind != "sum" or len(factors) == 1:
        return Fraction(involved)
    arrays = [factor.free_indices for factor in factors if not isinstance(factor, Number)]
    bound = frozenset(node.indices)
    inner = [array for array in arrays if array & bound]
    if len(inner) == 1 < len(arrays):
        outer = [array for array in arrays if not array & bound]
        whole = extent(inner[0] | bound) + _pairwise([inner[0] - bound, *outer], frozenset(), Fraction(1))
    else:
        whole = _pairwise(arrays, bound, CONTRACTION_WEIGHT)
    # The body of a contraction is never stored: take back what the product itself was charged.
    return whole - _own_cost(node.body)
