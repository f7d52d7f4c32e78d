"""Axes that are blocks side by side: which expressions fall apart into blocks, and at which places."""

import pytest

from symbackprop.indexing.blocks import blocks_of, names_for_blocks, read_by_block
from symbackprop.indexing.padding import not_negative
from symbackprop.integers.linear import linear_form
from symbackprop.integers.mixed_radix import bound_of_number, without_multiples
from symbackprop.language.model import parse_expression, parse_system
from symbackprop.notation.expressions import Index
from symbackprop.systems.printing import equation_text, text
from symbackprop.systems.system import Equation

SYSTEM = parse_system("""
index n : N
index h : H
index a : A = 2*H
index b : B = 2*H + 1
index g : G
input f[n,h], k[n,a], l[n,b]
loss E = sum(n, h, f[n,h]) + sum(g, 1)
""")
N, H, A, B, G = (Index(axis.label, axis) for axis in SYSTEM.axes)
TWO = "where(a < size(h), f[n,a], 0)*k[n,a] + where(a - size(h) >= 0, f[n,a-size(h)], 0)"


def blocks(formula: str, index: Index = A) -> list[str]:
    found = blocks_of(parse_expression(formula, SYSTEM), (N, index))
    return [f"{text(block.start)}: {text(block.expression)}" for block in found]


def test_each_block_is_read_without_a_guard() -> None:
    assert blocks(TWO) == ["0: f[n,h]*k[n,h]", "size(h): f[n,h]"]


def test_a_condition_on_another_index_stays() -> None:
    formula = "where(a < size(h) and n > 0, f[n,a], 0) + where(a >= size(h), f[n,a-size(h)], 0)"
    assert blocks(formula) == ["0: where(n > 0, f[n,h], 0)", "size(h): f[n,h]"]


def test_a_sum_of_another_block_is_none_of_this_one() -> None:
    formula = (
        "sum(n', k[n',a]*where(n' <= n and a < size(h), f[n',a], 0))"
        " + 2*sum(n', k[n,a]*where(n' > n and a >= size(h), f[n',a-size(h)], 0))"
    )
    assert blocks(formula) == [
        "0: sum(n', k[n',h]*where(n' <= n, f[n',h], 0))",
        "size(h): 2*sum(n', k[n,size(h) + h]*where(n' > n, f[n',h], 0))",
    ]


@pytest.mark.parametrize(
    "formula",
    [
        "where(a < size(h), f[n,a], 0)*k[n,a]",
        "where(a < size(h), f[n,a], 0) + where(a >= size(g), k[n,a], 0)",
        "where(a < size(h), f[n,a], 0) + where(a >= n, k[n,a], 0)",
        "where(a < size(h), f[n,a], 0) + where(k[n,a] > 0, k[n,a], 0)",
        "k[n,a]",
    ],
    ids=["one block", "a cut between unrelated sizes", "a cut that moves", "a mask of values", "no choice"],
)
def test_what_has_no_blocks(formula: str) -> None:
    assert blocks(formula) == []


def test_a_block_without_an_axis_of_its_length_is_none() -> None:
    assert blocks("where(b < size(h), f[n,b], 0) + where(b >= size(h), l[n,b], 0)", B) == []


HEADS = parse_system("""
index n : N
index g : G
index e : E
index o : D = G*E
index p : P = 2*G*E
input f[n,g], k[n,g,e]
loss L = sum(n, g, e, f[n,g]*k[n,g,e])
""")
HEAD_NUMBERS = [Index(axis.label, axis) for axis in HEADS.axes]
IN_TWO = (
    "where(floor(p/size(e)) < size(g), f[n,floor(p/size(e))]*k[n,floor(p/size(e)),mod(p, size(e))], 0)"
    " + where(floor(p/size(e)) - size(g) >= 0, f[n,floor(p/size(e)) - size(g)], 0)"
)


def test_a_condition_on_the_quotient_begins_a_block() -> None:
    n, *_, p = HEAD_NUMBERS
    axes = [index.axis for index in HEAD_NUMBERS]
    found = blocks_of(parse_expression(IN_TWO, HEADS), (n, p), axes)
    assert [f"{text(block.start)}: {text(block.expression)}" for block in found] == [
        "0: f[n,floor(o/size(e))]*k[n,floor(o/size(e)),mod(o, size(e))]",
        "size(o): f[n,floor(o/size(e))]",
    ]


def test_a_block_without_an_axis_of_its_length_is_counted_by_its_digits() -> None:
    n, *_, p = HEAD_NUMBERS
    found = blocks_of(parse_expression(IN_TWO, HEADS), (n, p))
    assert [f"{text(block.place)}: {text(block.counted)}" for block in found] == [
        "g*size(e) + e: f[n,g]*k[n,g,e]",
        "size(e)*size(g) + g*size(e) + e: f[n,g]",
    ]
    taken = {"v"}
    named = names_for_blocks(Equation("v", (n, p), parse_expression(IN_TWO, HEADS)), taken)
    assert equation_text(named[0]) == "v_block[n,g,e] = f[n,g]*k[n,g,e]"
    read = read_by_block(parse_expression(IN_TWO, HEADS), (n, p), named)
    assert read is not None and "v_block[n,floor(p/size(e)),mod(p, size(e))]" in text(read)


