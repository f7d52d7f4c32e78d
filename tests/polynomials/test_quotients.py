"""Quotients of polynomials are what SymPy's own cancel, factor and solve make of them, spelled the same."""

import random

import pytest
import sympy

from symbackprop.algebra.quotients import cancelled, denominator_factors, factored, numerator_factors
from symbackprop.polynomials.factors import root_of_linear
from symbackprop.polynomials.quotient import quotient

SYMBOLS = sympy.symbols("a0:12")
x, y, z = sympy.symbols("a0 a2 a10")


def drawn(draws: random.Random, depth: int) -> sympy.Expr:
    """A rational function of symbols, with numbers, powers and denominators."""
    if not depth:
        number = sympy.Rational(draws.randint(-4, 4), draws.randint(1, 4))
        return draws.choice([*SYMBOLS[:3], draws.choice(SYMBOLS), number])
    if draws.random() < 0.7:
        parts = [drawn(draws, depth - 1) for _ in range(draws.randint(2, 3))]
        return draws.choice([sympy.Add, sympy.Mul])(*parts)
    base = drawn(draws, depth - 1)
    return base ** draws.choice([2, 3, -1, -2]) if base else base


WRITTEN = (
    (x - y) / (y - x),
    (2 * x + 2 * y) / 4,
    -x / 3 + y / 2,
    (1 - x**2) / (1 + x),
    (z**2 - y**2) * (x - z) / (y + z) ** 2,
    1 / (1 + 1 / x) + 1 / (1 + x),
    (x * y + x + y + 1) * (x * z + z) / (2 * x + 2) ** 3,  # a factor twice, and more often below
    x**4 - 4 * y**4,  # of degree 1 in no symbol
    (x**2 + y**2) ** 2 * (x**2 - z**2),
    x**2 * y - y * z**2,  # of degree 1 in a symbol whose slope is a product
    sympy.Integer(0) * x,
    sympy.Rational(3, 4),
)
DRAWN = [drawn(random.Random(seed), 2 + seed % 2) for seed in range(60)]


@pytest.mark.parametrize("expression", [*WRITTEN, *DRAWN], ids=str)
def test_lowest_terms_and_products_are_those_of_sympy(expression: sympy.Expr) -> None:
    assert sympy.srepr(cancelled(expression)) == sympy.srepr(sympy.cancel(expression))
    assert sympy.srepr(factored(expression)) == sympy.srepr(sympy.factor(expression))
    above, below = sympy.fraction(sympy.cancel(expression))
    for found, part in ((numerator_factors(expression), above), (denominator_factors(expression), below)):
        assert found == {factor for factor, _ in sympy.factor_list(part)[1]}


def test_products_multiply_to_what_they_are_of() -> None:
    for expression in DRAWN:
        assert sympy.expand(sympy.numer(sympy.together(factored(expression) - expression))) == 0


def test_what_divides_by_zero_stays_undefined() -> None:
    assert cancelled(sympy.zoo) is cancelled(sympy.nan) is sympy.zoo
    assert cancelled(x + sympy.zoo * y) is sympy.zoo
    assert cancelled(1 / (x * (y + 1) - x * y - x)) is sympy.zoo


def test_a_function_is_no_polynomial() -> None:
    with pytest.raises(TypeError, match="exp is no rational function"):
        cancelled(1 + sympy.exp(x))


@pytest.mark.parametrize(
    ("polynomial", "root"),
    [
        (x * y + z, -z / y),
        (x * (1 - y) - z * (1 + y), z * (1 + y) / (1 - y)),
        (x**2 + y, None),
        (x * y + y * z, None),  # y may be 0, and x anything
    ],
)
def test_a_polynomial_of_degree_one_has_one_root(polynomial: sympy.Expr, root: sympy.Expr | None) -> None:
    found = root_of_linear(quotient(polynomial).numerator, x)
    assert (found is None) == (root is None)
    assert found is None or sympy.simplify(found.expression - root) == 0
