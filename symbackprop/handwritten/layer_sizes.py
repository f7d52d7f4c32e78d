"""The sizes of layers that a constructor's parameters are likely to mean."""

from __future__ import annotations

import re

from symbackprop.handwritten.naming import Naming
from symbackprop.handwritten.plans import Argument, SizeOf, Sizes
from symbackprop.systems.system import DECLARED_ROLES, Role

LISTS = re.compile(r"sizes|layers|layer_?(sizes|dims)|dims|topology|architecture|structure|shape")


def size_called(name: str, naming: Naming) -> SizeOf | None:
    """The size of the model's axis of this name, N of `index n : N`, as the first tensor has it."""
    system = naming.system
    tensors = sorted(system.tensors.values(), key=lambda each: each.role not in DECLARED_ROLES)
    places = (
        (each.name, place)
        for each in tensors
        for place, index in enumerate(each.indices)
        if index.axis.name == name
    )
    return next((SizeOf(tensor, place) for tensor, place in places), None)


def size_meant(name: str, naming: Naming) -> Argument:
    """The size of the input, of a hidden layer or of the output, or the list of all."""
    if LISTS.fullmatch(name.lower()):
        return _all_sizes(naming)
    system = naming.system
    data = system.with_role(Role.INPUT)
    first = data[0] if data else next(iter(system.tensors.values()))
    last = system.tensors[naming.output]
    word = name.lower()
    if "out" in word or "class" in word:
        return SizeOf(last.name, -1)
    if "hid" in word:
        ends = {first.indices[-1].axis, last.indices[-1].axis}
        for tensor in system.with_role(Role.PARAMETER):
            for place, index in enumerate(tensor.indices):
                if index.axis not in ends:
                    return SizeOf(tensor.name, place)
    return SizeOf(first.name, -1)


def _all_sizes(naming: Naming) -> Sizes:
    """The sizes of a chain of layers, from the input by one matrix after another."""
    system = naming.system
    data = system.with_role(Role.INPUT)
    first = data[0] if data else next(iter(system.tensors.values()))
    axis, found = first.indices[-1].axis, [SizeOf(first.name, -1)]
    for tensor in system.with_role(Role.PARAMETER):
        axes = [index.axis for index in tensor.indices]
        if len(axes) == 2 and axis in axes:
            place = 1 - axes.index(axis)
            axis = axes[place]
            found.append(SizeOf(tensor.name, place))
    return Sizes(tuple(found))
