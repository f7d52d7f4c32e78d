"""Certifying that two scalar expressions are equal, without the algebra system that proposed it.

Both are evaluated exactly, modulo a prime, at random points: what is not a rational combination (an element,
a sum, a `where`, a function) is an independent atom with a random value that depends on what it is made of,
but sum(i, -f) is -sum(i, f), e^u is a number to the power of each term of u, and a root r has
r^q = radicand. Elements that a relation defines are evaluated by it. Two rational functions that differ
agree at a random point with a probability of at most d/p, where d is the degree of their difference
(Schwartz 1980, Zippel 1979); two atoms that are not the same are taken for one no more often. With p about
2^127, n atoms and two points, a pass is false with a probability below (n^2*d/2^126)^2: 2^-120 for a
thousand atoms and degrees up to 2^46.

The points come from a fixed seed, so that a verdict repeats.
"""

from __future__ import annotations

import random
from collections.abc import Hashable, Iterator, Mapping, Sequence
from fractions import Fraction

from symbackprop.algebra.definedness import may_be_undefined
from symbackprop.algebra.opened import written_out
from symbackprop.algebra.prime_field import (
    PRIME,
    RootField,
    UndefinedAtPoint,
    Value,
    frozen,
    number,
    square_to_the,
)
from symbackprop.integers.guards import with_readable_bounds
from symbackprop.notation.arithmetic import coefficient_and_rest, factors_of, power, terms_of
from symbackprop.notation.expressions import (
    Add,
    Apply,
    Delta,
    Element,
    Expression,
    Multiply,
    Number,
    Power,
    Reduction,
    Where,
)
from symbackprop.notation.substitution import bound_names_by_height, rewrite_bottom_up
from symbackprop.rewriting.justification import Equality
from symbackprop.rewriting.labels import label

POINTS = 2
MOST_TRIES = 6  # where a denominator happens to be 0


def is_certified(before: Expression, after: Expression, relations: Sequence[Equality] = ()) -> bool:
    """Whether `after` equals `before` under relations element = formula, and is defined wherever it is.

    False where nothing certain can be said.
    """
    before, after = map(_spelled_alike, (before, after))
    formulas: dict[Expression, Expression] = {
        known: _spelled_alike(formula) for known, formula in relations if isinstance(known, Element)
    }
    agreed = 0
    for seed in range(MOST_TRIES):
        point = _Point(seed, formulas)
        try:
            if point.key(before) != point.key(after):
                return False
            agreed += 1
            if agreed == POINTS:
                return not may_be_undefined(after, before, formulas, point.key)
        except (UndefinedAtPoint, RecursionError):
            continue
    return False


def _spelled_alike(expression: Expression) -> Expression:
    """Formulas of functions written out, one name for a bound index, t >= 1 for t - 1 >= 0 in a `where`."""
    plain = rewrite_bottom_up(
        written_out(expression), lambda node: with_readable_bounds(node) if isinstance(node, Where) else node
    )
    return bound_names_by_height(plain)


