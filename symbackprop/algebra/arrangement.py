"""An expression written as a person would: signs, differences and reciprocals where one expects them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from symbackprop.algebra.multiplied_differences import mean_taken_off, places_of_own_mean
from symbackprop.algebra.scalar_algebra import positive_first
from symbackprop.integers.guards import guards_alike, readable
from symbackprop.notation.arithmetic import (
    add,
    base_and_exponent,
    coefficient_and_rest,
    factors_of,
    is_reciprocal,
    is_sum,
    multiply,
    negate,
    power,
    reciprocals_last,
    terms_of,
)
from symbackprop.notation.expressions import (
    MINUS_ONE,
    ONE,
    ZERO,
    Add,
    Element,
    Expression,
    Multiply,
    Number,
    Power,
    Reduction,
    Where,
)
from symbackprop.notation.substitution import rewrite_values, with_values
from symbackprop.presentation.means.weighted import places_of_weighted_mean
from symbackprop.presentation.ways_round import (
    divides_its_opposite,
    is_something_less_number,
    meets_its_opposite,
)
from symbackprop.rewriting.measure_context import MeasureContext
from symbackprop.rewriting.rule import WholeRule


def tidied(expression: Expression) -> Expression:
    """Write it as a person would: 1 - z, z*(1 - z) for -z*(z - 1), g/s*(..) for 1/s*g*(..)."""
    memory = expression.__dict__  # kept with the node, as its hash is: forms have most parts in common
    if "_tidied" not in memory:
        found = _tidy(with_values(expression, tidied))
        memory["_tidied"] = None if found is expression else found
    kept: Expression | None = memory["_tidied"]
    return kept or expression


def _tidy(node: Expression) -> Expression:
    if isinstance(node, Add):
        terms = [*guards_alike(terms_of(add(*map(_without_parentheses, node.terms))))]
        found = mean_taken_off(Add(tuple(terms)))
        if found is None:
            return add(*_around_the_middle(_before_own_mean(positive_first(terms))))
        place, mean = found
        del terms[place]
        # Sums are computed from left to right: y - x first, which is near its mean.
        return add(*positive_first(terms), mean)
    if isinstance(node, Multiply):
        turned = _sign_inside(_one_way_round(_turned_differences(_number_outside(node))))
        return reciprocals_last(_multiple_less_number(turned))
    if isinstance(node, Power):
        return _even_power_turned(node)
    if isinstance(node, Reduction):
        return _sign_outside(node)
    return readable(_number_in_case(node)) if isinstance(node, Where) else node


def _number_in_case(node: Where) -> Where:
    """where(c, f, where(d, -g, 0)) for where(c, f, -where(d, g, 0)): one case after another."""
    number, rest = coefficient_and_rest(node.otherwise)
    if number == 1 or len(rest) != 1 or not isinstance(rest[0], Where):
        return node
    branches = (multiply(Number(number), each) for each in rest[0].children[1:])
    return Where(node.condition, node.chosen, _number_in_case(Where(rest[0].condition, *branches)))


def _sign_outside(node: Reduction) -> Expression:
    """-sum(i, f) for sum(i, -f), which a difference that was turned round has left."""
    is_negative = is_sum(node) and isinstance(node.body, Multiply) and coefficient_and_rest(node.body)[0] < 0
    return multiply(MINUS_ONE, node.with_children((negate(node.body),))) if is_negative else node


def _even_power_turned(node: Power) -> Expression:
    """1/(1 - z)^2 for 1/(z - 1)^2."""
    is_even = isinstance(node.exponent, Number) and node.exponent.value % 2 == 0
    is_turned = is_even and is_something_less_number(node.base)
    return Power(_turned(node.base), node.exponent) if is_turned else node


def _multiple_less_number(node: Expression) -> Expression:
    """2*z - 1 for -(1 - 2*z) without another factor; 1 - z is what is left of 1, and stays."""
    match node:
        case Multiply((Number() as sign, Add((Number(), multiple)) as total)) if sign == MINUS_ONE:
            return node if coefficient_and_rest(multiple)[0] in (1, -1) else _turned(total)
    return node


def _turned(total: Expression) -> Expression:
    """The sum times -1, positive terms first."""
    return add(*positive_first(list(terms_of(negate(total)))))


def _arranged(node: Expression) -> Expression | None:
    after = tidied(node)
    return None if after.is_identical(node) else after


def _before_own_mean(terms: list[Expression]) -> list[Expression]:
    """The terms, where one stands beside its mean: f - mean(i, f) - g*c, which is computed so, too.

    A weighted mean comes first: f - sum(i, f*w) + g, which keeps g where nearly all of f cancels.
    """
    total = Add(tuple(terms))
    found = places_of_own_mean(total)
    if found is None:
        pair = sorted(places_of_weighted_mean(total) or ())
        return [*(terms[place] for place in pair), *(t for place, t in enumerate(terms) if place not in pair)]
    if len(found[1]) > 1:
        return terms
    mean, (value,) = found
    first, second = sorted((mean, value))
    return [*terms[: first + 1], terms[second], *terms[first + 1 : second], *terms[second + 1 :]]


def _around_the_middle(terms: list[Expression]) -> list[Expression]:
    """x[i+1] - 2*x[i] + x[i-1] as a second difference is written: no partial sum is larger than a value."""
    numbers = [coefficient_and_rest(term) for term in terms]
    match numbers:
        case [(n, [Element(x)]), (m, [Element(y)]), (k, [Element(z)])] if x == y == z:
            return [terms[0], terms[2], terms[1]] if n > 0 and m > 0 and k == -n - m else terms
    return terms


def untidy_nodes(expression: Expression, _context: MeasureContext) -> int:
    """How many sums, products and `where`s a person would write with signs and reciprocals elsewhere."""
    found: list[Expression] = []

    def look(node: Expression) -> Expression:
        found.extend([] if _tidy(node).is_identical(node) else [node])
        return node

    rewrite_values(expression, look)
    return len(found)


UNTIDY = "untidy nodes"
ARRANGE = WholeRule(
    "arrange",
    "-(x - y) = y - x, x*y = y*x",
    _arranged,
    UNTIDY,
    example="-(x[i] - c)*y[j]",
    near_miss="(c - x[i])*y[j]",
)


def _is_number_less_something(node: Add) -> bool:
    """1 - z is already as a person writes it, z - 1 is not."""
    return any(isinstance(term, Number) and term.value > 0 for term in node.terms)


def _is_number_less_sums(factor: Expression) -> bool:
    """Whether it is 1 - sum(i, x[i]) or its like, which takes a sign better than 1 - z^2."""
    return isinstance(factor, Add) and all(
        isinstance(term, Number) or (coefficient_and_rest(term)[0] < 0 and any(map(is_sum, factors_of(term))))
        for term in factor.terms
    )


def _without_parentheses(term: Expression) -> Expression:
    """-x - y for -(x + y), where it is added to something."""
    number, rest = coefficient_and_rest(term)
    is_sum = len(rest) == 1 and isinstance(rest[0], Add)
    return add(*map(negate, terms_of(rest[0]))) if number == -1 and is_sum else term


def _number_outside(node: Expression) -> Expression:
    """-c*(x + y) for c*(-x - y), 1/2*c*(1 - x) for c*(1/2 - 1/2*x), c*(3 - x) for 1/2*c*(6 - 2*x)."""
    numbers = [_common_number(factor) for factor in factors_of(node)]
    if all(number == 1 for number in numbers):
        return _whole_numbers_inside(node)
    pairs = zip(factors_of(node), numbers, strict=True)
    return multiply(*(multiply(Number(number), _divided(factor, number)) for factor, number in pairs))


def _whole_numbers_inside(node: Expression) -> Expression:
    """c*(3 - x) for 1/2*c*(6 - 2*x): a fraction in front that leaves whole numbers in a sum."""
    number, factors = coefficient_and_rest(node)
    if number.denominator == 1:
        return node
    for place, factor in enumerate(factors):
        numbers = [coefficient_and_rest(term)[0] * number for term in terms_of(factor)]
        if isinstance(factor, Add) and all(each.denominator == 1 for each in numbers):
            return multiply(*factors[:place], _divided(factor, 1 / number), *factors[place + 1 :])
    return node


def _common_number(factor: Expression) -> Fraction:
    """A fraction below 1 that all terms of a sum are multiplied by; negative where all of them are."""
    if not isinstance(factor, Add):
        return Fraction(1)
    numbers = {coefficient_and_rest(term)[0] for term in factor.terms}
    sizes = {abs(number) for number in numbers}
    size = min(sizes) if len(sizes) == 1 and max(sizes) < 1 else Fraction(1)
    return -size if all(number < 0 for number in numbers) else size


def _divided(factor: Expression, number: Fraction) -> Expression:
    if number == 1:
        return factor
    return add(*(multiply(Number(1 / number), term) for term in terms_of(factor)))


def _turned_differences(node: Expression) -> Expression:
    """(x - y)*(1 - z^2) for (y - x)*(z^2 - 1), (1 - y)*(1 - z) for (y - 1)*(z - 1), (p - y)/(p*(1 - p))."""
    factors = list(factors_of(node))
    less_number = [
        place
        for place, factor in enumerate(factors)
        if is_something_less_number(factor) or _divides_with_its_rest(factor, factors)
    ]
    others = [
        place
        for place, factor in enumerate(factors)
        if isinstance(factor, Add) and not any(isinstance(term, Number) for term in factor.terms)
    ]
    left = less_number[len(others) :]
    pairs = [*zip(less_number, others, strict=False), *zip(left[::2], left[1::2], strict=False)]
    for place in (place for pair in pairs for place in pair):
        base, exponent = base_and_exponent(factors[place])
        factors[place] = power(_turned(base), exponent)
    return multiply(*factors) if pairs else node


def _divides_with_its_rest(factor: Expression, factors: Sequence[Expression]) -> bool:
    """Whether it is the 1/(p - 1) of 1/(p*(p - 1)): what is left of 1 is divided by, as p is."""
    base, exponent = base_and_exponent(factor)
    rest = add(base, ONE)
    is_left = bool(rest.tensors) and not isinstance(rest, Add | Number)
    return is_left and exponent == MINUS_ONE and power(rest, exponent) in factors


def _one_way_round(node: Expression) -> Expression:
    """-sum(j, g[j]*(x[j] - c))*(x[i] - c) for sum(j, g[j]*(c - x[j]))*(x[i] - c), -(x - c)/abs(x - c)."""
    factors = factors_of(node)
    for place, factor in enumerate(factors):
        others = (*factors[:place], *factors[place + 1 :])
        if isinstance(factor, Reduction) and meets_its_opposite(factor, others):
            flipped = _flipped(factor)
            if flipped is not None:
                return multiply(MINUS_ONE, *factors[:place], flipped, *factors[place + 1 :])
        if isinstance(factor, Add) and divides_its_opposite(factor, others):
            return multiply(MINUS_ONE, *factors[:place], _turned(factor), *factors[place + 1 :])
    return node


def _sign_inside(node: Expression) -> Expression:
    if coefficient_and_rest(node)[0] >= 0:
        return node
    factors = factors_of(node)
    less_sums = [each for each in factors if _is_number_less_sums(each)]
    others = (each for each in factors if each not in less_sums[:1])
    if less_sums and all(isinstance(each, Number) or is_reciprocal(each) for each in others):
        return multiply(MINUS_ONE, *(negate(each) if each == less_sums[0] else each for each in factors))
    for place, factor in enumerate(factors):
        flipped = _flipped(factor)
        rest = (*factors[:place], *factors[place + 1 :])
        if flipped is not None and not meets_its_opposite(flipped, rest):
            return multiply(negate(multiply(*factors[:place])), flipped, *factors[place + 1 :])
    return node


def _flipped(factor: Expression) -> Expression | None:
    """The factor times -1, where a difference in it, or in the sum that it is, can take the sign."""
    if isinstance(factor, Add) and not _is_number_less_something(factor):
        takes_off = any(coefficient_and_rest(term)[0] < 0 for term in factor.terms)
        return tidied(negate(factor)) if takes_off else None
    if isinstance(factor, Power):
        base, exponent = factor.base, factor.exponent
        is_odd = isinstance(exponent, Number) and exponent.value % 2 == 1
        return Power(_turned(base), exponent) if is_odd and is_something_less_number(base) else None
    if isinstance(factor, Reduction) and factor.kind == "sum":
        body = multiply(MINUS_ONE, factor.body)
        flipped = _sign_inside(body) if isinstance(body, Multiply) else body
        return factor.with_children((flipped,)) if coefficient_and_rest(flipped)[0] > 0 else None
    if isinstance(factor, Where):
        branches = (factor.chosen, factor.otherwise)
        if ZERO not in branches and any(coefficient_and_rest(branch)[0] < 0 for branch in branches):
            return _number_in_case(Where(factor.condition, *(tidied(negate(each)) for each in branches)))
    return None
