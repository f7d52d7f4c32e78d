"""The order in which the factors of a sum of products are multiplied and summed, two at a time.

Each factor is known by its indices alone. A pair is combined at once into an array over the indices that are
still needed: by the result, or by factors that have yet to come. Up to EXHAUSTIVE_LIMIT factors the cheapest
of all orders is found, by dynamic programming over subsets; beyond that, the cheapest next pair is taken.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache, partial
from itertools import combinations
from typing import TypeAlias

from symbackprop.cost.assumptions import PROGRAM, Assumptions
from symbackprop.cost.weights import MATRIX_PRODUCT_WEIGHT
from symbackprop.notation.expressions import Index

EXHAUSTIVE_LIMIT = 6
IndexSet: TypeAlias = frozenset[Index]
# A factor's number, or a pair of orders that are combined.
Order: TypeAlias = "int | tuple[Order, Order]"


@dataclass(frozen=True)
class Plan:
    """An order, the factors in it, the indices that are left and the cost so far.

    `merged` counts the elements of what products of many matrices sum over several indices at a time: those
    become one axis, mostly in a copy, which decides between orders of the same cost.
    """

    order: Order
    members: frozenset[int]
    indices: IndexSet
    cost: Fraction
    merged: int = 0

    @property
    def place(self) -> int:
        """Where its first factor stands."""
        return min(self.members)


def contraction_order(
    factors: Sequence[IndexSet], output: IndexSet, assuming: Assumptions = PROGRAM
) -> Order:
    """The cheapest order found; of equal ones that which merges least, then that of the factors."""
    return contraction_plan(tuple(factors), output, assuming).order


@lru_cache(maxsize=10_000)
def contraction_plan(factors: tuple[IndexSet, ...], output: IndexSet, assuming: Assumptions) -> Plan:
    """The cheapest plan found for one or more factors; asked again wherever the product stands."""
    search = _exhaustive if len(factors) <= EXHAUSTIVE_LIMIT else _greedy
    return search(factors, output, assuming)


def forget_plans() -> None:
    """Empty the memory of plans, so that a benchmark measures them again."""
    contraction_plan.cache_clear()


def still_needed(factors: Sequence[IndexSet], output: IndexSet, members: frozenset[int]) -> IndexSet:
    """The indices that the members' product must keep: those of the result and of the other factors."""
    others = (indices for number, indices in enumerate(factors) if number not in members)
    return output.union(*others)


def pair_cost(left: IndexSet, right: IndexSet, kept: IndexSet, assuming: Assumptions = PROGRAM) -> Fraction:
    """Typical time of one pair, in element-wise operations.

    A pair that is summed while it is multiplied writes its result only: what `@` can do (see
    `lowering.products`), or any pair where that is assumed. Another makes a pass for each.
    """
    operations = assuming.count(left | right)
    summed = (left | right) - kept
    if not summed:
        return Fraction(operations)
    batch = left & right & kept
    own = (left - right, right - left)
    is_inner_product = not any(own) and len(summed) == 1
    if assuming.fused or all(own) or ((any(own) or is_inner_product) and not batch):
        return operations * MATRIX_PRODUCT_WEIGHT + assuming.count(kept)
    return Fraction(2 * operations)


def _single(factors: Sequence[IndexSet], output: IndexSet, number: int, assuming: Assumptions) -> Plan:
    members = frozenset((number,))
    kept = factors[number] & still_needed(factors, output, members)
    cost = assuming.count(factors[number]) if kept != factors[number] else 0
    return Plan(number, members, kept, Fraction(cost))


def _price(left: Plan, right: Plan, needed: IndexSet, assuming: Assumptions) -> tuple[Fraction, int]:
    """The cost of two plans and of combining them, and how many elements they merge."""
    kept = (left.indices | right.indices) & needed
    cost = left.cost + right.cost + pair_cost(left.indices, right.indices, kept, assuming)
    merged = left.merged + right.merged
    if left.indices & right.indices & kept and len((left.indices & right.indices) - kept) > 1:
        merged += assuming.count(left.indices) + assuming.count(right.indices)
    return cost, merged


def _combined(left: Plan, right: Plan, needed: IndexSet, assuming: Assumptions) -> Plan:
    order, members = (left.order, right.order), left.members | right.members
    kept = (left.indices | right.indices) & needed
    return Plan(order, members, kept, *_price(left, right, needed, assuming))


def _exhaustive(factors: Sequence[IndexSet], output: IndexSet, assuming: Assumptions) -> Plan:
    best = {
        frozenset((number,)): _single(factors, output, number, assuming) for number in range(len(factors))
    }
    for count in range(2, len(factors) + 1):
        for members in map(frozenset, combinations(range(len(factors)), count)):
            needed = still_needed(factors, output, members)
            pairs = [(best[left], best[members - left]) for left in _left_parts(members)]
            price = partial(_price, needed=needed, assuming=assuming)
            best[members] = _combined(*min(pairs, key=lambda pair: price(*pair)), needed, assuming)
    return best[frozenset(range(len(factors)))]


def _left_parts(members: frozenset[int]) -> list[frozenset[int]]:
    """Every part that holds the first member, the largest first: ties associate to the left."""
    first, *rest = sorted(members)
    return [
        frozenset((first, *chosen))
        for count in range(len(rest) - 1, -1, -1)
        for chosen in combinations(rest, count)
    ]


def _greedy(factors: Sequence[IndexSet], output: IndexSet, assuming: Assumptions) -> Plan:
    """Plans over the same indices are alike: pairs are looked for among index sets, which are few."""
    waiting: dict[IndexSet, list[Plan]] = {}
    for number in range(len(factors)):
        plan = _single(factors, output, number, assuming)
        waiting.setdefault(plan.indices, []).append(plan)
    for _ in range(len(factors) - 1):
        pairs = (
            (_combined(left, right, needed, assuming), left, right)
            for left, right, needed in _first_pairs(waiting, output)
        )
        best, *parts = min(
            pairs, key=lambda pair: (pair[0].cost - pair[1].cost - pair[2].cost, pair[1].place, pair[2].place)
        )
        for part in parts:
            waiting[part.indices].remove(part)
            if not waiting[part.indices]:
                del waiting[part.indices]
        insort(waiting.setdefault(best.indices, []), best, key=lambda plan: plan.place)
    ((plan,),) = waiting.values()
    return plan


def _first_pairs(
    waiting: Mapping[IndexSet, Sequence[Plan]], output: IndexSet
) -> Iterator[tuple[Plan, Plan, IndexSet]]:
    """For each two index sets the first pair of plans over them, and the indices that all else needs."""
    pairs = [(one, one) for one, plans in waiting.items() if len(plans) > 1]
    for one, other in (*pairs, *combinations(waiting, 2)):
        first, second = waiting[one][0], waiting[other][1 if one == other else 0]
        left, right = sorted((first, second), key=lambda plan: plan.place)
        rest = (each for each, plans in waiting.items() if len(plans) > (each == one) + (each == other))
        yield left, right, output.union(*rest)
