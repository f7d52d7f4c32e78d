"""Sums that are nothing but their part at a lookup: read there, where masks would look at all places.

    sum(n, g[n]*(where(dst[e] == n and u[n] > 0, 1, 0) - where(dst[e] == n and v[n] > 0, 1, 0)))

is g[dst[e]]*(where(u[dst[e]] > 0, 1, 0) - where(v[dst[e]] > 0, 1, 0)).
"""

from __future__ import annotations

from collections.abc import Iterator

from symbackprop.integers.bounds import conjunction, conjuncts
from symbackprop.notation.arithmetic import add, multiply
from symbackprop.notation.expressions import (
    ONE,
    ZERO,
    Add,
    Comparison,
    Delta,
    Element,
    Expression,
    Index,
    Multiply,
    Reduction,
    Where,
)
from symbackprop.notation.substitution import substitute
from symbackprop.rewriting.rule import Rule


def _read_there(node: Expression) -> Expression | None:
    """sum(i, f(i)) = f(p), where f(i) is 0 unless i is p."""
    if not (isinstance(node, Reduction) and node.kind == "sum"):
        return None
    for place, index in dict.fromkeys(_equated(node.body)):
        is_fixed = place.free_indices.isdisjoint(node.indices)
        if index in node.indices and place.values == index.axis and is_fixed:
            left = _without(node.body, place, index)
            if left is not None:
                there = substitute(left, {index: place})
                rest = tuple(each for each in node.indices if each != index)
                return Reduction("sum", rest, there) if rest else there
    return None


def _equated(node: Expression) -> Iterator[tuple[Element, Index]]:
    """The lookups that an expression, or its first term, equates with an index where it is not 0."""
    match node:
        case Delta(left, right) | Comparison("==", left, right):
            for place, index in ((left, right), (right, left)):
                if isinstance(place, Element) and place.values is not None and isinstance(index, Index):
                    yield place, index
        case Add(terms):
            yield from _equated(terms[0])
        case Multiply(factors):
            for factor in factors:
                yield from _equated(factor)
        case Where(condition, chosen, otherwise) if otherwise == ZERO:
            for part in conjuncts(condition):
                yield from _equated(part) if isinstance(part, Comparison) else ()
            yield from _equated(chosen)


def _without(node: Expression, place: Element, index: Index) -> Expression | None:
    """What the expression is where p == i; None where it may be other than 0 elsewhere."""
    match node:
        case Delta() if (place, index) in _equated(node):
            return ONE
        case Add(terms):
            left = [_without(term, place, index) for term in terms]
            known = [each for each in left if each is not None]
            return add(*known) if len(known) == len(left) else None
        case Multiply(factors):
            for number, factor in enumerate(factors):
                found = _without(factor, place, index)
                if found is not None:
                    return multiply(*factors[:number], found, *factors[number + 1 :])
        case Where(condition, chosen, otherwise) if otherwise == ZERO:
            parts = conjuncts(condition)
            for part in parts:
                if isinstance(part, Comparison) and (place, index) in _equated(part):
                    others = [each for each in parts if each is not part]
                    return Where(conjunction(others), chosen, ZERO) if others else chosen
            inside = _without(chosen, place, index)
            return None if inside is None else Where(condition, inside, ZERO)
    return None


READ_AT_A_LOOKUP = Rule(
    "read at a lookup",
    "sum(i, f(i)) = f(p), where f(i) is 0 unless i == p, which is looked up",
    _read_there,
    where=("f(i) is 0 unless i == p",),
    example="sum(i, x[i]*(where(ids[k] == i and c > 0, y[j], 0) - where(ids[k] == i, h0, 0)))",
    near_miss="sum(i, x[i]*(where(ids[k] == i and c > 0, y[j], 0) - h0))",
    root_types=(Reduction,),
)