class _Point:
    """Values for all atoms, drawn as they are met."""

    def __init__(self, seed: int, formulas: Mapping[Expression, Expression]) -> None:
        self._draws = random.Random(seed)
        self._formulas = formulas
        self._field = RootField()
        self._values: dict[Expression, Value] = {}
        self._atoms: dict[object, int] = {}
        self._evaluating: set[Expression] = set()

    def value(self, node: Expression) -> Value:
        """The value of an expression here; UndefinedAtPoint where a denominator is 0."""
        if node not in self._values:
            self._values[node] = self._computed(node)
        return self._values[node]

    def key(self, node: Expression) -> Hashable:
        """The value as a key: two expressions with one key are equal."""
        return frozen(self.value(node))

    def _computed(self, node: Expression) -> Value:
        match node:
            case Number(exact):
                return number(exact)
            case Add(terms):
                total: Value = 0
                for term in terms:
                    total = self._field.add(total, self.value(term))
                return total
            case Multiply(factors):
                return self._product(factors)
            case Power(base, Number(exponent)):
                root = self._field.root(self.value(base), exponent.denominator)
                return self._field.power(root, exponent.numerator)
            case Power(base, exponent):
                return self._exponential(self.value(base), exponent)
            case Apply("exp", (argument,)):
                return self._exponential(None, argument)
            case Element() if node in self._formulas:
                return self._by_its_formula(node)
            case Reduction("sum", _, body):
                return self._sum(node, self.value(body))
        return self._atom(_key(node, [frozen(self.value(child)) for child in node.children]))

    def _product(self, factors: Sequence[Expression]) -> Value:
        product: Value = 1
        for factor in factors:
            product = self._field.multiply(product, self.value(factor))
        return product

    def _sum(self, node: Reduction, body: Value) -> Value:
        """sum(i, -f) = -sum(i, f), the one that is met first an atom."""
        if body == 0:
            return 0
        opposite = _key(node, [frozen(self._field.multiply(PRIME - 1, body))])
        if opposite in self._atoms:
            return PRIME - self._atoms[opposite]
        return self._atom(_key(node, [frozen(body)]))

    def _by_its_formula(self, node: Expression) -> Value:
        if node in self._evaluating:
            raise UndefinedAtPoint  # a relation that defines nothing
        self._evaluating.add(node)
        found = self.value(self._formulas[node])
        self._evaluating.discard(node)
        return found

    def _atom(self, key: object) -> int:
        if key not in self._atoms:
            self._atoms[key] = self._draws.randrange(2, PRIME)
        return self._atoms[key]

    def _exponential(self, base: Value | None, exponent: Expression) -> Value:
        """base^(u + v) = base^u*base^v and base^(n*u) = (base^u)^n; e where there is no base."""
        product: Value = 1
        for times, rest in self._terms(exponent, Fraction(1)):
            product = self._field.multiply(product, self._power_of(base, times, rest))
        return product

    def _terms(
        self, exponent: Expression, times: Fraction
    ) -> Iterator[tuple[Fraction, tuple[Expression, ...]]]:
        """The terms of an exponent, each as a number and the other factors; names written out."""
        for term in terms_of(exponent):
            multiple, rest = coefficient_and_rest(_with_plain_numbers(term))
            only = rest[0] if len(rest) == 1 else None
            if isinstance(only, Element):
                only = self._formulas.get(only, only)
            if isinstance(only, Add | Multiply) or (only is not None and only != rest[0]):
                yield from self._terms(only, times * multiple)
            else:
                yield times * multiple, rest

    def _power_of(self, base: Value | None, times: Fraction, rest: tuple[Expression, ...]) -> Value:
        match rest:
            case () if base is not None:
                root = self._field.root(base, times.denominator)
                return self._field.power(root, times.numerator)
            case (Apply("log", (argument,)),) if base is None:
                root = self._field.root(self.value(argument), times.denominator)
                return self._field.power(root, times.numerator)
        unit, opposite = self._product(rest), self._field.multiply(PRIME - 1, self._product(rest))
        own = None if base is None else frozen(base)
        if ("power", own, frozen(opposite)) in self._atoms:
            unit, times = opposite, -times
        drawn = self._atom(("power", own, frozen(unit)))
        return square_to_the(drawn * drawn % PRIME, times)


def _with_plain_numbers(term: Expression) -> Expression:
    """1/2 as a number where it is written as 2^(-1)."""
    factors = [
        power(*factor.children) if isinstance(factor, Power) and isinstance(factor.base, Number) else factor
        for factor in factors_of(term)
    ]
    return Multiply(tuple(factors)) if len(factors) > 1 else factors[0]


def _key(node: Expression, children: Sequence[object]) -> object:
    """What makes an atom the same as another: its kind, and the values of what it is made of."""
    return type(node), label(node), frozenset(children) if isinstance(node, Delta) else tuple(children)
