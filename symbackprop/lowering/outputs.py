"""Which tensors are a model's outputs, and how its parameters start: both read off the equations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from symbackprop.array.program import Initial
from symbackprop.array.related_sizes import RelatedSize, related_in_init
from symbackprop.notation.arithmetic import factors_of
from symbackprop.notation.expressions import Element, Expression, Reduction
from symbackprop.notation.matrix_functions import MatrixFunction
from symbackprop.notation.substitution import elements_of
from symbackprop.systems.ordering import stages_of
from symbackprop.systems.recurrences import Stage, at_step
from symbackprop.systems.system import Equation, Role, System, Tensor


def outputs_of(system: System) -> tuple[str, ...]:
    """The names of the outputs, in the system's order.

    With targets: the derived tensors that no target reaches and that an equation reads which a target
    reaches, i.e. what the loss compares with the targets. Without targets: the derived tensors that the
    loss's own equation reads. Of these, the ones that depend on an input, if any does. A model without a loss
    gives the tensors that nobody reads but a recurrence at other steps; where nothing else is left, the loss
    is the output.
    """
    if system.loss is None:
        return tuple(
            equation.tensor
            for stage in stages_of(system.equations)
            for equation in stage.equations
            if _is_read_at_other_steps_alone(equation, stage, system)
        )
    targets = {tensor.name for tensor in system.with_role(Role.TARGET)}
    after_target = _reached_from(system, targets) if targets else {system.loss}
    before_target = system.precedents([system.loss]) - after_target
    frontier = [
        equation.tensor
        for equation in system.equations
        if equation.tensor in before_target
        and any(consumer.tensor in after_target for consumer in system.consumers[equation.tensor])
    ]
    inputs = {tensor.name for tensor in system.with_role(Role.INPUT)}
    after_input = _reached_from(system, inputs)
    fed = [name for name in frontier if name in after_input]
    return tuple(fed or frontier or [system.loss])


def _is_read_at_other_steps_alone(equation: Equation, stage: Stage, system: System) -> bool:
    """Whether nobody reads the tensor, but for its own recurrence at other steps."""
    readers = system.consumers[equation.tensor]
    if stage.recurrence is None or not readers:
        return not readers
    around = stage.recurrence.around(equation.tensor)
    return all(
        reader in stage.equations
        and any(
            reader.tensor in each.places
            and element.positions[each.places[equation.tensor]] != at_step(each, reader)
            for each in around
        )
        for reader in readers
        for element in elements_of(reader.expression)
        if element.tensor == equation.tensor
    )


def _reached_from(system: System, names: Iterable[str]) -> frozenset[str]:
    """The derived tensors that depend on one of the names."""
    return system.dependents(names) & system.definitions.keys()


def initial_of(system: System, parameter: Tensor) -> Initial:
    """How a parameter starts, by the part that it plays where it is used first.

    A factor in a sum over some of its own indices is drawn from a normal distribution divided by the square
    root of the number of terms, so that a sum of independent unit terms keeps its unit variance (Y. LeCun et
    al., Efficient BackProp, 1998, section 4.6). A table whose rows are looked up has unit terms itself. A
    factor that is not summed starts at 1, a term at 0. A matrix that is inverted, or whose determinant is
    taken, starts as the identity.
    """
    readers = system.consumers[parameter.name]
    if any(_is_inverted(equation.expression, parameter.name) for equation in readers):
        return Initial(parameter.name, "eye")
    for equation in readers:
        found = _part_played(equation.expression, parameter.name, ())
        if found is not None:
            return Initial(parameter.name, *found)
    return Initial(parameter.name, "zeros")


def starts_of(system: System) -> tuple[tuple[Initial, ...], tuple[RelatedSize, ...]]:
    """How each parameter starts, and the sizes that `init` works out, those of fan-ins included."""
    initials = [initial_of(system, parameter) for parameter in system.with_role(Role.PARAMETER)]
    sizes = related_in_init(system, {axis for each in initials for axis in each.fan_in})
    known = {index.axis.name for tensor in system.with_role(Role.PARAMETER) for index in tensor.indices}
    known |= {each.axis.name for each in sizes} | {axis.name for axis in system.axes if axis.size is not None}
    told = (replace(each, fan_in=tuple(axis for axis in each.fan_in if axis in known)) for each in initials)
    return tuple(told), sizes


def _is_inverted(expression: Expression, name: str) -> bool:
    return any(isinstance(node, MatrixFunction) and node.tensor == name for node in expression.walk())


def _is_lookup(element: Element) -> bool:
    """Whether the values of another tensor say where this one is read."""
    return any(elements_of(position) for position in element.positions)


def _part_played(
    node: Expression, name: str, summed: tuple[Reduction, ...]
) -> tuple[str, tuple[str, ...]] | None:
    """Distribution and fan-in at the first occurrence of the tensor; None where there is none."""
    if isinstance(node, Reduction) and node.kind == "sum":
        summed = (*summed, node)
    for factor in factors_of(node):
        if isinstance(factor, Element) and factor.tensor == name:
            if _is_lookup(factor):
                return "normal", ()
            bound = [
                index for reduction in summed for index in reduction.indices if index in factor.free_indices
            ]
            if bound and len(factors_of(node)) > 1:
                return "normal", tuple(index.axis.name for index in bound)
            return ("ones" if len(factors_of(node)) > 1 else "zeros"), ()
    for child in node.children:
        found = _part_played(child, name, summed)
        if found is not None:
            return found
    return None
