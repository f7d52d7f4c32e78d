"""What a cost assumes: how many places an axis has, and which sums of products need no array between.

Costs compare ways to one result, so that only ratios matter. All axes without a declared size count as
equally long; a tie keeps the order in which the model writes its factors.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod

from symbackprop.notation.expressions import Axis, Index

TYPICAL_SIZE = 32


@dataclass(frozen=True)
class Assumptions:
    """An axis has its declared size, at least `least`, or else the typical one.

    With `fused`, any product of two arrays is summed while it is made; without, only where `@` does it.
    """

    least: int = 1
    fused: bool = False

    def size(self, axis: Axis) -> int:
        """The places of one axis."""
        return TYPICAL_SIZE if axis.size is None else max(self.least, axis.size)

    def count(self, indices: Iterable[Index]) -> int:
        """How many elements an array over these indices has."""
        return prod(self.size(index.axis) for index in frozenset(indices))


# A program is ordered for the declared sizes and for what arrays can do: an axis of 3 is contracted first.
PROGRAM = Assumptions()
# A closed form is that of symbolic sizes, whatever computes it: a batch of 1 does not change it, and
# rowsum(dO*O) is one contraction, which keeps layer norm's gradient in terms of the name delta_xhat.
FORM = Assumptions(least=TYPICAL_SIZE, fused=True)
