"""inv, det, logdet, trace and positive_definite: what they mean, and what they say where they cannot."""

from __future__ import annotations

import pytest

from symbackprop.errors import NotationError
from symbackprop.language.model import parse_system
from symbackprop.systems.printing import text

DECLARATIONS = """\
index i, j : I
index k : K
index t : T
param X[i,j], S[t,i,j], B[k,i], w[i], a
func twice(u) = 2*u
"""

# the text, the caret's column, a fragment of the cause, one of the remedy
REFUSED = [
    ("y[i,k] = inv(B)[i,k]", 14, "square matrix, and 'B' is over axes K and I", "as B[k,i]"),
    ("y = det(B)", 9, "square matrix, and 'B' is over axes K and I", "as B[k,i]"),
    ("y = trace(B)", 11, "over axes K and I", "both of its last indices"),
    ("y = logdet(w)", 12, "'w' has 1 index", "as w[i]"),
    ("y = det(a)", 9, "'a' is a scalar", "as a"),
    ("y = det(Z)", 9, "unknown tensor 'Z'", "declare it"),
    ("y = inv(X)", 5, "an element of an inverse has 2 positions, here are none", "inv(X)[i,j]"),
    ("y[i] = inv(X)[i]", 8, "an element of an inverse has 2 positions, here is 1", "axis I"),
    ("y[i,k] = inv(X)[i,k]", 19, "axis clash in 'X'", "index over I"),
    ("y[i] = inv(X)[i,j]", 17, "index not summed: 'j'", "sum(j, ...)"),
    ("y = det(S)", 9, "takes 'S' with 1 position, here are none", "det(S[t])"),
    ("y[t] = det(X[t])", 12, "takes 'X' with 0 positions, here is 1", "det(X)"),
    ("y = det(S[t])", 11, "index not summed: 't'", "sum(t, ...)"),
    ("y[i] = det(S[i])", 14, "axis clash in 'S'", "index over T"),
    ("y = trace(2*X[i,j])", 11, "the name of a tensor, not a formula", "M[i,j] = sum(k, A[i,k]*B[k,j])"),
    ("y = det(X)[i]", 5, "the value of det(...) has no positions", ""),
    ("y = det(X, X)", 5, "'det' takes 1 argument, here are 2", "det(X)"),
    ("y = positive_definite(X)", 5, "is no value", "fact positive_definite(P)"),
    ("fact positive_definite(B)", 24, "square matrix", "as B[k,i]"),
    ("fact positive_definite(2*a)", 24, "takes the name of a tensor", "bare name"),
    ("param det", 7, "'det' is a function of the language", "another name"),
    ("func f(u) = det(u)", 17, "the parameter 'u' is a number", "equation"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "column", "cause", "remedy"), REFUSED)
def test_what_has_no_meaning_is_refused(written: str, column: int, cause: str, remedy: str) -> None:
    with pytest.raises(NotationError) as caught:
        parse_system(DECLARATIONS + written + "\n")
    error = caught.value
    assert cause in error.cause
    assert remedy in error.remedy
    assert error.place is not None
    assert (error.place.line, error.place.column) == (DECLARATIONS.count("\n") + 1, column)


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("y = trace(X)", "sum(i, X[i,i])"),
        ("y[t] = trace(S[t])", "sum(i, S[t,i,i])"),
        ("y[i] = w[i]*trace(X)", "w[i]*sum(i, X[i,i])"),
        ("y[t] = logdet(S[t])*twice(det(X))", "logdet(S[t])*(2*det(X))"),
        ("y[t,i] = sum(j, inv(S[t])[i,j]*w[j])", "sum(j, inv(S[t])[i,j]*w[j])"),
    ],
)
def test_what_is_written_means_what_is_printed(written: str, printed: str) -> None:
    system = parse_system(DECLARATIONS + written + "\n")
    assert text(system.definitions["y"].expression) == printed


def test_the_trace_of_a_batch_over_the_matrix_own_axis() -> None:
    """R[i] is a matrix over i's axis for each i: the trace runs over another index."""
    system = parse_system(DECLARATIONS + "index i2 : I\ninput R[i,j,i2]\ny[j] = trace(R[j]) + logdet(R[j])\n")
    assert text(system.definitions["y"].expression) == "sum(j', R[j,j',j']) + logdet(R[j])"
