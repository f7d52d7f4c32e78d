"""The base of the program's nodes: a value with a type, which is worked out and checked from its operands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import zip_longest

from symbackprop.array.layout import Group, Layout, indices_of, layout_text
from symbackprop.errors import ProgramError
from symbackprop.notation.expressions import Index
from symbackprop.schedule.kinds import Kind


@dataclass(frozen=True)
class ValueType:
    """The layout of a value and the kind of its numbers."""

    layout: Layout
    kind: Kind


class Value:
    """Base of the nodes; `layout` and `kind` are worked out from the operands and checked."""

    @property
    def operands(self) -> tuple[Value, ...]:
        """The values that this one is computed from."""
        return ()

    def with_operands(self, operands: tuple[Value, ...]) -> Value:
        """The same operation on other values."""
        return self

    @cached_property
    def type(self) -> ValueType:
        """Layout and kind; ProgramError where the operands do not fit together."""
        return self._infer_type()

    def _infer_type(self) -> ValueType:
        raise NotImplementedError

    @property
    def layout(self) -> Layout:
        """What each array axis runs over."""
        return self.type.layout

    @property
    def kind(self) -> Kind:
        """What the numbers are."""
        return self.type.kind

    @property
    def indices(self) -> tuple[Index, ...]:
        """The indices of the layout, groups flattened."""
        return indices_of(self.layout)

    @property
    def is_python_int(self) -> bool:
        """Whether the value is a Python int, never a float."""
        return False

    def require(self, holds: bool, what: str) -> None:
        """Raise ProgramError, naming this node, unless `holds`."""
        if not holds:
            shown = ", ".join(layout_text(operand.layout) for operand in self.operands)
            raise ProgramError(f"{type(self).__name__} of {shown or 'nothing'}: {what}")

    def broadcast(self, layouts: Iterable[Layout]) -> Layout:
        """The common layout of operands lined up from the right; ProgramError where two axes differ."""
        groups: list[Group] = []
        for column in zip_longest(*(reversed(layout) for layout in layouts), fillvalue=()):
            named = list(dict.fromkeys(group for group in column if group))
            self.require(len(named) <= 1, "would line up different axes")
            groups.append(named[0] if named else ())
        return tuple(reversed(groups))

    def walk(self) -> Iterator[Value]:
        """Every node of the tree, parents first, left to right."""
        pending: list[Value] = [self]
        while pending:
            node = pending.pop()
            yield node
            pending.extend(reversed(node.operands))


@dataclass(frozen=True)
class OneOperand(Value):
    """Base of the nodes with one operand."""

    operand: Value

    @property
    def operands(self) -> tuple[Value, ...]:
        """The operand."""
        return (self.operand,)

    def with_operands(self, operands: tuple[Value, ...]) -> Value:
        """The same operation on another operand."""
        return replace(self, operand=operands[0])


def rewrite_values(value: Value, change: Callable[[Value], Value]) -> Value:
    """Apply `change` to every node, operands first."""
    operands = tuple(rewrite_values(operand, change) for operand in value.operands)
    same = all(new is old for new, old in zip(operands, value.operands, strict=True))
    return change(value if same else value.with_operands(operands))
