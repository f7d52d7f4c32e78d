"""Readings that a condition keeps inside, whatever else it says; each was once wrong or refused."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from symbackprop.derivation.driver import derive
from symbackprop.emission.loading import load_module
from symbackprop.language.model import parse_system
from symbackprop.lowering.programs import lower
from symbackprop.systems.printing import equation_text
from tests.models.classics import small_sample
from tests.models.judges import assert_close
from tests.models.step_checker import check_every_step, total_gradient
from tests.programs import numpy_source

ALONG = "index n : N\ninput y[n]\nparam x[n]\n"
STEPS = "index t, s : T\ninput x[t]\nparam w\nloss E = sum(t, h[t]^2)\n"
STATES = "index t, s : T\nindex j, k : J\ninput x[t,j]\nparam w\nloss E = sum(t, j, h[t,j]^2)\n"
PLACES = "index n : N\nindex v : V = 6\ninput y[n] in V\nparam A[v]\n"

MODELS = {
    # what is compared is read at another position
    "a value beside": ALONG + "loss E = sum(n, where(n > 0, relu(x[n-1] - 2*x[n]), 0))\n",
    "the larger of two": ALONG + "loss E = sum(n, where(n > 0, max(x[n-1], x[n]), y[n]*x[n]))\n",
    "a value beside, in the condition": ALONG + "loss E = sum(n, where(n > 0 and y[n-1] > 0, x[n]^2, 0))\n",
    "a where within a where": ALONG + "loss E = sum(n, where(n > 0, where(y[n-1] > 0, x[n]*y[n], 0), 0))\n",
    "a window of values": ALONG
    + "index r : R = 3\nparam w[r]\nloss E = sum(n, sum(r, where(0 <= n+r-1 and n+r-1 < size(n), "
    "where(y[n] < y[n+r-1], w[r]*x[n+r-1], 0), 0))^2)\n",
    # what keeps the reading inside stands beside what does not
    "values first": ALONG + "loss E = sum(n, where(x[n] > 0 and n > 0, x[n-1]*x[n], x[n]^3))\n",
    "ends of two axes": "index i, j : I\ninput y[i,j]\nparam x[i,j]\n"
    "loss E = sum(i, j, y[i,j]*where(i > 0 and j > 0, x[i-1,j-1]*x[i,j], "
    "where(i > 0, x[i-1,j], where(j > 0, x[i,j-1], 1))))\n",
    "either of two": STEPS + "h[t] = where(t == 0 or x[t] < 0, x[t]*w, h[t-1]*w)\n",
    "neither of two": STEPS
    + "h[t] = where(not (t == 0) and not (x[t] < 0 or x[t] > 2), sin(h[t-1]*w), x[t]*w)\n",
    "not either of two": STEPS + "h[t] = where(not (x[t] > 1 or t < 1), sin(h[t-1]*w), x[t]*w)\n",
    "not either, in a sum": ALONG + "loss E = sum(n, where(not (y[n] < 0 or n == 0), x[n-1]*x[n]^2, x[n]))\n",
    "a gate": STATES + "h[t,j] = where(t == 0, w*x[t,j], where(h[t-1,j] > 0, w*h[t-1,j], x[t,j]))\n",
    # the place is arithmetic on a lookup
    "a place beside": PLACES + "loss E = sum(n, where(y[n] + 1 < size(v), A[y[n]+1]*A[y[n]], 0))\n",
    "a place beyond": PLACES + "loss E = sum(n, pad(A[2*y[n]-1])^3)\n",
    # a recurrence over all earlier steps, read by what gets a name of its own
    "a function of a sum": STATES
    + "h[t,j] = x[t,j]*w + sum(s, where(s < t, tanh(sum(k, x[t,k]*h[s,k])), 0))\n",
    "a sum squared": STATES + "h[t,j] = x[t,j]*w + sum(s, where(s < t, sum(k, x[t,k]*h[s,k])^2, 0))\n",
    # what stands inside the `where` that keeps the steps apart needs its guard too
    "a place beside the step": STEPS + "h[t] = x[t]*w + sum(s, where(s < t and s > 0, x[s-1]*h[s], 0))\n",
    "a divisor that is 0 at the first step": STEPS
    + "g[t] = t\nh[t] = x[t]*w + sum(s, where(s < t and s > 0, h[s]/g[s], 0))\n",
    "a state that is 0 at the first step, by the data before": STATES
    + "h[t,j] = where(t == 0, 0, where(x[t-1,j] > 0, h[t-1,j] + x[t,j], sigmoid(w)*h[t-1,j]))\n",
    "the largest so far": STEPS + "h[t] = where(t == 0, w, sin(max(s, where(s < t, h[s], -10)) + w*x[t]))\n",
}


@pytest.mark.parametrize("name", MODELS)
def test_equations_and_module(name: str) -> None:
    system = parse_system(MODELS[name])
    derivation = derive(system)
    module = load_module(numpy_source(lower(derivation)), "guarded")
    for smallest in (1, 2, 5):
        sizes = {
            axis.name: axis.size or smallest + (place if smallest > 1 else 0)
            for place, axis in enumerate(system.axes)
        }
        values, _ = small_sample(system, sizes)
        if smallest == 2:
            assert check_every_step(derivation, values, sizes) > 0
        params = {name: values[name] for name in module.PARAMETERS}
        others = {name: value for name, value in values.items() if name not in params}
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            _, gradients = module.value_and_grad(params, **others)
        for wrt, found in gradients.items():
            expected = total_gradient(derivation.system, values, sizes, wrt)
            assert found.shape == expected.shape
            assert_close(found, expected, f"{wrt}, sizes {sizes}")


def test_far_arguments_of_a_product_with_a_sigmoid() -> None:
    """e^(a-b) and e^(b-a) are one atom, so that sigmoid's derivative is found and nothing overflows."""
    model = ALONG + "loss E = sum(n, where(n > 0, x[n-1]*sigmoid(x[n-1] - x[n]), 0))\n"
    module = load_module(numpy_source(lower(derive(parse_system(model)))), "far")
    for x, expected in (([0.0, 800.0], [0.0, 0.0]), ([800.0, 0.0], [1.0, 0.0])):
        _, gradients = module.value_and_grad({"x": np.array(x)}, y=np.zeros(2))
        np.testing.assert_allclose(gradients["x"], expected, atol=1e-300)


