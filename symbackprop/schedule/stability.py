"""The same values by formulas that neither overflow nor lose their digits.

The rules look for patterns, written out or through names, and know no layer. Each returns None where it does
not apply. The identities make what they are used on smaller, or leave no instance of a pattern, so that
they come to rest; the shifts are used in one pass.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from symbackprop.notation.expressions import Delta, Expression
from symbackprop.rewriting.rule import Rule
from symbackprop.schedule.named_equations import NamedEquation, Part, rewritten, rewritten_once
from symbackprop.schedule.terms import TIDYING
from symbackprop.stability.hyperbolic import log_of_cosh, sinh_by_cosh, sum_of_opposites
from symbackprop.stability.logarithms import (
    log_beside_zero,
    log_of_difference,
    log_of_exponentials,
    log_of_one_plus,
    log_of_sigmoids,
    log_of_two_exponentials,
)
from symbackprop.stability.meanings import Meanings
from symbackprop.stability.quotients import merged, quotient
from symbackprop.stability.roots import root_of_square, unit_vector, without_second_guard
from symbackprop.stability.sigmoids import (
    difference_from_number,
    difference_times_sigmoid,
    exponential_by_difference,
    exponential_times_sigmoid,
    numbers_together,
    reciprocal_is_sigmoid,
    reciprocal_of_complement,
    softplus_difference,
)
from symbackprop.stability.softplus import exponential_of_softplus, log_of_softplus, sigmoid_by_softplus
from symbackprop.stability.ties import cancelled_under_delta
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


def with_stable_forms(
    items: Sequence[NamedEquation], taken: Collection[str] = ()
) -> tuple[NamedEquation, ...]:
    """The equations, which come in reading order, with right-hand sides tidied and in their stable form.

    `taken` are names besides theirs that a temporary must not have.
    """
    definitions: dict[str, tuple[int, Equation]] = {}
    meanings = Meanings(definitions, taken={*taken, *(item.equation.tensor for item in items)})
    found: list[NamedEquation] = []
    for number, item in enumerate(items):
        found.append(stable_form(item, replace(meanings, known=number)))
        definitions[item.equation.tensor] = number, found[-1].equation
    return tuple([each for item in found for each in (item, *_introduced(item, meanings))])


def _introduced(item: NamedEquation, meanings: Meanings) -> Iterator[NamedEquation]:
    """Equations for what is looked up of a sum of exponentials, behind the sum's own."""
    for equation in meanings.introduced.get(item.equation.tensor, ()):
        yield item.temporary(Part.SUBEXPRESSION, equation)


# Used until none applies; what stands further up has patterns that a rule further down has too.
IDENTITIES: tuple[StableForm, ...] = (
    StableForm(
        "numbers together",
        "1 - (1 - f) = f",
        numbers_together,
        example="1 - (1 - sigmoid(c))",
        near_miss="x[i] - (1 - sigmoid(c))",
    ),
    StableForm(
        "reciprocal is sigmoid",
        "1/(1 + exp(f)) = sigmoid(-f)",
        reciprocal_is_sigmoid,
        example="x[i]/(1 + exp(c))",
        near_miss="x[i]/(2 + exp(c))",
    ),
    StableForm(
        "reciprocal of 1 - sigmoid",
        "1/(1 - sigmoid(f)) = 1/sigmoid(-f)",
        reciprocal_of_complement,
        example="x[i]/(1 - sigmoid(c))",
        near_miss="x[i]/(2 - sigmoid(c))",
    ),
    StableForm(
        "exponential of softplus",
        "exp(-softplus(f))*g = sigmoid(-f)*g; exp(softplus(f)) = 1 + exp(f)",
        exponential_of_softplus,
        example="exp(-softplus(c))",
        near_miss="exp(-2*softplus(c))",
    ),
    StableForm(
        "exponential times sigmoid",
        "exp(f)*sigmoid(-f) = sigmoid(f); sigmoid(f)/exp(f) = sigmoid(-f); (1 + exp(f))*sigmoid(-f) = 1",
        exponential_times_sigmoid,
        example="exp(c)*sigmoid(-c)",
        near_miss="exp(c)*sigmoid(c)",
    ),
    StableForm(
        "difference times sigmoid",
        "(exp(f) - 1)*sigmoid(-f) = tanh(f/2)",
        difference_times_sigmoid,
        example="expm1(c)*sigmoid(-c)",
        near_miss="expm1(c)*sigmoid(c)",
    ),
    StableForm(
        "exponential by difference",
        "exp(f)/(exp(f) - 1) = -1/(exp(-f) - 1)",
        exponential_by_difference,
        example="exp(c)/expm1(c)",
        near_miss="exp(c)/expm1(2*c)",
    ),
    StableForm(
        "opposite exponentials",
        "exp(f) + exp(-f) = 2*cosh(f); exp(f) - exp(-f) = 2*sinh(f)",
        sum_of_opposites,
        example="exp(c) - exp(-c)",
        near_miss="exp(c) - exp(-2*c)",
    ),
    StableForm(
        "tanh",
        "sinh(f)/cosh(f) = tanh(f)",
        sinh_by_cosh,
        example="sinh(c)/cosh(c)",
        near_miss="cosh(c)/sinh(c)",
    ),
    StableForm(
        "product of exponentials",
        "exp(f)*exp(g) = exp(f + g)",
        merged,
        example="exp(c)*exp(x[i])",
        near_miss="exp(c)*x[i]",
    ),
    StableForm(
        "log of sigmoid",
        "log(sigmoid(f)*g) = log(g) - softplus(-f); log(1 - sigmoid(f)) = -softplus(f)",
        log_of_sigmoids,
        example="log(1 - sigmoid(c))",
        near_miss="log(2 - sigmoid(c))",
    ),
    StableForm(
        "softplus difference",
        "softplus(f) - softplus(-f) = f",
        softplus_difference,
        example="softplus(c) - softplus(-c)",
        near_miss="softplus(c) - softplus(-2*c)",
    ),
    StableForm(
        "log of cosh",
        "log(cosh(f)) = abs(f) + log1p(expm1(-2*abs(f))/2); log(2*cosh(f)) = abs(f) + softplus(-2*abs(f))",
        log_of_cosh,
        example="log(cosh(c))",
        near_miss="log(sinh(c))",
    ),
    StableForm(
        "log of difference",
        "log(exp(f) - 1) = f + log(1 - exp(-f))",
        log_of_difference,
        example="log(expm1(c))",
        near_miss="log(-expm1(c))",
    ),
    StableForm(
        "log of one plus",
        "log(1 + g*exp(f)) = softplus(f + log(g)), g > 0; log(1 + f) = log1p(f)",
        log_of_one_plus,
        example="log(1 + exp(c))",
        near_miss="log(2 + c)",
    ),
    StableForm(
        "log of two exponentials",
        "log(exp(f) + exp(g)) = f + softplus(g - f)",
        log_of_two_exponentials,
        example="log(exp(c) + exp(x[i]))",
        near_miss="log(exp(c) + x[i])",
    ),
    StableForm(
        "difference from a number",
        "exp(f) - 1 = expm1(f); expm1(f) + 1 = exp(f); 2*sigmoid(f) - 1 = tanh(f/2)",
        difference_from_number,
        example="exp(c) - 1",
        near_miss="exp(c) - 2",
    ),
    StableForm(
        "absolute value",
        "sqrt(f^2) = abs(f)",
        root_of_square,
        example="sqrt(x[i]^2)",
        near_miss="sqrt(x[i]^3)",
    ),
)

