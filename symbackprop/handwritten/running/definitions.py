"""The definitions of a stranger's file, executed: imports, functions, classes and constants, and no more.

What a script does besides, training and printing, is left alone.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from symbackprop.handwritten.plans import Program
from symbackprop.handwritten.running.choices import CHOSEN, noting_choices
from symbackprop.handwritten.running.computed_values import NOTE, noting
from symbackprop.handwritten.running.stand_ins import stand_in
from symbackprop.handwritten.running.watching import unwatched

DEFINING = (ast.FunctionDef, ast.ClassDef)


def parsed(program: Program) -> ast.Module:
    """The tree, its lines counted as in the file; SyntaxError where the text is not Python."""
    tree = ast.parse(program.text)
    if program.first_line > 1:
        ast.increment_lineno(tree, program.first_line - 1)
    return tree


def defined(program: Program, around: Mapping[str, Any]) -> dict[str, Any]:
    """The names that the file defines. It runs the file: call it only where that is meant.

    `around` are names that are known already, as those of the module that a function comes from. An
    assignment that fails defines nothing; what is not installed fails where it is first used. What the
    definitions compute passes through `computed_values.NOTE`, and what they choose by through
    `choices.CHOSEN`, so that it can be watched.
    """
    tree = noting_choices(noting(parsed(program)))
    own = {each.name for each in tree.body if isinstance(each, ast.FunctionDef | ast.ClassDef)}
    names: dict[str, Any] = {**around, "__name__": "audited", NOTE: unwatched, CHOSEN: unwatched}
    for statement in tree.body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            _import(statement, names, program.name)
        elif isinstance(statement, DEFINING):
            run(ast.Module([statement], []), names, program.name)
        elif isinstance(statement, ast.Assign | ast.AnnAssign) and not _calls(statement, own):
            try:
                run(ast.Module([statement], []), names, program.name)
            except Exception:
                continue
    return names


class NotInstalled:
    """What a module that is not installed would have been: a script's plots and data need not be there."""

    def __init__(self, said: str) -> None:
        self._said = said

    def __getattr__(self, name: str) -> Any:
        raise ModuleNotFoundError(self._said)

    def __call__(self, *arguments: Any, **more: Any) -> Any:
        """Not to be had either."""
        raise ModuleNotFoundError(self._said)


def _import(statement: ast.Import | ast.ImportFrom, names: dict[str, Any], filename: str) -> None:
    for each in statement.names:
        one = (
            ast.Import([each])
            if isinstance(statement, ast.Import)
            else ast.ImportFrom(statement.module, [each], statement.level)
        )
        try:
            run(ast.Module([ast.copy_location(one, statement)], []), names, filename)
        except ModuleNotFoundError as error:
            name = each.asname or each.name.partition(".")[0]
            whole = each.name if each.asname else name
            dotted = f"{statement.module}.{each.name}" if isinstance(statement, ast.ImportFrom) else whole
            names[name] = _instead(dotted, str(error))


def _instead(dotted: str, said: str) -> Any:
    try:
        return stand_in(dotted)
    except ModuleNotFoundError:
        return NotInstalled(said)


def left_alone(program: Program) -> list[tuple[int, int]]:
    """First and last lines of the loops and calls at the top of a file, which are not run."""
    return [
        (each.lineno, each.end_lineno or each.lineno)
        for each in parsed(program).body
        if isinstance(each, ast.For | ast.While | ast.If | ast.With | ast.Try | ast.Expr)
        and not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))
    ]


def run(code: ast.Module | str, names: dict[str, Any], filename: str) -> None:
    """Run code of the user's file over these names: the one place where any of it is executed.

    What it raises passes through, SyntaxError for a text that is not Python included.
    """
    exec(compile(code, filename, "exec", dont_inherit=True), names)


def _calls(statement: ast.stmt, own: set[str]) -> bool:
    """Whether a statement runs a function of the file, as a script does that trains."""
    return any(isinstance(node, ast.Name) and node.id in own for node in ast.walk(statement))


@contextmanager
def changed(names: dict[str, Any], text: str, filename: str) -> Iterator[None]:
    """Another definition in the place of one, for a while."""
    before = dict(names)
    try:
        run(text, names, filename)
        yield
    finally:
        names.clear()
        names.update(before)
