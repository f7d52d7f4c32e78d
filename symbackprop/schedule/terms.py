"""Sums and products taken apart, and stops passed by, before equations are lowered."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from symbackprop.algebra.multiplied_differences import is_difference
from symbackprop.notation.arithmetic import add, coefficient_and_rest, factors_of, is_reciprocal, multiply
from symbackprop.notation.expressions import (
    Add,
    Element,
    Expression,
    Index,
    Multiply,
    Number,
    Power,
    Reduction,
)
from symbackprop.rewriting.rule import Rule
from symbackprop.systems.dependence import is_stop
from symbackprop.systems.partial import Ranges

Indices = tuple[Index, ...]


def free_in_order(expression: Expression) -> Indices:
    """The free indices in order of first appearance."""
    free = expression.free_indices
    found = (node for node in expression.walk() if isinstance(node, Index) and node in free)
    return tuple(dict.fromkeys(found))


def natural_order(expression: Expression, order: Indices, beside: Sequence[Expression] = ()) -> Indices:
    """The free indices in the order of the first tensor that has them all, or else in the given one.

    It is looked for in the expression, then in what stands `beside` it: factors that lie alike are multiplied
    without turning one.
    """
    free = expression.free_indices
    for node in (node for each in (expression, *beside) for node in each.walk()):
        if isinstance(node, Element) and free <= node.free_indices:
            inside = (part for position in node.positions for part in position.walk())
            return tuple(dict.fromkeys(part for part in inside if isinstance(part, Index) and part in free))
    return tuple(dict.fromkeys(index for index in order if index in free))


def tidied(node: Expression) -> Expression:
    """The node, with nested sums and products flattened, and a number taken out of a sum."""
    return _tidied(node) or node


def _tidied(node: Expression) -> Expression | None:
    match node:
        case Add(terms) if any(isinstance(term, Add) for term in terms):
            return add(*terms)
        case Multiply(factors) if any(isinstance(factor, Multiply) for factor in factors):
            return multiply(*factors)
        case Reduction("sum", indices, body):
            number, rest = coefficient_and_rest(body)
            if number != 1:
                return multiply(Number(number), Reduction("sum", indices, multiply(*rest)))
    return None


TIDYING = Rule(
    "tidy",
    "(f + g) + h = f + g + h; (f*g)*h = f*g*h; sum(i, n*f) = n*sum(i, f)",
    _tidied,
    "nested parts",
    example="sum(i, 2*x[i])",
    near_miss="2*sum(i, x[i])",
)


def _passed(node: Expression) -> Expression | None:
    return node.arguments[0] if is_stop(node) else None


# It has done its work once all is differentiated.
PASSING = Rule(
    "stopped gradient",
    "stop(f) = f, as a value",
    _passed,
    example="x[i]*stop(y[j])",
    near_miss="x[i]*y[j]",
)


def flat_factors(factors: Sequence[Expression]) -> list[Expression]:
    """The factors, nested products flattened; f/g/g stays that, and is not f/g^2."""
    reciprocals = {each for each in factors if isinstance(each, Power) and is_reciprocal(each)}
    found: list[Expression] = []
    for factor in factors:
        is_flat = isinstance(factor, Multiply) and reciprocals.isdisjoint(factor.factors)
        found.extend(flat_factors(factor.factors) if is_flat and isinstance(factor, Multiply) else [factor])
    return found


def number_value(factor: Expression) -> Fraction | None:
    """The value of a number or of a whole power of one; None for anything else."""
    match factor:
        case Number(value):
            return value
        case Power(Number(base), Number(exponent)) if exponent.denominator == 1 and base:
            return base**exponent.numerator
    return None


def is_negative(term: Expression) -> bool:
    """Whether the number in front of a term is negative."""
    return coefficient_and_rest(term)[0] < 0


def negated(term: Expression) -> Expression:
    """The term with the other sign, its factors in their order."""
    number, rest = coefficient_and_rest(term)
    if number == -1 and rest:
        return rest[0] if len(rest) == 1 else Multiply(rest)
    return Multiply((Number(-number), *rest)) if rest else Number(-number)


def signed_terms(terms: Sequence[Expression]) -> list[tuple[bool, Expression]]:
    """Each term without its sign, and whether it is subtracted; -a + b comes as b - a, one pass less."""
    if is_negative(terms[0]) and not is_negative(terms[1]):
        terms = (terms[1], terms[0], *terms[2:])
    first, *rest = terms
    return [
        (False, first),
        *((is_negative(term), negated(term) if is_negative(term) else term) for term in rest),
    ]


def broadcast_terms(body: Expression, over: Indices, ranges: Ranges) -> list[Expression]:
    """The body multiplied out over its first factor that is a sum of terms with different indices.

    Summed as they stand, such terms are broadcast against one another first; apart, each may become a
    matrix product, or a sum over fewer indices. Empty where there is no such factor. A difference stays one:
    apart, its terms may cancel. So does what may be undefined: log(k)*size(n) is nan*0 where there is no n.
    """
    factors = factors_of(body)
    for place, factor in enumerate(factors):
        if is_difference(factor) or not isinstance(factor, Add):
            continue
        if any(term.free_indices != factor.free_indices for term in factor.terms):
            terms = [multiply(*factors[:place], term, *factors[place + 1 :]) for term in factor.terms]
            return [] if any(_is_counted_undefined(term, over, ranges) for term in terms) else terms
    return []


def _is_counted_undefined(term: Expression, over: Indices, ranges: Ranges) -> bool:
    """Whether a factor of a summand may be undefined and lacks an index of the sum."""
    free = [factor.free_indices for factor in factors_of(term) if ranges.is_undefined(factor)]
    return any(not indices.issuperset(over) for indices in free)
