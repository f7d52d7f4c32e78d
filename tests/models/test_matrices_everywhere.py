"""Functions of matrices wherever an element may stand: in recurrences, windows, `where`s, looked up."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from symbackprop.derivation.driver import derive
from symbackprop.emission.loading import load_module
from symbackprop.errors import NotationError
from symbackprop.language.model import parse_expression, parse_system
from symbackprop.lowering.programs import lower
from symbackprop.semantics import gaussian_elimination
from symbackprop.semantics.evaluation import evaluate
from symbackprop.systems.printing import text
from symbackprop.systems.system import System
from tests.models.judges import assert_close, judge
from tests.models.step_checker import total_gradient
from tests.programs import numpy_source
from tests.sweeps import swept
from tests.verification.on_numpy import check_model

DECLARED = "index i, j, k : I\nindex n, m : N\nindex t, s : T\n"

ANYWHERE = {
    "at_constants": """
param M[i,j], x[i]
loss E = inv(M)[1,0]*x[0] + sum(j, inv(M)[0,j]*x[j])^2 + sum(i, x[i]*inv(M)[i,size(i)-1])
""",
    "at_constants_of_a_batch_over_two_indices": """
param M[n,t,i,j]
loss E = sum(n, inv(M[n,1])[0,1]^2) + det(M[0,2])*logdet(M[size(n)-1,0])
""",
    "at_looked_up_rows_and_columns": """
input row[n] in I
input column[n] in I
param M[i,j], x[j]
loss E = sum(n, inv(M)[row[n],column[n]]^2) + sum(n, sum(j, inv(M)[row[n],j]*x[j])^2)
""",
    "at_looked_up_matrices": """
input which[n] in T
param M[t,i,j], x[n,i]
loss E = sum(n, i, j, x[n,i]*inv(M[which[n]])[i,j]*x[n,j]) + sum(n, x[n,0]*det(M[which[n]]))
""",
    "at_reckoned_places": """
param M[i,j], S[t,i,j], x[i]
y[i] = inv(M)[size(i)-1-i,i]*x[i] + where(i > 0, inv(M)[i-1,i], 1) + sum(t, inv(S[size(t)-1-t])[i,0]*t)
loss E = sum(i, y[i]^2)
""",
    "batch_over_the_own_axis": """
param M[i,j,k], x[i]
y[i] = sum(j, inv(M[i])[i,j]*x[j]) + inv(M[i])[0,i] + inv(M[i])[i,i]*logdet(M[i])
loss E = sum(i, y[i]^2)
""",
    "diagonal_of_a_batch": """
param M[t,s,i,j], x[t,i]
y[t,i] = sum(j, inv(M[t,t])[i,j]*x[t,j]) + inv(M[t,size(t)-1])[i,0]
loss E = sum(t, i, y[t,i]^2) + sum(t, s, logdet(M[s,t])*t)
""",
    "beside_a_window": """
param M[t,i,j], x[n,i]
y[n,i] = sum(t, j, inv(M[t])[i,j]*pad(x[n,j + t - 1]))
loss E = sum(n, i, y[n,i]^2)
""",
    "beside_a_window_over_its_own_axis": """
param M[i,j,k], x[i]
y[i] = sum(j, k, inv(M[k])[i,j]*pad(x[j + k])) + sum(k, pad(x[i - k])*det(M[k]))
loss E = sum(i, y[i]^2)
""",
    "as_the_window's_kernel": """
param M[t,i,j], x[n]
y[n] = sum(t, pad(x[n + t - 1])*logdet(M[t])) + sum(i, j, pad(x[n + i - j])*inv(M[0])[i,j])
loss E = sum(n, y[n]^2)
""",
    "in_part_of_a_range": """
param M[i,j], S[t,i,j], x[i]
a = sum(i, j, where(j > 0, inv(M)[i,j]*x[i], 0)) + sum(i, j, where(i < size(i) - 1, inv(M)[i,j]*x[j], 0))
b = sum(t, i, where(t > 0, inv(S[t])[i,i], 0)*x[i]) + sum(t, where(t + 1 < size(t), logdet(S[t+1]), 0))
loss E = a^2 + b
""",
    "in_choices": """
