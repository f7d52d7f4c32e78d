"""Statements that are too long for a line, laid out as `ruff format` does it, or cut in two.

A chain of two or more operators is set in parentheses, an operator at the start of each line; a call has its
arguments on a line of their own. Where that does not do, the longest part that fits is computed first, under
a name of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from symbackprop.emission.numpy_values import NumpyValues
from symbackprop.emission.python_text import INDENT, bracketed, fits
from symbackprop.program.aliasing import viewed_name
from symbackprop.program.ir import Read
from symbackprop.program.naming import unused_name
from symbackprop.program.program import Program, Statement
from symbackprop.program.value import Value, rewrite_values

# A shorter part is not worth a name.
SHORTEST_PART = 16


def with_fitting_statements(program: Program, printer: NumpyValues) -> Program:
    """The program with every statement that no layout fits cut into several."""
    taken = {*printer.names, *printer.names.values(), *printer.axes.values()}
    statements: list[Statement] = []
    for statement in program.statements:
        statements.extend(_cut(statement, printer, taken))
    return replace(program, statements=tuple(statements))


def statement_lines(statement: Statement, printer: NumpyValues, indent: str) -> list[str]:
    """`name = value`, in parentheses over several lines where it is too long for one."""
    name = printer.names[statement.name]
    line = f"{indent}{name} = {printer.text(statement.value)}"
    if fits(line):
        return [line]
    pieces = printer.chain(statement.value)
    if len(pieces) > 2:
        inside = f"{indent}{INDENT}{' '.join(pieces)}"
        broken = [inside] if fits(inside) else [f"{indent}{INDENT}{piece}" for piece in pieces]
        return [f"{indent}{name} = (", *broken, f"{indent})"]
    call = printer.call(statement.value)
    if call is not None:
        head, arguments = call
        return bracketed(f"{name} = {head}", arguments, ")", indent)
    return [line]


def _cut(statement: Statement, printer: NumpyValues, taken: set[str]) -> Iterator[Statement]:
    """The statement, after those that compute parts of it; the first of them carries the formula."""
    formula = statement.formula
    while not _fits(statement, printer):
        part = _longest_part(statement, printer)
        if part is None:
            break
        name = unused_name(f"{statement.name}_part", taken.__contains__)
        taken.add(name)
        yield Statement(name, part, formula, guarded=statement.guarded)
        formula = ""
        statement = replace(statement, value=_with_name(statement.value, part, name))
        printer = replace(printer, names={**printer.names, name: name})
    yield replace(statement, formula=formula)


def _with_name(value: Value, part: Value, name: str) -> Value:
    read = Read(name, part.indices, part.kind)
    return rewrite_values(value, lambda node: read if node == part else node)


def _fits(statement: Statement, printer: NumpyValues) -> bool:
    indent = INDENT * 2 if statement.guarded else INDENT
    return all(fits(line) for line in statement_lines(statement, printer, indent))


def _longest_part(statement: Statement, printer: NumpyValues) -> Value | None:
    """The part with the longest text that fits as a statement of its own; None where there is none.

    A part must be an array with one axis an index, for only such has a name; a view of a name is no gain.
    """
    name = f"{statement.name}_part_00"
    parts = [
        node
        for node in statement.value.walk()
        if node is not statement.value
        and viewed_name(node) is None
        and all(len(group) == 1 for group in node.layout)
        and len(printer.text(node)) >= SHORTEST_PART
        and _fits(
            replace(statement, name=name, value=node), replace(printer, names={**printer.names, name: name})
        )
    ]
    return max(parts, key=lambda node: len(printer.text(node)), default=None)
