"""Factors that may be too small for a number, and meet their reciprocals in the terms of a sum beside them.

sigmoid(f)*(g/sigmoid(f) + h) is 0*inf far below 0, where g + sigmoid(f)*h is g. And what a delta ties, so
that it cancels across a sum: delta(p,q)*f[p] is delta(p,q)*f[q].
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from symbackprop.exponentials.complements import difference_of_sigmoids
from symbackprop.exponentials.exponents import instances, summands
from symbackprop.exponentials.factors import sums_sigmoids
from symbackprop.exponentials.meanings import Meanings
from symbackprop.exponentials.scaled import has_exponentials
from symbackprop.exponentials.scales import LARGEST_SCALED
from symbackprop.exponentials.sigmoids import Sigmoid, sigmoid_of, sigmoids_in
from symbackprop.exponentials.ties import Deltas, deltas_of, is_tied, tied_by
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


@dataclass(frozen=True, kw_only=True)
class Cancelling(ABC):
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

    def meant(self, name: Element) -> Expression:
        """What a name stands for; one that reads itself stays, for it would be opened again and again."""
        equation = self.meanings.definition(name)
        return name if equation is None or name.tensor in equation.reads else self.meanings.of(name)

    def taken_into(self, node: Expression, deltas: Deltas = ()) -> Expression | None:
        """The node times the factor; None where it meets nothing."""
        match node:
            case Add():
                terms = summands(node)
                return self._into_terms(terms, deltas) if len(terms) > 1 else None
            case Where(condition, chosen, otherwise):
                tied = (*deltas, *deltas_of(condition)) if otherwise == ZERO else deltas
                found = self._into_each((chosen, otherwise), tied)
                return None if found is None else Where(condition, *found)
            case Reduction("sum"):
                inner = rename_bound(node, self.factor.free_indices)
                body = self.taken_into(inner.body, deltas)
                return None if body is None else inner.with_children((body,))
            case Element():
                meant = self.meant(node)
                is_opened = self.opens_names and meant != node and meant.node_count <= LARGEST_SCALED
                return replace(self, opens_names=False).taken_into(meant, deltas) if is_opened else None
        return self._into_product(node, deltas)

    def _into_terms(self, terms: Sequence[Expression], deltas: Deltas) -> Expression | None:
        """The sum times the factor; a difference of sigmoids stays one where neither meets anything."""
        left = [each for each in terms if self.taken_into(each, deltas) is None]
        if len(left) == 2 < len(terms) and difference_of_sigmoids(add(*left), self.meanings) is not None:
            others = self._into_each([each for each in terms if each not in left], deltas)
            return None if others is None else add(multiply(add(*left), self.factor), *others)
        found = self._into_each(terms, deltas)
        return None if found is None else add(*found)

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
class _CancellingName(Cancelling):
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
            is_met = base == self.name or any(is_tied(base, self.name, delta) for delta in deltas)
            if exponent * self.sign < 0 and is_met:
                left = power(base, Number(exponent + self.sign))
                return multiply(*factors[:place], left, *factors[place + 1 :])
            if exponent > 0 and self._is_opposite(base):
                left = power(base, Number(exponent - 1))
                return multiply(*factors[:place], left, *factors[place + 1 :])
        return None

    def _is_opposite(self, base: Expression) -> bool:
        """Whether it is exp(-f), where the name stands for exp(f)."""
        inner = argument_of("exp", base)
        own = None if inner is None else argument_of("exp", self.meanings.of(self.name))
        return own is not None and inner == (negate(own) if self.sign > 0 else own)


@dataclass(frozen=True, kw_only=True)
class _CancellingSigmoid(Cancelling):
    """Takes in a sigmoid: it meets its reciprocal, that of a sum of sigmoids, or exp(f) for sigmoid(-f)."""

    sigmoid: Sigmoid

    @property
    def factor(self) -> Expression:
        return self.sigmoid.node

    def into_factors(self, factors: Sequence[Expression], deltas: Deltas) -> Expression | None:
        if not any(self._meets(each, deltas) for each in factors):
            return None
        return multiply(*self._spelled_alike(factors, deltas), self.sigmoid.as_function)

    def _meets(self, factor: Expression, deltas: Deltas) -> bool:
        own, other = self.sigmoid, sigmoid_of(factor, self.meanings)
        if other is not None:
            return self._is_own(other.argument, deltas) and other.exponent * own.exponent < 0
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

    def _is_own(self, argument: Expression, deltas: Deltas) -> bool:
        """Whether an argument is that of the sigmoid, also where a delta ties their positions."""
        own = self.sigmoid.argument
        return argument == own or argument in tied_by(own, deltas)

    def _spelled_alike(self, factors: Sequence[Expression], deltas: Deltas) -> Iterator[Expression]:
        for factor in factors:
            other = sigmoid_of(factor, self.meanings)
            is_same = other is not None and self._is_own(other.argument, deltas)
            same = replace(other, argument=self.sigmoid.argument) if other is not None and is_same else None
            yield factor if same is None else same.as_function


def cancelled_in_sum(node: Expression, meanings: Meanings) -> Expression | None:
    """sigmoid(f)*(g/sigmoid(f) + h) = g + sigmoid(f)*h; sigmoid(-f)*(g*exp(f) + h) as well."""
    for factor, rest in each_and_rest(node):
        sigmoid = sigmoid_of(factor, meanings)
        found = taken_in(rest, _CancellingSigmoid(sigmoid=sigmoid, meanings=meanings)) if sigmoid else None
        if found is not None:
            return found
    return None


def cancelled_by_name(node: Expression, meanings: Meanings) -> Expression | None:
    """f*(g/f + h) = g + f*h, where f is an exponential or a name with some, and so may be 0; masked too.

    (f*g + h)/f = g + h/f for a name f.
    """
    for factor, rest in each_and_rest(node):
        match factor:
            case Where(condition, chosen, otherwise) if otherwise == ZERO:
                for part, others in each_and_rest(multiply(chosen)):
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
    if not (is_small and any(map(_has_terms, rest))) or not (
        has_exponentials(name, meanings) or _is_product_of_sigmoids(name, meanings)
    ):
        return None
    return taken_in(rest, _CancellingName(name=name, sign=sign, meanings=meanings, opens_names=sign == 1))


def _is_product_of_sigmoids(name: Expression, meanings: Meanings) -> bool:
    """Whether it stands for several factors, sigmoids among them: then it is no 1 - p."""
    factors = [each for each in factors_of(meanings.of(name)) if each.tensors]
    return len(factors) > 1 and any(has_exponentials(each, meanings.with_sigmoids()) for each in factors)


def each_and_rest(node: Expression) -> Iterator[tuple[Expression, Sequence[Expression]]]:
    """Each factor of a product, and the others."""
    factors = factors_of(node)
    for at, factor in enumerate(factors):
        yield factor, (*factors[:at], *factors[at + 1 :])


def taken_in(factors: Sequence[Expression], cancelling: Cancelling) -> Expression | None:
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
            if exponent < 0 and isinstance(delta, Delta) and is_tied(base, element, delta):
                return place, exponent
    return None
