"""Closed forms on data that are far from 0: what is written, and how many digits float32 keeps."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import numpy as np
import pytest

from symbackprop.derivation.driver import derive
from symbackprop.derivation.result import Derivation
from symbackprop.emission.loading import load_module
from symbackprop.language.model import parse_system
from symbackprop.lowering.programs import lower
from symbackprop.semantics.naive import Array
from symbackprop.systems.printing import equation_text
from symbackprop.systems.system import Role, System
from tests.models.autograd_oracle import loss_and_gradients
from tests.models.step_checker import check_every_step
from tests.programs import numpy_source

SIZES = {"N": 5, "M": 3, "K": 3, "D": 4}


@dataclass(frozen=True)
class Shifted:
    """A model, what its gradient is, and the middles that its data are drawn around (0 by default)."""

    model: str
    gradients: tuple[str, ...]
    middles: dict[str, float] = field(default_factory=dict)
    error: float = 2e-5  # of float32, where the largest element is 1


MODELS = {
    "a softmax of squared distances": Shifted(
        "index n : N\nindex k : K\nindex d : D\ninput x[n,d], t[n,k]\nparam c[k,d], g\n"
        "a[n,k] = -g*sum(d, (x[n,d] - c[k,d])^2)\np[n,k] = exp(a[n,k])/sum(k, exp(a[n,k]))\n"
        "loss E = sum(n, k, (p[n,k] - t[n,k])^2)",
        (
            "delta_p[n,k] = 2*(p[n,k] - t[n,k])",
            "delta_a[n,k] = p[n,k]*(delta_p[n,k] - sum(k', delta_p[n,k']*p[n,k']))",
            "grad_c[k,d] = 2*sum(n, delta_a[n,k]*(x[n,d] - c[k,d]))*g",
            "grad_g = -sum(n, k, delta_a[n,k]*sum(d, (x[n,d] - c[k,d])^2))",
        ),
        {"x": 1e3, "c": 1e3},
    ),
    "an inverse quadric kernel": Shifted(
        "index n : N\nindex m : M\nindex d : D\ninput x[n,d], w[n,m]\nparam c[m,d], e\n"
        "K[n,m] = 1/(1 + e^2*sum(d, (x[n,d] - c[m,d])^2))\nloss L = sum(n, m, w[n,m]*K[n,m])",
        (
            "grad_c[m,d] = 2*sum(n, w[n,m]*K[n,m]^2*(x[n,d] - c[m,d]))*e^2",
            "grad_e = -2*sum(n, m, w[n,m]*K[n,m]^2*sum(d, (x[n,d] - c[m,d])^2))*e",
        ),
        {"x": 300.0, "c": 300.0},
    ),
    "a variance of differences": Shifted(
        "index n : N\nparam a[n], b[n]\nloss L = log(0.01 + var(n, a[n] - b[n]))",
        (
            "grad_a[n] = 2*(a[n] - b[n] - sum(n', a[n'] - b[n'])/size(n))"
            "/(0.01*size(n) + sum(n', (a[n'] - b[n'] - sum(n'', a[n''] - b[n''])/size(n))^2))",
            "grad_b[n] = -grad_a[n]",
        ),
        {"a": 1e4, "b": 1e4},
    ),
    "a deviation less what is the same for all": Shifted(
        "index n : N\nindex k : K\ninput w[k], v[k]\nparam u[n,k]\n"
        "loss E = sum(k, w[k]*sqrt(1 + var(n, v[k] - u[n,k])))",
        (
            "grad_u[n,k] = w[k]*(-(v[k] - u[n,k]) - sum(n', u[n',k] - v[k])/size(n))"
            "/(sqrt(1 + sum(n', (v[k] - u[n',k] - sum(n'', v[k] - u[n'',k])/size(n))^2)/size(n))*size(n))",
        ),
        {"u": 1e3, "v": 1e3},
    ),
    "an unsquared distance": Shifted(
        "index n : N\nindex m : M\nindex d : D\nparam p[n,d], q[m,d]\nconst a[n,m]\n"
        "r[n,m] = sqrt(sum(d, (p[n,d] - q[m,d])^2) + 0.01)\nloss L = sum(n, m, a[n,m]*r[n,m]^3)",
        (
            "grad_p[n,d] = sum(m, delta_r[n,m]*(p[n,d] - q[m,d])/r[n,m])",
            "grad_q[m,d] = sum(n, delta_r[n,m]*(q[m,d] - p[n,d])/r[n,m])",
        ),
        {"p": 1e4, "q": 1e4},
        1e-4,
    ),
    "a standardised regression": Shifted(
        "index n : N\nindex d : D\ninput x[n,d], t[n]\nparam w[d], b\nm[d] = mean(n, x[n,d])\n"
        "s[d] = sqrt(mean(n, (x[n,d] - m[d])^2) + 0.001)\n"
        "y[n] = sum(d, w[d]*(x[n,d] - m[d])/s[d]) + b\nloss E = 1/2*sum(n, (y[n] - t[n])^2)",
        (
            "delta_y[n] = y[n] - t[n]",
            "grad_w[d] = sum(n, delta_y[n]*xhat_y[n,d])",
            "grad_b = sum(n, delta_y[n])",
        ),
        {"x": 100.0},
        1e-3,  # the mean itself is rounded
    ),
    "a weighted variance": Shifted(
        "index n : N\nindex d : D\nconst z[n,d], m[d]\nparam a[d]\n"
        "loss E = sum(n, d, a[d]*(z[n,d] - m[d])^2)",
        ("grad_a[d] = sum(n, (z[n,d] - m[d])^2)",),
        {"z": 1e4, "m": 1e4},
    ),
    "a gate that is nearly shut": Shifted(
        "index n : N\nparam u[n], b[n], v[n]\ny[n] = (1 + exp(u[n])*v[n])/(b[n]^2 + 1 + exp(u[n]))\n"
        "loss E = sum(n, y[n]^2)",
        (),
        {"u": -25.0},
    ),
    "an exponential unit": Shifted(
        "index n : N\nparam u[n], a\nconst g[n]\nf[n] = where(u[n] > 0, u[n], a*(exp(u[n]) - 1))\n"
        "loss E = sum(n, g[n]*f[n])",
        (
            "grad_u[n] = g[n]*where(u[n] > 0, 1, a*exp(u[n]))",
            "grad_a = sum(n, g[n]*where(u[n] <= 0, exp(u[n]) - 1, 0))",
        ),
        {"u": -20.0},
    ),
    "the nearest of several centres": Shifted(
        "index n : N\nindex m : M\nindex d : D\nconst x[n,d]\nparam c[m,d]\n"
        "loss E = sum(n, min(m, sum(d, (x[n,d] - c[m,d])^2)))",
        (),
        {"x": 1e3, "c": 1e3},
    ),
    "factors of a matrix with biases": Shifted(
        "index n : N\nindex m : M\nindex d : D\ninput r[n,m], f[n,m]\nparam w[n,d], v[m,d], b[n], c[m]\n"
        "loss E = 1/2*sum(n, m, f[n,m]*(sum(d, w[n,d]*v[m,d]) + b[n] + c[m] - r[n,m])^2)",
        (
            "delta_r_E[n,m] = f[n,m]*r_E[n,m]",
            "grad_b[n] = sum(m, delta_r_E[n,m])",
            "grad_c[m] = sum(n, delta_r_E[n,m])",
        ),
    ),
    "decimals as they were typed": Shifted(
        "index n : N\ninput g[n]\nparam p[n]\nloss E = sum(n, g[n]*p[n]*log(p[n] + 0.001))",
        ("grad_p[n] = g[n]*(log(p[n] + 0.001) + p[n]/(p[n] + 0.001))",),
    ),
    "decimals of a cubic": Shifted(
        "index n : N\ninput g[n]\nparam u[n]\n"
        "loss E = sum(n, g[n]*0.5*u[n]*(1 + tanh(0.7978845608*(u[n] + 0.044715*u[n]^3))))",
        (),
        {"u": -3.0},
    ),
    "a kernel with a typed width": Shifted(
        "index n : N\nindex m : M\nindex d : D\ninput x[n,d], c[m,d], w[n,m]\nparam l\n"
        "K[n,m] = exp(-sum(d, (x[n,d] - c[m,d])^2)/(2*l^2))\nloss E = sum(n, m, w[n,m]*K[n,m])",
        ("grad_l = sum(n, m, w[n,m]*sum(d, (x[n,d] - c[m,d])^2)*K[n,m])/l^3",),
        {"x": 500.0, "c": 500.0},
    ),
    "a penalty that is nearly 0": Shifted(
        "index n : N\ninput r[n]\nparam p[n], b\nloss E = b*mean(n, exp(r[n] - p[n]) - (r[n] - p[n]) - 1)",
        ("grad_b = sum(n, exp(r[n] - p[n]) - (r[n] - p[n]) - 1)/size(n)",),
    ),
    "one neuron": Shifted(
        "index n : N\ninput x[n], g[n]\nparam w, b\ny[n] = sigmoid(w*x[n] + b)\nloss E = sum(n, g[n]*y[n])",
        ("grad_w = sum(n, g[n]*x[n]*y[n]*(1 - y[n]))", "grad_b = sum(n, g[n]*y[n]*(1 - y[n]))"),
        {"b": 3.0},
    ),
}


def drawn(system: System, middles: dict[str, float], seed: int) -> dict[str, Array]:
    """Numbers that float32 holds, so that both precisions are given the same."""
    rng = np.random.default_rng(seed)
    return {
        tensor.name: np.float64(
            np.float32(
                middles.get(tensor.name, 0)
                + rng.uniform(0.3, 1.3, [SIZES[i.axis.name] for i in tensor.indices])
            )
        )
        for tensor in system.tensors.values()
        if tensor.role is not Role.DERIVED
    }


@cache
def derived(name: str) -> Derivation:
    return derive(parse_system(MODELS[name].model))


@pytest.mark.parametrize("name", MODELS)
def test_form(name: str) -> None:
    shifted, derivation = MODELS[name], derived(name)
    forms = [equation_text(equation) for equation in derivation.equations]
    assert set(shifted.gradients) <= set(forms), forms
    assert check_every_step(derivation, drawn(derivation.model, {}, 0), dict(SIZES)) > 0


@pytest.mark.parametrize("name", MODELS)
def test_float32(name: str) -> None:
    """The emitted module in float32 against reverse accumulation by another library in float64."""
    shifted, derivation = MODELS[name], derived(name)
    system = derivation.model
    module = load_module(numpy_source(lower(derivation)), "shifted")
    for seed in range(3):
        values = drawn(system, shifted.middles, seed)
        _, expected = loss_and_gradients(system, values, SIZES, derivation.wrt)
        single = {key: np.float32(array) for key, array in values.items()}
        parameters = {key: single[key] for key in module.PARAMETERS}
        others = {key: single[key] for key in single if key not in parameters}
        _, found = module.value_and_grad(parameters, **others)
        for tensor, right in expected.items():
            size = np.max(np.abs(right))
            np.testing.assert_allclose(
                found[tensor], right, rtol=0, atol=shifted.error * size, err_msg=tensor
            )
