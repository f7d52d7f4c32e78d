"""Counts in an expression as it were multiplied out, without writing its terms down.

f*(g + h) counts as f*g + f*h, and where(c, g, h) as where(c, g, 0) + where(c, 0, h). What is made of indices,
sizes and numbers alone, i + 2 or size(i) - 1, is one term: it may come in the place of an index.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod

from symbackprop.notation.expressions import (
    ONE,
    ZERO,
    Add,
    Apply,
    Expression,
    Index,
    Multiply,
    Number,
    Power,
    Reduction,
    Size,
    Where,
)


def separate_terms(node: Add) -> tuple[Expression, ...]:
    """The terms; of those that are made of indices, sizes and numbers alone, the first for all."""
    positions = [term for term in node.terms if is_position(term)]
    return (*positions[:1], *(term for term in node.terms if term not in positions))


def is_position(node: Expression) -> bool:
    """Whether the expression is made of indices, sizes and numbers alone."""
    made_of = Index | Size | Number | Add | Multiply | Power | Apply
    return all(isinstance(each, made_of) for each in node.walk())


def term_count(node: Expression) -> int:
    """How many terms the expression has when it is multiplied out."""
    match node:
        case Add():
            return sum(map(term_count, separate_terms(node)))
        case Multiply(factors):
            return prod(map(term_count, factors))
        case Power(base, _):
            return term_count(base)
        case Reduction(_, _, body):
            return term_count(body)
        case Where(_, chosen, otherwise):
            return max(1, sum(term_count(branch) for branch in (chosen, otherwise) if branch != ZERO))
    return 1


def counted(node: Expression, own: Callable[[Expression], int]) -> int:
    """The sum of `own` over the nodes of the expression multiplied out.

    `own` is what all terms of a node have together; a factor counts once for every term of the others.
    """
    match node:
        case Multiply(factors):
            inner = shared(factors, [counted(factor, own) for factor in factors])
        case Where(condition, _, _):
            inner = sum(counted(branch, own) for branch in branches_of(node))
            inner += counted(condition, own) * term_count(node)
        case Power(base, exponent):
            inner = counted(base, own) + counted(exponent, own) * term_count(node)
        case _:
            inner = sum(counted(child, own) for child in node.children)
    return inner + own(node)


def branches_of(node: Where) -> list[Expression]:
    """The branches that are not 0."""
    return [branch for branch in (node.chosen, node.otherwise) if branch != ZERO]


def shared(factors: tuple[Expression, ...], counts: list[int]) -> int:
    """Each factor's count, once for every term that the other factors have."""
    terms = [term_count(factor) for factor in factors]
    return sum(
        count * prod(terms[:place]) * prod(terms[place + 1 :]) for place, count in enumerate(counts) if count
    )


def factor_count(node: Expression) -> int:
    """How many factors all terms have: a sum and a `where` are one too, a body or branch that is 1 none."""
    match node:
        case Add():
            return sum(map(factor_count, separate_terms(node)))
        case Multiply(factors):
            return shared(factors, [factor_count(factor) for factor in factors])
        case Power(base, _):
            return factor_count(base)
        case Reduction(kind="sum"):
            return body_factor_count(node) + term_count(node)
        case Where():
            branches = sum(factor_count(branch) for branch in branches_of(node) if branch != ONE)
            return branches + term_count(node)
    return 1


def body_factor_count(node: Reduction) -> int:
    """How many factors the terms of the body have."""
    return 0 if node.body == ONE else factor_count(node.body)


def products(node: Expression) -> Iterator[tuple[Expression, ...]]:
    """The factors of every product; those of a product inside a product belong to the outer one."""
    factors = _flat(node)
    if len(factors) > 1:
        yield factors
    for each in factors if len(factors) > 1 else node.children:
        yield from products(each)


def _flat(node: Expression) -> tuple[Expression, ...]:
    if not isinstance(node, Multiply):
        return (node,)
    return tuple([each for factor in node.factors for each in _flat(factor)])
