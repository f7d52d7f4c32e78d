"""Deltas of lookups, delta(t[i],j) of an integer t: masks that are some, and what is read beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from symbackprop.integers.bounds import conjunction, conjuncts
from symbackprop.integers.guards import unproved_reads
from symbackprop.notation.arithmetic import factors_of, is_sum, multiply
from symbackprop.notation.expressions import (
    ZERO,
    Axis,
    Comparison,
    Delta,
    Element,
    Expression,
    Index,
    Reduction,
    Where,
)
from symbackprop.notation.substitution import substitute
from symbackprop.rewriting.measure_context import MeasureContext
from symbackprop.rewriting.premises import LookedUp
from symbackprop.rewriting.rule import Rule
from symbackprop.rules.conditions import when
from symbackprop.rules.stating import stated


def delta_of_lookup(
    node: Expression, places: Mapping[str, Axis], axes: Mapping[str, tuple[Axis, ...]]
) -> Expression | None:
    """sum(i, where(t[i] == j, f, 0)*g) = sum(i, delta(t[i],j)*f*g), which is scattered, or read at t[i].

    The sum binds the index, or else all that the lookup depends on. What the `where` guards beside may be
    undefined there, but is read inside its axes without, as far as that depends on what is equated.
    """
    if not is_sum(node):
        return None
    factors = factors_of(node.body)
    for place, factor in enumerate(factors):
        if not isinstance(factor, Where) or factor.otherwise != ZERO:
            continue
        parts = conjuncts(factor.condition)
        for number, part in enumerate(parts):
            for lookup, index in _lookups(part, places):
                read = lookup.free_indices
                solved = index in node.indices or (bool(read) and read <= {*node.indices})
                # Other data are compared with what is looked up: col[e] != row[e] for col[e] != v.
                others = [
                    substitute(each, {index: lookup}) if each.tensors else each
                    for each in (*parts[:number], *parts[number + 1 :])
                ]
                rest = Where(conjunction(others), factor.chosen, ZERO) if others else factor.chosen
                if solved and _is_readable(rest, part, axes):
                    written = (*factors[:place], Delta(lookup, index), rest, *factors[place + 1 :])
                    return node.with_children((multiply(*written),))
    return None


def _is_readable(rest: Expression, part: Expression, axes: Mapping[str, tuple[Axis, ...]]) -> bool:
    """Whether all is read inside without a condition, or where that says nothing of it, as of x[t - 1,i]."""
    positions = [position for _, position, _ in unproved_reads(rest, axes)]
    about = part.free_indices
    return all(
        each.free_indices.isdisjoint(about) and each.tensors.isdisjoint(part.tensors) for each in positions
    )


def _lookups(condition: Expression, places: Mapping[str, Axis]) -> Iterator[tuple[Element, Index]]:
    """The lookup and the index over its axis that a condition equates."""
    if isinstance(condition, Comparison) and condition.operator == "==":
        for lookup, index in _sides(condition):
            if places.get(lookup.tensor) == index.axis:
                yield lookup, index


def _sides(equated: Comparison | Delta) -> Iterator[tuple[Element, Index]]:
    for lookup, index in ((equated.left, equated.right), (equated.right, equated.left)):
        if isinstance(lookup, Element) and isinstance(index, Index) and index not in lookup.free_indices:
            yield lookup, index


def at_its_place(node: Expression, places: Mapping[str, Axis]) -> Expression | None:
    """sum(i, delta(t[i],j)*f(i,j)) = sum(i, delta(t[i],j)*f(i,t[i])): a number for each i, and not each i, j.

    What depends on j alone stays, and so may leave the sum.
    """
    for found in _beside_lookups(node):
        if places.get(found.lookup.tensor) == found.index.axis:
            return found.moved
    return None


@dataclass(frozen=True)
class _BesideLookup:
    """What stands beside delta(lookup,index) in a sum over what the lookup depends on."""

    total: Reduction
    lookup: Element
    index: Index
    moving: tuple[Expression, ...]

    @property
    def moved(self) -> Expression:
        at = {self.index: self.lookup}
        factors = factors_of(self.total.body)
        body = [substitute(each, at) if each in self.moving else each for each in factors]
        return self.total.with_children((multiply(*body),))


def _beside_lookups(node: Expression) -> Iterator[_BesideLookup]:
    if not is_sum(node):
        return
    factors = factors_of(node.body)
    for factor in factors:
        for lookup, index in _sides(factor) if isinstance(factor, Delta) else ():
            read = lookup.free_indices
            moving = tuple(
                each
                for each in factors
                if not isinstance(each, Delta) and {index} < each.free_indices & {index, *node.indices}
            )
            if moving and read and read <= {*node.indices} and index not in node.indices:
                yield _BesideLookup(node, lookup, index, moving)


def beside_lookups(expression: Expression, _context: MeasureContext) -> int:
    """How often a factor that a sum moves reads the index that a delta beside it gives a place."""
    return sum(
        each == found.index
        for node in expression.walk()
        for found in _beside_lookups(node)
        for factor in found.moving
        for each in factor.walk()
    )


BESIDE_LOOKUPS = "reads beside lookups"


def lookup_rules(places: Mapping[str, Axis], axes: Mapping[str, tuple[Axis, ...]]) -> tuple[Rule, ...]:
    """Those of deltas written out, where tensors hold such places."""
    return (
        stated(
            "delta of a lookup",
            "sum(i, where(t[i] == j and c(j), f, 0)*g) = sum(i, delta(t[i],j)*where(c(t[i]), f, 0)*g), "
            "and with j below the sum",
            lambda node: delta_of_lookup(node, places, axes),
            where=(when("looked up", "j", "t"), when("readable", "f", "t[i] == j")),
            decreases="conditions",
            example="sum(k, where(ids[k] == i and k > 0, B[j,k], 0)*c)",
            near_miss="where(ids[k] == i and k > 0, B[j,k], 0)*c",
            premise=lambda node: LookedUp.of(places, axes, node.tensors),
            roots=(Reduction,),
        ),
        stated(
            "read where looked up",
            "sum(i, delta(t[i],j)*f(i,j)) = sum(i, delta(t[i],j)*f(i,t[i]))",
            lambda node: at_its_place(node, places),
            where=(when("looked up", "j", "t"),),
            decreases=BESIDE_LOOKUPS,
            example="sum(k, delta(ids[k],i)*tanh(x[i]*B[j,k]))",
            near_miss="sum(k, delta(ids[k],i)*tanh(x[i])*B[j,k])",
            premise=lambda node: LookedUp.of(places, {}, node.tensors),
            roots=(Reduction,),
        ),
    )
