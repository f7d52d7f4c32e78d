"""Sizes that are related: S = T + 1, D = H*E, E = D/H, A = floor((N - K)/st) + 1.

A relation states the size of one axis by those of others, and says as much of those: with D and H it gives E.
Here an axis stands for its name alone, `Size(Axis("T", "t"))`, so that a relation outlives a change of sizes.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import TypeGuard

from symbackprop.errors import NotationError, Place
from symbackprop.integers.linear import divided, linear_form
from symbackprop.languages.phrases import joined, marked, worded
from symbackprop.notation.arithmetic import multiply
from symbackprop.notation.expressions import (
    ONE,
    Add,
    Apply,
    Axis,
    Expression,
    Multiply,
    Number,
    Power,
    Size,
)
from symbackprop.notation.substitution import rewrite_bottom_up

Sizes = Mapping[str, int]


@dataclass(frozen=True)
class Relation:
    """size(axis) == length; `text` is how a person reads it, `S = T + 1`.

    The length is made of whole numbers and sizes by + - * / and floor.
    """

    axis: Axis
    length: Expression
    text: str
    place: Place | None = field(default=None, compare=False)

    @cached_property
    def sources(self) -> tuple[str, ...]:
        """The names of the axes that the length speaks of, each once."""
        return sizes_in(self.length)

    @cached_property
    def axes(self) -> tuple[str, ...]:
        """The names of all axes that are related, each once, the one whose size is stated first."""
        return tuple(dict.fromkeys((self.axis.name, *self.sources)))

    def refusal(self, sizes: Sizes) -> NotationError:
        """The error for sizes that do not obey it."""
        found = ", ".join(f"{name}={sizes[name]}" for name in self.axes if name in sizes)
        return NotationError(
            worded("expected {text}, got {found}", text=self.text, found=found), place=self.place
        )


HALF = Number(Fraction(1, 2))


def is_root(node: Expression) -> TypeGuard[Apply]:
    """Whether it is a square root, rounded down, of a whole number: floor(n^(1/2))."""
    return (
        isinstance(node, Apply)
        and isinstance(node.arguments[0], Power)
        and node.arguments[0].exponent == HALF
    )


def sizes_in(expression: Expression) -> tuple[str, ...]:
    """The names of the axes whose sizes an expression speaks of, each once."""
    return tuple(dict.fromkeys(node.axis.name for node in expression.walk() if isinstance(node, Size)))


def size_value(expression: Expression, sizes: Sizes) -> Fraction | None:
    """What arithmetic of sizes comes to; None where it divides by 0."""
    value = _size_value(expression, sizes)
    return None if value is None else Fraction(value)


def _size_value(expression: Expression, sizes: Sizes) -> Fraction | int | None:
    """Whole numbers as such: fractions cost far more, and sizes are tried by the hundred."""
    match expression:
        case Number(value):
            return value.numerator if value.denominator == 1 else value
        case Size(axis):
            return sizes[axis.name]
        case Apply("floor", (Power(inner, half),)) if half == HALF:
            squared = _size_value(inner, sizes)
            return None if squared is None or squared < 0 else math.isqrt(math.floor(squared))
    parts = [_size_value(child, sizes) for child in expression.children]
    numbers = [part for part in parts if part is not None]
    if len(numbers) < len(parts):
        return None
    match expression:
        case Add():
            return sum(numbers)
        case Multiply():
            return math.prod(numbers)
        case Power():
            base, exponent = numbers
            return Fraction(base) ** int(exponent) if base or exponent >= 0 else None
        case Apply("floor"):
            return math.floor(numbers[0])
        case Apply("max" | "min" as function):  # the width of a padding, max(4*R - 4, 0)
            return max(numbers) if function == "max" else min(numbers)
    raise NotationError(worded("a {kind} is no arithmetic of sizes", kind=type(expression).__name__))


def with_formulas_of(relations: Sequence[Relation], axes: Iterable[Axis]) -> tuple[Axis, ...]:
    """The axes, each with the number or the formula that the relations give its size.

    Axes come with the numbers that are declared. E = D/H gives D the formula H*E, which has no division,
    where nothing else states D. NotationError for sizes in a circle, and for one that is no whole number.
    """
    by_name = {axis.name: replace(axis, formula=None) for axis in axes}
    stated = {relation.axis.name for relation in relations}
    numbers = {
        axis.name: axis.size for axis in by_name.values() if axis.size is not None and axis.name not in stated
    }
    formulas: dict[str, Expression] = {}
    for relation in in_order(relations):
        if numbers.keys() >= set(relation.sources):
            numbers[relation.axis.name] = _whole(relation, numbers)
        length = _expanded(relation.length, formulas)
        own = relation.axis.name
        formulas.update(_undivided(Size(relation.axis), length, formulas) or {own: length})
    base = {name: replace(axis, size=numbers.get(name)) for name, axis in by_name.items()}

    def formula(name: str) -> Expression | None:
        return _over(_expanded(formulas[name], formulas), base) if name in formulas else None

    return tuple(replace(axis, formula=formula(name)) for name, axis in base.items())


def _whole(relation: Relation, numbers: Sizes) -> int:
    value = size_value(relation.length, numbers)
    if value is None or value.denominator > 1 or value < 1:
        shown = ", ".join(f"{name} = {numbers[name]}" for name in relation.sources)
        raise NotationError(
            worded(
                "no axis has a size of {size}: {relation} with {shown}",
                size="1/0" if value is None else str(value),
                relation=relation.text,
                shown=shown,
            ),
            place=relation.place,
            remedy=worded("a size is a whole number from 1"),
        )
    return int(value)


def _undivided(size: Size, length: Expression, formulas: Collection[str]) -> dict[str, Expression] | None:
    """D = H*E for E = D/H, where nothing states D so far."""
    above, below = divided(length)
    if isinstance(above, Size) and below != ONE:
        name = above.axis.name
        if name not in formulas and name not in sizes_in(below):
            return {name: multiply(below, size)}
    return None


def _expanded(length: Expression, formulas: Mapping[str, Expression]) -> Expression:
    """The length in terms of sizes that have no formula; there are no circles."""

    def change(node: Expression) -> Expression:
        return formulas.get(node.axis.name, node) if isinstance(node, Size) else node

    while any(name in formulas for name in sizes_in(length)):
        length = linear_form(rewrite_bottom_up(length, change)).expression()
    return length


def _over(expression: Expression, axes: Mapping[str, Axis]) -> Expression:
    def change(node: Expression) -> Expression:
        return Size(axes[node.axis.name]) if isinstance(node, Size) else node

    return rewrite_bottom_up(expression, change)


def in_order(relations: Sequence[Relation]) -> tuple[Relation, ...]:
    """Each relation after those that state what it speaks of; NotationError for a circle of sizes."""
    stating = {relation.axis.name: relation for relation in relations}
    found: dict[str, Relation] = {}

    def visit(relation: Relation, above: tuple[Relation, ...]) -> None:
        if relation in above:
            raise _circle(above[above.index(relation) :])
        for name in relation.sources:
            if name in stating and name not in found:
                visit(stating[name], (*above, relation))
        found[relation.axis.name] = relation

    for relation in relations:
        if relation.axis.name not in found:
            visit(relation, ())
    return tuple(found.values())


def _circle(relations: Sequence[Relation]) -> NotationError:
    names = joined(marked("{before} and {after}"), [each.axis.name for each in relations])
    many = len(relations) > 1
    return NotationError(
        worded(
            marked("the sizes of {axes} are stated in a circle: {relations}")
            if many
            else marked("the size of {axes} is stated in a circle: {relations}"),
            axes=names,
            relations=", ".join(each.text for each in relations),
        ),
        place=relations[0].place,
        remedy=worded("leave one of them out: a size follows from any relation that can be solved for it"),
    )
