"""What is known where an adjoint is simplified: definitions to fold back into, and the user's facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property

from symbackprop.notation.arithmetic import coefficient_and_rest, multiply, power, subtract, terms_of
from symbackprop.notation.bounds import Knowledge
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
from symbackprop.notation.guards import branches
from symbackprop.notation.linear import linear_form
from symbackprop.notation.matrices import readings
from symbackprop.notation.partial import Ranges
from symbackprop.notation.substitution import canonical_bound_names, substitute
from symbackprop.notation.system import Equation, Fact, System
from symbackprop.simplification.matching import Bindings, match
from symbackprop.simplification.rational import Relation, opened
from symbackprop.simplification.support import Support, support_of
from symbackprop.simplification.symmetry import BY_DEFINITION, is_symmetric, stated_symmetries


@dataclass(frozen=True)
class RecurrenceStep:
    """Where a tensor stands in a recurrence: `number` says in which, `place` which index is the step.

    The steps are taken upwards where `direction` is 1, downwards where it is -1.
    """

    number: int
    place: int
    direction: int


@dataclass(frozen=True)
class Scope:
    """The equations whose tensors are computed before the one at hand, in their order, and the facts.

    `symmetric` are the tensors that are so in their last two indices, each with the reason.
    `steps` speaks of the adjoints in a recurrence: there, before means in the same step and before in the
    order, or in a step before. `target` is the tensor at hand, at its own indices.
    `free` are tensors that may yet be moved by themselves, so that their equations say nothing of them.
    """

    definitions: dict[str, Equation] = field(default_factory=dict)
    known: dict[str, tuple[Known, ...]] = field(default_factory=dict)
    readers: dict[str, dict[str, None]] = field(default_factory=dict)
    order: dict[str, int] = field(default_factory=dict)
    facts: tuple[Fact, ...] = ()
    symmetric: dict[str, str] = field(default_factory=dict)
    index_names: Mapping[Axis, tuple[Index, ...]] = field(default_factory=dict)
    end: int | None = None
    hidden: str = ""
    steps: Mapping[str, RecurrenceStep] = field(default_factory=dict)
    target: Element | None = None
    ranges: Ranges = field(default_factory=Ranges)
    supports: dict[str, Support] = field(default_factory=dict)
    free: frozenset[str] = frozenset()

    @classmethod
    def of(cls, system: System, facts: tuple[Fact, ...] = (), free: frozenset[str] = frozenset()) -> Scope:
        """The forward equations of a system: all are computed before the first adjoint."""
        symmetric = {name: why for name, why in stated_symmetries(system).items() if name not in free}
        ranges = Ranges.of_tensors(system.tensors.values())
        scope = cls(
            facts=facts, symmetric=symmetric, index_names=system.index_names, ranges=ranges, free=free
        )
        for equation in system.equations:
            scope.add(equation)
        return scope

    def add(self, equation: Equation) -> None:
        """From here on the equation's tensor is known; an equation of the same name is replaced."""
        self.order.setdefault(equation.tensor, len(self.order))
        if equation.tensor in self.free:
            return
        if equation.tensor not in self.symmetric and is_symmetric(equation, self.symmetric):
            self.symmetric[equation.tensor] = BY_DEFINITION
        self.ranges.add(equation)
        self.supports[equation.tensor] = Support(
            equation.indices, support_of(equation.expression, self.supports)
        )
        if isinstance(equation.expression, Element | Number):
            self.definitions.pop(equation.tensor, None)
            return
        self.definitions[equation.tensor] = equation
        self.known[equation.tensor] = tuple(
            Known(equation, branch, conditions) for branch, conditions in branches(equation.expression)
        )
        for tensor in equation.expression.tensors:
            self.readers.setdefault(tensor, {})[equation.tensor] = None

    def remove(self, tensor: str) -> None:
        """The tensor is not computed any more."""
        self.definitions.pop(tensor, None)

    def at(self, target: Element) -> Scope:
        """What is known where a tensor that has no equation yet is computed."""
        return replace(self, target=target)

    def before(self, target: Element, without: str = "") -> Scope:
        """What is known where the equation of a tensor is computed, but for one name."""
        return replace(self, target=target, end=self.order[target.tensor], hidden=without)

    @property
    def own_recurrence(self) -> tuple[dict[str, int], Index | None]:
        """The adjoints in a recurrence with the target, each with the place of its step, and its own step."""
        own = self.steps.get(self.target.tensor) if self.target else None
        if own is None or self.target is None:
            return {}, None
        step = self.target.positions[own.place]
        places = {name: each.place for name, each in self.steps.items() if each.number == own.number}
        return places, step if isinstance(step, Index) else None

    def may_read(self, expression: Expression) -> bool:
        """Whether all members of the target's own recurrence that are read have been computed by then."""
        places, step = self.own_recurrence
        if self.target is None or step is None:
            return True
        direction = self.steps[self.target.tensor].direction
        for read in readings(expression):
            if read.tensor in places:
                offset = linear_form(subtract(read.positions[places[read.tensor]], step))
                ahead = offset.constant * direction
                if offset.coefficients or ahead > 0 or (ahead == 0 and not self._is_known(read.tensor)):
                    return False
        return True

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
        return (
            tensor != self.hidden
            and tensor in self.order
            and (self.end is None or self.order[tensor] < self.end)
        )

    def relations(
        self, expression: Expression, conditions: Sequence[Expression] = ()
    ) -> tuple[Relation, ...]:
        """The definitions that share an atom with the expression, at its indices; cheap functions too.

        A definition by cases is as good as the case that the conditions around the expression choose.
        """
        atoms = scalar_atoms(opened(expression))
        by_tensors = _by_tensors(atoms)
        found: dict[Expression, Relation] = {}
        for equation in self.near(expression):
            for case in self.known[equation.tensor]:
                for bindings in case.instances(by_tensors):
                    known = substitute(equation.element, bindings)
                    formula = substitute(case.formula, bindings)
                    if case.conditions and formula == expression:
                        continue  # the choice around it is the whole definition
                    if known not in found and case.holds(bindings, conditions) and self.may_read(known):
                        found[known] = Relation(known, formula)
        exponentials = [_exponential_of(relation) for relation in found.values()]
        for relation in (*exponentials, *_function_relations(expression, atoms)):
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


