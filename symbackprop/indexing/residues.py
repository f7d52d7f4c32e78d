"""Choices by the remainder of an index of the result, a case for each: slices with a step, no masks.

    x[n,e] = where(mod(e + 1, 2) == 1, d[n,e + 1]*s[floor((e + 1)/2)], -d[n,e - 1]*s[floor((e - 1)/2)])

is d[n,2*i + 1]*s[i] at e = 2*i and -d[n,2*i]*s[i] at e = 2*i + 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import TypeAlias

from symbackprop.indexing.counting import block_axis, size_of
from symbackprop.indexing.windows import simplified
from symbackprop.integers.base_sizes import related_form
from symbackprop.integers.bounds import Knowledge, conjunction, conjuncts
from symbackprop.integers.linear import constant_form, floor_quotient, linear_form
from symbackprop.integers.mixed_radix import by_radix, decided_digit, single_digit, without_multiples
from symbackprop.integers.recognition import is_integer
from symbackprop.notation.arithmetic import add, multiply, normalised, subtract
from symbackprop.notation.expressions import (
    ZERO,
    Apply,
    Axis,
    Comparison,
    ComparisonOperator,
    Delta,
    Element,
    Expression,
    Index,
    Number,
    Reduction,
    Where,
)
from symbackprop.notation.substitution import fresh_index, indices_in, rewrite_bottom_up, substitute

Indices: TypeAlias = tuple[Index, ...]
# A larger divisor would make many cases of few places each.
LARGEST_DIVISOR = 4
MOST_TERMS = 8


@dataclass(frozen=True)
class Residue:
    """The places divisor*quotient + offset of an index, and the expression there."""

    index: Index
    divisor: int
    offset: int
    quotient: Index
    expression: Expression


def residues_of(expression: Expression, result: Indices, own: Mapping[str, Indices]) -> tuple[Residue, ...]:
    """The cases of an index whose remainder decides a choice; () where none is decided by it alone."""
    for index, divisor in _chosen_by(expression, result):
        opened = _opened(expression, index)
        cases = tuple([_case(opened, index, divisor, offset, own) for offset in range(divisor)])
        if not any(_is_read_in_digits(case) for case in cases):
            return cases
    return ()


def _chosen_by(expression: Expression, result: Indices) -> Iterator[tuple[Index, int]]:
    """The indices of the result whose remainders by small numbers conditions and deltas compare."""
    found: dict[tuple[Index, int], None] = {}
    for node in expression.walk():
        if isinstance(node, Where):
            for part in _comparisons(node.condition):
                for side in part.walk():
                    match side:
                        case Apply("mod", (number, Number(divisor))) if not side.tensors:
                            found |= dict.fromkeys(_moving(number, int(divisor), result))
        elif isinstance(node, Delta) and not node.tensors:
            difference = linear_form(subtract(node.left, node.right))
            for index in result:
                rest = difference.without(index)
                common = math.gcd(*(each.numerator for each in rest.coefficients.values()))
                if abs(difference.coefficient(index)) == 1 and common > 1:
                    found |= dict.fromkeys(_moving(index, common, result))
    yield from found


def _comparisons(condition: Expression) -> Iterator[Comparison]:
    """The comparisons of positions; those with the place of a maximum are read by loops over remainders."""
    return (node for node in condition.walk() if isinstance(node, Comparison) and not node.tensors)


def _moving(number: Expression, divisor: int, result: Indices) -> list[tuple[Index, int]]:
    form = linear_form(number)
    if not 1 < divisor <= LARGEST_DIVISOR:
        return []
    return [(index, divisor) for index in result if form.coefficient(index) % divisor]


def _opened(expression: Expression, index: Index) -> Expression:
    """The expression, sums over a few places term by term where these decide what the remainder does."""

    def opened(node: Expression) -> Expression:
        if not isinstance(node, Reduction) or node.kind != "sum":
            return node
        bound = [each for each in node.indices if _shares_remainder(node.body, index, each)]
        sizes = [each.axis.size for each in bound]
        if not bound or None in sizes or math.prod(filter(None, sizes)) > MOST_TERMS:
            return node
        rest = tuple(each for each in node.indices if each not in bound)
        terms = []
        for places in product(*(range(size or 0) for size in sizes)):
            at = substitute(node.body, dict(zip(bound, map(Number, places), strict=True)))
            terms.append(Reduction("sum", rest, at) if rest else at)
        return add(*terms)

    return rewrite_bottom_up(expression, opened)


def _shares_remainder(body: Expression, index: Index, other: Index) -> bool:
    return any(
        isinstance(node, Apply) and node.function == "mod" and {index, other} <= node.free_indices
        for node in body.walk()
    )


def _case(
    expression: Expression, index: Index, divisor: int, offset: int, own: Mapping[str, Indices]
) -> Residue:
    high, low = by_radix(size_of(index.axis), Number(divisor))
    rest = low.plus(constant_form(divisor - 1 - offset)).expression()
    places = high.plus(linear_form(_decided_node(floor_quotient(rest, Number(divisor))))).expression()
    axis = _axis(index, places, expression, own)
    quotient = fresh_index(Index(axis.label, axis), {*indices_in(expression), index})
    at = substitute(expression, {index: add(multiply(Number(divisor), quotient), Number(offset))})
    return Residue(index, divisor, offset, quotient, _decided(at))


def _axis(index: Index, length: Expression, expression: Expression, own: Mapping[str, Indices]) -> Axis:
    """An axis of that many places: one that is read, or one of its own."""
    read = (each.axis for node in expression.walk() if isinstance(node, Element) for each in own[node.tensor])
    for axis in read:
        if related_form(size_of(axis)) == related_form(length):
            return axis
    return block_axis(index.axis, length)


def with_whole_indices(expression: Expression) -> Expression:
    """The expression with i for mod(i, size(i)): the index is no part of itself."""

    def whole(node: Expression) -> Expression:
        match node:
            case Apply("mod", (Index(), _)):
                return single_digit(node) or node
        return node

    is_read = any(isinstance(node, Apply) and node.function == "mod" for node in expression.walk())
    return rewrite_bottom_up(expression, whole) if is_read else expression


def _decided(expression: Expression) -> Expression:
    """The expression with the digits, deltas and conditions decided that the place decides."""
    return simplified(rewrite_bottom_up(expression, _decided_node))


def _decided_node(node: Expression) -> Expression:
    match node:
        case Apply("mod" | "floor"):
            found = decided_digit(node) or single_digit(node) or without_multiples(node)
            return _number_of(found)
        case Delta(left, right):
            return _coprime(node, left, right)
        case Comparison(operator, left, right) if not node.tensors:
            return _in_lowest_terms(operator, left, right) or node
        case Where(condition, chosen, otherwise):
            if chosen == otherwise:
                return chosen
            truths = {part: _truth(part) for part in conjuncts(condition)}
            if False in truths.values():
                return otherwise
            parts = [part for part, truth in truths.items() if truth is None]
            return Where(conjunction(parts), chosen, otherwise) if parts else chosen
        case Reduction("sum", _, body) if body == ZERO:
            return ZERO
    return normalised(node)


def _in_lowest_terms(operator: ComparisonOperator, left: Expression, right: Expression) -> Comparison | None:
    """i < size(a) for 2*i < 2*size(a)."""
    forms = linear_form(left), linear_form(right)
    values = [value for form in forms for value in (*form.coefficients.values(), form.constant)]
    if any(value.denominator > 1 for value in values):
        return None
    common = math.gcd(*(value.numerator for value in values))
    if common < 2:
        return None
    return Comparison(operator, *(form.scaled(Fraction(1, common)).expression() for form in forms))


def _truth(part: Expression) -> bool | None:
    """Whether a comparison holds everywhere, or nowhere; None where that depends."""
    if not isinstance(part, Comparison) or part.tensors:
        return None
    if Knowledge.of((), (part,)).is_contradictory:
        return False
    return True if Knowledge.of((part,), ()).proves(part) else None


def _is_read_in_digits(case: Residue) -> bool:
    """Whether a part of the quotient is still read: the remainder has not decided it."""
    digits = (
        node
        for node in case.expression.walk()
        if isinstance(node, Apply) and node.function in ("floor", "mod")
    )
    return any(case.quotient in node.free_indices for node in digits)


def _number_of(node: Expression) -> Expression:
    match node:
        case Apply("mod", (Number(value), Number(divisor))) if divisor > 0:
            return Number(value % divisor)
        case Apply("floor", (Number(value),)):
            return Number(math.floor(value))
        case Apply("floor", (argument,)) if is_integer(argument):
            return argument
    return node


def _coprime(node: Expression, left: Expression, right: Expression) -> Expression:
    """delta(i, q) for delta(2*i, 2*q), and 0 for delta(2*i + 1, 2*q)."""
    difference = linear_form(subtract(left, right))
    values = list(difference.coefficients.values())
    if node.tensors or not values or any(value.denominator > 1 for value in values):
        return node
    if not all(is_integer(unknown) for unknown in difference.coefficients):
        return node
    common = math.gcd(*(value.numerator for value in values))
    if common == 1:
        return node
    if difference.constant % common:
        return ZERO
    parts = difference.scaled(Fraction(1, common))
    plain = [
        each for each in parts.coefficients if isinstance(each, Index) and abs(parts.coefficient(each)) == 1
    ]
    if not plain:
        return node
    index = plain[-1]
    rest = parts.without(index).scaled(-parts.coefficient(index))
    return Delta(rest.expression(), index)
