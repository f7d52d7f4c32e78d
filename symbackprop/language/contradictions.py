"""Facts that no data obey, found where that is cheap: constants, and linear facts that contradict each other.

Each fact is a linear form of unknowns (elements, sums of them, whatever is not linear), once for every way to
call its free indices by a few names, or by a position that a fact names: P[i,j] == P[j,i] + 1 holds for i = j
too. Elimination row by row then shows the first fact that the ones before it exclude.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice, product
from typing import TypeAlias

from symbackprop.errors import NotationError
from symbackprop.integers.linear import LinearForm, linear_form
from symbackprop.languages.phrases import worded
from symbackprop.notation.arithmetic import add, is_sum, multiply, subtract
from symbackprop.notation.expressions import Axis, Element, Expression, Index, Number, Reduction, Size
from symbackprop.notation.substitution import canonical_bound_names, rewrite_bottom_up, substitute
from symbackprop.systems.printing import fact_text
from symbackprop.systems.system import Fact, System

MOST_INSTANCES = 64
LARGEST_FACT = 200  # nodes
Facts: TypeAlias = Sequence[Fact]
Layouts: TypeAlias = Mapping[str, Sequence[Index]]


def expect_consistent(system: System) -> None:
    """Raise NotationError at the first fact that, with those before it, no data obey."""
    layouts = {name: tensor.indices for name, tensor in system.tensors.items()}
    elimination = _Elimination()
    places = _places(system.facts, layouts)
    for fact in system.facts:
        if fact.left.node_count + fact.right.node_count > LARGEST_FACT:
            continue
        for form in _instances(fact, places):
            against = elimination.contradicted(form, fact)
            if against is not None:
                raise _contradiction(fact, [each for each in against if each is not fact])


def _contradiction(fact: Fact, others: Facts) -> NotationError:
    if not others:
        return NotationError(
            worded("no data obey the fact {fact}", fact=fact_text(fact)),
            place=fact.place,
            remedy=worded("state what holds for the data, or leave the fact out"),
        )
    shown = ", ".join(f"{fact_text(each)} (line {each.place.line if each.place else '?'})" for each in others)
    return NotationError(
        worded("no data obey the fact {fact} and {shown}", fact=fact_text(fact), shown=shown),
        place=fact.place,
        remedy=worded("leave one of them out"),
    )


def _places(facts: Facts, layouts: Layouts) -> Mapping[Axis, tuple[Expression, ...]]:
    """What an index of an axis may be called: as many names as one fact has, and the numbers in positions."""
    found: dict[Axis, dict[Expression, None]] = {}
    for fact in facts:
        free = _free_indices(fact)
        for axis in {index.axis for index in free}:
            number = sum(index.axis == axis for index in free)
            names = [Index(f"{axis.label}#{place}", axis) for place in range(number)]
            found.setdefault(axis, {}).update(dict.fromkeys(names))
        for axis, position in _numbers(fact, layouts):
            found.setdefault(axis, {})[position] = None
    return {axis: tuple(places) for axis, places in found.items()}


def _numbers(fact: Fact, layouts: Layouts) -> Iterator[tuple[Axis, Number]]:
    for side in (fact.left, fact.right):
        for node in side.walk():
            if isinstance(node, Element):
                for position, index in zip(node.positions, layouts[node.tensor], strict=True):
                    if isinstance(position, Number):
                        yield index.axis, position


def _free_indices(fact: Fact) -> list[Index]:
    return sorted(fact.left.free_indices | fact.right.free_indices, key=lambda index: index.name)


def _instances(fact: Fact, places: Mapping[Axis, tuple[Expression, ...]]) -> Iterator[LinearForm]:
    """left - right == 0 at each assignment of names to its free indices."""
    difference = rewrite_bottom_up(subtract(fact.left, fact.right), _spread)
    free = _free_indices(fact)
    for chosen in islice(product(*(places[index.axis] for index in free)), MOST_INSTANCES):
        form = linear_form(substitute(difference, dict(zip(free, chosen, strict=True))))
        named: dict[Expression, Fraction] = {}
        for unknown, value in form.coefficients.items():
            key = canonical_bound_names(unknown)
            named[key] = named.get(key, Fraction(0)) + value
        yield LinearForm({key: value for key, value in named.items() if value}, form.constant)


def _spread(node: Expression) -> Expression:
    """sum(i, 2*f + g + 1) as 2*sum(i, f) + sum(i, g) + size(i)."""
    if not is_sum(node):
        return node
    form = linear_form(node.body)
    sizes = [Size(index.axis) for index in node.indices]
    sums = [
        multiply(Number(value), Reduction("sum", node.indices, unknown))
        for unknown, value in form.coefficients.items()
    ]
    return add(*sums, multiply(Number(form.constant), *sizes))


@dataclass
class _Elimination:
    """Rows in echelon form, each with the unknown that it is solved for and the facts that it came from."""

    rows: dict[Expression, tuple[LinearForm, dict[int, Fact]]] = field(default_factory=dict)

    def contradicted(self, form: LinearForm, fact: Fact) -> Facts | None:
        """The facts behind 0 == c with c not 0, if the form, reduced by the rows so far, says that."""
        behind = {id(fact): fact}
        pending = True
        while pending:
            pending = False
            for unknown in form.coefficients:
                if unknown in self.rows:
                    row, others = self.rows[unknown]
                    form = form.plus(row, -form.coefficient(unknown))
                    behind |= others
                    pending = True
                    break
        if form.coefficients:
            pivot = next(iter(form.coefficients))
            self.rows[pivot] = (form.scaled(1 / form.coefficient(pivot)), behind)
            return None
        return tuple(behind.values()) if form.constant else None
