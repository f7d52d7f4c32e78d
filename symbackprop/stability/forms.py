"""Rules for the same values by formulas that neither overflow nor lose their digits, as records.

They look for patterns, written out or through names, and know no layer. Each returns None where it does not
apply. The identities are used until none applies; the shifts are used in one pass.
"""

from __future__ import annotations

from symbackprop.exponentials.complements import difference_from_probability
from symbackprop.exponentials.subtracted_powers import powers_alike
from symbackprop.exponentials.weighted.slopes import difference_of_weighted_slopes
from symbackprop.exponentials.weighted.variances import less_weighted_mean, variance_by_mean
from symbackprop.stability.cancelling import cancelled_under_delta
from symbackprop.stability.far_below import FAR_BELOW_ZERO
from symbackprop.stability.identities import IDENTITIES
from symbackprop.stability.logarithms import log_beside_zero, log_of_exponentials
from symbackprop.stability.masks import mask_of_large, where_not_vanished
from symbackprop.stability.multiples import differences_first, multiples_first, multiples_last
from symbackprop.stability.never_zero import beside_itself, without_second_guard
from symbackprop.stability.orders import (
    exponentials_first,
    logarithms_last,
    powers_of_products,
    quotients_first,
)
from symbackprop.stability.quotients import quotient
from symbackprop.stability.roots import unit_vector
from symbackprop.stability.small_complements import (
    complement_beside_exponential,
    complement_beside_reciprocal,
    less_indicator,
    log_of_complement,
)
from symbackprop.stability.stable_form import StableForm
from symbackprop.stability.states import state_itself

# Used once at every node, after the identities: what they make is shifted and needs it no more.
SHIFTS: tuple[StableForm, ...] = (
    StableForm(
        "exponentials above and below",
        "exp(f)/sum(i, g*exp(h)) = exp(f - m)/sum(i, g*exp(h - m)), m = max(i, h) where g != 0; "
        "where(c, f/g, 0)*h = where(c, f*h/g, 0), c a condition of sizes",
        quotient,
        example="exp(x[i])/sum(i2, exp(x[i2]))",
        near_miss="x[i]/sum(i2, exp(x[i2]))",
    ),
    StableForm(
        "log of exponentials",
        "log(sum(i, g*exp(h))) = m + log(sum(i, g*exp(h - m))), m = max(i, h) where g != 0; "
        "log(1 + f*exp(m)) = softplus(m + log(f))",
        log_of_exponentials,
        example="log(sum(i, exp(x[i])))",
        near_miss="log(sum(i, x[i]^2))",
    ),
)

# Used once at every node, before the identities.
STATE_ITSELF = StableForm(
    "state itself",
    "f*zb + exp(g) = f*z[t-1] + exp(g), where zb = z[t-1] or where(c, z[t-1], 0)",
    state_itself,
    example="c*o[t] + exp(v[t])",
    near_miss="c*v[t] + exp(o[t])",
    where=("z is the state that comes of it",),
)

# Used once at every node, between the identities and the shifts.
DIFFERENCE_FROM_PROBABILITY = StableForm(
    "difference from a probability",
    "(g - f)*h/f = g*(1 - f)*h/f - (1 - g)*h; (g - f)*h/(1 - f) = g*h - (1 - g)*f*h/(1 - f)",
    difference_from_probability,
    example="(c - sigmoid(h0))/sigmoid(h0)",
    near_miss="(c - sigmoid(h0))/c",
    where=("f is made of sigmoids", "so is what is left of 1"),
)

# Used once at every node of an adjoint that divides by a sum of sigmoids, before they are shifted apart.
DIFFERENCE_OF_WEIGHTED_SLOPES = StableForm(
    "difference of weighted slopes",
    "sum(i, h*f*(1 - f)) - sum(i, h*g*(1 - g)) = sum(i, h*(f - g)*(1 - f - g)), f and g sigmoids",
    difference_of_weighted_slopes,
    example="v[t]*sigmoid(c)*(1 - sigmoid(c)) - v[t]*sigmoid(h0)*(1 - sigmoid(h0))",
    near_miss="v[t]*sigmoid(c)*(1 - sigmoid(c)) - w[t]*sigmoid(h0)*(1 - sigmoid(h0))",
)

