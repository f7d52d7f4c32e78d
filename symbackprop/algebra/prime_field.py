"""Exact arithmetic modulo a prime, with roots adjoined: F_p[r, ...]/(r^q - b, ...).

A root is a sign of its own of which only r^q = b is known, so that what holds here holds for either sign of
a square root: sqrt(x^2) is not x.
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterable, Mapping
from fractions import Fraction
from typing import TypeAlias

# A safe prime, p = 2*q + 1 with q prime: squares have exactly one root of each odd order, and one that is a
# square, so that e^(u/2) is a power of the same number as e^u.
PRIME = 2**127 - 2721
SQUARES = (PRIME - 1) // 2
MOST_MONOMIALS = 64

Monomial: TypeAlias = tuple[tuple[int, int], ...]
Value: TypeAlias = int | Mapping[Monomial, int]


class UndefinedAtPoint(ArithmeticError):
    """A division by zero, or by what is too large to be inverted."""


def number(value: Fraction) -> int:
    """A rational number."""
    return value.numerator * _inverse(value.denominator) % PRIME


def square_to_the(square: int, exponent: Fraction) -> int:
    """A power of a square, with a rational exponent."""
    if exponent.denominator % SQUARES == 0:
        raise UndefinedAtPoint
    return pow(square, exponent.numerator * pow(exponent.denominator, -1, SQUARES) % SQUARES, PRIME)


def frozen(value: Value) -> Hashable:
    """The value as a key."""
    return value if isinstance(value, int) else tuple(sorted(value.items()))


class RootField:
    """Values are numbers, or polynomials in the roots that have been adjoined so far."""

    def __init__(self) -> None:
        self._radicands: list[tuple[Value, int]] = []
        self._roots: dict[tuple[object, int], int] = {}

    def add(self, left: Value, right: Value) -> Value:
        """left + right."""
        if isinstance(left, int) and isinstance(right, int):
            return (left + right) % PRIME
        total = dict(_terms(left))
        for monomial, coefficient in _terms(right).items():
            total[monomial] = (total.get(monomial, 0) + coefficient) % PRIME
        return _simplest(total)

    def multiply(self, left: Value, right: Value) -> Value:
        """left * right."""
        if isinstance(left, int) and isinstance(right, int):
            return left * right % PRIME
        product: Value = 0
        for (one, first), (other, second) in itertools.product(_terms(left).items(), _terms(right).items()):
            scaled = self._monomial(one, other)
            product = self.add(product, _scaled(scaled, first * second))
        return product

    def power(self, base: Value, exponent: int) -> Value:
        """base ^ exponent; UndefinedAtPoint for a negative power of 0."""
        if isinstance(base, int):
            return pow(base if exponent >= 0 else _inverse(base), abs(exponent), PRIME)
        if exponent < 0:
            return self.power(self._inverse(base), -exponent)
        result: Value = 1
        for bit in bin(exponent)[2:]:
            result = self.multiply(result, result)
            result = self.multiply(result, base) if bit == "1" else result
        return result

    def root(self, radicand: Value, order: int) -> Value:
        """The root of some order, prime after prime: x^(1/4) is the square root of x^(1/2)."""
        for prime in _prime_factors(order):
            key = frozen(radicand), prime
            if key not in self._roots:
                self._roots[key] = len(self._radicands)
                self._radicands.append((radicand, prime))
            radicand = {((self._roots[key], 1),): 1}
        return radicand

    def _monomial(self, left: Monomial, right: Monomial) -> Value:
        """The product of two, where r^q is the radicand."""
        powers = dict(left)
        for root, exponent in right:
            powers[root] = powers.get(root, 0) + exponent
        outside: Value = 1
        for root, exponent in tuple(powers.items()):
            radicand, order = self._radicands[root]
            if exponent >= order:
                powers[root] = exponent - order
                outside = self.multiply(outside, radicand)
        kept = tuple(sorted((root, exponent) for root, exponent in powers.items() if exponent))
        if isinstance(outside, int):
            return _scaled({kept: 1}, outside)
        return self.multiply(outside, {kept: 1})

    def _inverse(self, value: Value) -> Value:
        """1/value, from the linear equations that value * (unknown coefficients) = 1 is."""
        basis = self._basis(value)
        columns = [_terms(self.multiply(value, {monomial: 1})) for monomial in basis]
        rows = [[column.get(monomial, 0) for column in columns] for monomial in basis]
        solution = _solved(rows, [int(monomial == ()) for monomial in basis])
        return _simplest(dict(zip(basis, solution, strict=True)))

    def _basis(self, value: Value) -> list[Monomial]:
        """All products of the roots in the value, and of those below these roots."""
        found: set[int] = set()
        waiting = _roots_in(value)
        while waiting:
            root = waiting.pop()
            if root not in found:
                found.add(root)
                waiting |= _roots_in(self._radicands[root][0])
        roots = sorted(found)
        ranges = [range(self._radicands[root][1]) for root in roots]
        exponents = itertools.islice(itertools.product(*ranges), MOST_MONOMIALS + 1)
        basis = [tuple((root, e) for root, e in zip(roots, each, strict=True) if e) for each in exponents]
        if len(basis) > MOST_MONOMIALS:
            raise UndefinedAtPoint
        return basis


def _terms(value: Value) -> Mapping[Monomial, int]:
    return {(): value} if isinstance(value, int) else value


def _simplest(terms: Mapping[Monomial, int]) -> Value:
    kept = {monomial: coefficient for monomial, coefficient in terms.items() if coefficient}
    return kept.get((), 0) if kept.keys() <= {()} else kept


def _scaled(value: Value, factor: int) -> Value:
    if isinstance(value, int):
        return value * factor % PRIME
    return _simplest({monomial: coefficient * factor % PRIME for monomial, coefficient in value.items()})


def _roots_in(value: Value) -> set[int]:
    return {root for monomial in _terms(value) for root, _ in monomial}


def _inverse(value: int) -> int:
    if value % PRIME == 0:
        raise UndefinedAtPoint
    return pow(value, -1, PRIME)


def _prime_factors(order: int) -> Iterable[int]:
    factor = 2
    while order > 1:
        while order % factor == 0:
            yield factor
            order //= factor
        factor += 1


def _solved(rows: list[list[int]], right: list[int]) -> list[int]:
    """Gauss-Jordan elimination modulo the prime."""
    table = [[*row, value] for row, value in zip(rows, right, strict=True)]
    for place in range(len(table)):
        pivot = next((number for number in range(place, len(table)) if table[number][place]), None)
        if pivot is None:
            raise UndefinedAtPoint
        table[place], table[pivot] = table[pivot], table[place]
        inverse = _inverse(table[place][place])
        table[place] = [entry * inverse % PRIME for entry in table[place]]
        for number, row in enumerate(table):
            if number != place and row[place]:
                table[number] = [
                    (entry - row[place] * own) % PRIME for entry, own in zip(row, table[place], strict=True)
                ]
    return [row[-1] for row in table]
