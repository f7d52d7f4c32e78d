"""Partial expressions: those that may be undefined, or overflow, for some real values of what they read.

`log(x)`, `1/x` and `sqrt(x)` are partial; `log(1 + x^2)` and `x^k`, k an index, are not. What is partial must
not leave the `where` that keeps it from being read: 0*nan is not 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from symbackprop.functions.record import Domain, Overflow
from symbackprop.functions.table import ALL_FUNCTIONS
from symbackprop.integers.bounds import lower_bound
from symbackprop.integers.guards import always_holds
from symbackprop.integers.recognition import is_integer, is_natural
from symbackprop.notation.arithmetic import base_and_exponent, coefficient_and_rest, multiply
from symbackprop.notation.expressions import (
    Add,
    Apply,
    Axis,
    Constant,
    Delta,
    Element,
    Expression,
    Index,
    Multiply,
    Number,
    Power,
    Reduction,
    Size,
    Where,
)
from symbackprop.notation.layered import Layered
from symbackprop.notation.matrix_functions import MatrixFunction
from symbackprop.systems.system import Equation, System, Tensor

# Functions of what is infinite that are as large.
_UNBOUNDED = frozenset(("abs", "max", "min", "relu", "sqrt"))


@dataclass(frozen=True)
class Ranges:
    """What the equations say of tensors: which are positive, at least 0, undefined or infinite somewhere.

    A tensor that no equation computes may have any real value. `infinite` are those made of exponentials
    that may overflow. `axes` are those of known tensors.
    """

    positive: frozenset[str] = frozenset()
    nonnegative: frozenset[str] = frozenset()
    undefined: frozenset[str] = frozenset()
    infinite: frozenset[str] = frozenset()
    axes: Layered[str, tuple[Axis, ...]] = field(default_factory=Layered)

    @classmethod
    def of(cls, system: System) -> Ranges:
        """What the equations of a system say."""
        return cls.of_tensors(system.tensors.values()).with_equations(system.equations)

    @classmethod
    def of_tensors(cls, tensors: Iterable[Tensor]) -> Ranges:
        """Nothing but the tensors' axes."""
        return cls(axes=Layered({each.name: tuple(index.axis for index in each.indices) for each in tensors}))

    @classmethod
    def of_circles(cls, tensors: Iterable[Tensor], equations: Iterable[Equation]) -> Ranges:
        """What equations say that may read one another, as adjoints do: each is looked at twice."""
        return cls.of_tensors(tensors).with_equations(2 * [*equations])

    def with_equations(self, equations: Iterable[Equation]) -> Ranges:
        """What is known with the equations' tensors; what was known of them before is forgotten."""
        ranges = self
        axes = self.axes
        for equation in equations:
            axes = axes.having(equation.tensor, tuple([index.axis for index in equation.indices]))
            ranges = ranges._with(equation.tensor, equation.expression)
        return replace(ranges, axes=axes)

    def _with(self, name: str, expression: Expression) -> Ranges:
        found = (
            _with_member(self.positive, name, self.is_positive(expression)),
            _with_member(self.nonnegative, name, self.is_nonnegative(expression)),
            _with_member(self.undefined, name, self.is_undefined(expression)),
            _with_member(self.infinite, name, self.is_infinite(expression)),
        )
        is_news = found != (self.positive, self.nonnegative, self.undefined, self.infinite)
        return Ranges(*found, self.axes) if is_news else self

    def is_partial(self, expression: Expression) -> bool:
        """Whether it may be undefined or overflow somewhere."""
        return self.is_undefined(expression) or any(map(self._overflows, expression.walk()))

    def needs_its_mask(self, expression: Expression) -> bool:
        """Whether 0 times its value may be undefined: it is partial, or a name that may be infinite."""
        return self.is_partial(expression) or self.is_infinite(expression)

    def is_undefined(self, expression: Expression) -> bool:
        """Whether it may be undefined somewhere, or read a tensor that is."""
        return any(map(self.is_undefined_node, expression.walk()))

    def is_infinite(self, expression: Expression) -> bool:
        """Whether exponentials that may overflow make it infinite: exp(u)*v is, exp(u)/sum(exp(u)) is not."""
        match expression:
            case Element(tensor, _):
                return tensor in self.infinite
            case Apply(function, arguments):
                return (
                    self._overflows(expression)
                    or (function in _UNBOUNDED and any(map(self.is_infinite, arguments)))
                    or any(map(self._is_zero_times_infinity, arguments))
                )
            case Multiply(factors):
                return any(map(self.is_infinite, factors)) and not any(
                    map(self.is_infinite, _divisors(factors))
                )
            case Power(base, Number(exponent)):
                return exponent > 0 and self.is_infinite(base)
            case Power():
                return self._overflows(expression)
            case Where(_, chosen, otherwise):
                return self.is_infinite(chosen) or self.is_infinite(otherwise)
            case Add() | Reduction("sum" | "prod" | "max" | "min", _, _):
                return any(map(self.is_infinite, expression.children))
        return False

    def _is_zero_times_infinity(self, node: Expression) -> bool:
        """Whether it may be no number though it is small: u^2*exp(s), of which exp(-u^2*exp(s)) is none."""
        match node:
            case Multiply(factors):
                others = [each for each in factors if not self.is_infinite(each)]
                return self.is_infinite(node) and any(map(_may_be_zero, others))
            case Add():
                return any(map(self._is_zero_times_infinity, node.children))
        return False

    def _overflows(self, node: Expression) -> bool:
        match node:
            case Apply(function, arguments):
                return self._overflows_at(ALL_FUNCTIONS[function].overflow, arguments)
            case Power(Number() | Constant(), exponent):
                return bool(exponent.tensors)
        return False

    def _overflows_at(self, overflow: Overflow, arguments: tuple[Expression, ...]) -> bool:
        if overflow is Overflow.ABOVE_ZERO:
            return not self._is_nonpositive(arguments[0])
        return overflow is not Overflow.NEVER

    def is_undefined_node(self, node: Expression) -> bool:
        """Whether a node may be undefined though its children are not."""
        match node:
            case Element(tensor, _):
                return tensor in self.undefined
            case MatrixFunction(kind, _, _, _, _):
                return kind in ("inv", "logdet")
            case Apply(function, arguments):
                return not self._is_inside(ALL_FUNCTIONS[function].domain, arguments)
            case Power(base, Number(exponent)):
                if exponent < 0:
                    return not self.is_positive(base)
                return exponent.denominator > 1 and not self.is_nonnegative(base)
            case Power(base, exponent):
                return not (self.is_positive(base) or _is_natural(exponent))
        return False

    def _is_inside(self, domain: Domain, arguments: tuple[Expression, ...]) -> bool:
        """Whether arguments are sure to lie in a function's domain."""
        match domain:
            case Domain.REALS:
                return True
            case Domain.POSITIVE:
                return self.is_positive(arguments[0])
            case Domain.ABOVE_MINUS_ONE:
                return self.is_nonnegative(arguments[0])
        return False

    def is_positive(self, node: Expression) -> bool:
        """Whether it is sure to be greater than 0, for sizes of at least 1."""
        match node:
            case Number(value):
                return value > 0
            case Size() | Constant():
                return True
            case Element(tensor, _):
                return tensor in self.positive
            case Add(terms):
                return any(map(self.is_positive, terms)) and all(map(self.is_nonnegative, terms))
            case Multiply(factors):
                return all(map(self.is_positive, factors))
            case Power(base, _):
                return self.is_positive(base)
            case Reduction("sum" | "prod" | "max" | "min", _, body):
                return self.is_positive(body)
            case Where(_, chosen, otherwise):
                return self.is_positive(chosen) and self.is_positive(otherwise)
            case Apply("max", arguments):
                return any(map(self.is_positive, arguments))
        return False

    def is_nonnegative(self, node: Expression) -> bool:
        """Whether it is sure to be at least 0."""
        match node:
            case Index() | Delta():
                return True
            case Number(value):
                return value >= 0
            case Element(tensor, _):
                return tensor in self.nonnegative
            case Add(terms):
                return all(map(self.is_nonnegative, terms))
            case Multiply(factors):
                return all(map(self.is_nonnegative, factors))
            case Power(base, Number(exponent)):
                is_even = exponent.denominator % 2 == 0 or exponent.numerator % 2 == 0
                return is_even or self.is_nonnegative(base)
            case Reduction("sum" | "prod" | "max" | "min", _, body):
                return self.is_nonnegative(body)
            case Where(_, chosen, otherwise):
                return self.is_nonnegative(chosen) and self.is_nonnegative(otherwise)
            case Apply(function, _) if ALL_FUNCTIONS[function].is_nonnegative:
                return True
            case Apply("max", arguments):
                return any(map(self.is_nonnegative, arguments))
        return self.is_positive(node)

    def _is_nonpositive(self, node: Expression) -> bool:
        number, rest = coefficient_and_rest(node)
        if isinstance(node, Add):
            return all(map(self._is_nonpositive, node.terms))
        return number <= 0 and self.is_nonnegative(multiply(*rest))


