"""How each fault is planted: functions of a value, or of a run of lines, in a gradient's program.

Each gives the wrong values that could stand in the place of a right one, or the wrong lines. Where a fault
takes one axis for another, the numbers are folded into the shape that is needed: with axes of one size,
that is what the mistake does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from symbackprop.array.ir import (
    AxisSize,
    Cast,
    Elementwise,
    Expand,
    InPrecision,
    Literal,
    Read,
    Reduce,
    Transpose,
)
from symbackprop.array.linear_algebra import Inverse
from symbackprop.array.matrix_products import MatrixProduct
from symbackprop.array.program import Statement, Store
from symbackprop.array.slices import Count, Item, Pick, Refold, Select, item_values
from symbackprop.array.value import Value, rewrite_values
from symbackprop.faults.activations import at_value, derivatives
from symbackprop.faults.planting import (
    Activation,
    GradientProgram,
    Lines,
    counts_in,
    factors_of,
    is_of_the_gradient,
    names_in,
    product_of,
    read_name,
)
from symbackprop.notation.expressions import Axis
from symbackprop.schedule.kinds import Kind

ONE_ELEMENT = 1.001  # what the wrong element of a gradient is multiplied by


def sign(node: Value, code: GradientProgram) -> Iterator[Value]:
    """a - b for a + b, and the reverse; -(A @ B)."""
    if node.kind is Kind.PYTHON:
        return
    match node:
        case Elementwise("subtract", operands):
            yield Elementwise("add", operands)
        case Elementwise("add", operands):
            yield Elementwise("subtract", operands)
        case MatrixProduct():
            yield Elementwise("negative", (node,))
        case Elementwise("negative", (operand,)):
            yield operand


def transposed(node: Value, code: GradientProgram) -> Iterator[Value]:
    """A for A.T, A.T for A, and an inverse's transpose."""
    match node:
        case Transpose(operand):
            yield Refold(operand, node.layout)
        case MatrixProduct(left, right):
            if not isinstance(left, Transpose) and len(left.layout) > 1:
                yield MatrixProduct(_with_axes_exchanged(left, -2, -1), right)
            if not isinstance(right, Transpose) and len(right.layout) > 1:
                yield MatrixProduct(left, _with_axes_exchanged(right, -2, -1))
        case Inverse():
            yield _with_axes_exchanged(node, -2, -1)


def _with_axes_exchanged(value: Value, one: int, other: int) -> Value:
    """Two axes exchanged, and the numbers folded into the shape from before."""
    order = list(range(len(value.layout)))
    order[one], order[other] = order[other], order[one]
    return Refold(Transpose(value, tuple(order)), value.layout)


def lost_factor(node: Value, code: GradientProgram) -> Iterator[Value]:
    """A product without a number or size in it, a quotient without the one that it divides by."""
    match node:
        case Elementwise("divide", (left, right)) if right.kind is Kind.PYTHON:
            yield left
        case Elementwise("multiply", (left, right)):
            if left.kind is Kind.PYTHON:
                yield right
            if right.kind is Kind.PYTHON:
                yield left


def _is_derivative_of(factor: Value, activation: Activation) -> bool:
    """Whether a factor is made of nothing but the argument or the value of an activation."""
    names = names_in(factor)
    return bool(names) and names <= {activation.argument, activation.value}


def _with_derivative(
    node: Value, code: GradientProgram
) -> Iterator[tuple[Activation, list[Value], list[Value]]]:
    """The activations whose derivative stands in a product: the other factors, and its own."""
    factors = factors_of(node)
    for activation in code.activations if len(factors) > 1 else ():
        own = [factor for factor in factors if _is_derivative_of(factor, activation)]
        others = [factor for factor in factors if not _is_derivative_of(factor, activation)]
        if own and others:
            yield activation, others, own


def missing_derivative(node: Value, code: GradientProgram) -> Iterator[Value]:
    """A product without the derivative of the activation."""
    for _, others, _ in _with_derivative(node, code):
        yield product_of(others)


def derivative_elsewhere(node: Value, code: GradientProgram) -> Iterator[Value]:
    """The derivative of the activation f with f(z) for z and f(u) for u."""
    for activation, others, own in _with_derivative(node, code):

        def moved(each: Value, function: str = activation.function) -> Value:
            return Elementwise(function, (each,)) if isinstance(each, Read) else each

        yield product_of([*others, *(rewrite_values(factor, moved) for factor in own)])


def another_derivative(node: Value, code: GradientProgram) -> Iterator[Value]:
    """The derivative of another activation, in terms of its value."""
    for activation, others, own in _with_derivative(node, code):
        read = next(each for factor in own for each in factor.walk() if read_name(each) is not None)
        for name, derivative in derivatives().items():
            if name != activation.function:
                yield product_of([*others, at_value(derivative, read)])


