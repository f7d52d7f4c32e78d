"""Patterns whose variables stand for values, conditions, numbers and the indices of a binder.

    sum(i, c*f) = c*sum(i, f)

A variable is an index over one of the axes below, so that the model language reads a pattern as it reads any
formula. In a product, what has a structure stands for one factor each; one value variable takes all the
factors that are left, or 1; of two, the first takes those that its side conditions admit, the second the
others, and neither goes without.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import TypeAlias

from symbackprop.integers.bounds import conjunction, negated
from symbackprop.notation.arithmetic import factors_of, multiply
from symbackprop.notation.expressions import (
    Add,
    Axis,
    Expression,
    Index,
    Logic,
    Multiply,
    Number,
    Reduction,
    Where,
)
from symbackprop.notation.substitution import canonical_bound_names, rename_bound
from symbackprop.rewriting.labels import label
from symbackprop.rewriting.rule import Path

VALUES = Axis("VALUES", "f")
CONDITIONS = Axis("CONDITIONS", "c")
NUMBERS = Axis("NUMBERS", "n")
BINDERS = Axis("BINDERS", "i")
KINDS = frozenset((VALUES, CONDITIONS, NUMBERS, BINDERS))

Bound: TypeAlias = Expression | tuple[Index, ...]


@dataclass(frozen=True)
class Found:
    """What the variables stand for, and at which paths of the matched node: of a product, one a factor."""

    values: Mapping[Index, Bound] = field(default_factory=lambda: MappingProxyType({}))
    places: Mapping[Index, tuple[Path, ...]] = field(default_factory=lambda: MappingProxyType({}))

    def binding(self, variable: Index, value: Bound, places: tuple[Path, ...]) -> Found:
        """The same with one variable more."""
        return Found({**self.values, variable: value}, {**self.places, variable: places})

    def binding_index(self, variable: Index, value: Bound) -> Found:
        """The same with one index variable more, whose place nobody asks for."""
        return Found({**self.values, variable: value}, self.places)


Admits: TypeAlias = Callable[[Index, Found], bool]


@dataclass(frozen=True)
class PatternMatcher:
    """`admits` says whether the side conditions that speak of a variable allow what it stands for.

    `indices` are variables too, for an index or a position each; a pattern with such variables has canonical
    bound names, and so has what it is matched with.
    """

    admits: Admits
    indices: frozenset[Index] = frozenset()

    def match(self, pattern: Expression, node: Expression, found: Found, path: Path = ()) -> Iterator[Found]:
        """Every way to choose the variables so that the pattern is the node, in the order of its parts."""
        if isinstance(pattern, Index) and (pattern.axis in KINDS or pattern in self.indices):
            yield from self._bind(pattern, node, found, (path,))
        elif isinstance(pattern, Multiply):
            factors = [((*path, place), each) for place, each in enumerate(factors_of(node))]
            structured = [each for each in pattern.factors if not _is_value(each)]
            variables = [each for each in pattern.factors if isinstance(each, Index) and _is_value(each)]
            if variables or len(factors) == len(structured):
                yield from self._unordered(structured, variables, factors, found)
        elif type(pattern) is not type(node):
            return
        elif isinstance(pattern, Add):
            terms = [((*path, place), each) for place, each in enumerate(node.children)]
            if len(terms) == len(pattern.terms):
                yield from self._unordered(list(pattern.terms), [], terms, found)
        elif isinstance(pattern, Reduction) and isinstance(node, Reduction) and _binds_a_variable(pattern):
            if pattern.kind == node.kind:
                yield from self._reduction(pattern, node, found, path)
        elif label(pattern) == label(node):
            yield from self._in_order(pattern.children, node.children, found, path)

    def _bind(self, variable: Index, value: Bound, found: Found, places: tuple[Path, ...]) -> Iterator[Found]:
        if variable.axis == NUMBERS and not isinstance(value, Number):
            return
        is_index = variable in self.indices
        if variable in found.values:
            if _is_alike(found.values[variable], value) and (not is_index or self.admits(variable, found)):
                yield found
            return
        extended = (
            found.binding_index(variable, value) if is_index else found.binding(variable, value, places)
        )
        if self.admits(variable, extended):
            yield extended

    def _reduction(self, pattern: Reduction, node: Reduction, found: Found, path: Path) -> Iterator[Found]:
        """All indices of the node for the pattern's one; they differ from those of the binders around it."""
        binders = (value for each, value in found.values.items() if each != pattern.indices[0])
        around = [index for value in binders if isinstance(value, tuple) for index in value]
        node = rename_bound(node, around)
        for extended in self._bind(pattern.indices[0], node.indices, found, (path,)):
            yield from self.match(pattern.body, node.body, extended, (*path, 0))

    def _in_order(
        self, patterns: tuple[Expression, ...], nodes: tuple[Expression, ...], found: Found, path: Path
    ) -> Iterator[Found]:
        if not patterns:
            yield found
            return
        place = (*path, -len(nodes))  # -3, -2, -1: in reading order, whatever has been matched before
        for extended in self.match(patterns[0], nodes[0], found, place):
            yield from self._in_order(patterns[1:], nodes[1:], extended, path)

    def _unordered(
        self,
        structured: list[Expression],
        variables: list[Index],
        factors: list[tuple[Path, Expression]],
        found: Found,
    ) -> Iterator[Found]:
        """A part of its own for each that has a structure, and the others for the variables."""
        if structured:
            for number, (path, factor) in enumerate(factors):
                for extended in self.match(structured[0], factor, found, path):
                    others = factors[:number] + factors[number + 1 :]
                    yield from self._unordered(structured[1:], variables, others, extended)
        elif len(variables) == 1:
            yield from self._bind_factors(variables[0], factors, found)
        elif not variables:
            if not factors:
                yield found
        else:
            yield from self._shared_out(variables[0], variables[1], factors, found)

    def _shared_out(
        self, first: Index, second: Index, factors: list[tuple[Path, Expression]], found: Found
    ) -> Iterator[Found]:
        taken = [self.admits(first, found.binding(first, factor, ())) for _, factor in factors]
        if any(taken) and not all(taken):
            firsts = [each for each, takes in zip(factors, taken, strict=True) if takes]
            seconds = [each for each, takes in zip(factors, taken, strict=True) if not takes]
            for extended in self._bind_factors(first, firsts, found):
                yield from self._bind_factors(second, seconds, extended)

    def _bind_factors(
        self, variable: Index, factors: list[tuple[Path, Expression]], found: Found
    ) -> Iterator[Found]:
        product = multiply(*(factor for _, factor in factors))
        yield from self._bind(variable, product, found, tuple([path for path, _ in factors]))


