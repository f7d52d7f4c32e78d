"""Facts that a gradient's form rests on, held against the data when the module is called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from symbackprop.array.ir import Read
from symbackprop.array.linear_algebra import Cholesky, Symmetric
from symbackprop.array.program import Line, Program, Statement, rewrite_lines, statements_in
from symbackprop.array.slices import Conditional
from symbackprop.array.value import Value
from symbackprop.notation.expressions import Element, Index
from symbackprop.notation.fresh_names import numbered_name
from symbackprop.schedule.kinds import Kind
from symbackprop.schedule.named_equations import Origin, Part
from symbackprop.systems.system import Equation


def with_symmetries_checked(
    program: Program, facts: Mapping[str, str], own: Mapping[str, tuple[Index, ...]]
) -> Program:
    """The program, where the lines that read these tensors on the way back do so once they are looked at.

    `facts` gives the tensors whose symmetry was used, each with the fact that states it. Where nothing on the
    way back reads one, what reads it on the way to the loss does.
    """
    for tensor, fact in facts.items():
        program = _checked(program, tensor, fact, own[tensor])
    return program


def _checked(program: Program, tensor: str, fact: str, indices: tuple[Index, ...]) -> Program:
    ahead = program.needed_for((*program.outputs, *((program.loss,) if program.loss else ())))
    readers = [line for line in program.statements if tensor in line.reads and tensor not in line.written]
    chosen = [line for line in readers if line not in ahead] or readers
    if not chosen or any(_is_factored(line, tensor) for line in ahead):
        return program
    taken = {tensor.name for tensor in program.tensors}.union(*(line.written for line in program.statements))
    name = numbered_name(f"{tensor}_symmetric", taken)

    def renamed(value: Value) -> Value:
        return replace(value, name=name) if isinstance(value, Read) and value.name == tensor else value

    lines: list[Line] = []
    for line in program.statements:
        if line is chosen[0]:
            checked = Symmetric(Read(tensor, indices, Kind.REAL), tensor, fact)
            same = Equation(name, indices, Element(tensor, indices))
            lines.append(Statement(name, checked, origin=_origin(line, tensor, same), opens=True))
        lines += rewrite_lines((line,), renamed) if any(line is each for each in chosen) else (line,)
    return replace(program, statements=tuple(lines))


def _origin(line: Line, tensor: str, stated: Equation) -> Origin:
    """That of the first statement which reads the tensor."""
    readers = (each for each in statements_in((line,)) if tensor in each.reads)
    return next(readers).origin.of_part(Part.CHECK, stated)


def _is_factored(line: Line, tensor: str) -> bool:
    """Whether a line is sure to factor the tensor's matrices, which looks at them too."""
    nodes = [node for value in line.values for node in value.walk()]
    return any(isinstance(node, Cholesky) and node.tensor == tensor for node in nodes) and not any(
        isinstance(node, Conditional) for node in nodes
    )
