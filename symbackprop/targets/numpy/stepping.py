"""`_steps` of a module with workspaces: views that are taken once, and a function that only computes.

`_loss_steps` does the same for the loss alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from symbackprop.array.ir import Cast, Read
from symbackprop.array.program import Line, Loop, Program, Statement, Store
from symbackprop.array.segments import segment_of
from symbackprop.array.slices import Allocate
from symbackprop.buffers.buffered import BufferedProgram, buffered_program
from symbackprop.buffers.prepared import (
    counts,
    divisors_in_place,
    inner_products,
    multiplied,
    totalled_arrays,
)
from symbackprop.emission.printed import CodeLine, code_lines
from symbackprop.passes.row_blocks import with_row_blocks
from symbackprop.systems.system import PASSED_ROLES
from symbackprop.targets.numpy.bodies import size_lines, unpacked_tensors
from symbackprop.targets.numpy.functions import public_def
from symbackprop.targets.numpy.into_arrays import (
    COMPUTING,
    LOCAL_NAMES,
    MULTIPLYING,
    MULTIPLYING_AND_TOTALLING,
    TOTALLING,
    CallsOfUfuncs,
    call_lines,
    calls_into,
)
from symbackprop.targets.numpy.lines import GUARD, code_indent, comment_lines, loop_head, statement_lines
from symbackprop.targets.numpy.module import STEP_NAMES, printer_of
from symbackprop.targets.numpy.python_expressions import call
from symbackprop.targets.numpy.python_text import INDENT, bracketed, identifiers, quoted
from symbackprop.targets.numpy.values import NumpyValues


@dataclass(frozen=True)
class StepView:
    """The bodies of a function and of the one in it, and what that returns."""

    setup: tuple[CodeLine, ...]
    body: tuple[CodeLine, ...]
    returned: str
    has_constants: bool
    computes: bool
    totals: bool
    totals_products: bool
    multiplies: bool


@dataclass(frozen=True)
class StepsView:
    """The functions for loss and gradients, and for the loss alone.

    `bind` and `bind_loss` are the `def` lines of these, `others` the line that gathers what they take besides
    parameters.
    """

    bind: str
    bind_loss: str
    others: str
    both: StepView
    loss: StepView

    @property
    def has_constants(self) -> bool:
        """Whether one of them reads arrays that are computed once."""
        return self.both.has_constants or self.loss.has_constants

    @property
    def computes(self) -> bool:
        """Whether one of them computes a kernel into an array."""
        return self.both.computes or self.loss.computes

    @property
    def totals(self) -> bool:
        """Whether one of them adds up all numbers of an array."""
        return self.both.totals or self.loss.totals

    @property
    def totals_products(self) -> bool:
        """Whether one of them computes an inner product."""
        return self.both.totals_products or self.loss.totals_products

    @property
    def multiplies(self) -> bool:
        """Whether one of them multiplies matrices into arrays."""
        return self.both.multiplies or self.loss.multiplies


def steps_of(program: Program, helpers: Sequence[str]) -> StepsView:
    """The functions that compute in a workspace, with Python names of their own beside those of helpers."""
    whole = with_row_blocks(program)
    both, loss = (_buffered(each, helpers) for each in (whole, replace(whole, gradients={})))
    printer, alone = both[1], _step(replace(whole, gradients={}), *loss)
    passed = program.with_role(*PASSED_ROLES)
    given = [f"{quoted(tensor.name)}: {printer.names[tensor.name]}" for tensor in passed]
    return StepsView(
        bind=public_def("bind", passed, printer, "Step"),
        bind_loss=public_def("bind_loss", passed, printer, "LossStep"),
        others="\n".join(bracketed("others = {", given, "}", INDENT)),
        both=_step(whole, *both),
        # What it computes is in the other function too, and counts there.
        loss=replace(alone, body=tuple(code_lines(code.text for code in alone.body))),
    )


def _buffered(program: Program, helpers: Sequence[str]) -> tuple[BufferedProgram, CallsOfUfuncs]:
    """The program in buffers, and what prints it."""
    buffered = buffered_program(program)
    lines = (*buffered.memory, *buffered.setup, *buffered.steps)
    names = printer_of(replace(program, statements=lines), helpers, (*helpers, *STEP_NAMES))
    taken = {*names.names.values(), *names.axes.values(), *names.counters.values(), *STEP_NAMES, *helpers}
    totals = {name: f"total_of_{names.names[name]}" for name in totalled_arrays(buffered)}
    products = {
        (left, right, names.names[out]): f"{names.names[left or out]}_by_{names.names[right]}"
        for left, right, out in multiplied(buffered, [tensor.name for tensor in program.tensors])
    }
    inner = inner_products(buffered, names.names)
    sizes = {each: f"{names.size(each.axis).text}_or_1" for each in counts(buffered)}
    free = identifiers([*totals.values(), *products.values(), *inner.values(), *sizes.values()], taken)
    return buffered, CallsOfUfuncs(
        names.names,
        names.axes,
        names.counters,
        totals={name: free[function] for name, function in totals.items()},
        products={product: free[function] for product, function in products.items()},
        inner_products={product: free[function] for product, function in inner.items()},
        counts={count: free[size] for count, size in sizes.items()},
        divisors=divisors_in_place(buffered, program.tensors),
    )


def _step(program: Program, buffered: BufferedProgram, printer: CallsOfUfuncs) -> StepView:
    """The function for the loss and the gradients that a program has."""
    lines = (*buffered.memory, *buffered.setup, *buffered.steps)
    ends = [*program.gradients.values(), *([program.loss] if program.loss else [])]
    segment = segment_of(program, lines, ends)
    read = [*segment.parameters, *segment.arguments]
    before = [*unpacked_tensors(read, printer), *size_lines(segment, program, printer)]
    before += [
        f"{INDENT}{size} = max({printer.size(count.axis).text}, 1)" for count, size in printer.counts.items()
    ]
    before += _memory_lines(buffered, printer)
    before += [line for each in buffered.setup for line in _setup_lines(each, printer)]
    before += [
        f"{INDENT}{total} = {TOTALLING}({printer.names[name]})" for name, total in printer.totals.items()
    ]
    before += [
        f"{INDENT}{function} = {MULTIPLYING_AND_TOTALLING}({', '.join(map(printer.text, product.operands))})"
        for product, function in printer.inner_products.items()
    ]
    before += [
        f"{INDENT}{product} = {MULTIPLYING}({printer.names.get(left)}, {printer.names[right]}, {out})"
        for (left, right, out), product in printer.products.items()
    ]
    held = [f"{quoted(asked)}: {printer.names[name]}" for asked, name in program.gradients.items()]
    returned = f"return {printer.names[program.loss or '']}"
    body = tuple(_printed(buffered.steps, buffered, printer, INDENT * 2))
    called = [name for name in LOCAL_NAMES if any(f"{LOCAL_NAMES[name]}(" in line.text for line in body)]
    before += [f"{INDENT}{LOCAL_NAMES[name]} = {name}" for name in called]
    if held:
        returned = "\n".join(bracketed(f"{returned}, {{", held, "}", INDENT * 2)).lstrip()
    return StepView(
        setup=tuple(code_lines(before)),
        body=body,
        returned=INDENT * 2 + returned,
        has_constants=any(line.value.layout and _is_constant(line) for line in buffered.setup),
        computes=any(f"{COMPUTING}(" in line.text for line in body),
        totals=bool(printer.totals),
        totals_products=bool(printer.inner_products),
        multiplies=bool(printer.products),
    )


def _memory_lines(buffered: BufferedProgram, printer: NumpyValues) -> Iterator[str]:
    """`"u": ((B, J), dtype, (0, 9)),` for each buffer, `u = memory["u"]`, `z = u` for another name of it."""
    made = [line for line in buffered.memory if isinstance(line.value, Allocate)]
    if made:
        yield f"{INDENT}memory = workspace.memory("
        yield f"{INDENT * 2}{{"
        for line in made:
            allocation = printer.piece(line.value).call
            assert allocation is not None
            shape, dtype = allocation[1]
            shape = f"({shape},)" if len(line.value.layout) == 1 else shape
            asked = [shape, dtype.removeprefix("dtype="), *map(str, buffered.times[line.name])]
            yield from bracketed(f"{quoted(printer.names[line.name])}: (", asked, "),", INDENT * 3)
        yield f"{INDENT * 2}}}"
        yield f"{INDENT})"
    for line in buffered.memory:
        if line in made:
            name = printer.names[line.name]
            yield f"{INDENT}{name} = memory[{quoted(name)}]"
        else:
            yield from statement_lines(line, printer, INDENT)


def _is_constant(line: Statement) -> bool:
    """Whether a line of the setup reads no array."""
    return not any(isinstance(node, Read) for node in line.value.walk())


def _setup_lines(line: Statement, printer: NumpyValues) -> list[str]:
    """A view, a number, or a constant: `mask = workspace.constant("mask", lambda: np.arange(T) < 3)`."""
    name = printer.names[line.name]
    if not _is_constant(line):
        return statement_lines(line, printer, INDENT)
    if isinstance(line.value, Cast) and not line.value.layout:
        return [f"{INDENT}{name} = {call('np.asarray', printer.piece(line.value.operand), 'dtype').text}"]
    made = f"lambda: {printer.text(line.value)}"
    return bracketed(f"{name} = workspace.constant(", [quoted(name), made], ")", INDENT)


def _printed(
    lines: Iterable[Line],
    buffered: BufferedProgram,
    printer: CallsOfUfuncs,
    indent: str,
    in_guard: bool = False,
) -> Iterator[CodeLine]:
    """The lines, each below its formula; guarded ones that follow one another share their guard."""
    guarding = False
    for line in lines:
        inside = code_indent(line, indent, in_guard)
        texts = [] if isinstance(line, Loop) else _line_texts(line, buffered, printer, inside)
        if not (texts or isinstance(line, Loop)):
            continue
        comment = comment_lines(line, indent)
        yield from code_lines(comment)
        if inside != indent and (comment or not guarding):
            yield CodeLine(f"{indent}{GUARD}")
        guarding = inside != indent
        if isinstance(line, Loop):
            yield CodeLine(f"{inside}{loop_head(line, printer)}", line)
            yield from _printed(line.body, buffered, printer, inside + INDENT, in_guard=True)
        else:
            yield from code_lines(texts, line)


def _line_texts(
    line: Statement | Store, buffered: BufferedProgram, printer: CallsOfUfuncs, indent: str
) -> list[str]:
    """A line as calls with destinations, or as it would be without."""
    calls = calls_into(line, printer, line.name in buffered.buffered)
    if calls is None:
        return statement_lines(line, printer, indent)
    size = printer.divisors.get(id(line))
    guard = [] if size is None else [f"{indent}if {printer.text(size)} != 1:"]
    inside = f"{indent}{INDENT}" if guard else indent
    return [*guard, *(text for each in calls for text in call_lines(each, inside))]
