"""Names for extrema by which the loss does not move: what a model takes off by hand, to no effect."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice

from symbackprop.integers.guards import reads_inside
from symbackprop.notation.expressions import Apply, Expression, Reduction
from symbackprop.notation.fresh_names import name_of_part
from symbackprop.notation.substitution import canonical_bound_names
from symbackprop.systems.invariance import cancels_within, unmoved_tensors
from symbackprop.systems.system import Equation, System


def with_named_shifts(system: System) -> System:
    """The system, with an equation of its own for every maximum by which the loss does not move.

    A maximum over an index that cancels in one equation, as in a softmax, stays there: the algebra sees it.
    One of several values gets its name there, too: its derivative is a case for each of them.
    """
    axes = {name: [index.axis for index in tensor.indices] for name, tensor in system.tensors.items()}
    taken = {*system.tensors, *(axis.name for axis in system.axes)}
    named: dict[Expression, Equation] = {}
    for equation in system.equations:
        for node in _extrema_within(equation):
            key = canonical_bound_names(node)
            if key not in named and reads_inside(node, axes):
                indices = tuple([index for index in equation.indices if index in node.free_indices])
                kind = node.kind if isinstance(node, Reduction) else node.function
                name = name_of_part(kind, equation.tensor, taken)
                taken.add(name)
                named[key] = Equation(name, indices, node)
    if not named:
        return system
    unmoved = unmoved_tensors(_reading(system, named))
    kept = {key: each for key, each in named.items() if each.tensor in unmoved}
    return _reading(system, kept) if kept else system


def _extrema_within(equation: Equation) -> Iterator[Reduction | Apply]:
    """The maxima and minima in an equation that its own indices alone reach, but for the whole of it.

    Of several values, those that are read more than once, as what is taken off each exponent is.
    """
    of_values = Counter(node for node in equation.expression.walk() if _is_of_values(node))
    inside = {each for node in of_values for each in islice(node.walk(), 1, None)}
    for node in islice(equation.expression.walk(), 1, None):
        is_reached = node.free_indices <= {*equation.indices}
        if is_reached and (_is_over_indices(node) or (of_values[node] > 1 and node not in inside)):
            assert isinstance(node, Reduction | Apply)
            yield node


def _is_over_indices(node: Expression) -> bool:
    return isinstance(node, Reduction) and node.kind in ("max", "min")


def _is_of_values(node: Expression) -> bool:
    """Whether it is the greater or the less of two values that both read tensors."""
    is_extremum = isinstance(node, Apply) and node.function in ("max", "min")
    return is_extremum and all(each.tensors for each in node.children)


def _reading(system: System, named: Mapping[Expression, Equation]) -> System:
    """The system where each of the names is read in the place of what it stands for."""
    equations: list[Equation] = []
    given: set[str] = set()
    for equation in system.equations:
        expression = _with_names(equation.expression, named)
        read = [each for each in named.values() if each.tensor in expression.tensors]
        if any(_stays_there(each, expression) for each in read):
            equations.append(equation)
            continue
        equations += [each for each in read if each.tensor not in given]
        equations.append(replace(equation, expression=expression))
        given.update(each.tensor for each in read)
    return system.with_equations(equations)


def _stays_there(named: Equation, reader: Expression) -> bool:
    return isinstance(named.expression, Reduction) and cancels_within(reader, named.element)


def _with_names(node: Expression, named: Mapping[Expression, Equation]) -> Expression:
    found = named.get(canonical_bound_names(node)) if isinstance(node, Reduction | Apply) else None
    if found is not None:
        return found.element
    children = tuple([_with_names(child, named) for child in node.children])
    return node if children == node.children else node.with_children(children)
