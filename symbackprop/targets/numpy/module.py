"""A program as a NumPy module: strings made here and in `functions`, arranged by `templates/numpy`."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from symbackprop.array.ir import Elementwise
from symbackprop.array.linear_algebra import Cholesky, Cofactors, Symmetric
from symbackprop.array.lookups import Nearest, Scan, ScatterAdd, ScatterArgmax, ScatterExtremum
from symbackprop.array.program import Program, counters_in, statements_in
from symbackprop.array.segments import axes_mentioned, axes_of_means
from symbackprop.array.slices import Windows
from symbackprop.array.value import unlike
from symbackprop.collecting import few_passes
from symbackprop.emission.printed import PrintedModule, printed_module
from symbackprop.emission.seal import sealed
from symbackprop.indexing.counting import Extent
from symbackprop.passes.blocks import Blocks, blocks_of
from symbackprop.passes.blocks_in_place import with_blocks_in_place
from symbackprop.systems.system import Role
from symbackprop.targets.numpy.blocks import block_functions, with_fitting_lines
from symbackprop.targets.numpy.bodies import Printing
from symbackprop.targets.numpy.functions import forward_view, gradients_view, loss_view
from symbackprop.targets.numpy.into_arrays import LOCAL_NAMES
from symbackprop.targets.numpy.kernels import helpers_for
from symbackprop.targets.numpy.parts import block_view
from symbackprop.targets.numpy.python_text import LINE_LENGTH, ascii_only, identifier, identifiers
from symbackprop.targets.numpy.results import with_numpy_results
from symbackprop.targets.numpy.tables import init_view, place_checks_texts, relations_text, tables_text
from symbackprop.targets.numpy.values import NumpyValues
from symbackprop.version import __version__

# Names that the template uses at module level or inside functions.
MODULE_NAMES = (
    "annotations", "Mapping", "Any", "TypeAlias", "np", "ArrayLike", "NDArray", "Array", "Scalar",
    "PARAMETERS", "INPUTS", "TARGETS", "CONSTANTS", "OUTPUTS", "LOSS", "SHAPES", "SIZES", "VALUES",
    "FACTS", "FORMULAS", "GIVEN_SIZES", "NOT_EMPTY", "RELATIONS", "STOPPED", "init", "forward", "loss",
    "value_and_grad", "grad", "_forward", "_loss", "_checked", "_array", "_check_values", "_check_places",
    "_places", "_relate", "params", "workspace", "tensors", "grads", "rng", "dtype", "_",
)  # fmt: skip
# And those that it uses where there are workspaces.
STEP_NAMES = (
    "operator", "Callable", "Step", "LossStep", "Workspace", "bind", "bind_loss", "_bound", "_step", "_steps",
    "_loss_steps", "step", "steps", "_compute", "_adding_up", "_adding_up_products", "partial", "others",
    "_check_contents", "bisect", "math", "os", "memory", "_starts", "_meet", "_multiplying",
    "_multiplies_in_place", *LOCAL_NAMES.values(),
)  # fmt: skip

HELPERS_OF_NODES = (
    (ScatterAdd, "scatter_add"),
    (ScatterExtremum, "scatter_extremum"),
    (ScatterArgmax, "scatter_argmax"),
    (Nearest, "nearest"),
    (Scan, "running"),
    (Windows, "windows"),
    (Cofactors, "cofactors"),
    (Cholesky, "cholesky"),
    (Symmetric, "symmetric"),
)


NOT_VERIFIED = "Not verified: it was written without being run."


@dataclass(frozen=True)
class NumpyModule:
    """A module before its header says whether it was verified.

    `printing` is what is printed, by which names; `strings` fill the template.
    """

    printing: Printing
    strings: Mapping[str, object]

    def text(self, verification: str = NOT_VERIFIED) -> str:
        """The text of the module, sealed: NumPy alone, ASCII, the same to the byte for the same program."""
        return sealed(self.printed(verification).text)

    def printed(self, verification: str = NOT_VERIFIED) -> PrintedModule:
        """That text, with the lines that each statement became."""
        paragraph = textwrap.fill(ascii_only(verification), LINE_LENGTH, break_on_hyphens=False)
        strings = {**self.strings, "verification": paragraph}
        printing = self.printing
        names = printing.printer.names
        return printed_module(printing.program, names, "numpy/module.py.j2", strings, printing.held_by_calls)


@few_passes()
def numpy_module(
    program: Program, steps: Callable[[Program, Sequence[str]], object] | None = None
) -> NumpyModule:
    """The module of a program, its text made last; with workspaces where `steps` says what runs in them.

    That is asked with the program and the names of the helpers.
    """
    whole = with_numpy_results(with_blocks_in_place(program))
    helpers = helpers_for(_functions(whole))
    printing = _printing(whole, helpers, (*helpers, *STEP_NAMES) if steps else helpers)
    program, printer, segments = printing.program, printing.printer, printing.segments
    type_ = "Workspace | None" if steps else "None"
    has_integers = any(tensor.values is not None for tensor in program.tensors)
    checks = place_checks_texts(program, printer)
    blocks = [
        block_view(*each, printing) for each in zip(printing.blocks, printing.own_segments, strict=True)
    ]
    forward = forward_view(printing)
    loss = loss_view(printing, type_ if steps and segments.backward else "") if program.loss else None
    strings: dict[str, object] = {
        "model": ascii_only(program.model),
        "digest": sha256(program.source.encode()).hexdigest()[:16],
        "version": __version__,
        "tables": tables_text(program),
        "helpers": [f"numpy/kernels/{name}.py.j2" for name in helpers],
        **checks,
        "relations": relations_text(program, printer),
        "has_integers": has_integers,
        "has_contents": has_integers or bool(checks["content_checks"]),
        "has_orders": any(tensor.permuted for tensor in program.tensors),
        "has_given_sizes": bool(program.with_role(Role.SIZE)),
        "not_empty": bool(program.not_empty),
        "parts": [part for part in (*blocks, forward.part, loss and loss.part) if part],
        "forward": forward,
        "loss": loss,
        "gradients": gradients_view(printing, type_) if segments.backward else None,
        "steps": steps(whole, helpers) if steps and segments.backward else None,
        "init": init_view(program, printer),
    }
    return NumpyModule(printing, strings)


def _printing(program: Program, helpers: Sequence[str], others: Sequence[str]) -> Printing:
    """The program with its blocks, in lines that fit, and its names; `others` are taken besides."""
    reserved = frozenset((*MODULE_NAMES, *others, "NamedTuple"))
    found = Blocks(program, ()) if program.with_role(Role.SIZE) else blocks_of(program)
    printer = printer_of(found.program, helpers, others)
    taken = {*reserved, *printer.names.values(), *printer.axes.values(), *printer.counters.values()}
    functions = block_functions(found.blocks, taken)
    whole = Printing(found.program, functions, printer, reserved)
    fitting, functions = with_fitting_lines(found.program, functions, whole.caller, reserved)
    return Printing(fitting, functions, printer_of(fitting, helpers, others), reserved)


def _functions(program: Program) -> list[str]:
    nodes = [node for line in program.statements for value in line.values for node in value.walk()]
    functions = [node.operation for node in nodes if isinstance(node, Elementwise)]
    helpers = (helper for kind, helper in HELPERS_OF_NODES if any(isinstance(node, kind) for node in nodes))
    return [*functions, *helpers]


def axes_with_one_number(program: Program) -> tuple[str, ...]:
    """All axes of declared sizes where two of them have one, so that no number says which it is."""
    numbers = program.sizes.values()
    return tuple(program.sizes) if len(set(numbers)) < len(numbers) else ()


def printer_of(program: Program, helpers: Sequence[str], reserved: Iterable[str]) -> NumpyValues:
    """The printer with a Python name for every tensor, statement, helper and axis, all different."""
    reserved = {*MODULE_NAMES, *reserved}
    tensors = [tensor.name for tensor in program.tensors if tensor.role is not Role.SIZE]
    lines = tuple(statements_in(program.statements))
    values = identifiers(dict.fromkeys([*tensors, *(line.name for line in lines)]), reserved)
    layouts = [tensor.indices for tensor in program.tensors]
    layouts += [value.indices for value in unlike(line.value for line in lines)]
    # An axis that no tensor has is among them too: whether its size is needed is known when it is read.
    axes = [index.axis for indices in layouts for index in indices if not isinstance(index.axis, Extent)]
    axes += axes_mentioned(program.statements)
    axes += [axis for related in program.related for axis in (related.axis, *related.sources)]
    named = axes_with_one_number(program)
    sizes = identifiers(dict.fromkeys([*(axis.name for axis in axes), *named]), {*reserved, *values.values()})
    taken = {*reserved, *values.values(), *sizes.values()}
    counters: dict[str, str] = {}
    for name in dict.fromkeys(counters_in(program.statements)):
        counters[name] = identifier(name.replace("'", "_"), {*taken, *counters.values()})
    given = {tensor.name: sizes[tensor.indices[0].axis.name] for tensor in program.with_role(Role.SIZE)}
    names = {**{name: name for name in helpers}, **values, **given}
    return NumpyValues(names, sizes, counters, means=axes_of_means(program), named=named)