def test_digits_that_do_not_make_up_a_block_leave_it_whole() -> None:
    n, *_, p = HEAD_NUMBERS
    other = IN_TWO.replace("floor(p/size(e)) - size(g)]", "floor((p - size(g)*size(e))/2)]")
    assert blocks_of(parse_expression(other, HEADS), (n, p)) == ()


NUMBERED = parse_system("""
index n : N
index h : H = 3
index g : G = 3
index m : M = 6
index a : A = 6
input f[n,h], k[n,g], r[m]
loss E = sum(n, h, f[n,h]) + sum(n, g, k[n,g]) + sum(m, r[m]) + sum(a, 1)
""")


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("where(a < size(h), f[n,a+0], 0) + where(a >= 3, f[n,a-3], 0)", ["0: f[n,h]", "3: f[n,h]"]),
        ("where(a < 3, f[n,a+0], 0) + where(a >= 3, f[n,a-3], 0)", []),
        ("where(a < size(h), f[n,a+0], 0) + where(a >= 3 and a - 3 < size(g), k[n,a-3], 0)", []),
        ("where(a < size(h), f[n,a+0], 0) + where(a >= 2, f[n,a-3], 0)", []),
        ("where(a < size(h), f[n,a+0], 0)*r[a+0] + where(a >= 4, r[a-4], 0)", []),
    ],
    ids=[
        "one axis",
        "no axis is named",
        "two axes of one number",
        "a cut in a block",
        "blocks of two lengths",
    ],
)
def test_blocks_of_declared_sizes_are_those_of_the_axis_that_bounds_them(formula, expected) -> None:
    n, *_, a = (Index(axis.label, axis) for axis in NUMBERED.axes)
    axes = NUMBERED.axes
    found = blocks_of(parse_expression(formula, NUMBERED), (n, a), axes)
    assert [f"{text(block.start)}: {text(block.expression)}" for block in found] == expected


def test_a_place_within_a_block_is_said_in_one_size() -> None:
    n, *_, p = HEAD_NUMBERS
    formula = (
        "where(p < size(g)*size(e), f[n,floor(p/size(e))], 0)"
        " + where(p - size(o) >= 0, f[n,floor((p - size(o))/size(e))], 0)"
    )
    first, second = blocks_of(parse_expression(formula, HEADS), (n, p))
    assert text(first.expression) == text(second.expression) == "f[n,floor(o/size(e))]"


@pytest.mark.parametrize(
    ("condition", "bound"),
    [
        ("floor(a/size(h)) - n >= 0", "a - size(h)*n"),
        ("floor(a/size(h)) < n", "size(h)*n - a - 1"),
        ("floor(a/3) <= 2", "8 - a"),
        ("floor(floor(a/2)/size(h)) > 0", "a - 2*size(h)"),
        ("2*floor(a/size(h)) < n", "n - 2*floor(a/size(h)) - 1"),
        ("floor(f[n,h]) >= 0", "floor(f[n,h])"),
    ],
)
def test_a_bound_on_a_quotient_is_one_on_the_number(condition: str, bound: str) -> None:
    found = not_negative(parse_expression(condition, SYSTEM))
    assert found is not None
    assert text(bound_of_number(linear_form(found)).expression()) == bound


@pytest.mark.parametrize(
    ("position", "left"),
    [
        ("floor((size(h)*n + a)/size(h))", "n + floor(a/size(h))"),
        ("mod(size(h)*n + a, size(h))", "mod(a, size(h))"),
        ("floor((6 + a)/3)", "floor(a/3) + 2"),
        ("floor((7 + a)/3)", "floor((a + 7)/3)"),
        ("floor(a/size(h))", "floor(a/size(h))"),
        ("mod(n + a, size(h))", "mod(n + a, size(h))"),
    ],
)
def test_multiples_of_the_radix_leave_a_digit(position: str, left: str) -> None:
    assert text(without_multiples(parse_expression(position, SYSTEM))) == left


def test_the_equation_reads_an_equation_for_each_block() -> None:
    taken = {"d", "d_block"}
    expression = parse_expression(TWO, SYSTEM)
    named = names_for_blocks(Equation("d", (N, A), expression), taken)
    assert [equation_text(part) for part in named] == [
        "d_block_2[n,h] = f[n,h]*k[n,h]",
        "d_block_3[n,h] = f[n,h]",
    ]
    assert {"d_block_2", "d_block_3"} <= taken
    by_block = read_by_block(expression, (N, A), named)
    assert by_block is not None
    assert text(by_block) == "where(a < size(h), d_block_2[n,a], 0) + pad(d_block_3[n,a - size(h)])"
    assert read_by_block(expression, (N, A), named[::-1]) is None
    assert read_by_block(expression, (A, N), named) is None
    assert read_by_block(named[0].expression, (N, H), named) is None
