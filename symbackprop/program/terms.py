"""Sums and products taken apart before they are lowered."""

from __future__ import annotations

from collections.abc import Sequence

from symbackprop.notation.arithmetic import coefficient_and_rest, factors_of, multiply
from symbackprop.notation.expressions import Add, Element, Expression, Index, Multiply, Number

Indices = tuple[Index, ...]


def natural_order(expression: Expression, order: Indices) -> Indices:
    """The free indices in the order of the largest tensor's axes, then in `order`: fewest transpositions."""
    free = expression.free_indices
    candidates = [node.positions for node in expression.walk() if isinstance(node, Element)]
    widest = max(candidates, key=lambda positions: len(free.intersection(positions)), default=())
    own = [index for index in widest if isinstance(index, Index) and index in free]
    return tuple(dict.fromkeys((*own, *(index for index in order if index in free))))


def flat_factors(factors: Sequence[Expression]) -> list[Expression]:
    """The factors, products among them opened."""
    return [
        part
        for factor in factors
        for part in (flat_factors(factor.factors) if isinstance(factor, Multiply) else [factor])
    ]


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


def broadcast_terms(body: Expression) -> list[Expression]:
    """The body multiplied out over its first factor that is a sum of terms with different indices.

    Summed as they stand, such terms are broadcast against one another first; apart, each may become a
    matrix product, or a sum over fewer indices. Empty where there is no such factor.
    """
    factors = factors_of(body)
    for place, factor in enumerate(factors):
        if isinstance(factor, Add) and any(term.free_indices != factor.free_indices for term in factor.terms):
            return [multiply(*factors[:place], term, *factors[place + 1 :]) for term in factor.terms]
    return []
