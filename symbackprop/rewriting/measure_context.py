"""The context of an expression, as far as measures read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from symbackprop.notation.expressions import Axis, Index
from symbackprop.systems.partial import NOTHING_KNOWN, Ranges


@dataclass(frozen=True)
class MeasureContext:
    """The ranges of tensors, and which of them are computed in the recurrence at hand, or are symmetric.

    `index_names` are as declared; of a derivative those of `numerator` and `denominator` are told apart.
    """

    ranges: Ranges = NOTHING_KNOWN
    loop_carried: frozenset[str] = frozenset()
    symmetric: Mapping[str, str] = field(default_factory=dict)
    index_names: Mapping[Axis, Sequence[Index]] = field(default_factory=dict)
    numerator: frozenset[Index] = frozenset()
    denominator: frozenset[Index] = frozenset()
