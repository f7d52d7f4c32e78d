"""Decimals that a model states: 0.9*x + 0.1*y where these were typed, not 0.1*(9*x + y)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from symbackprop.notation.arithmetic import add, coefficient_and_rest, multiply
from symbackprop.notation.expressions import Add, Expression, Multiply, Number
from symbackprop.rewriting.justification import Anchor, Premise
from symbackprop.rewriting.measure_context import MeasureContext
from symbackprop.rewriting.rule import Rule
from symbackprop.rules.conditions import stated_where
from symbackprop.systems.printing import text
from symbackprop.systems.system import System

DECIMALS_AS_STATED = "decimals as stated"
BEFORE_SUMS = "decimals before sums"
CONDITIONS = ("m*n is a decimal that the model states, or twice one",)
MULTIPLES = (1, 2)  # the derivative of a square brings in a 2


@dataclass(frozen=True)
class StatedDecimals(Premise):
    """Numbers of tenths, hundredths and so on, as they are typed."""

    numbers: tuple[Number, ...]

    @classmethod
    def of(cls, system: System) -> StatedDecimals:
        """Those of a system's equations."""
        nodes = (node for equation in system.equations for node in equation.expression.walk())
        numbers = (node for node in nodes if isinstance(node, Number))
        return cls(tuple(dict.fromkeys(each for each in numbers if _is_decimal(each.value))))

    @property
    def lines(self) -> tuple[str, ...]:
        """Each as it is printed."""
        return tuple(map(text, self.numbers))

    def holds(self, anchor: Anchor) -> bool:
        """Always: a number may be multiplied out."""
        return True

    def renamed(self, names: Mapping[str, str]) -> StatedDecimals:
        """The same: numbers have no names."""
        return self

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """The rule that writes them so; none where there are none."""
        return (decimals_as_stated(self),) if self.numbers else ()

    @cached_property
    def sizes(self) -> frozenset[Fraction]:
        """What may be written before a term."""
        return frozenset(abs(each.value) * times for each in self.numbers for times in MULTIPLES)


def _is_decimal(number: Fraction) -> bool:
    return number.denominator % 5 == 0


def decimals_as_stated(premise: StatedDecimals) -> Rule:
    """n*(m*f + g) = m*n*f + n*g, for decimals of the premise."""

    def used(node: Expression) -> StatedDecimals:
        return premise

    return Rule(
        DECIMALS_AS_STATED,
        stated_where("n*(m*f + g) = m*n*f + n*g", CONDITIONS),
        lambda node: _as_stated(node, premise),
        BEFORE_SUMS,
        CONDITIONS,
        example="1/10*(9*x[i] + c)",
        near_miss="1/10*(7*x[i] + c)",
        premise=used,
        root_types=(Multiply,),
    )


def _as_stated(node: Expression, premise: StatedDecimals) -> Expression | None:
    number, factors = coefficient_and_rest(node)
    if not _is_decimal(number):
        return None
    for place, factor in enumerate(factors):
        if isinstance(factor, Add) and _is_of_decimals(factor, number, premise):
            inside = add(*(multiply(Number(number), term) for term in factor.terms))
            return multiply(*factors[:place], inside, *factors[place + 1 :])
    return None


def _is_of_decimals(total: Add, number: Fraction, premise: StatedDecimals) -> bool:
    """Whether some terms have whole numbers before them, all of which make decimals with the number."""
    numbers = [abs(coefficient_and_rest(term)[0]) for term in total.terms]
    counts = [each for each in numbers if each != 1]
    has_constant = any(isinstance(term, Number) for term in total.terms)
    return bool(counts) and not has_constant and all(abs(number) * each in premise.sizes for each in counts)


def decimals_before_sums(expression: Expression, _context: MeasureContext, premise: StatedDecimals) -> int:
    """How many products would be written with these decimals inside."""
    return sum(_as_stated(node, premise) is not None for node in expression.walk())
