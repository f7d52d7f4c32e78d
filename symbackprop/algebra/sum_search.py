"""The search for cheaper forms of a sum: regrouping, factors moved in, and splitting term by term."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from symbackprop.algebra.context import Scope
from symbackprop.algebra.digits import compared_part, keeps_digits
from symbackprop.algebra.identity import Identity
from symbackprop.algebra.multiplied_differences import (
    difference_and_mean,
    holds_weighted_mean,
    is_difference,
    is_difference_under,
    subtracts_elements,
)
from symbackprop.algebra.normal_form import NormalForm
from symbackprop.algebra.rational import Rank, measure
from symbackprop.algebra.reassociation import towards_names
from symbackprop.algebra.remembered import multiplied_out
from symbackprop.algebra.scalar_search import Account, cheapest_form
from symbackprop.integers.recognition import has_positions
from symbackprop.notation.arithmetic import (
    add,
    base_and_exponent,
    factors_of,
    is_sum,
    power,
    terms_of,
)
from symbackprop.notation.expressions import (
    MINUS_ONE,
    Add,
    Expression,
    Multiply,
    Reduction,
)
from symbackprop.notation.substitution import tidy_bound_names
from symbackprop.presentation.places_apart import with_places_apart
from symbackprop.rewriting.moving_in import MovedIn, below_beside, holds_a_factor, is_mask
from symbackprop.rewriting.replacements import Renaming
from symbackprop.rewriting.replay import Composite
from symbackprop.rewriting.rule import Path, Rule, Step, conditions_at, node_at, replace_at
from symbackprop.rewriting.strategies import result_of
from symbackprop.rules.conditions import when
from symbackprop.rules.stating import stated

MOST_STEPS = 50
COST = "cost"


def choose_sums(
    expression: Expression, scope: Scope, normal_form: NormalForm, account: Account
) -> tuple[Step, ...]:
    """Rewrite sums, innermost first, as long as the whole expression gets cheaper."""
    steps: list[Step] = []
    while len(steps) < MOST_STEPS:
        step = _next_step(expression, scope, normal_form, account)
        if step is None:
            break
        steps.append(step)
        expression = step.after
    return tuple(steps)


@dataclass(frozen=True)
class _Candidate:
    """Steps to another form of a node, and that form; and further ones of the whole."""

    steps: tuple[Step, ...]
    node: Expression
    of_whole: tuple[Step, ...]
    whole: Expression


def _next_step(
    expression: Expression, scope: Scope, normal_form: NormalForm, account: Account
) -> Step | None:
    for place in _places(expression):
        node = node_at(expression, place)
        found = _candidates(node, scope, account)
        candidates = [_settled(steps, expression, place, normal_form) for steps in found]
        cheaper = [each for each in candidates if measure(each.whole) < measure(expression)]
        for candidate in sorted(cheaper, key=lambda each: Rank(each.whole)):
            unfolded = () if _takes_a_difference_apart(candidate, node) else (candidate,)
            for each in (*unfolded, *_folded(candidate, expression, place, scope, account)):
                if _keeps_digits(each, expression, place):
                    return _composed(each, expression, place)
    return None


def _takes_a_difference_apart(candidate: _Candidate, node: Expression) -> bool:
    """sum(i, f - g) stays one sum, unless sum(i, f) or sum(i, g) is 0, or they cancel by a definition."""
    is_split = any(step.rule.name == SPLIT.name for step in candidate.steps)
    is_apart = is_split and is_difference(candidate.node)
    return is_apart and isinstance(node, Reduction) and is_difference_under(node.indices, node.body)


def _folded(
    candidate: _Candidate, expression: Expression, place: Path, scope: Scope, account: Account
) -> Iterator[_Candidate]:
    """The candidate whose terms cancel by a definition: sum(i, m) - sum(i, x[i]) = 0 where m is the mean.

    It has fewer terms then: with other signs alone, what was one difference is in pieces.
    """
    relations = scope.relations(candidate.node)
    folded = cheapest_form(candidate.node, relations, account)
    is_shorter = len(terms_of(folded)) < len(terms_of(candidate.node))
    is_apart = is_difference(Add(multiplied_out(folded))) and subtracts_elements(node_at(expression, place))
    if is_shorter and not is_apart and measure(folded) < measure(candidate.node):
        step = Step(Identity.of(candidate.node, folded, relations), (), candidate.node, folded)
        whole = replace_at(expression, place, folded)
        yield _Candidate((*candidate.steps, step), folded, (), whole)


def _keeps_digits(candidate: _Candidate, expression: Expression, place: Path) -> bool:
    """Whether the rounding is no worse, of the whole and of what is compared or chosen from in it."""
    equalities = [each for step in candidate.steps for each in step.rule.equations]
    compared = compared_part(expression, place)
    if compared:
        inside, part = place[len(compared) :], node_at(expression, compared)
        changed = replace_at(part, inside, candidate.node)
        if not keeps_digits(changed, part, equalities):
            return False
    further = [each for step in candidate.of_whole for each in step.rule.equations]
    return keeps_digits(candidate.whole, expression, (*equalities, *further))


def _settled(
    steps: Sequence[Step], expression: Expression, place: Path, normal_form: NormalForm
) -> _Candidate:
    """The node's normal form with short bound names, and then that of the whole."""
    candidate = result_of(steps, expression)
    inside = normal_form.steps(candidate)
    normal = result_of(inside, candidate)
    tidy = tidy_bound_names(normal)
    renamed = () if tidy == normal else (Step(Renaming(), (), normal, tidy),)
    whole = replace_at(expression, place, tidy)
    further = normal_form.steps(whole)
    return _Candidate((*steps, *inside, *renamed), tidy, further, result_of(further, whole))


