"""A generated module's public tables, and its `init`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symbackprop.array.ir import AsDoubles
from symbackprop.array.program import Initial, PlaceCheck, Program
from symbackprop.array.related_sizes import RelatedSize
from symbackprop.notation.expressions import Axis
from symbackprop.systems.printing import equation_text
from symbackprop.systems.system import Role, Tensor
from symbackprop.targets.numpy.bodies import size_line
from symbackprop.targets.numpy.lines import GUARD
from symbackprop.targets.numpy.python_expressions import (
    Piece,
    alone_or_tuple,
    binary,
    call,
    comparison,
    joined,
    method,
    number,
    power,
    product,
    subscript,
    variable,
)
from symbackprop.targets.numpy.python_text import (
    INDENT,
    ascii_only,
    assigned_dict,
    assigned_tuple,
    bracketed,
    quoted,
    quoted_item,
    tuple_text,
)
from symbackprop.targets.numpy.values import NumpyValues


@dataclass(frozen=True)
class CheckedValues(NumpyValues):
    """Prints values where the arrays and the sizes are looked up by their names in the model."""

    def variable(self, name: str) -> Piece:
        """The array of a tensor."""
        return subscript(Piece("arrays"), [quoted(name)])

    def size_variable(self, axis: Axis) -> Piece:
        """The size of an axis."""
        return subscript(Piece("sizes"), [quoted(axis.name)])


def place_checks_texts(program: Program, printer: NumpyValues) -> dict[str, str]:
    """The lines that check positions; empty where there is nothing to check.

    `place_checks` are all of them: `size_checks` those by sizes alone, `content_checks` those by integer
    data, which may change from call to call.
    """
    inside = CheckedValues(printer.names, printer.axes, printer.counters)
    checks = [(check, _place_check(check, inside)) for check in program.place_checks]
    kinds = {
        "place_checks": [lines for _, lines in checks],
        "size_checks": [lines for check, lines in checks if not check.tensors],
        "content_checks": [lines for check, lines in checks if check.tensors],
    }
    return {kind: "\n".join(line for lines in found for line in lines) for kind, found in kinds.items()}


def _place_check(check: PlaceCheck, printer: NumpyValues) -> list[str]:
    needed = [axis.name for axis in check.axes if axis.size is None]
    known = Piece(f"{{{', '.join(map(quoted, needed))}}}")
    tests = [comparison("<=", known, method(Piece("sizes"), "keys"))] if needed else []
    tests += [comparison("in", Piece(quoted(name)), Piece("arrays")) for name in check.tensors]
    arguments = [quoted(ascii_only(f"{check.element}: {check.position}")), quoted(check.axis.name)]
    arguments += [printer.size(check.axis).text, printer.text(check.places)]
    arguments += [] if check.condition is None else [printer.text(check.condition)]
    indent = INDENT * 2 if tests else INDENT
    head = [f"{INDENT}if {joined('and', tests).text}:"] if tests else []
    if check.condition is not None and any(isinstance(node, AsDoubles) for node in check.places.walk()):
        head, indent = [*head, f"{indent}{GUARD}"], indent + INDENT  # log(t - s) where s < t
    return [*head, *bracketed("_check_places(", arguments, ")", indent)]


def relations_text(program: Program, printer: NumpyValues) -> str:
    """The lines that work out sizes by relations and check them; empty where there are none."""
    inside = CheckedValues(printer.names, printer.axes, printer.counters)
    return "\n".join(line for related in program.related for line in _relation(related, inside))


def _relation(related: RelatedSize, printer: NumpyValues) -> list[str]:
    needed = [axis.name for axis in related.sources if axis.size is None]
    arguments = ["sizes", "origins", quoted(related.text), tuple_text(list(map(quoted, related.related)))]
    arguments += [quoted(related.axis.name), printer.text(related.above)]
    arguments += [] if related.is_whole else [printer.text(related.below)]
    head = comparison("<=", Piece(f"{{{', '.join(map(quoted, needed))}}}"), method(Piece("sizes"), "keys"))
    call = bracketed("_relate(", arguments, ")", INDENT * (2 if needed else 1))
    return [f"{INDENT}if {head.text}:", *call] if needed else call


@dataclass(frozen=True)
class InitView:
    """The `def` line of `init`, the sizes that follow, and the lines that draw each parameter."""

    definition: str
    sizes: str
    draws: str


def tables_text(program: Program) -> str:
    """What a checker needs to know about the module without the model."""
    axes = {tensor.name: [quoted(index.axis.name) for index in tensor.indices] for tensor in program.tensors}
    shapes = {name: tuple_text(names) for name, names in axes.items()}
    sizes = {name: str(size) for name, size in program.sizes.items()}
    return "\n".join(
        [
            *_names_with_role("PARAMETERS", program, Role.PARAMETER),
            *_names_with_role("INPUTS", program, Role.INPUT),
            *_names_with_role("TARGETS", program, Role.TARGET),
            *_names_with_role("CONSTANTS", program, Role.CONSTANT),
            *assigned_tuple("OUTPUTS", [quoted(name) for name in program.outputs]),
            f"LOSS = {quoted(program.loss) if program.loss else None}",
            *assigned_dict("SHAPES: dict[str, tuple[str, ...]] = ", shapes),
            *_integers(program),
            *assigned_dict("SIZES: dict[str, int] = ", sizes),
            *_given_sizes(program),
            *_relations(program),
            *_not_empty(program),
            *_formulas(program),
            *_facts(program),
            *_stopped(program),
        ]
    )


def _integers(program: Program) -> list[str]:
    """Integer tensors with the axis that their values index; nothing where there are none."""
    values = {
        tensor.name: quoted(tensor.values.name) for tensor in program.tensors if tensor.values is not None
    }
    found = assigned_dict("VALUES: dict[str, str] = ", values) if values else []
    orders = {tensor.name: quoted(tensor.sorts) for tensor in program.tensors if tensor.permuted}
    if orders:
        found.append("# Values that are each position once, and what they sort, if anything.")
        found += assigned_dict("ORDERS: dict[str, str] = ", orders)
    return found


def _given_sizes(program: Program) -> list[str]:
    """The axes whose sizes a call gives; nothing where arrays have them all."""
    names = [quoted(tensor.name) for tensor in program.with_role(Role.SIZE)]
    return assigned_tuple("GIVEN_SIZES: tuple[str, ...]", names) if names else []


def _relations(program: Program) -> list[str]:
    """How sizes are related; nothing where there are no relations."""
    texts = dict.fromkeys(quoted(related.text) for related in program.related)
    return assigned_tuple("RELATIONS: tuple[str, ...]", list(texts)) if texts else []


def _not_empty(program: Program) -> list[str]:
    """The axes that must have places, with what needs them; nothing where all may be empty."""
    needing = {axis: quoted(ascii_only(what)) for axis, what in program.not_empty.items()}
    return assigned_dict("NOT_EMPTY: dict[str, str] = ", needing) if needing else []


def _formulas(program: Program) -> list[str]:
    table, words = "FORMULAS: dict[str, str] = ", program.shorthands
    if not program.formulas:
        return assigned_dict(table, {})
    lines = [
        line
        for name, equation in program.formulas.items()
        for line in quoted_item(f"{quoted(name)}: ", ascii_only(equation_text(equation, words)), INDENT)
    ]
    return [f"{table}{{", *lines, "}"]


def _facts(program: Program) -> list[str]:
    """What the gradient may rely on, in the model language; nothing where the model states no fact."""
    if not program.facts:
        return []
    items = [line for text in program.facts.splitlines() for line in quoted_item("", text, INDENT)]
    return [
        "# The gradient is that of the loss where these facts hold.",
        "FACTS: tuple[str, ...] = (",
        *items,
        ")",
    ]


def _stopped(program: Program) -> list[str]:
    """The tensors whose equations stop gradients; nothing where none does."""
    if not program.stopped:
        return []
    names = assigned_tuple("STOPPED: tuple[str, ...]", [quoted(name) for name in program.stopped])
    return ["# stop(...) in the equations of these is the value without its gradient.", *names]


def _names_with_role(table: str, program: Program, role: Role) -> list[str]:
    annotated = f"{table}: tuple[str, ...]"
    return assigned_tuple(annotated, [quoted(tensor.name) for tensor in program.with_role(role)])


def init_view(program: Program, printer: NumpyValues) -> InitView:
    """`init`: a size for every axis of a parameter that follows from no others, declared ones as defaults."""
    parameters = program.with_role(Role.PARAMETER)
    following = {related.axis for related in program.related_in_init}
    axes = {index.axis: None for tensor in parameters for index in tensor.indices}
    sizes = [
        f"{printer.axes[axis.name]}: int" + ("" if axis.size is None else f" = {axis.size}")
        for axis in axes
        if axis not in following
    ]
    arguments = [
        "rng: np.random.Generator",
        "*",
        *sizes,
        "dtype: type[np.float32] | type[np.float64] = np.float64",
    ]
    by_name = {tensor.name: tensor for tensor in parameters}
    named = {axis.name for axis in (*axes, *following)}
    numbers = {axis: number(size) for axis, size in program.sizes.items() if axis not in named}
    draws = {
        initial.tensor: _draw(initial, by_name[initial.tensor], printer, numbers)
        for initial in program.initials
    }
    return InitView(
        definition="\n".join(bracketed("def init(", arguments, ") -> dict[str, Array]:")),
        sizes="".join(f"{INDENT}{size_line(each, printer)}\n" for each in program.related_in_init),
        draws="\n".join(assigned_dict("return ", draws, INDENT)),
    )


def _draw(initial: Initial, tensor: Tensor, printer: NumpyValues, numbers: Mapping[str, Piece]) -> str:
    """The call that draws a parameter; `numbers` are the sizes that have no name in `init`."""
    sizes = [variable(printer.axes[index.axis.name]) for index in tensor.indices]
    shape, dtype = alone_or_tuple(sizes), Piece("dtype")
    if initial.distribution == "eye":
        identity = call("np.eye", sizes[-1], dtype=dtype)
        return (
            identity if len(sizes) == 2 else method(call("np.broadcast_to", identity, shape), "copy")
        ).text
    if initial.distribution != "normal":
        return call(f"np.{initial.distribution}", shape, dtype=dtype).text
    drawn = call("rng.standard_normal", shape, dtype=dtype)
    if not initial.fan_in:
        return drawn.text
    terms = product([numbers.get(axis) or variable(printer.axes[axis]) for axis in initial.fan_in])
    return binary("/", drawn, power(terms, number(0.5))).text
