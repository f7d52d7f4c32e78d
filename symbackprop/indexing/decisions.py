"""Digits, deltas, comparisons and choices that the place decides where digits of an index are known."""

from __future__ import annotations

import math
from fractions import Fraction

from symbackprop.indexing.windows import simplified
from symbackprop.integers.bounds import Knowledge, conjunction, conjuncts
from symbackprop.integers.linear import linear_form
from symbackprop.integers.mixed_radix import decided_digit, single_digit, without_multiples
from symbackprop.integers.recognition import is_integer
from symbackprop.notation.arithmetic import is_sum, normalised, subtract
from symbackprop.notation.expressions import (
    ZERO,
    Apply,
    Comparison,
    ComparisonOperator,
    Delta,
    Expression,
    Index,
    Number,
    Where,
)
from symbackprop.notation.substitution import rewrite_bottom_up


def decided(expression: Expression) -> Expression:
    """The expression with the digits, deltas and conditions decided that the place decides."""
    return rewrite_bottom_up(simplified(rewrite_bottom_up(expression, decided_node)), _without_zeros)


def _without_zeros(node: Expression) -> Expression:
    return ZERO if is_sum(node) and node.body == ZERO else normalised(node)


def decided_node(node: Expression) -> Expression:
    """The node as its place decides it, where its parts are decided already."""
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
    return _without_zeros(node)


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
