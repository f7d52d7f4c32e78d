"""The search's work: what SymPy is spared, and where its budget ends."""

from __future__ import annotations

import pytest
import sympy

from symbackprop.algebra.quotients import collected, factored, work_on

a, b, c = sympy.symbols("a0 a1 a2")


@pytest.mark.parametrize("write", [sympy.factor, sympy.factor_terms])
@pytest.mark.parametrize("atom", [a, b, c])
@pytest.mark.parametrize(
    "expression",
    [
        sympy.expand((a + b) ** 2 * (c - 1)),
        2 * a * b - 4 * a / c + b * c / 2 + 3 - a**3 / b**2,
        a / (b + c) + a * b - c * a,  # no sum of monomials
        a,
        sympy.Integer(5),
    ],
)
def test_sums_are_collected_as_sympy_collects_them(expression, atom, write) -> None:
    assert collected(expression, atom, write) == sympy.collect(expression, atom, func=write)


def test_a_monomial_is_its_own_product() -> None:
    assert factored(3 * a**2 / b) == sympy.factor(3 * a**2 / b)


def test_work_grows_with_terms_and_atoms() -> None:
    assert work_on(sympy.Integer(3)) == 0
    assert work_on(a + b) < work_on((a + b) * (b + c)) < work_on((a + b) * (b + c) / (a + c))
