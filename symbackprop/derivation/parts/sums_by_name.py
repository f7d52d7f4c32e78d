"""Sums that have got a name, read by it wherever they stand: z > 0 beside exp(min(z, 0)).

Typed twice and computed twice, one may be added up in two orders, and be on both sides of 0.
"""

from __future__ import annotations

from collections.abc import Sequence

from symbackprop.notation.expressions import Add, Expression
from symbackprop.notation.substitution import canonical_bound_names, rewrite_bottom_up
from symbackprop.systems.system import Equation


def sums_by_name(expression: Expression, named: Sequence[Equation]) -> Expression:
    """The right-hand side of an equation, but for all of it, with the names of these parts of it."""
    sums = [each for each in named if isinstance(each.expression, Add)]
    given = {canonical_bound_names(each.expression): each.element for each in sums}

    def by_name(node: Expression) -> Expression:
        return given.get(canonical_bound_names(node), node) if isinstance(node, Add) else node

    return rewrite_bottom_up(expression, by_name) if given and not isinstance(expression, Add) else expression
