"""Derivatives inside a model: each diff(y[n], x[n,i]) becomes equations of the model.

Reverse accumulation from y[n'], as from a loss: dy[n']/dw[n,j] for every tensor w between y and x. Where each
term of it has a factor delta(n',n), the equation dy_dw[n,j] is over the diagonal alone: no N x N Jacobian of
a model that treats its samples one by one. Where none factors out, the equation has both indices.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from symbackprop.algebra.context import Scope
from symbackprop.algebra.phases import scope_of, simplify
from symbackprop.algebra.scalar_search import Account, Budget
from symbackprop.cost.expressions import cost
from symbackprop.derivation.adjoint_names import derivative_name
from symbackprop.derivation.adjoints import WorkedOut, worked_out
from symbackprop.derivation.calculus import ELEMENT
from symbackprop.derivation.calculus_of_arrays import deltas_of
from symbackprop.derivation.inlining import inline_adjoints, steps_with
from symbackprop.derivation.known_derivatives import (
    Between,
    KnownDerivative,
    NamedDerivatives,
    innermost_derivative,
    one_index_step,
    pattern_of,
    positions_of,
    put_in_place,
)
from symbackprop.derivation.named_parts import (
    named_parts,
    seen_equation,
    system_with_names,
    with_functions_seen,
)
from symbackprop.derivation.result import AdjointDerivation, Expansion, RestatedEquation
from symbackprop.derivation.reverse import adjoint_order, chain_rule_between, own_indices
from symbackprop.errors import DerivationError
from symbackprop.languages.phrases import worded
from symbackprop.memoization.recall import Recall
from symbackprop.notation.arithmetic import multiply
from symbackprop.notation.derivatives import Derivative
from symbackprop.notation.expressions import ZERO, Element, Expression, Index
from symbackprop.notation.substitution import fresh_index, holds_derivative
from symbackprop.rewriting.justification import Equality
from symbackprop.rewriting.rule import Step
from symbackprop.rewriting.steps import Steps
from symbackprop.rewriting.strategies import result_of
from symbackprop.systems.ordering import stages_of
from symbackprop.systems.printing import text
from symbackprop.systems.system import Equation, System


def with_inner_derivatives(system: System, budget: Budget, wrt: Collection[str] = ()) -> Expansion:
    """The system with every derivative in it worked out, and contractions in functions named.

    A tensor z in `wrt` may be differentiated by afterwards, as the response to a nudge, z = f + nudge, with
    every diff(y, x) as stated: no formula reads z for the reason that it equals f. `budget` is what the
    searches of the whole derivation may cost.
    Raises DerivationError where a derivative does not exist.
    """
    if not any(holds_derivative(equation.expression) for equation in system.equations):
        return with_functions_seen(system, frozenset(wrt))
    before = named_parts(system)
    named = system_with_names(system, before)
    expanding = _Expanding(named, budget, frozenset(wrt))
    for equation in named.equations:
        expanding.take(equation)
    expanding.finish()
    after = named_parts(expanding.system)
    return Expansion(
        named,
        system_with_names(expanding.system, after),
        tuple(expanding.derivations.values()),
        tuple(expanding.restated.values()),
        before,
        after,
    )


@dataclass
class _Expanding:
    """The equations so far; `pending` are the derivatives that may still move into one another."""

    stated: System
    budget: Budget
    free: frozenset[str]
    equations: dict[str, Equation] = field(default_factory=dict)
    derivations: dict[str, AdjointDerivation] = field(default_factory=dict)
    restated: dict[str, RestatedEquation] = field(default_factory=dict)
    pending: dict[str, AdjointDerivation] = field(default_factory=dict)
    known: dict[tuple[str, str, tuple[int, ...]], KnownDerivative] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    orders: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
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
        return self.last_scope[1]

    def take(self, equation: Equation) -> None:
        """Add an equation of the model, with names in the place of its derivatives."""
        expression, values = equation.expression, list[Equality]()
        while node := innermost_derivative(expression):
            assert isinstance(node.numerator, Element)
            derivative = Derivative(node.numerator, node.denominator, total=True)
            if expression == node and self._names(equation, derivative):
                return
            value = self._value(derivative)
            self.asked.update(value.tensors)
            values.append((node, value))
            expression = put_in_place(expression, node, value)
        if not values:
            seen = seen_equation(equation)
            self.equations[equation.tensor] = seen.equation
            if seen.steps:
                self.restated[equation.tensor] = seen
        else:
            self._restate(equation, NamedDerivatives(tuple(values)))

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

    def finish(self) -> None:
        """Move the derivatives asked for into equations where that is cheaper; drop what nobody reads."""
        self.settle()
        while any([self._try_to_put_in(name) for name in tuple(self.derivations)]):
            pass  # each round keeps fewer names, so that there are finitely many

    def _try_to_put_in(self, name: str) -> bool:
        if name not in self.equations or name in self.stated.tensors:
            return False
        readers = [equation for equation in self.equations.values() if name in equation.reads]
        if len(readers) == 1 and readers[0].tensor in self.restated:
            (reader,), definition = readers, self.equations[name]
            scope = self.scope.before(reader.element, without=name)
            steps = steps_with(reader, definition, scope, frozenset(), Account(self.budget))
            after = replace(reader, expression=steps[-1].after)
            is_cheaper = cost(after.expression) < cost(definition.expression, reader.expression)
            if not is_cheaper and not isinstance(reader.expression, Element):
                return False  # the equation reads best with the names of its derivatives
            restated = self.restated[reader.tensor]
            self.restated[reader.tensor] = replace(restated, steps=(*restated.steps, *steps), equation=after)
            self.equations[reader.tensor] = after
        elif readers:
            return False
        self.derivations[name] = replace(self.derivations[name], kept=False)
        self._drop(name)
        return True

    def _drop(self, name: str) -> None:
        del self.equations[name]
        self.known = {key: each for key, each in self.known.items() if name not in each.value.tensors}

    def _restate(self, stated: Equation, named: NamedDerivatives) -> None:
        """Note what becomes of an equation; simplified where a derivative has a form of its own there."""
        expression = named.again(stated.expression)
        steps = [Step(named, (), stated.expression, expression)]
        if not all(isinstance(value, Element) for _, value in named.values):
            account = Account(self.budget)
            steps.extend(simplify(expression, self.scope, frozenset(stated.indices), account))
        equation = replace(stated, expression=result_of(steps, expression))
        self.restated[stated.tensor] = RestatedEquation(stated, tuple(steps), equation)
        self.equations[stated.tensor] = equation

    def _value(self, derivative: Derivative) -> Expression:
        """What stands for a derivative; it is derived where it has not been yet."""
        key = pattern_of(derivative)
        if key not in self.known:
            found = self._derived(derivative)
            self.known[key] = KnownDerivative(derivative, self._named(found))
        return self.known[key].at(derivative)

    def _names(self, equation: Equation, derivative: Derivative) -> bool:
        """Whether an equation is nothing but a derivative that has no name yet; then it is the name."""
        if equation.tensor in self.free or derivative.free_indices != frozenset(equation.indices):
            return False
        if pattern_of(derivative) in self.known:
            return False
        found = self._derived(derivative)
        self._add(replace(found, equation=replace(equation, expression=found.equation.expression)))
        self.known[pattern_of(derivative)] = KnownDerivative(derivative, equation.element)
        return True

    def _derived(self, derivative: Derivative) -> AdjointDerivation:
        """Reverse accumulation from the numerator; the equation is still without name."""
        root, target = derivative.numerator, derivative.denominator
        if self._cone(root.tensor) & self.pending.keys():
            self.settle()
        between = adjoint_order(replace(self.system, loss=root.tensor), [target.tensor])
        self._expect_no_recurrence({root.tensor, *between}, derivative)
        for tensor in between:
            if tensor not in (root.tensor, target.tensor):
                self._value(self._apart(root, tensor))
        if root.tensor == target.tensor:
            value = deltas_of(root, target)
            found = Step(ELEMENT.used_on(derivative), (), derivative, ZERO if value is None else value)
            worked = WorkedOut((), Steps((found,)), found.after)
        else:
            total, rule = chain_rule_between(self.system, root, target, between)
            worked = worked_out(total, rule, self._value, self.scope, Account(self.budget))
        equation = Equation("", (), worked.closed)
        return AdjointDerivation(target.tensor, derivative, worked.factors, worked.steps, equation, kept=True)

    def _expect_no_recurrence(self, tensors: set[str], derivative: Derivative) -> None:
        for stage in stages_of(self.system.equations):
            through = [equation for equation in stage.equations if equation.tensor in tensors]
            if through and stage.recurrence is not None:
                shown = f"diff({', '.join(text(each) for each in derivative.children)})"
                own = through[-1]  # not the argument of a function that we have named
                raise DerivationError(
                    worded("{shown} goes through the recurrence of '{name}'", shown=shown, name=own.tensor),
                    place=own.place,
                    remedy=worded("a derivative inside the model is taken of equations without recurrence"),
                )

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

    def _name(self, numerator: str, denominator: str) -> str:
        """du_dz, and d2u_dx2 for the derivative of du_dx."""
        innermost, by = self.orders.get(numerator, (numerator, ()))
        system = self.system
        indices = (index.name for indices in system.index_names.values() for index in indices)
        taken = {*system.tensors, *self.derivations, *(axis.name for axis in system.axes), *indices}
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

    def _apart(self, root: Element, tensor: str) -> Derivative:
        """dy[n']/dw[n,j] with different indices throughout."""
        own = own_indices(self.system, tensor)
        indices: list[Index] = list(own)
        for index in own_indices(self.system, root.tensor):
            indices.append(fresh_index(index, indices))
        return Derivative(Element(root.tensor, tuple(indices[len(own) :])), Element(tensor, own), total=True)
