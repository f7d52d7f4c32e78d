"""Measures of what Kronecker deltas have yet to do: indices to solve for, sums to meet, reads to move."""

from __future__ import annotations

from math import prod

from symbackprop.integers.linear import linear_form
from symbackprop.notation.arithmetic import factors_of, is_sum
from symbackprop.notation.expressions import (
    ZERO,
    Add,
    Delta,
    Expression,
    Index,
    Multiply,
    Number,
    Power,
    Reduction,
    Where,
)
from symbackprop.notation.multiplied_out import (
    branches_of,
    counted,
    factor_count,
    is_position,
    products,
    separate_terms,
    shared,
    term_count,
)
from symbackprop.notation.substitution import rewrite_bottom_up
from symbackprop.rewriting.measure_context import MeasureContext
from symbackprop.rules.delta_substitution import loosened, may_be_undefined, sides_of
from symbackprop.rules.wheres import straight_positions
from symbackprop.systems.partial import Ranges


def digits_to_split(expression: Expression, _context: MeasureContext) -> int:
    """In how many deltas an index is equated to a sum with an index that is bound where the first is not."""

    def own(node: Expression) -> int:
        bound = frozenset(node.indices) if isinstance(node, Reduction) else frozenset[Index]()
        return counted(node.children[0], lambda each: int(_has_digits(each, bound))) if bound else 0

    return counted(expression, own)


def _has_digits(node: Expression, bound: frozenset[Index]) -> bool:
    if not isinstance(node, Delta) or bound.isdisjoint(node.free_indices):
        return False
    for index, position in ((node.left, node.right), (node.right, node.left)):
        if isinstance(index, Index) and index not in bound:
            unknowns = linear_form(position).coefficients
            if len(unknowns) > 1 and any(unknown.free_indices & bound for unknown in unknowns):
                return True
    return False


def unsolved_indices(expression: Expression, _context: MeasureContext) -> int:
    """In how many terms no delta gives an index of a sum, and in how many deltas it is inside a side."""

    def own(node: Expression) -> int:
        if not is_sum(node):
            return 0
        return sum(_unsolved(node.body, index) + _inside_deltas(node.body, index) for index in node.indices)

    return counted(expression, own)


def _unsolved(node: Expression, index: Index) -> int:
    """The terms that have no delta(index, p) as a factor."""
    match node:
        case Add():
            terms = separate_terms(node)
            return sum(1 if _is_plain(term) else _unsolved(term, index) for term in terms)
        case Multiply(factors):
            return prod(_unsolved(factor, index) for factor in factors)
        case Power(Delta() as delta, _):
            return _unsolved(delta, index)
        case Delta():
            return int(not _is_solved(node, index))
        case Number(value) if value == 0:
            return 0
    return term_count(node)


def _is_plain(term: Expression) -> bool:
    return is_position(term) or ZERO in factors_of(term)


def _is_solved(delta: Delta, index: Index) -> bool:
    sides = ((delta.left, delta.right), (delta.right, delta.left))
    return any(side == index and index not in other.free_indices for side, other in sides)


def _inside_deltas(node: Expression, index: Index) -> int:
    def own(each: Expression) -> int:
        is_inside = isinstance(each, Delta) and index in each.free_indices
        return int(is_inside and isinstance(each, Delta) and not _is_solved(each, index))

    return counted(node, own) if index in node.free_indices else 0


def sums_to_multiply_out(expression: Expression, _context: MeasureContext) -> int:
    """Each factor, sum and `where` around or beside an addition with a delta, for every term of it."""

    def own(node: Expression) -> int:
        match node:
            case Reduction() | Where():
                return _additions(node)
            case Multiply(factors):
                return sum(_beside(factors, place) for place in range(len(factors)))
        return 0

    return counted(expression, own)


def _additions(node: Expression) -> int:
    """How many additions with a delta all terms come from; a `where` of two branches is one as well."""
    match node:
        case Add(terms):
            return sum(map(_additions, terms)) + (term_count(node) if _has_delta(node) else 0)
        case Multiply(factors):
            return shared(factors, list(map(_additions, factors)))
        case Where():
            branches = branches_of(node)
            is_addition = len(branches) > 1 and any(map(_has_delta, branches))
            return sum(map(_additions, branches)) + (term_count(node) if is_addition else 0)
        case Reduction(_, _, body):
            return _additions(body)
    return 0


def _beside(factors: tuple[Expression, ...], place: int) -> int:
    others = (*factors[:place], *factors[place + 1 :])
    additions = _additions(factors[place])
    return additions * shared(others, list(map(factor_count, others))) if additions else 0


def _has_delta(node: Expression) -> bool:
    return any(isinstance(each, Delta) for each in node.walk())


def misplaced_reads(expression: Expression, context: MeasureContext) -> int:
    """How often p is read beside delta(p,i), or i in a factor that may be undefined where p is not i."""
    count = 0
    straight = rewrite_bottom_up(expression, lambda node: straight_positions(node) or node)
    for factors in products(straight):
        for place, factor in enumerate(factors):
            for position, index in sides_of(_delta_of(factor)):
                for other in (*factors[:place], *factors[place + 1 :]):
                    count += _misplaced(other, position, index, context.ranges)
    return count


def _delta_of(factor: Expression) -> Expression:
    return factor.base if isinstance(factor, Power) and isinstance(factor.base, Delta) else factor


def _misplaced(other: Expression, position: Expression, index: Index, ranges: Ranges) -> int:
    if position == index:
        return 0
    if may_be_undefined(other, position, index, ranges):
        return sum(each == index for each in other.walk())
    if isinstance(position, Index | Number):
        return 0
    moves = loosened(other, position, index, ranges) != other
    return sum(each == position for each in other.walk()) if moves else 0
