"""Blocks of an array that are computed into it, not beside it and copied.

An axis of several blocks is filled block by block. What a block is has a name of its own, by which it is
computed; where nothing but the array reads it, it needs no array of its own:

    delta_a_block = delta_i * i * (1.0 - i)         delta_a[:, :H] = delta_i * i * (1.0 - i)
    delta_a[:, :H] = delta_a_block

A block that loops fill is filled where it lies in the array, too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from symbackprop.array.ir import Fill, Literal, Read
from symbackprop.array.program import Line, Loop, Program, Statement, Store, statements_in
from symbackprop.array.slices import Allocate, items_within
from symbackprop.array.value import Value, rewrite_values
from symbackprop.schedule.named_equations import Part


def with_blocks_in_place(program: Program) -> Program:
    """The program, where what is only stored into a part of an array is computed into it."""
    blocks = [
        line.name
        for line in statements_in(program.statements)
        if isinstance(line, Statement) and line.origin.part is Part.BLOCK
    ]
    if not blocks:
        return program
    readers = Counter(name for line in statements_in(program.statements) for name in line.reads)
    stores = Counter(line.name for line in statements_in(program.statements) if isinstance(line, Store))
    alone = {name for name in blocks if readers[name] == stores[name] + 1}
    return replace(program, statements=_in_place(program.statements, alone))


@dataclass(frozen=True)
class _Array:
    """An array that blocks fill: the line that allocates it, if it is here, and the stores by block."""

    allocation: Statement | None
    stores: Mapping[str, Store]

    @property
    def lines(self) -> tuple[Line, ...]:
        """The lines of the array itself, which vanish or move."""
        return (*self.stores.values(), *([self.allocation] if self.allocation else []))


def _in_place(lines: Sequence[Line], alone: Collection[str]) -> tuple[Line, ...]:
    """The lines, those of loops too; `alone` are blocks that one line reads beside what fills them."""
    arrays = list(_arrays(lines, alone))
    by_block = {block: array for array in arrays for block in array.stores}
    moved = {id(line) for array in arrays for line in array.lines}
    stores = {block: array.stores[block] for block, array in by_block.items()}
    found: list[Line] = []
    for line in lines:
        if isinstance(line, Loop):
            body = tuple([_placed(each, stores) for each in line.body])
            found.append(replace(line, body=_in_place(body, alone)))
        elif isinstance(line, Statement) and line.name in by_block:
            allocation = by_block[line.name].allocation
            found += [allocation] if allocation is not None and allocation not in found else []
            found += _stored(line, stores[line.name])
        elif id(line) not in moved:
            found.append(_placed(line, stores))
    return tuple(found)


def _arrays(lines: Sequence[Line], alone: Collection[str]) -> Iterator[_Array]:
    """The arrays into which these lines store blocks that they define before."""
    defined = {line.name: place for place, line in enumerate(lines) if isinstance(line, Statement)}
    stores: dict[str, dict[str, Store]] = {}
    for place, line in enumerate(lines):
        block = _block_in(line, lines, defined, alone)
        if isinstance(line, Store) and block is not None and defined[block] < place:
            stores.setdefault(line.name, {})[block] = line
    for name, found in stores.items():
        allocation = lines[defined[name]] if name in defined else None
        array = _Array(allocation if isinstance(allocation, Statement) else None, found)
        if _is_filled_by_them(name, array, lines, min(defined[block] for block in found)):
            yield array


def _block_in(
    line: Line, lines: Sequence[Line], defined: Mapping[str, int], alone: Collection[str]
) -> str | None:
    """The block that a line stores, as it is or its axes merged; one that others fill only as it is."""
    if not isinstance(line, Store) or line.accumulate:
        return None
    reads = [node for node in line.value.walk() if isinstance(node, Read)]
    if len(reads) != 1 or reads[0].name not in alone or reads[0].name not in defined:
        return None
    held = lines[defined[reads[0].name]]
    assert isinstance(held, Statement)
    fillers = [each for each in statements_in(lines) if isinstance(each, Store) and each.name == held.name]
    if isinstance(line.value, Read):
        return held.name if all(items_within(line.items, each.items) for each in fillers) else None
    return held.name if not fillers and held.value.layout == reads[0].layout else None


def _is_filled_by_them(name: str, array: _Array, lines: Sequence[Line], first: int) -> bool:
    """Whether nothing else writes the array from where the first block is computed to the last store."""
    own = set(map(id, array.lines))
    last = max(place for place, line in enumerate(lines) if id(line) in own)
    others = [line for line in lines[first:last] if id(line) not in own]
    is_allocated = array.allocation is None or isinstance(array.allocation.value, Allocate)
    return is_allocated and not any(name in line.written and not _is_block(line) for line in others)


def _is_block(line: Line) -> bool:
    """Whether a line stores another block: blocks have no place in common."""
    return isinstance(line, Store) and not line.accumulate and isinstance(line.value, Read)


def _stored(line: Statement, store: Store) -> list[Line]:
    """What defines a block, as what stores it where it lies; nothing where its array is only allocated."""
    match line.value:
        case Allocate():
            return []
        case Fill(Literal() as number, _):
            value: Value = number
        case own:
            value = rewrite_values(store.value, lambda node: own if isinstance(node, Read) else node)
    return [replace(store, value=value, origin=line.origin, opens=line.opens, guarded=line.guarded)]


def _placed(line: Line, stores: Mapping[str, Store]) -> Line:
    """What fills a part of a block, as what fills that part of the array."""
    if isinstance(line, Loop):
        return replace(line, body=tuple([_placed(each, stores) for each in line.body]))
    if not isinstance(line, Store) or line.name not in stores:
        return line
    whole = stores[line.name]
    return replace(line, name=whole.name, items=items_within(whole.items, line.items) or ())
