"""A layer's own axes and indices bound to those of the network that it stands in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from symbackprop.errors import LanguageError
from symbackprop.languages.phrases import worded
from symbackprop.layers.axes import Axes
from symbackprop.layers.catalogue_lookup import Part
from symbackprop.layers.instance import Instance, index_names
from symbackprop.layers.network import NetworkError
from symbackprop.layers.size_values import UnknownSizeError, declared_as, size_value
from symbackprop.syntax.limits import LARGEST_AXIS
from symbackprop.syntax.nodes import AxisDeclaration, Reference


@dataclass(frozen=True)
class Reading:
    """A tensor that the next layer reads, at its indices; each has its axis in the same place."""

    tensor: str
    indices: tuple[str, ...]
    axes: tuple[str, ...]
    is_input: bool = False

    @property
    def text(self) -> str:
        """`z1[b,j]`."""
        return f"{self.tensor}[{','.join(self.indices)}]" if self.indices else self.tensor


@dataclass(frozen=True)
class Binding:
    """What each index and axis of a layer is in the network.

    `names` maps an index or axis of the layer to its names outside, several or none for its `rest`;
    `axis_of` an index of the network to its axis. `values_axis` is the axis that an integer input indexes.
    """

    instance: Instance
    names: Mapping[str, tuple[str, ...]]
    axis_of: Mapping[str, str]
    values_axis: str | None

    def output(self, names: Mapping[str, tuple[str, ...]]) -> Reading:
        """The layer's output, for tensors of these names."""
        left = self.instance.output
        indices = tuple(new for own in index_names(left) for new in names[own])
        return Reading(names[left.word.text][0], indices, tuple(self.axis_of[index] for index in indices))


def bound(part: Part, current: Reading, axes: Axes) -> Binding:
    """The layer's axes as those of what it reads, and as new ones of the network for the others.

    Raises NetworkError where what comes before has not the axes that the layer reads, and where the sizes
    of its axes do not come out.
    """
    instance = part.instance
    names, axis_of = _bound_input(part, current, axes.batch)
    own_axis = {word.text: each.axis.text for each in instance.axes for word in each.indices}
    outer = {own_axis[own]: axis_of[new[0]] for own, new in names.items() if own in own_axis}
    for declaration in instance.axes:
        own = declaration.axis.text
        if own not in outer:
            outer[own] = _new_axis(declaration, part, axes, outer)
        for word in declaration.indices:
            if word.text not in names:
                index = axes.index_over(outer[own], word.text, axis_of)
                names[word.text] = (index,)
                axis_of[index] = outer[own]
    names |= {own: (new,) for own, new in outer.items()}
    values = instance.input.values_axis
    if values is not None and not current.is_input:
        raise NetworkError(
            worded(
                "the layer '{part}' reads whole numbers, and {current} comes before it",
                part=part.kind,
                current=current.text,
            ),
            part.path,
            remedy=worded("make it the first layer"),
        )
    return Binding(instance, names, axis_of, None if values is None else outer[values.text])


def _bound_input(
    part: Part, current: Reading, batch: str | None
) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    """The indices of the layer's input as those of what it reads: the last ones in turn, `rest` before."""
    instance = part.instance
    fixed = instance.fixed_input
    leading = len(current.indices) - len(fixed)
    wrong_front = leading != 1 if instance.formula.is_batch else leading < 0
    if wrong_front or batch in current.axes[leading:]:
        front = instance.formula.rest if instance.formula.is_batch else "..."
        raise NetworkError(
            worded(
                "the layer '{part}' reads [{axes}], and {current} comes before it",
                part=part.kind,
                axes=",".join((front, *fixed)),
                current=current.text,
            ),
            part.path,
            remedy=worded(
                "give the input these axes besides the batch, or put a layer before it that makes them"
            ),
        )
    names: dict[str, tuple[str, ...]] = {
        own: (new,) for own, new in zip(fixed, current.indices[leading:], strict=True)
    }
    names[instance.formula.rest] = current.indices[:leading]
    return names, dict(zip(current.indices, current.axes, strict=True))


def _new_axis(declaration: AxisDeclaration, part: Part, axes: Axes, outer: Mapping[str, str]) -> str:
    """An axis that the layer adds: of a given name, of a size that comes out, or as the arrays decide."""
    letter, formula = declaration.indices[0].text, declaration.size
    if formula is None:
        return axes.fresh(letter, None)
    if isinstance(formula, Reference):
        return axes.named(formula.word.text)
    names = {
        word.text: outer[each.axis.text]
        for each in part.instance.axes
        if each.axis.text in outer
        for word in each.indices
    }
    try:
        size = size_value(formula, {index: axes.sizes[axis] for index, axis in names.items()})
    except UnknownSizeError:
        return axes.fresh_related(letter, declared_as(formula, names))
    except LanguageError as error:
        raise NetworkError(
            worded("the sizes of the layer '{part}' need a number: {said}", part=part.kind, said=error.cause),
            part.path,
            remedy=(
                worded("give numbers for {axes}", axes=", ".join(part.axis_names))
                if part.axis_names
                else error.remedy
            ),
        ) from None
    return axes.fresh(letter, _whole(size, letter, part))


def _whole(size: Fraction, letter: str, part: Part) -> int:
    if size.denominator != 1 or not 0 < size <= LARGEST_AXIS:
        raise NetworkError(
            worded(
                "the layer '{part}' does not fit its input: it would have {size} values of {letter}",
                part=part.kind,
                size=size,
                letter=letter,
            ),
            part.path,
            remedy=worded("change its options or the size of what comes before"),
        )
    return int(size)
