"""Every rule by the phase that tries it, with the measures that fall there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from symbackprop.algebra.arrangement import ARRANGE, UNTIDY, untidy_nodes
from symbackprop.algebra.phases import RULES_OF_FACTS, factor_rules
from symbackprop.algebra.rational import measure
from symbackprop.algebra.sum_search import COST, FACTOR_IN, SPLIT
from symbackprop.derivation.calculus import CALCULUS_RULES
from symbackprop.derivation.differentiation import APART, TOGETHER, nodes_apart
from symbackprop.derivation.driver import LOSS_BY_ITSELF
from symbackprop.lesson.rulebook.examples import SYMMETRIC, example_fact, example_system, parsed
from symbackprop.notation.expressions import Add
from symbackprop.presentation.clipping import clipping_rules, extrema
from symbackprop.presentation.masks import (
    choice_rules,
    choices,
    mask_rules,
    positive_parts,
    product_rules,
    products,
)
from symbackprop.presentation.means.summed import NamedMeans, mean_rules
from symbackprop.presentation.phase import PRESENTATION_MEASURES, PRESENTATION_RULES
from symbackprop.presentation.places_apart import PLACES_APART
from symbackprop.presentation.stated_differences import (
    TAKEN_APART,
    StatedDifferences,
    as_stated,
    differences_taken_apart,
)
from symbackprop.presentation.stated_sums import (
    OTHERWISE,
    StatedSums,
    sum_as_stated,
    sums_stated_otherwise,
)
from symbackprop.rewriting.rule import Rule
from symbackprop.rules.boundaries import BOUNDARY_RULES, recurrence_rules
from symbackprop.rules.deltas.joining import JOINING_RULES
from symbackprop.rules.deltas.lookups import lookup_rules
from symbackprop.rules.inverses import matrix_rules
from symbackprop.rules.measures import INWARD_MEASURES, MEASURES, Measure, Measures, differentiated_parts
from symbackprop.rules.one_index import TIED, one_index_for_both, tied_indices
from symbackprop.rules.own_masks import support_rules
from symbackprop.rules.position_deltas import SOLVING_RULES
from symbackprop.rules.stated_facts import fact_rules
from symbackprop.rules.stating import DIFFERENTIATED
from symbackprop.rules.support import Support, support_of
from symbackprop.rules.symmetry import (
    MIRRORED_SQUARES,
    OUT_OF_ORDER,
    pairs_out_of_order,
    squares_out_of_order,
    symmetry_rule,
)
from symbackprop.rules.written_out import WRITTEN_OUT_MEASURES, WRITTEN_OUT_RULES
from symbackprop.systems.partial import Ranges
from symbackprop.systems.portions import MOST_LEVELS, MOST_TERMS
from symbackprop.systems.system import System


@dataclass(frozen=True)
class Phase:
    """Rules that are tried together, in this order, and their measures, the most important first."""

    title: str
    rules: tuple[Rule, ...]
    measures: Measures


@dataclass(frozen=True)
class Reason:
    """Why a step holds that no rule makes: what it says, what is checked, and why there are finitely many."""

    name: str
    says: str
    checked: str
    ends: str


REASONS = (
    Reason(
        "name portions",
        f"a sum or product of more than {MOST_TERMS} parts, or a nesting of more than {MOST_LEVELS}, is read "
        "portion by portion",
        "the portions put back give the equation, and each can be computed by itself",
        "once, before the model is differentiated",
    ),
    Reason(
        "name copies",
        f"a tensor that more than {MOST_TERMS} equations read is read through copies of it",
        "the tensor put back gives the equations",
        "once, before the model is differentiated",
    ),
    Reason(
        "name parts",
        "a contraction, or a function's value, that is read again is an equation of its own",
        "what is named, put back, gives the equation",
        "once, before the model is differentiated",
    ),
    Reason(
        "name arguments",
        "a contraction in an argument, a softmax, norm, residual or quotient in (s/r)^n is an equation",
        "what is named, put back, gives the equation",
        "once, before the model is differentiated",
    ),
    Reason(
        "name shifts",
        "a maximum that cancels further on is an equation of its own",
        "what is named, put back, gives the equation; the loss does not move with it",
        "once, before the model is differentiated",
    ),
    Reason(
        "invariance",
        "dE/dt = 0 where t shifts, or scales, what cancels in E",
        "the equations that t moves move by one shift or factor, until E does not move",
        "once for each tensor",
    ),
    Reason(
        "chain rule",
        "dE/dx = sum over every w that reads x of dE/dw * dw/dx",
        "every equation that reads t is there, once",
        "once for each tensor",
    ),
    Reason(
        "chain rule forwards",
        "dy/dx = sum over every w that y reads of dy/dw * dw/dx",
        "all that y reads and that moves with x is there, once",
        "once for each loop-carried tensor that the model differentiates",
    ),
    Reason(
        "chain rule within a step",
        "dy[t]/dx[t] = sum over every w that reads x in this step of dy[t]/dw[t] * dw[t]/dx[t]",
        "every equation that reads x at the step is there, once, and no path leaves the step",
        "once for each derivative in the model at one step of a recurrence",
    ),
    Reason(
        "differentiate",
        "a local derivative is that of the right-hand side",
        "it is the equation of the model",
        "once for each local derivative",
    ),
    Reason(
        "put in the factors",
        "the local derivatives found before",
        "each has been found before",
        "once after the chain rule",
    ),
    Reason(
        "guard",
        "dE/dw*f = dE/dw*where(c, f, 0) where dE/dw is 0 unless c",
        "the adjoint is 0 there",
        "once after the chain rule",
    ),
    Reason(
        "keep under the mask",
        "f*where(c, g, 0) = where(c, f*g, 0), where f may be undefined",
        "0 is 0 beside whatever has a value",
        "once for each local derivative, and after the chain rule",
    ),
    Reason(
        "name the adjoints",
        "what has been found keeps its name",
        "each has been found before",
        "once after the chain rule",
    ),
    Reason(
        "name the derivatives",
        "what has been found keeps its name",
        "each has been found before",
        "once for each equation of the model",
    ),
    Reason(
        "put in",
        "an equation in the place of its tensor",
        "it is one that is computed",
        "each leaves one equation fewer",
    ),
    Reason(
        "regroup sum",
        "a sum of products regrouped around a tensor's definition",
        "the tensor is so defined",
        "the cost falls",
    ),
    Reason(
        "algebra",
        "both sides are the same quotient of their atoms",
        "the difference is 0, over a prime field",
        "the cost of what stands between two binders falls",
    ),
    Reason(
        "fold back",
        "algebra with equations, after which a name appears",
        "so is the difference, with equations of the model",
        "the cost of what stands between two binders falls",
    ),
    Reason(
        "rename",
        "a bound index may have any name",
        "nothing else differs",
        "the name depends on the form alone",
    ),
)

CALCULUS_MEASURES: Measures = {
    DIFFERENTIATED: Measure(
        "sizes of what is still to be differentiated, the largest first", differentiated_parts
    ),
    APART: Measure("sums and products that are not put together", nodes_apart),
}
SEARCH_MEASURES: Measures = {
    COST: Measure(
        "of the whole, once what follows is done: operations; then terms, odd signs, names, nodes",
        lambda expression, _context: measure(expression),
    ),
}
ORDER_MEASURES: Measures = {
    OUT_OF_ORDER: Measure("pairs of positions out of order", pairs_out_of_order),
    MIRRORED_SQUARES.decreases: Measure("squares the other way round", squares_out_of_order),
}
TIE_MEASURES: Measures = {TIED: Measure("indices that a delta ties to another", tied_indices)}
TEXT_MEASURES: Measures = {
    UNTIDY: Measure("sums, products and `where`s with a sign or reciprocal elsewhere", untidy_nodes),
}


def phases() -> tuple[Phase, ...]:
    """Every rule that has a record, in the order in which it is tried."""
    system = example_system()
    ranges = Ranges.of(system)
    named = (
        *mask_rules(positive_parts(system.equations)),
        *clipping_rules(extrema(system.equations)),
        *product_rules(products(system.equations)),
        *choice_rules(choices(system.equations)),
        *mean_rules(NamedMeans.of(system.equations)),
    )
    step = system.tensors["a"].indices[0]
    i, i2 = (frozenset({index}) for index in system.index_names[system.tensors["x"].indices[0].axis])
    written_out = (*WRITTEN_OUT_RULES, *lookup_rules(system.integers, ranges.axes))
    return (
        Phase("Functions and masks that a model writes out", written_out, WRITTEN_OUT_MEASURES),
        Phase("Calculus", (LOSS_BY_ITSELF, *CALCULUS_RULES, TOGETHER), CALCULUS_MEASURES),
        Phase(
            "Symmetric matrices and squares, first",
            (symmetry_rule(SYMMETRIC), MIRRORED_SQUARES),
            ORDER_MEASURES,
        ),
        Phase("Local factors of the chain rule", factor_rules(ranges), MEASURES),
        Phase("Before them, where sums are put together", JOINING_RULES, MEASURES),
        Phase("After them, in the normal form", (*BOUNDARY_RULES, *SOLVING_RULES), MEASURES),
        Phase("Matrices", matrix_rules((), {}), MEASURES),
        Phase("Masks that a tensor brings with it", support_rules(_supports(system), ranges), MEASURES),
        Phase("Facts of the model", (_example_of_a_fact(),), MEASURES),
        Phase("Inwards, in recurrences", recurrence_rules({"a": 0}, step, ranges), INWARD_MEASURES),
        Phase("The search for cheaper forms", (FACTOR_IN, SPLIT, PLACES_APART), SEARCH_MEASURES),
        Phase("Derivatives inside a model", (one_index_for_both(i2, i),), TIE_MEASURES),
        Phase("What is printed", (*named, *PRESENTATION_RULES), PRESENTATION_MEASURES),
        Phase("Signs and reciprocals, last of all", (ARRANGE,), TEXT_MEASURES),
        _phase_of_differences(),
        _phase_of_sums(),
    )


def _phase_of_differences() -> Phase:
    stated = example_differences()
    counted = partial(differences_taken_apart, premise=stated)
    measures = {TAKEN_APART: Measure("sums in which a difference that the model states is apart", counted)}
    return Phase("Differences that the model states, at the end", (as_stated(stated),), measures)


def _supports(system: System) -> dict[str, Support]:
    return {each.tensor: Support(each.indices, support_of(each.expression, {})) for each in system.equations}


def _phase_of_sums() -> Phase:
    typed = (parsed(each) for each in ("x[i] + 0.1", "0.3*x[i] + y[j]", "c - x[i]"))
    stated = StatedSums(tuple([each for each in typed if isinstance(each, Add)]))
    counted = partial(sums_stated_otherwise, premise=stated)
    measures = {OTHERWISE: Measure("powers of sums that the model states otherwise", counted)}
    return Phase("Sums that the model states, last", (sum_as_stated(stated),), measures)


def example_differences() -> StatedDifferences:
    """Two differences, as a model may state them."""
    typed = (parsed(each) for each in ("x[i] - c", "y[j] - y[j2]"))
    return StatedDifferences(tuple([each for each in typed if isinstance(each, Add)]))


def _example_of_a_fact() -> Rule:
    """The rule of a fact, as an example for all of them."""
    (fact,) = fact_rules((example_fact(),), RULES_OF_FACTS)
    return replace(fact.rule, example="c*sum(k, B[j2,k])", near_miss="sum(j, B[j,k])")
