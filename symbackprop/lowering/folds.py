"""An index of the result that is read in two parts, floor(c/m) and mod(c, m), as two indices: a reshape.

y[n,c] = f[n,floor(c/3)]*g[mod(c, 3)] is z[n,g,h] = f[n,g]*g[h], its last two axes merged. Where the
relation of the sizes gives c's axis just the places of both, c may be read whole too: x[c] is x[3*g + h].
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass

from symbackprop.array.layout import layout_of
from symbackprop.array.slices import Item, Refold, Span, Whole, selected
from symbackprop.array.value import Value
from symbackprop.array.views import filled
from symbackprop.array.whole_numbers import whole_number
from symbackprop.indexing.counting import Extent, extent, size_of
from symbackprop.integers.base_sizes import related_form
from symbackprop.integers.guards import always_holds
from symbackprop.integers.linear import linear_form
from symbackprop.integers.mixed_radix import Digit, digit_of
from symbackprop.integers.recognition import is_integer
from symbackprop.notation.arithmetic import add, multiply, power
from symbackprop.notation.expressions import (
    MINUS_ONE,
    ONE,
    Apply,
    Axis,
    Comparison,
    Element,
    Expression,
    Index,
    Number,
    Size,
)
from symbackprop.notation.substitution import fresh_index, rewrite_bottom_up, substitute

Indices = tuple[Index, ...]
# Remainders by larger numbers are an axis of their own.
MOST_REMAINDERS = 4


@dataclass(frozen=True)
class Fold:
    """An index that stands for two: its quotient and its remainder by the size of the remainder's axis."""

    index: Index
    quotient: Index
    remainder: Index


def folds_of(expression: Expression, order: Indices, own: Mapping[str, Indices]) -> list[Fold]:
    """The indices of the result that are read in two parts; with declared sizes, as a whole beside that."""
    found: list[Fold] = []
    avoid = {node for node in expression.walk() if isinstance(node, Index)}
    for index in order:
        fold = (
            _fold(expression, index, own, avoid)
            or _counted_fold(expression, index, avoid)
            or _fold_of_last_digit(expression, index, avoid)
        )
        if fold is not None:
            found.append(fold)
            avoid |= {fold.quotient, fold.remainder}
    return found


def short_folds(expression: Expression, order: Indices, own: Mapping[str, Indices]) -> list[Fold]:
    """The folds of the result's indices by small numbers, where the last index has one.

    NumPy's innermost loop would run over the remainder, a few places long. None for what is no arithmetic.
    """
    if isinstance(expression, Element | Number) or not order:
        return []
    folds = folds_of(expression, order, own)
    steps = [fold.remainder.axis for fold in folds]
    small = all(isinstance(step, Extent) and 0 < (step.size or 0) <= MOST_REMAINDERS for step in steps)
    return folds if small and order[-1] in [fold.index for fold in folds] else []


def _counted_fold(expression: Expression, index: Index, avoid: Set[Index]) -> Fold | None:
    """The fold of an index by the one number that it is divided by, where that divides its axis' size."""
    divisors = {_divisor(node, index) for node in expression.walk() if isinstance(node, Apply)} - {None}
    if len(divisors) != 1 or index.axis.size is None:
        return None
    (divisor,) = divisors
    if not isinstance(divisor, Number) or index.axis.size % divisor.value:
        return None
    quotient = fresh_index(
        Index(index.name, extent(index.axis, Number(index.axis.size / divisor.value))), avoid
    )
    remainder = fresh_index(Index(index.name, extent(index.axis, divisor)), {*avoid, quotient})
    return Fold(index, quotient, remainder)


def _fold_of_last_digit(expression: Expression, index: Index, avoid: Set[Index]) -> Fold | None:
    """The fold of an index that is read in three digits or more: its last digit, and the number before it.

    None for a single element, whose digits are seen together: one reshape.
    """
    if isinstance(expression, Element):
        return None
    nodes = (node for node in expression.walk() if isinstance(node, Apply))
    digits = [digit for digit in map(digit_of, nodes) if digit is not None and digit.base == index]
    lasts = {digit.radix for digit in digits if digit.unit == ONE} - {None}
    if len(lasts) != 1 or not any(digit.unit != ONE and digit.radix is not None for digit in digits):
        return None
    (radix,) = lasts
    assert radix is not None
    count = _divided(related_form(size_of(index.axis)).expression(), related_form(radix).expression())
    if count is None:
        return None
    quotient = fresh_index(Index(index.name, extent(index.axis, count)), avoid)
    axis = radix.axis if isinstance(radix, Size) else extent(index.axis, radix)
    remainder = fresh_index(Index(axis.label, axis), {*avoid, quotient})
    fold = Fold(index, quotient, remainder)
    return fold if index not in _with_parts(expression, fold).free_indices else None


def _divided(number: Expression, divisor: Expression) -> Expression | None:
    """The quotient of products of whole numbers and sizes, where it is one too."""
    quotient = multiply(number, power(divisor, MINUS_ONE))
    return quotient if is_integer(quotient) else None


