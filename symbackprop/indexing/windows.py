"""Windows: sums and reads whose positions move with several indices, and the one index that a loop steps.

    y[n,o,a] = sum(c, r, W[o,c,r]*pad(x[n,c,2*a+r-1]))             over r, adding up
    grad_W[o,c,r] = sum(n, a, delta_y[n,o,a]*pad(x[n,c,2*a+r-1]))   over r, storing
    delta_x[n,c,i] = sum(o, a, delta_y[n,o,a]*where(0 <= i-2*a+1 and i-2*a+1 < size(r), W[o,c,i-2*a+1], 0))
                                                                    over r, adding to the places i = 2*a+r-1

Stepped is the index whose axis is the shortest, where the sizes are declared, or else an axis of a parameter
or of nothing else, or else one that is summed over: the kernel's offset, not the batch nor the image.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from symbackprop.indexing.counting import Counter, counter_of
from symbackprop.indexing.digit_axes import position_in_digits
from symbackprop.indexing.padding import form_key, not_negative, with_padded_reads
from symbackprop.indexing.places import affine, mixed_radix
from symbackprop.integers.bounds import Knowledge, conjunction, conjuncts, unproved_bounds
from symbackprop.integers.guards import guarded_reads
from symbackprop.integers.linear import linear_form
from symbackprop.notation.arithmetic import factors_of, multiply, subtract
from symbackprop.notation.expressions import (
    ZERO,
    Apply,
    Axis,
    Comparison,
    Delta,
    Element,
    Expression,
    Index,
    Number,
    Reduction,
    Size,
    Where,
)
from symbackprop.notation.matrix_functions import MatrixFunction, tensor_read
from symbackprop.notation.substitution import fresh_index, rewrite_bottom_up, substitute
from symbackprop.systems.partial import Ranges

Indices: TypeAlias = tuple[Index, ...]
Way: TypeAlias = Literal["add", "store", "scatter"]


@dataclass(frozen=True)
class Window:
    """A position that moves with several indices; `axis` is the one it is kept inside by a `where`."""

    position: Expression
    indices: Indices
    axis: Axis | None = None


@dataclass(frozen=True)
class Stepped:
    """How a loop over an index computes part of a window.

    "add": the index is summed over; "store": it is one of the result's; "scatter": it is put in again, where
    a `where` had solved for it, and the result's index `solved` is `place` then, which runs with `along`. One
    that is added up may be put in again for `solved`, too.
    """

    way: Way
    index: Index
    solved: Index | None = None
    place: Expression = ZERO
    along: Index | None = None


def windows_of(
    expression: Expression,
    live: Collection[Index],
    own: Mapping[str, Indices],
    stepped: Collection[Index] = (),
) -> list[Window]:
    """The windows of an expression, each position once: reads first, then `where`s.

    A position in mixed radix, 2*p + v where v counts to 2, is none, for an axis is split there, unless one of
    its indices is to be `stepped`. So is 4*p + v over 4*P places. `own` are the indices of the tensors read.
    """
    found: dict[object, Window] = {}
    for read in guarded_reads(expression):
        axes = own.get(read.element.tensor, ())
        for place, position in enumerate(read.element.positions):
            indices = _moving(position, live)
            if len(indices) < 2:
                continue
            inside = not any(set(indices) & part.free_indices for part in read.conditions)
            is_split = (
                inside
                and not set(indices) & set(stepped)
                and (mixed_radix(position) or (axes and position_in_digits(position, axes[place].axis)))
            )
            if not is_split:
                found.setdefault(form_key(position), Window(position, indices))
    for position, axis in _kept_inside(expression):
        indices = _moving(position, live)
        if len(indices) > 1:
            found[form_key(position)] = Window(position, indices, axis)
    return list(found.values())


def _moving(position: Expression, live: Collection[Index]) -> Indices:
    found = affine(position)
    return () if found is None else tuple(index for index in found.indices if index in live)


def _kept_inside(expression: Expression) -> Iterator[tuple[Expression, Axis]]:
    """Positions p outside whose range, 0 <= p and p < size(r), the expression is 0, with r's axis."""
    for factor in factors_of(expression):
        if isinstance(factor, Where) and factor.otherwise == ZERO:
            parts = conjuncts(factor.condition)
            lower = {form_key(bound) for part in parts if (bound := not_negative(part)) is not None}
            for part in parts:
                match part:
                    case Comparison("<", position, Size(axis)) | Comparison(">", Size(axis), position):
                        if form_key(position) in lower:
                            yield position, axis
            yield from _kept_inside(factor.chosen)


def stepped(
    window: Window,
    body: Expression,
    bound: Indices,
    result: Indices,
    kernel_axes: Collection[Axis],
    counters: Collection[Index],
    own: Mapping[str, Indices],
    is_sum: bool = True,
) -> Stepped | None:
    """The best way to compute a window within loops over `counters`; None where no index can be stepped.

    `own` are the indices of the tensors that are read. Only in a sum is a term that is 0 no term at all, so
    that an index may be put in again.
    """
    ways: list[Stepped] = [
        Stepped("add" if index in bound else "store", index)
        for index in window.indices
        if index in bound or index in result
    ]
    if is_sum:
        ways = [*_solved(window, body, bound, (*result, *counters), own), *ways]

    # Sizes are compared where all are declared: one that is not may be any.
    comparable = all(way.index.axis.size is not None for way in ways)

    def rank(way: Stepped) -> tuple[int, bool, bool, int]:
        axis = way.index.axis
        size = axis.size if comparable and axis.size is not None else 0
        # Of the result's own indices the last: those of offsets stand behind those of places.
        place = -result.index(way.index) if way.way == "store" else 0
        return size, axis not in kernel_axes, way.way == "store", place

    return min(ways, key=rank, default=None)


