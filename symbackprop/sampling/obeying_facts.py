"""Data that obey a model's facts: a random draw, moved to the nearest point where they hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from symbackprop.errors import VerificationError
from symbackprop.languages.phrases import worded
from symbackprop.notation.expressions import Expression, Index
from symbackprop.numerics.differences import EPSILON, IMAGINARY_STEP, Array
from symbackprop.sampling.definite_matrices import made_positive_definite
from symbackprop.sampling.finite_data import DOMAINS, Domain, Shapes, Values, finite_sample
from symbackprop.sampling.intervals import Intervals
from symbackprop.semantics.evaluation import evaluate
from symbackprop.semantics.naive import NaiveEvaluator
from symbackprop.systems.printing import fact_text
from symbackprop.systems.system import Fact, System

ITERATIONS = 50
TOLERANCE = 1e-12


def sample_obeying_facts(
    system: System,
    shapes: Shapes,
    sizes: Mapping[str, int],
    rng: np.random.Generator,
    accepts: Callable[[Values], bool | str],
    integers: Mapping[str, str],
    domains: Sequence[Domain] = DOMAINS,
    intervals: Intervals | None = None,
) -> Values:
    """Random data that obey the facts and that `accepts` holds finite, bounds of `intervals` in order.

    Raises VerificationError where there are none; it names the fact where no draw could be made to obey it.
    """
    refused: list[Values] = []
    obeyed: list[Values] = []

    def adjust(drawn: Values) -> Values | None:
        in_order = drawn if intervals is None else intervals.in_order(drawn, sizes)
        values = obeying_facts(system, in_order, sizes)
        if values is None:
            refused.append(drawn)
        else:
            obeyed.append(values)
        return values

    try:
        return finite_sample(shapes, sizes, rng, accepts, adjust, integers, domains)
    except VerificationError:
        fact = None if obeyed else _first_not_obeyed(system, refused[0], sizes)
        if fact is None:
            raise
        raise VerificationError(
            worded("no data were found that obey the fact {fact}", fact=fact_text(fact)),
            place=fact.place,
            remedy=worded("state what holds for the data, or leave the fact out"),
        ) from None


def _first_not_obeyed(system: System, values: Values, sizes: Mapping[str, int]) -> Fact | None:
    """The first fact that cannot be obeyed together with those before it."""
    for count in range(1, len(system.facts) + 1):
        if obeying_facts(replace(system, facts=system.facts[:count]), values, sizes) is None:
            return system.facts[count - 1]
    return None


def obeying_facts(
    system: System, values: Mapping[str, Array], sizes: Mapping[str, int]
) -> dict[str, Array] | None:
    """The values, moved until every fact holds, and with orders that sort what they are to; None as below."""
    point = _where_facts_hold(system, values, sizes)
    for tensor in () if point is None else system.tensors.values():
        if point is not None and tensor.permuted and tensor.name in point:
            # The order of any numbers is one; of those that were drawn it is as random as they are.
            sorted_ones = point[tensor.sorts or tensor.name]
            point[tensor.name] = np.argsort(np.real(sorted_ones), axis=-1, kind="stable")
    return point


def _where_facts_hold(
    system: System, values: Mapping[str, Array], sizes: Mapping[str, int]
) -> dict[str, Array] | None:
    """The values, moved as little as can be until every fact holds; None where that does not succeed.

    Newton's method on left - right == 0, with the shortest step that solves the linearised facts: exact at
    once for linear facts (a sum that is 1, a symmetry). Only the declared tensors that facts read are moved.
    Declared matrices that are to be positive definite are made so first, A'A/n + I/2 of a drawn A.
    """
    point = made_positive_definite(values, [fact.tensor for fact in system.positive_definite])
    if not system.facts:
        return point
    names = _declared_tensors_behind_facts(system)
    nearest, left = point, np.inf
    for _ in range(ITERATIONS):
        residual = _residual(system, point, sizes)
        if not np.all(np.isfinite(residual)):
            return None
        before, now = left, float(np.max(np.abs(residual), initial=0.0))
        if now < before:
            nearest, left = dict(point), now
        # A gradient may be nothing but what is left of a fact: as near as rounding allows.
        if left <= EPSILON or (left <= TOLERANCE and now >= before):
            return nearest
        if not sum(point[name].size for name in names):
            return None
        jacobian = _jacobian(system, point, sizes, names)
        if not np.all(np.isfinite(jacobian)):
            return None
        change = np.linalg.lstsq(jacobian, -residual, rcond=None)[0]
        for name in names:
            size = point[name].size
            point[name] = point[name] + change[:size].reshape(point[name].shape)
            change = change[size:]
    return nearest if left <= TOLERANCE else None


def _declared_tensors_behind_facts(system: System) -> tuple[str, ...]:
    behind = system.precedents(system.read_by_facts)
    return tuple(name for name in system.tensors if name in behind and name not in system.definitions)


def _residual(system: System, values: Mapping[str, Array], sizes: Mapping[str, int]) -> Array:
    """left - right of all facts, at all positions of their free indices, in one row."""
    known = evaluate(system, values, sizes, only=system.read_by_facts)
    evaluator = NaiveEvaluator(known, sizes)
    rows = []
    for fact in system.facts:
        indices = _in_order(fact.left, fact.right)
        rows.append(np.ravel(evaluator.array(fact.left, indices) - evaluator.array(fact.right, indices)))
    return np.concatenate(rows)


def _in_order(*sides: Expression) -> tuple[Index, ...]:
    free = frozenset[Index]().union(*(side.free_indices for side in sides))
    return tuple(sorted(free, key=lambda index: (index.axis.name, index.name)))


def _jacobian(
    system: System, values: Mapping[str, Array], sizes: Mapping[str, int], names: tuple[str, ...]
) -> Array:
    """Derivative of the residual by each element of the tensors `names`, a column each, by complex steps."""
    columns = []
    for name in names:
        moved = np.array(values[name], dtype=np.complex128)
        point = {**values, name: moved}
        for place in np.ndindex(moved.shape):
            moved[place] += 1j * IMAGINARY_STEP
            columns.append(np.imag(_residual(system, point, sizes)) / IMAGINARY_STEP)
            moved[place] -= 1j * IMAGINARY_STEP
    return np.stack(columns, axis=1)
