"""Derivatives that follow from one another step by step: all that a recurrence's members ask for, at once.

dy/dh[t] reads dy/dh[t+1], and dh[t]/dw reads dh[t-1]/dw, so that each has its name before it has an equation.
Where the recurrence keeps the samples of a batch apart, the names are those of the diagonals: that
dy[m]/dh[n,t] = delta(m,n)*dy_dh[n,t] is assumed of all, and holds from step to step where the delta is a
factor of everything that is found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from symbackprop.algebra.context import Scope
from symbackprop.algebra.scalar_search import Account, Budget
from symbackprop.derivation.adjoints import WorkedOut, worked_out
from symbackprop.derivation.chain_rules import ChainRuleForwards, PathRule
from symbackprop.derivation.inner.known_derivatives import (
    Between,
    KnownDerivative,
    one_index_step,
    pattern_of,
    positions_of,
)
from symbackprop.derivation.inner.ties import Ties, ties_to_try
from symbackprop.derivation.inner.ways import Way
from symbackprop.derivation.result import AdjointDerivation
from symbackprop.derivation.reverse import chain_rule_between, own_indices
from symbackprop.notation.arithmetic import multiply
from symbackprop.notation.derivatives import Derivative
from symbackprop.notation.expressions import Delta, Element, Expression, Index
from symbackprop.notation.substitution import fresh_index
from symbackprop.systems.system import Equation, System

Named = Callable[[Derivative], Expression]
Totals = Mapping[str, tuple[Derivative, tuple[Index, ...]]]


@dataclass(frozen=True)
class Sought:
    """A derivative, the name that it is to have, at its own indices, and the deltas beside that."""

    total: Derivative
    element: Element
    ties: Mapping[Index, Index]

    @property
    def indices(self) -> tuple[Index, ...]:
        """Those of the name."""
        return tuple([index for index in self.element.positions if isinstance(index, Index)])

    @property
    def value(self) -> Expression:
        """What stands for the derivative."""
        return multiply(*(Delta(ours, theirs) for ours, theirs in self.ties.items()), self.element)

    def as_stated(self, derivative: Derivative, equation: Equation) -> Sought:
        """With the name of an equation that is this derivative, at just its indices; else as it is."""
        if pattern_of(derivative)[:2] != pattern_of(self.total)[:2]:
            return self
        at = dict(zip(positions_of(self.total), positions_of(derivative), strict=True))
        by_stated = {at[index]: index for index in self.indices}
        is_all = len(by_stated) == len(self.indices) and by_stated.keys() == {*equation.indices}
        if not is_all or any(at[ours] != at[theirs] for ours, theirs in self.ties.items()):
            return self
        return replace(
            self, element=Element(equation.tensor, tuple([by_stated[i] for i in equation.indices]))
        )


@dataclass(frozen=True)
class Together:
    """The derivatives of a recurrence's members by a tensor or, backwards, of a tensor by the members.

    `named` says what stands for a derivative by, or of, what is no member. An equation that is `stated` to be
    one of the derivatives is its name.
    """

    system: System
    way: Way
    still: str
    names: Mapping[str, str]
    named: Named
    scope: Callable[[Totals], Scope]
    budget: Budget
    stated: tuple[Derivative, Equation] | None = None
    members: tuple[Equation, ...] = field(init=False)

    def __post_init__(self) -> None:
        definitions = self.system.definitions
        object.__setattr__(self, "members", tuple([definitions[each] for each in self.way.members]))

    def found(self) -> list[tuple[AdjointDerivation, KnownDerivative]]:
        """Each member's derivation, and what stands for its derivative, in the order of one step."""
        choices = ties_to_try(self.members, own_indices(self.system, self.still))
        found = (self._with(places) for places in choices)
        return next(each for each in found if each is not None)

    def rule(self, total: Derivative) -> PathRule:
        """The chain rule for one of them."""
        if not self.way.forwards:
            between = self.way.between
            return chain_rule_between(self.system, total.numerator, total.denominator, between)[1]
        equation = self.system.definitions[total.numerator.tensor]
        return ChainRuleForwards(equation, tuple(self.operands(equation)))

    def operands(self, equation: Equation) -> Iterator[Element]:
        """What a member reads that moves with the tensor; the tensor itself where it is loop-carried."""
        for name in equation.reads:
            if name in self.way.between and (name != self.still or self.way.is_carried):
                yield Element(name, own_indices(self.system, name))

    def _with(self, places: Ties) -> list[tuple[AdjointDerivation, KnownDerivative]] | None:
        """The derivations where these indices are tied; None where what is found does not keep to it."""
        sought = [self._sought(member, places) for member in self.members]
        known = {pattern_of(each.total): KnownDerivative(each.total, each.value) for each in sought}
        scope = self.scope({each.element.tensor: (each.total, each.indices) for each in sought})

        def named(derivative: Derivative) -> Expression:
            member = known.get(pattern_of(derivative))
            return self.named(derivative) if member is None else member.at(derivative)

        found: list[AdjointDerivation] = []
        for each in sought:
            own, account = scope.at(each.element), Account(self.budget)
            worked = worked_out(each.total, self.rule(each.total), named, own, account)
            derivation = _on_diagonal(each, worked)
            if derivation is None:
                return None
            found.append(derivation)
            scope = scope.with_equations((derivation.equation,))
        return [(each, known[pattern_of(each.total)]) for each in found]

    def _sought(self, member: Equation, places: Ties) -> Sought:
        """The derivative of, or by, a member; the target's index is written for both that are tied."""
        own, fixed = member.indices, own_indices(self.system, self.still)
        at = [None if each is None else each[member.tensor] for each in places]
        taken: list[Index] = [*own]
        others: list[Index] = []
        for index, place in zip(fixed, at, strict=True):
            taken.append(fresh_index(index if place is None else own[place], taken))
            others.append(taken[-1])
        moving, still = list(own), list(others)
        ties: dict[Index, Index] = {}
        for number, place in enumerate(at):
            if place is not None:
                ties[others[number]] = own[place]
                if self.way.forwards:
                    moving[place], still[number] = still[number], moving[place]
        above, below = Element(member.tensor, tuple(moving)), Element(self.still, tuple(still))
        if not self.way.forwards:
            above, below = below, above
        total = Derivative(above, below, total=True)
        indices = dict.fromkeys([ties.get(index, index) for index in positions_of(total)])
        found = Sought(total, Element(self.names[member.tensor], tuple(indices)), ties)
        return found if self.stated is None else found.as_stated(*self.stated)


def _on_diagonal(sought: Sought, worked: WorkedOut) -> AdjointDerivation | None:
    """The derivation with the deltas apart that are assumed; None where the closed form lacks one."""
    total, closed = sought.total, worked.closed
    steps, deltas = worked.steps, multiply()
    if sought.ties:
        between = Between(total.numerator, total.denominator)
        ties, deltas, rest = between.tied(closed)
        if ties != sought.ties:
            return None
        steps, closed = steps.followed_by(one_index_step(closed, between)), rest
    equation = Equation(sought.element.tensor, sought.indices, closed)
    derivation = AdjointDerivation(
        total.denominator.tensor, total, worked.factors, steps, equation, kept=True
    )
    return replace(derivation, deltas=deltas)
