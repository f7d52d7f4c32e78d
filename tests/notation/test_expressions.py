"""Equality, builders, substitution, matching and text of expressions."""

from __future__ import annotations

from fractions import Fraction

import pytest

from symbackprop.errors import NotationError
from symbackprop.notation.arithmetic import add, divide, multiply, negate, power
from symbackprop.notation.expressions import (
    Add,
    Axis,
    Comparison,
    Delta,
    Element,
    Expression,
    Index,
    Multiply,
    Number,
    Reduction,
)
from symbackprop.notation.substitution import (
    canonical_bound_names,
    equal_up_to_bound_names,
    fresh_index,
    substitute,
    tidy_bound_names,
)
from symbackprop.rewriting.matching import match
from symbackprop.systems.decimals import number_text
from symbackprop.systems.ordering import in_reading_order
from symbackprop.systems.printing import text
from symbackprop.systems.system import Equation

ROWS, COLUMNS = Axis("I", "i"), Axis("J", "j")
i, p, j = Index("i", ROWS), Index("p", ROWS), Index("j", COLUMNS)
x, y, c = Element("x", (i,)), Element("y", (j,)), Element("c")


def total(index: Index, body: Expression) -> Reduction:
    return Reduction("sum", (index,), body)


def test_equality_forgets_the_order_of_terms_and_factors_but_not_names() -> None:
    assert Add((x, c)) == Add((c, x))
    assert Multiply((x, c)) == Multiply((c, x))
    assert Delta(i, p) == Delta(p, i)
    assert Comparison("!=", i, p) == Comparison("!=", p, i)
    assert Comparison("==", x, c) == Comparison("==", c, x)
    assert Comparison("<", i, p) != Comparison("<", p, i)
    assert Comparison("==", i, p) != Comparison("!=", p, i)
    assert Add((x, x)) != Add((x, c))
    assert hash(Add((x, c))) == hash(Add((c, x)))
    assert total(i, x) != total(p, Element("x", (p,)))
    assert canonical_bound_names(total(i, x)) == canonical_bound_names(total(p, Element("x", (p,))))
    assert equal_up_to_bound_names(total(i, x), total(p, Element("x", (p,))))
    assert not equal_up_to_bound_names(total(i, x), total(p, x))
    assert not equal_up_to_bound_names(total(i, x), multiply(c, total(i, x)))


def test_a_product_keeps_the_powers_that_stand_in_it_as_they_are() -> None:
    square, root = power(x, Number(Fraction(2))), power(c, Number(Fraction(1, 2)))
    product = multiply(y, square, root)
    assert isinstance(product, Multiply)
    assert product.factors[1] is square
    assert product.factors[2] is root
    assert multiply(square, x, root, root) == multiply(power(x, Number(Fraction(3))), c)
    assert multiply(square, power(x, Number(Fraction(-2)))) == Number(Fraction(1))
    assert multiply(square, power(x, Number(Fraction(-2))), x) == x


@pytest.mark.parametrize(
    ("built", "expected"),
    [
        (add(x, negate(x)), "0"),
        (add(x, x, c), "2*x[i] + c"),
        (add(Number(1), negate(x)), "1 - x[i]"),
        (add(Number(Fraction(1, 1000)), Number(1), negate(x)), "1 - x[i] + 0.001"),
        (add(Number(1), negate(x), Number(Fraction(1, 2)), Number(3)), "9/2 - x[i]"),
        (add(Number(1), x, Number(Fraction(-1, 1000)), Number(-1)), "-0.001 + x[i]"),
        (add(Number(1), x, Number(Fraction(1, 1000)), negate(x)), "1.001"),
        (multiply(x, Number(2), x), "2*x[i]^2"),
        (multiply(x, power(x, Number(-1))), "1"),
        (divide(Number(1), divide(x, c)), "1/x[i]*c"),
        (power(power(x, Number(2)), Number(Fraction(1, 2))), "sqrt(x[i]^2)"),
        (power(power(x, Number(Fraction(1, 2))), Number(2)), "x[i]"),
        (multiply(Number(0), x), "0"),
        (negate(Add((x, negate(c)))), "-x[i] + c"),
    ],
)
def test_builders(built: Expression, expected: str) -> None:
    assert text(built) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Fraction(1, 2), "1/2"),
        (Fraction(1, 3), "1/3"),
        (Fraction("0.044715"), "0.044715"),
        (Fraction(-3), "-3"),
        (Fraction(1, 10**5), "1e-05"),
        (Fraction(1, 67), "1/67"),
    ],
)
def test_numbers(value: Fraction, expected: str) -> None:
    assert number_text(Number(value)) == expected
    assert Fraction(expected) == value


def test_substitution_renames_a_binder_that_would_capture() -> None:
    expression = total(p, multiply(x, Element("x", (p,))))
    assert text(substitute(expression, {i: p})) == "sum(p', x[p]*x[p'])"
    assert substitute(total(i, x), {i: p}) == total(i, x)


def test_tidy_names_never_shadow() -> None:
    primed = Index("i'", ROWS)
    inner = total(primed, Element("x", (primed,)))
    assert text(tidy_bound_names(inner)) == "sum(i, x[i])"
    assert text(tidy_bound_names(multiply(x, inner))) == "x[i]*sum(i', x[i'])"
    assert text(tidy_bound_names(inner, frozenset({i}), {ROWS: (i, p)})) == "sum(p, x[p])"


def test_fresh_index() -> None:
    assert fresh_index(i, [i, Index("i'", ROWS)]).name == "i''"


def test_matching_binds_indices_of_the_same_axis_consistently() -> None:
    pattern = multiply(x, Element("A", (i, j)))
    assert list(match(pattern, multiply(Element("A", (p, j)), Element("x", (p,))), frozenset({i}))) == [
        {i: p}
    ]
    assert not list(match(pattern, multiply(Element("A", (p, j)), Element("x", (i,))), frozenset({i})))
    assert not list(match(x, y, frozenset({i})))


def test_a_circle_of_equations_names_the_way() -> None:
    a, b = Equation("a", (), Element("b")), Equation("b", (), Element("a"))
    with pytest.raises(NotationError, match="a needs b needs a"):
        in_reading_order((a, b))
