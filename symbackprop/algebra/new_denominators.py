"""Whether an equal form divides by what the form before did not divide by.

x/x is 1 wherever it is defined, but 1 is not x/x at x = 0. Denominators are compared as whole numbers: every
atom becomes a large random integer, e^u one that counts as never 0, a root an integer of its own. What is
left of a denominator when all factors of those before are taken out is a small constant, or a large number
that only a factor of its own can have left.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction

from symbackprop.notation.arithmetic import coefficient_and_rest, terms_of
from symbackprop.notation.expressions import Add, Apply, Expression, Multiply, Number, Power

LARGE = 2**128
LARGEST_CONSTANT = 2**40
MOST_DIGITS = 100_000


def may_be_undefined(
    after: Expression, before: Expression, formulas: Mapping[Expression, Expression]
) -> bool:
    """Whether `after` has a denominator that is made of no factors of those before, or of the formulas'.

    `formulas` are those of elements, that are computed by them before.
    """
    known = {base for each in (before, *formulas.values()) for base in _denominators(each)}
    new = [base for base in dict.fromkeys(_denominators(after)) if base not in known]
    if not new:
        return False
    integers = _Integers((after, before, *formulas.values()), formulas)
    try:
        divisors = [part for base in known for part in _parts(integers.value(base))]
        remainders = [integers.value(base).numerator for base in new]
    except (ZeroDivisionError, OverflowError):
        return True
    return any(_without(each, [*divisors, *integers.never_zero]) > LARGEST_CONSTANT for each in remainders)


def _denominators(expression: Expression) -> Iterator[Expression]:
    for node in expression.walk():
        match node:
            case Power(base, Number(exponent)) if exponent < 0:
                yield base


def _parts(value: Fraction) -> tuple[int, int]:
    return value.numerator, value.denominator


def _without(number: int, divisors: Iterable[int]) -> int:
    """What is left when every factor that a divisor has too is taken out."""
    for divisor in divisors:
        while (common := math.gcd(number, divisor)) > 1:
            number //= common
    return abs(number)


class _Integers:
    """Large random integers for all atoms, and what is computed from them; x is a power of its root."""

    def __init__(self, expressions: Iterable[Expression], formulas: Mapping[Expression, Expression]) -> None:
        self._draws = random.Random(0)
        self._formulas = dict(formulas)
        self._atoms: dict[object, int] = {}
        self._orders: dict[Expression, int] = {}
        self.never_zero: list[int] = []
        for node in itertools.chain.from_iterable(each.walk() for each in expressions):
            match node:
                case Power(base, Number(exponent)) if exponent.denominator > 1:
                    self._orders[base] = math.lcm(self._orders.get(base, 1), exponent.denominator)

    def value(self, node: Expression) -> Fraction:
        """The value of an expression."""
        if node in self._orders:
            return self._power(node, Fraction(1))
        formula = self._formulas.pop(node, None)  # taken out, for it may not read itself
        if formula is not None:
            value = self.value(formula)
            self._formulas[node] = formula
            return value
        match node:
            case Number(exact):
                return exact
            case Add(terms):
                return sum((self.value(term) for term in terms), Fraction(0))
            case Multiply(factors):
                return math.prod((self.value(factor) for factor in factors), start=Fraction(1))
            case Power(base, Number(exponent)):
                return self._power(base, exponent)
            case Apply("exp", (argument,)):
                return self._exponential(argument)
        return Fraction(self._atom(node))

    def _power(self, base: Expression, exponent: Fraction) -> Fraction:
        order = self._orders.get(base, 1)
        root = Fraction(self._atom(("root", base))) if order > 1 else self.value(base)
        whole = int(exponent * order)
        if abs(whole) * max(root.numerator.bit_length(), root.denominator.bit_length()) > MOST_DIGITS:
            raise OverflowError
        return root**whole

    def _exponential(self, argument: Expression) -> Fraction:
        product = Fraction(1)
        for term in terms_of(argument):
            times, rest = coefficient_and_rest(term)
            drawn = self._atom(("exp", times.denominator, frozenset(rest)))
            self.never_zero.append(drawn)
            product *= Fraction(drawn) ** times.numerator
        return product

    def _atom(self, key: object) -> int:
        if key not in self._atoms:
            self._atoms[key] = self._draws.randrange(LARGE, 2 * LARGE)
        return self._atoms[key]
