"""Which operations can write into an array that is there, and over which of their operands."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import replace

from symbackprop.array.ir import (
    ARITHMETIC,
    COMPARISONS,
    CONNECTIVES,
    Cast,
    Copy,
    Elementwise,
    Fill,
    Read,
    Reduce,
)
from symbackprop.array.lookups import Take
from symbackprop.array.matrix_products import MatrixProduct
from symbackprop.array.slices import Allocate, Pad
from symbackprop.array.value import Value
from symbackprop.buffers.parts import is_bounded
from symbackprop.functions.record import NumpyKernel
from symbackprop.functions.table import FUNCTIONS
from symbackprop.schedule.kinds import Kind

_OPERATIONS = ARITHMETIC | COMPARISONS | CONNECTIVES | FUNCTIONS.keys() | {"where", "sqrt"}


def takes_destination(value: Value) -> bool:
    """Whether the value, an array of no more than a known size, can be computed into memory that is there."""
    if not value.layout or not is_bounded(value.layout):
        return False
    match value:
        case Elementwise(operation, _):
            return operation in _OPERATIONS and value.kind in (Kind.REAL, Kind.BOOLEAN)
        case Reduce(_, reduction, _, _, _):
            return reduction == "argmax" or value.kind is Kind.REAL
        case Allocate():
            return True
        case Copy() | Fill():
            return value.kind in (Kind.REAL, Kind.BOOLEAN)
        case MatrixProduct() | Cast():
            return True
        case Pad() | Take():
            return value.kind is Kind.REAL
    return False


def is_kernel(operation: str) -> bool:
    """Whether a helper of the module computes a function, which has no `out=`."""
    return operation in FUNCTIONS and isinstance(FUNCTIONS[operation].numpy, NumpyKernel)


def overwritable(value: Value) -> Iterator[str]:
    """The operands that the result may be written over, element by element, by name.

    None that the operation reads in another place as well, such as a matrix beside its transpose.
    """
    if not isinstance(value, Elementwise):
        return
    arguments = value.arguments
    # A choice copies what is not chosen first.
    candidates = arguments[2:] if value.operation == "where" else arguments
    others = arguments[:2] if value.operation == "where" else ()
    for argument in dict.fromkeys(candidates):
        if isinstance(argument, Read) and (argument.layout, argument.kind) == (value.layout, value.kind):
            beside = [each for each in (*others, *arguments) if each != argument] + list(others)
            if not any(_reads(each, argument.name) for each in beside):
                yield argument.name


def _reads(value: Value, name: str) -> bool:
    return any(isinstance(node, Read) and node.name == name for node in value.walk())


def put_onto(name: str, value: Value, same: Container[str]) -> Value:
    """The value, where a choice that is put into an array of the `same` memory reads it by the result's name.

    Then nothing is copied onto itself.
    """
    match value:
        case Elementwise("where", (condition, chosen, Read(other) as otherwise)) if other in same:
            return value.with_operands((condition, chosen, replace(otherwise, name=name)))
    return value
