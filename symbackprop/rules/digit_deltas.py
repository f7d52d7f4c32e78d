"""Deltas of digits: an index that counts through two others, as in a reshape.

c = m*g + q with q from 0 to m-1 is the same as g = floor(c/m) and q = mod(c,m).
Where a relation says how many places c has, a sum over c that gives one of the two is a sum over the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations

from symbackprop.integers.base_sizes import related_form
from symbackprop.integers.bounds import Knowledge, conjunction, lower_bound, unproved_bounds
from symbackprop.integers.linear import LinearForm, floor_quotient, linear_form
from symbackprop.integers.mixed_radix import Digit, axes_of_digits, counted_between, decided_digit, digit_of
from symbackprop.notation.arithmetic import add, factors_of, is_sum, multiply
from symbackprop.notation.expressions import (
    ONE,
    ZERO,
    Apply,
    Axis,
    Comparison,
    Delta,
    Expression,
    Index,
    Reduction,
    Size,
    Where,
)
from symbackprop.notation.substitution import fresh_index, substitute
from symbackprop.rules.conditions import when
from symbackprop.rules.stating import stated


def _sides(factor: Expression) -> Iterator[tuple[Expression, Expression]]:
    """The two sides of a delta, both ways round."""
    if isinstance(factor, Delta):
        yield factor.left, factor.right
        yield factor.right, factor.left


def split_digits(node: Expression) -> Expression | None:
    """delta(m*g+q, c) = delta(g, floor(c/m))*delta(q, mod(c,m)) in a sum over g or q; so with more digits."""
    if not is_sum(node):
        return None
    factors = factors_of(node.body)
    for place, factor in enumerate(factors):
        digits = _split(factor, frozenset(node.indices))
        if digits is not None:
            body = multiply(*factors[:place], *digits, *factors[place + 1 :])
            return Reduction("sum", node.indices, body)
    return None


def _split(delta: Expression, bound: frozenset[Index]) -> tuple[Delta, ...] | None:
    for position, index in _sides(delta):
        if isinstance(position, Index):  # one digit, as most are
            continue
        form = linear_form(position)
        if not isinstance(index, Index) or index in bound or not _is_bound(form, bound):
            continue
        is_pair = len(form.coefficients) == 2 and not form.constant
        for digit in form.coefficients if is_pair else ():
            high = _high_digit(form, digit)
            if high is not None and isinstance(digit, Index):
                radix = _size(digit.axis)
                remainder = Apply("mod", (index, radix))
                return Delta(high, floor_quotient(index, radix)), Delta(digit, remainder)
        deltas = tuple(_all_digits(position, Digit(index, ONE, None)))
        if len(deltas) > 1:
            return deltas
    return None


def _all_digits(position: Expression, number: Digit) -> Iterator[Delta]:
    """delta(g, floor(c/m))*delta(q, mod(c, m)) for delta(m*g + q, c), and so on for the digits of g."""
    for low in linear_form(position).coefficients:
        for radix in _radices(low):
            high = decided_digit(floor_quotient(position, radix))
            if high is None or decided_digit(Apply("mod", (position, radix))) != low:
                continue
            yield from _all_digits(high, Digit(number.base, multiply(number.unit, radix), None))
            yield Delta(low, Digit(number.base, number.unit, radix).expression())
            return
    yield Delta(position, number.expression())


def _radices(digit: Expression) -> tuple[Expression, ...]:
    """The places of a digit: its axis', its radix, or what sizes its number's relation names."""
    match digit:
        case Index(_, axis):
            return (_size(axis),)
        case Apply("mod", (_, radix)):
            return (radix,)
        case Apply("floor"):
            found = digit_of(digit)
            if found is not None and isinstance(found.base, Index):
                return tuple(map(_size, axes_of_digits(found.base, found)))
    return ()


def _is_bound(form: LinearForm, bound: frozenset[Index]) -> bool:
    """Whether the form depends on a bound index."""
    return any(unknown.free_indices & bound for unknown in form.coefficients)


def _size(axis: Axis) -> Expression:
    return linear_form(Size(axis)).expression()


def _high_digit(form: LinearForm, digit: Expression) -> Index | None:
    """g where the form is size(q)*g + q for the digit q."""
    if not isinstance(digit, Index) or form.coefficient(digit) != 1:
        return None
    rest = related_form(form.without(digit).expression())
    for unknown in rest.coefficients:
        for high in sorted(unknown.free_indices, key=lambda index: index.name):
            if rest == related_form(multiply(high, Size(digit.axis))):
                return high
    return None


def join_digits(node: Expression) -> Expression | None:
    """delta(floor(q/m), i)*delta(mod(q,m), j) = delta(q, m*i+j) in a sum over q, where 0 <= j < m."""
    if not is_sum(node):
        return None
    factors, bound = factors_of(node.body), frozenset(node.indices)
    digits = list(_digits_given(factors, bound))
    for high_place, high, high_value in digits:
        for low_place, low, low_value in digits:
            if high_place != low_place and low.radix is not None and _are_neighbours(high, low):
                rest = [f for place, f in enumerate(factors) if place not in (high_place, low_place)]
                joined = _joined(high, low, high_value, low_value)
                return Reduction("sum", node.indices, multiply(*rest, *joined))
    return None


def _digits_given(
    factors: Sequence[Expression], bound: frozenset[Index]
) -> Iterator[tuple[int, Digit, Expression]]:
    """The digits of what a sum runs over that deltas give: the factor's place, the digit, its value."""
    for place, factor in enumerate(factors):
        for position, value in _sides(factor):
            digit = digit_of(position)
            if digit is not None and digit.base.free_indices & bound - value.free_indices:
                yield place, digit, value


