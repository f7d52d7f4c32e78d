"""Whether an equal form is defined wherever the form before is.

x/x is 1 wherever it is defined, but 1 is not x/x at x = 0, and a is not exp(log(a)) at a = -1.

Denominators are compared as whole numbers: every atom becomes a large random integer, e^u one that counts as
never 0, a root an integer of its own. What is left of a denominator when all factors of those before are
taken out is a small constant, or a large number that only a factor of its own can have left. Arguments of
logarithms, roots and their like are compared by the values that the certificate gives them.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from typing import TypeAlias

from symbackprop.functions.record import Domain
from symbackprop.functions.table import ALL_FUNCTIONS
from symbackprop.notation.arithmetic import coefficient_and_rest, factors_of, terms_of
from symbackprop.notation.expressions import Add, Apply, Expression, Multiply, Number, Power, Where
from symbackprop.notation.matrix_functions import MatrixFunction
from symbackprop.systems.partial import NOTHING_KNOWN

LARGE = 2**128
LARGEST_CONSTANT = 2**40
MOST_DIGITS = 100_000


def may_be_undefined(
    after: Expression,
    before: Expression,
    formulas: Mapping[Expression, Expression],
    value: Callable[[Expression], Hashable],
) -> bool:
    """Whether `after` may be undefined where `before` is defined.

    So it is where it divides by what is made of no factors of the denominators before, or has an argument
    outside a restricted domain that was not there before and is not sure to lie inside. Names that are read
    have been computed, so that what their formulas need is there; a name that is not read says nothing. What
    needs the condition of a `where` before needs it after. `value` tells whether two arguments are equal.
    """
    there = _Demands(value, (before, *_reached(formulas, before, after)))
    needed = _Demands(value, (after,))
    if not all(map(there.cover, needed.domains)):
        return True
    new = [
        (base, around)
        for base, around in dict.fromkeys(needed.divisors)
        if not NOTHING_KNOWN.is_positive(base) and base not in there.divisors_under(around)
    ]
    if not new:
        return False
    integers = _Integers((after, before, *formulas.values()), formulas, value)
    try:
        return any(integers.leaves(base, there.divisors_under(around)) for base, around in new)
    except (ZeroDivisionError, OverflowError):
        return True


def _reached(formulas: Mapping[Expression, Expression], *starts: Expression) -> tuple[Expression, ...]:
    """The formulas of the names that stand in one of the expressions, or in the formula of one that does."""
    found: dict[Expression, Expression] = {}
    pending = list(starts)
    while pending:
        for node in pending.pop().walk():
            if node in formulas and node not in found:
                found[node] = formulas[node]
                pending.append(formulas[node])
    return tuple(found.values())


class Demand(Enum):
    """What an argument has to be, beside the domains of the functions' records."""

    POSITIVE = "above 0"
    NONNEGATIVE = "at least 0"
    INVERTIBLE = "an invertible matrix"


Around: TypeAlias = frozenset[tuple[Hashable, bool]]


@dataclass(frozen=True)
class _Need:
    """A demand on arguments, given by their values, under the conditions of the `where`s around.

    `factors` are those that make the first argument 0 where one of them is.
    """

    demand: Demand | Domain
    arguments: tuple[Hashable, ...]
    around: Around
    factors: frozenset[Hashable]


class _Demands:
    """All that expressions ask of what they divide by, and of arguments."""

    def __init__(self, value: Callable[[Expression], Hashable], expressions: Iterable[Expression]) -> None:
        self._value = value
        self.divisors: list[tuple[Expression, Around]] = []
        self.domains: list[_Need] = []
        for expression in expressions:
            self._collect(expression, frozenset())

    def cover(self, need: _Need) -> bool:
        """Whether one of the demands is at least as strong, and no more guarded.

        What is at least 0, and divides, is above 0: sqrt(a*b)/(a*b) demands that of a*b.
        """
        strong = {need.demand}
        if need.demand is Demand.NONNEGATIVE:
            strong.add(Demand.POSITIVE)
        elif need.demand is Demand.POSITIVE and self._divides(need):
            strong.add(Demand.NONNEGATIVE)
        return any(
            each.demand in strong and each.arguments == need.arguments and each.around <= need.around
            for each in self.domains
        )

    def _divides(self, need: _Need) -> bool:
        """Whether something divides by the argument, or by all its factors."""
        divisors = {self._value(base) for base in self.divisors_under(need.around)}
        return divisors.issuperset(need.arguments) or divisors >= need.factors

    def divisors_under(self, around: Around) -> list[Expression]:
        """What is not 0 under these conditions."""
        return [base for base, each in self.divisors if each <= around]

    def _collect(self, node: Expression, around: Around) -> None:
        match node:
            case Power(base, Number(exponent)) if exponent < 0:
                self.divisors.append((base, around))
        for demand, arguments in _demands_of(node):
            factors = frozenset(map(self._value, factors_of(arguments[0])))
            self.domains.append(_Need(demand, tuple(map(self._value, arguments)), around, factors))
        if isinstance(node, Where):
            condition = self._value(node.condition)
            self._collect(node.condition, around)
            self._collect(node.chosen, around | {(condition, True)})
            self._collect(node.otherwise, around | {(condition, False)})
            return
        for child in node.children:
            self._collect(child, around)


