"""Sums over an index that is read in digits, as sums over the digits: without those that deltas give.

A digit of a few places that decides a choice is summed term by term, so that the choice is none:

    sum(k, d[k]*where(mod(floor(k/size(m)), 2) == 0, 1, -1)*delta(mod(k, size(m)), m))

is sum(b, d[2*size(m)*b + m]) - sum(b, d[2*size(m)*b + size(m) + m]).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from itertools import product

from symbackprop.indexing.counting import size_of
from symbackprop.indexing.decisions import decided
from symbackprop.indexing.digit_axes import digits_of_cuts, digits_read
from symbackprop.indexing.digits import in_digits
from symbackprop.indexing.places import affine
from symbackprop.integers.bounds import Knowledge, conjunction, lower_bound
from symbackprop.integers.linear import linear_form
from symbackprop.notation.arithmetic import add, factors_of, is_sum, multiply, subtract
from symbackprop.notation.expressions import (
    ZERO,
    Comparison,
    Delta,
    Element,
    Expression,
    Index,
    Number,
    Reduction,
    Where,
)
from symbackprop.notation.substitution import indices_in, rewrite_bottom_up, substitute

Indices = tuple[Index, ...]
# More terms would be a long text for few places each.
MOST_TERMS = 8
MOST_PLACES = 4


def with_decided_digits(expression: Expression, result: Indices, own: Mapping[str, Indices]) -> Expression:
    """The expression, every sum with a choice by a digit of a few places term by term."""
    if not expression.binds:
        return expression
    avoid = {*result, *indices_in(expression)}
    return rewrite_bottom_up(expression, lambda node: _term_by_term(node, own, avoid) or node)


def _term_by_term(
    node: Expression, own: Mapping[str, Indices], avoid: Collection[Index]
) -> Expression | None:
    if not is_sum(node) or node.body.binds:
        return None
    for index in node.indices:
        digits = digits_of_cuts(node.body, index, own, avoid)
        if len(digits) < 2:
            continue
        indices = tuple(each for old in node.indices for each in (digits if old == index else (old,)))
        counted = contracted(Reduction("sum", indices, in_digits(node.body, index, digits)))
        found = _decided_by(counted, digits) if is_sum(counted) else None
        if found is not None:
            return found
    return None


def _decided_by(counted: Reduction, digits: Indices) -> Expression | None:
    """The sum term by term, a term for each place of the digits that decide a choice; None without such."""
    body = counted.body
    short = [
        each for each in digits if each in counted.indices and _is_short(each) and _is_a_number(body, each)
    ]
    if not short or math.prod(digit.axis.size or 0 for digit in short) > MOST_TERMS:
        return None
    rest = tuple(each for each in counted.indices if each not in short)
    places = product(*(map(Number, range(digit.axis.size or 0)) for digit in short))
    bodies = [decided(substitute(body, dict(zip(short, at, strict=True)))) for at in places]
    if any(_is_in_digits(each, digits) for each in bodies):
        return None
    return add(
        *(contracted(Reduction("sum", rest, each) if rest else each) for each in bodies if each != ZERO)
    )


def _is_short(digit: Index) -> bool:
    return 1 < (digit.axis.size or 0) <= MOST_PLACES


def _is_a_number(node: Expression, digit: Index) -> bool:
    """Whether the index stands in an expression for a number, as in a condition; not for a place alone."""
    if node == digit:
        return True
    return not isinstance(node, Element) and any(_is_a_number(child, digit) for child in node.children)


def _is_in_digits(body: Expression, digits: Indices) -> bool:
    """Whether digits of an index are still read in parts."""
    from_parts = (node for node in body.walk() if getattr(node, "function", None) in ("floor", "mod"))
    return any(not node.free_indices.isdisjoint(digits) for node in from_parts)


def contracted(node: Expression) -> Expression:
    """The sum without the indices that deltas give: sum(b, delta(2*b, 2*r)*f[b]) is f[r]."""
    if not is_sum(node):
        return node
    indices, body = list(node.indices), node.body
    for index in node.indices:
        body, is_given = at_given(body, index, indices, guarded=True)
        if is_given:
            indices.remove(index)
    if body is node.body:
        return node
    return Reduction("sum", tuple(indices), body) if indices else body


def with_summed_digits(reduction: Reduction, order: Indices, own: Mapping[str, Indices]) -> Reduction | None:
    """The sum over the digits of each index that is read in digits; None where none is.

    A digit that a delta gives is no index: sum(c, delta(floor(c/3), g)*f[c]) is sum(q, f[3*g + q]).
    """
    indices, body = list(reduction.indices), reduction.body
    for index in reduction.indices:
        avoid = {*order, *indices, *(node for node in body.walk() if isinstance(node, Index))}
        digits = digits_read(body, index, own, avoid)
        if digits:
            place = indices.index(index)
            indices[place : place + 1] = digits
            body = in_digits(body, index, digits)
    if body is reduction.body:
        return None
    for digit in [index for index in indices if index not in reduction.indices]:
        body, is_given = at_given(body, digit, indices)
        if is_given:
            indices.remove(digit)
    return Reduction("sum", tuple(indices), body)


def at_given(
    body: Expression, digit: Index, bound: Sequence[Index], guarded: bool = False
) -> tuple[Expression, bool]:
    """The body where a delta says what a digit is, and whether one does.

    What it says is proved to be a place of the digit's axis, or `guarded`: elsewhere the body is 0.
    """
    factors = factors_of(body)
    for place, factor in enumerate(factors):
        value = _other_side(factor, digit)
        if value is None or value.free_indices & set(bound):
            continue
        rest = substitute(multiply(*factors[:place], *factors[place + 1 :]), {digit: value})
        bounds = lower_bound(value), Comparison("<", value, size_of(digit.axis))
        if all(map(Knowledge.of((value, size_of(digit.axis)), ()).proves, bounds)):
            return rest, True
        if guarded and not rest.binds and affine(value) is not None:
            return Where(conjunction(bounds), rest, ZERO), True
    return body, False


def _other_side(factor: Expression, index: Index) -> Expression | None:
    """What a delta says that an index is."""
    if not isinstance(factor, Delta) or factor.tensors:
        return None
    difference = linear_form(subtract(factor.left, factor.right))
    if abs(difference.coefficient(index)) != 1:
        return None
    value = difference.without(index).scaled(-difference.coefficient(index)).expression()
    return None if index in value.free_indices else value
