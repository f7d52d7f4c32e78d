"""The place of a maximum over a kernel's axes, counted in a loop over its offsets.

NumPy's argmax is slow over short axes, and needs them side by side, as a copy. Backwards over the offsets
k of a window whose largest element is m,

    place = (place + 1)*(x[k] != m)

counts the elements before the first that equals m: the first place of the maximum.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from symbackprop.array.ir import Elementwise, Literal
from symbackprop.array.value import Value
from symbackprop.array.views import operate
from symbackprop.indexing.counting import Counter
from symbackprop.lowering.destinations import Target, nested
from symbackprop.lowering.symbols import Lines
from symbackprop.notation.expressions import Axis, Element, Expression, Index, Reduction
from symbackprop.notation.substitution import rewrite_bottom_up, substitute
from symbackprop.schedule.occurrences import key_of
from symbackprop.schedule.terms import Indices, free_in_order
from symbackprop.systems.system import Equation


def places_in(expression: Expression) -> tuple[Reduction, ...]:
    """The places of maxima in an expression, each once, that no loop around steps."""
    return tuple(
        dict.fromkeys(
            node
            for node in expression.walk()
            if isinstance(node, Reduction) and node.kind == "argmax"
            if not any(isinstance(part, Counter) for part in node.walk())
        )
    )


def read_as(expression: Expression, place: Reduction, element: Element) -> Expression:
    """The expression that reads an element for a place."""
    return rewrite_bottom_up(expression, lambda node: element if node == place else node)


def counting(target: Target, offsets: Sequence[Index], element: Value, largest: Value) -> Lines:
    """The lines that put into a target how many offsets stand before the first whose element is the largest.

    The last offset need not be compared: it counts from -1, so that a place is one where nothing is equal.
    """
    start = replace(target.assigned(Literal(-1.0)), opens=True)
    inner = target.existing()
    after = Elementwise("add", (inner.read(), Literal(1.0)))
    counted = operate("multiply", after, Elementwise("!=", (element, largest)))
    return (start, nested(inner.stored(counted), offsets, target, reverse=True))


def is_maximum(expression: Expression) -> bool:
    """Whether an expression is nothing but a maximum."""
    return isinstance(expression, Reduction) and expression.kind == "max"


def maximum_in(known: Iterable[Equation], maximum: Expression) -> Element | None:
    """The element by which an equation, whose axes may have other names, states a maximum already."""
    key, free = _by_sizes(maximum)
    for equation in known:
        other, indices = _by_sizes(equation.expression)
        if key == other and set(indices) == set(equation.indices):
            named = dict(zip(indices, free, strict=True))
            return Element(equation.tensor, tuple(named[index] for index in equation.indices))
    return None


def _by_sizes(expression: Expression) -> tuple[Expression, Indices]:
    """An expression, its free indices numbered, over axes known by their sizes, and these indices."""
    free = free_in_order(expression)
    sized = {index: Index(f"@{place}", _sized(index.axis)) for place, index in enumerate(free)}
    return key_of(substitute(expression, dict(sized)), tuple(sized.values())), free


def _sized(axis: Axis) -> Axis:
    return axis if axis.size is None else Axis(str(axis.size), "", axis.size)