# Used once at every node, after the identities: what they make is shifted and needs it no more.
SHIFTS: tuple[StableForm, ...] = (
    StableForm(
        "exponentials above and below",
        "exp(f)/sum(i, g*exp(h)) = exp(f - m)/sum(i, g*exp(h - m)), m = max(i, h) where g != 0",
        quotient,
        example="exp(x[i])/sum(i2, exp(x[i2]))",
        near_miss="x[i]/sum(i2, exp(x[i2]))",
    ),
    StableForm(
        "log of exponentials",
        "log(sum(i, g*exp(h))) = m + log(sum(i, g*exp(h - m))), m = max(i, h) where g != 0",
        log_of_exponentials,
        example="log(sum(i, exp(x[i])))",
        near_miss="log(sum(i, x[i]^2))",
    ),
)

LOG_BESIDE_ZERO = StableForm(
    "log beside zero",
    "x*log(x*f) = x*log(where(x != 0, x*f, 1)), which is 0 where x is 0",
    log_beside_zero,
    example="x[i]*log(x[i]/c)",
    near_miss="x[i]*log(c)",
)

# Used once at every node: a root may be 0.
ROOTS: tuple[StableForm, ...] = (
    StableForm(
        "unit vector",
        "f/n = f*where(n != 0, 1/n, 0), n = sqrt(f^2 + g): the derivative of a norm is 0 at 0",
        unit_vector,
        example="x[i]/sqrt(sum(i, x[i]^2))",
        near_miss="x[i]/sqrt(sum(i, x[i]^2) + c)",
    ),
    StableForm(
        "one guard is enough",
        "where(n > 0, where(n != 0, f, 0), g) = where(n > 0, f, g)",
        without_second_guard,
        example="where(c > 0, where(c != 0, 1/c, 0), 2)",
        near_miss="where(c < 1, where(c != 0, 1/c, 0), 2)",
    ),
)

# Used once at every node: what stands for them has them as a case.
FAR_BELOW_ZERO: tuple[StableForm, ...] = (
    StableForm(
        "log of softplus",
        "log(softplus(f)*g) = where(f > -40, log(softplus(f)), f) + log(g)",
        log_of_softplus,
        example="log(softplus(c))",
        near_miss="log(softplus(c) + 1)",
    ),
    StableForm(
        "sigmoid by softplus",
        "sigmoid(f)/softplus(f) = where(f > -40, sigmoid(f)/softplus(f), 1)",
        sigmoid_by_softplus,
        example="sigmoid(c)/softplus(c)",
        near_miss="sigmoid(c)/softplus(-c)",
    ),
)

CANCELLING = StableForm(
    "cancel under delta",
    "f[q]*sum(i, delta(p,q)*g/f[p]) = sum(i, delta(p,q)*g)",
    cancelled_under_delta,
    example="x[ids[k]]*sum(i, delta(ids[k],i)*c/x[i])",
    near_miss="x[ids[k]]*sum(i, delta(ids[k],i)*c*x[i])",
)


def stable_form(item: NamedEquation, meanings: Meanings) -> NamedEquation:
    """The equation in its stable form, where names mean what `meanings` says."""
    identities = (TIDYING, *(form.rule(meanings) for form in IDENTITIES))
    if any(isinstance(node, Delta) for node in item.equation.expression.walk()):
        item = rewritten(item, (CANCELLING.rule(meanings),))
    item = rewritten(item, identities)
    shifted = rewritten_once(item, tuple([form.rule(meanings) for form in SHIFTS]))
    if shifted is not item:
        shifted = rewritten(shifted, identities)
    finished = rewritten_once(shifted, (LOG_BESIDE_ZERO.rule(meanings),))
    for forms in (FAR_BELOW_ZERO, ROOTS):
        finished = rewritten_once(finished, tuple([form.rule(meanings) for form in forms]))
    return finished
