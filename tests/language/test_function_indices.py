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
func kept(l, u) = where(u == max(l, u), u, 0)
func range(i, u) = max(i, u) - min(i, u)
func twice(j, u) = 2*kept(j, u)
func whole(j, l, u) = u/max(j, l, u)
func passed(m, u) = total(m, u)
func weighted(m, u) = m*total(m, u)
func nested(m, u) = sum(m, weighted(m, u))
func greater(u, w) = max(u, w)
func halved(m, u) = sum(m, u*greater(m, 3)) + max(m, u)
func size_of(u) = max(u, -u)
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
        ("kept(i, x[b,i])", "y[b,i]", "where(x[b,i] == max(i, x[b,i]), x[b,i], 0)"),
        ("kept(c, v[i])", "y[i]", "where(v[i] == max(c, v[i]), v[i], 0)"),
        ("kept(v[j], c)", "y[j]", "where(c == max(v[j], c), c, 0)"),
        ("range(k, W[k,i])", "y[i]", "max(k, W[k,i]) - min(k, W[k,i])"),
        (
            "range(k, range(i, W[k,i]))",
            "y",
            "max(k, max(i, W[k,i]) - min(i, W[k,i])) - min(k, max(i, W[k,i]) - min(i, W[k,i]))",
        ),
        ("twice(i, v[i])", "y[i]", "2*where(v[i] == max(i, v[i]), v[i], 0)"),
        ("twice(c, v[i])", "y[i]", "2*where(v[i] == max(c, v[i]), v[i], 0)"),
        ("whole(k, i, W[k,i])", "y[k,i]", "W[k,i]/max(k, i, W[k,i])"),
        ("passed(i, v[i])", "y", "sum(i, v[i])"),
        ("nested(i, v[i])", "y", "sum(i, i*sum(i, v[i]))"),
        ("greater(k, i)", "y[k,i]", "where(k >= i, k, i)"),  # two numbers: neither depends on the other
        ("greater(k, size(k) - 2)", "y[k]", "where(k >= size(k) - 2, k, size(k) - 2)"),
        ("greater(k, k*i)", "y[i]", "max(k, k*i)"),
        ("greater(k + 0, c)", "y[k]", "max(k + 0, c)"),
        ("halved(i, v[i])", "y", "sum(i, v[i]*where(i >= 3, i, 3)) + max(i, v[i])"),
        ("size_of(i)", "y[i]", "where(i >= -i, i, -i)"),
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
        ("passed(3, c)", "the parameter 'm' is an index, and this is not one"),
        ("weighted(i, v[i])", "index not summed: 'i'"),
        ("kept(i, v[i])", "index not summed: 'i'"),
        ("greater(k, 3)", "index not summed: 'k'"),
        ("sum(k, greater(k, c))", "the value beside it does not depend on 'k'"),
        ("sum(k, kept(k, max(k, W[k,0])))", "the value beside it does not depend on 'k'"),
        ("sum(i, twice(i, c))", "the value beside it does not depend on 'i'"),
        ("whole(c, c, c)", "'c' is a param, not an index"),
    ],
)
def test_messages(call: str, cause: str) -> None:
    with pytest.raises(sb.NotationError) as caught:
        read(call)
    assert cause in caught.value.cause


def test_a_function_that_runs_over_an_index_does_not_call_itself() -> None:
    with pytest.raises(sb.NotationError, match="calls itself"):
        parse_system("index i : I\nparam v[i]\nfunc f(i2, u) = sum(i2, u) + f(i2, u)\nloss E = f(i, v[i])\n")
    with pytest.raises(sb.SymbackpropError, match=r"nested more than|calls itself"):
        parse_system(
            "index i : I\nparam v[i]\nfunc f(j, u) = sum(j, g(j, u))\nfunc g(j, u) = sum(j, f(j, u))\n"
            "loss E = f(i, v[i])\n"
        )


RING = "index k : K = 5\nindex d : D\nparam a[k,d]\ninput w[k,d]\n"


def same_models(one: str, other: str) -> None:
    first, second = parse_system(RING + one), parse_system(RING + other)
    assert [each.expression for each in first.equations] == [each.expression for each in second.equations]


@pytest.mark.parametrize(
    ("functions", "called", "written"),
    [
        ("func next_of(k) = mod(k + 1, 5)\n", "a[next_of(k),d]", "a[mod(k + 1, 5),d]"),
        ("func back(q, n) = mod(q - n, size(k))\n", "a[back(k, 2),d]", "a[mod(k - 2, size(k)),d]"),
        (
            "func two(k) = one(one(k))\nfunc one(k) = mod(k + 1, 5)\n",
            "a[two(k),d]",
            "a[mod(mod(k + 1, 5) + 1, 5),d]",
        ),
        ("func at(q) = (\n  r = mod(2*q, 5)\n  w[r,0]\n)\n", "a[k,d]*at(k)", "a[k,d]*w[mod(2*k, 5),0]"),
        ("func wave(q, u) = u*mod(q, 2)\n", "wave(k + d, a[k,d])", "a[k,d]*mod(k + d, 2)"),
    ],
)
def test_a_parameter_of_a_remainder_is_a_whole_number(functions: str, called: str, written: str) -> None:
    same_models(f"{functions}loss E = sum(k, d, ({called})^2)\n", f"loss E = sum(k, d, ({written})^2)\n")


@pytest.mark.parametrize("argument", ["a[k,d]", "k/2", "w[k,d] + k"])
def test_no_other_number_is_given_for_it(argument: str) -> None:
    with pytest.raises(sb.NotationError, match="is a whole number, and this may not be one"):
        parse_system(f"{RING}func next_of(q) = mod(q + 1, 5)\nloss E = sum(k, d, a[next_of({argument}),d])\n")


def test_an_index_that_the_body_binds_captures_no_argument() -> None:
    """mod(q + k, 2) over the body's own k is not mod(k + k, 2)."""
    text = f"{RING}func count(q) = sum(k, mod(q + k, 2))\nloss E = sum(k, d, a[k,d]^2*count(k))\n"
    written = "loss E = sum(k, d, a[k,d]^2*sum(k', k + k' - 2*floor(1/2*(k + k'))))\n"
    assert sb.loads(text).text().endswith(written)


def test_functions_stand_in_any_order() -> None:
    used = "c[k,d] = act(a[k,d])\n"
    own = "func act(u) = u*gate(u, twice(u))\n"
    inner = "func gate(u, v) = sigmoid(u + twice(v))\n"
    least = "func twice(u) = 2*u\n"
    loss = "loss E = sum(k, d, c[k,d]^2)\n"
    same_models(used + own + inner + least + loss, least + inner + own + used + loss)
