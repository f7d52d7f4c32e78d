"""A softmax whose exponents are all -1e9 is 1/K each, as the language says, and no 0/0."""

import numpy as np
import pytest

from symbackprop.language.model import parse_system
from symbackprop.notation.expressions import Multiply
from symbackprop.semantics.evaluation import evaluate
from symbackprop.semantics.systems import evaluate_system
from symbackprop.systems.shifted_exponentials import shifted_exponentials

HEAD = "index t, s, k : T\ninput u[t,s], v[t,s]\n"
VALUES = {"u": np.array([[-2000.0, -2001.0], [0.5, -0.25]]), "v": np.array([[1.0, 2.0], [3.0, -1.0]])}
SIZES = {"T": 2}
PLAIN = np.exp(VALUES["u"] + [[2000.0], [0.0]])
SOFTMAX = PLAIN / PLAIN.sum(axis=1, keepdims=True)


def values_of(formula: str, *, strict: bool = False) -> list[np.ndarray]:
    system = parse_system(f"{HEAD}y[t,s] = {formula}\n")
    return [
        evaluate(system, VALUES, SIZES)["y"],
        evaluate_system(system, VALUES, SIZES, strict=strict)["y"],
    ]


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("softmax(s, u[t,s])", SOFTMAX),
        ("3*v[t,s]*softmax(s, u[t,s])", 3 * VALUES["v"] * SOFTMAX),
        (
            "exp(u[t,s])*sum(k, exp(u[t,k])*v[t,k])/sum(k, exp(u[t,k]))^2",
            SOFTMAX * (SOFTMAX * VALUES["v"]).sum(axis=1, keepdims=True),
        ),
        ("sum(s, v[t,s]*softmax(s, u[t,s]))", (SOFTMAX * VALUES["v"]).sum(axis=1)[:, None] * [[1.0, 1.0]]),
    ],
)
def test_exponents_are_shifted_where_all_exponentials_vanish(
    formula: str, expected: np.ndarray, strict: bool
) -> None:
    for found in values_of(formula, strict=strict):
        np.testing.assert_allclose(found, expected, rtol=1e-14)


@pytest.mark.parametrize(
    "formula",
    [
        "exp(u[t,s])/sum(k, exp(u[t,k]))^2",  # infinite: 1 of two divisors is left
        "exp(v[t,s])/sum(k, exp(u[t,k]))",  # another exponent
        "sum(k, exp(u[t,k]) + v[t,k])*v[t,s]/sum(k, exp(u[t,k]))",  # the sum is not linear in it
    ],
)
def test_what_is_undefined_stays_so(formula: str) -> None:
    product = parse_system(f"{HEAD}y[t,s] = {formula}\n").equations[0].expression
    assert isinstance(product, Multiply) and not shifted_exponentials(product)
    for found in values_of(formula):
        assert not np.isfinite(found[0]).any() and np.isfinite(found[1]).all()
    with pytest.raises(FloatingPointError):
        values_of(formula, strict=True)


def test_an_index_of_the_exponent_that_a_sum_binds_anew_is_another_one() -> None:
    product = (
        parse_system(f"{HEAD}y[t,s] = sum(t, exp(u[t,s]))/sum(k, exp(u[t,k]))\n").equations[0].expression
    )
    assert isinstance(product, Multiply) and not shifted_exponentials(product)


def test_what_is_shifted_is_not_shifted_again() -> None:
    """Over an empty axis a sum vanishes whatever is taken from its exponents; it was shifted without end."""
    model = parse_system(f"{HEAD}y[t,s] = exp(u[t,s])*v[t,s]/sum(k, exp(u[t,k]))\n")
    product = model.equations[0].expression
    assert isinstance(product, Multiply)
    (found,) = shifted_exponentials(product)
    assert isinstance(found.product, Multiply) and not shifted_exponentials(found.product)
