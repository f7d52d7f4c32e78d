"""What stop(...) holds, held: the loss as a function of data where every stopped value stays what it is.

A difference of the loss itself moves what stop(...) lets no gradient through. Each stop(...) gets an equation
of its own; its values at one point are then data at every other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.errors import VerificationError
from symbackprop.integers.guards import by_itself, guarded_children
from symbackprop.languages.phrases import worded
from symbackprop.notation.expressions import Apply, Axis, Element, Expression, Index
from symbackprop.notation.fresh_names import lengthened_name
from symbackprop.semantics.systems import evaluate_system
from symbackprop.systems.dependence import is_stop
from symbackprop.systems.ordering import in_reading_order, loop_carried_tensors
from symbackprop.systems.system import Equation, System

Array: TypeAlias = NDArray[Any]


def held_loss(
    system: System, values: Mapping[str, Array], sizes: Mapping[str, int]
) -> Callable[[Mapping[str, Array]], float] | None:
    """The loss of other data, where what is stopped is what it is on these; None where nothing is stopped.

    Raises VerificationError where a stop(...) cannot be read by itself: its own indices do not say where it
    lies inside its axes.
    """
    apart, names = with_stops_apart(system)
    if not names:
        return None
    known = evaluate_system(apart, values, sizes, only=names)
    held = {name: known[name] for name in names}
    loss = str(system.loss)

    def at(point: Mapping[str, Array]) -> float:
        return float(np.real(evaluate_system(apart, {**point, **held}, sizes, only=[loss])[loss]))

    return at


def with_stops_apart(system: System) -> tuple[System, tuple[str, ...]]:
    """The system with an equation for every stop(...), and the names of these; VerificationError as above."""
    axes = {name: [index.axis for index in tensor.indices] for name, tensor in system.tensors.items()}
    taken = {*system.tensors, *(axis.name for axis in system.axes)}
    naming = _Stops(axes, loop_carried_tensors(system.equations), taken)
    equations = [
        replace(each, expression=naming.apart(each.expression, each.indices, ())) for each in system.equations
    ]
    if not naming.found:
        return system, ()
    whole = system.with_equations(in_reading_order((*equations, *naming.found)))
    return whole, tuple([each.tensor for each in naming.found])


@dataclass
class _Stops:
    axes: Mapping[str, Sequence[Axis]]
    loop_carried: frozenset[str]
    taken: set[str]
    found: list[Equation] = field(default_factory=list)

    def apart(
        self, node: Expression, order: tuple[Index, ...], conditions: tuple[Expression, ...]
    ) -> Expression:
        """The expression with elements of new tensors for the outermost stops in it."""
        if is_stop(node):
            return self._named(node, order, conditions)
        children = tuple(
            [self.apart(child, order, inside) for child, inside in guarded_children(node, conditions)]
        )
        return node if children == node.children else node.with_children(children)

    def _named(self, node: Apply, order: tuple[Index, ...], conditions: tuple[Expression, ...]) -> Expression:
        guarded = by_itself(node, self.axes, conditions, self.loop_carried)
        if guarded is None:
            raise VerificationError(
                worded("a stop(...) is read where conditions on other indices allow it alone")
            )
        free = sorted(guarded.free_indices - {*order}, key=lambda index: index.name)
        indices = (*(index for index in order if index in guarded.free_indices), *free)
        name = lengthened_name("stopped", "_", self.taken)
        self.taken.add(name)
        self.found.append(Equation(name, indices, guarded))
        return Element(name, indices)
