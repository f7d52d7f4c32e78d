"""The calls of NumPy that need more than a name: functions of the language, and orders of axes."""

from __future__ import annotations

from collections.abc import Iterable

from symbackprop.errors import PrintingError
from symbackprop.targets.numpy.kernels import NUMPY_CALLS
from symbackprop.targets.numpy.python_expressions import Piece, attribute, call, method


def function_call(function: str, arguments: Iterable[Piece]) -> Piece:
    """The call that computes a function of the language; PrintingError where NumPy has none."""
    if function not in NUMPY_CALLS:
        raise PrintingError(f"no NumPy function computes {function}")
    name, _, slots = NUMPY_CALLS[function].removesuffix(")").partition("(")
    given = iter(arguments)
    return call(name, *(next(given) if slot == "{}" else slot for slot in slots.split(", ")))


def transposed(operand: Piece, order: tuple[int, ...]) -> Piece:
    """An array with its axes in another order: `.T`, `.mT` of a stack of matrices, or `.transpose(...)`."""
    rank = len(order)
    if rank == 2:
        return attribute(operand, "T")
    if order == (*range(rank - 2), rank - 1, rank - 2):
        return attribute(operand, "mT")
    return method(operand, "transpose", *map(str, order))
