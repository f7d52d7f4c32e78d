"""Equations that define whole numbers are positions by their names: C[id[n],d], w[b[n] + 1]."""

from __future__ import annotations

import re

import pytest

import symbackprop as sb
from symbackprop.errors import NotationError
from symbackprop.language.model import parse_expression, parse_system
from symbackprop.language.remarks import remarks
from symbackprop.systems.printing import equation_text, text
from tests.models.whole_language.judge import judged

HEAD = """\
index n, m : N
index k : K
index d : D
index g : G = 6
input at[n] in K
param x[n,d], C[k,d], w[g], v[n]
"""
NEAREST = "id[n] = argmin(k, sum(d, (x[n,d] - C[k,d])^2))\n"
CELL = "b[n] = clip(floor(v[n]), 0, size(g) - 2)\n"

MODELS = {
    "the nearest row": f"{NEAREST}loss E = sum(n, d, (x[n,d] - C[id[n],d])^2)",
    "used before it is defined": f"loss E = sum(n, d, x[n,d]*C[id[n],d])\n{NEAREST}",
    "a cell and the next, and a value": (
        f"{CELL}f[n] = v[n] - b[n]\ny[n] = w[b[n]]*(1 - f[n]) + w[b[n]+1]*f[n]\nloss E = sum(n, y[n]^2)"
    ),
    "by one another": (
        f"{CELL}c[n] = mod(b[n] + 2*n, size(g))\n"
        "loss E = sum(n, w[c[n]]^2*v[n]) + sum(n, g, delta(b[n], g)*v[n]^2*w[g])"
    ),
    "of integers alone": "p[n] = mod(at[n]^2 + n, size(k))\nloss E = sum(n, d, tanh(C[p[n],d])*x[n,d])",
    "guarded by its name": (
        "b[n] = floor(v[n])\n"
        "loss E = sum(n, where(0 <= b[n] and b[n] + 1 < size(g), w[b[n]+1] - w[b[n]]*v[n], 0))"
    ),
    "guarded by what defines it": (
        "b[n] = ceil(2*v[n])\nc[n] = b[n] - 1\n"
        "loss E = sum(n, where(b[n] >= 1, where(b[n] <= size(g), w[c[n]]^2, v[n]), w[0]))"
    ),
    "one of two places": (
        "p[n] = where(v[n] > 0, argmax(k, C[k,0]), argmin(k, C[k,0]*v[n]))\nloss E = sum(n, C[p[n],0]*v[n])"
    ),
    "a place, or the first": (
        "p[n] = where(n == 0, 0, argmax(k, C[k,0]*v[n-1]))\nloss E = sum(n, d, (C[p[n],d] - x[n,d])^2)"
    ),
    "a rounded number within bounds": (
        "p[n] = round(clip(3*v[n], 0, size(g) - 1))\nloss E = sum(n, (w[p[n]] - v[n])^2)"
    ),
    "a rank": "r[n] = sum(m, where(v[m] > v[n], 1, 0))\nloss E = sum(n, d, x[r[n],d]*v[n])",
    "a rank with ties in their order": (
        "r[n] = sum(m, where(v[m] > v[n] or v[m] == v[n] and m < n, 1, 0))\nloss E = sum(n, v[r[n]]*x[n,0]^2)"
    ),
    "a guarded count": (
        "r[n] = sum(d, where(x[n,d] > v[n], 1, 0))\nloss E = sum(n, where(r[n] < size(k), C[r[n],0], v[n]^2))"
    ),
    "at another index": (
        f"{NEAREST}loss E = sum(n, where(n >= 1, sum(d, C[id[n-1],d]*C[id[n],d]), 0)) + sum(n, d, x[n,d]^2)"
    ),
}
DATA = "\n# data N=3 K=2 D=4 G=6 seed=3 kind=normal\n# data N=1 K=1 D=1 G=6 seed=4 kind=normal\n"


@pytest.mark.parametrize("name", MODELS)
def test_it_works_like_what_it_stands_for(name: str) -> None:
    verdict = judged(f"{HEAD}{MODELS[name]}{DATA}")
    assert verdict.outcome == "right", f"{verdict.kind}\n{verdict.detail}"


