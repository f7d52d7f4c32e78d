"""Whole numbers: an index that a loop stands at, the length of an axis that no tensor of the model has."""

from __future__ import annotations

from dataclasses import dataclass

from symbackprop.integers.base_sizes import in_base_sizes, related_form
from symbackprop.integers.linear import LinearForm, linear_form
from symbackprop.integers.recognition import compares_integers, is_integer
from symbackprop.notation.arithmetic import subtract
from symbackprop.notation.expressions import (
    ZERO,
    Axis,
    Comparison,
    Expression,
    Index,
    Logic,
    Number,
    Size,
)
from symbackprop.notation.nodes import cached_property
from symbackprop.systems.printing import text


@dataclass(frozen=True, eq=False, repr=False)
class Counter(Index):
    """An index that a loop steps through: one whole number inside the loop's body, and no axis of an array.

    An expression is lowered for a loop's body with the index replaced by its counter, so that it counts as a
    constant there: `substitute(expression, {t: Counter("t", t.axis)})`.
    """

    @cached_property
    def free_indices(self) -> frozenset[Index]:
        """None: a counter stands still."""
        return frozenset()


def counter_of(index: Index) -> Counter:
    """The counter of a loop over all positions of an index."""
    return Counter(index.name, index.axis)


@dataclass(frozen=True, eq=False, repr=False)
class Offset(Counter):
    """A whole number that a loop's body has computed and named; any number, for its axis has no size."""


@dataclass(frozen=True)
class Extent(Axis):
    """An axis whose size is worked out from others, as a padded one's is; `length` counts its places."""

    length: Expression = ZERO


def extent(axis: Axis, length: Expression) -> Axis:
    """The axis itself where the length is its size; else an extent of that length, called after the axis."""
    form = linear_form(length)
    if related_form(length) == related_form(size_of(axis)):
        return axis
    size = None if form.coefficients else int(form.constant)
    return Extent(f"{axis.name} {text(length)}", axis.label, size, length=form.expression())


def block_axis(axis: Axis, length: Expression) -> Axis:
    """An axis for so many places of another, whose size is known to be theirs."""
    form = linear_form(length)
    size = None if form.coefficients else int(form.constant)
    count = form.expression()
    return Extent(f"{axis.name} {text(length)}", axis.label, size, in_base_sizes(count), length=count)


def size_of(axis: Axis) -> Expression:
    """The number of places of an axis, as an expression of the model's own sizes."""
    return axis.length if isinstance(axis, Extent) else Size(axis)


def shifted(expression: Expression, by: int | LinearForm) -> Expression:
    """The expression and a number, or a form, added and put in order."""
    form = linear_form(expression)
    other = by if isinstance(by, LinearForm) else linear_form(Number(by))
    return form.plus(other).expression()


def is_counted(condition: Expression) -> bool:
    """Whether a condition compares nothing but integers made of loops' counters, sizes and numbers."""
    if condition.free_indices or condition.tensors or condition.binds:
        return False
    return compares_integers(condition)


def readable_condition(condition: Expression) -> Expression:
    """A condition as a person writes it for a loop's counter: t > 0 for t - 1 >= 0."""
    match condition:
        case Comparison(operator, left, right):
            forms = linear_form(left), linear_form(right)
            if not forms[0].coefficients or forms[1].coefficients:
                return condition
            if condition.tensors or not is_integer(subtract(left, right)):
                return condition  # u >= 2 of a real number, or t/2 >= 1, is not > 1 or > 0
            number = forms[1].constant - forms[0].constant
            bare = forms[0].plus(linear_form(Number(forms[0].constant)), -1).expression()
            if operator == ">=" and number > 0:
                return Comparison(">", bare, Number(number - 1))
            return Comparison(operator, bare, Number(number))
        case Logic():
            return condition.with_children(tuple(map(readable_condition, condition.operands)))
    return condition
