"""Data on which one form of a gradient loses the digits that another keeps.

Each is a change of an ordinary draw: not centred, far from 1 in size, both at once, far below 0, close
together, or so large that exponentials reach the ends of a precision; or one tensor alone is far from 0. Or
numbers coincide.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import chain
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.languages.phrases import worded
from symbackprop.notation.arithmetic import coefficient_and_rest
from symbackprop.notation.expressions import Add, Element
from symbackprop.sampling.finite_data import Values
from symbackprop.sampling.obeying_facts import obeying_facts
from symbackprop.systems.system import DATA_ROLES, DECLARED_ROLES, Role, System

Array: TypeAlias = NDArray[Any]


@dataclass(frozen=True)
class Stress:
    """A change of every real number of a draw; with `data_alone`, parameters stay; or of one tensor alone.

    `reach` bounds the exponents that exponentials of such numbers are meant to reach.
    """

    name: str
    move: Callable[[Array], Array]
    data_alone: bool = False
    reach: float = 0.0
    tensor: str | None = None


def shifted(offset: float, data_alone: bool = False) -> Stress:
    """The same offset for every number."""
    size = _short(offset)
    name = worded("data + {offset}", offset=size) if data_alone else worded("all + {offset}", offset=size)
    return Stress(name, lambda array: array + offset, data_alone)


def shifted_alone(tensor: str, offset: float = 1e4) -> Stress:
    """The same offset for every number of one tensor."""
    name = worded("{tensor} + {offset} alone", tensor=tensor, offset=_short(offset))
    return Stress(name, lambda array: array + offset, tensor=tensor)


def _short(offset: float) -> str:
    return f"{offset:.0e}".replace("e+0", "e")


def scaled(factor: float) -> Stress:
    """Every number times a factor."""
    return Stress(worded("all x{factor}", factor=f"{factor:g}"), lambda array: factor * array)


def scaled_and_shifted(factor: float, offset: float) -> Stress:
    """Numbers times a factor and far from 0: a softmax of them is saturated, and what it chooses is large."""
    name = worded("all x{factor} + {offset}", factor=f"{factor:g}", offset=_short(offset))
    return Stress(name, lambda array: factor * array + offset)


def tails(reach: float) -> Stress:
    """Numbers between -reach and reach, many of them near the ends."""
    return Stress(
        worded("tails to {reach}", reach=f"{reach:g}"), lambda array: reach * np.tanh(array), reach=reach
    )


PLAIN = Stress(worded("plain"), lambda array: array)
LARGE_NEGATIVES = Stress(worded("large negatives"), lambda array: -30.0 - 10.0 * np.abs(array))
NEARLY_EQUAL = Stress(worded("near-equal"), lambda array: 0.5 + 1e-4 * array)


def _near_identity(array: Array) -> Array:
    """1 where the last two positions agree, and small elsewhere; a vector near 1."""
    diagonal = np.eye(*array.shape[-2:]) if array.ndim > 1 else 1.0
    return diagonal + 1e-4 * array


# What a mask leaves out is most of everything, as near the end of a training for decorrelation.
NEAR_IDENTITY = Stress(worded("near-identity"), _near_identity)


def _whole(array: Array) -> Array:
    """The next whole number away from 0: what is positive stays so."""
    return np.copysign(np.ceil(np.abs(array)), array)


def _in_pairs(array: Array) -> Array:
    """The same at the positions 0 and 1 of each axis, at 2 and 3, and so on."""
    return array[np.ix_(*(np.arange(size) // 2 for size in array.shape))]


def _with_zeros(array: Array) -> Array:
    """0 at the first position of each axis that has others; a number stays."""
    kept = [np.minimum(np.arange(size) + (size == 1), 1) for size in array.shape]
    return np.asarray(reduce(np.multiply, np.ix_(*kept), array))


# Where data coincide: ties, points that are the same, zeros.
COINCIDENCES = (
    Stress(worded("whole numbers"), _whole),
    Stress(worded("in pairs"), _in_pairs),
    Stress(worded("with zeros"), _with_zeros),
)
STRESSES = (
    PLAIN,
    scaled(8.0),
    scaled(100.0),
    shifted(1e2),
    shifted(1e4),
    shifted(1e6),
    shifted(1e4, data_alone=True),
    scaled_and_shifted(100.0, 1e4),
    LARGE_NEGATIVES,
    NEARLY_EQUAL,
    NEAR_IDENTITY,
)


def stressed(
    system: System, values: Mapping[str, Array], sizes: Mapping[str, int], stress: Stress
) -> Values | None:
    """The draw as the stress changes it, made to obey the facts; None where that does not succeed.

    Where the facts cannot be made to hold, the tensors that they speak of stay as they were drawn; nothing is
    left then of the change of one of these alone.
    """
    for still in (frozenset[str](), _bound(system)):
        if stress.tensor in still:
            return None
        moved = _moved(system, values, stress, still)
        obeying = obeying_facts(system, moved, sizes) if not still else moved
        if obeying is not None:
            return obeying
    return None


def _moved(system: System, values: Mapping[str, Array], stress: Stress, still: Collection[str]) -> Values:
    is_data_alone = stress.data_alone and system.with_role(Role.PARAMETER)
    free = system.with_role(*(DATA_ROLES if is_data_alone else DECLARED_ROLES))
    moving = {
        tensor.name
        for tensor in free
        if tensor.values is None and (stress.tensor is None or tensor.name == stress.tensor)
    } - set(still)
    return {name: stress.move(array) if name in moving else array for name, array in values.items()}


def _bound(system: System) -> frozenset[str]:
    """The declared tensors behind facts."""
    definite = (fact.tensor for fact in system.positive_definite)
    return system.precedents((*system.read_by_facts, *definite)) - system.definitions.keys()


def suspects(system: System) -> tuple[str, ...]:
    """The declared tensors of real numbers, first those that an equation adds to something else, by itself.

    h - b is no f, where h = f + b and b is large.
    """
    added: set[str] = set()
    for node in chain.from_iterable(equation.expression.walk() for equation in system.equations):
        if isinstance(node, Add):
            bare = (coefficient_and_rest(term)[1] for term in node.terms)
            added.update(each[0].tensor for each in bare if len(each) == 1 and isinstance(each[0], Element))
    declared = [
        tensor.name for tensor in system.with_role(*DATA_ROLES, Role.PARAMETER) if tensor.values is None
    ]
    return tuple(sorted(declared, key=lambda name: name not in added))
