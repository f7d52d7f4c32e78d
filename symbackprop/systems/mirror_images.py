"""Powers and functions of differences known the other way round: (x - y)^2, cos(x - y), tanh(x - y)."""

from __future__ import annotations

from symbackprop.functions.table import ALL_FUNCTIONS
from symbackprop.notation.arithmetic import add, coefficient_and_rest, factors_of, multiply, negate
from symbackprop.notation.expressions import (
    MINUS_ONE,
    Add,
    Apply,
    Expression,
    Multiply,
    Number,
    Power,
    Reduction,
)
from symbackprop.notation.substitution import canonical_bound_names, rewrite_bottom_up
from symbackprop.systems.printing import text


def turned_alike(expression: Expression) -> Expression | None:
    """Those of one value written alike, also where they stand under sums: dist[i,j] = dist[j,i].

    Of two ways round the one that comes first in the alphabet, with a minus before an odd function; what
    stands in one order alone stays.
    """
    found: dict[Expression, set[Expression]] = {}
    for node in filter(_holds_image, expression.walk()):
        found.setdefault(_without_sign(in_order(node)), set()).add(canonical_bound_names(node))
    if all(len(spelled) == 1 for spelled in found.values()):
        return None

    def turn(node: Expression) -> Expression:
        turned = in_order(node) if _holds_image(node) else node
        return turned if len(found.get(_without_sign(turned), ())) > 1 else node

    after = rewrite_bottom_up(expression, turn)
    return None if after.is_identical(expression) else after


def has_image(node: Expression) -> bool:
    """Whether the node has a mirror image of the same value, or of the opposite one."""
    match node:
        case Power(base, Number(exponent)):
            return exponent % 2 == 0 and _changes_sign(base)
        case Apply(function, (argument,)):
            return (ALL_FUNCTIONS[function].is_even or ALL_FUNCTIONS[function].is_odd) and _changes_sign(
                argument
            )
    return False


def in_order(expression: Expression) -> Expression:
    """Each difference in them with the term first, of two, that is first in the alphabet."""

    def turn(node: Expression) -> Expression:
        return _turned(node) if _is_mirrored(node) else node

    return rewrite_bottom_up(expression, turn)


def products_in_order(expression: Expression) -> Expression:
    """The same, and the differences among factors too, with their signs in front: (y - x)*(y - x)."""

    def turn(node: Expression) -> Expression:
        if not isinstance(node, Multiply):
            return node
        pairs = [(each, _ordered(each)) if _is_difference(each) else (each, each) for each in node.factors]
        signs = [MINUS_ONE for one, other in pairs if one != other]
        return multiply(*signs, *(other for _, other in pairs))

    return rewrite_bottom_up(in_order(expression), turn)


def _turned(node: Expression) -> Expression:
    inside, *rest = node.children
    mirrored = _ordered(inside) if _is_difference(inside) else negate(inside)
    turned = node.with_children((mirrored, *rest))
    is_odd = isinstance(node, Apply) and ALL_FUNCTIONS[node.function].is_odd
    return negate(turned) if is_odd and mirrored != inside else turned


def _is_mirrored(node: Expression) -> bool:
    """Whether it has an image, or what it is of has got a minus from its own."""
    if has_image(node):
        return _is_difference(node.children[0])
    match node:
        case Power(Multiply() as base, Number(exponent)) if exponent % 2 == 0:
            return coefficient_and_rest(base)[0] == -1 and _changes_sign(negate(base))
        case Apply(function, (Multiply() as argument,)):
            is_either = ALL_FUNCTIONS[function].is_even or ALL_FUNCTIONS[function].is_odd
            return is_either and coefficient_and_rest(argument)[0] == -1 and _changes_sign(negate(argument))
    return False


def _ordered(difference: Expression) -> Expression:
    first = min(map(coefficient_and_rest, difference.children), key=lambda each: text(multiply(*each[1])))
    return difference if first[0] > 0 else add(*map(negate, reversed(difference.children)))


def _without_sign(node: Expression) -> Expression:
    number, rest = coefficient_and_rest(node)
    return canonical_bound_names(multiply(*rest) if number == -1 else node)


def _holds_image(node: Expression) -> bool:
    return has_image(node) or (isinstance(node, Reduction) and any(map(has_image, factors_of(node.body))))


def _changes_sign(node: Expression) -> bool:
    """Whether it is a difference, or an odd function of one."""
    match node:
        case Apply(function, (argument,)):
            return ALL_FUNCTIONS[function].is_odd and _changes_sign(argument)
    return _is_difference(node)


def _is_difference(node: Expression) -> bool:
    """Whether it has two terms, of different signs."""
    match node:
        case Add((one, other)):
            return (coefficient_and_rest(one)[0] > 0) != (coefficient_and_rest(other)[0] > 0)
    return False
