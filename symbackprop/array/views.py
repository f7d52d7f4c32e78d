"""Views that bring arrays into the order and rank that an operation needs, and what is seen as a mean."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import replace

from symbackprop.array.ir import (
    ARITHMETIC,
    COMPARISONS,
    CONNECTIVES,
    AxisSize,
    Cast,
    Elementwise,
    Expand,
    Fill,
    Literal,
    Read,
    Reduce,
    Reshape,
    Transpose,
)
from symbackprop.array.layout import Group, Layout, layout_of
from symbackprop.array.slices import Refold, Select, Windows
from symbackprop.array.value import Value
from symbackprop.notation.expressions import Axis, Index
from symbackprop.schedule.kinds import Kind

# The word by which a model names means.
MEAN = "mean"


def transposed(value: Value, order: tuple[int, ...]) -> Value:
    """The axes in another order; nothing where it is the order already; two transpositions become one."""
    if order == tuple(range(len(order))):
        return value
    if isinstance(value, Transpose):
        return transposed(value.operand, tuple(value.order[place] for place in order))
    return Transpose(value, order)


def reshaped(value: Value, target: Layout) -> Value:
    """Axes merged or split; nothing where the layout is the target already."""
    return value if value.layout == target else Reshape(value, target)


def refolded(value: Value, target: Layout) -> Value:
    """The same numbers in the same order over other axes, in one reshape."""
    return Refold(value.operand if isinstance(value, Reshape) else value, target)


def expanded(value: Value, places: tuple[int, ...]) -> Value:
    """New axes of length one; where a reduction has just dropped them, it keeps them instead."""
    kept = _keeping(value, places)
    if kept is not None:
        return kept
    return Expand(value, places) if places else value


def _keeping(value: Value, places: tuple[int, ...]) -> Value | None:
    """The value with `keepdims` where it is a reduction that dropped these axes, scalars beside it or not."""
    if isinstance(value, Reduce) and not value.keep and sorted(value.places) == sorted(places):
        return replace(value, keep=True)
    if isinstance(value, Elementwise):
        kept = [_keeping(part, places) if part.layout else part for part in value.arguments]
        if sum(bool(part.layout) for part in value.arguments) == 1 and None not in kept:
            return value.with_operands(tuple(part for part in kept if part is not None))
    return None


def ordered(value: Value, order: Iterable[Index]) -> Value:
    """The value, one axis an index, with its axes in the order in which `order` names its indices."""
    own = value.indices
    wanted = [index for index in order if index in own]
    return transposed(value, tuple(own.index(index) for index in wanted))


def union_in_order(values: Iterable[Value], order: tuple[Index, ...]) -> tuple[Index, ...]:
    """All indices of the values, in the order in which `order` names them."""
    found = {index for value in values for index in value.indices}
    return tuple(index for index in order if index in found)


def lined_up(value: Value, target: tuple[Index, ...]) -> Value:
    """The value, its axes in the order of `target`, with axes of length one where it lacks an index.

    Missing leading axes are left to NumPy's broadcasting.
    """
    value = ordered(value, target)
    own = value.indices
    if not own:
        return value
    trailing = target[target.index(own[0]) :]
    return expanded(value, tuple(place for place, index in enumerate(trailing) if index not in own))


def elementwise(operation: str, arguments: Iterable[Value], order: tuple[Index, ...]) -> Value:
    """The operation on arguments lined up with one another, in the given order of indices."""
    arguments = tuple(arguments)
    target = union_in_order(arguments, order)
    return operate(operation, *(lined_up(argument, target) for argument in arguments))


def operate(operation: str, *arguments: Value) -> Value:
    """The operation on arguments that are lined up already, cast where their kinds do not mix.

    A mask stays a mask beside a real array that it multiplies, integers stay integers where they are compared
    with one another, and what NumPy would make float64 is cast to the model's dtype.
    """
    kinds = {argument.kind for argument in arguments}
    if operation in CONNECTIVES:
        return Elementwise(operation, arguments)
    if operation == "where":
        condition, *branches = arguments
        return as_number(Elementwise(operation, (condition, *map(as_number, branches))))
    if operation in COMPARISONS and any(kinds <= {kind, Kind.PYTHON} for kind in (Kind.INTEGER, Kind.DOUBLE)):
        return Elementwise(operation, arguments)
    if operation not in ARITHMETIC and Kind.REAL not in kinds:
        # A NumPy function makes float64 of Python numbers.
        return Elementwise(operation, tuple(map(as_real, arguments)))
    masking = operation == "multiply" and Kind.REAL in kinds
    return Elementwise(
        operation,
        tuple(
            argument if masking and argument.kind.is_condition else as_number(argument)
            for argument in arguments
        ),
    )


def filled(value: Value, target: tuple[Index, ...]) -> Value:
    """The value over all indices of `target`; a new array where it lacks one."""
    value = ordered(value, target)
    if value.indices == target:
        return value
    value = lined_up(value, target)
    return Fill(as_real(value) if value.kind is Kind.DOUBLE else value, layout_of(target))


def is_windowed(value: Value) -> bool:
    """Whether a value is nothing but windows of an array."""
    if isinstance(value, Transpose | Select):
        return is_windowed(value.operands[0])
    return isinstance(value, Windows)


def offsets_first(windows: Value) -> Value:
    """Windows, the places in each ahead of their numbers: [n,c,r,a] of x[n,c,a+r], c and r side by side."""
    while isinstance(windows, Transpose):
        windows = windows.operand
    cut = windows.operand if isinstance(windows, Select) else windows
    assert isinstance(cut, Windows)
    first, rank = min(cut.places), len(cut.operand.layout)
    offsets = range(rank, rank + len(cut.offsets))
    return transposed(windows, (*range(first), *offsets, *range(first, rank)))


def as_number(value: Value) -> Value:
    """The value cast to the model's dtype unless it has it, or will take it from what it meets."""
    return value if value.kind in (Kind.REAL, Kind.PYTHON) else as_real(value)


