"""Further draws, until every branch of a model is reached that data can be found for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import product

import numpy as np
from numpy.typing import NDArray

from symbackprop.errors import VerificationError
from symbackprop.sampling.drawing import Draw, Drawing
from symbackprop.sampling.finite_data import DOMAINS, GENTLE, Domain

SEED = 3
REACHES = (10.0, 100.0, 1e4)  # largest magnitudes; the smallest first, for what overflows
SMALLEST = 1e-2
MOST_TENSORS = 4  # that are drawn alone, beside gentle others
MOST_NUMBERS = 4
MIXED = 24  # draws with tensors of different domains, as of what is far below 0 times what is above
SIGNS: tuple[tuple[float, ...], ...] = ((-1.0, 1.0), (1.0,), (-1.0,))


def draws_reaching(
    drawing: Drawing,
    sizes: Sequence[Mapping[str, int]],
    numbers: Iterable[float],
    missing: Callable[[Draw], frozenset[str]],
    branches: frozenset[str],
) -> Iterator[Draw]:
    """Draws that reach some of `branches`, until none is left or nothing more is to be tried.

    `missing` gives the branches that a draw reaches.
    """
    left = set(branches)
    for draw in tried_draws(drawing, sizes, numbers):
        if not left:
            return
        reached = missing(draw) & left if draw is not None else frozenset[str]()
        complete = drawing.with_adjoints(draw) if draw is not None and reached else None
        if complete is not None:
            left -= reached
            yield complete


def draws_near(
    drawing: Drawing, sizes: Mapping[str, int], numbers: Iterable[float]
) -> Iterator[tuple[float, Draw]]:
    """Draws without adjoints on data near each of these numbers, where the model is finite there."""
    rng = np.random.default_rng(SEED)
    for number, signs in product(numbers, SIGNS):
        near = Domain(f"around {number:g}", partial(_around, number, signs))
        draw = _finite(drawing, sizes, near, rng)
        if draw is not None:
            yield number, draw


def _domains(numbers: Iterable[float]) -> Iterator[Domain]:
    """Log-uniform magnitudes, numbers around each that is compared with, and next to 0; of either sign."""
    for reach in REACHES:
        for signs in SIGNS:
            yield Domain(f"magnitudes up to {reach:g}", partial(_log_uniform, reach, signs))
    for number in list(numbers)[:MOST_NUMBERS]:
        for typical, signs in product(dict.fromkeys((number, np.sqrt(number))), SIGNS):
            yield Domain(f"around {typical:g}", partial(_around, typical, signs))
    yield Domain("next to 0", lambda rng, shape: rng.normal(0.0, 1e-6, shape))


def _log_uniform(
    reach: float, signs: tuple[float, ...], rng: np.random.Generator, shape: tuple[int, ...]
) -> NDArray[np.float64]:
    return np.asarray(rng.choice(signs, shape) * np.exp(rng.uniform(np.log(SMALLEST), np.log(reach), shape)))


def _around(
    number: float, signs: tuple[float, ...], rng: np.random.Generator, shape: tuple[int, ...]
) -> NDArray[np.float64]:
    return np.asarray(rng.choice(signs, shape) * number * rng.uniform(0.5, 1.5, shape))


def tried_draws(
    drawing: Drawing, sizes: Sequence[Mapping[str, int]], numbers: Iterable[float]
) -> Iterator[Draw | None]:
    """Draws without adjoints, None where the model is not finite; one for each plan.

    The `sizes` are tried on ordinary data, then the first of them on larger and smaller numbers and on such
    as lie near these `numbers`, with which something is compared; then one tensor at a time, at last each
    from a domain of its own.
    """
    rng, domains = np.random.default_rng(SEED), tuple(_domains(numbers))
    for each in sizes:
        yield _first(_finite(drawing, each, domain, rng) for domain in (GENTLE, *DOMAINS))
    for domain in domains:
        yield _finite(drawing, sizes[0], domain, rng)
    start = _first(_finite(drawing, sizes[0], domain, rng) for domain in (GENTLE, *DOMAINS))
    free = [name for name, array in start.values.items() if array.dtype.kind == "f"] if start else []
    for name in free[:MOST_TENSORS]:
        for domain in domains:
            assert start is not None
            moved = {**start.values, name: domain.draw(rng, np.shape(start.values[name]))}
            yield drawing.finite_at(moved, start.sizes)
    for _ in range(MIXED if len(free) > 1 else 0):
        assert start is not None
        own = {name: domains[int(rng.integers(len(domains)))] for name in free}
        drawn = {name: domain.draw(rng, np.shape(start.values[name])) for name, domain in own.items()}
        yield drawing.finite_at({**start.values, **drawn}, start.sizes)


def _first(draws: Iterable[Draw | None]) -> Draw | None:
    return next((each for each in draws if each is not None), None)


def _finite(
    drawing: Drawing, sizes: Mapping[str, int], domain: Domain, rng: np.random.Generator
) -> Draw | None:
    try:
        return drawing.finite(sizes, domain, rng)
    except VerificationError:  # these sizes do not fit
        return None