def _fold(expression: Expression, index: Index, own: Mapping[str, Indices], avoid: Set[Index]) -> Fold | None:
    axes: dict[str, set[Index]] = {"floor": set(), "mod": set()}
    divisors: set[Expression] = set()
    for element in (node for node in expression.walk() if isinstance(node, Element)):
        for position, axis in zip(element.positions, own[element.tensor], strict=True):
            divisor = _divisor(position, index)
            if divisor is not None and isinstance(position, Apply):
                axes[position.function].add(Index(axis.axis.label, axis.axis))
                divisors.add(divisor)
    if len(divisors) != 1:
        return None
    (divisor,) = divisors
    if not axes["mod"] and isinstance(divisor, Size):
        axes["mod"].add(Index(divisor.axis.label, divisor.axis))
    if not len(axes["floor"]) == len(axes["mod"]) == 1:
        return None
    quotient = fresh_index(axes["floor"].pop(), avoid)
    remainder = fresh_index(axes["mod"].pop(), {*avoid, quotient})
    same = related_form(size_of(remainder.axis)) == related_form(divisor)
    fold = Fold(index, quotient, remainder)
    is_apart = index not in _with_parts(expression, fold).free_indices
    return fold if same and (_is_covered(fold) if is_apart else _is_exact(fold)) else None


def _is_exact(fold: Fold) -> bool:
    """Whether the two indices reach every place of the folded one, and no other."""
    reached = multiply(size_of(fold.quotient.axis), size_of(fold.remainder.axis))
    return related_form(reached) == related_form(size_of(fold.index.axis))


def _is_covered(fold: Fold) -> bool:
    """Whether the two indices reach every place of the folded one."""
    reached = multiply(size_of(fold.quotient.axis), size_of(fold.remainder.axis))
    enough = Comparison(">=", linear_form(reached).expression(), size_of(fold.index.axis))
    return always_holds(enough)


def _divisor(position: Expression, index: Index) -> Expression | None:
    """m of floor(c/m) or mod(c, m), a size or a whole number."""
    match position:
        case Apply("mod", (number, Number(value) as divisor)) if number == index:
            return divisor if value > 0 else None
        case Apply("mod", (number, Size() as divisor)) if number == index:
            return divisor
        case Apply("floor", (quotient,)):
            form = linear_form(quotient)
            if len(form.coefficients) == 1 and not form.constant and form.coefficient(index) > 0:
                whole = 1 / form.coefficient(index)
                return Number(whole) if whole.denominator == 1 else None
            sizes = [node for node in quotient.walk() if isinstance(node, Size)]
            if len(sizes) == 1 and linear_form(multiply(quotient, sizes[0])) == linear_form(index):
                return sizes[0]
    return None


def unfolded(expression: Expression, fold: Fold) -> Expression:
    """The expression with the two indices in place of the folded one and its parts."""
    whole = add(multiply(size_of(fold.remainder.axis), fold.quotient), fold.remainder)
    return substitute(_with_parts(expression, fold), {fold.index: linear_form(whole).expression()})


def _with_parts(expression: Expression, fold: Fold) -> Expression:
    """The expression with the two parts by their indices; a part by another number stays: mod(c, 2)."""
    parts = {"floor": fold.quotient, "mod": fold.remainder}
    radix = related_form(size_of(fold.remainder.axis))

    def change(node: Expression) -> Expression:
        divisor = _divisor(node, fold.index) if isinstance(node, Apply) else None
        if divisor is None or related_form(divisor) != radix:
            return _with_digit_of_quotient(node, fold)
        assert isinstance(node, Apply)
        return parts[node.function]

    return rewrite_bottom_up(expression, change)


def _with_digit_of_quotient(node: Expression, fold: Fold) -> Expression:
    """floor(q/n) for floor(c/(m*n)), where c is folded by m to q; anything else as it stands."""
    digit = digit_of(node)
    if digit is None or digit.base != fold.index:
        return node
    unit = _divided(digit.unit, size_of(fold.remainder.axis))
    return node if unit is None else Digit(fold.quotient, unit, digit.radix).expression()


def folded(
    expression: Expression,
    order: Indices,
    own: Mapping[str, Indices],
    value: Callable[[Expression, Indices], Value],
) -> Value:
    """The expression as one value, its axes in this order; `value` computes it over parts of its folds."""
    folds = folds_of(expression, order, own)
    if not folds:
        return value(expression, order)
    parts = {fold.index: (fold.quotient, fold.remainder) for fold in folds}
    for fold in folds:
        expression = unfolded(expression, fold)
    inner = tuple(part for index in order for part in parts.get(index, (index,)))
    # A number in front of a last digit may be read in digits itself.
    return closed(filled(folded(expression, inner, own, value), inner), order, folds)


def closed(value: Value, order: Indices, folds: list[Fold]) -> Value:
    """A value over the two indices of each fold, which lie side by side, over the folded index again."""
    names: list[Index] = []
    items: list[Item] = []
    folded = {fold.index: fold for fold in folds}
    for index in order:
        fold = folded.get(index)
        item: Item = Whole()
        if fold is not None:
            index, item = merged_index(index, (fold.quotient.axis, fold.remainder.axis))
        names.append(index)
        items.append(item)
    return selected(Refold(value, layout_of(tuple(names))), tuple(items))


def merged_index(index: Index, axes: Sequence[Axis]) -> tuple[Index, Item]:
    """The index of merged axes, and the places of those that `index` counts through: the first ones."""
    sizes = [axis.size for axis in axes]
    if None not in sizes and math.prod(filter(None, sizes)) == index.axis.size:
        return index, Whole()
    merged = Index(index.name, extent(index.axis, multiply(*map(size_of, axes))))
    return merged, Whole() if merged == index else Span(index, None, whole_number(size_of(index.axis)))
