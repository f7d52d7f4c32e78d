"""Factors that may be too small for a number, and meet their reciprocals in the terms of a sum beside them.

sigmoid(f)*(g/sigmoid(f) + h) is 0*inf far below 0, where g + sigmoid(f)*h is g. And what a delta ties, so
that it cancels across a sum: delta(p,q)*f[p] is delta(p,q)*f[q].
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from symbackprop.exponentials.exponents import instances
from symbackprop.exponentials.factors import sums_sigmoids
from symbackprop.exponentials.meanings import Meanings
from symbackprop.exponentials.scaled import has_exponentials
from symbackprop.exponentials.scales import LARGEST_SCALED
from symbackprop.exponentials.sigmoids import Sigmoid, sigmoid_of, sigmoids_in
from symbackprop.integers.bounds import conjuncts
from symbackprop.notation.arithmetic import (
    add,
    factors_of,
    is_sum,
    multiply,
    negate,
    power,
)
from symbackprop.notation.expressions import (
    ZERO,
    Add,
    Apply,
    Comparison,
    Delta,
    Element,
    Expression,
    Multiply,
    Number,
    Reduction,
    Where,
)
from symbackprop.notation.pairs import argument_of, as_power
from symbackprop.notation.substitution import rename_bound

Deltas: TypeAlias = tuple[Delta, ...]


@dataclass(frozen=True, kw_only=True)
class _Cancelling(ABC):
    """Takes a factor into expressions in which it meets its reciprocal.

    `opens_names` says whether names are opened; of a name's own names none: what is opened is written out.
    """

    meanings: Meanings
    opens_names: bool = True

    @property
    @abstractmethod
    def factor(self) -> Expression:
        """What is taken in, as it stands."""

    @abstractmethod
    def into_factors(self, factors: Sequence[Expression], deltas: Deltas) -> Expression | None:
        """A product times the factor, `deltas` beside it; None where it meets none of the factors."""

    def taken_into(self, node: Expression, deltas: Deltas = ()) -> Expression | None:
        """The node times the factor; None where it meets nothing."""
        match node:
            case Add(terms):
                found = self._into_each(terms, deltas)
                return None if found is None else add(*found)
            case Where(condition, chosen, otherwise):
                tied = (*deltas, *_deltas(condition)) if otherwise == ZERO else deltas
                found = self._into_each((chosen, otherwise), tied)
                return None if found is None else Where(condition, *found)
            case Reduction("sum"):
                inner = rename_bound(node, self.factor.free_indices)
                body = self.taken_into(inner.body, deltas)
                return None if body is None else inner.with_children((body,))
            case Element():
                meant = self.meanings.of(node)
                is_opened = self.opens_names and meant != node and meant.node_count <= LARGEST_SCALED
                return replace(self, opens_names=False).taken_into(meant, deltas) if is_opened else None
        return self._into_product(node, deltas)

    def _into_each(self, parts: Sequence[Expression], deltas: Deltas) -> list[Expression] | None:
        found = [self.taken_into(each, deltas) for each in parts]
        if all(each is None for each in found):
            return None
        return [new or multiply(old, self.factor) for new, old in zip(found, parts, strict=True)]

    def _into_product(self, node: Expression, deltas: Deltas) -> Expression | None:
        factors = factors_of(node)
        beside = (self.meanings.of(each) for each in factors)
        deltas = (*deltas, *(each for each in beside if isinstance(each, Delta)))
        met = self.into_factors(factors, deltas)
        if met is not None:
            return met
        for place, factor in enumerate(factors if len(factors) > 1 else ()):
            found = self.taken_into(factor, deltas)
            if found is not None:
                return multiply(*factors[:place], found, *factors[place + 1 :])
        return None


@dataclass(frozen=True, kw_only=True)
class _CancellingName(_Cancelling):
    """Takes in an element f[q] of what has exponentials: it meets 1/f[q], and 1/f[p] beside delta(p,q).

    Or the reciprocal, `sign` -1, which meets f[q].
    """

    name: Expression
    sign: int

    @property
    def factor(self) -> Expression:
        return power(self.name, Number(self.sign))

    def into_factors(self, factors: Sequence[Expression], deltas: Deltas) -> Expression | None:
        for place, factor in enumerate(factors):
            base, exponent = as_power(factor)
            is_met = base == self.name or any(_is_tied(base, self.name, delta) for delta in deltas)
            if exponent * self.sign < 0 and is_met:
                left = power(base, Number(exponent + self.sign))
                return multiply(*factors[:place], left, *factors[place + 1 :])
        return None


@dataclass(frozen=True, kw_only=True)
class _CancellingSigmoid(_Cancelling):
    """Takes in a sigmoid: it meets its reciprocal, that of a sum of sigmoids, or exp(f) for sigmoid(-f)."""

    sigmoid: Sigmoid

    @property
    def factor(self) -> Expression:
        return self.sigmoid.node

    def into_factors(self, factors: Sequence[Expression], deltas: Deltas) -> Expression | None:
        if not any(map(self._meets, factors)):
            return None
        return multiply(*self._spelled_alike(factors), self.sigmoid.as_function)

    def _meets(self, factor: Expression) -> bool:
        own, other = self.sigmoid, sigmoid_of(factor, self.meanings)
        if other is not None:
            return other.argument == own.argument and other.exponent * own.exponent < 0
        base, exponent = as_power(factor)
        if exponent < 0 < own.exponent and sums_sigmoids(base, self.meanings):
            return self._is_in_a_term(base)
        return exponent * own.exponent > 0 and argument_of("exp", base) == negate(own.argument)

    def _is_in_a_term(self, total: Expression) -> bool:
        """Whether a sum rests on the sigmoid, or on that of the negative, as a factor of a term."""
        own = self.sigmoid.argument
        for argument, indices in sigmoids_in(self.meanings.of(total), self.meanings):
            if any(each in (own, negate(own)) for each in instances(argument, indices, own)):
                return True
        return False

    def _spelled_alike(self, factors: Sequence[Expression]) -> Iterator[Expression]:
        for factor in factors:
            other = sigmoid_of(factor, self.meanings)
            is_same = other is not None and other.argument == self.sigmoid.argument
            yield other.as_function if other is not None and is_same else factor


def cancelled_in_sum(node: Expression, meanings: Meanings) -> Expression | None:
    """sigmoid(f)*(g/sigmoid(f) + h) = g + sigmoid(f)*h; sigmoid(-f)*(g*exp(f) + h) as well."""
    for factor, rest in _each_and_rest(node):
        sigmoid = sigmoid_of(factor, meanings)
        found = _taken_in(rest, _CancellingSigmoid(sigmoid=sigmoid, meanings=meanings)) if sigmoid else None
        if found is not None:
            return found
    return None


def cancelled_by_name(node: Expression, meanings: Meanings) -> Expression | None:
    """f*(g/f + h) = g + f*h, where f is an exponential or a name with some, and so may be 0; masked too.

    (f*g + h)/f = g + h/f for a name f.
    """
    for factor, rest in _each_and_rest(node):
        match factor:
            case Where(condition, chosen, otherwise) if otherwise == ZERO:
                for part, others in _each_and_rest(multiply(chosen)):
                    found = _with_name_taken_in(part, rest, meanings)
                    if found is not None:
                        return _masked(condition, multiply(*others, found))
        found = _with_name_taken_in(factor, rest, meanings)
        if found is not None:
            return found
    return None


def _masked(condition: Expression, node: Expression) -> Expression:
    is_so = isinstance(node, Where) and node.condition == condition and node.otherwise == ZERO
    return node if is_so else Where(condition, node, ZERO)


def _with_name_taken_in(
    factor: Expression, rest: Sequence[Expression], meanings: Meanings
) -> Expression | None:
    name, sign = as_power(factor)
    is_small = (sign == 1 and isinstance(name, Apply)) or (sign in (1, -1) and isinstance(name, Element))
    if not (is_small and any(map(_has_terms, rest))) or not has_exponentials(name, meanings):
        return None
    return _taken_in(rest, _CancellingName(name=name, sign=sign, meanings=meanings, opens_names=sign == 1))


def _each_and_rest(node: Expression) -> Iterator[tuple[Expression, Sequence[Expression]]]:
    """Each factor of a product, and the others."""
    factors = factors_of(node)
    for at, factor in enumerate(factors):
        yield factor, (*factors[:at], *factors[at + 1 :])


def _taken_in(factors: Sequence[Expression], cancelling: _Cancelling) -> Expression | None:
    """The product, with what is cancelled taken into a factor in which it meets its reciprocal."""
    for at, beside in enumerate(factors):
        found = cancelling.taken_into(beside) if _has_terms(beside) else None
        if found is not None:
            return multiply(*factors[:at], *factors[at + 1 :], found)
    return None


def _has_terms(node: Expression) -> bool:
    return isinstance(node, Add | Where | Element) or (isinstance(node, Reduction) and node.kind == "sum")


def cancelled_under_delta(node: Expression, _meanings: Meanings) -> Expression | None:
    """f[q]*sum(i, delta(p,q)*g/f[p]) = sum(i, delta(p,q)*g)."""
    if not isinstance(node, Multiply):
        return None
    for at, factor in enumerate(node.factors):
        if not is_sum(factor):
            continue
        inside = rename_bound(factor, (node.free_indices - factor.free_indices))
        parts = list(factors_of(inside.body))
        for other_at, other in enumerate(node.factors):
            base, exponent = as_power(other)
            tied = _tied(base, parts) if isinstance(base, Element) and exponent > 0 else None
            if tied is not None:
                place, below = tied
                times = min(exponent, -below)
                parts[place] = power(as_power(parts[place])[0], Number(below + times))
                changed = {
                    at: Reduction("sum", inside.indices, multiply(*parts)),
                    other_at: power(base, Number(exponent - times)),
                }
                return multiply(*(changed.get(each, old) for each, old in enumerate(node.factors)))
    return None


def _tied(element: Element, parts: list[Expression]) -> tuple[int, int] | None:
    """The place and the exponent of a reciprocal of the element, read at the other position of a delta."""
    for delta in parts:
        for place, part in enumerate(parts if isinstance(delta, Delta) else ()):
            base, exponent = as_power(part)
            if exponent < 0 and isinstance(delta, Delta) and _is_tied(base, element, delta):
                return place, exponent
    return None


def _deltas(condition: Expression) -> Iterator[Delta]:
    """The deltas that are 1 where a condition holds."""
    for part in conjuncts(condition):
        match part:
            case Comparison("==", left, right):
                yield Delta(left, right)


def _is_tied(node: Expression, element: Expression, delta: Delta) -> bool:
    """Whether it is the element, read at the other position of a delta."""
    if not (isinstance(node, Element) and isinstance(element, Element)) or node.tensor != element.tensor:
        return False
    there = tuple(delta.right if each == delta.left else each for each in node.positions)
    back = tuple(delta.left if each == delta.right else each for each in node.positions)
    return element.positions in (there, back)
