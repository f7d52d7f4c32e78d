"""Statements that no layout fits, cut in two: the longest part that fits gets a name of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TypeAlias

from symbackprop.array.aliasing import is_view, viewed_name
from symbackprop.array.ir import Read, Reshape
from symbackprop.array.layout import is_nameable
from symbackprop.array.program import Line, Loop, Statement, Store
from symbackprop.array.slices import Refold, Select, always_computed, always_computed_operands
from symbackprop.array.value import Value, rewrite_values
from symbackprop.notation.fresh_names import numbered_name
from symbackprop.schedule.named_equations import Part
from symbackprop.targets.numpy.lines import code_indent, statement_lines
from symbackprop.targets.numpy.python_text import INDENT, fits
from symbackprop.targets.numpy.values import NumpyValues

# A shorter part is not worth a name.
SHORTEST_PART = 16

# For a node, by its id, and whether it is reshaped next: the node and the longest part of it.
_Longest: TypeAlias = dict[tuple[int, bool], tuple[Value, Value | None]]


def fitting(
    lines: Iterable[Line], printer: NumpyValues, taken: set[str], indent: str, in_guard: bool
) -> Iterator[Line]:
    """The lines at this depth of loops, each after those into which it is cut where no layout fits it.

    What is cut out is called as nothing that is `taken`, to which its names are added.
    """
    for line in lines:
        inside = code_indent(line, indent, in_guard)
        if isinstance(line, Loop):
            body = tuple(fitting(line.body, printer, taken, inside + INDENT, True))
            yield replace(line, body=body)
        else:
            yield from _cut(line, printer, taken, inside)


def _cut(
    statement: Statement | Store, printer: NumpyValues, taken: set[str], indent: str
) -> Iterator[Statement | Store]:
    """The statement, after those that compute parts of it; the first of them opens it."""
    longest: _Longest = {}
    while _should_be_cut(statement, printer, indent):
        part = _window(statement, printer, indent) or _longest_part(statement, printer, indent, longest)
        if part is None:
            break
        name = numbered_name(_stem(part, statement), taken)
        taken.add(name)
        yield replace(_part_of(statement, name, part), opens=statement.opens)
        statement = replace(statement, value=_with_name(statement.value, part, name), opens=False)
        printer = replace(printer, names={**printer.names, name: name})
    yield statement


def _part_of(statement: Statement | Store, name: str, part: Value) -> Statement:
    return Statement(name, part, origin=statement.origin.of_part(Part.CUT), guarded=statement.guarded)


def _with_name(value: Value, part: Value, name: str) -> Value:
    read = Read(name, part.indices, part.kind)
    return rewrite_values(value, lambda node: read if node == part else node)


def _should_be_cut(statement: Statement | Store, printer: NumpyValues, indent: str) -> bool:
    return (
        not _fits(statement, printer, indent)
        or _breaks_at_a_window(statement, printer, indent)
        or _breaks_inside_brackets(statement, printer, indent)
    )


def _breaks_inside_brackets(statement: Statement | Store, printer: NumpyValues, indent: str) -> bool:
    """Whether a formatter would break two long operands inside the brackets of one, and not between them."""
    piece = printer.piece(statement.value)
    has_brackets = piece.opened or piece.closed
    return len(piece.chain) == 2 and has_brackets and len(statement_lines(statement, printer, indent)) > 1


def _fits(statement: Statement | Store, printer: NumpyValues, indent: str) -> bool:
    return all(fits(line) for line in statement_lines(statement, printer, indent))


def _longest_part(
    statement: Statement | Store, printer: NumpyValues, indent: str, longest: _Longest
) -> Value | None:
    """The part with the longest text that fits as a statement of its own; None where there is none.

    A part must be an array with one axis an index, for only such has a name, or one that is reshaped next; a
    view of a name is no gain. What a cut leaves as it is keeps its entry in `longest`.
    """
    name = f"{statement.name}_part_00"
    naming = replace(printer, names={**printer.names, name: name})

    def is_part(node: Value, is_reshaped: bool) -> bool:
        return (
            viewed_name(node) is None
            and (is_reshaped or is_nameable(node.layout))
            and len(printer.text(node)) >= SHORTEST_PART
            and _fits(_part_of(statement, name, node), naming, indent)
        )

    def within(parent: Value) -> Iterator[Value]:
        for node in always_computed_operands(parent):
            key = id(node), isinstance(parent, Reshape | Refold)
            if key not in longest:
                own = (node,) if is_part(node, isinstance(parent, Reshape | Refold)) else ()
                longest[key] = node, _longest_text((*own, *within(node)), printer)
            part = longest[key][1]
            if part is not None:
                yield part

    return _longest_text(within(statement.value), printer)


def _longest_text(parts: Iterable[Value], printer: NumpyValues) -> Value | None:
    return max(parts, key=lambda node: len(printer.text(node)), default=None)


def _breaks_at_a_window(statement: Statement | Store, printer: NumpyValues, indent: str) -> bool:
    """Whether a reshape would be broken over lines where naming the slice inside it says more."""
    if not isinstance(statement.value, Reshape) or len(statement_lines(statement, printer, indent)) == 1:
        return False
    return _window(statement, printer, indent) is not None


def _window(statement: Statement | Store, printer: NumpyValues, indent: str) -> Value | None:
    """A slice of a name, and how it is viewed, that the statement does more with, as a part of its own."""
    for node in always_computed(statement.value):
        if node is not statement.value and is_nameable(node.layout) and _is_sliced(node):
            text = printer.text(node)
            name = f"{_stem(node, statement)}_00"
            if len(text) >= SHORTEST_PART and fits(f"{indent}{name} = {text}"):
                return node
    return None


def _is_sliced(value: Value) -> bool:
    """Whether a value is a slice of a name, or a view of one."""
    while is_view(value) and not isinstance(value, Select | Read):
        value = value.operands[0]
    return isinstance(value, Select) and isinstance(value.operand, Read)


def _stem(part: Value, statement: Statement | Store) -> str:
    name = viewed_name(part)
    if name is not None:
        return f"{name}_window"
    return f"{statement.name}_part"
