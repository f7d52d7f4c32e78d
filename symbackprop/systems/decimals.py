"""Numbers as whole ones, fractions or decimals: a model that types 0.2 reads 0.2 and 0.04, not 1/5 and 1/25.

Neither rules nor evaluators meet `TypedDecimal`; printers put it in the place of a number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from symbackprop.integers.whole_definitions import Word
from symbackprop.notation.expressions import Apply, Comparison, Element, Expression, Multiply, Number, Power

LARGEST_PLAIN_DENOMINATOR = 64
MOST_ZEROS = 16  # at the end of a whole number that is written out


@dataclass(frozen=True)
class Decimal:
    """A number's digits, and the power of ten that they are multiplied by where they are many."""

    digits: str
    power: int | None = None

    def __str__(self) -> str:
        if self.power is None:
            return self.digits
        return f"{self.digits}e{self.power if self.power >= 0 else f'-{-self.power:02d}'}"


class TypedDecimal(Number):
    """A number that is written as a decimal because the model has typed decimals."""


def with_decimals(expression: Expression, words: Collection[Word]) -> Expression:
    """The expression with decimals for its fractions, where such a decimal is among the words: 0.2.

    A half is no decimal of tenths: 1/2 stays beside 0.1, which brings in 0.2 and 0.04; 0.25 brings in 0.5.
    A fraction among the words, 1/10, stays one. A product among them, 0.99*0.95, is written for its value.
    """
    typed = [word for word in words if isinstance(word, str) and word[0] in ".0123456789"]
    numbers = [word for word in typed if "*" not in word]
    divisors = [Fraction(word).denominator for word in numbers if "/" not in word]
    tenths = any(divisor % 5 == 0 for divisor in divisors)
    halves = any(divisor % 2 == 0 and divisor % 5 for divisor in divisors)
    if not (tenths or halves):
        return expression

    def is_typed(value: Fraction) -> bool:
        return (tenths if value.denominator % 5 == 0 else halves) and str(abs(value)) not in numbers

    products = {
        value: factors
        for value, factors in _typed_products(word for word in typed if "*" in word)
        if value not in map(_value, numbers)
    }
    return _with_decimals(_with_products(expression, products) if products else expression, is_typed)


def _typed_products(words: Iterable[str]) -> Iterator[tuple[Fraction, tuple[Number, ...]]]:
    """The values of products of decimals, 0.99*0.95, and their factors."""
    for word in sorted(words):
        values = [_value(factor) for factor in word.split("*")]
        yield Fraction(math.prod(values)), tuple([TypedDecimal(value) for value in values])


def _value(word: str) -> Fraction:
    """That of a number or a quotient of numbers: 0.5/2."""
    first, *divisors = map(Fraction, word.split("/"))
    return first / math.prod(divisors)


def _with_products(node: Expression, known: Mapping[Fraction, tuple[Number, ...]]) -> Expression:
    """The expression with the factors that the model has typed in the place of their product."""
    match node:
        case Number(value) if abs(value) in known:
            first, *others = known[abs(value)]
            return Multiply((turned(first) if value < 0 else first, *others))
        case Element() | Power() | Apply("floor" | "mod"):
            return node
    if not node.children:
        return node
    children = tuple([_with_products(child, known) for child in node.children])
    if isinstance(node, Multiply) and isinstance(children[0], Multiply):
        children = (*children[0].factors, *children[1:])
    return node if children == node.children else node.with_children(children)


def _with_decimals(node: Expression, is_typed: Callable[[Fraction], bool]) -> Expression:
    match node:
        case Number(value):
            return TypedDecimal(value) if value.denominator > 1 and _ends(value) and is_typed(value) else node
        case Power(base, Number(exponent)) if exponent.denominator == 2:  # a root
            return Power(_with_decimals(base, is_typed), node.exponent)
        case Element() | Apply("floor" | "mod"):
            return node
        case Comparison() if not node.tensors:
            return node
    if not node.children:
        return node
    children = tuple([_with_decimals(child, is_typed) for child in node.children])
    return node if children == node.children else node.with_children(children)


def _ends(value: Fraction) -> bool:
    """Whether the number is a decimal with finitely many digits."""
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return rest == 1


def decimal_of(number: Number) -> Decimal | None:
    """A whole number, or a decimal that ends, typed or for a long denominator; None for any other."""
    value = number.value
    if value.denominator == 1:
        return Decimal(str(value))
    if not (isinstance(number, TypedDecimal) or value.denominator > LARGEST_PLAIN_DENOMINATOR):
        return None
    shown = repr(float(value))
    digits, _, power = shown.partition("e")
    return Decimal(digits, int(power) if power else None) if Fraction(shown) == value else None


def with_zeros_counted(value: Fraction) -> Decimal | None:
    """-1e30 for a whole number that ends in many zeros; None for any other."""
    digits = str(value.numerator)
    zeros = len(digits) - len(digits.rstrip("0"))
    if value.denominator > 1 or zeros < MOST_ZEROS:
        return None
    return Decimal(digits.rstrip("0"), zeros)


def number_text(number: Number) -> str:
    """A whole number, a short fraction, or else a decimal where it ends; 1/2, 0.044715, 1/3."""
    return str(decimal_of(number) or number.value)


def turned(number: Number) -> Number:
    """The number times -1, a decimal where it is one."""
    return type(number)(-number.value)
