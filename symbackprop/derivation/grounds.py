"""What a step may rest on: the model's equations, what has been found before, facts, symmetries, ranges.

An equation counts in every form that was ever to be read: an adjoint as it was first closed, again each time
when another has been put into it, and as it was before it was made ready to print.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from symbackprop.algebra.context import Scope
from symbackprop.algebra.known_equations import Known, cases_of, exponential_of
from symbackprop.algebra.rational import Relation
from symbackprop.derivation.inner.known_derivatives import value_at
from symbackprop.derivation.inner.paths import is_every_operand, is_every_path, is_every_path_within
from symbackprop.derivation.result import AdjointDerivation, RestatedEquation
from symbackprop.derivation.steps_of_derivatives import steps_of_derivatives
from symbackprop.functions.table import definition_of
from symbackprop.notation.arithmetic import multiply, normalised
from symbackprop.notation.derivatives import Derivative, InnerDerivative
from symbackprop.notation.expressions import Apply, Axis, Element, Expression, Index
from symbackprop.notation.substitution import canonical_bound_names, substitute
from symbackprop.presentation.phase import PRESENTATION_RULES
from symbackprop.presentation.stated_differences import AS_STATED
from symbackprop.presentation.stated_sums import SUM_AS_STATED
from symbackprop.rewriting.justification import Equality
from symbackprop.rewriting.replay import Beside
from symbackprop.rewriting.rule import Step
from symbackprop.rules.support import support_of
from symbackprop.systems.invariance import unmoved_tensors
from symbackprop.systems.partial import Ranges
from symbackprop.systems.recurrence_steps import RecurrenceStep, places_in
from symbackprop.systems.system import Equation, Fact, System

Forms = Mapping[str, tuple[Equation, ...]]
LAST_RULES = frozenset((AS_STATED, SUM_AS_STATED, *(rule.name for rule in PRESENTATION_RULES)))


@dataclass(frozen=True)
class Knowledge:
    """What follows from all equations together: symmetries and supports in `scope`, ranges, and facts."""

    scope: Scope
    ranges: Ranges
    facts: frozenset[Fact]


@dataclass(frozen=True)
class Grounds:
    """What every step of one run of reverse accumulation may rest on: its system, and its adjoints in order.

    `before` are the forms of the equations that are computed before the adjoint at hand, `current`.
    """

    system: System
    known: Knowledge
    adjoints: tuple[AdjointDerivation, ...]
    before: Forms
    current: AdjointDerivation | None = None

    def states(self, equality: Equality, around: Sequence[Expression] = ()) -> bool:
        """Whether an equation computed before, one case of it, or a function's definition says so."""
        left, right = equality
        if isinstance(left, Element):
            return any(_says(form, left, right, around) for form in forms_at(self.before, left))
        if not isinstance(left, Apply):
            return False
        definition = definition_of(left)
        if definition is not None and _alike(definition, right):
            return True
        return left.function == "exp" and self._states_exponential(left.arguments[0], right)

    def _states_exponential(self, argument: Expression, value: Expression) -> bool:
        """Whether e^t = e^u/s by an equation t = u - log(s)."""
        if not isinstance(argument, Element):
            return False
        forms = forms_at(self.before, argument)
        relations = (Relation(argument, _at(form, argument.positions)) for form in forms)
        found = (exponential_of(relation) for relation in relations)
        return any(each is not None and _alike(each.formula, value) for each in found)

    def computes(self, equality: Equality) -> bool:
        """Whether it is an equation of the system, or of any adjoint, in a form that it has had."""
        left, right = equality
        if not isinstance(left, Element):
            return False
        forms = (*forms_at(self.before, left), *forms_at(self._all_forms, left))
        return any(_alike(_at(form, left.positions), right) for form in forms)

    @cached_property
    def _all_forms(self) -> Forms:
        return {each.equation.tensor: forms_of(each) for each in self.adjoints}

    def names(self, equality: Equality) -> bool:
        """Whether it is a local factor's value, or what stands for a derivative that has been found."""
        derivative, value = equality
        if isinstance(derivative, InnerDerivative) and isinstance(derivative.numerator, Element):
            derivative = Derivative(derivative.numerator, derivative.denominator, total=True)
        if not isinstance(derivative, Derivative):
            return False
        if derivative.total:
            is_open = self.current is not None and derivative == self.current.total
            return not is_open and any(_alike(each, value) for each in self._values(derivative))
        factors = self.current.factors if self.current else ()
        return any(each.derivative == derivative and normalised(each.value) == value for each in factors)

    def _values(self, derivative: Derivative) -> Iterator[Expression]:
        """What stands for a derivative along all paths, by each adjoint that it is an instance of."""
        for adjoint in self.adjoints:
            at = _instance(adjoint.total, derivative)
            if at is not None:
                for value in (adjoint.equation.element, *(each.expression for each in forms_of(adjoint))):
                    yield value_at(multiply(adjoint.deltas, value), at)

    def is_every_path(self, total: Expression, consumers: Sequence[str]) -> bool:
        """Whether all readers of the tensor that the root depends on are there, each once."""
        return isinstance(total, Derivative) and is_every_path(self.system, total, consumers)

    def is_every_path_within(
        self, total: Expression, consumers: Sequence[str], places: Mapping[str, int]
    ) -> bool:
        """Whether no path leaves the step, and all that read the tensor at it are there, each once."""
        return isinstance(total, Derivative) and is_every_path_within(self.system, total, consumers, places)

    def is_every_operand(self, total: Expression, operands: Sequence[str]) -> bool:
        """Whether all that the equation reads and that depends on the denominator is there, each once."""
        return isinstance(total, Derivative) and is_every_operand(self.system, total, operands)

    def is_unmoved(self, total: Expression) -> bool:
        """Whether the equations show that the loss does not move with the tensor."""
        if not isinstance(total, Derivative) or total.numerator.tensor != self.system.loss:
            return False
        return total.denominator.tensor in self._unmoved

    @cached_property
    def _unmoved(self) -> frozenset[str]:
        return unmoved_tensors(self.system)

    def vanishes_unless(self, adjoint: Expression, conditions: Sequence[Expression]) -> bool:
        """Whether the conditions belong to the support of what stands for the adjoint."""
        if not isinstance(adjoint, Derivative):
            return False
        known = (support_of(value, self.known.scope.supports) for value in self._values(adjoint))
        return any(set(conditions) <= set(support) for support in known)

    def is_zero_unless(self, element: Element, conditions: Sequence[Expression]) -> bool:
        """Whether the conditions belong to the support of a tensor that is computed before."""
        is_before = element.tensor in self.before
        return is_before and set(conditions) <= set(support_of(element, self.known.scope.supports))

    def is_symmetric(self, tensor: str) -> bool:
        """Whether a fact says so, or the definition."""
        return tensor in self.known.scope.symmetric

    def why_symmetric(self, tensor: str) -> str:
        """The fact, or that it is by the definition."""
        return self.known.scope.symmetric.get(tensor, "")

    def has_fact(self, fact: Fact) -> bool:
        """Whether it is the model's, or follows by steps that replay."""
        return fact in self.known.facts

    def axes_of(self, tensor: str) -> tuple[Axis, ...] | None:
        """The axes of a tensor, or of an adjoint."""
        return self.known.ranges.axes.get(tensor)

    def places_of(self, tensor: str) -> Axis | None:
        """The axis that an integer tensor of the model is looked up in."""
        return self.system.integers.get(tensor)

    def is_open(self, tensor: str) -> bool:
        """Whether it is an adjoint that is not computed before the one at hand."""
        return tensor not in self.before and tensor in self._all_forms

    def is_positive(self, tensor: str) -> bool:
        """Whether one of its forms says so."""
        return tensor in self.known.ranges.positive

    def is_nonnegative(self, tensor: str) -> bool:
        """Whether one of its forms says so."""
        return tensor in self.known.ranges.nonnegative

    def is_defined(self, tensor: str) -> bool:
        """Whether one of its forms says so."""
        return tensor not in self.known.ranges.undefined

    def is_finite(self, tensor: str) -> bool:
        """Whether one of its forms says so."""
        return tensor not in self.known.ranges.infinite

    def is_at_hand(self, root: Element, target: Element) -> bool:
        """Whether it is the current derivative."""
        return self.current is not None and self.current.total.children == (root, target)

    def are_steps(self, places: Mapping[str, int], step: Index) -> bool:
        """Whether the adjoint at hand belongs to that recurrence."""
        if self.current is None:
            return False
        indices = self.current.equation.indices
        return any(
            places.items() <= places_in(self._steps, own.number).items() and indices[own.place] == step
            for own in self._steps.get(self.current.equation.tensor, ())
        )

    @cached_property
    def _steps(self) -> Mapping[str, tuple[RecurrenceStep, ...]]:
        found = {each.equation.tensor: (each.total, each.equation.indices) for each in self.adjoints}
        return steps_of_derivatives(self.system, found)


