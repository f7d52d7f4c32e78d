"""The same values by formulas that neither overflow nor lose their digits.

The rules look for patterns, written out or through names, and know no layer. Each returns None where it does
not apply; what a rule returns is no longer an instance of its own pattern, so that one pass suffices.

| pattern                            | becomes                                                          |
|------------------------------------|------------------------------------------------------------------|
| exp(a)/sum(k, w*exp(b))            | exp(a - m)/sum(k, w*exp(b - m)), m = max(k, b)                   |
| log(sum(k, w*exp(b)))              | m + log(sum(k, w*exp(b - m)))                                    |
| log(exp(a)/s)                      | a - log(s)                                                       |
| 1/(1 + exp(a)), exp(a)*sigmoid(-a) | sigmoid(-a), sigmoid(a)                                          |
| log(1 + exp(a))                    | softplus(a)                                                      |
| log(sigmoid(a)), log(1 - sigmoid(a)) | -softplus(-a), -softplus(a)                                    |
| log(1 + a), exp(a) - 1             | log1p(a), expm1(a)                                               |
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from symbackprop.notation.arithmetic import add, factors_of, multiply, negate, power, subtract
from symbackprop.notation.expressions import (
    MINUS_ONE,
    ONE,
    Add,
    Apply,
    Expression,
    Multiply,
    Number,
    Power,
)
from symbackprop.notation.substitution import rewrite_bottom_up
from symbackprop.schedule.exponentials import (
    ExponentialSum,
    Meanings,
    exponential,
    exponential_sum,
    logarithm_of_sum,
    one_plus_exponential,
    reciprocal_power,
    sigmoid_argument,
)
from symbackprop.schedule.terms import tidied
from symbackprop.systems.system import Equation

StableRule: TypeAlias = Callable[[Expression, Meanings], Expression | None]


def stable_equations(equations: tuple[Equation, ...]) -> tuple[Equation, ...]:
    """The equations, which come in reading order, with right-hand sides tidied and in their stable form."""
    definitions: dict[str, Equation] = {}
    for equation in equations:
        expression = stable(equation.expression, Meanings(definitions))
        definitions[equation.tensor] = replace(equation, expression=expression)
    return tuple(definitions.values())


def stable(expression: Expression, meanings: Meanings) -> Expression:
    """The expression in its stable form, where names mean what `meanings` says."""

    def change(node: Expression) -> Expression:
        node = tidied(node)
        for rule in RULES:
            changed = rule(node, meanings)
            if changed is not None:
                return changed
        return node

    return rewrite_bottom_up(expression, change)


def shift_quotient(node: Expression, meanings: Meanings) -> Expression | None:
    """exp(a)/sum(k, exp(b)) = exp(a - m)/sum(k, exp(b - m)): numerator and denominator lose exp(m).

    Applies where as many exponentials stand above as sums below.
    """
    if not isinstance(node, Multiply):
        return None
    for factor in node.factors:
        below = reciprocal_power(factor)
        total = exponential_sum(below[0], meanings) if below else None
        if below and total is not None and not total.is_shifted:
            rest = _without_one(node.factors, factor)
            shifted = _shift_exponentials(rest, below[1], total, meanings)
            if shifted is not None:
                return multiply(*shifted, power(total.shifted, Number(-below[1])))
    return None


def _without_one(factors: tuple[Expression, ...], factor: Expression) -> list[Expression]:
    rest = list(factors)
    rest.remove(factor)
    return rest


def _shift_exponentials(
    factors: list[Expression], count: int, total: ExponentialSum, meanings: Meanings
) -> list[Expression] | None:
    """The factors with exp(shift) taken out of `count` exponentials; None where there are fewer."""
    shifted: list[Expression] = []
    for factor in factors:
        base, times = _as_power(factor)
        term = exponential(base, meanings)
        if term is not None and 0 < times <= count:
            shifted.append(power(term.shifted(total.shift), Number(times)))
            count -= times
        else:
            shifted.append(factor)
    return shifted if count == 0 else None


def _as_power(factor: Expression) -> tuple[Expression, int]:
    """(base, n) of a whole power."""
    if isinstance(factor, Power) and isinstance(factor.exponent, Number):
        exponent = factor.exponent.value
        if exponent.denominator == 1:
            return factor.base, exponent.numerator
    return factor, 1


def log_of_sum(node: Expression, meanings: Meanings) -> Expression | None:
    """log(sum(k, exp(b))) = m + log(sum(k, exp(b - m)))."""
    match node:
        case Apply("log", (argument,)):
            total = exponential_sum(argument, meanings)
            return logarithm_of_sum(total) if total is not None and not total.is_shifted else None
    return None


def log_of_quotient(node: Expression, meanings: Meanings) -> Expression | None:
    """log(exp(a)/s) = a - log(s), where s is a sum of exponentials."""
    match node:
        case Apply("log", (argument,)):
            factors = factors_of(meanings.of(argument))
        case _:
            return None
    if len(factors) != 2:
        return None
    for above, below in (factors, tuple(reversed(factors))):
        term = exponential(above, meanings)
        divisor = reciprocal_power(below)
        if term is None or term.condition is not None or divisor is None or divisor[1] != 1:
            continue
        total = exponential_sum(divisor[0], meanings)
        if total is not None:
            logarithm = Apply("log", (divisor[0],)) if total.is_shifted else logarithm_of_sum(total)
            return subtract(term.argument, logarithm)
    return None


def reciprocal_is_sigmoid(node: Expression, meanings: Meanings) -> Expression | None:
    """1/(1 + exp(a)) = sigmoid(-a)."""
    below = reciprocal_power(node)
    argument = one_plus_exponential(below[0], meanings) if below else None
    if below is None or argument is None:
        return None
    return power(Apply("sigmoid", (negate(argument),)), Number(below[1]))


def exponential_times_sigmoid(node: Expression, meanings: Meanings) -> Expression | None:
    """exp(a)*sigmoid(-a) = sigmoid(a)."""
    if not isinstance(node, Multiply):
        return None
    for factor in node.factors:
        term = exponential(factor, meanings)
        if term is None or term.condition is not None:
            continue
        partner = Apply("sigmoid", (negate(term.argument),))
        rest = _without_one(node.factors, factor)
        for other in rest:
            base, times = _as_power(other)
            if base == partner and times > 0:
                smaller = power(partner, Number(times - 1))
                remaining = _without_one(tuple(rest), other)
                return multiply(*remaining, smaller, Apply("sigmoid", (term.argument,)))
    return None


def log_of_one_plus(node: Expression, meanings: Meanings) -> Expression | None:
    """log(1 + exp(a)) = softplus(a); log(1 + a) = log1p(a)."""
    match node:
        case Apply("log1p", (argument,)):
            term = exponential(argument, meanings)
            return Apply("softplus", (term.argument,)) if term and term.condition is None else None
        case Apply("log", (argument,)):
            exponent = one_plus_exponential(argument, meanings)
            if exponent is not None:
                return Apply("softplus", (exponent,))
            found = argument if isinstance(argument, Add) else ONE
            if isinstance(found, Add) and ONE in found.terms:
                return Apply("log1p", (subtract(found, ONE),))
    return None


def log_of_sigmoid(node: Expression, meanings: Meanings) -> Expression | None:
    """log(sigmoid(a)) = -softplus(-a); log(1 - sigmoid(a)) = -softplus(a)."""
    match node:
        case Apply("log" | "log1p" as function, (argument,)):
            inside = argument if function == "log" else add(ONE, argument)
            exponent = sigmoid_argument(inside, meanings)
            if exponent is not None:
                return multiply(MINUS_ONE, Apply("softplus", (negate(exponent),)))
    return None


def exponential_less_one(node: Expression, meanings: Meanings) -> Expression | None:
    """exp(a) - 1 = expm1(a), which keeps the digits for small a."""
    match node:
        case Add(terms) if len(terms) == 2 and MINUS_ONE in terms:
            match terms[0] if terms[1] == MINUS_ONE else terms[1]:
                case Apply("exp", (argument,)):
                    return Apply("expm1", (argument,))
    return None


# log(1 - sigmoid) stands before log(1 + a), whose pattern it has too.
RULES: tuple[StableRule, ...] = (
    reciprocal_is_sigmoid,
    exponential_times_sigmoid,
    shift_quotient,
    log_of_sigmoid,
    log_of_quotient,
    log_of_sum,
    log_of_one_plus,
    exponential_less_one,
)
