"""The order in which the factors of a sum of products are multiplied and summed, two at a time.

Each factor is known by its indices alone. A pair is combined at once into an array over the indices that are
still needed: by the result, or by factors that have yet to come. Up to EXHAUSTIVE_LIMIT factors the cheapest
of all orders is found, by dynamic programming over subsets; beyond that, the cheapest next pair is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

from symbackprop.notation.expressions import Index
from symbackprop.schedule.typical_sizes import MATRIX_PRODUCT_DISCOUNT, typical_count

EXHAUSTIVE_LIMIT = 6
IndexSet: TypeAlias = frozenset[Index]
# A factor's number, or a pair of orders that are combined.
Order: TypeAlias = "int | tuple[Order, Order]"


@dataclass(frozen=True)
class Plan:
    """An order, the factors in it, the indices that are left and the cost so far."""

    order: Order
    members: frozenset[int]
    indices: IndexSet
    cost: float


def contraction_order(factors: Sequence[IndexSet], output: IndexSet) -> Order:
    """The cheapest order found; of equal ones that which follows the order of the factors."""
    if len(factors) <= EXHAUSTIVE_LIMIT:
        return _exhaustive(factors, output).order
    return _greedy(factors, output).order


def still_needed(factors: Sequence[IndexSet], output: IndexSet, members: frozenset[int]) -> IndexSet:
    """The indices that the members' product must keep: those of the result and of the other factors."""
    others = (indices for number, indices in enumerate(factors) if number not in members)
    return output.union(*others)


def _single(factors: Sequence[IndexSet], output: IndexSet, number: int) -> Plan:
    members = frozenset((number,))
    kept = factors[number] & still_needed(factors, output, members)
    cost = typical_count(factors[number]) if kept != factors[number] else 0
    return Plan(number, members, kept, cost)


def _combined(factors: Sequence[IndexSet], output: IndexSet, left: Plan, right: Plan) -> Plan:
    members = left.members | right.members
    together = left.indices | right.indices
    kept = together & still_needed(factors, output, members)
    cost = left.cost + right.cost + pair_cost(left.indices, right.indices, kept)
    return Plan((left.order, right.order), members, kept, cost)


def pair_cost(left: IndexSet, right: IndexSet, kept: IndexSet) -> float:
    """Typical time of one pair, in element-wise operations."""
    operations = typical_count(left | right)
    summed = (left | right) - kept
    if not summed:
        return operations
    batch = left & right & kept
    own = (left - right, right - left)
    if all(own) or (any(own) and not batch):
        return operations * MATRIX_PRODUCT_DISCOUNT + typical_count(kept)
    return 2 * operations


def _exhaustive(factors: Sequence[IndexSet], output: IndexSet) -> Plan:
    best = {frozenset((number,)): _single(factors, output, number) for number in range(len(factors))}
    for count in range(2, len(factors) + 1):
        for members in combinations(range(len(factors)), count):
            candidates = [
                _combined(factors, output, best[left], best[frozenset(members) - left])
                for left in _left_parts(members)
            ]
            best[frozenset(members)] = min(candidates, key=lambda plan: plan.cost)
    return best[frozenset(range(len(factors)))]


def _left_parts(members: tuple[int, ...]) -> list[frozenset[int]]:
    """Every part that holds the first member, the largest first: ties associate to the left."""
    first, *rest = members
    return [
        frozenset((first, *chosen))
        for count in range(len(rest) - 1, -1, -1)
        for chosen in combinations(rest, count)
    ]


def _greedy(factors: Sequence[IndexSet], output: IndexSet) -> Plan:
    plans = [_single(factors, output, number) for number in range(len(factors))]
    while len(plans) > 1:
        pairs = [_combined(factors, output, left, right) for left, right in combinations(plans, 2)]
        best = min(pairs, key=lambda plan: plan.cost - _parts_cost(plan, plans))
        plans = [best if plan.members <= best.members else plan for plan in plans]
        plans = list(dict.fromkeys(plans))
    return plans[0]


def _parts_cost(pair: Plan, plans: Sequence[Plan]) -> float:
    return sum(plan.cost for plan in plans if plan.members <= pair.members)
