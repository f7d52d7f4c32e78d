"""A recurrence as a loop over its steps: arrays allocated once, and filled step by step.

Inside the loop the step is a Python int, so that a `where` by it (t == 0) is Python's own, which computes one
branch only. What nobody reads at another step, or after the loop, is a variable of the loop's body.

Of tensors over axes of different lengths, those over the longer ones have a loop of their own for the steps
that the shorter ones lack: after the loop over the shortest axis, or before it where the steps go downwards.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from symbackprop.indexing.counting import counter_of, readable_condition
from symbackprop.integers.bounds import by_length, negated
from symbackprop.integers.guards import always_holds
from symbackprop.notation.arithmetic import add, multiply
from symbackprop.notation.expressions import (
    ZERO,
    Add,
    Axis,
    Comparison,
    Element,
    Expression,
    Index,
    Multiply,
    Size,
    Where,
)
from symbackprop.notation.matrix_functions import MatrixFunction, readings, without_position
from symbackprop.notation.substitution import fresh_index, rewrite_bottom_up, substitute
from symbackprop.schedule.named_equations import NamedEquation
from symbackprop.schedule.step_slices import Axes, with_named_slices
from symbackprop.systems.ordering import Recurrence, at_step
from symbackprop.systems.system import Equation


@dataclass(frozen=True)
class SteppedEquation:
    """An equation of the loop's body: `place` is the position of the step among its indices.

    `axis` is its tensor's own, which may be longer than that of the counter. One that is not `stored` holds
    the values of one step alone. One that is `read_whole` is read at all steps at once, also at those that
    are not filled yet, under a `where` that takes no notice of them.
    """

    item: NamedEquation
    place: int
    axis: Axis
    stored: bool
    read_whole: bool

    @property
    def equation(self) -> Equation:
        """The equation."""
        return self.item.equation

    @property
    def others(self) -> tuple[Index, ...]:
        """The indices but for the step."""
        indices = self.equation.indices
        return (*indices[: self.place], *indices[self.place + 1 :])

    @property
    def array(self) -> tuple[Index, ...]:
        """The indices of the array that all steps fill."""
        own = Index(self.equation.indices[self.place].name, self.axis)
        return (*self.equation.indices[: self.place], own, *self.equation.indices[self.place + 1 :])


@dataclass(frozen=True)
class Steps:
    """The body of a loop over `index` from the position `start` on, in the order of one step."""

    index: Index
    start: Expression
    direction: int
    equations: tuple[SteppedEquation, ...]

    def at_counter(self, stepped: SteppedEquation) -> Expression:
        """An equation's right-hand side at the loop's counter, variables of the body without it."""
        places = {each.equation.tensor: each.place for each in self.equations if not each.stored}

        def at_step(node: Expression) -> Expression:
            if isinstance(node, Where) and node.condition.free_indices == {self.index}:
                return Where(readable_condition(node.condition), node.chosen, node.otherwise)
            if isinstance(node, Element | MatrixFunction) and node.tensor in places:
                return without_position(node, places[node.tensor])
            return node

        inside = rewrite_bottom_up(stepped.equation.expression, at_step)
        return substitute(inside, {self.index: counter_of(self.index)})


def steps_of_stage(
    items: Sequence[NamedEquation], recurrence: Recurrence, read_later: Collection[str], axes: Axes
) -> tuple[Steps, ...]:
    """The equations of a recurrence, as loops in the order in which they run; one where all share an axis.

    `read_later` names what is read outside of them, `axes` gives those of every tensor.
    """
    stage = _Stage.of(items, recurrence, read_later)
    lengths = by_length(tuple(dict.fromkeys(stage.own.values())))
    assert lengths is not None  # or it would be no recurrence
    starts = (ZERO, *map(Size, lengths))
    loops = [
        stage.loop(items, lengths[number:], starts[number], recurrence, axes)
        for number in range(len(lengths))
    ]
    return tuple(loops[:: recurrence.direction])


@dataclass(frozen=True)
class _Stage:
    """What the loops of a recurrence share: the axis of each tensor's step, and which ones are arrays."""

    own: Mapping[str, Axis]
    stored: frozenset[str]
    read_whole: frozenset[str]

    @classmethod
    def of(
        cls, items: Sequence[NamedEquation], recurrence: Recurrence, read_later: Collection[str]
    ) -> _Stage:
        """What is read later, at another step, or in a loop that does not compute it, is an array."""
        own = {item.equation.tensor: at_step(recurrence, item.equation).axis for item in items}
        stored, whole = set(read_later), set[str]()
        for item in items:
            step = at_step(recurrence, item.equation)
            for name, position in _reads_of_members(item, recurrence.places):
                if position != step or own[name] != step.axis:
                    stored.add(name)
                if position.free_indices - {step} or position.tensors:
                    whole.add(name)
        return cls(own, frozenset(stored), frozenset(whole))

    def loop(
        self,
        items: Sequence[NamedEquation],
        lengths: Sequence[Axis],
        start: Expression,
        recurrence: Recurrence,
        axes: Axes,
    ) -> Steps:
        """The steps from `start` on to the end of the first axis, of the tensors over these axes."""
        members = [item for item in items if self.own[item.equation.tensor] in lengths]
        steps = [at_step(recurrence, item.equation) for item in members]
        index = next(step for step in steps if step.axis == lengths[0])
        renamed = [_with_step(item, recurrence.places[item.equation.tensor], index) for item in members]
        if start != ZERO:
            renamed = [_from_start(item, index, start) for item in renamed]
        stepped = [
            SteppedEquation(
                item,
                item.equation.indices.index(index),
                self.own.get(item.equation.tensor, index.axis),
                item.equation.tensor in self.stored,
                item.equation.tensor in self.read_whole,
            )
            for item in with_named_slices(renamed, index, axes)
        ]
        return Steps(index, start, recurrence.direction, tuple(stepped))


def _with_step(item: NamedEquation, place: int, index: Index) -> NamedEquation:
    """The equation with `index` as its step, and any other index of that name called otherwise."""
    equation = item.equation
    own = equation.indices[place]
    if own == index:
        return item
    names: dict[Index, Expression] = {own: index}
    if index in equation.indices:
        names[index] = fresh_index(index, (*equation.indices, index))
    indices = tuple(names.get(each, each) for each in equation.indices)
    renamed = Equation(equation.tensor, indices, substitute(equation.expression, names))  # type: ignore[arg-type]
    return replace(item, equation=renamed)


def _from_start(item: NamedEquation, index: Index, start: Expression) -> NamedEquation:
    """The equation at the steps from `start` on, where a `where` may be decided."""
    known = (Comparison(">=", index, start),)

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


def _reads_of_members(item: NamedEquation, places: Mapping[str, int]) -> Iterator[tuple[str, Expression]]:
    """Each reading of a member of the recurrence, and the step at which it is read."""
    for read in readings(item.equation.expression):
        if read.tensor in places:
            yield read.tensor, read.positions[places[read.tensor]]
