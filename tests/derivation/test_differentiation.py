"""Every rule of differentiation against the complex step, and what has no derivative."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from symbackprop.derivation.differentiation import differentiate
from symbackprop.errors import DerivationError
from symbackprop.language.model import parse_expression, parse_system
from symbackprop.notation.expressions import ZERO, Apply, Comparison, Element, Index
from symbackprop.semantics.naive import NaiveEvaluator
from symbackprop.systems.printing import text

SYSTEM = parse_system(
    """
index i, p : I
index j : J
input x[i], A[i,j], S[i,p]
param c
loss E = c
"""
)
SIZES = {"I": 3, "J": 2}
STEP = 1e-30

FORMULAS = [
    "x[i]",
    "3*x[i] + A[i,j]",
    "x[i]*x[i]*A[i,j]",
    "x[i]*c + c",
    "(x[i] - c)^2",
    "1/(1 + x[i]^2)",
    "sqrt(1 + x[i]^2)",
    "2^x[i]",
    "(1 + x[i]^2)^x[i]",
    "sigmoid(x[i]*c)",
    "relu(x[i]) + abs(x[i])",
    "max(x[i], c) + min(x[i], c)",
    "where(x[i] > c, x[i]^2, c)",
    "sum(i, x[i]*A[i,j])",
    "sum(p, x[p])*x[i]",
    "prod(i, x[i])",
    "prod(i, x[i]*A[i,j])",
    "max(i, x[i]*A[i,j])",
    "min(i, j, x[i]*A[i,j])",
    "max(j, x[i])",
    "sum(i, S[i,i]*x[i])",
    "mean(i, exp(x[i]))/sum(i, exp(x[i]))",
]


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("tensor", ["x", "c"])
def test_derivative_against_the_complex_step(formula: str, tensor: str) -> None:
    expression = parse_expression(formula, SYSTEM)
    rng = np.random.default_rng(2)
    values = {
        each.name: rng.normal(size=[SIZES[index.axis.name] for index in each.indices])
        for each in SYSTEM.tensors.values()
    }
    # The differentiated element's own index is apart from every index of the formula.
    positions = tuple(Index("q", index.axis) for index in SYSTEM.tensors[tensor].indices)
    derivative = differentiate(expression, Element(tensor, positions))
    free = tuple(sorted(expression.free_indices, key=lambda index: index.name))
    found = NaiveEvaluator(values, SIZES).array(derivative, (*free, *positions))
    for place in itertools.product(*(range(size) for size in values[tensor].shape)):
        moved = np.asarray(values[tensor], dtype=complex)
        moved[place] += 1j * STEP
        expected = np.imag(NaiveEvaluator({**values, tensor: moved}, SIZES).array(expression, free)) / STEP
        np.testing.assert_allclose(found[(..., *place)], expected, rtol=1e-9, atol=1e-12)


def test_ties_go_to_the_first_maximum() -> None:
    expression = parse_expression("max(i, x[i])", SYSTEM)
    derivative = differentiate(expression, Element("x", (Index("q", SYSTEM.axes[0]),)))
    values = {"x": np.array([1.0, 2.0, 2.0])}
    found = NaiveEvaluator(values, SIZES).array(derivative, (Index("q", SYSTEM.axes[0]),))
    assert found.tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("formula", "expected"),
    [("relu(c)", 0), ("abs(c)", 0), ("sign(c)", 0), ("max(c, 0)", 1), ("max(0, c)", 0)],
)
def test_kinks_at_zero(formula: str, expected: int) -> None:
    derivative = differentiate(parse_expression(formula, SYSTEM), Element("c"))
    assert NaiveEvaluator({"c": np.array(0.0)}, SIZES).expression(derivative) == expected


def test_product_over_an_index_at_zero() -> None:
    derivative = differentiate(
        parse_expression("prod(i, x[i])", SYSTEM), Element("x", (Index("q", SYSTEM.axes[0]),))
    )
    values = {"x": np.array([2.0, 0.0, 3.0])}
    found = NaiveEvaluator(values, SIZES).array(derivative, (Index("q", SYSTEM.axes[0]),))
    assert found.tolist() == [0, 6, 0]


def test_bound_index_is_not_captured() -> None:
    # Differentiating sum(i, x[i]^2) by x[i]: the outer i is not the bound one.
    by = parse_expression("x[i]", SYSTEM)
    assert isinstance(by, Element)
    derivative = differentiate(parse_expression("sum(i, x[i]^2)", SYSTEM), by)
    assert text(derivative) == "sum(i', 2*x[i']*delta(i',i))"


def test_another_tensor_and_an_unread_one_have_derivative_zero() -> None:
    assert differentiate(parse_expression("x[i]*A[i,j]", SYSTEM), Element("c")) == ZERO


def test_a_comparison_has_no_derivative() -> None:
    condition = Comparison("<", Element("c"), ZERO)
    with pytest.raises(DerivationError, match="has no derivative"):
        differentiate(condition, Element("c"))


def test_a_function_without_a_derivative_in_the_language_is_refused() -> None:
    with pytest.raises(DerivationError, match="polygamma"):
        differentiate(Apply("trigamma", (Element("c"),)), Element("c"))
