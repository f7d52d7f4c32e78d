"""A generated module's functions, as the strings that the template arranges.

The forward pass, the way from the outputs to the loss and the backward pass are written once each: `_forward`
and `_loss`, the third in `value_and_grad`; in `forward` what outputs alone need. The rest checks and calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from symbackprop.array.program import Program
from symbackprop.array.segments import Segment
from symbackprop.emission.printed import CodeLine, code_lines
from symbackprop.systems.printing import text
from symbackprop.systems.system import PASSED_ROLES, Role, Tensor
from symbackprop.targets.numpy.blocks import BlockFunction
from symbackprop.targets.numpy.bodies import (
    SCALAR,
    Printing,
    body_of_block,
    body_of_part,
    separately_given,
)
from symbackprop.targets.numpy.python_text import (
    INDENT,
    LINE_LENGTH,
    bracketed,
    docstring,
    fits,
    identifier,
    quoted,
)
from symbackprop.targets.numpy.values import NumpyValues

GRADS = "dict[str, Array]"


@dataclass(frozen=True)
class PartView:
    """A private function that runs one part of the program."""

    definition: str
    body: tuple[CodeLine, ...]
    results: str


@dataclass(frozen=True)
class PublicView:
    """A public function: its `def` line, its docstring, its body and what it returns."""

    definition: str
    docstring: str
    body: tuple[CodeLine, ...]
    returned: str


@dataclass(frozen=True)
class StationView:
    """One part of the program, where it has statements, and the public function that ends with it."""

    part: PartView | None
    public: PublicView


@dataclass(frozen=True)
class GradientsView:
    """`value_and_grad`, and `grad`, which calls it."""

    public: PublicView
    grad_definition: str
    grad_arguments: str


@dataclass(frozen=True)
class BlockView:
    """The function of a block, and the class of its record, "" where it keeps nothing."""

    record: str
    docstring: str
    part: PartView


def forward_view(printing: Printing) -> StationView:
    """`_forward` and `forward`, which takes targets only where an output depends on them."""
    program, segments, caller = printing.program, printing.segments, printing.caller
    parts = (segments.forward, segments.outputs)
    read = {name for part in parts if part is not None for name in part.arguments}
    fed = tuple(
        tensor for tensor in _others(program) if tensor.role is not Role.TARGET or tensor.name in read
    )
    wanted = [*program.outputs, *(segments.outputs.arguments if segments.outputs else ())]
    body = code_lines([_checked_call(fed, caller), *_call("_forward", segments.forward, wanted, printing)])
    if segments.outputs:
        body += body_of_part(segments.outputs, printing, caller)
    elements = [text(program.by_name[name].element) for name in program.outputs]
    result = _tuple_type([printing.type_of(name) for name in program.outputs])
    public = PublicView(
        definition=public_def("forward", fed, caller, result),
        docstring="\n".join(docstring(f"Return {', '.join(elements)}.", INDENT)),
        body=tuple(body),
        returned=", ".join(caller.names[name] for name in program.outputs),
    )
    return StationView(_part("_forward", segments.forward, printing), public)


def loss_view(printing: Printing, workspace: str) -> StationView:
    """`_loss`, where there is more to it than a name, and `loss`, with `workspace` where that has a type."""
    program, printer, segment = printing.program, printing.printer, printing.segments.loss
    assert program.loss is not None
    part = None if segment and segment.only_names else _part("_loss", segment, printing)
    body = _up_to_loss((), printing)
    if printing.segments.backward:  # what is above is printed in `value_and_grad` too, and counts there
        body = code_lines(code.text for code in body)
    public = PublicView(
        definition=public_def("loss", _others(program), printer, SCALAR, workspace),
        docstring=f'{INDENT}"""Return the loss {program.loss}."""',
        body=tuple(body),
        returned=printer.names[program.loss],
    )
    return StationView(part, public)


def gradients_view(printing: Printing, workspace: str) -> GradientsView:
    """`value_and_grad` and `grad`, whose argument `workspace` has this type."""
    program, printer, backward = printing.program, printing.caller, printing.segments.backward
    assert program.loss is not None and backward is not None
    others = _others(program)
    also = (*backward.arguments, *program.gradients.values())
    held = [f"{quoted(asked)}: {printer.names[name]}" for asked, name in program.gradients.items()]
    body = [
        *_up_to_loss(also, printing),
        *body_of_part(backward, printing, printer),
        *code_lines(bracketed("grads = {", held, "}", INDENT)),
    ]
    result = f"tuple[{SCALAR}, {GRADS}]"
    public = PublicView(
        definition=public_def("value_and_grad", others, printer, result, workspace),
        docstring=f'{INDENT}"""Return the loss {program.loss} and its gradients, by name.',
        body=tuple(body),
        returned=f"{printer.names[program.loss]}, grads",
    )
    return GradientsView(
        public=public,
        grad_definition=public_def("grad", others, printer, GRADS, workspace),
        grad_arguments=", ".join(["params", *(printer.names[tensor.name] for tensor in others), "workspace"]),
    )


