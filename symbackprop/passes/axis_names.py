"""Axes and indices of a program's lines in other names: layers that are equal but for these are one function.

Sizes that a loop, a relation or a window counts by are no names: such axes stay what they are.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, TypeVar

from symbackprop.array.program import Line, Loop, Program, Store
from symbackprop.array.value import Value
from symbackprop.notation.correspondence import PRIME
from symbackprop.notation.expressions import Axis, Index
from symbackprop.notation.nodes import Expression
from symbackprop.passes.renaming import unlike_lines
from symbackprop.schedule.named_equations import Origin

# An axis, or an index without its primes.
AxisName: TypeAlias = Axis | Index
Whole = TypeVar("Whole")


@dataclass(frozen=True)
class AxisNames:
    """Other names for some axes and indices; the others keep theirs."""

    names: Mapping[AxisName, AxisName]

    def of_line(self, line: Line) -> Line:
        """The line over the other axes, its formula too."""
        return self._of(line, lambda origin: replace(origin, stated=self.of(origin.stated)))

    def of_values(self, line: Line) -> Line:
        """The line over the other axes, its formula as it is."""
        return self._of(line, lambda origin: origin)

    def _of(self, line: Line, origin_of: Callable[[Origin], Origin]) -> Line:
        if not self.names:
            return line
        origin = None if line.origin is None else origin_of(line.origin)
        if isinstance(line, Loop):
            body = tuple([self._of(inner, origin_of) for inner in line.body])
            return replace(line, start=self.of(line.start), stop=self.of(line.stop), body=body, origin=origin)
        assert origin is not None
        if isinstance(line, Store):
            return replace(line, items=self.of(line.items), value=self.of(line.value), origin=origin)
        return replace(line, value=self.of(line.value), origin=origin)

    def of(self, here: Whole) -> Whole:
        """The same over the other axes: nodes, records of them, and tuples of these."""
        found: Any = here
        if isinstance(here, tuple):
            found = tuple([self.of(each) for each in here])
        elif isinstance(here, Axis):
            found = self.names.get(here, here)
        elif isinstance(here, Index):
            bare = _without_primes(here)
            other = self.names.get(bare, bare)
            assert isinstance(other, Index)
            found = type(here)(other.name + here.name[len(bare.name) :], other.axis)
        elif hasattr(here, "__match_args__"):
            fields = [getattr(here, name) for name in here.__match_args__]
            others = [self.of(each) for each in fields]
            same = all(one is other for one, other in zip(fields, others, strict=True))
            found = here if same else type(here)(*others)
        return found  # type: ignore[no-any-return]

    def inverse(self) -> AxisNames:
        """Back to the names that these are given to."""
        return AxisNames({other: name for name, other in self.names.items()})


def free_axes(program: Program) -> frozenset[Axis]:
    """The axes that functions may call otherwise."""
    bound = {axis for related in program.related for axis in (related.axis, *related.sources)}
    found: set[Axis] = set()
    for line in unlike_lines(program.statements):
        found.update(_axes_in(tuple(_parts(line))))
        bound.update(_counted_by(line))
    worked_out = {axis for axis in found if type(axis) is not Axis or axis.formula is not None}
    for axis in worked_out:
        bound.update(_axes_in(tuple([getattr(axis, name) for name in axis.__match_args__])))
    return frozenset(found - bound - worked_out)


def _counted_by(line: Line) -> Iterator[Axis]:
    """The axes of loops, and those by which words of a formula tell what they stand for."""
    if isinstance(line, Loop):
        yield line.axis
        for inner in line.body:
            yield from _counted_by(inner)
    words = [word for origin in line.origins for word in origin.shorthands if not isinstance(word, str)]
    yield from _axes_in(tuple(words))


def _axes_in(here: object) -> Iterator[Axis]:
    return (name for name in _names_in(here) if isinstance(name, Axis))


def names_of_axes(line: Line, free: Collection[Axis]) -> tuple[AxisName, ...]:
    """The free axes and indices that a line mentions, those of its formula first, as often as it does."""
    names = _names_in(tuple(_parts(line))) if free else ()
    return tuple([name for name in names if axis_of(name) in free])


def axis_of(name: AxisName) -> Axis:
    """An index's axis, or the axis itself."""
    return name.axis if isinstance(name, Index) else name


def with_places_for_axes(line: Line, mentioned: Iterable[AxisName]) -> Line:
    """The line with these of its axes called by the places where they come first, so that lines agree."""
    names = dict.fromkeys(mentioned)
    axes = {
        axis: Axis(f"#{place}", f"i{place}") for place, axis in enumerate(dict.fromkeys(map(axis_of, names)))
    }
    places = {
        name: Index(f"i{place}", axes[name.axis]) if isinstance(name, Index) else axes[name]
        for place, name in enumerate(names)
    }
    return AxisNames(places).of_line(line)


def own_axes(runs: Iterable[Iterable[AxisName]], naming: int) -> tuple[AxisNames, ...]:
    """For each run, what a function calls its axes: those of the naming run, open where they differ."""
    mentioned = [tuple(dict.fromkeys(names)) for names in runs]
    columns = list(zip(*mentioned, strict=True))
    opened = {
        column[naming]: replace(column[naming], size=None)
        for column in columns
        if isinstance(column[naming], Axis) and len(set(column)) > 1
    }
    own = [_over(column[naming], opened) if len(set(column)) > 1 else column[naming] for column in columns]
    return tuple(AxisNames(dict(zip(names, own, strict=True))) for names in mentioned)


def _over(name: AxisName, axes: Mapping[AxisName, Axis]) -> AxisName:
    if isinstance(name, Axis):
        return axes[name]
    return Index(name.name, axes.get(name.axis, name.axis))


def _parts(line: Line) -> Iterator[object]:
    if line.opens and line.origin is not None:
        yield line.origin.stated
    if isinstance(line, Loop):
        yield from (line.start, line.stop)
        for inner in line.body:
            yield from _parts(inner)
        return
    if isinstance(line, Store):
        yield line.items
    yield line.value


def _names_in(here: object) -> Iterator[AxisName]:
    if isinstance(here, tuple):
        for each in here:
            yield from _names_in(each)
    elif isinstance(here, Axis):
        yield here
    elif isinstance(here, Index):
        yield from (here.axis, _without_primes(here))
    elif isinstance(here, Value | Expression) or hasattr(here, "__match_args__"):
        for name in here.__match_args__:
            yield from _names_in(getattr(here, name))


def _without_primes(index: Index) -> Index:
    return Index(index.name.rstrip(PRIME), index.axis)
