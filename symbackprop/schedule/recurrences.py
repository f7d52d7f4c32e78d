"""A recurrence as a loop over its steps: arrays allocated once, and filled step by step.

Inside the loop the step is a Python int, so that a `where` by it (t == 0) is Python's own, which computes one
branch only. What nobody reads at another step, or after the loop, is a variable of the loop's body.

Of tensors over axes of different lengths, those over the longer ones have a loop of their own for the steps
that the shorter ones lack: after the loop over the shortest axis, or before it where the steps go downwards.
A recurrence within the steps of another one is a loop within its loop.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from symbackprop.indexing.counting import counter_of, readable_condition
from symbackprop.integers.bounds import negated
from symbackprop.integers.guards import always_holds
from symbackprop.integers.linear import linear_form
from symbackprop.notation.arithmetic import add, multiply
from symbackprop.notation.expressions import (
    ZERO,
    Add,
    Comparison,
    Element,
    Expression,
    Index,
    Multiply,
    Number,
    Where,
)
from symbackprop.notation.matrix_functions import MatrixFunction, readings, without_position
from symbackprop.notation.substitution import fresh_index, rewrite_bottom_up, substitute
from symbackprop.schedule.named_equations import NamedEquation
from symbackprop.schedule.step_slices import Axes, with_named_slices
from symbackprop.systems.partial import NOTHING_KNOWN, Ranges
from symbackprop.systems.recurrences import Recurrence, at_step
from symbackprop.systems.stretches import Stretch, stretches_of
from symbackprop.systems.system import Equation


@dataclass(frozen=True)
class SteppedEquation:
    """An equation of a loop's body: `counters` are those of its indices that loops around step through.

    `array` are the indices of the array that all steps fill, whose axes may be longer than those of the
    counters. One that is not `stored` holds the values of one step alone. One that is `read_whole` is read at
    all steps at once, also at those that are not filled yet, under a `where` that takes no notice of them.
    What is stored belongs `shift` places ahead of the counter of its loop.
    """

    item: NamedEquation
    array: tuple[Index, ...]
    counters: frozenset[Index]
    stored: bool
    read_whole: bool
    shift: int = 0

    @property
    def equation(self) -> Equation:
        """The equation."""
        return self.item.equation

    @property
    def others(self) -> tuple[Index, ...]:
        """The indices but for the counters."""
        return tuple(index for index in self.equation.indices if index not in self.counters)

    @property
    def places(self) -> tuple[int, ...]:
        """The positions of the counters among the indices."""
        return tuple(place for place, index in enumerate(self.equation.indices) if index in self.counters)


@dataclass(frozen=True)
class Steps:
    """A loop over `index` from the position `start` to before `stop`; `body` is in the order of one step.

    `known` is what that says of the index, where it is more than its axis does. `counters` are its own index
    and those of the loops around, the outermost first; `variables` the names that hold the values of one
    step, each with the places of the counters that its array lacks.
    """

    index: Index
    start: Expression
    stop: Expression
    direction: int
    body: tuple[SteppedEquation | Steps, ...]
    counters: tuple[Index, ...]
    variables: Mapping[str, tuple[int, ...]]
    known: tuple[Expression, ...] = ()

    @property
    def equations(self) -> tuple[SteppedEquation, ...]:
        """Those of the body, but for loops in it."""
        return tuple(each for each in self.body if isinstance(each, SteppedEquation))

    @property
    def all_equations(self) -> Iterator[SteppedEquation]:
        """Those of the body and of the loops in it."""
        for each in self.body:
            yield from each.all_equations if isinstance(each, Steps) else (each,)

    def at_counters(self, stepped: SteppedEquation) -> Expression:
        """An equation's right-hand side at the loops' counters, variables of the bodies without them."""

        def at_step(node: Expression) -> Expression:
            if isinstance(node, Where) and node.condition.free_indices and self._is_counted(node.condition):
                return Where(readable_condition(node.condition), node.chosen, node.otherwise)
            if isinstance(node, Element | MatrixFunction):
                for place in reversed(self.variables.get(node.tensor, ())):
                    node = without_position(node, place)
            return node

        inside = rewrite_bottom_up(stepped.equation.expression, at_step)
        return substitute(inside, {index: counter_of(index) for index in self.counters})

    def _is_counted(self, condition: Expression) -> bool:
        return condition.free_indices.issubset(self.counters)


def steps_of_stage(
    items: Sequence[NamedEquation],
    recurrence: Recurrence,
    read_later: Collection[str],
    axes: Axes,
    ranges: Ranges,
) -> tuple[Steps, ...]:
    """The equations of a recurrence, as loops in the order in which they run; one where all share an axis.

    `read_later` names what is read outside of them, `axes` gives those of every tensor, and `ranges` what is
    known of their values.
    """
    nest = replace(_Nest.of(items, recurrence, read_later), ranges=ranges)
    return nest.loops(recurrence, {item.equation.tensor: item for item in items}, axes)


@dataclass(frozen=True)
class _Nest:
    """What the loops of a recurrence share: which tensors are arrays, and the loops around."""

    stored: frozenset[str]
    read_whole: frozenset[str]
    counters: tuple[Index, ...] = ()
    variables: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    ranges: Ranges = NOTHING_KNOWN

    @classmethod
    def of(cls, items: Sequence[NamedEquation], recurrence: Recurrence, read_later: Collection[str]) -> _Nest:
        """What is read later, at another step, or in a loop that does not compute it, is an array."""
        own = {item.equation.tensor: item.equation for item in items}
        stored, whole = set(read_later), set[str]()
        for reader in own.values():
            for read in readings(reader.expression):
                for each in recurrence.around(read.tensor):
                    if reader.tensor not in each.places:
                        stored.add(read.tensor)
                        continue
                    step, position = at_step(each, reader), read.positions[each.places[read.tensor]]
                    offsets = {each.offsets.get(name, 0) for name in (reader.tensor, read.tensor)}
                    if (
                        position != step
                        or len(offsets) > 1
                        or at_step(each, own[read.tensor]).axis != step.axis
                    ):
                        stored.add(read.tensor)
                    if position.free_indices - {step} or position.tensors:
                        whole.add(read.tensor)
        return cls(frozenset(stored), frozenset(whole))

    def loops(
        self, recurrence: Recurrence, items: Mapping[str, NamedEquation], axes: Axes
    ) -> tuple[Steps, ...]:
        """The loops over a recurrence's steps, one for each stretch in which the same tensors have values."""
        found = stretches_of(recurrence, {name: item.equation for name, item in items.items()})
        loops = [self._loop(recurrence, items, stretch, axes) for stretch in found]
        return tuple(loops[:: recurrence.direction])

    def _loop(
        self,
        recurrence: Recurrence,
        items: Mapping[str, NamedEquation],
        stretch: Stretch,
        axes: Axes,
    ) -> Steps:
        """The steps of a stretch, of the tensors that have values there."""
        index = at_step(recurrence, items[stretch.lead].equation)
        counters = (*self.counters, index)
        known = _bounds(index, stretch, bool(recurrence.offsets))
        members = {
            name: _decided(_with_step(items[name], recurrence.places[name], index, shift), index, known)
            for name, shift in stretch.shifts.items()
        }
        direct = [stage.equations[0].tensor for stage in recurrence.body if stage.recurrence is None]
        named = [name for name in direct if name in members]
        sliced = with_named_slices([members[name] for name in named], counters, axes, self.ranges)
        groups = {
            name: [self._stepped(each, counters, axes, stretch.shifts[name]) for each in group]
            for name, group in zip(named, sliced, strict=True)
        }
        variables = {
            each.equation.tensor: each.places
            for group in groups.values()
            for each in group
            if not each.stored
        }
        inside = replace(self, counters=counters, variables={**self.variables, **variables})
        body: list[SteppedEquation | Steps] = []
        for stage in recurrence.body:
            if stage.recurrence is None:
                body += groups.get(stage.equations[0].tensor, [])
                continue
            inner = {each.tensor: members[each.tensor] for each in stage.equations if each.tensor in members}
            lengths = {**axes, **{name: () for name in variables if name not in axes}}
            body += inside.loops(stage.recurrence, inner, lengths) if inner else ()
        ends, around = (stretch.start, stretch.stop), inside.variables
        return Steps(index, *ends, recurrence.direction, tuple(body), counters, around, known)

    def _stepped(
        self, item: NamedEquation, counters: tuple[Index, ...], axes: Axes, shift: int
    ) -> SteppedEquation:
        equation = item.equation
        own = axes.get(equation.tensor, [index.axis for index in equation.indices])
        return SteppedEquation(
            item,
            tuple(Index(index.name, axis) for index, axis in zip(equation.indices, own, strict=True)),
            frozenset(index for index in equation.indices if index in counters),
            equation.tensor in self.stored,
            equation.tensor in self.read_whole,
            shift,
        )


