"""The calls of NumPy that compute functions of the language."""

from __future__ import annotations

from collections.abc import Iterable

from symbackprop.errors import RecordError
from symbackprop.targets.numpy.kernels import NUMPY_CALLS
from symbackprop.targets.numpy.python_expressions import Piece, attribute, call, method


def function_call(function: str, arguments: Iterable[Piece], **keywords: Piece) -> Piece:
    """The call that computes a function of the language; RecordError where its record names none."""
    if function not in NUMPY_CALLS:
        raise RecordError(
            f"nothing of NumPy computes the function '{function}'",
            remedy="give its record numpy=NumpyCall(...), or numpy=NumpyKernel() and a template of its name",
        )
    name, _, slots = NUMPY_CALLS[function].removesuffix(")").partition("(")
    given = iter(arguments)
    return call(name, *(next(given) if slot == "{}" else slot for slot in slots.split(", ")), **keywords)


def in_precision(operand: Piece, bits: int, back: bool) -> Piece:
    """`np.asarray(x, dtype=np.float32)`; with `back`, as an array of the dtype that x has."""
    found = call("np.asarray", operand, dtype=f"np.float{bits}")
    return method(found, "astype", attribute(call("np.asarray", operand), "dtype")) if back else found