# Used once at every node of an adjoint, where names mean what is stated.
VARIANCES: tuple[StableForm, ...] = (
    StableForm(
        "variance by its mean",
        "g*sum(i, w*f^2) - g*m*sum(i, w*f) = g*sum(i, w*(f - m)^2), m = sum(i, w*f)/sum(i, w)",
        variance_by_mean,
        example="sum(i, x[i]^2*m[i])/sum(i, m[i]) - (sum(i, x[i]*m[i])/sum(i, m[i]))^2",
        near_miss="sum(i, x[i]^2*m[i])/sum(i, m[i]) - (sum(i, x[i])/sum(i, m[i]))^2",
    ),
    StableForm(
        "less its weighted mean",
        "sum(i, g*(f - m)*f) = sum(i, g*(f - m)*(f - m)), m = sum(i, w*f)/sum(i, w)",
        less_weighted_mean,
        example="sum(i, x[i]*(x[i] - sum(i2, x[i2]*exp(-x[i2]))/sum(i2, exp(-x[i2])))*exp(-x[i]))",
        near_miss="sum(i, x[i]*(x[i] - sum(i2, x[i2]*exp(-x[i2]))/sum(i2, exp(-x[i2]))))",
        where=("g/w has no i",),
    ),
)

LOGARITHMS_LAST = StableForm(
    "logarithms last",
    "f - (m + log(g)) = (f - m) - log(g), m = max(i, h)",
    logarithms_last,
    example="c - (max(i, x[i]) + log(w[t]))",
    near_miss="c - (x[i] + log(w[t]))",
    decreases="early logarithms",
)

EXPONENTIALS_FIRST = StableForm(
    "exponentials first",
    "g*f*exp(h) = g*exp(h)*f",
    exponentials_first,
    example="c*x[i]*exp(-x[i])",
    near_miss="x[i]*exp(c)",
    where=("h has an index", "the equation is an adjoint's, which the chain rule multiplies in this order"),
    decreases="late exponentials",
)

MULTIPLES_LAST = StableForm(
    "multiples last",
    "n*f - max(i, n*f) = n*(f - max(i, f)), n > 0; a*f + b*g - (a + b)*m = a*(f - m) + b*(g - m); "
    "exp(0)*f = f",
    multiples_last,
    example="3*x[i2] - max(i, 3*x[i])",
    near_miss="2*x[i2] - max(i, 2*x[i])",
    where=("a number in front of a maximum is no power of 2", "m is a maximum"),
)

QUOTIENTS_FIRST = StableForm(
    "quotients first",
    "f^n/g^(n + 1) = (f/g)^n/g; f/g^2 = f/g/g; (f^2 + h)/g^2 = (f/g)^2 + h/g/g",
    quotients_first,
    example="w[t]^2/exp(c)^3",
    near_miss="w[t]^2/c^3",
    where=("g has an exponential that may be large",),
)

POWERS_OF_PRODUCTS = StableForm(
    "powers of products",
    "exp(n*f)*g^n = (exp(f)*g)^n, g = expm1(h)",
    powers_of_products,
    example="exp(2*x[i])*expm1(c)^2",
    near_miss="exp(x[i])*expm1(c)^2",
)

MULTIPLES_FIRST = StableForm(
    "multiples first",
    "f + 2*g - 3*m = 2*g - 2*m + f - m, m = max(i, h)",
    multiples_first,
    example="x[i] - 3*max(i2, x[i2])",
    near_miss="x[i] - max(i2, x[i2])",
)

DIFFERENCES_FIRST = StableForm(
    "differences first",
    "h + f + g - m = f + g - m + h, m = max(i, f + g); f - 3*g - m = f - g - m - 2*g, m = max(i, f - g); "
    "f + g - m - n = (f - m) + (g - n), also where m is n; "
    "f - m - g + n = (f - m) - (g - n); n + h - m = (n - m) + h, where n is the largest "
    "of the same as m; f + g - m = f + n - m + (g - n), m = max(h, f + n), n = max(i, g); "
    "g + f[i] + f[j] - 2*f[p] = (f[i] - f[p]) + (f[j] - f[p]) + g, beside such a difference",
    differences_first,
    example="c + x[i] + w[t] - max(i2, x[i2] + w[t])",
    near_miss="c + x[i] - max(i2, x[i2] + w[t])",
)

LOG_BESIDE_ZERO = StableForm(
    "log beside zero",
    "x*log(x*f) = x*log(where(x != 0, x*f, 1)), which is 0 where x is 0",
    log_beside_zero,
    example="x[i]*log(x[i]/c)",
    near_miss="x[i]*log(c)",
)

LOG_OF_COMPLEMENT = StableForm(
    "log of a complement",
    "log1p(-exp(f)) = where(f > -1, log(1 - exp(f)), log1p(-exp(f)))",
    log_of_complement,
    example="log1p(-exp(-c))",
    near_miss="log1p(exp(c))",
)

LESS_INDICATOR = StableForm(
    "sigmoid less an indicator",
    "sigmoid(f) - where(c, 1, 0) = where(c, -1, 1)*sigmoid(where(c, -f, f))",
    less_indicator,
    example="sigmoid(h0) - where(c > 0, 1, 0)",
    near_miss="sigmoid(h0) - where(c > 0, 2, 0)",
    where=("the sigmoid has no name",),
)

