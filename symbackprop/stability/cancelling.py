"""Factors that may be too small for a number, and meet their reciprocals in the terms of a sum beside them.

sigmoid(f)*(g/sigmoid(f) + h) is 0*inf far below 0, where g + sigmoid(f)*h is g. And what a delta ties, so
that it cancels across a sum: delta(p,q)*f[p] is delta(p,q)*f[q].
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from symbackprop.notation.arithmetic import (
    add,
    base_and_exponent,
    factors_of,
    is_reciprocal,
    is_sum,
    multiply,
    negate,
    power,
    terms_of,
)
from symbackprop.notation.expressions import (
    MINUS_ONE,
    Add,
    Apply,
    Delta,
    Element,
    Expression,
    Index,
    Multiply,
    Number,
    Reduction,
    Where,
)
from symbackprop.notation.pairs import argument_of, as_power
from symbackprop.notation.substitution import rename_bound
from symbackprop.stability.complements import left_by_mean
from symbackprop.stability.exponents import instances
from symbackprop.stability.factors import sums_sigmoids
from symbackprop.stability.meanings import LARGEST_SCALED, Meanings
from symbackprop.stability.sigmoids import sigmoid_argument


@dataclass(frozen=True)
class _Sigmoid:
    """A factor (sign*sigmoid(argument))^exponent, which is spelled `node`."""

    node: Expression
    argument: Expression
    exponent: int
    sign: int = 1

    @property
    def as_function(self) -> Expression:
        """The same, spelled as the function."""
        function = multiply(Number(self.sign), Apply("sigmoid", (self.argument,)))
        return power(function, Number(self.exponent))


@dataclass(frozen=True)
class _Cancelling:
    """Takes a sigmoid into expressions in which it meets its reciprocal, or exp(f) for sigmoid(-f)."""

    sigmoid: _Sigmoid
    meanings: Meanings
    opens_names: bool = True  # of a name's own names none: what is opened is written out

    def taken_into(self, node: Expression) -> Expression | None:
        """The node times the sigmoid; None where it meets nothing."""
        match node:
            case Add(terms):
                found = self._into_each(terms)
                return None if found is None else add(*found)
            case Where(condition, chosen, otherwise):
                found = self._into_each((chosen, otherwise))
                return None if found is None else Where(condition, *found)
            case Reduction("sum"):
                inner = rename_bound(node, self.sigmoid.argument.free_indices)
                body = self.taken_into(inner.body)
                return None if body is None else inner.with_children((body,))
            case Element():
                meant = self.meanings.of(node)
                is_opened = self.opens_names and meant != node and meant.node_count <= LARGEST_SCALED
                return replace(self, opens_names=False).taken_into(meant) if is_opened else None
        return self._into_product(node)

    def _into_each(self, parts: Sequence[Expression]) -> list[Expression] | None:
        found = [self.taken_into(each) for each in parts]
        if all(each is None for each in found):
            return None
        return [new or multiply(old, self.sigmoid.node) for new, old in zip(found, parts, strict=True)]

    def _into_product(self, node: Expression) -> Expression | None:
        factors = factors_of(node)
        if any(map(self._meets, factors)):
            return multiply(*self._spelled_alike(factors), self.sigmoid.as_function)
        for place, factor in enumerate(factors if len(factors) > 1 else ()):
            found = self.taken_into(factor)
            if found is not None:
                return multiply(*factors[:place], found, *factors[place + 1 :])
        return None

    def _meets(self, factor: Expression) -> bool:
        own, other = self.sigmoid, _sigmoid(factor, self.meanings)
        if other is not None:
            return other.argument == own.argument and other.exponent * own.exponent < 0
        base, exponent = as_power(factor)
        if exponent < 0 < own.exponent and sums_sigmoids(base, self.meanings):
            return self._is_in_a_term(base)
        return exponent * own.exponent > 0 and argument_of("exp", base) == negate(own.argument)

    def _is_in_a_term(self, total: Expression) -> bool:
        """Whether a term of a sum has the sigmoid, or that of the negative, as a factor."""
        own = self.sigmoid.argument
        for factor in _factors_of_terms(self.meanings.of(total)):
            argument, indices = sigmoid_argument(as_power(factor[0])[0], self.meanings), factor[1]
            arguments = () if argument is None else instances(argument, indices, own)
            if any(each in (own, negate(own)) for each in arguments):
                return True
        return False

    def _spelled_alike(self, factors: Sequence[Expression]) -> Iterator[Expression]:
        for factor in factors:
            other = _sigmoid(factor, self.meanings)
            is_same = other is not None and other.argument == self.sigmoid.argument
            yield other.as_function if other is not None and is_same else factor


def _factors_of_terms(
    node: Expression, bound: tuple[Index, ...] = ()
) -> Iterator[tuple[Expression, tuple[Index, ...]]]:
    """The factors of the terms of a sum, and the indices over which they are summed."""
    for term in terms_of(node):
        for factor in factors_of(term):
            if is_sum(factor):
                yield from _factors_of_terms(factor.body, (*bound, *factor.indices))
            elif isinstance(factor, Add) and factor != node:
                yield from _factors_of_terms(factor, bound)
            else:
                yield factor, bound


def cancelled_in_sum(node: Expression, meanings: Meanings) -> Expression | None:
    """sigmoid(f)*(g/sigmoid(f) + h) = g + sigmoid(f)*h; sigmoid(-f)*(g*exp(f) + h) as well."""
    if not isinstance(node, Multiply):
        return None
    for place, factor in enumerate(node.factors):
        sigmoid = _sigmoid(factor, meanings)
        if sigmoid is None:
            continue
        cancelling = _Cancelling(sigmoid, meanings)
        for at, beside in enumerate(node.factors):
            found = cancelling.taken_into(beside) if at != place and _has_terms(beside) else None
            if found is not None:
                others = (each for n, each in enumerate(node.factors) if n not in (at, place))
                return multiply(*others, found)
    return None


def _has_terms(node: Expression) -> bool:
    return isinstance(node, Add | Where | Element) or (isinstance(node, Reduction) and node.kind == "sum")


def reciprocal_of_where(node: Expression, meanings: Meanings) -> Expression | None:
    """1/where(c, f, g) = where(c, 1/f, 1/g), where f or g is a sigmoid."""
    base, exponent = base_and_exponent(node)
    if not (is_reciprocal(node) and isinstance(exponent, Number)):
        return None
    match meanings.of(base):
        case Where(condition, chosen, otherwise):
            if any(_sigmoid(each, meanings) is not None for each in (chosen, otherwise)):
                return Where(condition, power(chosen, exponent), power(otherwise, exponent))
    return None


def _sigmoid(factor: Expression, meanings: Meanings) -> _Sigmoid | None:
    base, exponent = as_power(factor)
    sides = ((1, base), (-1, negate(base))) if isinstance(base, Add) else ((1, base),)
    for sign, side in sides:
        argument = sigmoid_argument(side, meanings)
        if argument is not None:
            return _Sigmoid(factor, argument, exponent, sign)
    return None


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
        if not isinstance(delta, Delta):
            continue
        for place, part in enumerate(parts):
            base, exponent = as_power(part)
            if isinstance(base, Element) and exponent < 0 and base.tensor == element.tensor:
                there = tuple(delta.right if each == delta.left else each for each in base.positions)
                back = tuple(delta.left if each == delta.right else each for each in base.positions)
                if element.positions in (there, back):
                    return place, exponent
    return None


def difference_of_powers(node: Expression, meanings: Meanings) -> Expression | None:
    """f^n*g - f^(n + 1)*g = f^n*(1 - f)*g, where f is a sigmoid or a mean of some, and so is 1 - f."""
    if not isinstance(node, Add):
        return None
    for higher in node.terms:
        for factor in factors_of(higher):
            base, exponent = as_power(factor)
            lower = multiply(MINUS_ONE, higher, power(base, MINUS_ONE)) if exponent > 1 else None
            left = left_by_mean(base, meanings) if lower in node.terms else None
            if lower is not None and left is not None:
                joined = multiply(lower, left)
                terms = (joined if term == lower else term for term in node.terms if term != higher)
                return add(*terms)
    return None
