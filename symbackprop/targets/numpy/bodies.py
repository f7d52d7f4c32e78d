"""The bodies of a generated module's functions: what they unpack, the sizes that they read, and their lines.

A run of a block is a call of its function, where its lines would stand.
"""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

from symbackprop.array.layout import ShapeSource
from symbackprop.array.program import Line, Loop, Program, formula_of
from symbackprop.array.related_sizes import RelatedSize
from symbackprop.array.segments import (
    Run,
    Segment,
    Segments,
    axes_mentioned,
    lines_of,
    segments_of,
)
from symbackprop.emission.printed import CodeLine, code_lines
from symbackprop.emission.sections import headings_of
from symbackprop.systems.system import Role
from symbackprop.targets.numpy.blocks import MOST_IN_TUPLE, BlockFunction, own_printer, runs_of, segment_in
from symbackprop.targets.numpy.lines import printed, statement_lines
from symbackprop.targets.numpy.python_text import INDENT, LINE_LENGTH, bracketed, fits, quoted, unpacked
from symbackprop.targets.numpy.values import NumpyValues

SCALAR = "Scalar"

# The lines of a program, by their ids, to the comments above them.
Headings: TypeAlias = Mapping[int, tuple[str, ...]]


@dataclass(frozen=True, eq=False)
class Call:
    """A run of a block: its function, what that is given in its own names, and which of its calls it is."""

    function: BlockFunction
    segment: Segment
    number: int


@dataclass(frozen=True, eq=False)
class Printing:
    """A program as it is printed: in parts, with its blocks, and with a Python name for each tensor.

    `printer` has a variable for each tensor; in the functions that call blocks what these keep is in records.
    """

    program: Program
    blocks: tuple[BlockFunction, ...]
    printer: NumpyValues
    reserved: frozenset[str]

    @cached_property
    def own_segments(self) -> tuple[Segment, ...]:
        """What each block's function computes and is given, in its own names."""
        return tuple(segment_in(self.program, function) for function in self.blocks)

    @cached_property
    def _runs(self) -> tuple[tuple[Run, Call], ...]:
        return tuple(
            (run, Call(function, segment, number))
            for function, segment in zip(self.blocks, self.own_segments, strict=True)
            for number, run in enumerate(runs_of(function, segment))
        )

    @cached_property
    def calls(self) -> Mapping[int, Call]:
        """The calls of the runs, by their ids."""
        return {id(run): call for run, call in self._runs}

    @cached_property
    def segments(self) -> Segments:
        """The parts of the program."""
        return segments_of(self.program, [run for run, _ in self._runs])

    @cached_property
    def headings(self) -> Headings:
        """The user's comments on what the lines begin to compute."""
        return headings_of(self.program, self.segments)

    @cached_property
    def records(self) -> Mapping[str, tuple[str, str]]:
        """The variable and the class of the record that each tensor is in, for those that blocks keep."""
        return {
            name: (place.partition(".")[0], function.record)
            for function in self.blocks
            for name, place in function.places.items()
        }

    @cached_property
    def caller(self) -> NumpyValues:
        """The printer where blocks are called."""
        places = {name: place for function in self.blocks for name, place in function.places.items()}
        return with_names(self.printer, places)

    def printer_in(self, segment: Segment) -> NumpyValues:
        """The printer in a part's function, which is given by itself what an earlier part has computed."""
        given = {name: self.printer.names[name] for name in self.earlier(segment)}
        return with_names(self.caller, given)

    def printer_inside(self, function: BlockFunction, segment: Segment) -> NumpyValues:
        """The printer in a block's function, which is given what the segment says."""
        given = (*segment.arguments, *segment.parameters)
        return own_printer(function.block, self.printer, self.reserved, given)

    @cached_property
    def held_by_calls(self) -> Mapping[str, tuple[Mapping[str, str], ...]]:
        """For each block's function, call by call, what the program calls the tensors in its variables."""
        found = {}
        for function, segment in zip(self.blocks, self.own_segments, strict=True):
            variables = self.printer_inside(function, segment).names
            own = [name for name in variables if name in function.block.names[0]]
            found[function.name] = tuple(
                {variables[name]: names[name] for name in own} for names in function.block.names
            )
        return found

    def earlier(self, segment: Segment) -> tuple[str, ...]:
        """The arguments that an earlier part has computed."""
        return tuple(name for name in segment.arguments if name in self.program.by_name)

    def declared(self, segment: Segment) -> tuple[str, ...]:
        """The declared tensors that a part reads, axes of given sizes among them."""
        sizes = {tensor.name for tensor in self.program.with_role(Role.SIZE)}
        computed = self.earlier(segment)
        return (
            *segment.parameters,
            *(name for name in segment.arguments if name not in computed),
            *(source.tensor for source in segment.shapes if source.tensor in sizes),
        )

    def type_of(self, name: str) -> str:
        """The annotation of what holds a tensor, a declared one or a result."""
        statement = self.program.by_name.get(name)
        return "Array" if statement is None or statement.value.layout else SCALAR


