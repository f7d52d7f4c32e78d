"""Quotients of exponentials by the sum of their like, with exponents of at most 0, as a softmax has them.

exp(u[k])/sum(k, exp(u[k])) is 1/K where all u[k] are -1e9, and 0/0 in floating point. With m = max(k, u[k]),
exp(u[k] - m)/sum(k, exp(u[k] - m)) is the same, and so is any product of as many exponentials as divisors.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from symbackprop.notation.arithmetic import factors_of, multiply, subtract
from symbackprop.notation.expressions import Apply, Expression, Index, Multiply, Number, Power, Reduction
from symbackprop.systems.shorthands import outer_indices


@dataclass(frozen=True)
class Shifted:
    """A sum of exponentials that a product divides by, and the product less the largest exponent."""

    total: Reduction
    product: Expression


@lru_cache(maxsize=10_000)
def shifted_exponentials(product: Multiply) -> tuple[Shifted, ...]:
    """For each sum of exponentials by which a product divides as often as it multiplies by one of them."""
    found = []
    for factor in product.factors:
        match factor:
            case Power(Reduction("sum", bound, Apply("exp", (exponent,))) as total, Number(power)) if (
                power < 0 and not _is_shifted(exponent, bound)
            ):
                shifts = [_shifted(each, bound, exponent) for each in product.factors if each != factor]
                if sum(count for count, _ in shifts) == -power:
                    below = Power(_total(bound, exponent), Number(power))
                    found.append(Shifted(total, multiply(*(each for _, each in shifts), below)))
    return tuple(found)


def _is_shifted(exponent: Expression, bound: tuple[Index, ...]) -> bool:
    """Whether a maximum is taken from it already: what vanishes all the same is a sum over an empty axis."""
    maxima = (node for node in exponent.walk() if isinstance(node, Reduction) and node.kind == "max")
    return any(set(each.indices) == set(bound) for each in maxima)


def _total(bound: tuple[Index, ...], exponent: Expression) -> Expression:
    return Reduction("sum", bound, _exponential(exponent, bound, exponent))


def _exponential(own: Expression, bound: tuple[Index, ...], exponent: Expression) -> Expression:
    return Apply("exp", (subtract(own, Reduction("max", bound, exponent)),))


def _shifted(factor: Expression, bound: tuple[Index, ...], exponent: Expression) -> tuple[int, Expression]:
    """How many exponentials of the sum a factor is linear in, 0 or 1, and the factor with it shifted."""
    match factor:
        case Apply("exp", (own,)) if outer_indices(factor, bound, exponent) is not None:
            return 1, _exponential(own, bound, exponent)
        case Reduction("sum", indices, body) if exponent.free_indices.difference(bound).isdisjoint(indices):
            parts = [_shifted(each, bound, exponent) for each in factors_of(body)]
            if sum(count for count, _ in parts) == 1:
                return 1, Reduction("sum", indices, multiply(*(each for _, each in parts)))
    return 0, factor
