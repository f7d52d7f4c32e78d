"""Formulas in MathML that may go on in the next line.

Browsers break no line within a formula, so that one is written as several, each of which begins with a sign.
"""

from __future__ import annotations

from collections.abc import Iterator

from symbackprop.notation.arithmetic import is_reciprocal, terms_of
from symbackprop.notation.expressions import Add, Expression, Multiply, Reduction
from symbackprop.pages.math_parts import Math, joined
from symbackprop.pages.mathml import MathPrinter, leading_sign, sign_apart
from symbackprop.systems.printing import text

# The space between two formulas stands in front of a sign already.
_INFIX = ' form="infix" lspace="0"'
# Letters of a term that breaks within its parentheses; a shorter one fits on a phone's line.
_LONG = 36


def breakable(printer: MathPrinter, expression: Expression, in_sentence: bool = False) -> str:
    """A formula whose terms may go on in the next line; in a sentence, indices beside their sums.

    Below a sum they would meet what stands high in the next line. The terms of a sum in parentheses, at the
    end of a long product, may go on in the next line, too.
    """
    is_flat = in_sentence and any(isinstance(node, Reduction) for node in expression.walk())
    style = "" if is_flat else ' displaystyle="true"'
    return " ".join(f"<math{style}>{part}</math>" for part in _pieces(printer, expression))


def _pieces(printer: MathPrinter, expression: Expression) -> Iterator[str]:
    for place, term in enumerate(terms_of(expression)):
        negative, rest = sign_apart(term)
        factors = rest.factors if isinstance(rest, Multiply) else ()
        if factors and _ends_in_a_sum(factors) and len(text(term)) > _LONG:
            yield from _opened(printer, leading_sign(negative, bool(place), _INFIX), factors)
        else:
            yield printer.signed(term, bool(place), _INFIX)


def _ends_in_a_sum(factors: tuple[Expression, ...]) -> bool:
    """Whether the last factor is a sum, and none a divisor: what stands above a line is not broken."""
    return isinstance(factors[-1], Add) and not any(map(is_reciprocal, factors))


def _opened(printer: MathPrinter, sign: str, factors: tuple[Expression, ...]) -> Iterator[str]:
    """The factors and the first term of the last one, each further term, and what closes behind the last."""
    first, *further = terms_of(factors[-1])
    opening = Math(f"<mrow><mo>(</mo>{printer.signed(first, False)}</mrow>")
    yield f"<mrow>{sign}{joined([*map(printer.math, factors[:-1]), opening]).markup}</mrow>"
    for term in further[:-1]:
        yield printer.signed(term, True, _INFIX)
    yield f"<mrow>{printer.signed(further[-1], True, _INFIX)}<mo>)</mo></mrow>"