def wrong_sum(node: Value, code: GradientProgram) -> Iterator[Value]:
    """The mean, or the sum over another axis."""
    match node:
        case Reduce(operand, "sum", places, keep):
            summed = [index for place in places for index in operand.layout[place]]
            yield Elementwise("divide", (node, product_of([AxisSize(index.axis) for index in summed])))
            for other in range(len(operand.layout)):
                if len(places) == 1 and other not in places:
                    yield Reduce(_with_axes_exchanged(operand, other, places[0]), "sum", places, keep)


SIDES = {">": ">=", ">=": ">", "<": "<=", "<=": "<"}


def other_side(node: Value, code: GradientProgram) -> Iterator[Value]:
    """u >= v for u > v, and the reverse; sign(0) = 1."""
    match node:
        case Elementwise(operator, arguments) if operator in SIDES and _is_of_values(arguments):
            yield Elementwise(SIDES[operator], arguments)
        case Elementwise("sign", (argument,)):
            above = Elementwise(">=", (argument, Literal(0.0)))
            yield Cast(Elementwise("where", (above, Literal(1.0), Literal(-1.0))))


def _is_of_values(arguments: tuple[Value, ...]) -> bool:
    """Whether a comparison is none of positions and sizes."""
    return any(argument.kind is Kind.REAL for argument in arguments)


def tie_twice(node: Value, code: GradientProgram) -> Iterator[Value]:
    """1 wherever the maximum is taken on, for 1 where it is first."""
    match node:
        case Elementwise("==", (found, _)):
            while isinstance(found, Expand):
                found = found.operand
            if isinstance(found, Reduce) and found.reduction == "argmax":
                largest = Reduce(found.operand, "max", found.places, keep=True)
                yield Refold(Elementwise("==", (found.operand, largest)), node.layout)


def dropped_sum(node: Value, code: GradientProgram) -> Iterator[Value]:
    """One side of a sum or difference, without the side that reduces something."""
    match node:
        case Elementwise("add" | "subtract", (left, right)):
            if _has_sum(right):
                yield left
            if _has_sum(left):
                yield right


def _has_sum(value: Value) -> bool:
    return any(isinstance(node, Reduce) and node.reduction == "sum" for node in value.walk())


def other_step(node: Value, code: GradientProgram) -> Iterator[Value]:
    """Another step of a loop-carried tensor."""
    match node:
        case Select(operand, items) if any(map(_counts_of, items)):
            yield Select(operand, tuple([_at_other_step(item) for item in items]))


def _counts_of(item: Item) -> frozenset[str]:
    return frozenset().union(*map(counts_in, item_values(item)))


def _at_other_step(item: Item) -> Item:
    """t where t + 1 stood, and t - 1 for t."""
    match item:
        case Pick(Count() as count):
            return Pick(Elementwise("subtract", (count, Literal(1))))
        case Pick(place) if counts_in(place):
            return Pick(next(node for node in place.walk() if isinstance(node, Count)))
    return item


def before_update(node: Value, code: GradientProgram) -> Iterator[Value]:
    """What a forward value was before its last term, a tensor of the model, came in."""
    if not isinstance(node, Read):
        return
    value = code.forward_values.get(node.name)
    undone = {"add": "subtract", "subtract": "add"}
    match value:
        case Elementwise("add" | "subtract" as operation, (_, Read(term, positions))) if code.is_given(term):
            here = dict(zip(value.indices, node.positions, strict=True))
            yield Elementwise(
                undone[operation], (node, Read(term, tuple([here[each] for each in positions])))
            )


def from_the_step_before(body: Lines, code: GradientProgram) -> Iterator[Lines]:
    """In a loop, what is read is what the last turn left: the line stands behind its readers."""
    for place, line in enumerate(body):
        if isinstance(line, Store) and any(map(_counts_of, line.items)):
            later = body[place + 1 :]
            if any(line.name in each.reads for each in later):
                start = replace(line, value=Literal(0.0), accumulate=False)
                yield (*body[:place], start, *later, line)


def one_element(body: Lines, code: GradientProgram) -> Iterator[Lines]:
    """The first, then the last element of each gradient multiplied by `ONE_ELEMENT`."""
    if body is not code.lines:
        return
    for name in code.program.gradients.values():
        line = code.program.by_name[name]
        for is_first in (True, False):
            items = tuple([Pick(_end_of(index.axis, is_first)) for index in line.value.indices])
            read = Read(name, line.value.indices)
            element = Select(read, items) if items else read
            wrong = Elementwise("multiply", (element, Literal(ONE_ELEMENT)))
            yield (*body, Store(name, items, wrong, origin=line.origin))


def _end_of(axis: Axis, is_first: bool) -> Value:
    return Literal(0) if is_first else Elementwise("subtract", (AxisSize(axis), Literal(1)))


def another_precision(body: Lines, code: GradientProgram) -> Iterator[Lines]:
    """Each value in float32, in float32 and back, and in float64."""
    for place, line in enumerate(body):
        if isinstance(line, Statement | Store) and is_of_the_gradient(line) and line.value.kind is Kind.REAL:
            for bits, back in ((32, False), (32, True), (64, False)):
                wrong = replace(line, value=InPrecision(line.value, bits, back))
                yield (*body[:place], wrong, *body[place + 1 :])
