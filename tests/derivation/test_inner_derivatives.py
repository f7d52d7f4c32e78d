"""Derivatives inside a model: diff(y[n], x[n,i]), against autograd's own derivatives of derivatives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import elementwise_grad, grad

from symbackprop.derivation.driver import derive
from symbackprop.derivation.result import Derivation
from symbackprop.emission.loading import load_module
from symbackprop.errors import NotationError
from symbackprop.language.model import parse_system
from symbackprop.lowering.programs import lower
from symbackprop.semantics.evaluation import evaluate
from symbackprop.systems.printing import equation_text, system_text
from symbackprop.verification import check
from tests.models.inner_checker import check_inner_steps
from tests.models.step_checker import check_every_step
from tests.programs import numpy_source
from tests.verification.on_numpy import check_model

NET = """
index n, m : N
index i, k : I
index j : J
input x[n,i]
param W[j,i], b[j], v[j]
u[n,j] = sum(i, W[j,i]*x[n,i]) + b[j]
z[n,j] = tanh(u[n,j])
y[n] = sum(j, v[j]*z[n,j])
"""
PENALTY = NET + "g[n,i] = diff(y[n], x[n,i])\nloss E = mean(n, (sqrt(sum(i, g[n,i]^2)) - 1)^2)\n"
SCORE = (
    NET
    + "s[n,i] = diff(y[n], x[n,i])\nlap[n] = sum(i, diff(s[n,i], x[n,i]))\n"
    + "loss E = mean(n, lap[n] + 1/2*sum(i, s[n,i]^2))\n"
)
BURGERS = """
index n : N
index j, k : J
input x[n], t[n]
const nu
param a[j], c[j], W[k,j], v[k]
z1[n,j] = sigmoid(a[j]*x[n] + c[j]*t[n])
z2[n,k] = tanh(sum(j, W[k,j]*z1[n,j]))
u[n] = sum(k, v[k]*z2[n,k])
r[n] = diff(u[n], t[n]) + u[n]*diff(u[n], x[n]) - nu*diff(diff(u[n], x[n]), x[n])
loss E = mean(n, r[n]^2)
"""
# Energy of a particle in a learnt potential: Hamilton's equations as targets.
HAMILTON = """
index n : N
index i : I
index j : J
input q[n,i], p[n,i]
target dq[n,i], dp[n,i]
param A[j,i], B[j,i], w[j]
h[n,j] = softplus(sum(i, A[j,i]*q[n,i] + B[j,i]*p[n,i]))
H[n] = sum(j, w[j]*h[n,j]^2)
loss E = mean(n, sum(i, (diff(H[n], p[n,i]) - dq[n,i])^2 + (diff(H[n], q[n,i]) + dp[n,i])^2))
"""

Values = Mapping[str, Any]


def critic(x: Any, values: Values) -> Any:
    return anp.dot(anp.tanh(anp.dot(x, values["W"].T) + values["b"]), values["v"])


def slope(x: Any, values: Values) -> Any:
    return elementwise_grad(critic)(x, values)


def penalty(values: Values) -> Any:
    return anp.mean((anp.sqrt(anp.sum(slope(values["x"], values) ** 2, axis=1)) - 1) ** 2)


def score(values: Values) -> Any:
    x = values["x"]
    lap = sum(elementwise_grad(lambda at, i=i: slope(at, values)[:, i])(x)[:, i] for i in range(x.shape[1]))
    return anp.mean(lap + 0.5 * anp.sum(slope(x, values) ** 2, axis=1))


def burgers(values: Values) -> Any:
    def u(x: Any, t: Any) -> Any:
        h = anp.outer(x, values["a"]) + anp.outer(t, values["c"])
        return anp.dot(anp.tanh(anp.dot(1 / (1 + anp.exp(-h)), values["W"].T)), values["v"])

    x, t = values["x"], values["t"]
    ux, ut = elementwise_grad(u, 0), elementwise_grad(u, 1)
    return anp.mean((ut(x, t) + u(x, t) * ux(x, t) - values["nu"] * elementwise_grad(ux, 0)(x, t)) ** 2)


def hamilton(values: Values) -> Any:
    def energy(q: Any, p: Any) -> Any:
        h = anp.logaddexp(0.0, anp.dot(q, values["A"].T) + anp.dot(p, values["B"].T))
        return anp.dot(h**2, values["w"])

    q, p = values["q"], values["p"]
    by_q, by_p = (elementwise_grad(energy, place)(q, p) for place in (0, 1))
    return anp.mean(anp.sum((by_p - values["dq"]) ** 2 + (by_q + values["dp"]) ** 2, axis=1))


JUDGED: dict[str, tuple[str, Callable[[Values], Any]]] = {
    "gradient penalty": (PENALTY, penalty),
    "score matching": (SCORE, score),
    "Burgers": (BURGERS, burgers),
    "Hamiltonian": (HAMILTON, hamilton),
}
SIZES = (
    {"N": 3, "I": 2, "J": 5},
    {"N": 1, "I": 1, "J": 1},
    {"N": 7, "I": 1, "J": 2},
    {"N": 1, "I": 5, "J": 3},
)


def drawn(model: str, sizes: Mapping[str, int]) -> dict[str, Any]:
    rng = np.random.default_rng(5)
    declared = [t for t in parse_system(model).tensors.values() if t.role.value != "derived"]
    return {
        tensor.name: rng.normal(size=[sizes[index.axis.name] for index in tensor.indices])
        for tensor in declared
    }


@cache
def derivation_of(name: str) -> Derivation:
    return derive(parse_system(JUDGED[name][0]))


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("name", JUDGED)
def test_against_autograd(name: str, sizes: dict[str, int]) -> None:
    model, loss = JUDGED[name]
    values = drawn(model, sizes)
    module = load_module(numpy_source(lower(derivation_of(name))), "model")
    params = {tensor: values[tensor] for tensor in module.PARAMETERS}
    others = {tensor: value for tensor, value in values.items() if tensor not in params}
    found, gradients = module.value_and_grad(params, **others)
    expected = grad(lambda chosen: loss({**values, **chosen}))(params)
    np.testing.assert_allclose(found, loss(values), rtol=1e-10)
    for tensor in params:
        scale = max(1.0, float(np.max(np.abs(expected[tensor]))))
        np.testing.assert_allclose(gradients[tensor], expected[tensor], rtol=1e-8, atol=1e-9 * scale)


@pytest.mark.parametrize("name", JUDGED)
def test_every_step_and_the_meaning_of_diff(name: str) -> None:
    system = parse_system(JUDGED[name][0])
    sizes = {"N": 3, "I": 2, "J": 4}
    values = drawn(JUDGED[name][0], sizes)
    derivation = derivation_of(name)
    assert check_inner_steps(derivation, values, sizes) > 10
    assert check_every_step(derivation, values, sizes) > 10
    stated, expanded = (evaluate(each, values, sizes) for each in (system, derivation.system))
    for tensor in stated:
        np.testing.assert_allclose(expanded[tensor], stated[tensor], rtol=1e-10, atol=1e-12)


def equations(model: str) -> dict[str, str]:
    return {each.tensor: equation_text(each) for each in derived(model).system.equations}


def derived(model: str) -> Derivation:
    derivation = derive(parse_system(model))
    sizes = {axis.name: size for size, axis in enumerate(derivation.system.axes, start=2)}
    check_inner_steps(derivation, drawn(model, sizes), sizes)
    return derivation


def test_the_closed_forms_reuse_what_has_a_name() -> None:
    found = equations(SCORE)
    assert found["s"] == "s[n,i] = sum(j, v[j]*(1 - z[n,j]^2)*W[j,i])"
    one = "index n : N\ninput x[n]\nparam w\ng[n] = {}(w*x[n])\n".replace("g", "z")
    second = one.format("sigmoid") + "h[n] = diff(z[n], x[n])\nloss E = sum(n, h[n]^2)\n"
    assert equations(second)["h"] == "h[n] = w*z[n]*(1 - z[n])"


def test_samples_apart_need_no_jacobian_over_both() -> None:
    found = derived(PENALTY)
    assert all(len(each.equation.indices) <= 2 for each in found.expansion.derivations)
    assert any(str(each.deltas) != "1" and each.deltas.children for each in found.expansion.derivations)


def test_samples_that_meet_have_the_whole_jacobian() -> None:
    model = NET.replace("tanh(u[n,j])", "tanh(u[n,j] - mean(m, u[m,j]^2))")
    model += "g[n,m,i] = diff(y[n], x[m,i])\nloss E = sum(n, m, i, g[n,m,i]^2)\n"
    found = derived(model)
    assert len(found.system.definitions["g"].indices) == 3
    sizes = {"N": 3, "I": 2, "J": 4}
    values = drawn(model, sizes)
    stated = evaluate(parse_system(model), values, sizes)["g"]
    np.testing.assert_allclose(evaluate(found.system, values, sizes)["g"], stated, rtol=1e-10, atol=1e-12)
    assert np.min(np.abs(stated)) > 0


def test_a_derivative_by_another_sample_is_zero() -> None:
    found = equations(NET + "g[n,i] = sum(m, diff(y[n], x[m,i]))\nloss E = sum(n, i, g[n,i]^2)\n")
    assert found["g"] == "g[n,i] = sum(j, v[j]*(1 - z[n,j]^2)*W[j,i])"


def test_by_a_parameter_and_by_an_intermediate() -> None:
    model = (
        NET + "f[n,j] = diff(y[n], z[n,j])\nh[n,j] = diff(y[n], W[j,i])\nloss E = sum(n, j, f[n,j]*h[n,j])\n"
    )
    found = equations(model.replace("h[n,j] = diff(y[n], W[j,i])", "h[n,j] = sum(i, diff(y[n], W[j,i]))"))
    assert found["f"] == "f[n,j] = v[j]"


def test_what_does_not_depend_is_zero() -> None:
    model = NET + "q[n] = sum(j, v[j])*x[n,i]\n".replace("x[n,i]", "sum(i, x[n,i])")
    found = equations(model + "g[n,j] = diff(q[n], b[j])\nloss E = sum(n, j, (g[n,j] + y[n])^2)\n")
    assert found["g"] == "g[n,j] = 0"
    by_itself = equations(model + "g[n,m] = diff(y[n], y[m])\nloss E = sum(n, m, g[n,m]*y[n]^2)\n")
    assert by_itself["g"] == "g[n,m] = delta(n,m)"


@pytest.mark.parametrize("taken", ["dy_du", "du_dx", "g_", "delta_g", "grad_W"])
def test_names_stay_apart_from_the_model_s(taken: str) -> None:
    model = PENALTY.replace("param W", f"param {taken}[j], W").replace(
        "tanh(u[n,j])", f"tanh(u[n,j])*{taken}[j]"
    )
    derivation = derived(model)
    names = [each.tensor for each in (*derivation.system.equations, *derivation.equations)]
    assert len(set(names)) == len(names) and taken not in names


def test_the_derivative_at_a_kink_is_the_convention_s() -> None:
    model = """
