"""Which elements of a tensor depend on which of others: the pattern of a Jacobian, row by row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.errors import VerificationError
from symbackprop.languages.phrases import worded
from symbackprop.notation.arithmetic import multiply
from symbackprop.notation.expressions import Element, Reduction
from symbackprop.notation.fresh_names import lengthened_name
from symbackprop.sampling.small_axes import model_sizes
from symbackprop.systems.system import Equation, Role, System, Tensor
from symbackprop.verification.checked_module import ModuleUnderCheck
from symbackprop.verification.judged_equations import Equations

Array: TypeAlias = NDArray[Any]

DRAWS = 16  # an element counts where it is not 0 on any of them: a unit that is dead on one is not on all
MOST_ROWS, MOST_ELEMENTS = 2_000, 4_000_000


@dataclass(frozen=True)
class Part:
    """A tensor of that many elements along a side of a Jacobian, with the names of its axes."""

    tensor: str
    axes: tuple[str, ...]
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """How many rows or columns it has."""
        return prod(self.shape)


@dataclass(frozen=True)
class JacobianPattern:
    """Where d(rows)/d(columns) is not 0; the tensors of the columns stand side by side."""

    rows: Part
    columns: tuple[Part, ...]
    is_nonzero: NDArray[np.bool_]


def weighted(system: System, of: str) -> tuple[System, str]:
    """A system whose loss is sum(v*t) over the tensor `of`, t, and the name of v.

    Its gradient is the Jacobian's transpose times v: with a v of one 1, a row. NotationError for no such
    tensor.
    """
    tensor = system.tensor(of)
    taken = {*system.tensors, *(axis.name for axis in system.axes)}
    weights = lengthened_name("v", "_", taken)
    loss = lengthened_name("weighted", "_", taken)
    product = multiply(Element(weights, tensor.indices), tensor.element)
    body = Reduction("sum", tensor.indices, product) if tensor.indices else product
    behind = system.precedents([of])
    kept = {name: each for name, each in system.tensors.items() if name in behind}
    tensors = {**kept, weights: Tensor(weights, tensor.indices, Role.CONSTANT)}
    equations = [each for each in system.equations if each.tensor in behind]
    facts = tuple(fact for fact in system.facts if fact.tensors <= behind)
    definite = tuple(each for each in system.positive_definite if each.tensor in behind)
    whole = replace(system, tensors=tensors, facts=facts, positive_definite=definite, loss=loss)
    return whole.with_equations([*equations, Equation(loss, (), body)]).with_used_axes(), weights


def reached_tensors(system: System, of: str) -> tuple[str, ...]:
    """The inputs and parameters of real numbers that a tensor is computed from."""
    behind = system.precedents([of]) - {of}
    declared = system.with_role(Role.INPUT, Role.PARAMETER)
    return tuple(tensor.name for tensor in declared if tensor.name in behind and tensor.values is None)


def jacobian_pattern(
    checked: ModuleUnderCheck, equations: Equations, of: str, weights: str, seed: int = 0
) -> JacobianPattern:
    """The pattern by the module of the `weighted` system's gradients, on random data.

    Raises VerificationError where it has too many rows or elements for a picture, or no data are found on
    which the model is finite.
    """
    system = equations.stated
    sizes = model_sizes(system)
    rows = _part(system, of, sizes)
    columns = tuple([_part(system, name, sizes) for name in checked.asked])
    width = sum(part.size for part in columns)
    if rows.size > MOST_ROWS or rows.size * width > MOST_ELEMENTS:
        raise VerificationError(
            worded(
                "the Jacobian has {size} rows and {width} columns, which no picture shows",
                size=f"{rows.size:,}",
                width=f"{width:,}",
            ),
            remedy=worded("give smaller sizes with --size, or fewer tensors with --wrt"),
        )
    rng = np.random.default_rng(seed)
    found = np.zeros((rows.size, width), dtype=bool)
    for _ in range(DRAWS):
        values = equations.sample(sizes, rng)
        for place, unit in enumerate(_units(rows.shape)):
            found[place] |= _row(checked, {**values, weights: unit}) != 0
    return JacobianPattern(rows, columns, found)


def _part(system: System, name: str, sizes: Mapping[str, int]) -> Part:
    indices = system.tensor(name).indices
    axes = tuple(index.axis.name for index in indices)
    return Part(name, tuple(index.name for index in indices), tuple(sizes[axis] for axis in axes))


def _units(shape: Sequence[int]) -> Iterator[Array]:
    for place in range(prod(shape)):
        unit = np.zeros(prod(shape))
        unit[place] = 1.0
        yield unit.reshape(shape)


def _row(checked: ModuleUnderCheck, values: Mapping[str, Array]) -> Array:
    gradients = checked.value_and_grad(values)[1]
    return np.concatenate([np.ravel(gradients[name]) for name in checked.asked])
