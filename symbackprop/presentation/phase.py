"""The rules of the last phase in their order, and the measures by which they come to an end."""

from __future__ import annotations

from symbackprop.notation.arithmetic import is_sum
from symbackprop.notation.expressions import ONE, ZERO, Comparison, Delta, Element, Expression, Index, Where
from symbackprop.presentation.branches import (
    BRANCHES_OF_ONE_CONDITION,
    BRANCHES_THAT_AGREE,
    CASES_OF_ONE_CONDITION,
    FACTOR_OUT_OF_BRANCHES,
    GUARD_OF_CASES,
    OPPOSITE_BRANCHES,
    TERM_OUT_OF_BRANCHES,
)
from symbackprop.presentation.cancelled_divisors import (
    CANCELLED_DIVISORS,
    CANCELLED_NUMBER,
    MULTIPLES_APART,
    divisors,
    multiples_of_denominators,
)
from symbackprop.presentation.clipping import JOINED_NUMBER
from symbackprop.presentation.compared_multiples import MULTIPLES_COMPARED
from symbackprop.presentation.comparisons import (
    AS_PAD,
    CANCELLED,
    INDEX_ALONE,
    MAXIMUM_OF_ORDERED,
    NUMBERS_ON_THE_RIGHT,
    SIZES_ON_THE_RIGHT,
    is_pad,
    is_written_otherwise,
)
from symbackprop.presentation.decided_extrema import (
    EXTREMUM_UNDER_CONDITION,
    IMPLIED_ALTERNATIVE,
    REST_OF_A_MASK,
    WHERE_UNDER_CONDITION,
)
from symbackprop.presentation.disjoint_masks import JOINED_MASKS
from symbackprop.presentation.gathered_terms import (
    GATHER_TERMS,
    ONE_DIVISOR,
    ONE_QUOTIENT,
)
from symbackprop.presentation.gathering import GATHER_SUMS, OPPOSITE_SUMS
from symbackprop.presentation.masked_sums import MASK_AROUND_TERMS, masks_beside_terms
from symbackprop.presentation.means.summed import BELOW_ADDITIONS, sums_below_additions
from symbackprop.presentation.meeting_places import GATHER_WHERE_THEY_MEET
from symbackprop.presentation.one_condition import MASKS_OF_ONE_CONDITION
from symbackprop.rewriting.measure_context import MeasureContext
from symbackprop.rewriting.rule import Rule
from symbackprop.rules.bookkeeping import STEP_AND_ARGUMENT
from symbackprop.rules.compared_values import OPPOSITE_WHERES
from symbackprop.rules.measures import MEASURES, Measure, Measures
from symbackprop.rules.summation import SUMMATION_RULES

FROM_BEFORE = ("no where", "number out of where", "turn where")  # for what these rules leave


def sums(expression: Expression, _context: MeasureContext) -> int:
    """How many sums over indices are written."""
    return sum(map(is_sum, expression.walk()))


def wheres_that_are_no_pads(expression: Expression, _context: MeasureContext) -> int:
    """How many `where`s say more than that an element is 0 outside its axes."""
    return sum(isinstance(node, Where) and not is_pad(node) for node in expression.walk())


def names_and_numbers(expression: Expression, _context: MeasureContext) -> int:
    """How many names of tensors and indices are written, and numbers other than 0 and 1."""
    written = (node for node in expression.walk() if isinstance(node, Element) or not node.children)
    return sum(node not in (ZERO, ONE) for node in written)


def deltas_without_an_index_alone(expression: Expression, _context: MeasureContext) -> int:
    """How many deltas have positions on both sides."""
    deltas = (node for node in expression.walk() if isinstance(node, Delta))
    return sum(not any(isinstance(side, Index) for side in delta.children) for delta in deltas)


def sizes_on_the_left(expression: Expression, _context: MeasureContext) -> int:
    """How many comparisons take sizes off, or round, on their left side."""
    compared = (node for node in expression.walk() if isinstance(node, Comparison) and not node.tensors)
    return sum(map(is_written_otherwise, compared))


PRESENTATION_RULES: tuple[Rule, ...] = (
    OPPOSITE_WHERES,
    OPPOSITE_BRANCHES,
    CASES_OF_ONE_CONDITION,
    EXTREMUM_UNDER_CONDITION,
    WHERE_UNDER_CONDITION,
    GUARD_OF_CASES,
    REST_OF_A_MASK,
    BRANCHES_OF_ONE_CONDITION,
    BRANCHES_THAT_AGREE,
    FACTOR_OUT_OF_BRANCHES,
    TERM_OUT_OF_BRANCHES,
    MAXIMUM_OF_ORDERED,
    IMPLIED_ALTERNATIVE,
    MULTIPLES_COMPARED,
    NUMBERS_ON_THE_RIGHT,
    CANCELLED,
    SIZES_ON_THE_RIGHT,
    INDEX_ALONE,
    OPPOSITE_SUMS,
    MASKS_OF_ONE_CONDITION,
    JOINED_MASKS,
    GATHER_SUMS,
    GATHER_WHERE_THEY_MEET,
    GATHER_TERMS,
    ONE_QUOTIENT,
    ONE_DIVISOR,
    CANCELLED_DIVISORS,
    JOINED_NUMBER,
    CANCELLED_NUMBER,
    MULTIPLES_APART,
    MASK_AROUND_TERMS,
    AS_PAD,
)
PRESENTATION_MEASURES: Measures = {
    "sums": Measure("sums as written", sums),
    "wheres": MEASURES["wheres"],
    "wheres that are no pads": Measure("`where`s that are no pads", wheres_that_are_no_pads),
    "deltas without an index alone": Measure("deltas without an index alone", deltas_without_an_index_alone),
    "divisors": Measure("divisors, each as often as its power says", divisors),
    BELOW_ADDITIONS: Measure("sums below additions, each for all further terms", sums_below_additions),
    "names and numbers": Measure("names, and numbers other than 0 and 1, as written", names_and_numbers),
    "multiples of denominators": Measure(
        "terms that are multiples of the denominator before their sum", multiples_of_denominators
    ),
    "masks beside terms": Measure("masks on indices beside what is summed up", masks_beside_terms),
    "sizes on the left": Measure(
        "comparisons with sizes taken off or a floor on the left", sizes_on_the_left
    ),
    "second branches": MEASURES["second branches"],
    "conditions": MEASURES["conditions"],
}
LAST_RULES: tuple[Rule, ...] = (
    *PRESENTATION_RULES,
    STEP_AND_ARGUMENT,
    *(rule for rule in SUMMATION_RULES if rule.name in FROM_BEFORE),
)
