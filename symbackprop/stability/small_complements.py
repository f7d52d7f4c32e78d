"""What is left of 1 beside a sigmoid, where what multiplies it may be as large as it is small.

In exp(g)*(a*(1 - p) + b*log(p)) with p = sigmoid(u), 1 - p is 0 for u > 37, where log(p) is not: nothing that
stands beside it covers the digits that it loses. So it is where delta = 1/(1 - p) has a name: delta*p*(1 - p)
is p, not 0.
"""

from __future__ import annotations

from functools import partial

from symbackprop.exponentials.exponents import is_at_most_0
from symbackprop.exponentials.meanings import Meanings
from symbackprop.exponentials.sigmoids import complement, complement_above_floor
from symbackprop.notation.arithmetic import (
    coefficient_and_rest,
    factors_of,
    multiply,
    negate,
    terms_of,
)
from symbackprop.notation.expressions import (
    MINUS_ONE,
    ONE,
    Add,
    Apply,
    Comparison,
    Element,
    Expression,
    Multiply,
    Number,
    Power,
    Where,
)
from symbackprop.notation.pairs import argument_of, as_power
from symbackprop.notation.substitution import rewrite_bottom_up


def complement_beside_exponential(node: Expression, meanings: Meanings) -> Expression | None:
    """exp(g)*(1 - sigmoid(f)) = exp(g)*sigmoid(-f), in terms of sums too; 1 - tanh(f)^2 as well.

    Beside that, 1 - sigmoid(f) + c is sigmoid(-f) + c: below it, the rounding of one 1 would not cancel.
    """
    factors = node.factors if isinstance(node, Multiply) else ()
    if not any(_may_be_large(each, meanings) for each in factors):
        return None
    found = tuple(rewrite_bottom_up(each, partial(_by_itself, meanings=meanings)) for each in factors)
    if found == factors:
        return None
    return multiply(*(rewrite_bottom_up(each, partial(_above_floor, meanings=meanings)) for each in found))


def complement_beside_reciprocal(node: Expression, meanings: Meanings) -> Expression | None:
    """f*(1 - sigmoid(g)) = f*sigmoid(-g), where f divides by 1 - sigmoid(g), by names too.

    Within terms of sums as well, and of 1 - tanh(g)^2.
    """
    factors = node.factors if isinstance(node, Multiply) else ()
    found = tuple(
        rewrite_bottom_up(
            factor,
            partial(_divided, others=(*factors[:place], *factors[place + 1 :]), meanings=meanings),
        )
        for place, factor in enumerate(factors)
    )
    return None if found == factors else multiply(*found)


def log_of_complement(node: Expression, meanings: Meanings) -> Expression | None:
    """log1p(-exp(f)) = where(f > -1, log(1 - exp(f)), log1p(-exp(f))): f near 0 has digits that exp(f) lost.

    Maechler, Accurately computing log(1 - exp(-|a|)) (2012).
    """
    argument = argument_of("log1p", node)
    exponent = None if argument is None else argument_of("exp", meanings.of(negate(argument)))
    if exponent is None:
        return None
    left = negate(Apply("expm1", (exponent,)))
    return Where(Comparison(">", exponent, MINUS_ONE), Apply("log", (left,)), node)


def less_indicator(node: Expression, _meanings: Meanings) -> Expression | None:
    """sigmoid(f) - where(c, 1, 0) = where(c, -1, 1)*sigmoid(where(c, -f, f)); it has no name."""
    terms = node.terms if isinstance(node, Add) and len(node.terms) == 2 else ()
    for probability, indicator in (terms, terms[::-1]) if terms else ():
        number, rest = coefficient_and_rest(probability)
        times, mask = coefficient_and_rest(indicator)
        argument = argument_of("sigmoid", multiply(*rest)) if number == -times else None
        if argument is not None and len(mask) == 1 and _is_indicator(mask[0]):
            condition = mask[0].children[0]
            sign = Where(condition, MINUS_ONE, ONE)
            apart = Apply("sigmoid", (Where(condition, negate(argument), argument),))
            return multiply(Number(number), sign, apart)
    return None


def _is_indicator(node: Expression) -> bool:
    """Whether it is where(c, 1, 0)."""
    return isinstance(node, Where) and node.is_indicator


