"""A program cut in parts: the forward pass to the outputs, from there to the loss, the backward pass.

Each part becomes a function, so that no statement is written, or run, twice. What an output alone needs, as a
softmax of which the loss takes the logarithm, is a part by itself: neither loss nor gradients wait for it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from symbackprop.array.ir import AxisSize, Cast, Elementwise, Fill, Identity, Positions, Read, Reshape
from symbackprop.array.layout import ShapeSource, axes_of_layout, layout_of, shape_sources
from symbackprop.array.lookups import Clip, ScatterAdd, ScatterExtremum
from symbackprop.array.program import Line, Program, Statement
from symbackprop.array.related_sizes import RelatedSize, needed_for
from symbackprop.array.slices import Allocate, Refold, Select, Windows, item_values
from symbackprop.array.value import Value, unlike
from symbackprop.array.views import MEAN, counted_from_end, inferred_group, is_called_mean
from symbackprop.errors import EmissionError
from symbackprop.indexing.counting import Extent, size_of
from symbackprop.languages.phrases import worded
from symbackprop.notation.expressions import Axis, Size
from symbackprop.schedule.kinds import Kind
from symbackprop.systems.system import DATA_ROLES, Role, Tensor


def _mentions_dtype(value: Value) -> bool:
    """Whether the value's code names the model's dtype."""
    return isinstance(value, Allocate | Cast | Fill | Identity) and value.kind is Kind.REAL


@dataclass(frozen=True, eq=False)
class Run:
    """Lines that a function of their own computes; `reads` is what that is given."""

    lines: tuple[Line, ...]
    reads: tuple[str, ...]

    @property
    def values(self) -> tuple[Value, ...]:
        """None that its caller computes."""
        return ()


@dataclass(frozen=True)
class Segment:
    """Lines that run together; in `items` those of a run stand as that.

    `parameters` and `arguments` come from outside: declared parameters, and other tensors or earlier results;
    `results` is what others need of it. `shapes` and `dtype_from` say where the sizes and the dtype that the
    statements mention are read; the latter is None where no dtype is mentioned, "" where nothing has one.
    `worked_out` are the sizes that no tensor has, each by those before it.
    """

    items: tuple[Line | Run, ...]
    parameters: tuple[str, ...]
    arguments: tuple[str, ...]
    results: tuple[str, ...]
    shapes: tuple[ShapeSource, ...]
    dtype_from: str | None
    worked_out: tuple[RelatedSize, ...] = ()

    @cached_property
    def statements(self) -> tuple[Line, ...]:
        """All lines, those of runs too."""
        return tuple(line for item in self.items for line in lines_of(item))

    @property
    def only_names(self) -> bool:
        """Whether it does no more than give a result another name, `E = s`."""
        named = [item for item in self.items if isinstance(item, Statement) and isinstance(item.value, Read)]
        return len(self.items) == 1 == len(named)


@dataclass(frozen=True)
class Segments:
    """The parts, each None where it has nothing to compute.

    `forward` is what outputs need and loss or gradients need too, `outputs` what outputs alone need.
    """

    forward: Segment | None
    outputs: Segment | None
    loss: Segment | None
    backward: Segment | None

    @property
    def ahead(self) -> tuple[Line, ...]:
        """The lines of the way forward, up to the outputs and to the loss."""
        parts = (self.forward, self.outputs, self.loss)
        return tuple(line for part in parts if part is not None for line in part.statements)


def lines_of(item: Line | Run) -> tuple[Line, ...]:
    """A line, or the lines of a run."""
    return item.lines if isinstance(item, Run) else (item,)


def parts_of(program: Program) -> tuple[tuple[Line, ...], ...]:
    """The lines up to the outputs, for outputs alone, from there to the loss, and to the gradients."""
    to_outputs = program.needed_for(program.outputs)
    to_loss = program.needed_for((program.loss,)) if program.loss else ()
    to_gradients = program.needed_for(tuple(program.gradients.values()))
    alone = _without(to_outputs, (*to_loss, *to_gradients)) if program.loss else ()
    forward = _without(to_outputs, alone)
    loss = _without(to_loss, forward)
    return forward, alone, loss, _without(to_gradients, (*forward, *loss))


def segments_of(program: Program, runs: Iterable[Run] = ()) -> Segments:
    """Cut a program at its outputs and at its loss; in a run stands no line that is needed but its own."""
    run_of = {id(line): run for run in runs for line in run.lines}
    parts = [tuple(_with_runs(lines, run_of)) for lines in parts_of(program)]
    gradients, means = tuple(program.gradients.values()), axes_of_means(program)
    ends = (*program.outputs, *((program.loss,) if program.loss else ()), *gradients)

    def part(place: int) -> Segment | None:
        later = (item for items in parts[place + 1 :] for item in items)
        return segment_of(program, parts[place], _read_by(later, ends), means) if parts[place] else None

    backward_part = segment_of(program, parts[3], gradients, means) if gradients else None
    return Segments(part(0), part(1), part(2), backward_part)


def _with_runs(lines: Iterable[Line], run_of: Mapping[int, Run]) -> Iterator[Line | Run]:
    """The lines, each run of them in the place of its first."""
    for line in lines:
        run = run_of.get(id(line))
        if run is None:
            yield line
        elif line is run.lines[0]:
            yield run


def _without(statements: tuple[Line, ...], others: tuple[Line, ...]) -> tuple[Line, ...]:
    taken = {name for line in others for name in line.written}
    return tuple(line for line in statements if taken.isdisjoint(line.written))


def _read_by(items: Iterable[Line | Run], ends: tuple[str, ...]) -> list[str]:
    return [*ends, *(name for item in items for name in item.reads)]


def axes_of_means(program: Program) -> frozenset[str]:
    """The axes over which a mean is called one, as the model does: they have places."""
    if MEAN not in program.shorthands:
        return frozenset()
    return frozenset((*program.not_empty, *(name for name, size in program.sizes.items() if size)))


def segment_of(
    program: Program, items: tuple[Line | Run, ...], wanted: Iterable[str], means: Collection[str] = ()
) -> Segment:
    """Lines of a program, or made of its, that run together; of their results others need the wanted ones.

    The code of a mean over axes of `means` does not mention their sizes.
    """
    lines = (line for item in items for line in lines_of(item))
    own = {line.name: None for line in lines if isinstance(line, Statement)}
    read = dict.fromkeys(name for item in items for name in item.reads if name not in own)
    unlike_items = [*unlike(value for item in items for value in item.values)]
    mentioned = _axes_mentioned(unlike_items, means)
    worked_out = needed_for(mentioned, _without_tensors(program))
    mentioned = _unstated((*mentioned, *(axis for each in worked_out for axis in each.sources)), worked_out)
    shapes = _shape_sources(program, mentioned, tuple(read))
    read.update(dict.fromkeys(source.tensor for source in shapes))
    mentions_dtype = any(_mentions_dtype(node) for value in unlike_items for node in value.walk())
    if mentions_dtype and next(_with_dtype(program, read), None) is None:
        reals = (tensor.name for tensor in program.tensors if _holds_reals(tensor))
        read.update(dict.fromkeys(islice(reals, 1)))
    wanted = set(wanted)
    return Segment(
        items=items,
        parameters=_declared(program, read, Role.PARAMETER),
        arguments=(
            *_declared(program, read, *DATA_ROLES),
            *(name for name in program.by_name if name in read),
        ),
        results=tuple(name for name in own if name in wanted),
        shapes=shapes,
        dtype_from=next(_with_dtype(program, read), "") if mentions_dtype else None,
        worked_out=worked_out,
    )


def _without_tensors(program: Program) -> list[RelatedSize]:
    """The related sizes of axes that no declared tensor has."""
    owned = {index.axis for tensor in program.tensors for index in tensor.indices}
    return [each for each in program.related if each.axis not in owned]


def _unstated(axes: Iterable[Axis], worked_out: Iterable[RelatedSize]) -> tuple[Axis, ...]:
    """The axes whose sizes are neither numbers nor worked out, each once."""
    stated = {each.axis for each in worked_out}
    return tuple(dict.fromkeys(axis for axis in axes if axis not in stated and axis.size is None))


def _declared(program: Program, names: Iterable[str], *roles: Role) -> tuple[str, ...]:
    found = set(names)
    return tuple(tensor.name for tensor in program.with_role(*roles) if tensor.name in found)


def _with_dtype(program: Program, names: Iterable[str]) -> Iterator[str]:
    """The names that hold arrays of the model's dtype."""
    for name in names:
        other = any(tensor.name == name and not _holds_reals(tensor) for tensor in program.tensors)
        if not other and (name not in program.by_name or program.by_name[name].value.kind is Kind.REAL):
            yield name


