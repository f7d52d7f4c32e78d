"""Products of exponentials keep their digits as one: what the exponents' sum loses is put back."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from symbackprop.emission.loading import load_module
from symbackprop.language.model import parse_system
from symbackprop.notation.expressions import Apply
from symbackprop.pipeline import loads
from symbackprop.schedule.driver import ScheduleSource, scheduled
from symbackprop.systems.printing import text
from tests.programs import lower_system, numpy_source
from tests.stability.derived import module_of
from tests.stability.test_random_compositions import truth

HEAD = "index n : N\nindex k, l : K\ninput a[n], b[n], W[n,k], q[n]\n"
TWO = "index n : N\ninput a[n], b[n]\ny[n] = "

KEPT = {
    "y[n] = exp(a[n])*exp(b[n])": "exp_of_sum(a[n], b[n])",
    "y[n] = q[n]*exp(2*a[n])/exp(b[n])": "exp_of_sum(2*a[n], -b[n])",
    "y[n] = exp(-q[n]^2)*exp(b[n])": "exp_of_sum(-q[n]^2, b[n])",
    "y[n] = exp(a[n])*exp(3*b[n])*exp(q[n])": "exp_of_sum(a[n], 3*b[n], q[n])",
    "y[n,k] = exp(W[n,k])*exp(b[n])/sum(l, exp(W[n,l])*exp(b[n]) + 1)": "exp_of_sum(W[n,k], b[n], ",
}
# Typed as one, without a factor that is exact, shifted by a maximum alone, or beside no other exponential.
AS_IT_STANDS = (
    "y[n] = exp(a[n] + b[n])",
    "y[n] = exp(-q[n]^2)*exp(3*b[n])",
    "y[n,k] = exp(W[n,k])/sum(l, exp(W[n,l]))",
    "y[n] = q[n]*exp(a[n])",
)


def forms(model: str) -> list[str]:
    equations = scheduled(ScheduleSource(parse_system(HEAD + model + "\n"))).equations
    nodes = (node for each in equations for node in each.equation.expression.walk())
    return [text(node) for node in nodes if isinstance(node, Apply) and node.function.startswith("exp")]


@pytest.mark.parametrize("model", KEPT)
def test_a_product_with_an_exact_exponent_is_kept(model: str) -> None:
    assert any(each.startswith(KEPT[model]) for each in forms(model)), forms(model)


@pytest.mark.parametrize("model", AS_IT_STANDS)
def test_others_are_left(model: str) -> None:
    found = forms(model)
    assert found
    assert not any(each.startswith("exp_of_sum") for each in found)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("model", ["exp(a[n])*exp(b[n])", "exp(a[n])/exp(b[n])", "exp(b[n])*exp(2*a[n])"])
def test_every_digit_is_there_at_80(model: str, dtype: type[np.floating]) -> None:
    module = load_module(numpy_source(lower_system(parse_system(f"{TWO}{model}\n"))), "kept")
    rng = np.random.default_rng(1)
    a = (rng.choice([-1, 1], 200) * rng.uniform(20, 43, 200)).astype(dtype)
    b = (-a if "2*a" in model else a * rng.choice([-1, 1, 0.25], 200)).astype(dtype)
    found = module.forward({}, a, b)
    with mpmath.workdps(40):
        e = mpmath.exp
        by = {"*exp(b": lambda u, v: u + v, "/exp": lambda u, v: u - v, "2*a": lambda u, v: v + 2 * u}
        of = next(by[each] for each in by if each in model)
        wanted = [e(of(mpmath.mpf(float(u)), mpmath.mpf(float(v)))) for u, v in zip(a, b, strict=True)]
        errors = [abs(mpmath.mpf(float(y)) / true - 1) for y, true in zip(found, wanted, strict=True)]
    assert max(errors) < 4 * np.finfo(dtype).eps


# A mixture of regressions with two kinds of tails: the greatest exponent of both stands in others.
TAILS = """
index n : N
index k : K
input q[n], y[n]
param w[k], b[k], u[k], t[k], s[k]
r[n,k] = y[n] - w[k]*q[n] - b[k]
f[n,k] = 1/2*exp(-abs(r[n,k])/exp(t[k]))/exp(t[k]) + exp(-r[n,k]^2/(2*exp(s[k])^2))/exp(s[k])
loss E = -sum(n, log(sum(k, softmax(k, u[k]*q[n])*f[n,k])))
"""


@pytest.mark.parametrize(("dtype", "rtol"), [(np.float32, 2e-6), (np.float64, 4e-15)])
def test_a_largest_exponent_loses_what_is_put_back_elsewhere(dtype: type[np.floating], rtol: float) -> None:
    near = {
        "w": [-15.7, 12.1],
        "b": [-14.3, 11.6],
        "u": [1.59, -1.26],
        "t": [-1.18, -1.77],
        "s": [-0.96, -3.11],
    }
    near |= {"q": [-1.1423, 2.4, 0.31], "y": [10157.5, 8121.3, 11413.9]}
    model, module = loads(TAILS), module_of(TAILS)
    values = {name: np.asarray(each, dtype) for name, each in near.items()}
    expected = truth(model.system, values, 60)
    given, others = ({each: values[each] for each in names} for names in (module.PARAMETERS, module.INPUTS))
    _, gradients = module.value_and_grad(given, **others)
    np.testing.assert_allclose(gradients["t"], expected["t"], rtol)


@pytest.mark.filterwarnings("error")
def test_of_what_is_infinite_nothing_is_lost() -> None:
    module = load_module(numpy_source(lower_system(parse_system(f"{TWO}exp(a[n])*exp(b[n])\n"))), "inf")
    a, b = np.array([-np.inf, 800.0, -800.0, -np.inf]), np.array([3.0, -800.0, -80.0, 800.0])
    np.testing.assert_array_equal(module.forward({}, a, b), [0.0, 1.0, 0.0, 0.0])
