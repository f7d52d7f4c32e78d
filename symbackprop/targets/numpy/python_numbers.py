"""Quotients of Python's own numbers, which raise where NumPy's are infinite."""

from __future__ import annotations

from symbackprop.array.ir import AxisSize, Elementwise, Literal
from symbackprop.array.value import Value
from symbackprop.schedule.kinds import Kind


def may_raise(quotient: Elementwise) -> bool:
    """Whether a quotient of Python numbers may be one by 0."""
    return quotient.kind is Kind.PYTHON and not _is_nonzero(quotient.arguments[1])


def _is_nonzero(number: Value) -> bool:
    """Whether a Python number is sure not to be 0; sizes of axes that may be empty are seen to elsewhere."""
    match number:
        case Literal(literal):
            return literal != 0
        case AxisSize():
            return True
        case Elementwise("add" | "multiply" | "divide" | "power", parts):
            return all(map(_is_nonzero, parts)) and not _has_minus(number)
        case Elementwise("negative", (part,)):
            return _is_nonzero(part)
    return False


def _has_minus(number: Value) -> bool:
    return any(isinstance(node, Literal) and node.value < 0 for node in number.walk())