def test_it_is_printed_by_its_name_and_read_back() -> None:
    derivation = sb.loads(f"{HEAD}{MODELS['the nearest row']}\n", name="nearest").derive(["x", "C"])
    assert derivation.result_text().splitlines() == [
        "dE/dx[n,d] = 2*(x[n,d] - C[id[n],d])",
        "dE/dC[k,d] = 2*sum(n, (C[k,d] - x[n,d])*delta(id[n],k))",
    ]
    system = parse_system(f"{HEAD}{MODELS['a cell and the next, and a value']}\n")
    for equation in system.equations:
        shown = equation_text(equation, system.shorthands).partition(" = ")[2]
        assert parse_expression(shown, system) == equation.expression
    assert text(system.equations[0].expression) == "min(max(floor(v[n]), 0), size(g) - 2)"
    assert "w[b[n] + 1]" in equation_text(system.equations[2], system.shorthands)


def test_its_name_stands_in_conditions_too() -> None:
    text_ = MODELS["guarded by its name"]
    derivation = sb.loads(f"{HEAD}{text_}\n").derive(["v"])
    assert str(derivation.gradients["v"]) == (
        "dE/dv[n] = -where(b[n] >= 0 and b[n] + 1 < size(g), w[b[n]], 0)"
    )
    system = parse_system(f"{HEAD}{text_}\n")
    shown = equation_text(system.equations[1], system.shorthands).partition(" = ")[2]
    assert parse_expression(shown, system) == system.equations[1].expression


def test_a_position_that_it_names_is_read_by_somebody() -> None:
    system = parse_system(f"{HEAD}{MODELS['the nearest row']}\n")
    assert not any("id" in str(remark) for remark in remarks(system))


@pytest.mark.parametrize(
    ("definition", "cause"),
    [
        ("b[n] = v[n]/2", "a position of 'w' is a whole number, and this may not be one"),
        ("b[n] = floor(v[n])/2", "a position of 'w' is a whole number"),
        ("b[n] = floor(v[n])", "w[b[n]] may lie outside axis G"),
        ("b[n] = sum(m, where(v[m] <= v[n], 1, 0))", "w[b[n]] may lie outside axis G"),
        ("b[n] = round(clip(v[n], 0, 7))", "w[b[n]] may lie outside axis G"),
        ("b[n] = where(v[n] > 0, 0, size(g))", "w[b[n]] lies outside axis G"),
        (
            "b[n] = where(n == 0, 0, b[n-1]/2)",
            "a position of 'w' is a whole number, and 'b' reads itself",
        ),
        (
            "b[n] = where(n == 0, 0, b[n-1] + where(v[n] > 0, 1, 0))",
            "'b' counts on from step to step, and nothing is known to keep it inside axis G",
        ),
        ("b[n] = where(n == 0, 0, max(b[n-1] - 1, -1))", "'b' counts on from step to step"),
        ("b[n] = argmax(d, x[n,d])", "axis clash in 'w': position 1 runs over axis G"),
    ],
)
def test_what_may_be_no_place_is_refused(definition: str, cause: str) -> None:
    with pytest.raises(NotationError) as caught:
        parse_system(f"{HEAD}{definition}\nloss E = sum(n, w[b[n]])\n")
    assert caught.value.cause.startswith(cause)


@pytest.mark.parametrize(
    ("pointers", "said"),
    [
        ("p[n] = floor(u[n])\nq[n] = p[n] + 1", "w[q[n]] may lie outside axis N: q[n] is known only"),
        ("q[n] = argmax(m, u[m]*v[n]) + 1", "w[q[n]] may lie outside axis N: q[n] is known only"),
        (
            "p[n] = where(v[n] > 0, n - 1, 0)\nq[n] = where(v[n] < 2, p[n] + 1, p[n])",
            "w[q[n]] lies outside axis N for n = 0",
        ),
    ],
)
def test_pointers_are_named_as_typed(pointers: str, said: str) -> None:
    head = "index n, m : N\nparam w[n], u[n], v[n]\n"
    with pytest.raises(NotationError, match=re.escape(said)) as caught:
        parse_system(f"{head}{pointers}\ny[n] = w[q[n]]\n")
    assert "where(v" not in str(caught.value)
