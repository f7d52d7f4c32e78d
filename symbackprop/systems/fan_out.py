"""Tensors that very many equations read, read through copies with a few readers each.

The gradient of a tensor is a sum over its readers. Where these are many, w_copy = w is read by the first of
them, w_copy_2 = w by the next, and dE/dw = dE/dw_copy + dE/dw_copy_2 + ...: each part is a sum of a few.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from symbackprop.notation.fresh_names import numbered_name
from symbackprop.notation.substitution import holds_derivative, rename_tensors
from symbackprop.systems.ordering import loop_carried_tensors
from symbackprop.systems.system import Equation, Role, System, Tensor


def with_fan_out(system: System, most_readers: int) -> System:
    """The system, in which no more than that many equations read one parameter or derived tensor.

    What a fact speaks of is read by its own name, and so is a member of a recurrence, or all where a
    derivative stands in an equation.
    """
    crowded = [name for name, readers in system.consumers.items() if len(readers) > most_readers]
    if not crowded or any(holds_derivative(equation.expression) for equation in system.equations):
        return system
    apart = {*loop_carried_tensors(system.equations), *system.read_by_facts}
    apart.update(fact.tensor for fact in system.positive_definite)
    copying = _Copying(most_readers, {*system.tensors, *(axis.name for axis in system.axes)})
    for name in crowded:
        tensor = system.tensors[name]
        if tensor.role in (Role.PARAMETER, Role.DERIVED) and tensor.values is None and name not in apart:
            copying.share(tensor, [equation.tensor for equation in system.consumers[name]])
    return copying.applied(system)


@dataclass
class _Copying:
    """The copies of each tensor, and for each reader the copy that it reads in a tensor's place."""

    most_readers: int
    taken: set[str]
    copies: dict[str, list[Equation]] = field(default_factory=dict)
    read_instead: dict[str, dict[str, str]] = field(default_factory=dict)

    def share(self, tensor: Tensor, readers: Sequence[str]) -> None:
        """Make copies for the readers; where these are many again, copies that they are read from."""
        levels: list[list[str]] = []
        while len(readers) > self.most_readers:
            levels.append([])
            for start in range(0, len(readers), self.most_readers):
                copy = numbered_name(f"{tensor.name}_copy", self.taken)
                self.taken.add(copy)
                levels[-1].append(copy)
                for reader in readers[start : start + self.most_readers]:
                    self.read_instead.setdefault(reader, {})[tensor.name] = copy
            readers = levels[-1]
        self.copies[tensor.name] = [
            self._reading(Equation(copy, tensor.indices, tensor.element))
            for level in reversed(levels)
            for copy in level
        ]

    def _reading(self, equation: Equation) -> Equation:
        names = self.read_instead.get(equation.tensor)
        return replace(equation, expression=rename_tensors(equation.expression, names)) if names else equation

    def applied(self, system: System) -> System:
        """The system with the copies, each behind the equation of its tensor."""
        if not self.copies:
            return system
        declared = [name for name in self.copies if name not in system.definitions]
        equations = [copy for name in declared for copy in self.copies[name]]
        for equation in system.equations:
            equations += [self._reading(equation), *self.copies.get(equation.tensor, ())]
        return system.with_equations(equations)
