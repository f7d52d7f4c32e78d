"""Digits of an index that counts through others: floor(q/6) and mod(floor(q/2), 3) and mod(q, 2)."""

from __future__ import annotations

from dataclasses import dataclass

from symbackprop.integers.linear import divided, floor_quotient
from symbackprop.integers.recognition import is_positive
from symbackprop.notation.arithmetic import multiply
from symbackprop.notation.expressions import ONE, Apply, Expression


@dataclass(frozen=True)
class Digit:
    """mod(floor(base/unit), radix); without a radix, floor(base/unit)."""

    base: Expression
    unit: Expression
    radix: Expression | None

    def expression(self) -> Expression:
        """The position that is this digit."""
        shown = self.base if self.unit == ONE else floor_quotient(self.base, self.unit)
        return shown if self.radix is None else Apply("mod", (shown, self.radix))


def digit_of(position: Expression) -> Digit | None:
    """A position as a digit, nested floors in one; a radix or a unit that may be 0 or less has no digits."""
    match position:
        case Apply("mod", (inner, radix)) if is_positive(radix):
            found = digit_of(inner) or Digit(inner, ONE, None)
            return None if found.radix is not None else Digit(found.base, found.unit, radix)
        case Apply("floor", (argument,)):
            base, divisor = divided(argument)
            if not is_positive(divisor):
                return None
            found = digit_of(base) or Digit(base, ONE, None)
            return None if found.radix is not None else Digit(found.base, multiply(found.unit, divisor), None)
    return None
