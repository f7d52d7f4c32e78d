"""The nouns of index notation: immutable expressions over axes, indices and tensors.

A constructor never rewrites: what is written is what stands there, so that no step of a derivation can
vanish. `notation.arithmetic` has the builders that do the bookkeeping (0 + x, 1 * x, nested sums).

    delta2[b,k]              Element("delta2", (b, k))
    sum(j, W2[k,j]*z1[b,j])  Reduction("sum", (j,), Multiply((Element(...), Element(...))))
    u / v                    Multiply((u, Power(v, Number(-1))))
    sqrt(v)                  Power(v, Number(1/2))
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, Generic, Literal, Self, TypeAlias, TypeVar

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


ReductionKind: TypeAlias = Literal["sum", "prod", "max", "min", "argmax"]
ComparisonOperator: TypeAlias = Literal["<", "<=", ">", ">=", "==", "!="]


@dataclass(frozen=True)
class Axis:
    """A size with a name. `label` is the first index declared over it; `size` is None while symbolic."""

    name: str
    label: str
    size: int | None = None


class Expression:
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

    __match_args__: ClassVar[tuple[str, ...]] = ()

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
    def node_count(self) -> int:
        """How many nodes the tree has."""
        return 1 + sum(child.node_count for child in self.children)

    def walk(self) -> Iterator[Expression]:
        """Every node of the tree, parents first, left to right."""
        pending: list[Expression] = [self]
        while pending:
            node = pending.pop()
            yield node
            pending.extend(reversed(node.children))


@dataclass(frozen=True, eq=False)
class Number(Expression):
    """An exact rational."""

    value: Fraction

    def __init__(self, value: Fraction | int) -> None:
        object.__setattr__(self, "value", Fraction(value))


@dataclass(frozen=True, eq=False)
class Constant(Expression):
    """A named mathematical constant: pi."""

    name: Literal["pi"]


@dataclass(frozen=True, eq=False)
class Size(Expression):
    """The number of values of an axis."""

    axis: Axis


@dataclass(frozen=True, eq=False)
class Index(Expression):
    """An index over an axis: a position of a tensor, or, as a number, the position it stands at."""

    name: str
    axis: Axis

    @cached_property
    def free_indices(self) -> frozenset[Index]:
        """An index depends on itself."""
        return frozenset((self,))


@dataclass(frozen=True, eq=False)
class Element(Expression):
    """One element of a tensor; a scalar tensor has no positions."""

    tensor: str
    positions: tuple[Expression, ...] = ()

    @property
    def children(self) -> tuple[Expression, ...]:
        """The positions."""
        return self.positions

    @cached_property
    def tensors(self) -> frozenset[str]:
        """This tensor, and those that its positions read."""
        return frozenset((self.tensor,)).union(*(child.tensors for child in self.positions))

    def with_children(self, children: tuple[Expression, ...]) -> Element:
        """The same tensor at other positions."""
        return Element(self.tensor, children)


@dataclass(frozen=True, eq=False)
class Add(Expression):
    """A sum of two or more terms."""

    terms: tuple[Expression, ...]

    @cached_property
    def _key(self) -> object:
        return frozenset(Counter(self.terms).items())

    @property
    def children(self) -> tuple[Expression, ...]:
        """The terms."""
        return self.terms

    def with_children(self, children: tuple[Expression, ...]) -> Add:
        """A sum of other terms."""
        return Add(children)


@dataclass(frozen=True, eq=False)
class Multiply(Expression):
    """A product of two or more factors."""

    factors: tuple[Expression, ...]

    @cached_property
    def _key(self) -> object:
        return frozenset(Counter(self.factors).items())

    @property
    def children(self) -> tuple[Expression, ...]:
        """The factors."""
        return self.factors

    def with_children(self, children: tuple[Expression, ...]) -> Multiply:
        """A product of other factors."""
        return Multiply(children)


@dataclass(frozen=True, eq=False)
class Power(Expression):
    """base ^ exponent; a quotient is a power with exponent -1, a square root one with 1/2."""

    base: Expression
    exponent: Expression

    @property
    def children(self) -> tuple[Expression, ...]:
        """Base and exponent."""
        return (self.base, self.exponent)

    def with_children(self, children: tuple[Expression, ...]) -> Power:
        """A power of another base and exponent."""
        return Power(*children)


@dataclass(frozen=True, eq=False)
class Apply(Expression):
    """An element-wise function of `notation.functions` applied to its arguments."""

    function: str
    arguments: tuple[Expression, ...]

    @property
    def children(self) -> tuple[Expression, ...]:
        """The arguments."""
        return self.arguments

    def with_children(self, children: tuple[Expression, ...]) -> Apply:
        """The function of other arguments."""
        return Apply(self.function, children)


@dataclass(frozen=True, eq=False)
class Reduction(Expression):
    """sum, prod, max or min of a body over bound indices; argmax is the first position of the maximum."""

    kind: ReductionKind
    indices: tuple[Index, ...]
    body: Expression

    @property
    def children(self) -> tuple[Expression, ...]:
        """The body."""
        return (self.body,)

    def with_children(self, children: tuple[Expression, ...]) -> Reduction:
        """The reduction of another body."""
        return Reduction(self.kind, self.indices, *children)

    @cached_property
    def binds(self) -> bool:
        """A reduction binds its indices."""
        return True

    @cached_property
    def free_indices(self) -> frozenset[Index]:
        """The body's indices but for those bound here."""
        return self.body.free_indices - frozenset(self.indices)


