"""Triangular arrays that loops fill and read a block of rows at a time: block behind block in memory.

What is behind a block's last column takes no memory, and no block has gaps. With 64 rows a block, there are
(64 + 128 + .. + start)*64 = start*(start + 64)/2 places ahead of the one that begins at row `start`, for
each place of the other axes:

    P_start = B * (start * (start + 64) // 2)
    P = P_memory[P_start : P_start + B * 64 * (start + 64)].reshape(B, 64, start + 64)
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from symbackprop.array.ir import Elementwise, Literal, Read
from symbackprop.array.layout import indices_of
from symbackprop.array.program import Line, Loop, Statement, Store
from symbackprop.array.slices import Allocate, Count, Item, Select, Span, Whole
from symbackprop.array.value import Value, rewrite_values
from symbackprop.array.whole_numbers import whole_number
from symbackprop.buffers.parts import first_places, one_axis
from symbackprop.buffers.three_address import ThreeAddress, held
from symbackprop.indexing.counting import size_of
from symbackprop.notation.arithmetic import add, divide, multiply
from symbackprop.notation.expressions import Apply, Expression, Number
from symbackprop.notation.fresh_names import numbered_name
from symbackprop.schedule.kinds import Kind


@dataclass(frozen=True)
class Block:
    """So many rows from where a loop's counter stands, and all columns up to the last of these rows.

    `row` and `column` are the places of the axes among those of the array.
    """

    row: int
    column: int
    rows: int


def with_packed_blocks(program: ThreeAddress, results: Collection[str]) -> ThreeAddress:
    """The program, its arrays that are read and stored by such blocks alone in packed memory.

    `results` are returned, and stay as they are.
    """
    taken = {line.name for line in program.setup} | {name for line in program.steps for name in _named(line)}
    for line in program.steps:
        if isinstance(line, Statement) and isinstance(line.value, Allocate) and line.name not in results:
            block = _block_of(line, program)
            if block is not None:
                names = [numbered_name(f"{line.name}_{what}", taken) for what in ("memory", "start")]
                taken.update(names)
                program = _packed(program, _Packed(line, block, *names))
    return program


def _named(line: Line) -> Iterator[str]:
    yield from (*line.reads, *line.written)
    if isinstance(line, Loop):
        for each in line.body:
            yield from _named(each)


def _block_of(array: Statement, program: ThreeAddress) -> Block | None:
    """The block by which loops alone store and read an array; None where any line does otherwise."""
    if array.value.kind is not Kind.REAL or any(array.name in line.reads for line in program.setup):
        return None
    blocks: set[Block | None] = set()
    for line in program.steps:
        if isinstance(line, Loop):
            accesses = [items for each in line.body for items in _accesses(array.name, each)]
            blocks.update(_triangular(items, line) for items in accesses)
        elif array.name in line.reads and line is not array:
            return None
    return blocks.pop() if len(blocks) == 1 else None


def _accesses(name: str, line: Line) -> Iterator[tuple[Item, ...]]:
    """The parts of an array that a line stores or reads; () for all of it, or within a further loop."""
    if isinstance(line, Loop):
        yield from [()] if name in _named(line) else []
        return
    if isinstance(line, Store) and line.name == name:
        yield () if line.accumulate else line.items
    for value in line.values:
        yield from _selections(name, value)


def _selections(name: str, value: Value) -> Iterator[tuple[Item, ...]]:
    match value:
        case Select(Read(other), items) if other == name:
            yield items
        case Read(other) if other == name:
            yield ()
        case _:
            for operand in value.operands:
                yield from _selections(name, operand)


def _triangular(items: tuple[Item, ...], loop: Loop) -> Block | None:
    """The block that a loop selects at each of its steps; None where that is no such block."""
    start = Count(loop.counter, loop.axis)
    stop = Elementwise("add", (start, Literal(loop.step)))
    spans = {place: item for place, item in enumerate(items) if isinstance(item, Span)}
    if len(spans) != 2 or not all(isinstance(item, Span | Whole) for item in items):
        return None
    rows = [place for place, item in spans.items() if (item.start, item.stop, item.step) == (start, stop, 1)]
    columns = [
        place for place, item in spans.items() if (item.start, item.stop, item.step) == (None, stop, 1)
    ]
    is_whole = loop.start == Literal(0) and loop.step > 1
    return Block(rows[0], columns[0], loop.step) if is_whole and rows and columns else None


@dataclass(frozen=True)
class _Packed:
    """An array of blocks in memory of a name, and what the place is called at which a block begins there."""

    array: Statement
    block: Block
    room: str
    start: str

    @property
    def memory(self) -> Statement:
        """As much as if the last block were as long as the others are."""
        (row,) = self.array.value.layout[self.block.row]
        size = size_of(row.axis)
        ahead = Apply("floor", (divide(multiply(size, add(size, Number(self.block.rows))), Number(2)),))
        layout = one_axis(self.array.name, multiply(*self._others, ahead))
        return replace(self.array, name=self.room, value=Allocate(layout, Kind.REAL))

    @property
    def _others(self) -> list[Expression]:
        """The sizes of the axes that are not cut."""
        cut = (self.block.row, self.block.column)
        layout = self.array.value.layout
        kept = tuple([group for place, group in enumerate(layout) if place not in cut])
        return [size_of(index.axis) for index in indices_of(kept)]

    def views(self, loop: Loop) -> tuple[Statement, Statement]:
        """The lines that a loop begins with: where the block begins, and the block."""
        items = next(items for line in loop.body for items in _accesses(self.array.name, line))
        row, rows = Count(loop.counter, loop.axis), Literal(self.block.rows)
        ahead = Elementwise("multiply", (row, Elementwise("add", (row, rows))))
        start: Value = Elementwise("floor_divide", (ahead, Literal(2)))
        if self._others:
            start = Elementwise("multiply", (whole_number(multiply(*self._others)), start))
        layout = Select(held(self.array.name, self.array.value), items).layout
        block = first_places(held(self.room, self.memory.value), layout, Read(self.start, (), Kind.PYTHON))
        return (
            replace(self.array, name=self.start, value=start, opens=False),
            replace(self.array, value=block, opens=False),
        )


def _packed(program: ThreeAddress, packed: _Packed) -> ThreeAddress:
    """The program, where the array is in its memory, with a name for its block in each loop."""
    name = packed.array.name
    steps: list[Line] = []
    for line in program.steps:
        if line is packed.array:
            line = packed.memory
        elif isinstance(line, Loop) and name in (*line.reads, *line.written):
            body = [_on_blocks(each, name) for each in line.body]
            line = replace(line, body=(*packed.views(line), *body))
        steps.append(line)
    return replace(program, steps=tuple(steps), buffered=program.buffered - {name} | {packed.room})


def _on_blocks(line: Line, name: str) -> Line:
    """A line of a loop, where parts of the array go by its name."""

    def read(value: Value) -> Value:
        match value:
            case Select(Read(other), _) if other == name:
                return held(name, value)
        return value

    assert isinstance(line, Statement | Store)
    line = replace(line, value=rewrite_values(line.value, read))
    if isinstance(line, Store) and line.name == name:
        return replace(line, items=tuple([Whole()] * len(line.items)))
    return line
