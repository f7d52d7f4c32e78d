"""Quotients of two that are 0 together: expm1(f)/f, where f has an exponential for a factor.

By exponents, exp(h + max(f, 0)), f = g*exp(-h), is infinite where f is small; as typed that is near 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from symbackprop.exponentials.scales import Scaled
from symbackprop.notation.arithmetic import is_reciprocal
from symbackprop.notation.expressions import ZERO, Apply, Expression
from symbackprop.notation.pairs import as_power

_LIKE_THEIR_ARGUMENT = ("expm1", "sinh")  # near 0


def vanish_together(factors: Sequence[Expression], scale: Callable[[Expression], Scaled]) -> bool:
    """Whether the factors are expm1(n*f), 1/f and others without exponentials, n without them too.

    `scale` says what their exponents are.
    """
    powers = [as_power(each) for each in factors]
    for above, times in powers:
        if not (isinstance(above, Apply) and above.function in _LIKE_THEIR_ARGUMENT and times > 0):
            continue
        exponent = scale(above.arguments[0]).exponent
        below = [
            each
            for each, (base, count) in zip(factors, powers, strict=True)
            if is_reciprocal(each) and count == -times and scale(base).exponent == exponent != ZERO
        ]
        others = [each for each in factors if each not in below and as_power(each) != (above, times)]
        if len(below) == 1 and all(scale(each).is_plain for each in others):
            return True
    return False
