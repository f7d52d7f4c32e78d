"""Even powers of differences that a model states: (1 - g)^2 where that was typed, not (g - 1)^2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from symbackprop.notation.arithmetic import add, coefficient_and_rest, negate
from symbackprop.notation.expressions import Add, Expression, Number, Power
from symbackprop.presentation.stated_differences import StatedDifferences
from symbackprop.rewriting.measure_context import MeasureContext
from symbackprop.rewriting.rule import Rule
from symbackprop.rules.conditions import stated_where
from symbackprop.systems.system import System

AS_STATED_IN_POWER = "power of a difference as stated"
TURNED = "powers of differences the other way round"
CONDITIONS = ("n is even", "g - f is a difference that the model states, and f - g is none")


@dataclass(frozen=True)
class StatedTerms(StatedDifferences):
    """Differences of two terms, as they are typed anywhere."""

    @classmethod
    def of(cls, system: System) -> Self:
        """Those of a system's equations, without those that stand in it the other way round, too."""
        nodes = [node for equation in system.equations for node in equation.expression.walk()]
        found = dict.fromkeys(node for node in nodes if isinstance(node, Add) and _is_difference(node))
        return cls(tuple([each for each in found if _turned(each) not in found]))

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """The rule that writes them so; none where there are none."""
        return (power_as_stated(self),) if self.differences else ()


def power_as_stated(premise: StatedTerms) -> Rule:
    """(f - g)^n = (g - f)^n, for the differences g - f of the premise."""

    def used(node: Expression) -> StatedTerms:
        base = node.base if isinstance(node, Power) else node
        return StatedTerms(tuple([each for each in premise.differences if _turned(base) == each]))

    return Rule(
        AS_STATED_IN_POWER,
        stated_where("(f - g)^n = (g - f)^n", CONDITIONS),
        lambda node: _as_stated(node, premise.differences),
        TURNED,
        CONDITIONS,
        example="(c - x[i])^2*y[j]",
        near_miss="(c - x[i])^3*y[j]",
        premise=used,
        root_types=(Power,),
    )


def _as_stated(node: Expression, differences: Sequence[Add]) -> Expression | None:
    match node:
        case Power(Add() as base, Number(exponent)) if exponent % 2 == 0 and base not in differences:
            turned = _turned(base)
            return Power(turned, node.exponent) if turned in differences else None
    return None


def turned_powers(expression: Expression, _context: MeasureContext, differences: Sequence[Add]) -> int:
    """How many even powers of differences would be written as these are stated."""
    return sum(_as_stated(node, differences) is not None for node in expression.walk())


def _turned(difference: Expression) -> Expression:
    """g - f for f - g."""
    return add(*(negate(term) for term in reversed(difference.children)))


def _is_difference(node: Add) -> bool:
    numbers = [coefficient_and_rest(term)[0] for term in node.terms]
    return len(numbers) == 2 and numbers[0] > 0 > numbers[1]
