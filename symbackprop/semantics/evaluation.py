"""What a system means: each tensor by its equation, by the naive evaluator alone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import mpmath
import numpy as np

from symbackprop.errors import NotationError, SymbackpropError, VerificationError
from symbackprop.integers.solving import worked_out
from symbackprop.languages.phrases import worded
from symbackprop.notation.derivatives import InnerDerivative
from symbackprop.notation.expressions import Expression
from symbackprop.semantics.naive import Array, NaiveEvaluator, Positions
from symbackprop.semantics.number_systems import FLOATS, PRECISE, Arithmetic
from symbackprop.systems.dependence import is_stop
from symbackprop.systems.ordering import stages_of
from symbackprop.systems.recurrences import Recurrence, computations, selection
from symbackprop.systems.system import Equation, System


@dataclass(frozen=True)
class SystemEvaluator(NaiveEvaluator):
    """Knows the system too, and with it what diff(y[n], x[n,i]) is: a central difference, with many digits.

    `given` are the arrays that no equation computes here. It takes the limit that defines a derivative, with
    100 digits and a step of 1e-20, and knows no rule of differentiation. At a kink it is none of the slopes.
    """

    system: System | None = None
    given: Mapping[str, Array] = field(default_factory=dict)

    def _value(self, node: Expression, at: Positions) -> Any:
        if not isinstance(node, InnerDerivative):
            return super()._value(node, at)
        assert self.system is not None
        with mpmath.workdps(QUOTIENT_DIGITS):
            evaluator = _ElementEvaluator(self.given, self.sizes, PRECISE, self.system)
            try:
                quotient = evaluator.expression(node, at)
            except (ZeroDivisionError, ValueError):
                return math.nan
        if self.arithmetic is PRECISE:
            return quotient
        return complex(quotient) if isinstance(quotient, mpmath.mpc) else float(quotient)


QUOTIENT_DIGITS = 100
QUOTIENT_STEP = "1e-20"


@dataclass(frozen=True)
class _ElementEvaluator(NaiveEvaluator):
    """Computes element by element what is read, where the elements in `moved` have other values."""

    system: System | None = None
    moved: Mapping[tuple[str, tuple[int, ...]], Any] = field(default_factory=dict)
    found: dict[tuple[str, tuple[int, ...]], Any] = field(default_factory=dict)

    def _value(self, node: Expression, at: Positions) -> Any:
        if is_stop(node) and self.moved:
            return replace(self, moved={}, found={})._value(node.arguments[0], at)
        return self._quotient(node, at) if isinstance(node, InnerDerivative) else super()._value(node, at)

    def _quotient(self, node: InnerDerivative, at: Positions) -> Any:
        """(y(x + h) - y(x - h))/(2*h), where nothing else moves but what follows from x."""
        below = node.denominator
        place = (below.tensor, tuple([self._value(position, at) for position in below.positions]))
        centre, step = self._value(below, at), mpmath.mpf(QUOTIENT_STEP)
        ahead, behind = (
            replace(self, moved={**self.moved, place: centre + change}, found={})._value(node.numerator, at)
            for change in (step, -step)
        )
        return (ahead - behind) / (2 * step)

    def _element(self, tensor: str, positions: list[Any]) -> Any:
        place = (tensor, tuple(positions))
        if place in self.moved:
            return self.moved[place]
        if tensor in self.values:
            return mpmath.mpmathify(super()._element(tensor, positions))
        assert self.system is not None
        if place not in self.found:
            equation = self.system.definitions[tensor]
            at = dict(zip(equation.indices, positions, strict=True))
            self.found[place] = self._value(equation.expression, at)
        return self.found[place]


def sizes_from_arrays(system: System, values: Mapping[str, Array]) -> dict[str, int]:
    """Axis name to size, read from the arrays, or by a relation; VerificationError where two disagree."""
    sizes = {axis.name: axis.size for axis in system.axes if axis.size is not None}
    for name, array in values.items():
        tensor = system.tensor(name)
        if array.ndim != len(tensor.indices):
            raise VerificationError(
                worded(
                    "'{name}' has {ndim} axes, the model gives it {indices}",
                    name=name,
                    ndim=array.ndim,
                    indices=len(tensor.indices),
                )
            )
        for index, size in zip(tensor.indices, array.shape, strict=True):
            if sizes.setdefault(index.axis.name, size) != size:
                known = sizes[index.axis.name]
                raise VerificationError(
                    worded(
                        "axis {axis} of '{name}' has {size} values, elsewhere {known}",
                        axis=index.axis.name,
                        name=name,
                        size=size,
                        known=known,
                    )
                )
    try:
        return worked_out(system.relations, sizes)
    except NotationError as error:
        raise VerificationError(error.cause) from error


def evaluate(
    system: System,
    values: Mapping[str, Array],
    sizes: Mapping[str, int] | None = None,
    arithmetic: Arithmetic = FLOATS,
    only: Iterable[str] | None = None,
) -> dict[str, Array]:
    """All tensors of a system: the given ones and every derived one, by its equation as it stands.

    `values` maps the name of each declared tensor to an array in its declared layout. With `only`, just
    these tensors and what they need are computed.
    """
    wanted = system.definitions.keys() if only is None else system.precedents(only)
    sizes = sizes_from_arrays(system, values) if sizes is None else sizes
    known: dict[str, Array] = dict(values)
    with np.errstate(all="ignore"):
        for stage in stages_of(system.equations):
            missing = [each for each in stage.equations if each.tensor in wanted and each.tensor not in known]
            evaluator = SystemEvaluator(known, sizes, arithmetic, system, values)
            if stage.recurrence is not None and missing:
                known.update(_stepwise(missing, stage.recurrence, evaluator))
                continue
            for equation in missing:
                known[equation.tensor] = evaluator.array(equation.expression, equation.indices)
    return known


def _stepwise(
    equations: Sequence[Equation], recurrence: Recurrence, evaluator: NaiveEvaluator
) -> dict[str, Array]:
    """The tensors of a recurrence, step by step; what is not computed yet is nan."""
    arrays: dict[str, Array] = {}
    for equation in equations:
        shape = [evaluator.sizes[index.axis.name] for index in equation.indices]
        arrays[equation.tensor] = np.full(shape, math.nan, dtype=object)
    stepping = replace(evaluator, values={**evaluator.values, **arrays})
    for equation, at in computations(recurrence, evaluator.sizes):
        if equation.tensor in arrays:
            others = tuple(each for each in equation.indices if each not in at)
            values = stepping.array(equation.expression, others, at)
            arrays[equation.tensor][selection(equation, at)] = values[()]
    exact = evaluator.arithmetic is PRECISE
    return {
        name: array if exact else np.array(array.tolist()).reshape(array.shape)
        for name, array in arrays.items()
    }


def read_outside(tensor: str, array: Array) -> VerificationError:
    """The error where a tensor is read at a place that its array does not have."""
    shape = str(array.shape)
    return VerificationError(
        worded("'{tensor}' is read outside its axes of {shape}", tensor=tensor, shape=shape)
    )


def constant_value(constant: Expression) -> float | None:
    """A formula without tensors and indices in float64, infinite or nan where it is undefined.

    None for what has no value.
    """
    try:
        with np.errstate(all="ignore"):
            return float(NaiveEvaluator({}, {}).expression(constant))
    except (SymbackpropError, ArithmeticError, TypeError, ValueError):
        return None
