"""A program: statements and loops in order, and which results are outputs, the loss and the gradients.

Each line is linked to the equation of the model or of its gradient that it is computed for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from symbackprop.array.ir import Literal, Read
from symbackprop.array.linear_algebra import Symmetric
from symbackprop.array.related_sizes import RelatedSize
from symbackprop.array.slices import Item, item_values
from symbackprop.array.value import Value, rewrite_values
from symbackprop.integers.whole_definitions import Word
from symbackprop.notation.expressions import Axis, Element
from symbackprop.notation.faces import Summary, counted
from symbackprop.notation.nodes import cached_property
from symbackprop.schedule.named_equations import Origin
from symbackprop.systems.system import Equation, Role, Tensor


@dataclass(frozen=True)
class Traced:
    """Base of the lines that are computed for one equation.

    `opens` is true of the first line that computes what `origin` states, so that the formula stands above it.
    A guarded line computes values that a `where` may leave unused, so that what is undefined in them is no
    cause for a warning.
    """

    origin: Origin = field(kw_only=True)
    opens: bool = field(default=False, kw_only=True)
    guarded: bool = field(default=False, kw_only=True)

    @property
    def origins(self) -> tuple[Origin, ...]:
        """The only one."""
        return (self.origin,)


@dataclass(frozen=True)
class Statement(Traced):
    """name = value."""

    name: str
    value: Value

    @property
    def is_definition(self) -> bool:
        """Whether the name is that of the tensor whose equation `origin` states."""
        return self.name == self.origin.stated.tensor

    @property
    def element(self) -> Element:
        """The name at the indices of its array's axes: `y[b,k]`."""
        return Element(self.name, self.value.indices)

    @property
    def values(self) -> tuple[Value, ...]:
        """The value."""
        return (self.value,)

    @property
    def written(self) -> tuple[str, ...]:
        """The names that hold other numbers afterwards."""
        return (self.name,)

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """The names that the value reads, each once, in reading order."""
        return _names_read(self.values)


@dataclass(frozen=True)
class Store(Traced):
    """name[items] = value, or += with `accumulate`: assigns to elements of an array that exists.

    The value is broadcast to the selected places, axes lined up from the right.
    """

    name: str
    items: tuple[Item, ...]
    value: Value
    accumulate: bool = False

    @property
    def values(self) -> tuple[Value, ...]:
        """The value, and the numbers in the items."""
        return (self.value, *(number for item in self.items for number in item_values(item)))

    @property
    def written(self) -> tuple[str, ...]:
        """The array."""
        return (self.name,)

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """The names that are read, and the array itself, which must stand before."""
        return tuple(dict.fromkeys((*_names_read(self.values), self.name)))


_FIRST = Literal(0)


@dataclass(frozen=True)
class Loop:
    """`for counter in range(start, stop, step): body`, or the same positions downwards with `reverse`.

    `counter` and `axis` are the name and the axis of the index that steps; start and stop are Python ints.
    What the body names is forgotten after the loop, but for what it stores. `origin` is that of a loop which
    steps through one equation, whose formula stands above it; a recurrence has those of its lines alone.
    `opens` is as for other lines.
    """

    counter: str
    axis: Axis
    stop: Value
    body: tuple[Line, ...]
    start: Value = _FIRST
    reverse: bool = False
    step: int = 1
    origin: Origin | None = field(default=None, kw_only=True)
    opens: bool = field(default=False, kw_only=True)

    @cached_property
    def origins(self) -> tuple[Origin, ...]:
        """Those of the lines that it repeats, each once."""
        return tuple(dict.fromkeys(origin for line in self.body for origin in line.origins))

    @property
    def guarded(self) -> bool:
        """Whether a line of the body is."""
        return any(line.guarded for line in self.body)

    @cached_property
    def values(self) -> tuple[Value, ...]:
        """Start, stop and every value of the body."""
        return (self.start, self.stop, *(value for line in self.body for value in line.values))

    @cached_property
    def variables(self) -> frozenset[str]:
        """The names that the body defines, which the loop forgets."""
        return frozenset(line.name for line in self.body if isinstance(line, Statement))

    @cached_property
    def written(self) -> tuple[str, ...]:
        """The arrays that the body stores into."""
        inside = (name for line in self.body for name in line.written)
        return tuple(dict.fromkeys(name for name in inside if name not in self.variables))

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """The names from outside the body, each once."""
        inside = (name for line in self.body for name in line.reads)
        outside = (
            *_names_read((self.start, self.stop)),
            *(name for name in inside if name not in self.variables),
        )
        return tuple(dict.fromkeys(outside))


