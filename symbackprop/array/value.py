"""The base of the program's nodes: a value with a type, which is worked out and checked from its operands."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import ClassVar

from symbackprop.array.layout import Group, Layout, indices_of, layout_text
from symbackprop.errors import ProgramError
from symbackprop.notation.expressions import Axis, Element, Index
from symbackprop.notation.matrix_functions import MatrixFunction
from symbackprop.notation.nodes import cached_property
from symbackprop.schedule.kinds import Kind


@dataclass(frozen=True)
class ValueType:
    """The layout of a value and the kind of its numbers."""

    layout: Layout
    kind: Kind


class Value:
    """Base of the nodes; `layout` and `kind` are worked out from the operands and checked."""

    __match_args__: ClassVar[tuple[str, ...]] = ()
    of_a_tensor: ClassVar[str] = ""  # the field with the name of a tensor

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

    @cached_property
    def outline(self) -> Hashable:
        """The value to the letter, but for the names of tensors: its type, its cost and its axes go by it."""
        fields = [name for name in self.__match_args__ if name != self.of_a_tensor]
        return (type(self), *[outline_of(getattr(self, name)) for name in fields])

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


def outline_of(here: object) -> Hashable:
    """What is left of nodes, records of them and tuples of these without the names of tensors.

    Indices and axes stay what they are; as numbers 2 and 2.0 are equal, as code they are not.
    """
    if isinstance(here, Value):
        return here.outline
    kind = type(here)
    if isinstance(here, tuple):
        return tuple([outline_of(each) for each in here])
    if isinstance(here, Index | Axis | str):
        return here
    if not hasattr(here, "__match_args__"):
        return (kind, here)
    unnamed = "tensor" if kind in (Element, MatrixFunction) else ""
    return (kind, *[outline_of(getattr(here, name)) for name in here.__match_args__ if name != unnamed])


def unlike(values: Iterable[Value]) -> Iterable[Value]:
    """The first of all values that are equal but for the names of tensors."""
    found: dict[Hashable, Value] = {}
    for value in values:
        found.setdefault(value.outline, value)
    return found.values()
