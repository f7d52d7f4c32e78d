"""Why the rules come to an end: what falls at every use of a rule, in one lexicographic order.

A rule names a measure of the table below. Wherever it is used, that measure of the whole expression falls and
none that stands above it in the table rises; so no sequence of uses goes on for ever. These rules move
factors outwards, out of sums and `where`s: those that are independent of a sum's indices, deltas and numbers.
What moves them inwards belongs to phases of its own, with their own measures: loop-carried reads go under a
`where`, and the search for cheaper forms moves a factor into a sum ("factor in").

The counts are those of the expression multiplied out, whose terms are not written down: f*(g + h) counts as
f*g + f*h, and where(c, g, h) as where(c, g, 0) + where(c, 0, h). So none of them changes when a product is
multiplied out, a sum is separated or a factor is moved, unless it is meant to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, Protocol, TypeAlias

from symbackprop.functions.table import definition_of
from symbackprop.integers.bounds import conjuncts
from symbackprop.notation.arithmetic import factors_of, is_sum
from symbackprop.notation.derivatives import Derivative, PartialDerivative
from symbackprop.notation.expressions import (
    ZERO,
    Add,
    Apply,
    Comparison,
    Delta,
    Expression,
    Logic,
    Multiply,
    Number,
    Power,
    Reduction,
    Where,
)
from symbackprop.notation.matrix_functions import MatrixFunction, readings
from symbackprop.notation.multiplied_out import (
    body_factor_count,
    branches_of,
    counted,
    products,
    term_count,
)
from symbackprop.rewriting.measure_context import MeasureContext
from symbackprop.rules.delta_measures import (
    digits_to_split,
    misplaced_reads,
    sums_to_multiply_out,
    unsolved_indices,
)


class Rank(Protocol):
    """What measures compare: natural numbers, and tuples of them."""

    def __lt__(self, other: Any, /) -> bool:
        """Whether it is the smaller one."""


@dataclass(frozen=True)
class Measure:
    """What falls in an expression, and its wording."""

    wording: str
    of: Callable[[Expression, MeasureContext], Rank]


Measures: TypeAlias = Mapping[str, Measure]


def inverses(expression: Expression, _context: MeasureContext) -> int:
    """The inverse of a matrix counts once, a matrix of cofactors twice."""

    def own(node: Expression) -> int:
        return {"inv": 1, "cofactor": 2}.get(node.kind, 0) if isinstance(node, MatrixFunction) else 0

    return counted(expression, own)


def bound_indices(expression: Expression, _context: MeasureContext) -> int:
    """How many indices reductions bind."""

    def own(node: Expression) -> int:
        return len(node.indices) * term_count(node) if isinstance(node, Reduction) else 0

    return counted(expression, own)


def conditions(expression: Expression, _context: MeasureContext) -> int:
    """How many `where`s, comparisons and negations there are."""

    def own(node: Expression) -> int:
        is_negation = isinstance(node, Logic) and node.operator == "not"
        return term_count(node) if is_negation or isinstance(node, Where | Comparison) else 0

    return counted(expression, own)


def factors_under_sums(expression: Expression, _context: MeasureContext) -> int:
    """How many factors are inside sums, each counted once for every sum around it."""
    return counted(expression, lambda node: body_factor_count(node) if is_sum(node) else 0)


def second_branches(expression: Expression, _context: MeasureContext) -> int:
    """How many terms are chosen where a condition is false."""

    def own(node: Expression) -> int:
        is_else = isinstance(node, Where) and node.otherwise != ZERO
        return term_count(node.otherwise) if is_else and isinstance(node, Where) else 0

    return counted(expression, own)


def deltas_under_wheres(expression: Expression, _context: MeasureContext) -> int:
    """How many deltas are in the branches of `where`s, each counted once for every `where` around it."""

    def own(node: Expression) -> int:
        branches = branches_of(node) if isinstance(node, Where) else []
        return sum(counted(branch, lambda each: int(isinstance(each, Delta))) for branch in branches)

    return counted(expression, own)


def wheres(expression: Expression, _context: MeasureContext) -> int:
    """How many `where`s are written."""
    return sum(isinstance(node, Where) for node in expression.walk())


def deltas_beside_reads(expression: Expression, context: MeasureContext) -> int:
    """How many deltas are in terms or sums of what a `where` chooses beside a read of the recurrence."""
    count = 0
    for factors in products(expression) if context.loop_carried else ():
        reads = [any(read.tensor in context.loop_carried for read in readings(each)) for each in factors]
        for place, factor in enumerate(factors):
            if isinstance(factor, Where) and any(reads[:place] + reads[place + 1 :]):
                terms = factor.chosen.terms if isinstance(factor.chosen, Add) else ()
                sums = [each.body for each in factors_of(factor.chosen) if isinstance(each, Reduction)]
                count += sum(isinstance(each, Delta) for term in (*terms, *sums) for each in factors_of(term))
    return count


def reads_beside_wheres(expression: Expression, context: MeasureContext) -> int:
    """How often the recurrence at hand is read in a factor beside a where(c, f, 0), for each condition in c.

    The `where`s among the factors and terms of a factor count too.
    """
    return _reads_beside(expression, context, guard_count)


def guard_count(node: Expression) -> int:
    """How many conditions the `where`s of an expression's factors and terms have."""
    match node:
        case Where(condition, chosen, otherwise) if otherwise == ZERO:
            return len(conjuncts(condition)) + guard_count(chosen)
        case Multiply(children) | Add(children):
            return sum(map(guard_count, children))
    return 0


