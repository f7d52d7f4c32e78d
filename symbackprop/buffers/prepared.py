"""What a program in buffers computes again and again by a function that is made once, of arrays that stay."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TypeAlias

from symbackprop.array.ir import AxisSize, Cast, Elementwise, Read, Reduce, Transpose
from symbackprop.array.matrix_products import MatrixProduct
from symbackprop.array.program import Statement, statements_in
from symbackprop.array.slices import Allocate
from symbackprop.array.value import Value
from symbackprop.buffers.buffered import BufferedProgram
from symbackprop.buffers.inner_products import InnerProduct
from symbackprop.indexing.counting import Extent
from symbackprop.schedule.kinds import Kind
from symbackprop.systems.system import Role, Tensor

# The left matrix, "" where it is another one at each step, the right one, and where the product is computed.
Multiplied: TypeAlias = tuple[str, str, str]


def totalled(value: Value) -> str:
    """The array whose numbers a value is the sum of, all of them; "" where it is something else."""
    match value:
        case Reduce(Read(name), "sum") if not value.layout and value.kind is Kind.REAL:
            return name
    return ""


def totalled_arrays(buffered: BufferedProgram) -> list[str]:
    """The arrays in memory that stays there of which all numbers are added up."""
    values = (value for line in statements_in(buffered.steps) for value in line.values)
    read = (totalled(node) for value in values for node in value.walk())
    stays = {line.name for line in buffered.memory}
    return [name for name in dict.fromkeys(read) if name in stays]


def counts(buffered: BufferedProgram) -> list[AxisSize]:
    """The sizes of whole axes that count 1 for an empty one."""
    values = (value for line in statements_in(buffered.steps) for value in line.values)
    found = dict.fromkeys(node for value in values for node in value.walk() if isinstance(node, AxisSize))
    return [node for node in found if node.at_least_one and not isinstance(node.axis, Extent)]


def inner_products(buffered: BufferedProgram, names: Mapping[str, str]) -> dict[InnerProduct, str]:
    """The inner products, and what a function is called that computes one: `x_dot_y`."""
    values = (value for line in statements_in(buffered.steps) for value in line.values)
    found = (node for value in values for node in value.walk() if isinstance(node, InnerProduct))
    return {
        each: "_dot_".join(names[node.name] for node in each.operands[:2] if isinstance(node, Read))
        for each in found
    }


def multiplied(buffered: BufferedProgram, tensors: Collection[str]) -> list[Multiplied]:
    """The products of matrices of which the right one and the result are in memory that stays.

    The right one is not transposed: of such a one BLAS copies what it reads.
    """
    views = {line.name: line.value for line in buffered.setup}
    stays = {*(line.name for line in (*buffered.memory, *buffered.setup)), *tensors}
    found: dict[Multiplied, None] = {}
    for line in statements_in(buffered.steps):
        match line:
            case Statement(out, MatrixProduct(left, Read(name) as right)) if {out, name} <= stays:
                are_matrices = len(right.layout) == 2 <= len(left.layout)
                if are_matrices and not isinstance(views.get(name), Transpose):
                    same = left.name if isinstance(left, Read) and left.name in stays else ""
                    found[same, name, out] = None
    return list(found)


def divisors_in_place(buffered: BufferedProgram, tensors: Iterable[Tensor]) -> dict[int, Value]:
    """The sizes by which lines divide an array where it lies: by 1, that leaves it as it is.

    By the ids of the lines; of axes that no parameter has, such as a batch, which may well be one.
    """
    axes = {index.axis for tensor in tensors if tensor.role is Role.PARAMETER for index in tensor.indices}
    sizes = {line.name: line.value.operand for line in buffered.setup if isinstance(line.value, Cast)}
    roots: dict[str, str] = {}
    for named in buffered.memory:
        if isinstance(named.value, Allocate | Read):
            roots[named.name] = named.value.name if isinstance(named.value, Read) else named.name
    found: dict[int, Value] = {}
    for line in statements_in(buffered.steps):
        match line:
            case Statement(name, Elementwise("divide", (Read(over), Read(by)))):
                size = sizes.get(by)
                lies_there = name in roots and roots[name] == roots.get(over)
                if lies_there and isinstance(size, AxisSize) and size.axis not in axes:
                    found[id(line)] = size
    return found
