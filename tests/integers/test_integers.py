"""Which expressions are integers, and what they are worth."""

from __future__ import annotations

from fractions import Fraction

import pytest

from symbackprop.errors import NotationError
from symbackprop.integers.bounds import Knowledge
from symbackprop.integers.linear import LinearForm, constant_form, divided, linear_form
from symbackprop.integers.recognition import (
    integer_sides,
    is_exact,
    is_integer,
    is_natural,
    is_positive,
    is_ratio,
)
from symbackprop.language.model import parse_expression, parse_system
from symbackprop.notation.expressions import Expression, Power
from symbackprop.semantics.integer_values import integer_value
from symbackprop.systems.printing import text

SYSTEM = parse_system(
    """
index i, j : I
index h : H
input ids[i] in H
param u[i], m[i,j]
loss E = sum(i, u[i])
"""
)
SIZES = {"I": 4, "H": 3}


def parsed(formula: str) -> Expression:
    return parse_expression(formula, SYSTEM)


@pytest.mark.parametrize(
    "formula",
    [
        "i*i",
        "(i + 1)^2*j",
        "2^i",
        "i^j",
        "size(i)^3 - 1",
        "i/2 + i/2",
        "abs(i - j)",
        "max(i - 2, j)",
        "where(u[i] > 1/2, i, 3)",
        "mod(ids[i]^2, size(h))",
        "floor(i/size(i) + 1/3)",
        "floor(ids[i]/(i + 1))",
        "delta(i, j) + 1",
        "sum(j, i*j)",
        "max(j, ids[j])",
    ],
)
def test_integers(formula: str) -> None:
    assert is_integer(parsed(formula), {"ids"})


@pytest.mark.parametrize(
    "formula", ["i/2", "u[i]", "2^(i - 1)", "i^(1/2)", "max(i, u[i])", "where(i > 1, i, 1/2)"]
)
def test_other_numbers(formula: str) -> None:
    assert not is_integer(parsed(formula), {"ids"})


def test_an_element_is_an_integer_where_its_tensor_holds_some() -> None:
    assert is_integer(parsed("ids[i] + 1")) and not is_integer(parsed("u[i] + 1"))
    assert is_integer(parsed("u[i] + 1"), {"u"})


def test_what_is_never_below_0_and_what_is_never_0() -> None:
    assert is_natural(parsed("mod(i - 5, size(h))*i^2 + abs(i - j)"))
    assert is_natural(parsed("max(i - 5, 0)")) and not is_natural(parsed("i - 1"))
    assert is_positive(parsed("size(i)*2 + i")) and is_positive(parsed("max(i, 1)"))
    assert not is_positive(parsed("i")) and not is_positive(parsed("size(h) - 1"))


@pytest.mark.parametrize(
    ("left", "right", "sides"),
    [
        ("i*j", "3", ("i*j", "3")),
        ("i/10 + 1/5", "3/10", ("i + 2", "3")),
        ("i/size(i)", "1/2", ("2*i", "size(i)")),
        ("i/2", "i/3", ("3*i", "2*i")),
    ],
)
def test_ratios_are_compared_as_integers(left: str, right: str, sides: tuple[str, str]) -> None:
    found = integer_sides(parsed(left), parsed(right))
    assert found is not None and tuple(map(text, found)) == sides


@pytest.mark.parametrize(("left", "right"), [("u[i]", "1"), ("1/(i - 2)", "1"), ("i", "sqrt(2)")])
def test_other_numbers_are_compared_as_they_are(left: str, right: str) -> None:
    assert integer_sides(parsed(left), parsed(right)) is None


@pytest.mark.parametrize(
    ("formula", "quotient"),
    [
        ("i/2 + 1/3", ("3*i + 2", "6")),
        ("i/size(h) + 1/(2*size(h))", ("2*i + 1", "2*size(h)")),
        ("i/size(h) + j/size(i)", ("i*size(i) + j*size(h)", "size(h)*size(i)")),
        ("(i + j)/size(h)^2", ("i + j", "size(h)^2")),
    ],
)
def test_a_sum_over_one_divisor(formula: str, quotient: tuple[str, str]) -> None:
    assert tuple(map(text, divided(parsed(formula)))) == quotient


