"""How hand-written code is called: data that both processes understand, and no code of either."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]

JOB, PAGE, ARRAYS = "job.pickle", "page.json", "arrays.npz"  # what the two processes leave for one another


@dataclass(frozen=True)
class Data:
    """The array of this name among the data."""

    key: str


@dataclass(frozen=True)
class Table:
    """A dictionary of arrays: their keys to those of the data."""

    keys: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Sequence:
    """A tuple of arrays, such as a cache that is unpacked."""

    keys: tuple[str, ...]


@dataclass(frozen=True)
class Result:
    """What an earlier call returned, or its item at a place."""

    call: int
    place: int | None = None


@dataclass(frozen=True)
class SizeOf:
    """The size of the data's array along an axis."""

    key: str
    axis: int


@dataclass(frozen=True)
class Sizes:
    """The sizes of all layers as a list, that of the input first."""

    sizes: tuple[SizeOf, ...]


@dataclass(frozen=True)
class SavedContext:
    """The context that forward and backward of a torch.autograd.Function share."""


Argument: TypeAlias = Data | Table | Sequence | Result | SizeOf | Sizes | SavedContext


@dataclass(frozen=True)
class Call:
    """A function, a class, or a method of the object that was made ("self.backward"), and its arguments."""

    callee: str
    arguments: tuple[tuple[str, Argument], ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """The data that it is given, in the order of its arguments."""
        found: list[str] = []
        for _, argument in self.arguments:
            match argument:
                case Data(key):
                    found.append(key)
                case Table(keys):
                    found += (key for _, key in keys)
                case Sequence(keys):
                    found += keys
        return tuple(found)


@dataclass(frozen=True)
class Plan:
    """Calls one after another. `attributes` are set on the object once it is made.

    An attribute is given by its path: ("W1",) or ("params", "W1"), with the name of its array. `parameters`
    are to be found in lists and layers of the object instead; `variables` of the module are set before all
    calls, each with the name of its array. With `keeps_locals`, the last function's variables are results.
    With `takes_tensors`, arrays are passed as torch has them.
    """

    calls: tuple[Call, ...]
    attributes: tuple[tuple[tuple[str, ...], str], ...] = ()
    parameters: tuple[str, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()
    keeps_locals: bool = False
    takes_tensors: bool = False


@dataclass(frozen=True)
class Attempt:
    """A plan with the data of each draw, arrays in the layout that the code may want.

    `injected` are further names that the code reads, each with an array a draw.
    """

    plan: Plan
    data: tuple[Mapping[str, Array], ...]
    injected: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Change:
    """A statement at the top of the module in another text, tried in the place of the one that it defines.

    `injected` are names that the text reads, each with an array a draw.
    """

    text: str
    injected: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Event:
    """After `line` of a function, `name`, such as grads['W1'], has a new value; line 0: it came in."""

    function: str
    line: int
    name: str
    value: Array


@dataclass(frozen=True)
class Outcome:
    """What came of an attempt on one draw: results by their path, the values on the way, or an error.

    `sides` are those of the code's own choices that came up, as `choices.Sides` names them.
    """

    results: Mapping[str, Array] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    changed: tuple[str, ...] = ()
    error: str = ""
    line: int = 0
    sides: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Program:
    """A file's text, its name for messages, the number of its first line, and a name to look for in it."""

    text: str
    name: str
    first_line: int = 1
    folder: str = ""

    def with_node(self, old: ast.stmt | ast.expr, new: str) -> Program:
        """With another text for a statement or expression; empty lines make up for those it took more."""
        lines = self.text.splitlines()
        start = old.lineno - self.first_line
        end = (old.end_lineno or old.lineno) - self.first_line
        before = lines[start].encode()[: old.col_offset].decode()
        after = lines[end].encode()[old.end_col_offset :].decode()
        instead = [before + new + after, *[""] * (end - start)]
        return replace(self, text="\n".join([*lines[:start], *instead, *lines[end + 1 :]]) + "\n")

    def definition(self, outer: ast.stmt) -> str:
        """The lines of a definition at the top."""
        decorators = getattr(outer, "decorator_list", [])
        start = min([outer.lineno, *(each.lineno for each in decorators)]) - self.first_line
        end = (outer.end_lineno or outer.lineno) - self.first_line + 1
        return "\n".join(self.text.splitlines()[start:end]) + "\n"
