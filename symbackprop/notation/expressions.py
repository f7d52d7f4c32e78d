"""The nouns of index notation: immutable expressions over axes, indices and tensors.

A constructor never rewrites: what is written is what stands there, so that no step of a derivation can
vanish. `notation.arithmetic` has the builders that do the bookkeeping (0 + x, 1 * x, nested sums). The kinds
that are made by the thousand fill in their fields by themselves, which takes half as long.

    delta2[b,k]              Element("delta2", (b, k))
    sum(j, W2[k,j]*z1[b,j])  Reduction("sum", (j,), Multiply((Element(...), Element(...))))
    u / v                    Multiply((u, Power(v, Number(-1))))
    sqrt(v)                  Power(v, Number(1/2))
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal, TypeAlias

# Given on under their names: this module is where all nouns are to be had.
from symbackprop.notation.nodes import Axis as Axis
from symbackprop.notation.nodes import Expression as Expression
from symbackprop.notation.nodes import Index as Index
from symbackprop.notation.nodes import cached_property, multiset

ReductionKind: TypeAlias = Literal["sum", "prod", "max", "min", "argmax"]
NEEDING_A_VALUE: Final = ("max", "min", "argmax")  # an extremum over an empty axis has no value
ComparisonOperator: TypeAlias = Literal["<", "<=", ">", ">=", "==", "!="]

# The operator that says the same of the sides in the other order.
MIRRORED: Mapping[ComparisonOperator, ComparisonOperator] = {
    "<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!=",
}  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class Number(Expression):
    """An exact rational."""

    value: Fraction

    def __init__(self, value: Fraction | int) -> None:
        self.__dict__["value"] = value if type(value) is Fraction else Fraction(value)


@dataclass(frozen=True, eq=False, repr=False)
class Constant(Expression):
    """A named mathematical constant: pi."""

    name: Literal["pi"]


@dataclass(frozen=True, eq=False, repr=False)
class Size(Expression):
    """The number of values of an axis."""

    axis: Axis

    @cached_property
    def has_related_sizes(self) -> bool:
        """Whether a relation states it."""
        return self.axis.formula is not None


@dataclass(frozen=True, eq=False, repr=False)
class Element(Expression):
    """One element of a tensor; a scalar tensor has no positions.

    `values` is the axis whose places the values of a declared integer tensor are; None of any other.
    """

    tensor: str
    positions: tuple[Expression, ...] = ()
    values: Axis | None = None

    def __init__(
        self, tensor: str, positions: tuple[Expression, ...] = (), values: Axis | None = None
    ) -> None:
        fields = self.__dict__
        fields["tensor"], fields["positions"], fields["values"] = tensor, positions, values

    @property
    def children(self) -> tuple[Expression, ...]:
        """The positions."""
        return self.positions

    @cached_property
    def tensors(self) -> frozenset[str]:
        """This tensor, and those that its positions read."""
        return frozenset((self.tensor,)).union(*(child.tensors for child in self.positions))

    @cached_property
    def element_count(self) -> int:
        """This one, and those in its positions."""
        return 1 + sum(child.element_count for child in self.positions)

    def with_children(self, children: tuple[Expression, ...]) -> Element:
        """The same tensor at other positions."""
        return Element(self.tensor, children, self.values)


@dataclass(frozen=True, eq=False, repr=False)
class Add(Expression):
    """A sum of two or more terms."""

    terms: tuple[Expression, ...]

    def __init__(self, terms: tuple[Expression, ...]) -> None:
        self.__dict__["terms"] = terms

    @cached_property
    def _key(self) -> object:
        return multiset(self.terms)

    @property
    def children(self) -> tuple[Expression, ...]:
        """The terms."""
        return self.terms

    def with_children(self, children: tuple[Expression, ...]) -> Add:
        """A sum of other terms."""
        return Add(children)


@dataclass(frozen=True, eq=False, repr=False)
class Multiply(Expression):
    """A product of two or more factors."""

    factors: tuple[Expression, ...]

    def __init__(self, factors: tuple[Expression, ...]) -> None:
        self.__dict__["factors"] = factors

    @cached_property
    def _key(self) -> object:
        return multiset(self.factors)

    @property
    def children(self) -> tuple[Expression, ...]:
        """The factors."""
        return self.factors

    def with_children(self, children: tuple[Expression, ...]) -> Multiply:
        """A product of other factors."""
        return Multiply(children)


@dataclass(frozen=True, eq=False, repr=False)
class Power(Expression):
    """base ^ exponent; a quotient is a power with exponent -1, a square root one with 1/2."""

    base: Expression
    exponent: Expression

    def __init__(self, base: Expression, exponent: Expression) -> None:
        fields = self.__dict__
        fields["base"], fields["exponent"] = base, exponent

    @property
    def children(self) -> tuple[Expression, ...]:
        """Base and exponent."""
        return (self.base, self.exponent)

    def with_children(self, children: tuple[Expression, ...]) -> Power:
        """A power of another base and exponent."""
        return Power(*children)


@dataclass(frozen=True, eq=False, repr=False)
class Apply(Expression):
    """An element-wise function of `functions.table` applied to its arguments."""

    function: str
    arguments: tuple[Expression, ...]

    @property
    def children(self) -> tuple[Expression, ...]:
        """The arguments."""
        return self.arguments

    def with_children(self, children: tuple[Expression, ...]) -> Apply:
        """The function of other arguments."""
        return Apply(self.function, children)


@dataclass(frozen=True, eq=False, repr=False)
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


@dataclass(frozen=True, eq=False, repr=False)
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


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Expression):
    """A condition on values or on indices."""

    operator: ComparisonOperator
    left: Expression
    right: Expression

    @cached_property
    def _key(self) -> object:
        sides = (self.left, self.right)
        return (self.operator, frozenset(sides) if self.operator in ("==", "!=") else sides)

    @property
    def children(self) -> tuple[Expression, ...]:
        """The two sides."""
        return (self.left, self.right)

    def with_children(self, children: tuple[Expression, ...]) -> Comparison:
        """The same comparison of other sides."""
        return Comparison(self.operator, *children)


@dataclass(frozen=True, eq=False, repr=False)
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


@dataclass(frozen=True, eq=False, repr=False)
class Where(Expression):
    """`chosen` where the condition holds, else `otherwise`; what is not chosen is not read."""

    condition: Expression
    chosen: Expression
    otherwise: Expression

    @property
    def children(self) -> tuple[Expression, ...]:
        """Condition and the two branches."""
        return (self.condition, self.chosen, self.otherwise)

    @property
    def is_indicator(self) -> bool:
        """Whether it is where(c, 1, 0)."""
        return self.chosen == ONE and self.otherwise == ZERO

    def with_children(self, children: tuple[Expression, ...]) -> Where:
        """A `where` between other branches."""
        return Where(*children)


ZERO = Number(0)
ONE = Number(1)
MINUS_ONE = Number(-1)
