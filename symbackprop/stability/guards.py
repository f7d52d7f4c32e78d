"""The guards of a product: conditions outside which it is 0, and is not looked at."""

from __future__ import annotations

from collections.abc import Sequence

from symbackprop.integers.bounds import conjunction, conjuncts
from symbackprop.notation.arithmetic import add, factors_of, multiply, power
from symbackprop.notation.expressions import ZERO, Add, Expression, Logic, Number, Power, Where


def unguarded(value: Expression) -> tuple[list[Expression], Expression]:
    """The conditions outside which a product is 0, and what it is where they hold."""
    conditions: list[Expression] = []
    factors: list[Expression] = []
    for factor in factors_of(value):
        match factor:
            case Where(condition, chosen, otherwise) if otherwise == ZERO:
                inner, bare = unguarded(chosen)
                inner = [condition, *inner]
            case Power(base, Number(exponent)) if exponent > 0:
                inner, bare = unguarded(base)
                bare = power(bare, factor.exponent)
            case Add(terms):
                inner, bare = _of_sum(factor, [unguarded(term) for term in terms])
            case _:
                inner, bare = [], factor
        conditions += inner
        factors.append(bare)
    return conditions, multiply(*factors)


def _of_sum(
    node: Expression, terms: Sequence[tuple[list[Expression], Expression]]
) -> tuple[list[Expression], Expression]:
    """A sum is 0 where every term is; the terms keep guards of their own."""
    if not all(conditions for conditions, _ in terms):
        return [], node
    guards = {frozenset(conjuncts(each)): each for each in (conjunction(found) for found, _ in terms)}
    if len(guards) == 1:
        return list(guards.values()), add(*(bare for _, bare in terms))
    weakest = [guards[each] for each in guards if not any(other < each for other in guards)]
    return [weakest[0] if len(weakest) == 1 else Logic("or", tuple(weakest))], node
