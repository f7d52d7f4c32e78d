"""Deltas of adjoints whose other factors may be undefined, as conditions.

    grad_x[i,n] = delta(n + 1,i)*f'(pad(x[n+1,n]))    for f(pad(x[n+1,n]))

has no term where the delta is 0, not even where f' is infinite, as it is for sqrt at the 0 of a pad: 0*inf is
not 0. A delta with an index that a sum binds is scattered, and a product that the user wrote stays one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from symbackprop.integers.bounds import conjunction
from symbackprop.notation.arithmetic import multiply
from symbackprop.notation.expressions import (
    ZERO,
    Comparison,
    Delta,
    Expression,
    Index,
    Multiply,
    Reduction,
    Where,
)
from symbackprop.systems.partial import Ranges
from symbackprop.systems.system import Equation, Tensor


def with_deltas_as_conditions(
    equations: tuple[Equation, ...], tensors: Iterable[Tensor], adjoints: Collection[str]
) -> tuple[Equation, ...]:
    """The equations, those of `adjoints` with where(i == j, f, 0) for delta(i,j)*f with an f like 1/x."""
    # Twice, for those that read one another.
    ranges = Ranges.of_tensors(tensors).with_equations((*equations, *equations))
    deltas = _Deltas(ranges)
    return tuple(
        replace(equation, expression=deltas.chosen(equation.expression, frozenset()))
        if equation.tensor in adjoints
        else equation
        for equation in equations
    )


@dataclass(frozen=True)
class _Deltas:
    ranges: Ranges

    def chosen(self, node: Expression, bound: frozenset[Index]) -> Expression:
        """The expression with conditions for deltas in which no sum around binds an index."""
        if isinstance(node, Reduction):
            bound |= frozenset(node.indices)
        node = node.with_children(tuple([self.chosen(child, bound) for child in node.children]))
        if not isinstance(node, Multiply):
            return node
        deltas = [each for each in node.factors if isinstance(each, Delta) and not each.free_indices & bound]
        rest = multiply(*(factor for factor in node.factors if factor not in deltas))
        if not deltas or not self.ranges.is_undefined(rest):
            return node
        return Where(conjunction(list(map(_condition, deltas))), rest, ZERO)


def _condition(delta: Delta) -> Comparison:
    """i == p, the index first."""
    sides = (delta.left, delta.right)
    return Comparison("==", *(sides if isinstance(delta.left, Index) else sides[::-1]))
