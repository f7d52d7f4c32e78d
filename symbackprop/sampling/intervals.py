"""Data on which no interval of a model is the wrong way round: clip(x, 1 - eps, 1 + eps), abs(x) <= c.

Where lower > upper, np.clip, a minimum of a maximum and two masks each give something else, and nobody has
written their code for that: a gradient is right or wrong where the bounds are in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, product
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.errors import SymbackpropError
from symbackprop.languages.phrases import worded
from symbackprop.notation.arithmetic import add, negate, subtract, terms_of
from symbackprop.notation.expressions import ZERO, Apply, Expression
from symbackprop.sampling.finite_data import Values
from symbackprop.sampling.kinks import kinks_of
from symbackprop.semantics.systems import evaluate_system, undefined_is_silent
from symbackprop.semantics.vectorised import VectorisedEvaluator
from symbackprop.systems.partial import Ranges
from symbackprop.systems.printing import text
from symbackprop.systems.system import Role, System

Array: TypeAlias = NDArray[Any]

MOST_SIGNS = 81  # choices of signs, three for each of four tensors
AS_DRAWN, POSITIVE, NEGATIVE = 0, 1, -1


@dataclass(frozen=True)
class Interval:
    """What is to lie between a lower and an upper bound."""

    lower: Expression
    upper: Expression

    def is_crossed(self, known: Mapping[str, Array], sizes: Mapping[str, int]) -> bool:
        """Whether the lower bound is above the upper one somewhere; not where one cannot look."""
        free = self.lower.free_indices | self.upper.free_indices
        indices = tuple(sorted(free, key=lambda index: index.name))
        evaluator = VectorisedEvaluator(known, sizes)
        try:
            with undefined_is_silent():
                lower, upper = (evaluator.array(side, indices) for side in (self.lower, self.upper))
        except SymbackpropError:  # read outside an axis: another branch of a `where` is taken there
            return False
        return bool(np.any(lower > upper))

    def __str__(self) -> str:
        return f"{text(self.lower)} <= {text(self.upper)}"


@dataclass(frozen=True)
class Intervals:
    """The intervals of a model whose bounds its declared tensors may put the wrong way round."""

    system: System

    @cached_property
    def found(self) -> tuple[Interval, ...]:
        """Those of clip, and of what is at least 0 beside a constant: abs(r) <= c is -c <= r <= c."""
        ranges = Ranges.of(self.system)
        every = dict.fromkeys(_intervals(self.system, ranges))
        return tuple(each for each in every if not ranges.is_nonnegative(subtract(each.upper, each.lower)))

    @cached_property
    def bounding(self) -> tuple[str, ...]:
        """The declared tensors of real numbers behind the bounds, those that bound alone first."""
        read = [each.lower.tensors | each.upper.tensors for each in self.found]
        behind = self.system.precedents(frozenset[str]().union(*read))
        names = [name for name in behind if name not in self.system.definitions]
        real = [name for name in names if self.system.tensors[name].values is None]
        return tuple(sorted(real, key=lambda name: (len(self.system.tensors[name].indices), name)))

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is said of data on which the bounds are in order."""
        if not self.found:
            return ()
        bounds = ", ".join(map(str, self.found))
        return (
            worded("on data with {bounds}, where that can be: crossed bounds mean nothing", bounds=bounds),
        )

    def in_order(self, values: Values, sizes: Mapping[str, int]) -> Values:
        """The values, with those signs of what the bounds read with which the fewest are crossed."""
        best, least = values, len(self.found)
        signs = product((AS_DRAWN, POSITIVE, NEGATIVE), repeat=len(self.bounding))
        for each in islice(signs, MOST_SIGNS):
            if not least:
                break
            signed = _signed(values, self.bounding, each)
            crossed = self._crossed(signed, sizes)
            if crossed < least:
                best, least = signed, crossed
        return best

    def _crossed(self, values: Values, sizes: Mapping[str, int]) -> int:
        """How many bounds are the wrong way round; all of them where the model has no such values."""
        try:
            known = evaluate_system(self.system, values, sizes)
        except SymbackpropError:
            return len(self.found)
        return sum(each.is_crossed(known, sizes) for each in self.found)


def _signed(values: Values, names: Sequence[str], signs: Iterable[int]) -> Values:
    chosen = {name: sign for name, sign in zip(names, signs, strict=True) if sign != AS_DRAWN}
    return {**values, **{name: sign * np.abs(values[name]) for name, sign in chosen.items()}}


def _intervals(system: System, ranges: Ranges) -> Iterator[Interval]:
    for kink in kinks_of(system):
        match kink.node:
            case Apply("min", (Apply("max", (_, lower)), upper)):
                yield Interval(lower, upper)
            case Apply("max", (Apply("min", (_, upper)), lower)):
                yield Interval(lower, upper)
        if kink.sides is not None:
            for difference in (subtract(*kink.sides), subtract(*reversed(kink.sides))):
                yield from _of_magnitude(difference, system, ranges)


def _of_magnitude(difference: Expression, system: System, ranges: Ranges) -> Iterator[Interval]:
    """0 <= c of abs(x) - c."""
    terms = terms_of(difference)
    at_least_0 = [each for each in terms if each.tensors and ranges.is_nonnegative(each)]
    bound = negate(add(*(each for each in terms if each not in at_least_0)))
    of_bound = terms_of(bound)
    if at_least_0 and all(each.tensors for each in of_bound) and _is_constant(system, bound.tensors):
        yield Interval(ZERO, bound)


def _is_constant(system: System, names: Iterable[str]) -> bool:
    """Whether these tensors are numbers that are given, and nothing that is learnt or computed."""
    tensors = [system.tensors[name] for name in names]
    return all(
        each.role in (Role.CONSTANT, Role.INPUT) and not each.indices and each.values is None
        for each in tensors
    )