def _are_neighbours(high: Digit, low: Digit) -> bool:
    assert low.radix is not None
    unit = related_form(multiply(low.unit, low.radix))
    return high.base == low.base and related_form(high.unit) == unit


def _joined(high: Digit, low: Digit, high_value: Expression, low_value: Expression) -> tuple[Expression, ...]:
    """The delta of both digits, and where it is not sure that the lower one is a digit, that it is."""
    assert low.radix is not None
    radix = None if high.radix is None else linear_form(multiply(low.radix, high.radix)).expression()
    number = add(multiply(low.radix, high_value), low_value)
    delta = Delta(Digit(low.base, low.unit, radix).expression(), linear_form(number).expression())
    bounds = lower_bound(low_value), Comparison("<", low_value, low.radix)
    known = Knowledge.of((low_value, low.radix), ())
    open_bounds = [bound for bound in bounds if not known.proves(bound)]
    return (Where(conjunction(open_bounds), ONE, ZERO), delta) if open_bounds else (delta,)


def sum_over_other_digit(node: Expression) -> Expression | None:
    """sum(c, delta(floor(c/m), g)*f(c)) = sum(q, f(m*g + q)), where q's axis has m places: block g of c."""
    if not is_sum(node):
        return None
    factors, bound = factors_of(node.body), frozenset(node.indices)
    for place, factor in enumerate(factors):
        others = (*factors[:place], *factors[place + 1 :])
        for position, value in _sides(factor):
            digit = digit_of(position)
            index = digit.base if digit is not None else None
            if digit is None or not isinstance(index, Index) or index not in bound:
                continue
            if value.free_indices & bound or any(_has_delta_of(other, index) for other in others):
                continue
            left, number = _counted_by(index, digit, value, node) or (index, index)
            if left != index:
                indices = tuple([left if each == index else each for each in node.indices])
                body = multiply(*(substitute(other, {index: number}) for other in others))
                return Reduction("sum", indices, body)
    return None


def sum_over_middle_digit(node: Expression) -> Expression | None:
    """sum(c, delta(floor(c/(n*m)), g)*delta(mod(c, m), q)*f(c)) = sum(i, f(n*m*g + m*i + q)), i below n."""
    if not is_sum(node):
        return None
    factors, bound = factors_of(node.body), frozenset(node.indices)
    digits = [each for each in _digits_given(factors, bound) if each[1].base in bound]
    for (high_place, high, above), (low_place, low, below) in permutations(digits, 2):
        if high.base != low.base or (above.free_indices | below.free_indices) & bound:
            continue
        others = [factor for place, factor in enumerate(factors) if place not in (high_place, low_place)]
        assert isinstance(high.base, Index)
        if high.radix is not None or low.unit != ONE or any(_has_delta_of(f, high.base) for f in others):
            continue
        counted = counted_between(high, low, (above, below), node)
        if counted is not None:
            indices = tuple([counted[0] if each == high.base else each for each in node.indices])
            body = multiply(*(substitute(other, {high.base: counted[1]}) for other in others))
            return Reduction("sum", indices, body)
    return None


