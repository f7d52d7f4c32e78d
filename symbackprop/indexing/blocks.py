"""Axes that are blocks side by side, K = 4*H: what is chosen by the block is an expression for each block.

    where(a < size(h), f[a], 0) + where(a - size(h) >= 0, g[a - size(h)], 0), a over 2*H places,

is f[h] at the places h, and g[h] at the places size(h) + h. A block of H*E places is counted through by h and
e where the expression speaks of these digits, floor(a/size(e)) and mod(a, size(e)).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

from symbackprop.indexing.counting import block_axis, size_of
from symbackprop.indexing.digits import digits_counted, digits_of, in_digits, number_of
from symbackprop.indexing.padding import not_negative
from symbackprop.indexing.places import affine
from symbackprop.indexing.windows import simplified
from symbackprop.integers.base_sizes import related_form, with_formulas
from symbackprop.integers.bounds import conjunction, conjuncts, lower_bound, unproved_bounds
from symbackprop.integers.guards import always_holds
from symbackprop.integers.linear import constant_form, linear_form
from symbackprop.integers.mixed_radix import bound_of_number, single_digit, without_multiples
from symbackprop.integers.recognition import is_integer
from symbackprop.notation.arithmetic import add, is_sum, normalised, subtract
from symbackprop.notation.expressions import (
    ZERO,
    Add,
    Axis,
    Comparison,
    Element,
    Expression,
    Index,
    Number,
    Size,
    Where,
)
from symbackprop.notation.fresh_names import numbered_name
from symbackprop.notation.substitution import fresh_index, indices_in, rewrite_bottom_up, substitute
from symbackprop.systems.system import Equation

MOST_BLOCKS = 16


@dataclass(frozen=True)
class Block:
    """What an expression is where `split` is start + index; an axis of its own has as many places.

    Without such an axis `index` runs over an extent and counts in the mixed radix of `digits`.
    """

    split: Index
    start: Expression
    index: Index
    expression: Expression
    digits: tuple[Index, ...] = ()

    @property
    def indices(self) -> tuple[Index, ...]:
        """Those that run over axes of the model: the index, or its digits."""
        return self.digits or (self.index,)

    @property
    def place(self) -> Expression:
        """Where the block's indices stand along the axis that is split."""
        return linear_form(add(self.start, number_of(self.indices))).expression()

    @property
    def counted(self) -> Expression:
        """The expression in the block's indices."""
        return in_digits(self.expression, self.index, self.digits) if self.digits else self.expression

    def within(self, indices: Sequence[Index]) -> tuple[Index, ...]:
        """These indices, with the block's own in the place of the axis that is split."""
        return tuple(chain(*(self.indices if each == self.split else (each,) for each in indices)))

    def element(self, equation: Equation) -> Expression:
        """What an equation computes for the block, under the bounds that are not proved of its place."""
        place = linear_form(subtract(self.split, self.start)).expression()
        if not self.digits:
            read = substitute(equation.element, {self.index: place})
            return Where(conjunction(unproved_bounds(place, self.index.axis)), read, ZERO)
        bounds = lower_bound(place), Comparison("<", place, size_of(self.index.axis))
        read = substitute(
            equation.element, dict(zip(self.digits, digits_of(place, self.digits), strict=True))
        )
        return Where(conjunction([bound for bound in bounds if not always_holds(bound)]), read, ZERO)


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
        if index.axis.formula is not None or index.axis.size is not None:
            found = tuple(_blocks(expression, index, tuple(axes), indices))
            if sum(block.expression != ZERO for block in found) > 1:
                return found
    return ()


def blocks_read(expression: Expression, indices: Sequence[Index]) -> tuple[Block, ...]:
    """The blocks, where each is an element that is read, or a number; () without any."""
    found = blocks_of(expression, indices)
    return found if all(isinstance(block.expression, Element | Number) for block in found) else ()


