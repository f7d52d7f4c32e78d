"""Means over nothing: a sum over an empty axis is 0, and so is 0 divided by the axis's size.

A batch may be empty. Arrays over the batch axis then have no elements, and nothing is divided; but what has
lost that axis, the loss of a mean for one, would be 0/0. There the size counts as 1 at least. A batch axis is
one that an input or a target begins with, and that no parameter has.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from symbackprop.array.ir import AxisSize, Elementwise
from symbackprop.array.program import Program, rewrite_lines
from symbackprop.array.value import Value
from symbackprop.notation.expressions import Axis
from symbackprop.systems.system import DATA_ROLES, Role


def with_safe_means(program: Program) -> Program:
    """The program, dividing by at least 1 where what is divided does not run over the axis itself."""
    batch = batch_axes(program)
    lines = rewrite_lines(program.statements, lambda node: _safe_quotient(node, batch))
    return replace(program, statements=lines)


def batch_axes(program: Program) -> frozenset[Axis]:
    """The axes that an input or a target begins with, and that no parameter has."""
    data = [tensor.indices for tensor in program.with_role(*DATA_ROLES)]
    of_parameters = {index.axis for tensor in program.with_role(Role.PARAMETER) for index in tensor.indices}
    return frozenset(indices[0].axis for indices in data if indices) - of_parameters


def _safe_quotient(node: Value, batch: Collection[Axis]) -> Value:
    if not (isinstance(node, Elementwise) and node.operation == "divide"):
        return node
    above, below = node.arguments
    present = {index.axis for index in node.indices}

    def safe(value: Value) -> Value:
        match value:
            case AxisSize(axis, False) if axis.size is None and axis in batch and axis not in present:
                return AxisSize(axis, at_least_one=True)
            case Elementwise("multiply", arguments):
                return Elementwise("multiply", tuple(map(safe, arguments)))
        return value

    return Elementwise("divide", (above, safe(below)))
