"""Polynomials in the sizes of axes: how many numbers a tensor has, how many operations a line takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import prod
from typing import TypeAlias

from symbackprop.indexing.counting import size_of
from symbackprop.integers.relations import size_value
from symbackprop.notation.arithmetic import add, multiply
from symbackprop.notation.expressions import Axis, Element, Expression, Index, Number, Size
from symbackprop.notation.substitution import rewrite_bottom_up
from symbackprop.systems.printing import text

# Sizes that are multiplied, in the order of their texts; () is the number one.
Monomial: TypeAlias = tuple[Expression, ...]


@dataclass(frozen=True)
class Polynomial:
    """A sum of products of sizes, each with a number in front."""

    terms: Mapping[Monomial, Fraction] = field(default_factory=dict)

    @classmethod
    def of(cls, number: Fraction | int) -> Polynomial:
        """A number."""
        return cls({(): Fraction(number)} if number else {})

    @classmethod
    def size(cls, axis: Axis) -> Polynomial:
        """How many values an axis has."""
        return cls({(size_of(axis),): Fraction(1)})

    @classmethod
    def elements(cls, indices: Iterable[Index]) -> Polynomial:
        """How many elements an array over these indices has."""
        return cls({_ordered(size_of(index.axis) for index in frozenset(indices)): Fraction(1)})

    def __add__(self, other: Polynomial) -> Polynomial:
        """The sum."""
        found = dict(self.terms)
        for monomial, number in other.terms.items():
            found[monomial] = found.get(monomial, Fraction(0)) + number
        return Polynomial({monomial: number for monomial, number in found.items() if number})

    def __mul__(self, other: Polynomial | int | Fraction) -> Polynomial:
        """The product with another, or with a number."""
        if not isinstance(other, Polynomial):
            other = Polynomial.of(other)
        total = Polynomial()
        for left, number in self.terms.items():
            products = {_ordered((*left, *right)): number * each for right, each in other.terms.items()}
            total = total + Polynomial(products)
        return total

    def at(self, sizes: Mapping[str, int]) -> int:
        """Its value for axes of these sizes, rounded to a whole number."""
        values = (
            number * prod((size_value(size, sizes) or Fraction(0) for size in monomial), start=Fraction(1))
            for monomial, number in self.terms.items()
        )
        return round(sum(values, Fraction(0)))

    @property
    def expression(self) -> Expression:
        """It as a formula in the names of the axes: 2*B*J*K + 3*B*J, the longest products first."""
        ordered = sorted(self.terms.items(), key=lambda term: (-len(term[0]), list(map(text, term[0]))))
        return add(*(multiply(Number(number), *map(named, monomial)) for monomial, number in ordered))


def total_of(polynomials: Iterable[Polynomial]) -> Polynomial:
    """The sum of several."""
    return sum(polynomials, Polynomial())


def named(size: Expression) -> Expression:
    """A size with the names of axes in it: B for size(b)."""
    return rewrite_bottom_up(size, lambda node: Element(node.axis.name) if isinstance(node, Size) else node)


def _ordered(factors: Iterable[Expression]) -> Monomial:
    return tuple(sorted(factors, key=text))