POWERS_ALIKE = StableForm(
    "powers alike",
    "f^g - exp(g*h) = f^g - exp(h)^g; exp(h)*f^(g - 1) - exp(g*h) = exp(h)*(f^(g - 1) - where(h > -40, "
    "exp(h)^(g - 1), exp(g*h - h)))",
    powers_alike,
    example="(c + exp(h0))^c - exp(c*h0)",
    near_miss="h0^c - exp(c*h0)",
    where=("exp(h) is one of several terms of f",),
)

# Used once at every node: a root may be 0.
ROOTS: tuple[StableForm, ...] = (
    StableForm(
        "unit vector",
        "f/n = f*where(n != 0, 1/n, 0), n = (abs(f)^p + g)^(1/p): the derivative of a norm is 0 at 0",
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

# Used once at every node of an adjoint, where the model divides by such distances under `unit_vector` alone.
BESIDE_ITSELF = StableForm(
    "distance to itself",
    "f/n = f*where(i != j, 1/n, 0), n = sqrt(sum(k, (g[i] - g[j])^2)): what is always 0 has the derivative 0",
    beside_itself,
    example="c/sqrt((x[i] - x[i2])^2)",
    near_miss="c/sqrt((x[i] - w[t])^2)",
)

COMPLEMENT_BESIDE_EXPONENTIAL = StableForm(
    "complement beside an exponential",
    "exp(g)*(1 - sigmoid(f)) = exp(g)*sigmoid(-f), in terms of sums too: exp(g)*(h*(1 - sigmoid(f)) + k); "
    "1 - tanh(f)^2 = 4*sigmoid(2*f)*sigmoid(-2*f) as well",
    complement_beside_exponential,
    example="exp(x[i])*(1 - sigmoid(c))",
    near_miss="exp(-x[i]^2)*(1 - sigmoid(c))",
    where=("exp(g) may be greater than 1",),
)

COMPLEMENT_BESIDE_RECIPROCAL = StableForm(
    "complement beside its reciprocal",
    "f*(1 - sigmoid(g)) = f*sigmoid(-g), in terms of sums too; "
    "1 - tanh(g)^2 = 4*sigmoid(2*g)*sigmoid(-2*g) as well",
    complement_beside_reciprocal,
    example="(1/(1 - sigmoid(c)) + x[i])*(1 - sigmoid(c))",
    near_miss="(1/(1 + sigmoid(c)) + x[i])*(1 - sigmoid(c))",
    where=("f, or what it names, divides by 1 - sigmoid(g)",),
)

MASK_OF_LARGE = StableForm(
    "mask of what may be large",
    "f*where(c, g, 0) = where(c, f*g, 0); f*relu(g) = where(g > 0, f*relu(g), 0); "
    "f*s = where(s != 0, f*s, 0), s a sum over indices of where(c, g, 0)",
    mask_of_large,
    example="exp(c)*where(exp(c) < 5, 1, 0)",
    near_miss="exp(c)*where(exp(-c) < 5, 1, 0)",
    where=("f is made of exponentials that nothing divides", "the condition reads f"),
)

WHERE_NOT_VANISHED = StableForm(
    "where it has not vanished",
    "f*g = where(f != 0, f*g, 0), f = exp(-h*exp(k)), which is 0 before exp(k) in g is infinite",
    where_not_vanished,
    example="exp(-x[i]^2*exp(c))*(1 - x[i]^2*exp(c))",
    near_miss="exp(-x[i]^2)*(1 - x[i]^2*exp(c))",
)

CANCELLING = StableForm(
    "cancel under delta",
    "f[q]*sum(i, delta(p,q)*g/f[p]) = sum(i, delta(p,q)*g)",
    cancelled_under_delta,
    example="x[ids[k]]*sum(i, delta(ids[k],i)*c/x[i])",
    near_miss="x[ids[k]]*sum(i, delta(ids[k],i)*c*x[i])",
    decreases="weight",
)

STABLE_FORMS: tuple[StableForm, ...] = (
    DIFFERENCE_OF_WEIGHTED_SLOPES, *VARIANCES, STATE_ITSELF, CANCELLING, *IDENTITIES,
    DIFFERENCE_FROM_PROBABILITY, *SHIFTS, LOGARITHMS_LAST, EXPONENTIALS_FIRST, LOG_BESIDE_ZERO,
    LOG_OF_COMPLEMENT, LESS_INDICATOR, POWERS_ALIKE, *FAR_BELOW_ZERO, *ROOTS, BESIDE_ITSELF,
    COMPLEMENT_BESIDE_EXPONENTIAL, COMPLEMENT_BESIDE_RECIPROCAL, MASK_OF_LARGE, WHERE_NOT_VANISHED,
    MULTIPLES_LAST,
    QUOTIENTS_FIRST, POWERS_OF_PRODUCTS, MULTIPLES_FIRST, DIFFERENCES_FIRST,
)  # fmt: skip
