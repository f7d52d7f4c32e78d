"""Which equations read which, and which are equal but for names, while equations change."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable

from symbackprop.memoization.equal_blocks import shape_of
from symbackprop.systems.system import Equation


class Readers:
    """The readers of each of some tensors among the equations that are noted."""

    def __init__(self, names: Iterable[str]) -> None:
        self._readers: dict[str, dict[str, None]] = {name: {} for name in names}
        self._alike: dict[Hashable, dict[str, None]] = {}

    def of(self, name: str) -> Collection[str]:
        """The tensors whose equations read one."""
        return self._readers[name].keys()

    def has_equal_that_stays(self, equation: Equation) -> bool:
        """Whether another equation that several read is equal to this one but for names."""
        alike = self._alike.get(shape_of(equation), {})
        return any(name != equation.tensor and len(self._readers[name]) > 1 for name in alike)

    def note(self, equation: Equation) -> None:
        """From now on this is the equation of its tensor."""
        self._alike.setdefault(shape_of(equation), {})[equation.tensor] = None
        for readers in self._read(equation):
            readers[equation.tensor] = None

    def forget(self, equation: Equation) -> None:
        """This is the equation of its tensor no more."""
        self._alike[shape_of(equation)].pop(equation.tensor)
        for readers in self._read(equation):
            readers.pop(equation.tensor, None)

    def _read(self, equation: Equation) -> list[dict[str, None]]:
        return [self._readers[name] for name in equation.reads if name in self._readers]
