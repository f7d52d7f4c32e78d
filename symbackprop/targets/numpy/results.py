"""Results that are what NumPy users expect: scalars are NumPy scalars, and arrays can be written to."""

from __future__ import annotations

from symbackprop.array.aliasing import is_view, with_copies
from symbackprop.array.ir import Elementwise
from symbackprop.array.linear_algebra import Diagonal
from symbackprop.array.program import Program
from symbackprop.array.slices import Conditional
from symbackprop.array.value import Value
from symbackprop.functions.record import NumpyKernel
from symbackprop.functions.table import FUNCTIONS

# Of scalars these make arrays without axes, where NumPy's arithmetic makes NumPy scalars.
MAKING_ARRAYS = {"where"} | {
    name
    for name, record in FUNCTIONS.items()
    if isinstance(record.numpy, NumpyKernel) and record.numpy.makes_array
}


def with_numpy_results(program: Program) -> Program:
    """The program, with a copy wherever NumPy would return an array without axes, or a read-only view."""
    arrays = (*program.outputs, *program.gradients.values())
    results = (*arrays, *((program.loss,) if program.loss else ()))
    values = {name: program.by_name[name].value for name in results}
    without_axes = {name for name, value in values.items() if _makes_array_without_axes(value)}
    return with_copies(program, without_axes | {name for name in arrays if _is_diagonal(values[name])})


def _is_diagonal(value: Value) -> bool:
    return isinstance(value, Diagonal) or (is_view(value) and any(map(_is_diagonal, value.operands)))


def _makes_array_without_axes(value: Value) -> bool:
    if isinstance(value, Conditional):
        return any(map(_makes_array_without_axes, (value.chosen, value.otherwise)))
    return not value.layout and isinstance(value, Elementwise) and value.operation in MAKING_ARRAYS
