"""Differences of weighted slopes of sigmoids, in sums too: what divides them may be as small."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations

from symbackprop.exponentials.differences import factors_of_quotient
from symbackprop.exponentials.factors import sums_sigmoids
from symbackprop.exponentials.meanings import Meanings
from symbackprop.exponentials.sigmoids import sigmoid_argument
from symbackprop.notation.arithmetic import (
    add,
    base_and_exponent,
    coefficient_and_rest,
    is_reciprocal,
    multiply,
    negate,
    subtract,
    terms_of,
)
from symbackprop.notation.expressions import (
    ONE,
    Add,
    Apply,
    Element,
    Expression,
    Index,
    Multiply,
    Number,
    Power,
    Reduction,
)
from symbackprop.notation.substitution import substitute


@dataclass(frozen=True)
class _Slope:
    """number*before*sum(indices, beside*f*(1 - f)), f = sigmoid(argument); no sum over no indices."""

    term: Expression
    number: Fraction
    before: tuple[Expression, ...]
    indices: tuple[Index, ...]
    beside: tuple[Expression, ...]
    sigmoid: Expression
    argument: Expression

    @property
    def turned(self) -> _Slope:
        """The same, which is the slope of sigmoid(-argument) as well."""
        terms = terms_of(negate(self.argument))
        argument = add(*sorted(terms, key=lambda term: coefficient_and_rest(term)[0] < 0))
        return replace(self, sigmoid=Apply("sigmoid", (argument,)), argument=argument)

    def with_difference(self, other: _Slope) -> Expression:
        """The same with (f - g)*(1 - f - g) for f*(1 - f), where g is the sigmoid of the other."""
        f, g = self.sigmoid, other.sigmoid
        inside = multiply(*self.beside, subtract(f, g), add(ONE, negate(f), negate(g)))
        summed = Reduction("sum", self.indices, inside) if self.indices else inside
        return multiply(Number(self.number), *self.before, summed)


def difference_of_weighted_slopes(node: Expression, meanings: Meanings) -> Expression | None:
    """sum(i, h*f*(1 - f)) - sum(i, h*g*(1 - g)) = sum(i, h*(f - g)*(1 - f - g)), f and g sigmoids.

    Beside a sum of such sigmoids in a denominator, which may be as small, f - g goes into one exponential.
    """
    if not isinstance(node, Add):
        return None
    slopes = [slope for term in node.terms for slope in _slopes(term, meanings)]
    for one, other in combinations(slopes, 2):
        if one.term is other.term or not _are_weighted_alike(one, other, meanings):
            continue
        close = other.turned if _are_close(one, other.turned) else other
        kept, left = (one, close) if _size(one) <= _size(close) else (close, one)
        rest = [term for term in node.terms if term is not one.term and term is not other.term]
        place = min(node.terms.index(each.term) for each in (one, other))
        return add(*rest[:place], kept.with_difference(left), *rest[place:])
    return None


def divides_by_difference(node: Expression, meanings: Meanings) -> bool:
    """Whether a factor in the expression, or in what it names, is the reciprocal of a sum of sigmoids."""
    factors = [part for each in node.walk() for part in factors_of_quotient(each, meanings)]
    below = [base_and_exponent(each)[0] for each in factors if is_reciprocal(each)]
    return any(sums_sigmoids(each, meanings) for each in below)


def _slopes(term: Expression, meanings: Meanings) -> Iterator[_Slope]:
    """The slopes in a term, which is a product, or one with a sum over indices."""
    number, rest = coefficient_and_rest(term)
    sums = [each for each in rest if isinstance(each, Reduction) and each.kind == "sum"]
    if len(sums) > 1:
        return
    total = sums[0] if sums else None
    indices = total.indices if isinstance(total, Reduction) else ()
    before = tuple([each for each in rest if each is not total]) if total else ()
    inner, inside = coefficient_and_rest(total.body) if isinstance(total, Reduction) else (Fraction(1), rest)
    for factor in inside:
        argument = sigmoid_argument(factor, meanings)
        left = subtract(ONE, factor)
        if argument is not None and left in inside:
            beside = tuple([each for each in inside if each is not factor and each != left])
            yield _Slope(term, number * inner, before, indices, beside, factor, argument)
            return


def _are_close(one: _Slope, turned: _Slope) -> bool:
    """Whether more cancels in their difference than where the second is as it stands."""
    left, otherwise = subtract(one.argument, turned.argument), add(one.argument, turned.argument)
    return len(terms_of(left)) < len(terms_of(otherwise))


def _size(slope: _Slope) -> int:
    return len(slope.before) + len(slope.beside)


def _are_weighted_alike(one: _Slope, other: _Slope, meanings: Meanings) -> bool:
    """Whether they have opposite signs and, but for the slopes, the same factors, behind names, too."""
    if len(one.indices) != len(other.indices):
        return False
    if [each.axis for each in one.indices] != [each.axis for each in other.indices]:
        return False
    found = [_opened(slope, meanings) for slope in (one, other)]
    moved = [substitute(each, dict(zip(other.indices, one.indices, strict=True))) for each in found[1][1]]
    if found[0][0] != -found[1][0] or len(moved) != len(found[0][1]):
        return False
    return all(found[0][1].count(each) == moved.count(each) for each in moved)


def _opened(slope: _Slope, meanings: Meanings) -> tuple[Fraction, list[Expression]]:
    """The number and the factors of its weight, with those of names that stand for products of names."""
    factors = [part for each in (*slope.before, *slope.beside) for part in _factors(each, meanings)]
    number, rest = coefficient_and_rest(multiply(Number(slope.number), *factors))
    return number, list(rest)


def _factors(node: Expression, meanings: Meanings) -> Iterator[Expression]:
    inside = factors_of_quotient(node, meanings)
    meant = meanings.of_earlier(node)
    if isinstance(meant, Multiply) and all(map(_is_name, meant.factors)):
        inside = meant.factors
    if len(inside) == 1 and inside[0] == node:
        yield node
        return
    for each in inside:
        yield from _factors(each, meanings)


def _is_name(factor: Expression) -> bool:
    base = factor.base if isinstance(factor, Power) and isinstance(factor.exponent, Number) else factor
    return isinstance(base, Element | Number)