def _others(program: Program) -> tuple[Tensor, ...]:
    """The tensors that are passed by themselves, not within `params`."""
    return program.with_role(*PASSED_ROLES)


def public_def(
    name: str, others: Sequence[Tensor], printer: NumpyValues, result: str, workspace: str = ""
) -> str:
    """The `def` line of a public function, wrapped where it is too long."""
    arguments = ["params: Mapping[str, ArrayLike]"]
    kinds = {tensor.name: "int" if tensor.role is Role.SIZE else "ArrayLike" for tensor in others}
    arguments += [f"{printer.names[name]}: {kind}" for name, kind in kinds.items()]
    if workspace:
        arguments.append(f"workspace: {workspace} = None")
    return "\n".join(bracketed(f"def {name}(", arguments, f") -> {result}:"))


def _checked_call(others: Sequence[Tensor], printer: NumpyValues) -> str:
    """The line that checks all tensors, the parameters and the others, by the user's own names."""
    items = [f"{quoted(tensor.name)}: {printer.names[tensor.name]}" for tensor in others]
    given = f"{{{', '.join(items)}}}"
    lines = bracketed("tensors = _checked(", ["params", given], ")", INDENT)
    if fits(max(lines, key=len)):
        return "\n".join(lines)
    given_lines = [f"{INDENT * 3}{item}," for item in items]
    inside = [f"{INDENT * 2}params,", f"{INDENT * 2}{{", *given_lines, f"{INDENT * 2}}},"]
    return "\n".join([f"{INDENT}tensors = _checked(", *inside, f"{INDENT})"])


def _up_to_loss(also: Iterable[str], printing: Printing) -> list[CodeLine]:
    """The check and the calls of both parts, binding the loss, what it needs and what is needed besides."""
    program, segments = printing.program, printing.segments
    assert program.loss is not None
    wanted = [program.loss, *also]
    read_next = segments.loss.arguments if segments.loss else ()
    check = _checked_call(_others(program), printing.printer)
    lines = code_lines([check, *_call("_forward", segments.forward, [*wanted, *read_next], printing)])
    if segments.loss and segments.loss.only_names:
        return [*lines, *body_of_part(segments.loss, printing, printing.caller)]
    return [*lines, *code_lines(_call("_loss", segments.loss, wanted, printing))]


def _call(name: str, segment: Segment | None, wanted: Iterable[str], printing: Printing) -> list[str]:
    """The line that runs a part, if there is one; what is not wanted of it is bound to `_`."""
    if segment is None:
        return []
    keep = set(wanted)
    results = _results(segment, printing)
    targets = [target if keep.intersection(held) else "_" for target, (_, held) in results.items()]
    leading = next((place for place, target in enumerate(targets) if target != "_"), len(targets))
    if leading == len(targets):
        targets = ["_"]
    elif leading > 1:
        targets = ["*_", *targets[leading:]]
    given = [printing.caller.names[own] for own in printing.earlier(segment)]
    call = f"{name}({', '.join([*(['tensors'] if printing.declared(segment) else []), *given])})"
    line = f"{INDENT}{', '.join(targets)} = {call}"
    return [line] if fits(line) else bracketed("(", targets, f") = {call}", INDENT)


