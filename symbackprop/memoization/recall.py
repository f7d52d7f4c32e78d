"""What has been worked out for one layer, taken over for another that is equal but for its names.

A result is kept with all that it depends on: what it was made of, every answer that the scope gave on the
way, and what the scope says of each tensor that came up. It is taken over where the same questions get the
same answers in other names, so that working it out would go the same way. Spelling breaks ties between
forms; therefore the other names have to come in the same order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from symbackprop.algebra.context import Scope
from symbackprop.algebra.scalar_search import Account
from symbackprop.memoization.spelling import Order, order_of
from symbackprop.memoization.watched_scope import (
    FactsByTensor,
    KnownOfTensor,
    Query,
    WatchedScope,
    is_recursive,
)
from symbackprop.notation.correspondence import Correspondence
from symbackprop.notation.expressions import Axis, Expression, Index
from symbackprop.systems.system import Equation, Fact

Result = TypeVar("Result")
MOST_COMPARED = 8  # of the results kept for one size, those that were taken over, or worked out, last


@dataclass(frozen=True, eq=False)
class _Kept:
    """A result, and what it depends on. Its `names` stand for themselves."""

    given: tuple[object, ...]
    queries: tuple[Query, ...]
    known: Mapping[str, KnownOfTensor]
    index_names: Mapping[Axis, tuple[Index, ...]]
    facts: tuple[Fact, ...]
    names: Correspondence
    work: int
    result: Any

    @classmethod
    def of(
        cls, given: tuple[object, ...], scope: Scope, queries: tuple[Query, ...], work: int, result: object
    ) -> _Kept:
        """With what the scope says of all tensors and axes that came up."""
        names = Correspondence()
        names.agrees(given, given)
        for query in queries:
            names.agrees((query.arguments, query.answer), (query.arguments, query.answer))
        known: dict[str, KnownOfTensor] = {}
        index_names: dict[Axis, tuple[Index, ...]] = {}
        while len(known) < len(names.tensors) or len(index_names) < len(names.axes):
            for tensor in [each for each in names.tensors if each not in known]:
                known[tensor] = KnownOfTensor.of(scope, tensor)
                names.agrees(known[tensor], known[tensor])
            for axis in [each for each in names.axes if each not in index_names]:
                index_names[axis] = tuple(scope.index_names.get(axis, ()))
                names.agrees(index_names[axis], index_names[axis])
        facts = FactsByTensor(scope.facts).about(known)
        return cls(given, queries, known, index_names, facts, names, work, result)

    @cached_property
    def is_complete(self) -> bool:
        """Whether no fact speaks of further tensors, and none is computed in turns with others."""
        spoken_of = frozenset[str]().union(*(each.left.tensors | each.right.tensors for each in self.facts))
        in_turns = any(each.is_in_recurrence for each in self.known.values())
        return spoken_of <= self.known.keys() and not in_turns

    @cached_property
    def order(self) -> Order:
        """That of its own names."""
        return order_of(self.names)

    def names_in(
        self, given: tuple[object, ...], scope: Scope, facts: FactsByTensor
    ) -> Correspondence | None:
        """What its names stand for where this is given in this scope; None where it would not come about."""
        names = Correspondence()
        try:
            is_found = (
                names.agrees(self.given, given)
                and all(self._is_answered(query, names, scope) for query in self.queries)
                and all(self._is_known(tensor, names, scope) for tensor in self.known)
                and all(self._is_named(axis, names, scope) for axis in self.index_names)
            )
        except KeyError:  # a name that stands for none yet
            return None
        if not is_found or len(names) != len(self.known) or len(names.axes) != len(self.index_names):
            return None
        about = facts.about(names.tensors.values())
        return names if names.agrees(self.facts, about) and order_of(names) == self.order else None

    @staticmethod
    def _is_answered(query: Query, names: Correspondence, scope: Scope) -> bool:
        return names.agrees(query.answer, query.method(scope, *names.of(query.arguments)))

    def _is_known(self, tensor: str, names: Correspondence, scope: Scope) -> bool:
        return names.agrees(self.known[tensor], KnownOfTensor.of(scope, names[tensor]))

    def _is_named(self, axis: Axis, names: Correspondence, scope: Scope) -> bool:
        return names.agrees(self.index_names[axis], tuple(scope.index_names.get(names.axes[axis], ())))


@dataclass(frozen=True, eq=False)
class _Candidate:
    """A result, what it depends on to be listed when another is first compared with it: most never are."""

    given: tuple[object, ...]
    scope: Scope
    queries: tuple[Query, ...]
    work: int
    result: Any

    @cached_property
    def kept(self) -> _Kept:
        """With what it depends on; a scope never changes."""
        return _Kept.of(self.given, self.scope, self.queries, self.work, self.result)


@dataclass
class Recall:
    """What one derivation has worked out, or several of systems that are much alike."""

    candidates: dict[object, list[_Candidate]] = field(default_factory=dict)
    facts: FactsByTensor = field(default_factory=lambda: FactsByTensor(()))

    def taken_over(
        self,
        given: tuple[object, ...],
        scope: Scope,
        account: Account,
        work_out: Callable[[Scope], Result],
        renamed: Callable[[Result, Correspondence], Result],
    ) -> Result:
        """The result of `work_out`, or of an earlier one in other names.

        It may depend on what is `given`, on the scope and on what is left in the account, and on nothing
        else. The account is charged what the earlier one has cost.
        """
        if is_recursive(scope) or account.budget.is_spent:
            return work_out(scope)
        alike = self.candidates.setdefault((account.left, _size(given)), [])
        for each in _latest(alike):
            names = self._names(each, given, scope) if each.work < account.budget.left else None
            if names is not None:
                alike.remove(each)
                alike.append(each)  # the next layer is most likely to be equal to the same one
                account.charge(each.work)
                result: Result = renamed(each.result, names)
                return result
        watched, left = WatchedScope.watching(scope), account.left
        result = work_out(watched)
        if not account.budget.is_spent:
            alike.append(_Candidate(given, scope, tuple(watched.queries), left - account.left, result))
        return result

    def _names(self, candidate: _Candidate, given: tuple[object, ...], scope: Scope) -> Correspondence | None:
        """What the candidate's names stand for here; all scopes of a derivation have the same facts."""
        if self.facts.facts is not scope.facts:
            self.facts = FactsByTensor(scope.facts)
        return candidate.kept.names_in(given, scope, self.facts)


def _latest(alike: list[_Candidate]) -> list[_Candidate]:
    """The last ones, last first; those that cannot be taken over are dropped on the way to them."""
    found: list[_Candidate] = []
    while alike and len(found) < MOST_COMPARED:
        last = alike.pop()
        if last.kept.is_complete:
            found.append(last)
    alike.extend(reversed(found))
    return found


def _size(given: object) -> object:
    """What equal layers have in common, to look up by."""
    match given:
        case Expression():
            return given.node_count
        case Equation(_, indices, expression):
            return len(indices), expression.node_count
        case tuple():
            return tuple(map(_size, given))
    return given
