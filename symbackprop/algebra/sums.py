"""Choices between equal forms of a sum, decided by cost: regrouping, and splitting term by term."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from symbackprop.algebra.context import Scope
from symbackprop.algebra.normal_form import NormalForm
from symbackprop.algebra.rational import measure, multiplied_out, rank
from symbackprop.algebra.reassociation import towards_names
from symbackprop.algebra.scalar_search import cheapest_form
from symbackprop.integers.recognition import has_positions
from symbackprop.notation.arithmetic import add, factors_of, is_reciprocal, is_sum, multiply
from symbackprop.notation.expressions import Add, Expression, Multiply, Reduction
from symbackprop.notation.substitution import rename_bound, tidy_bound_names
from symbackprop.rewriting.rule import Path, Rule, Step, node_at, replace_at
from symbackprop.systems.printing import equation_text

MOST_STEPS = 50
COST_FALLS = "the cost falls, and there are finitely many costs below it"


def choose_sums(expression: Expression, scope: Scope, normal_form: NormalForm) -> tuple[Step, ...]:
    """Rewrite sums, innermost first, as long as the whole expression gets cheaper."""
    steps: list[Step] = []
    while len(steps) < MOST_STEPS:
        step = _next_step(expression, scope, normal_form)
        if step is None:
            break
        steps.append(step)
        expression = step.after
    return tuple(steps)


def _next_step(expression: Expression, scope: Scope, normal_form: NormalForm) -> Step | None:
    for place in _places(expression):
        node = node_at(expression, place)
        candidates = []
        for rule, candidate in _candidates(node, scope):
            settled = tidy_bound_names(normal_form.of(candidate))
            whole = normal_form.of(replace_at(expression, place, settled))
            candidates.append(Step(rule, place, expression, whole))
        if candidates:
            best = min(candidates, key=lambda step: rank(step.after))
            if measure(best.after) < measure(expression):
                return best
    return None


def _places(expression: Expression, place: Path = ()) -> Iterator[Path]:
    """Sums, and products that hold one, innermost first; a sum in a position stays as it is."""
    if has_positions(expression):
        return
    for number, child in enumerate(expression.children):
        yield from _places(child, (*place, number))
    if is_sum(expression) or any(is_sum(factor) for factor in factors_of(expression)):
        yield place


def _candidates(node: Expression, scope: Scope) -> Iterator[tuple[Rule, Expression]]:
    if isinstance(node, Reduction):
        yield from _split(node)
        yield from _regroup(node, scope)
    elif isinstance(node, Multiply):
        yield from _factor_in(node, scope)


def _factor_in(node: Multiply, scope: Scope) -> Iterator[tuple[Rule, Expression]]:
    """sum(i, e^u*f)/s = sum(i, p*f) where p = e^u/s: a quotient may have a name inside the sum only."""
    rule = Rule("factor in", "c*sum(i, f) = sum(i, c*f), where c*f has a name", _no_rewriting, COST_FALLS)
    for total, below in product(node.factors, node.factors):
        if is_sum(total) and is_reciprocal(below) and below.tensors:
            inner = rename_bound(total, below.free_indices)
            body = multiply(inner.body, below)
            named = cheapest_form(body, scope.relations(body))
            if below not in factors_of(named):
                rest = [factor for factor in node.factors if factor is not total and factor is not below]
                yield rule, multiply(*rest, inner.with_children((named,)))


def _split(node: Reduction) -> Iterator[tuple[Rule, Expression]]:
    """sum(i, f + g) = sum(i, f) + sum(i, g), products of sums multiplied out."""
    if any(isinstance(part, Add) for part in (node.body, *node.body.children)):
        terms = multiplied_out(node.body)
        if len(terms) > 1:
            rule = Rule("split sum", "sum(i, f + g) = sum(i, f) + sum(i, g)", _no_rewriting, COST_FALLS)
            yield rule, add(*(Reduction("sum", node.indices, term) for term in terms))


def _regroup(node: Reduction, scope: Scope) -> Iterator[tuple[Rule, Expression]]:
    for candidate, equation in towards_names(node, scope.near(node), scope.symmetric):
        if scope.may_read(candidate):
            yield Rule("regroup sum", equation_text(equation), _no_rewriting, COST_FALLS), candidate


def _no_rewriting(expression: Expression) -> None:
    return None
