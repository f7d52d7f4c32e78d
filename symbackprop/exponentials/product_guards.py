"""The guards of a product: conditions outside which it is 0, and is not looked at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from symbackprop.exponentials.exponents import LOWEST, is_instance
from symbackprop.integers.bounds import conjunction, conjuncts
from symbackprop.notation.arithmetic import add, factors_of, multiply, negate, power, terms_of
from symbackprop.notation.expressions import (
    ONE,
    ZERO,
    Add,
    Apply,
    Comparison,
    Constant,
    Delta,
    Element,
    Expression,
    Index,
    Logic,
    Multiply,
    Number,
    Power,
    Reduction,
    Size,
    Where,
)
from symbackprop.systems.partial import NOTHING_KNOWN

Weight = tuple[Expression, tuple[Index, ...]]  # of a sum over these indices


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


def weighted(value: Expression, factor: Expression, sure: frozenset[str] = frozenset()) -> Expression:
    """value*factor, looked at only where the value is not 0; tensors that are `sure` need no guard."""
    if isinstance(value, Where) and value.otherwise == ZERO:
        return Where(value.condition, weighted(value.chosen, factor, sure), ZERO)
    conditions = may_vanish(value, sure)
    product = multiply(value, factor)
    return Where(conjunction(conditions), product, ZERO) if conditions and factor != ONE else product


def may_vanish(value: Expression, sure: frozenset[str] = frozenset()) -> tuple[Expression, ...]:
    """The conditions under which a product is not 0, as far as it is not sure, as of some tensors."""
    conditions: list[Expression] = []
    for factor in factors_of(value):
        base = factor.base if isinstance(factor, Power) else factor
        if isinstance(factor, Where) and factor.otherwise == ZERO:
            conditions += (factor.condition, *may_vanish(factor.chosen, sure))
        elif isinstance(factor, Delta):
            conditions.append(Comparison("==", factor.left, factor.right))
        elif not (is_never_zero(factor) or (isinstance(base, Element) and base.tensor in sure)):
            conditions.append(Comparison("!=", base, ZERO))
    return tuple(dict.fromkeys(conditions))


def counted(exponent: Expression, value: Expression, sure: frozenset[str]) -> Expression:
    """The exponent of a value in a maximum: one that counts only where the value is not 0."""
    if value == ZERO:
        return LOWEST
    conditions = may_vanish(value, sure)
    exponent = where_counted(exponent, value, sure)
    return Where(conjunction(conditions), exponent, LOWEST) if conditions else exponent


def where_counted(exponent: Expression, value: Expression, sure: frozenset[str]) -> Expression:
    """The exponent without guards that the value has too."""
    if LOWEST not in exponent.walk():
        return exponent
    conditions = may_vanish(value, sure)

    def bare(term: Expression) -> Expression:
        match term:
            case Where(condition, chosen, otherwise) if otherwise == LOWEST and condition in conditions:
                return chosen
        return term

    return add(*map(bare, terms_of(exponent)))


def is_never_zero(node: Expression) -> bool:
    """Whether it is sure not to be 0; a sum of what is not negative was shifted, and has a term 1."""
    match node:
        case Number(value):
            return value != 0
        case Size() | Constant():
            return True
        case Where(_, chosen, otherwise):
            return is_never_zero(chosen) and is_never_zero(otherwise)
        case Apply("expm1", (argument,)):
            return is_never_zero(argument) or is_never_zero(negate(argument))
        case Apply(function, _):
            return function in _POSITIVE_FUNCTIONS
        case Power(base, Number(exponent)):
            return exponent < 0 or is_never_zero(base)
        case Multiply(factors):
            return all(map(is_never_zero, factors))
        case Add() | Reduction("sum", _, _):
            return NOTHING_KNOWN.is_nonnegative(node)
    return False


_POSITIVE_FUNCTIONS = frozenset(("exp", "cosh", "sigmoid", "softplus"))


def weights_left_out(below: Expression) -> Iterator[Weight]:
    """The weights that the sums leave out where they are 0, with the sums' indices."""
    for node in below.walk():
        if isinstance(node, Reduction) and isinstance(node.body, Where):
            for part in node.body.condition.walk():
                match part:
                    case Comparison("!=", weight, other) if other == ZERO:
                        yield weight, node.indices


def where_weights_are_not_zero(product: Expression, weights: Sequence[Weight]) -> Expression:
    """The product, looked at only where the weights are not 0 that the denominator's sums leave out."""
    above = factors_of(product)
    conditions = [
        Comparison("!=", factor, ZERO)
        for factor in above
        if any(is_instance(factor, weight, indices) for weight, indices in weights)
    ]
    return Where(conjunction(conditions), product, ZERO) if conditions else product
