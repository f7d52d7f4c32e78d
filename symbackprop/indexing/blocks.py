"""Axes that are blocks side by side, K = 4*H: what is chosen by the block is an expression for each block.

    where(a < size(h), f[a], 0) + where(a - size(h) >= 0, g[a - size(h)], 0), a over 2*H places,

is f[h] at the places h, and g[h] at the places size(h) + h.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

from symbackprop.indexing.padding import not_negative
from symbackprop.indexing.places import affine
from symbackprop.indexing.windows import simplified
from symbackprop.integers.base_sizes import related_form, with_formulas
from symbackprop.integers.bounds import conjunction, conjuncts, unproved_bounds
from symbackprop.integers.guards import always_holds
from symbackprop.integers.linear import constant_form, linear_form
from symbackprop.integers.mixed_radix import bound_of_number, without_multiples
from symbackprop.integers.recognition import is_integer
from symbackprop.notation.arithmetic import add, normalised, subtract
from symbackprop.notation.expressions import (
    ZERO,
    Add,
    Axis,
    Comparison,
    Expression,
    Index,
    Reduction,
    Size,
    Where,
)
from symbackprop.notation.fresh_names import numbered_name
from symbackprop.notation.substitution import fresh_index, rewrite_bottom_up, substitute
from symbackprop.systems.system import Equation

MOST_BLOCKS = 16


@dataclass(frozen=True)
class Block:
    """What an expression is where `split` is start + index; an axis of its own has as many places."""

    split: Index
    start: Expression
    index: Index
    expression: Expression

    def within(self, indices: Sequence[Index]) -> tuple[Index, ...]:
        """These indices, with the block's own in the place of the axis that is split."""
        return tuple([self.index if each == self.split else each for each in indices])


def blocks_of(
    expression: Expression, indices: Sequence[Index], axes: Iterable[Axis] = ()
) -> tuple[Block, ...]:
    """The blocks along one of the indices, in order, whose `where`s leave none of them open; () without any.

    They reach every place of the index. Two at least are not 0. A block's own index runs over an axis that
    the expression speaks of, or over one of `axes`.
    """
    if not any(isinstance(node, Where) for node in expression.walk()):
        return ()
    for index in indices:
        if index.axis.formula is not None:
            found = tuple(_blocks(expression, index, tuple(axes), indices))
            if sum(block.expression != ZERO for block in found) > 1:
                return found
    return ()


def names_for_blocks(equation: Equation, taken: set[str], axes: Iterable[Axis] = ()) -> tuple[Equation, ...]:
    """An equation for each block that is not 0, in order; their names are added to `taken`.

    A block is as long as an axis that the equation speaks of, or one of `axes`.
    """
    found: list[Equation] = []
    for block in blocks_of(equation.expression, equation.indices, axes):
        if block.expression != ZERO:
            name = numbered_name(f"{equation.tensor}_block", taken)
            taken.add(name)
            found.append(Equation(name, block.within(equation.indices), block.expression))
    return tuple(found)


def read_by_block(
    expression: Expression, indices: Sequence[Index], named: Sequence[Equation]
) -> Expression | None:
    """The expression as the sum of its blocks, each read by its name; None where they are not named so."""
    axes = [index.axis for equation in named for index in equation.indices]
    blocks = [block for block in blocks_of(expression, indices, axes) if block.expression != ZERO]
    stated = [(block.within(indices), block.expression) for block in blocks]
    if not blocks or stated != [(each.indices, each.expression) for each in named]:
        return None
    chosen: list[Expression] = []
    for block, equation in zip(blocks, named, strict=True):
        place = linear_form(subtract(block.split, block.start)).expression()
        bounds = unproved_bounds(place, block.index.axis)
        read = substitute(equation.element, {block.index: place})
        chosen.append(Where(conjunction(bounds), read, ZERO))
    return add(*chosen)


def _blocks(
    expression: Expression, split: Index, axes: Sequence[Axis], beside: Sequence[Index]
) -> Iterator[Block]:
    cuts = _in_order(_cuts(expression, split))
    avoid = {split, *beside, *_indices_in(expression)}
    found: list[Block] = []
    start: Expression = ZERO
    for first, stop in pairwise(cuts):
        axis = _axis_with(subtract(stop, first), expression, split, axes)
        if axis is None:
            return
        index = fresh_index(Index(axis.label, axis), avoid)
        moved = substitute(expression, {split: linear_form(add(first, index)).expression()})
        counted = rewrite_bottom_up(moved, lambda node: without_multiples(_cancelled(node)))
        decided = rewrite_bottom_up(simplified(counted), normalised)
        wheres = (node for node in decided.walk() if isinstance(node, Where))
        if any(index in node.condition.free_indices for node in wheres):
            return
        found.append(Block(split, start, index, decided))
        start = linear_form(add(start, Size(axis))).expression()  # the cut, in the sizes of the blocks
    yield from found


def _cancelled(node: Expression) -> Expression:
    """A sum of integers whose terms cancel by the relation of sizes: h of h + 2*G*H - 2*D with D = G*H."""
    if not (isinstance(node, Add) and is_integer(node)):
        return node
    form = related_form(node)
    return form.expression() if len(form.coefficients) < len(linear_form(node).coefficients) else node


def _cuts(expression: Expression, split: Index) -> Iterator[Expression]:
    """Where the `where`s say that a block begins or ends; the ends of the axis."""
    yield ZERO
    yield Size(split.axis)
    conditions = (node.condition for node in expression.walk() if isinstance(node, Where))
    for part in (part for condition in conditions for part in conjuncts(condition)):
        bound = not_negative(part)
        found = affine(bound_of_number(linear_form(bound)).expression()) if bound is not None else None
        if found is not None and found.indices == (split,):
            if found.factor(split) == 1:
                yield found.start.scaled(-1).expression()
            elif found.factor(split) == -1:
                yield found.start.plus(constant_form(1)).expression()


def _in_order(cuts: Iterable[Expression]) -> list[Expression]:
    """The cuts from the first to the last, each once; none where it is not known which comes first."""
    found: list[Expression] = []
    for cut in cuts:
        if any(related_form(cut) == related_form(other) for other in found):
            continue
        place = sum(_is_below(other, cut) for other in found)
        if not all(_is_below(cut, other) for other in found[place:]) or len(found) == MOST_BLOCKS:
            return []
        found.insert(place, cut)
    return found


def _is_below(one: Expression, other: Expression) -> bool:
    return always_holds(Comparison("<=", one, other))


def _axis_with(
    length: Expression, expression: Expression, split: Index, others: Sequence[Axis]
) -> Axis | None:
    """An axis of that many places: one that the expression or its sizes' relation speaks of, or another."""
    nodes = chain(with_formulas(expression), with_formulas(split))
    axes = dict.fromkeys(chain((node.axis for node in nodes if isinstance(node, Index | Size)), others))
    return next((axis for axis in axes if related_form(Size(axis)) == related_form(length)), None)


def _indices_in(expression: Expression) -> Iterator[Index]:
    for node in expression.walk():
        if isinstance(node, Index):
            yield node
        elif isinstance(node, Reduction):
            yield from node.indices
