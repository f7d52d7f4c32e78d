"""argmax and argmin as integers: codebooks, and one-hot vectors with a straight-through gradient."""

from __future__ import annotations

import re

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.language.model import parse_system
from symbackprop.systems.printing import system_text
from tests.models.judges import judge

CODEBOOK = """
index n : N
index k : K
index d : D
param C[k,d], w[d]
input z[n,d]
h[n,d] = w[d]*z[n,d]
q[n,d] = C[argmin(k, sum(d, (h[n,d] - C[k,d])^2)), d]
loss E = sum(n, d, (stop(h[n,d]) - q[n,d])^2) + 1/4*sum(n, d, (h[n,d] - stop(q[n,d]))^2)
"""
ONE_HOT = """
index n : N
index k, l : K
param W[k], v[l]
input x[n,k]
p[n,k] = softmax(k, W[k]*x[n,k])
s[n,k] = p[n,k] + stop(delta(argmax(k, W[k]*x[n,k]), k) - p[n,k])
loss E = sum(n, k, s[n,k]*v[k]) + sum(n, argmin(k, x[n,k])*v[argmax(k, x[n,k])])
"""


def test_the_nearest_code_before_its_judges() -> None:
    derivation = judge(CODEBOOK, sizes={"N": 4, "K": 3, "D": 2}, steps=False)
    assert "argmin(k" in system_text(derivation.system) and "argmax" not in system_text(derivation.system)


def test_positions_that_are_an_output_and_all_that_a_gradient_counts() -> None:
    """The module gives v as integers; a gradient of whole numbers has not been rounded to float32."""
    text = """
index n : N
index k : K
input x[n], c[k]
param p
v[n] = argmax(k, x[n]*c[k])
loss E = p*sum(n, v[n] + floor(x[n]))
"""
    model = sb.loads(text)
    assert model.check().ok
    x, c = np.array([-1.5, 2.0]), np.array([1.0, 3.0, 2.0])
    found = model.derive().module().forward({"p": 1.0}, x, c)
    assert found.dtype.kind == "i" and found.tolist() == [0, 1]


def test_a_codebook_learns_from_the_vectors_that_choose_a_code() -> None:
    derivation = sb.loads(CODEBOOK).derive()
    module = derivation.module()
    codes = np.array([[0.0, 0.0], [10.0, 10.0], [-5.0, 0.0]])
    vectors = np.array([[1.0, 2.0], [9.0, 9.0], [-1.0, 1.0], [8.0, 11.0]])
    loss, grads = module.value_and_grad({"C": codes, "w": np.ones(2)}, z=vectors)
    chosen = np.array([0, 1, 0, 1])
    np.testing.assert_allclose(loss, 1.25 * np.sum((vectors - codes[chosen]) ** 2), rtol=1e-15)
    expected = np.zeros((3, 2))
    np.add.at(expected, chosen, 2 * (codes[chosen] - vectors))
    np.testing.assert_allclose(grads["C"], expected, rtol=1e-15)
    np.testing.assert_allclose(
        grads["w"], 0.5 * np.sum((vectors - codes[chosen]) * vectors, axis=0), rtol=1e-15
    )
    assert derivation.replay()["chain rule"] > 0


def test_one_hot_forwards_and_softmax_backwards() -> None:
    derivation = sb.loads(ONE_HOT).derive()
    module = derivation.module()
    params = {"W": np.array([1.0, 1.0, 1.0]), "v": np.array([5.0, 7.0, 9.0])}
    loss, grads = module.value_and_grad(params, x=np.array([[0.5, 2.0, 2.0]]))  # at a tie the first
    assert loss == 7.0 + 0 * 7.0
    np.testing.assert_array_equal(grads["v"], [0.0, 1.0, 0.0])
    assert np.all(grads["W"] != 0)
    with pytest.raises(ValueError, match="axis K is empty"):
        module.loss({"W": np.ones(0), "v": np.ones(0)}, x=np.ones((2, 0)))


@pytest.mark.parametrize(
    ("formula", "cause"),
    [
        (
            "v[argmax(l, W[l])]",
            "axis clash in 'v': position 1 runs over axis I, but the position of",
        ),
        ("v[argmax(i, v[i]) + 1]", "may lie outside axis I"),
        ("delta(argmax(l, W[l]), i)", "axis clash in delta(argmax(...), i)"),
        ("argmin(v[i])", "'argmin' needs an index to run over"),
        ("diff(argmax(i, v[i]), v[i])", "diff(...) differentiates one element"),
    ],
)
def test_messages(formula: str, cause: str) -> None:
    declared = "index i : I\nindex l : L\nparam v[i], W[l]\n"
    with pytest.raises(sb.NotationError) as caught:
        parse_system(f"{declared}y[i] = {formula}\n")
    assert cause in caught.value.cause


def test_a_shifted_position_under_a_guard() -> None:
    judge(
        "index i : I\nparam v[i]\ninput x[i]\n"
        "a = where(argmax(i, x[i]) + 1 < size(i), v[argmax(i, x[i]) + 1], v[0])\n"
        "loss E = a^2 + v[size(i) - 1 - argmax(i, x[i])]*v[argmax(i, x[i])]\n",
        sizes={"I": 3},
        steps=False,
    )


ROW = "index i, j, l : I\ninput x[i]\nparam v[i], c\n"


@pytest.mark.parametrize(
    ("position", "place"),
    [
        ("max(j, where(j < i, j, -1))", "i = 0"),
        ("max(j, where(j < i, j - 1, 0)) - 1", "i = 0"),
        ("min(j, where(j > i, j, size(i)))", "i = size(i) - 1"),
        ("max(j, l, where(j + l < i, j + l, -2))", "i = 0"),
    ],
)
def test_an_extremum_of_positions_is_outside_where_each_branch_of_its_body_is(
    position: str, place: str
) -> None:
    with pytest.raises(sb.NotationError, match=f"lies outside axis I for {re.escape(place)}"):
        sb.loads(f"{ROW}q[i] = {position}\nloss E = sum(i, v[q[i]]*x[i])\n")


@pytest.mark.parametrize("fast", [False, True])
def test_an_extremum_of_positions_that_cannot_be_proved_is_looked_at(fast: bool) -> None:
    """A condition has a name of its own in a module: the position is looked at for all that."""
    text = f"{ROW}loss E = c*sum(i, where(i > 1, v[max(j, where(j + 1 < i, 2*j, -1))], 0)*x[i])\n"
    module = sb.loads(text).derive().module(fast=fast)
    inside = {"v": np.arange(4.0), "c": 2.0}
    assert module.value_and_grad(inside, np.ones(4))[0] == 2.0 * (0 + 2)
    with pytest.raises(ValueError, match="reads position 6, but I=6"):
        module.value_and_grad({"v": np.arange(6.0), "c": 2.0}, np.ones(6))


@pytest.mark.parametrize(
    "position",
    [
        "max(j, where(j < i and x[j] > 0, j, 0))",
        "min(j, where(x[j] > v[i], j, size(i) - 1))",
        "size(i) - 1 - max(j, where(j <= i and x[j] > 0, j, 0))",
        "max(j, l, where(x[j]*x[l] > 0, floor((j + l)/2), 0))",
    ],
)
def test_an_extremum_of_positions_lies_inside_where_each_branch_of_its_body_does(position: str) -> None:
    judge(f"{ROW}q[i] = {position}\nloss E = c*sum(i, v[q[i]]*x[i])\n", sizes={"I": 4}, steps=False)