def _demands_of(node: Expression) -> Iterator[tuple[Demand | Domain, tuple[Expression, ...]]]:
    """What a node demands of its arguments that are not sure to fulfil it."""
    if not NOTHING_KNOWN.is_undefined_node(node):
        return
    match node:
        case MatrixFunction():
            yield Demand.INVERTIBLE, (node.determinant,)
        case Apply(function, arguments):
            domain = ALL_FUNCTIONS[function].domain
            yield Demand.POSITIVE if domain is Domain.POSITIVE else domain, arguments
        case Power(base, Number(exponent)):
            if exponent.denominator > 1:
                yield Demand.POSITIVE if exponent < 0 else Demand.NONNEGATIVE, (base,)
        case Power(base, _):
            yield Demand.POSITIVE, (base,)


def _without(number: int, divisors: Iterable[int]) -> int:
    """What is left when every factor that a divisor has too is taken out."""
    for divisor in divisors:
        while (common := math.gcd(number, divisor)) > 1:
            number //= common
    return abs(number)


class _Integers:
    """Large random integers for all atoms, and what is computed from them; x is a power of its root.

    Atoms and radicands that `value` calls equal are one, however they are written.
    """

    def __init__(
        self,
        expressions: Iterable[Expression],
        formulas: Mapping[Expression, Expression],
        value: Callable[[Expression], Hashable],
    ) -> None:
        self._draws = random.Random(0)
        self._value = value
        self._formulas = dict(formulas)
        self._atoms: dict[object, int] = {}
        self._radicands: dict[Expression, Hashable] = {}
        self._orders: dict[Hashable, int] = {}
        self.never_zero: list[int] = []
        for node in itertools.chain.from_iterable(each.walk() for each in expressions):
            match node:
                case Power(base, Number(exponent)) if exponent.denominator > 1:
                    known = self._radicands[base] = value(base)
                    self._orders[known] = math.lcm(self._orders.get(known, 1), exponent.denominator)

    def leaves(self, base: Expression, divisors: Iterable[Expression]) -> bool:
        """Whether the base has a factor that no divisor has, and that may be 0."""
        values = [value for each in divisors for part in self._bases(each) for value in self._readings(part)]
        parts = [part for each in values for part in (each.numerator, each.denominator)]
        needed = [self._readings(each) for each in self._bases(base)]
        known = [*parts, *self.never_zero]  # read last, for values note powers of e
        return any(
            all(_without(value.numerator, known) > LARGEST_CONSTANT for value in readings)
            for readings in needed
        )

    def _bases(self, node: Expression) -> Iterator[Expression]:
        """What a product is made of, a power by its base: it is 0 where one of them is."""
        if node in self._radicands:
            yield node
            return
        match node:
            case Multiply(factors):
                for factor in factors:
                    yield from self._bases(factor)
            case Power(base, Number(exponent)) if exponent > 0:
                yield from self._bases(base)
            case _:
                yield node

    def _readings(self, node: Expression) -> tuple[Fraction, ...]:
        """The values that say whether an expression is 0: a radicand is the power of its root, and itself."""
        return (self.value(node), self._unnamed(node)) if node in self._radicands else (self.value(node),)

    def value(self, node: Expression) -> Fraction:
        """The value of an expression."""
        if node in self._radicands:
            return self._power(node, Fraction(1))
        formula = self._formulas.pop(node, None)  # taken out, for it may not read itself
        if formula is not None:
            value = self.value(formula)
            self._formulas[node] = formula
            return value
        return self._unnamed(node)

    def _unnamed(self, node: Expression) -> Fraction:
        """The value of an expression as it is composed."""
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
        return Fraction(self._atom(("value", self._value(node))))

    def _power(self, base: Expression, exponent: Fraction) -> Fraction:
        known = self._radicands.get(base)
        order = 1 if known is None else self._orders[known]
        root = Fraction(self._atom(("root", known))) if order > 1 else self.value(base)
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
