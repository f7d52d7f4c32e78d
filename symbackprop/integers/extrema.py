"""What is known of the greater and the lesser of integers, and of the place of an extremum."""

from __future__ import annotations

from collections.abc import Iterator

from symbackprop.integers.base_sizes import related_form
from symbackprop.integers.linear import LinearForm, constant_form
from symbackprop.notation.arithmetic import multiply
from symbackprop.notation.expressions import Apply, Expression, Reduction, Size


def one_of(node: Expression) -> tuple[tuple[LinearForm, ...], ...]:
    """max(a, b) is a or b: alternatives of forms that are >= 0; other nodes say nothing."""
    match node:
        case Apply("max" | "min", arguments):
            own = related_form(node)
            return tuple((own.plus(form, -1), form.plus(own, -1)) for form in map(related_form, arguments))
    return ((),)


def range_of_place(node: Reduction) -> Iterator[LinearForm]:
    """0 <= argmax(i, j, f) < size(i)*size(j), counted through in row-major order."""
    own = related_form(node)
    yield own
    sizes = multiply(*(Size(index.axis) for index in node.indices))
    yield related_form(sizes).plus(own, -1).plus(constant_form(-1))
