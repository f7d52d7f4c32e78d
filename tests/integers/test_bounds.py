"""What is proved of positions is true of every place, and what a person would see is proved."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping

import numpy as np
import pytest

from symbackprop.errors import SymbackpropError, VerificationError
from symbackprop.integers import bounds
from symbackprop.integers.bounds import (
    Knowledge,
    conjunction,
    is_inside_as_declared,
    lies_inside,
    negated,
    unproved_bounds,
)
from symbackprop.integers.linear import linear_form
from symbackprop.language.model import parse_expression, parse_system
from symbackprop.notation.expressions import Expression, Index
from symbackprop.semantics.integer_values import Positions, condition_holds, integer_value
from symbackprop.semantics.naive import NaiveEvaluator
from symbackprop.systems.printing import text

SYSTEM = parse_system(
    """
index i, i2 : I = 5
index a : A = 3
index r : R = 2
index t, s : T
index g : G
index h : H
param x[i], steps[t,s]
loss E = sum(i, x[i])
"""
)
SIZES = {"I": 5, "A": 3, "R": 2, "T": 4, "G": 2, "H": 3}
AXES = {axis.name: axis for axis in SYSTEM.axes}


def parsed(formula: str) -> Expression:
    return parse_expression(formula, SYSTEM)


def conditions_of(formula: str) -> tuple[Expression, ...]:
    return (parse_expression(formula, SYSTEM),) if formula else ()


# position, the axis that is read, what is known, whether both bounds are proved
CASES = [
    ("2*a + r - 1", "I", "", False),
    ("2*a + r - 1", "I", "2*a + r >= 1", True),
    ("a + r", "I", "", True),
    ("2*a + r", "I", "", False),
    ("2*a + r", "I", "r == 0 or a < 2", True),
    ("t - 1", "T", "", False),
    ("t - 1", "T", "t > 0", True),
    ("t - 1", "T", "t != 0", True),
    ("t + 1", "T", "not (t >= size(t) - 1)", True),
    ("t + 1", "T", "t <= size(t) - 1", False),
    ("size(t) - 1 - t", "T", "", True),
    ("s", "T", "", True),
    ("t - s", "T", "s <= t", True),
    ("g*size(h) + h", "I", "g*size(h) + h < 5", True),
    ("floor(i/2)", "A", "", True),
    ("floor(i/2)", "R", "", False),
    ("2*floor(i/2) + r", "I", "floor(i/2) < 2", True),
    ("mod(i, 3)", "A", "", True),
    ("mod(i, 4)", "A", "", False),
    ("2*i", "I", "i < size(i)/2", True),
    ("2*t", "T", "t < size(t)/2", True),
    ("2*t + 1", "T", "t < size(t)/2", False),
    ("2*t", "T", "t <= size(t)/2", False),
    ("3*t - 1", "T", "1/3 < t and t + 1/3 < size(t)/3 + 1/2", True),
    ("2*t", "T", "t/3 < size(t)/6 - s/3", True),
    ("max(t - 1, 0)", "T", "", True),  # one of the two, both below the size
    ("max(t - 1, 1)", "T", "", False),
    ("min(max(t - 1, 0), size(t) - 1)", "T", "", True),
    ("4", "I", "", True),
    ("5", "I", "", False),
]


@pytest.mark.parametrize(("position", "axis", "known", "proved"), CASES)
def test_bounds(position: str, axis: str, known: str, proved: bool) -> None:
    conditions = conditions_of(known)
    unproved = unproved_bounds(parsed(position), AXES[axis], conditions)
    assert (not unproved) == proved, [text(bound) for bound in unproved]
    assert_true_wherever_proved(parsed(position), axis, conditions, len(unproved))


def assert_true_wherever_proved(
    position: Expression, axis: str, conditions: tuple[Expression, ...], unproved: int
) -> None:
    indices = sorted(
        frozenset().union(*(each.free_indices for each in (position, *conditions))), key=lambda one: one.name
    )
    for place in itertools.product(*(range(SIZES[index.axis.name]) for index in indices)):
        at = dict(zip(indices, place, strict=True))
        if all(condition_holds(each, at, SIZES, _unread) for each in conditions):
            value = integer_value(position, at, SIZES, _unread)
            assert unproved or 0 <= value < SIZES[axis]


def test_a_place_is_known_to_exist_before_a_value_is_read_there() -> None:
    conditions = (
        conditions_of("x[i - 1] > 0") + conditions_of("i != 0 and x[i - 1] < 3") + conditions_of("i < 4")
    )
    assert text(conjunction(conditions)) == "i != 0 and i < 4 and x[i - 1] > 0 and x[i - 1] < 3"


def _unread(element: Expression, at: Positions) -> int:
    raise AssertionError(text(element))


LOOKUPS = parse_system(
    """
