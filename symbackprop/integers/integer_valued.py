"""Polynomials with fractions that are integers all the same: i*(i - 1)/2, of which one factor is even.

Times its denominator d such a polynomial has integer coefficients, so that its remainder by d is decided by
the remainders of its unknowns: it is an integer everywhere if it is one for each of these.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from fractions import Fraction
from functools import lru_cache
from itertools import product

from symbackprop.integers.linear import divided, floor_quotient
from symbackprop.integers.recognition import is_integer
from symbackprop.notation.arithmetic import add, factors_of, multiply, terms_of
from symbackprop.notation.expressions import (
    MINUS_ONE,
    ONE,
    Add,
    Apply,
    Expression,
    Index,
    Multiply,
    Number,
    Power,
)

LARGEST_NUMBER_OF_CASES = 4096
_LARGEST_POWER = 8


def with_whole_floors(expression: Expression, tensors: Collection[str] = ()) -> Expression | None:
    """The integer, floor((i^2 - i)/2) + j of i*(i - 1)/2 + j: its floors change nothing.

    None where it may not be one; `tensors` hold integers.
    """
    terms = terms_of(expression)
    fractional = [term for term in terms if not is_integer(term, tensors)]
    if not fractional:
        return expression
    rest = add(*fractional)
    if not _is_whole_for_all_remainders(rest, tensors):
        return None
    whole = [term for term in terms if term not in fractional]
    return add(floor_quotient(*divided(rest)), *whole)


@lru_cache(maxsize=1000)
def without_floor(rounded: Expression) -> Expression | None:
    """i*(i - 1)/2 for floor((i^2 - i)/2), as it is typed and printed; None of what is no such floor."""
    match rounded:
        case Apply("floor", (argument,)) if not argument.tensors and with_whole_floors(argument) is not None:
            above, below = divided(argument)
            common = [*set.intersection(*(set(_bases(term)) for term in terms_of(above)))]
            if below == ONE or len(common) != 1:
                return None
            rest = add(*(multiply(term, Power(common[0], MINUS_ONE)) for term in terms_of(above)))
            return Multiply((common[0], rest, Power(below, MINUS_ONE)))
    return None


def _bases(term: Expression) -> Iterator[Expression]:
    """The indices that a term is a multiple of."""
    for factor in factors_of(term):
        base = factor.base if isinstance(factor, Power) and _is_whole_power(factor) else factor
        if isinstance(base, Index):
            yield base


def _is_whole_for_all_remainders(expression: Expression, tensors: Collection[str]) -> bool:
    unknowns = _unknowns(expression)
    denominator = _denominator(expression)
    if len(unknowns) * math.log(denominator) > math.log(LARGEST_NUMBER_OF_CASES):
        return False
    if not all(is_integer(unknown, tensors) for unknown in unknowns):
        return False
    cases = product(range(denominator), repeat=len(unknowns))
    return all(_value(expression, dict(zip(unknowns, case, strict=True))).denominator == 1 for case in cases)


def _is_whole_power(node: Expression) -> bool:
    match node:
        case Power(_, Number(exponent)):
            return exponent.denominator == 1 and 0 < exponent <= _LARGEST_POWER
    return False


def _unknowns(expression: Expression) -> tuple[Expression, ...]:
    """What the polynomial is one of: all that is no number, sum, product or whole power."""
    match expression:
        case Number():
            return ()
        case Add() | Multiply():
            return tuple(dict.fromkeys(each for child in expression.children for each in _unknowns(child)))
        case Power(base, _) if _is_whole_power(expression):
            return _unknowns(base)
    return (expression,)


def _denominator(expression: Expression) -> int:
    """A number that makes all coefficients of the polynomial whole."""
    match expression:
        case Number(value):
            return value.denominator
        case Add(terms):
            return math.lcm(*map(_denominator, terms))
        case Multiply(factors):
            return math.prod(map(_denominator, factors))
        case Power(base, Number(exponent)) if _is_whole_power(expression):
            return int(_denominator(base) ** exponent.numerator)
    return 1


def _value(expression: Expression, values: Mapping[Expression, int]) -> Fraction:
    match expression:
        case Number(value):
            return value
        case Add(terms):
            return sum((_value(term, values) for term in terms), Fraction(0))
        case Multiply(factors):
            return math.prod((_value(factor, values) for factor in factors), start=Fraction(1))
        case Power(base, Number(exponent)) if _is_whole_power(expression):
            return Fraction(_value(base, values) ** exponent.numerator)
    return Fraction(values[expression])
