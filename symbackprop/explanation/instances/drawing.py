"""Numbers for a tiny instance: handy ones, on which a slip of the pen would be seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.errors import NotationError, VerificationError
from symbackprop.explanation.instances.digits import NOTHING, decimals_of
from symbackprop.explanation.instances.sizes import MOST_AXES_SHOWN, MOST_SHOWN, tiny_sizes
from symbackprop.notation.expressions import Add, Apply, Element, Expression, Number, Power
from symbackprop.sampling.drawing import Draw, Drawing
from symbackprop.sampling.finite_data import DOMAINS, Domain, Values
from symbackprop.sampling.small_axes import evaluation_visits
from symbackprop.systems.system import Role, System

Array: TypeAlias = NDArray[Any]
Computed: TypeAlias = Callable[[Draw], Mapping[str, Array]]

SEED, SEEDS_TRIED = 7, 8
MOST_VISITS = 1_000_000  # nodes that are evaluated for one instance
SMALL, LARGE = -1.5, 1.5  # decades of numbers that need no more digits than a slide has place for
OFFSET = 0.01


def _each_once(numbers: Iterable[float]) -> Callable[[np.random.Generator, tuple[int, ...]], Array]:
    """Draws these numbers as cards are dealt: none again before all have come."""
    pack = np.array(list(numbers))

    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        count = int(np.prod(shape))
        dealt = [rng.permutation(pack) for _ in range(0, max(count, 1), len(pack))]
        return np.concatenate(dealt)[:count].reshape(shape)

    return draw


# Numbers that a person multiplies on a blackboard.
_SHOWN = (
    Domain("halves from -2 to 2 but 0", _each_once([-2, -1.5, -1, -0.5, 0.5, 1, 1.5, 2])),
    Domain("tenths from -1 to 1 but 0", _each_once(np.setdiff1d(np.arange(-10, 11), 0) / 10)),
    Domain("halves from 0.5 to 4", _each_once(np.arange(1, 9) / 2)),
    Domain("tenths between 0 and 1", _each_once(np.arange(1, 10) / 10)),
)


def tiny_draw(system: System, computed: Computed) -> Draw | None:
    """Of a few draws on which the model is finite the one that shows most; any other where none is handy."""
    drawing = Drawing(system, adjoints=lambda values, sizes: {})
    drawable = [sizes for sizes in tiny_sizes(system) if evaluation_visits(system, sizes) <= MOST_VISITS]
    for sizes in drawable:
        best: tuple[float, Draw] | None = None
        for place, domain in enumerate(_SHOWN):
            for found in _finite(drawing, sizes, domain):
                price = place + _price({**found.known, **computed(found)})
                if best is None or price < best[0]:
                    best = price, found
        if best is not None:
            return best[1]
    others = (
        found for sizes, domain in product(drawable, DOMAINS) for found in _finite(drawing, sizes, domain)
    )
    return next(others, None)


def _finite(drawing: Drawing, sizes: Mapping[str, int], domain: Domain) -> Iterator[Draw]:
    offsets = _offsets(drawing.system)
    for seed in range(SEEDS_TRIED):
        try:
            values = _values(drawing, sizes, domain, seed) | {name: np.array(OFFSET) for name in offsets}
            found = drawing.finite_at(values, sizes)
        except (VerificationError, NotationError):
            continue
        if found is not None:
            yield found


def _values(drawing: Drawing, sizes: Mapping[str, int], domain: Domain, seed: int) -> Values:
    return drawing.values(sizes, domain, np.random.default_rng(SEED + seed))


def _price(arrays: Mapping[str, Array]) -> float:
    """How much is hidden: rows or columns that are alike, numbers that need many digits, gradients of 0."""
    small = [array for array in map(np.asarray, arrays.values()) if is_small(array) and array.size]
    shown = [array for array in small if array.dtype.kind == "f"]
    alike = sum(array.dtype.kind == "i" and array.size > 1 == len(np.unique(array)) for array in small)
    lost = sum(not np.any(np.abs(each) > NOTHING) for each in shown)
    return 10.0 * (lost + alike + sum(map(_twins, shown))) + sum(map(_odd, shown))


def _odd(array: Array) -> float:
    """By how many decades numbers are too small or too large, squared."""
    decades = np.log10(np.abs(array[np.abs(array) > NOTHING]))
    return float(np.sum(np.maximum(0.0, np.maximum(SMALL - decades, decades - LARGE)) ** 2))


def _twins(array: Array) -> int:
    """How many rows or columns look like another but for signs: what mixes the two up would not be seen."""
    seen = np.abs(np.round(array, decimals_of(array)))
    slices = [np.moveaxis(seen, axis, 0) for axis in range(seen.ndim) if seen.size > seen.shape[axis]]
    return sum(len(each) - len(np.unique(each.reshape(len(each), -1), axis=0)) for each in slices)


def is_small(array: Array) -> bool:
    """Whether all numbers of an array may be shown: three axes at most, and few numbers."""
    return array.ndim <= MOST_AXES_SHOWN and array.size <= MOST_SHOWN


def _offsets(system: System) -> set[str]:
    """Constants that do nothing but keep a quotient, a root or a logarithm finite: small beside the rest."""
    scalars = {each.name for each in system.with_role(Role.CONSTANT) if not each.indices}
    nodes = [node for equation in system.equations for node in equation.expression.walk()]
    reads = [node.tensor for node in nodes if isinstance(node, Element) and node.tensor in scalars]
    added = [name for node in nodes for name in _added(node) if name in scalars]
    return {name for name in scalars if reads.count(name) == added.count(name) > 0}


def _added(node: Expression) -> Iterator[str]:
    """The elements that are terms of a sum of which this is a root, a logarithm or the inverse."""
    match node:
        case Power(Add() as inside, Number(exponent)) if exponent < 0 or exponent.denominator > 1:
            pass
        case Apply("log", (Add() as inside,)):
            pass
        case _:
            return
    yield from (term.tensor for term in inside.terms if isinstance(term, Element))
