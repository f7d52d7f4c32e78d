"""What a sum costs: a factor that no bound index moves makes no contraction of it."""

from __future__ import annotations

import pytest

from symbackprop.cost.expressions import cost
from symbackprop.derivation.driver import derive
from symbackprop.language.model import parse_expression, parse_system
from symbackprop.systems.printing import text

MODEL = "index a : A\nindex b : B\nindex c : C\nparam p, q[b], v[a], w[a], M[a,b]\nloss E = p\n"


@pytest.mark.parametrize(
    ("inside", "outside"),
    [
        ("sum(a, p*v[a])", "p*sum(a, v[a])"),
        ("sum(a, q[b]*v[a])", "q[b]*sum(a, v[a])"),
        ("sum(a, c, v[a]*p*q[b])", "sum(a, c, v[a])*p*q[b]"),
    ],
)
def test_a_factor_costs_the_same_inside_and_outside(inside: str, outside: str) -> None:
    system = parse_system(MODEL)
    assert cost(parse_expression(inside, system)) == cost(parse_expression(outside, system))


def test_a_contraction_is_cheaper_than_a_pass() -> None:
    system = parse_system(MODEL)
    assert cost(parse_expression("sum(a, v[a]*w[a])", system)) < cost(
        parse_expression("sum(a, v[a])", system)
    )
    assert cost(parse_expression("sum(a, v[a]*M[a,b])", system)) < cost(
        parse_expression("sum(a, M[a,b])", system)
    )


@pytest.mark.parametrize("size", ["A", "A = 1", "A = 3"])
@pytest.mark.parametrize(
    ("loss", "gradient"),
    [
        ("mean(a, v[a]*p) + mean(a, v[a])", "sum(a, v[a])/size(a)"),
        ("sum(a, v[a]*p) + sum(a, v[a])", "sum(a, v[a])"),
        ("2*sum(a, p*v[a]) - sum(a, v[a])/3", "2*sum(a, v[a])"),
    ],
)
def test_a_sum_is_not_solved_for_by_itself(size: str, loss: str, gradient: str) -> None:
    system = parse_system(
        f"index a : {size}\nparam p, w[a]\nv[a] = where(w[a] > 0, 3/2, w[a])\nloss E = {loss}\n"
    )
    assert text(derive(system).gradients["p"].expression) == gradient
