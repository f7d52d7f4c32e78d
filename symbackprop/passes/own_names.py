"""Names for the tensors of a block of lines that stands several times in a program.

What runs call Wq1 and Wq2 is Wq in the block: the parts in which the names differ are left out. Where two
tensors would be called alike, as mu1 and mu2 of a block that norms twice, both keep the names that they have
in one of the runs, the one whose names come first when numbers are counted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

_PARTS = re.compile(r"\d+|[A-Za-z]+|[^A-Za-z0-9]+")


def in_order_of_names(runs: Sequence[Sequence[str]]) -> list[int]:
    """The places of the runs, that whose names come first before the others, `u2` before `u10`."""
    return sorted(range(len(runs)), key=lambda place: [_ordered(name) for name in runs[place]])


def own_names(
    columns: Sequence[Sequence[str]], naming: int, known: Mapping[str, str], taken: Collection[str]
) -> tuple[str, ...]:
    """What the block calls each tensor, all different, where a column has its name in every run.

    Names that are the same in every run stay, and those of the naming run that are `known` become what they
    are known as; no other name is shortened to a `taken` one. All tensors are called as in the naming run
    where two would have one name.
    """
    named = {column[naming]: column for column in columns}
    shared = {name: name for name, column in named.items() if len(set(column)) == 1}
    fixed = {**{name: known[name] for name in named if name in known}, **shared}
    stems = {name: _in_common(column) for name, column in named.items() if name not in fixed}
    unclear: set[str] = {""}
    while unclear:
        avoided = {
            *taken,
            *fixed.values(),
            *(name for name in named if name not in fixed and name not in stems),
        }
        counts = Counter(stems.values())
        unclear = {name for name, stem in stems.items() if not stem or counts[stem] > 1 or stem in avoided}
        stems = {name: stem for name, stem in stems.items() if name not in unclear}
    found = tuple(fixed.get(name, stems.get(name, name)) for name in named)
    return found if len(set(found)) == len(found) else tuple(named)


def _ordered(name: str) -> list[tuple[int, int, str]]:
    """A name as what is compared: its numbers by what they count, the rest by its letters."""
    parts = _PARTS.findall(name)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]


def _in_common(names: Sequence[str]) -> str:
    """The parts that are the same in all names; "" where they are not built alike."""
    parts = [_PARTS.findall(name) for name in names]
    if len(set(map(len, parts))) > 1:
        return ""
    same = "".join(column[0] for column in zip(*parts, strict=True) if len(set(column)) == 1)
    stem = re.sub("__+", "_", same).strip("_")
    return stem if stem.isidentifier() else ""