def _composed(candidate: _Candidate, expression: Expression, place: Path) -> Step:
    """All of it as one step, named by the change that pays once the others are done."""
    inside = [step.within(expression, place) for step in candidate.steps]
    return Composite.of(expression, (*inside, *candidate.of_whole), candidate.whole)


def _places(expression: Expression, place: Path = ()) -> Iterator[Path]:
    """Sums, and products with one or a mask, innermost first; a sum in a position stays as it is."""
    if has_positions(expression):
        return
    for number, child in enumerate(expression.children):
        yield from _places(child, (*place, number))
    if any(map(holds_a_factor, factors_of(expression))):
        yield place


def _candidates(node: Expression, scope: Scope, account: Account) -> Iterator[tuple[Step, ...]]:
    if isinstance(node, Reduction):
        shorter = list(_folded_body(node, account))
        yield from shorter or _split(node)
        if (apart := with_places_apart(node)) is not None:
            yield from ((apart[0], *steps) for steps in (*_split(apart[1]), ()))
        yield from _regroup(node, scope, account)
    elif isinstance(node, Multiply):
        yield from _factor_in(node, scope, account)


def _factor_in(node: Multiply, scope: Scope, account: Account) -> Iterator[tuple[Step, ...]]:
    """sum(i, e^u*f)/s = sum(i, p*f) where p = e^u/s: a quotient may have a name inside a sum or mask only."""
    for total, factor in below_beside(node):
        if is_mask(total) and cheapest_form(node, scope.relations(node), account) != node:
            continue  # it has a name with the mask
        for below in dict.fromkeys((factor, power(base_and_exponent(factor)[0], MINUS_ONE))):
            yield from _named_inside(node, total, below, scope, account)


def _named_inside(
    node: Multiply, total: Expression, below: Expression, scope: Scope, account: Account
) -> Iterator[tuple[Step, ...]]:
    """The steps that move a denominator to where a name takes its place, and name it."""
    for steps, place in _ways_in(node, total, below):
        moved = result_of(steps, node)
        body, conditions = node_at(moved, place), conditions_at(moved, place)
        relations = scope.relations(body, conditions)
        named = cheapest_form(body, relations, account)
        bases = [base_and_exponent(each)[0] for each in factors_of(named)]
        if base_and_exponent(below)[0] not in bases:
            identity = Identity.of(body, named, relations)
            yield (*steps, Step(identity, place, moved, replace_at(moved, place, named)))
            return


