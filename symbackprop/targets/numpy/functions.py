"""A generated module's functions, as the strings that the template arranges.

The forward pass, the way from the outputs to the loss and the backward pass are written once each: the first
two as `_forward` and `_loss`, the third in `value_and_grad`. The public functions check and call.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from symbackprop.array.program import Loop, Program, formula_of
from symbackprop.array.related_sizes import RelatedSize
from symbackprop.array.segments import Segment, Segments, ShapeSource
from symbackprop.emission.printed import CodeLine, code_lines
from symbackprop.systems.printing import text
from symbackprop.systems.system import PASSED_ROLES, Role, Tensor
from symbackprop.targets.numpy.lines import printed, statement_lines
from symbackprop.targets.numpy.python_text import (
    INDENT,
    LINE_LENGTH,
    bracketed,
    docstring,
    fits,
    quoted,
    unpacked,
)
from symbackprop.targets.numpy.values import NumpyValues

SCALAR = "Scalar"
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


def forward_view(program: Program, segments: Segments, printer: NumpyValues) -> StationView:
    """`_forward` and `forward`, which takes targets only where an output depends on them."""
    needed = segments.forward.arguments
    fed = tuple(
        tensor for tensor in _others(program) if tensor.role is not Role.TARGET or tensor.name in needed
    )
    body = [
        _checked_call(fed, printer),
        *_call("_forward", segments.forward, program.outputs, program, printer),
    ]
    elements = [text(program.by_name[name].element) for name in program.outputs]
    public = PublicView(
        definition=public_def("forward", fed, printer, _types(program, program.outputs)),
        docstring="\n".join(docstring(f"Return {', '.join(elements)}.", INDENT)),
        body=tuple(code_lines(body)),
        returned=", ".join(printer.names[name] for name in program.outputs),
    )
    return StationView(_part("_forward", segments.forward, program, printer), public)


def loss_view(program: Program, segments: Segments, printer: NumpyValues) -> StationView:
    """`_loss` and `loss`."""
    assert program.loss is not None
    public = PublicView(
        definition=public_def("loss", _others(program), printer, SCALAR),
        docstring=f'{INDENT}"""Return the loss {program.loss}."""',
        body=tuple(code_lines(_up_to_loss(program, segments, (), printer))),
        returned=printer.names[program.loss],
    )
    part = _part("_loss", segments.loss, program, printer) if segments.loss else None
    return StationView(part, public)


def gradients_view(
    program: Program, segments: Segments, printer: NumpyValues, workspace: str
) -> GradientsView:
    """`value_and_grad` and `grad`, whose argument `workspace` has this type."""
    assert program.loss is not None and segments.backward is not None
    others = _others(program)
    also = (*segments.backward.arguments, *program.gradients.values())
    held = [f"{quoted(asked)}: {printer.names[name]}" for asked, name in program.gradients.items()]
    body = [
        *code_lines(_up_to_loss(program, segments, also, printer)),
        *_body(segments.backward, program, printer),
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


def _up_to_loss(program: Program, segments: Segments, also: Iterable[str], printer: NumpyValues) -> list[str]:
    """The check and the calls of both parts, binding the loss, what it needs and what is needed besides."""
    assert program.loss is not None
    wanted = [program.loss, *also]
    read_next = segments.loss.arguments if segments.loss else ()
    calls = _call("_forward", segments.forward, [*wanted, *read_next], program, printer)
    if segments.loss:
        calls += _call("_loss", segments.loss, wanted, program, printer)
    return [_checked_call(_others(program), printer), *calls]


def _call(
    name: str, segment: Segment, wanted: Iterable[str], program: Program, printer: NumpyValues
) -> list[str]:
    """The line that runs a part; what is not wanted of it is bound to `_`."""
    keep = set(wanted)
    targets = [printer.names[result] if result in keep else "_" for result in segment.results]
    leading = next((place for place, target in enumerate(targets) if target != "_"), len(targets))
    if leading == len(targets):
        targets = ["_"]
    elif leading > 1:
        targets = ["*_", *targets[leading:]]
    call = f"{name}({', '.join(['tensors', *(printer.names[own] for own in _earlier(segment, program))])})"
    line = f"{INDENT}{', '.join(targets)} = {call}"
    return [line] if fits(line) else bracketed("(", targets, f") = {call}", INDENT)


def _part(name: str, segment: Segment, program: Program, printer: NumpyValues) -> PartView:
    arguments = ["tensors: dict[str, Array]"]
    arguments += [f"{printer.names[name]}: {_type(program, name)}" for name in _earlier(segment, program)]
    result = _types(program, segment.results)
    results = [printer.names[result] for result in segment.results]
    line = f"{INDENT}return {', '.join(results)}"
    return PartView(
        definition="\n".join(bracketed(f"def {name}(", arguments, f") -> {result}:")),
        body=tuple(_body(segment, program, printer)),
        results=line if fits(line) else "\n".join(bracketed("return (", results, ")", INDENT)),
    )


def _types(program: Program, names: Sequence[str]) -> str:
    """The annotation of a result: one type, or a tuple of types."""
    types = [_type(program, name) for name in names]
    if len(types) == 1:
        return types[0]
    line = f"tuple[{', '.join(types)}]"
    return line if len(line) < LINE_LENGTH // 2 else "tuple[Any, ...]"


def _type(program: Program, name: str) -> str:
    return "Array" if program.by_name[name].value.layout else SCALAR


def _earlier(segment: Segment, program: Program) -> list[str]:
    """The arguments that an earlier part has computed."""
    return [name for name in segment.arguments if name in program.by_name]


def _body(segment: Segment, program: Program, printer: NumpyValues) -> list[CodeLine]:
    """The sizes and the dtype read, and the statements, each after the tensors that it needs first."""
    waiting = _unpacked_at_once(segment, program, printer)
    lines = code_lines([*unpacked_tensors(waiting, printer), *size_lines(segment, program, printer)])
    known = set(waiting)
    for before, statement in zip((None, *segment.statements), segment.statements, strict=False):
        new = [name for name in statement.reads if name not in program.by_name and name not in known]
        known.update(new)
        lines += code_lines(unpacked_tensors(new, printer))
        continues = (
            before is not None
            and before.guarded
            and statement.guarded
            and not formula_of(statement)
            and not new
        )
        if continues and not isinstance(statement, Loop):
            # What was cut in two stays in one guard.
            lines += code_lines(statement_lines(statement, printer, INDENT * 2), statement)
        else:
            lines += printed(statement, printer, INDENT)
    return lines


def _unpacked_at_once(segment: Segment, program: Program, printer: NumpyValues) -> list[str]:
    """The tensors that are unpacked before all statements: all that fit one line, or else the fewest."""
    earlier = _earlier(segment, program)
    read = [*segment.parameters, *(name for name in segment.arguments if name not in earlier)]
    if len(unpacked_tensors(read, printer)) < 2:
        return read
    first = {segment.dtype_from, *(source.tensor for source in segment.shapes)}
    return [name for name in read if name in first]


def size_lines(segment: Segment, program: Program, printer: NumpyValues) -> list[str]:
    """The sizes and the dtype that the statements mention, read off arrays."""
    given = [tensor.name for tensor in program.with_role(Role.SIZE)]
    lines = [f"{INDENT}{_shape_line(source, given, printer)}" for source in segment.shapes]
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
