"""What numbers, constant arrays and views are called that have no name in a program."""

from __future__ import annotations

from collections.abc import Mapping

from symbackprop.array.aliasing import viewed_names
from symbackprop.array.ir import Cast, Fill, Identity, Literal, Positions, Read, Transpose
from symbackprop.array.value import Value
from symbackprop.schedule.kinds import Kind

# What a person calls them.
_NUMBERS: Mapping[Value, str] = {
    Literal(0.0): "zero",
    Literal(0.5): "half",
    Literal(1.0): "one",
    Literal(2.0): "two",
    Literal(-1.0): "minus_one",
}


def number_name(value: Value) -> str:
    """Of a number that meets arrays."""
    return _NUMBERS.get(value, "number")


def constant_name(value: Value) -> str:
    """Of an array that is the same at all times."""
    match value:
        case Fill(Literal(0.0 | 1.0 as number), _):
            return "ones" if number else "zeros"
        case Positions() | Cast(Positions()):
            return "positions"
        case Identity():
            return "identity"
    return "mask" if value.kind is Kind.BOOLEAN else "constant"


def view_name(value: Value) -> str:
    """Of a view, called after what it is one of."""
    is_matrix = isinstance(value, Transpose) and value.order == (1, 0) and isinstance(value.operand, Read)
    return f"{next(iter(viewed_names(value)))}_{'T' if is_matrix else 'view'}"
