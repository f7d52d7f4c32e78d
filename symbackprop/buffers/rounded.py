"""Positions made of real numbers: one that is nan lies in no array, and clipped it would read a wrong row."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from symbackprop.array.ir import AsIntegers, Read
from symbackprop.array.program import Line, statements_in
from symbackprop.array.value import Value
from symbackprop.schedule.kinds import Kind

_REAL = (Kind.REAL, Kind.DOUBLE)


def rounded_in(lines: Iterable[Line]) -> frozenset[str]:
    """The names of integers that are computed from real numbers, directly or through one another."""
    found: set[str] = set()
    for line in statements_in(lines):
        if line.value.kind is Kind.INTEGER and is_rounded(line.value, found):
            found.add(line.name)
    return frozenset(found)


def is_rounded(places: Value, rounded: Collection[str]) -> bool:
    """Whether integers are made of real numbers, or of such that are."""
    return any(
        (isinstance(node, AsIntegers) and node.operand.kind in _REAL)
        or (isinstance(node, Read) and node.name in rounded)
        for node in places.walk()
    )
