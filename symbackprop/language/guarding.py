"""Positions that leave their axis are refused where that can be known: a guard or a base case is missing."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from functools import partial
from itertools import product

from symbackprop.errors import NotationError
from symbackprop.integers.base_sizes import with_formulas
from symbackprop.integers.bounds import Knowledge, lower_bound, negated, unproved_bounds, upper_bound
from symbackprop.integers.choices import choices_in, is_certain, with_a_place
from symbackprop.integers.guards import GuardedRead, unproved_reads
from symbackprop.integers.linear import linear_form
from symbackprop.integers.recognition import is_exact, rounds_reals
from symbackprop.integers.relations import Relation
from symbackprop.integers.whole_definitions import WholeDefinition, with_names
from symbackprop.integers.whole_recurrences import reads_inside_by
from symbackprop.languages.phrases import Message, worded
from symbackprop.notation.arithmetic import add
from symbackprop.notation.expressions import (
    MINUS_ONE,
    Axis,
    Comparison,
    Element,
    Expression,
    Index,
    Number,
    Reduction,
    Size,
    Where,
)
from symbackprop.notation.substitution import substitute
from symbackprop.semantics.integer_values import condition_holds, integer_value
from symbackprop.systems.ordering import stages_of
from symbackprop.systems.printing import text
from symbackprop.systems.system import Equation, System

MOST_PLACES = 100_000
MOST_INDICES_OF_A_CORNER = 4
LARGEST_INSET = 4


def expect_reads_inside(system: System) -> None:
    """NotationError where an equation reads a tensor outside its axes for sizes that are known, or for any.

    What depends on sizes or integers that are not known yet is left to the module that is generated. A
    condition on real numbers keeps no position inside: the module does not look at it either.
    """
    integers = system.integers
    axes = {name: [index.axis for index in tensor.indices] for name, tensor in system.tensors.items()}
    for stage in stages_of(system.equations):
        members = {equation.tensor for equation in stage.equations} if stage.recurrence else set()
        for equation in stage.equations:
            for read, position, axis in unproved_reads(equation.expression, axes):
                certain = partial(is_certain, integers=integers)
                _expect_label_inside(position, axis, read, equation, system.relations)
                for chosen, conditions in choices_in(position, certain, read.conditions):
                    named = with_names(read.node, system.shorthands)
                    guarded = GuardedRead(named, conditions)  # type: ignore[arg-type]  # an element is one by name, too
                    if _is_computed(chosen, integers, system.places):
                        shown = text(with_names(Element("", (chosen,)), system.shorthands).children[0])
                        _expect_computed_inside(chosen, axis, guarded, equation, shown, system)
                    _expect_inside(chosen, axis, guarded, equation, members, system.relations)


def _expect_inside(
    position: Expression,
    axis: Axis,
    read: GuardedRead,
    equation: Equation,
    members: set[str],
    relations: Collection[Relation],
) -> None:
    outside = _place_outside(position, axis, read)
    if outside is None:
        return
    where = _said_outside(position, axis, read.element, outside, relations)
    if read.element.tensor in members:
        left = text(equation.element)
        raise NotationError(
            worded("missing base case: {where}", where=where),
            place=equation.place,
            remedy=worded(
                "say how it begins: {left} = where({beginning}, ..., ...)",
                left=left,
                beginning=text(_beginning(position, axis)),
            ),
        )
    raise NotationError(
        where,
        place=equation.place,
        remedy=worded(
            "read pad({element}), which is 0 outside, or guard it: where(... and ..., ..., 0)",
            element=text(read.element),
        ),
    )


def _expect_label_inside(
    position: Expression, axis: Axis, read: GuardedRead, equation: Equation, relations: Collection[Relation]
) -> None:
    """A value of a longer axis is read as it is, th[y[n]] with y over K + 1, where a condition bounds it."""
    if not (isinstance(position, Element) and position.values):
        return
    where = worded(
        "{element} may lie outside axis {axis}: the values of '{tensor}' are places of axis {longer}",
        element=text(read.element),
        axis=axis.name,
        tensor=position.tensor,
        longer=position.values.name,
    )
    said = " and ".join(map(text, unproved_bounds(position, axis, read.conditions)))
    raise NotationError(
        _with_relation(where, axis, {position.values.name}, relations),
        place=equation.place,
        remedy=worded("guard it, where({condition}, ..., 0), or read an axis that has all", condition=said),
    )


def _said_outside(
    position: Expression, axis: Axis, element: Expression, outside: Message, relations: Collection[Relation]
) -> Message:
    """What lies outside, and the relation of the two axes where the model states one: T = S + 1."""
    where = worded(
        "{element} lies outside axis {axis} {when}", element=text(element), axis=axis.name, when=outside
    )
    if isinstance(position, Index):
        where = worded(
            "{where}: '{index}' runs over axis {axis}, which is longer",
            where=where,
            index=position.name,
            axis=position.axis.name,
        )
    others = {index.axis.name for index in position.free_indices} - {axis.name}
    return _with_relation(where, axis, others, relations)


def _with_relation(where: Message, axis: Axis, others: set[str], relations: Collection[Relation]) -> Message:
    for relation in relations:
        if axis.name in relation.axes and others & set(relation.axes):
            return worded("{where}, where {relation}", where=where, relation=relation.text)
    return where


def _is_computed(node: Expression, integers: Collection[str], computed: Collection[str]) -> bool:
    """Whether it is an integer that real numbers decide, or an equation; `integers` hold no real numbers."""
    if isinstance(node, Element) and node.tensor in computed:
        return True
    if isinstance(node, Where) and not is_certain(node.condition, integers):
        return True
    is_place = isinstance(node, Reduction) and node.kind == "argmax"
    if is_place or rounds_reals(node):
        return True
    return any(_is_computed(part, integers, computed) for part in node.children)


def _expect_computed_inside(
    position: Expression, axis: Axis, read: GuardedRead, equation: Equation, shown: str, system: System
) -> None:
    """The position is known only when the model runs: no module can look at it before.

    A module that reads an axis at size(i) - 1 refuses an empty one.
    """
    recurrences = {
        name: WholeDefinition(name, stated.indices, stated.expression)
        for name, stated in system.definitions.items()
        if name in system.places
    }
    known = (*read.conditions, *with_a_place(position, axis))
    if not unproved_bounds(position, axis, known):
        return
    if recurrences and reads_inside_by(position, axis, known, recurrences, system.integers):
        return
    last = add(Size(axis), MINUS_ONE)
    raise NotationError(
        worded(
            "{element} may lie outside axis {axis}: {shown} is known only when the model runs",
            element=text(read.element),
            axis=axis.name,
            shown=shown,
        ),
        place=equation.place,
        remedy=worded(
            "guard it, where(0 <= {shown} and {shown} < {size}, ..., 0), or read at clip({shown}, 0, {last})",
            shown=shown,
            size=text(Size(axis)),
            last=text(last),
        ),
    )


def _beginning(position: Expression, axis: Axis) -> Expression:
    """The condition under which the recurrence has nothing to read yet: t == 0 for t-1, t < 2 for t-2."""
    form = linear_form(position)
    if len(form.coefficients) == 1 and form.constant < 0:
        (step,) = form.coefficients
        first = form.constant == -1
        return Comparison("==" if first else "<", step, Number(0 if first else -form.constant))
    return negated(next(iter(unproved_bounds(position, axis)), lower_bound(position)))


def _place_outside(position: Expression, axis: Axis, read: GuardedRead) -> Message | None:
    """In words, where the position is outside; None where no such place is known."""
    parts = (position, *read.conditions)
    if not all(map(is_exact, parts)):
        return None
    indices = sorted(
        frozenset[Index]().union(*(part.free_indices for part in parts)), key=lambda index: index.name
    )
    sizes = _declared_sizes(axis, parts)
    places = math.prod(index.axis.size or MOST_PLACES for index in indices)
    if sizes is not None and places <= MOST_PLACES:
        return _counted_place(position, axis, read, indices, sizes)
    return _corner(position, axis, read, indices)


def _declared_sizes(axis: Axis, parts: tuple[Expression, ...]) -> dict[str, int] | None:
    axes = {axis}.union(node.axis for part in parts for node in part.walk() if isinstance(node, Index | Size))
    sizes = {each.name: each.size for each in axes if each.size is not None}
    return sizes if len(sizes) == len(axes) else None


def _counted_place(
    position: Expression, axis: Axis, read: GuardedRead, indices: list[Index], sizes: Mapping[str, int]
) -> Message | None:
    for place in product(*(range(sizes[index.axis.name]) for index in indices)):
        at = dict(zip(indices, place, strict=True))
        if all(condition_holds(condition, at, sizes, _no_tensor) for condition in read.conditions):
            value = integer_value(position, at, sizes, _no_tensor)
            if not 0 <= value < sizes[axis.name]:
                shown = ", ".join(f"{index.name} = {at[index]}" for index in indices)
                last = sizes[axis.name] - 1
                if not shown:
                    return worded("(0 to {last})", last=last)
                return worded(
                    "(0 to {last}) for {places}: {position} is {value}",
                    last=last,
                    places=shown,
                    position=text(position),
                    value=value,
                )
    return None


def _no_tensor(element: Expression, at: Mapping[Index, int]) -> int:
    raise NotationError(worded("{element} has no value yet", element=text(element)))


def _corner(position: Expression, axis: Axis, read: GuardedRead, indices: list[Index]) -> Message | None:
    """A place with every index near its first or last position, outside as soon as the axes are that long."""
    for corner in _corners(indices):
        conditions = [substitute(condition, corner) for condition in read.conditions]
        there = substitute(position, corner)
        known = Knowledge.of((there, *conditions), _long_axes((Size(axis), there, *conditions)))
        outside = (negated(lower_bound(there)), negated(upper_bound(there, axis)))
        if all(map(known.proves, conditions)) and any(map(known.proves, outside)):
            shown = ", ".join(f"{index.name} = {text(corner[index])}" for index in corner)
            return worded("for {places}", places=shown or text(there))
    return None


def _long_axes(parts: tuple[Expression, ...]) -> list[Expression]:
    """That the axes are long, of those whose sizes no number and no relation gives."""
    sizes = dict.fromkeys(node for part in parts for node in with_formulas(part) if isinstance(node, Size))
    return [
        Comparison(">=", size, Number(LARGEST_INSET + 1))
        for size in sizes
        if size.axis.size is None and size.axis.formula is None
    ]


def _corners(indices: list[Index]) -> Iterator[dict[Index, Expression]]:
    if len(indices) > MOST_INDICES_OF_A_CORNER:
        return
    for inset, ends in product(range(LARGEST_INSET), product((False, True), repeat=len(indices))):
        yield {
            index: _place_in(index.axis, inset, at_end) for index, at_end in zip(indices, ends, strict=True)
        }


def _place_in(axis: Axis, inset: int, at_end: bool) -> Expression:
    """A place so far from an end of the axis, or the other end where a declared size is smaller."""
    if axis.size is None:
        return add(Size(axis), Number(-1 - inset)) if at_end else Number(inset)
    inside = min(inset, axis.size - 1)
    return Number(axis.size - 1 - inside if at_end else inside)
