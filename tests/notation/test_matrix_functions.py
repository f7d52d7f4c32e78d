"""Functions of matrices: their values in floats, complex numbers and fifty digits, and their text."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from symbackprop.algebra.remembered import Anonymous
from symbackprop.errors import NotationError
from symbackprop.language.model import parse_expression, parse_system
from symbackprop.notation.expressions import Index
from symbackprop.notation.matrix_functions import MatrixFunction
from symbackprop.notation.substitution import rename_tensors, substitute, tensors_read
from symbackprop.semantics.evaluation import PRECISE, evaluate
from symbackprop.semantics.gaussian_elimination import determinant, inverse
from symbackprop.semantics.naive import NaiveEvaluator
from symbackprop.systems.printing import system_text, text

MODEL = """
index i, j : N
index t : T
input X[i,j], S[t,i,j]
y[i] = sum(j, inv(X)[j,i]*inv(X)[i,i])
z[t,i,j] = inv(S[t])[j,i]*det(S[t])
loss E = sum(i, y[i]) + det(X) + logdet(X)*trace(X) + sum(t, logdet(S[t]) + trace(S[t])^2)
"""
SYSTEM = parse_system(MODEL)
RANDOM = np.random.default_rng(5)


def drawn(size: int, batch: int = 3) -> dict[str, np.ndarray]:
    return {"X": RANDOM.normal(size=(size, size)), "S": RANDOM.normal(size=(batch, size, size))}


@pytest.mark.parametrize("size", [1, 2, 5, 7])
def test_values_are_those_of_numpy(size: int) -> None:
    values = drawn(size)
    known = evaluate(SYSTEM, values)
    matrix, batch = values["X"], values["S"]
    inverted = np.linalg.inv(matrix)
    np.testing.assert_allclose(known["y"], inverted.sum(axis=0) * np.diag(inverted), rtol=1e-9)
    expected = np.linalg.inv(batch).mT * np.linalg.det(batch)[:, None, None]
    np.testing.assert_allclose(known["z"], expected, rtol=1e-9, atol=1e-12)
    loss = known["y"].sum() + np.linalg.det(matrix) + np.linalg.slogdet(matrix).logabsdet * np.trace(matrix)
    loss += np.sum(np.linalg.slogdet(batch).logabsdet + np.trace(batch, axis1=1, axis2=2) ** 2)
    assert known["E"] == pytest.approx(loss, rel=1e-9)


def test_floats_agree_with_fifty_digits() -> None:
    values = drawn(4)
    exact = {name: np.vectorize(mpmath.mpf, otypes=[object])(array) for name, array in values.items()}
    with mpmath.workdps(50):
        precise = evaluate(SYSTEM, exact, arithmetic=PRECISE)
    floats = evaluate(SYSTEM, values)
    for name in ("y", "z", "E"):
        np.testing.assert_allclose(floats[name], precise[name].astype(float), rtol=1e-10)


@pytest.mark.parametrize("formula", ["det(X)", "logdet(X)", "inv(X)[i,j]", "cofactor(X)[i,j]"])
def test_the_complex_step_is_the_textbook_derivative(formula: str) -> None:
    """Petersen & Pedersen, The Matrix Cookbook (2012), equations 49, 57 and 60; det X < 0 included."""
    matrix = np.array([[0.0, 2.0, 1.0], [1.0, 0.5, -1.0], [0.3, 0.0, 2.0]])
    assert np.linalg.det(matrix) < 0
    inverted = np.linalg.inv(matrix)
    node = parse_expression(formula, SYSTEM)
    place = {
        index: 2 - number for number, index in enumerate(sorted(node.free_indices, key=lambda i: i.name))
    }
    for p in range(3):
        for q in range(3):
            moved = matrix.astype(complex)
            moved[p, q] += 1e-30j
            found = np.imag(NaiveEvaluator({"X": moved}, {"N": 3}).expression(node, place)) / 1e-30
            expected = {
                "det(X)": np.linalg.det(matrix) * inverted[q, p],
                "logdet(X)": inverted[q, p],
                "inv(X)[i,j]": -inverted[2, p] * inverted[q, 1],
                "cofactor(X)[i,j]": np.linalg.det(matrix)
                * (inverted[1, 2] * inverted[q, p] - inverted[1, p] * inverted[q, 2]),
            }[formula]
            assert found == pytest.approx(expected, rel=1e-12)


def test_a_singular_matrix_has_no_inverse_and_no_logarithm() -> None:
    singular = [[1.0, 2.0], [2.0, 4.0]]
    assert determinant(singular) == 0
    assert np.all(np.isnan(inverse(singular)))
    values = {"X": np.array(singular)}
    logarithm = parse_expression("logdet(X)", SYSTEM)
    assert NaiveEvaluator(values, {"N": 2}).expression(logarithm) == -np.inf
    assert determinant([]) == 1


@pytest.mark.parametrize(
    "formula",
    ["inv(X)[i,j]", "cofactor(S[t])[j,i]", "inv(S[t])[j,i]^2*det(S[t])", "logdet(X)", "sum(i, inv(X)[i,i])"],
)
def test_text_reads_back(formula: str) -> None:
    expression = parse_expression(formula, SYSTEM)
    assert text(expression) == formula
    assert parse_expression(text(expression), SYSTEM) == expression


def test_a_system_reads_back() -> None:
    again = parse_system(system_text(SYSTEM))
    assert again.equations == SYSTEM.equations
    definite = parse_system(MODEL + "fact positive_definite(X)\n")
    assert [fact.tensor for fact in parse_system(system_text(definite)).positive_definite] == ["X"]


def test_the_matrix_is_read_renamed_and_hidden() -> None:
    expression = parse_expression("inv(S[t])[i,j]*det(X)", SYSTEM)
    assert tensors_read(expression) == ("S", "X")
    assert text(rename_tensors(expression, {"S": "R", "X": "Y"})) == "inv(R[t])[i,j]*det(Y)"
    axis = SYSTEM.tensors["X"].indices[0].axis
    i, k = Index("i", axis), Index("k", axis)
    assert text(substitute(expression, {i: k})) == "inv(S[t])[k,j]*det(X)"
    names = Anonymous()
    hidden = names.hide(expression)
    assert hidden.tensors == {"t0", "t1"}
    assert names.restore().hide(hidden) == expression
    assert MatrixFunction("det", "X", axis) != MatrixFunction("logdet", "X", axis)


KALMAN = """
index t : T
index i, j, k, l : D
input z[t,i], P0[i,j]
param F[i,j], Q[i,j], R[i,j], m0[i]
P[t,i,j] = where(t == 0, P0[i,j], sum(k, l, F[i,k]*V[t-1,k,l]*F[j,l])) + Q[i,j]
m[t,i] = where(t == 0, m0[i], sum(k, F[i,k]*v[t-1,k]))
G[t,i,j] = sum(k, P[t,i,k]*inv(S[t])[k,j])
S[t,i,j] = P[t,i,j] + R[i,j]
r[t,i] = z[t,i] - m[t,i]
v[t,i] = m[t,i] + sum(j, G[t,i,j]*r[t,j])
V[t,i,j] = P[t,i,j] - sum(k, G[t,i,k]*P[t,k,j])
loss E = 1/2*sum(t, logdet(S[t])) + 1/2*sum(t, i, j, r[t,i]*inv(S[t])[i,j]*r[t,j])
"""


def test_a_kalman_filter_inverts_what_its_step_has_computed() -> None:
    """The equation of G reads S as a whole, at its own step: S comes first."""
    system = parse_system(KALMAN)
    names = [equation.tensor for equation in system.equations]
    assert names.index("S") < names.index("G")
    noise, size, steps = np.eye(3), 3, 4
    values = {
        "z": RANDOM.normal(size=(steps, size)), "P0": noise, "F": RANDOM.normal(size=(size, size)) / 2,
        "Q": noise / 10, "R": noise / 5, "m0": RANDOM.normal(size=size),
    }  # fmt: skip
    mean, spread, loss = values["m0"], values["P0"], 0.0
    for step in range(steps):
        spread = spread + values["Q"]
        innovation, covariance = values["z"][step] - mean, spread + values["R"]
        solved = np.linalg.solve(covariance, innovation)
        loss += np.linalg.slogdet(covariance).logabsdet / 2 + innovation @ solved / 2
        gain = spread @ np.linalg.inv(covariance)
        mean = values["F"] @ (mean + gain @ innovation)
        spread = values["F"] @ (spread - gain @ spread) @ values["F"].T
    assert float(evaluate(system, values)["E"]) == pytest.approx(loss, rel=1e-9)


@pytest.mark.parametrize(
    ("equation", "cause"),
    [
        ("w[t] = det(S[t-1])", r"lies outside axis T for t = 0"),
        ("w[t,i,j] = inv(S[t])[i+1,j]", r"lies outside axis N"),
        ("W[t,i,j] = inv(W[t])[i,j]", "in a circle: W needs W"),
        ("W[t,i,j] = inv(W[t-1])[i,j]", "missing base case"),
    ],
)
def test_a_matrix_is_read_inside_its_axes_and_at_earlier_steps(equation: str, cause: str) -> None:
    with pytest.raises(NotationError, match=cause):
        parse_system(MODEL + equation + "\n")
    assert parse_system(MODEL + "W[t,i,j] = where(t > 0, inv(W[t-1])[i,j], S[t,i,j])\n")
