"""Sums over an axis that may be empty, beside factors that may be undefined.

    grad_p = sum(b, x[b]*delta[b])/sqrt(p)    for y[b] = x[b]*sqrt(p)

has no term where there is no b, so that it is 0 whatever p is: with p < 0, 0*nan is not 0. Derivation moves
such a factor out of its sum, as everyone would; here a condition keeps the product where there are terms. A
tensor's element is as defined as the model, and a singular matrix is refused: neither needs a guard.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from symbackprop.integers.bounds import conjunction
from symbackprop.notation.arithmetic import factors_of, is_sum
from symbackprop.notation.derivatives import Derivative
from symbackprop.notation.expressions import (
    ZERO,
    Add,
    Axis,
    Comparison,
    Element,
    Expression,
    Multiply,
    Number,
    Power,
    Reduction,
    Size,
    Where,
)
from symbackprop.notation.matrix_functions import MatrixFunction
from symbackprop.notation.substitution import rewrite_bottom_up
from symbackprop.rewriting.premises import ChainRuleProducts
from symbackprop.rewriting.rule import WholeRule
from symbackprop.rules.conditions import stated_where
from symbackprop.schedule.named_equations import NamedEquation, rewritten_whole
from symbackprop.systems.partial import Ranges

CONDITIONS = ("f may be undefined", "f is independent of i")


def with_empty_sums_guarded(
    items: Sequence[NamedEquation], ranges: Ranges, adjoints: Mapping[str, Derivative]
) -> tuple[NamedEquation, ...]:
    """The equations, with where(size(i) > 0, sum(i, f*g), 0) for sum(i, f*g) with an f like 1/p.

    Those of `adjoints` have where(size(i) > 0, f*sum(i, g), 0) for f*sum(i, g) as well. `ranges` are those of
    all tensors; `adjoints` says which derivatives their equations are.
    """
    return tuple(
        [rewritten_whole(item, empty_sum_rule(ranges, adjoints.get(item.equation.tensor))) for item in items]
    )


def empty_sum_rule(ranges: Ranges, adjoint: Derivative | None = None) -> WholeRule:
    """f*sum(i, g) = where(size(i) > 0, f*sum(i, g), 0), where f may be undefined."""
    as_defined_as_the_model = replace(ranges, undefined=frozenset())

    def apply(node: Expression) -> Expression | None:
        chosen = rewrite_bottom_up(node, _Sums(as_defined_as_the_model, adjoint is not None).chosen)
        return None if chosen == node else chosen

    return WholeRule(
        "empty sum as a condition",
        stated_where("f*sum(i, g) = where(size(i) > 0, f*sum(i, g), 0)", CONDITIONS),
        apply,
        where=CONDITIONS,
        example="log(c)*sum(i, x[i])",
        near_miss="exp(c)*sum(i, x[i])",
        premise=lambda node: ChainRuleProducts.of(ranges, node, adjoint),
    )


def empty_sum_rule_by(premise: ChainRuleProducts) -> WholeRule:
    """The rule where its premise says so."""
    return empty_sum_rule(premise.known.ranges, premise.derivative)


@dataclass(frozen=True)
class _Sums:
    """`is_adjoint` is whether products come of the chain rule: one that the user wrote stays as it is."""

    ranges: Ranges
    is_adjoint: bool

    def chosen(self, node: Expression) -> Expression:
        """The node, 0 where an axis is empty on which another factor of the sum does not depend."""
        axes = dict.fromkeys((*self._outside(node), *self._inside(node)))
        if not axes:
            return node
        return Where(conjunction([Comparison(">", Size(axis), ZERO) for axis in axes]), node, ZERO)

    def _outside(self, node: Expression) -> tuple[Axis, ...]:
        """The axes of sums in a product with a factor that may be undefined."""
        if not (self.is_adjoint and isinstance(node, Multiply)):
            return ()
        axes = [vanishes_without(factor) for factor in node.factors]
        rest = [factor for factor, counted in zip(node.factors, axes, strict=True) if not counted]
        return tuple(axis for each in axes for axis in each) if any(map(self._is_undefined, rest)) else ()

    def _inside(self, node: Expression) -> tuple[Axis, ...]:
        """The axes of a sum's indices on which a factor that may be undefined does not depend."""
        if not (isinstance(node, Reduction) and vanishes_without(node)):
            return ()
        free = [each.free_indices for each in factors_of(node.body) if self._is_undefined(each)]
        return tuple(
            index.axis
            for index in node.indices
            if index.axis.size is None and any(index not in indices for indices in free)
        )

    def _is_undefined(self, factor: Expression) -> bool:
        matrices = any(isinstance(node, MatrixFunction) for node in factor.walk())
        return not matrices and not _divides_by_a_tensor(factor) and self.ranges.is_undefined(factor)


def _divides_by_a_tensor(factor: Expression) -> bool:
    """Whether this is 1/p^n, undefined only where a tensor is 0 to the bit: no guard is worth its line."""
    match factor:
        case Power(Element(), Number(exponent)):
            return exponent.denominator == 1
    return False


def vanishes_without(node: Expression) -> tuple[Axis, ...]:
    """The axes of no declared size without whose places the expression is 0."""
    match node:
        case Reduction(_, indices, _) if is_sum(node):
            return tuple(index.axis for index in indices if index.axis.size is None)
        case Size(axis) if axis.size is None:
            return (axis,)
        case Multiply(factors):
            return tuple(axis for factor in factors for axis in vanishes_without(factor))
        case Add((first, *others)):
            common = [frozenset(vanishes_without(term)) for term in others]
            return tuple(axis for axis in vanishes_without(first) if all(axis in each for each in common))
    return ()
