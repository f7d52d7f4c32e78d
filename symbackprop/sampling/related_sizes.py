"""Small sizes that obey the relations of axes: T = 2 and S = 3 where S = T + 1; H = 2, E = 3 and D = 6."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import islice, product
from math import isqrt

from symbackprop.errors import VerificationError
from symbackprop.integers.relations import size_value, sizes_in, with_formulas_of
from symbackprop.languages.phrases import worded
from symbackprop.notation.expressions import Axis
from symbackprop.systems.system import System

SMALLEST, LARGEST_TRIED = 2, 8
MOST_TRIED = 1_000  # sizes of axes that relations tie together


def free_axes(axes: Iterable[Axis]) -> list[str]:
    """The axes whose sizes may be chosen: no number and no relation gives them."""
    return [axis.name for axis in axes if axis.size is None and axis.formula is None]


def following(axes: Sequence[Axis], sizes: Mapping[str, int]) -> dict[str, int] | None:
    """The sizes, those that follow from others worked out; None where one comes to no whole number."""
    found = dict(sizes)
    for axis in axes:
        if axis.formula is not None:
            value = size_value(axis.formula, found)
            if value is None or value < 0 or value.denominator > 1 or value != (axis.size or value):
                return None
            found[axis.name] = int(value)
    return found


def related_sizes(axes: Sequence[Axis], wanted: Mapping[str, int]) -> dict[str, int]:
    """Sizes of the axes that relations speak of: the wanted ones where they may be chosen, or such near them.

    Sizes differ from one another as far as the relations allow. VerificationError where no small ones obey.
    """
    return dict(_related_sizes(tuple(axes), tuple(wanted.items())))


@lru_cache(maxsize=1_000)
def _related_sizes(axes: tuple[Axis, ...], wanted: tuple[tuple[str, int], ...]) -> dict[str, int]:
    """Asked again for every draw of data, and hundreds of sizes are tried each time."""
    found = {axis.name: axis.size for axis in axes if axis.size is not None}
    for group in _groups(axes):
        found |= _of_group(group, found, dict(wanted))
    return found


def _groups(axes: Sequence[Axis]) -> Iterator[list[Axis]]:
    """The axes that relations tie together, directly or by way of others."""
    groups: list[set[str]] = []
    for axis in axes:
        if axis.formula is not None:
            own = {axis.name, *sizes_in(axis.formula)}
            own = own.union(*(group for group in groups if group & own))
            groups = [*(group for group in groups if not group & own), own]
    yield from ([axis for axis in axes if axis.name in group] for group in groups)


def _of_group(group: list[Axis], taken: Mapping[str, int], wanted: Mapping[str, int]) -> dict[str, int]:
    names = free_axes(group)
    fixed = {axis.name: axis.size for axis in group if axis.size is not None}
    given = {name: wanted[name] for name in names if name in wanted}
    others = [size for name, size in taken.items() if name not in fixed]
    for choices in _choices(names, given, fixed.values()):
        tried = ({**fixed, **dict(zip(names, each, strict=True))} for each in product(*choices))
        found = (following(group, sizes) for sizes in islice(tried, MOST_TRIED))
        fitting = [sizes for sizes in found if sizes is not None and all(sizes.values())]
        if fitting:
            return min(fitting, key=lambda sizes: _badness(sizes, others, given))
    shown = ", ".join(axis.name for axis in group)
    raise VerificationError(
        worded(
            "no sizes up to {largest} obey the relations between {shown}",
            largest=LARGEST_TRIED,
            shown=shown,
        ),
        remedy=worded("state them so that small sizes obey them too"),
    )


def _choices(
    names: Sequence[str], given: Mapping[str, int], fixed: Iterable[int]
) -> Iterator[list[Sequence[int]]]:
    """What may be chosen for each name: the wish, then any small size, then what divides a declared one."""
    small, any_small = range(SMALLEST, LARGEST_TRIED + 1), range(1, LARGEST_TRIED + 1)
    yield [[given[name]] if name in given else small for name in names]
    yield [any_small] * len(names)
    yield [sorted({divisor for size in fixed for divisor in _divisors(size)})] * len(names)


def _divisors(number: int) -> Iterator[int]:
    for small in range(1, isqrt(number) + 1):
        if number % small == 0:
            yield from (small, number // small)


def _badness(sizes: Mapping[str, int], others: Sequence[int], given: Mapping[str, int]) -> tuple[int, ...]:
    """How far from the wish, how many sizes are 1 or equal to others, how large they are."""
    missed = sum(abs(sizes[name] - size) for name, size in given.items())
    ones = sum(size < SMALLEST for size in sizes.values())
    values = [*sizes.values(), *others]
    return missed, ones, len(values) - len(set(values)), sum(sizes.values())


def with_relations_kept(system: System, axes: Mapping[Axis, Axis]) -> dict[Axis, Axis]:
    """Other axes for those of a system, with what its relations make of all other sizes.

    NotationError where the numbers do not obey them.
    """
    if not system.relations:
        return dict(axes)
    chosen = [replace(axes.get(axis, axis), formula=None) for axis in system.axes]
    changed = with_formulas_of(system.relations, chosen)
    return {old: new for old, new in zip(system.axes, changed, strict=True) if old != new}
