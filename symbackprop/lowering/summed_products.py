"""Products of several factors, summed over indices: sums merged, then pair by pair in the cheapest order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symbackprop.array.views import (
    is_windowed,
    offsets_first,
    ordered,
    union_in_order,
)
from symbackprop.cost.contraction import Order, contraction_order, still_needed
from symbackprop.indexing.running import accumulation
from symbackprop.lowering.products import Factor, combined, own_order, summed
from symbackprop.notation.arithmetic import factors_of, is_sum
from symbackprop.notation.expressions import (
    Expression,
    Index,
    Reduction,
)
from symbackprop.notation.substitution import rename_bound
from symbackprop.schedule.solves import linear_system
from symbackprop.schedule.terms import (
    Indices,
    flat_factors,
)


def flattened_product(
    factors: Sequence[Expression], over: Indices, order: Indices
) -> tuple[list[Expression], Indices]:
    """Products flattened; in a sum, factors that are themselves sums of products join it, renamed afresh."""
    flat: list[Expression] = []
    factors = flat_factors(factors)
    for factor in factors:
        if over and is_sum(factor) and linear_system(factor) is None and not _is_accumulated(factor):
            used = {*order, *over}.union(*(other.free_indices for other in factors))
            inner = rename_bound(factor, used)
            if set(inner.indices) <= inner.body.free_indices:
                deeper, over = flattened_product(factors_of(inner.body), (*over, *inner.indices), order)
                flat.extend(deeper)
                continue
        flat.append(factor)
    return flat, over


def _is_accumulated(factor: Reduction) -> bool:
    """Whether a sum is accumulated in one pass, without a larger array than those that it reads."""
    found = accumulation(factor)
    return found is not None and not found.larger


def contraction(arrays: Sequence[Factor], over: Indices, order: Indices) -> Factor:
    """Arrays multiplied and summed over `over`, in the cheapest order of pairs."""
    arrays = [
        replace(factor, value=offsets_first(factor.value)) if over and is_windowed(factor.value) else factor
        for factor in arrays
    ]
    everything = (*order, *over)
    index_sets = [frozenset(factor.value.indices) for factor in arrays]
    output = frozenset().union(*index_sets) - frozenset(over)

    def build(tree: Order) -> tuple[Factor, frozenset[int]]:
        if isinstance(tree, int):
            members = frozenset((tree,))
            alone = index_sets[tree] - still_needed(index_sets, output, members)
            return _without(arrays[tree], alone), members
        (left, left_members), (right, right_members) = build(tree[0]), build(tree[1])
        members = left_members | right_members
        needed = still_needed(index_sets, output, members)
        together = union_in_order((left.value, right.value), everything)
        summed_now = tuple(index for index in together if index not in needed)
        # What is summed later on keeps the order of its axes until then.
        target = own_order(left.value, right.value) if over and not summed_now else everything
        return combined(left, right, summed_now, target), members

    result, _ = build(contraction_order(index_sets, output))
    return Factor(ordered(result.value, order), result.inverse)


def _without(factor: Factor, over: frozenset[Index]) -> Factor:
    """The factor summed over indices that no other factor has."""
    if not over:
        return factor
    value = factor.resolved()
    return Factor(summed(value, tuple(index for index in value.indices if index in over)))
