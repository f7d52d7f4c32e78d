"""Results that nobody else holds: a returned array is never an input, a view of one, or another result."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from symbackprop.array.ir import Copy, Expand, Read, Reshape, Transpose
from symbackprop.array.linear_algebra import Diagonal, Symmetric
from symbackprop.array.program import Line, Loop, Program, Statement, Store, statements_in
from symbackprop.array.slices import Conditional, Flip, Refold, Select, Windows
from symbackprop.array.value import Value
from symbackprop.notation.fresh_names import numbered_name
from symbackprop.schedule.named_equations import Part
from symbackprop.systems.system import Equation


def with_fresh_results(program: Program) -> Program:
    """The program, with a copy wherever a result would share memory with an input or another result.

    What numbers are stored into has an array of its own too. Outputs and gradients are returned by different
    functions, so that each of the two is looked at by itself.
    """
    program = _with_a_name_for_each_gradient(_with_own_arrays(program))
    loss = (program.loss,) if program.loss else ()
    calls = (program.outputs, tuple(program.gradients.values()), loss)
    return with_copies(program, set(_sharing(program, calls)))


def with_copies(program: Program, names: Collection[str]) -> Program:
    """The program, where the values of these names are copies."""
    return replace(program, statements=tuple(_copied(line, names) for line in program.statements))


def _copied(line: Line, names: Collection[str]) -> Line:
    if isinstance(line, Statement) and line.name in names:
        return replace(line, value=Copy(line.value))
    return line


def _with_own_arrays(program: Program) -> Program:
    """The program, where a name that numbers are stored into is not another name's view, but its copy."""
    stored = {line.name for line in statements_in(program.statements) if isinstance(line, Store)}
    return replace(program, statements=tuple(_owning(program.statements, stored)))


def _owning(lines: Iterable[Line], stored: set[str]) -> Iterator[Line]:
    for line in lines:
        if isinstance(line, Loop):
            yield replace(line, body=tuple(_owning(line.body, stored)))
        elif isinstance(line, Statement) and line.name in stored and viewed_names(line.value):
            yield _copied(line, stored)
        else:
            yield line


def _with_a_name_for_each_gradient(program: Program) -> Program:
    """The program, where gradients that are one equation are one array and its copies."""
    taken = {tensor.name for tensor in program.tensors}
    taken |= {line.name for line in statements_in(program.statements)}
    gradients: dict[str, str] = {}
    copies: list[Line] = []
    for asked, name in program.gradients.items():
        held = program.by_name[name]
        if name in gradients.values() and held.value.layout:
            copy = numbered_name(f"grad_{asked}", taken)
            taken.add(copy)
            value = Copy(Read(name, held.value.indices, held.value.kind))
            same = Equation(copy, held.value.indices, held.element)
            copies.append(Statement(copy, value, origin=held.origin.of_part(Part.COPY, same), opens=True))
            name = copy
        gradients[asked] = name
    return replace(program, statements=(*program.statements, *copies), gradients=gradients)


def _sharing(program: Program, calls: Iterable[Collection[str]]) -> Iterator[str]:
    """The results whose memory an input, or an earlier result of the same call, may have.

    In the program's order, in which what is viewed stands before its views.
    """
    memory = {tensor.name: frozenset({tensor.name}) for tensor in program.tensors}
    held = {frozenset(results): set(memory) for results in calls}
    for name, statement in program.by_name.items():
        views = viewed_names(statement.value)
        own = frozenset().union(*(memory[source] for source in views)) or frozenset({name})
        if any(name in results and not taken.isdisjoint(own) for results, taken in held.items()):
            own = frozenset({name})
            yield name
        memory[name] = own
        for results, taken in held.items():
            taken.update(own if name in results else ())


def viewed_name(value: Value) -> str | None:
    """The name that a value is nothing but a view of; None where it is a new array."""
    if isinstance(value, Read):
        return value.name
    return viewed_name(value.operands[0]) if is_view(value) else None


def viewed_names(value: Value) -> frozenset[str]:
    """The names that a value may be a view of, whatever a `where` by whole numbers chooses."""
    match value:
        case Read(name, _, _):
            return frozenset({name})
        case Conditional(_, chosen, otherwise):
            return viewed_names(chosen) | viewed_names(otherwise)
    return viewed_names(value.operands[0]) if is_view(value) else frozenset()


def is_view(value: Value) -> bool:
    """Whether the value may share memory with its operand."""
    return isinstance(
        value, Read | Transpose | Expand | Reshape | Diagonal | Select | Flip | Refold | Symmetric | Windows
    )
