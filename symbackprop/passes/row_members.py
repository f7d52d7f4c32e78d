"""The statements that can be computed for a block of rows at a time, up to the last column that is not 0.

A statement reads triangles at one index of rows, and at one or more of columns. Of what has both, a block of
rows and the columns up to its end suffice. A sum over columns needs no more where it sums 0
behind them, and one over the rows is added up, block by block.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal as OneOf

from symbackprop.array.ir import Cast, Elementwise, Expand, Positions, Read, Reduce, Transpose
from symbackprop.array.layout import Group
from symbackprop.array.matrix_products import MatrixProduct
from symbackprop.array.program import Line, Statement, statements_in
from symbackprop.array.slices import Refold, Select, Whole
from symbackprop.array.value import Value
from symbackprop.notation.expressions import Index
from symbackprop.passes.masked_exponents import LOWEST
from symbackprop.passes.triangles import Pair, Triangles, above, pairs_read, triangles_in
from symbackprop.schedule.kinds import Kind


@dataclass(frozen=True)
class Cut:
    """The index of rows, and those of columns, by which a value is cut."""

    row: Index
    columns: frozenset[Index]

    @property
    def indices(self) -> frozenset[Index]:
        """All of them."""
        return self.columns | {self.row}

    def pairs_in(self, value: Value) -> list[Pair]:
        """The rows and columns that a value has."""
        own = value.indices
        return [Pair(self.row, each) for each in own if each in self.columns] if self.row in own else []


@dataclass(frozen=True)
class Member:
    """A statement, by what it is cut, and what of it its result has.

    The result of a "column" is added up over the blocks. `is_whole` is true where what is not computed is 0.
    """

    line: Statement
    cut: Cut
    has: OneOf["both", "row", "column"]
    is_whole: bool = True

    def is_read_in_place(self, read: Read, cut: Cut) -> bool:
        """Whether a value that is cut reads the result, or a part of it, at the same rows and columns."""
        if self.has == "column":
            return False
        return all(
            (own == self.cut.row) == (other == cut.row)
            and (own in self.cut.columns) == (other in cut.columns)
            for own, other in zip(self.line.value.indices, read.positions, strict=True)
        )


def members_of(lines: Sequence[Line], ends: Collection[str]) -> dict[str, Member]:
    """The statements that can be cut, by name; `ends` are read when all is computed."""
    triangles = triangles_in(lines)
    statements = [line for line in lines if isinstance(line, Statement)]
    found: dict[str, Member] = {}
    for line in statements:
        member = reading_triangles(line, triangles)
        is_zero = line.name in triangles and triangles[line.name].above == 0
        if member is not None and (member.has != "both" or is_zero):
            found[line.name] = member
    for line in reversed(statements):
        feeder = None if line.name in ends or line.name in found else _feeder(line, lines, found, triangles)
        if feeder is not None:
            found[line.name] = feeder
    return found


def reading_triangles(line: Statement, triangles: Triangles) -> Member | None:
    """A statement that reads triangles, by what it is cut; None where it cannot be."""
    pairs = pairs_read(line.value, triangles)
    if len({pair.row for pair in pairs}) != 1:
        return None
    return _member(line, Cut(pairs[0].row, frozenset(pair.column for pair in pairs)), triangles)


def _member(line: Statement, cut: Cut, triangles: Triangles) -> Member | None:
    value = line.value
    total = _total_over(value, cut.row)
    apart = cut.row not in cut.columns and value.kind is Kind.REAL
    if not apart or not all(_is_cut(node, cut, triangles, total) for node in value.walk()):
        return None
    has_row, has_column = cut.row in value.indices, not cut.columns.isdisjoint(value.indices)
    if total is not None:
        return Member(line, cut, "column") if has_column and not has_row else None
    return Member(line, cut, "both" if has_column else "row") if has_row else None


def _feeder(
    line: Statement, lines: Sequence[Line], members: Mapping[str, Member], triangles: Triangles
) -> Member | None:
    """A statement that only members read, at their rows and columns alone: it need not be whole."""
    readers = [
        members.get(each.name) if isinstance(each, Statement) else None
        for each in statements_in(lines)
        if line.name in each.reads
    ]
    reads = [
        (node, member.cut)
        for member in readers
        if member is not None
        for node in member.line.value.walk()
        if isinstance(node, Read) and node.name == line.name
    ]
    if None in readers or not reads:
        return None
    own = dict(zip(reads[0][0].positions, line.value.indices, strict=True))
    rows = [own[index] for index in own if index == reads[0][1].row]
    columns = frozenset(own[index] for index in own if index in reads[0][1].columns)
    member = _member(line, Cut(rows[0], columns), triangles) if rows and columns else None
    fits = member is not None and member.has == "both"
    feeder = Member(line, Cut(rows[0], columns), "both", is_whole=False) if fits else None
    return feeder if feeder and all(feeder.is_read_in_place(*each) for each in reads) else None


def _total_over(value: Value, row: Index) -> Value | None:
    """The sum over rows that a value is, but for factors without rows."""
    match value:
        case Elementwise("multiply" | "divide", (first, second)) if row not in second.indices:
            return _total_over(first, row)
        case Elementwise("multiply", (first, second)) if row not in first.indices:
            return _total_over(second, row)
        case Elementwise("negative", (operand,)) | Transpose(operand, _) | Refold(operand, _):
            return _total_over(operand, row)
        case MatrixProduct(left, _) if left.layout[-1] == (row,):
            return value
        case Reduce(operand, "sum", places) if (row,) in [operand.layout[place] for place in places]:
            return value
    return None


def _is_cut(node: Value, cut: Cut, triangles: Triangles, total: Value | None) -> bool:
    """Whether a node of a value computes a part of its result from a part of its operands."""
    if all(cut.indices.isdisjoint(each.indices) for each in (node, *node.operands)):
        return True
    match node:
        case Read() | Positions() | Elementwise() | Transpose() | Expand() | Cast():
            return True
        case Refold(operand, _) | Select(operand, _):
            return _axes_of(operand, cut) == _axes_of(node, cut) and _selects_all(node, cut)
        case Reduce(operand, reduction, places):
            summed = cut.indices.intersection(
                *([index for place in places for index in operand.layout[place]],)
            )
            parts = [(operand, reduction)]
        case MatrixProduct(left, right):
            summed = cut.indices.intersection(left.layout[-1])
            parts = [(left, "sum"), (right, "sum")]
        case _:
            return False
    if cut.row in summed and node is not total:
        return False
    return not summed or any(_is_left_out(part, kind, cut, triangles) for part, kind in parts)


def _axes_of(value: Value, cut: Cut) -> list[Group]:
    """The axes along which a value is cut, in order."""
    return [group for group in value.layout if not cut.indices.isdisjoint(group)]


def _selects_all(value: Value, cut: Cut) -> bool:
    """Whether a value leaves out no places of the axes that are cut."""
    if not isinstance(value, Select):
        return True
    pairs = zip(value.items, value.operand.layout, strict=True)
    return all(isinstance(item, Whole) or cut.indices.isdisjoint(group) for item, group in pairs)


def _is_left_out(operand: Value, reduction: str, cut: Cut, triangles: Triangles) -> bool:
    """Whether a reduction of an operand leaves out what is behind its columns."""
    for number in (above(operand, pair, triangles) for pair in cut.pairs_in(operand)):
        if number is not None and (number == 0 if reduction == "sum" else number <= LOWEST):
            return reduction in ("sum", "max")
    return False
