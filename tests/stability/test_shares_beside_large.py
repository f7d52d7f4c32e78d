"""Shares of a softmax beside exponentials that are as large as the shares are small: p*exp(f).

They are one exponential, whose exponent starts with the difference that the share has: f + g - max(k, f + g)
is 0 to the last digit for the largest, though f is lost beside g.
"""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.exponentials.meanings import Meanings
from symbackprop.language.model import parse_system
from symbackprop.pipeline import loads
from symbackprop.stability.multiples import differences_first
from symbackprop.systems.printing import text
from tests.stability.derived import module_of
from tests.stability.test_random_compositions import truth

MIXTURE = "index n : N\nindex k : K\ninput y[n]\nparam g[k], m[k], s[k]\n"
MIXTURES = {
    "normalised gates": "lg[k] = g[k] - logsumexp(k, g[k])\n"
    "ll[n,k] = -s[k] - 1/2*(y[n] - m[k])^2*exp(-2*s[k])\nloss L = -mean(n, logsumexp(k, lg[k] + ll[n,k]))",
    "precisions": "loss L = -sum(n, logsumexp(k, g[k] + s[k]/2 - 1/2*(y[n] - m[k])^2*exp(s[k])))",
    "named scale": "r[k] = exp(s[k])\nz[n,k] = (y[n] - m[k])/r[k]\n"
    "loss L = -sum(n, logsumexp(k, g[k] - 1/2*z[n,k]^2 - s[k]))",
    "Laplace": "loss L = -sum(n, logsumexp(k, g[k] - s[k] - abs(y[n] - m[k])*exp(-s[k])))",
}


