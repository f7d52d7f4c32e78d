"""Checks every step of a derivation: before and after must agree on random data.

A derivative that is not worked out yet has a value too: the complex step through the system (dE/dw), or
through one equation (dw/dt), of the naive evaluator.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from symbackprop.derivation.result import Derivation
from symbackprop.notation.derivatives import Derivative, PartialDerivative
from symbackprop.notation.expressions import (
    Add,
    Apply,
    Element,
    Expression,
    Index,
    Multiply,
    Power,
    Reduction,
)
from symbackprop.semantics.naive import Array, NaiveEvaluator
from symbackprop.semantics.systems import evaluate_system
from symbackprop.systems.ordering import stages_of
from symbackprop.systems.system import Role, System, Tensor

STEP = 1e-30
NUDGE = "nudge"
MOST_PLACES = 60
REMEMBERED = (Reduction, Add, Multiply, Power, Apply, Derivative, PartialDerivative)


def total_gradient(
    system: System, values: Mapping[str, Array], sizes: Mapping[str, int], tensor: str
) -> Array:
    """dE/dt for every element of t, by the complex step.

    An intermediate t is moved on its own; a member of a recurrence by a nudge that its equation adds, so that
    later steps carry it on.
    """
    assert system.loss is not None
    known = evaluate_system(system, values, sizes)
    fixed = {name: array for name, array in known.items() if name not in system.dependents((tensor,))}
    base, moved_name = np.asarray(known[tensor]), tensor
    if any(stage.recurrence and tensor in stage.recurrence.places for stage in stages_of(system.equations)):
        system, base, moved_name = with_nudge(system, tensor), np.zeros_like(base), NUDGE
    gradient = np.zeros(base.shape)
    for place in itertools.product(*(range(size) for size in base.shape)):
        moved, step = _moved(base, place)
        result = evaluate_system(system, {**fixed, moved_name: moved}, sizes, only=[system.loss])
        gradient[place] = np.imag(result[system.loss]) / step
    return gradient


def _moved(base: Array, place: tuple[int, ...]) -> tuple[Array, float]:
    """The array with an imaginary step at a place, far smaller than what stands there, and that step."""
    moved = np.asarray(base, dtype=complex).copy()
    step = STEP * (min(1.0, float(np.abs(moved[place]))) or 1.0)
    moved[place] += 1j * step
    return moved, step


def with_nudge(system: System, tensor: str) -> System:
    """The system where a tensor's equation adds a nudge to it."""
    equation = system.definitions[tensor]
    nudged = replace(equation, expression=Add((equation.expression, Element(NUDGE, equation.indices))))
    equations = tuple(nudged if each is equation else each for each in system.equations)
    declared = Tensor(NUDGE, equation.indices, Role.CONSTANT)
    return replace(system, equations=equations, tensors={**system.tensors, NUDGE: declared})


class DerivativeEvaluator(NaiveEvaluator):
    """The naive evaluator, which also knows the value of a derivative sign."""

    def __init__(self, derivation: Derivation, values: Mapping[str, Array], sizes: Mapping[str, int]) -> None:
        self.system = derivation.system
        self.gradients = {
            adjoint.tensor: total_gradient(self.system, values, sizes, adjoint.tensor)
            for adjoint in derivation.adjoints
        }
        known = evaluate_system(self.system, values, sizes)
        for adjoint in derivation.adjoints:
            known[adjoint.equation.tensor] = self.gradients[adjoint.tensor]
            known[f"delta_{adjoint.tensor}"] = self.gradients[adjoint.tensor]
        super().__init__(known, sizes)
        # Values of nodes by the places of their free indices: a step keeps most parts of the last.
        self.memo: dict[Expression, tuple[tuple[Index, ...], dict[tuple[int, ...], Any]]] = {}

    def _value(self, node: Expression, at: dict[Index, int]) -> Any:
        if not isinstance(node, REMEMBERED):
            return super()._value(node, at)
        if node not in self.memo:
            self.memo[node] = tuple(sorted(node.free_indices, key=_name)), {}
        indices, known = self.memo[node]
        place = tuple([at[index] for index in indices])
        if place not in known:
            known[place] = self._worked_out(node, at)
        return known[place]

    def _worked_out(self, node: Expression, at: dict[Index, int]) -> Any:
        if not isinstance(node, Derivative | PartialDerivative):
            return super()._value(node, at)
        place = tuple(int(super(DerivativeEvaluator, self)._value(p, at)) for p in node.denominator.positions)
        if isinstance(node, PartialDerivative):
            moved, step = _moved(self.values[node.denominator.tensor], place)
            inner = NaiveEvaluator({**self.values, node.denominator.tensor: moved}, self.sizes)
            return float(np.imag(inner.expression(node.expression, at)) / step)
        if node.total:
            if node.denominator.tensor == self.system.loss:
                return 1.0
            return self.gradients[node.denominator.tensor][place]
        return self._local(node.numerator, node.denominator.tensor, place, at)

    def _local(self, numerator: Element, tensor: str, place: tuple[int, ...], at: dict[Index, int]) -> float:
        equation = self.system.definitions[numerator.tensor]
        moved, step = _moved(self.values[tensor], place)
        positions = [super(DerivativeEvaluator, self)._value(p, at) for p in numerator.positions]
        inner = NaiveEvaluator({**self.values, tensor: moved}, self.sizes)
        where = dict(zip(equation.indices, positions, strict=True))
        return float(np.imag(inner.expression(equation.expression, where)) / step)


def _name(index: Index) -> tuple[str, str]:
    return index.axis.name, index.name


def _values_of(
    expressions: Sequence[Expression], indices: tuple[Index, ...], evaluator: NaiveEvaluator
) -> list[Array]:
    """The values at all positions of the indices or, where those are many, at some drawn at random."""
    shape = tuple(evaluator.sizes[index.axis.name] for index in indices)
    count = math.prod(shape)
    flat = range(count) if count <= MOST_PLACES else random.Random(count).sample(range(count), MOST_PLACES)
    places = [dict(zip(indices, map(int, np.unravel_index(one, shape)), strict=True)) for one in flat]
    return [np.array([evaluator.expression(each, place) for place in places]) for each in expressions]


def check_every_step(derivation: Derivation, values: Mapping[str, Array], sizes: Mapping[str, int]) -> int:
    """Assert that each step keeps the value; return how many were checked."""
    evaluator = DerivativeEvaluator(derivation, values, sizes)
    count = 0
    with np.errstate(all="ignore"):
        for adjoint in derivation.adjoints:
            for step in (*(s for factor in adjoint.factors for s in factor.steps), *adjoint.steps):
                free = step.before.free_indices | step.after.free_indices
                indices = tuple(sorted(free, key=_name))
                before, after = _values_of((step.before, step.after), indices, evaluator)
                scale = max(1.0, float(np.max(np.abs(before), initial=0.0)))
                message = f"{adjoint.tensor}: {step.rule.name} ({step.rule.statement})"
                np.testing.assert_allclose(after, before, rtol=1e-9, atol=1e-9 * scale, err_msg=message)
                count += 1
    return count
