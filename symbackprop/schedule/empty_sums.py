"""Sums over an axis that may be empty, beside factors that may be undefined.

    grad_p = sum(b, x[b]*delta[b])/sqrt(p)    for y[b] = x[b]*sqrt(p)

has no term where there is no b, so that it is 0 whatever p is: with p < 0, 0*nan is not 0. Derivation moves
such a factor out of its sum, as everyone would; here the product is chosen where the axes have places. A
tensor's element is as defined as the model, and a singular matrix is refused, so that neither needs a choice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from symbackprop.integers.bounds import conjunction
from symbackprop.notation.arithmetic import factors_of, is_sum
from symbackprop.notation.expressions import (
    ZERO,
    Add,
    Axis,
    Comparison,
    Expression,
    Multiply,
    Reduction,
    Size,
    Where,
)
from symbackprop.notation.matrix_functions import MatrixFunction
from symbackprop.notation.substitution import rewrite_bottom_up
from symbackprop.systems.partial import Ranges
from symbackprop.systems.system import Equation, Tensor


def with_empty_sums_chosen(
    equations: tuple[Equation, ...], tensors: Iterable[Tensor], adjoints: Collection[str]
) -> tuple[Equation, ...]:
    """The equations, with where(size(i) > 0, sum(i, f*g), 0) for sum(i, f*g) with an f like 1/p.

    Those of `adjoints` have where(size(i) > 0, f*sum(i, g), 0) for f*sum(i, g) as well.
    """
    ranges = Ranges.of_tensors(tensors)
    for equation in (*equations, *equations):  # twice, for those that read one another
        ranges.add(equation)
    ranges = replace(ranges, undefined=set())
    return tuple(
        replace(
            equation,
            expression=rewrite_bottom_up(
                equation.expression, _Sums(ranges, equation.tensor in adjoints).chosen
            ),
        )
        for equation in equations
    )


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
        return not matrices and self.ranges.is_undefined(factor)


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
