"""Sums that a model states: sum(k, q[k]) + 0.1 where that was typed, not (10*sum(k, q[k]) + 1)/10.

Rational algebra writes sums with whole numbers, their first term positive. What stands in a product or in a
power is written as it was typed, the number that this takes goes before the product.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import permutations, product
from typing import TypeAlias

from symbackprop.notation.arithmetic import (
    add,
    base_and_exponent,
    coefficient_and_rest,
    factors_of,
    multiply,
    negate,
    power,
)
from symbackprop.notation.expressions import Add, Expression, Index, Multiply, Number, Power
from symbackprop.notation.substitution import canonical_bound_names, rename_tensors
from symbackprop.rewriting.justification import Anchor, Premise
from symbackprop.rewriting.matching import Bindings, match
from symbackprop.rewriting.measure_context import MeasureContext
from symbackprop.rewriting.rule import Rule
from symbackprop.rules.conditions import stated_where
from symbackprop.systems.printing import text
from symbackprop.systems.system import System

SUM_AS_STATED = "sum as stated"
OTHERWISE = "sums stated otherwise"
CONDITIONS = (
    "f + g are terms of a sum that the model states",
    "a fraction is typed in that sum, or n = -1 and m is even",
)

MOST_TERMS_IN_PAIRS = 4  # of a stated sum that is looked up by the ratio of two of its numbers


@dataclass(frozen=True)
class StatedSums(Premise):
    """Sums as they are typed, where numbers in them or the order are; free indices stand for any others."""

    sums: tuple[Add, ...]

    @classmethod
    def of(cls, system: System) -> StatedSums:
        """Those of a system's equations in which no term is 0 times something."""
        nodes = (node for equation in system.equations for node in equation.expression.walk())
        sums = dict.fromkeys(node for node in nodes if isinstance(node, Add) and node.tensors)
        return cls(tuple([each for each in sums if all(number for number, _ in _terms(each))]))

    @property
    def lines(self) -> tuple[str, ...]:
        """Each as it is typed."""
        return tuple(map(text, self.sums))

    def holds(self, anchor: Anchor) -> bool:
        """Always: a number may be taken out of a sum."""
        return True

    def renamed(self, names: Mapping[str, str]) -> StatedSums:
        """The same of the tensors' other names."""
        renamed = (rename_tensors(each, names) for each in self.sums)
        return StatedSums(tuple([each for each in renamed if isinstance(each, Add)]))

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """The rule that writes them so; none where there are none."""
        return (sum_as_stated(self),) if self.scaled or self.turned else ()

    @cached_property
    def scaled(self) -> _StatedSums:
        """Those with fractions, which are no multiples of sums without."""
        return _by_tensor_and_ratio([each for each in self.sums if _has_fractions(each)])

    @cached_property
    def turned(self) -> _StatedSums:
        """Differences of two terms."""
        return _by_tensor_and_ratio([each for each in self.sums if _is_difference(each)])


@dataclass(frozen=True)
class _Stated:
    """A sum's terms, each its number and the rest with canonical bound names, and its free indices."""

    typed: Add
    terms: tuple[tuple[Fraction, Expression], ...]
    variables: frozenset[Index]

    @classmethod
    def of(cls, typed: Add) -> _Stated:
        return cls(typed, _terms(typed), typed.free_indices)

    @property
    def ratios(self) -> frozenset[Fraction | None]:
        """Those of each two of its numbers, where it is short."""
        if len(self.terms) > MOST_TERMS_IN_PAIRS:
            return frozenset([None])
        return frozenset(second / first for (first, _), (second, _) in permutations(self.terms, 2))

    def scale_of(self, found: Sequence[tuple[Fraction, Expression]]) -> Fraction | None:
        """What terms of this sum are to be multiplied by to give those found; None where they do not."""
        number, rest = found[0]
        for place, (own, pattern) in enumerate(self.terms):
            others = (*self.terms[:place], *self.terms[place + 1 :])
            for bindings in match(pattern, rest, self.variables):
                if self._has(found[1:], others, number / own, bindings):
                    return number / own
        return None

    def _has(
        self,
        found: Sequence[tuple[Fraction, Expression]],
        own: Sequence[tuple[Fraction, Expression]],
        scale: Fraction,
        bindings: Bindings,
    ) -> bool:
        if not found:
            return True
        number, rest = found[0]
        return any(
            self._has(found[1:], (*own[:place], *own[place + 1 :]), scale, completed)
            for place, (each, pattern) in enumerate(own)
            if each * scale == number
            for completed in match(pattern, rest, self.variables, bindings)
        )


# By a tensor that is read, or none, and by the ratio of two of their numbers; None where they are long.
_StatedSums: TypeAlias = "Mapping[tuple[str | None, Fraction | None], Sequence[_Stated]]"


