"""An index of the result that is read in parts, floor(c/m) and mod(c, m), as indices of its own: a reshape.

y[n,c] = f[n,floor(c/3)]*g[mod(c, 3)] is z[n,g,h] = f[n,g]*g[h], its last two axes merged. Where the
relation of the sizes gives c's axis just the places of both, c may be read whole too: x[c] is x[3*g + h].
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import product

from symbackprop.array.layout import layout_of
from symbackprop.array.slices import Item, Span, Whole, selected
from symbackprop.array.value import Value
from symbackprop.array.views import filled, refolded
from symbackprop.array.whole_numbers import whole_number
from symbackprop.indexing.counting import Extent, extent, size_of
from symbackprop.indexing.digit_axes import digits_read
from symbackprop.indexing.digits import in_digits
from symbackprop.indexing.windows import simplified
from symbackprop.integers.base_sizes import related_form
from symbackprop.integers.guards import always_holds
from symbackprop.integers.linear import linear_form
from symbackprop.integers.mixed_radix import digit_of
from symbackprop.notation.arithmetic import multiply, normalised
from symbackprop.notation.expressions import (
    Apply,
    Axis,
    Comparison,
    Element,
    Expression,
    Index,
    Number,
    Size,
    Where,
)
from symbackprop.notation.substitution import fresh_index, indices_in, rewrite_bottom_up, substitute

Indices = tuple[Index, ...]
# Remainders by larger numbers are an axis of their own.
MOST_REMAINDERS = 4


@dataclass(frozen=True)
class Fold:
    """An index that stands for others, which count through its places: its digits, the highest first."""

    index: Index
    digits: Indices


def folds_of(expression: Expression, order: Indices, own: Mapping[str, Indices]) -> list[Fold]:
    """The indices of the result that are read in digits; where these fill their axis, as a whole as well."""
    found: list[Fold] = []
    avoid = {*order, *indices_in(expression)}
    for index in order:
        digits = _two_digits(expression, index, own, avoid) or digits_read(expression, index, own, avoid)
        if digits:
            # A digit of one place is 0.
            found.append(Fold(index, tuple(each for each in digits if each.axis.size != 1) or digits[:1]))
            avoid |= set(digits)
    return found


def short_folds(expression: Expression, order: Indices, own: Mapping[str, Indices]) -> list[Fold]:
    """The folds of the result's indices by small numbers, where the last index has one.

    NumPy's innermost loop would run over the remainder, a few places long. None for what is no arithmetic.
    """
    if isinstance(expression, Element | Number) or not order:
        return []
    folds = folds_of(expression, order, own)
    small = all(len(fold.digits) == 2 and _is_short(fold.digits[-1].axis) for fold in folds)
    return folds if small and order[-1] in [fold.index for fold in folds] else []


def cases_of_remainders(
    expression: Expression, folds: Sequence[Fold]
) -> list[tuple[tuple[Expression, ...], Expression]]:
    """What is computed for each remainder where a `where` is decided by them; none where none is."""
    for fold in folds:
        expression = unfolded(expression, fold)
    lasts = [fold.digits[-1] for fold in folds]
    wheres = [node for node in expression.walk() if isinstance(node, Where)]
    if not any(node.condition.free_indices & set(lasts) for node in wheres):
        return []
    found: list[tuple[tuple[Expression, ...], Expression]] = []
    for numbers in product(*(range(last.axis.size or 0) for last in lasts)):
        at = tuple(map(Number, numbers))
        case = simplified(substitute(expression, dict(zip(lasts, at, strict=True))))
        found.append((at, rewrite_bottom_up(case, normalised)))
    return found


def _is_short(axis: Axis) -> bool:
    return isinstance(axis, Extent) and 0 < (axis.size or 0) <= MOST_REMAINDERS


def _two_digits(
    expression: Expression, index: Index, own: Mapping[str, Indices], avoid: Set[Index]
) -> Indices:
    """A quotient and a remainder that are positions of one axis each; they may count through more places."""
    axes: dict[str, set[Index]] = {"floor": set(), "mod": set()}
    divisors: set[Expression] = set()
    for element in (node for node in expression.walk() if isinstance(node, Element)):
        for position, axis in zip(element.positions, own[element.tensor], strict=True):
            divisor = _divisor(position, index)
            if divisor is not None and isinstance(position, Apply):
                axes[position.function].add(Index(axis.axis.label, axis.axis))
                divisors.add(divisor)
    if len(divisors) != 1:
        return ()
    (divisor,) = divisors
    if not axes["mod"] and isinstance(divisor, Size):
        axes["mod"].add(Index(divisor.axis.label, divisor.axis))
    if not len(axes["floor"]) == len(axes["mod"]) == 1:
        return ()
    quotient = fresh_index(axes["floor"].pop(), avoid)
    remainder = fresh_index(axes["mod"].pop(), {*avoid, quotient})
    same = related_form(size_of(remainder.axis)) == related_form(divisor)
    fold = Fold(index, (quotient, remainder))
    fits = _is_covered(fold) if _is_read_in_digits_alone(expression, fold) else _is_exact(fold)
    return fold.digits if same and fits else ()


def _is_exact(fold: Fold) -> bool:
    """Whether the digits reach every place of the folded index, and no other."""
    return related_form(_reached(fold)) == related_form(size_of(fold.index.axis))


def _is_covered(fold: Fold) -> bool:
    """Whether the digits reach every place of the folded index."""
    reached = linear_form(_reached(fold)).expression()
    return always_holds(Comparison(">=", reached, size_of(fold.index.axis)))


def _reached(fold: Fold) -> Expression:
    return multiply(*(size_of(digit.axis) for digit in fold.digits))


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
    """The expression with the digits in place of the folded index; a part by another number stays."""
    return in_digits(expression, fold.index, fold.digits)


def _is_read_in_digits_alone(expression: Expression, fold: Fold) -> bool:
    def in_its_digits(node: Expression) -> Expression:
        digit = digit_of(node) if isinstance(node, Apply) else None
        counted = unfolded(node, fold) if digit is not None and digit.base == fold.index else node
        return node if any(digit_of(each) is not None for each in counted.walk()) else counted

    return fold.index not in rewrite_bottom_up(expression, in_its_digits).free_indices


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
    parts = {fold.index: fold.digits for fold in folds}
    for fold in folds:
        expression = unfolded(expression, fold)
    inner = tuple(part for index in order for part in parts.get(index, (index,)))
    # A digit may be read in digits itself.
    return closed(filled(folded(expression, inner, own, value), inner), order, folds)


def closed(value: Value, order: Indices, folds: list[Fold]) -> Value:
    """A value over the digits of each fold, which lie side by side, over the folded index again."""
    names: list[Index] = []
    items: list[Item] = []
    folded = {fold.index: fold for fold in folds}
    for index in order:
        fold = folded.get(index)
        item: Item = Whole()
        if fold is not None:
            index, item = merged_index(index, [digit.axis for digit in fold.digits])
        names.append(index)
        items.append(item)
    return selected(refolded(value, layout_of(tuple(names))), tuple(items))


def merged_index(index: Index, axes: Sequence[Axis]) -> tuple[Index, Item]:
    """The index of merged axes, and the places of those that `index` counts through: the first ones."""
    sizes = [axis.size for axis in axes]
    if None not in sizes and math.prod(filter(None, sizes)) == index.axis.size:
        return index, Whole()
    merged = Index(index.name, extent(index.axis, multiply(*map(size_of, axes))))
    return merged, Whole() if merged == index else Span(index, None, whole_number(size_of(index.axis)))
