"""Products of exponentials as a model types them: exp(f)*exp(g) is exp(f + g), where the sum is rounded.

One exponential neither overflows nor underflows on the way. But where f is exact, as an element is that is
given, exp(f) has all its digits, and exp(f + g) has lost those of f + g: forty roundings where that is 80.
What a sum loses can be computed, and is put back: Knuth, The Art of Computer Programming 2 (1997), 4.2.2.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from symbackprop.exponentials.exponents import is_maximum
from symbackprop.notation.arithmetic import (
    add,
    base_and_exponent,
    coefficient_and_rest,
    multiply,
    terms_of,
)
from symbackprop.notation.expressions import Add, Apply, Element, Expression, Index, Multiply, Number
from symbackprop.notation.pairs import argument_of
from symbackprop.notation.substitution import canonical_bound_names, rename_tensors
from symbackprop.rewriting.justification import Anchor, Premise
from symbackprop.rewriting.matching import factors_matched
from symbackprop.rewriting.rule import Rule
from symbackprop.rules.conditions import stated_where
from symbackprop.schedule.named_equations import NamedEquation, rewritten_once
from symbackprop.systems.printing import text

SUM_IN_EXPONENT = "sum in an exponent"
STATEMENT = "exp(f + g + h) = exp(s)*exp(r), s = f + g + h as rounded and r what the rounding has lost"
CONDITIONS = ("exp(f)*exp(g) is typed", "f is an element that is given, or a number")


@dataclass(frozen=True)
class TypedExponents(Premise):
    """Exponents f, g of products exp(f)*exp(g) as typed; their free indices stand for any others."""

    pairs: tuple[tuple[Expression, Expression], ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """Each product as it is typed, but for other factors."""
        return tuple([text(multiply(*(Apply("exp", (each,)) for each in pair))) for pair in self.pairs])

    def holds(self, anchor: Anchor) -> bool:
        """Always: the value is that of one exponential, whatever was typed."""
        return True

    def renamed(self, names: Mapping[str, str]) -> TypedExponents:
        """The same of the tensors' other names."""
        return TypedExponents(
            tuple([(rename_tensors(one, names), rename_tensors(other, names)) for one, other in self.pairs])
        )


def sum_in_exponent(premise: TypedExponents) -> Rule:
    """exp(f + g + h) by a function that keeps what rounding loses, for the pairs f, g of the premise."""

    def apply(node: Expression) -> Expression | None:
        exponent = argument_of("exp", node)
        stated = isinstance(exponent, Add) and _stated_in(exponent, premise)
        return Apply("exp_of_sum", exponent.terms) if stated and isinstance(exponent, Add) else None

    def used(node: Expression) -> TypedExponents:
        exponent = argument_of("exp", node)
        stated = _stated_in(exponent, premise) if isinstance(exponent, Add) else None
        return TypedExponents((stated,) if stated else ())

    return Rule(
        SUM_IN_EXPONENT,
        stated_where(STATEMENT, CONDITIONS),
        apply,
        where=CONDITIONS,
        example="exp(c + x[i])",
        near_miss="exp(x[i])",
        premise=used,
        root_types=(Apply,),
    )


def with_sums_kept_in_exponents(
    items: Sequence[NamedEquation], stated: Sequence[NamedEquation], given: Collection[str]
) -> tuple[NamedEquation, ...]:
    """The equations, with what rounding takes from the exponents of products that are `stated`.

    `given` are the tensors whose elements are exact.
    """
    typed = (pair for item in stated for pair in _typed_pairs(item.equation.expression, given))
    pairs = tuple(dict.fromkeys(typed))
    rule = sum_in_exponent(TypedExponents(pairs))
    return tuple([rewritten_once(item, (rule,)) for item in items]) if pairs else tuple(items)


def _typed_pairs(expression: Expression, given: Collection[str]) -> Iterator[tuple[Expression, Expression]]:
    """The exponents of exponentials that are multiplied: one that is exact, and the sum of the others."""
    for node in expression.walk():
        if isinstance(node, Multiply):
            exponents = list(_exponents(node))
            exact = next((each for each in exponents if _is_exact(each, given)), None)
            if exact is not None and len(exponents) > 1:
                exponents.remove(exact)
                yield exact, add(*exponents)


def _exponents(product: Multiply) -> Iterator[Expression]:
    for factor in product.factors:
        base, exponent = base_and_exponent(factor)
        argument = argument_of("exp", base)
        if argument is not None and isinstance(exponent, Number):
            yield multiply(exponent, argument)


def _is_exact(exponent: Expression, given: Collection[str]) -> bool:
    """Whether it is computed without rounding: an element that is given, times a power of 2, or a number."""
    number, rest = coefficient_and_rest(exponent)
    is_power_of_2 = all(abs(each).bit_count() == 1 for each in (number.numerator, number.denominator))
    is_given = len(rest) == 1 and isinstance(rest[0], Element) and rest[0].tensor in given
    return not rest or (is_given and is_power_of_2)


def _stated_in(exponent: Add, premise: TypedExponents) -> tuple[Expression, Expression] | None:
    """The pair whose terms are among those of an exponent, which are added in the order that they have.

    Or among those that a maximum is of: it is taken off elsewhere, where what it has lost is put back.
    """
    return next((pair for each in _sums(exponent) if (pair := _pair_among(each, premise)) is not None), None)


def _sums(exponent: Add) -> Iterator[Add]:
    """The exponent, and the sums of which its terms are the greatest."""
    yield exponent
    for term in exponent.terms:
        _, rest = coefficient_and_rest(term)
        if len(rest) == 1 and is_maximum(rest[0]):
            yield from (each for each in rest[0].walk() if isinstance(each, Add))


def _pair_among(exponent: Add, premise: TypedExponents) -> tuple[Expression, Expression] | None:
    shown = [canonical_bound_names(term) for term in exponent.terms]
    for pair in premise.pairs:
        terms = [term for each in pair for term in terms_of(each)]
        variables = frozenset[Index]().union(*(each.free_indices for each in terms))
        patterns = [(canonical_bound_names(each),) for each in terms]
        if any(factors_matched(patterns, shown, variables)):
            return pair
    return None
