"""The chain rule: backwards over what reads a tensor, or forwards over what an equation reads."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from symbackprop.derivation.calculus_of_arrays import deltas_of
from symbackprop.notation.arithmetic import add, multiply
from symbackprop.notation.derivatives import Derivative
from symbackprop.notation.expressions import Element, Expression, Index, Reduction
from symbackprop.notation.substitution import fresh_index, rename_tensors, renamed_apart, substitute
from symbackprop.rewriting.justification import Anchor, Equality, Recomputed
from symbackprop.rewriting.replacements import renamed_equation
from symbackprop.systems.system import Equation

Factor = tuple[Equation, Derivative]


class PathRule(Recomputed):
    """A derivative along all paths by local ones, each of one equation, and by other derivatives."""

    @abstractmethod
    def factors(self, total: Derivative) -> tuple[Factor, ...]:
        """The equations that are differentiated, and by what, with indices that are told apart."""


@dataclass(frozen=True)
class ChainRule(PathRule):
    """dE/dt[q] as a sum over the equations that read t, the loss's own among them where it does.

    Each tensor is used up once, from the loss backwards.
    """

    consumers: tuple[Equation, ...]
    name: str = "chain rule"
    statement: str = "dE/dx = sum over every w that reads x of dE/dw * dw/dx"
    kind: ClassVar[str] = "chain rule"

    @property
    def equations(self) -> tuple[Equality, ...]:
        """The equations that read the tensor."""
        return tuple([(consumer.element, consumer.expression) for consumer in self.consumers])

    def again(self, node: Expression) -> Expression | None:
        """The sum over all paths, with the local derivatives still to be found."""
        if not isinstance(node, Derivative) or not node.total:
            return None
        root = node.numerator
        if any(
            each.tensor == root.tensor and len(each.indices) != len(root.positions) for each in self.consumers
        ):
            return None
        return add(*(_term(node.numerator, factor) for factor in self.factors(node)))

    def factors(self, total: Derivative) -> tuple[Factor, ...]:
        """For each equation that reads the tensor its local derivative, with indices that are told apart.

        What is differentiated itself is taken at its own positions.
        """
        root, target = total.numerator, total.denominator
        positions = [index for index in (*root.positions, *target.positions) if isinstance(index, Index)]
        own = [
            _at_positions(consumer, root)
            if consumer.tensor == root.tensor
            else with_indices_apart(consumer, positions)
            for consumer in self.consumers
        ]
        return tuple(
            [
                (each, Derivative(root if each.tensor == root.tensor else each.element, target, total=False))
                for each in own
            ]
        )

    def rests_on(self, anchor: Anchor, before: Expression, place: Sequence[int]) -> bool:
        """Whether the equations are the model's, or derivatives found before, and no path is left out."""
        consumers = [consumer.tensor for consumer in self.consumers]
        return anchor.is_every_path(before, consumers) and super().rests_on(anchor, before, place)

    def renamed(self, names: Mapping[str, str]) -> ChainRule:
        """The same in other names."""
        return ChainRule(tuple([renamed_equation(each, names) for each in self.consumers]))


@dataclass(frozen=True)
class ChainRuleWithinStep(ChainRule):
    """dy[t]/dx[t,q] in a recurrence: all reads lie on one side of the step, so that no path leaves it.

    `places` says which index of what reads the tensor, and of the tensor itself, is the step.
    """

    places: tuple[tuple[str, int], ...] = ()
    name: str = "chain rule within a step"
    statement: str = "dy[t]/dx[t] = sum over every w that reads x in this step of dy[t]/dw[t] * dw[t]/dx[t]"

    def factors(self, total: Derivative) -> tuple[Factor, ...]:
        """Those of the chain rule, with one index for the step."""
        target, places = total.denominator, dict(self.places)
        step = target.positions[places[target.tensor]]
        assert isinstance(step, Index)
        return tuple(
            [
                (each, local)
                if each.tensor == total.numerator.tensor
                else _at_step(each, target, step, places[each.tensor])
                for each, local in super().factors(total)
            ]
        )

    def rests_on(self, anchor: Anchor, before: Expression, place: Sequence[int]) -> bool:
        """Whether the equations are known, and none is left out that reads the tensor at the step."""
        consumers = [consumer.tensor for consumer in self.consumers]
        is_whole = anchor.is_every_path_within(before, consumers, dict(self.places))
        return is_whole and all(map(anchor.states, self.equations))

    def renamed(self, names: Mapping[str, str]) -> ChainRuleWithinStep:
        """The same in other names."""
        places = tuple([(names.get(tensor, tensor), place) for tensor, place in self.places])
        return ChainRuleWithinStep(
            tuple([renamed_equation(each, names) for each in self.consumers]), places=places
        )


