"""Each change of the schedule is a step; the steps lead from what is stated to what is computed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from symbackprop.derivation.driver import derive
from symbackprop.derivation.result import Derivation
from symbackprop.language.model import parse_system
from symbackprop.notation.arithmetic import negate
from symbackprop.rewriting.registry import Registry
from symbackprop.rewriting.replacements import Renaming
from symbackprop.rewriting.replay import replays
from symbackprop.rewriting.rule import Step, Use
from symbackprop.schedule.driver import schedule_of, schedule_of_system
from symbackprop.schedule.named_equations import NamedEquation, Part
from symbackprop.schedule.naming import Naming, is_chain
from symbackprop.systems.printing import equation_text, text
from tests.models.classics import load_classic
from tests.models.examples import derivation

REGISTRY = Registry.of(Naming, Renaming)
MODELS = ("seed", "convnet", "lstm", "digits")
CLASSICS = (
    *("attention", "attention_long", "batch_norm", "binary_cross_entropy", "determinant", "elman_rnn"),
    "embedding",
    *("gaussian_cholesky", "gaussian_process", "inverse_quadratic_form_solved", "log_softmax", "swish"),
)

SMALL = """
index n : N
index i, i2 : I
index t : T
input x[n,i], w[t], M[t,i,i2]
param c, v[t]
"""


def computed(equations: str) -> dict[str, NamedEquation]:
    items = schedule_of_system(parse_system(SMALL + equations)).equations
    return {item.equation.tensor: item for item in items}


def names(steps: tuple[Step, ...]) -> list[str]:
    return [step.rule.name for step in steps]


def derived(name: str) -> Derivation:
    if name in MODELS:
        return derivation(name).derivation
    classic = load_classic(name)
    return derive(classic.system, classic.wrt)


@pytest.mark.parametrize("name", [*MODELS, *CLASSICS])
def test_steps_lead_from_the_stated_to_the_computed_equation(name: str) -> None:
    for item in schedule_of(derived(name)).equations:
        steps = item.origin.steps
        assert is_chain(item.origin.stated.expression, steps, item.equation.expression), item.equation.tensor
        for step in steps:
            if isinstance(step.rule, Use):
                continue
            assert replays(step, REGISTRY), (
                item.equation.tensor,
                step.rule.name,
                text(step.before),
                text(step.after),
            )
            assert not replays(replace(step, after=negate(step.after)), REGISTRY)


def test_a_logarithm_of_a_sum_says_why_it_takes_a_maximum_away() -> None:
    items = computed("y[n] = log(sum(i, exp(x[n,i])))\n")
    (shift,) = [step for step in items["y"].origin.steps if step.rule.name == "log of exponentials"]
    assert text(shift.before) == "log(sum(i, exp(x[n,i])))"
    assert text(shift.after) == "max(i, x[n,i]) + log(sum(i, exp(x[n,i] - max(i, x[n,i]))))"
    assert shift.rule.statement.startswith("log(sum(i, g*exp(h))) = m + log(sum(i, g*exp(h - m)))")


def test_a_shared_part_is_a_name_for_what_it_stands_for() -> None:
    items = computed("y[n] = c*sum(i, exp(x[n,i])*x[n,i])\nz[n] = sum(i, exp(x[n,i]))\n")
    (step,) = items["z"].origin.steps
    assert (step.rule.name, text(step.after)) == ("share", "sum(i, exp_x[n,i])")
    assert isinstance(step.rule, Naming)
    assert list(map(equation_text, step.rule.named)) == ["exp_x[n,i] = exp(x[n,i])"]
    wrong = replace(
        step.rule, named=tuple(replace(each, expression=negate(each.expression)) for each in step.rule.named)
    )
    assert not replays(replace(step, rule=wrong), REGISTRY)
    assert not replays(replace(step, rule=replace(step.rule, named=())), REGISTRY)
    assert items["exp_x"].origin.steps == ()


def test_steps_of_a_recurrence() -> None:
    items = computed("h[t] = tanh(c*w[t] + v[t] + pad(h[t-1]))\nloss E = sum(t, h[t]^2)\n")
    assert names(items["h"].origin.steps) == ["hoist"]
    (moved,) = [item for item in items.values() if item.origin.part is Part.HOISTED]
    assert equation_text(moved.equation) == "c_times_w_plus_v[t] = c*w[t] + v[t]"
    assert moved.origin.steps == ()


def test_matrices_that_nobody_reads_are_left_out_by_a_step() -> None:
    items = computed(
        "y[t,i] = where(t > 0, sum(i2, inv(M[t-1])[i,i2]*x[0,i2]), 0)\nloss E = sum(t, i, y[t,i]^2)\n"
    )
    (step,) = [step for step in items["y"].origin.steps if step.rule.name == "choose matrices"]
    assert replays(step, REGISTRY)
    assert "inv(M_chosen[t])" in text(step.after)


def test_an_equation_that_is_computed_as_it_stands_has_no_steps() -> None:
    items = computed("y[n] = sum(i, x[n,i]^2)\n")
    assert items["y"].origin.steps == ()
