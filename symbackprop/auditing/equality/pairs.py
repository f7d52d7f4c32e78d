"""Two models over the same declared tensors: values of both on the same data, with sixty digits too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeAlias

import mpmath
import numpy as np
from numpy.typing import NDArray

from symbackprop.accuracy.evaluations import DIGITS, AsTyped, Truth, largest_finite
from symbackprop.auditing.expectations import Expectations
from symbackprop.errors import NotationError
from symbackprop.handwritten.agreement import OF_ALL, OF_TENSOR
from symbackprop.languages.phrases import worded
from symbackprop.numerics.tolerance import largest_of
from symbackprop.sampling.drawing import Draw
from symbackprop.sampling.related_sizes import following
from symbackprop.sampling.small_axes import model_sizes, with_axes
from symbackprop.semantics.systems import evaluate_system
from symbackprop.systems.system import DECLARED_ROLES, System, Tensor

Array: TypeAlias = NDArray[Any]

OF_PRECISE = 1e-25  # a relative difference that sixty digits leave for rounding
MORE_DIGITS = 600.0  # with which a difference is confirmed: 1 + e^-u needs u of them


@dataclass(frozen=True)
class Pair:
    """Two models over the same declared tensors; `axes` maps the second's axes to the first's."""

    first: Expectations
    second: Expectations
    axes: Mapping[str, str]

    @classmethod
    def of(cls, first: System, second: System) -> Pair:
        """NotationError where they state other tensors, or the same over axes that do not fit."""
        axes = _axes(first, second)
        common = [each.name for each in _real(first) if second.tensors[each.name].values is None]
        states = bool(second.facts or second.positive_definite)
        obeyed = _over_axes_of(first, second, axes) if states else None
        pair = cls(Expectations.of(first, common, obeyed=obeyed), Expectations.of(second, common), axes)
        own, other = pair.first, pair.second
        own = own.reaching(own.branches, own.reached, own.sizes_of_conditions)
        renamed = [_renamed(each, axes) for each in other.sizes_of_conditions]
        sizes = [model_sizes(own.system, each) for each in renamed]
        return replace(pair, first=own.reaching(other.branches, pair.reached, sizes))

    @property
    def unreached(self) -> tuple[str, ...]:
        """The branches of either model that no draw reaches."""
        reached = [self.reached(draw) for draw in self.first.draws]
        return tuple(sorted({*self.first.unreached, *self.second.branches.wanted.difference(*reached)}))

    def reached(self, draw: Draw) -> frozenset[str]:
        """The branches of the second model that a draw of the first reaches."""
        return self.second.branches.reached(self.known(draw.values, draw), self._sizes(draw))

    def known(self, values: Mapping[str, Array], draw: Draw) -> dict[str, Array]:
        """Every tensor of the second model on the data of a draw of the first, and its adjoints."""
        given = {name: np.asarray(values[name]) for name in self.first.system.tensors if name in values}
        declared = {each.name: given[each.name] for each in _declared(self.second.system)}
        return evaluate_system(self.second.system, declared, self._sizes(draw))

    def adjoints(self, draw: Draw) -> Mapping[str, Array]:
        """The second model's adjoints on the data of a draw of the first."""
        return self.second.adjoints_at(self.known(draw.values, draw), self._sizes(draw))

    def _sizes(self, draw: Draw) -> Mapping[str, int]:
        sizes = {own: draw.sizes[other] for own, other in self.axes.items()}
        return following(self.second.system.axes, sizes) or sizes

    @cached_property
    def second_over_axes_of_first(self) -> System:
        """The second model over the first's axes."""
        return _over_axes_of(self.first.system, self.second.system, self.axes)

    @property
    def tolerance(self) -> float:
        """A relative difference of sixty digits that is none: data obey facts only as far as float64 goes."""
        systems = (self.first.system, self.second.system)
        return OF_TENSOR if any(each.facts or each.positive_definite for each in systems) else OF_PRECISE

    def precise_errors(self, values: Mapping[str, Array], draw: Draw) -> Mapping[str, float] | None:
        """How far loss and gradients are apart, beside the first's, with sixty digits; more where they are.

        None where that would take too long, or either is not finite.
        """
        found = self._errors(values, draw, 0.0)
        if found is None or max(found.values()) <= self.tolerance:
            return found
        return self._errors(values, draw, MORE_DIGITS)

    def _errors(self, values: Mapping[str, Array], draw: Draw, reach: float) -> Mapping[str, float] | None:
        declared = {each.name: values[each.name] for each in _declared(self.second.system)}
        own = self._typed[0].truth(values, draw.sizes, reach)
        other = self._typed[1].truth(declared, self._sizes(draw), reach) if own else None
        if own is None or other is None or not (_is_finite(own) and _is_finite(other)):
            return None
        names = {self.first.loss: self.second.loss, **{each: each for each in self.first.derivation.wrt}}
        with mpmath.workdps(DIGITS + int(reach)):
            largest = max(largest_finite(own.values.values()), largest_of(declared.values()))
            return {name: _apart(own.values[name], other.values[names[name]], largest) for name in names}

    @cached_property
    def _typed(self) -> tuple[AsTyped, AsTyped]:
        return AsTyped(self.first.derivation), AsTyped(self.second.derivation)


def _is_finite(truth: Truth) -> bool:
    return all(mpmath.isfinite(each) for array in truth.values.values() for each in array.ravel())


def _apart(own: Array, other: Array, largest: Any) -> float:
    """The largest difference, beside the largest own number, as `agreement.error_of` has it."""
    difference = largest_finite([np.asarray(other - own)])
    scale = largest_finite([own]) + OF_ALL / OF_TENSOR * largest
    return float(difference / scale) if difference else 0.0


def _declared(system: System) -> tuple[Tensor, ...]:
    return system.with_role(*DECLARED_ROLES)


def _real(system: System) -> list[Tensor]:
    return [each for each in _declared(system) if each.values is None]


def _axes(first: System, second: System) -> dict[str, str]:
    """The second's axes by their name to the first's, as the tensors that both state have it."""
    own, other = ({each.name: each for each in _declared(system)} for system in (first, second))
    if own.keys() != other.keys():
        odd = sorted(own.keys() ^ other.keys())
        raise NotationError(
            worded(
                "only one of {first} and {second} states {odd}",
                first=first.name,
                second=second.name,
                odd=", ".join(odd),
            ),
            remedy=worded("give both models the same inputs, targets and parameters, by the same names"),
        )
    axes: dict[str, str] = {}
    for name, tensor in other.items():
        pairs = list(zip(tensor.indices, own[name].indices, strict=False))
        fits = len(tensor.indices) == len(own[name].indices)
        if not fits or any(axes.setdefault(a.axis.name, b.axis.name) != b.axis.name for a, b in pairs):
            raise NotationError(
                worded(
                    "the axes of '{name}' in {first} and {second} do not fit",
                    name=name,
                    first=first.name,
                    second=second.name,
                ),
                remedy=worded("declare it with the same axes, in the same order"),
            )
    return axes


def _renamed(sizes: Mapping[str, int], axes: Mapping[str, str]) -> dict[str, int]:
    return {axes[name]: size for name, size in sizes.items() if name in axes}


def _over_axes_of(first: System, second: System, axes: Mapping[str, str]) -> System:
    """The second model over the first's axes."""
    named = {axis.name: axis for axis in first.axes}
    return with_axes(second, {axis: named[axes[axis.name]] for axis in second.axes if axis.name in axes})
