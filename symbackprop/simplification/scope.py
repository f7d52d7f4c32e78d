"""What is known where an adjoint is simplified: definitions to fold back into, and the user's facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property

from symbackprop.notation.arithmetic import coefficient_and_rest, multiply, power, terms_of
from symbackprop.notation.expressions import (
    Add,
    Apply,
    Axis,
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
from symbackprop.simplification.symmetry import BY_DEFINITION, is_symmetric, stated_symmetries


@dataclass(frozen=True)
class Scope:
    """The equations whose tensors are computed before the one at hand, in their order, and the facts.

    `symmetric` are the tensors that are so in their last two indices, each with the reason.
    """

    definitions: dict[str, Equation] = field(default_factory=dict)
    known: dict[str, Known] = field(default_factory=dict)
    readers: dict[str, dict[str, None]] = field(default_factory=dict)
    order: dict[str, int] = field(default_factory=dict)
    facts: tuple[Fact, ...] = ()
    symmetric: dict[str, str] = field(default_factory=dict)
    index_names: Mapping[Axis, tuple[Index, ...]] = field(default_factory=dict)
    end: int | None = None
    hidden: str = ""

    @classmethod
    def of(cls, system: System, facts: tuple[Fact, ...] = ()) -> Scope:
        """The forward equations of a system: all are computed before the first adjoint."""
        scope = cls(facts=facts, symmetric=stated_symmetries(system), index_names=system.index_names)
        for equation in system.equations:
            scope.add(equation)
        return scope

    def add(self, equation: Equation) -> None:
        """From here on the equation's tensor is known; an equation of the same name is replaced."""
        self.order.setdefault(equation.tensor, len(self.order))
        if equation.tensor not in self.symmetric and is_symmetric(equation, self.symmetric):
            self.symmetric[equation.tensor] = BY_DEFINITION
        if isinstance(equation.expression, Element | Number):
            self.definitions.pop(equation.tensor, None)
            return
        self.definitions[equation.tensor] = equation
        self.known[equation.tensor] = Known(equation)
        for tensor in equation.expression.tensors:
            self.readers.setdefault(tensor, {})[equation.tensor] = None

    def remove(self, tensor: str) -> None:
        """The tensor is not computed any more."""
        self.definitions.pop(tensor, None)

    def before(self, tensor: str, without: str = "") -> Scope:
        """What is known where the equation of `tensor` is computed, but for one name."""
        return replace(self, end=self.order[tensor], hidden=without)

    def near(self, expression: Expression) -> tuple[Equation, ...]:
        """The definitions of the expression's tensors, and those that read one of them."""
        names: dict[str, None] = {}
        for tensor in sorted(expression.tensors):
            names[tensor] = None
            names.update(self.readers.get(tensor, {}))
        return tuple(
            self.definitions[name] for name in names if name in self.definitions and self._is_known(name)
        )

    def _is_known(self, tensor: str) -> bool:
        return tensor != self.hidden and (self.end is None or self.order[tensor] < self.end)

    def relations(self, expression: Expression) -> tuple[Relation, ...]:
        """The definitions that share an atom with the expression, at its indices; cheap functions too."""
        atoms = scalar_atoms(opened(expression))
        found: dict[Expression, Relation] = {}
        for equation in self.near(expression):
            for bindings in self.known[equation.tensor].instances(atoms):
                known = substitute(equation.element, bindings)
                if known not in found:
                    found[known] = Relation(known, substitute(equation.expression, bindings))
        exponentials = [_exponential_of(relation) for relation in found.values()]
        for relation in (*exponentials, *_function_relations(atoms)):
            if relation is not None:
                found.setdefault(relation.known, relation)
        return tuple(found.values())


def scalar_atoms(expression: Expression) -> tuple[Expression, ...]:
    """What a scalar expression is a rational function of: elements, sums, functions, choices."""
    if isinstance(expression, Add | Multiply):
        return tuple(dict.fromkeys(atom for child in expression.children for atom in scalar_atoms(child)))
    if isinstance(expression, Power) and isinstance(expression.exponent, Number):
        if expression.exponent.value.denominator == 1:
            return scalar_atoms(expression.base)
        # A root's radicand is an atom beside the root: sqrt(v + e) knows v + e.
        return (canonical_bound_names(expression), canonical_bound_names(expression.base))
    return () if isinstance(expression, Number) else (canonical_bound_names(expression),)


@dataclass(frozen=True)
class Known:
    """An equation, and what it is made of."""

    equation: Equation

    @cached_property
    def patterns(self) -> tuple[Expression, ...]:
        """The atoms by which an expression is recognised as one that the equation speaks of.

        Beside the definition's own, e^u for every term u that stands beside a logarithm.
        """
        terms = terms_of(self.equation.expression)
        atoms = scalar_atoms(opened(self.equation.expression))
        if not any(_logarithm(term) for term in terms):
            return atoms
        exponentials = [Apply("exp", (term,)) for term in terms if not _logarithm(term)]
        return (*atoms, *(canonical_bound_names(each) for each in exponentials))

    def instances(self, atoms: tuple[Expression, ...]) -> Iterator[Bindings]:
        """The indices at which the definition speaks of one of the atoms."""
        variables = frozenset(self.equation.indices)
        for pattern in self.patterns:
            if pattern.free_indices < variables or (isinstance(pattern, Element) and not pattern.positions):
                continue
            for atom in atoms:
                for bindings in _match_kernel(pattern, atom, variables):
                    if len(bindings) == len(variables):
                        yield bindings


def _match_kernel(pattern: Expression, atom: Expression, variables: frozenset[Index]) -> Iterator[Bindings]:
    """exp(u) and exp(-u) are powers of one atom."""
    if isinstance(pattern, Apply) and isinstance(atom, Apply) and pattern.function == atom.function == "exp":
        yield from match(_without_number(pattern.arguments[0]), _without_number(atom.arguments[0]), variables)
    else:
        yield from match(pattern, atom, variables)


def _without_number(expression: Expression) -> Expression:
    return multiply(*coefficient_and_rest(expression)[1])


def _exponential_of(relation: Relation) -> Relation | None:
    """e^t = e^u/s where t = u - log(s): a name that is a sum with a logarithm knows its exponential too."""
    terms = terms_of(relation.formula)
    if not any(_logarithm(term) for term in terms):
        return None
    factors = [_logarithm(term) or Apply("exp", (term,)) for term in terms]
    return Relation(Apply("exp", (relation.known,)), multiply(*factors))


def _logarithm(term: Expression) -> Expression | None:
    """s^n of n*log(s)."""
    number, rest = coefficient_and_rest(term)
    if (
        len(rest) == 1
        and isinstance(rest[0], Apply)
        and rest[0].function == "log"
        and number.denominator == 1
    ):
        return power(rest[0].arguments[0], Number(number))
    return None


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
    """The functions of the table that are quotients in e^u alone: their name spares the division."""
    argument = Element("?")
    kernel = Apply("exp", (argument,))
    names = []
    for function in FUNCTIONS.values():
        if function.arity == 1 and function.definition is not None:
            formula = opened(function.definition(argument))
            atoms = {
                Apply("exp", (_without_number(atom.arguments[0]),)) if isinstance(atom, Apply) else atom
                for atom in scalar_atoms(formula)
            }
            if atoms == {kernel} and any(isinstance(node, Power) for node in formula.walk()):
                names.append(function.name)
    return tuple(names)