def _is_alike(one: Bound, other: Bound) -> bool:
    """Whether both are the same up to the names of bound indices."""
    if isinstance(one, tuple) or isinstance(other, tuple):
        return one == other
    return canonical_bound_names(one) == canonical_bound_names(other)


def _binds_a_variable(pattern: Reduction) -> bool:
    return pattern.indices[0].axis == BINDERS


def _is_value(pattern: Expression) -> bool:
    return isinstance(pattern, Index) and pattern.axis == VALUES


def variables_of(pattern: Expression) -> set[Index]:
    """The variables of a pattern, those of its binders too."""
    nodes = tuple(pattern.walk())
    bound = {index for node in nodes if isinstance(node, Reduction) for index in node.indices}
    return bound | {node for node in nodes if isinstance(node, Index) and node.axis in KINDS}


def may_match(pattern: Expression, node: Expression) -> bool:
    """A look at types alone, which spares most matches."""
    if isinstance(pattern, Index):
        return True
    if isinstance(pattern, Multiply):
        return {type(each) for each in factors_of(node)}.issuperset(_types_needed(pattern))
    if type(pattern) is not type(node):
        return False
    match pattern:
        case Number():
            return pattern == node
        case Reduction(kind, _, body) if isinstance(node, Reduction):
            return kind == node.kind and may_match(body, node.body)
        case Where(_, chosen, otherwise) if isinstance(node, Where):
            return may_match(otherwise, node.otherwise) and may_match(chosen, node.chosen)
    return True


@cache
def _types_needed(pattern: Multiply) -> frozenset[type]:
    variables = (each for each in pattern.factors if isinstance(each, Index))
    numbers = {Number for each in variables if each.axis == NUMBERS}
    return frozenset({type(each) for each in pattern.factors if not isinstance(each, Index)} | numbers)


def filled_in(pattern: Expression, found: Found) -> Expression:
    """The pattern with what its variables stand for; factors keep the order that they had in the node."""
    match pattern:
        case Index() if pattern.axis in KINDS:
            value = found.values[pattern]
            assert isinstance(value, Expression)
            return value
        case Multiply(factors):
            placed = [each for factor in factors for each in _placed(factor, found)]
            return multiply(*(factor for _, factor in sorted(placed, key=_place)))
        case Reduction(kind, indices, body):
            bound = tuple(each for index in indices for each in _binder(found, index))
            return Reduction(kind, bound, filled_in(body, found))
        case Logic("and", operands):
            return conjunction([filled_in(operand, found) for operand in operands])
        case Logic("not", (operand,)):
            return negated(filled_in(operand, found))
    return pattern.with_children(tuple([filled_in(child, found) for child in pattern.children]))


def _binder(found: Found, index: Index) -> tuple[Index, ...]:
    indices = found.values[index]
    assert isinstance(indices, tuple)
    return indices


def _placed(factor: Expression, found: Found) -> list[tuple[Path, Expression]]:
    """The factors that a factor of the pattern becomes, each with where its values stood in the node."""
    if isinstance(factor, Index) and factor.axis == VALUES:
        places = found.places.get(factor, ())
        parts = factors_of(filled_in(factor, found))
        return list(zip(places, parts, strict=True)) if len(places) == len(parts) else [
            (min(places, default=()), part) for part in parts
        ]  # fmt: skip
    places = tuple(place for node in factor.walk() for place in _value_places(node, found))
    return [(min(places, default=()), filled_in(factor, found))]


def _value_places(node: Expression, found: Found) -> tuple[Path, ...]:
    return found.places.get(node, ()) if isinstance(node, Index) and node.axis == VALUES else ()


def _place(placed: tuple[Path, Expression]) -> Path:
    return placed[0]
