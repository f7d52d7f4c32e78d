"""The faults of hand-written gradients, as a table: each says what it is and where it can be planted.

They are planted in programs, so that any target's modules can show that a check notices them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from symbackprop.array.program import Program
from symbackprop.faults.mutations import (
    another_derivative,
    another_precision,
    before_update,
    derivative_elsewhere,
    dropped_sum,
    from_the_step_before,
    lost_factor,
    missing_derivative,
    one_element,
    other_side,
    other_step,
    sign,
    tie_twice,
    transposed,
    wrong_sum,
)
from symbackprop.faults.planting import Edit, Planted, Rewrite, by_edit, by_rewrite


@dataclass(frozen=True)
class Fault:
    """A way to get a gradient wrong. `statement` says it as one would to whoever wrote it."""

    name: str
    statement: str
    edit: Edit | None = None
    rewrite: Rewrite | None = None

    def planted(self, program: Program) -> Iterator[Planted]:
        """The program with this fault, once for each place where it can be; some change no value."""
        if self.edit is not None:
            yield from by_edit(program, self.name, self.edit)
        if self.rewrite is not None:
            yield from by_rewrite(program, self.name, self.rewrite)


FAULTS = (
    Fault("sign", "a term has the wrong sign", edit=sign),
    Fault("transpose", "a matrix is transposed, or is not", edit=transposed),
    Fault("lost factor", "a constant factor is lost: the 1/2 of a square, the 1/B of a mean",
          edit=lost_factor),
    Fault("missing f'", "the activation's derivative is missing", edit=missing_derivative),
    Fault("f' at z", "the activation's derivative is taken at its value, not at its argument",
          edit=derivative_elsewhere),
    Fault("another f'", "another activation's derivative stands there", edit=another_derivative),
    Fault("sum", "a sum runs over the wrong axis, or is a mean", edit=wrong_sum),
    Fault("one element", "one element is wrong", rewrite=one_element),
    Fault("kink", "at a kink the derivative is that of the other side", edit=other_side),
    Fault("tie", "at a tie every maximum gets the gradient", edit=tie_twice),
    Fault("dropped sum", "a sum is left out, as if it were 0 or 1", edit=dropped_sum),
    Fault("stale step", "a value of a recurrence is read at the step before or behind", edit=other_step),
    Fault("stale value", "a value is read as it was before it was updated", edit=before_update,
          rewrite=from_the_step_before),
    Fault("precision", "float32 leaks into float64 results, or float64 into float32 ones",
          rewrite=another_precision),
)  # fmt: skip
