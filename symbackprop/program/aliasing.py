"""Results that nobody else holds: a returned array is never an input, a view of one, or another result."""

from __future__ import annotations

from dataclasses import replace

from symbackprop.program.ir import Copy, Diagonal, Elementwise, Read
from symbackprop.program.program import Line, Program, Statement
from symbackprop.program.slices import is_view
from symbackprop.program.value import Value

# Of scalars these make arrays without axes, where NumPy's arithmetic makes NumPy scalars.
MAKING_ARRAYS = frozenset({"where", "erf", "normcdf", "lgamma", "digamma", "trigamma"})


def with_fresh_results(program: Program) -> Program:
    """The program, with a copy wherever a result would share memory with an input or another result.

    A scalar result becomes a NumPy scalar. Outputs and gradients are returned by different functions, so that
    each of the two is looked at by itself.
    """
    bases = _bases(program)
    copied = {
        *_repeated(program.outputs, bases, program),
        *_repeated(tuple(program.gradients.values()), bases, program),
        *_repeated((program.loss,) if program.loss else (), bases, program),
        *_arrays_without_axes(program),
        *_diagonals(program),
    }
    return replace(program, statements=tuple(_copied(line, copied) for line in program.statements))


def _copied(line: Line, names: set[str]) -> Line:
    if isinstance(line, Statement) and line.name in names:
        return replace(line, value=Copy(line.value))
    return line


def _bases(program: Program) -> dict[str, str]:
    """Each name to the name whose memory it may share: its own where its array is new."""
    bases = {tensor.name: tensor.name for tensor in program.tensors}
    for name, statement in program.by_name.items():
        source = viewed_name(statement.value)
        bases[name] = bases[source] if source is not None else name
    return bases


def viewed_name(value: Value) -> str | None:
    """The name that a value is nothing but a view of; None where it is a new array."""
    if isinstance(value, Read):
        return value.name
    return viewed_name(value.operands[0]) if is_view(value) else None


def _repeated(results: tuple[str, ...], bases: dict[str, str], program: Program) -> list[str]:
    """The results whose memory an input or an earlier result has already."""
    held = {tensor.name for tensor in program.tensors}
    repeated = []
    for name in dict.fromkeys(results):
        if bases[name] in held:
            repeated.append(name)
        held.add(bases[name])
    return repeated


def _arrays_without_axes(program: Program) -> list[str]:
    results = (*program.outputs, *program.gradients.values(), *((program.loss,) if program.loss else ()))
    return [name for name in results if _makes_array_without_axes(program.by_name[name].value)]


def _diagonals(program: Program) -> list[str]:
    """The results that NumPy would return as read-only views."""
    results = (*program.outputs, *program.gradients.values())
    return [name for name in results if _is_diagonal(program.by_name[name].value)]


def _is_diagonal(value: Value) -> bool:
    return isinstance(value, Diagonal) or (is_view(value) and any(map(_is_diagonal, value.operands)))


def _makes_array_without_axes(value: Value) -> bool:
    return not value.layout and isinstance(value, Elementwise) and value.operation in MAKING_ARRAYS
