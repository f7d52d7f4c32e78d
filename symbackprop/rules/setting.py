"""What measures may know besides the expression."""

from __future__ import annotations

from dataclasses import dataclass

from symbackprop.systems.partial import NOTHING_KNOWN, Ranges


@dataclass(frozen=True)
class Setting:
    """The ranges of tensors, and which of them are computed in the recurrence at hand."""

    ranges: Ranges = NOTHING_KNOWN
    loop_carried: frozenset[str] = frozenset()
