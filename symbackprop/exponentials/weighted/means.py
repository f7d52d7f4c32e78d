"""Weighted means m = sum(i, w*f)/sum(i, w), by name or written out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from symbackprop.exponentials.meanings import Meanings
from symbackprop.notation.arithmetic import base_and_exponent, factors_of, is_sum, multiply, power
from symbackprop.notation.expressions import MINUS_ONE, Expression, Index, Multiply, Number, Power, Reduction
from symbackprop.notation.substitution import canonical_bound_names, substitute


def is_weighted_mean(
    mean: Expression,
    value: Expression,
    beside: Sequence[Expression],
    over: Sequence[Index],
    meanings: Meanings,
) -> bool:
    """Whether it is a mean of the value over these indices, weighted by what varies over them beside it."""
    weight = [each for each in beside if not each.free_indices.isdisjoint(over)]
    found = _as_sums(opened(mean, meanings), meanings)
    for total in filter(is_sum, found):
        assert isinstance(total, Reduction)
        if [each.axis for each in total.indices] != [each.axis for each in over]:
            continue
        at = dict(zip(total.indices, over, strict=True))
        inside = [part for each in factors_of(total.body) for part in opened(substitute(each, at), meanings)]
        fixed = [each for each in inside if each.free_indices.isdisjoint(over)]
        varying = [each for each in inside if not each.free_indices.isdisjoint(over)]
        whole = power(Reduction("sum", tuple(over), multiply(*weight)), MINUS_ONE)
        if are_alike(varying, [*weight, *opened(value, meanings)]):
            return are_alike([*without(found, total), *_as_sums(fixed, meanings)], [whole])
    return False


def are_alike(some: Sequence[Expression], others: Sequence[Expression]) -> bool:
    """Whether their products are the same, in whatever order."""
    one, other = (Counter(factors_of(multiply(*map(canonical_bound_names, each)))) for each in (some, others))
    return one == other


def without(factors: Sequence[Expression], one: Expression) -> list[Expression]:
    """The factors without the first that is this one."""
    place = factors.index(one)
    return [*factors[:place], *factors[place + 1 :]]


def opened(factor: Expression, meanings: Meanings) -> list[Expression]:
    """The factors that it is of, behind names of products too."""
    return list(_opened(factor, meanings))


def _opened(factor: Expression, meanings: Meanings) -> Iterator[Expression]:
    base, exponent = base_and_exponent(factor)
    meant = meanings.of_earlier(base) if isinstance(exponent, Number) else base
    if isinstance(meant, Multiply) or (meant is not base and isinstance(meant, Power)):
        for each in factors_of(meant):
            yield from _opened(power(each, exponent), meanings)
    else:
        yield factor


def _as_sums(factors: Sequence[Expression], meanings: Meanings) -> list[Expression]:
    """The factors, the names of sums as these."""
    parts = [
        (base, meanings.of_earlier(base), exponent) for base, exponent in map(base_and_exponent, factors)
    ]
    return [power(meant if is_sum(meant) else base, exponent) for base, meant, exponent in parts]
