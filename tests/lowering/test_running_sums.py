"""Sums and products up to a place: accumulated in one pass, without an array over pairs of places."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.array.interpreter import interpret
from symbackprop.array.program import Program, statements_in
from symbackprop.derivation.driver import derive
from symbackprop.emission.loading import load_module
from symbackprop.language.model import parse_system
from symbackprop.lowering.programs import lower
from symbackprop.semantics.evaluation import evaluate
from tests.programs import numpy_source

NAMES = "index r : R\nindex t, s, q : T\nindex d, k : D\n"
HEAD = f"{NAMES}input x[r,t,d], y[r,t]\nparam g[r,t], w[d]\n"
FORMULAS = {
    "up to a place": "sum(s, where(s <= t, g[r,s]*y[r,s], 0))",
    "before it": "sum(s, where(s + 1 <= t, sin(g[r,s]), 0))",
    "behind it": "sum(s, g[r,s]^2*where(t < s, 1, 0))",
    "from it on, under another condition": "sum(s, where(s > t - 1 and y[r,s] > 0, g[r,s], 0))",
    "a product": "prod(s, where(s < t, tanh(g[r,s]) + 2, 1))",
    "a product of what is behind": "prod(s, where(t <= s, g[r,s] - 3, 1))",
    "stick breaking": "sigmoid(g[r,t])*prod(s, where(s < t, 1 - sigmoid(g[r,s]) + 1e-9, 1))",
    "rows, summed within": "sum(s, d, where(s <= t, g[r,s]*x[r,s,d]*w[d], 0))",
    "times what the place has": "sum(d, x[r,t,d]*sum(s, where(s <= t, x[r,s,d], 0)))*g[r,t]",
}
KEPT = {
    "a weight of the distance": "sum(s, where(s <= t, g[r,s]*exp(s - t), 0))",
    "linear attention": "sum(k, sum(s, d, where(s <= t, x[r,t,d]*x[r,s,d]*x[r,s,k]*g[r,s], 0)))",
    "a maximum beyond": "g[r,t]*y[r,t] - log(sum(s, where(s >= t, exp(g[r,s]), 0)))",
    "a mask of values": "sum(s, where(y[r,s] <= y[r,t], g[r,s], 0))",
}


def module_and_program(formula: str) -> tuple[Program, object]:
    model = f"{HEAD}z[r,t] = {formula}\nloss L = sum(r, t, z[r,t]*(z[r,t] - y[r,t]))\n"
    program = lower(derive(parse_system(model, "running"), ["g"]))
    return program, load_module(numpy_source(program), "running")


def runs_over_pairs(program: Program) -> bool:
    values = (value for line in statements_in(program.statements) for value in line.values)
    nodes = (node for value in values for node in value.walk())
    return any([index.axis.name for index in node.indices].count("T") > 1 for node in nodes)


def data(sizes: tuple[int, int, int], dtype: type = np.float64) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(11)
    rows, steps, width = sizes
    shapes = {"x": (rows, steps, width), "y": (rows, steps), "g": (rows, steps), "w": (width,)}
    return {name: rng.normal(size=shape).astype(dtype) for name, shape in shapes.items()}


@pytest.mark.parametrize("formula", FORMULAS.values(), ids=list(FORMULAS))
def test_one_pass_gives_what_the_mask_gives(formula: str) -> None:
    program, module = module_and_program(formula)
    assert not runs_over_pairs(program) or "prod" in formula
    system = parse_system(f"{HEAD}z[r,t] = {formula}\n", "running")
    for sizes in ((2, 5, 3), (1, 1, 1), (3, 2, 1)):
        tensors = data(sizes)
        expected = evaluate(system, tensors)["z"]
        read = [tensor.name for tensor in program.tensors if tensor.name != "g"]
        params = {name: tensors[name] for name in module.PARAMETERS}
        others = {name: tensors[name] for name in read if name not in params}
        inputs = {name: others[name] for name in module.INPUTS if name in others}
        np.testing.assert_allclose(interpret(program, tensors)["z"], expected, rtol=1e-12, atol=1e-13)
        _, grads = module.value_and_grad(params, **others)
        assert set(inputs) <= set(others)
        for place in np.ndindex(tensors["g"].shape):
            moved = np.zeros_like(tensors["g"])
            moved[place] = 1e-6
            sides = (module.loss({**params, "g": tensors["g"] + sign * moved}, **others) for sign in (1, -1))
            above, below = sides
            assert abs(grads["g"][place] - (above - below) / 2e-6) < 1e-6 * max(1.0, abs(above))


@pytest.mark.parametrize("formula", KEPT.values(), ids=list(KEPT))
def test_what_depends_on_both_places_is_masked(formula: str) -> None:
    assert "running(" not in numpy_source(module_and_program(formula)[0]).split("def _forward")[1]


def alone(formula: str) -> object:
    """The module of what depends on g alone."""
    model = f"{NAMES}param g[r,t]\nz[r,t] = {formula}\nloss L = sum(r, t, z[r,t])\n"
    return load_module(numpy_source(lower(derive(parse_system(model, "alone"), ["g"]))), "alone")


def test_what_is_not_finite_stays_behind_its_place() -> None:
    module = alone("prod(s, where(s < t, g[r,s], 1)) + sum(s, where(s <= t, g[r,s], 0))")
    g = np.array([[2.0, 0.0, np.inf, 1.0]])
    with np.errstate(invalid="ignore"):
        z = module.forward({"g": g})
    np.testing.assert_array_equal(z, [[3.0, 4.0, np.inf, np.nan]])


def test_what_no_place_reads_is_not_accumulated() -> None:
    """The product of all overflows, which none before a place does: no warning, for it would be an error."""
    module = alone("prod(s, where(s < t, g[r,s], 1)) + sum(s, where(s > t, g[r,s], 0))")
    z = module.forward({"g": np.array([[1e200, 1e-10, 1e200]])})
    np.testing.assert_array_equal(z, [[1.0 + 1e200, 2e200, 1e200 * 1e-10]])


def test_an_empty_axis_has_no_sums() -> None:
    module = alone("prod(s, where(s < t, g[r,s], 1)) - sum(s, where(s > t, g[r,s], 0))")
    loss, grads = module.value_and_grad({"g": np.zeros((2, 0))})
    assert loss == 0 and grads["g"].shape == (2, 0)


def test_single_precision_is_accumulated_in_double() -> None:
    module = alone("sum(s, where(s <= t, g[r,s], 0))")
    z = module.forward({"g": np.full((1, 100_000), 0.1, dtype=np.float32)})
    assert z.dtype == np.float32
    np.testing.assert_allclose(z[0, -1], 100_000 * float(np.float32(0.1)), rtol=1e-7)
