"""What a gradient should be: the derivation of a model, and its values on a few draws of different sizes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.derivation.driver import derive
from symbackprop.derivation.result import AdjointDerivation, Derivation
from symbackprop.errors import UncertainError
from symbackprop.languages.phrases import worded
from symbackprop.notation.expressions import Expression, Index
from symbackprop.numerics.tolerance import all_finite, largest_of
from symbackprop.sampling.branches import Branches
from symbackprop.sampling.drawing import Draw, Drawing
from symbackprop.sampling.draws import sizes_with_steps
from symbackprop.sampling.draws_at_kinks import draws_at_kinks
from symbackprop.sampling.finite_data import DOMAINS, GENTLE, Values
from symbackprop.sampling.intervals import Intervals
from symbackprop.sampling.kinks import kinks_of
from symbackprop.sampling.reaching import draws_near, draws_reaching, tried_draws
from symbackprop.sampling.related_sizes import free_axes
from symbackprop.sampling.rounds import rounds_of_sizes, sizes_beyond
from symbackprop.sampling.small_axes import evaluation_visits, model_sizes, with_small_axes
from symbackprop.semantics.systems import evaluate_system, undefined_is_silent
from symbackprop.semantics.vectorised import VectorisedEvaluator
from symbackprop.systems.printing import equation_text
from symbackprop.systems.system import Role, System, Tensor
from symbackprop.verification.rounding import is_steady
from symbackprop.verification.unsimplified import chain_rule_of, unsimplified_adjoints

Array: TypeAlias = NDArray[Any]
Adjust: TypeAlias = Callable[[Values], Values] | None

SEED = 0
LONGER = (0, 1, 3)  # by how much the axes of each draw are longer than the smallest different sizes
LONGEST_SAID = 240  # characters of definitions
LONGEST, FEW_VISITS = 12, 20_000  # one more where kinks decide, if it is computed in so many visits of nodes
FURTHER = 3  # sizes that are tried for a draw that tells nothing of some gradient


@dataclass(frozen=True)
class Expectations:
    """A model on small axes, its derivation, and what every tensor and adjoint is on some draws."""

    derivation: Derivation
    draws: tuple[Draw, ...]
    adjust: Adjust = None
    intervals: Intervals | None = None

    def reaching(
        self,
        branches: Branches,
        reached: Callable[[Draw], frozenset[str]],
        sizes: Sequence[Mapping[str, int]],
    ) -> Expectations:
        """With further draws, on which branches come up that did not on these: on their sizes, and on these.

        They may be those of another model; `reached` gives those of a draw.
        """
        missing = branches.wanted.difference(*map(reached, self.draws))
        if not missing:
            return self
        drawing = self._drawing
        found = draws_reaching(drawing, (self.draws[0].sizes, *sizes), branches.numbers, reached, missing)
        return replace(self, draws=(*self.draws, *_adjusted(found, drawing, self.adjust)))

    def tried(self, sizes: Sequence[Mapping[str, int]], numbers: Sequence[float]) -> Iterator[Draw]:
        """Draws without adjoints of all kinds: on these sizes, and on data near these numbers."""
        found = tried_draws(self._drawing, sizes, numbers)
        moved = (_moved(each, self._drawing, self.adjust) for each in found if each is not None)
        yield from (each for each in moved if each is not None)

    def near(self, numbers: Sequence[float]) -> Iterator[tuple[float, Draw]]:
        """Draws without adjoints on data near each of these numbers."""
        for number, draw in draws_near(self._drawing, self.draws[0].sizes, numbers):
            moved = _moved(draw, self._drawing, self.adjust)
            if moved is not None:
                yield number, moved

    def completed(self, draw: Draw) -> Draw | None:
        """A draw with its adjoints; None where they are not finite."""
        return self._drawing.with_adjoints(draw)

    @classmethod
    def of(
        cls,
        model: System,
        asked: Sequence[str] = (),
        adjust: Adjust = None,
        is_small: bool = True,
        obeyed: System | None = None,
        is_in_order: bool = False,
    ) -> Expectations:
        """By default the gradient of every parameter, or of every input where there is none.

        `adjust` moves the data of a draw to where they have to be, on a target that is one-hot; large
        declared sizes are left open unless `is_small` says otherwise. Data obey the facts of `obeyed` too;
        with `is_in_order` no bounds of an interval are crossed where that can be.

        Raises UncertainError where no data are found on which the model and its gradient are finite.
        """
        system = with_small_axes(model) if is_small else model
        free = system.with_role(Role.PARAMETER) or system.with_role(Role.INPUT)
        wanted = tuple(asked) or tuple(each.name for each in free if each.values is None)
        derivation = _obeying_too(derive(system, wanted), obeyed)
        intervals = Intervals(system) if is_in_order else None
        drawing = _drawing(derivation, intervals)
        draws = tuple(_adjusted(_draws(derivation, drawing), drawing, adjust))
        if not draws:
            raise UncertainError(
                worded("no data were found on which '{name}' and its gradient are finite", name=model.name),
                remedy=worded(
                    "look for a logarithm, root or quotient that leaves its domain whatever the data"
                ),
            )
        found = cls(derivation, draws, adjust, intervals)
        # A stranger's code need not take axes of size 1.
        sizes = [each for each in found.sizes_of_conditions if min(each.values(), default=2) > 1]
        return found.reaching(found.branches, found.reached, sizes)

    @property
    def system(self) -> System:
        """The equations that are differentiated."""
        return self.derivation.system

    @property
    def loss(self) -> str:
        """The loss's name."""
        return str(self.system.loss)

    @property
    def _drawing(self) -> Drawing:
        return _drawing(self.derivation, self.intervals)

    @cached_property
    def branches(self) -> Branches:
        """The branches of the equations."""
        return Branches(self.system)

    @cached_property
    def unreached(self) -> tuple[str, ...]:
        """The branches that no draw reaches."""
        return tuple(sorted(self.branches.wanted.difference(*map(self.reached, self.draws))))

    @property
    def sizes_of_conditions(self) -> list[Mapping[str, int]]:
        """Sizes on which conditions on sizes take both values."""
        return sizes_of_conditions(self.system)

    def reached(self, draw: Draw) -> frozenset[str]:
        """The branches of the equations that a draw reaches."""
        return self.branches.reached(draw.known, draw.sizes)

    @cached_property
    def adjoints(self) -> Mapping[str, AdjointDerivation]:
        """Each tensor's name to the derivation of its adjoint."""
        return {each.tensor: each for each in self.derivation.adjoints}

    def with_definitions(self, formula: str, names: Collection[str], known: Collection[str] = ()) -> str:
        """A formula that reads these names, with the adjoints among them, where that is not too long."""
        read = self.definitions_of(names, known)
        is_told = read and len(read) <= LONGEST_SAID
        return worded("{formula}, where {names}", formula=formula, names=read) if is_told else formula

    def definitions_of(self, names: Collection[str], known: Collection[str]) -> str:
        """The equations of the adjoints among these names, and of those they read, but for known ones."""
        read, found = {*names}, []
        for each in reversed(self.derivation.adjoints):
            if each.equation.tensor in read.difference(known):
                read |= each.equation.expression.tensors
                found.append(equation_text(each.equation))
        return ", ".join(reversed(found))

    @cached_property
    def with_adjoints(self) -> System:
        """The model's equations with those of all adjoints behind them, kept by the derivation or not."""
        system = self.system
        added = {
            each.equation.tensor: Tensor(each.equation.tensor, each.equation.indices, Role.DERIVED)
            for each in self.derivation.adjoints
        }
        return replace(system, tensors={**added, **system.tensors}, loss=None)

    @cached_property
    def at_kinks(self) -> tuple[Draw, ...]:
        """Draws on which the choice at a kink shows in what was asked for."""
        return tuple(draws_at_kinks(self._drawing, frozenset(self.derivation.wrt)))

    def adjoints_at(self, known: Mapping[str, Array], sizes: Mapping[str, int]) -> Mapping[str, Array]:
        """The adjoints by the chain rule, where all tensors have these values."""
        return _drawing(self.derivation).adjoints(dict(known), sizes)

    def values(self, draw: Draw) -> dict[str, Array]:
        """Every tensor and every adjoint, by its name in the derivation."""
        named = {
            each.equation.tensor: np.asarray(draw.adjoints[each.tensor]) for each in self.derivation.adjoints
        }
        return {**named, **{name: np.asarray(array) for name, array in draw.known.items()}}

    def evaluated(self, expression: Expression, indices: tuple[Index, ...], draw: Draw) -> Array:
        """A formula in names of model and derivation, over all positions of these indices."""
        with undefined_is_silent():
            return VectorisedEvaluator(self.values(draw), draw.sizes).array(expression, indices)


