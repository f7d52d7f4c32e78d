"""The steps of a derivation; those taken over from an equal layer get their names when they are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import overload

from symbackprop.rewriting.rule import Step


@dataclass(frozen=True)
class _InOtherNames:
    """A step, and the names that it is to be renamed by, one after another."""

    step: Step
    renamings: tuple[Mapping[str, str], ...]

    @property
    def renamed(self) -> Step:
        step = self.step
        for names in self.renamings:
            step = step.renamed(names)
        return step


class Steps(Sequence[Step]):
    """A sequence of steps; joined and renamed without looking at them."""

    def __init__(self, steps: Iterable[Step | _InOtherNames] = ()) -> None:
        self._items: list[Step | _InOtherNames] = steps._items if isinstance(steps, Steps) else list(steps)

    def __len__(self) -> int:
        return len(self._items)

    @overload
    def __getitem__(self, place: int) -> Step: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[Step, ...]: ...

    def __getitem__(self, place: int | slice) -> Step | tuple[Step, ...]:
        if isinstance(place, slice):
            return tuple([self[each] for each in range(*place.indices(len(self)))])
        item = self._items[place]
        if isinstance(item, _InOtherNames):
            item = self._items[place] = item.renamed
        return item

    def __iter__(self) -> Iterator[Step]:
        return (self[place] for place in range(len(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Steps | tuple) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __getstate__(self) -> dict[str, object]:
        return {"_items": list(self)}

    def followed_by(self, steps: Iterable[Step]) -> Steps:
        """These and then the others."""
        return Steps((*self._items, *(steps._items if isinstance(steps, Steps) else steps)))

    def renamed(self, names: Mapping[str, str]) -> Steps:
        """The steps in other names."""
        return Steps([self._later(item, names) for item in self._items])

    @staticmethod
    def _later(item: Step | _InOtherNames, names: Mapping[str, str]) -> _InOtherNames:
        step, before = (item.step, item.renamings) if isinstance(item, _InOtherNames) else (item, ())
        return _InOtherNames(step, (*before, names))

    @property
    def as_found(self) -> Iterator[Step]:
        """The steps in the names in which each was found."""
        return (item.step if isinstance(item, _InOtherNames) else item for item in self._items)
