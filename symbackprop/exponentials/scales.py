"""Expressions as exp(exponent)*value, and tensors that read themselves as such, shifted at every step.

    s[t] = f*s[t-1] + g*exp(h)    is    s[t] = exp(m[t])*r[t],
    m[t] = max(m[t-1], h),              where f != 0 and g != 0,
    r[t] = f*r[t-1]*exp(m[t-1] - m[t]) + g*exp(h - m[t])

With f = 1 that is Milakov and Gimelshein, Online normalizer calculation for softmax (2018). Where no term has
counted yet, m[t] is LOWEST and r[t] is 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

from symbackprop.exponentials.exponents import LOWEST
from symbackprop.notation.arithmetic import factors_of, multiply
from symbackprop.notation.expressions import (
    ZERO,
    Comparison,
    Delta,
    Element,
    Expression,
    Index,
    Number,
    Reduction,
    Where,
)
from symbackprop.notation.pairs import argument_of
from symbackprop.notation.substitution import rewrite_bottom_up, substitute
from symbackprop.systems.system import Equation

HALF = Number(Fraction(1, 2))
LARGEST_SCALED = 300  # nodes: what is seen through grows by a factor with each name on the way
MOST_GROWTH = 100  # nodes of a shifted form for each of the form as typed
LARGEST_SHIFTED = 2500  # nodes up to which that is so
MOST_GROWTH_OF_LARGE = 30  # and beyond


@dataclass(frozen=True)
class Scaled:
    """exp(exponent)*value; where a sum was shifted by its largest exponent, it `is_shifted`."""

    exponent: Expression
    value: Expression
    is_shifted: bool = False

    @classmethod
    def plain(cls, node: Expression) -> Scaled:
        """With nothing taken out."""
        return cls(ZERO, node)

    @property
    def is_plain(self) -> bool:
        """Whether nothing was taken out."""
        return self.exponent == ZERO

    @property
    def is_small(self) -> bool:
        """Whether it may stand where a name stood."""
        return self.exponent.node_count + self.value.node_count <= LARGEST_SCALED

    def is_outgrown_from(self, expression: Expression) -> bool:
        """Whether nobody would read it: each term is shifted by the greatest exponent of them all."""
        return outgrows(self.exponent.node_count + self.value.node_count, expression)

    def adds_up(self, with_value: bool) -> bool:
        """Whether the exponent is a maximum over indices or, `with_value`, a sum is in the value."""
        inside = self.value.walk() if with_value else ()
        return isinstance(self.exponent, Reduction) or any(isinstance(each, Reduction) for each in inside)

    @property
    def tensors(self) -> frozenset[str]:
        """The tensors that are read."""
        return self.exponent.tensors | self.value.tensors

    def at(self, positions: Mapping[Index, Expression]) -> Scaled:
        """The same at other positions."""
        exponent, value = (substitute(each, positions) for each in (self.exponent, self.value))
        return replace(self, exponent=exponent, value=value)


@dataclass(frozen=True)
class RunningScale:
    """A tensor that reads itself, as exp(shift)*value: the names of the two, at the tensor's indices."""

    tensor: str
    shift: Element
    value: Element

    @property
    def names(self) -> frozenset[str]:
        """The names of the two."""
        return frozenset((self.shift.tensor, self.value.tensor))

    def at(self, element: Element) -> Scaled:
        """What an element of the tensor is."""
        return Scaled(
            replace(self.shift, positions=element.positions),
            replace(self.value, positions=element.positions),
            is_shifted=True,
        )

    def guarded(self, condition: Expression, exponent: Expression) -> Expression:
        """An exponent that stands under a condition, outside of which there may be no earlier step."""
        return exponent if self.names.isdisjoint(exponent.tensors) else Where(condition, exponent, LOWEST)

    def is_grown(self, exponent: Expression) -> bool:
        """Whether more than numbers are added to the exponents of other steps."""
        match exponent:
            case Number():
                return False
            case Element(tensor, _):
                return tensor not in self.names
            case Where(_, chosen, otherwise):
                return self.is_grown(chosen) or self.is_grown(otherwise)
        return not exponent.children or any(map(self.is_grown, exponent.children))

    def named(self, found: Scaled) -> NamedScale:
        """The names, with what was found of the tensor's own equation."""
        return NamedScale(found, self.shift, self.value, is_running=True)


@dataclass(frozen=True)
class NamedScale:
    """What was found of a tensor, with names for its exponent and its value; few of these are ever read."""

    found: Scaled
    shift: Element
    value: Element
    is_running: bool = False

    @classmethod
    def of(cls, equation: Equation, found: Scaled, names: tuple[str, str]) -> NamedScale:
        """With these names, at the indices of the tensor's equation that each reads."""
        parts = zip(names, (found.exponent, found.value), strict=True)
        shift, value = (Element(name, _those_of(part, equation.indices)) for name, part in parts)
        return cls(found, shift, value)

    @property
    def names(self) -> tuple[str, str]:
        """The names of the two."""
        return self.shift.tensor, self.value.tensor

    @cached_property
    def equations(self) -> tuple[Equation, Equation]:
        """The equations of the two; a sum over segments is computed for each once."""
        value = _by_name(self.found.value, self.found.exponent, self.shift)
        value = value if self.is_running else rewrite_bottom_up(value, _under_delta)
        return (
            Equation(self.shift.tensor, _indices(self.shift), self.found.exponent),
            Equation(self.value.tensor, _indices(self.value), value),
        )


def _those_of(part: Expression, indices: tuple[Index, ...]) -> tuple[Index, ...]:
    return tuple([each for each in indices if each in part.free_indices])


def _indices(element: Element) -> tuple[Index, ...]:
    return tuple([each for each in element.positions if isinstance(each, Index)])


def _by_name(value: Expression, exponent: Expression, name: Element) -> Expression:
    """The value, with the name for the exponent by which it was shifted; in each of two branches, its own."""
    match value, exponent:
        case Where(condition, chosen, otherwise), Where(same, first, second) if condition == same:
            return Where(condition, _by_name(chosen, first, name), _by_name(otherwise, second, name))
    if exponent == ZERO:
        return value
    return rewrite_bottom_up(value, lambda node: name if node == exponent else node)


def _under_delta(node: Expression) -> Expression:
    """delta(dst[e],n)*f[dst[e]] for where(dst[e] == n, delta(dst[e],n)*f[n], 0), which is a scatter."""
    match node:
        case Where(Comparison("==", position, Index() as index), product, otherwise) if otherwise == ZERO:
            factors = factors_of(product)
            delta = Delta(position, index)
            if delta in factors:
                rest = multiply(*(factor for factor in factors if factor != delta))
                return multiply(delta, substitute(rest, {index: position}))
    return node


def outgrows(node_count: int, expression: Expression) -> bool:
    """Whether a shifted form of so many nodes is too long for what has been typed."""
    most = MOST_GROWTH if node_count <= LARGEST_SHIFTED else MOST_GROWTH_OF_LARGE
    return node_count > most * (expression.node_count + 10)


def saturates(choice: Where) -> bool:
    """Whether exp(f) is chosen where it is at most 1: elu(f) + 1 = where(f > 0, f + 1, exp(f))."""
    match choice:
        case Where(Comparison(">" | ">=", argument, right), plain, exponential) if right == ZERO:
            pass
        case Where(Comparison("<" | "<=", argument, right), exponential, plain) if right == ZERO:
            pass
        case _:
            return False
    return argument_of("exp", exponential) == argument and not any(
        argument_of("exp", node) is not None for node in plain.walk()
    )
