"""What is printed reads back as what was printed, and what is written means what Python would make of it."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from symbackprop import loads
from symbackprop.errors import LanguageError
from symbackprop.language.model import parse_expression, parse_system
from symbackprop.notation.substitution import fresh_index
from symbackprop.semantics.evaluation import evaluate
from symbackprop.systems.printing import system_text, text
from symbackprop.systems.system import System

DECLARATIONS = """
index b : B
index i, j : I
index k : K = 3
input x[b,i]
target d[b,k]
param W[k,i], w[i], a, lambda
const E0
func swish(u) = u*sigmoid(a*u)
func gap(u, v) = abs(u - v)^2 + sum(i, w[i])*u
fact sum(k, d[b,k]) == 1
"""

WRITTEN = [
    "a + E0 - lambda - 2*a - 1/2*E0 - (a + E0) - (-a)",
    "-a*E0/lambda*2 - -a + -2*a - -(2*a)",
    "(a + E0) + (a - E0)",
    "a*(E0*lambda)*(a*E0)/(a*E0)",
    "(a*E0)*lambda*(1/2)",
    "-1*2*a + -1*(2*a) + -1*(-1)*a + -1*-1*-1",
    "1*a + 1/a + 1*a^-1 + 1*2*a",
    "1/2 + 1/2/3 + 3/4*a + a/2 + a*1/2 + a*2^-1 + 2^-2 + 2*3/4",
    "-1/2*a - 1/a - a/E0^2 - a/sqrt(E0)",
    "a^2^E0 + (a^2)^E0 + (a^-1)^-1 + a^(-E0) + -a^2 + (-a)^2 + a^-2 + a^(2/3) + a^-(1/2) + a^1 + a^0",
    "sqrt(a)^-1 + sqrt(a)^-2 + sqrt(a)^2 + 1/(1/a) + a/(1/a) + 1/sqrt(sqrt(a)) + (a^2)^-1",
    "1/(2*a) + 1/(2*3) + 0.5/a + 1/2/a - 1/(2*a) + 3/(2*a) + a/1/3 + a/-1/3 + a/(-E0) + 2/(-a) + -1*2/3/a",
    "a/(E0*lambda)/2 + a/(E0*(lambda*a)) + (a*E0)^-1 + a*(a*E0)^-1 + a/(1/E0)/lambda + 1/(1/2*a)",
    "0.044715*a + 1e-5 + 1.5e3*a + 100/3 + 1/97 - 0.01 + a*1e-5",
    "--a + ---2 + -(-(a*E0)) - (-(E0)/a)",
    "mean(i, w[i]) + 2*mean(b, i, x[b,i]) - mean(i, w[i])^2 + a/mean(i, w[i])",
    "sum(i, sum(i, w[i])*w[i]) + sum(i, a) + prod(i, w[i]) + max(i, w[i]) + min(i, w[i])",
    "max(a, 0) + min(E0, a) + sum(i, max(w[i], i)) + sum(i, max(i + 0, w[i]))",
    "where(a < E0 <= lambda and not a == 0 or (a != 1 or E0 > 2) and a >= 3, a, where(not not a < 0, 1, 2))",
    "where((0 <= a < 1) and a < 3, sum(i, j, where(i <= j, w[i]*w[j], 0)), pi)",
    "sum(i, j, delta(i,j)*w[i]*w[j]) + size(b)*size(K) + sum(i, i*w[i]) + 2*pi",
    "swish(a)*swish(-a) + swish(2*a*E0)/3 + gap(a, E0*2) + sum(i, gap(w[i], i))",
    "swish(swish(a)) + sum(i, swish(w[i])^2)",
]  # fmt: skip


def model(formula: str, left: str = "y") -> System:
    return parse_system(f"{DECLARATIONS}{left} = {formula}\n")


def without_source(system: System) -> System:
    """The system without its text, and without the words that are put back where they still fit."""
    return dataclasses.replace(system, source="", shorthands=frozenset())


def assert_reads_back(system: System) -> None:
    again = parse_system(system_text(system))
    # Numbers come together where a word is put back: -mean(j, w[j])*2 is printed as -2*mean(j, w[j]).
    assert system.shorthands or without_source(again) == without_source(system)
    assert system_text(parse_system(system_text(again))) == system_text(again)
    for equation in system.equations if not system.shorthands else ():
        assert text(again.definitions[equation.tensor].expression) == text(equation.expression)
        assert parse_expression(text(equation.expression), system) == equation.expression


@pytest.mark.parametrize("formula", WRITTEN)
def test_hand_written_formulas_read_back(formula: str) -> None:
    assert_reads_back(model(formula))


def _combined(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    two, three = st.tuples(parts, parts), st.tuples(parts, parts, parts)
    condition = st.tuples(parts, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), parts).map(" ".join)
    conditions = st.one_of(
        condition,
        st.tuples(condition, st.sampled_from([" and ", " or "]), condition).map("".join),
        condition.map("not {}".format),
        condition.map("({})".format),
        st.tuples(parts, parts, parts).map(lambda p: f"{p[0]} < {p[1]} <= {p[2]}"),
    )
    return st.one_of(
        two.map(" + ".join),
        two.map(" - ".join),
        two.map("*".join),
        two.map("/".join),
        two.map(lambda p: f"({p[0]})*({p[1]})"),
        two.map(lambda p: f"({p[0]})/({p[1]})"),
        two.map(lambda p: f"{p[0]} - ({p[1]})"),
        parts.map("-{}".format),
        parts.map("-({})".format),
        parts.map("({})".format),
        st.tuples(
            parts, st.sampled_from(["2", "-1", "-2", "(1/2)", "-(1/2)", "0.5", "a", "-a", "1", "-1^2"])
        ).map(lambda p: f"({p[0]})^{p[1]}"),
        st.tuples(st.sampled_from(["exp", "sigmoid", "sqrt", "tanh", "swish"]), parts).map(
            lambda p: f"{p[0]}({p[1]})"
        ),
        # Of an index that has a value max(i, a) is refused.
        two.map(lambda p: f"max({p[0]}{' + 0' * (p[0].strip('()') in INDICES)}, {p[1]})"),
        parts.map("sum(i, {})".format),
        parts.map("mean(j, w[j]*({}))".format),
        parts.map("max(k, {} + k)".format),
        two.map(lambda p: f"gap({p[0]}, {p[1]})"),
        st.tuples(conditions, three).map(lambda p: f"where({p[0]}, {p[1][0]}, {p[1][1]})"),
    )


INDICES = ("b", "i", "j", "k")
ATOMS = [
    "a", "E0", "lambda", "w[i]", "x[b,i]", "2", "3", "1", "0.5", "1e-3", "1/3", "-2", "-1", "pi",
    "size(b)", "i", "delta(i,j)", "W[k,j]",
]  # fmt: skip
FORMULAS = st.recursive(st.sampled_from(ATOMS), _combined, max_leaves=12)


@settings(max_examples=400, deadline=None)
@given(FORMULAS)
def test_generated_formulas_read_back(formula: str) -> None:
    try:
        system = model(formula, "y[b,i,j,k]")
    except LanguageError:
        assume(False)
    assert_reads_back(system)


def _plain(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    two = st.tuples(parts, parts)
    return st.one_of(
        *(two.map(operator.join) for operator in ("+", "-", "*", "/", "^", " ** ")),
        *(two.map(lambda p, operator=operator: f"({p[0]}){operator}({p[1]})") for operator in "+-*/^"),
        parts.map("-{}".format),
    )


@settings(max_examples=400, deadline=None)
@given(st.recursive(st.sampled_from(["a", "c", "2.0", "3.0", "0.5", "1e1"]), _plain, max_leaves=8))
def test_arithmetic_means_what_it_means_in_python(formula: str) -> None:
    values = {"a": 1.25, "c": 0.75}
    try:
        expected = eval(formula.replace("^", "**"), {}, values)
        system = parse_system(f"const a, c\ny = {formula}")
    except (LanguageError, ZeroDivisionError, OverflowError):
        assume(False)
    assume(not isinstance(expected, complex) and math.isfinite(expected) and abs(expected) < 1e150)
    found = evaluate(system, {name: np.array(value) for name, value in values.items()})["y"]
    # A negative base has no real power at an exponent that is whole but for rounding, as c^0.5/c^0.5.
    assume(not (math.isnan(found) and ")^(" in formula))
    assert float(found) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_fresh_indices_of_derived_formulas_read_back() -> None:
    system = model("sum(k, W[k,i]*d[b,k])", "y[b,i]")
    k = system.tensors["d"].indices[1]
    primed = fresh_index(k, [k])
    expression = parse_expression(
        "sum(k', (d[b,k'] - d[b,k])*W[k',i])*where(argmax(k, d[b,k]) == k', 1, 0)", system
    )
    assert primed in {index for node in expression.walk() for index in node.free_indices}
    assert parse_expression(text(expression), system) == expression
    declared = parse_system("index k, k' : K\nparam v[k]\ny[k'] = sum(k, v[k]*v[k'])")
    assert declared.equations[0].indices[0].name == "k'"
    assert_reads_back(declared)


def test_order_and_brackets_of_the_writer_are_kept() -> None:
    written = "E0*a + lambda*(a*E0) - (a - E0)*2"
    assert text(model(written).equations[0].expression) == written


GUARDS_BY_TWO_AXES = """
index k : K = 5
index m : M = K + 3
param g[m], v[k]
q[k] = where(k + 2 < size(k), g[k+2], 0) + 2*where(k + 2 < size(k), v[k+2], 0)
r = where(size(k) > 6, g[6], 0)
loss E = sum(k, where(k + 1 < size(k), v[k]*g[k+1], 0)) + sum(k, q[k]) + r
"""


def test_a_guard_by_the_size_of_another_axis_is_no_pad() -> None:
    """pad(g[k + 2]) is g[k + 2] for every k: g has three places more than k's axis."""
    system = parse_system(GUARDS_BY_TWO_AXES)
    shown = system_text(system)
    assert "q[k] = where(k + 3 <= size(k), g[k + 2], 0) + 2*pad(v[k + 2])" in shown
    assert "r = where(7 <= size(k), g[6], 0)" in shown
    data = {"g": np.arange(1.0, 9.0), "v": np.arange(1.0, 6.0)}
    again = evaluate(parse_system(shown), data)
    for name, value in evaluate(system, data).items():
        assert np.array_equal(again[name], value)
    assert "where(k + 2 <= size(k), g[k + 1], 0)" in loads(GUARDS_BY_TWO_AXES).derive(["v"]).result_text()
