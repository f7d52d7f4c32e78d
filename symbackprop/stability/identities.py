"""Identities of exponentials, sigmoids and logarithms, as records, and what falls at every use."""

from __future__ import annotations

from collections.abc import Mapping

from symbackprop.exponentials.factors import one_exponential
from symbackprop.exponentials.hyperbolic import log_of_cosh, sinh_by_cosh, sum_of_opposites
from symbackprop.exponentials.reciprocals import reciprocal_of_where
from symbackprop.exponentials.sigmoids import (
    difference_from_number,
    difference_times_sigmoid,
    exponential_by_difference,
    exponential_times_sigmoid,
    numbers_together,
    sigmoid_difference,
    softplus_difference,
)
from symbackprop.stability.cancelling import cancelled_by_name, cancelled_in_sum
from symbackprop.stability.logarithms import (
    log_of_difference,
    log_of_one_plus,
    log_of_product,
    log_of_sigmoids,
    log_of_two_exponentials,
    log_of_where,
)
from symbackprop.stability.never_zero import guard_of_never_zero
from symbackprop.stability.orders import StabilityMeasure, nested_parts, zero_last, zeros_chosen
from symbackprop.stability.quotients import merged
from symbackprop.stability.shared_factors import cancelled_behind_names
from symbackprop.stability.sigmoid_identities import SIGMOID_IDENTITIES
from symbackprop.stability.squares import root_of_square
from symbackprop.stability.stable_form import StableForm
from symbackprop.stability.weights import names_read, weights

# Used again once logarithms of what is far below 0 have a form: then it guards nothing.
GUARD_OF_NEVER_ZERO = StableForm(
    "guard of what is never 0",
    "where(f != 0 and c, g, 0) = where(c, g, 0), f an exponential, a sigmoid or 1 - sigmoid(h)^k",
    guard_of_never_zero,
    example="where(sigmoid(c) != 0, sigmoid(c)*softplus(-c), 0)",
    near_miss="where(sigmoid(c) != 0, log(sigmoid(c)*x[i]), 0)",
    where=("g divides by f nowhere and has no log(f)",),
    decreases="weight",
)