@pytest.mark.parametrize("name", MIXTURES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_mixtures_keep_their_digits_in_the_tails(name, dtype):
    """One component is far more probable than the others, whose scales make exp(-2*s) overflow."""
    text = MIXTURE + MIXTURES[name]
    model, module = loads(text), module_of(text)
    reach = dtype(44.0 if dtype is np.float32 else 350.0)
    sign = -1.0 if name == "precisions" else 1.0
    largest = 0.8 if name == "Laplace" else 0.4
    values = {
        "y": np.array([3.25, -1.5], dtype),
        "m": np.array([3.0, -1.25, 0.5, 0.25], dtype),
        "g": np.array([0.9, -0.7, 0.2, 0.6], dtype) * reach,
        "s": np.array([-largest, 0.3, -1.9, -0.2], dtype) * sign * reach,
    }
    wide = {each: array.astype(np.float64) for each, array in values.items()}
    expected = truth(model.system, wide, 800)
    with np.errstate(all="ignore"):
        loss, gradients = module.value_and_grad({each: values[each] for each in "gms"}, y=values["y"])
    tolerance = 1e-4 if dtype is np.float32 else 1e-11
    for each, found in {"L": loss, **gradients}.items():
        scale = float(np.max(np.abs(expected[each])))
        np.testing.assert_allclose(found, expected[each], tolerance, tolerance * scale, err_msg=each)


def test_each_of_several_differences_is_taken_by_itself() -> None:
    """Temperatures exp(b) of a log-sum-exp in a log-sum-exp: s*u is 1e46, and v - b of the order of 100."""
    model = loads(
        "index k : K\nindex j : J\nparam u[k,j], b[k]\ns[k] = exp(b[k])\n"
        "v[k] = logsumexp(j, s[k]*u[k,j])/s[k]\nloss L = logsumexp(k, v[k] - b[k])\n"
    )
    values = {
        "u": np.array([[100.1, 99.9, 100.6], [99.4, 101.3, 100.4]]),
        "b": np.array([100.9, 100.5]),
    }
    loss, gradients = model.derive().module(verify=False).value_and_grad(values)
    for each, found in {"L": loss, **gradients}.items():
        np.testing.assert_allclose(found, truth(model.system, values, 800)[each], 1e-12, 1e-12, err_msg=each)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("h[k] + g[k] - max(l, g[l])", "g[k] - max(l, g[l]) + h[k]"),
        ("h[k] + f + g[k] - max(l, f + g[l])", "f + g[k] - max(l, f + g[l]) + h[k]"),
        ("-3*g[k] + h[k] - max(l, h[l] - g[l])", "h[k] - g[k] - max(l, h[l] - g[l]) - 2*g[k]"),
        (
            "f - max(l, g[l]) - max(l, h[l]) + h[k] + g[k]",
            "(g[k] - max(l, g[l])) + (h[k] - max(l, h[l])) + f",
        ),
        ("h[k] - max(l, g[l]) + g[k] - max(l, g[l])", "g[k] - max(l, g[l]) + h[k] - max(l, g[l])"),
        (
            "h[k] + max(l, where(h[l] != 0, g[l], -1e38)) - max(l, g[l])",
            "(max(l, where(h[l] != 0, g[l], -1e38)) - max(l, g[l])) + h[k]",
        ),
        ("h[k] + max(l, h[l]) - max(l, g[l])", None),
        ("g[k] - max(l, g[l]) + h[k]", None),
        ("h[k] + 1/2*g[k] - max(l, g[l])", None),
        ("h[k] - g[k] - max(l, g[l])", None),
        ("h[k] + f - max(l, f + g[l])", None),
        ("h[k] + g[k] - 2*max(l, g[l])", "g[k] - max(l, g[l]) + h[k] - max(l, g[l])"),
        (
            "h[k] + g[k] - 2*max(g[k], h[k])",
            "(g[k] - max(g[k], h[k])) + (h[k] - max(g[k], h[k]))",
        ),
        ("h[k] + 2*g[k] - 2*max(l, g[l])", "2*(g[k] - max(l, g[l])) + h[k]"),
        ("f + g[k] - max(l, g[l]) - max(l, f + g[l])", "f + g[k] - max(l, f + g[l]) - max(l, g[l])"),
        (
            "g[k] - max(f, h[k] + max(l, g[l])) + h[k]",
            "h[k] + max(l, g[l]) - max(f, h[k] + max(l, g[l])) + (g[k] - max(l, g[l]))",
        ),
        ("h[k] + max(l, g[l]) - max(f, h[k] + max(l, g[l]))", None),
        ("g[k] - max(f, h[k] + 2*max(l, g[l])) + h[k]", None),
        (
            "g[k] - max(f, h[k] + max(0, g[k])) + h[k]",
            "h[k] + max(0, g[k]) - max(f, h[k] + max(0, g[k])) + (g[k] - max(0, g[k]))",
        ),
        ("g[k] - max(f, h[k] + max(0, g[k])) + f", "f - max(f, h[k] + max(0, g[k])) + g[k]"),
        ("g[k] - max(f, h[k] + max(0, g[k])) + h[k]*f", None),
        ("h[k] - max(f, h[k] + max(0, g[k])) + h[k]*f", None),
        (
            "h[k] + f*(f^2 - g[k]) - max(l, -f*(g[l] - f^2))",
            "-f*(g[k] - f^2) - max(l, -f*(g[l] - f^2)) + h[k]",
        ),
    ],
)
def test_differences_first(typed, expected):
    head = "index k, l : K\nparam g[k], h[k], f\n"
    found = differences_first(parse_system(f"{head}y[k] = {typed}\n").definitions["y"].expression, Meanings())
    assert (found and text(found)) == expected


FAR = {
    # The mean of g by the shares is as large as g, which is taken off it.
    "logits around 1e6": (
        "u[k] = g[k]*exp(-t)\nloss L = logsumexp(k, u[k] - logsumexp(k, u[k]) - s[k])",
        {"g": 1e6 + np.array([0.5, -0.25, 1.0]), "s": np.array([0.3, 1.1, -0.4]), "t": np.array(0.25)},
        np.float64,
    ),
    # The largest exponent is a sum of t and a maximum, which t rounds off.
    "a scale of exp(1e10)": (
        "loss L = log(exp(s[1]) + exp(t)*sum(k, exp(g[k]*s[k])))",
        {"g": np.array([0.7, -0.3, 1.1]), "s": np.array([0.3, 1.1, -0.4]), "t": np.array(1e10)},
        np.float64,
    ),
    # Of exponents around 1e43 the largest rounds off t, and is known the other way round: exp(w)*(y - x).
    "a scale beside 1e43": (
        "loss L = sum(k, log(exp(t) + exp(t/2)*sum(l, exp(-exp(s[k])*(g[k] - g[l])))))",
        {"g": np.array([0.7, -0.3, 1.1]), "s": np.array([100.0, 98.0, 99.0]), "t": np.array(90.0)},
        np.float64,
    ),
    # All exponents are below -1e33, which float32 holds.
    "precisions of 1e34": (
        "loss L = logsumexp(k, g[k] - exp(s[k])*abs(t)) + t",
        {"g": np.array([1.0, 0.5, 2.0]), "s": np.array([78.5, 79.0, 80.0]), "t": np.array(0.5)},
        np.float32,
    ),
}


