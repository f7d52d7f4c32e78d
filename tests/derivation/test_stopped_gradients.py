"""stop(e): the value passes, the gradient does not; VQ-VAE, truncated recurrences, the judges of both."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.language.model import parse_system
from symbackprop.systems.printing import system_text
from symbackprop.verification.check import check_module
from symbackprop.verification.stopped_values import held_loss, with_stops_apart
from tests.models.judges import judge

VQ = """
index n : N
index k : K
index d : D
param C[k,d], w[d]
input z[n,d], a[d]
h[n,d] = w[d]*z[n,d]
r[n,k] = sum(d, (h[n,d] - C[k,d])^2)
q[n,d] = sum(k, where(argmax(k, -r[n,k]) == k, C[k,d], 0))
s[n,d] = h[n,d] + stop(q[n,d] - h[n,d])
c = sum(n, d, (stop(h[n,d]) - q[n,d])^2) + 1/4*sum(n, d, (h[n,d] - stop(q[n,d]))^2)
loss E = sum(n, d, (s[n,d]*a[d])^2) + c
"""
TRUNCATED = """
index t : T
param w, h0
input x[t]
h[t] = where(t == 0, tanh(h0 + x[t]), tanh(w*where(t != 2, h[t-1], stop(h[t-1])) + x[t]))
loss E = sum(t, h[t]^2)
"""


def test_a_factor_that_is_stopped_is_a_constant() -> None:
    model = sb.loads("param a, b\nloss E = a*stop(a*b) + stop(b)^2\n")
    derivation = model.derive()
    assert str(derivation.gradients["a"]) == "dE/da = stop(a*b)"
    assert str(derivation.gradients["b"]) == "dE/db = 0"
    assert "\\operatorname{sg}" in derivation.latex()
    module = derivation.module()
    loss, grads = module.value_and_grad({"a": np.array(3.0), "b": np.array(2.0)})
    assert (loss, grads["a"], grads["b"]) == (22.0, 6.0, 0.0)
    # What was stopped stays so where the gradient is differentiated again.
    again = derivation.as_system("loss H = grad_a^2").derive(wrt=["a", "b"])
    assert [str(again.gradients[name]).split(" = ")[1] for name in "ab"] == ["0", "0"]
    assert parse_system(system_text(model.system)).equations == model.system.equations


def test_vq_vae_before_its_judges() -> None:
    derivation = judge(VQ, sizes={"N": 2, "K": 3, "D": 2}, steps=False)
    (gradient,) = [equation for name, equation in derivation.gradients.items() if name == "w"]
    assert "C" not in gradient.expression.tensors


def test_a_recurrence_is_cut_where_it_is_stopped() -> None:
    module = sb.loads(TRUNCATED).derive().module()  # held against the complex step before it comes
    params, x = {"w": np.array(0.5), "h0": np.array(0.1)}, np.array([0.3, -0.2, 0.7, 0.4])
    _, grads = module.value_and_grad(params, x=x)
    _, of_two_steps = module.value_and_grad(params, x=x[:2])
    assert grads["h0"] == of_two_steps["h0"] != 0  # nothing comes back from the third step on
    assert grads["w"] != of_two_steps["w"]


def test_check_holds_still_what_is_stopped() -> None:
    report = sb.loads("param a\nloss E = exp(a)*stop(a)\n").check(budget=0.5)
    rows = [row for row in report.rows if row.method == "central differences"]
    assert report.ok and rows and all(row.compared for row in rows)


def test_a_wrong_gradient_beside_a_stop_is_noticed(tmp_path: Path) -> None:
    code = sb.loads("param a\nloss E = exp(a)*stop(a)\n").derive().to_numpy()
    model, module = tmp_path / "m.model", tmp_path / "m.py"
    model.write_text("param a\nloss E = exp(a)*stop(a)\n")
    module.write_text(code)
    system = sb.load(model).system
    with pytest.raises(sb.VerificationError, match=r"stops gradients, by stop\(...\) in E"):
        check_module(module)
    assert check_module(module, model=system, budget=0.5).ok
    wrong = re.sub(r"    grad_a = .*", "    grad_a = np.exp(a) * (a + 1)", code)
    assert wrong != code
    module.write_text(wrong)
    assert not check_module(module, model=system, budget=0.5).ok


def test_each_stop_is_data_of_its_own() -> None:
    system = parse_system(TRUNCATED)
    apart, names = with_stops_apart(system)
    assert names == ("stopped",)
    assert "stopped[t] = where(" in system_text(apart)
    values = {"w": np.array(0.5), "h0": np.array(0.1), "x": np.array([0.3, -0.2, 0.7])}
    loss = held_loss(system, values, {"T": 3})
    assert loss is not None
    held, moved = loss(values), loss({**values, "h0": np.array(5.0)})
    h = [np.tanh(0.4)]
    h.append(np.tanh(0.5 * h[0] - 0.2))
    h.append(np.tanh(0.5 * h[1] + 0.7))
    np.testing.assert_allclose(held, sum(np.square(h)), rtol=1e-14)
    h_moved = [np.tanh(5.3)]
    h_moved.append(np.tanh(0.5 * h_moved[0] - 0.2))
    np.testing.assert_allclose(moved, sum(np.square(h_moved)) + h[2] ** 2, rtol=1e-14)
    assert held_loss(parse_system("param a\nloss E = a^2\n"), {"a": np.array(1.0)}, {}) is None


def test_a_derivative_inside_the_model_stops_there_too() -> None:
    text = """
index n : N
param a
input x[n]
u[n] = sin(a*x[n]) + x[n]*stop(x[n])
g[n] = diff(u[n], x[n])
loss E = sum(n, g[n]^2)
"""
    report = sb.loads(text).check(budget=0.5)
    assert report.ok
    assert any(row.tensor == "g" and row.compared for row in report.rows)
