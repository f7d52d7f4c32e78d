"""What stands for a derivative inside a model, wherever its pattern of indices occurs again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from symbackprop.notation.arithmetic import factors_of, multiply, normalised
from symbackprop.notation.derivatives import Derivative, InnerDerivative
from symbackprop.notation.expressions import Delta, Element, Expression, Index
from symbackprop.notation.substitution import rename_tensors, rewrite_bottom_up, substitute
from symbackprop.rewriting.justification import Anchor, Equality, Premise, Recomputed
from symbackprop.rewriting.replacements import renamed_equalities
from symbackprop.rewriting.rule import Step, WholeRule
from symbackprop.rules.one_index import one_index_for_both, with_one_index
from symbackprop.systems.printing import text


def innermost_derivative(expression: Expression) -> InnerDerivative | None:
    """The first derivative whose numerator is a tensor's element."""
    for node in expression.walk():
        if isinstance(node, InnerDerivative) and isinstance(node.numerator, Element):
            return node
    return None


@dataclass(frozen=True)
class KnownDerivative:
    """What stands for a derivative, at the positions where it was found."""

    derivative: Derivative
    value: Expression

    def at(self, derivative: Derivative) -> Expression:
        """What stands for it at other positions."""
        found_at = positions_of(self.derivative)
        return value_at(self.value, dict(zip(found_at, positions_of(derivative), strict=True)))


def value_at(value: Expression, at: Mapping[Index, Expression]) -> Expression:
    """What stands for a derivative where its indices are these; a delta of one index with itself is 1."""
    there = substitute(value, at)
    factors = factors_of(there)
    kept = [each for each in factors if not (isinstance(each, Delta) and each.left == each.right)]
    return there if len(kept) == len(factors) else multiply(*kept)


def positions_of(derivative: Derivative) -> tuple[Index, ...]:
    """The indices at which numerator and denominator stand, in that order."""
    positions = (*derivative.numerator.positions, *derivative.denominator.positions)
    return tuple(position for position in positions if isinstance(position, Index))


def pattern_of(derivative: Derivative) -> tuple[str, str, tuple[int, ...]]:
    """The two tensors, and which of their positions share an index."""
    positions = positions_of(derivative)
    places = tuple(positions.index(position) for position in positions)
    return derivative.numerator.tensor, derivative.denominator.tensor, places


def put_in_place(expression: Expression, node: Expression, value: Expression) -> Expression:
    """The expression with another one in the place of the derivative; put together anew above a number."""

    def replaced(each: Expression) -> Expression:
        if each == node:
            return value
        return each if isinstance(value, Element) else normalised(each)

    return rewrite_bottom_up(expression, replaced)


@dataclass(frozen=True)
class NamedDerivatives(Recomputed):
    """What stands for the derivatives that a model states, one after another, the innermost first."""

    values: tuple[Equality, ...]
    name: str = "name the derivatives"
    statement: str = "what has been found keeps its name"
    kind: ClassVar[str] = "substitution"
    whole: ClassVar[bool] = True

    @property
    def equations(self) -> tuple[Equality, ...]:
        """What stands for what."""
        return self.values

    def again(self, node: Expression) -> Expression:
        """The equation with the values in it."""
        for stated, value in self.values:
            node = put_in_place(node, stated, value)
        return node

    def rests_on(self, anchor: Anchor, before: Expression, place: Sequence[int]) -> bool:
        """Whether each value is the one found for its derivative."""
        return all(map(anchor.names, self.values))

    def renamed(self, names: Mapping[str, str]) -> NamedDerivatives:
        """The same in other names."""
        return NamedDerivatives(renamed_equalities(self.values, names))


@dataclass(frozen=True)
class Between(Premise):
    """The two elements of a derivative whose indices a delta may tie."""

    root: Element
    target: Element

    @property
    def lines(self) -> tuple[str, ...]:
        """Both."""
        return (f"{text(self.root)} by {text(self.target)}",)

    def tied(self, expression: Expression) -> tuple[dict[Index, Index], Expression, Expression]:
        """Which index stands for which, the deltas that say so, and the expression without them."""
        return with_one_index(expression, self.root.free_indices, self.target.free_indices)

    def holds(self, anchor: Anchor) -> bool:
        """Whether it is the derivative at hand."""
        return anchor.is_at_hand(self.root, self.target)

    def renamed(self, names: Mapping[str, str]) -> Between:
        """The same elements of other names."""
        root, target = (rename_tensors(each, names) for each in (self.root, self.target))
        assert isinstance(root, Element) and isinstance(target, Element)
        return Between(root, target)


def one_index_between(between: Between) -> WholeRule:
    """Where a delta ties an index of one element to one of the other, the latter stands for both."""
    return one_index_for_both(between.root.free_indices, between.target.free_indices)


def one_index_step(before: Expression, between: Between) -> tuple[Step, ...]:
    """The rule used on a derivative; no step where it changes nothing."""
    rule = one_index_between(between)
    after = rule.apply(before)
    return () if after is None or after == before else (Step(rule.cited(between, ()), (), before, after),)
