"""Axes read in three digits or more: reshapes, where the relation of the sizes gives their places."""

from __future__ import annotations

import numpy as np
import pytest

import symbackprop as sb

AXES = "index n : N\nindex a : A\nindex b : B\nindex c : C\nindex d : D\nindex o : O = A*B*C\n"
# What is read, its equation, and the same over the axes apart.
MODELS = {
    "three digits, one shared": (
        "param z[n,a,b], w[a,c]",
        "y[n,(a b c)] = z[n,a,b]*w[a,c]",
        lambda z, w: np.einsum("nab,ac->nabc", z, w).reshape(len(z), -1),
    ),
    "the middle one alone": (
        "param z[n,b], w[a,c]",
        "y[n,(a b c)] = z[n,b]*w[a,c]",
        lambda z, w: np.einsum("nb,ac->nabc", z, w).reshape(len(z), -1),
    ),
    "a product of matrices": (
        "param z[n,a,b,d], w[d,a,c]",
        "y[n,(a b c)] = sum(d, z[n,a,b,d]*w[d,a,c])",
        lambda z, w: np.einsum("nabd,dac->nabc", z, w).reshape(len(z), -1),
    ),
    "the axis itself beside": (
        "param z[n,a,b], w[a,c], v[o]",
        "u[n,(a b c)] = z[n,a,b]*w[a,c]\ny[n,o] = u[n,o]*v[o]",
        lambda z, w, v: np.einsum("nab,ac->nabc", z, w).reshape(len(z), -1) * v,
    ),
}
SIZES = [dict(n=2, a=3, b=4, c=5, d=6), dict(n=1, a=1, b=2, c=1, d=3), dict(n=3, a=2, b=1, c=3, d=1)]


@pytest.mark.parametrize("name", MODELS)
def test_a_result_packed_of_three_is_a_reshape(name: str) -> None:
    declared, equation, apart = MODELS[name]
    text = f"{AXES}{declared}\n{equation}\nloss E = sum(n, o, y[n,o]^2)\n"
    derivation = sb.loads(text).derive()
    module, (forwards, _, _) = derivation.module(), derivation.to_numpy().partition("\ndef value_and_grad")
    assert "np.arange(O)" not in forwards
    for size in SIZES:
        rng = np.random.default_rng(7)
        sizes = {**size, "o": size["a"] * size["b"] * size["c"]}
        given = {
            part.strip().partition("[")[0]: rng.normal(
                size=[sizes[each] for each in part.partition("[")[2].split(",")]
            )
            for part in declared.removeprefix("param ").replace("], ", "];").replace("]", "").split(";")
        }
        loss, grads = module.value_and_grad(given)
        np.testing.assert_allclose(loss, np.sum(apart(*given.values()) ** 2))
        for key, value in given.items():
            step = rng.normal(size=value.shape)
            ends = [
                np.sum(apart(*{**given, key: value + sign * 1e-5 * step}.values()) ** 2) for sign in (1, -1)
            ]
            np.testing.assert_allclose(np.sum(grads[key] * step), (ends[0] - ends[1]) / 2e-5, rtol=1e-6)


def test_shared_keys_have_an_adjoint_without_deltas() -> None:
    text = (
        f"{AXES}index m : M = A*C\nparam P[n,a,b], v[m]\n"
        "y[n,(a b c)] = P[n,a,b]*v[(a c)]\nloss E = sum(n, o, y[n,o]^3)\n"
    )
    derivation = sb.loads(text).derive()
    assert "delta(floor" not in derivation.result_text()
    assert "np.arange(O)" not in derivation.to_numpy()
    rng = np.random.default_rng(2)
    probabilities, values = rng.normal(size=(2, 3, 4)), rng.normal(size=(3, 5))
    _, grads = derivation.module().value_and_grad({"P": probabilities, "v": values.reshape(-1)})
    slope = 3 * np.einsum("nab,ac->nabc", probabilities, values) ** 2
    np.testing.assert_allclose(grads["v"], np.einsum("nabc,nab->ac", slope, probabilities).reshape(-1))
    np.testing.assert_allclose(grads["P"], np.einsum("nabc,ac->nab", slope, values))


def test_an_axis_that_the_digits_do_not_fill_is_gathered() -> None:
    text = (
        "index n : N\nindex a : A\nindex b : B = 2\nindex o : O = 2*A + 1\nparam z[a,b]\n"
        "y[o] = z[min(floor(o/4), size(a)-1),mod(floor(o/2), 2)]*mod(o, 2)\nloss E = sum(o, y[o]^2)\n"
    )
    z = np.random.default_rng(1).normal(size=(4, 2))
    places = np.arange(9)
    y = z[np.minimum(places // 4, 3), places // 2 % 2] * (places % 2)
    loss, _ = sb.loads(text).derive().module().value_and_grad({"z": z})
    np.testing.assert_allclose(loss, np.sum(y**2))


NAMES_IN_USE = """
index a : A = C*T
index c : C
index t : T
param p[t], q[c]
const w[a,c,t]
v[a,c,t] = FORMULA
loss E = sum(a, c, t, v[a,c,t]*w[a,c,t])
"""


@pytest.mark.parametrize(
    "formula",
    [
        "p[floor(a/size(c))]",
        "q[mod(a,size(c))]",
        "p[floor(a/size(c))]*q[mod(a,size(c))] + p[t]*q[c]",
        "sum(t, p[floor(a/size(c))])",
        "sum(c, 2)*q[mod(a,size(c))]",
    ],
)
def test_the_digits_of_an_index_are_others_than_the_indices_around_them(formula: str) -> None:
    assert sb.loads(NAMES_IN_USE.replace("FORMULA", formula)).check().ok
