"""Differences that a model states: (x - y) - (x0 - y0), not x + y0 - y - x0.

Algebra adds flat sums, and finds more so; what was typed as a difference is one again in what is printed and
computed, beside other terms too: x - max x + s, not x + s - max x. Where a and b are close, a - b is exact
(Sterbenz, Floating-Point Computation, 1974). So it is with a value and its weighted mean m = sum(i, w*f),
which are as close where one weight is all there is: 2*a*(f - m) + a, not 2*a*f + a - 2*a*m.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from symbackprop.notation.arithmetic import (
    add,
    base_and_exponent,
    coefficient_and_rest,
    factors_of,
    multiply,
    power,
    terms_of,
)
from symbackprop.notation.expressions import (
    MINUS_ONE,
    ONE,
    Add,
    Element,
    Expression,
    Index,
    Number,
    Reduction,
    Where,
)
from symbackprop.notation.substitution import canonical_bound_names, rename_tensors
from symbackprop.presentation.means.weighted import places_of_weighted_mean, shared_factors, weighted_sum
from symbackprop.rewriting.justification import Anchor, Premise
from symbackprop.rewriting.matching import match
from symbackprop.rewriting.measure_context import MeasureContext
from symbackprop.rewriting.rule import Rule
from symbackprop.rules.conditions import stated_where
from symbackprop.systems.printing import equation_text, text
from symbackprop.systems.system import Equation, System

AS_STATED = "difference as stated"
TAKEN_APART = "differences taken apart"
CONDITIONS = ("f - h is a difference that the model states and c a number, or h is a weighted sum of f",)


@dataclass(frozen=True)
class StatedDifferences(Premise):
    """Differences as they are typed, and names of sums; their free indices stand for any others."""

    differences: tuple[Add, ...]
    sums: tuple[Equation, ...] = ()

    @classmethod
    def of(cls, system: System) -> StatedDifferences:
        """Those of a system's equations, the longest first, as one may hold another."""
        typed = (each for equation in system.equations for each in _typed(equation.expression))
        found = [leading for each in typed for leading in _leading(each)]
        names = tuple([each for each in system.equations if weighted_sum(each.expression) is not None])
        return cls(tuple(sorted(dict.fromkeys(found), key=lambda each: -len(each.terms))), names)

    @property
    def lines(self) -> tuple[str, ...]:
        """Each as it is typed."""
        return (*map(text, self.differences), *map(equation_text, self.sums))

    def holds(self, anchor: Anchor) -> bool:
        """Always: the terms of a sum may be added in any order, and what they share taken out."""
        return True

    def renamed(self, names: Mapping[str, str]) -> StatedDifferences:
        """The same of the tensors' other names."""
        renamed = (rename_tensors(each, names) for each in self.differences)
        sums = [
            Equation(
                names.get(each.tensor, each.tensor), each.indices, rename_tensors(each.expression, names)
            )
            for each in self.sums
        ]
        return StatedDifferences(tuple([each for each in renamed if isinstance(each, Add)]), tuple(sums))

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """The rule that writes them so; a weighted sum need not have a name."""
        return (as_stated(self),)

    @cached_property
    def formulas(self) -> Mapping[str, Equation]:
        """The sums by their names."""
        return {each.element.tensor: each for each in self.sums}


def as_stated(premise: StatedDifferences) -> Rule:
    """c*f + g - c*h - k = c*(f - h) + (g - k), for the differences f - h of the premise."""

    def used(node: Expression) -> StatedDifferences:
        stated = [each for each in premise.differences if _places(node, (each,))]
        return StatedDifferences(tuple(stated), tuple(_sums_read(node, premise).values()))

    return Rule(
        AS_STATED,
        stated_where("c*f + g - c*h - k = c*(f - h) + (g - k)", CONDITIONS),
        lambda node: _grouped(node, premise),
        TAKEN_APART,
        CONDITIONS,
        example="x[i] + y[j] - c - y[j2]",
        near_miss="x[i] - c",
        premise=used,
        root_types=(Add,),
    )


