"""What is divided by the size of an empty axis, or by a sum over it: means over nothing, and whole numbers in
arrays over nothing.

A sum over an empty axis is 0, and so is 0 divided by the axis's size.

A batch may be empty. Arrays over the batch axis then have no elements, and nothing is divided; but what has
lost that axis, the loss of a mean for one, would be 0/0. There the size counts as 1 at least. A batch axis is
one that an input or a target begins with, and that no parameter has.

Python divides by 0, and raises, where an array would have no elements: delta(mod(0, size(c)), c) has a
divisor but no c to compare with. There, too, the size counts as 1.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from symbackprop.array.ir import (
    AxisSize,
    Cast,
    Copy,
    Elementwise,
    Expand,
    Fill,
    Literal,
    Read,
    Reduce,
    Transpose,
)
from symbackprop.array.lookups import ScatterExtremum
from symbackprop.array.matrix_products import MatrixProduct, Tensordot
from symbackprop.array.program import Line, Loop, Program, Statement, Store, rewrite_lines
from symbackprop.array.slices import Conditional, always_computed
from symbackprop.array.value import Value
from symbackprop.exponentials.exponents import LOWEST
from symbackprop.functions.record import Domain
from symbackprop.functions.table import ALL_FUNCTIONS
from symbackprop.indexing.counting import Extent
from symbackprop.integers.bounds import Knowledge, lower_bound
from symbackprop.integers.linear import floor_quotient
from symbackprop.notation.arithmetic import add, subtract
from symbackprop.notation.expressions import NEEDING_A_VALUE, Axis, Expression, Number, Reduction, Size
from symbackprop.schedule.kinds import Kind
from symbackprop.systems.system import DATA_ROLES, Equation, Role


def with_safe_divisors(program: Program) -> Program:
    """The program, dividing by at least 1 in means over a batch, and by Python in arrays over the axis."""
    batch = batch_axes(program)
    lines = rewrite_lines(program.statements, lambda node: _safe_quotient(node, batch))
    return replace(program, statements=_with_safe_numbers(lines))


def batch_axes(program: Program) -> frozenset[Axis]:
    """The axes that an input or a target begins with, and that no parameter has."""
    data = [tensor.indices for tensor in program.with_role(*DATA_ROLES)]
    of_parameters = {index.axis for tensor in program.with_role(Role.PARAMETER) for index in tensor.indices}
    return frozenset(indices[0].axis for indices in data if indices) - of_parameters


def _safe_quotient(node: Value, batch: Collection[Axis]) -> Value:
    if not (isinstance(node, Elementwise) and node.operation == "divide"):
        return node
    above, below = node.arguments
    lost = set(batch) - {index.axis for index in node.indices}
    return Elementwise("divide", (above, _counting_one(below, lost)))


def _with_safe_numbers(lines: Iterable[Line]) -> tuple[Line, ...]:
    """The lines with divisors of Python numbers that are 1 where the line's array has no elements."""
    return tuple(
        replace(line, body=_with_safe_numbers(line.body))
        if isinstance(line, Loop)
        else replace(line, value=_safe_numbers(line.value, {index.axis for index in line.value.indices}))
        for line in lines
    )


def _safe_numbers(value: Value, present: Collection[Axis]) -> Value:
    """Within what is computed whichever branch of a `where` runs: a branch knows which sizes it is for."""
    if isinstance(value, Conditional):
        return replace(value, condition=_safe_numbers(value.condition, present))
    operands = tuple(_safe_numbers(operand, present) for operand in value.operands)
    if any(new is not old for new, old in zip(operands, value.operands, strict=True)):
        value = value.with_operands(operands)
    match value:
        case Elementwise("divide" | "floor_divide" | "mod" as operation, (above, below)) if (
            value.kind is Kind.PYTHON
        ):
            return Elementwise(operation, (above, _counting_one(below, present)))
    return value


def _counting_one(divisor: Value, axes: Collection[Axis]) -> Value:
    """A product of powers of sizes in which those of these axes count 1 at least."""
    match divisor:
        case AxisSize(axis, False) if axis.size is None and axis in axes:
            return AxisSize(axis, at_least_one=True)
        case Elementwise("multiply", arguments):
            return Elementwise("multiply", tuple(_counting_one(each, axes) for each in arguments))
        case Elementwise("power", (size, exponent)):
            return Elementwise("power", (_counting_one(size, axes), exponent))
    return divisor


