"""Rules of reductions over groups: what a row reads at its place, and what is the same for a whole group.

A group are the places k at which a lookup p = ids[k] agrees with q, another lookup or an index.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from symbackprop.integers.bounds import conjunction, conjuncts
from symbackprop.notation.arithmetic import factors_of, multiply
from symbackprop.notation.expressions import (
    ONE,
    ZERO,
    Comparison,
    Delta,
    Element,
    Expression,
    Index,
    Reduction,
    Where,
)
from symbackprop.notation.substitution import rename_bound, substitute
from symbackprop.rewriting.rule import Rule


def groups_of(node: Reduction) -> Iterator[tuple[Element, Element]]:
    """(p, q) of what a sum or an extremum is over where p == q, q the same for all of it."""
    bound = frozenset(node.indices)
    for equated in _parts(node):
        for place, other in _looked_up(equated):
            is_outside = bound.isdisjoint(other.free_indices) and bool(other.free_indices)
            is_inside = not bound.isdisjoint(place.free_indices)
            if isinstance(other, Element) and is_outside and is_inside and place.values == other.values:
                yield place, other


def _parts(node: Reduction) -> tuple[Expression, ...]:
    """The factors of a sum's body, and the body of an extremum; that of a minimum's place has a sign."""
    if node.kind in ("sum", "argmax"):
        return factors_of(node.body)
    return (node.body,) if node.kind in ("max", "min") else ()


def _looked_up(part: Expression) -> Iterator[tuple[Element, Expression]]:
    """(p, q) of delta(p, q) and of where(p == q and .., f, g), where p is a declared integer."""
    match part:
        case Delta():
            equations: tuple[Expression, ...] = (part,)
        case Where(condition):
            equations = conjuncts(condition)
        case _:
            equations = ()
    for each in equations:
        if isinstance(each, Delta) or (isinstance(each, Comparison) and each.operator == "=="):
            for place, other in ((each.left, each.right), (each.right, each.left)):
                if isinstance(place, Element) and place.values is not None:
                    yield place, other


def with_replaced(node: Expression, old: Expression, new: Expression) -> Expression:
    """The expression with another one in the place of a part, where no sum binds an index of that."""
    if node == old:
        return new
    if isinstance(node, Reduction):
        node = rename_bound(node, new.free_indices)
        if not old.free_indices.isdisjoint(node.indices):
            return node
    children = tuple([with_replaced(child, old, new) for child in node.children])
    return node if children == node.children else node.with_children(children)


def _at_its_place(node: Expression) -> Expression | None:
    """sum(k, where(p == i, f(i), 0)) = sum(k, where(p == i, f(p), 0)), and so for extrema.

    A label of a longer axis than i's is no place to read at.
    """
    if not isinstance(node, Reduction):
        return None
    bound, parts = frozenset(node.indices), _parts(node)
    for equated in parts:
        for place, index in _looked_up(equated):
            is_place = isinstance(index, Index) and index not in bound and place.values == index.axis
            if is_place and isinstance(index, Index) and place.free_indices & bound:
                found = tuple([_read_at(part, equated, place, index, bound) for part in parts])
                return None if found == parts else Reduction(node.kind, node.indices, multiply(*found))
    return None


def _read_at(
    part: Expression, equated: Expression, place: Element, index: Index, bound: frozenset[Index]
) -> Expression:
    """The part with p for i, where it has other bound indices; a condition p == i stays one."""
    if part is not equated:
        return _simplified(substitute(part, {index: place})) if part.free_indices & bound else part
    if isinstance(part, Where):
        chosen, otherwise = part.chosen, part.otherwise
        factors = (_read_at(each, part, place, index, bound) for each in factors_of(chosen))
        return Where(part.condition, multiply(*factors), otherwise)
    return part


def _simplified(part: Expression) -> Expression:
    """The part without an equation of two sides that are the same."""
    match part:
        case Delta(left, right) if left == right:
            return ONE
        case Where(condition, chosen, _):
            equations = conjuncts(condition)
            open_ones = [each for each in equations if not _holds(each)]
            if len(open_ones) < len(equations):
                return replace(part, condition=conjunction(open_ones)) if open_ones else chosen
    return part


def _holds(condition: Expression) -> bool:
    return (
        isinstance(condition, Comparison) and condition.operator == "==" and condition.left == condition.right
    )


def _factor_of_a_group(node: Expression) -> Expression | None:
    """sum(k, where(p == q, f*g(p), 0)) = sum(k, where(p == q, f, 0))*g(q)."""
    if not (isinstance(node, Reduction) and node.kind == "sum"):
        return None
    bound, parts = frozenset(node.indices), _parts(node)
    for place, other in groups_of(node):
        if place.tensor != other.tensor:
            continue  # a group may be empty, and g(q) undefined then
        outside: list[Expression] = []
        inside = multiply(*(_without(part, place, other, bound, outside) for part in parts))
        if outside:
            return multiply(*outside, Reduction("sum", node.indices, inside))
    return None


def _without(
    part: Expression, place: Element, other: Element, bound: frozenset[Index], outside: list[Expression]
) -> Expression:
    """What is left of a part of a sum without the factors that are the same for the group."""
    if (place, other) in _looked_up(part):
        if not isinstance(part, Where):
            return part
        kept: list[Expression] = []
        for condition in conjuncts(part.condition):
            is_own = {*condition.children} == {place, other}
            moved = None if is_own else _moved(condition, place, other, bound)
            if moved is None:
                kept.append(condition)
            else:
                outside.append(Where(moved, ONE, ZERO))
        left = factors_of(part.chosen)
        if len(kept) == 1:  # else no row may be left, and exp(u[q]) infinite though the sum is 0
            left = tuple([_without(each, place, other, bound, outside) for each in left])
        return Where(conjunction(kept), multiply(*left), part.otherwise)
    moved = _moved(part, place, other, bound)
    if moved is None:
        return part
    outside.append(moved)
    return ONE


def _moved(part: Expression, place: Element, other: Element, bound: frozenset[Index]) -> Expression | None:
    """The part with q for p, where that frees it of the bound indices; None where it does not."""
    moved = with_replaced(part, place, other)
    is_freed = not part.free_indices.isdisjoint(bound) and moved.free_indices.isdisjoint(bound)
    return moved if is_freed else None


ROW_AT_ITS_PLACE = Rule(
    "row at its place",
    "sum(k, where(p == i, f(i), 0)) = sum(k, where(p == i, f(p), 0)), likewise an extremum, "
    "where p is looked up and i runs over the axis of its values",
    _at_its_place,
    where=("p is looked up", "i runs over the axis of its values"),
    example="sum(k, where(ids[k] == i, exp(B[j,k] - x[i]), 0))",
    near_miss="sum(k, where(ids[k] == i, B[j,k], 0)*x[i])",
    root_types=(Reduction,),
)
FACTOR_OF_A_GROUP = Rule(
    "factor of a group",
    "sum(k, where(p == q, f*g(p), 0)) = sum(k, where(p == q, f, 0))*g(q), "
    "where g has k in p alone and p == q is the only condition",
    _factor_of_a_group,
    where=("g has k in p alone", "p == q is the only condition"),
    example="sum(k, where(ids[k] == ids[k2], B[j,k]*x[ids[k]], 0))",
    near_miss="sum(k, where(ids[k] == ids[k2], B[j,k]*x[i], 0))",
    root_types=(Reduction,),
)