def differences_taken_apart(
    expression: Expression, _context: MeasureContext, premise: StatedDifferences
) -> int:
    """How many sums have the terms of a difference in another order, or of several beside one another."""
    return sum(_grouped(node, premise) is not None for node in expression.walk())


def _typed(expression: Expression) -> Iterator[Add]:
    """The sums with terms of both signs."""
    for node in expression.walk():
        if isinstance(node, Add) and node.tensors and _has_both_signs(node):
            yield node


def _leading(total: Add) -> Iterator[Add]:
    """The sum and the differences that it begins with: x - m of x - m + y, which is computed so."""
    yield total
    for count in range(2, len(total.terms)):
        start = Add(total.terms[:count])
        if _has_both_signs(start):
            yield start


def _has_both_signs(total: Add) -> bool:
    numbers = [coefficient_and_rest(term)[0] for term in total.terms]
    return 0 not in numbers and len({number > 0 for number in numbers}) == 2


@dataclass(frozen=True)
class _Term:
    """A term of a sum: a number times the rest, with canonical bound names."""

    number: Fraction
    rest: Expression

    @classmethod
    def of(cls, term: Expression) -> _Term:
        number, factors = coefficient_and_rest(term)
        return cls(number, canonical_bound_names(multiply(*factors)))


@dataclass(frozen=True)
class _Place:
    """Which terms of a sum are a multiple of a difference, and whether its indices are others there."""

    terms: tuple[int, ...]
    scale: Fraction
    is_elsewhere: bool = False
    shared: Expression = ONE

    def multiple(self, terms: Sequence[Expression]) -> Expression:
        """The multiple as one of the terms; the difference stays one."""
        below = [power(factor, MINUS_ONE) for factor in (Number(self.scale), *factors_of(self.shared))]
        difference = Add(tuple([multiply(terms[at], *below) for at in self.terms]))
        return difference if self.is_alone else multiply(Number(self.scale), self.shared, difference)

    @property
    def is_alone(self) -> bool:
        """Whether the difference is itself among the terms, and no multiple of it."""
        return self.scale == 1 and self.shared == ONE

    @property
    def rank(self) -> tuple[bool, bool, tuple[int, ...]]:
        """As typed before other indices, and added before subtracted."""
        return self.is_elsewhere, self.scale < 0, self.terms


def _grouped(node: Expression, premise: StatedDifferences) -> Expression | None:
    """The sum with differences for terms of it; None where there are none, or it begins with the only one.

    The only one that is added comes first, for sums are computed from the left.
    """
    if not isinstance(node, Add):
        return None
    places = _places(node, premise.differences) or _with_means(node, premise)
    shifts = tuple(_from_the_largest(node)) if places else ()
    places = _places(node, (*shifts, *premise.differences)) if shifts else places
    order = {each.terms[0]: each for each in places}
    taken = {term for each in places for term in each.terms}
    rest = {at: term for at, term in enumerate(node.terms) if at not in taken}
    if not places:
        return None
    if len(places) == 1 and (places[0].scale == 1 or not rest) and places[0].shared == ONE:
        is_there = places[0].terms == tuple(range(len(taken)))
        first = [node.terms[at] for at in places[0].terms]
        return None if is_there else Add((*first, *_positive_first(rest.values())))
    multiples = {at: each.multiple(node.terms) for at, each in order.items()}
    terms = [term for _, term in sorted({**rest, **multiples}.items())]
    return add(*_positive_first(terms)) if len(terms) == 1 else Add(tuple(_positive_first(terms)))


def _from_the_largest(total: Add) -> Iterator[Add]:
    """What shifts an exponent, f - max(i, f), f without a maximum: both may be large, and come first."""
    for term in total.terms:
        number, rest = coefficient_and_rest(term)
        match rest:
            case (Reduction("max", _, body),) if number < 0:
                inside = terms_of(body.chosen if isinstance(body, Where) else body)
                if not any(isinstance(node, Reduction) for each in inside for node in each.walk()):
                    yield Add((*inside, multiply(MINUS_ONE, *rest)))


