"""Expressions as lists and back, in the same order of terms."""

import json

import pytest

from symbackprop.notation.derivatives import InnerDerivative
from symbackprop.notation.expressions import Axis, Element, Expression, Index, Number
from symbackprop.pipeline import load, loads
from symbackprop.storage.spelled import read_expression, spelled

WHOLE_LANGUAGE = """
index a : A
index i, j : N = 2*A
index k : K = 3
input x[i], y[i], p[k]
param S[i,j]
u[i] = where(i > 0 and not (x[i] < 2/3), x[i]^2/3 + exp(-y[i]), max(x[i], pi)*size(i) + i) + p[0]
q[a] = argmax(j, S[2*a,j])*1 + sum(j, inv(S)[j,2*a]) - delta(a, 1)
loss E = det(S)^2 + logdet(S) + sum(i, u[i]) + prod(a, q[a])
"""


def expressions() -> list[Expression]:
    models = [loads(WHOLE_LANGUAGE), load("examples/transformer.model")]
    return [equation.expression for model in models for equation in model.system.equations]


def test_what_is_spelled_is_read_again() -> None:
    for expression in expressions():
        lists = json.loads(json.dumps(spelled(expression)))
        found = read_expression(lists)
        assert found.is_identical(expression)
        assert json.dumps(spelled(found)) == json.dumps(spelled(expression))


def test_sizes_and_relations_are_spelled_too() -> None:
    related = Axis("N", "i", None, Number(4))
    for axis in (Axis("N", "i"), Axis("N", "i", 3), Axis("M", "i"), Axis("N", "j"), related):
        element = Element("x", (Index("i", axis),))
        assert read_expression(json.loads(json.dumps(spelled(element)))) == element


@pytest.mark.parametrize(
    "lists",
    [
        None,
        5,
        [],
        "x",
        ["Nothing", 1],
        ["Number"],
        ["Number", "a"],
        ["Number", ["/", 1, 0]],
        ["Element", "x", ["()", ["Axis", "I", "i", None, None]]],  # an axis is no position
        ["Element", "x", "y"],
        ["Add", ["()", 1, 2]],
        ["Add", 1],
        ["Axis", "I", "i", None, None],
        ["Multiply", ["()", ["Element", "x", ["()"]], "y"]],
        {"Number": 1},
    ],
)
def test_what_spells_no_expression(lists: object) -> None:
    with pytest.raises(ValueError, match="spell"):
        read_expression(lists)


def test_a_derivative_that_a_model_states_is_not_spelled() -> None:
    with pytest.raises(KeyError):
        spelled(InnerDerivative(Element("y"), Element("x")))
