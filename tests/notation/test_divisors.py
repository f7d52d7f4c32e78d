from fractions import Fraction

import pytest

from symbackprop.notation.arithmetic import divisor_of, is_reciprocal
from symbackprop.notation.expressions import Element, Multiply, Number, Power

X = Element("x")


@pytest.mark.parametrize(
    ("exponent", "below"),
    [(-1, X), (-2, Power(X, Number(2))), (Fraction(-1, 2), Power(X, Number(Fraction(1, 2))))],
)
def test_the_divisor_of_a_reciprocal(exponent: Fraction, below: Power) -> None:
    factor = Power(X, Number(Fraction(exponent)))
    assert is_reciprocal(factor)
    assert divisor_of(factor) == below


@pytest.mark.parametrize(
    "factor",
    [X, Power(X, Number(2)), Power(X, X), Multiply((X, Power(X, Number(-1)))), Number(Fraction(1, 2))],
)
def test_what_is_no_reciprocal(factor: Element) -> None:
    assert not is_reciprocal(factor)
    assert divisor_of(factor) is None
