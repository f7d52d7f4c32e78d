"""Sizes and data on which a module is held against its equations: few, small and different.

The first draw has pairwise different sizes, others have axes of size 1 or are longer. There are as many as it
takes, within a handful, until the loss and each gradient have been large beside rounding, and each comparison
in the model has come out either way. At last come draws that lie exactly where the model bends, and such on
which its bounds act.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain, islice, product
from typing import TypeAlias

import numpy as np

from symbackprop.errors import VerificationError
from symbackprop.integers.linear import linear_form
from symbackprop.integers.relations import sizes_in
from symbackprop.notation.expressions import Axis, Comparison, Element, Expression
from symbackprop.sampling.axes_of_one import SeenAtOne
from symbackprop.sampling.drawing import Adjoints, Draw, Drawing
from symbackprop.sampling.draws_at_bounds import draws_at_bounds
from symbackprop.sampling.draws_at_kinks import draws_at_kinks
from symbackprop.sampling.finite_data import DOMAINS, GENTLE, Domain
from symbackprop.sampling.related_sizes import following, free_axes
from symbackprop.sampling.rounds import grown, rounds_of_sizes, sizes_with_ones
from symbackprop.sampling.small_axes import model_sizes
from symbackprop.systems.ordering import stages_of
from symbackprop.systems.recurrences import Recurrence
from symbackprop.systems.system import System

SEED = 0
FEWEST_DRAWS, MOST_DRAWS, MOST_OF_ONES = 2, 6, 6
# Beyond what is drawn first: where a condition on values comes out otherwise.
FURTHER_DOMAINS = (
    Domain("normal, ten times in size", lambda rng, shape: rng.normal(0.0, 10.0, shape)),
    Domain("normal around 3", lambda rng, shape: rng.normal(3.0, 1.0, shape)),
    Domain("normal around -3", lambda rng, shape: rng.normal(-3.0, 1.0, shape)),
)
# Sizes, with the domains to try in turn until the model is finite on one.
Plan: TypeAlias = tuple[Mapping[str, int], tuple[Domain, ...]]
PLACES = 5  # the middle one has two before it and two behind it
LONGER = (1, 2)  # by how much all axes grow where a gradient vanishes on shorter ones


@dataclass
class Draws:
    """Draws for a system, on which it and its adjoints are finite.

    `adjoints` gives them from the values of all tensors; `reached` are the sides of its comparisons that have
    come up so far. Where a gradient that is `asked` for, or the loss, all but vanishes on the first values
    that are finite, each domain is tried for values on which it does not, as that of a saturated softmax
    does, and then longer axes: sum((x - mean)^3) is 0 over two x.
    """

    system: System
    adjoints: Adjoints
    asked: frozenset[str] = frozenset()
    reached: dict[Expression, set[bool]] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Draw]:
        """At least two draws where two are to be had, and more while they reach further sides.

        Then such as show each gradient at each axis of size 1, if they can, and draws at kinks and bounds.
        Where no draw makes all of the model finite, there are such as make the loss and its gradient so.
        """
        drawing = Drawing(self.system, self.adjoints)
        draws = (self._of(each) for each in (drawing, replace(drawing, of_loss_alone=True)))
        for found in draws:
            first = next(found, None)
            if first is not None:
                yield from chain((first,), found)
                return

    def _of(self, drawing: Drawing) -> Iterator[Draw]:
        seen = SeenAtOne(self.system, self.asked)
        is_finite = False
        for draw in self._off_kinks(drawing):
            is_finite = True
            seen.note(draw)
            yield draw
        if is_finite and self.asked:
            yield from self._with_fewer_ones(drawing, seen)
            yield from draws_at_kinks(drawing, self.asked)
            yield from draws_at_bounds(drawing)

    def without_adjoints(self) -> Iterator[Draw]:
        """Values on which the system is finite, of the first sizes, the adjoints not looked at."""
        drawing, rng = Drawing(self.system, self.adjoints), np.random.default_rng(SEED)
        for sizes, domains in islice(self._plans(), FEWEST_DRAWS):
            try:
                found = (drawing.finite(sizes, domain, rng) for domain in domains)
                yield from islice(filter(None, found), 1)
            except VerificationError:  # these sizes do not fit
                continue

    def _off_kinks(self, drawing: Drawing) -> Iterator[Draw]:
        rng = np.random.default_rng(SEED)
        count = 0
        for sizes, domains in self._plans():
            if count >= MOST_DRAWS or (count >= FEWEST_DRAWS and self._is_covered()):
                break
            draw = drawing.draw(sizes, domains, rng)
            if draw is not None and (self._reaches_further(draw) or count < FEWEST_DRAWS):
                count += 1
                yield draw
                if count == 1:
                    yield from self._telling(drawing, draw, domains)
        if count and self.asked:
            yield from self._unnamed(drawing, rng)

    def _with_fewer_ones(self, drawing: Drawing, seen: SeenAtOne) -> Iterator[Draw]:
        """Draws that show a gradient where an axis has size 1, and so far another such axis has hidden it."""
        rng = np.random.default_rng(SEED + 2)
        for axes in islice(seen.axes_to_try(), MOST_OF_ONES):
            sizes = model_sizes(self.system, dict.fromkeys(axes, 1))
            draw = drawing.draw(sizes, (GENTLE, *DOMAINS), rng)
            if draw is not None and seen.note(draw):
                yield replace(draw, is_named=False)

    def _plans(self) -> Iterator[Plan]:
        """The sizes of the gate's rounds, then longer ones, or the same once more where all are declared."""
        sizes = [each.sizes for each in rounds_of_sizes(self.system)[0]]
        yield from ((each, (GENTLE, *DOMAINS)) for each in sizes[:FEWEST_DRAWS])
        yield from ((each, DOMAINS) for each in sizes[FEWEST_DRAWS:])
        sizes.append(grown(self.system, sizes[0], 3))
        yield sizes[-1], DOMAINS
        yield from ((each, (domain,)) for domain, each in product(FURTHER_DOMAINS, sizes[:2]))

    def _unnamed(self, drawing: Drawing, rng: np.random.Generator) -> Iterator[Draw]:
        """The axes that were longer are of size 1, on larger numbers; then enough steps of a recurrence."""
        different = model_sizes(self.system)
        with_ones = list(sizes_with_ones(self.system))[1:]
        with_steps = [each for each in [sizes_with_steps(self.system, different)] if each != different]
        plans: list[Plan] = [*((each, DOMAINS) for each in with_ones)]
        plans += [(each, (GENTLE, *DOMAINS)) for each in with_steps]
        for sizes, domains in plans:
            draw = drawing.draw(sizes, domains, rng)
            if draw is not None:
                yield replace(draw, is_named=False)

    def _is_covered(self) -> bool:
        return all(len(sides) == 2 for sides in self.reached.values())

    def _reaches_further(self, draw: Draw) -> bool:
        """Note the sides on which comparisons have come out; whether there are new ones."""
        before = {condition: set(sides) for condition, sides in self.reached.items()}
        for condition, sides in draw.reached.items():
            self.reached.setdefault(condition, set()).update(sides)
        return before != self.reached

    def _telling(self, drawing: Drawing, first: Draw, domains: tuple[Domain, ...]) -> Iterator[Draw]:
        """Draws on which gradients, or the loss, tell something that has not been told so far."""
        rng = np.random.default_rng(SEED + 1)
        told = self._told(first)
        for sizes, each in self._plans_to_tell(first.sizes, domains):
            if told == self._to_tell:
                return
            draw = drawing.draw(sizes, each, rng)
            if draw is not None and not self._told(draw) <= told:
                told |= self._told(draw)
                yield draw

    def _plans_to_tell(self, sizes: Mapping[str, int], domains: tuple[Domain, ...]) -> Iterator[Plan]:
        """The smallest numbers first, which saturate least; where no values help, the sizes may."""
        yield from ((sizes, (domain,)) for domain in reversed(domains))
        longer = (grown(self.system, sizes, by) for by in LONGER)
        yield from ((each, domains) for each in longer if each != sizes)

    @property
    def _to_tell(self) -> frozenset[str]:
        return self.asked | {str(self.system.loss)} if self.asked else self.asked

    def _told(self, draw: Draw) -> frozenset[str]:
        loss = str(self.system.loss)
        return (draw.told & self.asked) | (self._to_tell & ({loss} if draw.tells(loss) else set()))


