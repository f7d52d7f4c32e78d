"""Draws that lie exactly where a model bends or ties: a module is held to the documented choice there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.errors import VerificationError
from symbackprop.notation.expressions import Number
from symbackprop.numerics.differences import IMAGINARY_STEP
from symbackprop.sampling.drawing import Draw, Drawing
from symbackprop.sampling.finite_data import GENTLE, Domain
from symbackprop.sampling.kinks import EXACT_DOMAINS, EXACT_SIZES, Kink, kinks_of
from symbackprop.sampling.small_axes import evaluation_visits, model_sizes
from symbackprop.semantics.systems import evaluate_system
from symbackprop.systems.system import System

Array: TypeAlias = NDArray[Any]

SEED = 2
MOST_DRAWS, MOST_TRIES = 3, 8
KEPT = 0.6  # of the positions along an axis
LONGER_SIZES = (4, 8)
MOST_VISITS = 50_000  # nodes: half a millisecond
MOST_GROUPS = 8  # kinks are looked at one by one up to here, in groups beyond
FELT = 1e-9  # by how much the derivative along a direction changes where the convention at a kink shows


def _with_slices_of_zeros(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """0 at some positions along each axis: so are sums over the others, in whatever order."""
    drawn = GENTLE.draw(rng, shape)
    stays = np.ix_(*((rng.random(size) < KEPT).astype(np.float64) for size in shape))
    return np.asarray(reduce(np.multiply, stays, drawn))


def _in_pairs(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Whole numbers, those at the positions 0 and 1 of each axis the same, at 2 and 3, and so on: ties."""
    drawn = rng.integers(-2, 3, shape).astype(np.float64)
    return np.asarray(drawn[np.ix_(*(np.arange(size) // 2 for size in shape))])


SLICES_OF_ZEROS = Domain("normal, slices of zeros", _with_slices_of_zeros)
# Sums of few terms, which meet single numbers.
SPARSE = Domain("-1, 1 and mostly 0", lambda rng, shape: rng.choice((-1.0, 0.0, 0.0, 0.0, 1.0), shape))
IN_PAIRS = Domain("-2 to 2, in pairs", _in_pairs)


@dataclass(frozen=True)
class Convention:
    """The documented choice at some kinks of a system, and the system that chooses otherwise."""

    kinks: tuple[Kink, ...]
    otherwise: System

    @staticmethod
    def of(system: System, kinks: Iterable[Kink]) -> Convention:
        """At these kinks; one that allows no other choice stays as it is."""
        kinks, other = tuple(kinks), system
        for kink in kinks:
            other = kink.with_the_other_side(other) or other
        return Convention(kinks, other)


def draws_at_kinks(drawing: Drawing, asked: Collection[str]) -> Iterator[Draw]:
    """Draws on which the convention at kinks shows in the derivatives by the tensors asked for.

    As few as show those at all kinks, and no more than a handful of tries.
    """
    kinks = kinks_of(drawing.system)
    groups = [kinks[first::MOST_GROUPS] for first in range(min(len(kinks), MOST_GROUPS))]
    waiting = [Convention.of(drawing.system, group) for group in groups]
    sizes = _sizes(drawing.system) if kinks else {}
    rng = np.random.default_rng(SEED)
    count = tries = 0
    for domain in _domains(kinks):
        if not waiting or count == MOST_DRAWS or tries == MOST_TRIES:
            return
        try:
            found = drawing.finite(sizes, domain, rng)
        except VerificationError:
            return  # these sizes do not fit
        if found is None:
            continue
        met = [each for each in waiting if any(kink.is_met(found.known, sizes) for kink in each.kinks)]
        tries += bool(met)
        shown = felt(drawing.system, met, found, asked, rng)
        draw = drawing.with_adjoints(found, is_at_kinks=True) if shown else None
        if draw is not None:
            waiting = [each for each in waiting if each not in shown]
            count += 1
            yield draw


def _domains(kinks: Sequence[Kink]) -> Iterator[Domain]:
    """The exact ones, among them the numbers that the model itself compares with."""
    sides = [side for kink in kinks for side in kink.sides or ()]
    numbers = {float(node.value) for side in sides for node in side.walk() if isinstance(node, Number)}
    own = sorted(numbers - {-1.0, 0.0, 1.0})
    if own:
        compared = Domain("the model's own", lambda rng, shape: rng.choice((*own, -1.0, 0.0, 1.0), shape))
        yield from (compared, compared)
    yield from (EXACT_DOMAINS[0], IN_PAIRS, SLICES_OF_ZEROS, SPARSE, EXACT_DOMAINS[1])
    yield from (IN_PAIRS, SLICES_OF_ZEROS, SPARSE, *EXACT_DOMAINS[2:], IN_PAIRS, SLICES_OF_ZEROS, SPARSE)


def felt(
    system: System,
    conventions: Sequence[Convention],
    at: Draw,
    asked: Collection[str],
    rng: np.random.Generator,
) -> list[Convention]:
    """Those that another choice would show in the derivative along a random direction.

    To lie on a kink is not enough: what comes behind it may be flat there.
    """
    if not conventions:
        return []
    # Not signs: whole numbers times signs add up to 0 too often.
    directions = {name: rng.normal(size=np.shape(at.known[name])) for name in sorted(asked)}
    steps = {name: 1j * IMAGINARY_STEP * each for name, each in directions.items()}
    loss = str(system.loss)

    def derivative(of: System) -> float:
        moved = evaluate_system(of, at.values, at.sizes, added=steps, only=[loss])
        return float(np.imag(moved[loss])) / IMAGINARY_STEP

    here = derivative(system)

    def shows(convention: Convention) -> bool:
        try:
            there = derivative(convention.otherwise)
        except VerificationError:
            return True  # a count of ties is a position outside
        return abs(there - here) > FELT * (1 + abs(here))

    return [each for each in conventions if shows(each)]


def _sizes(system: System) -> dict[str, int]:
    """As long axes as cost little, for the more places there are, the sooner one lies on a kink."""
    longer = exact_sizes(system, LONGER_SIZES)
    return longer if evaluation_visits(system, longer) <= MOST_VISITS else exact_sizes(system)


def exact_sizes(system: System, by_turns: Sequence[int] = EXACT_SIZES) -> dict[str, int]:
    """Sizes over which a mean is exact, by turns; declared ones stay."""
    wanted = {axis.name: by_turns[place % len(by_turns)] for place, axis in enumerate(system.axes)}
    return model_sizes(system, wanted)
