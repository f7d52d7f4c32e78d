"""Choices by the remainder of an index of the result, a case for each: slices with a step, no masks.

    x[n,e] = where(mod(e + 1, 2) == 1, d[n,e + 1]*s[floor((e + 1)/2)], -d[n,e - 1]*s[floor((e - 1)/2)])

is d[n,2*i + 1]*s[i] at e = 2*i and -d[n,2*i]*s[i] at e = 2*i + 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

from symbackprop.indexing.counting import block_axis, size_of
from symbackprop.indexing.decisions import decided, decided_node
from symbackprop.indexing.digit_axes import digits_read
from symbackprop.indexing.digit_sums import contracted
from symbackprop.integers.base_sizes import related_form
from symbackprop.integers.linear import constant_form, floor_quotient, linear_form
from symbackprop.integers.mixed_radix import by_radix, single_digit
from symbackprop.notation.arithmetic import add, multiply, subtract
from symbackprop.notation.expressions import (
    Apply,
    Axis,
    Comparison,
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
        if not any(_is_read_in_digits(case, own) for case in cases):
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
    places = high.plus(linear_form(decided_node(floor_quotient(rest, Number(divisor))))).expression()
    axis = _axis(index, places, expression, own)
    quotient = fresh_index(Index(axis.label, axis), {*indices_in(expression), index})
    at = substitute(expression, {index: add(multiply(Number(divisor), quotient), Number(offset))})
    return Residue(index, divisor, offset, quotient, rewrite_bottom_up(decided(at), contracted))


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


def _is_read_in_digits(case: Residue, own: Mapping[str, Indices]) -> bool:
    """Whether parts of the quotient are still read that are no digits: the remainder has not decided them."""
    digits = [
        node
        for node in case.expression.walk()
        if isinstance(node, Apply) and node.function in ("floor", "mod")
    ]
    if not any(case.quotient in node.free_indices for node in digits):
        return False
    return not digits_read(case.expression, case.quotient, own, set(indices_in(case.expression)))
