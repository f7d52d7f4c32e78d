"""The type checker: every node fits its operands, every name is read as it was written."""

from __future__ import annotations

from collections.abc import Iterable

from symbackprop.errors import ProgramError
from symbackprop.notation.expressions import Axis
from symbackprop.program.ir import Read
from symbackprop.program.layout import Layout, indices_of, layout_of
from symbackprop.program.program import Line, Loop, Program, Statement, Store
from symbackprop.program.slices import Count, Pick, Span
from symbackprop.program.value import Kind, Value

AxesAndKind = tuple[tuple[Axis, ...], Kind]


def checked(program: Program) -> Program:
    """The program itself; ProgramError names the first statement whose types do not fit."""
    known: dict[str, AxesAndKind] = {
        tensor.name: (
            _axes(layout_of(tensor.indices)),
            Kind.REAL if tensor.values is None else Kind.INTEGER,
        )
        for tensor in program.tensors
    }
    _check_lines(program.statements, known, frozenset())
    missing = {*program.outputs, *program.gradients.values()} - set(known)
    if missing:
        raise ProgramError(f"nothing computes {', '.join(sorted(missing))}")
    return program


def _check_lines(lines: Iterable[Line], known: dict[str, AxesAndKind], counters: frozenset[str]) -> None:
    """Check lines in order; what they define joins `known`, but for what only a loop's body knows."""
    for line in lines:
        if isinstance(line, Loop):
            _check_values(f"the loop over {line.counter}", (line.start, line.stop), known, counters)
            if line.counter in counters:
                raise ProgramError(f"two loops within each other step '{line.counter}'")
            _check_lines(line.body, dict(known), counters | {line.counter})
            continue
        _check_values(f"'{line.name}'", line.values, known, counters)
        if isinstance(line, Store):
            _check_store(line, known)
        else:
            _check_definition(line, known)


def _check_values(
    where: str, values: Iterable[Value], known: dict[str, AxesAndKind], counters: frozenset[str]
) -> None:
    for node in (node for value in values for node in value.walk()):
        if isinstance(node, Count) and node.name not in counters:
            raise ProgramError(f"{where} counts by '{node.name}', which no loop around it steps")
        if isinstance(node, Read):
            if node.name not in known:
                raise ProgramError(f"{where} reads '{node.name}', which is not computed before it")
            if known[node.name] != (_axes(node.layout), node.kind):
                raise ProgramError(f"{where} reads '{node.name}' with other axes than it has")


def _check_definition(statement: Statement, known: dict[str, AxesAndKind]) -> None:
    if statement.name in known:
        raise ProgramError(f"'{statement.name}' is computed twice")
    if any(len(group) != 1 for group in statement.value.layout):
        raise ProgramError(f"'{statement.name}' has an axis that is not one index")
    known[statement.name] = (_axes(statement.value.layout), statement.value.kind)


def _check_store(store: Store, known: dict[str, AxesAndKind]) -> None:
    """The value's axes, lined up from the right, are those of the places, or have length one."""
    if store.name not in known:
        raise ProgramError(f"'{store.name}' is stored into before it is allocated")
    axes, kind = known[store.name]
    if len(store.items) != len(axes):
        raise ProgramError(f"'{store.name}' is stored into with other axes than it has")
    places = [
        item.index.axis if isinstance(item, Span) else axis
        for item, axis in zip(store.items, axes, strict=True)
        if not isinstance(item, Pick)
    ]
    given = store.value.layout
    lined_up = zip(reversed(given), reversed(places), strict=False)
    fits = len(given) <= len(places) and all(
        not group or (len(group) == 1 and group[0].axis == axis) for group, axis in lined_up
    )
    if not fits or store.value.kind not in (kind, Kind.PYTHON):
        raise ProgramError(f"what is stored into '{store.name}' does not fit its places")


def _axes(layout: Layout) -> tuple[Axis, ...]:
    return tuple(index.axis for index in indices_of(layout))
