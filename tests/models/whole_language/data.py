"""The data that a model's comments state: `# data A=2 B=3 seed=4 kind=ties`, `# wrt p1,v2`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from symbackprop.errors import SymbackpropError, VerificationError
from symbackprop.notation.matrix_functions import MatrixFunction
from symbackprop.sampling.obeying_facts import obeying_facts
from symbackprop.semantics.evaluation import evaluate
from symbackprop.semantics.naive import Array
from symbackprop.semantics.number_systems import FLOATS
from symbackprop.systems.system import Role, System

Drawing: TypeAlias = Callable[[list[int]], Array]
TIES = (-1.0, -0.5, 0.0, 0.0, 0.5, 1.0, 1.0, 2.0)
LARGEST = 1e6
WORST = 1e8  # condition number


class NoValue(ArithmeticError):
    """Somewhere in an equation stands what is not finite, or has no finite derivative."""


def _finite(value: Any) -> Any:
    if not abs(value) < LARGEST:
        raise NoValue
    return value


def _power(base: Any, exponent: Any) -> Any:
    if base == 0 and exponent < 1 and exponent != 0:
        raise NoValue
    return _finite(FLOATS.power(base, exponent))


WATCHED = replace(FLOATS, apply=lambda *call: _finite(FLOATS.apply(*call)), power=_power)


@dataclass(frozen=True)
class Draw:
    """Sizes of the axes by name, the seed, and the kind of numbers: "normal", or "ties" among few values."""

    sizes: Mapping[str, int]
    seed: int
    kind: str


def draws_of(text: str) -> list[Draw]:
    """The draws that the text states."""
    draws = []
    for line in re.findall(r"^# data (.*)$", text, re.MULTILINE):
        parts = dict(part.split("=") for part in line.split())
        seed, kind = int(parts.pop("seed")), parts.pop("kind")
        draws.append(Draw({axis: int(size) for axis, size in parts.items()}, seed, kind))
    return draws


def wrt_of(text: str) -> list[str] | None:
    """The tensors to differentiate by; None where it is the parameters."""
    found = re.search(r"^# wrt (.*)$", text, re.MULTILINE)
    return found.group(1).split(",") if found else None


def drawings(kind: str, rng: np.random.Generator) -> Iterator[Drawing]:
    """Ways to draw a number, the last ones in the domain of any function."""
    if kind == "ties":
        yield lambda shape: rng.choice(TIES, shape)
        yield lambda shape: rng.choice(np.abs(TIES) + 0.5, shape)
    yield rng.standard_normal
    yield lambda shape: rng.uniform(0.5, 1.5, shape)
    yield lambda shape: rng.uniform(0.1, 0.9, shape)


def values_for(system: System, draw: Draw) -> dict[str, Array] | None:
    """Data on which every tensor is finite; None where there are none.

    Raises VerificationError where the model has no value, whatever the data: it reads outside an axis.
    """
    if _no_integer_fits(system, draw):
        return None
    rng = np.random.default_rng(draw.seed)
    refusal: VerificationError | None = None
    for drawing in drawings(draw.kind, rng):
        values = {
            tensor.name: _drawn(tensor.values.name if tensor.values else None, shape, draw, drawing, rng)
            for tensor in system.tensors.values()
            if tensor.role is not Role.DERIVED
            for shape in [[draw.sizes[index.axis.name] for index in tensor.indices]]
        }
        # Facts about nothing hold; Newton's method has no column to solve by.
        empty = 0 in draw.sizes.values() and not system.positive_definite
        adjusted = values if empty else obeying_facts(system, values, draw.sizes)
        if adjusted is None:
            continue
        try:
            known = evaluate(system, adjusted, draw.sizes, WATCHED)
        except VerificationError as error:
            refusal = error
            continue
        except (ArithmeticError, SymbackpropError):
            continue
        finite = all(np.all(np.abs(array) < LARGEST) for array in known.values())
        if finite and not _nearly_singular(system, known):
            return dict(adjusted)
    if refusal is not None:
        raise refusal
    return None


def _nearly_singular(system: System, known: Mapping[str, Array]) -> bool:
    """Whether a matrix that is inverted is singular but for rounding, so that no two programs agree on it."""
    nodes = (node for equation in system.equations for node in equation.expression.walk())
    inverted = {node.tensor for node in nodes if isinstance(node, MatrixFunction) and node.kind == "inv"}
    conditions = [np.linalg.cond(known[name].astype(float)) for name in inverted if known[name].size]
    return any(np.any((each > WORST) & (each < np.inf)) for each in conditions)


def _no_integer_fits(system: System, draw: Draw) -> bool:
    """Whether an integer tensor has elements, but the axis of its values is empty."""
    return any(
        tensor.values is not None
        and draw.sizes[tensor.values.name] == 0
        and all(draw.sizes[index.axis.name] for index in tensor.indices)
        for tensor in system.tensors.values()
    )


def _drawn(
    axis: str | None, shape: list[int], draw: Draw, drawing: Drawing, rng: np.random.Generator
) -> Array:
    if axis is not None:
        return rng.integers(0, max(1, draw.sizes[axis]), shape)
    return np.asarray(drawing(shape), dtype=float)
