"""The shortest part of a model on which something fails."""

import pytest

from symbackprop.errors import ProgramError
from symbackprop.language.model import parse_system
from symbackprop.notation.expressions import Apply
from symbackprop.verification.shrinking import fails_alike, shortest_failing

MODEL = """index b : B
index i : I
input x[b,i]
param w[i], c
u[b] = sum(i, w[i]*x[b,i]) + c
v[b] = tanh(u[b]) + exp(2*u[b] + c)
q = c^2 + 3*c
loss E = sum(b, v[b]^2 + log(1 + v[b]^2)) + q
"""


def applies(system, function):
    nodes = (node for equation in system.equations for node in equation.expression.walk())
    return any(isinstance(node, Apply) and node.function == function for node in nodes)


@pytest.mark.parametrize("function", ["tanh", "exp", "log"])
def test_what_is_left_fails_and_little_else_is(function):
    shortest = shortest_failing(parse_system(MODEL), lambda system: applies(system, function))
    assert applies(shortest, function)
    assert len(shortest.equations) <= 2 and len(shortest.source) < len(MODEL) / 3


def test_it_is_a_model_whose_text_fails_as_well():
    shortest = shortest_failing(parse_system(MODEL), lambda system: applies(system, "exp"))
    assert applies(parse_system(shortest.source), "exp")


def test_the_model_itself_where_nothing_smaller_fails():
    system = parse_system(MODEL)
    assert shortest_failing(system, lambda other: other == system) == system


def test_no_time_no_search():
    system = parse_system(MODEL)
    assert shortest_failing(system, lambda other: True, budget=0.0) is system


def lowering(system):
    if applies(system, "log"):
        raise ProgramError("'v' reads 'v_mask' with other axes than it has")
    if applies(system, "tanh"):
        raise ProgramError("'w' is computed twice")


def test_another_error_does_not_count():
    system = parse_system(MODEL)
    with pytest.raises(ProgramError) as raised:
        lowering(system)
    fails = fails_alike(lowering, raised.value)
    assert fails(system)
    shortest = shortest_failing(system, fails)
    assert applies(shortest, "log") and not applies(shortest, "tanh")


def test_a_derivative_inside_the_model_is_kept_whole():
    text = "index n : N\ninput x[n]\nparam a\ny[n] = sin(a*x[n])\nloss E = sum(n, (diff(y[n], x[n]) - 1)^2)\n"
    shortest = shortest_failing(parse_system(text), lambda system: "diff(" in system.source)
    assert "diff(" in shortest.source and "- 1" not in shortest.source
