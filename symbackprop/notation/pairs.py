"""Two factors, or two terms, of a node that a law makes one of."""

from __future__ import annotations

from collections.abc import Callable

from symbackprop.notation.arithmetic import add, coefficient_and_rest, multiply, power
from symbackprop.notation.expressions import Add, Apply, Expression, Multiply, Number, Power

Join = Callable[[Expression, Expression], Expression | None]


def joined_factors(node: Expression, function: str, join: Join, sign: int = 1) -> Expression | None:
    """The product with join(f, g) for function(f)*g, or with sign -1 for function(f)/g; None without such."""
    if not isinstance(node, Multiply):
        return None
    for at, factor in enumerate(node.factors):
        base, above = as_power(factor)
        argument = argument_of(function, base)
        for other_at, other in enumerate(node.factors) if argument is not None else ():
            below, exponent = as_power(other)
            times = min(above, sign * exponent)
            found = join(argument, below) if other_at != at and argument is not None and times > 0 else None
            if found is not None:
                changed = {
                    at: multiply(power(base, Number(above - times)), power(found, Number(times))),
                    other_at: power(below, Number(exponent - sign * times)),
                }
                return multiply(*(changed.get(place, each) for place, each in enumerate(node.factors)))
    return None


def joined_terms(node: Expression, function: str, join: Join, sign: int) -> Expression | None:
    """The sum with n*join(f, g) for n*function(f) + sign*n*g; None without such."""
    if not isinstance(node, Add):
        return None
    parts = [coefficient_and_rest(term) for term in node.terms]
    for at, (number, rest) in enumerate(parts):
        argument = argument_of(function, rest[0]) if len(rest) == 1 else None
        for other_at, (other_number, other) in enumerate(parts) if argument is not None else ():
            if other_at == at or other_number != sign * number or argument is None:
                continue
            found = join(argument, multiply(*other))
            if found is not None:
                changed = {at: multiply(Number(number), found), other_at: Number(0)}
                return add(*(changed.get(place, each) for place, each in enumerate(node.terms)))
    return None


def as_power(factor: Expression) -> tuple[Expression, int]:
    """(base, n) of a whole power."""
    if isinstance(factor, Power) and isinstance(factor.exponent, Number):
        exponent = factor.exponent.value
        if exponent.denominator == 1:
            return factor.base, exponent.numerator
    return factor, 1


def argument_of(function: str, node: Expression) -> Expression | None:
    """f of function(f)."""
    match node:
        case Apply(name, (argument,)) if name == function:
            return argument
    return None


def may_hold_number(total: Add) -> bool:
    """Whether one of the terms may be a number; where none is, none is left of 1 less the sum but a sum."""
    return any(isinstance(each, Add) or not each.tensors for each in total.terms)
