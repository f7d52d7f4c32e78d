"""Integer expressions as linear forms: 2*a + r - 1 is {a: 2, r: 1, 1: -1}.

What is not linear (floor(q/2), an element of an integer tensor, g*size(h) while the size is a symbol) counts
as an unknown of its own. A declared size counts as its number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

from symbackprop.notation.arithmetic import add, factors_of, multiply, power
from symbackprop.notation.expressions import (
    MINUS_ONE,
    ONE,
    Add,
    Apply,
    Expression,
    Multiply,
    Number,
    Power,
    Size,
)

_ONCE, _NEVER = Fraction(1), Fraction(0)


@dataclass(frozen=True)
class LinearForm:
    """constant + sum of coefficient * unknown; no coefficient is 0."""

    coefficients: Mapping[Expression, Fraction]
    constant: Fraction = Fraction(0)

    def plus(self, other: LinearForm, factor: Fraction | int = 1) -> LinearForm:
        """This form and `factor` times the other."""
        return other.scaled(factor) if self == _ZERO else _total([self, other.scaled(factor)])

    def scaled(self, factor: Fraction | int) -> LinearForm:
        """`factor` times this form."""
        if factor == 1:
            return self
        scaled = {unknown: factor * value for unknown, value in self.coefficients.items()} if factor else {}
        return LinearForm(scaled, factor * self.constant)

    def coefficient(self, unknown: Expression) -> Fraction:
        """What stands before an unknown; 0 where it does not occur."""
        return self.coefficients.get(unknown, _NEVER)

    def without(self, unknown: Expression) -> LinearForm:
        """The form without one unknown."""
        rest = {other: value for other, value in self.coefficients.items() if other != unknown}
        return LinearForm(rest, self.constant)

    def expression(self) -> Expression:
        """As a person writes it: terms with a plus first, the number last, but 6 - t."""
        signed = [
            (value > 0, multiply(Number(value), unknown)) for unknown, value in self.coefficients.items()
        ]
        positive = [term for is_positive, term in signed if is_positive]
        negative = [term for is_positive, term in signed if not is_positive]
        if not positive and self.constant > 0:
            return add(Number(self.constant), *negative)
        return add(*positive, *negative, Number(self.constant))


_ZERO = LinearForm({})


def _total(forms: Iterable[LinearForm]) -> LinearForm:
    """The sum of linear forms; their unknowns stand in the order in which they come first."""
    coefficients: dict[Expression, Fraction] = {}
    constant = Fraction(0)
    for form in forms:
        constant += form.constant
        for unknown, coefficient in form.coefficients.items():
            known = coefficients.get(unknown)
            coefficients[unknown] = coefficient if known is None else known + coefficient
    return LinearForm({unknown: value for unknown, value in coefficients.items() if value}, constant)


def divided(expression: Expression) -> tuple[Expression, Expression]:
    """(x, m) of x/m, both without divisions: (t - a, 2) of t/2 - a/2, (t*H + h, T*H) of t/T + h/(T*H)."""
    above, below = _above_and_below(expression)
    form = linear_form(multiply(*above))
    terms = [(unknown, value, _above_and_below(unknown)) for unknown, value in form.coefficients.items()]
    divisors: dict[Expression, int] = {}
    for _, _, (_, inner) in terms:
        divisors.update({base: max(power, divisors.get(base, 0)) for base, power in inner.items()})
    scale = lcm(*(value.denominator for value in (*form.coefficients.values(), form.constant)))
    whole = multiply(*_powers(below))
    if not divisors:
        numerator = form.scaled(scale).expression() if scale > 1 else multiply(*above)
        return numerator, multiply(Number(scale), whole)
    total = linear_form(multiply(*_powers(divisors))).scaled(form.constant)
    for _, value, (factors, inner) in terms:
        missing = {base: power - inner.get(base, 0) for base, power in divisors.items()}
        total = total.plus(linear_form(multiply(*factors, *_powers(missing))), value)
    return total.scaled(scale).expression(), multiply(Number(scale), whole, *_powers(divisors))


def _above_and_below(expression: Expression) -> tuple[list[Expression], dict[Expression, int]]:
    """The factors of the numerator, and the bases of the denominator with their powers."""
    above: list[Expression] = []
    below: dict[Expression, int] = {}
    for factor in factors_of(expression):
        match factor:
            case Power(Number(), _):
                above.append(factor)
            case Power(base, Number(exponent)) if exponent < 0 and exponent.denominator == 1:
                below[base] = below.get(base, 0) - exponent.numerator
            case _:
                above.append(factor)
    return above, below


def _powers(exponents: Mapping[Expression, int]) -> list[Expression]:
    return [power(base, Number(exponent)) for base, exponent in exponents.items() if exponent]


def floor_quotient(expression: Expression, divisor: Expression) -> Expression:
    """floor(x/m)."""
    return Apply("floor", (multiply(expression, power(divisor, MINUS_ONE)),))


def constant_form(value: Fraction | int) -> LinearForm:
    """A number."""
    return LinearForm({}, Fraction(value))


def linear_form(expression: Expression) -> LinearForm:
    """The expression as a linear form of its unknowns, products multiplied out."""
    match expression:
        case Number(value):
            return constant_form(value)
        case Size(axis) if axis.size is not None:
            return constant_form(axis.size)
        case Add() | Multiply():
            # Kept with the node, as its hash is: the same positions are compared again and again.
            memory = expression.__dict__
            if "_linear_form" not in memory:
                memory["_linear_form"] = _combined(expression)
            form: LinearForm = memory["_linear_form"]
            return form
        case Power(Number(base), Number(exponent)) if exponent == -1 and base:
            return constant_form(1 / base)
    return LinearForm({expression: _ONCE})


def _combined(expression: Add | Multiply) -> LinearForm:
    if isinstance(expression, Add):
        return _total(map(linear_form, expression.terms))
    product = constant_form(1)
    for factor in expression.factors:
        product = _product(product, linear_form(factor))
    return product


def _product(left: LinearForm, right: LinearForm) -> LinearForm:
    pairs = [(one, other) for one in _parts(left) for other in _parts(right)]
    return _total(
        _unknown(multiply(unknown, other)).scaled(value * factor)
        for (unknown, value), (other, factor) in pairs
    )


def _unknown(merged: Expression) -> LinearForm:
    return constant_form(1) if merged == ONE else LinearForm({merged: _ONCE})


def _parts(form: LinearForm) -> Iterator[tuple[Expression, Fraction]]:
    yield from form.coefficients.items()
    if form.constant:
        yield ONE, form.constant
