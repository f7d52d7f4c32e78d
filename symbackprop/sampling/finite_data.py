"""Random data on which a gradient is checked: small, of different sizes, and where the model is finite."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.errors import VerificationError
from symbackprop.languages.phrases import worded

Array: TypeAlias = NDArray[Any]
Shapes: TypeAlias = Mapping[str, tuple[str, ...]]
Values: TypeAlias = dict[str, Array]

SMALLEST_SIZE = 2  # an axis of size 1 would hide a sum that was forgotten
FEW_AXES = 8  # up to here all sizes differ; beyond, those of axes that meet in a group
DRAWS_EACH = 4
FINITE = worded("the loss and its gradient are finite")
FACTS = worded("the model's facts hold")


@dataclass(frozen=True)
class Domain:
    """Where values are drawn from, and how that is said in a message."""

    name: str
    draw: Callable[[np.random.Generator, tuple[int, ...]], Array]


def _gentle(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Normal, of a size that makes a sum of n products of two such numbers of order 1, whatever n is."""
    return rng.normal(0.0, max(prod(shape), 1) ** -0.25, shape)


# No activation saturates on these, and no softmax is 0 and 1, whatever the sizes.
GENTLE = Domain("normal over the fourth root of how many there are", _gentle)
# In this order: the whole line tells most; logarithms, roots and quotients are finite on the positive half;
# arcsines and log(1 - x) between 0 and 1; the small values are for what overflows.
DOMAINS = (
    Domain("normal", lambda rng, shape: rng.normal(0.0, 1.0, shape)),
    Domain("positive, 0.5 to 1.5", lambda rng, shape: rng.uniform(0.5, 1.5, shape)),
    Domain("0.1 to 0.9", lambda rng, shape: rng.uniform(0.1, 0.9, shape)),
    Domain("normal, a hundredth in size", lambda rng, shape: rng.normal(0.0, 0.01, shape)),
)


def different_sizes(
    axes: Iterable[str], groups: Iterable[Iterable[str]], fixed: Mapping[str, int]
) -> dict[str, int]:
    """A small size for each axis, so that a wrong transposition or a sum over the wrong axis shows.

    `groups` are the axes that meet in one place (an equation, a tensor); sizes differ within each, and among
    all axes where there are few. `fixed` sizes are kept.
    """
    names = list(dict.fromkeys(axes))
    neighbours: dict[str, set[str]] = {name: set() for name in names}
    for group in [set(names)] if len(names) <= FEW_AXES else [set(group) for group in groups]:
        for name in group:
            neighbours[name] |= group - {name}
    sizes = dict(fixed)
    for name in names:
        if name not in sizes:
            taken = {sizes[other] for other in neighbours[name] if other in sizes}
            sizes[name] = next(size for size in range(SMALLEST_SIZE, len(names) + 99) if size not in taken)
    return sizes


def finite_sample(
    shapes: Shapes,
    sizes: Mapping[str, int],
    rng: np.random.Generator,
    accepts: Callable[[Values], bool | str],
    adjust: Callable[[Values], Values | None] = lambda values: values,
    integers: Mapping[str, str] = MappingProxyType({}),
    domains: Sequence[Domain] = DOMAINS,
) -> Values:
    """Random float64 arrays of these shapes that `accepts` holds finite; it may say what does not hold else.

    `integers` are the tensors that hold positions of an axis instead, each with the axis' name. `adjust`
    moves a draw to where it has to be (where facts hold) or gives None. VerificationError says which domains
    were tried, and what was most often in the way, where none will do.
    """
    causes: list[str] = []
    for domain in domains:
        for _ in range(DRAWS_EACH):
            drawn = {
                name: _draw(domain, rng, [sizes[axis] for axis in axes], sizes.get(integers.get(name, "")))
                for name, axes in shapes.items()
            }
            values = adjust(drawn)
            answer = FACTS if values is None else accepts(values)
            if values is not None and answer is True:
                return values
            causes.append(answer or FINITE if isinstance(answer, str) else FINITE)
    tried = "; ".join(domain.name for domain in domains)
    cause = max(causes, key=causes.count)
    raise VerificationError(
        worded("no data were found on which {cause} (tried values {tried})", cause=cause, tried=tried),
        remedy=(
            worded("look for a logarithm, root or quotient that leaves its domain whatever the data")
            if cause == FINITE
            else worded("look for what contradicts it whatever the data")
        ),
    )


def _draw(domain: Domain, rng: np.random.Generator, shape: Sequence[int], values: int | None) -> Array:
    """Numbers of a domain, or positions below `values`."""
    return domain.draw(rng, tuple(shape)) if values is None else rng.integers(0, values, tuple(shape))
