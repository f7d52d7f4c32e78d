"""The calls of NumPy that compute functions of the language."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from symbackprop.array.ir import Literal
from symbackprop.array.linear_algebra import (
    Cholesky,
    Cofactors,
    Determinant,
    Inverse,
    LinearAlgebra,
    Solve,
    Symmetric,
)
from symbackprop.array.lookups import Scan, ScatterAdd, ScatterArgmax, ScatterExtremum
from symbackprop.errors import RecordError
from symbackprop.languages.phrases import worded
from symbackprop.notation.expressions import Axis
from symbackprop.targets.numpy.kernels import NUMPY_CALLS
from symbackprop.targets.numpy.python_expressions import Piece, attribute, call, method, number
from symbackprop.targets.numpy.python_text import quoted

ByPlaces: TypeAlias = ScatterAdd | ScatterExtremum | Scan


def function_call(function: str, arguments: Iterable[Piece], **keywords: Piece) -> Piece:
    """The call that computes a function of the language; RecordError where its record names none."""
    if function not in NUMPY_CALLS:
        raise RecordError(
            worded("nothing of NumPy computes the function '{function}'", function=function),
            remedy=worded(
                "give its record numpy=NumpyCall(...), or numpy=NumpyKernel() and a template of its name"
            ),
        )
    name, _, slots = NUMPY_CALLS[function].removesuffix(")").partition("(")
    given = iter(arguments)
    return call(name, *(next(given) if slot == "{}" else slot for slot in slots.split(", ")), **keywords)


def in_precision(operand: Piece, bits: int, back: bool) -> Piece:
    """`np.asarray(x, dtype=np.float32)`; with `back`, as an array of the dtype that x has."""
    found = call("np.asarray", operand, dtype=f"np.float{bits}")
    return method(found, "astype", attribute(call("np.asarray", operand), "dtype")) if back else found


def linear_algebra_call(value: LinearAlgebra, operands: Sequence[Piece], names: Mapping[str, str]) -> Piece:
    """The call of `np.linalg`, or of a helper, that computes an operation on these matrices."""
    match value:
        case Determinant(_, True):
            return attribute(call("np.linalg.slogdet", *operands), "logabsdet")
        case Determinant():
            name = "det"
        case Inverse():
            name = "inv"
        case Cofactors():
            return call(names["cofactors"], *operands)
        case Cholesky(_, tensor):
            return call(names["cholesky"], *operands, quoted(tensor))
        case Symmetric(_, tensor, fact):
            return call(names["symmetric"], *operands, quoted(tensor), quoted(fact))
        case Solve():
            name = "solve"
    return call(f"np.linalg.{name}", *operands)


def places_call(
    value: ByPlaces, operands: Sequence[Piece], size: Callable[[Axis], Piece], names: Mapping[str, str]
) -> Piece:
    """The call of the helper that adds rows up at their places, finds their extrema there, or accumulates."""
    match value:
        case ScatterAdd(index=index):
            return call(names["scatter_add"], *operands, size(index.axis))
        case ScatterArgmax(otherwise=Literal(least), index=index):
            return call(names["scatter_argmax"], *operands, number(least), size(index.axis))
        case ScatterExtremum(kind, otherwise=Literal(least), index=index):
            extremum, behind = f"np.{kind}imum", (number(least), size(index.axis))
            return call(names["scatter_extremum"], extremum, *operands, *behind)
        case Scan(_, kind, place, own, reverse):
            operation = "np.add" if kind == "sum" else "np.multiply"
            keywords = {"own": str(own), "reverse": str(reverse)}
            return call(names["running"], operation, *operands, number(place), **keywords)
