"""Sums over the index that what stands beside them has: sum(j, exp(u[j])) beside exp(u[i]) is over i.

A softmax typed with two indices says the same twice; what is written alike is seen to be one part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from symbackprop.integers.recognition import has_positions
from symbackprop.notation.expressions import Apply, Expression, Index, Reduction
from symbackprop.notation.substitution import substitute
from symbackprop.systems.system import Equation


def with_indices_alike(equation: Equation) -> Equation:
    """The equation with sums over those of its indices that their functions have elsewhere."""

    def alike(node: Expression) -> Expression:
        if has_positions(node):
            return node
        children = tuple([alike(child) for child in node.children])
        node = node if children == node.children else node.with_children(children)
        return _over_another(node, equation.indices, functions) if isinstance(node, Reduction) else node

    functions = frozenset(_functions(equation.expression))
    return replace(equation, expression=alike(equation.expression))


def _over_another(node: Reduction, indices: Sequence[Index], functions: frozenset[Expression]) -> Reduction:
    """The same reduction, over one of these indices that is free in what a function in it is elsewhere."""
    if len(node.indices) == 1:
        (bound,) = node.indices
        for index in indices:
            if index.axis == bound.axis and index not in node.body.free_indices:
                body = substitute(node.body, {bound: index})
                if any(index in each.free_indices and each in functions for each in _functions(body)):
                    return Reduction(node.kind, (index,), body)
    return node


def _functions(node: Expression) -> Iterator[Apply]:
    return (each for each in node.walk() if isinstance(each, Apply))
