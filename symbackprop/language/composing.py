"""Expressions from what a person wrote: order and brackets are kept, and only what has no meaning is dropped.

`a*(b*c)` keeps its bracket, `(a*b)*c` is `a*b*c`, `1/2` is one rational, `a/(b^2*c)` is a * b^-2 * c^-1.
What is composed here prints, by `systems.printing`, as a text that reads back as the same expression.
Errors carry no place; the reader knows it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence, Set
from fractions import Fraction
from itertools import groupby

from symbackprop.errors import LanguageError
from symbackprop.functions.builders import HALF
from symbackprop.functions.table import definition_of
from symbackprop.integers.linear import floor_quotient, linear_form
from symbackprop.languages.phrases import worded
from symbackprop.notation.arithmetic import add, factors_of, is_reciprocal, multiply
from symbackprop.notation.expressions import (
    MINUS_ONE,
    ONE,
    ZERO,
    Add,
    Apply,
    Expression,
    Index,
    Multiply,
    Number,
    Power,
    Reduction,
    Size,
)
from symbackprop.notation.substitution import substitute
from symbackprop.syntax.limits import LARGEST_EXPONENT, LARGEST_MAGNITUDE, LONGEST_NUMBER


def number(text: str) -> Number:
    """The exact rational that a decimal or scientific number says; LanguageError out of float64's range."""
    if len(text) > LONGEST_NUMBER:
        raise LanguageError(
            worded("a number has more than {longest} characters", longest=LONGEST_NUMBER),
            remedy=worded("round it"),
        )
    exponent = text.lower().partition("e")[2]
    if exponent and abs(int(exponent)) > LARGEST_MAGNITUDE + LONGEST_NUMBER:
        raise _out_of_range()
    value = Fraction(text)
    if value and magnitude(Number(value)) > LARGEST_MAGNITUDE:
        raise _out_of_range()
    return Number(value)


def _out_of_range() -> LanguageError:
    return LanguageError(
        worded(
            "a number is outside 10^-{largest} to 10^{largest}",
            largest=LARGEST_MAGNITUDE,
        ),
        remedy=worded("choose units in which the numbers fit float64"),
    )


def magnitude(expression: Expression) -> float:
    """A bound on the decimal digits of every number that the expression can be multiplied out to."""
    match expression:
        case Number(value):
            return max(math.log10(max(abs(value.numerator), 1)), math.log10(value.denominator))
        case Multiply(factors):
            return sum(magnitude(factor) for factor in factors)
        case Power(Number() | Multiply() | Power() as base, exponent) if (
            size := _size_of_constant(exponent)
        ) is not None:
            return size * magnitude(base)
    return max((magnitude(child) for child in expression.children), default=0.0)


def total(terms: Iterable[tuple[str, Expression]]) -> Expression:
    """A sum of signed terms."""
    return Add(tuple([negated(term) if sign == "-" else term for sign, term in terms]))


def negated(expression: Expression) -> Expression:
    """-x; the sign goes into a number that stands in front."""
    match expression:
        case Number(value):
            return Number(-value)
        case Multiply((Number(lead), *rest)) if lead >= 0:
            return product(Number(-lead), *rest)
    return product(MINUS_ONE, expression)


def quotient(factors: Iterable[tuple[str, Expression]]) -> Expression:
    """A product as it is written, each factor with its `*` or `/`; a division of numbers in front is done."""
    gathered: list[Expression] = []
    for operator, factor in factors:
        match operator, gathered, factor:
            case "/", [Number(dividend)], Number(divisor) if divisor:
                gathered = [Number(dividend / divisor)]
            case "*", [Number(sign)], Number(value) if sign == -1:
                gathered = [Number(-value)]
            case "/", _, _:
                gathered.append(reciprocal(factor))
            case _:
                gathered.append(factor)
    return product(*gathered)


def product(*factors: Expression) -> Expression:
    """A product in the order given, flat where it begins with a product or divides by one."""
    simplified = _front_simplified(list(factors))
    grouped = _denominators_flattened(simplified)
    again = _front_simplified(grouped)
    if again is not grouped:
        return product(*again)
    return again[0] if len(again) == 1 else Multiply(tuple(again))


def _front_simplified(factors: list[Expression]) -> list[Expression]:
    """Work out what has no text of its own in front: signs, 1/2, 1*; the same list where nothing does."""
    while True:
        match factors:
            case [Multiply(inner), *rest]:
                factors = [*inner, *rest]
            case [Number(lead), Multiply(inner) as nested, *rest] if lead == -1 and not _is_negative(nested):
                factors = [MINUS_ONE, *inner, *rest]
            case [Number(lead), Number(value), *rest] if lead == -1:
                factors = [Number(-value), *rest]
            case [Number(lead), Power(Number(divisor), Number(exponent)), *rest] if (
                exponent == -1 and not _begins_below(rest)
            ):
                factors = [Number(lead / divisor), *rest]
            case [Power(Number(divisor), Number(exponent)), *rest] if exponent == -1 and not _begins_below(
                rest
            ):
                factors = [Number(1 / divisor), *rest]
            case [Number(lead), *rest] if lead == 1 and _begins_below(rest):
                factors = rest
            case _:
                return factors


