"""A sum of values less that of their mean as one sum: sum(i, w*f) - m*sum(i, w) is sum(i, w*(f - m)).

Where a softmax is written as a quotient of two sums of exponentials, y = n/d with n = sum(i, e*v), its
derivative is a difference of such sums, E[v^2] - E[v]^2 among them: all of v cancels there, what v differs by
from its mean is left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import permutations, product
from typing import TypeAlias

from symbackprop.integers.bounds import conjunction
from symbackprop.notation.arithmetic import add, is_reciprocal, is_sum, multiply, negate
from symbackprop.notation.expressions import (
    ONE,
    ZERO,
    Add,
    Apply,
    Element,
    Expression,
    Index,
    Multiply,
    Number,
    Reduction,
    Where,
)
from symbackprop.notation.substitution import elements_of, in_the_names_of, rename_bound
from symbackprop.presentation.means.weighted import is_weighted, number_and_factors, places_of_weighted_mean
from symbackprop.rewriting.measure_context import MeasureContext
from symbackprop.rewriting.premises import Definitions
from symbackprop.rewriting.rule import Rule
from symbackprop.rules.conditions import when
from symbackprop.rules.stating import stated
from symbackprop.systems.system import Equation

BELOW_ADDITIONS = "sums below additions"
MOST_NAMES_DEEP = 4  # for a recurrence would go on for ever
MOST_TERMS = 8  # of a sum that is looked at, each with each


@dataclass(frozen=True)
class _Factors:
    """A number times factors, and the equations that say what they are."""

    number: Fraction
    factors: Counter[Expression]
    used: tuple[Equation, ...] = ()

    def times(self, other: _Factors, power: int) -> _Factors:
        """The product with a power of another."""
        factors = Counter({each: power * count for each, count in other.factors.items()})
        return _Factors(self.number * other.number**power, self.factors + factors, (*self.used, *other.used))


@dataclass(frozen=True)
class NamedMeans:
    """The equations that are sums, and those that are products with a divisor, by their names."""

    sums: Mapping[str, Equation] = field(default_factory=dict)
    quotients: Mapping[str, Equation] = field(default_factory=dict)

    @classmethod
    def of(cls, equations: Iterable[Equation]) -> NamedMeans:
        """Those of the equations that read all of their indices."""
        whole = [each for each in equations if frozenset(each.indices) == each.expression.free_indices]
        return cls(
            {each.tensor: each for each in whole if is_sum(each.expression)},
            {each.tensor: each for each in whole if _is_quotient(each.expression)},
        )

    def beside(self, other: NamedMeans) -> NamedMeans:
        """These and others."""
        return NamedMeans({**self.sums, **other.sums}, {**self.quotients, **other.quotients})

    def total(self, factor: Expression) -> tuple[Reduction | None, tuple[Equation, ...]]:
        """The sum that a factor is or is the name of, and the equation that says so."""
        match factor:
            case Reduction("sum"):
                return factor, ()
            case Element(tensor, positions) if tensor in self.sums:
                total = self.sums[tensor].at(positions)
                return (total, (self.sums[tensor],)) if isinstance(total, Reduction) else (None, ())
        return None, ()

    def written_out(self, of: _Factors, depth: int = MOST_NAMES_DEEP) -> _Factors:
        """The product with all that the names of quotients stand for."""
        found = replace(of, factors=Counter())
        for factor, times in of.factors.items():
            match factor:
                case Element(tensor, positions) if tensor in self.quotients and depth:
                    equation = self.quotients[tensor]
                    inside = _Factors(*number_and_factors(equation.at(positions), {}), (equation,))
                    found = found.times(self.written_out(inside, depth - 1), times)
                case _:
                    found.factors[factor] += times
        return found


NO_NAMES = NamedMeans()


def _is_quotient(formula: Expression) -> bool:
    return isinstance(formula, Multiply) and any(map(is_reciprocal, formula.factors))


@dataclass(frozen=True)
class _Summed:
    """number*sum(indices, factors), all that stands before the sum among the factors."""

    number: Fraction
    indices: tuple[Index, ...]
    factors: Counter[Expression]
    used: tuple[Equation, ...] = ()

    def over(self, other: _Summed) -> Iterator[_Summed]:
        """The same over the indices of another, in every way that fits their axes."""
        if not self.indices:
            yield from () if other.indices else (self,)
            return
        body = multiply(*self.factors.elements())
        renamed = rename_bound(Reduction("sum", self.indices, body), body.free_indices | {*other.indices})
        for each in in_the_names_of(other.indices, renamed):
            yield _Summed(self.number, other.indices, _factors(each)[1], self.used)


def _factors(body: Expression) -> tuple[Fraction, Counter[Expression]]:
    """The number and the factors, a square as two of them, where(c, f, 0) as the mask and f."""
    number, factors = number_and_factors(body, {})
    found: Counter[Expression] = Counter()
    for factor, times in factors.items():
        match factor:
            case Where(condition, chosen, otherwise) if otherwise == ZERO and chosen != ONE and times == 1:
                inside, own = _factors(chosen)
                number *= inside
                found += own + Counter([Where(condition, ONE, ZERO)])
            case _:
                found[factor] += times
    return number, found


def _summed(term: Expression, names: NamedMeans) -> Iterator[_Summed]:
    """A term as one sum: by each sum among its factors, by each name of one, and over nothing."""
    number, factors = number_and_factors(term, {})
    for factor in factors:
        total, used = names.total(factor)
        if total is not None:
            outside = factors - Counter([factor])
            apart = rename_bound(total, multiply(*outside).free_indices)
            inside, own = _factors(apart.body)
            yield _Summed(number * inside, apart.indices, own + outside, used)
    yield _Summed(*_alone(term))


def _alone(term: Expression) -> tuple[Fraction, tuple[Index, ...], Counter[Expression]]:
    number, factors = _factors(term)
    return number, (), factors


Found: TypeAlias = tuple[Expression, tuple[Equation, ...]]


def gathered(node: Expression, names: NamedMeans) -> Found | None:
    """The sum with the first value and mean that are summed up as one, and the equations that say so."""
    return next((found for is_total, found in _together(node, names) if is_total), None)


def factored(node: Expression, names: NamedMeans) -> Found | None:
    """The sum with the first other value and mean as one product, and the equations that say so."""
    return next((found for is_total, found in _together(node, names) if not is_total), None)


def _together(node: Expression, names: NamedMeans) -> Iterator[tuple[bool, Found]]:
    """The sum with a value and its mean as one term, and whether that is a sum over indices."""
    if not isinstance(node, Add) or len(node.terms) > MOST_TERMS:
        return
    for here, there in permutations(range(len(node.terms)), 2):
        for one, other in product(_summed(node.terms[here], NO_NAMES), _summed(node.terms[there], names)):
            for moved in other.over(one):
                found = _difference(one, moved, names)
                if found is not None:
                    terms = {**dict(enumerate(node.terms)), here: found[0]}
                    whole = add(*(each for place, each in terms.items() if place != there))
                    yield bool(one.indices), (whole, found[1])


def _difference(one: _Summed, other: _Summed, names: NamedMeans) -> Found | None:
    """c*sum(i, g*(f - m)) for c*sum(i, g*f) and -c*sum(i, g*m), m a weighted sum of f, divided or not.

    Of names of quotients that one of the two has alone, what they stand for is compared.
    """
    shared = one.factors & other.factors
    own, rest = (_Factors(each.number, each.factors - shared, each.used) for each in (one, other))
    written = names.written_out(own), names.written_out(rest)
    return _of_mean(one, own, rest, names) or _of_mean(one, *written, names)


def _of_mean(one: _Summed, own: _Factors, rest: _Factors, names: NamedMeans) -> Found | None:
    """The sum of the difference, where what the two do not share is f, and -m with a divisor or without."""
    if own.number != -rest.number:
        return None
    for name in rest.factors:
        total, used = names.total(name)
        others = rest.factors - Counter([name])
        value, below = own.factors - others, others - own.factors
        is_value = bool(value) and value <= one.factors and all(map(is_reciprocal, below))
        if total is not None and is_value and is_weighted(total, _factors(total.body)[1], value):
            difference = add(multiply(*value.elements()), negate(multiply(name, *below.elements())))
            common = [*(one.factors - value).elements()]
            # A quotient that has a name keeps it beside a value: q - 2*d.
            if _is_read_there((*common, difference)) if one.indices else (common and own.used):
                return _summed_up(one, common, difference), (*own.used, *rest.used, *used)
    return None


def _is_read_there(factors: Sequence[Expression]) -> bool:
    """Whether an element or a function in the factors has all of their indices: no larger array is made."""
    body = multiply(*factors)
    arrays = (node for node in body.walk() if isinstance(node, Element | Apply))
    return any(body.free_indices <= each.free_indices for each in arrays)


def _summed_up(one: _Summed, common: Sequence[Expression], difference: Expression) -> Expression:
    """The sum of the product, what does not have its indices before it, its masks around the rest."""
    bound = frozenset(one.indices)
    inside = [each for each in common if not bound or each.free_indices & bound]
    masks = [each.condition for each in inside if isinstance(each, Where)]
    body = multiply(*(each for each in inside if not isinstance(each, Where)), difference)
    if masks:
        body = Where(conjunction(masks), body, ZERO)
    outside = [each for each in common if each not in inside]
    return multiply(Number(one.number), *outside, Reduction("sum", one.indices, body) if bound else body)


def takes_means_off(expression: Expression, names: NamedMeans) -> bool:
    """Whether a value stands beside its weighted mean in it, or would as one sum."""
    additions = [node for node in expression.walk() if isinstance(node, Add)]
    return any(_is_beside_its_mean(each, names) or any(_together(each, names)) for each in additions)


def _is_beside_its_mean(node: Add, names: NamedMeans) -> bool:
    found = {each: names.total(each)[0] for each in elements_of(node)}
    sums = {name: total for name, total in found.items() if total is not None}
    return places_of_weighted_mean(node, sums) is not None


def sums_below_additions(expression: Expression, _context: MeasureContext) -> int:
    """How many sums over indices stand below additions, each as often as there are further terms."""
    additions = (node for node in expression.walk() if isinstance(node, Add))
    return sum((len(node.terms) - 1) * sum(map(is_sum, node.walk())) for node in additions)


@dataclass(frozen=True)
class _Rewriting:
    """What a rule does to a node, and what it reads for that."""

    found_in: Callable[[Expression, NamedMeans], Found | None]
    names: NamedMeans

    def __call__(self, node: Expression) -> Expression | None:
        found = self.found_in(node, self.names)
        return None if found is None else found[0]

    def premise(self, node: Expression) -> Definitions:
        found = self.found_in(node, self.names)
        return Definitions(tuple(dict.fromkeys(found[1])) if found else ())


def mean_rules(names: NamedMeans) -> tuple[Rule, ...]:
    """The rules, where sums and quotients have these names."""
    gathering, factoring = (_Rewriting(each, names) for each in (gathered, factored))
    return (
        stated(
            "gather a value and its mean",
            "sum(i, f*g) - sum(i, f*h) = sum(i, f*(g - h))",
            gathering,
            where=(when("weighted sum", "h", "g"), when("one array", "f*(g - h)")),
            decreases=BELOW_ADDITIONS,
            example="sum(j, y[j]*B[j,k]^2) - sum(j, y[j]*B[j,k])^2/c",
            near_miss="sum(j, y[j]*B[j,k]^2) - sum(j, y[j]*B[j,k])/c",
            premise=gathering.premise,
            roots=(Add,),
        ),
        stated(
            "factor out of a value and its mean",
            "f*g - f*h = f*(g - h)",
            factoring,
            where=(when("weighted sum", "h", "g"), when("named", "f")),
            decreases="names and numbers",
            example="rho[j]*B[j,k] - y[j]*sum(j2, y[j2]*B[j2,k])/c",
            near_miss="rho[j]*B[j,k] - y[j]*sum(j2, y[j2]*B[j2,k])",
            premise=factoring.premise,
            roots=(Add,),
        ),
    )
