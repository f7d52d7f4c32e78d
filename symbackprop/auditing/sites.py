"""Where a stranger's code can be changed: its statements, what they read, and their text once changed."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

from numpy.typing import NDArray

from symbackprop.handwritten.plans import Event, Program
from symbackprop.handwritten.syntax_of_code import Handwritten
from symbackprop.handwritten.watching import RETURNED

Array: TypeAlias = NDArray[Any]
Statement: TypeAlias = ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Return


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

    `injected` are arrays that the new node reads; `order` sorts equal ones, the plainest first.
    """

    node: ast.AST
    new: ast.AST
    kind: str
    sentence: str
    injected: tuple[Injected, ...] = ()
    remedy: str = ""
    order: int = 0


@dataclass(frozen=True)
class Site:
    """A statement in a definition at the top of the file; `loops` are the variables of the loops around it.

    `values` are the arrays of the names around it on the first draw, `made` those that it made itself.
    """

    outer: ast.stmt
    statement: Statement
    program: Program
    function: str
    loops: tuple[str, ...]
    values: Mapping[str, Array] = field(default_factory=dict)
    made: Mapping[str, tuple[Array, ...]] = field(default_factory=dict)

    @property
    def line(self) -> int:
        """The statement's line in the file."""
        return self.statement.lineno

    @property
    def value(self) -> ast.expr:
        """What is computed."""
        assert self.statement.value is not None
        return self.statement.value

    @property
    def target(self) -> str:
        """What it is assigned to, as text; `RETURNED` for a `return`."""
        match self.statement:
            case ast.Assign([target, *_]):
                return ast.unparse(target)
            case ast.AugAssign(target) | ast.AnnAssign(target):
                return ast.unparse(target)
        return RETURNED

    @property
    def said(self) -> str:
        """What a sentence calls the target."""
        return "what is returned" if self.target == RETURNED else self.target

    @property
    def said_value(self) -> str:
        """What a sentence calls the value: the target, or what is added to it."""
        match self.statement:
            case ast.AugAssign(op=ast.Add() | ast.Sub()):
                return f"what is added to {self.target}"
        return self.said

    @cached_property
    def shape(self) -> tuple[int, ...] | None:
        """The shape of what is assigned to a name or an attribute; None where that is not known."""
        arrays = self.made.get(self.target, ())
        return arrays[-1].shape if arrays else None

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

    def changed(self, proposal: Proposal) -> tuple[str, str]:
        """The texts of the outer definition and of the statement, the new node in the place of the old."""
        holder, place, position = self._places[id(proposal.node)]
        before = getattr(holder, place)
        if position is None:
            setattr(holder, place, proposal.new)
        else:
            before[position] = proposal.new
        try:
            statement = proposal.new if proposal.node is self.statement else self.statement
            shown = ast.unparse(statement)
        finally:
            if position is None:
                setattr(holder, place, before)
            else:
                before[position] = proposal.node
        return self.program.with_statement(self.statement, shown).definition(self.outer), shown

    @cached_property
    def _places(self) -> dict[int, tuple[ast.AST, str, int | None]]:
        """Where each node hangs: its parent, the field and the position in it."""
        found: dict[int, tuple[ast.AST, str, int | None]] = {}
        for parent in ast.walk(self.outer):
            for name, child in ast.iter_fields(parent):
                if isinstance(child, ast.AST):
                    found[id(child)] = (parent, name, None)
                elif isinstance(child, list):
                    found |= {id(each): (parent, name, place) for place, each in enumerate(child)}
        return found


def sites_of(code: Handwritten, events: Sequence[Event], raising: int = 0) -> list[Site]:
    """The statements that ran, in the order in which they first did; those of a `return` at last.

    With `raising`, the statement of this line alone, which has made nothing.
    """
    first: dict[tuple[str, int], int] = {}
    for place, event in enumerate(events):
        if event.line:
            first.setdefault((event.function, event.line), place)
    found: list[tuple[int, Site]] = []
    for outer, function, statement, loops in _statements(code):
        own = [event for event in events if event.function == function]
        ran = first.get((function, _line_of(statement, first, function)))
        if raising and not statement.lineno <= raising <= (statement.end_lineno or raising):
            continue
        if ran is None and not raising and not isinstance(statement, ast.Return):
            continue
        values = {event.name: event.value for event in own if not event.name.startswith(RETURNED)}
        made: dict[str, tuple[Array, ...]] = {}
        for event in own:
            if statement.lineno <= event.line <= (statement.end_lineno or statement.lineno):
                made[event.name] = (*made.get(event.name, ()), event.value)
        turn = len(events) + statement.lineno if ran is None else ran
        whole = [array.dtype.kind in "iub" for arrays in made.values() for array in arrays]
        if own and not (whole and all(whole)):  # sizes and labels are no gradients
            found.append((turn, Site(outer, statement, code.program, function, loops, values, made)))
    return [site for _, site in sorted(found, key=lambda each: each[0])]


def _line_of(statement: ast.stmt, ran: Mapping[tuple[str, int], int], function: str) -> int:
    """The line of a statement that ran: an assignment over several lines may be counted by any of them."""
    lines = range(statement.lineno, (statement.end_lineno or statement.lineno) + 1)
    return next((line for line in lines if (function, line) in ran), statement.lineno)


def _statements(code: Handwritten) -> Iterator[tuple[ast.stmt, str, Statement, tuple[str, ...]]]:
    """Each assignment and `return` of a function, with the definition at the top and the loops around it."""
    for outer in code.tree.body:
        functions = [outer] if isinstance(outer, ast.FunctionDef) else []
        if isinstance(outer, ast.ClassDef):
            functions = [each for each in outer.body if isinstance(each, ast.FunctionDef)]
        for function in functions:
            for statement, loops in _within(function, ()):
                yield outer, function.name, statement, loops


def _within(node: ast.AST, loops: tuple[str, ...]) -> Iterator[tuple[Statement, tuple[str, ...]]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Return) and child.value:
            yield child, loops
        elif isinstance(child, ast.For):
            names = [each.id for each in ast.walk(child.target) if isinstance(each, ast.Name)]
            yield from _within(child, (*loops, *names))
        elif isinstance(child, ast.stmt):
            yield from _within(child, loops)
