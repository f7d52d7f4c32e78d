"""What is computed once and read again, by which lines, and what computing it anew for each would take."""

from __future__ import annotations

from dataclasses import dataclass

from symbackprop.derivation.result import AdjointDerivation, Derivation
from symbackprop.explanation.computations import Computation, Computations, Span
from symbackprop.explanation.operations import operations_writing
from symbackprop.explanation.polynomials import Polynomial, total_of


@dataclass(frozen=True)
class Reused:
    """A name that several computations read.

    `adjoint` is the derivative that it holds, None for a tensor of the model. `once` is what its own lines
    take, `from_inputs` what it takes where nothing else is kept either.
    """

    name: str
    adjoint: AdjointDerivation | None
    spans: tuple[Span, ...]
    readers: tuple[Computation, ...]
    once: Polynomial
    from_inputs: Polynomial

    @property
    def saved(self) -> Polynomial:
        """What computing it once saves, against computing it from the inputs for each reader."""
        return self.from_inputs * (len(self.readers) - 1)


def reused_names(derivation: Derivation, computations: Computations) -> tuple[Reused, ...]:
    """The names that two computations or more read: adjoints first, each group in the program's order."""
    adjoints = {adjoint.equation.tensor: adjoint for adjoint in derivation.adjoints}
    found = [
        Reused(
            name,
            adjoints.get(name),
            computations.spans_for(name) or computations.spans_of(computation.lines),
            computations.readers_of(name),
            operations_writing(name, computation.lines),
            total_of(each.operations for each in computations.behind(name)),
        )
        for computation in computations.items
        for name in computation.written
        if len(computations.readers_of(name)) > 1
    ]
    return tuple(sorted(found, key=lambda each: each.adjoint is None))
