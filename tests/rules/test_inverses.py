"""Rules of inverses and of symmetric matrices: where they apply, a near miss, and the naive evaluator."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.algebra.phases import scope_of, simplify
from symbackprop.cost.expressions import cost
from symbackprop.derivation.driver import derive
from symbackprop.language.model import parse_expression, parse_system
from symbackprop.notation.expressions import Expression
from symbackprop.rewriting.strategies import result_of
from symbackprop.rules.inverses import cancel
from symbackprop.rules.symmetry import BY_DEFINITION, orient
from symbackprop.semantics.naive import NaiveEvaluator
from symbackprop.systems.printing import equation_text, text

SYSTEM = parse_system(
    """
index i, j, k : N
index n : M
index t : T
input X[i,j], Y[i,j], P[i,j], Q[i,j], S[t,i,j], v[i], B[n,i]
fact positive_definite(P)
fact Q[i,j] == Q[j,i]
G[i,j] = sum(n, B[n,i]*B[n,j])
H[i,j] = sum(n, k, B[n,i]*Q[k,k]*B[n,j]) + G[j,i]
F[i,j] = X[i,j] + P[i,j]
loss E = sum(i, v[i])
"""
)
SIZES = {"N": 3, "M": 4, "T": 2}
RANDOM = np.random.default_rng(1)
VALUES = {
    name: RANDOM.normal(size=tuple(SIZES[index.axis.name] for index in SYSTEM.tensors[name].indices))
    for name in ("X", "Y", "P", "Q", "S", "v", "B")
}
VALUES["P"] = VALUES["P"] @ VALUES["P"].T + np.eye(3)
VALUES["Q"] = VALUES["Q"] + VALUES["Q"].T
VALUES["G"] = VALUES["B"].T @ VALUES["B"]
SYMMETRIC = ("P", "Q", "G")


def parsed(formula: str) -> Expression:
    return parse_expression(formula, SYSTEM)


def assert_equal_values(first: Expression, second: Expression) -> None:
    evaluator = NaiveEvaluator(VALUES, SIZES)
    indices = tuple(sorted(first.free_indices | second.free_indices, key=lambda index: index.name))
    np.testing.assert_allclose(
        evaluator.array(first, indices), evaluator.array(second, indices), rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("sum(j, inv(X)[i,j]*X[j,k])", "delta(i,k)"),
        ("sum(j, X[i,j]*inv(X)[j,k])", "delta(i,k)"),
        ("sum(j, k, v[k]*inv(X)[i,j]*Y[k,i']*X[j,k])", "sum(k, delta(i,k)*v[k]*Y[k,i'])"),
        ("sum(j, inv(S[t])[i,j]*S[t,j,k])", "delta(i,k)"),
        ("sum(j, inv(P)[i,j]*P[k,j])", "delta(i,k)"),
        ("sum(j, inv(P)[j,i]*P[j,k]*v[i'])", "delta(k,i)*v[i']"),
    ],
)
def test_an_inverse_meets_its_matrix(formula: str, expected: str) -> None:
    result = cancel(parsed(formula), SYMMETRIC)
    assert result is not None
    assert text(result) == expected
    assert_equal_values(parsed(formula), result)


@pytest.mark.parametrize(
    "formula",
    [
        "sum(j, inv(X)[i,j]*X[k,j])",  # the transpose
        "sum(j, inv(X)[j,i]*X[j,k])",
        "sum(j, inv(X)[i,j]*Y[j,k])",  # another matrix
        "sum(j, inv(X)[i,j]*X[j,k]*v[j])",  # the index is used once more
        "sum(j, inv(X)[i,j]*X[j,j])",
        "sum(i, inv(X)[i,j]*X[j,k])",  # summed over another index
        "sum(t, j, inv(S[t])[i,j]*X[j,k])",
        "sum(j, det(X)*X[j,k])",
    ],
)
def test_a_near_miss_stays_as_it_is(formula: str) -> None:
    assert cancel(parsed(formula), SYMMETRIC) is None


def test_matrices_of_different_steps_do_not_cancel() -> None:
    assert cancel(parsed("sum(j, inv(S[t])[i,j]*S[t',j,k])")) is None


def test_which_tensors_are_symmetric_and_why() -> None:
    assert scope_of(SYSTEM).symmetric == {
        "P": "fact positive_definite(P)",
        "Q": "fact Q[i,j] == Q[j,i]",
        "G": BY_DEFINITION,
        "H": BY_DEFINITION,
    }


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("inv(P)[j,i] + P[j,i]", "inv(P)[i,j] + P[i,j]"),
        ("sum(i, v[i]*Q[i,k])", "sum(i, v[i]*Q[k,i])"),
        ("sum(i, j, v[i]*inv(G)[j,i]*v[j])", "sum(i, j, v[i]*inv(G)[i,j]*v[j])"),
        ("inv(X)[j,i]*X[j,i]", "inv(X)[j,i]*X[j,i]"),
        ("inv(S[t])[j,i]", "inv(S[t])[j,i]"),
    ],
)
def test_positions_of_symmetric_matrices_come_in_one_order(formula: str, expected: str) -> None:
    scope = scope_of(SYSTEM)
    steps = orient(parsed(formula), scope.symmetric, scope.index_names)
    result = result_of(steps, parsed(formula))
    assert text(result) == expected
    assert_equal_values(parsed(formula), result)
    assert not orient(result, scope.symmetric, scope.index_names)
    assert len(steps) == (formula != expected)


def test_a_step_names_the_fact_that_it_used() -> None:
    scope = scope_of(SYSTEM)
    steps = simplify(parsed("sum(i, v[i]*inv(P)[i,k]) + sum(i, inv(P)[k,i]*v[i])"), scope)
    assert text(steps[-1].after) == "2*sum(i, v[i]*inv(P)[k,i])"
    (used,) = [step.rule for step in steps if step.rule.name == "symmetry"]
    assert used.statement == "inv(P)[i,j] = inv(P)[j,i] (fact positive_definite(P))"


def test_a_name_is_cheaper_than_another_solve() -> None:
    assert cost(parsed("v[i]*v[j]")) < cost(parsed("sum(k, inv(X)[i,k]*v[k])*v[j]"))
    assert cost(parsed("inv(X)[i,j]*v[j]*v[i]")) > cost(parsed("X[i,j]*v[j]*v[i]"))


def test_without_the_fact_the_transposes_stay_apart() -> None:
    model = """
