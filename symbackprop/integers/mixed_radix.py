"""Digits of an index that counts through others: floor(q/6) and mod(floor(q/2), 3) and mod(q, 2)."""

from __future__ import annotations

from dataclasses import dataclass

from symbackprop.integers.base_sizes import related_form, with_formulas
from symbackprop.integers.bounds import Knowledge, lower_bound, unproved_bounds
from symbackprop.integers.linear import LinearForm, constant_form, divided, floor_quotient, linear_form
from symbackprop.integers.recognition import is_integer, is_positive
from symbackprop.notation.arithmetic import add, multiply, negate, power, subtract
from symbackprop.notation.expressions import (
    MINUS_ONE,
    MIRRORED,
    ONE,
    ZERO,
    Apply,
    Axis,
    Comparison,
    Expression,
    Index,
    Number,
    Size,
)
from symbackprop.notation.substitution import fresh_index


@dataclass(frozen=True)
class Digit:
    """mod(floor(base/unit), radix); without a radix, floor(base/unit)."""

    base: Expression
    unit: Expression
    radix: Expression | None

    def expression(self) -> Expression:
        """The position that is this digit."""
        shown = self.base if self.unit == ONE else floor_quotient(self.base, self.unit)
        return shown if self.radix is None else Apply("mod", (shown, self.radix))


def digit_of(position: Expression) -> Digit | None:
    """A position as a digit, nested floors in one; a radix or a unit that may be 0 or less has no digits."""
    match position:
        case Apply("mod", (inner, radix)) if is_positive(radix):
            found = digit_of(inner) or Digit(inner, ONE, None)
            return None if found.radix is not None else Digit(found.base, found.unit, radix)
        case Apply("floor", (argument,)):
            base, divisor = divided(argument)
            if not is_positive(divisor):
                return None
            found = digit_of(base) or Digit(base, ONE, None)
            return None if found.radix is not None else Digit(found.base, multiply(found.unit, divisor), None)
    return None


def decided_digit(node: Expression) -> Expression | None:
    """g of floor((m*g + q)/m) and q of mod(m*g + q, m), where 0 <= q < m is proved and g is no number."""
    match node:
        case Apply("mod", (number, radix)) if is_positive(radix):
            pass
        case Apply("floor", (argument,)):
            number, radix = divided(argument)
            if radix == ONE or not is_positive(radix):
                return None
        case _:
            return None
    high, low = by_radix(number, radix)
    if not high.coefficients:
        return None
    rest = low.expression()
    known = Knowledge.of((rest, radix), ())
    if not known.proves(lower_bound(rest)) or not known.proves(Comparison("<", rest, radix)):
        return None
    return high.expression() if node.function == "floor" else rest


def single_digit(node: Expression) -> Expression | None:
    """0 of floor(q/m) and q of mod(q, m), where 0 <= q < m is proved."""
    found = digit_of(node)
    if found is None:
        return None
    limit = found.unit if found.radix is None else multiply(found.unit, found.radix)
    known = Knowledge.of((found.base, limit), ())
    if not known.proves(lower_bound(found.base)) or not known.proves(Comparison("<", found.base, limit)):
        return None
    return ZERO if found.radix is None else Digit(found.base, found.unit, None).expression()


def without_multiples(node: Expression) -> Expression:
    """g + floor(q/m) for floor((m*g + q)/m), mod(q, m) for mod(m*g + q, m); anything else as it stands."""
    match node:
        case Apply("mod", (number, radix)) if is_positive(radix):
            high, low = by_radix(number, radix)
            return Apply("mod", (low.expression(), radix)) if _is_not_zero(high) else node
        case Apply("floor", (argument,)):
            number, radix = divided(argument)
            if radix != ONE and is_positive(radix):
                high, low = by_radix(number, radix)
                quotient = floor_quotient(low.expression(), radix)
                return high.plus(linear_form(quotient)).expression() if _is_not_zero(high) else node
    return node


def _is_not_zero(form: LinearForm) -> bool:
    return bool(form.coefficients or form.constant)


