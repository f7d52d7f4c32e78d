"""Means: a sum is divided by the sizes of its axes before it is multiplied, where it has fewest elements."""

from __future__ import annotations

from dataclasses import replace

from symbackprop.array.ir import Elementwise, Expand, Reduce, Transpose
from symbackprop.array.program import Program, rewrite_lines
from symbackprop.array.value import Value
from symbackprop.array.views import MEAN, is_mean


def with_means(program: Program) -> Program:
    """The program, where a model that says `mean` has its sums divided first."""
    if MEAN not in program.shorthands:
        return program
    return replace(program, statements=rewrite_lines(program.statements, _with_mean))


def _with_mean(value: Value) -> Value:
    match value:
        case Elementwise("divide", (above, below)):
            return _divided(above, below) or value
    return value


def _divided(value: Value, sizes: Value) -> Value | None:
    """The value divided by sizes, of which one factor of it is the mean; None where none is."""
    match value:
        case Reduce() if is_mean(value, sizes):
            return Elementwise("divide", (value, sizes))
        case Expand() | Transpose() | Elementwise("multiply" | "negative"):
            operands = list(value.operands)
            for place, operand in enumerate(operands):
                divided = _divided(operand, sizes)
                if divided is not None:
                    operands[place] = divided
                    return value.with_operands(tuple(operands))
    return None