def _holds_reals(tensor: Tensor) -> bool:
    return tensor.values is None and tensor.role is not Role.SIZE


def axes_mentioned(
    items: Iterable[Line | Run], means: Collection[str] = (), declared: bool = False
) -> tuple[Axis, ...]:
    """The axes whose sizes the items mention: those that are not, or are, `declared` to be numbers."""
    return _axes_mentioned(unlike(value for item in items for value in item.values), means, declared)


def _axes_mentioned(
    values: Iterable[Value], means: Collection[str], declared: bool = False
) -> tuple[Axis, ...]:
    mentioned = dict.fromkeys(
        own
        for value in values
        for node in _mentioning(value, means)
        for axis in axes_of(node)
        for own in _model_axes(axis)
    )
    return tuple(axis for axis in mentioned if (axis.size is not None) == declared)


def _mentioning(value: Value, means: Collection[str]) -> Iterator[Value]:
    """The nodes that stand in the code, parents first."""
    match value:
        case Elementwise("divide", (total, sizes)) if is_called_mean(total, sizes, means):
            yield from _mentioning(total, means)
        case Select(operand, items):
            yield from _mentioning(operand, means)
            for item, group in zip(items, operand.layout, strict=True):
                # `z[-1]` mentions no size.
                for place in item_values(item):
                    yield from _mentioning(place, means) if counted_from_end(place, group) is None else ()
        case _:
            yield value
            for operand in value.operands:
                yield from _mentioning(operand, means)


