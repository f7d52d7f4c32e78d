"""Choices between equal forms of a sum, decided by cost: regrouping, and splitting term by term."""

from __future__ import annotations

from collections.abc import Iterator

from symbackprop.notation.arithmetic import add
from symbackprop.notation.expressions import Add, Expression, Reduction
from symbackprop.notation.printing import equation_text
from symbackprop.notation.substitution import tidy_bound_names
from symbackprop.rewriting.rule import Path, Rule, Step, node_at, replace_at
from symbackprop.simplification.normal_form import NormalForm
from symbackprop.simplification.rational import measure, multiplied_out, rank
from symbackprop.simplification.reassociation import towards_names
from symbackprop.simplification.scope import Scope

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
    for place in _sum_paths(expression):
        node = node_at(expression, place)
        assert isinstance(node, Reduction)
        candidates = []
        for rule, candidate in (*_split(node), *_regroup(node, scope)):
            settled = tidy_bound_names(normal_form.of(candidate))
            whole = normal_form.of(replace_at(expression, place, settled))
            candidates.append(Step(rule, place, expression, whole))
        if candidates:
            best = min(candidates, key=lambda step: rank(step.after))
            if measure(best.after) < measure(expression):
                return best
    return None


def _sum_paths(expression: Expression, place: Path = ()) -> Iterator[Path]:
    for number, child in enumerate(expression.children):
        yield from _sum_paths(child, (*place, number))
    if isinstance(expression, Reduction) and expression.kind == "sum":
        yield place


def _split(node: Reduction) -> Iterator[tuple[Rule, Expression]]:
    """sum(i, f + g) = sum(i, f) + sum(i, g), products of sums multiplied out."""
    if any(isinstance(part, Add) for part in (node.body, *node.body.children)):
        terms = multiplied_out(node.body)
        if len(terms) > 1:
            rule = Rule("split sum", "sum(i, f + g) = sum(i, f) + sum(i, g)", _no_rewriting, COST_FALLS)
            yield rule, add(*(Reduction("sum", node.indices, term) for term in terms))


def _regroup(node: Reduction, scope: Scope) -> Iterator[tuple[Rule, Expression]]:
    for candidate, equation in towards_names(node, scope.near(node)):
        yield Rule("regroup sum", equation_text(equation), _no_rewriting, COST_FALLS), candidate


def _no_rewriting(expression: Expression) -> None:
    return None
