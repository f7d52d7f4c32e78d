"""Sums put together where a delta in the inner one speaks of the outer one: it meets both its sums."""

from __future__ import annotations

from symbackprop.notation.arithmetic import factors_of, is_sum, multiply
from symbackprop.notation.expressions import ZERO, Delta, Expression, Index, Reduction, Where
from symbackprop.notation.substitution import rename_bound
from symbackprop.rules.conditions import is_tied, when
from symbackprop.rules.one_index import is_equated
from symbackprop.rules.stating import stated


def join_sum(node: Expression) -> Expression | None:
    """sum(a, f*sum(r, g*delta(a+r, i))) = sum(a, r, f*g*delta(a+r, i)): the delta meets both its sums.

    So is sum(b, f*sum(a, where(2*a == b, g, 0))), which is f at b = 2*a, and a sum under a mask.
    """
    if not is_sum(node):
        return None
    factors = factors_of(node.body)
    for place, factor in enumerate(factors):
        taken = frozenset(node.indices) | node.body.free_indices
        total = _tied_sum(factor, node.indices, taken) or _sum_of_masked(factor, node.indices, taken)
        if total is not None:
            body = multiply(*factors[:place], *factors_of(total.body), *factors[place + 1 :])
            return Reduction("sum", (*node.indices, *total.indices), body)
    return None


def _tied_sum(factor: Expression, outer: tuple[Index, ...], taken: frozenset[Index]) -> Reduction | None:
    """A sum whose body says which of the outer indices it is about, its own ones renamed."""
    if is_sum(factor) and (is_tied(factor.body, outer) or is_equated(factor, outer)):
        return rename_bound(factor, taken)
    return None


def _sum_of_masked(factor: Expression, outer: tuple[Index, ...], taken: frozenset[Index]) -> Reduction | None:
    """where(c, f*sum(r, g*delta(t[r], i)), 0) = sum(r, where(c, f*g*delta(t[r], i), 0)), t[r] looked up."""
    if not isinstance(factor, Where) or factor.otherwise != ZERO:
        return None
    factors = factors_of(factor.chosen)
    for place, each in enumerate(factors):
        total = _tied_sum(each, outer, taken)
        if total is not None and any(map(_is_of_lookup, factors_of(total.body))):
            body = multiply(*factors[:place], *factors_of(total.body), *factors[place + 1 :])
            return Reduction("sum", total.indices, Where(factor.condition, body, ZERO))
    return None


def _is_of_lookup(factor: Expression) -> bool:
    return isinstance(factor, Delta) and bool(factor.tensors)


JOINING_RULES = (
    stated(
        "join sums",
        "sum(i, f*sum(j, g)) = sum(i, j, f*g), sum(i, f*where(c, h*sum(j, g), 0)) = "
        "sum(i, j, f*where(c, h*g, 0)), sum(i, f*sum(j, where(p(j) == i, g, 0))) = "
        "sum(i, j, f*where(p(j) == i, g, 0))",
        join_sum,
        where=(when("tied", "g", "i"),),
        decreases="factors under sums",
        example="sum(j, y[j]*sum(k, B[j,k]*delta(j+k,q)))",
        near_miss="sum(j, y[j]*sum(k, B[j,k]*delta(2*k,q)))",
        roots=(Reduction,),
    ),
)
