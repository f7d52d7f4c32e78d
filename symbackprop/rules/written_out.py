"""Functions that a model writes out piece by piece so that they do not overflow, as what they are.

    max(u, 0) - u*d + log(1 + exp(-abs(u)))    is    softplus(u) - u*d

Both sides are the same for every u. The pieces have kinks at 0 that cancel; the function has none, and its
derivative is the one that a person would write down, at 0 too.

What a mask leaves, 1 - delta(i,j), is a mask too: multiplied out it would be a difference of two sums, which
has no digits where what is left out is most of the first.
"""

from __future__ import annotations

from collections.abc import Iterator

from symbackprop.integers.bounds import negated
from symbackprop.notation.arithmetic import (
    add,
    coefficient_and_rest,
    factors_of,
    multiply,
    negate,
    subtract,
    terms_of,
)
from symbackprop.notation.expressions import (
    MINUS_ONE,
    ONE,
    ZERO,
    Add,
    Apply,
    Comparison,
    Delta,
    Expression,
    Number,
    Power,
    Where,
)
from symbackprop.rewriting.measure_context import MeasureContext
from symbackprop.rules.conditions import when
from symbackprop.rules.deltas.lookups import BESIDE_LOOKUPS, beside_lookups
from symbackprop.rules.measures import MEASURES, Measure, Measures
from symbackprop.rules.stating import stated


def softplus_in_pieces(node: Expression) -> Expression | None:
    """max(f, g) + log(1 + exp(-abs(f - g))) = g + softplus(f - g), for terms with the same number.

    And min(f, g) - log(1 + exp(-abs(f - g))) = g - softplus(g - f), the same of -f and -g.
    """
    if not isinstance(node, Add):
        return None
    parts = [coefficient_and_rest(term) for term in node.terms]
    for at, (number, rest) in enumerate(parts):
        for sign, f, g in _larger_of_two(multiply(*rest)) if rest else ():
            for other_at, (other_number, other) in enumerate(parts):
                distance = _distance(multiply(*other)) if other and other_number == sign * number else None
                if distance is not None and distance in (subtract(f, g), subtract(g, f)):
                    joined = add(g, Apply("softplus", (subtract(f, g),)))
                    changed = {at: multiply(Number(sign * number), joined), other_at: ZERO}
                    return add(*(changed.get(place, term) for place, term in enumerate(node.terms)))
    return None


def _larger_of_two(node: Expression) -> Iterator[tuple[int, Expression, Expression]]:
    """1, f and g of max(f, g), what is no number first; -1, -f and -g of min(f, g)."""
    match node:
        case Apply("max" | "min" as function, (f, g)):
            first, second = (g, f) if isinstance(f, Number) else (f, g)
            yield (1, first, second) if function == "max" else (-1, negate(first), negate(second))
        case Apply("relu", (f,)):
            yield 1, f, ZERO


def softplus_in_branches(node: Expression) -> Expression | None:
    """where(c, f + log(1 + exp(-f)), log(1 + exp(f))) = softplus(f), and multiples and sums of such."""
    if not (isinstance(node, Where) and isinstance(node.condition, Comparison)):
        return None
    chosen, otherwise = ([_softplus(term) for term in terms_of(branch)] for branch in node.children[1:])
    if not any(map(_is_softplus, chosen)) or not any(map(_is_softplus, otherwise)):
        return None
    first, second = add(*chosen), add(*otherwise)
    for one, other in ((first, second), (second, first)):
        if one == other or add(*map(_turned, terms_of(one))) == other:
            return min(one, other, key=lambda form: form.node_count)
    return None


def _softplus(term: Expression) -> Expression:
    """n*softplus(f) for n*log(1 + exp(f))."""
    number, rest = coefficient_and_rest(term)
    match rest:
        case (Apply("log", (Add((one, exponential)),)),) if ONE in (one, exponential):
            inner = exponential if one == ONE else one
        case (Apply("log1p", (inner,)),):
            pass
        case _:
            return term
    is_exponential = isinstance(inner, Apply) and inner.function == "exp"
    return multiply(Number(number), Apply("softplus", inner.children)) if is_exponential else term


def _is_softplus(term: Expression) -> bool:
    match coefficient_and_rest(term)[1]:
        case (Apply("softplus"),):
            return True
    return False


def _turned(term: Expression) -> Expression:
    """n*f + n*softplus(-f) for n*softplus(f)."""
    number, rest = coefficient_and_rest(term)
    match rest:
        case (Apply("softplus", (f,)),):
            return add(multiply(Number(number), f), multiply(Number(number), Apply("softplus", (negate(f),))))
    return term


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


