"""Sums with a factor in common as one sum: sum(b, f*g) - sum(b, f*h) is sum(b, f*(g - h))."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import TypeAlias

from symbackprop.functions.table import ALL_FUNCTIONS
from symbackprop.notation.arithmetic import (
    add,
    coefficient_and_rest,
    factors_of,
    is_sum,
    multiply,
    negate,
)
from symbackprop.notation.expressions import (
    MINUS_ONE,
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
from symbackprop.notation.substitution import in_the_names_of, rename_bound
from symbackprop.rules.conditions import when
from symbackprop.rules.stating import stated
from symbackprop.systems.mirror_images import has_image
from symbackprop.systems.printing import text


@dataclass(frozen=True)
class Term:
    """number * outer factors * sum."""

    number: Fraction
    outer: tuple[Expression, ...]
    total: Reduction


def gather_sums(node: Expression) -> Expression | None:
    """n*sum(i, f*g) + m*sum(i, f*h) = sum(i, f*(n*g + m*h)), the first two such terms of a sum.

    g and h may stand under one mask: where(c, g, 0) and where(c, h, 0) are where(c, n*g + m*h, 0).

    Not where g and h would have to be outer products for that, which a contraction need not store; and a
    sum, not a difference, only where it is no larger than f: (A + A')*x is written A*x + A'*x, but
    (A + A')*B is one product of matrices.
    """
    if not isinstance(node, Add):
        return None
    terms = [(place, found) for place, term in enumerate(node.terms) if (found := term_of(term)) is not None]
    for (here, one), (there, other) in combinations(terms, 2):
        gathered = _gathered(one, other)
        if gathered is not None:
            return as_one_term(node, here, there, gathered)
    return None


def as_one_term(total: Add, here: int, there: int, joined: Expression) -> Expression:
    """The sum with `joined` for the terms at two places, where the first of them stood."""
    before, between, after = total.terms[:here], total.terms[here + 1 : there], total.terms[there + 1 :]
    return add(*before, joined, *between, *after)


def term_of(term: Expression) -> Term | None:
    """The parts of a term with one sum among its factors."""
    number, rest = coefficient_and_rest(term)
    totals = [factor for factor in rest if is_sum(factor)]
    if len(totals) != 1:
        return None
    return Term(number, tuple([factor for factor in rest if factor is not totals[0]]), totals[0])


def _gathered(one: Term, other: Term) -> Expression | None:
    outer = Counter(one.outer) & Counter(other.outer)
    own = [_without(each.outer, outer) for each in (one, other)]
    is_scaled = any(factor.free_indices for factors in own for factor in factors)
    total = rename_bound(one.total, other.total.free_indices)
    for body in in_the_names_of(total.indices, other.total):
        shared = Counter(factors_of(total.body)) & Counter(factors_of(body))
        first = (*own[0], *_without(factors_of(total.body), shared))
        second = (*own[1], *_without(factors_of(body), shared))
        mask = _one_mask(first, second)
        if mask is not None:
            first, second = (factors_of(rest[0].children[1]) for rest in (first, second))
        is_difference = one.number * other.number < 0
        fits = _is_scaled_alike if is_scaled else _is_one_array
        alike = (*shared, *(() if mask is None else (mask,)))
        if alike and fits(alike, first, second, is_difference):
            difference = add(multiply(*first), multiply(Number(other.number / one.number), *second))
            if mask is not None:
                difference = Where(mask.condition, difference, ZERO)
            place = next((n for n, each in enumerate(factors_of(total.body)) if each in first), len(shared))
            common = list(shared.elements())
            gathered = multiply(*common[:place], difference, *common[place:])
            return multiply(Number(one.number), *outer.elements(), total.with_children((gathered,)))
    return None


def _one_mask(first: tuple[Expression, ...], second: tuple[Expression, ...]) -> Where | None:
    """where(c, 1, 0), where the rests are where(c, f, 0) and where(c, g, 0)."""
    match first, second:
        case (Where(condition, _, left),), (Where(same, _, right),) if left == right == ZERO:
            return Where(condition, ONE, ZERO) if condition == same else None
    return None


def _without(factors: tuple[Expression, ...], shared: Counter[Expression]) -> tuple[Expression, ...]:
    """The factors that are not shared."""
    left = Counter(shared)
    rest = []
    for factor in factors:
        if left[factor]:
            left[factor] -= 1
        else:
            rest.append(factor)
    return tuple(rest)


def _is_one_array(
    shared: tuple[Expression, ...],
    first: tuple[Expression, ...],
    second: tuple[Expression, ...],
    is_difference: bool,
) -> bool:
    """Whether the sum of the rests is no larger than a common factor; a difference, than each rest.

    Two elements of one shape are added where more is summed or multiplied than they have indices.
    """
    needed = frozenset[Index]().union(*(factor.free_indices for factor in (*first, *second)))
    if any(needed <= factor.free_indices for factor in shared):
        return True
    others = frozenset[Index]().union(*(factor.free_indices for factor in shared))
    if others - needed and all(_is_element_over(needed, rest) for rest in (first, second)):
        return True  # a product of matrices takes longer than their sum
    return is_difference and all(
        any(needed == factor.free_indices for factor in rest) for rest in (first, second)
    )


def _is_element_over(indices: frozenset[Index], rest: tuple[Expression, ...]) -> bool:
    """Whether it is an element, at all of these indices."""
    return len(rest) == 1 and isinstance(rest[0], Element) and rest[0].free_indices == indices


def _is_scaled_alike(
    shared: tuple[Expression, ...],
    first: tuple[Expression, ...],
    second: tuple[Expression, ...],
    is_difference: bool,
) -> bool:
    """Whether the difference of the rests is no larger than a common factor.

    Or these are one tensor at two places, whose difference belongs to one of the same indices.
    """
    if not is_difference:
        return False
    needed = frozenset[Index]().union(*(factor.free_indices for factor in (*first, *second)))
    if any(needed <= factor.free_indices for factor in shared):
        return True
    if not len(first) == len(second) == 1:
        return False
    (one,), (other,) = first, second
    is_alike = isinstance(one, Element) and isinstance(other, Element) and one.tensor == other.tensor
    indices = one.free_indices | other.free_indices
    return is_alike and any(
        has_image(node) and indices <= node.free_indices for each in shared for node in each.walk()
    )


def opposite_sums(node: Expression) -> Expression | None:
    """n*f*sum(i, g - h) + m*f*sum(i, h - g) = (n - m)*f*sum(i, g - h), also in branches of a `where`."""
    if not isinstance(node, Add):
        return None
    terms = {place: found for place, term in enumerate(node.terms) if (found := term_of(term)) is not None}
    opposites: dict[_Signed, list[int]] = {}
    for place, term in terms.items():
        for sign in _in_own_names(term, MINUS_ONE):
            opposites.setdefault(sign, []).append(place)
    for here, one in terms.items():
        own = next(_in_own_names(one, ONE), None)
        for there in opposites.get(own, []) if own else []:
            if there > here:
                gathered = multiply(Number(one.number - terms[there].number), *one.outer, one.total)
                return as_one_term(node, here, there, gathered)
    return None


# What a sum is multiplied by, the indices it is over, and its body with its sign in front.
_Signed: TypeAlias = "tuple[frozenset[tuple[Expression, int]], tuple[Index, ...], Expression]"


def _in_own_names(term: Term, number: Number) -> Iterator[_Signed]:
    """A number times the sum of a term, in each order of its indices."""
    axes = sorted((index.axis for index in term.total.indices), key=lambda axis: axis.name)
    names = tuple([Index(f"@{place}", axis) for place, axis in enumerate(axes)])
    outer = frozenset(Counter(term.outer).items())
    for body in in_the_names_of(names, term.total):
        yield outer, names, signed(multiply(number, body))


def signed(body: Expression) -> Expression:
    """The product with its sign in front, of its differences, too, also in odd functions and under sums."""
    match body:
        case Where(condition, chosen, otherwise) if otherwise == ZERO:
            number, rest = coefficient_and_rest(signed(chosen))
            return multiply(Number(number), Where(condition, multiply(*rest), ZERO))
        case Multiply(factors):
            return multiply(*map(signed, factors))
        case Apply(function, (argument,)) if ALL_FUNCTIONS[function].is_odd:
            number, rest = coefficient_and_rest(signed(argument))
            return multiply(
                Number(1 if number > 0 else -1), Apply(function, (multiply(Number(abs(number)), *rest),))
            )
        case Reduction("sum"):
            number, rest = coefficient_and_rest(signed(body.body))
            return multiply(Number(number), body.with_children((multiply(*rest),)))
        case Add(terms) if len(terms) == 2 and _has_both_signs(body):
            first = min(terms, key=lambda term: text(multiply(*coefficient_and_rest(term)[1])))
            return body if coefficient_and_rest(first)[0] > 0 else Multiply((MINUS_ONE, negate(body)))
    return body


def with_signs_alike(one: Expression, other: Expression) -> tuple[Expression, Expression]:
    """Two products, the same differences written the same way round where they have more in common then."""
    turned = signed(one), signed(other)
    shared, turned_shared = (
        Counter(factors_of(a)) & Counter(factors_of(b)) for a, b in ((one, other), turned)
    )
    return turned if turned_shared.total() > shared.total() else (one, other)


def _has_both_signs(total: Add) -> bool:
    return len({coefficient_and_rest(term)[0] > 0 for term in total.terms}) == 2


OPPOSITE_SUMS = stated(
    "opposite sums",
    "n*f*sum(i, g - h) + m*f*sum(i, h - g) = (n - m)*f*sum(i, g - h)",
    opposite_sums,
    decreases="sums",
    example="c*sum(j, where(j > i, y[j]*(x[i] - c), 0)) - c*sum(j2, where(j2 > i, y[j2]*(c - x[i]), 0))",
    near_miss="c*sum(j, where(j > i, y[j]*(x[i] - c), 0)) - sum(j, where(j > i, y[j]*(c - x[i]), 0))",
    roots=(Add,),
)
GATHER_SUMS = stated(
    "gather sums",
    "n*sum(i, f*g) + m*sum(i, f*h) = sum(i, f*(n*g + m*h)), "
    "likewise where(c, g, 0) and where(c, h, 0) for g and h",
    gather_sums,
    where=(when("one array", "n*g + m*h"),),
    decreases="sums",
    example="2*sum(j, T[j3,j]*y[j]) - c - sum(j2, T[j2,j3]*y[j2])",
    near_miss="sum(i, A[i,j]*x[i]) - sum(k, B[j,k])",
    roots=(Add,),
)