def _by_tensors(atoms: Sequence[Expression]) -> dict[frozenset[str], list[Expression]]:
    """The atoms by the tensors that they read: only indices may differ in a match."""
    found: dict[frozenset[str], list[Expression]] = {}
    for atom in atoms:
        found.setdefault(atom.tensors, []).append(atom)
    return found


@dataclass(frozen=True)
class Known:
    """An equation, or one case of it, and what it is made of."""

    equation: Equation
    formula: Expression
    conditions: tuple[Expression, ...] = ()

    def holds(self, bindings: Bindings, around: Sequence[Expression]) -> bool:
        """Whether the conditions around a place say that this case is the one that counts there."""
        if not self.conditions:
            return True
        known = Knowledge.of((), [each for each in around if not each.tensors])
        return bool(around) and all(
            condition in around or (not condition.tensors and known.proves(condition))
            for condition in (substitute(each, bindings) for each in self.conditions)
        )

    @cached_property
    def patterns(self) -> tuple[Expression, ...]:
        """The atoms by which an expression is recognised as one that the equation speaks of.

        Beside the definition's own, e^u for every term u that stands beside a logarithm.
        """
        terms = terms_of(self.formula)
        atoms = scalar_atoms(opened(self.formula))
        if not any(_logarithm(term) for term in terms):
            return atoms
        exponentials = [Apply("exp", (term,)) for term in terms if not _logarithm(term)]
        return (*atoms, *(canonical_bound_names(each) for each in exponentials))

    def instances(self, atoms: Mapping[frozenset[str], Sequence[Expression]]) -> Iterator[Bindings]:
        """The indices at which the definition speaks of one of the atoms, which come by their tensors."""
        variables = frozenset(self.equation.indices)
        for pattern in self.patterns:
            if pattern.free_indices < variables or (isinstance(pattern, Element) and not pattern.positions):
                continue
            for atom in atoms.get(pattern.tensors, ()):
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


def _function_relations(expression: Expression, atoms: tuple[Expression, ...]) -> Iterator[Relation]:
    """sigmoid(w) = 1/(1 + e^-w) and its like, for each e^w in sight, w with the expression's bound names."""
    arguments = dict.fromkeys(
        _without_number(node.arguments[0])
        for node in opened(expression).walk()
        if isinstance(node, Apply) and node.function == "exp" and canonical_bound_names(node) in atoms
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
