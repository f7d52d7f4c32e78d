"""The private functions of a generated module: one for each part of the program, one for each block.

What a part gives back is a tuple where that is little, and a record, a NamedTuple, where it is much.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from symbackprop.array.segments import Segment
from symbackprop.emission.printed import CodeLine
from symbackprop.targets.numpy.blocks import MOST_IN_TUPLE, OF_TUPLES, BlockFunction
from symbackprop.targets.numpy.bodies import Printing, body_of_block, body_of_part, separately_given
from symbackprop.targets.numpy.python_text import (
    INDENT,
    LINE_LENGTH,
    bracketed,
    fits,
    identifier,
    identifiers,
    unpacked,
)
from symbackprop.targets.numpy.values import NumpyValues


@dataclass(frozen=True)
class PartView:
    """A private function, and the class of the record that it makes; "" where it makes none."""

    definition: str
    docstring: str
    body: tuple[CodeLine, ...]
    results: str
    record: str


@dataclass(frozen=True)
class Returned:
    """What a part returns: for each variable, its annotation and the tensors in it.

    Where these are many they are fields of a `record`, a class; "" where there is none.
    """

    types: Mapping[str, str]
    held: Mapping[str, Sequence[str]]
    record: str

    @property
    def fields(self) -> Mapping[str, str]:
        """What the record calls each variable."""
        return identifiers(self.types, OF_TUPLES)


def _returned_by(name: str, segment: Segment, printing: Printing) -> Returned:
    types: dict[str, str] = {}
    held: dict[str, list[str]] = {}
    for result in segment.results:
        own = printing.printer.names[result], printing.type_of(result)
        variable, types_own = printing.records.get(result, own)
        types[variable] = types_own
        held.setdefault(variable, []).append(result)
    is_long = len(types) > MOST_IN_TUPLE
    record = _free_name(name.strip("_").capitalize(), printing, printing.printer) if is_long else ""
    return Returned(types, held, record)


def call_of_part(name: str, segment: Segment | None, wanted: Iterable[str], printing: Printing) -> list[str]:
    """The line that runs a part, if there is one; what is not wanted of it is bound to `_`.

    Of a record what is wanted is unpacked by the names of its fields.
    """
    if segment is None:
        return []
    keep = set(wanted)
    returned = _returned_by(name, segment, printing)
    given = [printing.caller.names[own] for own in printing.earlier(segment)]
    call = f"{name}({', '.join([*(['tensors'] if printing.declared(segment) else []), *given])})"
    targets = [target if keep.intersection(held) else "_" for target, held in returned.held.items()]
    if returned.record:
        return _from_record(call, returned, [target for target in targets if target != "_"], printing)
    leading = next((place for place, target in enumerate(targets) if target != "_"), len(targets))
    if leading == len(targets):
        targets = ["_"]
    elif leading > 1:
        targets = ["*_", *targets[leading:]]
    line = f"{INDENT}{', '.join(targets)} = {call}"
    return [line] if fits(line) else bracketed("(", targets, f") = {call}", INDENT)


def _from_record(call: str, returned: Returned, wanted: Sequence[str], printing: Printing) -> list[str]:
    """`p = _forward(tensors).p`; `kept = _forward(tensors)`, and then `u, p = kept.u, kept.p`."""
    if len(wanted) < 2:
        target, of = (wanted[0], f".{returned.fields[wanted[0]]}") if wanted else ("_", "")
        return [f"{INDENT}{target} = {call}{of}"]
    kept = _free_name("kept", printing, printing.printer)
    read = [f"{kept}.{returned.fields[each]}" for each in wanted]
    return [f"{INDENT}{kept} = {call}", *unpacked(wanted, read)]


def part_view(name: str, said: str, segment: Segment | None, printing: Printing) -> PartView | None:
    """The function of a part, which computes what is `said`; None where the part has no lines."""
    if segment is None:
        return None
    given = printing.earlier(segment)
    arguments = ["tensors: dict[str, Array]"] if printing.declared(segment) else []
    arguments += [f"{printing.printer.names[own]}: {printing.type_of(own)}" for own in given]
    returned = _returned_by(name, segment, printing)
    type_ = returned.record or tuple_type([*returned.types.values()])
    fields = {field: returned.types[variable] for variable, field in returned.fields.items()}
    capitalised = f"{said[0].upper()}{said[1:]}."
    return PartView(
        definition="\n".join(bracketed(f"def {name}(", arguments, f") -> {type_}:")),
        docstring=f'{INDENT}"""Compute {said}."""',
        body=tuple(body_of_part(segment, printing, printing.printer_in(segment))),
        results=_return([*returned.types], returned.record),
        record=_record_text(returned.record, capitalised, fields) if returned.record else "",
    )


def _return(results: Sequence[str], record: str = "") -> str:
    """`return a, b`, or `return Record(a, b)`."""
    line = f"{INDENT}return {', '.join(results)}"
    if record or not fits(line):
        return "\n".join(bracketed(f"return {record}(", results, ")", INDENT))
    return line


def tuple_type(types: Sequence[str]) -> str:
    """The annotation of a result: one type, or a tuple of types."""
    if len(types) == 1:
        return types[0]
    line = f"tuple[{', '.join(types)}]"
    return line if len(line) < LINE_LENGTH // 2 else "tuple[Any, ...]"


def block_view(function: BlockFunction, segment: Segment, printing: Printing) -> PartView:
    """The function that computes a block, which returns what its caller reads and a record of the rest."""
    printer, names = printing.printer_inside(function, segment), function.block.names[0]
    separate = separately_given(function, segment)
    types = [printing.type_of(names.get(own, own)) for own in separate]
    arguments = [f"{printer.names[own]}: {type_}" for own, type_ in zip(separate, types, strict=True)]
    record = ""
    if function.source is not None and function.record_given(0):
        record = _free_name(function.source.stem, printing, printer)
        arguments = [f"{record}: {function.source.record}", *arguments]
    types = [printing.type_of(names[own]) for own in function.block.given_back]
    types += [function.record] if function.fields else []
    where = "on the way back" if function.block.way_back else "on the way forward"
    return PartView(
        definition="\n".join(bracketed(f"def {function.name}(", arguments, f") -> {tuple_type(types)}:")),
        docstring=f'{INDENT}"""Compute one of {len(function.block.runs)} equal blocks {where}."""',
        body=tuple(body_of_block(function, segment, printing, record)),
        results=_returned_by_block(function, printing, printer),
        record=_record_of_block(function, printing),
    )


def _returned_by_block(function: BlockFunction, printing: Printing, printer: NumpyValues) -> str:
    """The line that returns results and a record, or the lines that make the record first."""
    results = [printer.names[own] for own in function.block.given_back]
    kept = [printer.names[own] for own in function.fields]
    if not kept:
        return _return(results)
    made = f"{function.record}({', '.join(kept)})"
    line = f"{INDENT}return {', '.join([*results, made])}"
    if fits(line):
        return line
    if not results:
        return _return(kept, function.record)
    record = _free_name(function.variables[0].rstrip("0123456789"), printing, printer)
    lines = bracketed(f"{record} = {function.record}(", kept, ")", INDENT)
    return "\n".join([*lines, _return([*results, record])])


def _free_name(name: str, printing: Printing, printer: NumpyValues) -> str:
    """The name, where a function does not use it otherwise."""
    used = {*printer.names.values(), *printer.axes.values(), *printer.counters.values()}
    return identifier(name, {*printing.reserved, *used})


def _record_of_block(function: BlockFunction, printing: Printing) -> str:
    """The class of what a block keeps; "" where that is nothing."""
    if not function.fields:
        return ""
    keeps = "What one call of {} keeps for the way back."
    said = ("The gradients from one call of {}." if function.block.way_back else keeps).format(function.name)
    names = function.block.names[0]
    fields = {field: printing.type_of(names[own]) for own, field in function.fields.items()}
    return _record_text(function.record, said, fields)


def _record_text(name: str, said: str, fields: Mapping[str, str]) -> str:
    """The class of a record, whose fields have these annotations."""
    lines = [f"{INDENT}{field}: {type_}" for field, type_ in fields.items()]
    return "\n".join([f"class {name}(NamedTuple):", f'{INDENT}"""{said}"""', "", *lines])
