"""Adjoints read a name as it stands where the model does, and it is infinite only where the loss is."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.derivation.driver import derive
from symbackprop.exponentials.names_followed import infinite_with, names_left_plain, resolved
from symbackprop.language.model import parse_system
from symbackprop.pipeline import loads
from symbackprop.schedule.driver import schedule_of
from symbackprop.systems.printing import equation_text
from tests.stability.derived import module_of
from tests.stability.test_random_compositions import truth

HEAD = "index n : N\ninput x[n]\nparam w[n], a, b, c\n"

# What is left plain where nothing has been shifted.
PLAIN = {
    "y[n] = exp(a)*x[n]\nloss E = sum(n, (y[n] - w[n])^2)": {"E", "y"},
    "y[n] = exp(a)*x[n]\nz[n] = y[n] + b\nloss E = sqrt(sum(n, z[n]^2))": {"E", "y", "z"},
    "y[n] = exp(a)*x[n]\nloss E = sum(n, log(1 + y[n]^2))": {"E"},
    "y[n] = exp(a)*x[n]\nz[n] = y[n] + b\nloss E = sum(n, sqrt(z[n]))": {"E"},
    "y[n] = exp(a)*x[n]\nloss E = sum(n, y[n]^2) + log(sum(n, exp(-y[n]*w[n])))": {"E", "y"},
    "y[n] = exp(a)*x[n]\nloss E = sum(n, y[n]^2) + log(sum(n, y[n]*exp(-w[n])))": {"E"},
    "y[n] = exp(a)*x[n]\nloss E = sum(n, y[n]^2) + log(sum(n, exp(-sqrt(y[n]))))": {"E"},
    "y[n] = exp(a)*x[n]\nloss E = sum(n, w[n]/(1 + y[n]))": {"E"},
    "y[n] = exp(x[n])\nloss E = sum(n, y[n]) + sum(n, log(2*y[n] + 1/5))": {"E", "y"},
    "y[n] = exp(x[n])\nloss E = sum(n, y[n]) + sum(n, log(2*y[n] - 1/5))": {"E"},
    "y[n] = exp(x[n])\nloss E = sum(n, y[n]) + sqrt(sum(n, y[n]) + 1/5)": {"E", "y"},
    "y[n] = -exp(x[n])\nloss E = sum(n, y[n]^2) + sqrt(sum(n, y[n]) + 1/5)": {"E"},
    "y[n] = exp(a)*x[n]\nloss E = sum(n, where(w[n] > 0, y[n], 0))": {"E"},
    "y[n] = exp(a)*x[n]\nloss E = y[0]": {"E"},
    "s[n] = where(n == 0, exp(a), s[n-1]/2 + b/s[n-1])\nloss E = (s[size(n)-1] - c)^2": {"E", "s"},
    "s[n] = where(n == 0, exp(a), t[n-1])\nt[n] = s[n]*b\nloss E = sum(n, t[n])": {"E"},
}


@pytest.mark.parametrize("typed", PLAIN)
def test_names_left_plain(typed: str) -> None:
    equations = parse_system(f"{HEAD}{typed}\n").equations
    assert (
        names_left_plain([(each, each) for each in equations], infinite_with("E", equations)) == PLAIN[typed]
    )


def test_what_a_form_has_been_put_in_for_is_followed() -> None:
    head = f"{HEAD}e[n] = exp(w[n])\ns = sum(n, e[n])\n"
    before, after = (
        parse_system(f"{head}y[n] = {y}\nloss E = sum(n, (e[n] - y[n])^2)\n").equations
        for y in ("e[n]/s", "e[n]/sum(n, exp(w[n]))")
    )
    assert names_left_plain(list(zip(before, before, strict=True)), infinite_with("E", before)) == {
        "E",
        "y",
        "e",
    }
    assert names_left_plain(list(zip(before, after, strict=True)), infinite_with("E", before)) == {"E", "y"}


HILL = (
    "index n : N\ninput x[n]\ntarget d[n]\nparam lv, lk, h\n"
    "r[n] = exp(lv)*x[n]^h/(exp(lk)^h + x[n]^h)\nloss E = 1/2*sum(n, (r[n] - d[n])^2)\n"
)


@pytest.mark.parametrize(("reach", "h"), [(1e-9, 20.0), (1e6, 20.0), (0.33, 300.0)])
def test_small_concentrations(reach: float, h: float) -> None:
    """The power of exp(lk) meets the sum that it is a part of before a product with another underflows."""
    values = {
        "x": np.array([0.5, 1.0, 2.0, 3.0]) * reach,
        "d": np.array([0.3, 0.2, 0.9, 0.1]),
        "lv": np.array(0.2),
        "lk": np.log(np.array(1.9 * reach)),
        "h": np.array(h),
    }
    loss, gradients = module_of(HILL).value_and_grad(
        {each: values[each] for each in ("lv", "lk", "h")}, values["x"], values["d"]
    )
    expected = truth(loads(HILL).system, values, 800)
    for each, found in {"E": loss, **gradients}.items():
        np.testing.assert_allclose(found, expected[each], 1e-9, err_msg=each)


def test_a_recurrence_that_is_computed_plainly_has_plain_adjoints() -> None:
    typed = (
        "index k : K\nindex j : J = 4\nparam a[k], s[k]\n"
        "y[j,k] = where(j == 0, exp(s[k]), 1/2*(y[j-1,k] + exp(a[k])/y[j-1,k]))\n"
        "loss E = sum(k, (y[3,k] - 1)^2)\n"
    )
    formulas = [equation_text(each.equation) for each in schedule_of(derive(parse_system(typed))).equations]
    assert not any("max(" in each for each in formulas), formulas


def test_a_vector_of_sigmoids_that_is_0_has_the_slope_0_of_its_norm() -> None:
    """The slope of a learnt distance, beside exp(-beta): a unit vector of nothing is 0 by convention."""
    typed = (
        "index n : N\nindex d : D\nindex h : H\nparam u[n,h], W[h,d], v[h], beta\n"
        "f[n] = sum(h, v[h]*softplus(u[n,h])/exp(beta))\ng[n,d] = sum(h, v[h]*sigmoid(u[n,h])*W[h,d])\n"
        "loss E = mean(n, (norm(d, g[n,d]) - 1)^2 + abs(f[n]))\n"
    )
    values = {"u": np.ones((2, 3)), "W": np.ones((3, 2)), "v": np.zeros(3), "beta": np.array(0.5)}
    _, gradients = module_of(typed).value_and_grad(values)
    assert all(np.all(each == 0) for each in gradients.values())


WINDOWS = (
    "index n : N\nindex r : R = 3\nparam w[n], x[n], a\nden[n] = 2 + exp(a)*sum(r, pad(w[n+r-1])^2)\n"
    "loss E = sum(n, x[n]/den[n]^(3/4))\n"
)


def test_a_sum_over_windows_is_not_added_up_for_each_window_that_reads_it() -> None:
    items = [each.equation for each in schedule_of(derive(parse_system(WINDOWS))).equations]
    most = max(len({*each.free_indices}) for item in items for each in item.expression.walk())
    assert most == 2, [equation_text(each) for each in items]


@pytest.mark.parametrize("a", [0.3, 80.0, 350.0, -800.0])
def test_a_sum_over_windows_keeps_its_digits(a: float) -> None:
    values = {"w": np.array([0.4, -1.5, 0.7, 2.0]), "x": np.array([1.0, -0.5, 0.25, 3.0]), "a": np.array(a)}
    loss, gradients = module_of(WINDOWS).value_and_grad(values)
    expected = truth(loads(WINDOWS).system, values, 800)
    for each, found in {"E": loss, **gradients}.items():
        scale = float(np.max(np.abs(expected[each])))
        np.testing.assert_allclose(found, expected[each], 1e-12, 1e-13 * scale, err_msg=each)


def test_what_another_question_lacks_of_a_name_is_found_for_that_question() -> None:
    """It was sought for the question that met it, and found there again and again."""
    sizes: dict[str, int] = {}
    signs: dict[str, bool] = {}

    def size_of(name: str) -> int:
        return 1 if name == "a" else 1 + resolved(chr(ord(name) - 1), sizes, 0, size_of, True)

    def is_even(name: str) -> bool:
        return resolved(name, sizes, 0, size_of, True) % 2 == 0

    assert resolved("d", signs, False, is_even, False)
    assert sizes == {"a": 1, "b": 2, "c": 3, "d": 4} and signs == {"d": True}


def test_a_total_correlation_reads_its_samples_as_they_stand() -> None:
    """Where log-sum-exp reads a sample that the loss squares, no adjoint needs to see through it."""
    typed = (
        "index n, m : N\nindex d : D\ninput e[n,d]\nparam mu[n,d], lv[n,d]\n"
        "z[n,d] = mu[n,d] + exp(lv[n,d]/2)*e[n,d]\n"
        "lq[n,m,d] = -1/2*((z[n,d] - mu[m,d])^2*exp(-lv[m,d]) + lv[m,d])\n"
        "lz[n] = logsumexp(m, sum(d, lq[n,m,d]))\nlp[n] = sum(d, logsumexp(m, lq[n,m,d]))\n"
        "loss L = sum(n, lz[n] - lp[n] + sum(d, z[n,d]^2))\n"
    )
    values = {
        "e": np.array([[0.5, -1.0], [0.3, 0.7], [-0.4, 1.5]]),
        "mu": np.array([[0.1, -0.2], [1.0, 0.6], [-0.9, 0.3]]),
        "lv": np.array([[79.5, -80.5], [-80.0, 80.5], [81.0, 79.0]]),
    }
    single = {each: value.astype(np.float32) for each, value in values.items()}
    module = module_of(typed)
    with np.errstate(over="ignore", invalid="ignore"):  # of pairs whose share is 0
        _, gradients = module.value_and_grad({each: single[each] for each in ("mu", "lv")}, single["e"])
    exact = {each: value.astype(float) for each, value in single.items()}
    expected = truth(loads(typed).system, exact, 400)
    np.testing.assert_allclose(gradients["mu"], expected["mu"], 1e-5)


TRANSPORT = (
    "index n : N\nindex m : M\ninput C[n,m], a[n], b[m]\nparam x[n,m]\n"
    "f[n] = a[n] - logsumexp(m, -C[n,m] - x[n,m])\ng[m] = b[m] - logsumexp(n, f[n] - C[n,m] - x[n,m])\n"
    "P[n,m] = exp(f[n] + g[m] - C[n,m] - x[n,m])\n"
    "loss E = sum(n, m, P[n,m]*C[n,m]) + sum(n, m, P[n,m]*log(P[n,m] + 1e-3))"
    " + sum(n, (sum(m, P[n,m]) - 1)^2)\n"
)


def test_a_logarithm_of_a_number_and_a_plan_reads_the_plan_that_the_loss_sums() -> None:
    typed = TRANSPORT.replace("sum(n, (sum(m, P[n,m]) - 1)^2)", "sum(n, log(1 + sum(m, P[n,m])))")
    items = [each.equation for each in schedule_of(derive(parse_system(typed))).equations]
    formulas = [equation_text(each) for each in items]
    assert any("= P[n,m] + 0.001" in each for each in formulas), formulas
    assert any("log1p(" in each for each in formulas), formulas
    assert not any("max(" in each for each in formulas if "P" in each), formulas


def test_a_plan_keeps_its_digits_where_all_costs_are_large() -> None:
    values = {
        "C": 1e6 + np.array([[0.5, -1.0, 0.25], [2.0, 0.0, 1.5]]),
        "a": np.array([0.2, -0.3]),
        "b": np.array([0.1, 0.4, -0.2]),
        "x": np.array([[0.3, 0.1, -0.6], [0.2, 0.5, 0.1]]),
    }
    _, gradients = module_of(TRANSPORT).value_and_grad({"x": values["x"]}, *(values[each] for each in "Cab"))
    expected = truth(loads(TRANSPORT).system, values, 60)["x"]
    np.testing.assert_allclose(gradients["x"], expected, 0, 1e-7 * np.max(np.abs(expected)))
