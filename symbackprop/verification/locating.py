"""Where a module goes wrong first: its variables, caught as its functions return, against the equations."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import FrameType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.array.interpreter import interpret
from symbackprop.array.program import Line, Loop, Program, Statement, Store, statements_in
from symbackprop.array.slices import Allocate, Pick
from symbackprop.emission.printed import PrintedModule
from symbackprop.errors import SymbackpropError
from symbackprop.numerics.tolerance import agree, largest_of
from symbackprop.schedule.named_equations import Part
from symbackprop.verification.checked_module import ModuleUnderCheck

Array: TypeAlias = NDArray[Any]


def first_that_differs(
    module: PrintedModule, checked: ModuleUnderCheck, values: Mapping[str, Array], known: Mapping[str, Array]
) -> Statement | Store | None:
    """The first statement whose tensor holds other values than its equation gives; None where none does.

    `known` are the values of all tensors, adjoints too, by their equations. What only the program names is
    held against the program's own interpretation. Of a loop it is the array that is wrong at the earliest
    step; what the loop forgets is not seen, but what reads it.
    """
    own = _tensors(module, checked, values)
    try:
        meant = {**interpret(module.program, values), **known}
    except (SymbackpropError, ArithmeticError, LookupError, TypeError, ValueError):
        meant = dict(known)
    largest = largest_of(known.values())

    def agrees(found: Array, expected: Array) -> bool:
        return expected.dtype.kind != "f" or agree(np.asarray(found, float), expected, largest)

    # An array holds its values after the last line that writes it.
    finishing = {name: line for line in module.program.statements for name in line.written}
    for line in module.program.statements:
        wrong: dict[str, int] = {}
        for name in (name for name in line.written if finishing[name] is line):
            found = own.get(name)
            if found is not None and name in meant and not agrees(found, np.asarray(meant[name])):
                wrong[name] = _wrong_step(line, name, np.asarray(found), np.asarray(meant[name]), agrees)
        if wrong:
            return next(iter(writers(module.program, min(wrong, key=wrong.__getitem__))))
    return None


def _wrong_step(
    line: Line, name: str, found: Array, expected: Array, agrees: Callable[[Array, Array], bool]
) -> int:
    """How many steps of a loop an array is right: what a recurrence gets wrong, its later steps read."""
    stores = (each for each in statements_in((line,)) if isinstance(each, Store) and each.name == name)
    items = next((store.items for store in stores), ())
    picked = [place for place, item in enumerate(items) if isinstance(item, Pick)]
    if not (isinstance(line, Loop) and picked) or found.shape != expected.shape:
        return 0
    steps = range(expected.shape[picked[0]])
    order = list(reversed(steps) if line.reverse else steps)
    right = (agrees(found.take(step, picked[0]), expected.take(step, picked[0])) for step in order)
    return next((number for number, is_right in enumerate(right) if not is_right), len(order))


def writers(program: Program, name: str) -> tuple[Statement | Store, ...]:
    """The statements that give an array its values; the one that shows its equation first."""
    return _telling(line for line in statements_in(program.statements) if line.name == name)


def lines_for(program: Program, tensor: str) -> tuple[Statement | Store, ...]:
    """The statements that compute the equation of a tensor of the model or of its gradient, no part of it."""
    lines = statements_in(program.statements)
    return _telling(
        line for line in lines if line.origin.source.tensor == tensor and line.origin.part is Part.EQUATION
    )


def _telling(lines: Iterable[Statement | Store]) -> tuple[Statement | Store, ...]:
    """The lines, those that only allocate last, and before them those that go on with what others opened."""
    return tuple(sorted(lines, key=lambda line: (isinstance(line.value, Allocate), not line.opens)))


def line_raising(error: BaseException, checked: ModuleUnderCheck, module: PrintedModule) -> Line | None:
    """The line of the program that raised an error in the module; None where none of its own did."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame.lineno for frame in frames if frame.filename == checked.module.__file__]
    lines = [module.line_at(number) for number in own if number is not None]
    found = [line for line in lines if line is not None]
    return found[-1] if found else None


def _tensors(module: PrintedModule, checked: ModuleUnderCheck, values: Mapping[str, Array]) -> dict[str, Any]:
    """What the variables of the module's functions hold as these return, by the program's names."""
    found: dict[str, Any] = {}
    whole = {variable: name for name, variable in module.names.items()}
    calls: dict[str, Iterator[Mapping[str, str]]] = {
        name: iter([whole]) for name in ("_forward", "_loss", "value_and_grad")
    }
    calls |= {name: iter(names) for name, names in module.blocks.items()}

    def note(frame: FrameType, event: str, result: object) -> None:
        inside = frame.f_code.co_filename == checked.module.__file__
        if event == "return" and inside and frame.f_code.co_name in calls:
            names = next(calls[frame.f_code.co_name], {})
            for variable, value in frame.f_locals.items():
                found.setdefault(names.get(variable, variable), value)

    before: Callable[..., object] | None = sys.getprofile()
    sys.setprofile(note)
    try:
        checked.value_and_grad(values)
    finally:
        sys.setprofile(before)
    return found