def as_real(value: Value) -> Value:
    """The value as an array, or NumPy scalar, of the model's dtype; cast before it is viewed."""
    if value.kind is Kind.REAL:
        return value
    if isinstance(value, Transpose | Expand):
        return value.with_operands((as_real(value.operand),))
    return Cast(value)


def grouped(value: Value, groups: tuple[Group, ...]) -> Value:
    """The value, one axis an index, with these groups of indices as its axes, in this order.

    Groups whose indices lie side by side are merged first and moved then, so that no number is copied.
    """
    own = value.indices
    merged = _merged_in_place(own, groups)
    if merged is None:
        flat = tuple(index for group in groups for index in group)
        return reshaped(ordered(value, flat), groups)
    return transposed(reshaped(value, merged), tuple(merged.index(group) for group in groups))


def _merged_in_place(own: tuple[Index, ...], groups: tuple[Group, ...]) -> Layout | None:
    """The groups in the order in which they lie in `own`, or None where one is scattered."""
    by_first = {group[0]: group for group in groups}
    layout: list[Group] = []
    place = 0
    while place < len(own):
        group = by_first.get(own[place])
        if group is None or own[place : place + len(group)] != group:
            return None
        layout.append(group)
        place += len(group)
    return tuple(layout)


def inferred_group(value: Reshape) -> int | None:
    """The place of the axis whose size a reshape leaves to NumPy (-1), if any.

    It is the first merged one, where that holds the axis which the array that is read begins with: a batch,
    which may be empty. With an empty axis elsewhere, NumPy could not tell the size: nor is it left to tell
    where another index has the same axis.
    """
    merged = [place for place, group in enumerate(value.target) if len(group) > 1]
    if not merged:
        return None
    others = {index.axis for place, group in enumerate(value.target) if place != merged[0] for index in group}
    if any(index.axis in others for index in value.target[merged[0]]):
        return None
    outermost = _outermost(value)
    return merged[0] if outermost is None or outermost in value.target[merged[0]] else None


def _outermost(value: Value) -> Index | None:
    """The first index of the first array that is read; None where none has axes."""
    if isinstance(value, Read):
        return value.positions[0] if value.positions else None
    return next((found for part in value.operands if (found := _outermost(part)) is not None), None)


def is_mean(total: Value, sizes: Value) -> bool:
    """Whether a value is a sum of real numbers over axes of just these sizes, none of which counts 1 if 0."""
    if not isinstance(total, Reduce) or total.reduction != "sum" or total.kind is not Kind.REAL:
        return False
    layout = total.operand.layout
    return Counter(index.axis for place in total.places for index in layout[place]) == _axes(sizes)


def is_called_mean(total: Value, sizes: Value, axes: Collection[str]) -> bool:
    """Whether it is one over some of these axes alone, which have places: of none, `np.mean` would warn."""
    return bool(axes) and is_mean(total, sizes) and all(axis.name in axes for axis in _axes(sizes))


def _axes(sizes: Value) -> Counter[Axis]:
    """The axes whose sizes are multiplied; none where something else is."""
    match sizes:
        case AxisSize(axis, False):
            return Counter([axis])
        case Elementwise("multiply", (left, right)):
            first, second = _axes(left), _axes(right)
            return first + second if first and second else Counter()
    return Counter()


def counted_from_end(place: Value, group: Group) -> int | None:
    """How far from the end of its axis a place in a subscript is, 1 for the last; None where unknown."""
    match place:
        case Elementwise("subtract", (AxisSize(axis, False), Literal(int(back)))) if back > 0:
            if [index.axis for index in group] == [axis]:
                return back
    return None
