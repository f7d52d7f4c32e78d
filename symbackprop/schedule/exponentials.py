"""Exponentials and their sums, recognised where they are written out and where a name stands for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from symbackprop.notation.arithmetic import (
    add,
    base_and_exponent,
    factors_of,
    is_reciprocal,
    multiply,
    negate,
    subtract,
)
from symbackprop.notation.expressions import (
    ONE,
    ZERO,
    Add,
    Apply,
    Element,
    Expression,
    Index,
    Number,
    Reduction,
    Where,
)
from symbackprop.rewriting.replacements import at_positions
from symbackprop.systems.system import Equation

# Stands for minus infinity in a maximum over what a mask lets through; float32 holds it.
LOWEST = Number(-(10**30))


@dataclass(frozen=True)
class Meanings:
    """What names stand for, by the first `known` equations; `definitions` number them."""

    definitions: Mapping[str, tuple[int, Equation]] = field(default_factory=dict)
    known: int = 0

    def of(self, expression: Expression) -> Expression:
        """An element as its tensor's right-hand side at these indices; anything else as it stands."""
        while isinstance(expression, Element) and expression.tensor in self.definitions:
            number, equation = self.definitions[expression.tensor]
            if number >= self.known:
                break
            expression = at_positions(equation, expression)
        return expression


@dataclass(frozen=True)
class Exponential:
    """exp(argument), or where(condition, exp(argument), 0)."""

    argument: Expression
    condition: Expression | None = None

    def shifted(self, shift: Expression) -> Expression:
        """The exponential divided by exp(shift)."""
        value = Apply("exp", (subtract(self.argument, shift),))
        return value if self.condition is None else Where(self.condition, value, ZERO)


def exponential(expression: Expression, meanings: Meanings) -> Exponential | None:
    """The expression, or what it names, as an exponential."""
    match meanings.of(expression):
        case Apply("exp", (argument,)):
            return Exponential(argument)
        case Where(condition, Apply("exp", (argument,)), otherwise) if otherwise == ZERO:
            return Exponential(argument, condition)
    return None


@dataclass(frozen=True)
class ExponentialSum:
    """sum(indices, weight * exponential)."""

    indices: tuple[Index, ...]
    weight: Expression
    term: Exponential

    @property
    def is_shifted(self) -> bool:
        """Whether a maximum over as many indices is taken away inside already."""
        terms = self.term.argument.terms if isinstance(self.term.argument, Add) else ()
        return any(
            isinstance(node, Reduction) and node.kind == "max" and len(node.indices) == len(self.indices)
            for term in terms
            for node in factors_of(negate(term))
        )

    @property
    def shift(self) -> Expression:
        """The largest exponent."""
        argument = self.term.argument
        if self.term.condition is not None:
            argument = Where(self.term.condition, argument, LOWEST)
        return Reduction("max", self.indices, argument)

    @property
    def shifted(self) -> Expression:
        """The sum divided by exp(shift): at least 1 where the weights are, and never too large."""
        return Reduction("sum", self.indices, multiply(self.weight, self.term.shifted(self.shift)))


def exponential_sum(expression: Expression, meanings: Meanings) -> ExponentialSum | None:
    """The expression, or what it names, as a sum of exponentials that differ over its indices."""
    found = meanings.of(expression)
    if not (isinstance(found, Reduction) and found.kind == "sum"):
        return None
    factors = factors_of(found.body)
    for place, factor in enumerate(factors):
        term = exponential(factor, meanings)
        if term is not None and set(found.indices) <= term.argument.free_indices:
            weight = multiply(*factors[:place], *factors[place + 1 :])
            return ExponentialSum(found.indices, weight, term)
    return None


def one_plus_exponential(expression: Expression, meanings: Meanings) -> Expression | None:
    """a, where the expression or what it names is 1 + exp(a)."""
    found = meanings.of(expression)
    if isinstance(found, Add) and len(found.terms) == 2 and ONE in found.terms:
        other = found.terms[1] if found.terms[0] == ONE else found.terms[0]
        term = exponential(other, meanings)
        return term.argument if term is not None and term.condition is None else None
    return None


def sigmoid_argument(expression: Expression, meanings: Meanings) -> Expression | None:
    """u, where the expression or what it names is sigmoid(u), or 1 - sigmoid(-u)."""
    found = meanings.of(expression)
    match found:
        case Apply("sigmoid", (argument,)):
            return argument
        case Add():
            rest = subtract(ONE, found)
            inner = None if isinstance(rest, Add) else sigmoid_argument(rest, meanings)
            return None if inner is None else negate(inner)
    return None


def reciprocal_power(factor: Expression) -> tuple[Expression, int] | None:
    """(x, n), where the factor is x^-n with a whole n > 0."""
    base, exponent = base_and_exponent(factor)
    if is_reciprocal(factor) and isinstance(exponent, Number) and exponent.value.denominator == 1:
        return base, -exponent.value.numerator
    return None


def logarithm_of_sum(total: ExponentialSum) -> Expression:
    """log of the sum, by the largest exponent and the shifted sum."""
    return add(total.shift, Apply("log", (total.shifted,)))