def _has_delta_of(factor: Expression, index: Index) -> bool:
    return any(isinstance(each, Delta) and index in each.free_indices for each in factor.walk())


def _counted_by(
    index: Index, digit: Digit, value: Expression, node: Expression
) -> tuple[Index, Expression] | None:
    """q and m*g + q for the index, of whose digits one is the value; q counts through every such place."""
    avoid = {each for each in node.walk() if isinstance(each, Index)} | set(_bound_in(node))
    known = Knowledge.of((value, digit.radix or ONE), ())
    if digit.radix is not None and not known.proves(Comparison("<", value, digit.radix)):
        return None
    for axis in axes_of_digits(index, digit):
        left = fresh_index(Index(axis.label, axis), avoid)
        if digit.radix is None:
            number, is_whole = add(multiply(value, digit.unit), left), _have_same(Size(axis), digit.unit)
        else:
            number = add(multiply(left, digit.radix), value)
            is_whole = _have_same(multiply(digit.radix, Size(axis)), Size(index.axis))
        if is_whole and known.proves(lower_bound(value)) and not unproved_bounds(number, index.axis):
            return left, linear_form(number).expression()
    return None


def _have_same(one: Expression, other: Expression) -> bool:
    return related_form(one) == related_form(other)


def _bound_in(node: Expression) -> Iterator[Index]:
    for each in node.walk():
        if isinstance(each, Reduction):
            yield from each.indices


DIGIT_RULES = (
    stated(
        "digit of a number",
        "floor((m*i + j)/m) = i, mod(m*i + j, m) = j",
        decided_digit,
        where=(when("digit", "j", "m"),),
        decreases="size",
        example="z[floor((2*j + d)/2)]",
        near_miss="z[floor((2*j + k)/2)]",
        roots=(Apply,),
    ),
    stated(
        "sum over the other digit",
        "sum(q, delta(floor(q/size(i)), j)*f(q)) = sum(i, f(size(i)*j + i)), "
        "sum(q, delta(mod(q, size(i)), i)*f(q)) = sum(j, f(size(i)*j + i))",
        sum_over_other_digit,
        where=(when("independent", "j", "q"), when("counts through", "q", "i", "j")),
        decreases="unsolved indices",
        example="sum(p, delta(floor(p/size(d)),i)*r[p])",
        near_miss="sum(q, delta(floor(q/size(d)),i)*z[q])",
        roots=(Reduction,),
    ),
    stated(
        "sum over the middle digit",
        "sum(q, delta(floor(q/(n*m)), i)*delta(mod(q, m), k)*f(q))"
        " = sum(j, f(n*m*i + m*j + k)) for j of n places",
        sum_over_middle_digit,
        where=(when("independent", "i", "q"), when("independent", "k", "q"), when("digit", "k", "m")),
        decreases="unsolved indices",
        example="sum(g, delta(floor(g/(size(j)*size(k))),i)*delta(mod(g, size(k)),k)*n[g])",
        near_miss="sum(g, delta(floor(g/(size(j)*size(k))),i)*delta(mod(g, size(i)),k)*n[g])",
        roots=(Reduction,),
    ),
    stated(
        "split into digits",
        "sum(i, delta(size(i)*j + i, k)*f) = sum(i, delta(j, floor(k/size(i)))*delta(i, mod(k, size(i)))*f), "
        "or a sum over j; digit by digit where j is such a sum itself, or i is mod(j2, m)",
        split_digits,
        where=(when("independent", "k", "i"), when("independent", "k", "j")),
        decreases="digits to split",
        example="sum(j, delta(size(d)*j+d,q)*y[j])",
        near_miss="sum(j, delta(3*j+d,q)*y[j])",
        roots=(Reduction,),
    ),
    stated(
        "join digits",
        "sum(q, delta(floor(q/m), i)*delta(mod(q, m), j)*f)"
        " = sum(q, where(0 <= j and j < m, delta(q, m*i + j), 0)*f)",
        join_digits,
        where=(when("independent", "i", "q"), when("independent", "j", "q")),
        decreases="unsolved indices",
        example="sum(q, z[q]*delta(floor(q/2),j)*delta(mod(q,2),d))",
        near_miss="sum(q, z[q]*delta(floor(q/3),j)*delta(mod(q,2),d))",
        roots=(Reduction,),
    ),
)
