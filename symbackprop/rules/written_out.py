"""Functions that a model writes out piece by piece so that they do not overflow, as what they are.

    max(u, 0) - u*d + log(1 + exp(-abs(u)))    is    softplus(u) - u*d

Both sides are the same for every u. The pieces have kinks at 0 that cancel; the function has none, and its
derivative is the one that a person would write down, at 0 too.
"""

from __future__ import annotations

from collections.abc import Iterator

from symbackprop.notation.arithmetic import add, coefficient_and_rest, factors_of, multiply, negate, subtract
from symbackprop.notation.expressions import (
    MINUS_ONE,
    ONE,
    ZERO,
    Add,
    Apply,
    Comparison,
    Expression,
    Number,
    Power,
    Where,
)
from symbackprop.rules.stating import stated


def softplus_in_pieces(node: Expression) -> Expression | None:
    """max(f, g) + log(1 + exp(-abs(f - g))) = g + softplus(f - g), for terms with the same number."""
    if not isinstance(node, Add):
        return None
    parts = [coefficient_and_rest(term) for term in node.terms]
    for at, (number, rest) in enumerate(parts):
        for f, g in _larger_of_two(multiply(*rest)) if rest else ():
            for other_at, (other_number, other) in enumerate(parts):
                distance = _distance(multiply(*other)) if other and other_number == number else None
                if distance is not None and distance in (subtract(f, g), subtract(g, f)):
                    joined = add(g, Apply("softplus", (subtract(f, g),)))
                    changed = {at: multiply(Number(number), joined), other_at: ZERO}
                    return add(*(changed.get(place, term) for place, term in enumerate(node.terms)))
    return None


def _larger_of_two(node: Expression) -> Iterator[tuple[Expression, Expression]]:
    """f and g of max(f, g), what is no number first."""
    match node:
        case Apply("max", (f, g)):
            yield (g, f) if isinstance(f, Number) else (f, g)
        case Apply("relu", (f,)):
            yield f, ZERO


def _distance(node: Expression) -> Expression | None:
    """f of log(1 + exp(-abs(f)))."""
    match node:
        case Apply("log", (Add((one, exponential)),)) if ONE in (one, exponential):
            return _distance(Apply("log1p", (exponential if one == ONE else one,)))
        case Apply("log1p", (Apply("exp", (exponent,)),)) | Apply("softplus", (exponent,)):
            match negate(exponent):
                case Apply("abs", (f,)):
                    return f
    return None


def sigmoid_in_pieces(node: Expression) -> Expression | None:
    """where(c, 1/(1 + exp(-f)), exp(f)/(1 + exp(f))) = sigmoid(f)."""
    if not (isinstance(node, Where) and isinstance(node.condition, Comparison)):
        return None
    one, other = _sigmoid(node.chosen), _sigmoid(node.otherwise)
    return None if one is None or one != other else Apply("sigmoid", (one,))


def _sigmoid(node: Expression) -> Expression | None:
    """f of 1/(1 + exp(-f)) or exp(f)/(1 + exp(f))."""
    *others, below = sorted(factors_of(node), key=lambda factor: isinstance(factor, Power))
    match below:
        case Power(Add((one, other)), exponent) if exponent == MINUS_ONE and ONE in (one, other):
            exponential = other if one == ONE else one
            if isinstance(exponential, Apply) and exponential.function == "exp":
                (f,) = exponential.arguments
                return negate(f) if not others else f if others == [exponential] else None
    return None


WRITTEN_OUT_RULES = (
    stated(
        "softplus in pieces",
        "max(f, g) + log(1 + exp(-abs(f - g))) = g + softplus(f - g)",
        softplus_in_pieces,
        decreases="size",
        example="max(c, 0) - c*h0 + log(1 + exp(-abs(c)))",
        near_miss="max(c, 0) + log(1 + exp(-abs(h0)))",
    ),
    stated(
        "sigmoid in pieces",
        "where(c, 1/(1 + exp(-f)), exp(f)/(1 + exp(f))) = sigmoid(f)",
        sigmoid_in_pieces,
        decreases="conditions",
        example="where(c >= 0, 1/(1 + exp(-c)), exp(c)/(1 + exp(c)))",
        near_miss="where(c >= 0, 1/(1 + exp(-c)), exp(-c)/(1 + exp(c)))",
    ),
)