def log_cosh_in_pieces(node: Expression) -> Expression | None:
    """n*abs(f) + n*log(1 + exp(-2*abs(f))) = n*log(cosh(f)) + n*log(2), for terms with the same number."""
    if not isinstance(node, Add):
        return None
    parts = [coefficient_and_rest(term) for term in node.terms]
    for at, (number, rest) in enumerate(parts):
        match rest:
            case (Apply("abs", (f,)),):
                twice = Apply("softplus", (multiply(Number(-2), *rest),))
                other = next(
                    (place for place, part in enumerate(parts) if _softplus(multiply(*part[1])) == twice),
                    None,
                )
                if other is not None and parts[other][0] == number:
                    joined = (Apply("log", (Apply("cosh", (f,)),)), Apply("log", (Number(2),)))
                    changed = {at: add(*(multiply(Number(number), each) for each in joined)), other: ZERO}
                    return add(*(changed.get(place, term) for place, term in enumerate(node.terms)))
    return None


def left_by_mask(node: Expression) -> Expression | None:
    """n*f - n*f*delta(i,j) = n*f*where(i != j, 1, 0), so with a mask where(c, 1, 0) for the delta."""
    if not isinstance(node, Add):
        return None
    parts = [coefficient_and_rest(term) for term in node.terms]
    masked = [
        ((-number, multiply(*rest[:at], *rest[at + 1 :])), place, mask)
        for place, (number, rest) in enumerate(parts)
        for at, factor in enumerate(rest)
        if (mask := _mask_left_by(factor)) is not None
    ]
    if not masked:
        return None
    places = {(number, multiply(*rest)): place for place, (number, rest) in enumerate(parts)}
    pairs = [(places[term], other, mask) for term, other, mask in masked if term in places]
    if not pairs:
        return None
    at, other, mask = min(pairs, key=lambda pair: pair[:2])
    changed = {at: multiply(mask, node.terms[at]), other: ZERO}
    return add(*(changed.get(place, term) for place, term in enumerate(node.terms)))


def masks_taken_off(expression: Expression, _context: MeasureContext) -> int:
    """How many sums have a term less what a mask takes of it."""
    return sum(left_by_mask(node) is not None for node in expression.walk())


def _mask_left_by(factor: Expression) -> Expression | None:
    """Where a factor that is 1 or 0 is 0."""
    match factor:
        case Delta(left, right):
            return Where(Comparison("!=", left, right), ONE, ZERO)
        case Where() as mask if mask.is_indicator:
            return Where(negated(mask.condition), ONE, ZERO)
    return None


MASKS_TAKEN_OFF = "masks taken off"
# In lexicographic order; what a delta gives may leave a term less what another takes of it.
WRITTEN_OUT_MEASURES: Measures = {
    "bound indices": MEASURES["bound indices"],
    MASKS_TAKEN_OFF: Measure("sums of a term less what a mask takes of it", masks_taken_off),
    "conditions": MEASURES["conditions"],
    BESIDE_LOOKUPS: Measure("indices with a place, in what a sum over the lookup moves", beside_lookups),
    "size": MEASURES["size"],
}
WRITTEN_OUT_RULES = (
    stated(
        "softplus in pieces",
        "max(f, g) + log(1 + exp(-abs(f - g))) = g + softplus(f - g), "
        "min(f, g) - log(1 + exp(-abs(f - g))) = g - softplus(g - f)",
        softplus_in_pieces,
        decreases="size",
        example="max(c, 0) - c*h0 + log(1 + exp(-abs(c)))",
        near_miss="max(c, 0) + log(1 + exp(-abs(h0)))",
    ),
    stated(
        "softplus in branches",
        "where(c, n*(f + log(1 + exp(-f))), n*log(1 + exp(f))) = n*softplus(f)",
        softplus_in_branches,
        decreases="conditions",
        example="where(c >= 0, c + log(1 + exp(-c)), log(1 + exp(c)))",
        near_miss="where(c >= 0, c + log(1 + exp(c)), log(1 + exp(c)))",
    ),
    stated(
        "log of cosh in pieces",
        "abs(f) + log(1 + exp(-2*abs(f))) = log(cosh(f)) + log(2)",
        log_cosh_in_pieces,
        decreases="size",
        example="abs(c) + log(1 + exp(-2*abs(c))) - log(2)",
        near_miss="abs(c) + log(1 + exp(-abs(c))) - log(2)",
    ),
    stated(
        "sigmoid in pieces",
        "where(c, 1/(1 + exp(-f)), exp(f)/(1 + exp(f))) = sigmoid(f)",
        sigmoid_in_pieces,
        decreases="conditions",
        example="where(c >= 0, 1/(1 + exp(-c)), exp(c)/(1 + exp(c)))",
        near_miss="where(c >= 0, 1/(1 + exp(-c)), exp(-c)/(1 + exp(c)))",
    ),
    stated(
        "left by a mask",
        "n*f - n*f*delta(i,j) = n*f*where(i != j, 1, 0), n*f - n*f*where(c, 1, 0) = n*f*where(not c, 1, 0)",
        left_by_mask,
        where=(when("no nan", "c"),),
        decreases=MASKS_TAKEN_OFF,
        example="(1 - delta(i,i2))*x[i]",
        near_miss="(2 - delta(i,i2))*x[i]",
    ),
)
