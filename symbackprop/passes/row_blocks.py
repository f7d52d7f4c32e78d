"""Triangular arrays block by block: rows of a block, and columns up to the block's end.

Where a mask such as s <= t makes half of an array zeros, the other half is all that is computed, and what is
computed on the way is small enough to stay in the cache:

    for start in range(0, T, 64):
        S = q[:, start : start + 64] @ k[:, : start + 64].mT
        P[:, start : start + 64, : start + 64] = ...
        O[:, start : start + 64] = P[:, start : start + 64, : start + 64] @ v[:, : start + 64]

As Python's slices, those of the last block end where the array does. What another loop reads is stored, the
rest is as large as a block (T. Dao et al., "FlashAttention", NeurIPS 2022, has blocks of columns as well).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from symbackprop.array.checking import checked
from symbackprop.array.ir import AxisSize, Elementwise, Fill, Literal, Positions, Read
from symbackprop.array.layout import layout_of
from symbackprop.array.matrix_products import MatrixProduct
from symbackprop.array.program import Line, Loop, Program, Statement, Store, counters_in, statements_in
from symbackprop.array.slices import (
    Allocate,
    Count,
    Item,
    Refold,
    Select,
    Span,
    Whole,
    items_within,
    selected,
)
from symbackprop.array.value import Value, rewrite_values
from symbackprop.indexing.counting import Counter, Extent
from symbackprop.notation.arithmetic import add, subtract
from symbackprop.notation.expressions import Apply, Axis, Index, Number, Size
from symbackprop.notation.fresh_names import numbered_name
from symbackprop.passes.products_apart import with_products_apart
from symbackprop.passes.row_members import Cut, Member, members_of

ROWS = 64  # of a block: measured; with 32 and 128 causal attention is slower


def with_row_blocks(program: Program) -> Program:
    """The program, its triangular arrays computed by blocks of rows. Of few rows there is one block."""
    ends = {*program.outputs, *program.gradients.values(), *([program.loss] if program.loss else [])}
    lines = program.needed_for(ends)
    names = {tensor.name for tensor in program.tensors} | {line.name for line in statements_in(lines)}
    program = replace(program, statements=with_products_apart(lines, names))
    members = members_of(program.statements, ends)
    members = {name: each for name, each in members.items() if (each.cut.row.axis.size or ROWS + 1) > ROWS}
    while True:
        parts = _grouped(program.statements, members)
        groups = [part for part in parts if isinstance(part, _Group)]
        astray = {name for group in groups for name in group.astray(program.statements)}
        if not astray:
            break
        members = {name: each for name, each in members.items() if name not in astray}
    if not groups:
        return program
    names = {tensor.name for tensor in program.tensors} | set(counters_in(program.statements))
    names |= {line.name for line in statements_in(program.statements)}
    counter = numbered_name("start", names)
    whole = _read_beside_blocks(program.statements, members) | ends
    blocked = [
        line
        for part in parts
        for line in (part.lines(program.statements, whole, counter) if isinstance(part, _Group) else [part])
    ]
    return checked(replace(program, statements=tuple(blocked)))


@dataclass(eq=False)
class _Group:
    """Members of one loop, and the lines that need what they compute."""

    members: dict[str, Member] = field(default_factory=dict)
    after: list[Line] = field(default_factory=list)

    def takes(self, member: Member) -> bool:
        """Whether a statement can join the loop: it reads of it what the same block has computed."""
        if _reads_any(member.line, self.after):
            return False
        reads = (node for node in member.line.value.walk() if isinstance(node, Read))
        return all(
            self.members[read.name].is_read_in_place(read, member.cut)
            for read in reads
            if read.name in self.members
        ) and all(each.cut.row.axis == member.cut.row.axis for each in self.members.values())

    def depends(self, line: Line) -> bool:
        """Whether a line has to stand behind the loop."""
        if _reads_any(line, [*(each.line for each in self.members.values()), *self.after]):
            return True
        return any(set(line.written) & set(each.line.reads) for each in self.members.values())

    def read_elsewhere(self, lines: Iterable[Line]) -> set[str]:
        """The names that lines outside of the loop read."""
        outside = (line for line in lines if not set(line.written) & self.members.keys())
        return {name for line in outside for name in line.reads} & self.members.keys()

    def astray(self, lines: Iterable[Line]) -> set[str]:
        """The members that are not whole where others read them; all where none has rows and columns."""
        if all(each.has != "both" for each in self.members.values()):
            return set(self.members)
        return {name for name in self.read_elsewhere(lines) if not self.members[name].is_whole}

    def lines(self, lines: Sequence[Line], whole: Collection[str], counter: str) -> Iterator[Line]:
        """What is stored allocated, the loop, and what has to stand behind it; all of `whole` is read."""
        columns = {name for name, each in self.members.items() if each.has == "column"}
        stored = self.read_elsewhere(lines) | (self.members.keys() & whole) | columns
        body: list[Line] = []
        for name, member in self.members.items():
            block = _Block(member.cut, counter, self.members.keys() - stored)
            body.append(block.store(member) if name in stored else block.statement(member))
            if name in stored:
                value = _allocated(member, name in whole)
                yield replace(member.line, value=value, opens=False, guarded=False)
        axis = next(iter(self.members.values())).cut.row.axis
        yield Loop(counter, axis, AxisSize(axis), tuple(body), step=ROWS)
        yield from self.after


def _reads_any(line: Line, others: Iterable[Line]) -> bool:
    return any(set(line.reads) & set(other.written) for other in others)


def _grouped(lines: Iterable[Line], members: Mapping[str, Member]) -> list[Line | _Group]:
    """The lines in an order in which as many members as possible stand together."""
    found: list[Line | _Group] = []
    group: _Group | None = None
    for line in lines:
        member = members.get(line.name) if isinstance(line, Statement) else None
        if member is not None:
            if group is None or not group.takes(member):
                group = _Group()
                found.append(group)
            group.members[member.line.name] = member
        elif group is not None and group.depends(line):
            group.after.append(line)
        elif group is not None:
            found.insert(found.index(group), line)
        else:
            found.append(line)
    return found


def _read_beside_blocks(lines: Iterable[Line], members: Mapping[str, Member]) -> set[str]:
    """The members of which a line reads places that no block computes."""
    found: set[str] = set()
    for line in statements_in(lines):
        reader = members.get(line.name) if isinstance(line, Statement) else None
        reads = (node for value in line.values for node in value.walk() if isinstance(node, Read))
        for read in reads:
            member = members.get(read.name)
            if member and (reader is None or not member.is_read_in_place(read, reader.cut)):
                found.add(read.name)
    return found


def _allocated(member: Member, is_whole: bool) -> Value:
    """An array for a result: of zeros where blocks add up, or leave out places that are read."""
    layout = layout_of(member.line.value.indices)
    is_filled = member.has == "column" or (member.has == "both" and is_whole)
    return Fill(Literal(0.0), layout) if is_filled else Allocate(layout)


@dataclass(frozen=True)
class _Block:
    """The block that begins at a counter; `local` names are as large as it is."""

    cut: Cut
    counter: str
    local: Collection[str]

    def statement(self, member: Member) -> Statement:
        """The line for a result that the loop alone reads."""
        value = member.line.value
        return replace(member.line, value=self.of(_scaled_first(value) if member.has == "both" else value))

    def store(self, member: Member) -> Store:
        """The line that stores the block's part of a result, or adds it."""
        line, items = member.line, self._items(member.line.value.indices)
        value, adds = self.of(line.value), member.has == "column"
        return Store(
            line.name, items, value, adds, origin=line.origin, opens=line.opens, guarded=line.guarded
        )

    def of(self, value: Value) -> Value:
        """The block's part of a value."""
        return rewrite_values(value, self._leaf)

    def _leaf(self, node: Value) -> Value:
        if isinstance(node, Read) and node.name in self.local:
            return replace(node, positions=tuple(self._axes.get(each, each) for each in node.positions))
        if isinstance(node, Read | Positions):
            return selected(node, self._items(node.indices))
        match node:
            case Refold(operand, target):
                return Refold(
                    operand, tuple([tuple([self._axes.get(i, i) for i in group]) for group in target])
                )
            case Select(Select(operand, first), second) if items := items_within(first, second):
                return Select(operand, items)
        return node

    def _items(self, indices: Iterable[Index]) -> tuple[Item, ...]:
        start = Count(self.counter, self.cut.row.axis)
        stop = Elementwise("add", (start, Literal(ROWS)))
        axes = self._axes
        return tuple(
            Span(axes[index], start if index == self.cut.row else None, stop) if index in axes else Whole()
            for index in indices
        )

    @property
    def _axes(self) -> Mapping[Index, Index]:
        """The indices along a block: of its rows, and of the columns up to its end."""
        axis = self.cut.row.axis
        start = Counter(self.counter, axis)
        rows = Apply("min", (Number(ROWS), subtract(Size(axis), start)))
        columns = Apply("min", (add(start, Number(ROWS)), Size(axis)))
        return {
            self.cut.row: Index(self.cut.row.name, _part(axis, "rows", rows)),
            **{each: Index(each.name, _part(axis, "columns", columns)) for each in self.cut.columns},
        }


def _scaled_first(value: Value) -> Value:
    """A product over a scalar as that of the rows over it, which are shorter than the product's."""
    match value:
        case Elementwise("divide", (MatrixProduct(left, right), scalar)) if not scalar.layout:
            return MatrixProduct(Elementwise("divide", (left, scalar)), right)
    return value


def _part(axis: Axis, what: str, length: Apply) -> Extent:
    return Extent(f"{axis.name} {what}", axis.label, None, length=length)
