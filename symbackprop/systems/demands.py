"""What the equations of a model ask not to be 0, and formulas that ask for more.

sqrt(f) has a value at f = 0, and 1/sqrt(f), which its derivative brings, has none; 1/s^2 asks for no more
than 1/s does. Shapes are compared: formulas without the positions at which they read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache

from symbackprop.functions.record import Domain
from symbackprop.functions.table import ALL_FUNCTIONS
from symbackprop.integers.bounds import conjuncts
from symbackprop.notation.expressions import (
    ZERO,
    Add,
    Apply,
    Comparison,
    Element,
    Expression,
    Index,
    Multiply,
    Number,
    Power,
    Reduction,
    Where,
)
from symbackprop.notation.substitution import canonical_bound_names, rewrite_bottom_up, substitute
from symbackprop.systems.partial import Ranges
from symbackprop.systems.system import Equation

_KEEPING_POSITIVE = tuple(name for name, record in ALL_FUNCTIONS.items() if record.keeps_positive)


@dataclass(frozen=True)
class _Met:
    """Shapes that are not 0, and those of them that are greater than 0."""

    not_zero: frozenset[Expression] = frozenset()
    positive: frozenset[Expression] = frozenset()

    def meets(self, base: Expression, ranges: Ranges) -> bool:
        """Whether the base of a power, or what a logarithm is of, is in order."""
        shape = shape_of(base)
        return shape in self.positive or (ranges.is_nonnegative(base) and shape in self.not_zero)

    def divides(self, base: Expression) -> bool:
        """Whether a denominator is in order."""
        return shape_of(base) in self.not_zero | self.positive

    def and_also(self, other: _Met) -> _Met:
        """Both together."""
        return _Met(self.not_zero | other.not_zero, self.positive | other.positive)


@dataclass(frozen=True)
class Demands:
    """What holds wherever the equations have values; `formulas` are the shapes of the right-hand sides."""

    met: _Met = _Met()
    powers: frozenset[Expression] = frozenset()
    formulas: Mapping[str, Expression] = field(default_factory=dict)

    @classmethod
    def of(cls, equations: Iterable[Equation]) -> Demands:
        """What these equations ask."""
        formulas = {equation.tensor: shape_of(equation.expression) for equation in equations}
        return cls(formulas=formulas)._with(
            [node for formula in formulas.values() for node in formula.walk()]
        )

    def and_of(self, expression: Expression) -> Demands:
        """What this formula asks besides, whatever its `where`s choose."""
        return self._with(list(outside_branches(shape_of(expression))))

    def _with(self, nodes: Sequence[Expression]) -> Demands:
        positive = [argument for node in nodes for argument in _positive_in(node)]
        divisors = [node.base for node in nodes if _is_quotient(node) and isinstance(node, Power)]
        met = _Met(_with_causes(divisors, self.formulas), _with_causes(positive, self.formulas))
        powers = [node for node in nodes if isinstance(node, Power) and not isinstance(node.exponent, Number)]
        return Demands(self.met.and_also(met), self.powers.union(map(shape_of, powers)), self.formulas)

    def are_exceeded(self, node: Expression, exceeding: Collection[str], ranges: Ranges) -> bool:
        """Whether a formula may be undefined where the equations are not.

        `exceeding` are tensors of which that is known; what a `where` around says not to be 0 is none of it.
        """
        return self._exceeded(node, frozenset(exceeding), ranges, self.met)

    def _exceeded(self, node: Expression, exceeding: frozenset[str], ranges: Ranges, met: _Met) -> bool:
        match node:
            case Element(tensor, _) if tensor in exceeding:
                return True
            case Where(condition, chosen, otherwise):
                inside = met.and_also(self._said_by(condition))
                branches = ((chosen, inside), (otherwise, met))
                return any(self._exceeded(branch, exceeding, ranges, said) for branch, said in branches)
            case Power(base, Number(exponent)) if _is_quotient(node):
                in_order = met.divides(base) if exponent.denominator == 1 else met.meets(base, ranges)
                is_new = not (in_order or ranges.is_positive(base) or self._is_norm(base))
            case Power(base, exponent) if not isinstance(exponent, Number):
                is_new = ranges.is_undefined_node(node) and shape_of(node) not in self.powers
                is_new = is_new and not met.meets(base, ranges)
            case _:
                is_new = any(
                    not (met.meets(argument, ranges) or ranges.is_positive(argument))
                    for argument in _positive_in(node)
                )
        return is_new or any(self._exceeded(child, exceeding, ranges, met) for child in node.children)

    def _is_norm(self, base: Expression, around: frozenset[str] = frozenset()) -> bool:
        """Whether it is a root of squares, or its radicand: a norm's derivative at 0 is 0 by convention.

        `around` are the tensors whose formulas it stands in.
        """
        match base:
            case Element(tensor, _) if tensor in self.formulas and tensor not in around:
                return self._is_norm(self.formulas[tensor], around | {tensor})
            case Power(radicand, Number(exponent)) if exponent > 0 and exponent.denominator > 1:
                return self._is_norm(radicand, around)
            case Power(_, Number(exponent)):
                return exponent > 0 and exponent.numerator % 2 == 0
            case Add(terms):
                return all(self._is_norm(term, around) for term in terms)
            case Reduction("sum", _, body) | Where(_, body, Number(Fraction(numerator=0))):
                return self._is_norm(body, around)
            case Multiply(factors):
                others = [factor for factor in factors if not self._is_norm(factor, around)]
                return len(others) < len(factors) and not any(map(self._stands_still, others))
        return False

    def _stands_still(self, factor: Expression) -> bool:
        """Whether it may be 0 not only where it crosses 0, as relu is."""
        read = [self.formulas[name] for name in factor.tensors if name in self.formulas]
        return any(isinstance(node, Where | Apply) for each in (factor, *read) for node in each.walk())

    def _said_by(self, condition: Expression) -> _Met:
        """What is not 0 where the condition holds: f != 0, and f > 0, relu(f) and its like, named or not."""
        not_zero: set[Expression] = set()
        positive: set[Expression] = set()
        for part in conjuncts(condition):
            match part:
                case Comparison("!=", value, zero) if zero == ZERO:
                    not_zero.add(shape_of(value))
                case Comparison(">", value, zero) if zero == ZERO:
                    own = shape_of(value)
                    parts = (Apply("max", (own, ZERO)), Apply("max", (ZERO, own)))
                    positive.update((own, *parts, *(Apply(name, (own,)) for name in _KEEPING_POSITIVE)))
        positive.update([Element(name, ()) for name, formula in self.formulas.items() if formula in positive])
        return _Met(frozenset(not_zero), frozenset(positive))


@lru_cache(maxsize=10_000)
def shape_of(node: Expression) -> Expression:
    """The formula without the positions at which it reads tensors, and with its free indices numbered.

    It is asked for all their values: sum(s, where(s <= t, x, 0)) is that with t' for t.
    """

    def without_positions(each: Expression) -> Expression:
        return Element(each.tensor, ()) if isinstance(each, Element) else each

    found = rewrite_bottom_up(node, without_positions)
    read = (each for each in found.walk() if isinstance(each, Index) and each in found.free_indices)
    numbered = {each: Index(f"_{place}", each.axis) for place, each in enumerate(dict.fromkeys(read))}
    return canonical_bound_names(substitute(found, numbered) if numbered else found)


def outside_branches(node: Expression) -> Iterator[Expression]:
    """The nodes that are computed whatever the `where`s choose."""
    yield node
    for child in node.children[:1] if isinstance(node, Where) else node.children:
        yield from outside_branches(child)


def _is_quotient(node: Expression) -> bool:
    return isinstance(node, Power) and isinstance(node.exponent, Number) and node.exponent.value < 0


def _positive_in(node: Expression) -> Iterator[Expression]:
    """What the node asks to be greater than 0, but for the base of a power."""
    match node:
        case Apply(function, (argument, *_)) if ALL_FUNCTIONS[function].domain is Domain.POSITIVE:
            yield argument


def _with_causes(shapes: Iterable[Expression], formulas: Mapping[str, Expression]) -> frozenset[Expression]:
    """The shapes, and what is not 0 where they are not: the formula of a name, factors, what is raised."""
    found: set[Expression] = set()
    pending = list(shapes)
    while pending:
        shape = shape_of(pending.pop())
        if shape not in found:
            found.add(shape)
            match shape:
                case Element(tensor, _) if tensor in formulas:
                    pending.append(formulas[tensor])
                case Multiply(factors):
                    pending.extend(factors)
                case Power(base, Number(exponent)) if exponent > 0:
                    pending.append(base)
    return frozenset(found)