def bound_of_number(bound: LinearForm) -> LinearForm:
    """q - m*g for floor(q/m) - g, and m*(g + 1) - 1 - q for g - floor(q/m), of integers q and g.

    One is at least 0 if and only if the other is. Other forms are given back.
    """
    for unknown, factor in bound.coefficients.items():
        digit = digit_of(unknown)
        rest = bound.without(unknown)
        if digit is None or digit.radix is not None or abs(factor) != 1:
            continue
        if not (is_integer(digit.base) and is_integer(rest.expression())):
            continue
        least = rest if factor > 0 else rest.plus(constant_form(1))
        scaled = linear_form(multiply(digit.unit, least.expression())).plus(linear_form(digit.base), factor)
        return scaled if factor > 0 else scaled.plus(constant_form(-1))
    return bound


def by_radix(number: Expression, radix: Expression) -> tuple[LinearForm, LinearForm]:
    """(g, q) of a number m*g + q: term by term, those that m divides and the others."""
    high, low = constant_form(0), constant_form(0)
    below = power(related_form(radix).expression(), MINUS_ONE)
    form = related_form(number)
    terms = [multiply(Number(value), unknown) for unknown, value in form.coefficients.items()]
    for term in (*terms, Number(form.constant)):
        quotient = multiply(term, below)
        if is_integer(quotient, quotient.tensors):
            high = high.plus(linear_form(quotient))
        else:
            low = low.plus(linear_form(term))
    return high, low


def compared_by_radix(node: Comparison, radix: Expression) -> Comparison | None:
    """g < h for m*g + q < m*h, where q is one of m places; None for another comparison of integers."""
    mirrored = Comparison(MIRRORED[node.operator], node.right, node.left)
    for operator, left, right in ((each.operator, each.left, each.right) for each in (node, mirrored)):
        if operator in ("==", "!=") or not (is_integer(left) and is_integer(right)):
            continue
        # Of integers left <= right is left - right - 1 < 0.
        difference = subtract(left, right) if operator in ("<", ">=") else add(left, negate(right), MINUS_ONE)
        high, low = by_radix(difference, radix)
        rest = low.expression()
        known = Knowledge.of((rest, radix), ())
        if _is_not_zero(high) and all(map(known.proves, (lower_bound(rest), Comparison("<", rest, radix)))):
            places = linear_form(ZERO)
            for unknown, factor in high.coefficients.items():
                places = places.plus(linear_form(unknown), factor) if isinstance(unknown, Index) else places
            above = places.plus(high, -1).expression()
            return Comparison("<" if operator.startswith("<") else ">=", places.expression(), above)
    return None


def counted_between(
    high: Digit, low: Digit, values: tuple[Expression, Expression], node: Expression
) -> tuple[Index, Expression] | None:
    """The digit between two that are known, and the number of all three."""
    if low.radix is None or not isinstance(high.base, Index):
        return None
    avoid = {each for each in node.walk() if isinstance(each, Index)}
    known = Knowledge.of((*values, low.radix), ())
    if not all(map(known.proves, (*map(lower_bound, values), Comparison("<", values[1], low.radix)))):
        return None
    for axis in axes_of_digits(high.base, high):
        if related_form(multiply(low.radix, Size(axis))) == related_form(high.unit):
            middle = fresh_index(Index(axis.label, axis), avoid)
            number = add(multiply(values[0], high.unit), multiply(middle, low.radix), values[1])
            whole = linear_form(number).expression()
            return None if unproved_bounds(whole, high.base.axis) else (middle, whole)
    return None


def axes_of_digits(index: Index, digit: Digit) -> tuple[Axis, ...]:
    """The axes that the digit and the relation of the index' size speak of."""
    if digit.radix is not None and digit.unit != ONE:
        return ()  # it leaves two digits open
    nodes = [node for each in (digit.expression(), index) for node in with_formulas(each)]
    return tuple(dict.fromkeys(node.axis for node in nodes if isinstance(node, Size)))