def _results(segment: Segment, printing: Printing) -> dict[str, tuple[str, list[str]]]:
    """The variables that a part returns, with their types, and with the tensors in them."""
    found: dict[str, tuple[str, list[str]]] = {}
    for name in segment.results:
        own = printing.printer.names[name], printing.type_of(name)
        variable, type_ = printing.records.get(name, own)
        found.setdefault(variable, (type_, []))[1].append(name)
    return found


def _part(name: str, segment: Segment | None, printing: Printing) -> PartView | None:
    if segment is None:
        return None
    given = printing.earlier(segment)
    arguments = ["tensors: dict[str, Array]"] if printing.declared(segment) else []
    arguments += [f"{printing.printer.names[own]}: {printing.type_of(own)}" for own in given]
    results = _results(segment, printing)
    type_ = _tuple_type([type_ for type_, _ in results.values()])
    body = body_of_part(segment, printing, printing.printer_in(segment))
    definition = "\n".join(bracketed(f"def {name}(", arguments, f") -> {type_}:"))
    return PartView(definition, tuple(body), _returned(list(results)))


def _returned(results: Sequence[str]) -> str:
    line = f"{INDENT}return {', '.join(results)}"
    return line if fits(line) else "\n".join(bracketed("return (", results, ")", INDENT))


def _tuple_type(types: Sequence[str]) -> str:
    """The annotation of a result: one type, or a tuple of types."""
    if len(types) == 1:
        return types[0]
    line = f"tuple[{', '.join(types)}]"
    return line if len(line) < LINE_LENGTH // 2 else "tuple[Any, ...]"


def block_view(function: BlockFunction, segment: Segment, printing: Printing) -> BlockView:
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
    part = PartView(
        definition="\n".join(bracketed(f"def {function.name}(", arguments, f") -> {_tuple_type(types)}:")),
        body=tuple(body_of_block(function, segment, printing, record)),
        results=_returned_by_block(function, printing, printer),
    )
    said = f'{INDENT}"""Compute one of {len(function.block.runs)} equal blocks {where}."""'
    return BlockView(_record_text(function, printing), said, part)


def _returned_by_block(function: BlockFunction, printing: Printing, printer: NumpyValues) -> str:
    """The line that returns results and a record, or the lines that make the record first."""
    results = [printer.names[own] for own in function.block.given_back]
    kept = [printer.names[own] for own in function.fields]
    if not kept:
        return _returned(results)
    made = f"{function.record}({', '.join(kept)})"
    line = f"{INDENT}return {', '.join([*results, made])}"
    if fits(line):
        return line
    if not results:
        return "\n".join(bracketed(f"return {function.record}(", kept, ")", INDENT))
    record = _free_name(function.variables[0].rstrip("0123456789"), printing, printer)
    lines = bracketed(f"{record} = {function.record}(", kept, ")", INDENT)
    return "\n".join([*lines, _returned([*results, record])])


def _free_name(name: str, printing: Printing, printer: NumpyValues) -> str:
    """The name, as a variable that a block's function does not use otherwise."""
    used = {*printer.names.values(), *printer.axes.values(), *printer.counters.values()}
    return identifier(name, {*printing.reserved, *used})


def _record_text(function: BlockFunction, printing: Printing) -> str:
    """The class of what a block keeps; "" where that is nothing."""
    if not function.fields:
        return ""
    keeps = "What one call of {} keeps for the way back."
    said = ("The gradients from one call of {}." if function.block.way_back else keeps).format(function.name)
    names = function.block.names[0]
    fields = [f"{INDENT}{field}: {printing.type_of(names[own])}" for own, field in function.fields.items()]
    docstring = f'{INDENT}"""{said}"""'
    return "\n".join([f"class {function.record}(NamedTuple):", docstring, "", *fields])
