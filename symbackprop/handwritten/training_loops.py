"""A gradient that a script computes in its training loop: the loop's body, once, as a function of the data.

What the script makes the data from is left out; what it computes from them before the loop goes into the
function.
Every line stays where it is.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from symbackprop.handwritten.naming import Naming
from symbackprop.handwritten.plans import Program
from symbackprop.handwritten.syntax_of_code import Handwritten
from symbackprop.systems.system import DECLARED_ROLES, Role

NAME = "training_step"
Loop = ast.For | ast.While
DEFINING = (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
ASSIGNING = (ast.Assign, ast.AugAssign, ast.AnnAssign)


@dataclass(frozen=True)
class TrainingStep:
    """A program with the function `NAME` in the place of the loop at `line`; `data` are its parameters."""

    program: Program
    line: int
    data: tuple[str, ...]


def training_step(program: Program, naming: Naming) -> TrainingStep | None:
    """The body of the loop at the top of a file that computes gradients itself; None where none does."""
    code = Handwritten(program)
    top = list(_top(code.tree.body))
    path = max((each for each in _loops(top) if _gradients(each[-1], code, naming)), key=len, default=None)
    if path is None or any(_shares_a_line(loop) for loop in path):
        return None
    before = top[: top.index(path[0])]
    kept, needed = _slice(path, before, code, naming)
    data = [name for name in _stored(before) if name in needed and _is_data(name, code, naming)]
    first = next((each for each in before if set(data) & _stored([each]).keys()), None)
    if first is None or not data:
        return None
    lines = program.text.splitlines()
    new = [*lines[: first.lineno - 1], *[""] * (_last(path[0]) - first.lineno + 1), *lines[_last(path[0]) :]]
    earlier = _stored([each for each in before if each.lineno < first.lineno])
    assigned = _stored([each for each, _ in kept])
    again = [f"{name}={name}" for name in earlier if name in assigned and name not in data]
    new[first.lineno - 1] = f"def {NAME}({', '.join([*data, *again])}):"
    for statement, header in kept:
        if statement.lineno > first.lineno:
            _put(statement, header, lines, new)
        elif statement.lineno == first.lineno:  # beside the data, on the line that becomes the head
            new[first.lineno] = _after(new[first.lineno], ast.unparse(statement))
    return TrainingStep(replace(program, text="\n".join(new) + "\n"), path[-1].lineno, tuple(data))


def _top(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of the file, those under `if __name__ == "__main__"` among them."""
    for each in body:
        is_main = isinstance(each, ast.If) and "__name__" in ast.unparse(each.test)
        yield from each.body if isinstance(each, ast.If) and is_main else [each]


def _loops(body: Sequence[ast.stmt], around: tuple[Loop, ...] = ()) -> Iterator[tuple[Loop, ...]]:
    """Each loop, with those around it first."""
    for each in body:
        if isinstance(each, Loop):
            yield (*around, each)
            yield from _loops(each.body, (*around, each))


def _gradients(loop: Loop, code: Handwritten, naming: Naming) -> bool:
    """Whether the body of a loop, loops in it left out, computes the gradient of a parameter by itself."""
    parameters = [each.name for each in naming.system.with_role(Role.PARAMETER)]
    for statement in loop.body:
        value = getattr(statement, "value", None)
        root = ast.unparse(value.func).partition(".")[0] if isinstance(value, ast.Call) else ""
        if not isinstance(statement, ASSIGNING) or root in {*code.functions, *code.classes, *code.variables}:
            continue
        for name in _stored([statement]):
            of = naming.gradient_of(name, parameters)
            if of is not None and not naming.is_called(name, of):
                return True
    return False


