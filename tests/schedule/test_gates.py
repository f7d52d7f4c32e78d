"""Functions u*g(u): their gate is computed once for both passes, and far arguments keep their derivatives."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from symbackprop.derivation.driver import derive
from symbackprop.emission.loading import load_module
from symbackprop.language.model import parse_system
from symbackprop.lowering.programs import lower
from symbackprop.notation.expressions import Apply
from symbackprop.schedule.gates import gate_of, with_complements, with_shared_gates
from symbackprop.schedule.named_equations import NamedEquation
from symbackprop.semantics.evaluation import evaluate
from symbackprop.systems.printing import equation_text, text
from tests.programs import numpy_source

UNDER_A_SUM = """
index n : N
index i : I
input x[n,i]
param v[i]
z[n,i] = v[i]*x[n,i]
y[n] = sum(i, v[i]*{}(z[n,i]))
loss E = sum(n, y[n])
"""


def equations(*formulas: str):
    head = "index i, j : I\nparam x[i]\n"
    return parse_system(head + "\n".join(formulas) + "\n").equations


def with_gates(given):
    return tuple(item.equation for item in with_shared_gates([NamedEquation.of(each) for each in given]))


@pytest.mark.parametrize(("function", "gate"), [("silu", "sigmoid"), ("gelu", "normcdf")])
def test_a_function_is_computed_from_its_gate_where_that_is_needed_too(function: str, gate: str) -> None:
    given = equations(f"y[i] = 2*{function}(x[i])", f"z[j] = {gate}(x[j])")
    shared = with_gates(given)
    assert [equation_text(equation) for equation in shared] == [
        f"y[i] = 2*(x[i]*{gate}(x[i]))",
        f"z[j] = {gate}(x[j])",
    ]
    values = {"x": np.array([-1.5, 0.0, 2.0])}
    for before, after in zip(given, shared, strict=True):
        arrays = [evaluate_alone(equation, values) for equation in (before, after)]
        np.testing.assert_allclose(*arrays, rtol=1e-15)


def evaluate_alone(equation, values):
    system = parse_system(f"index i, j : I\nparam x[i]\n{equation_text(equation)}\n")
    return evaluate(system, values, {"I": 3})[equation.tensor]


@pytest.mark.parametrize(
    "formulas",
    [
        ("y[i] = silu(x[i])", "z[i] = sigmoid(2*x[i])"),  # another argument
        ("y[i] = silu(x[i])", "z[i] = normcdf(x[i])"),  # another gate
        ("y[i] = abs(x[i])", "z[i] = sign(x[i])"),  # |u| is cheaper than u*sign(u)
        ("y[i] = softplus(x[i])", "z[i] = exp(x[i])"),  # no product
    ],
)
def test_a_function_that_stays(formulas: tuple[str, ...]) -> None:
    assert with_gates(equations(*formulas)) == equations(*formulas)


def test_only_products_with_their_argument_have_a_gate() -> None:
    applied = {
        name: Apply(name, (parse_system("param u\n").tensors["u"].element,)) for name in ("silu", "tanh")
    }
    assert text(gate_of(applied["silu"])) == "sigmoid(u)"
    assert gate_of(applied["tanh"]) is None


@pytest.mark.parametrize("function", ["silu", "gelu", "mish"])
def test_the_derivative_under_a_sum_is_finite_far_out(function: str) -> None:
    """d(u*g(u))/du is 1 far above 0 and 0 far below, and monotone for neither: only the ends are known."""
    derivation = derive(parse_system(UNDER_A_SUM.format(function)), ["x"])
    module = load_module(numpy_source(lower(derivation)), "gate")
    far = np.array([[-800.0, -60.0, 60.0, 800.0]])
    with np.errstate(all="raise", under="ignore"):
        _, grads = module.value_and_grad({"v": np.ones(4)}, x=far)
    np.testing.assert_allclose(grads["x"], [[0.0, 0.0, 1.0, 1.0]], atol=1e-20)


def test_silu_under_a_sum_has_the_derivative_that_is_published() -> None:
    """sigmoid(u)*(1 + u*(1 - sigmoid(u))): Elfwing et al., 2018."""
    forms = [
        equation_text(equation)
        for equation in derive(parse_system(UNDER_A_SUM.format("silu")), ["x"]).equations
    ]
    assert forms == ["grad_x[n,i] = v[i]^2*sigmoid(z[n,i])*(z[n,i]*(1 - sigmoid(z[n,i])) + 1)"]


FAR = np.array([-750.0, -90.0, -3.0, 0.0, 2.0, 20.0, 60.0, 90.0, 300.0])
POWERS = """
index n : N
param a[n], w[n]
loss E = sum(n, w[n]*{})
"""


@pytest.mark.parametrize(
    ("formula", "derivative"),
    [
        ("sigmoid(a[n])^3", lambda a: 3 * _sigmoid(a) ** 3 * _sigmoid(-a)),
        ("exp(2*a[n])/(1 + exp(a[n]))^2", lambda a: 2 * _sigmoid(a) ** 2 * _sigmoid(-a)),
        ("tanh(a[n])^3", lambda a: 3 * mpmath.tanh(a) ** 2 * mpmath.sech(a) ** 2),
        (
            "tanh(a[n])*sigmoid(a[n])",
            lambda a: _sigmoid(a) * (mpmath.sech(a) ** 2 + mpmath.tanh(a) * _sigmoid(-a)),
        ),
    ],
)
def test_what_is_left_of_1_keeps_its_digits_as_a_factor(formula: str, derivative) -> None:
    module = load_module(numpy_source(lower(derive(parse_system(POWERS.format(formula)), ["a"]))), "powers")
    grads = module.grad({"a": FAR, "w": np.ones_like(FAR)})
    with mpmath.workdps(900):
        expected = [float(derivative(mpmath.mpf(float(each)))) for each in FAR]
    np.testing.assert_allclose(grads["a"], expected, rtol=1e-13, atol=1e-300)


def _sigmoid(value: mpmath.mpf) -> mpmath.mpf:
    return 1 / (1 + mpmath.exp(-value))


def test_a_published_gate_stays_by_its_name() -> None:
    """z*(1 - z) where z has a name, and u*sigmoid(u) + 1 needs no more than sigmoid(u)."""
    given = equations("y[i] = sigmoid(x[i])", "z[i] = y[i]*(1 - y[i])")
    named = with_complements([NamedEquation.of(each) for each in given])
    assert tuple(item.equation for item in named) == given
    beside = equations("y[i] = sigmoid(x[i])*(x[i]*(1 - sigmoid(x[i])) + 1)")
    assert with_complements([NamedEquation.of(each) for each in beside])[0].equation == beside[0]
