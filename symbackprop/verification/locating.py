"""Where a module goes wrong first: its variables, caught as its functions return, against the equations."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from types import FrameType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.array.interpreter import interpret
from symbackprop.array.program import Line, Statement, statements_in
from symbackprop.errors import SymbackpropError
from symbackprop.numerics.tolerance import agree, largest_of
from symbackprop.targets.numpy.module import NumpyModule
from symbackprop.verification.checked_module import ModuleUnderCheck

Array: TypeAlias = NDArray[Any]


def first_that_differs(
    module: NumpyModule, checked: ModuleUnderCheck, values: Mapping[str, Array], known: Mapping[str, Array]
) -> tuple[str, str]:
    """The first name, with its statement, whose value is not that of its equation; two empty texts for none.

    `known` are the values of all tensors, adjoints too, by their equations. What only the program names is
    held against the program's own interpretation.
    """
    own = _variables(checked, values)
    try:
        meant = {**interpret(module.program, values), **known}
    except (SymbackpropError, ArithmeticError, LookupError, TypeError, ValueError):
        meant = dict(known)
    largest = largest_of(known.values())
    for _, name in _written(module.program.statements):
        found = own.get(module.printer.names.get(name, name))
        if found is not None and name in meant:
            expected = np.asarray(meant[name])
            if expected.dtype.kind == "f" and not agree(np.asarray(found, float), expected, largest):
                return name, statement_of(module, name)
    return "", ""


def _shown(module: NumpyModule, line: Line, name: str) -> str:
    """A line's code; of a loop, the statement in it that writes the name."""
    for statement in statements_in([line]):
        if name in statement.written:
            return module.lines_of(statement)
    return ""


def statement_of(module: NumpyModule, name: str) -> str:
    """The code of the statement that computes a tensor; "" where there is none."""
    for line, written in _written(module.program.statements):
        if written == name and not _is_allocation(line, module):
            return _shown(module, line, name)
    return ""


def _is_allocation(line: Line, module: NumpyModule) -> bool:
    return isinstance(line, Statement) and any(
        line.name in other.written for other in module.program.statements if other is not line
    )


def _written(lines: tuple[Line, ...]) -> Iterator[tuple[Line, str]]:
    for line in lines:
        for name in line.written:
            yield line, name


def raised_at(error: BaseException, filename: str | None) -> str:
    """The module's line that raised an error; "" where none of its own did."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame.line or "" for frame in frames if frame.filename == filename]
    return own[-1].strip() if own else ""


def _variables(checked: ModuleUnderCheck, values: Mapping[str, Array]) -> dict[str, Any]:
    """What the variables of the module's functions hold as these return."""
    found: dict[str, Any] = {}

    def note(frame: FrameType, event: str, result: object) -> None:
        inside = frame.f_code.co_filename == checked.module.__file__
        if event == "return" and inside and frame.f_code.co_name in ("_forward", "_loss", "value_and_grad"):
            for name, value in frame.f_locals.items():
                found.setdefault(name, value)

    before: Callable[..., object] | None = sys.getprofile()
    sys.setprofile(note)
    try:
        checked.value_and_grad(values)
    finally:
        sys.setprofile(before)
    return found