def with_names(printer: NumpyValues, names: Mapping[str, str]) -> NumpyValues:
    """The printer where some tensors are elsewhere."""
    return replace(printer, names={**printer.names, **names}, pieces={})


def body_of_part(segment: Segment, printing: Printing, printer: NumpyValues) -> list[CodeLine]:
    """The tensors and the sizes that are read, and the lines, a call in the place of each run."""
    earlier = printing.earlier(segment)
    read = [*segment.parameters, *(name for name in segment.arguments if name not in earlier)]
    before = [*unpacked_tensors(read, printer), *size_lines(segment, printing.program, printer)]
    return [*code_lines(before), *_lines(segment, printing, printer, printing.headings)]


def body_of_block(
    function: BlockFunction, segment: Segment, printing: Printing, record: str
) -> list[CodeLine]:
    """What is taken from the `record`, the sizes that are read, and the lines, each for that of every run."""
    printer = printing.printer_inside(function, segment)
    before = [
        *_from_record(function, segment, printer, record),
        *size_lines(segment, printing.program, printer),
    ]
    lines = code_lines(before)
    runs = _in_every_run(function.block.lines, function.block.runs)
    for code in _lines(segment, printing, printer, _headings_inside(function, printing)):
        first, *others = runs[id(code.line)] if code.line is not None else (None,)
        counterparts = tuple(line for line in others if line is not None)
        lines.append(replace(code, line=first, counterparts=counterparts))
    return lines


def _from_record(function: BlockFunction, segment: Segment, printer: NumpyValues, record: str) -> list[str]:
    """`q, k = block.q, block.k`, or `q, k = block` where that is all that it has, and few."""
    given = {own: field for own, field in function.given.items() if own in segment.arguments}
    if not given or function.source is None:
        return []
    held = {field: printer.names[own] for own, field in given.items()}
    fields = tuple(function.source.fields.values())
    if len(held) < len(fields) or len(fields) > MOST_IN_TUPLE:
        return unpacked(list(held.values()), [f"{record}.{field}" for field in held])
    names = [held[field] for field in fields]
    line = f"{INDENT}{', '.join(names)} = {record}"
    return [line] if fits(line) else bracketed("(", names, f") = {record}", INDENT)


def _in_every_run(lines: Sequence[Line], runs: Sequence[Sequence[Line]]) -> dict[int, tuple[Line, ...]]:
    """For each line of a block, those of loops' bodies too, the same line of every run, by its id."""
    found: dict[int, tuple[Line, ...]] = {}
    for line, *beside in zip(lines, *runs, strict=True):
        found[id(line)] = tuple(beside)
        if isinstance(line, Loop):
            bodies = [loop.body for loop in beside if isinstance(loop, Loop)]
            found |= _in_every_run(line.body, bodies)
    return found


def _headings_inside(function: BlockFunction, printing: Printing) -> Headings:
    """The comments above the lines of a block, those of its first run, but for what is above its calls."""
    found: dict[int, tuple[str, ...]] = {}
    for line, *beside in list(zip(function.block.lines, *function.block.runs, strict=True))[1:]:
        comments = [printing.headings[id(each)] for each in beside if id(each) in printing.headings]
        found |= {id(line): comment for comment in comments[:1]}
    return found


def _heading_lines(comment: Iterable[str]) -> Iterator[str]:
    """A comment with an empty line above; nothing for none."""
    for number, line in enumerate(comment):
        yield from [""] if number == 0 else []
        yield from (f"{INDENT}# {part}" for part in textwrap.wrap(line, LINE_LENGTH - len(f"{INDENT}# ")))


