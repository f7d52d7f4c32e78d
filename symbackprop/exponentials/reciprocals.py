"""Reciprocals of what is made of sigmoids: of what they leave of 1, of 1 + exp(f), of choices among them."""

from __future__ import annotations

from symbackprop.exponentials.meanings import Meanings
from symbackprop.exponentials.sigmoids import (
    one_plus_exponential,
    sigmoid_argument,
    sign_and_argument,
)
from symbackprop.notation.arithmetic import (
    base_and_exponent,
    factors_of,
    is_reciprocal,
    multiply,
    negate,
    power,
)
from symbackprop.notation.expressions import Add, Apply, Expression, Number, Where
from symbackprop.notation.pairs import as_power


def reciprocal_is_sigmoid(node: Expression, meanings: Meanings) -> Expression | None:
    """1/(1 + exp(f)) = sigmoid(-f)."""
    base, exponent = base_and_exponent(node)
    if not (is_reciprocal(node) and isinstance(exponent, Number)):
        return None
    argument = one_plus_exponential(base, meanings)
    return None if argument is None else power(Apply("sigmoid", (negate(argument),)), Number(-exponent.value))


def reciprocal_of_complement(node: Expression, meanings: Meanings) -> Expression | None:
    """1/(1 - sigmoid(f)) = 1/sigmoid(-f); 1/(sigmoid(f) - 1) = -1/sigmoid(-f); of a product's factor, too."""
    base, exponent = base_and_exponent(node)
    if not (is_reciprocal(node) and isinstance(exponent, Number)):
        return None
    factors = factors_of(base)
    for place, factor in enumerate(factors):
        found = sign_and_argument(factor, meanings) if isinstance(factor, Add) else None
        if found is not None:
            sign, argument = found
            parts = (*factors[:place], Apply("sigmoid", (argument,)), *factors[place + 1 :])
            if exponent.value.denominator != 1:  # sqrt(-f) is no sqrt(-1)*sqrt(f) where f is negative
                return power(multiply(Number(sign), *parts), exponent)
            return multiply(power(Number(sign), exponent), power(multiply(*parts), exponent))
    return None


def reciprocal_of_where(node: Expression, meanings: Meanings) -> Expression | None:
    """1/where(c, f, g) = where(c, 1/f, 1/g), where f or g is a sigmoid."""
    base, exponent = base_and_exponent(node)
    if not (is_reciprocal(node) and isinstance(exponent, Number)):
        return None
    match meanings.of(base):
        case Where(condition, chosen, otherwise):
            if any(sigmoid_argument(as_power(each)[0], meanings) is not None for each in (chosen, otherwise)):
                return Where(condition, power(chosen, exponent), power(otherwise, exponent))
    return None
