"""Blocks of a program as functions of the module: their names, their lines cut to fit, and their runs.

What a run keeps for later is in a record, a NamedTuple with the block's own names. Where a block on the way
back reads what one on the way forward has kept, run by run, it is given the whole record.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from string import ascii_lowercase

from symbackprop.array.program import Line, Loop, Program, Statement, Store, statements_in
from symbackprop.array.segments import Run, Segment, axes_of_means, segment_of
from symbackprop.notation.fresh_names import numbered_name
from symbackprop.passes.axis_names import AxisNames
from symbackprop.passes.blocks import Block, Names
from symbackprop.passes.renaming import renamed_line
from symbackprop.schedule.named_equations import Origin
from symbackprop.targets.numpy.cutting import fitting
from symbackprop.targets.numpy.python_text import INDENT, identifiers
from symbackprop.targets.numpy.values import NumpyValues

# Of more than these nobody counts which is which: they are in a record, read by their names.
MOST_IN_TUPLE = 8
# A NamedTuple has these of its own.
OF_TUPLES = ("count", "index")


@dataclass(frozen=True, eq=False)
class BlockFunction:
    """The function of a block, and the record of what it keeps: its class and each run's variable.

    `fields` are what the record calls the block's names. `source` is the function whose record it is given.
    """

    name: str
    stem: str
    block: Block
    record: str
    variables: tuple[str, ...]
    fields: Names
    source: BlockFunction | None

    @cached_property
    def places(self) -> Names:
        """Where callers find each tensor that is kept, by the program's name."""
        return {
            names[own]: f"{variable}.{field}"
            for names, variable in zip(self.block.names, self.variables, strict=True)
            for own, field in self.fields.items()
        }

    @cached_property
    def given(self) -> Names:
        """The block's names that are fields of the record that it is given, and what that calls them."""
        if self.source is None or self.block.source is None:
            return {}
        columns = zip(*(names.values() for names in self.block.names), strict=True)
        called = zip(self.block.names[0], self.block.source.names_of(columns), strict=True)
        return {own: self.source.fields[name] for own, name in called if name and name in self.source.fields}

    def record_given(self, run: int) -> str:
        """The variable with the record that a run is given; "" where it is given none."""
        if not self.given or self.source is None or self.block.source is None:
            return ""
        return self.source.variables[self.block.source.runs[run]]


def block_functions(blocks: Sequence[Block], taken: Iterable[str]) -> tuple[BlockFunction, ...]:
    """A function for each block; it, its record and its variables are called as nothing else is."""
    used = set(taken)
    alone = sum(block.source is None for block in blocks) == 1
    stems = iter(["block"] if alone else [f"block_{letter}" for letter in ascii_lowercase])
    found: dict[int, BlockFunction] = {}
    for block in blocks:
        source = found[id(block.source.block)] if block.source else None
        stem = source.stem if source else next(stems, "block")
        found[id(block)] = _function(block, stem, source, used)
    return tuple(found.values())


def _function(block: Block, stem: str, source: BlockFunction | None, used: set[str]) -> BlockFunction:
    def fresh(name: str) -> str:
        found = numbered_name(name, used)
        used.add(found)
        return found

    class_stem = "".join(word.capitalize() for word in stem.split("_"))
    kept = stem.replace("block", "gradients") if block.way_back else stem
    return BlockFunction(
        name=fresh(f"_{stem}_backward" if block.way_back else f"_{stem}"),
        stem=stem,
        block=block,
        record=fresh(f"{class_stem}Gradients" if block.way_back else class_stem),
        variables=tuple(fresh(f"{kept}{number}") for number in block.numbers),
        fields=identifiers(block.kept, OF_TUPLES),
        source=source,
    )


def own_printer(
    block: Block, printer: NumpyValues, reserved: Collection[str], given: Iterable[str] = ()
) -> NumpyValues:
    """The printer inside a block's function: its own names, and those of tensors that all runs are given."""
    taken = {*reserved, *printer.axes.values(), *printer.counters.values()}
    helpers = {name: shown for name, shown in printer.names.items() if shown in reserved}
    own = identifiers(dict.fromkeys((*block.names[0], *given)), taken)
    return replace(printer, names={**helpers, **own}, pieces={})


def with_fitting_lines(
    program: Program, functions: Sequence[BlockFunction], printer: NumpyValues, reserved: Collection[str]
) -> tuple[Program, tuple[BlockFunction, ...]]:
    """The program and its blocks, every line that no layout fits cut into several.

    The lines of a run are those of its block in the run's names. `printer` is that outside the blocks.
    """
    taken = {*printer.names, *printer.names.values(), *printer.axes.values(), *printer.counters.values()}
    cut: dict[int, tuple[Line, ...]] = {}
    fitted = []
    for function in functions:
        block = _cut(function.block, own_printer(function.block, printer, reserved), taken, cut)
        fitted.append(replace(function, block=block))
    lines: list[Line] = []
    for line in program.statements:
        lines += cut[id(line)] if id(line) in cut else fitting((line,), printer, taken, INDENT, False)
    return replace(program, statements=tuple(lines)), tuple(fitted)


