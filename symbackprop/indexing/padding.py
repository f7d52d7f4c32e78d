"""Choices that keep positions inside an axis, as elements that are 0 outside it."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import floor, gcd, lcm

from symbackprop.indexing.counting import is_counted
from symbackprop.indexing.places import affine, window_of
from symbackprop.integers.bounds import conjunction, conjuncts, lower_bound, unproved_bounds, upper_bound
from symbackprop.integers.linear import LinearForm, constant_form, linear_form
from symbackprop.notation.arithmetic import factors_of, multiply, subtract
from symbackprop.notation.expressions import (
    ZERO,
    Comparison,
    Element,
    Expression,
    Index,
    Size,
    Where,
)
from symbackprop.notation.matrix_functions import tensor_read
from symbackprop.notation.substitution import rewrite_bottom_up
from symbackprop.systems.partial import Ranges


def form_key(position: Expression) -> object:
    """What positions have in common that are equal as linear forms."""
    form = linear_form(position)
    return frozenset(form.coefficients.items()), form.constant


def not_negative(condition: Expression) -> Expression | None:
    """f where the condition says f >= 0 of integers; None for other conditions.

    Ratios are compared as integers are: i > 3/2 is 2*i - 3 > 0, which says i - 2 >= 0.
    """
    match condition:
        case Comparison(">=" | ">", left, right) | Comparison("<=" | "<", right, left):
            form = linear_form(subtract(left, right))
            scale = lcm(*(value.denominator for value in (*form.coefficients.values(), form.constant)))
            least = form.scaled(scale).plus(constant_form(-1 if condition.operator in ("<", ">") else 0))
            if scale == 1:
                return least.expression()
            common = gcd(*(value.numerator for value in least.coefficients.values())) or 1
            start = LinearForm(least.coefficients).scaled(Fraction(1, common))
            return start.plus(constant_form(floor(least.constant / common))).expression()
    return None


def with_padded_reads(
    expression: Expression, own: Mapping[str, tuple[Index, ...]], ranges: Ranges
) -> Expression:
    """where(p inside x and c, f*x[p], 0) as where(c, f*pad(x[p]), 0), for an f that is finite everywhere.

    `own` are the indices of the tensors that are read, `ranges` what is known of their values.
    """
    return rewrite_bottom_up(expression, lambda node: _pads_factors(node, own, ranges))


def _pads_factors(node: Expression, own: Mapping[str, tuple[Index, ...]], ranges: Ranges) -> Expression:
    if not (isinstance(node, Where) and node.otherwise == ZERO) or isinstance(node.chosen, Element):
        return node
    parts, factors = conjuncts(node.condition), factors_of(node.chosen)
    if is_counted(node.condition):
        return node
    others = [each for each in factors if not all(_is_kept_by(part, each) for part in parts)]
    if any(map(ranges.needs_its_mask, others)):
        return node
    moved = [part for part in parts if all(_takes(factor, part, own) for factor in factors)]
    padded = []
    for factor in factors:
        bounds = [part for part in moved if isinstance(factor, Element) and _keeps_inside(part, factor)]
        padded.append(Where(conjunction(bounds), factor, ZERO) if bounds else factor)
    used = {part for part in moved if any(_is_kept_by(part, factor) for factor in factors)}
    product = multiply(*padded) if len(padded) > 1 else padded[0]
    left = [part for part in parts if part not in used]
    return Where(conjunction(left), product, ZERO) if left else product


def _is_kept_by(condition: Expression, factor: Expression) -> bool:
    return isinstance(factor, Element) and _keeps_inside(condition, factor)


def _takes(factor: Expression, condition: Expression, own: Mapping[str, tuple[Index, ...]]) -> bool:
    """Whether a factor takes the condition over, or reads nothing that the condition may keep inside.

    An index lies inside its own axis, and not so inside another's: x[i] for an x[j].
    """
    if _is_kept_by(condition, factor):
        return True
    names = {node for node in condition.walk() if isinstance(node, Index)}
    positions = (
        position
        for node in factor.walk()
        if (tensor := tensor_read(node)) is not None
        for position, index in zip(node.children, own[tensor], strict=False)  # a determinant has no row
        if not (isinstance(position, Index) and position.axis == index.axis)
    )
    return not any(names & set(position.walk()) for position in positions)


def _keeps_inside(condition: Expression, element: Element) -> bool:
    """Whether a condition is a bound of one of the element's positions."""
    bound = not_negative(condition)
    if bound is None:
        return False
    for position in element.positions:
        if isinstance(position, Index):
            continue
        if form_key(bound) == form_key(position):
            return True
        match condition:
            case Comparison("<", side, Size()) | Comparison(">", Size(), side):
                if form_key(side) == form_key(position):
                    return True
    return False


def is_padding(
    condition: Expression, element: Element, own: tuple[Index, ...], certain: tuple[Expression, ...]
) -> bool:
    """Whether a condition says exactly where an element lies inside its axes, so that a padded view reads it.

    `own` are the tensor's own indices, `certain` the conditions that hold whenever the code runs.
    """
    said = {not_negative(part) for part in conjuncts(condition)}
    possible: set[Expression | None] = set()
    needed: set[Expression | None] = set()
    for position, index in zip(element.positions, own, strict=True):
        unproved = unproved_bounds(position, index.axis, certain)
        found = affine(position)
        if unproved and (found is None or len(found.factors) > 1 + (window_of(found) is not None)):
            return False
        bounds = (lower_bound(position), upper_bound(position, index.axis))
        possible |= set(map(not_negative, bounds))
        needed |= set(map(not_negative, unproved))
    return needed <= said <= possible and None not in said