def _solved(
    window: Window, body: Expression, bound: Indices, others: Indices, own: Mapping[str, Indices]
) -> Iterator[Stepped]:
    """The index r put in again for p = r, where the position p moves with one index by +1 or -1.

    An index of the result is scattered to then, where nothing else of the body depends on it; the sum over an
    index that is summed over becomes one over r.
    """
    found = affine(window.position)
    if window.axis is None or found is None:
        return
    label = Index(window.axis.label, window.axis)
    inside = {index for node in body.walk() for index in _indices_at(node)}
    offset = fresh_index(label, {*inside, *bound, *others})
    for index in window.indices:
        factor = found.factor(index)
        if abs(factor) != 1 or _is_matrix_at(body, index):
            continue
        rest = linear_form(window.position).plus(linear_form(index), -factor)
        place = linear_form(multiply(Number(factor), subtract(counter_of(offset), rest.expression())))
        if index in bound:
            yield Stepped("add", offset, index, place.expression())
        else:
            moved = simplified(substitute(body, {index: place.expression()}))
            if _reads_inside_at(counter_of(offset), moved, own):
                way = Stepped("scatter", offset, index, place.expression())
                yield from _scattered(way, window, moved, bound)


def _is_matrix_at(body: Expression, index: Index) -> bool:
    """Whether a function of a matrix depends on the index: beyond its range there are only singular zeros."""
    return any(isinstance(node, MatrixFunction) and index in node.free_indices for node in body.walk())


def _scattered(way: Stepped, window: Window, moved: Expression, bound: Indices) -> Iterator[Stepped]:
    """The way where the place runs upwards with one index that is summed over, on which all else depends."""
    along = [index for index in window.indices if index in bound]
    if len(along) != 1 or len(window.indices) != 2 or linear_form(way.place).coefficient(along[0]) < 0:
        return
    if _is_free_of(moved, along[0], counter_of(way.index)):
        yield replace(way, along=along[0])


def _reads_inside_at(counter: Counter, moved: Expression, own: Mapping[str, Indices]) -> bool:
    """Whether all that is read at a counter lies inside, also for places beyond the result."""
    return not any(
        unproved_bounds(position, index.axis, read.conditions)
        for read in guarded_reads(moved)
        for position, index in zip(read.element.positions, own[read.element.tensor], strict=False)
        if counter in position.walk()
    )


def _indices_at(node: Expression) -> Indices:
    """The index that a node is, or those that it binds."""
    if isinstance(node, Reduction):
        return node.indices
    return (node,) if isinstance(node, Index) else ()


def _is_free_of(body: Expression, along: Index, counter: Counter) -> bool:
    """Whether no position and no comparison has both the index and the counter."""
    for node in body.walk():
        sides = node.children if tensor_read(node) is not None else ()
        if isinstance(node, Comparison):
            sides = (subtract(node.left, node.right),)
        if any({along, counter} <= _moved_by(side) for side in sides):
            return False
    return True


def _moved_by(side: Expression) -> set[Expression]:
    """The indices and counters that an integer expression depends on by itself, not through what it reads."""
    unknowns = linear_form(side).coefficients
    return {part for unknown in unknowns if not unknown.tensors for part in unknown.walk()}


def substituted(body: Expression, way: Stepped, own: Mapping[str, Indices], ranges: Ranges) -> Expression:
    """The body for one step: the index is the loop's counter.

    `own` are the indices of the tensors read, `ranges` what is known of their values.
    """
    if way.solved is not None:
        moved = substitute(substitute(body, {way.solved: way.place}), {way.index: counter_of(way.index)})
        bounds = unproved_bounds(way.place, way.solved.axis) if way.way == "add" else ()
        if not bounds:
            return simplified(moved)
        return with_padded_reads(Where(conjunction(bounds), simplified(moved), ZERO), own, ranges)
    return substitute(body, {way.index: counter_of(way.index)})


def simplified(expression: Expression) -> Expression:
    """Positions and comparisons of integers put in order; conditions that always hold are left out."""

    def change(node: Expression) -> Expression:
        match node:
            case Element() | MatrixFunction() if node.children:
                return node.with_children(tuple(map(in_order, node.children)))
            case Comparison(operator, left, right):
                return Comparison(operator, in_order(left), in_order(right))
            case Delta(left, right):
                return Delta(in_order(left), in_order(right))
            case Apply("floor" | "mod", arguments) if not node.tensors:
                return Apply(node.function, tuple(map(_collected, arguments)))
            case Where(condition, chosen, otherwise):
                parts = conjuncts(condition)
                if any(Knowledge.of((), (part,)).is_contradictory for part in parts):
                    return otherwise
                open_parts = [part for part in parts if not Knowledge.of((part,), ()).proves(part)]
                return Where(conjunction(open_parts), chosen, otherwise) if open_parts else chosen
        return node

    return rewrite_bottom_up(expression, change)


def in_order(position: Expression) -> Expression:
    """An integer expression as a linear form; a size, and anything else, as it stands."""
    return _collected(position) if affine(position) is not None else position


def _collected(number: Expression) -> Expression:
    return number if isinstance(number, Size) else linear_form(number).expression()