index n : N
input x[n]
param w
y[n] = relu(w*x[n]) + abs(x[n])
g[n] = diff(y[n], x[n])
loss E = sum(n, g[n]^2)
"""
    values = {"x": np.array([-2.0, 0.0, 3.0]), "w": np.array(1.5)}
    found = evaluate(derive(parse_system(model)).system, values, {"N": 3})
    np.testing.assert_array_equal(found["g"], [-1.0, 0.0, 2.5])


def test_what_is_printed_reads_back() -> None:
    for model, _ in JUDGED.values():
        system = parse_system(model)
        again = parse_system(system_text(system))
        assert again.equations == system.equations and "diff(" in system_text(system)


REFUSED = [
    ("g[n,j] = diff(y[n], x[n,j])", "axis clash in 'x'"),
    ("g[n] = diff(y[n], x[n,i])", "index not summed: 'i'"),
    ("g[n,i] = diff(y[n]^2, x[n,i])", "differentiates one element of a tensor, and this is a formula"),
    ("g[n,i] = diff(y[n], 2*x[n,i])", "by one element of a tensor, and this is a formula"),
    ("g[n,i] = diff(y[n], i)", "this is an index"),
    ("g[n] = diff(y[n])", "takes 2 arguments"),
    ("g[n,i] = diff(y[n], x[n,0*i])", "plain indices"),
    ("func f(u) = diff(u, x)\ng[n] = f(y[n])", "in the body of the function 'f'"),
    ("fact diff(y[n], x[n,i]) == 0\ng = 1", "outside an equation"),
    ("g[n,i] = diff(h[n], x[n,i])\nh[n] = sum(i, g[n,i])", "in a circle"),
    ("input ids[n] in J\ng[n,j] = diff(y[n], ids[n])*v[j]", "integer tensor"),
]


@pytest.mark.parametrize(("text", "cause"), REFUSED)
def test_refused_with_its_place(text: str, cause: str) -> None:
    with pytest.raises(NotationError) as caught:
        parse_system(NET + text)
    assert cause in caught.value.cause
    assert caught.value.place is not None and caught.value.remedy


def test_a_wrong_inner_derivative_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    system = parse_system(PENALTY, "penalty")
    assert check_model(system).ok
    wrong = "g[n,i] = sum(j, v[j]*(1 - z[n,j])*W[j,i])"
    doctored = parse_system(PENALTY.replace("g[n,i] = diff(y[n], x[n,i])", wrong), "penalty")
    monkeypatch.setattr(check, "derive", lambda _, wrt: derive(doctored, wrt))
    report = check_model(system)
    assert [row.tensor for row in report.rows if not row.ok] == ["g"]