def reads_beside_deltas(expression: Expression, context: MeasureContext) -> int:
    """How often the recurrence at hand is read in a factor beside a delta, but not under a where(c, f, 0)."""
    return _reads_beside(expression, context, lambda each: int(isinstance(each, Delta)), guarded=False)


def _reads_beside(
    expression: Expression,
    context: MeasureContext,
    weight: Callable[[Expression], int],
    guarded: bool = True,
) -> int:
    count = 0
    for factors in products(expression) if context.loop_carried else ():
        reads = [sum(read.tensor in context.loop_carried for read in readings(each)) for each in factors]
        if not guarded:
            reads = [0 if isinstance(each, Where) else n for each, n in zip(factors, reads, strict=True)]
        if any(reads):
            pairs = zip(factors, reads, strict=True)
            count += sum((sum(reads) - own) * weight(factor) for factor, own in pairs)
    return count


def size(expression: Expression, _context: MeasureContext) -> int:
    """A number for each node, chosen so that collecting, and multiplying out positions, make it smaller."""
    inner = [size(child, _context) for child in expression.children]
    match expression:
        case Number(value):
            return 1 if value == 1 else 2
        case Add():
            return sum(inner) + 3 * len(inner)
        case Multiply():
            return prod(inner) + len(inner)
        case Power(_, exponent):
            return inner[0] * (inner[0] - 1) + (1 if isinstance(exponent, Number) else inner[1] + 1)
        case Where():
            return inner[0] * (1 + sum(size(branch, _context) ** 2 for branch in branches_of(expression)))
        case Apply() | Comparison() | Logic():
            return sum(inner) + 1
        case Reduction(_, indices, _):
            return sum(inner) + 1 + len(indices)
    return sum(inner) + 3


def numbers_on_the_left(expression: Expression, _context: MeasureContext) -> int:
    """How many comparisons have a number on the left alone."""
    return sum(
        isinstance(node, Comparison) and isinstance(node.left, Number) and not isinstance(node.right, Number)
        for node in expression.walk()
    )


def axes_under_wheres(expression: Expression, _context: MeasureContext) -> int:
    """How many axes the `where`s have, all together."""
    return sum(len(node.free_indices) for node in expression.walk() if isinstance(node, Where))


# In lexicographic order.
MEASURES: Measures = {
    "inverses": Measure("inverses, and cofactors twice", inverses),
    "bound indices": Measure("bound indices", bound_indices),
    "digits to split": Measure("deltas of an index and a sum with a bound one", digits_to_split),
    "unsolved indices": Measure(
        "indices that no delta gives, and deltas that have them inside", unsolved_indices
    ),
    "conditions": Measure("`where`s, comparisons and negations", conditions),
    "factors under sums": Measure("factors under sums", factors_under_sums),
    "second branches": Measure("terms in second branches of `where`s", second_branches),
    "deltas under wheres": Measure("deltas under `where`s", deltas_under_wheres),
    "sums to multiply out": Measure("factors around additions that hold a delta", sums_to_multiply_out),
    "wheres": Measure("`where`s as written", wheres),
    "misplaced reads": Measure(
        "reads at another position than a delta asks for",
        misplaced_reads,
    ),
    "size": Measure("size of the tree", size),
    "numbers on the left": Measure("numbers on the left of comparisons", numbers_on_the_left),
    "axes under wheres": Measure("axes of `where`s", axes_under_wheres),
}

# Of the phase that moves loop-carried reads inwards, under the `where` that guards them.
INWARD_MEASURES: Measures = {
    "deltas of wheres beside loop-carried reads": Measure(
        "deltas in terms and sums under `where`s beside loop-carried reads", deltas_beside_reads
    ),
    "loop-carried reads beside deltas": Measure("loop-carried reads beside deltas", reads_beside_deltas),
    "loop-carried reads beside wheres": Measure(
        "loop-carried reads beside conditions of `where`s", reads_beside_wheres
    ),
}


def first_change(
    before: Expression, after: Expression, context: MeasureContext | None = None
) -> tuple[str, int]:
    """The first measure that differs, and 1 where it rises, -1 where it falls; ("", 0) where none does."""
    known = context or MeasureContext()
    for name, measure in MEASURES.items():
        old, new = measure.of(before, known), measure.of(after, known)
        if old != new:
            return name, -1 if new < old else 1
    return "", 0


def differentiated_parts(expression: Expression, _context: MeasureContext) -> tuple[int, ...]:
    """The sizes of what is still to be differentiated, the largest first.

    Each rule of calculus puts finitely many smaller ones in the place of one. Tuples in this order have no
    infinite descent: Dershowitz & Manna, Proving termination with multiset orderings (1979).
    """
    derivatives = (node for node in expression.walk() if isinstance(node, Derivative | PartialDerivative))
    return tuple(sorted((_opened_size(node.children[0]) for node in derivatives), reverse=True))


def _opened_size(node: Expression) -> int:
    """The size where functions that have a formula are written out; x^2 is smaller than x*x."""
    definition = definition_of(node) if isinstance(node, Apply) else None
    if definition is not None:
        return 1 + _opened_size(definition)
    match node:
        case Multiply(factors):
            return 1 + sum(1 + _opened_size(factor) for factor in factors)
        case Power(base, Number()):
            return 1 + _opened_size(base)
    return 1 + sum(map(_opened_size, node.children))