def in_order(
    adjoints: Iterable[AdjointDerivation], forms: Forms
) -> Iterator[tuple[AdjointDerivation, Forms]]:
    """Each adjoint, and the forms of what is computed before it."""
    known = dict(forms)
    for adjoint in adjoints:
        yield adjoint, dict(known)
        known[adjoint.equation.tensor] = forms_of(adjoint)


def forms_of(adjoint: AdjointDerivation) -> tuple[Equation, ...]:
    """The forms in which an adjoint's equation was to be read, the last one at the end."""
    equation = adjoint.equation
    return tuple([replace(equation, expression=each) for each in _read(adjoint.steps, equation.expression)])


def restated_forms(restated: RestatedEquation) -> tuple[Equation, ...]:
    """The same of an equation that has been restated."""
    equation = restated.equation
    return tuple([replace(equation, expression=each) for each in _read(restated.steps, equation.expression)])


def _read(steps: Iterable[Step], last: Expression) -> tuple[Expression, ...]:
    """What stood there when another equation's definition was put in, before the last phase, and last."""
    parts = (step.rule.step if isinstance(step.rule, Beside) else step for step in steps)
    read = (each.before for each in parts if each.rule.kind == "definition" or each.rule.name in LAST_RULES)
    return tuple(dict.fromkeys((*read, last)))


