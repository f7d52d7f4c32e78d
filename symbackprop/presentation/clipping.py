"""Differences from a clipped value beside its mask: (r - c)*where(r <= d, 1, 0) is 0 for c = min(r, d)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from symbackprop.integers.bounds import conjuncts
from symbackprop.notation.arithmetic import add, factors_of, multiply
from symbackprop.notation.expressions import (
    ZERO,
    Add,
    Apply,
    Comparison,
    Element,
    Expression,
    Multiply,
    Number,
    Where,
)
from symbackprop.notation.substitution import rewrite_bottom_up
from symbackprop.presentation.decided_extrema import LEAVES_FIRST, decided
from symbackprop.rewriting.premises import Definitions
from symbackprop.rewriting.rule import Rule
from symbackprop.rules.conditions import when
from symbackprop.rules.stating import stated
from symbackprop.systems.partial import is_partial
from symbackprop.systems.system import Equation


def extrema(equations: Iterable[Equation]) -> tuple[Equation, ...]:
    """The equations t = max(f, g) and t = min(f, g)."""
    return tuple([equation for equation in equations if _is_extremum(equation.expression)])


def _is_extremum(expression: Expression) -> bool:
    return isinstance(expression, Apply) and expression.function in LEAVES_FIRST


def without_vanishing_terms(node: Expression, definitions: Sequence[Equation]) -> Expression | None:
    """A sum without (f - t)*where(f <= g, h, 0), where t = min(f, g), or a maximum, or both nested."""
    if not isinstance(node, Add):
        return None
    left = [term for term in node.terms if not _vanishes(term, definitions)]
    return add(*left) if len(left) < len(node.terms) else None


def _vanishes(term: Expression, definitions: Sequence[Equation]) -> bool:
    return any(_where_chosen(difference, where, definitions) == ZERO for difference, where in _masked(term))


def _masked(term: Expression) -> Iterator[tuple[Add, Where]]:
    """Each factor that is a sum with each mask beside it that compares values."""
    factors = factors_of(term)
    for where in factors:
        if isinstance(where, Where) and where.otherwise == ZERO and where.condition.tensors:
            yield from ((factor, where) for factor in factors if isinstance(factor, Add))


def _where_chosen(difference: Add, where: Where, definitions: Sequence[Equation]) -> Expression:
    """The sum with what its extrema are where the mask is not 0."""
    conditions = conjuncts(where.condition)
    written = rewrite_bottom_up(difference, lambda node: _written_out(node, definitions))
    return add(*rewrite_bottom_up(written, lambda node: decided(node, conditions)).children)


def _written_out(node: Expression, definitions: Sequence[Equation]) -> Expression:
    for equation in definitions:
        if isinstance(node, Element) and node.tensor == equation.tensor:
            return equation.at(node.positions)
    return node


def unmasked_difference(node: Expression, definitions: Sequence[Equation]) -> Expression | None:
    """(t - g)*where(f <= g, h, 0) = (t - g)*h for t = min(f, g), which is g elsewhere; likewise a maximum."""
    if not isinstance(node, Multiply):
        return None
    for difference, where in _masked(node):
        match where.condition:
            case Comparison(_, value, bound) if not is_partial(where.chosen):
                written = add(*(_written_out(term, definitions) for term in difference.terms))
                extremum = add(written, bound)
                if _is_extremum(extremum) and decided(extremum, (where.condition,)) == value:
                    return multiply(*(where.chosen if each is where else each for each in node.factors))
    return None


def joined_number(node: Expression) -> Expression | None:
    """n*f*(g + m) - n*m*f = n*f*g, the first such terms of a sum."""
    if not isinstance(node, Add):
        return None
    for term in node.terms:
        for factor in factors_of(term):
            if not isinstance(factor, Add):
                continue
            for number in (each for each in factor.terms if isinstance(each, Number)):
                others = [each for each in factors_of(term) if each is not factor]
                counter = multiply(Number(-number.value), *others)
                if counter in node.terms:
                    inside = add(*(each for each in factor.terms if each is not number))
                    left = [each for each in node.terms if each is not term]
                    left[left.index(counter)] = multiply(*others, inside)
                    return add(*left)
    return None


def clipping_rules(definitions: Sequence[Equation]) -> tuple[Rule, ...]:
    """The rules, where these tensors are so defined."""

    def premise(node: Expression) -> Definitions:
        return Definitions(tuple([each for each in definitions if each.tensor in node.tensors]))

    return (
        stated(
            "difference within bounds",
            "(t - f)*where(f <= g, h, 0) = 0, where t = min(f, g), likewise maxima and both",
            lambda node: without_vanishing_terms(node, definitions),
            decreases="wheres",
            example="x[i] + (min(x[i], c) - x[i])*where(x[i] <= c, y[j], 0)",
            near_miss="x[i] + (min(x[i], c) - c)*where(x[i] <= c, y[j], 0)",
            premise=premise,
            roots=(Add,),
        ),
        stated(
            "difference beyond bounds",
            "(t - g)*where(f <= g, h, 0) = (t - g)*h, where t = min(f, g), likewise maxima",
            lambda node: unmasked_difference(node, definitions),
            where=(when("not partial", "h"),),
            decreases="wheres",
            example="(min(x[i], c) - c)*where(x[i] <= c, y[j], 0)",
            near_miss="(min(x[i], c) - x[i])*where(x[i] <= c, y[j], 0)",
            premise=premise,
            roots=(Multiply,),
        ),
    )


JOINED_NUMBER = stated(
    "join a number",
    "f*(g - n) + n*f = f*g",
    joined_number,
    where=(when("numeral", "n"),),
    decreases="names and numbers",
    example="y[j]*(x[i] - 2) + 2*y[j]",
    near_miss="y[j]*(x[i] - 2) + y[j]",
    roots=(Add,),
)
