"""A program's lines as Python statements, laid out as `ruff format` does it.

A chain of two or more operators that is too long for a line is set in parentheses, an operator at the start
of each line; a call has its arguments on a line of their own. A loop is indented below its `for`.
"""

from __future__ import annotations

import textwrap

from symbackprop.array.ir import Literal
from symbackprop.array.program import Line, Loop, Statement, Store, formula_of
from symbackprop.array.slices import places_may_repeat
from symbackprop.emission.printed import CodeLine, code_lines
from symbackprop.targets.numpy.indexing import item_texts
from symbackprop.targets.numpy.python_expressions import Piece, call, tuple_of
from symbackprop.targets.numpy.python_text import INDENT, LINE_LENGTH, ascii_only, bracketed, fits
from symbackprop.targets.numpy.values import NumpyValues

GUARD = 'with np.errstate(all="ignore"):  # what is not chosen may be undefined'


def printed(line: Line, printer: NumpyValues, indent: str, in_guard: bool = False) -> list[CodeLine]:
    """The formula as a comment, and the code below it; a guarded line opens a guard unless it is in one."""
    lines = code_lines(comment_lines(line, indent))
    if line.guarded and not in_guard:
        lines.append(CodeLine(f"{indent}{GUARD}"))
    inside = code_indent(line, indent, in_guard)
    if not isinstance(line, Loop):
        return [*lines, *code_lines(statement_lines(line, printer, inside), line)]
    lines.append(CodeLine(f"{inside}{loop_head(line, printer)}", line))
    for item in line.body:
        lines += printed(item, printer, inside + INDENT, in_guard=True)
    return lines


def comment_lines(line: Line, indent: str) -> list[str]:
    """The formula of what a line begins to compute, as a comment; nothing for a line that goes on."""
    comment = textwrap.wrap(
        ascii_only(formula_of(line)),
        LINE_LENGTH - len(f"{indent}# "),
        subsequent_indent=INDENT,
        break_on_hyphens=False,
    )
    return [f"{indent}# {part}" for part in comment]


def code_indent(line: Line, indent: str, in_guard: bool) -> str:
    """Where the code of a line begins: further in where it opens a guard, which a whole loop shares."""
    return indent + INDENT if line.guarded and not in_guard else indent


def loop_head(loop: Loop, printer: NumpyValues) -> str:
    """`for t in range(1, T):`."""
    ends = [loop.stop] if loop.start == Literal(0) and loop.step == 1 else [loop.start, loop.stop]
    ends += [Literal(loop.step)] if loop.step != 1 else []
    steps = call("range", *map(printer.piece, ends))
    walked = call("reversed", steps) if loop.reverse else steps
    return f"for {printer.counters[loop.counter]} in {walked.text}:"


def statement_lines(line: Statement | Store, printer: NumpyValues, indent: str) -> list[str]:
    """`name = value`, in parentheses over several lines where it is too long for one."""
    if isinstance(line, Store) and line.accumulate and places_may_repeat(line.items):
        return [f"{indent}{_added_at(line, printer).text}"]
    target = _target(line, printer)
    piece = printer.piece(line.value)
    one_line = f"{indent}{target} {piece.text}"
    if fits(one_line):
        return [one_line]
    if len(piece.chain) > 2:
        return _in_parentheses(target, piece, indent)
    if piece.call is not None and piece.links < 2:  # a longer chain of methods has no layout, and is cut
        head, arguments = piece.call
        lines = bracketed(f"{target} {head}", arguments, ")", indent)
        if fits(lines[0]):
            return lines
    return _in_parentheses(target, piece, indent) if len(piece.chain) == 2 else [one_line]


def _in_parentheses(target: str, piece: Piece, indent: str) -> list[str]:
    inner = indent + INDENT
    pieces = [" ".join(piece.chain)]
    if not fits(inner + pieces[0]):
        finer = piece.finer or [(part,) for part in piece.chain]
        broken = zip(piece.chain, finer, strict=True)
        pieces = [each for part, parts in broken for each in ((part,) if fits(inner + part) else parts)]
    return [f"{indent}{target} (", *(f"{inner}{each}" for each in pieces), f"{indent})"]


def _target(line: Statement | Store, printer: NumpyValues) -> str:
    """`name =`, `name[:, t] =` or `name +=`."""
    if isinstance(line, Statement):
        return f"{printer.names[line.name]} ="
    part = printer.part(line.name, line.items, in_place=line.accumulate)
    return f"{part.text} {'+=' if line.accumulate else '='}"


def _added_at(line: Store, printer: NumpyValues) -> Piece:
    """`np.add.at(name, par[t], value)`, which adds to a place as often as it is named."""
    items = item_texts(line.items, printer.piece)
    places = items[0] if len(items) == 1 else tuple_of(items)
    return call("np.add.at", printer.names[line.name], places, printer.piece(line.value))
