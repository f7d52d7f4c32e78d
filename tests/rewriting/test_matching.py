"""Index variables of facts and definitions, which the matcher of rules binds as well."""

from __future__ import annotations

import pytest

from symbackprop.language.model import parse_expression, parse_system
from symbackprop.notation.expressions import Expression
from symbackprop.notation.substitution import canonical_bound_names
from symbackprop.rewriting.matching import match

SYSTEM = parse_system(
    """
index i, p : I
index j, q : J
param x[i], y[j], A[i,j], S[i,p], T[j,q], c
loss E = c
"""
)


def parsed(formula: str) -> Expression:
    return canonical_bound_names(parse_expression(formula, SYSTEM))


CASES = [
    # terms and factors in any order; every way is found
    ("x[i]*y[j]", "y[q]*x[p]", [{"i": "p", "j": "q"}]),
    ("x[i] + y[j]", "y[q] + x[p]", [{"i": "p", "j": "q"}]),
    ("sum(j, A[i,j]*y[j])", "sum(q, y[q]*A[p,q])", [{"i": "p"}]),
    # near-misses
    ("x[i]*y[j]", "y[q]*x[p]*c", []),
    ("x[i]*y[j]", "x[p]", []),
    ("x[i] + y[j]", "y[q] + x[p] + c", []),
    ("S[i,i]", "S[p,0]", []),
    ("sum(j, A[i,j]*y[j])", "max(q, y[q]*A[p,q])", []),
    ("sum(j, A[i,j])", "sum(j, q, A[i,j])", []),
    ("x[i]*x[p]", "x[p]*x[0]", []),  # an axis may be empty
    ("y[j]", "x[p]", []),
    ("y[j]*c", "sum(j, y[j])*c", []),
]


@pytest.mark.parametrize(("pattern", "formula", "expected"), CASES)
def test_index_variables(pattern: str, formula: str, expected: list[dict[str, str]]) -> None:
    left = parsed(pattern)
    variables = frozenset(index for index in left.free_indices if index.name in "ij")
    names = {index.name: index for index in (parsed("S[i,p]*T[j,q]").free_indices)}
    found = list(match(left, parsed(formula), variables))
    assert found == [{names[one]: names[other] for one, other in way.items()} for way in expected]


def test_what_is_given_is_checked_again() -> None:
    """A binding out of a step may be wrong: x[i] is not x[i + 1], which may lie outside."""
    left, outside = parsed("x[i]*c"), parsed("i + 1")
    (i,) = left.free_indices
    assert list(match(left, left, frozenset({i}), {i: i})) == [{i: i}]
    assert not list(match(left, left, frozenset({i}), {i: outside}))
    moved = parse_expression("pad(x[i + 1])", SYSTEM).children[1]
    assert not list(match(parsed("x[i]"), moved, frozenset({i}), {i: outside}))
    assert not list(match(parsed("x[i]"), moved, frozenset({i})))