@pytest.mark.parametrize(
    ("formula", "value"),
    [("mod(-7, 3)", 2), ("mod(7, -3)", -2), ("floor(-7/2)", -4), ("floor(7/(0 - 2))", -4), ("abs(2 - 5)", 3)],
)
def test_division_rounds_down_as_in_python(formula: str, value: int) -> None:
    assert integer_value(parsed(formula), {}, SIZES, _unread) == value


def test_a_division_by_0_is_refused() -> None:
    with pytest.raises(NotationError, match="remainder by 0"):
        parsed("mod(i, 0)")
    index = parsed("i")
    at = {index: 0}
    with pytest.raises(NotationError, match="remainder by 0"):
        integer_value(parsed("mod(3, i)"), at, SIZES, _unread)  # type: ignore[arg-type]
    with pytest.raises(NotationError, match="divides by 0"):
        integer_value(parsed("floor(3/i)"), at, SIZES, _unread)  # type: ignore[arg-type]


def test_the_floor_of_what_is_no_ratio_is_that_of_a_real_number() -> None:
    for formula in ("floor(i^(1/2))", "round(i/2)", "ceil(size(i)/pi)"):
        assert is_integer(parsed(formula)) and not is_exact(parsed(formula))
    assert is_integer(parsed("ceil(i/2)")) and is_exact(parsed("ceil(i/2)"))
    assert not is_ratio(parsed("i^(1/2)"))
    for formula in ("floor(erf(i))", "round(sum(i, 1/(i + 1)))"):
        assert not is_integer(parsed(formula))  # nothing says how many digits they have


def test_a_negative_power_is_a_fraction() -> None:
    half = parsed("2^(0 - 1)")
    assert isinstance(half, Power) and integer_value(half, {}, SIZES, _unread) == Fraction(1, 2)


def _unread(element: Expression, at: object) -> int:
    raise AssertionError(text(element))


def test_a_form_that_is_kept_with_its_node_stays_as_it_is() -> None:
    position = parsed("2*i + j - 1")
    form = linear_form(position)
    before = dict(form.coefficients), form.constant
    assert linear_form(position) is form
    assert constant_form(0).plus(form).plus(form) == form.scaled(2) != form
    assert form.plus(form, -1) == form.scaled(0) == constant_form(0)
    assert form.plus(linear_form(parsed("-2*i"))) == linear_form(parsed("j - 1"))
    assert LinearForm({}).plus(form, Fraction(1, 2)).coefficient(parsed("i")) == 1
    assert (dict(form.coefficients), form.constant) == before


def test_what_is_known_is_remembered_by_all_that_it_is_known_of() -> None:
    """The same claim under other guards, and of a shorter axis, is another."""
    inside, guard = parsed("i + 1 < size(i)"), parsed("i < 2")
    assert not Knowledge.of((), ()).proves(inside)
    assert not Knowledge.of((), (guard,)).proves(inside)
    assert Knowledge.of((), (guard, parsed("size(i) > 2"))).proves(inside)
    assert not Knowledge.of((), (guard,)).proves(inside)
    short = parse_system("index i : I = 2\nparam u[i]\nloss E = sum(i, u[i])\n")
    long = parse_system("index i : I = 3\nparam u[i]\nloss E = sum(i, u[i])\n")
    claims = [parse_expression("i < 2", each) for each in (short, long)]
    assert [Knowledge.of((claim,), ()).proves(claim) for claim in claims] == [True, False]
    assert Knowledge.of((), (guard, parsed("i > 1"))).is_contradictory
    assert not Knowledge.of((), (guard, parsed("i >= 1"))).is_contradictory
