"""Recurrences as programs: what is moved out of the loop, what is stored, what is sliced."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.array.interpreter import interpret
from symbackprop.array.program import Loop, Statement, Store
from symbackprop.derivation.driver import derive
from symbackprop.indexing.end_cases import with_cases_apart
from symbackprop.language.model import parse_system
from symbackprop.lowering.programs import lower
from symbackprop.schedule.hoisting import hoisted
from symbackprop.schedule.named_equations import NamedEquation
from symbackprop.schedule.sharing import shared
from symbackprop.semantics.evaluation import evaluate
from symbackprop.systems.printing import equation_text, text
from tests.models.recurrences import NAMES, system_of
from tests.programs import lower_system, numpy_source

HEAD = "index n : N\nindex s, t : T\nindex i : I\nindex j, k : J\nindex l : L\n"
INPUTS = "input x[n,t,i], c[t], m[l]\nparam W[j,i], U[j,k], b[j], h0[j]\n"


def moved(equations: str) -> list[str]:
    system = parse_system(HEAD + INPUTS + equations)
    items = [NamedEquation.of(equation) for equation in system.equations]
    return [equation_text(item.equation) for item in hoisted(items, system.tensors)]


def test_what_reads_nothing_carried_is_one_equation_before_the_loop() -> None:
    assert moved("h[n,t,j] = tanh(sum(i, W[j,i]*x[n,t,i]) + sum(k, U[j,k]*pad(h[n,t-1,k])) + b[j])\n") == [
        "h_total[n,t,j] = sum(i, W[j,i]*x[n,t,i]) + b[j]",
        "h[n,t,j] = tanh(h_total[n,t,j] + sum(k, U[j,k]*pad(h[n,t - 1,k])))",
    ]


@pytest.mark.parametrize(
    "equation",
    [
        "h[t] = c[t] + pad(h[t - 1])",  # no operation is spared
        "h[t] = -c[t] + pad(h[t - 1])",
        "h[t] = where(t == 0, sum(l, m[l]^2), h[t - 1])",  # computed at one step alone
        "h[t] = pad(h[t - 1])*pad(c[t - 1])",  # a slice
    ],
)
def test_what_stays_in_the_loop(equation: str) -> None:
    assert moved(equation + "\n") == [equation]


def test_equal_parts_are_moved_once() -> None:
    names = [line.split("[")[0] for line in moved("h[t] = c[t]^2*pad(h[t-1])\ng[t] = c[t]^2*pad(g[t-1])\n")]
    assert len(names) == 3


@pytest.mark.parametrize("name", NAMES)
def test_one_loop_forwards_and_one_backwards_for_each_recurrence(name: str) -> None:
    program = lower(derive(system_of(name)))
    loops = [line for line in program.statements if isinstance(line, Loop)]
    directions = [loop.reverse for loop in loops]
    assert directions.index(True) >= 1 or name == "backwards"
    assert sorted(set(directions)) == [False, True]
    stored = [line.name for loop in loops for line in loop.body if isinstance(line, Store)]
    assert len(stored) == len(set(stored))
    for loop in loops:
        assert not any(isinstance(line, Loop) for line in loop.body)


def test_only_what_is_read_later_is_stored() -> None:
    program = lower_system(
        parse_system(
            f"{HEAD}{INPUTS}u[n,t,j] = sum(k, U[j,k]*pad(h[n,t-1,k])) + b[j]\nh[n,t,j] = tanh(u[n,t,j])\n"
        )
    )
    (loop,) = [line for line in program.statements if isinstance(line, Loop)]
    assert [line.name for line in loop.body if isinstance(line, Store)] == ["h"]
    assert {line.name for line in loop.body if isinstance(line, Statement)} == {"h_before", "u"}
    assert program.outputs == ("h",)


def test_the_weights_gradient_is_computed_after_the_loop() -> None:
    program = lower(derive(system_of("lstm")))
    place = {name: number for number, line in enumerate(program.statements) for name in line.written}
    last_loop = max(number for number, line in enumerate(program.statements) if isinstance(line, Loop))
    for name in ("grad_Wf", "grad_Uf", "grad_bf", "grad_Ug"):
        assert place[name] > last_loop


def test_a_shared_part_that_is_read_under_a_guard_keeps_it() -> None:
    system = parse_system(
        f"{HEAD}{INPUTS}y[t] = where(t > 0, exp(c[t-1])*c[t], 0)\nz[t] = where(t > 0, exp(c[t-1]), 1)\n"
    )
    items = [NamedEquation.of(equation) for equation in system.equations]
    lines = [equation_text(item.equation) for item in shared(items, system.tensors)]
    assert lines[0].endswith("= where(t > 0, exp(c[t - 1]), 0)")


@pytest.mark.parametrize(
    ("formula", "result"),
    [
        (
            "sum(t, c[t]*where(t == 0, c[t], c[t-1]))",
            "where(size(t) > 0, c[0]^2, 0) + sum(t, where(t >= 1, c[t]*c[t - 1], 0))",
        ),
        ("sum(t, c[t]*where(t != size(t)-1, c[t+1], 0))", "sum(t, where(t + 1 < size(t), c[t]*c[t + 1], 0))"),
        ("sum(t, c[t]*where(t == 2, c[t], 0))", None),
        ("sum(t, c[t]*where(c[t] == 0, c[t], 0))", None),
    ],
)
def test_cases_at_one_end_of_a_sum(formula: str, result: str | None) -> None:
    before = parse_system(f"{HEAD}{INPUTS}y = {formula}\n").equations[0].expression
    after = with_cases_apart(before)
    if result is None:
        assert after == before
    else:
        expected = parse_system(f"{HEAD}{INPUTS}y = {result}\n").equations[0].expression
        assert text(after) == text(expected)


@pytest.mark.parametrize("steps", [1, 2, 5])
@pytest.mark.parametrize(
    "condition",
    ["c[t] >= 2", "c[t] + 1 >= 3", "not c[t] < 2", "t/2 >= 1", "t >= 3/2", "c[t] >= 2 and t >= 1"],
)
@pytest.mark.parametrize("step", ["t >= 1, h[t-1]", "t + 1 < size(t), h[t+1]"])
def test_a_bound_of_reals_is_no_bound_of_integers(condition: str, step: str, steps: int) -> None:
    equation = f"h[t] = where({condition}, where({step}, 0)*w[t] + c[t], w[t]^2)\n"
    system = parse_system(f"index t : T\ninput c[t]\nparam w[t]\n{equation}loss L = sum(t, h[t]^2)\n")
    # Between 1 and 2 lies what u >= 2 and u > 1 take differently.
    values = {"c": np.linspace(1.2, 2.4, steps), "w": np.linspace(0.5, 1.5, steps)}
    known = evaluate(system, values, {"T": steps})
    assert interpret(lower_system(system), values)["L"] == pytest.approx(known["L"])
    derivation = derive(system)
    whole = evaluate(derivation.as_system(), values, {"T": steps})
    name = derivation.gradients["w"].tensor
    assert interpret(lower(derivation), values)[name] == pytest.approx(whole[name].astype(float))


def test_a_bound_of_a_counter_reads_as_a_person_writes_it() -> None:
    system = parse_system(
        "index t : T\nparam w[t]\nh[t] = where(t - 1 >= 0, h[t-1], 1)*w[t]\nloss L = h[0]\n"
    )
    assert "if t > 0 else" in numpy_source(lower_system(system))
