"""What the backward pass needs of the forward pass: the size of what is kept, and what keeping it saves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from symbackprop.array.aliasing import viewed_name
from symbackprop.array.program import Statement
from symbackprop.derivation.result import Derivation
from symbackprop.explanation.programs.computations import Computations, Pass
from symbackprop.explanation.programs.dataflow import Run
from symbackprop.explanation.programs.polynomials import Polynomial
from symbackprop.notation.expressions import Element, Expression
from symbackprop.schedule.kinds import Kind
from symbackprop.systems.system import Equation

# Of float64 and of the integers that are places; a condition takes one.
BYTES, BYTES_OF_A_CONDITION = 8, 1


@dataclass(frozen=True)
class Kept:
    """An array that the forward pass makes and the backward pass reads, by its own name or by those of views.

    `elements` are its numbers, of `item_bytes` each. `recomputing` is what computing it once more would
    take, from the declared tensors and whatever else is kept; `steps` is the index whose places that has to
    take one after another, "" where it need not.
    """

    name: str
    names: tuple[str, ...]
    elements: Polynomial
    item_bytes: int
    readers: tuple[Run, ...]
    recomputing: Polynomial
    steps: str

    @property
    def bytes(self) -> Polynomial:
        """The memory that it takes in float64."""
        return self.elements * self.item_bytes


@dataclass(frozen=True)
class Backward:
    """A derivative of an element-wise function, and what it is computed from: its output or its input.

    `reads` are the tensors of its closed form, `kept` those of them that the backward pass holds.
    """

    consumer: Equation
    tensor: str
    value: Expression
    reads_output: bool
    reads_input: bool


def kept_arrays(computations: Computations) -> tuple[Kept, ...]:
    """The arrays that live from the forward pass to the backward pass, in the order of the program."""
    found = tuple(_candidates(computations))
    kept = [name for name, _ in found]
    return tuple(_kept(name, readers, kept, computations) for name, readers in found)


def _candidates(computations: Computations) -> Iterator[tuple[str, tuple[Run, ...]]]:
    """A view of another array takes no memory of its own: what it shows is kept in its place."""
    backward: dict[str, list[Run]] = {}
    for (name, loop), runs in computations.backward_flow.readers.items():
        if not loop:
            backward.setdefault(_owner(name, computations), []).extend(runs)
    for computation in computations.items:
        if computation.on is not Pass.BACKWARD:
            for name in computation.written:
                if name in backward and _owner(name, computations) == name:
                    places = {id(run): run for run in backward[name]}
                    yield name, tuple(run for run in computations.backward_flow.runs if id(run) in places)


def _owner(name: str, computations: Computations) -> str:
    """The array that a name shows: itself, or the one that it is a view of."""
    statement = computations.module.program.by_name.get(name)
    viewed = viewed_name(statement.value) if isinstance(statement, Statement) else None
    return name if viewed is None else _owner(viewed, computations)


def _kept(name: str, readers: tuple[Run, ...], kept: list[str], computations: Computations) -> Kept:
    statement, flow = computations.module.program.by_name[name], computations.flow
    loop = flow.steps_again((name, 0), kept)
    return Kept(
        name,
        tuple(each for each in computations.by_name if _owner(each, computations) == name),
        Polynomial.elements(statement.value.indices),
        BYTES_OF_A_CONDITION if statement.value.kind is Kind.BOOLEAN else BYTES,
        readers,
        flow.behind((name, 0), kept),
        loop.counter if loop else "",
    )


def backwards_of(derivation: Derivation) -> tuple[Backward, ...]:
    """The local derivatives whose closed form reads the output of their equation, or its input."""
    found: dict[tuple[str, str], Backward] = {}
    for adjoint in derivation.adjoints:
        for factor in adjoint.factors:
            reads = {node.tensor for node in factor.value.walk() if isinstance(node, Element)}
            own = Backward(
                factor.consumer,
                factor.tensor,
                factor.value,
                factor.consumer.tensor in reads,
                factor.tensor in reads,
            )
            reads_itself = (
                factor.consumer.tensor in factor.consumer.reads
            )  # at another step, which is an input
            is_loss = factor.consumer.tensor == derivation.system.loss
            if (own.reads_output or own.reads_input) and not (is_loss or reads_itself):
                found.setdefault((factor.consumer.tensor, factor.tensor), own)
    return tuple(found.values())
