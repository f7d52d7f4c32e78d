"""Blocks: runs of a program's lines that are equal but for names, as functions that are called once a run.

A block's lines are in names of its own, those of axes too; where the runs' axes differ, arguments tell the
sizes. What it computes is used in three ways: by lines beside the run, to which the function gives it back;
by later parts of the program or by the caller, for which it is kept; or by nobody else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from symbackprop.array.program import Line, Program, Statement, Store, statements_in
from symbackprop.array.segments import axes_mentioned, axes_of_means, parts_of
from symbackprop.notation.expressions import Axis
from symbackprop.passes.axis_names import AxisNames, free_axes, own_axes
from symbackprop.passes.last_runs import lacking_lines
from symbackprop.passes.matching_lines import DescribedLine, Descriptions, MatchingLines
from symbackprop.passes.own_names import in_order_of_names, own_names
from symbackprop.passes.renaming import renamed_line
from symbackprop.passes.repeats import Repeats
from symbackprop.passes.summands_apart import with_summands_apart

Names = Mapping[str, str]


@dataclass(frozen=True, eq=False)
class Block:
    """Lines in names of their own, the runs of a program that they stand for, and its names in each run.

    `axes` are the block's own names for the axes of each run.

    `given_back` and `kept` are own names: of what other lines of the same part read, and of what else is
    needed outside. The lines of all runs stand in one order; `numbers` count the runs by their names. Where a
    block on the `way_back` reads what another has kept, `source` says so.
    """

    lines: tuple[Line, ...]
    runs: tuple[tuple[Line, ...], ...]
    names: tuple[Names, ...]
    axes: tuple[AxisNames, ...]
    given_back: tuple[str, ...]
    kept: tuple[str, ...]
    numbers: tuple[int, ...]
    way_back: bool
    source: Source | None

    @cached_property
    def open_axes(self) -> frozenset[Axis]:
        """Those of the block that stand for different ones of its runs."""
        names = [(name, own) for axes in self.axes for name, own in axes.names.items() if name != own]
        return frozenset(own for _, own in names if isinstance(own, Axis))

    @cached_property
    def own_names(self) -> tuple[Names, ...]:
        """For each run, what its names are called in the block."""
        return tuple({name: own for own, name in names.items()} for names in self.names)


@dataclass(frozen=True, eq=False)
class Source:
    """A block, and which of its runs each run of a later block reads from."""

    block: Block
    runs: tuple[int, ...]

    @property
    def numbers(self) -> tuple[int, ...]:
        """Those of the runs that are read."""
        return tuple(self.block.numbers[run] for run in self.runs)

    def names_of(self, columns: Iterable[Sequence[str]]) -> Iterator[str | None]:
        """What the block calls the tensors of the reading runs, column by column; None for others."""
        own = [self.block.own_names[run] for run in self.runs]
        for column in columns:
            called = {each.get(name) for each, name in zip(own, column, strict=True)}
            yield called.pop() if len(called) == 1 else None


@dataclass(frozen=True)
class Blocks:
    """A program, its blocks in order, and no line that is needed within a run that is not the run's."""

    program: Program
    blocks: tuple[Block, ...]

    @property
    def lines_beside(self) -> int:
        """How many lines stand in no run."""
        return len(self.program.statements) - sum(len(run) for block in self.blocks for run in block.runs)


def blocks_of(program: Program) -> Blocks:
    """The blocks of each part of a program, those of the forward pass first.

    Of layers that share parameters they have the gradients' summands, where fewer lines are left beside them.
    """
    plain, apart = _blocks_of(program), with_summands_apart(program)
    found = [plain, *([_blocks_of(apart.program, apart.sums)] if apart else [])]
    return min(found, key=lambda each: each.lines_beside)


def _blocks_of(program: Program, sums: Sequence[Line] = ()) -> Blocks:
    """Those in which none of the sums is, which stand last."""
    parts = parts_of(program)
    constants = set(map(id, _constants(program)))
    means = axes_of_means(program)
    descriptions = Descriptions(free_axes(program), means)
    apart = {*constants, *map(id, sums)}
    declared = {tensor.name for tensor in program.tensors}
    found: list[Block] = []
    added: list[Line] = []
    for number, part in enumerate(parts):
        if not part:
            continue
        way_back = number == len(parts) - 1
        beside = {*program.outputs, *([program.loss] if program.loss else [])}
        own = [line for line in part if id(line) not in apart]
        repeats = Repeats(MatchingLines(descriptions.of(own)), beside)
        if way_back:
            lacking = lacking_lines(
                repeats.matching, [block.names for block in found], {*declared, *program.by_name}
            )
            repeats = _with_equal_runs(repeats, descriptions.of(lacking))
        lines = repeats.lines
        added += lines[len(own) :]
        elsewhere = _read_in((*parts[:number], *parts[number + 1 :])) | {*program.gradients.values()}
        elsewhere.update(name for line in sums for name in line.reads)
        for repeat in repeats.found:
            runs = tuple(tuple(repeats.matching.described[place] for place in run) for run in repeat.runs)
            beside_runs = {name for run in repeat.runs for name in repeats.given_back(run)}
            block = _block(runs, way_back, beside_runs, elsewhere, found, declared)
            found += [block] if _is_told_its_sizes(block, program, means) else []
    runs_found = [run for block in found for run in block.runs]
    whole = replace(program, statements=(*program.statements, *added))
    return Blocks(replace(whole, statements=tuple(_together(whole, runs_found, constants))), tuple(found))


