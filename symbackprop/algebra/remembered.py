"""Searches made once for all that is equal up to names: in this run, and in later ones.

What an earlier run has stored is certified as every form that SymPy proposes is, and has to keep its digits;
otherwise it is searched for again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache

from symbackprop.algebra.certificate import is_certified
from symbackprop.algebra.digits import keeps_digits
from symbackprop.algebra.quotients import is_small, multiplied
from symbackprop.algebra.rational import RationalSearch, Relation
from symbackprop.algebra.scalar_algebra import ScalarBridge
from symbackprop.notation.arithmetic import add, terms_of
from symbackprop.notation.expressions import Axis, Element, Expression, Index, Reduction, Size
from symbackprop.notation.matrix_functions import MatrixFunction
from symbackprop.storage.folder import store, stored
from symbackprop.storage.spelled import read_expression, spelled
from symbackprop.systems.printing import text


@dataclass
class Anonymous:
    """Numbers tensors, indices and axes in order of first appearance, and gives the names back."""

    tensors: dict[str, str] = field(default_factory=dict)
    axes: dict[Axis, Axis] = field(default_factory=dict)
    indices: dict[Index, Index] = field(default_factory=dict)

    def hide(self, expression: Expression) -> Expression:
        """The expression with numbers for names."""
        match expression:
            case Index():
                return self._index(expression)
            case Size(axis):
                return Size(self._axis(axis))
            case Element(tensor, positions, values):
                name = self.tensors.setdefault(tensor, f"t{len(self.tensors)}")
                hidden_values = None if values is None else self._axis(values)
                return Element(name, tuple([self.hide(position) for position in positions]), hidden_values)
            case MatrixFunction(kind, tensor, axis, batch, positions):
                name = self.tensors.setdefault(tensor, f"t{len(self.tensors)}")
                hidden = [tuple([self.hide(each) for each in part]) for part in (batch, positions)]
                return MatrixFunction(kind, name, self._axis(axis), *hidden)
            case Reduction(kind, bound, body):
                return Reduction(kind, tuple([self._index(index) for index in bound]), self.hide(body))
        return expression.with_children(tuple([self.hide(child) for child in expression.children]))

    def _axis(self, axis: Axis) -> Axis:
        if axis not in self.axes:
            # What relations say of its size stays: proofs need it.
            formula = self.hide(axis.formula) if axis.formula is not None else None
            self.axes[axis] = Axis(f"A{len(self.axes)}", f"i{len(self.axes)}", formula=formula)
        return self.axes[axis]

    def _index(self, index: Index) -> Index:
        if index not in self.indices:
            self.indices[index] = Index(f"i{len(self.indices)}", self._axis(index.axis))
        return self.indices[index]

    def restore(self) -> Anonymous:
        """The way back: an Anonymous that puts the old names in the place of the numbers."""
        return Anonymous(
            {number: name for name, number in self.tensors.items()},
            {number: axis for axis, number in self.axes.items()},
            {number: index for index, number in self.indices.items()},
        )


def found_by_search(
    expression: Expression, relations: tuple[Relation, ...], most_work: int
) -> tuple[Expression, int]:
    """The cheapest form under the relations, and what finding it has cost; the same whatever the names."""
    names = Anonymous()
    hidden = names.hide(expression)
    hidden_relations = tuple(
        [Relation(names.hide(relation.known), names.hide(relation.formula)) for relation in relations]
    )
    spelling = "; ".join(text(part) for part in (hidden, *(each.formula for each in hidden_relations)))
    found, work = _search(hidden, hidden_relations, spelling, most_work)
    return expression if found == hidden else names.restore().hide(found), work


@lru_cache(maxsize=4096)
def _search(
    expression: Expression, relations: tuple[Relation, ...], spelling: str, most_work: int
) -> tuple[Expression, int]:
    """What is found and what it has cost, remembered by spelling too.

    Equality forgets the order of terms, the result has one.
    """
    asked = (expression, *((each.known, each.formula) for each in relations))
    question = json.dumps(["cheapest form", most_work, spelled(asked)])
    known = _certified(stored(question), expression, relations)
    if known is not None:
        return known
    search = RationalSearch(expression, relations, most_work=most_work)
    found = search.cheapest()
    store(question, [spelled(found), search.work])
    return found, search.work


def _certified(
    answer: object, expression: Expression, relations: tuple[Relation, ...]
) -> tuple[Expression, int] | None:
    """What has been stored, where it is equal to the expression and loses no digits."""
    match answer:
        case [list(lists), int(work)] if work >= 0:
            try:
                found = read_expression(lists)
            except ValueError:
                return None
            if found.is_identical(expression):
                return expression, work
            equalities = [(each.known, each.formula) for each in relations]
            if is_certified(expression, found, equalities) and keeps_digits(found, expression, equalities):
                return found, work
    return None


def multiplied_out(
    expression: Expression, closed: frozenset[Expression] = frozenset()
) -> tuple[Expression, ...]:
    """The terms after multiplying out every product of sums; a single one where that is too much.

    The sums in `closed` stay as they are.
    """
    names = Anonymous()
    hidden = names.hide(expression)
    kept = tuple([names.hide(each) for each in dict.fromkeys(expression.walk()) if each in closed])
    terms = _terms(hidden, kept, text(hidden))
    back = names.restore()
    return tuple([back.hide(each) for each in terms])


@lru_cache(maxsize=4096)
def _terms(expression: Expression, closed: tuple[Expression, ...], spelling: str) -> tuple[Expression, ...]:
    question = json.dumps(["multiplied out", spelled((expression, closed))])
    answer = stored(question)
    try:
        known = tuple(map(read_expression, answer)) if isinstance(answer, list) else ()
    except ValueError:
        known = ()
    if known and is_certified(expression, add(*known)):
        return known
    bridge = ScalarBridge({each: each for each in closed})
    bridge.learn_roots(expression)
    translated = bridge.to_sympy(expression)
    terms = terms_of(bridge.from_sympy(multiplied(translated))) if is_small(translated) else (expression,)
    store(question, [spelled(each) for each in terms])
    return terms


def forget() -> None:
    """Empty the memory of this run."""
    _search.cache_clear()
    _terms.cache_clear()
