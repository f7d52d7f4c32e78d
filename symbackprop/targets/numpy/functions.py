"""A generated module's functions, as the strings that the template arranges.

The forward pass, the way from the outputs to the loss and the backward pass are written once each: `_forward`
and `_loss`, the third in `value_and_grad`; in `forward` what outputs alone need. The rest checks and calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from symbackprop.array.program import Program
from symbackprop.array.segments import Segment, Segments
from symbackprop.emission.printed import CodeLine, code_lines
from symbackprop.systems.printing import text
from symbackprop.systems.system import PASSED_ROLES, Role, Tensor
from symbackprop.targets.numpy.bodies import (
    SCALAR,
    Printing,
    body_of_part,
)
from symbackprop.targets.numpy.parts import PartView, call_of_part, part_view, tuple_type
from symbackprop.targets.numpy.python_text import (
    INDENT,
    bracketed,
    docstring,
    fits,
    quoted,
)
from symbackprop.targets.numpy.values import NumpyValues

GRADS = "dict[str, Array]"


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


def forward_view(printing: Printing) -> StationView:
    """`_forward` and `forward`, which takes targets only where an output depends on them."""
    program, segments, caller = printing.program, printing.segments, printing.caller
    parts = (segments.forward, segments.outputs)
    read = {name for part in parts if part is not None for name in part.arguments}
    fed = tuple(
        tensor for tensor in _others(program) if tensor.role is not Role.TARGET or tensor.name in read
    )
    wanted = [*program.outputs, *(segments.outputs.arguments if segments.outputs else ())]
    body = code_lines(
        [_checked_call(fed, caller), *call_of_part("_forward", segments.forward, wanted, printing)]
    )
    if segments.outputs:
        body += body_of_part(segments.outputs, printing, caller)
    elements = [text(program.by_name[name].element) for name in program.outputs]
    result = tuple_type([printing.type_of(name) for name in program.outputs])
    public = PublicView(
        definition=public_def("forward", fed, caller, result),
        docstring="\n".join(docstring(f"Return {', '.join(elements)}.", INDENT)),
        body=tuple(body),
        returned=", ".join(caller.names[name] for name in program.outputs),
    )
    part = part_view("_forward", _said_of_forward(program, segments), segments.forward, printing)
    return StationView(part, public)


def loss_view(printing: Printing, workspace: str) -> StationView:
    """`_loss`, where there is more to it than a name, and `loss`, with `workspace` where that has a type."""
    program, printer, segment = printing.program, printing.printer, printing.segments.loss
    assert program.loss is not None
    said = _said_of_loss(program, segment)
    part = None if segment and segment.only_names else part_view("_loss", said, segment, printing)
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


def _said_of_forward(program: Program, segments: Segments) -> str:
    """What `_forward` computes, and so returns."""
    outputs = "the output" if len(program.outputs) == 1 else "the outputs"
    if segments.outputs is not None:
        return f"what {outputs}, the loss and its gradients have in common"
    if segments.forward is None or set(segments.forward.results) <= set(program.outputs):
        return outputs
    return f"{outputs}, and what is read again on the way to the loss and back"


def _said_of_loss(program: Program, segment: Segment | None) -> str:
    """What `_loss` computes, and so returns."""
    if segment is None or segment.results == (program.loss,):
        return "the loss"
    return "the loss, and what is read again on the way back"


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
    lines = code_lines([check, *call_of_part("_forward", segments.forward, [*wanted, *read_next], printing)])
    if segments.loss and segments.loss.only_names:
        return [*lines, *body_of_part(segments.loss, printing, printing.caller)]
    return [*lines, *code_lines(call_of_part("_loss", segments.loss, wanted, printing))]