def with_maxima_over_nothing(program: Program, equations: Iterable[Equation]) -> Program:
    """The program, in which a maximum that a stable form brings in is LOWEST over an empty axis.

    What it scales, a sum of exponentials, is 0 there, whatever the scale. An axis over which the `equations`
    take an extremum themselves stays as it is, and one without which there would be a pole at 0, as in a
    softmax: a module refuses it.
    """
    lines = tuple(_with_loops(program.statements))
    if not any(_is_maximum(node) for line, _ in lines for node in line.value.walk()):
        return program
    nodes = (node for equation in equations for node in equation.expression.walk())
    refused = {
        index.axis
        for node in nodes
        if isinstance(node, Reduction) and node.kind in NEEDING_A_VALUE
        for index in node.indices
    }
    known: dict[str, frozenset[Axis]] = {}
    for line, loops in lines:
        known[line.name] = known.get(line.name, frozenset()).union(_may_vanish(line.value, known), loops)
        refused.update(*(_may_vanish(pole, known) for node in line.value.walk() for pole in _poles(node)))

    def change(node: Value) -> Value:
        if not (isinstance(node, Reduce | ScatterExtremum) and _is_maximum(node)):
            return node
        axes = {index.axis for index in node.over}
        is_open = all(axis.size is None and not isinstance(axis, Extent) for axis in axes)
        return replace(node, initial=Literal(float(LOWEST.value))) if is_open and not axes & refused else node

    return replace(program, statements=rewrite_lines(program.statements, change))


def _is_maximum(node: Value) -> bool:
    if not isinstance(node, Reduce | ScatterExtremum):
        return False
    return node.reduction == "max" and node.kind is Kind.REAL


def _with_loops(
    lines: Iterable[Line], loops: frozenset[Axis] = frozenset()
) -> Iterator[tuple[Statement | Store, frozenset[Axis]]]:
    for line in lines:
        if isinstance(line, Loop):
            yield from _with_loops(line.body, loops | {line.axis})
        else:
            yield line, loops


def _may_vanish(value: Value, known: Mapping[str, frozenset[Axis]]) -> frozenset[Axis]:
    """No fewer axes than those of which each, where it is empty, makes numbers of the value 0."""
    match value:
        case Read(name, _, _):
            return known.get(name, frozenset())
        case Elementwise("exp", _):
            return frozenset()
        case Elementwise("add" | "subtract", (left, right)):
            return _may_vanish(left, known) & _may_vanish(right, known)
        case AxisSize() | Reduce() | MatrixProduct() | Tensordot():
            own = vanishing_axes(value, known)
        case _:
            own = frozenset()
    return own.union(*(_may_vanish(part, known) for part in value.operands))


def _poles(node: Value) -> tuple[Value, ...]:
    """The operands at whose 0 the node is not finite."""
    match node:
        case Elementwise("divide" | "floor_divide" | "mod", (_, below)):
            return (below,)
        case Elementwise("power", (_, Literal(exponent))) if exponent >= 0:
            return ()
        case Elementwise("power", (first, _)):
            return (first,)
        case Elementwise(operation, (first,)) if operation in ALL_FUNCTIONS:
            return (first,) if ALL_FUNCTIONS[operation].domain is Domain.POSITIVE else ()
    return ()


def vanishing_axes(value: Value, known: Mapping[str, frozenset[Axis]]) -> frozenset[Axis]:
    """The axes of which each, where it is empty, makes all numbers of the value 0."""

    def of(part: Value) -> frozenset[Axis]:
        return vanishing_axes(part, known)

    match value:
        case Read(name, _, _):
            return known.get(name, frozenset())
        case AxisSize(axis, at_least_one):
            return frozenset() if at_least_one else frozenset({axis})
        case Reduce(operand, "sum", places, _):
            return of(operand) | {index.axis for place in places for index in operand.layout[place]}
        case MatrixProduct(left, right):
            return of(left) | of(right) | {index.axis for index in left.layout[-1]}
        case Tensordot(left, right, places, _):
            return of(left) | of(right) | {index.axis for place in places for index in left.layout[place]}
        case Elementwise("multiply", (left, right)):
            return of(left) | of(right)
        case Elementwise("add" | "subtract", (left, right)):
            return of(left) & of(right)
        case Elementwise("divide" | "power", (first, _)) | Elementwise("sqrt" | "abs" | "negative", (first,)):
            return of(first)
        case Cast(operand) | Copy(operand) | Fill(operand, _) | Expand(operand, _) | Transpose(operand, _):
            return of(operand)
    return frozenset()


