"""Size arithmetic: the number that the size of an axis comes to, as a layer's file writes it.

The arithmetic is that of the model language, in exact fractions: + - * /, floor(...), ceil(...), mod(a, m)
and the sizes of other axes, size(c). Nothing else is read.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction

from symbackprop.errors import LanguageError
from symbackprop.language.sizes import size_arithmetic, size_text
from symbackprop.languages.phrases import Message, verbatim, worded
from symbackprop.notation.expressions import Axis, Expression, Size
from symbackprop.syntax.nodes import (
    Call,
    Factors,
    Formula,
    Negation,
    NumberLiteral,
    Reference,
    Terms,
    Word,
)


class UnknownSizeError(LanguageError):
    """The arithmetic needs the size of an axis that the network does not state; `axis` is its name."""

    def __init__(self, axis: str) -> None:
        super().__init__(worded("the size of the axis {axis} is not known", axis=axis))
        self.axis = axis


def size_value(formula: Formula, sizes: Mapping[str, int | Fraction | None]) -> Fraction:
    """What the arithmetic comes to; `sizes` holds those of the indices that it may name.

    Raises UnknownSizeError where a size is None, LanguageError where it is not size arithmetic.
    """
    match formula:
        case NumberLiteral(text):
            return Fraction(text)
        case Negation(operand):
            return -size_value(operand, sizes)
        case Terms(terms):
            signed = ((sign, size_value(term, sizes)) for sign, term in terms)
            return sum((value if sign == "+" else -value for sign, value in signed), Fraction(0))
        case Factors(factors):
            result = Fraction(1)
            for operator, factor in factors:
                value = size_value(factor, sizes)
                result = result * value if operator == "*" else result / value
            return result
        case Call(word, arguments):
            return _called(word.text, arguments, sizes)
    raise _not_arithmetic(worded("this"))


def _called(
    word: str, arguments: tuple[Formula, ...], sizes: Mapping[str, int | Fraction | None]
) -> Fraction:
    match word, arguments:
        case "size", (Reference(index, None),):
            if index.text not in sizes:
                raise _not_arithmetic(verbatim(f"size({index.text})"))
            size = sizes[index.text]
            if size is None:
                raise UnknownSizeError(index.text)
            return Fraction(size)
        case "floor", (argument,):
            return Fraction(math.floor(size_value(argument, sizes)))
        case "ceil", (argument,):
            return Fraction(math.ceil(size_value(argument, sizes)))
        case "mod", (dividend, divisor):
            return size_value(dividend, sizes) % size_value(divisor, sizes)
    raise _not_arithmetic(verbatim(f"{word}(...)"))


def declared_as(formula: Formula, axes: Mapping[str, str]) -> str:
    """The arithmetic as the size of an axis is declared, C/2 for size(c)/2; `axes` has those of the indices.

    Raises LanguageError where it is not size arithmetic, or has a remainder.
    """

    def size(leaf: Formula) -> Expression:
        match leaf:
            case Call(Word("size"), (Reference(index, None),)) if index.text in axes:
                return Size(Axis(axes[index.text], index.text))
        raise _not_arithmetic(worded("this"))

    return size_text(size_arithmetic(formula, size))


def _not_arithmetic(what: Message) -> LanguageError:
    return LanguageError(
        worded("{what} is no size arithmetic", what=what),
        remedy=worded("write whole numbers, + - * /, floor, ceil, mod and size(i)"),
    )
