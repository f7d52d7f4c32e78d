"""Where a stranger's code can be changed: its statements, what they read, and their text once changed."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

from numpy.typing import NDArray

from symbackprop.handwritten.plans import Event, Program
from symbackprop.handwritten.running.computed_values import RETURNED, Computed, computed_in, place_of
from symbackprop.handwritten.syntax_of_code import Handwritten
from symbackprop.languages.phrases import worded

Array: TypeAlias = NDArray[Any]
SIMPLE = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Return, ast.Expr)


@dataclass(frozen=True)
class Injected:
    """An array that a change may read: for each draw, and the formula that it stands for."""

    name: str
    arrays: tuple[Array, ...]
    text: str
    tensor: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Proposal:
    """What is put in the place of a node, the kind of fault that it mends and the sentence that says it.

    `injected` are arrays that the new node reads, `code` what stands for them in the names of the code, where
    that can be; `remedy` what is to be done where the new text does not say it. `order` sorts equal ones, the
    plainest first.
    """

    node: ast.AST
    new: ast.AST
    kind: str
    sentence: str
    injected: tuple[Injected, ...] = ()
    remedy: str = ""
    order: int = 0
    code: str = ""


@dataclass(frozen=True)
class Site:
    """A value that a statement computes, in a definition at the top of the file.

    `values` are the arrays of the names around it on the first draw, `made` those that the statement has
    made itself, and `computed` what the value was, each time it ran.
    """

    own: Computed
    program: Program
    values: Mapping[str, Array] = field(default_factory=dict)
    made: Mapping[str, tuple[Array, ...]] = field(default_factory=dict)
    computed: tuple[Array, ...] = ()

    @property
    def statement(self) -> ast.stmt:
        """The statement."""
        return self.own.statement

    @property
    def value(self) -> ast.expr:
        """What is computed."""
        return self.own.value

    @property
    def target(self) -> str:
        """What it is assigned to, as text; `RETURNED` for a `return`; "" for nothing that has a name."""
        return self.own.target

    @property
    def loops(self) -> tuple[str, ...]:
        """The variables of the loops around it."""
        return self.own.loops

    @property
    def is_whole(self) -> bool:
        """Whether it is all that its statement computes."""
        return getattr(self.statement, "value", None) is self.value

    @property
    def whole_statement(self) -> ast.stmt | None:
        """The statement, where this is all that it computes."""
        return self.statement if self.is_whole else None

    @property
    def line(self) -> int:
        """Its line in the file."""
        return self.statement.lineno if self.is_whole else self.value.lineno

    @property
    def said(self) -> str:
        """What a sentence calls the target."""
        if not self.target:
            return ast.unparse(self.value)
        if self.target == RETURNED:
            return worded("what is returned")
        of_item = self.target.startswith(f"{RETURNED}[")
        return (
            worded("{value}, which is returned,", value=ast.unparse(self.value)) if of_item else self.target
        )

    @property
    def said_value(self) -> str:
        """What a sentence calls the value: the target, or what is added to it."""
        match self.statement:
            case ast.AugAssign(op=ast.Add() | ast.Sub()) | ast.Expr():
                return worded("what is added to {target}", target=self.target) if self.target else self.said
        return self.said

    @cached_property
    def shape(self) -> tuple[int, ...] | None:
        """The shape of the real numbers that are computed; None for others, or where that is not known."""
        arrays = self.computed or self.made.get(self.target, ())
        return arrays[-1].shape if arrays and arrays[-1].dtype.kind == "f" else None

    @cached_property
    def is_size(self) -> bool:
        """Whether it computes whole numbers, as sizes are."""
        arrays = [*self.computed, *(each for own in self.made.values() for each in own)]
        return bool(arrays) and all(each.dtype.kind in "iu" and not each.ndim for each in arrays)

    @cached_property
    def results(self) -> tuple[Array, ...]:
        """What the target has become, each time the statement ran; what was computed where it has no name."""
        return self.made.get(self.target) or self.computed

    @cached_property
    def reads(self) -> list[tuple[ast.expr, str]]:
        """The variables that are read, attributes and items of tables among them, each with its text."""
        nodes = [
            node
            for node in ast.walk(self.value)
            if isinstance(node, ast.Name | ast.Attribute | ast.Subscript)
        ]
        texts = [(node, ast.unparse(node)) for node in nodes if isinstance(node.ctx, ast.Load)]
        return [(node, text) for node, text in texts if text in self.values]

    @property
    def rewritten(self) -> ast.stmt | ast.expr:
        """What is written anew where it is changed: the statement; of a loop or a condition the value."""
        return self.statement if isinstance(self.statement, SIMPLE) else self.value

    def changed(self, proposal: Proposal) -> tuple[str, str]:
        """The texts of the outer definition and of what is rewritten, with the new node in it."""
        holder, place, position = self._places[id(proposal.node)]
        before = getattr(holder, place)
        if position is None:
            setattr(holder, place, proposal.new)
        else:
            before[position] = proposal.new
        try:
            shown = ast.unparse(proposal.new if proposal.node is self.rewritten else self.rewritten)
        finally:
            if position is None:
                setattr(holder, place, before)
            else:
                before[position] = proposal.node
        return self.program.with_node(self.rewritten, shown).definition(self.own.outer), shown

    @cached_property
    def _places(self) -> dict[int, tuple[ast.AST, str, int | None]]:
        """Where each node hangs: its parent, the field and the position in it."""
        found: dict[int, tuple[ast.AST, str, int | None]] = {}
        for parent in ast.walk(self.own.outer):
            for name, child in ast.iter_fields(parent):
                if isinstance(child, ast.AST):
                    found[id(child)] = (parent, name, None)
                elif isinstance(child, list):
                    found |= {id(each): (parent, name, place) for place, each in enumerate(child)}
        return found


def sites_of(code: Handwritten, events: Sequence[Event], raising: int = 0) -> list[Site]:
    """The values of the statements that ran, in the order in which they first did.

    With `raising`, those of the statement of this line alone, which has made nothing.
    """
    seen = _Seen(events)
    found: list[tuple[int, int, Site]] = []
    for place, own in enumerate(computed_in(code.tree)):
        lines = range(own.statement.lineno, (own.statement.end_lineno or own.statement.lineno) + 1)
        is_head = isinstance(own.statement, ast.For | ast.If)  # not every head is an array
        turn = seen.turn(own.statement if is_head else own.value)
        if raising not in lines if raising else turn is None and own.target != RETURNED:
            continue
        made = seen.made(own.function, lines)
        computed = tuple(seen.by_place.get(place_of(own.value), ()))
        site = Site(own, code.program, seen.values(own.function), made, computed)
        if site.values or made or computed:
            found.append((len(events) if turn is None else turn, place, site))
    return [site for *_, site in sorted(found, key=lambda each: each[:2])]


@dataclass(frozen=True)
class _Seen:
    """What was watched, by the place of a value and by the function of a variable."""

    events: Sequence[Event]

    @cached_property
    def turns(self) -> dict[str, int]:
        """When each place first computed."""
        found: dict[str, int] = {}
        for turn, event in enumerate(self.events):
            found.setdefault(event.name, turn)
        return found

    @cached_property
    def by_place(self) -> dict[str, list[Array]]:
        """The values of each place."""
        found: dict[str, list[Array]] = {}
        for event in self.events:
            if event.name.startswith("="):
                found.setdefault(event.name, []).append(event.value)
        return found

    @cached_property
    def by_function(self) -> dict[str, list[Event]]:
        """The events of each function's variables and of what it returns."""
        found: dict[str, list[Event]] = {}
        for event in self.events:
            if not event.name.startswith("="):
                found.setdefault(event.function, []).append(event)
        return found

    def turn(self, node: ast.AST) -> int | None:
        """When a value, or a part of a statement, was first computed; None where it never was."""
        nodes = [node for node in ast.walk(node) if isinstance(node, ast.expr)]
        return min((self.turns[name] for name in map(place_of, nodes) if name in self.turns), default=None)

    def values(self, function: str) -> dict[str, Array]:
        """The last values of the variables that a function sees, its own before those around it."""
        parts = function.split(".<locals>.")
        around = ["", *(".<locals>.".join(parts[: place + 1]) for place in range(len(parts)))]
        seen = [event for name in dict.fromkeys(around) for event in self.by_function.get(name, ())]
        return {event.name: event.value for event in seen if not event.name.startswith(RETURNED)}

    def made(self, function: str, lines: range) -> dict[str, tuple[Array, ...]]:
        """What the lines of a function have made, by the name."""
        found: dict[str, tuple[Array, ...]] = {}
        for event in self.by_function.get(function, ()):
            if event.line in lines:
                found[event.name] = (*found.get(event.name, ()), event.value)
        return found
