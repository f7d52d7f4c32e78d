"""Derivatives of functions that stand still somewhere, put into others that are steep there: 0, not 0*inf."""

from __future__ import annotations

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.systems.printing import text

DECLARED = "index b : B\nindex c : C\nparam x[b], y[b], z[b,c], p, q\ninput w[b]\n"
VALUES = {
    "x": np.array([0.7, -0.6, -0.3, 2.0, 0.3]),
    "y": np.array([0.4, 0.5, -0.3, -0.2, 0.6]),
    "z": np.array([[0.1, 0.2], [-0.3, -0.4], [0.4, -1.0], [-0.3, 0.2], [0.2, 0.3]]),
    "p": np.array(2.5),
    "q": np.array(0.7),
}
WEIGHTS = np.arange(1.0, 6.0)


def derived(equations: str) -> sb.ModelDerivation:
    return sb.loads(f"{DECLARED}{equations}\n").derive()


def closed_form(equations: str, tensor: str = "x") -> str:
    return text(derived(equations).derivation.gradients[tensor].expression)


@pytest.mark.parametrize(
    "equations",
    [
        "r[b] = relu(x[b])\nloss E = sum(b, w[b]*sqrt(r[b])*exp(x[b]))",
        "loss E = sum(b, w[b]*(relu(x[b])^p*relu(x[b])^q + sqrt(relu(y[b])*relu(x[b]))))",
        "loss E = sum(b, w[b]*(asin(max(min(x[b], 1), -1)) + where(y[b] > 0, y[b], 0)^0.5))",
        "loss E = sum(b, w[b]*sqrt(sum(c, relu(z[b,c])))) + prod(b, sum(c, sqrt(relu(z[b,c]))))",
        "loss E = sum(b, w[b]*max(c, sqrt(relu(z[b,c]))))/(1 + sum(b, relu(x[b])^(1/3)))",
        "r[b] = relu(x[b])\nu[b] = relu(r[b] - y[b])\nloss E = sum(b, w[b]*sqrt(u[b]))",
        "loss E = sum(b, w[b]*(max(x[b], 0)^p + abs(y[b])^1.5))",
    ],
)
def test_the_gradient_is_finite_and_right_where_the_value_is(equations: str) -> None:
    derivation = derived(equations)
    derivation.replay()
    module = derivation.module()
    with np.errstate(all="ignore"):
        _, gradients = module.value_and_grad(VALUES, w=WEIGHTS)
        for name, gradient in gradients.items():
            rng = np.random.default_rng(0)
            direction = rng.normal(size=VALUES[name].shape)
            ends = [{**VALUES, name: VALUES[name] + step * direction} for step in (1e-6, -1e-6)]
            slope = np.subtract(*(module.loss(end, w=WEIGHTS) for end in ends)) / 2e-6
            assert np.sum(gradient * direction) == pytest.approx(slope, rel=1e-6, abs=1e-8), name


def is_masked(derivation: sb.ModelDerivation) -> bool:
    adjoints = derivation.derivation.adjoints
    steps = [step for each in adjoints for step in each.steps]
    steps += [step for each in adjoints for factor in each.factors for step in factor.further]
    return any(step.rule.name == "keep under the mask" for step in steps)


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ("sqrt(relu(x[b]))", "1/2*where(x[b] > 0, 1/sqrt(relu(x[b])), 0)"),
        ("relu(x[b])^p", "where(p != 0 and x[b] > 0, p*relu(x[b])^(p - 1), 0)"),
        ("asin(min(x[b], 1))", "where(x[b] <= 1, 1/sqrt(1 - x[b]^2), 0)"),
    ],
)
def test_what_may_be_undefined_stands_under_the_mask(loss: str, expected: str) -> None:
    derivation = derived(f"loss E = sum(b, {loss})")
    assert text(derivation.derivation.gradients["x"].expression) == expected
    assert is_masked(derivation)


@pytest.mark.parametrize(
    "loss",
    [
        "relu(x[b])^1.5",
        "relu(x[b])/y[b]",
        "relu(x[b])*log(y[b]) + relu(x[b])/y[b]^2",
        "sqrt(1 + relu(x[b]))",
        "norm(c, z[b,c])*relu(x[b])/norm(c, z[b,c])^2",
        "log(relu(x[b]))",
        "norm(c, relu(z[b,c])*y[b])",  # by convention its derivative at 0 is 0
        "sqrt(sum(c, where(c <= b, z[b,c], 0)))",  # a contraction with a mask of indices
    ],
)
def test_what_asks_for_no_more_than_the_loss_does_stays_beside_it(loss: str) -> None:
    derivation = derived(f"loss E = sum(b, {loss})")
    assert not is_masked(derivation)


def test_a_recurrence_reads_itself_under_a_root() -> None:
    recurrence = "s[b] = where(b == 0, 0, s[b-1]) + x[b]^2"
    derivation = derived(f"{recurrence}\nloss E = sum(b, relu(y[b])*sqrt(s[b]))")
    assert is_masked(derivation)
    derivation.replay()


