"""Even powers and functions of differences, the same the other way round: (x - y)^2, cos(x - y)."""

from __future__ import annotations

from symbackprop.functions.table import ALL_FUNCTIONS
from symbackprop.notation.arithmetic import add, coefficient_and_rest, factors_of, multiply, negate
from symbackprop.notation.expressions import Add, Apply, Expression, Number, Power, Reduction
from symbackprop.notation.substitution import canonical_bound_names, rewrite_bottom_up
from symbackprop.systems.printing import text


def turned_alike(expression: Expression) -> Expression | None:
    """Those of one value written alike, also where they stand under sums: dist[i,j] = dist[j,i].

    Of two ways round the one that comes first in the alphabet; what stands in one order alone stays.
    """
    found: dict[Expression, set[Expression]] = {}
    for node in filter(_holds_image, expression.walk()):
        found.setdefault(canonical_bound_names(in_order(node)), set()).add(canonical_bound_names(node))
    if all(len(spelled) == 1 for spelled in found.values()):
        return None

    def turn(node: Expression) -> Expression:
        turned = in_order(node) if _holds_image(node) else node
        return turned if len(found.get(canonical_bound_names(turned), ())) > 1 else node

    after = rewrite_bottom_up(expression, turn)
    return None if after.is_identical(expression) else after


def has_image(node: Expression) -> bool:
    """Whether the node has a mirror image of the same value."""
    match node:
        case Power(base, Number(exponent)):
            return exponent % 2 == 0 and _is_difference(base)
        case Apply(function, (argument,)):
            return ALL_FUNCTIONS[function].is_even and _is_difference(argument)
    return False


def in_order(expression: Expression) -> Expression:
    """Each difference in them with the term first, of two, that is first in the alphabet."""

    def turn(node: Expression) -> Expression:
        if not has_image(node):
            return node
        difference, *rest = node.children
        first = min(map(coefficient_and_rest, difference.children), key=lambda each: text(multiply(*each[1])))
        if first[0] > 0:
            return node
        return node.with_children((add(*map(negate, reversed(difference.children))), *rest))

    return rewrite_bottom_up(expression, turn)


def _holds_image(node: Expression) -> bool:
    return has_image(node) or (isinstance(node, Reduction) and any(map(has_image, factors_of(node.body))))


def _is_difference(node: Expression) -> bool:
    """Whether it has two terms, of different signs."""
    match node:
        case Add((one, other)):
            return (coefficient_and_rest(one)[0] > 0) != (coefficient_and_rest(other)[0] > 0)
    return False
