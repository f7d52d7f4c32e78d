"""An axis as several, its digits': h, r of i = size(r)*h + r, which an expression or a position speaks of.

What reads floor(i/size(r)) and mod(i, size(r)) is over h and r, and i's axis is one of a reshaped array. So
is the axis that a position size(r)*h + r counts through, where each part is proved to lie below its radix.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, pairwise

from symbackprop.indexing.counting import block_axis, size_of
from symbackprop.indexing.digits import in_digits
from symbackprop.integers.base_sizes import related_form, with_formulas
from symbackprop.integers.bounds import Knowledge, lower_bound
from symbackprop.integers.linear import linear_form
from symbackprop.integers.mixed_radix import Digit, by_radix, digit_of
from symbackprop.integers.recognition import is_integer
from symbackprop.notation.arithmetic import factors_of, multiply, power
from symbackprop.notation.expressions import (
    MINUS_ONE,
    ONE,
    Apply,
    Axis,
    Comparison,
    Element,
    Expression,
    Index,
    Number,
    Size,
)
from symbackprop.notation.substitution import fresh_index, indices_in

Indices = tuple[Index, ...]


def digits_read(
    expression: Expression, index: Index, own: Mapping[str, Indices], avoid: Collection[Index]
) -> Indices:
    """The digits of an index, the highest first, that are all that an expression reads of it in parts.

    () where it reads none, or where the sizes do not multiply to that of the index' axis.
    """
    digits = digits_of_cuts(expression, index, own, avoid)
    if len(digits) < 2:
        return ()
    counted = in_digits(expression, index, digits)
    parts = (node for node in counted.walk() if isinstance(node, Apply) and node.function in ("floor", "mod"))
    return () if any(not part.free_indices.isdisjoint(digits) for part in parts) else digits


def digits_of_cuts(
    expression: Expression, index: Index, own: Mapping[str, Indices], avoid: Collection[Index]
) -> Indices:
    """The digits of an index between all its cuts in an expression; () where they do not fill its axis."""
    cuts = _cuts(expression, index)
    radices = _radices(cuts, _size(index.axis)) if cuts else ()
    units = accumulate((ONE, *radices[:-1]), multiply)
    digits: list[Index] = []
    for place in reversed(list(zip(units, radices, strict=False))):
        axis = _axis_of_digit(expression, index, place, own)
        digits.append(fresh_index(Index(index.name, axis), {*avoid, index, *digits}))
    return tuple(digits)


def cut_at(
    expression: Expression, index: Index, unit: Expression, own: Mapping[str, Indices]
) -> tuple[Index, Index] | None:
    """g and q of i = unit*g + q, over axes of their own; None where the unit does not divide i's axis."""
    high = quotient_of_sizes(_size(index.axis), unit)
    if high is None:
        return None
    avoid = {index, *indices_in(expression)}
    axes = [_axis_of_digit(expression, index, place, own) for place in ((unit, high), (ONE, unit))]
    above = fresh_index(Index(index.name, axes[0]), avoid)
    return above, fresh_index(Index(index.name, axes[1]), {*avoid, above})


def position_in_digits(position: Expression, axis: Axis) -> tuple[tuple[Axis, Expression], ...]:
    """The digits of a position, the highest first, each with an axis of its own; () where it has no two."""
    found: list[tuple[Axis, Expression]] = []
    rest, length = linear_form(position).expression(), _size(axis)
    while (parts := _lowest_digit(rest, length)) is not None:
        rest, low, radix = parts
        divided = quotient_of_sizes(length, radix)
        if divided is None:
            return ()
        found.insert(0, (_axis_below(low, radix, axis), low))
        length = divided
    if not found or not lies_below(rest, length):
        return ()
    return ((_axis_below(rest, length, axis), rest), *found)


def quotient_of_sizes(number: Expression, divisor: Expression) -> Expression | None:
    """The quotient of products of whole numbers and sizes, where it is one too."""
    quotient = multiply(number, power(divisor, MINUS_ONE))
    return quotient if is_integer(quotient) else None


def _size(axis: Axis) -> Expression:
    return related_form(size_of(axis)).expression()


