"""Sigmoids too small for a number: beside their reciprocals, in sums, products, choices and logarithms."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from symbackprop.exponentials.complements import as_sigmoids, difference_from_probability
from symbackprop.exponentials.meanings import Meanings
from symbackprop.language.model import parse_system
from symbackprop.notation.expressions import Add
from symbackprop.pipeline import loads
from symbackprop.systems.printing import text
from tests.stability.derived import module_of
from tests.stability.test_far_data import drawn, truth
from tests.stability.test_random_compositions import HEAD, expect_the_truth

KINDS = {
    "cancel in a sum": "log(sigmoid(u[b])*(1 - 1/(1 + exp(u[b] - q[b]))))",
    "beside softplus": "sigmoid(-u[b])*(exp(u[b])/softplus(u[b]))*tanh(q[b])",
    "sigmoid beside an exponential": "log(exp(u[b]) + sigmoid(u[b] - q[b]))",
    "ratio of sigmoids": "sigmoid(u[b])/(sigmoid(u[b]) + sigmoid(q[b])^2)",
    "inflated by zeros": "log(sigmoid(u[b]) + sigmoid(-u[b])*exp(-softplus(q[b])))",
    "exponential times a sum": "tanh(q[b])/(1 + exp(u[b])*(exp(-q[b]) + 2*exp(u[b] - q[b])))",
    "difference of powers": "log(sigmoid(u[b]) - sigmoid(u[b])^2)*q[b]",
    "complement of a mean": "log(1 - (sigmoid(u[b]) + sigmoid(q[b]))/2)",
    "complement of a product": "log(1 - sigmoid(u[b])*sigmoid(q[b]))",
    "difference of sigmoids": "log(sigmoid(u[b] + 2) - sigmoid(u[b] - 1))*tanh(q[b])",
}

T = "index t, s : T\nparam u[t], q[t]\ninput v[t]\n"
MODELS = {
    "choice of a sigmoid": "p[t] = sigmoid(u[t])\nr[t] = where(v[t] > 0, p[t], 1 - p[t])\n"
    "loss E = -sum(t, (1 - r[t])^3*log(r[t]) + q[t]*v[t])\n",
    "probability of the target": "p[t] = sigmoid(u[t])\nr[t] = v[t]*p[t] + (2 - v[t])*(1 - p[t])\n"
    "loss E = -sum(t, (2 - r[t])^2*log(r[t]) + q[t]*v[t])\n",
    "hazards": "h[t] = sigmoid(u[t])\nS[t] = prod(s, where(s <= t, 1 - h[s], 1))\n"
    "loss E = -sum(t, v[t]*log(h[t]*S[t])) + sum(t, q[t])\n",
    "geometric mean": "loss E = prod(t, exp(u[t]/100))^(1/size(t))*sum(t, v[t]) + sum(t, q[t])\n",
    "mask in the other branch": "Z = sum(t, where(v[t] <= 0, 0, exp(u[t])))\n"
    "loss E = sum(t, tanh(q[t])*where(v[t] <= 0, 0, exp(u[t]))/Z)\n",
    "product of three": "p[t] = sigmoid(u[t])\nr = sigmoid(q[1])\n"
    "loss E = sum(t, v[t]*log(1 - r*p[t]^2)) + sum(t, q[t])\n",
    "odds of a mean over an axis": "m = mean(t, sigmoid(u[t] - q[0]))\nloss E = 2*log(1 - m) - log(m)\n",
    "weighted by a softmax": "a[t] = softmax(t, v[t])\nloss E = q[1] + log(1 - sum(t, a[t]*sigmoid(u[t])))\n",
    "noisy and": "r = prod(t, sigmoid(u[t]))\nloss E = 2*log(1 - r) + log(r) + sum(t, q[t])\n",
    "survival up to each time": "S[t] = prod(s, where(s <= t, 1 - sigmoid(u[s]), 1))\n"
    "loss E = sum(t, v[t]*log(1 - S[t]) + (2 - v[t])*log(S[t])) + sum(t, q[t])\n",
    "gates of a mixture by names": "p[t] = sigmoid(-abs(u[t]))\nw[t] = p[t]*(1 - sigmoid(abs(q[t])))\n"
    "loss E = -log(sum(t, w[t]*exp(v[t])))\n",
    "gates of gates": "p[t] = sigmoid(u[t])\nw[t] = p[t]*prod(s, where(s > t, 1 - p[s], 1))\n"
    "y = sum(t, w[t]*exp(v[t] - q[t]))\nloss E = -log(y)\n",
    "reciprocals of a product in a sum": "p[t] = sigmoid(u[t])\nS = prod(t, p[t])\n"
    "loss E = sum(t, log(1 + v[t]^2)*q[t]) + log(S)*tanh(q[0]) + log(S)\n",
    "between two thresholds": "F[t] = sigmoid(q[0] - u[t])\nG[t] = sigmoid(q[0] + 1 - u[t])\n"
    "loss E = -sum(t, log(G[t] - F[t])*(1 + v[t]^2))\n",
    "pairs told from others by a sign": "z[t,s] = v[s]*u[t] - q[t]\n"
    "loss E = -sum(t, s, log(sigmoid((1 - 2*delta(t,s))*z[t,s])))\n",
    "pairs without a name": "loss E = -sum(t, s, log(sigmoid((1 - 2*delta(t,s))*(v[s]*u[t] - q[t]))))\n",
    "shares of sigmoids": "loss E = sum(t, v[t]*sigmoid(u[t]))/sum(t, sigmoid(u[t])) + sum(t, q[t])\n",
}


@pytest.mark.parametrize("name", KINDS)
def test_kinds(name: str) -> None:
    expect_the_truth(HEAD.format(KINDS[name]), 1)


@pytest.mark.parametrize("name", MODELS)
def test_models(name: str) -> None:
    model = loads(T + MODELS[name])
    derivation = model.derive()
    module = derivation.module(verify=False)
    for dtype, scale, rtol in ((np.float64, 800.0, 1e-9), (np.float32, 80.0, 3e-4)):
        values = drawn(model.system, scale, dtype, 4, {"T": 3})
        expected = truth(model.system, values, tuple(derivation.gradients), 900)
        with np.errstate(all="ignore"):
            loss, gradients = module.value_and_grad({"u": values["u"], "q": values["q"]}, v=values["v"])
        for tensor, found in {"E": loss, **gradients}.items():
            atol = rtol * max(float(np.max(np.abs(expected[tensor]))), 1e-3)
            np.testing.assert_allclose(
                found, expected[tensor], rtol=rtol, atol=atol, err_msg=f"{tensor} {scale}"
            )


def test_a_probability_and_its_mean_with_another() -> None:
    """(p - m)/(m - m^2), m = (p + r)/2, is not 0/0 where p and r are near 1."""
    model = loads(
        "param u, q\np = sigmoid(u)\nm = (p + sigmoid(q))/2\nloss E = p*log(m) + (1 - p)*log(1 - m)\n"
    )
    module = model.derive().module(verify=False)
    for u, q in ((790.0, 800.0), (12.0, -800.0)):
        values = {"u": np.array(u), "q": np.array(q)}
        expected = truth(model.system, values, ("u", "q"), 900)
        with np.errstate(all="ignore"):
            loss, gradients = module.value_and_grad(values)
        for name, found in {"E": loss, **gradients}.items():
            np.testing.assert_allclose(found, expected[name], rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize(
    ("difference", "expected"),
    [
        ("(q - p)/p", "q*sigmoid(-u)/p - (1 - q)"),
        ("(p - q)*u/(1 - p)", "-q*u + (1 - q)*p*u/(1 - p)"),
        ("(q - p)/q", None),
        ("(2*q - p)/p", None),
    ],
)
def test_a_difference_from_a_probability(difference: str, expected: str | None) -> None:
    system = parse_system(f"param u, q\np = sigmoid(u)\ny = {difference}\n")
    meanings = Meanings({"p": (0, system.equations[0])}, known=1)
    found = difference_from_probability(system.equations[1].expression, meanings)
    assert (None if found is None else text(found)) == expected


@pytest.mark.parametrize("probability", ["1 - 2*p", "1 - p*q", "2 - p - q"])
def test_what_is_no_complement(probability: str) -> None:
    system = parse_system(f"param u, q\np = sigmoid(u)\ny = {probability}\n")
    meanings = Meanings({"p": (0, system.equations[0])}, known=1)
    total = system.equations[1].expression
    assert isinstance(total, Add)
    found = as_sigmoids(total, meanings)
    expected = "sigmoid(-u) + p*(1 - q)" if probability == "1 - p*q" else None
    assert (None if found is None else text(found)) == expected


def test_a_sum_that_has_no_reciprocal_stays_as_it_is() -> None:
    source = loads("index i : I\nparam u[i]\nloss E = sum(i, sigmoid(u[i])*(tanh(u[i]) + 2))\n").derive()
    assert "softplus" not in source.to_numpy(verify=False)


def test_the_logarithms_of_a_mean_by_its_name_are_finite() -> None:
    """And those of what is left of 1 beside it, as in the divergence of Jensen and Shannon; no gradient."""
    model = loads(
        "param u, q\np = sigmoid(u)\nr = sigmoid(q)\nm = (p + 3*r)/4\n"
        "loss E = log(m) - log((1 - r)/(1 - m))\n"
    )
    module = model.derive().module(verify=False)
    for far, other in ((-800.0, -790.0), (790.0, 800.0), (-3.0, 30.0)):
        with mpmath.workdps(800):
            p, r = (1 / (1 + mpmath.exp(-mpmath.mpf(each))) for each in (far, other))
            m = (p + 3 * r) / 4
            expected = mpmath.log(m) - mpmath.log((1 - r) / (1 - m))
        with np.errstate(all="ignore"):
            found, _ = module.value_and_grad({"u": np.array(far), "q": np.array(other)})
        assert abs(found - float(expected)) < 1e-13 * abs(float(expected))


NOISY_OR = "index n : N\nindex i : I\nparam u[n,i]\n{}loss E = -sum(n, log({}))\n"


@pytest.mark.parametrize(
    ("names", "one_of_them"),
    [
        ("", "1 - prod(i, 1 - sigmoid(u[n,i]))"),
        ("p[n,i] = sigmoid(u[n,i])\n", "1 - prod(i, (1 - p[n,i])^1)"),
        ("p[n,i] = sigmoid(u[n,i])\nr[n] = 1 - prod(i, where(i >= 0, 1 - p[n,i], 1))\n", "r[n]"),
    ],
)
def test_one_of_several_small_probabilities(names: str, one_of_them: str) -> None:
    """A noisy or: p_i/(1 - prod(1 - p)) is a softmax of u where all p are small."""
    module = loads(NOISY_OR.format(names, one_of_them)).derive().module(verify=False)
    for u in ([-800.0, -799.0, -802.0], [-300.0, -299.0, -302.0], [-60.0, -60.0, -60.0], [2.0, -1.0, -70.0]):
        with mpmath.workdps(800):
            p = [1 / (1 + mpmath.exp(-mpmath.mpf(each))) for each in u]
            none = mpmath.fprod(1 - each for each in p)
            loss, gradient = -mpmath.log(1 - none), [float(-none * each / (1 - none)) for each in p]
        found, grads = module.value_and_grad({"u": np.array([u])})
        np.testing.assert_allclose(found, float(loss), rtol=1e-13)
        np.testing.assert_allclose(grads["u"][0], gradient, rtol=1e-12)


LEAK = """index n : N
index i : I
param u[n,i], l
target y[n]
r[n] = 1 - (1 - sigmoid(l))*prod(i, 1 - sigmoid(u[n,i]))
loss E = -sum(n, y[n]*log(r[n]) + (1 - y[n])*log(1 - r[n]))
"""


@pytest.mark.parametrize("leak", [-790.0, 1.0, 750.0])
def test_a_noisy_or_with_a_leak_by_its_name(leak: float) -> None:
    """Both logarithms, and what is left of 1 where the target is 1 and the probability near it."""
    u = np.array([[-800.0, -799.0], [40.0, 30.0], [700.0, -3.0], [-800.0, 20.0], [2.0, -750.0]])
    y = np.array([1.0, 1.0, 0.0, 0.5, 0.0])
    with mpmath.workdps(1600):
        p = [[1 / (1 + mpmath.exp(-mpmath.mpf(each))) for each in (*row, leak)] for row in u]
        none = [mpmath.fprod(1 - each for each in row) for row in p]
        rows = list(zip(p, none, map(mpmath.mpf, y), strict=True))
        loss = -mpmath.fsum(t * mpmath.log(1 - no) + (1 - t) * mpmath.log(no) for _, no, t in rows)
        by = np.array([[float(each * (1 - t - t * no / (1 - no))) for each in row] for row, no, t in rows])
    module = loads(LEAK).derive().module(verify=False)
    found, gradients = module.value_and_grad({"u": u, "l": np.array(leak)}, y=y)
    np.testing.assert_allclose(found, float(loss), rtol=1e-13)
    np.testing.assert_allclose(gradients["u"], by[:, :2], rtol=1e-11)
    np.testing.assert_allclose(gradients["l"], np.sum(by[:, 2]), rtol=1e-11)


DECAY = """index n : N
param d[n], c
k[n] = exp(-exp(d[n])*c^2)
loss E = sum(n, log(1 - k[n]) + tanh((1 - k[n])/exp(d[n])))
"""


def test_what_an_exponential_by_its_name_leaves_of_one() -> None:
    """Beside 1 a decay that has hardly begun is nothing; its logarithm and its rate are not."""
    model = loads(DECAY)
    values = {"d": np.array([-650.0, -30.0, 0.3, 2.0]), "c": np.array(0.7)}
    loss, gradients = model.derive().module(verify=False).value_and_grad(values)
    for tensor, expected in truth(model.system, values, ("d", "c"), 700).items():
        found = {"E": loss, **gradients}.get(tensor, loss)
        np.testing.assert_allclose(found, expected, rtol=1e-12, err_msg=tensor)


def test_a_difference_of_opposite_sigmoids_keeps_its_digits_beside_a_softmax() -> None:
    """dE/du = -softmax*tanh(u/2): of max(2*u, 0) - 3*softplus(u), as an exponent, rounding is left."""
    model = "index k : K\nparam u[k], w[k]\nloss E = logsumexp(k, w[k] - softplus(u[k]) - softplus(-u[k]))\n"
    module = module_of(model)
    u, w = np.array([1e7, -1e7, 1e7]), np.array([1.0, 2.0, -1.0])
    data = {"u": u.astype(np.float32), "w": w.astype(np.float32)}
    _, gradients = module.value_and_grad(data)
    _, exact = module.value_and_grad({name: array.astype(np.float64) for name, array in data.items()})
    np.testing.assert_allclose(exact["u"], -exact["w"] * np.sign(u))
    np.testing.assert_allclose(gradients["u"], exact["u"], rtol=1e-6)