# Used until none applies; what stands further up has patterns that a rule further down has too.
IDENTITIES: tuple[StableForm, ...] = (
    StableForm(
        "numbers together",
        "1 - (1 - f) = f",
        numbers_together,
        example="1 - (1 - sigmoid(c))",
        near_miss="x[i] - (1 - sigmoid(c))",
        decreases="weight",
    ),
    *SIGMOID_IDENTITIES,
    StableForm(
        "cancel in a sum",
        "sigmoid(f)*(g/sigmoid(f) + h) = g + sigmoid(f)*h; "
        "sigmoid(-f)*(exp(f)*g + h) = sigmoid(f)*g + sigmoid(-f)*h",
        cancelled_in_sum,
        example="sigmoid(c)*(x[i]/sigmoid(c) + w[t])",
        near_miss="sigmoid(c)*(x[i]/sigmoid(-c) + w[t])",
        decreases="names",
    ),
    StableForm(
        "cancel a name in a sum",
        "f*(g/f + h) = g + f*h; (f*g + h)/f = g + h/f, f a name; "
        "f[q]*(delta(p,q)*g/f[p] + h) = delta(p,q)*g + f[q]*h; f*(exp(-k)*g + h) = g + f*h, f = exp(k)",
        cancelled_by_name,
        example="exp(x[i])*(c/exp(x[i]) + w[t])",
        near_miss="exp(x[i])*(c/w[t] + c)",
        where=("f is an exponential, or a name with exponentials",),
        decreases="weight",
    ),
    StableForm(
        "cancel behind names",
        "(f*g)/f = g, where f*g has a name, or f/(f*g); "
        "prod(i, where(i != j, f[i], 1))/prod(i, f[i]) = 1/f[j]; (f*g)*(h/f + k) = g*h + f*g*k",
        cancelled_behind_names,
        example="prod(i, where(i != i2, exp(x[i]), 1))/prod(i, exp(x[i]))",
        near_miss="prod(i, where(i != i2, x[i], 1))/prod(i, x[i])",
        where=("f is an exponential, a sigmoid or made of some",),
        decreases="weight",
    ),
    StableForm(
        "reciprocal of where",
        "1/where(c, f, g) = where(c, 1/f, 1/g), f or g a sigmoid",
        reciprocal_of_where,
        example="x[i]/where(c > 0, sigmoid(c), 1)",
        near_miss="x[i]/where(c > 0, c, 1)",
        decreases="weight",
    ),
    StableForm(
        "exponential times sigmoid",
        "exp(f)*sigmoid(-f) = sigmoid(f); sigmoid(f)/exp(f) = sigmoid(-f); (1 + exp(f))*sigmoid(-f) = 1; "
        "(1 - sigmoid(f))/sigmoid(-f) = 1",
        exponential_times_sigmoid,
        example="exp(c)*sigmoid(-c)",
        near_miss="exp(c)*sigmoid(c)",
        decreases="weight",
    ),
    StableForm(
        "difference times sigmoid",
        "(exp(f) - 1)*sigmoid(-f) = tanh(f/2)",
        difference_times_sigmoid,
        example="expm1(c)*sigmoid(-c)",
        near_miss="expm1(c)*sigmoid(c)",
        decreases="weight",
    ),
    StableForm(
        "exponential by difference",
        "exp(f)/(exp(f) - 1) = -1/(exp(-f) - 1)",
        exponential_by_difference,
        example="exp(c)/expm1(c)",
        near_miss="exp(c)/expm1(2*c)",
        decreases="weight",
    ),
    StableForm(
        "opposite exponentials",
        "exp(f) + exp(-f) = 2*cosh(f); exp(f) - exp(-f) = 2*sinh(f)",
        sum_of_opposites,
        example="exp(c) - exp(-c)",
        near_miss="exp(c) - exp(-2*c)",
        decreases="weight",
    ),
    StableForm(
        "tanh",
        "sinh(f)/cosh(f) = tanh(f)",
        sinh_by_cosh,
        example="sinh(c)/cosh(c)",
        near_miss="cosh(c)/sinh(c)",
        decreases="weight",
    ),
    StableForm(
        "one exponential",
        "prod(i, exp(f)) = exp(sum(i, f)); exp(f)^g = exp(g*f), g no whole number",
        one_exponential,
        example="exp(c)^(1/2)",
        near_miss="exp(c)^2",
        decreases="weight",
    ),
    StableForm(
        "zero last",
        "where(c, 0, f) = where(not c, f, 0)",
        zero_last,
        example="where(c <= 0, 0, exp(x[i]))",
        near_miss="where(c <= 0, 0, x[i])",
        where=("f has exponentials", "c compares no nan"),
        decreases="zeros chosen",
    ),
    GUARD_OF_NEVER_ZERO,
    StableForm(
        "product of exponentials",
        "exp(f)*exp(g) = exp(f + g); delta(p,i)*exp(f[i])*exp(g - f[p]) = delta(p,i)*exp(g)",
        merged,
        example="exp(c)*exp(x[i])",
        near_miss="exp(c)*x[i]",
        decreases="weight",
    ),
    StableForm(
        "log of sigmoid",
        "log(sigmoid(f)*g) = log(g) - softplus(-f); 1 - sigmoid(f) = sigmoid(-f); "
        "1 - tanh(f)^2 = 4*sigmoid(2*f)*sigmoid(-2*f); "
        "sigmoid(f) - sigmoid(g) = sigmoid(f)*sigmoid(-g)*(1 - exp(g - f))",
        log_of_sigmoids,
        example="log(1 - sigmoid(c))",
        near_miss="log(2 - sigmoid(c))",
        decreases="weight",
    ),
    StableForm(
        "log of where",
        "log(where(c, f, g)) = where(c, log(f), log(g)), f and g by exponentials or sigmoids",
        log_of_where,
        example="log(where(c > 0, exp(c), sigmoid(c)))",
        near_miss="log(where(c > 0, c, sigmoid(c)))",
        decreases="weight",
    ),
    StableForm(
        "log of product",
        "log(prod(i, f)*g) = sum(i, log(f)) + log(g), f by exponentials or sigmoids",
        log_of_product,
        example="log(prod(i, sigmoid(x[i]))*c)",
        near_miss="log(prod(i, x[i])*c)",
        decreases="weight",
    ),
    StableForm(
        "softplus difference",
        "softplus(f) - softplus(-f) = f",
        softplus_difference,
        example="softplus(c) - softplus(-c)",
        near_miss="softplus(c) - softplus(-2*c)",
        decreases="weight",
    ),
    StableForm(
        "sigmoid difference",
        "sigmoid(f) - sigmoid(-f) = tanh(f/2)",
        sigmoid_difference,
        example="sigmoid(c) - sigmoid(-c)",
        near_miss="sigmoid(c) - sigmoid(c - 1)",
        decreases="weight",
    ),
    StableForm(
        "log of cosh",
        "log(cosh(f)) = abs(f) + log1p(expm1(-2*abs(f))/2); log(2*cosh(f)) = abs(f) + softplus(-2*abs(f))",
        log_of_cosh,
        example="log(cosh(c))",
        near_miss="log(sinh(c))",
        decreases="weight",
    ),
    StableForm(
        "log of difference",
        "log(exp(f) - 1) = f + log(1 - exp(-f))",
        log_of_difference,
        example="log(expm1(c))",
        near_miss="log(-expm1(c))",
        decreases="weight",
    ),
    StableForm(
        "log of one plus",
        "log(1 + g*exp(f)) = softplus(f + log(g)), g > 0; log(1 + f) = log1p(f)",
        log_of_one_plus,
        example="log(1 + exp(c))",
        near_miss="log(2 + c)",
        where=("terms of g*exp(f) are not shifted",),
        decreases="weight",
    ),
    StableForm(
        "log of two exponentials",
        "log(exp(f) + exp(g)) = max(f, g) + softplus(-abs(f - g)), or f + softplus(g - f) for f = n >= 0",
        log_of_two_exponentials,
        example="log(exp(c) + exp(x[i]))",
        near_miss="log(exp(c) + x[i])",
        decreases="weight",
    ),
    StableForm(
        "difference from a number",
        "exp(f)^n - 1 = expm1(n*f); expm1(f) + 1 = exp(f); 2*sigmoid(f) - 1 = tanh(f/2)",
        difference_from_number,
        example="exp(c) - 1",
        near_miss="exp(c) - 2",
        decreases="weight",
    ),
    StableForm(
        "absolute value",
        "sqrt(f^2) = abs(f)",
        root_of_square,
        example="sqrt(x[i]^2)",
        near_miss="sqrt(x[i]^3)",
        decreases="weight",
    ),
)

# In lexicographic order; they are tried together with the rule that tidies sums and products.
IDENTITY_MEASURES: Mapping[str, StabilityMeasure] = {
    "weight": StabilityMeasure(
        "a number for each function, monotone in its arguments, where a name counts as what it stands for; "
        "first without maxima, then with them",
        weights,
    ),
    "names": StabilityMeasure("names read, the latest first", names_read),
    "zeros chosen": StabilityMeasure("`where`s that are 0 where their condition holds", zeros_chosen),
    "nested parts": StabilityMeasure(
        "sums in sums, products in products, and numbers under sums", nested_parts
    ),
}
