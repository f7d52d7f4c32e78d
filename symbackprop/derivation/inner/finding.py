"""Finds the derivatives inside a model, each once, and the names that they keep."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from symbackprop.algebra.context import Scope
from symbackprop.algebra.phases import scope_of
from symbackprop.algebra.scalar_search import Account, Budget
from symbackprop.cost.expressions import cost
from symbackprop.derivation.adjoint_names import derivative_name
from symbackprop.derivation.adjoints import WorkedOut, worked_out
from symbackprop.derivation.calculus import ELEMENT
from symbackprop.derivation.calculus_of_arrays import deltas_of
from symbackprop.derivation.chain_rules import ChainRuleWithinStep, indices_apart
from symbackprop.derivation.inlining import inline_adjoints
from symbackprop.derivation.inner.known_derivatives import (
    Between,
    KnownDerivative,
    one_index_step,
    pattern_of,
    positions_of,
)
from symbackprop.derivation.inner.steps_within import Places, readers_within_step
from symbackprop.derivation.inner.together import Together, Totals
from symbackprop.derivation.inner.ways import Way, way_of
from symbackprop.derivation.result import AdjointDerivation
from symbackprop.derivation.reverse import adjoint_order, chain_rule_between, own_indices
from symbackprop.derivation.steps_of_derivatives import steps_of_derivatives
from symbackprop.errors import DerivationError
from symbackprop.languages.phrases import worded
from symbackprop.memoization.recall import Recall
from symbackprop.notation.arithmetic import multiply
from symbackprop.notation.derivatives import Derivative
from symbackprop.notation.expressions import ZERO, Element, Expression, Index
from symbackprop.rewriting.rule import Step
from symbackprop.rewriting.steps import Steps
from symbackprop.systems.printing import text
from symbackprop.systems.system import Equation, System


@dataclass
class Finding:
    """The equations so far; `pending` are the derivatives that may still move into one another."""

    stated: System
    budget: Budget
    free: frozenset[str]
    equations: dict[str, Equation] = field(default_factory=dict)
    derivations: dict[str, AdjointDerivation] = field(default_factory=dict)
    pending: dict[str, AdjointDerivation] = field(default_factory=dict)
    known: dict[tuple[str, str, tuple[int, ...]], KnownDerivative] = field(default_factory=dict)
    orders: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    last_scope: tuple[tuple[Equation, ...], Scope] | None = None

    @property
    def system(self) -> System:
        """The equations so far as a system."""
        return self.stated.with_equations(self.equations.values())

    @property
    def scope(self) -> Scope:
        """What is known of the equations so far, worked out once as long as they stay the same."""
        equations = tuple(self.equations.values())
        if self.last_scope is None or self.last_scope[0] != equations:
            self.last_scope = equations, scope_of(self.system, self.free, self.budget)
        return self.scope_with({})

    @property
    def structure(self) -> System:
        """The equations so far, and those of the model that are still to come as they are stated."""
        return self.stated.with_equations({**self.stated.definitions, **self.equations}.values())

    def scope_with(self, totals: Totals) -> Scope:
        """What is known, and where derivatives stand that are about to be found in a recurrence."""
        assert self.last_scope is not None
        found = {name: (each.total, each.equation.indices) for name, each in self.derivations.items()}
        return replace(self.last_scope[1], steps=steps_of_derivatives(self.structure, {**found, **totals}))

    def settle(self) -> None:
        """Move the pending derivatives into one another where that pays."""
        wanted = frozenset(name for name in self.pending if name in self.asked or name in self.stated.tensors)
        pending = tuple(self.pending.values())
        for derivation in inline_adjoints(pending, wanted, self.scope, self.budget, Recall()):
            self.derivations[derivation.equation.tensor] = derivation
            self.equations[derivation.equation.tensor] = derivation.equation
            if not derivation.kept:
                self._drop(derivation.equation.tensor)
        self.pending = {}

    def _drop(self, name: str) -> None:
        del self.equations[name]
        self.known = {key: each for key, each in self.known.items() if name not in each.value.tensors}

    def _value(self, derivative: Derivative) -> Expression:
        """What stands for a derivative; it is derived where it has not been yet."""
        key = pattern_of(derivative)
        if key not in self.known:
            way = self._way(derivative)
            if way.members:
                self._find_together(derivative, way)
            else:
                found = self._derived(derivative, way)
                self.known[key] = KnownDerivative(derivative, self._named(found))
        return self.known[key].at(derivative)

    def _way(self, derivative: Derivative) -> Way:
        """How it is found; DerivationError where that would go through equations with open derivatives."""
        way = way_of(self.structure, derivative)
        open_ones = [name for name in self.stated.definitions if name in way.between - self.equations.keys()]
        if open_ones:
            shown = f"diff({', '.join(text(each) for each in derivative.children)})"
            name = open_ones[0]
            raise DerivationError(
                worded(
                    "{shown} goes through '{name}', which takes such a derivative itself",
                    shown=shown,
                    name=name,
                ),
                place=self.stated.definitions[name].place,
                remedy=worded(
                    "where a recurrence takes derivatives of its own tensors, take both at one step, as in "
                    "diff(L[t], w[t])"
                ),
            )
        return way

    def _find_together(self, derivative: Derivative, way: Way, stated: Equation | None = None) -> None:
        """The derivatives of, or by, the members of a recurrence; `stated` may be the equation of the one."""
        root, target = derivative.numerator.tensor, derivative.denominator.tensor
        if self._cone(root) & self.pending.keys():
            self.settle()
        pairs = {each: (each, target) if way.forwards else (root, each) for each in way.members}
        taken: set[str] = set()
        names: dict[str, str] = {}
        for member, pair in pairs.items():
            names[member] = self._name(*pair, taken)
            taken.add(names[member])
        still = target if way.forwards else root
        for member in way.members:
            for other in self._others(member, still, way):
                self._value(apart(self.system, *((other, still) if way.forwards else (still, other))))
        together = Together(self.system, way, still, names, self._value, self._scope_around, self.budget)
        if stated is not None:
            together = replace(together, stated=(derivative, stated))
        for found, known in together.found():
            self._add(found)
            self.known[pattern_of(found.total)] = known
        whole = self.known[pattern_of(apart(self.system, root, target))]
        self.known[pattern_of(derivative)] = KnownDerivative(derivative, whole.at(derivative))

    def _others(self, member: str, still: str, way: Way) -> list[str]:
        """What a member reads, or is read by, on the way, and that is no member itself."""
        if way.forwards:
            names = self.equations[member].reads
        else:
            names = tuple([each.tensor for each in self.system.consumers[member]])
        skipped = {*way.members} if way.forwards and way.is_carried else {*way.members, still}
        return [name for name in names if name in way.between - skipped]

    def _scope_around(self, totals: Totals) -> Scope:
        """The same, worked out anew where equations have come."""
        assert self.scope is not None
        return self.scope_with(totals)

    def _derived(self, derivative: Derivative, way: Way, element: Element | None = None) -> AdjointDerivation:
        """Reverse accumulation from the numerator; the equation is still without name."""
        root, target = derivative.numerator, derivative.denominator
        if self._cone(root.tensor) & self.pending.keys():
            self.settle()
        if way.places is not None:
            worked = self._within_step(derivative, way.places, element)
            return _derivation(derivative, worked)
        between = adjoint_order(replace(self.system, loss=root.tensor), [target.tensor])
        for tensor in between:
            if tensor not in (root.tensor, target.tensor):
                self._value(apart(self.system, root.tensor, tensor))
        if root.tensor == target.tensor:
            worked = _by_itself(derivative)
        else:
            total, rule = chain_rule_between(self.system, root, target, between)
            worked = worked_out(total, rule, self._value, self.scope, Account(self.budget))
        return _derivation(derivative, worked)

    def _within_step(self, derivative: Derivative, places: Places, element: Element | None) -> WorkedOut:
        """The chain rule through what one step of a recurrence computes."""
        root, target = derivative.numerator, derivative.denominator
        if root.tensor == target.tensor:
            return _by_itself(derivative)
        readers = readers_within_step(self.system, root.tensor, target.tensor, places)
        named = tuple([(each.tensor, places[each.tensor]) for each in readers])
        rule = ChainRuleWithinStep(readers, places=(*named, (target.tensor, places[target.tensor])))
        for _, local in rule.factors(derivative):
            if local.numerator.tensor != root.tensor:
                step = target.positions[places[target.tensor]]
                self._value(apart_within_step(self.system, root.tensor, local.numerator.tensor, places, step))
        if element is None:
            indices = tuple(dict.fromkeys(positions_of(derivative)))
            element = Element(self._name(root.tensor, target.tensor), indices)
        own = tuple([index for index in element.positions if isinstance(index, Index)])
        scope = self._scope_around({element.tensor: (derivative, own)}).at(element)
        return worked_out(derivative, rule, self._value, scope, Account(self.budget))

    def _named(self, found: AdjointDerivation) -> Expression:
        """What stands for a derivative from now on: a name over its own indices, times deltas that tie them.

        What costs nothing to compute, a number or another's name, stands for itself.
        """
        root, target = found.total.numerator, found.total.denominator
        between = Between(root, target)
        ties, deltas, closed = between.tied(found.equation.expression)
        steps = found.steps.followed_by(one_index_step(found.equation.expression, between))
        indices = [ties.get(position, position) for position in positions_of(found.total)]
        own = tuple(index for index in dict.fromkeys(indices) if index in closed.free_indices)
        equation = Equation(self._name(root.tensor, target.tensor), own, closed)
        kept = bool(cost(closed))
        self._add(replace(found, steps=steps, equation=equation, deltas=deltas, kept=kept))
        return multiply(deltas, equation.element) if kept else steps[-1].after

    def _add(self, derivation: AdjointDerivation) -> None:
        name = derivation.equation.tensor
        self.derivations[name] = derivation
        if derivation.kept:
            self.pending[name] = derivation
            self.equations[name] = derivation.equation

    def _name(self, numerator: str, denominator: str, reserved: Collection[str] = ()) -> str:
        """du_dz, and d2u_dx2 for the derivative of du_dx."""
        innermost, by = self.orders.get(numerator, (numerator, ()))
        system = self.system
        indices = (index.name for indices in system.index_names.values() for index in indices)
        taken = {
            *system.tensors,
            *reserved,
            *self.derivations,
            *(axis.name for axis in system.axes),
            *indices,
        }
        name = derivative_name(innermost, (*by, denominator), taken)
        self.orders[name] = (innermost, (*by, denominator))
        return name

    def _cone(self, tensor: str) -> set[str]:
        """The tensor and all that it depends on."""
        found: set[str] = set()
        reading = [tensor]
        while reading:
            name = reading.pop()
            if name not in found:
                found.add(name)
                reading.extend(self.equations[name].reads if name in self.equations else ())
        return found


def apart_within_step(system: System, root: str, tensor: str, places: Places, step: Expression) -> Derivative:
    """dy[t,n']/dw[t,n,j] with different indices but for the step: that of w where its axis is the same."""
    assert isinstance(step, Index)
    own = own_indices(system, tensor)
    step = own[places[tensor]] if own[places[tensor]].axis == step.axis else step
    below = _with_step(own, places[tensor], step, ())
    above = _with_step(own_indices(system, root), places[root], step, below)
    return Derivative(Element(root, above), Element(tensor, below), total=True)


def _with_step(own: tuple[Index, ...], place: int, step: Index, avoid: Sequence[Index]) -> tuple[Index, ...]:
    others = indices_apart((*own[:place], *own[place + 1 :]), (step, *avoid))
    return (*others[:place], step, *others[place:])


def _derivation(derivative: Derivative, worked: WorkedOut) -> AdjointDerivation:
    """What has been worked out; the equation is still without name."""
    equation = Equation("", (), worked.closed)
    target = derivative.denominator.tensor
    return AdjointDerivation(target, derivative, worked.factors, worked.steps, equation, kept=True)


def _by_itself(derivative: Derivative) -> WorkedOut:
    """A tensor by itself, where no step of it follows from another."""
    value = deltas_of(derivative.numerator, derivative.denominator)
    found = Step(ELEMENT.used_on(derivative), (), derivative, ZERO if value is None else value)
    return WorkedOut((), Steps((found,)), found.after)


def apart(system: System, root: str, tensor: str) -> Derivative:
    """dy[n']/dw[n,j] with different indices throughout."""
    own = own_indices(system, tensor)
    above = indices_apart(own_indices(system, root), own)
    return Derivative(Element(root, above), Element(tensor, own), total=True)
