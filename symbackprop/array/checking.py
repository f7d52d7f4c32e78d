"""The type checker: every node fits its operands, every name is read as it was written.

Named equations are looked at before they are lowered: a temporary has exactly the free indices of its value,
conditions and places of maxima included, and every tensor is read at as many positions as it has axes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from symbackprop.array.ir import Read
from symbackprop.array.layout import axes_of_layout, layout_of
from symbackprop.array.program import Line, Loop, Program, Statement, Store, statements_in
from symbackprop.array.slices import Allocate, Count, Pick, Span
from symbackprop.array.value import Value
from symbackprop.errors import ProgramError
from symbackprop.integers.guards import guarded_reads
from symbackprop.notation.expressions import Axis, Element, Index
from symbackprop.schedule.kinds import Kind
from symbackprop.schedule.named_equations import NamedEquation, Part
from symbackprop.systems.printing import text
from symbackprop.systems.system import Equation

AxesAndKind = tuple[tuple[Axis, ...], Kind]


def checked_equations(
    items: Sequence[NamedEquation], own: Mapping[str, tuple[Index, ...]]
) -> Sequence[NamedEquation]:
    """The equations themselves; ProgramError names the first whose indices are not those of its value.

    An equation of the model or of its gradient may have more indices than its value, a temporary may not.
    `own` gives the indices of every tensor.
    """
    for item in items:
        equation = item.equation
        check_free_indices(equation)
        of_model = item.origin.part in (Part.EQUATION, Part.PORTION, Part.BLOCK)
        if not of_model and set(equation.indices) != equation.expression.free_indices:
            raise ProgramError(f"'{equation.tensor}' has indices that its value does not depend on")
        for read in guarded_reads(equation.expression):
            _check_element(equation, read.element, own)
    return items


def check_free_indices(equation: Equation) -> None:
    """ProgramError where the value depends on an index that the tensor does not have, or has twice."""
    missing = equation.expression.free_indices - set(equation.indices)
    if missing:
        names = ", ".join(sorted(index.name for index in missing))
        raise ProgramError(f"'{equation.tensor}' lacks indices of its value: {names}")
    if len(set(equation.indices)) != len(equation.indices):
        raise ProgramError(f"'{equation.tensor}' repeats an index")


def _check_element(equation: Equation, element: Element, own: Mapping[str, tuple[Index, ...]]) -> None:
    if len(own[element.tensor]) != len(element.positions):
        raise ProgramError(f"'{equation.tensor}' reads {text(element)} with other axes than it has")


def checked(program: Program, items: Iterable[NamedEquation] = ()) -> Program:
    """The program itself; ProgramError names the first statement whose types do not fit.

    `items` are the equations that it computes: each array has their axes, and holds their kind.
    """
    known: dict[str, AxesAndKind] = {
        tensor.name: (
            axes_of_layout(layout_of(tensor.indices)),
            Kind.REAL if tensor.values is None else Kind.INTEGER,
        )
        for tensor in program.tensors
    }
    _check_lines(program.statements, known, frozenset())
    missing = {*program.outputs, *program.gradients.values()} - set(known)
    if missing:
        raise ProgramError(f"nothing computes {', '.join(sorted(missing))}")
    _check_filled(program.statements)
    for equation, kind in ((item.equation, item.kind) for item in items):
        # What is not known here is a variable of a loop's body, which has not all of the axes.
        axes = axes_of_layout(layout_of(equation.indices))
        if known.get(equation.tensor, (axes, kind)) != (axes, kind):
            raise ProgramError(f"'{equation.tensor}' has other axes than its equation")
    return program


def _check_filled(lines: Iterable[Line]) -> None:
    """ProgramError where an array is allocated and nothing is stored into it."""
    computed = list(statements_in(lines))
    filled = {line.name for line in computed if isinstance(line, Store)}
    for line in computed:
        if isinstance(line.value, Allocate) and line.name not in filled:
            raise ProgramError(f"'{line.name}' is allocated and never filled")


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
            if known[node.name] != (axes_of_layout(node.layout), node.kind):
                raise ProgramError(f"{where} reads '{node.name}' with other axes than it has")


def _check_definition(statement: Statement, known: dict[str, AxesAndKind]) -> None:
    if statement.name in known:
        raise ProgramError(f"'{statement.name}' is computed twice")
    if any(len(group) != 1 for group in statement.value.layout):
        raise ProgramError(f"'{statement.name}' has an axis that is not one index")
    known[statement.name] = (axes_of_layout(statement.value.layout), statement.value.kind)


def _check_store(store: Store, known: dict[str, AxesAndKind]) -> None:
    """The value's axes, lined up from the right, are those of the places, or have length one."""
    if store.name not in known:
        raise ProgramError(f"'{store.name}' is stored into before it is allocated")
    axes, kind = known[store.name]
    if len(store.items) != len(axes):
        raise ProgramError(f"'{store.name}' is stored into with other axes than it has")
    places = _picked(store) + [
        item.index.axis if isinstance(item, Span) else axis
        for item, axis in zip(store.items, axes, strict=True)
        if not isinstance(item, Pick)
    ]
    given = store.value.layout
    lined_up = zip(reversed(given), reversed(places), strict=False)
    fits = len(given) <= len(places) and all(
        not group or (len(group) == 1 and group[0].axis == axis) for group, axis in lined_up
    )
    is_condition = kind is Kind.BOOLEAN and store.value.kind.is_condition
    if not fits or not (is_condition or store.value.kind in (kind, Kind.PYTHON)):
        raise ProgramError(f"what is stored into '{store.name}' does not fit its places")


def _picked(store: Store) -> list[Axis]:
    """The axes of arrays of places, which a store adds to; they pick from the first axes."""
    picked = [item.place for item in store.items if isinstance(item, Pick)]
    layout = store.value.broadcast([place.layout for place in picked])
    in_front = all(isinstance(item, Pick) for item in store.items[: len(picked)])
    integers = all(place.kind in (Kind.PYTHON, Kind.INTEGER) for place in picked)
    if not integers or (layout and not (in_front and store.accumulate)):
        raise ProgramError(f"'{store.name}' is stored into at places that are none")
    return list(axes_of_layout(layout))
