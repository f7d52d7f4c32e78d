"""An expression written as a person would: signs, differences and reciprocals where one expects them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from symbackprop.algebra.scalar_algebra import positive_first
from symbackprop.integers.guards import readable
from symbackprop.notation.arithmetic import (
    add,
    coefficient_and_rest,
    factors_of,
    multiply,
    negate,
    reciprocals_last,
    terms_of,
)
from symbackprop.notation.expressions import MINUS_ONE, Add, Expression, Multiply, Number, Reduction, Where
from symbackprop.notation.substitution import rewrite_values
from symbackprop.rewriting.measure_context import MeasureContext
from symbackprop.rewriting.rule import WholeRule
from symbackprop.systems.printing import text


def tidied(expression: Expression) -> Expression:
    """Write it as a person would: 1 - z, z*(1 - z) for -z*(z - 1), g/s*(..) for 1/s*g*(..)."""
    return rewrite_values(expression, _tidy)


def _tidy(node: Expression) -> Expression:
    if isinstance(node, Add):
        return add(*positive_first(list(terms_of(add(*map(_without_parentheses, node.terms))))))
    if isinstance(node, Multiply):
        return reciprocals_last(_sign_inside(_turned_differences(_number_outside(node))))
    return readable(node) if isinstance(node, Where) else node


def _arranged(node: Expression) -> Expression | None:
    after = tidied(node)
    return None if text(after) == text(node) else after


def untidy_nodes(expression: Expression, _context: MeasureContext) -> int:
    """How many sums, products and `where`s a person would write with signs and reciprocals elsewhere."""
    found: list[Expression] = []

    def look(node: Expression) -> Expression:
        found.extend([node] if text(_tidy(node)) != text(node) else [])
        return node

    rewrite_values(expression, look)
    return len(found)


UNTIDY = "untidy nodes"
ARRANGE = WholeRule(
    "arrange",
    "-(x - y) = y - x, x*y = y*x",
    _arranged,
    UNTIDY,
    example="-(x[i] - c)*y[j]",
    near_miss="(c - x[i])*y[j]",
)


def _is_difference(node: Add) -> bool:
    return any(coefficient_and_rest(term)[0] < 0 for term in node.terms)


def _is_number_less_something(node: Add) -> bool:
    """1 - z is already as a person writes it, z - 1 is not."""
    return any(isinstance(term, Number) and term.value > 0 for term in node.terms)


def _without_parentheses(term: Expression) -> Expression:
    """-x - y for -(x + y), where it is added to something."""
    number, rest = coefficient_and_rest(term)
    is_sum = len(rest) == 1 and isinstance(rest[0], Add)
    return add(*map(negate, terms_of(rest[0]))) if number == -1 and is_sum else term


def _number_outside(node: Expression) -> Expression:
    """-c*(x + y) for c*(-x - y), 1/2*c*(1 - x) for c*(1/2 - 1/2*x)."""
    numbers = [_common_number(factor) for factor in factors_of(node)]
    if all(number == 1 for number in numbers):
        return node
    pairs = zip(factors_of(node), numbers, strict=True)
    return multiply(*(multiply(Number(number), _divided(factor, number)) for factor, number in pairs))


def _common_number(factor: Expression) -> Fraction:
    """A fraction below 1 that all terms of a sum are multiplied by; negative where all of them are."""
    if not isinstance(factor, Add):
        return Fraction(1)
    numbers = {coefficient_and_rest(term)[0] for term in factor.terms}
    sizes = {abs(number) for number in numbers}
    size = min(sizes) if len(sizes) == 1 and max(sizes) < 1 else Fraction(1)
    return -size if all(number < 0 for number in numbers) else size


def _divided(factor: Expression, number: Fraction) -> Expression:
    if number == 1:
        return factor
    return add(*(multiply(Number(1 / number), term) for term in terms_of(factor)))


def _turned_differences(node: Expression) -> Expression:
    """(x - y)*(1 - z^2) for (y - x)*(z^2 - 1), and (1 - y)*(1 - z) for (y - 1)*(z - 1)."""
    factors = list(factors_of(node))
    less_number = [place for place, factor in enumerate(factors) if is_something_less_number(factor)]
    others = [
        place
        for place, factor in enumerate(factors)
        if isinstance(factor, Add) and not any(isinstance(term, Number) for term in factor.terms)
    ]
    pairs = [*zip(less_number, others, strict=False), *_two_by_two(less_number[len(others) :])]
    for place in (place for pair in pairs for place in pair):
        factors[place] = add(*positive_first(list(terms_of(negate(factors[place])))))
    return multiply(*factors) if pairs else node


def _two_by_two(places: Sequence[int]) -> Iterator[tuple[int, int]]:
    return zip(places[::2], places[1::2], strict=False)


def is_something_less_number(factor: Expression) -> bool:
    """Whether the factor is z^2 - 1 or its like, which reads better the other way round."""
    return isinstance(factor, Add) and any(
        isinstance(term, Number) and term.value < 0 for term in factor.terms
    )


def _sign_inside(node: Expression) -> Expression:
    if coefficient_and_rest(node)[0] >= 0:
        return node
    factors = factors_of(node)
    for place, factor in enumerate(factors):
        flipped = _flipped(factor)
        if flipped is not None:
            return multiply(negate(multiply(*factors[:place])), flipped, *factors[place + 1 :])
    return node


def _flipped(factor: Expression) -> Expression | None:
    """The factor times -1, where a difference in it, or in the sum that it is, can take the sign."""
    if isinstance(factor, Add) and _is_difference(factor) and not _is_number_less_something(factor):
        return tidied(negate(factor))
    if isinstance(factor, Reduction) and factor.kind == "sum":
        body = multiply(MINUS_ONE, factor.body)
        flipped = _sign_inside(body) if isinstance(body, Multiply) else body
        return factor.with_children((flipped,)) if coefficient_and_rest(flipped)[0] > 0 else None
    return None
