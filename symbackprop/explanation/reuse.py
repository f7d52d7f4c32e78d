"""What is computed once and read again, by which lines, and what computing it anew for each would take."""

from __future__ import annotations

from dataclasses import dataclass

from symbackprop.derivation.result import AdjointDerivation, Derivation
from symbackprop.explanation.programs.computations import Computations, Span
from symbackprop.explanation.programs.dataflow import Run
from symbackprop.explanation.programs.polynomials import Polynomial
from symbackprop.schedule.named_equations import Part


@dataclass(frozen=True)
class Reused:
    """A name that several lines read.

    `adjoint` is the derivative that it holds, None for a tensor of the model. `once` is what its own lines
    take, `from_inputs` what it takes where nothing else is kept either. `at_each` is the index of the loop
    whose steps compute it one after another, if any.
    """

    name: str
    adjoint: AdjointDerivation | None
    at_each: str
    spans: tuple[Span, ...]
    readers: tuple[Run, ...]
    once: Polynomial
    from_inputs: Polynomial

    @property
    def saved(self) -> Polynomial:
        """What computing it once saves, against computing it from the inputs for each reader."""
        return self.from_inputs * (len(self.readers) - 1)


def reused_names(derivation: Derivation, computations: Computations) -> tuple[Reused, ...]:
    """The names that two lines or more read: adjoints first, each group in the program's order."""
    adjoints = {adjoint.equation.tensor: adjoint for adjoint in derivation.adjoints}
    flow = computations.flow
    found = [
        Reused(
            name[0],
            adjoints.get(name[0]),
            loop.counter if (loop := computing[-1].steps_of) else "",
            computations.spans_for(name[0]) or computations.spans_of(run.line for run in computing),
            flow.readers[name],
            flow.once(name),
            flow.behind(name),
        )
        for name, computing in flow.writers.items()
        if len(flow.readers.get(name, ())) > 1
        if flow.behind(name).terms and not _is_step_of_another(computing[-1])
    ]
    return tuple(sorted(found, key=lambda each: each.adjoint is None))


def _is_step_of_another(run: Run) -> bool:
    """Whether a line names a part of an equation for one step of a loop."""
    return run.variable_of is not None and run.line.origin.part is not Part.EQUATION
