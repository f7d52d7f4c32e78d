"""Blocks of equations that follow one another and are equal but for names, as the layers of a deep network.

Equations have one shape where they are equal but for the names of tensors. A chain of blocks is a stretch of
a system in which each equation has the shape of the one a block further on, and each name goes over into one
other all along it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from symbackprop.notation.expressions import Element, Expression, Index
from symbackprop.notation.matrix_functions import MatrixFunction
from symbackprop.notation.substitution import rename_tensors
from symbackprop.systems.system import Equation, Role, System

MOST_PERIODS = 8  # that are tried, those first at which the most equations come again


@dataclass(frozen=True)
class Shape:
    """What equations have in common that are equal but for names.

    `expression` is the right-hand side with one name for all tensors; of each tensor that the equation
    mentions, its own first, `first_mentions` has the place at which the name comes first.
    """

    indices: tuple[Index, ...]
    expression: Expression
    first_mentions: tuple[int, ...]


@dataclass(frozen=True)
class Chain:
    """`count` blocks of `length` equations each, from the place `first` on; a name's `next` is a block on."""

    first: int
    length: int
    count: int
    next: Mapping[str, str]

    def block(self, number: int) -> range:
        """The places of a block's equations."""
        return range(self.first + number * self.length, self.first + (number + 1) * self.length)


def longest_chain(equations: Sequence[Equation]) -> Chain | None:
    """The chain with the most equations beyond its first block; None where nothing comes again."""
    shapes = _numbers(tuple(map(shape_of, equations)))
    names = tuple(map(mentioned, equations))
    chains = [_chain(shapes, names, period) for period in _periods(shapes)]
    return max(filter(None, chains), key=lambda each: (each.count - 1) * each.length, default=None)


def with_three_blocks(system: System, chain: Chain) -> System | None:
    """The system with the chain's first two blocks and its last; None as for `with_few_blocks`."""
    return with_few_blocks(system, chain, 2)


def with_few_blocks(system: System, chain: Chain, first: int) -> System | None:
    """The system with so many of the chain's first blocks and its last, which goes on from them.

    None where others than the next block read what is left out, or facts speak of it.
    """
    left_out = range(chain.block(first).start, chain.block(chain.count - 1).start)
    dropped = {system.equations[place].tensor for place in left_out}
    names = _blocks_before(chain, dropped, chain.count - 1 - first)
    kept: list[Equation] = []
    for place, equation in enumerate(system.equations):
        if place in left_out:
            continue
        if place in chain.block(chain.count - 1):
            equation = replace(equation, expression=rename_tensors(equation.expression, names))
        kept.append(equation)
    read = {name for equation in kept for name in equation.reads}
    read_before = {name for place in left_out for name in system.equations[place].reads}
    declared = {name for name, each in system.tensors.items() if each.role is not Role.DERIVED}
    dropped |= (read_before & declared) - read
    spoken_of = {*system.read_by_facts, *(each.tensor for each in system.positive_definite), system.loss}
    if not dropped.isdisjoint(read | spoken_of):
        return None
    tensors = {name: each for name, each in system.tensors.items() if name not in dropped}
    fewer = replace(system, tensors=tensors, equations=tuple(kept))
    return fewer if fewer.with_used_axes().axes == system.with_used_axes().axes else None


def _blocks_before(chain: Chain, dropped: set[str], count: int) -> dict[str, str]:
    """What the last block reads instead of names that are left out: those of so many blocks before."""
    before = {there: here for here, there in chain.next.items()}
    found: dict[str, str] = {}
    for name in dropped:
        other: str | None = name
        for _ in range(count):
            other = None if other is None else before.get(other)
        if other is not None and other not in dropped:
            found[name] = other
    return found


def _chain(shapes: Sequence[int], names: Sequence[tuple[str, ...]], period: int) -> Chain | None:
    """The longest chain of blocks of that many equations."""
    best: Chain | None = None
    start = 0
    while start + 2 * period <= len(shapes):
        stop, following = _stretch(shapes, names, start, period)
        count = (stop - start) // period + 1
        if count > 1 and (best is None or count > best.count):
            best = Chain(start, period, count, following)
        start = max(stop, start + 1)
    return best


def _stretch(
    shapes: Sequence[int], names: Sequence[tuple[str, ...]], start: int, period: int
) -> tuple[int, dict[str, str]]:
    """Up to where equations from the start on come again a period later, and what the names become there."""
    following: dict[str, str] = {}
    before: dict[str, str] = {}
    for place in range(start, len(shapes) - period):
        pairs = dict(zip(names[place], names[place + period], strict=False))
        is_next = shapes[place] == shapes[place + period] and all(
            following.get(here, there) == there and before.get(there, here) == here
            for here, there in pairs.items()
        )
        if not is_next:
            return place, following
        following |= pairs
        before |= {there: here for here, there in pairs.items()}
    return len(shapes) - period, following


def _periods(shapes: Sequence[int]) -> list[int]:
    """How far apart equations of one shape stand, the most frequent distance first."""
    last: dict[int, int] = {}
    found: Counter[int] = Counter()
    for place, shape in enumerate(shapes):
        if shape in last:
            found[place - last[shape]] += 1
        last[shape] = place
    return [period for period, _ in found.most_common(MOST_PERIODS)]


def mentioned(equation: Equation) -> tuple[str, ...]:
    """Every tensor that an equation mentions, as often as it does, its own first."""
    nodes = equation.expression.walk()
    return (equation.tensor, *(node.tensor for node in nodes if isinstance(node, Element | MatrixFunction)))


def without_names(equation: Equation) -> Expression:
    """An equation's right-hand side with one name for all tensors."""
    return rename_tensors(equation.expression, dict.fromkeys(equation.expression.tensors, ""))


def shape_of(equation: Equation) -> Shape:
    """The same for equations that are equal but for names."""
    names = mentioned(equation)
    return Shape(equation.indices, without_names(equation), tuple(map(names.index, names)))


def _numbers(shapes: Sequence[Shape]) -> tuple[int, ...]:
    found: dict[Shape, int] = {}
    return tuple([found.setdefault(each, len(found)) for each in shapes])
