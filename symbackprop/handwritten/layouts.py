"""Layouts that a stranger's code may want: matrices transposed, batch last, vectors as columns, labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.handwritten.naming import adjoint_of
from symbackprop.notation.arithmetic import is_sum
from symbackprop.notation.expressions import ONE, Element
from symbackprop.sampling.drawing import Draw
from symbackprop.systems.system import Role, System

Array: TypeAlias = NDArray[Any]

MOST_ALONE = 6  # matrices that are tried transposed one by one
_OF = adjoint_of("")


@dataclass(frozen=True)
class Layout:
    """How arrays lie: the order of axes of some tensors, vectors as columns, one-hot targets as labels.

    `name` says it to a reader; "" for the model's own layout.
    """

    name: str = ""
    orders: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    columns: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()

    def array(self, name: str, array: Array) -> Array:
        """A tensor, or an adjoint, as the code wants it."""
        tensor = name.removeprefix(_OF)
        if tensor in self.labels and tensor == name:
            return np.asarray(np.argmax(array, axis=-1))
        if tensor in self.orders:
            array = np.transpose(array, self.orders[tensor])
        return np.array(array.reshape(-1, 1) if tensor in self.columns else array, order="C")

    def data(self, draw: Draw) -> dict[str, Array]:
        """All tensors, and all adjoints, of a draw."""
        named = {name: np.asarray(array) for name, array in draw.known.items()}
        named |= {adjoint_of(name): np.asarray(array) for name, array in draw.adjoints.items()}
        return {name: self.array(name, array) for name, array in named.items()}


def layouts(system: System) -> Iterator[Layout]:
    """The model's own first, then those that are common, then matrices transposed one by one."""
    plain = list(_of_arrays(system))
    yield from plain
    labels = one_hot_targets(system)
    if labels:
        for each in plain[:4]:
            name = ", ".join(filter(None, [each.name, f"{', '.join(sorted(labels))} as labels"]))
            yield Layout(name, each.orders, each.columns, labels)


def _of_arrays(system: System) -> Iterator[Layout]:
    matrices = [each.name for each in system.with_role(Role.PARAMETER) if len(each.indices) == 2]
    vectors = frozenset(each.name for each in system.with_role(Role.PARAMETER) if len(each.indices) == 1)
    turned = dict.fromkeys(matrices, (1, 0))
    last = _batch_last(system)
    yield Layout()
    if not last and vectors:
        data = [each.name for each in system.tensors.values() if len(each.indices) == 1]
        yield Layout("vectors as columns", columns=frozenset(data))
    if turned:
        yield Layout(f"{', '.join(matrices)} transposed", turned)
    if last:
        yield Layout("batch last", last, vectors)
        yield Layout(f"batch last, {', '.join(matrices)} transposed", {**last, **turned}, vectors)
    if 1 < len(matrices) <= MOST_ALONE:
        for name in matrices:
            yield Layout(f"{name} transposed", {name: (1, 0)})


def _batch_last(system: System) -> dict[str, tuple[int, ...]]:
    """The first axis of the data, which no parameter has, moved behind the others."""
    of_parameters = {i.axis for each in system.with_role(Role.PARAMETER) for i in each.indices}
    firsts = [each.indices[0].axis for each in system.with_role(Role.INPUT) if len(each.indices) > 1]
    batch = next((axis for axis in firsts if axis not in of_parameters), None)
    return {
        name: (*range(1, len(tensor.indices)), 0)
        for name, tensor in system.tensors.items()
        if len(tensor.indices) > 1 and tensor.indices[0].axis == batch
    }


def one_hot_targets(system: System) -> frozenset[str]:
    """The real targets whose last index sums to 1 by a fact: distributions, which a label may stand for."""
    found = set()
    for fact in system.facts:
        if fact.right == ONE and is_sum(fact.left) and isinstance(fact.left.body, Element):
            tensor = system.tensors[fact.left.body.tensor]
            last = tensor.indices[-1:]
            axes = tuple([index.axis for index in fact.left.indices])
            if tensor.role is Role.TARGET and axes == tuple([index.axis for index in last]):
                found.add(tensor.name)
    return frozenset(found)


def with_one_hot(values: Mapping[str, Array], names: frozenset[str]) -> dict[str, Array]:
    """Data with these tensors 1 at their largest entry and 0 elsewhere."""
    return {
        name: np.eye(array.shape[-1])[np.argmax(array, axis=-1)] if name in names else array
        for name, array in values.items()
    }
