"""Matrix functions as calls of np.linalg: solves and not inverses, factors used again, types."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.array.interpreter import interpret
from symbackprop.array.ir import Read
from symbackprop.array.linear_algebra import Cholesky, Determinant, Inverse, Solve
from symbackprop.errors import ProgramError
from symbackprop.language.model import parse_expression, parse_system
from symbackprop.lowering.programs import lower
from symbackprop.notation.expressions import Axis, Index
from symbackprop.pipeline import loads
from symbackprop.rewriting.strategies import apply_exhaustively, result_of
from symbackprop.schedule.solves import SOLVE, linear_system
from symbackprop.semantics.evaluation import evaluate
from symbackprop.semantics.naive import NaiveEvaluator
from symbackprop.systems.printing import text
from tests.programs import lower_system
from tests.targets.numpy.generated import assignments, forward_statements

DECLARED = """
index i, j, l : N
index k : K
index t : T
input X[i,j], P[i,j], S[t,i,j], b[i], c[i], B[j,k], R[t,i], Q[k,t,i]
fact positive_definite(P)
"""
SIZES = {"N": 3, "K": 2, "T": 4}
RANDOM = np.random.default_rng(2)

# the formula, and the statement that computes it
STATEMENTS = [
    ("y[i] = sum(j, inv(X)[i,j]*b[j])", "y = np.linalg.solve(X, b)"),
    ("y[i] = sum(j, inv(X)[j,i]*b[j])", "y = np.linalg.solve(X.T, b)"),
    ("y[i,k] = sum(j, inv(X)[i,j]*B[j,k])", "y = np.linalg.solve(X, B)"),
    ("y[k,i] = sum(j, B[j,k]*inv(X)[i,j])", "y = np.linalg.solve(X, B).T"),
    ("y = sum(i, j, b[i]*inv(X)[i,j]*c[j])", "y = b @ np.linalg.solve(X, c)"),
    ("y = sum(i, j, inv(X)[i,j]*P[j,i])", "y = np.sum(np.diagonal(np.linalg.solve(X, P), axis1=0, axis2=1))"),
    ("y[i] = sum(j, l, inv(X)[i,j]*inv(P)[j,l]*b[l])", "y = np.linalg.solve(X, np.linalg.solve(P, b))"),
    ("y[t,i] = sum(j, inv(S[t])[i,j]*R[t,j])", "y = np.linalg.solve(S, R[:, :, None]).reshape(T, N)"),
    ("y[t,i] = sum(j, inv(S[t])[i,j]*b[j])", "y = np.linalg.solve(S, b[:, None]).reshape(T, N)"),
    ("y[t,i] = sum(j, inv(X)[i,j]*R[t,j])", "y = np.linalg.solve(X, R.T).T"),
    ("y[i,j] = inv(X)[i,j]", "y = np.linalg.inv(X)"),
    ("y[i,j] = cofactor(X)[i,j]", "y = cofactors(X)"),
    ("y[t,i,j] = cofactor(S[t])[j,i]", "y = cofactors(S).mT"),
    ("y[i] = inv(X)[i,i]", "y = np.diagonal(np.linalg.inv(X), axis1=0, axis2=1).copy()"),
    ("y[t,i,j] = inv(S[t])[j,i]", "y = np.linalg.inv(S).mT"),
    ("y[t] = det(S[t])", "y = np.linalg.det(S)"),
    ("y = logdet(X)", "y = np.linalg.slogdet(X).logabsdet"),
    ("y = 1/2*logdet(P)", 'y = np.sum(np.log(np.diagonal(cholesky(P, "P"), axis1=0, axis2=1)))'),
    ("y = trace(X)", "y = np.sum(np.diagonal(X, axis1=0, axis2=1))"),
]


@pytest.mark.parametrize(("equation", "statement"), STATEMENTS)
def test_the_call_that_says_it_best(equation: str, statement: str) -> None:
    assert forward_statements(DECLARED + equation + "\n")[-1] == statement


FORMULAS = [
    *(equation for equation, _ in STATEMENTS),
    "y[k,t,i] = sum(j, inv(S[t])[j,i]*Q[k,t,j])",
    "y[t] = sum(i, j, R[t,i]*inv(S[t])[i,j]*R[t,j])",
    "y[i] = sum(j, inv(X)[i,j]*X[i,j]*b[j])",
    "y = sum(i, j, inv(X)[i,j]*inv(X)[j,i])",
    "y = sum(i, j, l, b[i]*inv(X)[i,j]*inv(X)[j,l]*c[l]) + sum(i, inv(X)[i,i]^2)",
    "y[i,j] = sum(l, inv(X)[i,l]*P[l,j]) + delta(i,j)*logdet(P)",
    "y[k] = sum(i, sum(j, inv(X)[i,j]*B[j,k])^2)",
    "y[t,i,j] = inv(S[t])[i,j]/det(S[t]) - inv(X)[j,i]",
    "y[i] = where(b[i] > 0, sum(j, inv(X)[i,j]*b[j]), logdet(X))",
    "y[t,k] = sum(i, j, R[t,i]*inv(P)[i,j]*B[j,k])",
    "y[i] = sum(j, inv(X)[j,j]*inv(X)[i,j]*b[j])",
    "y[t] = sum(i, j, inv(S[t])[i,j])*sum(i, j, inv(X)[i,j]) + sum(i, inv(X)[i,i])",
]


def drawn(sizes: dict[str, int]) -> dict[str, np.ndarray]:
    system = parse_system(DECLARED + "y = 1\n")
    values = {
        name: RANDOM.normal(size=tuple(sizes[index.axis.name] for index in tensor.indices))
        for name, tensor in system.tensors.items()
        if tensor.indices
    }
    values["P"] = values["P"] @ values["P"].T + np.eye(sizes["N"])
    return values


@pytest.mark.parametrize("size", [1, 2, 5, 7])
@pytest.mark.parametrize("equation", FORMULAS)
def test_the_program_computes_what_the_equation_says(equation: str, size: int) -> None:
    system = parse_system(DECLARED + equation + "\n")
    values = drawn({**SIZES, "N": size})
    expected = evaluate(system, values)["y"]
    found = interpret(lower_system(system), values)["y"]
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-9 * np.max(np.abs(expected)))


@pytest.mark.parametrize("equation", FORMULAS)
def test_nesting_solves_keeps_the_value(equation: str) -> None:
    expression = parse_system(DECLARED + equation + "\n").definitions["y"].expression
    nested = result_of(apply_exhaustively((SOLVE,), expression), expression)
    indices = tuple(sorted(expression.free_indices, key=lambda index: index.name))
    evaluator = NaiveEvaluator(drawn(SIZES), SIZES)
    np.testing.assert_allclose(
        evaluator.array(nested, indices), evaluator.array(expression, indices), rtol=1e-8, atol=1e-9
    )


def test_a_linear_system_is_a_sum_over_one_index_of_an_inverse() -> None:
    system = parse_system(DECLARED + "y = 1\n")
    for formula in ("sum(j, inv(X)[i,j]*b[j])", "sum(j, inv(S[t])[i,j]*sum(k, B[j,k]*B[j,k]))"):
        assert linear_system(parse_expression(formula, system)) is not None
    for formula in (
        "inv(X)[i,j]",
        "sum(j, inv(X)[i,j])",
        "sum(j, inv(X)[i,i]*b[j])",
        "sum(j, inv(X)[j,j]*b[j])",
        "sum(i, j, inv(X)[i,j]*b[j])",
        "sum(j, det(X)*b[j])",
        "max(j, inv(X)[i,j]*b[j])",
    ):
        assert linear_system(parse_expression(formula, system)) is None, formula


def test_fewest_right_hand_sides() -> None:
    system = parse_system(DECLARED + "y = 1\n")
    nested = SOLVE.apply(parse_expression("sum(i, j, inv(X)[i,j]*b[i]*B[j,k])", system))
    assert nested is not None
    assert text(nested) == "sum(j, sum(i, inv(X)[i,j]*b[i])*B[j,k])"


GAUSSIAN = """
index n : M
index i, j : N
input x[n,i]
param mu[i], P[i,j]
fact positive_definite(P)
w[n,i] = sum(j, inv(P)[i,j]*(x[n,j] - mu[j]))
loss E = 1/2*sum(n, i, (x[n,i] - mu[i])*w[n,i]) + size(n)/2*logdet(P)
"""


def test_a_likelihood_solves_once_and_inverts_only_for_the_inverse() -> None:
    source = loads(GAUSSIAN).derive().to_numpy()
    assert source.count("np.linalg.solve(") == 1
    assert source.count("np.linalg.cholesky(") == 1
    assert source.count("np.linalg.inv(") == 1
    assert "np.linalg" not in "".join(assignments(source, "value_and_grad")).replace("np.linalg.inv(P)", "")
    assert '"fact positive_definite(P)",' in source


def test_one_factorisation_for_the_loss_and_its_gradient() -> None:
    model = "index i, j : N\nparam X[i,j], b[i]\ninput a[i]\nloss E = sum(i, j, a[i]*inv(X)[i,j]*b[j])\n"
    source = loads(model).derive().to_numpy()
    # X^-T a in the loss and in both gradients, X^-1 b in one; never an inverse.
    assert source.count("np.linalg.solve(") == 2
    assert "np.linalg.inv(" not in source


def test_a_matrix_starts_as_the_identity() -> None:
    model = "index i, j : N\nindex t : T\nparam X[i,j], S[t,i,j]\nloss E = logdet(X) + sum(t, det(S[t]))\n"
    start = loads(model).derive().module().init(np.random.default_rng(0), N=3, T=2, dtype=np.float32)
    np.testing.assert_array_equal(start["X"], np.eye(3, dtype=np.float32))
    np.testing.assert_array_equal(start["S"], np.array([np.eye(3)] * 2))
    assert start["S"].dtype == np.float32
    assert start["S"].flags.writeable


def test_a_singular_matrix_is_an_error_and_never_nan() -> None:
    model = "index i, j : N\nparam X[i,j]\ninput a[i]\nloss E = sum(i, j, a[i]*inv(X)[i,j]*a[j])\n"
    module = loads(model).derive().module()
    with pytest.raises(np.linalg.LinAlgError):
        module.value_and_grad({"X": np.ones((2, 2))}, a=np.ones(2))


N, T = Axis("N", "i"), Axis("T", "t")
i, j, t, s = Index("i", N), Index("j", N), Index("t", T), Index("s", T)
MATRIX, BATCH = Read("X", (i, j)), Read("S", (t, i, j))


def test_layouts() -> None:
    assert Solve(MATRIX, Read("b", (i,))).layout == ((j,),)
    assert Solve(MATRIX, Read("B", (i, t))).layout == ((j,), (t,))
    assert Solve(BATCH, Read("B", (i, s))).layout == ((t,), (j,), (s,))
    assert Inverse(BATCH).layout == ((t,), (j,), (i,))
    assert Determinant(BATCH).layout == ((t,),)
    assert Cholesky(MATRIX, "P").layout == ((i,), (j,))


@pytest.mark.parametrize(
    ("node", "cause"),
    [
        (Inverse(Read("b", (i,))), "needs a real matrix"),
        (Determinant(Read("B", (i, t))), "two indices over one axis"),
        (Solve(MATRIX, Read("b", (j,))), "no column of the matrix"),
        (Solve(MATRIX, Read("B", (t, i))), "other rows"),
        (Solve(BATCH, Read("b", (i,))), "no column of the matrix"),
        (Solve(BATCH, Read("B", (s, i, j))), "batch axes differ"),
    ],
)
def test_what_does_not_fit(node: Solve | Inverse | Determinant, cause: str) -> None:
    with pytest.raises(ProgramError, match=cause):
        _ = node.type


def test_names_of_the_generated_module_do_not_hide_it() -> None:
    model = """
index i, j : N
param np[i,j], dtype[i,j]
loss E = logdet(np) + sum(i, j, inv(np)[i,j]*dtype[j,i])
"""
    assert lower(loads(model).derive().derivation).gradients.keys() == {"np", "dtype"}
    assert loads(model).check().ok
