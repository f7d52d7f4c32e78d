"""Sums over the steps of a recurrence that data give a place: added up while the steps are taken.

    delta_h[t] = sum(t', where(par[t'] == t, delta_h[t']*w[t'], 0)) + g[t]

reads later steps alone, so that a loop downwards has met all of them: step t' adds delta_h[t']*w[t'] to the
place par[t'] of an array, and step t finds the sum there. T steps add T numbers, where a mask at each step
looks at T of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from symbackprop.indexing.places import affine
from symbackprop.integers.bounds import conjunction, conjuncts
from symbackprop.integers.guards import reads_inside
from symbackprop.integers.linear import linear_form
from symbackprop.integers.recognition import compares_integers, is_integer
from symbackprop.lowering.expressions import ExpressionLowering
from symbackprop.lowering.scattering import bounds_of_place
from symbackprop.notation.arithmetic import multiply, subtract
from symbackprop.notation.expressions import (
    ONE,
    ZERO,
    Add,
    Axis,
    Comparison,
    Delta,
    Element,
    Expression,
    Index,
    Multiply,
    Reduction,
    Where,
)
from symbackprop.notation.fresh_names import numbered_name
from symbackprop.notation.matrix_functions import readings
from symbackprop.notation.substitution import rename_bound, rewrite_bottom_up, substitute
from symbackprop.schedule.named_equations import NamedEquation, Part
from symbackprop.schedule.terms import Indices, free_in_order
from symbackprop.systems.recurrences import Recurrence, Stage, at_step
from symbackprop.systems.system import Equation


@dataclass(frozen=True)
class ScatteredSum:
    """total[batch..,s,rest..] = sum(t, inner.., addend[t,batch..,inner..,rest..]*delta(place, s)).

    `item` states the total. The place depends on t, the batch and the inner indices. The `bounds` keep it
    inside the axis of s; where they do not hold, the addend is 0.
    """

    item: NamedEquation
    addend: Equation
    place: Expression
    batch: Indices
    inner: Indices
    bounds: tuple[Expression, ...]

    @property
    def axis(self) -> Axis:
        """The axis that the place is one of."""
        return self.item.equation.indices[len(self.batch)].axis


@dataclass(frozen=True)
class WithScatteredSums:
    """The members of a recurrence that reads the totals, the equations of the addends among them."""

    items: tuple[NamedEquation, ...]
    recurrence: Recurrence
    sums: tuple[ScatteredSum, ...]


def with_scattered_sums(
    items: Sequence[NamedEquation],
    recurrence: Recurrence,
    layouts: Mapping[str, Indices],
    lowering: ExpressionLowering,
    taken: Collection[str],
) -> WithScatteredSums:
    """The recurrence, where such sums are read from the arrays that its steps add to.

    `layouts` gives the indices of every tensor, `lowering` says which hold whole numbers. Recurrences with
    others within their steps, or offsets from them, stay as they are.
    """
    if recurrence.offsets or any(stage.recurrence is not None for stage in recurrence.body):
        return WithScatteredSums(tuple(items), recurrence, ())
    finding = _Finding(recurrence, layouts, lowering, set(taken))
    changed = [finding.reading_totals(item) for item in items]
    addends = {each.addend.tensor: each for each in finding.sums}
    places = {**recurrence.places, **dict.fromkeys(addends, 0)}
    by_name = {item.equation.tensor: item.equation for item in changed}
    stages = [Stage((by_name[equation.tensor],)) for equation in recurrence.equations]
    stages += [Stage((each.addend,)) for each in finding.sums]
    whole = replace(recurrence, places=places, body=tuple(stages))
    added = [each.item.temporary(Part.SCATTERED, each.addend, each.item.guarded) for each in finding.sums]
    return WithScatteredSums((*changed, *added), whole, tuple(finding.sums))


@dataclass
class _Finding:
    recurrence: Recurrence
    layouts: Mapping[str, Indices]
    lowering: ExpressionLowering
    taken: set[str]
    sums: list[ScatteredSum] = field(default_factory=list)

    def reading_totals(self, item: NamedEquation) -> NamedEquation:
        """The equation with a total for each sum that is one; what a condition guards is left alone."""
        expression = self._reading(item.equation.expression, item)
        return item if expression == item.equation.expression else item.computing(expression)

    def _reading(self, node: Expression, item: NamedEquation) -> Expression:
        match node:
            case Add() | Multiply():
                return node.with_children(tuple([self._reading(child, item) for child in node.children]))
            case Reduction("sum", _, _):
                found = self._sum(node, item)
                if found is not None:
                    self.sums.append(found)
                    return Element(found.item.equation.tensor, found.item.equation.indices)
        return node

    def _sum(self, node: Reduction, item: NamedEquation) -> ScatteredSum | None:
        step = at_step(self.recurrence, item.equation)
        counter = self._counter(node)
        if counter is None or step not in node.free_indices:
            return None
        axes = {name: [index.axis for index in indices] for name, indices in self.layouts.items()}
        for found in _placed(node.body, step, (*node.free_indices, *node.indices)):
            place, free = found.place, found.place.free_indices
            is_place = counter in free and step not in free and affine(place) is None
            if is_place and is_integer(place, self.lowering.integers) and reads_inside(place, axes):
                return self._scattered(node, item, counter, found)
        return None

    def _counter(self, node: Reduction) -> Index | None:
        """The index of the sum at which all members of the recurrence are read; None where there is none."""
        places = self.recurrence.places
        steps = {read.positions[places[read.tensor]] for read in readings(node) if read.tensor in places}
        axes = {self.layouts[name][place].axis for name, place in places.items()}
        (first, *others) = steps or {ZERO}
        found = isinstance(first, Index) and first in node.indices and first.axis in axes and not others
        return first if found and isinstance(first, Index) else None

    def _scattered(
        self, node: Reduction, item: NamedEquation, counter: Index, found: _Placed
    ) -> ScatteredSum:
        step, place = at_step(self.recurrence, item.equation), found.place
        body = rewrite_bottom_up(substitute(found.rest, {step: place}), self._in_order)
        bound = (*node.indices, *found.indices)
        free = [index for index in free_in_order(node) if index != step]
        batch = tuple(index for index in free if index in place.free_indices)
        rest = tuple(index for index in free if index not in batch)
        inner = tuple(index for index in bound if index in place.free_indices - {counter})
        summed = tuple(index for index in bound if index not in (counter, *inner))
        bounds = bounds_of_place(place, step.axis, self.lowering.values)
        rows = Reduction("sum", summed, body) if summed else body
        if bounds:
            rows = Where(conjunction(bounds), rows, ZERO)
        own = Index(step.name, counter.axis)  # which no index of the rows is called any more
        tensor = item.equation.tensor
        total = Equation(self._fresh(f"{tensor}_sum"), (*batch, step, *rest), node)
        addend = Equation(
            self._fresh(f"{tensor}_added"),
            (own, *batch, *inner, *rest),
            substitute(rows, {counter: own}),
        )
        place, *certain = (substitute(each, {counter: own}) for each in (place, *bounds))
        item = item.temporary(Part.SCATTERED, total, item.guarded)
        return ScatteredSum(item, addend, place, batch, inner, tuple(certain))

    def _in_order(self, node: Expression) -> Expression:
        """back[t'] > 0 for t' - (t' - back[t']) > 0."""
        if isinstance(node, Comparison) and compares_integers(node, self.lowering.integers):
            return node.with_children(tuple(linear_form(side).expression() for side in node.children))
        return node

    def _fresh(self, stem: str) -> str:
        name = numbered_name(stem, self.taken)
        self.taken.add(name)
        return name


@dataclass(frozen=True)
class _Placed:
    """sum(indices, rest*delta(place, step)): what a body is, for the step that a factor of it names."""

    place: Expression
    rest: Expression
    indices: Indices = ()


def _placed(body: Expression, step: Index, around: Indices) -> Iterator[_Placed]:
    """The ways to see the body so: by delta(par[t'], t), or a guard; `around` are indices in use."""
    match body:
        case Delta(left, right):
            yield from (_Placed(place, ONE) for place in _solved(left, right, step))
        case Multiply(factors):
            for number, factor in enumerate(factors):
                for found in _placed(factor, step, around):
                    rest = multiply(*factors[:number], found.rest, *factors[number + 1 :])
                    yield replace(found, rest=rest)
        case Where(condition, chosen, otherwise) if otherwise == ZERO:
            parts = conjuncts(condition)
            for number, part in enumerate(parts):
                if isinstance(part, Comparison) and part.operator == "==":
                    others = (*parts[:number], *parts[number + 1 :])
                    rest = Where(conjunction(others), chosen, ZERO) if others else chosen
                    yield from (_Placed(place, rest) for place in _solved(part.left, part.right, step))
            for found in _placed(chosen, step, around):
                yield replace(found, rest=Where(condition, found.rest, ZERO))
        case Reduction("sum", _, _):
            afresh = rename_bound(body, around)
            for found in _placed(afresh.body, step, (*around, *afresh.indices)):
                yield replace(found, indices=(*afresh.indices, *found.indices))


def _solved(left: Expression, right: Expression, step: Index) -> Iterator[Expression]:
    """What the step is where the two are equal: par[t'] - 1 for par[t'] == t + 1."""
    difference = linear_form(subtract(left, right))
    factor = difference.coefficients.get(step, 0)
    if factor in (1, -1):
        yield linear_form(subtract(step, difference.scaled(factor).expression())).expression()