def test_binary_cross_entropy_of_a_sigmoid_without_a_name() -> None:
    """Bishop, Pattern Recognition and Machine Learning (2006), 4.91."""
    model = """
index n : N
input y[n]
param z[n]
loss E = -sum(n, y[n]*log(sigmoid(z[n])) + (1 - y[n])*log(1 - sigmoid(z[n])))/size(n)
"""
    forms = [equation_text(equation) for equation in derive(parse_system(model)).equations]
    assert forms == ["grad_z[n] = (sigmoid(z[n]) - y[n])/size(n)"]


def test_a_scalar_recurrence_has_one_adjoint_a_step() -> None:
    model = STEPS + "h[t] = tanh(w*x[t] + pad(h[t-1]))\n"
    forms = [equation_text(equation) for equation in derive(parse_system(model)).equations]
    assert "grad_w = sum(t, delta_u_h[t]*x[t])" in forms


def test_a_division_by_a_probability_goes_where_another_term_reads_it_too() -> None:
    """Cross-entropy with an entropy bonus: 1/p would make the gradient nan where p is 0 to all digits."""
    model = """
index n : N
index k : K
input u[n,k], d[n,k]
param w
z[n,k] = w*u[n,k]
p[n,k] = exp(z[n,k])/sum(k, exp(z[n,k]))
loss E = -sum(n, k, d[n,k]*log(p[n,k])) + 1/10*sum(n, k, p[n,k]^2)
fact sum(k, d[n,k]) == 1
"""
    module = load_module(numpy_source(lower(derive(parse_system(model), ["z", "w"]))), "bonus")
    u, d = np.array([[800.0, 0.0]]), np.array([[0.0, 1.0]])
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        _, gradients = module.value_and_grad({"w": np.array(1.0)}, u=u, d=d)
    np.testing.assert_allclose(gradients["z"], [[1.0, -1.0]], rtol=1e-12)