@dataclass
class UndefinedQuotients:
    """Follows quotients by what is 0 for an empty axis to the results, by name: there they are no number.

    In an array over the axis itself there is nothing to be divided. A batch axis is passed over: its means
    are 0.
    """

    batch: Collection[Axis]
    vanishing: dict[str, frozenset[Axis]] = field(default_factory=dict)
    unmet: dict[str, frozenset[Axis]] = field(default_factory=dict)
    undefined: dict[str, dict[Axis, str]] = field(default_factory=dict)

    def pass_line(self, line: Statement | Store, what: str) -> None:
        """Learn what the line's name holds; `what` names it in reasons."""
        if isinstance(line, Statement):
            self.vanishing[line.name] = vanishing_axes(line.value, self.vanishing)
            self.unmet[line.name] = self._unmet(line.value)
        before = self.undefined.get(line.name, {})
        self.undefined[line.name] = {**self._in(line.value, what), **before}

    def _in(self, value: Value, name: str) -> dict[Axis, str]:
        if isinstance(value, Read):
            found = self.undefined.get(value.name, {})
        else:
            found = {axis: why for part in value.operands for axis, why in self._in(part, name).items()}
        if isinstance(value, Elementwise) and value.operation == "divide":
            below = vanishing_axes(value.arguments[1], self.vanishing) - frozenset(self.batch)
            found = {**dict.fromkeys(sorted(below, key=str), f"{name} divides by 0"), **found}
        own = {index.axis for index in value.indices}
        if (
            isinstance(value, Elementwise)
            and value.operation == "where"
            and isinstance(value.arguments[2], Literal)
        ):
            own |= self._unmet(value.arguments[0])
        return {axis: why for axis, why in found.items() if axis not in own}

    def _unmet(self, condition: Value) -> frozenset[Axis]:
        """The axes of which each, where it is empty, makes f != 0 false: no quotient by f is chosen there."""
        match condition:
            case Read(name, _, _):
                return self.unmet.get(name, frozenset())
            case Elementwise("!=", (tested, Literal(zero))) if not zero:
                return vanishing_axes(tested, self.vanishing)
        return frozenset()


def branches_by_size(
    value: Value, conditions: tuple[Value, ...] = ()
) -> Iterator[tuple[tuple[Value, ...], Value]]:
    """The branches that sizes alone choose, each with all the conditions under which it is computed."""
    for node in always_computed(value):
        if isinstance(node, Conditional) and _is_about_sizes(node.condition):
            negated = Elementwise("not", (node.condition,))
            for condition, branch in ((node.condition, node.chosen), (negated, node.otherwise)):
                yield (*conditions, condition), branch
                yield from branches_by_size(branch, (*conditions, condition))


def _is_about_sizes(condition: Value) -> bool:
    return all(isinstance(node, AxisSize | Literal | Elementwise) for node in condition.walk())


def is_less_than_a_size(width: Value) -> bool:
    """Whether a number may be less than 0, as R - 1 is; (S + 1)//2 - T is not, where T = floor(S/2)."""
    number = _size_expression(width)
    if not (isinstance(width, Elementwise) and width.operation == "subtract"):
        return False
    return number is None or not Knowledge.of((number,), ()).proves(lower_bound(number))


def _size_expression(value: Value) -> Expression | None:
    """Sums and differences of sizes and whole numbers as they stand in a model."""
    match value:
        case Literal(int() as number):
            return Number(number)
        case AxisSize(axis, False):
            return Size(axis)
        case Elementwise("add" | "subtract" as operation, (left, right)):
            one, other = _size_expression(left), _size_expression(right)
            if one is not None and other is not None:
                return add(one, other) if operation == "add" else subtract(one, other)
        case Elementwise("floor_divide", (left, Literal(int() as number))) if number > 0:
            return floor_quotient(above, Number(number)) if (above := _size_expression(left)) else None
    return None