def _ways_in(
    node: Expression, total: Expression, below: Expression
) -> Iterator[tuple[tuple[Step, ...], Path]]:
    """The steps that move a factor into another one, and into `where`s in there, with its place then."""
    steps: tuple[Step, ...] = ()
    place: Path = ()
    inner: Expression | None = total
    while inner is not None:
        before, premise = result_of(steps, node), MovedIn(inner, below)
        moved = premise.used_on(node_at(before, place))
        if moved is None:
            return
        rule = factor_in(premise).cited(premise, ())
        steps = (*steps, Step(rule, place, before, replace_at(before, place, moved)))
        place = (*place, *premise.place_in(moved))
        yield steps, place
        inner = next(filter(is_mask, factors_of(node_at(steps[-1].after, place))), None)


def factor_in(premise: MovedIn) -> Rule:
    """The rule for one factor and one sum."""
    return replace(FACTOR_IN, apply=premise.used_on)


def _first_moved_in(node: Expression) -> Expression | None:
    """The product with the first factor inside the sum that may have a name there."""
    return next((MovedIn(*each).used_on(node) for each in below_beside(node)), None)


FACTOR_IN = stated(
    "factor in",
    "c*sum(i, f) = sum(i, c*f), c*where(d, f, 0) = where(d, c*f, 0)",
    _first_moved_in,
    where=(when("named", "c*f"),),
    decreases=COST,
    example="sum(i, x[i])/c",
    near_miss="c*sum(i, x[i])",
)


def _folded_body(node: Reduction, account: Account) -> Iterator[tuple[Step, ...]]:
    """sum(i, x/(x + c) - x*c/(x + c)^2) as the sum of x^2/(x + c)^2: the terms of the body as one."""
    if node.kind == "sum" and isinstance(node.body, Add):
        folded = cheapest_form(node.body, (), account)
        if len(terms_of(folded)) == 1 and measure(folded) < measure(node.body):
            identity = Identity.of(node.body, folded, ())
            yield (Step(identity, (0,), node, node.with_children((folded,))),)


def _split(node: Reduction) -> Iterator[tuple[Step, ...]]:
    """sum(i, f + g) = sum(i, f) + sum(i, g), products multiplied out, but for differences, or as they are."""
    if any(isinstance(part, Add) for part in (node.body, *node.body.children)):
        within = (part for term in terms_of(node.body) for part in term.walk())
        differences = filter(partial(is_difference_under, node.indices), within)
        terms = multiplied_out(node.body, frozenset(differences))
        mean = multiplied_out(node.body) if holds_weighted_mean(node) else ()
        for each in dict.fromkeys((terms, terms_of(node.body), difference_and_mean(node.body), mean)):
            if len(each) > 1:
                opened = node.with_children((Add(each),))
                identity = Identity.of(node.body, opened.body, ())
                split = Step(SPLIT.used_on(opened), (), opened, term_by_term(opened) or opened)
                yield (split,) if opened == node else (Step(identity, (0,), node, opened), split)


def term_by_term(node: Expression) -> Expression | None:
    """sum(i, f + g) = sum(i, f) + sum(i, g)."""
    if not isinstance(node, Reduction) or node.kind != "sum" or not isinstance(node.body, Add):
        return None
    return add(*(Reduction("sum", node.indices, term) for term in node.body.terms))


SPLIT = stated(
    "split sum",
    "sum(i, f + g) = sum(i, f) + sum(i, g)",
    term_by_term,
    decreases=COST,
    example="sum(i, x[i] + c)",
    near_miss="sum(i, c*x[i])",
)


def _regroup(node: Reduction, scope: Scope, account: Account) -> Iterator[tuple[Step, ...]]:
    """Around a name; beside what is divided by that name, it cancels: sum(n, delta_p[n]*p[n]) is -size(n)."""
    for candidate, regrouping in towards_names(node, scope.sums_near(node), scope.symmetric):
        if scope.may_read(candidate):
            regrouped = Step(regrouping, (), node, candidate)
            yield (regrouped,)
            if is_sum(candidate):
                relations = scope.relations(candidate.body)
                body = cheapest_form(candidate.body, relations, account)
                if len(body.tensors) < len(candidate.tensors):
                    identity = Identity.of(candidate.body, body, relations)
                    yield regrouped, Step(identity, (0,), candidate, candidate.with_children((body,)))
