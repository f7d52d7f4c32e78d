"""What is known of the greater and the lesser of integers, of the place of an extremum, and of counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeGuard

from symbackprop.integers.base_sizes import related_form
from symbackprop.integers.linear import LinearForm, constant_form
from symbackprop.integers.recognition import is_integer, rounds_reals
from symbackprop.notation.arithmetic import multiply, negate, subtract
from symbackprop.notation.expressions import (
    ZERO,
    Apply,
    Comparison,
    Expression,
    Logic,
    Reduction,
    Size,
    Where,
)
from symbackprop.notation.substitution import rewrite_bottom_up, substitute


def one_of(node: Expression) -> tuple[tuple[LinearForm, ...], ...]:
    """max(a, b) is a or b: alternatives of forms that are >= 0; other nodes say nothing."""
    match node:
        case Apply("max" | "min", arguments):
            own = related_form(node)
            return tuple((own.plus(form, -1), form.plus(own, -1)) for form in map(related_form, arguments))
    return ((),)


def opened_extrema(expression: Expression) -> Expression:
    """The expression with round(max(f, n)) = max(round(f), n) for whole n, and a maximum read at its place.

    max(m, f[m]) = f[argmax(m, f[m])] has the bounds that f has at every place, in each of its branches.
    """
    if not any(rounds_reals(node) or _is_whole_extremum(node) for node in expression.walk()):
        return expression
    return rewrite_bottom_up(expression, _opened)


def _is_whole_extremum(node: Expression) -> TypeGuard[Reduction]:
    return isinstance(node, Reduction) and node.kind in ("max", "min") and is_integer(node, node.tensors)


def _opened(node: Expression) -> Expression:
    if rounds_reals(node):
        return _rounded(node)
    if not _is_whole_extremum(node):
        return node
    value = node.body
    for index in reversed(node.indices):
        place = Reduction("argmax", (index,), value if node.kind == "max" else negate(value))
        value = substitute(value, {index: place})
    return value


def _rounded(node: Apply) -> Expression:
    match node.arguments:
        case (Apply("max" | "min") as extremum,):
            return extremum.with_children(
                tuple([_rounded(node.with_children((each,))) for each in extremum.arguments])
            )
        case (argument,) if is_integer(argument):
            return argument
    return node


def range_of_count(node: Reduction) -> Iterator[LinearForm]:
    """0 <= sum(m, where(c, 1, 0)) <= size(m); less where c does not hold for m = n, as x[m] < x[n]."""
    match node:
        case Reduction(_, indices, Where() as counted) if counted.is_indicator:
            own, places = related_form(node), multiply(*(Size(index.axis) for index in indices))
            yield own
            yield related_form(places).plus(own, -1).plus(constant_form(-int(_leaves_one_out(node))))


def _leaves_one_out(node: Reduction) -> bool:
    """Whether the condition of a count over one index fails where that is another index of its axis."""
    condition, (index, *more) = node.body.children[0], node.indices
    alike = [each for each in condition.free_indices if each != index and each.axis == index.axis]
    return not more and any(_never_holds(substitute(condition, {index: other})) for other in alike)


def _never_holds(condition: Expression) -> bool:
    match condition:
        case Comparison("<" | ">" | "!=", left, right):
            return subtract(left, right) == ZERO
        case Logic("and", operands):
            return any(map(_never_holds, operands))
        case Logic("or", operands):
            return all(map(_never_holds, operands))
    return False


def range_of_place(node: Reduction) -> Iterator[LinearForm]:
    """0 <= argmax(i, j, f) < size(i)*size(j), counted through in row-major order."""
    own = related_form(node)
    yield own
    sizes = multiply(*(Size(index.axis) for index in node.indices))
    yield related_form(sizes).plus(own, -1).plus(constant_form(-1))