@dataclass(frozen=True)
class ChainRuleForwards(PathRule):
    """dy[p]/dx[q] as a sum over the tensors that the equation of y reads and that move with x.

    x is one of these `operands` where it moves itself: where later steps of it follow from earlier ones.
    """

    equation: Equation
    operands: tuple[Element, ...]
    name: str = "chain rule forwards"
    statement: str = "dy/dx = sum over every w that y reads of dy/dw * dw/dx"
    kind: ClassVar[str] = "chain rule"

    @property
    def equations(self) -> tuple[Equality, ...]:
        """The equation that is differentiated."""
        return ((self.equation.element, self.equation.expression),)

    def again(self, node: Expression) -> Expression | None:
        """The sum over all paths, with the local derivatives still to be found."""
        if (
            not isinstance(node, Derivative)
            or not node.total
            or node.numerator.tensor != self.equation.tensor
        ):
            return None
        if len(node.numerator.positions) != len(self.equation.indices):
            return None
        itself = deltas_of(node.numerator, node.denominator)
        terms = [_product(node, local) for _, local in self.factors(node)]
        return add(*([] if itself is None else [itself]), *terms)

    def factors(self, total: Derivative) -> tuple[Factor, ...]:
        """The equation's local derivative by each operand, and by the denominator where it reads that."""
        root, target = total.numerator, total.denominator
        own = _at_positions(self.equation, root)
        positions = _indices_of(total)
        by = [Element(each.tensor, indices_apart(each.positions, positions)) for each in self.operands]
        if target.tensor in own.reads and target.tensor not in {each.tensor for each in by}:
            by.insert(0, target)
        return tuple([(own, Derivative(root, each, total=False)) for each in by])

    def rests_on(self, anchor: Anchor, before: Expression, place: Sequence[int]) -> bool:
        """Whether the equation is known, and nothing that it reads and that moves is left out."""
        operands = [operand.tensor for operand in self.operands]
        return anchor.is_every_operand(before, operands) and super().rests_on(anchor, before, place)

    def renamed(self, names: Mapping[str, str]) -> ChainRuleForwards:
        """The same in other names."""
        operands = (rename_tensors(each, names) for each in self.operands)
        elements = tuple([each for each in operands if isinstance(each, Element)])
        return ChainRuleForwards(renamed_equation(self.equation, names), elements)


def _product(total: Derivative, local: Derivative) -> Expression:
    """One term of the chain rule forwards: along the direct path the local derivative alone."""
    by = local.denominator
    if by == total.denominator:
        return local
    product = multiply(local, Derivative(by, total.denominator, total=True))
    indices = tuple([index for index in by.positions if isinstance(index, Index)])
    return Reduction("sum", indices, product) if indices else product


def _term(root: Element, factor: Factor) -> Expression:
    consumer, local = factor
    if consumer.tensor == root.tensor:
        return local
    product = multiply(Derivative(root, consumer.element, total=True), local)
    shared = local.denominator.free_indices
    summed = tuple([index for index in consumer.indices if index not in shared])
    return Reduction("sum", summed, product) if summed else product


def _at_step(consumer: Equation, target: Element, step: Index, place: int) -> Factor:
    """The equation at the step of what it reads, and its local derivative by that."""
    indices = (*consumer.indices[:place], step, *consumer.indices[place + 1 :])
    own = Equation(consumer.tensor, indices, consumer.at(indices))
    return own, Derivative(own.element, target, total=False)


def _indices_of(total: Derivative) -> list[Index]:
    positions = (*total.numerator.positions, *total.denominator.positions)
    return [index for index in positions if isinstance(index, Index)]


def indices_apart(indices: Iterable[Expression], avoid: Sequence[Index]) -> tuple[Index, ...]:
    """Indices over the same axes that differ from all in `avoid`, and from one another."""
    found: list[Index] = []
    for index in indices:
        assert isinstance(index, Index)
        found.append(fresh_index(index, [*avoid, *found]))
    return tuple(found)


def with_indices_apart(equation: Equation, avoid: Sequence[Index]) -> Equation:
    """The equation with left-hand indices that differ from all in `avoid`."""
    clashing = [index for index in equation.indices if index in avoid]
    apart = renamed_apart(clashing, {*avoid, *equation.indices})
    indices = tuple([apart.get(index, index) for index in equation.indices])
    return Equation(equation.tensor, indices, substitute(equation.expression, apart))


def _at_positions(equation: Equation, element: Element) -> Equation:
    """The equation of a tensor, for one of its elements."""
    indices = tuple(position for position in element.positions if isinstance(position, Index))
    return Equation(equation.tensor, indices, equation.at(element.positions))
