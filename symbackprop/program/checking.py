"""The type checker: every node fits its operands, every name is read as it was written."""

from __future__ import annotations

from symbackprop.errors import ProgramError
from symbackprop.notation.expressions import Axis
from symbackprop.program.ir import Read
from symbackprop.program.layout import Layout, indices_of, layout_of
from symbackprop.program.program import Program, Statement
from symbackprop.program.value import Kind

AxesAndKind = tuple[tuple[Axis, ...], Kind]


def checked(program: Program) -> Program:
    """The program itself; ProgramError names the first statement whose types do not fit."""
    known: dict[str, AxesAndKind] = {
        tensor.name: (_axes(layout_of(tensor.indices)), Kind.REAL) for tensor in program.tensors
    }
    for statement in program.statements:
        _check_statement(statement, known)
        known[statement.name] = (_axes(statement.value.layout), statement.value.kind)
    missing = {*program.outputs, *program.gradients.values()} - set(known)
    if missing:
        raise ProgramError(f"nothing computes {', '.join(sorted(missing))}")
    return program


def _check_statement(statement: Statement, known: dict[str, AxesAndKind]) -> None:
    if statement.name in known:
        raise ProgramError(f"'{statement.name}' is computed twice")
    for node in statement.value.walk():
        if isinstance(node, Read):
            if node.name not in known:
                raise ProgramError(f"'{statement.name}' reads '{node.name}', which is not computed before it")
            if known[node.name] != (_axes(node.layout), node.kind):
                raise ProgramError(f"'{statement.name}' reads '{node.name}' with other axes than it has")
    if any(len(group) != 1 for group in statement.value.layout):
        raise ProgramError(f"'{statement.name}' has an axis that is not one index")


def _axes(layout: Layout) -> tuple[Axis, ...]:
    return tuple(index.axis for index in indices_of(layout))
