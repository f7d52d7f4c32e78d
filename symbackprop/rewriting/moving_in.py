"""A factor beside a sum, or beside a `where` that is 0 otherwise, as a factor inside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from symbackprop.notation.arithmetic import (
    base_and_exponent,
    divide,
    factors_of,
    is_reciprocal,
    is_sum,
    multiply,
)
from symbackprop.notation.expressions import ONE, ZERO, Expression, Reduction, Where
from symbackprop.notation.substitution import rename_bound, rename_tensors
from symbackprop.rewriting.justification import Anchor, Premise
from symbackprop.rewriting.rule import Path
from symbackprop.systems.printing import text


@dataclass(frozen=True)
class MovedIn(Premise):
    """The sum or `where`, and the factor beside it that goes in; neither is what a model has to say."""

    total: Expression
    below: Expression

    @property
    def lines(self) -> tuple[str, ...]:
        """Both."""
        return (f"{text(self.below)} into {text(self.total)}",)

    def holds(self, anchor: Anchor) -> bool:
        """Always: they are looked for in the product."""
        return True

    def renamed(self, names: Mapping[str, str]) -> MovedIn:
        """Both in other names."""
        return MovedIn(rename_tensors(self.total, names), rename_tensors(self.below, names))

    def used_on(self, node: Expression) -> Expression | None:
        """The product with the one inside the other, which moves to the end; None where it lacks one."""
        rest = list(factors_of(node))
        if not holds_a_factor(self.total) or self.total == self.below or self.total not in rest:
            return None
        rest.remove(self.total)
        left = _without_one(rest, self.below)
        return None if left is None else multiply(*left, self._inside)

    def place_in(self, moved: Expression) -> Path:
        """Where the factors inside stand in the product that comes of it."""
        last = len(factors_of(moved)) - 1
        return (*((last,) if last else ()), 1 if isinstance(self.total, Where) else 0)

    @property
    def _inside(self) -> Expression:
        match self.total:
            case Where(condition, chosen, otherwise):
                return Where(condition, multiply(chosen, self.below), otherwise)
            case Reduction():
                inner = rename_bound(self.total, self.below.free_indices)
                return inner.with_children((multiply(inner.body, self.below),))
        raise ValueError("neither a sum nor a mask")


def _without_one(factors: Sequence[Expression], below: Expression) -> list[Expression] | None:
    """The factors without this one, or with 1/f for f^-2 where it is 1/f; None where it is none of them."""
    for place, factor in enumerate(factors):
        if factor == below:
            return [*factors[:place], *factors[place + 1 :]]
        if is_reciprocal(factor) and divide(ONE, base_and_exponent(factor)[0]) == below:
            return [*factors[:place], divide(factor, below), *factors[place + 1 :]]
    return None


def is_mask(node: Expression) -> bool:
    """Whether it is a `where` that is 0 otherwise."""
    return isinstance(node, Where) and node.otherwise == ZERO


def holds_a_factor(node: Expression) -> bool:
    """Whether a factor beside it may as well stand inside."""
    return is_sum(node) or is_mask(node)


def below_beside(node: Expression) -> Iterator[tuple[Expression, Expression]]:
    """The sums and masks of a product, each with each denominator beside it."""
    for total, below in product(factors_of(node), factors_of(node)):
        if holds_a_factor(total) and is_reciprocal(below) and below.tensors:
            yield total, below