index i, j : N
param S[i,j], v[i]
loss E = sum(i, j, v[i]*inv(S)[i,j]*v[j])
"""
    known = {
        fact: derive(parse_system(model + fact), ["v"]).equations for fact in ("", "fact S[i,j] == S[j,i]\n")
    }
    assert [equation_text(equation) for equation in known[""]] == [
        "grad_v[i] = sum(j, inv(S)[i,j]*v[j]) + sum(j, v[j]*inv(S)[j,i])"
    ]
    assert [equation_text(equation) for equation in known["fact S[i,j] == S[j,i]\n"]] == [
        "grad_v[i] = 2*sum(j, inv(S)[i,j]*v[j])"
    ]


@pytest.mark.parametrize("definition", ["inv(G)[i,j]", "inv(G)[j,i]"])
def test_a_solution_is_found_again_whichever_way_its_matrix_is_written(definition: str) -> None:
    model = f"""
index i, j : N
index n : M
const G[i,j], b[i]
param a[i], S[i,j]
fact G[i,j] == G[j,i]
w[i] = sum(j, {definition}*b[j])
loss E = sum(i, a[i]*w[i]) + sum(i, j, k, a[i]*S[i,k]*inv(G)[k,j]*b[j])
"""
    model = model.replace("index i, j", "index i, j, k")
    gradient = derive(parse_system(model), ["S"]).gradients["S"]
    assert equation_text(gradient) == "grad_S[i,j] = a[i]*w[j]"


def test_without_symmetry_the_transpose_is_another_solution() -> None:
    model = """
index i, j, k : N
const G[i,j], b[i]
param a[i], S[i,j]
w[i] = sum(j, inv(G)[j,i]*b[j])
loss E = sum(i, a[i]*w[i]) + sum(i, j, k, a[i]*S[i,k]*inv(G)[k,j]*b[j])
"""
    gradient = derive(parse_system(model), ["S"]).gradients["S"]
    assert equation_text(gradient) == "grad_S[i,j] = a[i]*sum(k, inv(G)[j,k]*b[k])"
