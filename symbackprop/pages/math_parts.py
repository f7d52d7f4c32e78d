"""What formulas in MathML are put together from: parts that know how tightly they bind, products, numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from symbackprop.notation.expressions import Number
from symbackprop.systems.decimals import decimal_of, turned

OR, AND, NOT, COMPARISON, SUM, PRODUCT, POWER, ATOM = range(8)
MINUS = "\u2212"
_TIMES, _DOT = "<mo>\u2062</mo>", "<mo>\u22c5</mo>"
# 1/2 1/s is not 11/(2 s), and o tanh(s) no function called otanh.
_APART = '<mo lspace="0.17em" rspace="0.17em">\u2062</mo>'
_WORD = re.compile(r"(?:<m(?:row|sub|sup|subsup|under)\b[^>]*>)*<mi[^>]*>[A-Za-z]{2,}</mi>")


@dataclass(frozen=True)
class Math:
    """Markup of a formula, and how tightly it binds.

    What stands behind an `open_right` one would be read as part of it, as behind a sum.
    """

    markup: str
    level: int = ATOM
    open_right: bool = False

    def at(self, level: int) -> str:
        """The markup, in parentheses where it binds less tightly."""
        return self.markup if self.level >= level else parenthesised(self.markup)


def parenthesised(markup: str) -> str:
    """Parentheses that grow with what they hold."""
    return f"<mrow><mo>(</mo>{markup}<mo>)</mo></mrow>"


def joined(factors: Sequence[Math]) -> Math:
    """Factors side by side; whatever would swallow its neighbour is kept apart."""
    if len(factors) == 1:
        return factors[0]
    last = len(factors) - 1
    parts = [
        parenthesised(each.markup)
        if each.level < PRODUCT or (each.open_right and place < last)
        else each.markup
        for place, each in enumerate(factors)
    ]
    markup = parts[0] + "".join(_sign(*pair) + pair[1] for pair in pairwise(parts))
    return Math(f"<mrow>{markup}</mrow>", PRODUCT, factors[-1].open_right)


def _sign(before: str, after: str) -> str:
    """What stands between two factors."""
    if after.startswith(("<mn", "<mrow><mo>(</mo><mn")):
        return _DOT
    are_fractions = before.endswith("</mfrac>") and after.startswith("<mfrac")
    return _APART if are_fractions or _WORD.match(after) else _TIMES


def number(shown: Number) -> Math:
    """A number, as a whole one, a decimal or a fraction."""
    value = shown.value
    if value < 0:
        return Math(f"<mrow><mo>{MINUS}</mo>{number(turned(shown)).markup}</mrow>", SUM)
    decimal = decimal_of(shown)
    if decimal is None:
        return Math(f"<mfrac><mn>{value.numerator}</mn><mn>{value.denominator}</mn></mfrac>")
    if decimal.power is None:
        return Math(f"<mn>{decimal.digits}</mn>")
    power = f"<msup><mn>10</mn><mn>{str(decimal.power).replace('-', MINUS)}</mn></msup>"
    return Math(
        power if decimal.digits == "1" else f"<mrow><mn>{decimal.digits}</mn>{_DOT}{power}</mrow>", PRODUCT
    )
