"""Indices in whose mixed radix another one counts: h and e of an o over H*E places, o = h*size(e) + e."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import permutations

from symbackprop.indexing.counting import size_of
from symbackprop.integers.base_sizes import related_form
from symbackprop.integers.linear import floor_quotient
from symbackprop.integers.mixed_radix import compared_by_radix, decided_digit, single_digit
from symbackprop.notation.arithmetic import add, factors_of, multiply, normalised
from symbackprop.notation.expressions import ONE, ZERO, Apply, Axis, Comparison, Expression, Index, Size
from symbackprop.notation.substitution import fresh_index, rewrite_bottom_up, substitute


def number_of(digits: Sequence[Index]) -> Expression:
    """The number that has these digits, the lowest last."""
    number: Expression = ZERO
    for digit in digits:
        number = add(multiply(number, size_of(digit.axis)), digit)
    return number


def digits_of(number: Expression, digits: Sequence[Index]) -> Iterator[Expression]:
    """What each digit of a number is: floor(o/size(e)) and mod(o, size(e)) of h and e."""
    for place, digit in enumerate(digits):
        unit = multiply(*(Size(lower.axis) for lower in digits[place + 1 :]))
        above = number if unit == ONE else floor_quotient(number, unit)
        yield Apply("mod", (above, Size(digit.axis))) if place else above


def in_digits(expression: Expression, index: Index, digits: Sequence[Index]) -> Expression:
    """The expression with the number of these digits for an index; digits and comparisons of it decided."""
    counted = substitute(expression, {index: number_of(digits)})
    units = [multiply(*(Size(lower.axis) for lower in digits[place:])) for place in range(1, len(digits))]

    def change(node: Expression) -> Expression:
        if isinstance(node, Comparison) and not node.tensors and node.free_indices & {*digits}:
            return next(filter(None, (compared_by_radix(node, unit) for unit in units)), node)
        return normalised(decided_digit(node) or single_digit(node) or node)

    return rewrite_bottom_up(counted, change)


def digits_counted(
    expression: Expression, index: Index, length: Expression, split: Axis, avoid: Collection[Index]
) -> tuple[Index, ...] | None:
    """Digits of an index over so many places that an expression reads and no others; None without such.

    Their sizes multiply to the length: an axis for each factor of it, or those of the relation of `split`.
    """
    factors = _factors(length) or _related(split, length)
    for axes in permutations(factors) if factors else ():
        digits: list[Index] = []
        for axis in axes:
            digits.append(fresh_index(Index(axis.label, axis), {*avoid, *digits}))
        counted = in_digits(expression, index, digits)
        if not any(_is_digit(node) and not node.free_indices.isdisjoint(digits) for node in counted.walk()):
            return tuple(digits)
    return None


def _factors(length: Expression) -> tuple[Axis, ...]:
    """The axes whose sizes multiply to a length, two at least; none where it is another expression."""
    form = related_form(length)
    if form.constant or list(form.coefficients.values()) != [1]:
        return ()
    axes = [factor.axis for factor in factors_of(form.expression()) if isinstance(factor, Size)]
    return tuple(axes) if len(axes) == len(factors_of(form.expression())) > 1 else ()


def _related(axis: Axis, length: Expression) -> tuple[Axis, ...]:
    """The axes whose declared sizes the relation of an axis multiplies to a length."""
    nodes = () if axis.formula is None else axis.formula.walk()
    axes = [node.axis for node in nodes if isinstance(node, Size)]
    product = related_form(multiply(*map(Size, axes)))
    return tuple(axes) if len(axes) > 1 and product == related_form(length) else ()


def _is_digit(node: Expression) -> bool:
    return isinstance(node, Apply) and node.function in ("floor", "mod")
