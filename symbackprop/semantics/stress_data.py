"""Data at which equal forms differ by their rounding, for elements of any name and place.

They are what trained networks and their inputs look like, and not only N(0,1): far from 0, nearly equal,
large and negative (so that e^u is tiny), of different sizes side by side, one tensor alone far from 0, or all
but 0 beside others that are nearly equal. They are the same in every process.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache

from symbackprop.notation.expressions import Expression

# The middle and the spread of a tensor's values.
_KINDS = ((0.0, 2.0), (1.0, 0.8), (1e3, 1.0), (-30.0, 3.0), (1.0, 1e-4), (30.0, 3.0))
# All tensors alike, and then each with a kind of its own.
_ALIKE = (*_KINDS, (1e6, 1.0), (-1e3, 1.0))
POINTS = len(_ALIKE) + 40
# One tensor alone is far from 0, all others of these kinds: h - b for f, where h = f + b, loses it in b.
OFFSET = 1e4
_BESIDE = _KINDS[:2]
# One tensor alone is all but 0, all others nearly equal: x + y*(a*x - 1) for x - y + a*x*y loses x - y.
_NEARLY_EQUAL = (1.0, 1e-4)
TINY = 1e-6


@dataclass(frozen=True)
class StressData:
    """The stress data of these tensors: at the last points, each alone is far from 0, or all but 0."""

    tensors: tuple[str, ...]

    @classmethod
    def of(cls, expressions: Iterable[Expression], computed: Collection[str]) -> StressData:
        """Those of the expressions' tensors that are not computed."""
        read = frozenset[str]().union(*(each.tensors for each in expressions))
        return cls(tuple(sorted(read.difference(computed))))

    @property
    def points(self) -> int:
        """How many points there are."""
        return POINTS + (len(_BESIDE) + 1) * len(self.tensors)

    def of_element(self, spelled: str, places: tuple[int, ...]) -> list[float]:
        """The values of an element at all points: symmetric in its places, as a matrix may be by a fact."""
        return _values(self.tensors, spelled, places)


@cache
def _values(alone: tuple[str, ...], spelled: str, places: tuple[int, ...]) -> list[float]:
    beside = [_drawn(kind, f"beside {number}", spelled, places) for number, kind in enumerate(_BESIDE)]
    apart = (value + OFFSET * (spelled == each) for each in alone for value in beside)
    near = _drawn(_NEARLY_EQUAL, "near", spelled, places)
    tiny = (near * (TINY if spelled == each else 1.0) for each in alone)
    return [*_datum(spelled, places), *apart, *tiny]


@cache
def _datum(spelled: str, places: tuple[int, ...]) -> list[float]:
    """The values at the first points."""
    values = []
    for point in range(POINTS):
        kind = _ALIKE[point] if point < len(_ALIKE) else _KINDS[_hashed(f"{point} {spelled}") % len(_KINDS)]
        values.append(_drawn(kind, f"{point}", spelled, places))
    return values


def _drawn(kind: tuple[float, float], point: str, spelled: str, places: Iterable[int]) -> float:
    middle, spread = kind
    return middle + spread * (_hashed(f"{point} {spelled} {sorted(places)}") / 2**31 - 1)


def _hashed(spelled: str) -> int:
    """A number below 2^32 that depends on the spelling alone."""
    return int.from_bytes(hashlib.blake2b(spelled.encode(), digest_size=4).digest(), "big")
