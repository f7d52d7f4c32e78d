"""What the range of a precision hides of its digits, and data that coincide."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.accuracy.coincidences import rounding_decides
from symbackprop.accuracy.evaluations import AsTyped
from symbackprop.accuracy.measuring import digits_of_model, digits_of_module
from symbackprop.accuracy.report import Verdict
from symbackprop.derivation.driver import derive
from symbackprop.language.model import parse_system
from symbackprop.pipeline import loads
from symbackprop.targets.numpy.target import NUMPY

PARTITION = """
index n : N
index k : K
input t[n]
param x[n,k]
a[n] = logsumexp(k, x[n,k])
loss E = sum(n, a[n]*t[n])
"""
SPRINGS = """
index n, m : N
index d : D
param x[n,d]
r[n,m] = norm(d, x[n,d] - x[m,d])
loss E = sum(n, m, where(n < m, r[n,m]*exp(-r[n,m]), 0))
"""


@pytest.fixture
def edited(tmp_path):
    """A module whose text was changed, in a file."""

    def edit(text, old, new):
        source = loads(text, "edited").derive().to_numpy()
        assert old in source
        path = tmp_path / "edited.py"
        path.write_text(source.replace(old, new), encoding="utf-8")
        return path

    return edit


def test_digits_lost_beyond_the_range_of_the_chain_rule_as_typed_are_found(edited):
    """exp(x) overflows as typed, so that any digit at all would do, were exponents not of any size."""
    model = parse_system(PARTITION, "edited")
    whole = digits_of_module(edited(PARTITION, "max_k_x", "max_k_x"), model, budget=60)
    assert whole.ok and "x + 1e4 alone" in whole.data
    broken = edited(PARTITION, "np.exp(x - max_k_x[:, None])", "np.exp((x - max_k_x[:, None]).astype('f2'))")
    worse = {
        row.data for row in digits_of_module(broken, model, budget=60).rows if row.verdict is not Verdict.KEPT
    }
    assert "x + 1e4 alone" in worse


@pytest.mark.parametrize("function", ["exp", "softplus", "log1p", "sigmoid", "erf", "lgamma", "mish"])
def test_with_exponents_of_any_size_the_digits_are_those_of_the_precision(function):
    system = parse_system(f"index i : I\nparam u[i]\nloss E = sum(i, {function}(u[i])*u[i])/3\n")
    as_typed = AsTyped(derive(system, ("u",)))
    values = {"u": np.array([0.7, 2.5, 11.0])}
    truth = as_typed.truth(values, {"I": 3}, 0.0)
    for precision in (np.float32, np.float64):
        found = list(as_typed.unbounded(precision, values, {"I": 3}))
        errors = [truth.relative_error(name, each[name], precision) for each in found for name in ("E", "u")]
        assert 0.0 < max(errors) < 20 * np.finfo(precision).eps
        bounded = [
            truth.relative_error("u", each["u"], precision)
            for each in as_typed.rounded(precision, values, {"I": 3})
        ]
        assert max(errors) < 20 * max(bounded)


def test_special_functions_are_measured_in_both_precisions():
    text = "index n : N\ninput y[n]\nparam k\nloss E = sum(n, lgamma(y[n]^2 + exp(k)) - digamma(exp(k)))\n"
    report = digits_of_model(NUMPY, parse_system(text), budget=60)
    assert {row.precision for row in report.rows} == {"float32", "float64"}


def test_a_gradient_that_is_none_where_points_are_the_same_is_found(edited):
    model = parse_system(SPRINGS, "edited")
    source = loads(SPRINGS, "edited").derive().to_numpy()
    assert digits_of_module(edited(SPRINGS, "grads", "grads"), model, budget=60).ok
    (line,) = (each for each in source.splitlines() if each.lstrip().startswith("grads = "))
    broken = edited(
        SPRINGS, line, f"    grad_x = grad_x + 0 * np.nansum(r / r * 0) + np.sum(0 / (r + np.eye(N)))\n{line}"
    )
    worse = {
        row.data for row in digits_of_module(broken, model, budget=60).rows if row.verdict is Verdict.WORSE
    }
    assert "in pairs" in worse and "plain" not in worse


def test_whether_rounding_decides_at_a_kink():
    system = parse_system("index k : K\nparam x[k]\nloss E = max(sum(k, x[k]) - 1, 0)\n")
    for numbers, decides in (([0.25, 0.75], False), ([0.1, 0.2, 0.7], True), ([0.5, 1.0], False)):
        assert rounding_decides(system, {"x": np.array(numbers)}, {"K": len(numbers)}) is decides
