"""What is known where an adjoint is simplified: definitions to fold back into, and the user's facts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

from symbackprop.notation.arithmetic import coefficient_and_rest, multiply
from symbackprop.notation.expressions import (
    Add,
    Apply,
    Element,
    Expression,
    Index,
    Multiply,
    Number,
    Power,
)
from symbackprop.notation.functions import FUNCTIONS, definition_of
from symbackprop.notation.substitution import canonical_bound_names, substitute
from symbackprop.notation.system import Equation, Fact, System
from symbackprop.simplification.matching import Bindings, match
from symbackprop.simplification.rational import Relation, opened


@dataclass
class Scope:
    """The equations whose tensors are computed before the one at hand, and the facts."""

    equations: dict[str, list[Equation]] = field(default_factory=dict)
    facts: tuple[Fact, ...] = ()

    @classmethod
    def of(cls, system: System) -> Scope:
        """The forward equations of a system: all are computed before the first adjoint."""
        scope = cls(facts=system.facts)
        for equation in system.equations:
            scope.add(equation)
        return scope

    def add(self, equation: Equation) -> None:
        """From here on the equation's tensor is known."""
        if not isinstance(equation.expression, Element | Number):
            for tensor in equation.expression.tensors:
                self.equations.setdefault(tensor, []).append(equation)

    def relations(self, expression: Expression) -> tuple[Relation, ...]:
        """The definitions that share an atom with the expression, at its indices; cheap functions too."""
        atoms = scalar_atoms(opened(expression))
        found: dict[Expression, Relation] = {}
        for equation in self._near(expression):
            for bindings in _instances(equation, atoms):
                known = substitute(equation.element, bindings)
                if known not in found:
                    found[known] = Relation(known, substitute(equation.expression, bindings))
        for relation in _function_relations(atoms):
            found.setdefault(relation.known, relation)
        return tuple(found.values())

    def _near(self, expression: Expression) -> tuple[Equation, ...]:
        near: dict[str, Equation] = {}
        for tensor in sorted(expression.tensors):
            near.update({equation.tensor: equation for equation in self.equations.get(tensor, ())})
        return tuple(near.values())


def scalar_atoms(expression: Expression) -> tuple[Expression, ...]:
    """What a scalar expression is a rational function of: elements, sums, functions, choices."""
    if isinstance(expression, Add | Multiply):
        return tuple(
            dict.fromkeys(atom for child in expression.children for atom in scalar_atoms(child))
        )
    if isinstance(expression, Power) and isinstance(expression.exponent, Number):
        if expression.exponent.value.denominator == 1:
            return scalar_atoms(expression.base)
        # A root's radicand is an atom beside the root: sqrt(v + e) knows v + e.
        return (expression, expression.base)
    return () if isinstance(expression, Number) else (canonical_bound_names(expression),)


@cache
def _definition_atoms(equation: Equation) -> tuple[Expression, ...]:
    return scalar_atoms(opened(equation.expression))


def _instances(equation: Equation, atoms: tuple[Expression, ...]) -> Iterator[Bindings]:
    """The indices at which the definition speaks of one of the atoms."""
    variables = frozenset(equation.indices)
    for pattern in _definition_atoms(equation):
        if pattern.free_indices < variables or isinstance(pattern, Element) and not pattern.positions:
            continue
        for atom in atoms:
            for bindings in _match_kernel(pattern, atom, variables):
                if len(bindings) == len(variables):
                    yield bindings


def _match_kernel(
    pattern: Expression, atom: Expression, variables: frozenset[Index]
) -> Iterator[Bindings]:
    """exp(u) and exp(-u) are powers of one atom."""
    if isinstance(pattern, Apply) and isinstance(atom, Apply) and pattern.function == atom.function == "exp":
        yield from match(_without_number(pattern.arguments[0]), _without_number(atom.arguments[0]), variables)
    else:
        yield from match(pattern, atom, variables)


def _without_number(expression: Expression) -> Expression:
    return multiply(*coefficient_and_rest(expression)[1])


def _function_relations(atoms: tuple[Expression, ...]) -> Iterator[Relation]:
    """sigmoid(w) = 1/(1 + e^-w) and its like, for each e^w in sight."""
    arguments = dict.fromkeys(
        _without_number(atom.arguments[0])
        for atom in atoms
        if isinstance(atom, Apply) and atom.function == "exp"
    )
    for argument in arguments:
        for name in rational_functions():
            known = Apply(name, (argument,))
            formula = definition_of(known)
            assert formula is not None
            yield Relation(known, formula)


@cache
def rational_functions() -> tuple[str, ...]:
    """The functions of the table that are rational functions of e^u alone."""
    argument = Element("?")
    kernel = Apply("exp", (argument,))
    names = []
    for function in FUNCTIONS.values():
        if function.arity == 1 and function.definition is not None:
            atoms = {
                Apply("exp", (_without_number(atom.arguments[0]),)) if isinstance(atom, Apply) else atom
                for atom in scalar_atoms(opened(function.definition(argument)))
            }
            if atoms == {kernel}:
                names.append(function.name)
    return tuple(names)