@dataclass(frozen=True, eq=False)
class Delta(Expression):
    """The Kronecker delta: 1 where two indices of one axis agree, else 0."""

    left: Expression
    right: Expression

    @cached_property
    def _key(self) -> object:
        return frozenset((self.left, self.right))

    @property
    def children(self) -> tuple[Expression, ...]:
        """The two indices."""
        return (self.left, self.right)

    def with_children(self, children: tuple[Expression, ...]) -> Delta:
        """The delta of two other indices."""
        return Delta(*children)


@dataclass(frozen=True, eq=False)
class Comparison(Expression):
    """A condition on values or on indices."""

    operator: ComparisonOperator
    left: Expression
    right: Expression

    @property
    def children(self) -> tuple[Expression, ...]:
        """The two sides."""
        return (self.left, self.right)

    def with_children(self, children: tuple[Expression, ...]) -> Comparison:
        """The same comparison of other sides."""
        return Comparison(self.operator, *children)


@dataclass(frozen=True, eq=False)
class Logic(Expression):
    """`and` and `or` join two or more conditions, `not` has one."""

    operator: Literal["and", "or", "not"]
    operands: tuple[Expression, ...]

    @property
    def children(self) -> tuple[Expression, ...]:
        """The conditions."""
        return self.operands

    def with_children(self, children: tuple[Expression, ...]) -> Logic:
        """The same connective of other conditions."""
        return Logic(self.operator, children)


@dataclass(frozen=True, eq=False)
class Where(Expression):
    """`chosen` where the condition holds, else `otherwise`; what is not chosen is not read."""

    condition: Expression
    chosen: Expression
    otherwise: Expression

    @property
    def children(self) -> tuple[Expression, ...]:
        """Condition and the two branches."""
        return (self.condition, self.chosen, self.otherwise)

    def with_children(self, children: tuple[Expression, ...]) -> Where:
        """A choice between other branches."""
        return Where(*children)


@dataclass(frozen=True, eq=False)
class Derivative(Expression):
    """d numerator / d denominator, not worked out yet.

    `total` follows every path through the system (dE/dw); otherwise only the numerator's own equation is
    differentiated and every other tensor in it stands still (the local factor of the chain rule).
    """

    numerator: Element
    denominator: Element
    total: bool

    @property
    def children(self) -> tuple[Expression, ...]:
        """Numerator and denominator."""
        return (self.numerator, self.denominator)

    def with_children(self, children: tuple[Expression, ...]) -> Derivative:
        """The derivative of another element by another."""
        numerator, denominator = children
        assert isinstance(numerator, Element) and isinstance(denominator, Element)
        return Derivative(numerator, denominator, self.total)


@dataclass(frozen=True, eq=False)
class InnerDerivative(Expression):
    """diff(y[n], x[n,i]) as a model states it: the total derivative, through every equation in between.

    The numerator may be such a derivative itself. A derivation works it out before anything else.
    """

    numerator: Element | InnerDerivative
    denominator: Element

    @property
    def children(self) -> tuple[Expression, ...]:
        """Numerator and denominator."""
        return (self.numerator, self.denominator)

    def with_children(self, children: tuple[Expression, ...]) -> InnerDerivative:
        """The derivative of another element by another."""
        numerator, denominator = children
        assert isinstance(numerator, Element | InnerDerivative) and isinstance(denominator, Element)
        return InnerDerivative(numerator, denominator)


ZERO = Number(0)
ONE = Number(1)
MINUS_ONE = Number(-1)