def _by_tensor_and_ratio(sums: Iterable[Add]) -> _StatedSums:
    found: dict[tuple[str | None, Fraction | None], list[_Stated]] = {}
    for each in sums:
        stated = _Stated.of(each)
        for key in product((None, *each.tensors), stated.ratios):
            found.setdefault(key, []).append(stated)
    return found


def _terms(total: Add) -> tuple[tuple[Fraction, Expression], ...]:
    found = map(coefficient_and_rest, total.terms)
    return tuple([(number, canonical_bound_names(multiply(*rest))) for number, rest in found])


def _has_fractions(total: Add) -> bool:
    numbers = [coefficient_and_rest(term)[0] for term in total.terms]
    return any(each.denominator > 1 for each in numbers) and len(set(map(abs, numbers))) > 1


def _is_difference(total: Add) -> bool:
    numbers = [coefficient_and_rest(term)[0] for term in total.terms]
    return len(numbers) == 2 and numbers[0] > 0 > numbers[1]


def sum_as_stated(premise: StatedSums) -> Rule:
    """(n*f + n*g)^m = n^m*(f + g)^m, for the sums of the premise."""

    def used(node: Expression) -> StatedSums:
        found = (stated for factor in factors_of(node) for _, _, stated in _written(factor, premise))
        return StatedSums(tuple(dict.fromkeys(each.typed for each in found)))

    return Rule(
        SUM_AS_STATED,
        stated_where("(n*f + n*g)^m = n^m*(f + g)^m", CONDITIONS),
        lambda node: _as_stated(node, premise),
        OTHERWISE,
        CONDITIONS,
        example="c/(10*x[i] + 1)",
        near_miss="c/(10*x[i] + 2)",
        premise=used,
        root_types=(Multiply, Power),
    )


def _as_stated(node: Expression, premise: StatedSums) -> Expression | None:
    written = {at: found for at, factor in enumerate(factors_of(node)) for found in _written(factor, premise)}
    if not written:
        return None
    factors = [written[at][1] if at in written else factor for at, factor in enumerate(factors_of(node))]
    return multiply(*(Number(number) for number, *_ in written.values()), *factors)


def _written(factor: Expression, premise: StatedSums) -> Iterator[tuple[Fraction, Expression, _Stated]]:
    """A number, the power of a sum as stated that it is multiplied by to give the factor, and that sum."""
    base, exponent = base_and_exponent(factor)
    if isinstance(base, Add) and isinstance(exponent, Number) and exponent.value.denominator == 1:
        is_even = exponent.value % 2 == 0
        found = _scale(base, premise.scaled, is_even) or (_turning(base, premise.turned) if is_even else None)
        if found is not None:
            scale, stated = found
            undone = add(*(multiply(Number(1 / scale), term) for term in base.terms))
            ordered = undone if scale > 0 else _turned(undone)
            yield scale**exponent.value.numerator, power(ordered, exponent), stated


def _scale(total: Add, sums: _StatedSums, is_even: bool) -> tuple[Fraction, _Stated] | None:
    """What a sum is a multiple of; a negative one only in an even power. None where one is so stated."""
    found = _multiples(total, sums)
    signed = [(scale if is_even else abs(scale), each) for scale, each in found]
    if not signed or not _has_several_numbers(total) or any(abs(scale) == 1 for scale, _ in found):
        return None
    return signed[0]


def _multiples(total: Add, sums: _StatedSums) -> list[tuple[Fraction, _Stated]]:
    """The stated sums that a sum is a multiple of, each with its number."""
    terms = _terms(total)
    ratio = terms[1][0] / terms[0][0]
    near = (
        [*sums.get((tensor, ratio), ()), *sums.get((tensor, None), ())] for tensor in (None, *total.tensors)
    )
    return [(scale, each) for each in min(near, key=len) if (scale := each.scale_of(terms)) is not None]


def _has_several_numbers(total: Add) -> bool:
    return len({abs(coefficient_and_rest(term)[0]) for term in total.terms}) > 1


def _turning(total: Add, differences: _StatedSums) -> tuple[Fraction, _Stated] | None:
    """-1, where g - f is stated for f - g, and f - g is not."""
    found = _multiples(total, differences)
    is_turned = bool(found) and all(scale == -1 for scale, _ in found)
    return found[0] if is_turned else None


def _turned(total: Expression) -> Expression:
    """Its terms the other way round."""
    return add(*reversed(total.children)) if isinstance(total, Add) else negate(total)


def sums_stated_otherwise(expression: Expression, _context: MeasureContext, premise: StatedSums) -> int:
    """How many factors are powers of sums that would be written as stated."""
    factors = (factor for node in expression.walk() for factor in factors_of(node))
    return sum(True for factor in factors for _ in _written(factor, premise))
