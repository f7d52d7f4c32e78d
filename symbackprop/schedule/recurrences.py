"""A recurrence as a loop over its steps: arrays allocated once, and filled step by step.

Inside the loop the step is a Python int, so that a `where` by it (t == 0) is Python's own, which computes one
branch only. What nobody reads at another step, or after the loop, is a variable of the loop's body.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from symbackprop.indexing.counting import counter_of, readable_condition
from symbackprop.notation.expressions import Element, Expression, Index, Where
from symbackprop.notation.matrix_functions import MatrixFunction, readings, without_position
from symbackprop.notation.substitution import fresh_index, rewrite_bottom_up, substitute
from symbackprop.schedule.named_equations import NamedEquation
from symbackprop.schedule.step_slices import Axes, with_named_slices
from symbackprop.systems.ordering import Recurrence, at_step
from symbackprop.systems.system import Equation


@dataclass(frozen=True)
class SteppedEquation:
    """An equation of the loop's body: `place` is the position of the step among its indices.

    One that is not `stored` holds the values of one step alone. One that is `read_whole` is read at all steps
    at once, also at those that are not filled yet, under a `where` that takes no notice of them.
    """

    item: NamedEquation
    place: int
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


@dataclass(frozen=True)
class Steps:
    """The body of a loop over `index`, in the order of one step."""

    index: Index
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
) -> Steps:
    """The equations of a recurrence over one index.

    `read_later` names what is read outside of them, `axes` gives those of every tensor.
    """
    index = at_step(recurrence, items[0].equation)
    places = dict(recurrence.places)
    renamed = [_with_step(item, places[item.equation.tensor], index) for item in items]
    together = with_named_slices(renamed, index, axes)
    places.update({item.equation.tensor: item.equation.indices.index(index) for item in together})
    elsewhere = list(_read_at_other_steps(together, places, index))
    stored = {*read_later, *(name for name, _ in elsewhere)}
    whole = {name for name, position in elsewhere if position.free_indices - {index}}
    stepped = []
    for item in together:
        name = item.equation.tensor
        stepped.append(SteppedEquation(item, places[name], name in stored, name in whole))
    return Steps(index, recurrence.direction, tuple(stepped))


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


def _read_at_other_steps(
    items: Sequence[NamedEquation], places: Mapping[str, int], index: Index
) -> Iterator[tuple[str, Expression]]:
    for item in items:
        for read in readings(item.equation.expression):
            if read.tensor in places:
                position = read.positions[places[read.tensor]]
                if position != index:
                    yield read.tensor, position
