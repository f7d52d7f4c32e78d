"""Derivatives inside a model: each diff(y[n], x[n,i]) becomes equations of the model.

Reverse accumulation from y[n'], as from a loss: dy[n']/dw[n,j] for every tensor w between y and x. Where each
term of it has a factor delta(n',n), the equation dy_dw[n,j] is over the diagonal alone: no N x N Jacobian of
a model that treats its samples one by one. Where none factors out, the equation has both indices.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from symbackprop.algebra.phases import simplify
from symbackprop.algebra.scalar_search import Account, Budget
from symbackprop.cost.expressions import cost
from symbackprop.derivation.inlining import steps_with
from symbackprop.derivation.inner.finding import Finding
from symbackprop.derivation.inner.known_derivatives import (
    KnownDerivative,
    NamedDerivatives,
    innermost_derivative,
    pattern_of,
    put_in_place,
)
from symbackprop.derivation.named_parts import (
    lookups_seen,
    named_parts,
    seen_equation,
    system_with_names,
    with_functions_seen,
)
from symbackprop.derivation.result import Expansion, RestatedEquation
from symbackprop.notation.derivatives import Derivative
from symbackprop.notation.expressions import Element
from symbackprop.notation.substitution import holds_derivative
from symbackprop.rewriting.justification import Equality
from symbackprop.rewriting.rule import Step
from symbackprop.rewriting.strategies import result_of
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
class _Expanding(Finding):
    """Takes one equation of the model after another."""

    asked: set[str] = field(default_factory=set)
    restated: dict[str, RestatedEquation] = field(default_factory=dict)

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
            seen = seen_equation(equation, lookups_seen(self.stated, equation))
            self.equations[equation.tensor] = seen.equation
            if seen.steps:
                self.restated[equation.tensor] = seen
        else:
            self._restate(equation, NamedDerivatives(tuple(values)))

    def finish(self) -> None:
        """Move the derivatives asked for into equations where that is cheaper; drop what nobody reads."""
        self.settle()
        while any([self._try_to_put_in(name) for name in tuple(self.derivations)]):
            pass  # each round keeps fewer names, so that there are finitely many
        read = self.system.precedents(name for name in self.stated.definitions if name in self.equations)
        for name in self.derivations.keys() & self.equations.keys() - read:
            self.derivations[name] = replace(self.derivations[name], kept=False)
            self._drop(name)

    def _try_to_put_in(self, name: str) -> bool:
        if name not in self.equations or name in self.stated.tensors:
            return False
        readers = [equation for equation in self.equations.values() if name in equation.reads]
        if len(readers) == 1 and readers[0].tensor in self.restated:
            (reader,), definition = readers, self.equations[name]
            scope = self.scope.before(reader.element, without=name)
            steps = steps_with(reader, [definition], scope, frozenset(), Account(self.budget))
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

    def _restate(self, stated: Equation, named: NamedDerivatives) -> None:
        """Note what becomes of an equation; simplified where a derivative has a form of its own there."""
        expression = named.again(stated.expression)
        steps = [Step(named, (), stated.expression, expression)]
        if not all(isinstance(value, Element) for _, value in named.values):
            account = Account(self.budget)
            scope = self.scope.at(stated.element)
            steps.extend(simplify(expression, scope, frozenset(stated.indices), account))
        equation = replace(stated, expression=result_of(steps, expression))
        self.restated[stated.tensor] = RestatedEquation(stated, tuple(steps), equation)
        self.equations[stated.tensor] = equation

    def _names(self, equation: Equation, derivative: Derivative) -> bool:
        """Whether an equation is nothing but a derivative that has no name yet; then it is the name."""
        if equation.tensor in self.free or derivative.free_indices != frozenset(equation.indices):
            return False
        if pattern_of(derivative) in self.known:
            return False
        way = self._way(derivative)
        if way.members:
            self._find_together(derivative, way, equation)
            return equation.tensor in self.equations
        found = self._derived(derivative, way, equation.element)
        self._add(replace(found, equation=replace(equation, expression=found.equation.expression)))
        self.known[pattern_of(derivative)] = KnownDerivative(derivative, equation.element)
        return True