def test_a_name_that_may_be_undefined_stands_for_no_part_of_what_is_defined() -> None:
    """sqrt(x)*exp(y) is 0 at x = 0, and 2*x*(the gradient of x) no number."""
    equations = "loss E = sum(b, w[b]*sqrt(x[b])*exp(y[b]))"
    assert closed_form(equations, "y") == "w[b]*sqrt(x[b])*exp(y[b])"


def test_at_the_kink_the_convention_decides_and_a_cusp_has_no_derivative() -> None:
    module = derived("loss E = sum(b, sqrt(relu(x[b])) + max(y[b], 0)^0.5 + sqrt(abs(z[b,0])))").module()
    values = {name: np.zeros_like(array) for name, array in VALUES.items()}
    with np.errstate(all="ignore"):
        _, gradients = module.value_and_grad(values, w=WEIGHTS)
    assert not gradients["x"].any()  # relu'(0) = 0
    assert np.isposinf(gradients["y"]).all()  # max(y, 0) is y at a tie
    assert np.isnan(gradients["z"][:, 0]).all()


LEFT = "index i, j, k : D\nparam c[i,j], u[i], lam\n"


@pytest.mark.parametrize(
    ("loss", "tensor", "expected"),
    [
        ("lam*sum(i, j, (1 - delta(i,j))*c[i,j]^4)", "lam", "sum(i, j, where(i != j, c[i,j]^4, 0))"),
        ("sum(i, u[i]*sum(j, (1 - where(i == j, 1, 0))*c[i,j]))", "u", "sum(j, where(i != j, c[i,j], 0))"),
        ("sum(i, u[i]*sum(j, c[i,j]^2 - delta(i,j)*c[i,j]^2))", "u", "sum(j, where(i != j, c[i,j]^2, 0))"),
        ("sum(i, u[i]*(sum(j, c[i,j]) - c[i,i]))", "u", "sum(j, c[i,j]) - c[i,i]"),  # as typed
        ("sum(i, u[i]*sum(j, (2 - delta(i,j))*c[i,j]))", "u", "2*sum(j, c[i,j]) - c[i,i]"),  # no mask
    ],
)
def test_what_a_mask_leaves_is_a_mask(loss: str, tensor: str, expected: str) -> None:
    derivation = sb.loads(f"{LEFT}loss E = {loss}\n").derive()
    derivation.replay()
    assert text(derivation.derivation.gradients[tensor].expression) == expected


@pytest.mark.parametrize(
    "equations",
    [
        "loss E = lam*sum(i, u[i]*sum(j, (1 - delta(i,j))*c[i,j]^2))",
        "m[i,j] = 1 - delta(i,j)\nloss E = sum(i, u[i]*sum(j, k, m[j,k]*c[i,j]*c[i,k]*m[i,j]))",
        "y[i] = sum(j, (1 - delta(j,i))*tanh(c[i,j])*u[j])\n"
        "g[i,j] = diff(y[i], u[j])\nloss E = sum(i, j, (1 - delta(i,j))*g[i,j]^2)",
    ],
)
def test_what_is_left_out_takes_no_digits_along(equations: str) -> None:
    """A diagonal that is 1e8 times the rest, in float32, as near the end of a training for decorrelation."""
    derivation = sb.loads(f"{LEFT}{equations}\n").derive()
    derivation.replay()
    module = derivation.module()
    rng = np.random.default_rng(2)
    c = rng.normal(size=(4, 4)) * np.where(np.eye(4), 1e4, 1e-4)
    params = {"c": c, "u": rng.normal(size=4), "lam": np.asarray(0.7)}
    params = {name: value.astype(np.float32) for name, value in params.items()}
    exact = module.grad({name: value.astype(float) for name, value in params.items()})
    for name, gradient in module.grad(params).items():
        truth = exact[name]
        assert np.all(np.abs(gradient - truth) <= 1e-5 * np.abs(truth) + 1e-12 * np.abs(truth).max()), name


MASKS = ("h <= k and w[h] > 0", "h == k or w[h] > 0", "abs(h - k) <= 1 and w[h] > 0")


@pytest.mark.parametrize("mask", MASKS)
def test_a_mask_of_order_and_data_is_asked_for_no_more_than_the_model_asks(mask: str) -> None:
    """The divisor of a share, a sum over h, has a free index, which the derivative calls otherwise."""
    found = sb.loads(
        "index k, h : K\ninput w[h], g[k,h]\nparam u[k,h]\n"
        f"a[k,h] = where({mask}, exp(u[k,h]), 0)/sum(h, where({mask}, exp(u[k,h]), 0))\n"
        "loss E = sum(k, h, g[k,h]*a[k,h])\n"
    ).derive()
    adjoint = found.derivation.gradients["u"].expression
    assert text(adjoint) == "a[k,h]*(g[k,h] - sum(h', g[k,h']*a[k,h']))"
    assert not is_masked(found)