def _denominators_flattened(factors: list[Expression]) -> list[Expression]:
    """Write a/(b*c) as a * b^-1 * c^-1, which a/b/c is too."""
    flattened: list[Expression] = []
    for is_below, group in groupby(factors, key=is_reciprocal):
        members = list(group)
        if is_below:
            below = product(*[_denominator(member) for member in members])
            members = [reciprocal(part) for part in factors_of(below)]
        flattened.extend(members)
    return flattened


def _is_negative(expression: Multiply) -> bool:
    lead = expression.factors[0]
    return isinstance(lead, Number) and lead.value < 0


def _begins_below(factors: list[Expression]) -> bool:
    return bool(factors) and is_reciprocal(factors[0])


def _denominator(factor: Expression) -> Expression:
    assert isinstance(factor, Power) and isinstance(factor.exponent, Number)
    exponent = -factor.exponent.value
    return factor.base if exponent == 1 else Power(factor.base, Number(exponent))


def expect_divisor(expression: Expression) -> None:
    """LanguageError where an expression that is divided by is the number 0."""
    if expression == ZERO:
        raise LanguageError(worded("division by zero"), remedy=worded("this has no value; check the formula"))


def reciprocal(expression: Expression) -> Expression:
    """1/x as a power; LanguageError where x is the number 0."""
    expect_divisor(expression)
    match expression:
        case Power(base, Number(exponent)) if exponent > 0:
            return Power(base, Number(-exponent))
    return Power(expression, MINUS_ONE)


def raised(base: Expression, exponent: Expression) -> Expression:
    """base ^ exponent; LanguageError for numbers out of bounds, which is seen before anything is computed."""
    size = _size_of_constant(exponent) or 0.0
    digits = magnitude(base) if isinstance(base, Number) else 0.0
    if size > LARGEST_EXPONENT or size * digits > LARGEST_MAGNITUDE:
        raise LanguageError(
            worded(
                "a power is out of bounds: exponents go up to {exponent}, powers of "
                "numbers up to 10^{largest}",
                exponent=f"{LARGEST_EXPONENT:,}",
                largest=LARGEST_MAGNITUDE,
            ),
            remedy=worded("write the number that is meant"),
        )
    if exponent == MINUS_ONE or (base == ZERO and is_reciprocal(Power(base, exponent))):
        return quotient((("*", ONE), ("/", base)))
    return Power(base, exponent)


def _size_of_constant(expression: Expression) -> float | None:
    """A bound on the absolute value of an expression that is made of numbers alone; None for any other."""
    match expression:
        case Number(value):
            return abs(float(value))
        case Add() | Multiply() | Power():
            sizes = [_size_of_constant(child) for child in expression.children]
            known = [size for size in sizes if size is not None]
            return _combined(expression, known) if len(known) == len(sizes) else None
    return None


def _combined(expression: Expression, sizes: list[float]) -> float:
    try:
        match expression:
            case Add():
                return sum(sizes)
            case Multiply():
                return math.prod(sizes)
        base, exponent = sizes
        return float(max(base, 1 / base) ** exponent) if base else 1.0
    except OverflowError:
        return math.inf


def square_root(radicand: Expression) -> Expression:
    """sqrt(x)."""
    return Power(radicand, HALF)


def mean(indices: tuple[Index, ...], body: Expression) -> Expression:
    """The mean over indices: 1/size(b)*sum(b, e)."""
    divisors = [Power(Size(index.axis), MINUS_ONE) for index in indices]
    return Multiply((*divisors, Reduction("sum", indices, body)))


def applied(function: str, arguments: tuple[Expression, ...]) -> Expression:
    """An element-wise function of values.

    max(i, a) is a reduction, so that a greater-of-two whose first value is an index is written as the `where`
    that it stands for.
    """
    application = Apply(function, arguments)
    if function in ("max", "min") and isinstance(arguments[0], Index):
        return definition_of(application) or application
    return application


def recomposed(expression: Expression, children: tuple[Expression, ...]) -> Expression:
    """The node over other children, composed as if it had been written so."""
    match expression:
        case Multiply():
            return product(*children)
        case Power():
            return raised(*children)
        case Apply(function, _):
            return applied(function, children)
    return expression.with_children(children)


def unpacked(expression: Expression, parts: Sequence[Index], index: Index) -> Expression:
    """The right-hand side for y[(h e)], in the index over the packed axis: h is floor(o/size(e))."""
    whole: Expression = ZERO
    for part in parts:
        whole = add(multiply(whole, Size(part.axis)), part)
    joined = _joined(expression, linear_form(whole).expression(), index, {index, *parts})
    digits: dict[Index, Expression] = {}
    unit: Expression = ONE
    for place, part in reversed(list(enumerate(parts))):
        above = index if unit == ONE else floor_quotient(index, unit)
        digits[part] = above if place == 0 else Apply("mod", (above, Size(part.axis)))
        unit = multiply(unit, Size(part.axis))
    return substitute(joined, digits)


def _joined(node: Expression, whole: Expression, index: Index, names: Set[Index]) -> Expression:
    """The index itself where all its digits stand together, as in x[(h e)], and in u[(k h e)] of a block."""
    if node == whole:
        return index
    if isinstance(node, Add) and not node.tensors and whole.free_indices <= node.free_indices:
        rest = linear_form(node).plus(linear_form(whole), -1).expression()
        if not whole.free_indices & rest.free_indices:
            return add(index, rest)
    if isinstance(node, Reduction) and names & set(node.indices):
        return node
    return node.with_children(tuple([_joined(child, whole, index, names) for child in node.children]))
