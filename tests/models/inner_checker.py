"""Checks every step of the derivations of derivatives inside a model.

The judge is the complex step through the equations as they stood when a derivative was found, and, for what a
model states, the difference quotients of the naive evaluator.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from symbackprop.derivation.result import AdjointDerivation, Derivation, Expansion
from symbackprop.notation.arithmetic import factors_of
from symbackprop.notation.derivatives import Derivative, PartialDerivative
from symbackprop.notation.expressions import Delta, Expression, Index
from symbackprop.rewriting.rule import Step
from symbackprop.semantics.evaluation import SystemEvaluator, evaluate
from symbackprop.semantics.naive import Array, NaiveEvaluator
from symbackprop.systems.ordering import in_reading_order, loop_carried_tensors
from symbackprop.systems.system import Equation, Role, System, Tensor
from tests.models.step_checker import NUDGE, with_nudge

STEP = 1e-30


def everything(expansion: Expansion) -> System:
    """All equations that a derivative was ever taken of: those moved into others later included."""
    before = {
        restated.equation.tensor: replace(restated.equation, expression=_before_put_in(restated.steps))
        for restated in expansion.restated
    }
    equations = {equation.tensor: equation for equation in expansion.system.equations}
    equations |= {derived.equation.tensor: derived.equation for derived in expansion.derivations} | before
    added = {
        name: Tensor(name, equation.indices, Role.DERIVED)
        for name, equation in equations.items()
        if name not in expansion.system.tensors
    }
    tensors = {**expansion.system.tensors, **added}
    return replace(expansion.system, tensors=tensors, equations=in_reading_order(tuple(equations.values())))


def _before_put_in(steps: tuple[Step, ...]) -> Expression:
    return next((step.before for step in steps if step.rule.name == "put in"), steps[-1].after)


class InnerEvaluator(SystemEvaluator):
    """The naive evaluator, which also knows the value of every derivative sign of an inner derivation."""

    def __init__(self, derivation: Derivation, values: Mapping[str, Array], sizes: Mapping[str, int]) -> None:
        expansion = derivation.expansion
        whole = everything(expansion)
        known = evaluate(whole, values, sizes)
        super().__init__(known, sizes, system=expansion.stated, given=values)
        consumers = {
            factor.derivative: factor.consumer for each in expansion.derivations for factor in each.factors
        }
        self.__dict__.update(whole=whole, consumers=consumers, responses={})
        for each in expansion.derivations:
            self.__dict__["values"] = {**self.values, each.equation.tensor: self._judged(each)}

    def _judged(self, derivation: AdjointDerivation) -> Array:
        """The values that a derivative's name has to have, from the complex step where its deltas are 1."""
        indices = derivation.equation.indices
        judged = np.empty([self.sizes[index.axis.name] for index in indices])
        for place in np.ndindex(judged.shape):
            at = dict.fromkeys(derivation.total.free_indices, 0) | dict(zip(indices, place, strict=True))
            for delta in factors_of(derivation.deltas):
                if isinstance(delta, Delta):
                    tied = max(at.get(side, 0) for side in (delta.left, delta.right))  # type: ignore[call-overload]
                    at |= {delta.left: tied, delta.right: tied}  # type: ignore[dict-item]
            judged[place] = self._total(derivation.total, at)
        return judged

    def _value(self, node: Expression, at: dict[Index, int]) -> Any:
        if isinstance(node, PartialDerivative):
            place = tuple(int(self._value(position, at)) for position in node.denominator.positions)
            moved = self._moved(node.denominator.tensor, place)
            inner = NaiveEvaluator({**self.values, node.denominator.tensor: moved}, self.sizes)
            return float(np.imag(inner.expression(node.expression, at)) / STEP)
        if not isinstance(node, Derivative):
            return super()._value(node, at)
        return self._total(node, at) if node.total else self._local(node, at)

    def _total(self, node: Derivative, at: dict[Index, int]) -> float:
        """Through every equation after the denominator; other tensors keep their values.

        A member of a recurrence is moved by a nudge that its equation adds, so that later steps carry it on.
        """
        place = tuple(int(self._value(position, at)) for position in node.denominator.positions)
        key = node.numerator.tensor, node.denominator.tensor, place
        if key not in self.responses:
            tensor, system = node.denominator.tensor, self.whole
            moved, later = self._moved(tensor, place), system.dependents((tensor,))
            fixed = {name: array for name, array in self.values.items() if name not in later}
            if tensor in loop_carried_tensors(system.equations):
                moved, system = moved - self.values[tensor], with_nudge(system, tensor)
                tensor = NUDGE
            point = {**fixed, tensor: moved}
            found = evaluate(system, point, self.sizes, only=[node.numerator.tensor])
            self.responses[key] = np.imag(found[node.numerator.tensor]) / STEP
        return self.responses[key][tuple(int(self._value(p, at)) for p in node.numerator.positions)]

    def _local(self, node: Derivative, at: dict[Index, int]) -> float:
        """Through the consumer's own equation alone."""
        place = tuple(int(self._value(position, at)) for position in node.denominator.positions)
        consumer: Equation = self.consumers[node]
        tensor = node.denominator.tensor
        inner = NaiveEvaluator({**self.values, tensor: self._moved(tensor, place)}, self.sizes)
        where = {
            **at,
            **{
                index: self._value(position, at)
                for index, position in zip(consumer.indices, node.numerator.positions, strict=True)
            },
        }
        return float(np.imag(inner.expression(consumer.expression, where)) / STEP)

    def _moved(self, tensor: str, place: tuple[int, ...]) -> Array:
        moved = np.asarray(self.values[tensor], dtype=complex)
        moved[place] += 1j * STEP
        return moved


def check_inner_steps(derivation: Derivation, values: Mapping[str, Array], sizes: Mapping[str, int]) -> int:
    """Assert that each step keeps the value; return how many were checked."""
    evaluator = InnerEvaluator(derivation, values, sizes)
    steps = derivation.expansion.steps
    for step in steps:
        free = step.before.free_indices | step.after.free_indices
        indices = tuple(sorted(free, key=lambda index: (index.axis.name, index.name)))
        before = np.asarray(evaluator.array(step.before, indices), dtype=float)
        after = np.asarray(evaluator.array(step.after, indices), dtype=float)
        scale = max(1.0, float(np.max(np.abs(before), initial=0.0)))
        message = f"{step.rule.name} ({step.rule.statement})"
        np.testing.assert_allclose(after, before, rtol=1e-9, atol=1e-9 * scale, err_msg=message)
    return len(steps)
