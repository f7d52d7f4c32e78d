"""Sums and products over all places up to one of the result, which one pass along the axis accumulates.

    T[s] = prod(q, where(q < s, 1 - a[q], 1))

is the product of all before s; a mask would make an array of all pairs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from symbackprop.indexing.counting import Counter
from symbackprop.integers.bounds import conjunction, conjuncts
from symbackprop.integers.linear import linear_form
from symbackprop.notation.arithmetic import factors_of, multiply, subtract
from symbackprop.notation.expressions import (
    ONE,
    ZERO,
    Comparison,
    Expression,
    Index,
    Reduction,
    Where,
)


@dataclass(frozen=True)
class Ends:
    """Where the numbers end that an index reads along an axis: before it, with `own` at it.

    With `reverse` they begin behind it, or at it.
    """

    index: Index
    along: Index
    own: bool
    reverse: bool


@dataclass(frozen=True)
class Accumulation:
    """sum(along, .., where(along < index, numbers, 0)*beside), or a product where other numbers are 1.

    The numbers do not depend on the index, and what stands beside them not on the place along the axis. They
    are `larger` where no factor of theirs is an array over all their axes.
    """

    ends: Ends
    mask: Where
    numbers: Expression
    beside: tuple[Expression, ...]
    larger: bool


def accumulation(reduction: Reduction) -> Accumulation | None:
    """The reduction as an accumulation along an axis of the result; None for any other."""
    if reduction.kind not in ("sum", "prod"):
        return None
    is_sum = reduction.kind == "sum"
    factors = factors_of(reduction.body) if is_sum else (reduction.body,)
    for number, factor in enumerate(factors):
        if isinstance(factor, Where) and factor.otherwise == (ZERO if is_sum else ONE):
            for ends, left in _ends(factor.condition):
                kept = Where(conjunction(left), factor.chosen, factor.otherwise) if left else factor.chosen
                inside = factors_of(kept) if is_sum else (kept,)
                found = _apart(ends, factor, (*factors[:number], *inside, *factors[number + 1 :]))
                if found and ends.along in reduction.indices and ends.index not in reduction.indices:
                    return found
    return None


def _apart(ends: Ends, mask: Where, factors: tuple[Expression, ...]) -> Accumulation | None:
    """The factors that are accumulated and those beside; None where those grow by it."""
    beside = tuple(each for each in factors if ends.index in each.free_indices)
    numbers = [each for each in factors if ends.along in each.free_indices]
    rest = [each for each in factors if each not in beside]
    free = multiply(*rest).free_indices
    larger = not any(each.free_indices >= free for each in numbers)
    if not numbers or (beside and larger) or any(ends.along in each.free_indices for each in beside):
        return None
    return Accumulation(ends, mask, multiply(*rest), beside, larger)


def _ends(condition: Expression) -> Iterator[tuple[Ends, tuple[Expression, ...]]]:
    """The ends that q < s and others says, q <= s, s < q, s <= q, and the other conditions."""
    parts = conjuncts(condition)
    for number, part in enumerate(parts):
        if not (isinstance(part, Comparison) and part.operator in ("<", "<=", ">", ">=")) or part.tensors:
            continue
        sides = (part.left, part.right) if part.operator[0] == "<" else (part.right, part.left)
        difference = linear_form(subtract(*sides))
        found = _lower_and_higher(difference.coefficients)
        most = -difference.constant - (len(part.operator) == 1)  # of lower - higher
        if found is not None and most in (0, -1):
            lower, higher = found
            left = (*parts[:number], *parts[number + 1 :])
            yield Ends(higher, lower, most == 0, reverse=False), left
            yield Ends(lower, higher, most == 0, reverse=True), left


def _lower_and_higher(coefficients: Mapping[Expression, Fraction]) -> tuple[Index, Index] | None:
    """q and s of q - s, two indices of one axis that no loop counts."""
    named = {factor: unknown for unknown, factor in coefficients.items()}
    lower, higher = named.get(Fraction(1)), named.get(Fraction(-1))
    if len(coefficients) != 2 or not (isinstance(lower, Index) and isinstance(higher, Index)):
        return None
    is_plain = not isinstance(lower, Counter) and not isinstance(higher, Counter)
    return (lower, higher) if is_plain and lower.axis == higher.axis else None
