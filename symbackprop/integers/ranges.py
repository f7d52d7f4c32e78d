"""Inequalities that hold of integer expressions by what they are, related sizes in terms of the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from math import floor, lcm

from symbackprop.integers.base_sizes import in_base_sizes, related_form, with_formulas
from symbackprop.integers.extrema import range_of_count, range_of_place
from symbackprop.integers.fourier_motzkin import Case
from symbackprop.integers.linear import LinearForm, constant_form, divided, linear_form
from symbackprop.integers.recognition import (
    counted_factors,
    is_integer,
    is_natural,
    is_positive,
    rounds_reals,
)
from symbackprop.integers.roundings import range_of_rounded
from symbackprop.notation.arithmetic import add, factors_of, multiply, negate, power, subtract
from symbackprop.notation.expressions import (
    MINUS_ONE,
    Apply,
    Axis,
    Element,
    Expression,
    Index,
    Multiply,
    Number,
    Power,
    Reduction,
    Size,
)


def range_of(node: Expression) -> Iterator[LinearForm]:
    """Forms that are >= 0 because of what a node is."""
    own = related_form(node)
    if rounds_reals(node):
        yield from range_of_rounded(node)
    match node:
        case Index(_, axis) | Element(_, _, Axis() as axis):
            yield own
            yield related_form(Size(axis)).plus(own, -1).plus(constant_form(-1))
        case Size(axis):
            yield own
            if axis.size is not None:  # a declared number that a relation speaks of: H*E is 512
                difference = own.plus(constant_form(-axis.size))
                yield from (difference, difference.scaled(-1)) if difference.coefficients else ()
        case Multiply() | Power():
            if _is_reciprocal_size(node):  # what is divided by is not 0
                yield related_form(add(node.children[0], MINUS_ONE))
            for unknown in own.coefficients:
                yield from _product_range(_counted(unknown))
                yield from _digit_product_range(unknown)
        case Reduction("argmax"):
            yield from range_of_place(node)
        case Reduction("sum"):
            yield from range_of_count(node)
        case Apply("floor"):
            yield from _floor_range(node)
        case Apply("mod", (number, divisor)) if is_positive(divisor):
            yield own
            # A multiple of 1/n is at least 1/n below the divisor: mod(i/2, 2) may be 3/2.
            step = step_of(linear_form(number).plus(linear_form(divisor)), of_elements=True)
            gap = constant_form(Fraction(-1, step) if step else 0)
            yield related_form(divisor).plus(own, -1).plus(gap)
        case Apply("abs", (argument,)):
            yield own.plus(related_form(argument), -1)
            yield own.plus(related_form(argument))
        case Apply("max" | "min" as function, arguments):
            sign = 1 if function == "max" else -1
            for argument in arguments:
                yield own.plus(related_form(argument), -1).scaled(sign)


def ranges_of(expressions: Iterable[Expression]) -> tuple[LinearForm, ...]:
    """Forms that are >= 0 because of what stands in the expressions."""
    nodes = dict.fromkeys(node for each in expressions for node in with_formulas(each))
    return tuple(form for node in nodes for form in range_of(node))


def _counted(unknown: Expression) -> tuple[Expression, ...]:
    """The factors of a product of indices, sizes, and powers of sizes, none of which is negative; else ()."""
    factors = factors_of(unknown)
    below = tuple(factor for factor in factors if _is_reciprocal_size(factor))
    above = tuple(factor for factor in factors if factor not in below)
    counted = counted_factors(multiply(*above)) if above else ()
    return (*counted, *below) if counted or not above else ()


def _is_reciprocal_size(factor: Expression) -> bool:
    return isinstance(factor, Power) and isinstance(factor.base, Size) and is_natural(negate(factor.exponent))


def _product_range(factors: tuple[Expression, ...]) -> Iterator[LinearForm]:
    """g*H >= 0, and (size(g) - 1 - g)*H >= 0; n^2*H >= n*H for n = g, and for n = size(g) - 1 - g."""
    if factors:
        yield related_form(multiply(*factors))
    for place, factor in enumerate(factors):
        if isinstance(factor, Index):
            left = add(Size(factor.axis), MINUS_ONE, multiply(MINUS_ONE, factor))
            yield related_form(Multiply((left, *factors[:place], *factors[place + 1 :])))
        if factor in factors[:place]:
            others = [*factors[:place], *factors[place + 1 :]]
            others.remove(factor)
            for number in (factor, left) if isinstance(factor, Index) else (factor,):
                yield related_form(Multiply((number, add(number, MINUS_ONE), *others)))


def _digit_product_range(unknown: Expression) -> Iterator[LinearForm]:
    """f*H >= 0, and (size(q)/m - 1 - f)*H >= 0 for f = floor(q/m) where m divides the size of q's axis.

    So with mod(q, m), which is one of m places.
    """
    factors = factors_of(unknown)
    for place, factor in enumerate(factors):
        most = _places_of_remainder(factor) or _places_of_floor(factor)
        others = (*factors[:place], *factors[place + 1 :])
        if most is not None and others and _counted(multiply(*others)):
            yield related_form(unknown)
            left = add(most, MINUS_ONE, multiply(MINUS_ONE, factor))
            yield related_form(Multiply((left, *others)))


def _places_of_remainder(node: Expression) -> Expression | None:
    """m of mod(q, m) for whole numbers q and m > 0."""
    match node:
        case Apply("mod", (number, radix)) if is_positive(radix) and is_integer(subtract(number, radix)):
            return related_form(radix).expression()
    return None


def _places_of_floor(node: Expression) -> Expression | None:
    """How many values floor(q/m) has, size(q)/m, where the relation of sizes says that this is whole."""
    if divisor_of_floor(node) is None:
        return None
    above, below = divided(node.children[0])
    if not isinstance(above, Index) or not is_positive(below):
        return None
    places = related_form(multiply(Size(above.axis), power(below, MINUS_ONE))).expression()
    return places if is_natural(places) else None


def _floor_range(node: Apply) -> Iterator[LinearForm]:
    """n*f <= n*x and n*x - (n - 1) <= n*f, where n makes the coefficients of x whole, or is its divisor."""
    own, argument = related_form(node), related_form(node.arguments[0])
    scale = _common_denominator(argument)
    # A quotient by a size is any rational.
    gap = scale - 1 if step_of(argument, of_elements=True) else scale
    yield argument.plus(own, -1).scaled(scale)
    yield own.plus(argument, -1).scaled(scale).plus(constant_form(gap))
    places = _places_of_floor(node)
    if places is not None:
        yield from (own, related_form(add(places, MINUS_ONE)).plus(own, -1))
    found = _divided_by_sizes(node)
    if found is not None:
        above, divisor = found
        left = related_form(subtract(above, multiply(node, divisor)))
        yield left
        yield related_form(add(divisor, MINUS_ONE)).plus(left, -1)
        for unknown in related_form(above).coefficients:
            yield from _product_range(_counted(unknown) if isinstance(unknown, Multiply) else ())
    # What the rationals do not see: a floor between -1/2 and 5/2 lies between 0 and 2.
    lowest, highest = _least(argument), _least(argument.scaled(-1))
    if lowest is not None:
        yield own.plus(constant_form(-floor(lowest)))
    if highest is not None:
        yield constant_form(floor(-highest)).plus(own, -1)


def divisor_of_floor(node: Expression) -> Expression | None:
    """m of floor(x/m) for whole numbers x and m, where m is made of sizes and never less than 1."""
    found = _divided_by_sizes(node)
    return None if found is None else found[1]


def _divided_by_sizes(node: Expression) -> tuple[Expression, Expression] | None:
    """x and m of floor(x/m), as in `divisor_of_floor`; x + m*g and n*m of floor((floor(x/m) + g)/n)."""
    if not (isinstance(node, Apply) and node.function == "floor"):
        return None
    above, below = divided(in_base_sizes(node.arguments[0]))
    form = linear_form(above)
    for unknown in form.coefficients:
        inner = _divided_by_sizes(unknown) if form.coefficient(unknown) == 1 and is_positive(below) else None
        if inner is not None:
            number, divisor = inner
            above = add(number, multiply(divisor, form.without(unknown).expression()))
            below = multiply(below, divisor)
            break
    is_symbolic = not isinstance(below, Number) and is_positive(below)
    return (above, below) if is_symbolic and is_integer(above, above.tensors) else None


def multiplied_by_divisors(case: Case, expressions: Iterable[Expression]) -> Case:
    """The forms, and those with a floor(x/m) multiplied by m too: H*m - floor(x/m)*m > 0 gives x < H*m."""
    return multiplied_by(case, divisors_in(expressions))


def divisors_in(expressions: Iterable[Expression]) -> Mapping[Expression, Expression]:
    """Each floor(x/m) in the expressions, with its m."""
    nodes = {node: divisor_of_floor(node) for each in expressions for node in each.walk()}
    return {in_base_sizes(node): divisor for node, divisor in nodes.items() if divisor is not None}


def multiplied_by(case: Case, divisors: Mapping[Expression, Expression]) -> Case:
    """The forms, and those with one of these multiplied by its divisor too."""
    more = (
        linear_form(multiply(divisor, form.expression()))
        for form in case
        for node, divisor in divisors.items()
        if form.coefficient(node)
    )
    return (*case, *more)


def _least(form: LinearForm) -> Fraction | None:
    """The least value by the ranges of the form's indices and sizes alone; None where that has no bound."""
    least = form.constant
    for unknown, coefficient in form.coefficients.items():
        if coefficient < 0:
            if not isinstance(unknown, Index) or unknown.axis.size is None:
                return None
            least += coefficient * (unknown.axis.size - 1)
        elif not isinstance(unknown, Index | Size):
            return None
    return least


def _common_denominator(form: LinearForm) -> int:
    return lcm(*(value.denominator for value in (*form.coefficients.values(), form.constant)))


def step_of(form: LinearForm, of_elements: bool = False) -> int | None:
    """n where the form is sure to be a multiple of 1/n; None where it may be any number, as an element may.

    With `of_elements`, those count as integers too, as in a position.
    """
    elements = frozenset[str]().union(*(unknown.tensors for unknown in form.coefficients))
    if not all(is_integer(unknown, elements if of_elements else ()) for unknown in form.coefficients):
        return None
    return _common_denominator(form)
