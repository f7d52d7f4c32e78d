"""Which equations read which, and which are equal but for names, while equations change."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from symbackprop.memoization.equal_blocks import Shape, shape_of
from symbackprop.systems.system import Equation


class Readers:
    """The readers of each of some tensors among the equations that are noted."""

    def __init__(self, names: Iterable[str]) -> None:
        self._readers: dict[str, dict[str, None]] = {name: {} for name in names}
        self._shapes: dict[str, Shape] = {}
        self._alike: dict[Shape, dict[str, None]] = {}

    def of(self, name: str) -> Collection[str]:
        """The tensors whose equations read one."""
        return self._readers[name].keys()

    def is_one_of_many(self, equation: Equation) -> bool:
        """Whether another is equal but for names, and read by one equal to this one's reader and by more."""
        own = self._shapes_of_readers(equation.tensor)
        alike = self._alike.get(self._shapes[equation.tensor], {})
        return any(
            len(self._readers[name]) > 1 and own <= self._shapes_of_readers(name)
            for name in alike
            if name != equation.tensor
        )

    def _shapes_of_readers(self, name: str) -> set[Shape]:
        return {self._shapes[reader] for reader in self._readers[name]}

    def note(self, equation: Equation) -> None:
        """From now on this is the equation of its tensor."""
        shape = self._shapes[equation.tensor] = shape_of(equation)
        self._alike.setdefault(shape, {})[equation.tensor] = None
        for readers in self._read(equation):
            readers[equation.tensor] = None

    def forget(self, equation: Equation) -> None:
        """This is the equation of its tensor no more."""
        self._alike[self._shapes.pop(equation.tensor)].pop(equation.tensor)
        for readers in self._read(equation):
            readers.pop(equation.tensor, None)

    def _read(self, equation: Equation) -> list[dict[str, None]]:
        return [self._readers[name] for name in equation.reads if name in self._readers]
