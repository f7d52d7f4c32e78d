"""Two toy targets: the array program as code for a stack machine, and the schedule as loops over scalars."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symbackprop.array.ir import Elementwise, Literal, Read, Reduce, Transpose
from symbackprop.array.matrix_products import MatrixProduct
from symbackprop.array.program import Program, Statement, formula_of
from symbackprop.array.value import Value
from symbackprop.notation.expressions import (
    Add,
    Apply,
    Element,
    Expression,
    Index,
    Multiply,
    Number,
    Power,
    Reduction,
)
from symbackprop.schedule.named_equations import NamedEquation

STACK = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "power": np.power,
    "negative": np.negative,
}
SCALARS = {"sigmoid": lambda u: 1 / (1 + math.exp(-u))}


@dataclass(frozen=True)
class Instruction:
    """`operand` belongs to the operation: a name, a number, axes; `comment` is the formula that starts."""

    operation: str
    operand: Any = None
    count: int = 0
    comment: str = ""


def compiled(program: Program) -> list[Instruction]:
    """Operands first, then the operation, and a store for each statement."""
    code: list[Instruction] = []
    for line in program.statements:
        assert isinstance(line, Statement)
        code.append(Instruction("begin", comment=formula_of(line)))
        code += [*_postfix(line.value), Instruction("store", line.name)]
    return code


def _postfix(value: Value) -> Iterator[Instruction]:
    for operand in value.operands:
        yield from _postfix(operand)
    match value:
        case Read(name):
            yield Instruction("load", name)
        case Literal(number):
            yield Instruction("push", number)
        case Elementwise(operation, arguments):
            yield Instruction(operation, count=len(arguments))
        case MatrixProduct():
            yield Instruction("matrix product", count=2)
        case Reduce(_, "sum", places, keep):
            yield Instruction("sum", (places, keep), 1)
        case Transpose(_, order):
            yield Instruction("transpose", order, 1)
        case _:
            raise NotImplementedError(type(value).__name__)


def run(code: Sequence[Instruction], data: Mapping[str, Any]) -> dict[str, Any]:
    """Every name's array."""
    values, stack = dict(data), list[Any]()
    for each in code:
        operands = [stack.pop() for _ in range(each.count)][::-1]
        match each.operation:
            case "load":
                stack.append(values[each.operand])
            case "push":
                stack.append(each.operand)
            case "store":
                values[each.operand] = stack.pop()
            case "matrix product":
                stack.append(operands[0] @ operands[1])
            case "sum":
                stack.append(np.sum(operands[0], axis=each.operand[0], keepdims=each.operand[1]))
            case "transpose":
                stack.append(np.transpose(operands[0], each.operand))
            case operation if operation in STACK:
                stack.append(STACK[operation](*operands))
            case operation if operation in SCALARS:
                stack.append(np.vectorize(SCALARS[operation])(*operands))
    return values


def loops(
    equations: Sequence[NamedEquation], data: Mapping[str, Any], sizes: Mapping[str, int]
) -> dict[str, Any]:
    """Every tensor's elements, by their places, one scalar at a time."""
    values: dict[str, Any] = dict(data)
    for equation in (item.equation for item in equations):
        values[equation.tensor] = {
            tuple(at.values()): _scalar(equation.expression, at, values, sizes)
            for at in _places(equation.indices, sizes)
        }
    return values


def _places(indices: Sequence[Index], sizes: Mapping[str, int]) -> Iterator[dict[Index, int]]:
    for place in itertools.product(*(range(sizes[index.axis.name]) for index in indices)):
        yield dict(zip(indices, place, strict=True))


def _scalar(node: Expression, at: Mapping[Index, int], values: Mapping[str, Any], sizes: Any) -> float:
    def of(child: Expression) -> float:
        return _scalar(child, at, values, sizes)

    match node:
        case Number(value):
            return float(value)
        case Element(tensor, positions):
            return float(values[tensor][tuple(at[index] for index in positions)])  # type: ignore[index]
        case Add(terms):
            return sum(map(of, terms))
        case Multiply(factors):
            return math.prod(map(of, factors))
        case Power(base, exponent):
            return float(of(base) ** of(exponent))
        case Apply(function, (argument,)):
            return float(SCALARS[function](of(argument)))
        case Reduction("sum", indices, body):
            return sum(_scalar(body, {**at, **more}, values, sizes) for more in _places(indices, sizes))
    raise NotImplementedError(type(node).__name__)