def _with_equal_runs(repeats: Repeats, lacking: Sequence[DescribedLine]) -> Repeats:
    """The repeats, the last run with what it lacks of the others where fewer lines are left beside runs."""
    longer = Repeats(MatchingLines((*repeats.matching.described, *lacking)), repeats.results)
    return longer if lacking and longer.left_over < repeats.left_over else repeats


def _read_in(parts: Iterable[Iterable[Line]]) -> set[str]:
    return {name for part in parts for line in part for name in line.reads}


def _constants(program: Program) -> Iterator[Line]:
    """The lines that compute arrays from sizes alone, which nothing is stored into."""
    stored = {line.name for line in statements_in(program.statements) if isinstance(line, Store)}
    for line in program.statements:
        if isinstance(line, Statement) and not line.reads and line.name not in stored:
            yield line


def _together(program: Program, runs: Sequence[Sequence[Line]], constants: Collection[int]) -> Iterator[Line]:
    """The lines, those that may stand anywhere before the runs that they stand in."""
    places = {id(line): place for place, line in enumerate(program.statements)}
    ends = {places[id(run[0])]: places[id(run[-1])] for run in runs}
    moved: set[int] = set()
    for place, line in enumerate(program.statements):
        for inner in program.statements[place : ends.get(place, place)]:
            if id(inner) in constants:
                moved.add(id(inner))
                yield inner
        if id(line) not in moved:
            yield line


def _block(
    described_runs: tuple[tuple[DescribedLine, ...], ...],
    way_back: bool,
    beside: Collection[str],
    elsewhere: Collection[str],
    earlier: Iterable[Block],
    declared: Collection[str],
) -> Block:
    runs = tuple(tuple(each.line for each in run) for run in described_runs)
    mentioned = [
        tuple(dict.fromkeys(name for each in run for name in each.tensors)) for run in described_runs
    ]
    columns = list(zip(*mentioned, strict=True))
    order = in_order_of_names(mentioned)
    naming = order[0]
    source = next(_sources(mentioned, earlier), None)
    called = source.names_of(columns) if source else ()
    known = {column[naming]: name for column, name in zip(columns, called, strict=bool(source)) if name}
    own = own_names(columns, naming, known, declared)
    names = tuple(dict(zip(own, each, strict=True)) for each in mentioned)
    to_own = dict(zip(mentioned[naming], own, strict=True))
    defined = [to_own[line.name] for line in runs[naming] if isinstance(line, Statement)]
    given_back = tuple(each for each in defined if any(run[each] in beside for run in names))
    read_later = (each for each in defined if any(run[each] in elsewhere for run in names))
    kept = tuple(each for each in read_later if each not in given_back)
    axes = own_axes([[name for each in run for name in each.axes] for run in described_runs], naming)
    lines = tuple(renamed_line(axes[naming].of_line(line), to_own) for line in runs[naming])
    numbers = source.numbers if source else tuple(order.index(run) + 1 for run in range(len(runs)))
    return Block(lines, runs, names, axes, given_back, kept, numbers, way_back, source)


def _is_told_its_sizes(block: Block, program: Program, means: Collection[str]) -> bool:
    """Whether each size that the lines mention, and that differs from run to run, is one of an argument."""
    run, axes = block.runs[0], block.axes[0]
    own = {name for line in run for name in line.written}
    read = {name for line in run for name in line.reads} - own
    layouts = [tensor.indices for tensor in program.tensors if tensor.name in read]
    layouts += [
        line.value.indices for line in program.statements if isinstance(line, Statement) and line.name in read
    ]
    told = {axes.of(index.axis) for indices in layouts for index in indices}
    return block.open_axes.isdisjoint(set(axes_mentioned(block.lines, means)) - told)


def _sources(runs: Sequence[Sequence[str]], blocks: Iterable[Block]) -> Iterator[Source]:
    """The blocks of which each of the runs reads what one run, and no other, has kept."""
    for block in blocks:
        keeping: dict[str, list[int]] = {}
        for run, names in enumerate(block.names):
            for own in block.kept:
                keeping.setdefault(names[own], []).append(run)
        read = [sorted({run for name in names for run in keeping.get(name, ())}) for names in runs]
        if all(len(each) == 1 for each in read) and len({each[0] for each in read}) == len(read):
            yield Source(block, tuple(each[0] for each in read))