def _lines(
    segment: Segment, printing: Printing, printer: NumpyValues, headings: Headings
) -> Iterator[CodeLine]:
    used = {*segment.results, *(name for item in segment.items for name in item.reads)}
    before: Line | Run | None = None
    for item in segment.items:
        yield from code_lines(_heading_lines(headings.get(id(lines_of(item)[0]), ())))
        if isinstance(item, Run):
            yield from code_lines(_call_lines(printing.calls[id(item)], used, printer))
        elif not isinstance(item, Loop) and _goes_on(before, item):
            # What was cut in two stays in one guard.
            yield from code_lines(statement_lines(item, printer, INDENT * 2), item)
        else:
            yield from printed(item, printer, INDENT)
        before = item


def _goes_on(before: Line | Run | None, line: Line) -> bool:
    """Whether a line is in the guard of the one before."""
    guarded = before is not None and not isinstance(before, Run) and before.guarded and line.guarded
    return guarded and not formula_of(line)


def _call_lines(call: Call, used: Collection[str], printer: NumpyValues) -> list[str]:
    """`x2, block1 = _block(x0, Wq1)`; what nobody uses is bound to `_`."""
    function = call.function
    names = function.block.names[call.number]
    targets = [printer.names[names[own]] if names[own] in used else "_" for own in function.block.given_back]
    if function.fields:
        is_used = any(names[own] in used for own in function.fields)
        targets.append(function.variables[call.number] if is_used else "_")
    separate = separately_given(function, call.segment)
    record = function.record_given(call.number)
    arguments = [*([record] if record else []), *(printer.names[names.get(own, own)] for own in separate)]
    return bracketed(f"{', '.join(targets)} = {function.name}(", arguments, ")", INDENT)


def separately_given(function: BlockFunction, segment: Segment) -> tuple[str, ...]:
    """What a block is given beside a record, in its own names: computed tensors, and then parameters."""
    computed = (own for own in segment.arguments if own not in function.given)
    return (*computed, *segment.parameters)


def size_lines(segment: Segment, program: Program, printer: NumpyValues) -> list[str]:
    """The sizes and the dtype that the statements mention, read off arrays."""
    given = [tensor.name for tensor in program.with_role(Role.SIZE)]
    lines = [f"{INDENT}{_shape_line(source, given, printer)}" for source in segment.shapes]
    declared = {axis.name for axis in axes_mentioned(segment.items, printer.means, declared=True)}
    named = [name for name in printer.named if name in declared]
    lines += unpacked([printer.axes[name] for name in named], [f"SIZES[{quoted(name)}]" for name in named])
    lines += [f"{INDENT}{size_line(each, printer)}" for each in segment.worked_out]
    if segment.dtype_from is not None:
        has_dtype = f"{printer.names[segment.dtype_from]}.dtype" if segment.dtype_from else ""
        lines.append(f"{INDENT}dtype = {has_dtype or 'np.dtype(np.float64)'}")
    return lines


def unpacked_tensors(names: Sequence[str], printer: NumpyValues) -> list[str]:
    """`W1, b1 = tensors["W1"], tensors["b1"]`."""
    return unpacked([printer.names[name] for name in names], [f"tensors[{quoted(name)}]" for name in names])


def _shape_line(source: ShapeSource, given: Sequence[str], printer: NumpyValues) -> str:
    """`N, T, _ = x.shape`, `T = x.shape[1]` for one size, `T = len(tensors["T"])` for one that is given."""
    if source.tensor in given:
        return f"{printer.names[source.tensor]} = len(tensors[{quoted(source.tensor)}])"
    shape = f"{printer.names[source.tensor]}.shape"
    sizes = ["_" if axis is None else printer.size(axis).text for axis in source.axes]
    named = [place for place, size in enumerate(sizes) if size != "_"]
    if len(named) == 1:
        return f"{sizes[named[0]]} = {shape}[{named[0]}]"
    return f"{', '.join(sizes)} = {shape}"


def size_line(related: RelatedSize, printer: NumpyValues) -> str:
    """`S = T + 1`: a size that a relation gives."""
    return f"{printer.size(related.axis).text} = {printer.text(related.value)}"
