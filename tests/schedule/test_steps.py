"""Each change of the schedule is a step; the steps lead from what is stated to what is computed."""

from __future__ import annotations

from dataclasses import replace

from symbackprop.language.model import parse_system
from symbackprop.notation.arithmetic import negate
from symbackprop.rewriting.naming import Naming
from symbackprop.rewriting.replay import replays
from symbackprop.rewriting.rule import Step
from symbackprop.schedule.driver import ScheduleSource, scheduled
from symbackprop.schedule.named_equations import NamedEquation, Part
from symbackprop.schedule.replaying import REGISTRY, replayed
from symbackprop.systems.printing import equation_text, text
from tests.programs import schedule_of_system

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
    (step,) = [step for step in items["y"].origin.steps if step.rule.name == "guard matrices"]
    assert replays(step, REGISTRY)
    assert "inv(M_chosen[t])" in text(step.after)


def test_an_equation_that_is_computed_as_it_stands_has_no_steps() -> None:
    items = computed("y[n] = sum(i, x[n,i]^2)\n")
    assert items["y"].origin.steps == ()


def test_a_name_that_the_equation_has_read_before_may_be_given_once_more() -> None:
    source = ScheduleSource(parse_system(SMALL + "u = sum(t, exp(w[t]))\ny = u*sum(t, exp(w[t]))\n"))
    schedule = scheduled(source)
    (y,) = [item for item in schedule.equations if item.equation.tensor == "y"]
    assert text(y.equation.expression) == "u*u"
    assert replayed(schedule, source) == {"naming": 1}


def test_a_name_in_a_product_whose_factors_change_places() -> None:
    formulas = (
        "u[n] = sum(i, x[n,i])\ny[n] = where(u[n] > 0, u[n], u[n]/5)*(1/10)\nz[n] = where(u[n] > 0, 1, c)\n"
    )
    source = ScheduleSource(parse_system(SMALL + formulas))
    assert replayed(scheduled(source), source) == {"naming": 2}