index n : N
index v : V
index w : W
input ids[n] in V
param x[v], y[w]
loss E = sum(n, x[ids[n]]) + sum(w, y[w])
"""
)


# An index and a value looked up are inside by what is declared; what is computed of them has to be proved.
@pytest.mark.parametrize(
    ("position", "inside"),
    [
        ("v", True),
        ("ids[n]", True),
        ("ids[n] + 1", False),
        ("max(ids[n], 1)", False),
    ],
)
def test_lookups_are_inside_by_declaration(position: str, inside: bool) -> None:
    axis = next(axis for axis in LOOKUPS.axes if axis.name == "V")
    at = parse_expression(position, LOOKUPS)
    assert is_inside_as_declared(at, axis) == (not unproved_bounds(at, axis)) == inside
    assert lies_inside(at, Index("v", axis)) == inside


@pytest.mark.parametrize("position", ["ids[n] + 0", "floor(ids[n]/2)", "max(ids[n] - 1, 0)"])
def test_what_is_computed_of_a_lookup_is_proved(position: str) -> None:
    axis = next(axis for axis in LOOKUPS.axes if axis.name == "V")
    at = parse_expression(position, LOOKUPS)
    assert not is_inside_as_declared(at, axis) and not unproved_bounds(at, axis)


def test_a_lookup_indexes_the_axis_of_its_values_alone() -> None:
    with pytest.raises(SymbackpropError, match="the values of 'ids' index axis V"):
        parse_expression("y[ids[n]]", LOOKUPS)


@pytest.mark.parametrize("value", [-1, 3])
def test_data_with_other_values_are_refused(value: int) -> None:
    sizes = {"N": 2, "V": 3, "W": 1}
    values = {"x": np.ones(3), "y": np.ones(1), "ids": np.array([0, value])}
    with pytest.raises(VerificationError, match="outside its axes"):
        NaiveEvaluator(values, sizes).expression(LOOKUPS.definitions["E"].expression, {})


def test_contradictions_are_seen() -> None:
    assert Knowledge.of((), conditions_of("t < s and s < t")).is_contradictory
    assert not Knowledge.of((), conditions_of("t < s and s <= t + 1")).is_contradictory
    assert Knowledge.of((), conditions_of("i > 4")).is_contradictory


def test_values_of_real_tensors_are_not_taken_for_whole_numbers() -> None:
    known = Knowledge.of((), conditions_of("x[i] > 0"))
    assert not known.proves(parsed("x[i] >= 1"))
    assert Knowledge.of((), conditions_of("x[i] > 1 and x[i] < 0")).is_contradictory


@pytest.mark.parametrize("formula", ["t < s", "t == s and a > 0", "not (t >= 1 or a != 2)"])
def test_the_negation_holds_exactly_where_the_condition_does_not(formula: str) -> None:
    condition = parsed(formula)
    indices = sorted(condition.free_indices, key=lambda one: one.name)
    for place in itertools.product(*(range(SIZES[index.axis.name]) for index in indices)):
        at = dict(zip(indices, place, strict=True))
        holds = condition_holds(condition, at, SIZES, _unread)
        assert condition_holds(negated(condition), at, SIZES, _unread) != holds


def test_linear_forms_add_up_and_are_written_as_by_hand() -> None:
    assert text(linear_form(parsed("i - 2*a + 1 + 2*(a - r)")).expression()) == "i - 2*r + 1"
    assert text(linear_form(parsed("3 - t + 3")).expression()) == "6 - t"
    assert text(linear_form(parsed("size(i) - 1 - i")).expression()) == "4 - i"
    assert text(linear_form(parsed("(g + 1)*size(h)")).expression()) == "g*size(h) + size(h)"


def test_floors_are_looked_for_once_for_all_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each alternative of a condition is a case of its own, and nested guards have dozens of them."""
    looked_for: list[object] = []
    found = bounds.divisors_in

    def counted(expressions: Iterable[Expression]) -> Mapping[Expression, Expression]:
        looked_for.append(expressions)
        return found(expressions)

    monkeypatch.setattr(bounds, "divisors_in", counted)
    conditions = [parse_expression(each, SYSTEM) for each in ("t < 2 or t > 5", "t < 1 or t > 7")]
    assert len(Knowledge.of((), conditions).cases) == 4
    assert len(looked_for) == 1
