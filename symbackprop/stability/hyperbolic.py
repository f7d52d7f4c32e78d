"""Hyperbolic functions: written out by exponentials, beside one another, and in a logarithm."""

from __future__ import annotations

from fractions import Fraction
from functools import partial

from symbackprop.notation.arithmetic import add, coefficient_and_rest, multiply, negate
from symbackprop.notation.expressions import MINUS_ONE, ONE, ZERO, Apply, Expression, Number
from symbackprop.notation.pairs import argument_of, joined_factors, joined_terms
from symbackprop.stability.meanings import Meanings
from symbackprop.stability.scales import Scaled
from symbackprop.systems.partial import NOTHING_KNOWN

HALF = Number(Fraction(1, 2))


def sum_of_opposites(node: Expression, _meanings: Meanings) -> Expression | None:
    """exp(f) + exp(-f) = 2*cosh(f); exp(f) - exp(-f) = 2*sinh(f)."""

    def joined_by(function: str, argument: Expression, other: Expression) -> Expression | None:
        if argument_of("exp", other) != negate(argument):
            return None
        return multiply(Number(2), Apply(function, (_positive(argument, function),)))

    return joined_terms(node, "exp", partial(joined_by, "cosh"), sign=1) or joined_terms(
        node, "exp", partial(joined_by, "sinh"), sign=-1
    )


def _positive(argument: Expression, function: str) -> Expression:
    """-f as f in an even function."""
    number, _ = coefficient_and_rest(argument)
    return negate(argument) if function == "cosh" and number < 0 else argument


def sinh_by_cosh(node: Expression, _meanings: Meanings) -> Expression | None:
    """sinh(f)/cosh(f) = tanh(f)."""

    def ratio(argument: Expression, other: Expression) -> Expression | None:
        is_partner = argument_of("cosh", other) in (argument, negate(argument))
        return Apply("tanh", (argument,)) if is_partner else None

    return joined_factors(node, "sinh", ratio, sign=-1)


def log_of_cosh(node: Expression, meanings: Meanings) -> Expression | None:
    """log(2*cosh(f)) = abs(f) + softplus(-2*abs(f)); log(cosh(f)) = abs(f) + log1p(expm1(-2*abs(f))/2)."""
    argument = argument_of("log", node)
    if argument is None:
        return None
    number, rest = coefficient_and_rest(meanings.of(argument))
    inner = argument_of("cosh", meanings.of(rest[0])) if len(rest) == 1 else None
    if inner is None:
        return None
    size = Apply("abs", (inner,))
    twice = multiply(Number(-2), size)
    if number == 2:
        return add(size, Apply("softplus", (twice,)))
    logarithm = Apply("log1p", (multiply(HALF, Apply("expm1", (twice,))),))
    return add(size, logarithm, *((Apply("log", (Number(number),)),) if number != 1 else ()))


def scaled_difference(node: Expression) -> Scaled | None:
    """exp(f) - 1 = exp(max(f, 0))*sign(f)*(1 - exp(-abs(f))), where f may be positive."""
    match node:
        case Apply("expm1", (argument,)) if not NOTHING_KNOWN.is_nonnegative(negate(argument)):
            size, sign = Apply("abs", (argument,)), Apply("sign", (argument,))
            value = multiply(MINUS_ONE, sign, Apply("expm1", (negate(size),)))
            return Scaled(Apply("max", (argument, ZERO)), value, is_shifted=True)
    return None


def scaled_hyperbolic(function: str, argument: Expression) -> Scaled:
    """cosh(f) = exp(|f|)*(1 + exp(-2*|f|))/2, sinh(f) = exp(|f|)*sign(f)*(1 - exp(-2*|f|))/2."""
    size = Apply("abs", (argument,))
    twice = multiply(Number(-2), size)
    if function == "cosh":
        return Scaled(size, multiply(HALF, add(ONE, Apply("exp", (twice,)))), is_shifted=True)
    sign = multiply(MINUS_ONE, HALF, Apply("sign", (argument,)))
    return Scaled(size, multiply(sign, Apply("expm1", (twice,))), is_shifted=True)
