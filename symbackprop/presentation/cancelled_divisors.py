"""Divisors that a factor beside them cancels: p*(1 - p)*(t/p - s/(1 - p)) is t*(1 - p) - s*p.

Where p is next to 0 or 1, the quotients are large for nothing. The gradient of focal loss is so written in
appendix B of Lin et al., Focal Loss for Dense Object Detection (2017).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations

from symbackprop.notation.arithmetic import (
    add,
    base_and_exponent,
    coefficient_and_rest,
    factors_of,
    is_reciprocal,
    is_sum,
    multiply,
    power,
    terms_of,
)
from symbackprop.notation.expressions import (
    MINUS_ONE,
    ZERO,
    Add,
    Apply,
    Expression,
    Multiply,
    Number,
    Reduction,
    Where,
)
from symbackprop.presentation.gathering import as_one_term
from symbackprop.rewriting.measure_context import MeasureContext
from symbackprop.rules.conditions import when
from symbackprop.rules.stating import stated

MOST_OF_A_FRACTION = 1000


def divisors(expression: Expression, _context: MeasureContext) -> int:
    """How many divisors are written, each as often as its power says."""
    return sum(_times(node) for node in expression.walk() if is_reciprocal(node))


def _times(node: Expression) -> int:
    _, exponent = base_and_exponent(node)
    return -(exponent.value.numerator // exponent.value.denominator) if isinstance(exponent, Number) else 0


def cancelled_divisors(node: Expression) -> Expression | None:
    """A product with its factors multiplied into a sum that they divide, in half of its terms or more."""
    if not isinstance(node, Multiply):
        return None
    for place, factor in enumerate(node.factors):
        if not isinstance(factor, Add | Reduction | Where):
            continue
        others = [*node.factors[:place], *node.factors[place + 1 :]]
        into = [each for each in others if _may_cancel(each) and _holds_divisor(factor, each)]
        if into:
            absorbed = _absorbed(factor, into)
            if absorbed is not None:
                rest = [each for each in others if each not in into]
                return multiply(*rest, absorbed)
    return None


def _may_cancel(factor: Expression) -> bool:
    """Whether it is made of elements: no divisor, no sum, no exponential, whose forms come later."""
    base, exponent = base_and_exponent(factor)
    is_whole = isinstance(exponent, Number) and exponent.value > 0 and exponent.value.denominator == 1
    is_costly = any(
        isinstance(part, Where | Reduction) or (isinstance(part, Apply) and part.function == "exp")
        for part in base.walk()
    )
    return is_whole and not is_costly and bool(base.tensors)


def _holds_divisor(expression: Expression, factor: Expression) -> bool:
    base, _ = base_and_exponent(factor)
    return any(is_reciprocal(node) and base_and_exponent(node)[0] == base for node in expression.walk())


def _absorbed(expression: Expression, factors: Sequence[Expression]) -> Expression | None:
    """The product of both without a divisor that a factor cancels; None where that is not worth it."""
    match expression:
        case Add():
            gathered = _gathered(expression)
            terms = [(term, _absorbed(term, factors)) for term in gathered.terms]
            absorbing = [after for _, after in terms if after is not None]
            if 2 * len(absorbing) < len(terms):
                return None
            return add(*(_beside(term, factors) if after is None else after for term, after in terms))
        case Where(condition, chosen, otherwise):
            branches = [(each, _absorbed(each, factors)) for each in (chosen, otherwise)]
            if all(after is None for _, after in branches):
                return None
            return Where(condition, *(_beside(b, factors) if a is None else a for b, a in branches))
        case Reduction() if is_sum(expression):
            free = [factor for factor in factors if factor.free_indices.isdisjoint(expression.indices)]
            body = _absorbed(expression.body, free) if len(free) == len(factors) else None
            return None if body is None else expression.with_children((body,))
    return _absorbed_by_factor(expression, factors)


def _absorbed_by_factor(term: Expression, factors: Sequence[Expression]) -> Expression | None:
    """A product whose own divisors are cancelled, or those in one factor of it by what belongs there."""
    own = [each for each in factors_of(term) if is_reciprocal(each)]
    bases = {base_and_exponent(factor)[0] for factor in factors}
    if any(base_and_exponent(each)[0] in bases for each in own):
        return multiply(term, *factors)
    parts = factors_of(term)
    for place, part in enumerate(parts):
        if isinstance(part, Add | Where | Reduction):
            into = [factor for factor in factors if _holds_divisor(part, factor)]
            absorbed = _absorbed(part, into) if into else None
            if absorbed is not None:
                outside = [factor for factor in factors if factor not in into]
                return multiply(*parts[:place], *outside, absorbed, *parts[place + 1 :])
    return None


def _beside(term: Expression, factors: Sequence[Expression]) -> Expression:
    """The product, with functions and sums last: 2*p*log(p)."""
    parts = factors_of(term)
    place = next((at for at, part in enumerate(parts) if isinstance(part, Apply | Reduction)), len(parts))
    return multiply(*parts[:place], *factors, *parts[place:])


def _gathered(total: Add) -> Add:
    """The sum with terms that have two factors or more in common as one: y*(1 - p)*(log(p) - (1 - p)/p)."""
    for here, there in combinations(range(len(total.terms)), 2):
        (one, first), (other, second) = (coefficient_and_rest(total.terms[at]) for at in (here, there))
        shared = _common(first, second)
        if len(shared) > 1:
            inside = (
                multiply(Number(number), *rest, *(power(each, MINUS_ONE) for each in shared))
                for number, rest in ((one, first), (other, second))
            )
            joined = as_one_term(total, here, there, multiply(*shared, add(*inside)))
            return _gathered(joined) if isinstance(joined, Add) else total
    return total


def _common(one: Sequence[Expression], other: Sequence[Expression]) -> list[Expression]:
    """The factors of both, each in the lower of two whole positive powers."""
    powers = dict(map(base_and_exponent, other))
    shared = []
    for base, exponent in map(base_and_exponent, one):
        found = powers.get(base)
        if isinstance(exponent, Number) and isinstance(found, Number):
            least = min(exponent.value, found.value)
            if least > 0 and exponent.value.denominator == found.value.denominator == 1:
                shared.append(power(base, Number(least)))
    return shared


def cancelled_number(node: Expression) -> Expression | None:
    """n/m*f = n*(f/m) where each term of f is a whole multiple of m, or of a divisor of it.

    Sums written as the model states them take numbers out of terms: 1/2*sum(i, 2*f*(x + 1/2) + 2*g).
    """
    number, rest = coefficient_and_rest(node)
    for divisor in _divisors_of(number.denominator):
        for place, factor in enumerate(rest):
            divided = _divided(factor, divisor)
            if divided is not None:
                return multiply(Number(number * divisor), *rest[:place], divided, *rest[place + 1 :])
    return None


def _divisors_of(number: int) -> list[int]:
    """Those greater than 1, the greatest first, as far as somebody types them as denominators."""
    return (
        [each for each in range(number, 1, -1) if number % each == 0] if number <= MOST_OF_A_FRACTION else []
    )


def _divided(node: Expression, by: int) -> Expression | None:
    """A sum, below sums and masks, divided by a number of which every term is a multiple; None for others."""
    match node:
        case Add(terms):
            numbers = [coefficient_and_rest(term) for term in terms]
            if all((number / by).denominator == 1 for number, _ in numbers):
                return add(*(multiply(Number(number / by), *rest) for number, rest in numbers))
        case Reduction("sum", indices, body):
            within = _divided_factor(body, by)
            return None if within is None else Reduction("sum", indices, within)
        case Where(condition, chosen, otherwise) if otherwise == ZERO:
            within = _divided_factor(chosen, by)
            return None if within is None else Where(condition, within, otherwise)
    return None


def _divided_factor(node: Expression, by: int) -> Expression | None:
    factors = factors_of(node)
    for place, factor in enumerate(factors):
        divided = _divided(factor, by)
        if divided is not None:
            return multiply(*factors[:place], divided, *factors[place + 1 :])
    return None


def multiples_apart(node: Expression) -> Expression | None:
    """n/m*(m*f + g) = n*f + n/m*g: a sixth of a sum, and twice a penalty, not 1/6*(12*f + g)."""
    number, rest = coefficient_and_rest(node)
    multiples = _multiples(number, rest)
    if not multiples:
        return None
    (total,) = rest
    others = [term for term in terms_of(total) if term not in multiples]
    apart = [multiply(Number(number), term) for term in multiples]
    left = multiply(Number(number), add(*others))
    return add(*apart, left) if total.children[0] in multiples else add(left, *apart)


def _multiples(number: Fraction, rest: Sequence[Expression]) -> list[Expression]:
    """The terms of a sum that lose their fraction by that number, where others keep one."""
    if number.denominator == 1 or len(rest) != 1 or not isinstance(rest[0], Add):
        return []
    whole = [each for each in terms_of(rest[0]) if (coefficient_and_rest(each)[0] * number).denominator == 1]
    return whole if len(whole) < len(terms_of(rest[0])) and all(each.tensors for each in whole) else []


def multiples_of_denominators(expression: Expression, _context: MeasureContext) -> int:
    """How many terms are whole multiples of the denominator before their sum."""
    return sum(len(_multiples(*coefficient_and_rest(node))) for node in expression.walk())


CANCELLED_DIVISORS = stated(
    "cancelled divisors",
    "f*(g/f + h) = g + f*h",
    cancelled_divisors,
    where=(when("divided", "g/f + h"),),
    decreases="divisors",
    example="c*y[j]*(x[i]/c - h0/y[j])",
    near_miss="c*(x[i]/c + h0 + y[j])",
    roots=(Multiply,),
)
CANCELLED_NUMBER = stated(
    "cancel a number",
    "n/m*(m*f + m*g) = n*(f + g), also in sum(i, m*f + m*g) and where(c, m*f + m*g, 0)",
    cancelled_number,
    decreases="names and numbers",
    example="1/6*c*sum(i, 6*x[i]*c + 12*h0)",
    near_miss="1/6*c*sum(i, 6*x[i]*c + 4*h0 + 1)",
    roots=(Multiply,),
)
MULTIPLES_APART = stated(
    "multiples apart",
    "n/m*(m*f + g) = n*f + n/m*g",
    multiples_apart,
    decreases="multiples of denominators",
    example="1/6*(12*x[i]*c + y[j])",
    near_miss="1/6*(4*x[i]*c + y[j])",
    roots=(Multiply,),
)