def names_for_blocks(
    equation: Equation, taken: set[str], axes: Iterable[Axis] = (), steps: Collection[Index] = ()
) -> tuple[Equation, ...]:
    """An equation for each block that is not 0, in order; their names are added to `taken`.

    A block is as long as an axis that the equation speaks of, or one of `axes`. An index that counts the
    `steps` of a recurrence is not split: a block of steps would be needed before it is whole.
    """
    found: list[Equation] = []
    for block in blocks_of(equation.expression, equation.indices, axes):
        if block.expression != ZERO and block.split not in steps:
            name = numbered_name(f"{equation.tensor}_block", taken)
            taken.add(name)
            found.append(Equation(name, block.within(equation.indices), block.counted))
    return tuple(found)


def read_by_block(
    expression: Expression, indices: Sequence[Index], named: Sequence[Equation]
) -> Expression | None:
    """The expression as the sum of its blocks, each read by its name; None where they are not named so."""
    axes = [index.axis for equation in named for index in equation.indices]
    blocks = [block for block in blocks_of(expression, indices, axes) if block.expression != ZERO]
    stated = [(block.within(indices), block.counted) for block in blocks]
    if not blocks or stated != [(each.indices, each.expression) for each in named]:
        return None
    return add(*(block.element(equation) for block, equation in zip(blocks, named, strict=True)))


def _blocks(
    expression: Expression, split: Index, axes: Sequence[Axis], beside: Sequence[Index]
) -> Iterator[Block]:
    cuts = _in_order(_cuts(expression, split))
    avoid = {split, *beside, *indices_in(expression)}
    found: list[Block] = []
    start: Expression = ZERO
    for first, stop in pairwise(cuts):
        length = subtract(stop, first)
        axis = _axis_with(length, expression, split, axes)
        index = fresh_index(
            Index(split.name, block_axis(split.axis, length)) if axis is None else Index(axis.label, axis),
            avoid,
        )
        moved = substitute(expression, {split: linear_form(add(first, index)).expression()})
        counted = rewrite_bottom_up(moved, _counted_node)
        decided = rewrite_bottom_up(simplified(counted), _without_zeros)
        wheres = (node for node in decided.walk() if isinstance(node, Where))
        if any(index in node.condition.free_indices for node in wheres):
            return
        digits = () if axis is not None else digits_counted(decided, index, length, split.axis, avoid)
        if digits is None:
            return
        found.append(Block(split, start, index, decided, digits))
        start = linear_form(add(start, size_of(index.axis))).expression()  # in the sizes of the blocks
    yield from found


def _counted_node(node: Expression) -> Expression:
    """Digits of a place in a block without what blocks before it add, and i for mod(i, size(i))."""
    return single_digit(node) or without_multiples(_cancelled(node))


def _without_zeros(node: Expression) -> Expression:
    """The node put together again: what another block alone adds to a sum is 0, and so is its sum."""
    return ZERO if is_sum(node) and node.body == ZERO else normalised(node)


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
        if any(_are_equal(cut, other) for other in found):
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
    """An axis of that many places: one that the expression or its sizes' relation speaks of, or another.

    A number may be that of other axes by chance. It is the size of the one axis that is related to others, or
    that the conditions on the place along the split axis speak of.
    """
    if not related_form(length).coefficients:
        related = [axis for axis in others if axis.formula is not None]
        told = dict.fromkeys((*_axes_of_conditions(expression, split), *related))
        equal = [axis for axis in told if axis != split.axis and _are_equal(Size(axis), length)]
        return equal[0] if len(equal) == 1 else None
    nodes = chain(with_formulas(expression), with_formulas(split))
    axes = dict.fromkeys(chain((node.axis for node in nodes if isinstance(node, Index | Size)), others))
    return next((axis for axis in axes if _are_equal(Size(axis), length)), None)


def _axes_of_conditions(expression: Expression, split: Index) -> tuple[Axis, ...]:
    """The axes whose sizes bound a place along the split axis: H of k - 5 < size(h)."""
    conditions = (node.condition for node in expression.walk() if isinstance(node, Where))
    parts = (part for condition in conditions for part in conjuncts(condition))
    told = (part for part in parts if part.free_indices == {split} and not part.tensors)
    return tuple(dict.fromkeys(node.axis for part in told for node in part.walk() if isinstance(node, Size)))


def _are_equal(one: Expression, other: Expression) -> bool:
    return related_form(one) == related_form(other)
