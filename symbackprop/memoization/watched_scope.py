"""A scope that notes what it is asked, so that another can be asked the same in other names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

from symbackprop.algebra.context import Scope
from symbackprop.algebra.rational import Relation
from symbackprop.notation.expressions import Axis, Element, Expression
from symbackprop.notation.matrix_functions import MatrixFunction
from symbackprop.rules.support import Support
from symbackprop.systems.system import Equation, Fact


@dataclass(frozen=True)
class Query:
    """A method of a scope, its arguments and what it has answered."""

    method: Callable[..., Any]
    arguments: tuple[Any, ...]
    answer: object

    def is_again(self, other: Query) -> bool:
        """Whether the other asks the same, in the same order of terms."""
        return (
            self.method is other.method
            and self.arguments == other.arguments
            and self.arguments[0].is_identical(other.arguments[0])
        )


@dataclass(frozen=True)
class WatchedScope(Scope):
    """The same as the scope `asked`; what it is asked beyond single tensors stands in `queries`, in order."""

    asked: Scope = field(default_factory=Scope)
    queries: list[Query] = field(default_factory=list, compare=False)

    @classmethod
    def watching(cls, scope: Scope) -> WatchedScope:
        """A scope that answers as this one does."""
        return cls(**{each.name: getattr(scope, each.name) for each in fields(Scope)}, asked=scope)

    def relations(
        self, expression: Expression, conditions: Sequence[Expression] = ()
    ) -> tuple[Relation, ...]:
        """As the scope has it, noted."""
        answer = self.asked.relations(expression, conditions)
        self._note(Query(Scope.relations, (expression, tuple(conditions)), answer))
        return answer

    def sums_near(self, expression: Expression) -> tuple[Equation, ...]:
        """As the scope has it, noted."""
        answer = self.asked.sums_near(expression)
        self._note(Query(Scope.sums_near, (expression,), answer))
        return answer

    def sums_taken_off(self, expression: Expression) -> tuple[Relation, ...]:
        """As the scope has it, noted."""
        answer = self.asked.sums_taken_off(expression)
        self._note(Query(Scope.sums_taken_off, (expression,), answer))
        return answer

    def may_be_undefined(self, expression: Expression) -> bool:
        """As the scope has it, noted."""
        answer = self.asked.may_be_undefined(expression)
        self._note(Query(Scope.may_be_undefined, (expression,), answer))
        return answer

    def may_read(self, expression: Expression) -> bool:
        """As the scope has it, noted."""
        answer = self.asked.may_read(expression)
        self._note(Query(Scope.may_read, (expression,), answer))
        return answer

    def _note(self, query: Query) -> None:
        """Each question once: it is asked again in every round of a simplification."""
        if not any(query.is_again(each) for each in self.queries):
            self.queries.append(query)


@dataclass(frozen=True)
class KnownOfTensor:
    """All that a scope says of one tensor without being asked about others."""

    axes: tuple[Axis, ...] | None
    is_positive: bool
    is_nonnegative: bool
    is_undefined: bool
    is_infinite: bool
    is_exceeding: bool
    why_symmetric: str | None
    support: Support | None
    matrix: Equation | None
    is_in_recurrence: bool

    @classmethod
    def of(cls, scope: Scope, tensor: str) -> KnownOfTensor:
        """What this scope says of it."""
        ranges, definition = scope.ranges, scope.definitions.get(tensor)
        is_matrix = definition is not None and isinstance(definition.expression, MatrixFunction)
        return cls(
            ranges.axes.get(tensor),
            tensor in ranges.positive,
            tensor in ranges.nonnegative,
            tensor in ranges.undefined,
            tensor in ranges.infinite,
            tensor in scope.exceeding,
            scope.symmetric.get(tensor),
            scope.supports.get(tensor),
            definition if is_matrix else None,
            tensor in scope.steps,
        )


@dataclass(frozen=True)
class FactsByTensor:
    """Facts, to be looked up by the tensors that one of their sides speaks of."""

    facts: tuple[Fact, ...]

    @cached_property
    def _numbers(self) -> Mapping[str, frozenset[int]]:
        """Of each tensor, the facts that speak of it by their places; under "" those that speak of none."""
        found: dict[str, set[int]] = {}
        for number, fact in enumerate(self.facts):
            for tensor in fact.left.tensors | fact.right.tensors or ("",):
                found.setdefault(tensor, set()).add(number)
        return {tensor: frozenset(numbers) for tensor, numbers in found.items()}

    def about(self, tensors: Iterable[str]) -> tuple[Fact, ...]:
        """The facts one of whose sides speaks of no other tensors: what may be used without being asked."""
        known = frozenset(tensors)
        numbers = frozenset[int]().union(*(self._numbers.get(each, ()) for each in ("", *known)))
        near = (self.facts[number] for number in sorted(numbers))
        return tuple([fact for fact in near if any(map(known.issuperset, _sides_of(fact)))])


def _sides_of(fact: Fact) -> list[frozenset[str]]:
    """What its sides speak of, but for one that is a number beside another that is none."""
    both = [fact.left.tensors, fact.right.tensors]
    return list(filter(None, both)) or both


def is_recursive(scope: Scope) -> bool:
    """Whether what is at hand is computed in turns with other tensors."""
    target = scope.target
    return isinstance(target, Element) and target.tensor in scope.steps