def _with_means(node: Add, premise: StatedDifferences) -> list[_Place]:
    """Where one is a value and its weighted mean, with all that both have as factors."""
    names = {name: weighted_sum(each.at(name.positions)) for name, each in _sums_read(node, premise).items()}
    found = places_of_weighted_mean(node, {name: total for name, total in names.items() if total is not None})
    if found is None:
        return []
    value, mean = (node.terms[at] for at in found)
    number = coefficient_and_rest(mean)[0]
    return [_Place(found if number < 0 else found[::-1], abs(number), shared=shared_factors(value, mean))]


def _sums_read(node: Expression, premise: StatedDifferences) -> dict[Element, Equation]:
    """The names of sums among the factors of terms, each with its equation."""
    factors = (base_and_exponent(factor)[0] for term in terms_of(node) for factor in factors_of(term))
    names = dict.fromkeys(each for each in factors if isinstance(each, Element))
    return {each: premise.formulas[each.tensor] for each in names if each.tensor in premise.formulas}


def _positive_first(terms: Iterable[Expression]) -> list[Expression]:
    return sorted(terms, key=lambda term: coefficient_and_rest(term)[0] < 0)


def _places(node: Expression, differences: Iterable[Add]) -> list[_Place]:
    """Where differences stand among the terms of a sum; each term in one.

    What is stated as a whole is one, in its order.
    """
    # Few of a model's differences are about the tensors of one sum.
    near = [each for each in differences if each.tensors <= node.tensors]
    terms = [_Term.of(term) for term in node.terms] if near and isinstance(node, Add) else []
    found: list[_Place] = []
    for difference in near:
        free = set(range(len(terms))) - {term for each in found for term in each.terms}
        while len(difference.terms) <= len(free):
            place = min(_occurrences(difference, terms, free), key=lambda each: each.rank, default=None)
            if place is None:
                break
            if len(place.terms) == len(terms):
                return [place] if _is_ordered(difference, place) else []
            found.append(place)
            free -= set(place.terms)
    return found


def _is_ordered(difference: Add, place: _Place) -> bool:
    """Whether a whole sum is to have the order of a difference: of three terms or more, as it begins."""
    return len(difference.terms) > 2 and place.scale > 0 and coefficient_and_rest(difference.terms[0])[0] > 0


def _occurrences(difference: Add, terms: Sequence[_Term], free: set[int]) -> Iterator[_Place]:
    """Where a difference stands among the free terms, by each term that its first may be."""
    first, *others = [_Term.of(term) for term in difference.terms]
    for at in sorted(free):
        scale = terms[at].number / first.number
        for found in match(first.rest, terms[at].rest, difference.free_indices):
            places = _completed(others, scale, dict(found), terms, free - {at}, difference.free_indices)
            if places is not None:
                chosen, indices = places
                is_elsewhere = any(index != position for index, position in indices.items())
                yield _Place((at, *chosen), scale, is_elsewhere)
                break


def _completed(
    others: Sequence[_Term],
    scale: Fraction,
    indices: Mapping[Index, Expression],
    terms: Sequence[_Term],
    free: set[int],
    variables: frozenset[Index],
) -> tuple[tuple[int, ...], Mapping[Index, Expression]] | None:
    """The places of the other terms, scaled alike, and what the indices stand for; None without them."""
    if not others:
        return (), indices
    first, *rest = others
    for at in sorted(free):
        if terms[at].number == scale * first.number:
            for found in match(first.rest, terms[at].rest, variables, indices):
                completed = _completed(rest, scale, dict(found), terms, free - {at}, variables)
                if completed is not None:
                    return (at, *completed[0]), completed[1]
    return None