input g[t]
param S[t,i,j], P[i,j], x[t,i]
y[t,i] = where(g[t] > 0, sum(j, inv(S[t])[i,j]*x[t,j]), inv(P)[i,0])
z[t,i] = sum(s, where(s < t, sum(j, inv(S[s])[i,j]*x[t,j]), 0))
loss E = sum(t, i, y[t,i]^2 + z[t,i]^2) + where(size(t) > 2, logdet(P), 0)
""",
    "under_maxima_and_products": """
param S[t,i,j], x[i]
a = max(t, logdet(S[t])) - min(t, i, sum(j, inv(S[t])[i,j]*x[j]))
loss E = a + prod(t, 1 + det(S[t])^2/100) + max(i, inv(S[1])[i,0])
""",
    "in_the_exponent_and_below": """
param S[t,i,j], x[t]
w[t] = exp(-logdet(S[t]))/sum(t, exp(-logdet(S[t])))
loss E = sum(t, w[t]*x[t]/(1 + inv(S[t])[0,0]^2)) + softplus(x[0])^2*trace(S[1])
""",
    "a_derived_batch": """
param A[t,i], c[t]
S[t,i,j] = delta(i,j)*(2 + c[t]^2) + A[t,i]*A[t,j]
loss E = sum(t, where(t > 0, sum(i, j, A[t,i]*inv(S[t-1])[i,j]*A[t,j]), c[t])) + sum(t, logdet(S[t]))
""",
}  # fmt: skip


@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize("name", ANYWHERE)
def test_a_function_of_a_matrix_stands_anywhere(name: str, size: int) -> None:
    if size == 1 and "constants" in name:
        pytest.skip("this model reads position 1, which an axis of size 1 does not have")
    judge(DECLARED + ANYWHERE[name], sizes={"I": size, "N": 4, "T": 3}, steps=size == 2)


RECURRENCES = {
    "inverse_of_the_state": """
index t : T = 4
param P0[n,i,j]
S[n,t,i,j] = where(t == 0, P0[n,i,j], P[n,t-1,i,j]) + 3*delta(i,j)
P[n,t,i,j] = inv(S[n,t])[j,i]
loss E = sum(n, t, i, j, P[n,t,i,j]^2)
""",
    "batch_over_the_own_axis": """
index t : T = 3
param P0[k,i,j]
S[k,t,i,j] = where(t == 0, P0[k,i,j], P[k,t-1,i,j]) + (2 + k)*delta(i,j)
P[k,t,i,j] = inv(S[k,t])[i,j]
loss E = sum(k, i, j, P[k,size(t)-1,i,j]^2)
""",
    "inverse_of_the_step_before": """
index t : T
param A[i,j], r[t]
S[t,i,j] = where(t == 0, A[i,j], 3*delta(i,j) + r[t]*inv(S[t-1])[i,j])
loss E = sum(i, j, S[size(t)-1,i,j]^2)
""",
    "backwards": """
index t : T
param A[i,j], r[t,i]
S[t,i,j] = where(t == size(t)-1, A[i,j], 3*delta(i,j) + r[t,i]*inv(S[t+1])[i,j])
loss E = sum(i, j, S[0,i,j]^2) + sum(t, logdet(S[t]))
""",
    "an_input_s_inverse_at_each_step": """
index t : T
param S[t,i,j], h0[i]
h[t,i] = sum(j, inv(S[t])[i,j]*where(t == 0, h0[j], h[t-1,j]))
loss E = sum(t, i, h[t,i]^2)
""",
    "a_solve_but_for_the_first_step": """
index t : T
param S[t,i,j], h0[i], b[n]
h[n,t,i] = where(t == 0, h0[i]*b[n], sum(j, inv(S[t])[i,j]*h[n,t-1,j]) + inv(S[t-1])[0,i])
loss E = sum(n, t, i, h[n,t,i]^2)
""",
    "two_tensors_and_a_determinant": """
index t : T = 4
index l, m : L
param C[i,l], P0[l,m], w
S[t,i,j] = sum(l, m, C[i,l]*where(t == 0, P0[l,m], P[t-1,l,m])*C[j,m]) + 2*delta(i,j)
P[t,l,m] = sum(i, j, C[i,l]*inv(S[t])[i,j]*C[j,m]) + w*delta(l,m)*logdet(S[t])
loss E = sum(l, m, P[size(t)-1,l,m]^2)
""",
    "two_steps_back_and_one_element": """
