"""A gradient's program in which faults are planted, one at a time, before any target prints it.

What is planted changes the lines that lead from the loss to the gradients, never the loss.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from typing import TypeAlias

from symbackprop.array.ir import Elementwise, Fill, Literal, Read
from symbackprop.array.program import Line, Loop, Program, Statement, counters_in, statements_in
from symbackprop.array.segments import segments_of
from symbackprop.array.slices import Allocate, Count
from symbackprop.array.value import Value
from symbackprop.errors import ProgramError
from symbackprop.functions.table import FUNCTIONS
from symbackprop.schedule.kinds import Kind

Lines: TypeAlias = tuple[Line, ...]
Edit: TypeAlias = "Callable[[Value, GradientProgram], Iterable[Value]]"
Rewrite: TypeAlias = "Callable[[Lines, GradientProgram], Iterable[Lines]]"
Path: TypeAlias = tuple[int, ...]


@dataclass(frozen=True)
class Planted:
    """A program with one fault in it: the equation whose lines it is in, what stood there, what does now."""

    fault: str
    formula: str
    before: str
    after: str
    program: Program


@dataclass(frozen=True)
class Activation:
    """z = f(u), element by element, as the forward pass computes it."""

    function: str
    value: str
    argument: str


@dataclass(frozen=True)
class GradientProgram:
    """A program, and what its forward pass says of the names that the gradient reads."""

    program: Program

    @cached_property
    def lines(self) -> Lines:
        """The lines of the gradient's own."""
        backward = segments_of(self.program).backward
        assert backward is not None, "a program with faults to plant has gradients"
        return backward.statements

    @cached_property
    def forward_values(self) -> dict[str, Value]:
        """Each name that the forward pass computes as a whole, with its value."""
        own = {id(line) for line in self.lines}
        before = [line for line in self.program.statements if id(line) not in own]
        return {line.name: line.value for line in before if isinstance(line, Statement)}

    @cached_property
    def activations(self) -> tuple[Activation, ...]:
        """The elementwise functions of one array in the forward pass, those of one step too."""
        own = {id(line) for line in statements_in(self.lines)}
        found = []
        for line in statements_in(self.program.statements):
            match line.value:
                case Elementwise(function, (argument,)) if id(line) not in own and function in FUNCTIONS:
                    if (name := read_name(argument)) is not None:
                        found.append(Activation(function, line.name, name))
        return tuple(found)

    def is_given(self, name: str) -> bool:
        """Whether a name is one of the model's declared tensors."""
        return any(tensor.name == name for tensor in self.program.tensors)

    @cached_property
    def counters(self) -> frozenset[str]:
        """The counters of loops in the gradient."""
        return frozenset(counters_in(self.lines))

    def with_lines(self, old: Lines, new: Lines) -> Program:
        """The program with these neighbouring lines, of the program itself or of a loop, in others' place."""
        return replace(self.program, statements=_replaced(self.program.statements, old, new))


def _replaced(lines: Lines, old: Lines, new: Lines) -> Lines:
    for place in range(len(lines)):
        if all(one is other for one, other in zip(lines[place : place + len(old)], old, strict=False)):
            return (*lines[:place], *new, *lines[place + len(old) :])
    return tuple(
        [
            replace(line, body=_replaced(line.body, old, new)) if isinstance(line, Loop) else line
            for line in lines
        ]
    )


def read_name(value: Value) -> str | None:
    """`z` of z and of a part of z; None for anything else."""
    while not isinstance(value, Read):
        arrays = [operand for operand in value.operands if operand.kind is not Kind.PYTHON]
        if len(arrays) != 1 or isinstance(value, Elementwise):
            return None
        value = arrays[0]
    return value.name


def names_in(value: Value) -> frozenset[str]:
    """Every name that is read."""
    return frozenset([node.name for node in value.walk() if isinstance(node, Read)])


def counts_in(value: Value) -> frozenset[str]:
    """The counters that are read."""
    return frozenset([node.name for node in value.walk() if isinstance(node, Count)])


def factors_of(value: Value) -> list[Value]:
    """The factors of a product as it is written."""
    match value:
        case Elementwise("multiply", (left, right)):
            return [*factors_of(left), *factors_of(right)]
    return [value]


def product_of(factors: Iterable[Value]) -> Value:
    """The product of one factor or more."""
    return reduce(lambda left, right: Elementwise("multiply", (left, right)), factors)


def is_of_the_gradient(line: Line) -> bool:
    """Whether a line computes something, and does not only make room for it."""
    if isinstance(line, Loop):
        return False
    return not isinstance(line.value, Allocate) and not (
        isinstance(line.value, Fill) and isinstance(line.value.operand, Literal)
    )


def by_edit(program: Program, fault: str, edit: Edit) -> Iterator[Planted]:
    """A program for each value on the way to the gradients and each way in which it can be made wrong."""
    code = GradientProgram(program)
    for line in filter(is_of_the_gradient, statements_in(code.lines)):
        for path, node in _nodes(line.value):
            for new in edit(node, code):
                changed = _with_node(line.value, path, new)
                if changed is not None:
                    wrong = code.with_lines((line,), (replace(line, value=changed),))
                    yield Planted(fault, line.origin.formula, repr(node), repr(new), wrong)


def _nodes(value: Value, path: Path = ()) -> Iterator[tuple[Path, Value]]:
    yield path, value
    for place, operand in enumerate(value.operands):
        yield from _nodes(operand, (*path, place))


def _with_node(value: Value, path: Path, new: Value) -> Value | None:
    """The value with another node there, over the axes of the old one; None where that fits in no way."""
    try:
        changed = _replaced_node(value, path, new)
        return changed if changed.type == value.type else None
    except (ProgramError, IndexError):
        return None


def _replaced_node(value: Value, path: Path, new: Value) -> Value:
    if not path:
        return new if new.layout == value.layout else Fill(new, value.layout)
    operands = list(value.operands)
    operands[path[0]] = _replaced_node(operands[path[0]], path[1:], new)
    return value.with_operands(tuple(operands))


def by_rewrite(program: Program, fault: str, rewrite: Rewrite) -> Iterator[Planted]:
    """A program for each way in which a run of lines can be made wrong."""
    code = GradientProgram(program)
    for block in (code.lines, *_bodies(code.lines)):
        for new in rewrite(block, code):
            kept = {id(line) for line in block}
            changed = next((line for line in new if id(line) not in kept), new[-1])
            formula = changed.origin.formula if changed.origin else ""
            yield Planted(fault, formula, "", repr(changed), _with_block(code, block, new))


def _with_block(code: GradientProgram, block: Lines, new: Lines) -> Program:
    if block is not code.lines:
        return code.with_lines(block, new)
    own = {id(line) for line in block}
    others = tuple([line for line in code.program.statements if id(line) not in own])
    return replace(code.program, statements=(*others, *new))


def _bodies(lines: Lines) -> Iterator[Lines]:
    for line in lines:
        if isinstance(line, Loop):
            yield line.body
            yield from _bodies(line.body)
