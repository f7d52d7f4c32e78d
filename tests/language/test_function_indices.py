"""func with reductions: a parameter that the body runs over is an index, and binds that of the arguments."""

from __future__ import annotations

import pytest

import symbackprop as sb
from symbackprop.language.model import parse_system
from symbackprop.systems.printing import system_text, text

DECLARATIONS = """
index b : B
index i, j : I
index k : K
input x[b,i]
param W[k,i], v[i], c
func total(j, u) = sum(j, u)
func soft(k, u) = (
    exp(u - c*size(k))
    /sum(k, exp(u - c*size(k)))
)
func centred(j, u) = u - mean(j, u)
func spread(j, u) = sqrt(mean(j, centred(j, u)^2))
func both(j, l, u) = sum(j, l, u)*total(j, max(l, u))
func own(j, u) = sum(j, u*sum(i, v[i]))
func plain(u) = u*sum(i, v[i])
func place(j, u) = sum(j, j*u)
"""


def read(formula: str, left: str = "y") -> str:
    system = parse_system(f"{DECLARATIONS}{left} = {formula}\n")
    expression = system.definitions[left.split("[")[0]].expression
    assert parse_system(system_text(system)).equations == system.equations
    return text(expression)


@pytest.mark.parametrize(
    ("call", "left", "written"),
    [
        ("total(i, v[i]^2)", "y", "sum(i, v[i]^2)"),
        ("total(k, W[k,0])", "y", "sum(k, W[k,0])"),
        ("total(j, c)", "y", "sum(j, c)"),
        ("soft(i, v[i])", "y[i]", "exp(v[i] - c*size(i))/sum(i, exp(v[i] - c*size(i)))"),
        ("spread(j, v[j])", "y", "sqrt(1/size(i)*sum(j, (v[j] - 1/size(i)*sum(j, v[j]))^2))"),
        ("both(k, i, W[k,i])", "y", "sum(k, i, W[k,i])*sum(k, max(i, W[k,i]))"),
        ("total(i, total(j, v[i]*v[j]))", "y", "sum(i, sum(j, v[i]*v[j]))"),
        ("total(i, v[i]*total(i, v[i]))", "y", "sum(i, v[i]*sum(i, v[i]))"),
        ("own(i, v[i])", "y", "sum(i, v[i]*sum(i', v[i']))"),  # the body's own i is another one
        ("plain(v[i])", "y[i]", "v[i]*sum(i, v[i])"),
        ("place(i, v[i])", "y", "sum(i, i*v[i])"),
        (
            "total(b, soft(i, x[b,i]))",
            "y[i]",
            "sum(b, exp(x[b,i] - c*size(i))/sum(i, exp(x[b,i] - c*size(i))))",
        ),
    ],
)
def test_a_call_binds_its_index(call: str, left: str, written: str) -> None:
    assert read(call, left) == written


def test_a_layer_norm_of_ones_own_is_what_one_would_have_written() -> None:
    by_function, written = (
        parse_system(f"{DECLARATIONS}y[b,i] = {formula}\n").equations
        for formula in (
            "centred(i, x[b,i])/spread(i, x[b,i])",
            "(x[b,i] - mean(i, x[b,i]))/sqrt(mean(i, (x[b,i] - mean(i, x[b,i]))^2))",
        )
    )
    assert by_function == written


@pytest.mark.parametrize(
    ("call", "cause"),
    [
        ("total(3, c)", "the parameter 'j' is an index, and this is not one"),
        ("total(m, c)", "unknown index 'm'"),
        ("total(c, c)", "'c' is a param, not an index"),
        ("total(i)", "'total' takes 2 arguments, here is 1"),
        ("soft(i, v[i])", "index not summed: 'i' is neither summed nor on the left"),
        ("both(i, i, v[i])", "'both' is given an index twice"),
        ("total(i, x[b,i])", "index not summed: 'b'"),
    ],
)
def test_messages(call: str, cause: str) -> None:
    with pytest.raises(sb.NotationError) as caught:
        read(call)
    assert cause in caught.value.cause


def test_a_function_that_runs_over_an_index_does_not_call_itself() -> None:
    with pytest.raises(sb.NotationError, match="calls itself"):
        parse_system("index i : I\nparam v[i]\nfunc f(i2, u) = sum(i2, u) + f(i2, u)\nloss E = f(i, v[i])\n")
    with pytest.raises(sb.SymbackpropError, match=r"nested more than|before it is defined"):
        parse_system(
            "index i : I\nparam v[i]\nfunc f(j, u) = sum(j, g(j, u))\nfunc g(j, u) = sum(j, f(j, u))\n"
            "loss E = f(i, v[i])\n"
        )
