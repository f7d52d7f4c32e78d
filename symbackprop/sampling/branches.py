"""The branches of a model: which sides of its comparisons, kinks and size conditions some data reach.

What was never reached was never compared: relu and where(x > -5, relu(x), 1) agree on all normal data.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.errors import SymbackpropError
from symbackprop.integers.bounds import negated
from symbackprop.integers.guards import always_holds
from symbackprop.integers.recognition import is_integer
from symbackprop.notation.arithmetic import subtract
from symbackprop.notation.expressions import Apply, Comparison, Expression, Index, Number
from symbackprop.sampling.kinks import kinks_of
from symbackprop.sampling.rounds import conditions_on_sizes, values_taken
from symbackprop.semantics.naive import NaiveEvaluator
from symbackprop.semantics.systems import undefined_is_silent
from symbackprop.semantics.vectorised import VectorisedEvaluator
from symbackprop.systems.partial import Ranges
from symbackprop.systems.printing import text
from symbackprop.systems.system import System

Array: TypeAlias = NDArray[Any]

_HOLDS = {"<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (0, 1), "==": (0,), "!=": (-1, 1)}  # at which signs


@dataclass(frozen=True)
class Branching:
    """Where equations branch by the sign of left - right; `outcomes` name the branch of each sign."""

    left: Expression
    right: Expression
    outcomes: Mapping[int, str]

    @property
    def indices(self) -> tuple[Index, ...]:
        """The indices that both sides stand at."""
        free = self.left.free_indices | self.right.free_indices
        return tuple(sorted(free, key=lambda index: index.name))

    def reached(self, known: Mapping[str, Array], sizes: Mapping[str, int]) -> frozenset[str]:
        """The branches that come up somewhere."""
        with undefined_is_silent():
            signs = {int(each) for each in self._signs(known, sizes) if np.isfinite(each)}
        return frozenset(self.outcomes[sign] for sign in signs if sign in self.outcomes)

    def _signs(self, known: Mapping[str, Array], sizes: Mapping[str, int]) -> Iterable[float]:
        evaluator = VectorisedEvaluator(known, sizes)
        try:
            left, right = (evaluator.array(side, self.indices) for side in (self.left, self.right))
        except SymbackpropError:  # read outside an axis somewhere: another branch is taken there
            return self._signs_one_by_one(known, sizes)
        return map(float, np.unique(np.sign(left - right)))

    def _signs_one_by_one(self, known: Mapping[str, Array], sizes: Mapping[str, int]) -> Iterator[float]:
        evaluator = NaiveEvaluator(known, sizes)
        for place in np.ndindex(*(sizes[index.axis.name] for index in self.indices)):
            at = dict(zip(self.indices, place, strict=True))
            try:
                yield float(
                    np.sign(evaluator.expression(self.left, at) - evaluator.expression(self.right, at))
                )
            except SymbackpropError:
                continue


@dataclass(frozen=True)
class Branches:
    """All branches of a model, each by a sentence such as `x[n] > 6 in E`."""

    system: System

    @cached_property
    def branchings(self) -> tuple[Branching, ...]:
        """Those that values decide, without the sides that the equations exclude for all data."""
        ranges = Ranges.of(self.system)
        found = [Branching(*sides) for sides in (*self._of_kinks(), *self._of_positions())]
        return tuple(_possible(each, ranges) for each in found)

    @cached_property
    def conditions(self) -> tuple[Comparison, ...]:
        """The conditions on positions and sizes alone."""
        return tuple(conditions_on_sizes(self.system))

    @cached_property
    def wanted(self) -> frozenset[str]:
        """Every branch that some data may reach."""
        of_values = {name for each in self.branchings for name in each.outcomes.values()}
        return frozenset(of_values | {name for each in self.conditions for name in _wanted(each)})

    def reached(self, known: Mapping[str, Array], sizes: Mapping[str, int]) -> frozenset[str]:
        """The branches that data reach; `known` are the values of all tensors."""
        of_values = [each.reached(known, sizes) for each in self.branchings]
        return frozenset().union(*of_values, *(_taken(each, sizes) for each in self.conditions))

    @property
    def numbers(self) -> tuple[float, ...]:
        """The numbers that values are compared with."""
        sides = [side for each in self.branchings for side in (each.left, each.right)]
        nodes = [node for side in sides for node in side.walk()]
        return tuple(sorted({abs(float(each.value)) for each in nodes if isinstance(each, Number)} - {0.0}))

    def _of_kinks(self) -> Iterator[tuple[Expression, Expression, Mapping[int, str]]]:
        for kink in kinks_of(self.system):
            match kink.node, kink.sides:
                case Comparison() as node, (left, right):
                    yield left, right, _outcomes_of(node, kink.tensor, is_real=True)
                case Apply(), (left, right):
                    said = f"{text(left)} {{}} {text(right)} in {kink.tensor}"
                    yield left, right, {-1: said.format("<"), 1: said.format(">")}

    def _of_positions(self) -> Iterator[tuple[Expression, Expression, Mapping[int, str]]]:
        """Of comparisons of positions that data hold."""
        for equation in self.system.equations:
            for node in equation.expression.walk():
                if isinstance(node, Comparison) and node.tensors and all(map(is_integer, node.children)):
                    yield node.left, node.right, _outcomes_of(node, equation.tensor, is_real=False)


def _outcomes_of(node: Comparison, tensor: str, is_real: bool) -> dict[int, str]:
    """The branch of each sign; whether reals are equal is a matter of kinks, not of branches."""
    names = {holds: f"{text(node if holds else negated(node))} in {tensor}" for holds in (True, False)}
    outcomes = {sign: names[sign in _HOLDS[node.operator]] for sign in (-1, 0, 1)}
    is_equality = node.operator in ("==", "!=")
    return {sign: name for sign, name in outcomes.items() if sign or not (is_real and is_equality)}


def _possible(branching: Branching, ranges: Ranges) -> Branching:
    left, right = branching.left, branching.right
    never: set[int] = set()
    if ranges.is_nonnegative(subtract(left, right)):
        never.add(-1)
    if ranges.is_nonnegative(subtract(right, left)):
        never.add(1)
    possible = {sign: name for sign, name in branching.outcomes.items() if sign not in never}
    return Branching(left, right, possible)


def _wanted(condition: Comparison) -> Iterator[str]:
    """The outcomes that some sizes may give; declared sizes are what they are."""
    axes = {index.axis for index in condition.free_indices}
    if axes and all(axis.size is not None for axis in axes):
        return
    if not always_holds(condition):
        yield text(negated(condition))
    if not always_holds(negated(condition)):
        yield text(condition)


def _taken(condition: Comparison, sizes: Mapping[str, int]) -> frozenset[str]:
    taken = values_taken(condition, sizes)
    return frozenset(text(condition if holds else negated(condition)) for holds in taken)
