"""An equation's right-hand side at other positions."""

import pytest

from symbackprop.language.model import parse_system
from symbackprop.notation.arithmetic import add
from symbackprop.notation.expressions import ONE, Add, Expression, Index
from symbackprop.systems.printing import text

MODEL = """
index i, j, k : I
input x[i]
param w[i,j]
z[i,j] = sum(k, w[i,k]*w[k,j])*x[i]
loss E = sum(i, z[i,i])
"""
EQUATION = parse_system(MODEL).definitions["z"]
ROW, COLUMN = EQUATION.indices
BOUND = Index("k", ROW.axis)


@pytest.mark.parametrize(
    ("positions", "meant"),
    [
        ((ROW, COLUMN), "sum(k, w[i,k]*w[k,j])*x[i]"),
        ((COLUMN, ROW), "sum(k, w[j,k]*w[k,i])*x[j]"),
        ((BOUND, BOUND), "sum(k', w[k,k']*w[k',k])*x[k]"),
        ((add(ROW, ONE), COLUMN), "sum(k, w[i + 1,k]*w[k,j])*x[i + 1]"),
        ((Add((ONE, ROW)), COLUMN), "sum(k, w[1 + i,k]*w[k,j])*x[1 + i]"),
    ],
)
def test_read_there_first_and_again(positions: tuple[Expression, ...], meant: str) -> None:
    for _ in range(2):
        assert text(EQUATION.at(positions)) == meant


@pytest.mark.parametrize("place", [COLUMN, add(ROW, ONE), Add((ONE, ROW))], ids=text)
def test_what_is_read_at_the_same_positions_is_the_same_node(place: Expression) -> None:
    first, second = (EQUATION.at((place, ROW)) for _ in range(2))
    assert first is second


def test_positions_are_those_given_whatever_the_order_of_their_terms() -> None:
    before, behind = EQUATION.at((add(ROW, ONE), ROW)), EQUATION.at((Add((ONE, ROW)), ROW))
    assert before == behind and not before.is_identical(behind)


def test_at_its_own_indices_it_is_as_it_stands() -> None:
    assert EQUATION.at((ROW, COLUMN)) is EQUATION.expression