def sizes_of_conditions(system: System) -> list[Mapping[str, int]]:
    """Sizes on which the conditions on sizes of a system take both values."""
    return [*(each.sizes for each in rounds_of_sizes(system)[0]), *sizes_beyond(system)]


def _obeying_too(derivation: Derivation, other: System | None) -> Derivation:
    """The derivation with the facts of another model of the same data, as far as they speak of data alone."""
    system = derivation.system
    if other is None:
        return derivation
    facts = [
        each
        for each in other.facts
        if each not in system.facts and not each.tensors & other.definitions.keys()
    ]
    definite = [each for each in other.positive_definite if each.tensor not in other.definitions]
    definite = [each for each in definite if each not in system.positive_definite]
    together = replace(
        system,
        facts=(*system.facts, *facts),
        positive_definite=(*system.positive_definite, *definite),
    )
    return replace(derivation, system=together)


def _drawing(derivation: Derivation, intervals: Intervals | None = None) -> Drawing:
    rule = chain_rule_of(derivation)
    return Drawing(
        derivation.system,
        lambda known, sizes: unsimplified_adjoints(derivation, known, sizes, chain_rule=rule),
        intervals,
    )


def _adjusted(draws: Iterator[Draw], drawing: Drawing, adjust: Adjust) -> Iterator[Draw]:
    for draw in draws:
        moved = _moved(draw, drawing, adjust)
        found = moved if moved is None or adjust is None else drawing.with_adjoints(moved)
        if found is not None:
            yield found


