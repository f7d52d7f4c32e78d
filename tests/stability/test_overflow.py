"""Products of adjoints with exponentials: shifted where that makes something finite, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.notation.pairs import argument_of
from symbackprop.pipeline import loads
from symbackprop.semantics.naive import Array
from tests.stability.derived import module_of
from tests.stability.test_random_compositions import truth

# Precisions exp(p), of experts whose logits are sums over a matrix: the adjoint of S reads exp(p) again.
EXPERTS = """index n : N
index k : K
index i, j : D
param x[n,j], p[k,i], L[k,i,j], b[k]
S[k,i,j] = where(i == j, exp(p[k,i]), L[k,i,j])
y[n,k,i] = sum(j, S[k,i,j]*x[n,j])
loss E = sum(n, logsumexp(k, b[k] - sum(i, y[n,k,i]^2)))
"""
# The rate exp(r) stands in an exponent alone: where it is too large, the component's share is 0.
RATES = """index n : N
index k : K
param r[k], b[k], t[n]
s[k] = exp(r[k])
loss E = sum(n, logsumexp(k, b[k] - s[k]*t[n]^2))
"""
# Shares of exp(r), which the loss may hold though exp(r) is too large.
SHARES = """index n : N
index k : K
param r[k], a[k], g[n,k]
s[k] = exp(r[k])
loss E = sum(n, k, softmax(k, g[n,k])*s[k]*a[k])
"""
OTHER_ROWS = EXPERTS.replace("exp(p[k,i])", "exp(p[k,j])").replace("i == j", "i < j")
VALUES: dict[str, Array] = {
    "x": np.array([[0.5, -1.2], [0.3, 0.9], [-0.7, 0.4]]),
    "p": np.array([[0.1, -0.6], [0.5, 0.2]]),
    "L": np.array([[[0.2, -0.4], [0.9, 0.3]], [[-0.8, 0.1], [0.6, 0.7]]]),
    "b": np.array([0.4, -0.3]),
    "r": np.array([0.3, -0.5]),
    "a": np.array([0.7, -1.3]),
    "g": np.array([[0.6, -0.2], [0.1, 1.4], [-0.9, 0.3]]),
    "t": np.array([0.6, -1.1, 0.8]),
}


def test_what_overflows_anyway_is_not_shifted() -> None:
    """No guard takes a maximum over all of n, k, i and j, where the adjoint is a product of matrices."""
    equations = [item.equation for item in loads(EXPERTS).derive().schedule.equations]
    assert max(len(equation.indices) for equation in equations) == 3


def test_what_does_not_is_one_exponential() -> None:
    """exp(b - s*t^2 - max + r) for each n, and no maximum over n of what is exp(r)*(sum over n)."""
    equations = [item.equation for item in loads(RATES).derive().schedule.equations]
    assert not any(equation.tensor.startswith("grad_r_max") for equation in equations)
    exponents = (argument_of("exp", node) for equation in equations for node in equation.expression.walk())
    assert any(each is not None and {"r", "b"} <= each.tensors for each in exponents)


@pytest.mark.parametrize(
    ("text", "tensor", "shift"),
    [
        *((text, "p", shift) for text in (EXPERTS, OTHER_ROWS) for shift in (-800.0, 1.0)),
        *((RATES, "r", shift) for shift in (-800.0, 800.0)),
        *((SHARES, "g", shift) for shift in (-800.0, 800.0)),
    ],
)
def test_gradients_are_the_true_ones(text: str, tensor: str, shift: float) -> None:
    model, module = loads(text), module_of(text)
    values = {name: VALUES[name].copy() for name in module.SHAPES}
    values[tensor][0] += shift
    expected = truth(model.system, values, 800)
    with np.errstate(all="ignore"):
        loss, gradients = module.value_and_grad(values)
    for name, found in {"E": loss, **gradients}.items():
        np.testing.assert_allclose(found, expected[name], 1e-10, 1e-10, err_msg=name)


@pytest.mark.parametrize(("dtype", "far"), [(np.float64, 800.0), (np.float32, 95.0)])
def test_a_mixture_of_which_every_term_vanishes_leaves_what_is_added(dtype: type, far: float) -> None:
    model = loads(
        "index n : N\nindex k : K\ninput x[n]\nparam g[k], s[k]\n"
        "f[n] = sum(k, softmax(k, g[k])*exp(s[k] + x[n] - exp(s[k] + x[n])))\n"
        "loss E = -sum(n, log(f[n] + 1e-9))\n"
    )
    module = model.derive().module()
    near, g, s = np.array([0.3, -1.2], dtype), np.array([0.2, -0.7], dtype), np.array([0.5, -0.1], dtype)
    expected = module.value_and_grad({"g": g, "s": s}, near)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        loss, gradients = module.value_and_grad({"g": g, "s": s}, np.append(near, dtype(far)))
    tolerance = 100 * np.finfo(dtype).eps
    np.testing.assert_allclose(loss, expected[0] - np.log(1e-9), rtol=tolerance)
    for name, found in gradients.items():
        np.testing.assert_allclose(found, expected[1][name], rtol=tolerance, atol=tolerance, err_msg=name)


@pytest.mark.parametrize(
    "density", ["exp(-(x[n] - m[k])^2/2)", "exp(-abs(x[n] - m[k]))*softmax(k, m[k])", "exp(-x[n]*m[k]^2)"]
)
def test_what_all_logits_share_takes_no_digits_from_the_densities_that_they_weigh(density: str) -> None:
    model = loads(
        "index n : N\nindex k : K\ninput x[n]\nparam m[k], g[k]\n"
        f"loss L = -mean(n, log(sum(k, softmax(k, g[k])*{density}) + 1e-12))\n"
    )
    module = model.derive().module(verify=False)
    x, m, g = np.array([0.4, 1.3]), np.array([0.3, -0.9, 1.1]), np.array([0.25, -0.5, 1.0])
    expected = module.value_and_grad({"m": m, "g": g}, x)
    for shift in (1e4, 1e6):
        loss, gradients = module.value_and_grad({"m": m, "g": g + shift}, x)
        np.testing.assert_allclose(loss, expected[0], rtol=1e-15)
        for name, found in gradients.items():
            np.testing.assert_allclose(found, expected[1][name], rtol=1e-14, atol=1e-15, err_msg=name)