@pytest.mark.parametrize("name", FAR)
def test_far_from_0(name: str) -> None:
    typed, values, dtype = FAR[name]
    model = loads(f"index k, l : K\nparam g[k], s[k], t\n{typed}\n")
    narrow = {each: array.astype(dtype) for each, array in values.items()}
    expected = truth(model.system, {each: array.astype(np.float64) for each, array in narrow.items()}, 800)
    loss, gradients = model.derive().module(verify=False).value_and_grad(narrow)
    for each, found in {"L": loss, **gradients}.items():
        scale = float(np.max(np.abs(expected[each])))
        tolerance = 1e-5 if dtype is np.float32 else 1e-8
        np.testing.assert_allclose(found, expected[each], tolerance, tolerance * scale, err_msg=each)


FAR_FROM_0 = {
    "a mixture of tables, looked up": (
        "index k : K\nindex v : V\nindex n : N\ninput y[n] in V\nparam a[k], b[k,v]\n"
        "p[k] = softmax(k, a[k])\nq[k,v] = softmax(v, b[k,v])\nm[v] = sum(k, p[k]*q[k,v])\n"
        "loss L = -sum(n, log(m[y[n]])) + sum(v, m[v]^2)\n",
        {"y": np.array([1, 0, 1])},
        {"a": (3,), "b": (3, 2)},
    ),
    "a form that is quadratic in shares": (
        "index i, j : I\ninput D[i,j], c[i]\nparam z[i]\np[i] = softmax(i, z[i])\n"
        "r[i] = p[i]*sum(j, D[i,j]*p[j])/sum(i, j, p[i]*D[i,j]*p[j])\nloss L = sum(i, c[i]*r[i]^2)\n",
        {"D": np.array([[0.0, 1.5, 0.5], [1.5, 0.0, 2.0], [0.5, 2.0, 0.0]]), "c": np.array([0.5, -1.0, 2.0])},
        {"z": (3,)},
    ),
    "shares of a difference that the model states": (
        "index n : N\nindex k : K\ninput c[n,k], a[k]\nparam z[n,k]\np[n,k] = softmax(k, z[n,k])\n"
        "m[n] = sum(k, p[n,k]*exp(a[k] - c[n,k]^2))\nloss L = sum(n, log(m[n])^2)\n",
        {"c": np.array([[0.3, -1.2, 0.7], [1.1, 0.2, -0.4]]), "a": np.array([0.5, 1.5, -0.8])},
        {"z": (2, 3)},
    ),
    "shares of a difference of three, weighed twice": (
        "index n : N\nindex k : K\ninput c[n,k], b[k]\nparam z[n,k]\np[n,k] = softmax(k, z[n,k])\n"
        "m[n] = sum(k, p[n,k]*exp(c[n,k] + b[k] - c[n,k]*b[k]))\ny[n] = sum(k, p[n,k]*(c[n,k] - b[k]))\n"
        "loss L = sum(n, log(m[n])*y[n])\n",
        {"c": np.array([[0.3, -1.2, 0.7], [1.1, 0.2, -0.4]]), "b": np.array([0.1, -0.5, 0.9])},
        {"z": (2, 3)},
    ),
}


@pytest.mark.parametrize("name", FAR_FROM_0)
def test_each_share_is_shifted_by_its_own_largest_before_they_are_multiplied(name: str) -> None:
    """f + g - m - n - k, where f and g are 1e6, is rounded by 1e-10; (f - m) + (g - n) - k is not."""
    text, others, shapes = FAR_FROM_0[name]
    rng = np.random.default_rng(4)
    values = {each: rng.normal(size=shape) + 1e6 for each, shape in shapes.items()}
    expected = truth(loads(text).system, {**values, **others}, 60)
    loss, gradients = module_of(text).value_and_grad(values, **others)
    for each, found in {"L": loss, **gradients}.items():
        scale = float(np.max(np.abs(expected[each])))
        np.testing.assert_allclose(found, expected[each], 1e-14, 1e-14 * scale, err_msg=each)