def _cuts(expression: Expression, index: Index) -> list[Expression]:
    """The units of the digits of an index that are read, and those of the digits above them."""
    found: dict[Expression, None] = {}
    for node in expression.walk():
        for digit in _digits_in(node, index) if isinstance(node, Apply) else ():
            above = () if digit.radix is None else (multiply(digit.unit, digit.radix),)
            found |= dict.fromkeys(related_form(unit).expression() for unit in (digit.unit, *above))
    return [unit for unit in found if unit != ONE and unit != _size(index.axis)]


def _digits_in(node: Apply, index: Index) -> Iterator[Digit]:
    """The digit of an index that a node is, or those that it is made of: mod(floor(i/m) - 1, 2)."""
    digit = digit_of(node)
    if digit is None or index not in digit.base.free_indices:
        return
    if digit.base == index:
        yield digit
        return
    for unknown in linear_form(digit.base).coefficients:
        inner = digit_of(unknown)
        if inner is not None and inner.base == index and inner.radix is None:
            yield Digit(index, multiply(inner.unit, digit.unit), digit.radix)


def _radices(cuts: Iterable[Expression], length: Expression) -> tuple[Expression, ...]:
    """How many places each digit has, the lowest first; () where one unit does not divide the next."""
    units: list[Expression] = []
    for cut in cuts:
        below = sum(quotient_of_sizes(cut, unit) is not None for unit in units)
        units.insert(below, cut)
    radices = [quotient_of_sizes(high, low) for low, high in pairwise((ONE, *units, length))]
    return tuple(radix for radix in radices if radix is not None) if None not in radices else ()


def _axis_of_digit(
    expression: Expression,
    index: Index,
    place: tuple[Expression, Expression],
    own: Mapping[str, Indices],
) -> Axis:
    """An axis of that many places: what the digit is a position of, another that is spoken of, or its own."""
    unit, radix = place
    read = [axis for axis, each in _direct(expression, index, own) if _is_same(each, unit)]
    nodes = (node for each in (expression, index) for node in with_formulas(each))
    told = [node.axis for node in nodes if isinstance(node, Size)] if related_form(radix).coefficients else []
    for axis in (*read, *told):
        if _is_same(size_of(axis), radix):
            return axis
    return block_axis(index.axis, radix)


def _direct(
    expression: Expression, index: Index, own: Mapping[str, Indices]
) -> Iterator[tuple[Axis, Expression]]:
    """The axes of which digits of an index are positions, and the digits' units."""
    for element in (node for node in expression.walk() if isinstance(node, Element)):
        for position, axis in zip(element.positions, own[element.tensor], strict=True):
            digit = digit_of(position)
            if digit is not None and digit.base == index:
                yield axis.axis, digit.unit


def _is_same(one: Expression, other: Expression) -> bool:
    return related_form(one) == related_form(other)


def _lowest_digit(number: Expression, length: Expression) -> tuple[Expression, Expression, Expression] | None:
    """(g, q, m) of a number m*g + q with 0 <= q < m, for the least m by which a part of it is multiplied."""
    form = linear_form(number)
    units = dict.fromkeys(
        _unit(multiply(Number(factor), unknown)) for unknown, factor in form.coefficients.items()
    )
    if form.constant:
        units[Number(abs(form.constant))] = None
    for radix in _least_first([unit for unit in units if unit != ONE and not _is_same(unit, length)]):
        high, low = by_radix(number, radix)
        if lies_below(low.expression(), radix):
            return high.expression(), low.expression(), radix
    return None


def _unit(term: Expression) -> Expression:
    """What a term's indices are multiplied by: 2*size(m) of 2*size(m)*b."""
    factors = (factor for factor in factors_of(term) if not factor.free_indices)
    return multiply(*(Number(abs(each.value)) if isinstance(each, Number) else each for each in factors))


def _least_first(units: Sequence[Expression]) -> list[Expression]:
    return sorted(units, key=lambda unit: sum(quotient_of_sizes(unit, other) is not None for other in units))


def lies_below(number: Expression, length: Expression) -> bool:
    """Whether an integer is proved to be a place of an axis that long."""
    known = Knowledge.of((number, length), ())
    return known.proves(lower_bound(number)) and known.proves(Comparison("<", number, length))


def _axis_below(digit: Expression, radix: Expression, axis: Axis) -> Axis:
    """The digit's own axis where it is an index through all of it."""
    if isinstance(digit, Index) and _is_same(size_of(digit.axis), radix):
        return digit.axis
    return block_axis(axis, radix)
