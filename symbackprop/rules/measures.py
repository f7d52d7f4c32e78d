"""Why the rules come to an end: what falls at every use of a rule, in one lexicographic order.

A rule names a measure of the table below. Wherever it is used, that measure of the whole expression falls and
none that stands above it in the table rises; so no sequence of uses goes on for ever. Rules that move factors
both ways make no loop, because what they move differs: factors independent of a sum's indices, deltas and
numbers move outwards, out of sums and `where`s; only loop-carried reads move inwards, under a `where`. What
moves a factor into a sum ("factor in") belongs to the search, a phase of its own, which lowers the cost.

The counts are those of the expression multiplied out, whose terms are not written down: f*(g + h) counts as
f*g + f*h, and where(c, g, h) as where(c, g, 0) + where(c, 0, h). So none of them changes when a product is
multiplied out, a sum is separated or a factor is moved, unless it is meant to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod

from symbackprop.notation.arithmetic import is_sum
from symbackprop.notation.expressions import (
    ZERO,
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
from symbackprop.notation.matrix_functions import MatrixFunction, readings
from symbackprop.rules.multiplied_out import branches_of, counted, factor_count, shared, term_count
from symbackprop.rules.position_deltas import may_be_undefined, sides_of
from symbackprop.systems.partial import NOTHING_KNOWN, Ranges

NO_READS: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Setting:
    """What measures may know of tensors: their ranges, and which are computed in the recurrence at hand."""

    ranges: Ranges = NOTHING_KNOWN
    loop_carried: frozenset[str] = NO_READS


@dataclass(frozen=True)
class Measure:
    """A natural number of an expression, and what it is."""

    wording: str
    of: Callable[[Expression, Setting], int]


def inverses(expression: Expression, _setting: Setting) -> int:
    """The inverse of a matrix counts once, a matrix of cofactors twice."""

    def own(node: Expression) -> int:
        return {"inv": 1, "cofactor": 2}.get(node.kind, 0) if isinstance(node, MatrixFunction) else 0

    return counted(expression, own)


def bound_indices(expression: Expression, _setting: Setting) -> int:
    """How many indices reductions bind."""

    def own(node: Expression) -> int:
        return len(node.indices) * term_count(node) if isinstance(node, Reduction) else 0

    return counted(expression, own)


def unsolved_indices(expression: Expression, _setting: Setting) -> int:
    """In how many terms an index of a sum is no side of a delta, and how many deltas it is deeper inside of."""

    def own(node: Expression) -> int:
        return sum(sum(_unsolved(node.body, index)) for index in node.indices) if is_sum(node) else 0

    return counted(expression, own)


def _unsolved(node: Expression, index: Index) -> tuple[int, int]:
    """The terms without a delta that is solved for the index, and all their deltas that depend on it."""
    match node:
        case Add(terms):
            counts = [_unsolved(term, index) for term in terms]
            return sum(terms for terms, _ in counts), sum(deltas for _, deltas in counts)
        case Multiply(factors):
            counts = [_unsolved(factor, index) for factor in factors]
            products = [terms for terms, _ in counts]
            others = [prod(products[:place]) * prod(products[place + 1 :]) for place in range(len(counts))]
            return prod(products), sum(
                deltas * rest for (_, deltas), rest in zip(counts, others, strict=True)
            )
        case Power(Delta() as delta, _):
            return _unsolved(delta, index)
        case Delta(left, right):
            sides = ((left, right), (right, left))
            if any(side == index and index not in other.free_indices for side, other in sides):
                return 0, 0
            return 1, int(index in node.free_indices)
    return term_count(node), 0


def conditions(expression: Expression, _setting: Setting) -> int:
    """How many `where`s, comparisons and negations there are."""

    def own(node: Expression) -> int:
        is_negation = isinstance(node, Logic) and node.operator == "not"
        return term_count(node) if is_negation or isinstance(node, Where | Comparison) else 0

    return counted(expression, own)


def factors_under_sums(expression: Expression, _setting: Setting) -> int:
    """How many factors are inside sums, each counted once for every sum around it."""
    return counted(expression, lambda node: factor_count(node.body) if is_sum(node) else 0)


def second_branches(expression: Expression, _setting: Setting) -> int:
    """How many terms are chosen where a condition is false."""

    def own(node: Expression) -> int:
        is_else = isinstance(node, Where) and node.otherwise != ZERO
        return term_count(node.otherwise) if is_else and isinstance(node, Where) else 0

    return counted(expression, own)


def deltas_under_wheres(expression: Expression, _setting: Setting) -> int:
    """How many deltas are in the branches of `where`s, each counted once for every `where` around it."""

    def own(node: Expression) -> int:
        branches = branches_of(node) if isinstance(node, Where) else []
        return sum(counted(branch, lambda each: int(isinstance(each, Delta))) for branch in branches)

    return counted(expression, own)


def sums_to_multiply_out(expression: Expression, _setting: Setting) -> int:
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


def wheres(expression: Expression, _setting: Setting) -> int:
    """How many `where`s are written."""
    return sum(isinstance(node, Where) for node in expression.walk())


def reads_beside_wheres(expression: Expression, setting: Setting) -> int:
    """How often the recurrence at hand is read in a factor beside a where(c, f, 0)."""
    count = 0
    for node in expression.walk() if setting.loop_carried else ():
        if isinstance(node, Multiply):
            reads = [
                sum(read.tensor in setting.loop_carried for read in readings(each)) for each in node.factors
            ]
            for factor, own in zip(node.factors, reads, strict=True):
                if isinstance(factor, Where) and factor.otherwise == ZERO:
                    count += sum(reads) - own
    return count


def misplaced_reads(expression: Expression, setting: Setting) -> int:
    """How often p is read beside delta(p,i), or i in a factor that may be undefined where p is not i."""
    count = 0
    for node in expression.walk():
        for place, factor in enumerate(node.factors if isinstance(node, Multiply) else ()):
            for position, index in sides_of(factor):
                for other in (*node.children[:place], *node.children[place + 1 :]):
                    misplaced = (
                        index if may_be_undefined(other, position, index, setting.ranges) else position
                    )
                    if misplaced == index or not isinstance(position, Index | Number):
                        count += sum(each == misplaced for each in other.walk())
    return count


def size(expression: Expression, _setting: Setting) -> int:
    """A number for each node, chosen so that collecting, and multiplying out positions, make it smaller."""
    inner = [size(child, _setting) for child in expression.children]
    match expression:
        case Number(value):
            return 1 if value == 1 else 2
        case Add():
            return sum(inner) + 3 * len(inner)
        case Multiply():
            return prod(inner) + len(inner)
        case Power(_, exponent):
            return inner[0] * (inner[0] - 1) + (0 if isinstance(exponent, Number) else inner[1])
        case Where():
            return inner[0] * sum(each**2 for each in inner[1:])
        case Apply() | Comparison() | Logic():
            return sum(inner) + 1
        case Reduction(_, indices, _):
            return sum(inner) + 1 + len(indices)
    return sum(inner) + 3


def numbers_on_the_left(expression: Expression, _setting: Setting) -> int:
    """How many comparisons have a number on the left alone."""
    return sum(
        isinstance(node, Comparison) and isinstance(node.left, Number) and not isinstance(node.right, Number)
        for node in expression.walk()
    )


# In lexicographic order.
MEASURES: Mapping[str, Measure] = {
    "inverses": Measure("inverses, and cofactors twice", inverses),
    "bound indices": Measure("bound indices", bound_indices),
    "unsolved indices": Measure(
        "indices of sums that are no side of a delta, and deltas they are deeper inside of", unsolved_indices
    ),
    "conditions": Measure("`where`s, comparisons and negations", conditions),
    "factors under sums": Measure("factors under sums", factors_under_sums),
    "second branches": Measure("terms in second branches of `where`s", second_branches),
    "deltas under wheres": Measure("deltas under `where`s", deltas_under_wheres),
    "sums to multiply out": Measure("factors around additions that hold a delta", sums_to_multiply_out),
    "wheres": Measure("`where`s as written", wheres),
    "loop-carried reads beside wheres": Measure("loop-carried reads beside `where`s", reads_beside_wheres),
    "misplaced reads": Measure("reads at another position than the delta beside them needs", misplaced_reads),
    "size": Measure("size of the tree", size),
    "numbers on the left": Measure("numbers on the left of comparisons", numbers_on_the_left),
}


def first_change(before: Expression, after: Expression, setting: Setting | None = None) -> tuple[str, int]:
    """The first measure that differs, and by how much it rises; ("", 0) where none does."""
    known = setting or Setting()
    for name, measure in MEASURES.items():
        rise = measure.of(after, known) - measure.of(before, known)
        if rise:
            return name, rise
    return "", 0
