"""The calls of NumPy that compute functions of the language."""

from __future__ import annotations

from collections.abc import Iterable

from symbackprop.errors import PrintingError
from symbackprop.targets.numpy.kernels import NUMPY_CALLS
from symbackprop.targets.numpy.python_expressions import Piece, call


def function_call(function: str, arguments: Iterable[Piece]) -> Piece:
    """The call that computes a function of the language; PrintingError where NumPy has none."""
    if function not in NUMPY_CALLS:
        raise PrintingError(f"no NumPy function computes {function}")
    name, _, slots = NUMPY_CALLS[function].removesuffix(")").partition("(")
    given = iter(arguments)
    return call(name, *(next(given) if slot == "{}" else slot for slot in slots.split(", ")))
