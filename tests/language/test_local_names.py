"""Local names in a function's body: each stands for its formula, and captures nothing of the call's."""

from __future__ import annotations

import pytest

from symbackprop.errors import SymbackpropError
from symbackprop.language.model import parse_system
from symbackprop.systems.printing import system_text, text

DECLARATIONS = """
index b : B
index i, j : I
input x[b,i]
param v[i], m, c
"""
# Each function in lines with local names, and as the one formula that is meant.
PAIRS = {
    "rms(i, u)": ("q = mean(i, u^2)\n r = sqrt(q + c)\n u/r", "u/sqrt(mean(i, u^2) + c)"),
    "own(j, u)": ("s = sum(i, v[i]*u)\n sum(j, u*s)", "sum(j, u*sum(i, v[i]*u))"),
    "hidden(i, u)": ("m = max(i, u)\n exp(u - m)*sum(i, u - m)", "exp(u - max(i, u))*sum(i, u - max(i, u))"),
    "bound(j, u)": ("e = j*u\n sum(j, e)/size(j)", "sum(j, j*u)/size(j)"),
    "compared(j, u)": ("w = 2*u\n max(j, w) - u", "max(j, 2*u) - u"),
    "shadowed(u)": ("j = u^2\n u*sum(j, v[j]) + j", "u*sum(j, v[j]) + u^2"),
    "called(j, u)": ("d = u - mean(j, u)\n rms(j, d) + d", "rms(j, u - mean(j, u)) + (u - mean(j, u))"),
    "long(u)": ("a = max(\n u,\n 0)\n\n # a comment\n b = (a\n + 1)\n\n a*b\n", "max(u, 0)*(max(u, 0) + 1)"),
}  # fmt: skip
CALLS = {
    1: "y[b,i] = {name}(x[b,i])*m + {name}(m)",
    2: "y[b,i] = {name}(i, x[b,i]*m) + sum(j, {name}(j, v[j]))",
}


def equations(name: str, body: str, call: str) -> list[str]:
    rms = f"func rms(i, u) = {PAIRS['rms(i, u)'][1]}\n" if "rms" in body else ""
    system = parse_system(f"{DECLARATIONS}{rms}func {name} = {body}\n{call}\n")
    assert parse_system(system_text(system)).equations == system.equations
    return [text(each.expression) for each in system.equations]


@pytest.mark.parametrize("header", PAIRS)
def test_local_names_stand_for_their_formulas(header: str) -> None:
    lines, formula = PAIRS[header]
    call = CALLS[header.count(",") + 1].format(name=header.partition("(")[0])
    assert equations(header, f"(\n {lines}\n)", call) == equations(header, formula, call)


def test_an_argument_with_the_name_of_a_local_one_is_the_callers() -> None:
    system = parse_system(f"{DECLARATIONS}func f(u) = (m = u^2\n m + u)\ny = f(m)\n")
    assert text(system.definitions["y"].expression) == "m^2 + m"


def test_a_bracket_around_a_formula_of_several_lines_stays_one() -> None:
    assert equations("f(u)", "(\n u\n + 1\n)", "y = f(c)") == ["c + 1"]


@pytest.mark.parametrize(
    ("body", "cause", "remedy"),
    [
        ("(a = u\n)", "expected a value", "the last line of a function's body is its value"),
        ("(a = u\n a[i])", "'a' is a local name of the function and has no positions", "write a"),
        ("(a = u\n e[i] = u\n e)", "never closed", "a function's local name has no indices"),
        ("(a = u\n a = a\n a)", "'a' cannot be a local name of 'f' here", "without primes"),
        ("(u = 2\n u)", "'u' cannot be a local name of 'f' here", "without primes"),
        ("(f = 2\n f)", "'f' cannot be a local name of 'f' here", "without primes"),
        ("(exp = 2\n exp)", "is a function of the language", ""),
        ("(a = d\n d = u\n a)", "unknown name 'd'", ""),
        ("(a = v[i]\n sum(i, a))", "index not summed: 'i' is free in the body", "sum over it"),
        ("(a = u > 0\n a)", "a condition stands where a value is needed", ""),
        ("(a = u\n v[a])", "a position of 'v'", ""),
        ("(a = u\n a", "never closed", "add the ')'"),
        ("u\ny2 = a", "unknown name 'a'", ""),
        (
            "(" + "\n".join(["a0 = u", *(f"a{n + 1} = a{n} + exp(a{n})" for n in range(60)), "a60)"]),
            "nodes",
            "",
        ),
    ],
)
def test_what_is_refused(body: str, cause: str, remedy: str) -> None:
    with pytest.raises(SymbackpropError) as caught:
        parse_system(f"{DECLARATIONS}func f(u) = {body}\ny = f(c)\n")
    assert cause in str(caught.value.cause)
    assert remedy in str(caught.value.remedy)
