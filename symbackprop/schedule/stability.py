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

from collections.abc import Callable, Sequence
from dataclasses import dataclass

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
from symbackprop.rewriting.rule import Rule
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
from symbackprop.schedule.named_equations import NamedEquation, rewritten
from symbackprop.schedule.terms import TIDYING
from symbackprop.systems.system import Equation


@dataclass(frozen=True)
class StableForm:
    """The record of a rule that sees through names."""

    name: str
    statement: str
    rewrite: Callable[[Expression, Meanings], Expression | None]
    example: str
    near_miss: str

    def rule(self, meanings: Meanings) -> Rule:
        """The rule where names mean what `meanings` says."""

        def apply(node: Expression) -> Expression | None:
            return self.rewrite(node, meanings)

        return Rule(self.name, self.statement, apply, example=self.example, near_miss=self.near_miss)


def with_stable_forms(items: Sequence[NamedEquation]) -> tuple[NamedEquation, ...]:
    """The equations, which come in reading order, with right-hand sides tidied and in their stable form."""
    definitions: dict[str, tuple[int, Equation]] = {}
    found: list[NamedEquation] = []
    for number, item in enumerate(items):
        found.append(rewritten(item, stable_rules(Meanings(definitions, number))))
        definitions[item.equation.tensor] = number, found[-1].equation
    return tuple(found)


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
STABLE_FORMS: tuple[StableForm, ...] = (
    StableForm(
        "reciprocal is sigmoid",
        "1/(1 + exp(f)) = sigmoid(-f)",
        reciprocal_is_sigmoid,
        example="x[i]/(1 + exp(c))",
        near_miss="x[i]/(2 + exp(c))",
    ),
    StableForm(
        "exponential times sigmoid",
        "exp(f)*sigmoid(-f) = sigmoid(f)",
        exponential_times_sigmoid,
        example="exp(c)*sigmoid(-c)",
        near_miss="exp(c)*sigmoid(c)",
    ),
    StableForm(
        "shift quotient",
        "exp(f)/sum(i, g*exp(h)) = exp(f - m)/sum(i, g*exp(h - m)), where m = max(i, h)",
        shift_quotient,
        example="exp(x[i])/sum(i2, exp(x[i2]))",
        near_miss="x[i]/sum(i2, exp(x[i2]))",
    ),
    StableForm(
        "log of sigmoid",
        "log(sigmoid(f)) = -softplus(-f); log(1 - sigmoid(f)) = -softplus(f)",
        log_of_sigmoid,
        example="log(1 - sigmoid(c))",
        near_miss="log(2 - sigmoid(c))",
    ),
    StableForm(
        "log of quotient",
        "log(exp(f)/sum(i, g*exp(h))) = f - log(sum(i, g*exp(h)))",
        log_of_quotient,
        example="log(exp(x[i])/sum(i2, exp(x[i2])))",
        near_miss="log(exp(x[i])/c)",
    ),
    StableForm(
        "shift log",
        "log(sum(i, g*exp(h))) = m + log(sum(i, g*exp(h - m))), where m = max(i, h)",
        log_of_sum,
        example="log(sum(i, exp(x[i])))",
        near_miss="log(sum(i, x[i]^2))",
    ),
    StableForm(
        "log of one plus",
        "log(1 + exp(f)) = softplus(f); log(1 + f) = log1p(f)",
        log_of_one_plus,
        example="log(1 + exp(c))",
        near_miss="log(2 + exp(c))",
    ),
    StableForm(
        "exponential less one",
        "exp(f) - 1 = expm1(f)",
        exponential_less_one,
        example="exp(c) - 1",
        near_miss="exp(c) - 2",
    ),
)


def stable_rules(meanings: Meanings) -> tuple[Rule, ...]:
    """The rules in the order in which they are tried, where names mean what `meanings` says."""
    return (TIDYING, *(form.rule(meanings) for form in STABLE_FORMS))
