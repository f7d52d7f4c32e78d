"""Blocks of a loop that are computed where it stores what becomes of them, not beside it.

Of P = exp(q @ k.mT - m)/r each operation is written over the one before, and the last into P, the block that
a loop stores. All of them can be in P's memory, and no memory beside it is needed:

    S = P
    np.matmul(q, k.mT, out=S)
    np.subtract(S, m, S)
    np.exp(S, S)
    np.divide(S, r, P)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from symbackprop.array.ir import Elementwise, Read
from symbackprop.array.matrix_products import MatrixProduct
from symbackprop.array.program import Line, Loop, Statement, Store
from symbackprop.array.slices import Refold, Whole
from symbackprop.array.value import Value
from symbackprop.buffers.destinations import is_kernel, overwritable, put_onto
from symbackprop.buffers.live_ranges import memory_of, owners_of
from symbackprop.buffers.parts import is_invariant
from symbackprop.buffers.scopes import reading
from symbackprop.buffers.three_address import ThreeAddress, held


def with_stored_blocks(program: ThreeAddress) -> ThreeAddress:
    """The program, where the blocks that a loop stores are computed in the array that they are stored in.

    The array is one without gaps that the loop has a view of: a part of one is no better than memory beside.
    """
    owners = owners_of(program)
    placed: set[str] = set()
    steps: list[Line] = []
    for line in program.steps:
        for store in _stores_of_blocks(line):
            assert isinstance(line, Loop)
            blocks = _blocks_of(store, line.body, program.buffered - placed, owners)
            if blocks:
                line = replace(line, body=tuple(_in_place(line.body, blocks, store, program.parts)))
                placed.update(block.name for block in blocks)
        steps.append(line)
    return replace(program, steps=tuple(steps), buffered=program.buffered - placed)


def _stores_of_blocks(line: Line) -> list[Store]:
    """The stores of a loop that fill such a view by operations on blocks, element by element."""
    if not isinstance(line, Loop) or any(isinstance(each, Loop) for each in line.body):
        return []
    views = {
        each.name for each in line.body if isinstance(each, Statement) and isinstance(each.value, Refold)
    }
    return [
        each
        for each in line.body
        if isinstance(each, Store)
        and each.name in views
        and not (each.accumulate or is_invariant(each.value.layout))
        and isinstance(each.value, Elementwise)
    ]


def _blocks_of(
    store: Store, body: Sequence[Line], buffered: frozenset[str], owners: Mapping[str, frozenset[str]]
) -> list[Statement]:
    """The statements whose results may be where the store's is, the last first."""
    found: list[Statement] = []
    reader: Line = store
    while True:
        blocks = (each for each in _written_over(reader, body) if each.name in buffered)
        fits = (each for each in blocks if _may_be_there(each, reader, store, body, owners))
        block = next(fits, None)
        if block is None:
            return found
        found.append(block)
        reader = block


def _written_over(reader: Line, body: Sequence[Line]) -> Iterator[Statement]:
    """The statements, each an operation with a destination, whose results a line may be written over."""
    names = set(overwritable(reader.values[0])) if _has_destination(reader.values[0]) else set()
    for line in body[: body.index(reader)]:
        if isinstance(line, Statement) and line.name in names and _has_destination(line.value):
            yield line


def _has_destination(value: Value) -> bool:
    return isinstance(value, MatrixProduct) or (
        isinstance(value, Elementwise) and not is_kernel(value.operation)
    )


def _may_be_there(
    block: Statement,
    reader: Line,
    store: Store,
    body: Sequence[Line],
    owners: Mapping[str, frozenset[str]],
) -> bool:
    """Whether nobody reads the block behind its reader, or the store's array from the block to the store."""
    start, read, end = (body.index(line) for line in (block, reader, store))
    array = set(owners[store.name])
    behind = any(block.name in memory_of(line.reads, owners) for line in body[read + 1 :])
    beside = any(array & memory_of((*line.reads, *line.written), owners) for line in body[start:end])
    reads = [node.name for value in store.values for node in value.walk() if isinstance(node, Read)]
    return not (behind or beside or array & memory_of(reads, owners))


def _in_place(
    body: Sequence[Line], blocks: Sequence[Statement], store: Store, parts: Mapping[str, str]
) -> Iterator[Line]:
    """The body, where the blocks, the last first, are names of what is stored.

    A block that has no name of its own goes by that of what it is computed for, if that is there too.
    """
    own = {store.name, *(block.name for block in blocks)}
    names = {block.name: parts.get(block.name, block.name) for block in blocks}
    names = {name: other if other in own else name for name, other in names.items()}
    views = {store.name}
    for line in body:
        assert isinstance(line, Statement | Store)
        value = reading(line.value, names)
        if not isinstance(line, Statement) or line.name not in names:
            yield replace(line, value=put_onto(line.name, value, views) if line.name == store.name else value)
            continue
        name = names[line.name]
        if name not in views:
            yield replace(line, name=name, value=held(store.name, line.value))
        views.add(name)
        whole = tuple([Whole()] * len(line.value.layout))
        yield Store(name, whole, put_onto(name, value, views), origin=line.origin, guarded=line.guarded)