def _divisors(factors: Iterable[Expression]) -> Iterator[Expression]:
    pairs = map(base_and_exponent, factors)
    return (base for base, exponent in pairs if isinstance(exponent, Number) and exponent.value < 0)


def _may_be_zero(factor: Expression) -> bool:
    """Whether a factor is a difference or its power, which is 0 where its terms are equal."""
    base, exponent = base_and_exponent(factor)
    return isinstance(base, Add) and isinstance(exponent, Number) and exponent.value > 0


def _with_member(members: frozenset[str], name: str, belongs: bool) -> frozenset[str]:
    """The set with the name in it or not; itself where nothing changes, so that equal ones are shared."""
    if belongs == (name in members):
        return members
    return members | {name} if belongs else members - {name}


def _is_natural(exponent: Expression) -> bool:
    """Whether an exponent is sure to be one of 0, 1, 2, ...: by its parts, or its indices' ranges."""
    if exponent.tensors or not is_integer(exponent):
        return False
    return is_natural(exponent) or always_holds(lower_bound(exponent))


NOTHING_KNOWN = Ranges()


def is_partial(expression: Expression) -> bool:
    """Whether it may be undefined, or overflow, somewhere, where nothing is known of the tensors in it."""
    return NOTHING_KNOWN.is_partial(expression)


def is_number_or_exponential(factor: Expression) -> bool:
    """Whether it is a number, a size or e^u, or a power of such: in exact arithmetic never 0."""
    base, _ = base_and_exponent(factor)
    return isinstance(base, Number | Size | Constant) or (isinstance(base, Apply) and base.function == "exp")


def is_of_sizes(expression: Expression) -> bool:
    """Whether it is a number that the sizes alone decide, as a mean's 1/size(n)."""
    return all(isinstance(node, Number | Size | Constant | Multiply | Power) for node in expression.walk())


def is_positive(expression: Expression) -> bool:
    """Whether it is sure to be greater than 0, where nothing is known of the tensors in it."""
    return NOTHING_KNOWN.is_positive(expression)
