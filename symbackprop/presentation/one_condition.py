"""Masks of one condition as one: where(c, f, 0) + g*where(c, h, 0) is where(c, f + g*h, 0)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

from symbackprop.notation.arithmetic import add, coefficient_and_rest, factors_of, is_sum, multiply
from symbackprop.notation.expressions import ONE, ZERO, Add, Expression, Index, Number, Reduction, Where
from symbackprop.notation.substitution import in_the_names_of, rename_bound
from symbackprop.presentation.comparisons import is_pad
from symbackprop.presentation.gathering import as_one_term, with_signs_alike
from symbackprop.rules.conditions import when
from symbackprop.rules.stating import stated


@dataclass(frozen=True)
class _Masked:
    """number * outer factors * sum(indices, mask), or without a sum."""

    number: Fraction
    outer: Counter[Expression]
    total: Reduction | None
    mask: Where


def masks_of_one_condition(node: Expression) -> Expression | None:
    """The first two terms of a sum that are masked by one condition as one term."""
    if not isinstance(node, Add):
        return None
    terms = [(place, found) for place, term in enumerate(node.terms) for found in _masked(term)]
    for (here, one), (there, other) in combinations(terms, 2):
        joined = _joined(one, other) if here != there else None
        if joined is not None:
            return as_one_term(node, here, there, joined)
    return None


def _masked(term: Expression) -> Iterator[_Masked]:
    """The term as a multiple of a mask, or of a sum over one; f*where(c, g, 0) with an f no larger than g."""
    number, factors = coefficient_and_rest(term)
    for factor in factors:
        outer = Counter(factors) - Counter([factor])
        mask = factor.body if isinstance(factor, Reduction) and is_sum(factor) else factor
        if not isinstance(mask, Where) or mask.otherwise != ZERO or mask.chosen == ONE or is_pad(mask):
            continue
        if isinstance(factor, Reduction):
            yield _Masked(number, outer, factor, mask)
        elif all(each.free_indices <= mask.free_indices for each in outer):
            inside = multiply(*(each for each in factors if each is not factor), mask.chosen)
            yield _Masked(number, Counter(), None, Where(mask.condition, inside, ZERO))


def _joined(one: _Masked, other: _Masked) -> Expression | None:
    if one.outer != other.outer:
        return None
    if one.total is None or other.total is None:
        same = one.total is other.total
        return _gathered(one, other.mask, other.number) if same else None
    for body in in_the_names_of(one.total.indices, rename_bound(other.total, one.total.free_indices)):
        if isinstance(body, Where):
            gathered = _gathered(one, body, other.number)
            if gathered is not None:
                number, rest = coefficient_and_rest(gathered)
                total = one.total.with_children((multiply(*rest),))
                return multiply(Number(number), *one.outer.elements(), total)
    return None


def _gathered(one: _Masked, mask: Where, number: Fraction) -> Expression | None:
    """The multiples of two masks as one, of what their values have in common times the sum of the rest."""
    if one.mask.condition != mask.condition or _indices(one.mask) != _indices(mask):
        return None
    mine, theirs = (Counter(factors_of(each)) for each in with_signs_alike(one.mask.chosen, mask.chosen))
    shared = mine & theirs
    first, second = (multiply(*(each - shared).elements()) for each in (mine, theirs))
    rest = add(first, multiply(Number(number / one.number), second))
    inside = multiply(*shared.elements(), rest)
    return multiply(Number(one.number), Where(mask.condition, inside, ZERO))


def _indices(mask: Where) -> frozenset[Index]:
    return mask.chosen.free_indices


MASKS_OF_ONE_CONDITION = stated(
    "masks of one condition",
    "n*sum(i, where(c, f*g, 0)) + m*sum(i, where(c, f*h, 0)) = sum(i, where(c, f*(n*g + m*h), 0)), "
    "where(c, g, 0) + f*where(c, h, 0) = where(c, g + f*h, 0)",
    masks_of_one_condition,
    where=(when("one array", "f*h"),),
    decreases="wheres",
    example="h0*where(c > 1, x[i], 0) - where(c > 1, x[i]^2, 0)",
    near_miss="h0*where(c > 1, x[i], 0) - where(c > 2, x[i]^2, 0)",
    roots=(Add,),
)