def sizes_with_steps(system: System, sizes: Mapping[str, int]) -> Mapping[str, int]:
    """The sizes, with so many steps for each recurrence that two in its middle differ from first and last.

    A gradient of weights reads no adjoint of the first step, so that of three there would be one left.
    """
    needed: dict[str, int] = {}
    for recurrence in (each for stage in stages_of(system.equations) for each in stage.nested):
        least = 3 + max((1, *_reaches(recurrence)))
        needed[recurrence.axis.name] = max(least, needed.get(recurrence.axis.name, 0))
    return _with_at_least(system, sizes, needed)


def sizes_with_middles(system: System, sizes: Mapping[str, int]) -> Mapping[str, int]:
    """The sizes, with `PLACES` for each axis of which a condition compares two indices, as causal masks do.

    Of two places one has a single neighbour and the other none, whatever is wrong with those further on.
    """
    nodes = (node for equation in system.equations for node in equation.expression.walk())
    compared = (node.free_indices for node in nodes if isinstance(node, Comparison))
    axes = (Counter(index.axis.name for index in indices) for indices in compared)
    return _with_at_least(system, sizes, {name: PLACES for each in axes for name, n in each.items() if n > 1})


def _with_at_least(system: System, sizes: Mapping[str, int], needed: Mapping[str, int]) -> Mapping[str, int]:
    """The sizes, longer where they are short: where a relation gives one, those that it follows from."""
    longer: dict[str, int] = {}
    for axis in system.axes:
        least = needed.get(axis.name, 0)
        if sizes[axis.name] < least:
            following_from = () if axis.formula is None else sizes_in(axis.formula)
            longer |= _lengthened(system, sizes, axis, least, following_from) or {axis.name: least}
    return model_sizes(system, longer) if longer else sizes


def _lengthened(
    system: System, sizes: Mapping[str, int], axis: Axis, least: int, names: Collection[str]
) -> dict[str, int]:
    """The fewest steps more for the open axes among these that give an axis its least size: S = T + 1."""
    chosen = [name for name in free_axes(system.axes) if name in names]
    for more in range(1, least + 1 if chosen else 1):
        longer = {name: sizes[name] + more for name in chosen}
        found = following(system.axes, {**sizes, **longer})
        if found is not None and found[axis.name] >= least:
            return longer
    return {}


def _reaches(recurrence: Recurrence) -> Iterator[int]:
    """How many steps back each element of a recurrence is read, as far as that is a number."""
    for equation in recurrence.equations:
        for node in equation.expression.walk():
            if isinstance(node, Element) and node.tensor in recurrence.places:
                yield int(abs(linear_form(node.positions[recurrence.places[node.tensor]]).constant))
