"""How often each subexpression occurs, up to the names of its indices, and under which conditions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from symbackprop.indexing.packed_rows import reads_packed
from symbackprop.indexing.running import accumulation
from symbackprop.integers.guards import by_itself, guarded_children, reads_inside
from symbackprop.integers.recognition import compares_integers, has_positions
from symbackprop.notation.expressions import (
    Axis,
    Comparison,
    Element,
    Expression,
    Index,
    Logic,
    Reduction,
    Where,
)
from symbackprop.schedule.kinds import Kind
from symbackprop.schedule.named_equations import NamedEquation, kind_of
from symbackprop.schedule.occurrences import core_of, is_position, occurrence, worth_naming
from symbackprop.schedule.solves import linear_system

Conditions: TypeAlias = tuple[Expression, ...]


@dataclass
class Use:
    """How often, and where, a subexpression occurs."""

    count: int = 0
    unguarded: int = 0


@dataclass(frozen=True)
class Provider:
    """The tensor that holds a shared subexpression; `slots` are its axes as places in the key's indices."""

    tensor: str
    slots: tuple[int, ...]

    def element(self, free: tuple[Index, ...]) -> Element:
        """The tensor at the indices of one occurrence."""
        return Element(self.tensor, tuple(free[slot] for slot in self.slots))


@dataclass
class Sharing:
    """What is counted, then named: `axes` are those of each tensor.

    `loop_carried` are the tensors of recurrences, `integers` those that hold some, `taken` the names that a
    temporary must not have. `temporaries` come with the expressions by which they are computed. `running` are
    the masks of sums, or products, that one pass along an axis accumulates.
    """

    axes: Mapping[str, Sequence[Axis]]
    loop_carried: frozenset[str]
    integers: frozenset[str]
    uses: dict[Expression, Use] = field(default_factory=dict)
    providers: dict[Expression, Provider] = field(default_factory=dict)
    temporaries: list[tuple[NamedEquation, Expression]] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    running: set[Expression] = field(default_factory=set)
    guarded: dict[tuple[Expression, Conditions], Expression | None] = field(default_factory=dict)

    def by_itself(self, expression: Expression, conditions: Conditions) -> Expression | None:
        """`guards.by_itself`, found once for what is looked at when it is counted and when it is read."""
        if (expression, conditions) not in self.guarded:
            found = by_itself(expression, self.axes, conditions, self.loop_carried)
            self.guarded[expression, conditions] = found
        return self.guarded[expression, conditions]


def count_uses(expression: Expression, conditions: Conditions, state: Sharing) -> None:
    """Count what is worth naming in an expression, the larger before its parts."""
    core = core_of(expression)
    if core is not None:
        count_uses(core, conditions, state)
        return
    accumulated = accumulation(expression) if isinstance(expression, Reduction) else None
    if accumulated is not None:
        state.running.add(accumulated.mask)
    if worth_naming(expression):
        key = _key_under(expression, conditions, state)
        if key is not None:
            use = state.uses.setdefault(key, Use())
            use.count += 1
            use.unguarded += not conditions
            if use.count > 1:
                return
    system = linear_system(expression)
    parts = _parts(expression, conditions, state) if system is None else ((system.right, conditions),)
    for child, inside in parts:
        if stays_in_sight(child, expression, state):
            _count_in_sight(child, inside, state)
        else:
            count_uses(child, inside, state)


def _count_in_sight(condition: Expression, conditions: Conditions, state: Sharing) -> None:
    """Count the parts of a condition that speak of values alone: the others tell where it is read."""
    if not speaks_of_places(condition, state):
        count_uses(condition, conditions, state)
    elif isinstance(condition, Logic):
        for child, inside in guarded_children(condition, conditions):
            _count_in_sight(child, inside, state)


def speaks_of_places(condition: Expression, state: Sharing) -> bool:
    """Whether a comparison of positions is part of a condition."""
    if isinstance(condition, Logic):
        return any(speaks_of_places(operand, state) for operand in condition.operands)
    return not condition.tensors or compares_integers(condition, state.integers)


def stays_in_sight(part: Expression, where: Expression, state: Sharing) -> bool:
    """Whether a part is a condition that keeps what is read inside, or steps apart, or ends a sum."""
    if not (isinstance(where, Where) and part is where.condition):
        return False
    if where in state.running:
        return True
    branches = (where.chosen, where.otherwise)
    return not where.tensors.isdisjoint(state.loop_carried) or not all(
        reads_inside(branch, state.axes) and not reads_packed(branch) for branch in branches
    )


def is_searched(place: Expression, conditions: Conditions) -> bool:
    """Whether a position is found by comparing numbers, and no guard of it would have to name these alike."""
    return isinstance(place, Reduction) and not any(
        place in condition.walk()
        for condition in conditions
        if not place.tensors.isdisjoint(condition.tensors)
    )


def _parts(
    expression: Expression, conditions: Conditions, state: Sharing
) -> Iterator[tuple[Expression, tuple[Expression, ...]]]:
    """The children to look at; of where(c, f, 0) those of f, where f by itself is that `where` again."""
    for child, inside in guarded_children(expression, conditions):
        if is_place(child, expression, state):
            if is_searched(child, inside):  # what is compared to find the place is of numbers again
                yield from guarded_children(child, inside)
            continue
        if state.by_itself(child, inside) == expression:
            yield from guarded_children(child, inside)
        else:
            yield child, inside


def _key_under(expression: Expression, conditions: Conditions, state: Sharing) -> Expression | None:
    """The key of an expression with the guard that it needs by itself; None where it has none."""
    guarded = named_by_itself(expression, conditions, state)
    return None if guarded is None else occurrence(guarded)[0]


def named_by_itself(expression: Expression, conditions: Conditions, state: Sharing) -> Expression | None:
    """What may be named: the expression, under a guard where it needs one.

    A mask under a guard is no mask, and a position is no number.
    """
    guarded = state.by_itself(expression, conditions)
    is_mask = kind_of(expression) is Kind.BOOLEAN
    if (is_mask and guarded != expression) or is_position(expression, state.integers):
        return None
    return guarded


def is_place(child: Expression, parent: Expression, state: Sharing) -> bool:
    """Whether a child is a position: a temporary would make a real number of an integer."""
    compares = isinstance(parent, Comparison) and compares_integers(parent, state.integers)
    return compares or has_positions(parent)