def _moved(draw: Draw, drawing: Drawing, adjust: Adjust) -> Draw | None:
    """The draw with its data where they have to be; None where the model is not finite there."""
    if adjust is None:
        return draw
    values = adjust(dict(draw.values))
    known = evaluate_system(drawing.system, values, draw.sizes)
    return replace(draw, values=values, known=known) if all_finite(known.values()) else None


def _draws(derivation: Derivation, drawing: Drawing) -> Iterator[Draw]:
    """Different sizes, longer each time; the first on numbers on which nothing saturates.

    Still longer ones, if that helps, where a gradient is 0 or rounding decides what it is: as those of the
    z-scores and of the correlation of two samples. A handful of choices at kinks comes out right by chance.
    """
    rng = np.random.default_rng(SEED)
    system = drawing.system
    first, free = sizes_with_steps(system, model_sizes(system)), free_axes(system.axes)
    drawn: list[Mapping[str, int]] = []
    much_longer = model_sizes(system, {name: first[name] + LONGEST for name in free})
    has_choices = free and kinks_of(system) and evaluation_visits(system, much_longer) <= FEW_VISITS
    for longer in (*LONGER, LONGEST) if has_choices else LONGER:
        chosen = None
        for more in range(longer, longer + FURTHER):
            sizes = model_sizes(system, {name: first[name] + more for name in free})
            draw = None if free and sizes in drawn else drawing.draw(sizes, (GENTLE, *DOMAINS), rng)
            if draw is not None and _tells(derivation, draw):
                chosen = draw
                break
            chosen = chosen or draw
        if chosen is not None:
            drawn.append(chosen.sizes)
            yield chosen


def _tells(derivation: Derivation, draw: Draw) -> bool:
    """Whether no gradient that is asked for is 0, or what rounding makes of it."""
    return draw.told.issuperset(derivation.wrt) and is_steady(derivation, draw.values, draw.sizes)


def magnitude(draw: Draw) -> float:
    """The largest number that goes into a gradient: of the data and of the adjoints.

    What the forward pass makes is left out: the -1e9 of a mask says nothing of a gradient's rounding.
    """
    return largest_of((*draw.values.values(), *draw.adjoints.values()))