index t : T
param A[i,j], r[t]
S[t,i,j] = where(t < 2, A[i,j]*(1 + t), 2*delta(i,j) + r[t]*inv(S[t-2])[j,i] + r[t-1]*inv(S[t-1])[0,0])
loss E = sum(t, i, j, S[t,i,j]^2)
""",
    "of_matrices_at_reckoned_places": """
index t : T = 3
index m : M
input which[i] in M
param S[m,i,j], h0[i]
h[t,i] = where(t == 0, h0[i], tanh(h[t-1,i])) + sum(j, inv(S[mod(which[i] + 1, size(m))])[i,j])
loss E = sum(t, i, h[t,i]^2)
""",
    "of_matrices_at_reckoned_places_beside_the_state": """
index t : T = 3
index m : M
input which[t] in M
param A[m,i,j], h0[n,i]
S[m,i,j] = A[m,i,j] + 5*delta(i,j)
h[t,n,i] = where(t == 0, h0[n,i], sum(j, inv(S[mod(which[t] + j, size(m))])[i,j]*h[t-1,n,j]))
loss E = sum(t, n, i, h[t,n,i]^2)
""",
}  # fmt: skip


@pytest.mark.parametrize("seed", swept(range(2), 1))
@pytest.mark.parametrize("name", RECURRENCES)
def test_a_recurrence_through_matrices(name: str, seed: int) -> None:
    system = parse_system("index i, j, k : I\nindex n : N\n" + RECURRENCES[name], name)
    report = check_model(system, seed)
    assert report.ok, report


def test_a_recurrence_over_rows_cannot_read_the_whole_matrix() -> None:
    model = (
        "index t, s : T\nparam a[s]\nM[t,s] = where(t == 0, a[s], det(M)*M[t-1,s])\nloss E = sum(s, M[0,s])\n"
    )
    with pytest.raises(NotationError, match="circle"):
        parse_system(model)


# What is not chosen is singular, or no matrix at all: the model, and the matrices in vain.
IN_VAIN = {
    "the_last_step": (
        "y[t,i] = where(t > 0, sum(j, inv(M[t-1])[i,j]*x[t,j]), x[t,i])",
        [-1],
    ),
    "by_values": ("y[t,i] = where(g[t] > 0, sum(j, inv(M[t])[i,j]*x[t,j]), x[t,i])", [1, 3]),
    "by_two_conditions": (
        "y[t,i] = where(t < 3 and g[t] > 0, inv(M[t])[i,0]*x[t,i], 0)",
        [1, 3],
    ),
    "otherwise": ("y[t,i] = where(g[t] < 0, x[t,i], where(i > 0, inv(M[t])[i,0], 1)*x[t,i])", [1, 3]),
    "one_that_no_other_index_chooses": (
        "y[t,i] = sum(s, where(s + 1 < t, sum(j, inv(M[s])[i,j]*x[t,j]), 0))",
        [2, 3],
    ),
    "looked_up_by_nobody": ("y[t,i] = sum(j, inv(M[which[t]])[i,j]*x[t,j])", [1, 3]),
    "in_a_recurrence": ("y[t,i] = where(t == 0, x[t,i], sum(j, inv(M[t])[i,j]*y[t-1,j]))", [0]),
    "in_a_recurrence_by_values": (
        "y[t,i] = where(t == 0, x[t,i], where(g[t] > 0, sum(j, inv(M[t])[i,j]*y[t-1,j]), y[t-1,i]))",
        [0, 1, 3],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", IN_VAIN)
def test_a_matrix_that_is_not_chosen_may_be_singular(name: str) -> None:
    equation, singular = IN_VAIN[name]
    declared = "index i, j : I\nindex t, s : T = 4\ninput g[t]\ninput which[t] in T\nparam M[t,i,j], x[t,i]\n"
    system = parse_system(f"{declared}{equation}\nloss E = sum(t, i, y[t,i]^2)\n")
    rng = np.random.default_rng(4)
    matrices = rng.normal(size=(4, 2, 2)) + 3 * np.eye(2)
    matrices[singular] = [[1.0, 2.0], [2.0, 4.0]]
    values = {
        "M": matrices,
        "x": rng.normal(size=(4, 2)),
        "g": np.array([1.0, -1.0, 1.0, -1.0]),
        "which": np.array([0, 2, 2, 0]),
    }
    _expect_right(system, values, {"I": 2, "T": 4})


# A recurrence chooses by its own state: the model, and the matrices that no step chooses.
BY_THE_STATE = {
    "one_matrix_for_all_steps": (
        "h[t,i] = where(before[t,i] > 5, sum(j, inv(M[0])[i,j]*x[t,j]), x[t,i])",
        [0],
    ),
    "one_that_is_chosen_at_some_steps": (
        "h[t,i] = where(before[t,0] < 0, sum(j, inv(M[1])[i,j]*x[t,j]), 1 - before[t,i])",
        [0, 2, 3],
    ),
    "by_the_state_of_all_rows": (
        "h[t,i] = where(sum(j, before[t,j]^2) > 90, inv(M[t])[i,0], x[t,i] + sum(j, before[t,j])/2)",
        [0, 1, 2, 3],
    ),
    "backwards": (
        "h[t,i] = where(pad(h[t+1,i]) > 5, sum(j, inv(M[2])[i,j]*x[t,j]), x[t,i] - pad(h[t+1,i]))",
        [2],
    ),
    "by_all_earlier_steps": (
        "h[t,i] = where(sum(s, where(s < t, h[s,i], 0)) > 9, inv(M[0])[i,i], x[t,i])",
        [0],
    ),
    "by_the_first_step": (
        "h[t,i] = where(t == 0, -1, where(t > 0 and h[0,0] > 0, inv(M[3])[i,i], x[t,i]*h[t-1,i]))",
        [3],
    ),
    "a_matrix_of_each_other_step": (
        "h[t,i] = x[t,i] + sum(s, where(s < t and before[t,i] > 5, inv(M[s])[i,i]*h[s,i], 0))",
        [0, 1, 2, 3],
    ),
}  # fmt: skip


@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize("name", BY_THE_STATE)
def test_a_recurrence_chooses_a_matrix_by_its_own_state(name: str, size: int) -> None:
    equation, singular = BY_THE_STATE[name]
    equation = equation.replace("before[t,i]", "pad(h[t-1,i])").replace("before[t,0]", "pad(h[t-1,0])")
    equation = equation.replace("before[t,j]", "pad(h[t-1,j])")
    system = parse_system(
        "index i, j : I\nindex t, s : T = 4\nparam M[t,i,j], x[t,i]\n"
        f"{equation}\nloss E = sum(t, i, h[t,i]^2)\n"
    )
    rng = np.random.default_rng(4)
    matrices = rng.normal(size=(4, size, size)) + 3 * np.eye(size)
    x = rng.normal(size=(4, size))
    _expect_right(system, {"M": matrices, "x": x}, {"I": size, "T": 4})
    matrices[singular] = 0.0
    _expect_right(system, {"M": matrices, "x": x}, {"I": size, "T": 4})


def _expect_right(system: System, values: Mapping[str, Any], sizes: Mapping[str, int]) -> None:
    derivation = derive(system)
    module = load_module(numpy_source(lower(derivation)), "in_vain")
    parameters = {name: values[name] for name in module.PARAMETERS}
    others = {name: values[name] for name in values if name not in parameters}
    loss, gradients = module.value_and_grad(parameters, **others)
    assert_close(loss, evaluate(system, values, sizes)[system.loss or ""], "loss")
    for name in derivation.wrt:
        assert_close(gradients[name], total_gradient(system, values, sizes, name), name)


SINGULAR = {
    "of rank 2": [[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [0.0, 1.0, 1.0]],
    "of rank 1": [[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [3.0, 6.0, 9.0]],
    "of zeros": [[0.0, 0.0, 0.0]] * 3,
    "a permutation": [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]],
    "nearly singular": [[1.0, 2.0, 3.0], [2.0, 4.0, 6.0 + 1e-13], [0.0, 1.0, 1.0]],
    "a number": [[0.0]],
    "without rows": np.zeros((0, 0)),
}
OF_DETERMINANTS = (
    "loss E = det(A)",
    "loss E = det(A)*sum(i, b[i]^2) + det(A)^2",
    "v = det(A)\nloss E = exp(v)*b[0] + 1/(1 + v^2)",
    "B[n,i,j] = A[i,j]*(n + 1)\nloss E = sum(n, b[0]*det(B[n]))",
    "loss E = where(b[0] > 0, det(A), logdet(A))",
    "loss E = sum(n, where(n > 0, det(A)*n, 0))",
)


@pytest.mark.parametrize("name", SINGULAR)
@pytest.mark.parametrize("loss", OF_DETERMINANTS)
def test_the_gradient_of_a_determinant_is_right_where_the_matrix_is_singular(loss: str, name: str) -> None:
    matrix = np.array(SINGULAR[name])
    size = len(matrix)
    if "b[0]" in loss and not size:
        pytest.skip("this loss reads the first place, which an empty axis does not have")
    system = parse_system(f"index i, j : I\nindex n : N = 2\nparam A[i,j]\ninput b[i]\n{loss}\n")
    values = {"A": matrix, "b": np.linspace(0.5, 1.5, size)}
    _expect_right(system, values, {"I": size, "N": 2})


def test_cofactors_of_a_nearly_singular_matrix_keep_their_digits() -> None:
    """Against exact rationals: det(A)*inv(A) has none, for the condition is 1e15."""
    rng = np.random.default_rng(1)
    left, right = (np.linalg.qr(rng.normal(size=(5, 5)))[0] for _ in range(2))
    matrix = left @ np.diag([1.0, 0.5, 0.3, 0.2, 1e-15]) @ right
    system = parse_system("index i, j : I\nparam A[i,j]\nloss E = det(A)\n")
    module = load_module(numpy_source(lower(derive(system))), "accurate")
    exact = np.array(
        gaussian_elimination.cofactors([[Fraction(number) for number in row] for row in matrix.tolist()])
    )
    found = module.grad({"A": matrix})["A"]
    assert np.max(np.abs(found - exact.astype(float))) < 1e-12 * np.max(np.abs(exact.astype(float)))


@pytest.mark.parametrize(
    ("loss", "gradient"),
    [
        ("det(A)", "cofactor(A)[i,j]"),
        ("det(A)^2", "2*cofactor(A)[i,j]*det(A)"),
        ("log(det(A))", "inv(A)[j,i]"),
        ("1/sqrt(det(A))", "-1/2*inv(A)[j,i]*E"),
    ],
)
def test_the_form_of_a_determinant_s_gradient(loss: str, gradient: str) -> None:
    declared = "index i, j : I\nparam A[i,j]\n"
    system = parse_system(f"{declared}loss E = {loss}\n")
    found = derive(system).gradients["A"].expression
    assert found == parse_expression(gradient, system), text(found)


# What keeps a matrix inside, where it is read at a constant place: conditions on sizes and other indices.
KEPT_INSIDE = {
    "by_its_size": "where(1 < size(n), inv(M[1])[0,0], 0)",
    "by_an_index": "sum(n, where(n > 0, inv(M[1])[0,0]*x[n], 0))",
    "by_the_place_of_another_element": (
        "where(2 < size(n), sum(i, j, inv(M[2])[i,j]*where(i + 2 < size(n), M[i + 2,i,j], 0)), 0)"
    ),
    "by_values_as_well": "sum(n, where(n > 1 and x[n] > 0, inv(M[2])[0,0], x[n]))",
}


@pytest.mark.parametrize("length", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize("name", KEPT_INSIDE)
def test_a_matrix_beyond_the_end_is_not_inverted(name: str, size: int, length: int) -> None:
    if length == 0 and "values" in name:
        pytest.skip("a module of this loss refuses an empty axis, as other tests say")
    system = parse_system(
        f"index i, j : I\nindex n : N\nparam M[n,i,j], x[n]\nloss E = {KEPT_INSIDE[name]} + sum(n, x[n]^2)\n"
    )
    rng = np.random.default_rng(4)
    matrices = rng.normal(size=(length, size, size)) + 3 * np.eye(size)
    _expect_right(system, {"M": matrices, "x": rng.normal(size=length)}, {"I": size, "N": length})


@pytest.mark.parametrize("condition", ["x[0] > 0", "n < 2", "n < 2 and x[n] > 0"])
def test_what_no_condition_keeps_inside_is_refused_at_the_call(condition: str) -> None:
    system = parse_system(
        "index i, j : I\nindex n : N\nparam M[n,i,j], x[n]\n"
        f"loss E = sum(n, where({condition}, inv(M[3])[0,0], 0)) + sum(n, x[n])\n"
    )
    module = load_module(numpy_source(lower(derive(system))), "outside")
    with pytest.raises(ValueError, match="reads position 3, but N=2"):
        module.loss({"M": np.stack([np.eye(2)] * 2), "x": np.ones(2)})
    assert module.loss({"M": np.stack([np.eye(2)] * 4), "x": np.ones(4)}) in (6.0, 8.0)