def forms_at(equations: Forms, element: Element) -> tuple[Equation, ...]:
    """The forms of an element's equation, where it has as many positions as that."""
    forms = equations.get(element.tensor, ())
    return tuple([form for form in forms if len(form.indices) == len(element.positions)])


def _says(form: Equation, left: Element, right: Expression, around: Sequence[Expression]) -> bool:
    """Whether the equation, or the case of it that the conditions choose, says left = right."""
    at: dict[Index, Expression] = dict(zip(form.indices, left.positions, strict=True))
    return any(
        _alike(substitute(formula, at), right) and Known(form, formula, conditions).holds(at, around)
        for formula, conditions in cases_of(form.expression)
    )


def _at(form: Equation, positions: Sequence[Expression]) -> Expression:
    at: dict[Index, Expression] = dict(zip(form.indices, positions, strict=True))
    return substitute(form.expression, at)


def _instance(general: Derivative, derivative: Derivative) -> dict[Index, Expression] | None:
    """At which positions the one is the other; None where it is another derivative."""
    pairs = tuple(zip(general.children, derivative.children, strict=True))
    at: dict[Index, Expression] = {}
    for here, there in pairs:
        assert isinstance(here, Element) and isinstance(there, Element)
        if here.tensor != there.tensor or len(here.positions) != len(there.positions):
            return None
        at.update(
            (i, p) for i, p in zip(here.positions, there.positions, strict=True) if isinstance(i, Index)
        )
    return at if substitute(general, at) == derivative else None


def _alike(left: Expression, right: Expression) -> bool:
    return canonical_bound_names(left) == canonical_bound_names(right)