Line: TypeAlias = "Statement | Store | Loop"


def _names_read(values: Iterable[Value]) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(node.name for value in values for node in value.walk() if isinstance(node, Read))
    )


def formula_of(line: Line) -> str:
    """The formula that a reader finds above a line: an equation, or a fact that is held against the data.

    "" for a line that goes on with what one before it opened.
    """
    if not line.opens or line.origin is None:
        return ""
    if isinstance(line, Statement) and isinstance(line.value, Symmetric):
        return line.value.fact
    return line.origin.formula


def statements_in(lines: Iterable[Line]) -> Iterator[Statement | Store]:
    """Every line that computes a value, those of loops' bodies too, in order."""
    for line in lines:
        if isinstance(line, Loop):
            yield from statements_in(line.body)
        else:
            yield line


def counters_in(lines: Iterable[Line]) -> Iterator[str]:
    """The counters of all loops, the outer ones first."""
    for line in lines:
        if isinstance(line, Loop):
            yield line.counter
            yield from counters_in(line.body)


def rewrite_lines(lines: Iterable[Line], change: Callable[[Value], Value]) -> tuple[Line, ...]:
    """Apply `change` to every node of every computed value, operands first."""
    return tuple(
        replace(line, body=rewrite_lines(line.body, change))
        if isinstance(line, Loop)
        else replace(line, value=rewrite_values(line.value, change))
        for line in lines
    )


@dataclass(frozen=True)
class PlaceCheck:
    """A position, at all places of its indices, must lie inside an axis wherever the condition holds."""

    element: str
    position: str
    axis: Axis
    places: Value
    condition: Value | None
    axes: tuple[Axis, ...]
    tensors: tuple[str, ...]


@dataclass(frozen=True)
class Initial:
    """How a parameter starts: "zeros", "ones", "eye", or "normal" over the root of the product of `fan_in`.

    `fan_in` names the axes that the equation using the parameter sums over; "eye" is the identity matrix.
    """

    tensor: str
    distribution: str
    fan_in: tuple[str, ...] = ()


@dataclass(frozen=True, repr=False)
class Program(Summary):
    """A model's loss and gradients as array operations.

    `tensors` are in declared order; `gradients` maps the name of a tensor that was asked for to the statement
    that holds its gradient, `formulas` to the gradient's equation. `facts` is a model of its own that states
    what is known of the data, or empty. `not_empty` maps the axes that must have places to what could not be
    computed without. `related` are the sizes that relations give or check, `related_in_init` those that
    follow from the sizes given to `init`. `shorthands` are the words by which composite expressions are named
    in formulas, `stopped` the tensors in whose equations gradients are stopped.
    """

    model: str
    source: str
    tensors: tuple[Tensor, ...]
    sizes: Mapping[str, int]
    statements: tuple[Line, ...]
    outputs: tuple[str, ...]
    loss: str | None
    gradients: Mapping[str, str]
    formulas: Mapping[str, Equation]
    initials: tuple[Initial, ...] = ()
    place_checks: tuple[PlaceCheck, ...] = ()
    facts: str = ""
    not_empty: Mapping[str, str] = field(default_factory=dict)
    related: tuple[RelatedSize, ...] = ()
    related_in_init: tuple[RelatedSize, ...] = ()
    shorthands: frozenset[Word] = frozenset()
    stopped: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """How long it is."""
        return f"{self.model}: {counted(len(self.statements), 'line')}"

    @cached_property
    def by_name(self) -> Mapping[str, Statement]:
        """Statements by the name that they define; what a loop's body names is not among them."""
        return {line.name: line for line in self.statements if isinstance(line, Statement)}

    def with_role(self, *roles: Role) -> tuple[Tensor, ...]:
        """The declared tensors of these roles, in declared order."""
        return tuple(tensor for tensor in self.tensors if tensor.role in roles)

    @cached_property
    def _writers(self) -> Mapping[str, tuple[Line, ...]]:
        """The lines that write each name."""
        found: dict[str, tuple[Line, ...]] = {}
        for line in self.statements:
            found |= {name: (*found.get(name, ()), line) for name in line.written}
        return found

    def needed_for(self, names: Iterable[str]) -> tuple[Line, ...]:
        """The lines that these results need, their own included, in order."""
        needed: set[str] = set()
        pending = list(names)
        while pending:
            name = pending.pop()
            if name not in needed:
                needed.add(name)
                for line in self._writers.get(name, ()):
                    pending.extend((*line.reads, *line.written))
        return tuple(line for line in self.statements if needed.intersection(line.written))
