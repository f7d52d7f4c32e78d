"""Powers with any exponent as exp(exponent)*value: of exponentials, and of what probabilities leave of 1."""

from __future__ import annotations

from collections.abc import Sequence

from symbackprop.exponentials.hyperbolic import scaled_complement
from symbackprop.exponentials.meanings import Meanings
from symbackprop.exponentials.scales import Scaled
from symbackprop.notation.arithmetic import (
    add,
    base_and_exponent,
    coefficient_and_rest,
    factors_of,
    multiply,
    negate,
    power,
    terms_of,
)
from symbackprop.notation.expressions import ONE, ZERO, Apply, Expression, Number, Power
from symbackprop.notation.pairs import argument_of


def scaled_power(node: Power, base: Scaled, meanings: Meanings) -> Scaled:
    """exp(f)^g = exp(g*f) for every g; what stands beside the exponential has a number for a power.

    What is left of 1 is positive: (1 - exp(-s))^g = exp(g*log(1 - exp(-s))).
    """
    exponent = node.exponent
    if not isinstance(exponent, Number) and _is_complement(node.base, meanings):
        base = Scaled(add(base.exponent, Apply("log", (base.value,))), ONE)
    if base.is_plain or not (isinstance(exponent, Number) or base.value == ONE):
        return Scaled(ZERO, node)
    # Term by term: what multiplies a logarithm in f^(g - 1)/f^g cancels.
    times = [part for term in terms_of(exponent) for part in terms_of(_with_one(term))]
    multiplied = add(*(multiply(factor, term) for term in terms_of(base.exponent) for factor in times))
    return Scaled(multiplied, ONE if base.value == ONE else power(base.value, exponent), base.is_shifted)


def is_difference_from_root(terms: Sequence[Scaled]) -> bool:
    """Whether the root of a sum of exponentials is subtracted from what it nearly is, or that from it.

    b - sqrt(b^2 - exp(f)): as typed, b and the root are rounded alike; shifted on their own they are not.
    """
    roots = [each for each in terms if each.is_shifted and _has_root(each.value)]
    return any(
        _sign(root) != _sign(other) and not root.tensors.isdisjoint(other.tensors)
        for root in roots
        for other in terms
    )


def _has_root(product: Expression) -> bool:
    exponents = (base_and_exponent(factor)[1] for factor in factors_of(product))
    return any(
        isinstance(each, Number) and each.value.denominator != 1 and each.value > 0 for each in exponents
    )


def _sign(term: Scaled) -> bool:
    return coefficient_and_rest(term.value)[0] < 0


def _with_one(term: Expression) -> Expression:
    """exp(f) - 1 for expm1(f)."""
    number, rest = coefficient_and_rest(term)
    argument = argument_of("expm1", rest[0]) if len(rest) == 1 else None
    return (
        term
        if argument is None
        else add(multiply(Number(number), Apply("exp", (argument,))), Number(-number))
    )


def _is_complement(node: Expression, meanings: Meanings) -> bool:
    """Whether it is 1 - exp(-s), s a sum of softplus, where sigmoids are seen."""
    meant = negate(meanings.of(node)) if meanings.sees_sigmoids else node
    return meanings.sees_sigmoids and scaled_complement(meant) is not None