def axes_of(value: Value) -> tuple[Axis, ...]:
    """The axes whose sizes a node mentions itself."""
    match value:
        case AxisSize(axis, _):
            return (axis,)
        case Positions(index) | Identity(index, _):
            return (index.axis,)
        case ScatterAdd(index=index) | ScatterExtremum(index=index):
            return (index.axis,)
        case Clip(_, axis):
            return (axis,)
        case Windows(_, _, _, offsets):
            return tuple(offset.axis for offset in offsets)
        case Fill(_, target) | Allocate(target, _) | Refold(_, target):
            return axes_of_layout(target)
        case Reshape():
            left_out = inferred_group(value)
            return axes_of_layout(
                tuple(group for place, group in enumerate(value.target) if place != left_out)
            )
    return ()


def _model_axes(axis: Axis) -> tuple[Axis, ...]:
    """The axis, or those that its length is worked out from."""
    if not isinstance(axis, Extent):
        return (axis,)
    return tuple(node.axis for node in size_of(axis).walk() if isinstance(node, Size))


def _shape_sources(
    program: Program, axes: tuple[Axis, ...], preferred: tuple[str, ...]
) -> tuple[ShapeSource, ...]:
    """Tensors whose shapes give all these sizes: few of them, and if possible such as are read anyway."""
    known = {tensor.name: layout_of(tensor.indices) for tensor in program.tensors}
    known |= {name: program.by_name[name].value.layout for name in preferred if name in program.by_name}
    sources, missing = shape_sources({name: known[name] for name in (*preferred, *known)}, axes)
    if missing:
        raise EmissionError(
            worded("the size of axis {axis} cannot be read from any tensor", axis=missing[0].name),
            remedy=worded(
                "declare it: index {index} : {axis} = 10", index=missing[0].label, axis=missing[0].name
            ),
        )
    return sources