def _slice(
    path: Sequence[Loop], before: Sequence[ast.stmt], code: Handwritten, naming: Naming
) -> tuple[list[tuple[ast.stmt, bool]], set[str]]:
    """What the function holds, in order, heads of loops marked; and the names that it reads."""
    body = [each for each in path[-1].body if _computes(each, code)]
    kept: list[tuple[ast.stmt, bool]] = [(each, False) for each in body]
    needed = _read(body)
    outer: list[tuple[ast.stmt, bool]] = [(each, False) for each in before]
    for place, loop in enumerate(path):
        inner = path[place + 1] if place + 1 < len(path) else None
        outer.append((loop, True))
        outer += [(each, False) for each in (loop.body[: loop.body.index(inner)] if inner else [])]
    for statement, is_head in reversed(outer):
        stored = _stored([statement.target]) if is_head and isinstance(statement, ast.For) else {}
        stored = stored if is_head else _stored([statement])
        named = [name for name in stored if not _is_data(name, code, naming)]
        is_needed = bool(needed & set(named)) and len(named) == len(stored)
        if isinstance(statement, DEFINING) or (is_needed and (is_head or isinstance(statement, ASSIGNING))):
            kept.insert(0, (statement, is_head))
            needed |= _read([statement.iter] if is_head and isinstance(statement, ast.For) else [statement])
    return kept, needed


def _computes(statement: ast.stmt, code: Handwritten) -> bool:
    """Whether a statement of the loop is kept: it assigns something, and leaves no loop."""
    if any(isinstance(node, ast.Break | ast.Continue) for node in ast.walk(statement)):
        return isinstance(statement, Loop)
    if isinstance(statement, ast.Expr):
        call = statement.value
        root = ast.unparse(call.func).partition(".")[0] if isinstance(call, ast.Call) else ""
        return root in ("np", "numpy") or root in code.variables
    return bool(_stored([statement]))


def _is_data(name: str, code: Handwritten, naming: Naming) -> bool:
    """Whether a variable is a tensor of the model, or a table of its parameters."""
    declared = [each.name for each in naming.system.with_role(*DECLARED_ROLES)]
    if naming.tensor(name, declared) is not None or naming.by_role(name, set()) is not None:
        return True
    parameters = [each.name for each in naming.system.with_role(Role.PARAMETER)]
    keys = code.keys_of(name)
    is_gradient = naming.gradient_of(name, parameters) is not None or name.lower().startswith(("d", "grad"))
    return not is_gradient and any(naming.tensor(key, parameters) is not None for key in keys)


def _stored(nodes: Sequence[ast.AST]) -> dict[str, None]:
    """The variables that statements assign, in order; those of whose items they assign, too."""
    found: dict[str, None] = {}
    for node in (each for one in nodes for each in ast.walk(one)):
        match node:
            case ast.Name(name, ast.Store()) | ast.Subscript(ast.Name(name), _, ast.Store()):
                found[name] = None
    return found


def _read(nodes: Sequence[ast.AST]) -> set[str]:
    names = [each for one in nodes for each in ast.walk(one) if isinstance(each, ast.Name)]
    changed = [each.target for one in nodes for each in ast.walk(one) if isinstance(each, ast.AugAssign)]
    return {each.id for each in names if isinstance(each.ctx, ast.Load)} | set(_stored(changed))


def _shares_a_line(loop: Loop) -> bool:
    """Whether a loop's body stands on the line of its head."""
    return loop.body[0].lineno == loop.lineno


def _last(statement: ast.stmt) -> int:
    return statement.end_lineno or statement.lineno


def _after(before: str, statement: str, indent: int = 4) -> str:
    """A line with a statement more, as in a = 1; b = 2."""
    return f"{before}; {statement}" if before.strip() else " " * indent + statement


def _put(statement: ast.stmt, is_head: bool, lines: Sequence[str], new: list[str]) -> None:
    """The lines of a statement, in a function; of a loop the first value of its variable."""
    if is_head:
        if isinstance(statement, ast.For):
            text = f"{ast.unparse(statement.target)} = next(iter({ast.unparse(statement.iter)}))"
            new[statement.lineno - 1] = f"    {text}"
        return
    decorators = getattr(statement, "decorator_list", [])
    first = min([statement.lineno, *(each.lineno for each in decorators)]) - 1
    outer = len(lines[first]) - len(lines[first].lstrip())
    for place in range(first, _last(statement)):
        line = lines[place]
        indented = len(line) - len(line.lstrip())
        # Statements may share a line: a = 1; b = 2
        begin = statement.col_offset if place == statement.lineno - 1 else indented
        end = statement.end_col_offset if place == _last(statement) - 1 else None
        segment = line.encode()[begin:end].decode() if place >= statement.lineno - 1 else line.lstrip()
        new[place] = _after(new[place], segment, max(indented + 4 - outer, 0))
