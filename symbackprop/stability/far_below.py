"""Functions that are exp(f) to all digits far below 0, where both may be too small to be told from 0.

softplus(f), and 1 - exp(-exp(f)), the complementary log-log link.
"""

from __future__ import annotations

from collections.abc import Sequence

from symbackprop.exponentials.differences import factors_of_quotient
from symbackprop.exponentials.hyperbolic import FAR_BELOW
from symbackprop.exponentials.meanings import Meanings
from symbackprop.exponentials.scaled import exp
from symbackprop.exponentials.sigmoids import sigmoid_argument
from symbackprop.notation.arithmetic import (
    add,
    coefficient_and_rest,
    factors_of,
    multiply,
    power,
    subtract,
    terms_of,
)
from symbackprop.notation.expressions import (
    MINUS_ONE,
    ONE,
    Add,
    Apply,
    Comparison,
    Expression,
    Number,
    Where,
)
from symbackprop.notation.pairs import argument_of, as_power, joined_factors
from symbackprop.stability.logarithms import log
from symbackprop.stability.stable_form import StableForm


def log_of_small(node: Expression, meanings: Meanings) -> Expression | None:
    """log(softplus(f)*g) = where(f > -40, log(softplus(f)), f) + log(g); 1 - exp(-exp(f)) as well."""
    argument = argument_of("log", node)
    factors = factors_of(argument) if argument is not None else ()
    for place, factor in enumerate(factors):
        found = _like_exponential(factor, meanings)
        if found is not None:
            sign, inner = found
            near = log(multiply(Number(sign), factor))
            rest = multiply(Number(sign), *factors[:place], *factors[place + 1 :])
            return add(_unless_far_below(inner, near, inner), log(rest))
    return None


def _like_exponential(factor: Expression, meanings: Meanings) -> tuple[int, Expression] | None:
    """(sign, f) of softplus(f), and of 1 - exp(-exp(f)): sign*exp(f) far below 0, also behind a name."""
    meant, earlier = meanings.opened(factor)
    sign, rest = coefficient_and_rest(meant)
    function = rest[0] if len(rest) == 1 else None
    if function is None or sign not in (-1, 1):
        return None
    softplus = argument_of("softplus", function)
    if softplus is not None:
        return int(sign), softplus
    argument = argument_of("expm1", function)
    number, inside = coefficient_and_rest(argument) if argument is not None else (0, ())
    exponent = argument_of("exp", earlier.of(inside[0])) if len(inside) == 1 else None
    return None if exponent is None or number not in (-1, 1) else (int(sign * number), exponent)


def sigmoid_by_softplus(node: Expression, meanings: Meanings) -> Expression | None:
    """sigmoid(f)/softplus(f) = where(f > -40, sigmoid(f)/softplus(f), 1)."""

    def ratio(argument: Expression, other: Expression) -> Expression | None:
        if argument_of("softplus", meanings.of(other)) != argument:
            return None
        quotient = multiply(Apply("sigmoid", (argument,)), power(other, MINUS_ONE))
        return _unless_far_below(argument, quotient, ONE)

    return joined_factors(_with_sigmoids(node, meanings), "sigmoid", ratio, sign=-1)


def _with_sigmoids(node: Expression, meanings: Meanings) -> Expression:
    """The product with sigmoid(-f) for 1 - sigmoid(f)."""
    arguments = [sigmoid_argument(factor, meanings) for factor in factors_of(node)]
    return multiply(
        *(
            factor if argument is None else Apply("sigmoid", (argument,))
            for factor, argument in zip(factors_of(node), arguments, strict=True)
        )
    )


def exponential_by_complement(node: Expression, meanings: Meanings) -> Expression | None:
    """exp(f + h)/(1 - exp(-exp(f))) = where(f > -40, exp(f + h)/(1 - exp(-exp(f))), exp(h))."""
    factors = [part for each in factors_of(node) for part in factors_of_quotient(each, meanings)]
    for place, factor in enumerate(factors):
        base, exponent = as_power(factor)
        found = _like_exponential(base, meanings) if exponent == -1 else None
        beside = (*factors[:place], *factors[place + 1 :]) if found is not None else ()
        for at, other in enumerate(beside):
            inner = argument_of("exp", meanings.of(other))
            if found is not None and inner is not None and _holds(inner, found[1]):
                sign, small = found
                far = multiply(Number(sign), exp(subtract(inner, small)))
                rest = (*beside[:at], *beside[at + 1 :])
                return multiply(*rest, _unless_far_below(small, multiply(other, factor), far))
    return _by_terms(factors, meanings)


def _by_terms(factors: Sequence[Expression], meanings: Meanings) -> Expression | None:
    """exp(f)*(g/(1 - exp(-exp(f))) + h) by its terms; (exp(f)*g + exp(f)*h)/(1 - exp(-exp(f))) too."""
    for at, total in enumerate(factors):
        for place, factor in enumerate(factors if isinstance(total, Add) else ()):
            is_exponential = argument_of("exp", meanings.of(factor)) is not None
            base, exponent = as_power(factor)
            if is_exponential or (exponent == -1 and _like_exponential(base, meanings) is not None):
                products = [multiply(term, factor) for term in terms_of(total)]
                found = [exponential_by_complement(each, meanings) for each in products]
                if any(found) if is_exponential else all(found):
                    rest = (each for number, each in enumerate(factors) if number not in (at, place))
                    parts = (new or old for new, old in zip(found, products, strict=True))
                    return multiply(*rest, add(*parts))
    return None


def _holds(exponent: Expression, part: Expression) -> bool:
    return set(terms_of(part)) <= set(terms_of(exponent))


def _unless_far_below(argument: Expression, near: Expression, far: Expression) -> Expression:
    return Where(Comparison(">", argument, FAR_BELOW), near, far)


# Used once at every node: what stands for them has them as a case.
FAR_BELOW_ZERO: tuple[StableForm, ...] = (
    StableForm(
        "log of softplus",
        "log(softplus(f)*g) = where(f > -40, log(softplus(f)), f) + log(g), within exp(-40); "
        "log(1 - exp(-exp(f))) as well",
        log_of_small,
        example="log(softplus(c))",
        near_miss="log(softplus(c) + 1)",
    ),
    StableForm(
        "sigmoid by softplus",
        "sigmoid(f)/softplus(f) = where(f > -40, sigmoid(f)/softplus(f), 1), within exp(-40)",
        sigmoid_by_softplus,
        example="sigmoid(c)/softplus(c)",
        near_miss="sigmoid(c)/softplus(-c)",
    ),
    StableForm(
        "exponential by complement",
        "exp(f + h)/(1 - exp(-exp(f))) = where(f > -40, exp(f + h)/(1 - exp(-exp(f))), exp(h)), "
        "within exp(-40)",
        exponential_by_complement,
        example="exp(c)/expm1(-exp(c))",
        near_miss="exp(c)/expm1(-exp(-c))",
    ),
)
