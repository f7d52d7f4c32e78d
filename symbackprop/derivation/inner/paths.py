"""Whether a chain rule leaves no path out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symbackprop.derivation.inner.steps_within import (
    places_within_step,
    readers_within_step,
    recurrences_by_tensor,
)
from symbackprop.notation.derivatives import Derivative
from symbackprop.systems.system import System


def is_every_path(system: System, total: Derivative, consumers: Sequence[str]) -> bool:
    """Whether all readers of the denominator that the numerator depends on are there, each once.

    Others that read it do no harm: the numerator does not move with them. The equation of a loop-carried
    numerator alone leaves out the paths through its earlier steps.
    """
    above, below = total.numerator.tensor, total.denominator.tensor
    readers = {equation.tensor for equation in system.consumers.get(below, ())}
    needed = readers & system.precedents((above,))
    if len(set(consumers)) < len(consumers) or above in recurrences_by_tensor(system):
        return False
    return needed <= set(consumers) <= readers


def is_every_path_within(
    system: System, total: Derivative, consumers: Sequence[str], places: Mapping[str, int]
) -> bool:
    """Whether no path leaves the step, and all that read the denominator at it are there, each once."""
    above, below = total.numerator, total.denominator
    known = places_within_step(system, above, below)
    if known is None or not places.items() <= known.items() or len(set(consumers)) < len(consumers):
        return False
    readers = readers_within_step(system, above.tensor, below.tensor, known)
    return {each.tensor for each in readers} == set(consumers)


def is_every_operand(system: System, total: Derivative, operands: Sequence[str]) -> bool:
    """Whether all that the numerator's equation reads and that moves with the denominator is there.

    The denominator itself stands for one where it moves along with its earlier steps.
    """
    above, below = total.numerator.tensor, total.denominator.tensor
    equation = system.definitions.get(above)
    if equation is None or (above == below and below not in operands) or len(set(operands)) < len(operands):
        return False
    needed = system.dependents((below,)).intersection(equation.reads)
    if below not in recurrences_by_tensor(system):
        needed -= {below}
    return needed <= set(operands) <= set(equation.reads)
