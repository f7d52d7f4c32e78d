"""Rules for the same values by formulas that neither overflow nor lose their digits, as records.

They look for patterns, written out or through names, and know no layer. Each returns None where it does not
apply. The identities make what they are used on smaller, or leave no instance of a pattern, so that they come
to rest; the shifts are used in one pass.
"""

from __future__ import annotations

from symbackprop.stability.hyperbolic import log_of_cosh, sinh_by_cosh, sum_of_opposites
from symbackprop.stability.logarithms import (
    log_beside_zero,
    log_of_difference,
    log_of_exponentials,
    log_of_one_plus,
    log_of_sigmoids,
    log_of_two_exponentials,
)
from symbackprop.stability.orders import exponentials_first, logarithms_last
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
from symbackprop.stability.stable_form import StableForm
from symbackprop.stability.ties import cancelled_under_delta

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

LOGARITHMS_LAST = StableForm(
    "logarithms last",
    "f - (m + log(g)) = (f - m) - log(g), m = max(i, h)",
    logarithms_last,
    example="c - (max(i, x[i]) + log(w[t]))",
    near_miss="c - (x[i] + log(w[t]))",
)

EXPONENTIALS_FIRST = StableForm(
    "exponentials first",
    "g*f*exp(h) = g*exp(h)*f in a gradient, as the chain rule multiplies",
    exponentials_first,
    example="c*x[i]*exp(-x[i])",
    near_miss="x[i]*exp(c)",
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

STABLE_FORMS: tuple[StableForm, ...] = (
    CANCELLING, *IDENTITIES, *SHIFTS, LOGARITHMS_LAST, EXPONENTIALS_FIRST, LOG_BESIDE_ZERO,
    *FAR_BELOW_ZERO, *ROOTS,
)  # fmt: skip