def _bounds(index: Index, stretch: Stretch, is_shifted: bool) -> tuple[Expression, ...]:
    """What is known of the index that counts the steps of a stretch, and not by its axis alone."""
    after = () if stretch.start == ZERO else (Comparison(">=", index, stretch.start),)
    return (*after, Comparison("<", index, stretch.stop)) if is_shifted else after


def _with_step(item: NamedEquation, place: int, index: Index, shift: int) -> NamedEquation:
    """The equation with `index` as its step, so far behind; any other index of that name called otherwise."""
    equation = item.equation
    own = equation.indices[place]
    if own == index and not shift:
        return item
    names: dict[Index, Expression] = {}
    if index in equation.indices and own != index:
        names[index] = fresh_index(index, (*equation.indices, index))
    indices = tuple(index if each == own else names.get(each, each) for each in equation.indices)
    moved = {**names, own: linear_form(add(index, Number(shift))).expression() if shift else index}
    renamed = Equation(equation.tensor, indices, substitute(equation.expression, moved))  # type: ignore[arg-type]
    return replace(item, equation=renamed)


def _decided(item: NamedEquation, index: Index, known: tuple[Expression, ...]) -> NamedEquation:
    """The equation where so much is known of its step, by which a `where` may be decided."""
    if not known:
        return item

    def decided(node: Expression) -> Expression:
        if isinstance(node, Where) and node.condition.free_indices == {index}:
            if always_holds(node.condition, known):
                return node.chosen
            if always_holds(negated(node.condition), known):
                return node.otherwise
        # A 0 that has been chosen takes the product with it: 0*exp(r) may be no number.
        match node:
            case Multiply(factors):
                return multiply(*factors)
            case Add(terms):
                return add(*terms)
        return node

    return item.computing(rewrite_bottom_up(item.equation.expression, decided))
