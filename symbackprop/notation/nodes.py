"""What all expressions have in common: structural equality, children, and the indices that they depend on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Self, TypeVar

from symbackprop.notation.faces import Formula

Value = TypeVar("Value")


class cached_property(Generic[Value]):
    """functools.cached_property without its lock, which Python 3.11 takes at every first use.

    Expressions have several such properties each and live by the thousand.
    """

    def __init__(self, compute: Callable[[Any], Value]) -> None:
        self.compute = compute
        self.name = compute.__name__
        self.__doc__ = compute.__doc__

    def __get__(self, node: Any, owner: type | None = None) -> Value:
        value = node.__dict__[self.name] = self.compute(node)
        return value


def multiset(parts: Sequence[Expression]) -> frozenset[tuple[Expression, int]]:
    """The parts whatever their order, each with how often it occurs."""
    if len(parts) == 1:
        return frozenset(((parts[0], 1),))
    counts: dict[Expression, int] = {}
    for part in parts:
        counts[part] = counts.get(part, 0) + 1
    return frozenset(counts.items())


@dataclass(frozen=True)
class Axis:
    """A size with a name. `label` is the first index declared over it; `size` is None while symbolic.

    `formula` is what relations make of the size: an expression in sizes that no relation states, or None.
    """

    name: str
    label: str
    size: int | None = None
    formula: Expression | None = None


class Expression(Formula):
    """Base of all nodes: a hash computed once, children in reading order.

    Equality is by structure, up to the order of terms, of factors and of a delta's two indices; the names of
    bound indices count.
    """

    @cached_property
    def _key(self) -> object:
        return tuple([getattr(self, name) for name in self.__match_args__])

    @cached_property
    def _hash(self) -> int:
        return hash((type(self).__name__, self._key))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if type(self) is not type(other) or not isinstance(other, Expression):
            return False
        return self._hash == other._hash and self._key == other._key

    def is_identical(self, other: Expression) -> bool:
        """Whether it equals the other, with what may change places in the same order too."""
        if self is other:
            return True
        pairs = zip(self.children, other.children, strict=False)
        return self == other and all(one.is_identical(another) for one, another in pairs)

    __match_args__: ClassVar[tuple[str, ...]] = ()

    def __getstate__(self) -> dict[str, object]:
        # Fields alone: hashes of strings differ from one process to the next.
        return {name: self.__dict__[name] for name in self.__match_args__}

    @property
    def children(self) -> tuple[Expression, ...]:
        """The sub-expressions, in reading order; an index that is bound here is not one of them."""
        return ()

    def with_children(self, children: tuple[Expression, ...]) -> Self:
        """The same node over other children."""
        return self

    @cached_property
    def free_indices(self) -> frozenset[Index]:
        """The indices that the value depends on."""
        return frozenset().union(*(child.free_indices for child in self.children))

    @cached_property
    def tensors(self) -> frozenset[str]:
        """The names of the tensors that are read."""
        return frozenset().union(*(child.tensors for child in self.children))

    @cached_property
    def binds(self) -> bool:
        """Whether a bound index stands anywhere in the tree."""
        return any(child.binds for child in self.children)

    @cached_property
    def has_related_sizes(self) -> bool:
        """Whether a size that a relation states stands anywhere in the tree."""
        return any(child.has_related_sizes for child in self.children)

    @cached_property
    def node_count(self) -> int:
        """How many nodes the tree has."""
        return 1 + sum(child.node_count for child in self.children)

    @cached_property
    def element_count(self) -> int:
        """How many tensor elements the tree has."""
        return sum(child.element_count for child in self.children)

    def walk(self) -> Iterator[Expression]:
        """Every node of the tree, parents first, left to right."""
        pending: list[Expression] = [self]
        while pending:
            node = pending.pop()
            yield node
            pending.extend(reversed(node.children))


@dataclass(frozen=True, eq=False, repr=False)
class Index(Expression):
    """An index over an axis: a position of a tensor, or, as a number, the position it stands at."""

    name: str
    axis: Axis

    @cached_property
    def free_indices(self) -> frozenset[Index]:
        """An index depends on itself."""
        return frozenset((self,))