def _divided(node: Expression, others: tuple[Expression, ...], meanings: Meanings) -> Expression:
    found = complement(node, meanings) if isinstance(node, Add) else None
    if found is None or not any(_divides_by(each, found[0], meanings) for each in others):
        return node
    return found[1]


def _divides_by(expression: Expression, function: Apply, meanings: Meanings) -> bool:
    """Whether a factor, or one of its terms, has a divisor that is small where 1 is left of the function."""
    pending, seen = [(expression, meanings)], {(expression, meanings.known)}
    while pending:  # a chain of names may be long, and lead to one by many ways
        node, known = pending.pop()
        if not _may_divide(node, known):
            continue
        meant, inside = known.opened(node)
        if _has_such_divisor(meant, function, inside):
            return True
        parts = meant.children if isinstance(meant, Add | Multiply | Where) else ()
        pending += [(each, inside) for each in parts if (each, inside.known) not in seen]
        seen.update((each, inside.known) for each in parts)
    return False


def _may_divide(expression: Expression, meanings: Meanings) -> bool:
    """Whether a factor, or one of its terms, has any divisor; each name is looked at once."""
    match expression:
        case Element():
            return meanings.says_of_name(expression, _may_divide)
        case Add() | Multiply() | Where():
            return any(_may_divide(each, meanings) for each in expression.children)
        case Power(_, exponent):
            return not isinstance(exponent, Number) or exponent.value < 0
        case Apply("exp", (argument,)):
            return any(_is_softplus(rest) for _, rest in map(coefficient_and_rest, terms_of(argument)))
    return False


def _is_softplus(rest: tuple[Expression, ...]) -> bool:
    return len(rest) == 1 and argument_of("softplus", rest[0]) is not None


def _has_such_divisor(meant: Expression, function: Apply, meanings: Meanings) -> bool:
    match meant:
        case Power(base, exponent):
            may_divide = not isinstance(exponent, Number) or exponent.value < 0
            return may_divide and _is_complement(base, function, meanings)
        case Apply("exp", (argument,)):
            # 1/sigmoid(h) = exp(softplus(-h)).
            divisors = [(Apply("softplus", (negate(each),)),) for each in _parts_of_complement(function)]
            parts = map(coefficient_and_rest, terms_of(argument))
            return any(rest in divisors and number > 0 for number, rest in parts)
    return False


def _is_complement(expression: Expression, function: Apply, meanings: Meanings) -> bool:
    """Whether it, or a factor of it, is what is left of 1 beside the function, or a power of that."""
    meant, inside = meanings.opened(expression)
    match meant:
        case Multiply():
            return any(_is_complement(each, function, inside) for each in meant.factors)
        case Power(base, Number(exponent)):
            return exponent > 0 and _is_complement(base, function, inside)
        case Apply("sigmoid", (argument,)):
            return argument in _parts_of_complement(function)
    found = complement(meant, inside)
    return found is not None and found[0] == function


def _parts_of_complement(function: Apply) -> tuple[Expression, ...]:
    """The h in 1 - sigmoid(g) = sigmoid(h), and in 1 - tanh(g)^2 = 4*sigmoid(h)*sigmoid(-h)."""
    (argument,) = function.arguments
    if function.function == "sigmoid":
        return (negate(argument),)
    return multiply(Number(2), argument), multiply(Number(-2), argument)


def _may_be_large(factor: Expression, meanings: Meanings) -> bool:
    """Whether it is an exponential, or a name of one, that may be greater than 1, or has such a term."""
    if isinstance(factor, Add):
        return any(_may_be_large(each, meanings) for term in factor.terms for each in factors_of(term))
    base, exponent = as_power(factor)
    argument = argument_of("exp", meanings.of(base))
    return argument is not None and not is_at_most_0(multiply(Number(exponent), argument))


def _by_itself(node: Expression, meanings: Meanings) -> Expression:
    found = complement(node, meanings) if isinstance(node, Add) else None
    return node if found is None else found[1]


def _above_floor(node: Expression, meanings: Meanings) -> Expression:
    found = complement_above_floor(node, meanings) if isinstance(node, Add) else None
    return node if found is None else found[1]
