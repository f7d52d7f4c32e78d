"""Sizes for a tiny instance: different from one another, so that a transpose that is wrong does not fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import combinations, product
from math import prod

from symbackprop.errors import VerificationError
from symbackprop.integers.linear import linear_form
from symbackprop.notation.expressions import MINUS_ONE, Expression, Index, Multiply, Power, Reduction, Size
from symbackprop.sampling.related_sizes import following, free_axes
from symbackprop.sampling.small_axes import axis_names, model_sizes
from symbackprop.systems.system import System

LEAST, LARGEST = 2, 5
MOST_SHOWN, MOST_AXES_SHOWN = 18, 3  # numbers and axes of an array
MOST_AXES = 5  # whose sizes are weighed against one another


def tiny_sizes(system: System) -> Iterator[Mapping[str, int]]:
    """The best sizes, then whatever small ones the relations and positions of the model allow."""
    for wanted in (_best(system), {}):
        try:
            yield model_sizes(system, wanted)
        except VerificationError:
            continue


def _best(system: System) -> dict[str, int]:
    """Of all small sizes those at which most can be seen; further axes have small ones by turns."""
    least = dict.fromkeys(free_axes(system.axes), LEAST) | dict.fromkeys(_longer_axes(system), LEAST + 1)
    names = free_axes(system.axes)
    weighed = names[:MOST_AXES]
    others = {name: max(least[name], LEAST + place % 2) for place, name in enumerate(names[MOST_AXES:])}
    arrays = Counter(tuple(sorted(axis_names(each.indices))) for each in system.tensors.values())
    declared = {axis.name: axis.size for axis in system.axes if axis.size is not None}
    best: tuple[tuple[int, ...], dict[str, int]] | None = None
    for chosen in product(*(range(least[name], LARGEST + 1) for name in weighed)):
        wanted = {**others, **dict(zip(weighed, chosen, strict=True))}
        sizes = following(system.axes, {**declared, **wanted})
        if sizes is not None:
            found = _price(arrays, sizes, chosen), wanted
            best = found if best is None or found[0] < best[0] else best
    return best[1] if best else {}


def _price(
    arrays: Mapping[tuple[str, ...], int], sizes: Mapping[str, int], chosen: tuple[int, ...]
) -> tuple[int, ...]:
    """Arrays too large to be shown, square matrices, axes alike in an array, axes alike at all, numbers."""
    counts = {axes: prod(sizes[axis] for axis in axes) for axes in arrays}
    alike = {axes: _alike([sizes[axis] for axis in dict.fromkeys(axes)]) for axes in arrays}
    return (
        sum(count > MOST_SHOWN for axes, count in counts.items() if len(axes) <= MOST_AXES_SHOWN),
        sum(pairs for axes, pairs in alike.items() if len(axes) == 2),
        sum(alike.values()),
        _alike(chosen),
        sum(number * counts[axes] for axes, number in arrays.items()),
    )


def _alike(sizes: list[int] | tuple[int, ...]) -> int:
    return sum(one == other for one, other in combinations(sizes, 2))


def _longer_axes(system: System) -> Iterator[str]:
    """Axes whose places read their neighbours, and those over which a mean is taken but for the loss's.

    Of three steps one has a step before it and one after it; two numbers, less their mean, are one number.
    """
    for equation in system.equations:
        for node in equation.expression.walk():
            if isinstance(node, Multiply) and equation.tensor != system.loss:
                yield from _averaged(node)
    for read in system.reads:
        for position in read.element.positions:
            yield from _stepped(position) if read.element.tensor in system.definitions else ()


def _averaged(product: Multiply) -> Iterator[str]:
    counted = {
        factor.base.axis.name
        for factor in product.factors
        if isinstance(factor, Power) and isinstance(factor.base, Size) and factor.exponent == MINUS_ONE
    }
    for factor in product.factors:
        if isinstance(factor, Reduction) and factor.kind == "sum":
            yield from counted.intersection(axis_names(factor.indices))


def _stepped(position: Expression) -> Iterator[str]:
    """The axis of the index in t - 1."""
    form = linear_form(position)
    match list(form.coefficients):
        case [Index() as index] if form.constant:
            yield index.axis.name
