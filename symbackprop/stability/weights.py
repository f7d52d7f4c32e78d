"""Why the identities come to an end: an interpretation of expressions by natural numbers.

Each function is read as one that is monotone in its arguments, so that what makes a part smaller makes the
whole smaller: Lankford, On proving term rewriting systems are Noetherian (1979). A name weighs as much as
what it stands for, so that a rule may open it. Signs and other numbers that multiply weigh nothing.

    f*g       the product, so that (f + g)*h weighs more than f*h + g*h
    exp(f)    thrice the product of the terms of f, so that exp(f)*exp(g) weighs more than exp(f + g), and
              exp(f - softplus(g)) more than exp(f)*sigmoid(-g)
    log(f)    a power, so that log(f*g) weighs more than log(f) + log(g); of the factors of f, exp(g) - 1
              weighs less there than others, so that log(sigmoid(f) - sigmoid(g)) weighs more than
              log(sigmoid(f)*sigmoid(-g)*(1 - exp(g - f)))
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from math import ceil, prod

from symbackprop.exponentials.complements import as_sigmoids
from symbackprop.exponentials.meanings import Meanings
from symbackprop.notation.arithmetic import add, coefficient_and_rest
from symbackprop.notation.expressions import (
    ONE,
    Add,
    Apply,
    Comparison,
    Element,
    Expression,
    Index,
    Logic,
    Multiply,
    Number,
    Power,
    Reduction,
    Size,
    Where,
)
from symbackprop.notation.pairs import argument_of

# A name may be read at any position, i or i + 1: what is made of these weighs the same.
POSITION = (Add, Multiply, Number, Index, Size)


def weights(expression: Expression, meanings: Meanings) -> tuple[int, int]:
    """The weight but for maxima, which shift exponents, and the weight with them."""
    return Weighing(meanings).of(expression), Weighing(meanings, sees_maxima=True).of(expression)


def names_read(expression: Expression, meanings: Meanings) -> tuple[int, ...]:
    """The numbers of the equations of all names that are read, the latest first: names read earlier ones."""
    names = (
        node.tensor for node in expression.walk() if meanings.definition(node) and isinstance(node, Element)
    )
    return tuple(sorted((meanings.definitions[name][0] for name in names), reverse=True))


@dataclass(frozen=True)
class Weighing:
    """Weights where names mean what `meanings` says; a maximum counts as a number unless it `sees_maxima`.

    `found` remembers the weights of names, outside of logarithms and as their arguments.
    """

    meanings: Meanings
    sees_maxima: bool = False
    found: dict[tuple[str, bool], int] = field(default_factory=dict)

    def of(self, node: Expression) -> int:
        """The weight of an expression: 1 for a number, 2 for what has no parts."""
        match node:
            case Number():
                return 1
            case Add() | Multiply() if all(isinstance(each, POSITION) for each in node.walk()):
                return 2
            case Reduction("max") | Apply("max") if not self.sees_maxima:
                return 1
            case Element():
                return self._of_name(node, in_logarithm=False)
            case Apply(function, arguments):
                return self._of_function(function, arguments)
            case Add(terms):
                return sum(map(self.of, terms)) + len(terms) - 1
            case Multiply(factors):
                return prod(map(self.of, factors))
            case Power(base, exponent):
                return self._power(self.of(base), exponent)
            case Reduction("prod", _, body):
                return 12 * self.of(body) + 1
            case Logic("not", (condition,)):
                return self.of(condition)
            case Comparison() | Logic() | Where() | Reduction():
                return sum(map(self.of, node.children)) + 1
        return 2 + sum(map(self.of, node.children))

    def of_argument(self, node: Expression) -> int:
        """The weight of a logarithm's argument, or of a factor of it: the cube, but for exp(f) - 1."""
        match node:
            case Element():
                return self._of_name(node, in_logarithm=True)
            case Multiply(factors):
                return prod(map(self.of_argument, factors))
            case Power(base, Number() as exponent):
                return self._power(self.of_argument(base), exponent)
            case Where(condition, chosen, otherwise):
                branches = self.of_argument(chosen) + self.of_argument(otherwise)
                return int((self.of(condition) + 2) ** 3) * (branches + 1)
            case Reduction("prod", _, body):
                return 27 * self.of_argument(body) + 1
            case Apply("expm1"):
                return self.of(node)
        return int(self.of(node) ** 3)

    def _of_name(self, node: Element, in_logarithm: bool) -> int:
        key = node.tensor, in_logarithm
        if key not in self.found:
            meant, meanings = self.meanings.opened(node)
            inside = replace(self, meanings=meanings)
            if meant is node:
                self.found[key] = 2**3 if in_logarithm else 2
            else:
                self.found[key] = inside.of_argument(meant) if in_logarithm else inside.of(meant)
        return self.found[key]

    def _of_function(self, function: str, arguments: tuple[Expression, ...]) -> int:
        match function:
            case "exp" | "expm1":
                return 3 * self._product_of_terms(arguments[0])
            case "cosh" | "sinh":
                return 6 * self._product_of_terms(arguments[0])
            case "sigmoid" | "tanh":
                return self._product_of_terms(arguments[0]) + 1
            case "softplus":
                return self._product_of_terms(arguments[0]) + 2
            case "log":
                return self._logarithm(arguments[0])
            case "log1p":
                return self._logarithm_of_one_plus(arguments[0])
            case "abs":
                return self.of(arguments[0])
        return sum(map(self.of, arguments)) + 1

    def _logarithm(self, argument: Expression) -> int:
        """log(1 - exp(-f)) + f weighs less than log(exp(f) - 1)."""
        number, rest = coefficient_and_rest(argument)
        is_below = number < 0 and len(rest) == 1 and argument_of("expm1", rest[0]) is not None
        return int(self.of_argument(argument) ** (3 if is_below else 4))

    def _logarithm_of_one_plus(self, argument: Expression) -> int:
        """Less than log(1 + f), unless sigmoids are made of 1 + f there."""
        _, rest = coefficient_and_rest(argument)
        if len(rest) == 1 and argument_of("expm1", rest[0]) is not None:
            return int(self.of(rest[0]) ** 4)
        inside = add(ONE, argument)
        is_sigmoids = isinstance(inside, Add) and as_sigmoids(inside, self.meanings) is not None
        return self._logarithm(inside) + (1 if is_sigmoids else -1)

    def _power(self, base: int, exponent: Expression) -> int:
        """exp(f)^g weighs more than exp of f's terms, each times g: they are fewer than the base's bits."""
        if not isinstance(exponent, Number):
            return int(base * self.of(exponent) ** base.bit_length()) + 1
        size = abs(exponent.value)
        return int(base ** ceil(size)) * (2 if exponent.value < 0 else 1) + (size.denominator != 1)

    def _product_of_terms(self, argument: Expression) -> int:
        return prod(2 if isinstance(term, Number) else self.of(term) for term in self._terms(argument))

    def _terms(self, argument: Expression) -> Iterator[Expression]:
        """The terms of a sum, through names and numbers in front of sums."""
        _, rest = coefficient_and_rest(self.meanings.of(argument))
        inner = self.meanings.of(rest[0]) if len(rest) == 1 else None
        if isinstance(inner, Add):
            for term in inner.terms:
                yield from self._terms(term)
        elif inner is not None and inner != rest[0]:
            yield from self._terms(inner)
        else:
            yield argument