def _cut(block: Block, printer: NumpyValues, taken: set[str], cut: dict[int, tuple[Line, ...]]) -> Block:
    """The block with fitting lines; `cut` gets what the lines of its runs become, `taken` their names."""
    inside = {*printer.names, *printer.names.values(), *printer.axes.values(), *printer.counters.values()}
    parts = [tuple(fitting((line,), printer, inside, INDENT, False)) for line in block.lines]
    lines = tuple(part for each in parts for part in each)
    added = [
        name for name in dict.fromkeys(map(_defined, statements_in(lines))) if name not in block.names[0]
    ]
    runs: list[tuple[Line, ...]] = []
    names: list[Names] = []
    for run, own, axes in zip(block.runs, block.names, block.axes, strict=True):
        fresh = {name: numbered_name(name, taken) for name in added}
        taken.update(fresh.values())
        names.append({**own, **fresh})
        for line, beside, part in zip(run, block.lines, parts, strict=True):
            is_whole = len(part) == 1 and part[0] is beside
            cut[id(line)] = (
                (line,) if is_whole else _in_run(part, names[-1], axes.inverse(), _origins(beside, line))
            )
        runs.append(tuple(part for line in run for part in cut[id(line)]))
    return replace(block, lines=lines, runs=tuple(runs), names=tuple(names))


def _defined(line: Statement | Store) -> str:
    return line.name


def _in_run(
    parts: Iterable[Line], names: Names, axes: AxisNames, origins: Mapping[int, Origin]
) -> tuple[Line, ...]:
    """What a line of a block was cut into, in the names of a run, for the equations that the run is for."""

    def origin_of(origin: Origin) -> Origin:
        return replace(origins[id(origin.stated)], part=origin.part)

    return tuple(axes.of_values(renamed_line(part, names, origin_of)) for part in parts)


def _origins(line: Line, other: Line) -> dict[int, Origin]:
    """The origin of each line of the other, by the equation that the line beside it states."""
    found = {}
    if line.origin is not None and other.origin is not None:
        found[id(line.origin.stated)] = other.origin
    if isinstance(line, Loop) and isinstance(other, Loop):
        for inner, beside in zip(line.body, other.body, strict=True):
            found |= _origins(inner, beside)
    return found


def segment_in(program: Program, function: BlockFunction) -> Segment:
    """The lines of a block and what they need, in its own names; `program` has the lines of its runs."""
    block = function.block
    results = {block.names[0][own] for own in (*block.given_back, *block.kept)}
    own, axes = block.own_names[0], block.axes[0]
    segment = segment_of(
        _over_own_axes(program, block),
        tuple(map(axes.of_values, block.runs[0])),
        results,
        axes_of_means(program),
    )

    def renamed(names: Iterable[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(own.get(name, name) for name in names))

    return replace(
        segment,
        items=block.lines,
        parameters=renamed(segment.parameters),
        arguments=renamed(segment.arguments),
        results=renamed(segment.results),
        shapes=tuple(replace(each, tensor=own.get(each.tensor, each.tensor)) for each in segment.shapes),
        dtype_from=own.get(segment.dtype_from or "", segment.dtype_from),
    )


def _over_own_axes(program: Program, block: Block) -> Program:
    """The program with what the block's first run mentions over the block's axes.

    Without other tensors over axes that differ from run to run: no call could tell their sizes.
    """
    axes, mentioned = block.axes[0], block.own_names[0]
    if not block.open_axes:
        return program
    differing = {name for name, own in axes.names.items() if own in block.open_axes}
    tensors = []
    for tensor in program.tensors:
        if tensor.name in mentioned:
            tensors.append(replace(tensor, indices=axes.of(tensor.indices)))
        elif differing.isdisjoint(index.axis for index in tensor.indices):
            tensors.append(tensor)
    lines = (
        axes.of_values(line) if isinstance(line, Statement) and line.name in mentioned else line
        for line in program.statements
    )
    return replace(program, tensors=tuple(tensors), statements=tuple(lines))


def runs_of(function: BlockFunction, segment: Segment) -> tuple[Run, ...]:
    """The runs of a block as what its function is given by its callers."""
    own = (*segment.arguments, *segment.parameters)
    block = function.block
    return tuple(
        Run(lines, tuple(names.get(name, name) for name in own))
        for lines, names in zip(block.runs, block.names, strict=True)
    )
