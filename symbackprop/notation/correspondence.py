"""Which names here stand for which there: what makes one layer of another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from types import NoneType
from typing import Any, TypeVar

from symbackprop.notation.nodes import Axis, Expression, Index

Whole = TypeVar("Whole")
PRIME = "'"
_MADE_UP = "#"  # what canonical names of bound indices begin with: they stand for themselves
_OF_TENSORS = "tensor"  # fields of this name hold the name of a tensor
_UNCOMPARED = "place"  # where it stands in the text
_NAMELESS = (str, bool, int, Fraction, NoneType)


@dataclass
class _Bijection(dict[Any, Any]):
    """A mapping that can be read backwards."""

    def __post_init__(self) -> None:
        self.sources: dict[Any, Any] = {}

    def agrees(self, here: Any, there: Any) -> bool:
        """Whether the one stands for the other, from now on if neither is known yet."""
        if here in self:
            return bool(self[here] == there)
        if there in self.sources:
            return False
        self[here], self.sources[there] = there, here
        return True


@dataclass
class Correspondence(Mapping[str, str]):
    """Names of tensors to others one to one; with them go names of indices, and axes.

    It grows by what `agrees`: each name that occurs for the first time stands for the one in its place.
    Primes of an index are no part of its name.
    """

    tensors: _Bijection = field(default_factory=_Bijection)
    indices: _Bijection = field(default_factory=_Bijection)
    axes: _Bijection = field(default_factory=_Bijection)
    _known: dict[int, tuple[Expression, Expression]] = field(default_factory=dict)

    def __getitem__(self, tensor: str) -> str:
        return str(self.tensors[tensor])

    def __iter__(self) -> Iterator[str]:
        return iter(self.tensors)

    def __len__(self) -> int:
        return len(self.tensors)

    def agrees(self, here: object, there: object) -> bool:
        """Whether the two are the same but for names: nodes, records of them, and tuples of these."""
        if type(here) is not type(there):
            return False
        if isinstance(here, Index) and isinstance(there, Index):
            return self._axes_agree(here.axis, there.axis) and self._names_agree(here.name, there.name)
        if isinstance(here, Expression) and isinstance(there, Expression):
            return self._nodes_agree(here, there)
        if isinstance(here, tuple) and isinstance(there, tuple):
            return len(here) == len(there) and self._all_agree(here, there)
        if isinstance(here, Axis) and isinstance(there, Axis):
            return self._axes_agree(here, there)
        return self._fields_agree(here, there) if hasattr(here, "__match_args__") else here == there

    def _all_agree(self, here: tuple[object, ...], there: tuple[object, ...]) -> bool:
        return all(self.agrees(one, other) for one, other in zip(here, there, strict=True))

    def _nodes_agree(self, here: Expression, there: Expression) -> bool:
        known = self._known.get(id(here))
        if known is not None and known[1] is there:
            return True
        if here is there and here.node_count > len(self.tensors) and self._is_renamed(here):
            return False
        agree = self._fields_agree(here, there)
        if agree and known is None:
            self._known[id(here)] = here, there
        return agree

    def _is_renamed(self, here: Expression) -> bool:
        """Whether a name in it stands for another: it does not agree with itself then, however long it is."""
        return any(name in here.tensors for name, other in self.tensors.items() if name != other)

    def _fields_agree(self, here: Any, there: Any) -> bool:
        for name in here.__match_args__:
            one, other = getattr(here, name), getattr(there, name)
            if name == _OF_TENSORS:
                if not self.tensors.agrees(one, other):
                    return False
            elif one is other and isinstance(one, _NAMELESS):
                continue
            elif name != _UNCOMPARED and not self.agrees(one, other):
                return False
        return True

    def _names_agree(self, here: str, there: str) -> bool:
        if here[0] == _MADE_UP or there[0] == _MADE_UP:
            return here == there
        bare, other = here.rstrip(PRIME), there.rstrip(PRIME)
        return len(here) - len(bare) == len(there) - len(other) and self.indices.agrees(bare, other)

    def _axes_agree(self, here: Axis, there: Axis) -> bool:
        known = self.axes.get(here)
        if known is not None:
            return known is there or bool(known == there)
        return (
            here.size == there.size
            and self._names_agree(here.label, there.label)
            and self.axes.agrees(here, there)
            and self.agrees(here.formula, there.formula)
        )

    def of(self, here: Whole) -> Whole:
        """The same in the other names. Raises KeyError for a name that stands for none."""
        found: Any = here
        if isinstance(here, tuple):
            found = tuple([self.of(each) for each in here])
        elif isinstance(here, Index):
            found = Index(self._name_of(here.name), self.axes[here.axis])
        elif isinstance(here, Axis):
            found = self.axes[here]
        elif isinstance(here, Expression):
            found = self._node_of(here)
        elif hasattr(here, "__match_args__"):
            found = self._rebuilt(here)
        return found  # type: ignore[no-any-return]

    def _node_of(self, here: Expression) -> Expression:
        known = self._known.get(id(here))
        if known is None:
            known = self._known[id(here)] = here, self._rebuilt(here)
        return known[1]

    def _rebuilt(self, here: Any) -> Any:
        values = [(name, getattr(here, name)) for name in here.__match_args__]
        return type(here)(
            *[self.tensors[each] if name == _OF_TENSORS else self.of(each) for name, each in values]
        )

    def _name_of(self, name: str) -> str:
        bare = name.rstrip(PRIME)
        return name if bare.startswith(_MADE_UP) else str(self.indices[bare]) + name[len(bare) :]

    def of_variable(self, variable: Index) -> Index:
        """The index in the other names, or itself where it is a variable of a rule."""
        return self.of(variable) if variable.axis in self.axes else variable
