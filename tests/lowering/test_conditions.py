"""Conditions on sizes and loops' counters are Python's, those on arrays NumPy's, and both may be mixed."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from symbackprop.array.interpreter import interpret
from symbackprop.array.ir import AxisSize, Elementwise, Literal, Read
from symbackprop.array.slices import Conditional
from symbackprop.derivation.driver import derive
from symbackprop.emission.loading import load_module
from symbackprop.errors import ProgramError
from symbackprop.language.model import parse_system
from symbackprop.lowering.programs import lower
from symbackprop.notation.expressions import Axis, Index
from symbackprop.schedule.kinds import Kind
from symbackprop.semantics.evaluation import evaluate
from tests.lowering.array_models import draw
from tests.models.judges import assert_close
from tests.programs import numpy_source

HEAD = """
index t : T
index s : S
input x[t], y[s]
param p[t], q
"""
# Each is true at some steps, sizes and values, and false at others.
CONDITIONS = {
    "counter": "not t == 0",
    "counter, both ends": "not (t == 0 or t + 1 == size(t))",
    "counter, twice": "not not t == 1",
    "counter and size": "not (t == 1 and 2 < size(s))",
    "sizes": "not (2 < size(t) and not size(s) == 1)",
    "sizes joined": "size(t) == 2 or not size(s) == 2",
    "parity": "not mod(t, 2) == 0",
    "value": "not x[t] > 0",
    "counter and value": "not t == 0 and not x[t] > 0",
    "counter or value": "not (t == 0 or x[t] > 0)",
    "size and value": "not size(t) == 2 and not x[t] > 0",
    "size, counter, value": "not (size(t) == 2 or t == 1 or x[t] > 0)",
}
PLACES = {
    "chosen in a recurrence": "h[t] = (pad(h[t-1]) + p[t])*where({}, x[t], 1/2)",
    "masked in a recurrence": "h[t] = pad(h[t-1])*q + where({}, 1, 0)*p[t]",
    "run in a recurrence": "h[t] = where({}, pad(h[t-1])*p[t], x[t])",
    "chosen": "h[t] = where({}, p[t], q*x[t]^2)",
    "masked": "h[t] = p[t]*where({}, 1, 0)",
}


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("place", PLACES)
def test_the_module_and_the_interpreter_agree_with_the_equations(condition: str, place: str) -> None:
    equation = PLACES[place].format(CONDITIONS[condition])
    text = f"{HEAD}{equation}\nloss E = sum(t, h[t]^2) + q*sum(s, y[s])\n"
    derivation = derive(parse_system(text))
    program = lower(derivation)
    module = load_module(numpy_source(program), "conditions")
    whole = derivation.as_system()
    for size, other in itertools.product((1, 2, 3), repeat=2):
        arrays = draw(derivation.system, {"T": size, "S": other}, np.float64, seed=size)
        known = evaluate(whole, arrays)
        found = interpret(program, arrays)
        params = {name: arrays[name] for name in module.PARAMETERS}
        loss, grads = module.value_and_grad(params, x=arrays["x"], y=arrays["y"])
        assert_close(loss, known["E"], equation)
        assert_close(found["E"], known["E"], equation)
        for name, gradient in derivation.gradients.items():
            assert_close(grads[name], known[gradient.tensor], f"{name} of {equation}")
            assert_close(found[gradient.tensor], known[gradient.tensor], f"{name} of {equation}")


def test_a_position_is_checked_where_a_condition_on_sizes_says_that_it_is_read() -> None:
    text = HEAD + "loss E = sum(s, where(not size(s) > 2, p[2*s], q)*y[s]) + sum(t, x[t])\n"
    derivation = derive(parse_system(text))
    module = load_module(numpy_source(lower(derivation)), "places")
    for sizes in ({"T": 3, "S": 2}, {"T": 1, "S": 3}):
        arrays = draw(derivation.system, sizes, np.float64)
        params = {name: arrays[name] for name in ("p", "q")}
        loss, _ = module.value_and_grad(params, x=arrays["x"], y=arrays["y"])
        assert_close(loss, evaluate(derivation.system, arrays)["E"], str(sizes))
    arrays = draw(derivation.system, {"T": 2, "S": 2}, np.float64)
    with pytest.raises(ValueError, match="reads position 2, but T=2"):
        module.loss({name: arrays[name] for name in ("p", "q")}, x=arrays["x"], y=arrays["y"])


T = Axis("T", "t")
of_sizes = Elementwise("<", (Literal(2), AxisSize(T)))
of_values = Elementwise("<", (Literal(0.0), Read("x", (Index("t", T),))))


def test_kinds_of_conditions() -> None:
    assert of_sizes.kind is Elementwise("not", (of_sizes,)).kind is Kind.PYTHON_BOOLEAN
    assert Elementwise("and", (of_sizes, of_sizes)).kind is Kind.PYTHON_BOOLEAN
    assert of_values.kind is Elementwise("or", (of_sizes, of_values)).kind is Kind.BOOLEAN
    assert Elementwise("multiply", (Read("x", (Index("t", T),)), of_sizes)).kind is Kind.REAL
    assert Conditional(of_sizes, Literal(1), Literal(2)).kind is Kind.PYTHON


@pytest.mark.parametrize(
    "wrong",
    [
        Elementwise("add", (of_sizes, Literal(1))),
        Elementwise("not", (Literal(1),)),
        Conditional(of_values, Literal(1), Literal(2)),
        Conditional(Literal(1), Literal(1), Literal(2)),
    ],
)
def test_what_is_no_condition_or_no_number_is_refused(wrong: Elementwise | Conditional) -> None:
    with pytest.raises(ProgramError, match=type(wrong).__name__):
        _ = wrong.type
