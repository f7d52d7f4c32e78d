"""What is known where an adjoint is simplified: definitions to fold back into, and the user's facts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from symbackprop.algebra.known_equations import (
    CROWDED,
    Definition,
    Known,
    cases_of,
    exponential_of,
    function_relations,
    logarithms_in,
    without_logarithms,
)
from symbackprop.algebra.opened import Key, atoms_by_keys, opened, scalar_atoms
from symbackprop.algebra.rational import Relation
from symbackprop.algebra.reassociation import is_sum_of_product
from symbackprop.cost.expressions import terms_multiplied_out
from symbackprop.integers.linear import linear_form
from symbackprop.notation.arithmetic import coefficient_and_rest, is_sum, subtract
from symbackprop.notation.expressions import (
    Axis,
    Element,
    Expression,
    Index,
    Number,
)
from symbackprop.notation.layered import Layered
from symbackprop.notation.matrix_functions import readings
from symbackprop.notation.substitution import substitute
from symbackprop.presentation.means.weighted import takes_off
from symbackprop.rules.support import Support, support_of
from symbackprop.rules.symmetry import BY_DEFINITION, is_symmetric, stated_symmetries
from symbackprop.systems.demands import Demands, outside_branches
from symbackprop.systems.partial import Ranges
from symbackprop.systems.recurrence_steps import OwnRecurrence, RecurrenceStep, offsets_in, places_in
from symbackprop.systems.system import Equation, Fact, System

NO_READERS: Layered[str, int] = Layered()


@dataclass(frozen=True)
class Scope:
    """The equations whose tensors are computed before the one at hand, in their order, and the facts.

    `symmetric` are the tensors that are so in their last two indices, each with the reason.
    `steps` speaks of the adjoints in a recurrence, the outermost step first: there, before means in the same
    step and before in the order, or in a step before. `target` is the tensor at hand, at its own indices.
    `free` are tensors that may yet be moved by themselves, so that their equations say nothing of them.
    `demands` are those of the system's equations, `exceeding` the adjoints that may be undefined all the
    same.
    Of the equations that read a tensor, `readers` numbers all; `sums_by_tensor` files each sum of products
    under one tensor that it reads, `by_key` all under what their patterns share with what they speak of.
    """

    definitions: Layered[str, Equation] = field(default_factory=Layered)
    known: Layered[str, tuple[Known, ...]] = field(default_factory=Layered)
    readers: Layered[str, Layered[str, int]] = field(default_factory=Layered)
    by_key: Layered[Key, frozenset[str]] = field(default_factory=Layered)
    sums_by_tensor: Layered[str, frozenset[str]] = field(default_factory=Layered)
    order: Layered[str, int] = field(default_factory=Layered)
    facts: tuple[Fact, ...] = ()
    symmetric: Layered[str, str] = field(default_factory=Layered)
    index_names: Mapping[Axis, tuple[Index, ...]] = field(default_factory=dict)
    end: int | None = None
    hidden: str = ""
    steps: Mapping[str, tuple[RecurrenceStep, ...]] = field(default_factory=dict)
    target: Element | None = None
    ranges: Ranges = field(default_factory=Ranges)
    supports: Layered[str, Support] = field(default_factory=Layered)
    free: frozenset[str] = frozenset()
    demands: Demands = field(default_factory=Demands)
    exceeding: frozenset[str] = frozenset()

    @classmethod
    def of(cls, system: System, facts: tuple[Fact, ...] = (), free: frozenset[str] = frozenset()) -> Scope:
        """The forward equations of a system: all are computed before the first adjoint."""
        symmetric = {name: why for name, why in stated_symmetries(system).items() if name not in free}
        ranges = Ranges.of_tensors(system.tensors.values())
        scope = cls(
            facts=facts, symmetric=Layered(symmetric), index_names=system.index_names, ranges=ranges,
            free=free, demands=Demands.of(system.equations),
        )  # fmt: skip
        return scope.with_equations(system.equations)

    def with_equations(self, equations: Sequence[Equation]) -> Scope:
        """What is known after these have been computed; an equation of the same name is replaced."""
        order, symmetric, supports = self.order, self.symmetric, self.supports
        definitions, known, readers = self.definitions, self.known, self.readers
        by_key, sums = self.by_key, self.sums_by_tensor
        telling = [equation for equation in equations if equation.tensor not in self.free]
        for equation in equations:
            if equation.tensor not in order:
                order = order.having(equation.tensor, len(order))
        for equation in telling:
            name, expression = equation.tensor, equation.expression
            if name not in symmetric and is_symmetric(equation, symmetric):
                symmetric = symmetric.having(name, BY_DEFINITION)
            supports = supports.having(name, Support(equation.indices, support_of(expression, supports)))
            if isinstance(expression, Element | Number):
                definitions = definitions.without(name)
                continue
            definitions = definitions.having(name, equation)
            cases = _cases(equation, partial(_defined, definitions))
            known = known.having(name, cases)
            apart = (case.apart.tensors for case in cases if case.apart is not None)
            for tensor in expression.tensors.union(*apart):
                before = readers.get(tensor, NO_READERS)
                if name not in before:
                    readers = readers.having(tensor, before.having(name, len(before)))
            if expression.tensors and is_sum_of_product(expression):
                rarest = min(sorted(expression.tensors), key=lambda tensor: len(sums.get(tensor, ())))
                sums = sums.having(rarest, sums.get(rarest, frozenset()) | {name})
            for key in {key for case in cases for key, _ in case.kernels}:
                by_key = by_key.having(key, by_key.get(key, frozenset()) | {name})
        return replace(
            self,
            definitions=definitions,
            known=known,
            readers=readers,
            by_key=by_key,
            sums_by_tensor=sums,
            order=order,
            symmetric=symmetric,
            supports=supports,
            ranges=self.ranges.with_equations(telling),
            exceeding=self._exceeding_with(equations),
        )

    def _exceeding_with(self, equations: Sequence[Equation]) -> frozenset[str]:
        adjoints = [equation for equation in equations if equation.tensor not in self.demands.formulas]
        return self.exceeding.union(
            each.tensor for each in adjoints if self.may_be_undefined(each.expression)
        )

    def may_be_undefined(self, expression: Expression) -> bool:
        """Whether it may be undefined where all equations of the system have values."""
        return self.demands.are_exceeded(expression, self.exceeding, self.ranges)

    def without(self, tensor: str) -> Scope:
        """What is known where nothing is recognised by the tensor's definition any more."""
        return replace(self, definitions=self.definitions.without(tensor))

    def at(self, target: Element) -> Scope:
        """What is known where a tensor that has no equation yet is computed."""
        return replace(self, target=target)

    def before(self, target: Element, without: str = "") -> Scope:
        """What is known where the equation of a tensor is computed, but for one name."""
        return replace(self, target=target, end=self.order[target.tensor], hidden=without)

    @property
    def own_recurrences(self) -> tuple[OwnRecurrence, ...]:
        """The recurrences that the target is computed in, the outermost first."""
        if self.target is None:
            return ()
        found: list[OwnRecurrence] = []
        for own in self.steps.get(self.target.tensor, ()):
            step = self.target.positions[own.place]
            if isinstance(step, Index):
                offsets = offsets_in(self.steps, own)
                found.append(OwnRecurrence(places_in(self.steps, own.number), step, own.direction, offsets))
        return tuple(found)

    def may_read(self, expression: Expression) -> bool:
        """Whether all members of the target's own recurrences that are read have been computed by then."""
        recurrences = self.own_recurrences
        return all(self._is_computed(read, recurrences) for read in readings(expression))

    def _is_computed(self, read: Element, recurrences: tuple[OwnRecurrence, ...]) -> bool:
        """The outermost step that is another one decides."""
        around = [each for each in recurrences if read.tensor in each.places]
        for each in around:
            offset = linear_form(subtract(read.positions[each.places[read.tensor]], each.step))
            ahead = (offset.constant - each.offsets[read.tensor]) * each.direction
            if offset.coefficients or ahead > 0:
                return False
            if ahead < 0:
                return True
        return not around or self._is_known(read.tensor)

    def sums_near(self, expression: Expression) -> tuple[Equation, ...]:
        """The definitions that are sums of products: of the expression's tensors, or what may stand in it.

        What stands in it reads what the expression reads, or the definition of one of its tensors.
        """
        own = [name for name in expression.tensors if name in self.definitions]
        read = expression.tensors.union(*(self.definitions[name].expression.tensors for name in own))
        found = {name for tensor in read for name in self.sums_by_tensor.get(tensor, ())}
        near = self._in_order(found.union(own), expression)
        return tuple([each for each in near if is_sum_of_product(each.expression)])

    def _in_order(self, names: Iterable[str], expression: Expression) -> list[Equation]:
        """The known definitions of these that are of the expression's tensors or read one, by tensors."""
        tensors = sorted(expression.tensors)
        placed: list[tuple[int, int, Equation]] = []
        for name in names:
            if name in self.definitions and self._is_known(name):
                for place, tensor in enumerate(tensors):
                    rank = -1 if tensor == name else self.readers.get(tensor, NO_READERS).get(name)
                    if rank is not None:
                        placed.append((place, rank, self.definitions[name]))
                        break
        return [equation for _, _, equation in sorted(placed, key=lambda each: each[:2])]

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

        A definition by cases is as good as the case that the conditions around the expression choose. One of
        very many terms is none for an expression without half of them: it would bring in the others.
        """
        crowded = max(CROWDED, 2 * terms_multiplied_out(expression) + 1)
        atoms = scalar_atoms(opened(expression))
        by_keys = atoms_by_keys(atoms)
        names = {name for key in by_keys for name in self.by_key.get(key, ())}
        found: dict[Expression, Relation] = {}
        for equation in self._in_order(names, expression):
            if equation.tensor in self.exceeding and self._asks_more(equation, expression):
                continue
            for case in self.known[equation.tensor]:
                if case.terms >= crowded:
                    continue
                for bindings in case.instances(by_keys, conditions):
                    known = substitute(equation.element, bindings)
                    formula = substitute(case.formula, bindings)
                    if case.conditions and formula == expression:
                        continue  # the `where` around it is the whole definition
                    if known not in found and case.holds(bindings, conditions) and self.may_read(known):
                        found[known] = Relation(known, formula)
        exponentials = [exponential_of(relation) for relation in found.values()]
        logarithms = [each for relation in found.values() for each in self._logarithms_of(relation)]
        for relation in (*exponentials, *function_relations(expression, atoms), *logarithms):
            if relation is not None:
                found.setdefault(relation.known, relation)
        return tuple(found.values())

    def sums_taken_off(self, expression: Expression) -> tuple[Relation, ...]:
        """The definitions of names m = sum(i, w*f) that the expression takes off the same f."""
        names = dict.fromkeys(node for node in expression.walk() if isinstance(node, Element))
        behind = {name: self._sums_behind(name) for name in names}
        found = (each for name in names if takes_off(expression, name, behind[name]) for each in behind[name])
        return tuple([Relation(*each) for each in dict.fromkeys(found)])

    def _sums_behind(self, name: Element) -> tuple[tuple[Element, Expression], ...]:
        """The definition of a name of a sum, or of a multiple of one with that of the sum."""
        formula = _defined(self.definitions, name)
        if formula is None or not self._is_known(name.tensor) or not self.may_read(name):
            return ()
        if is_sum(formula):
            return ((name, formula),)
        match coefficient_and_rest(formula):
            case _, [Element() as other]:
                further = _defined(self.definitions, other)
                is_named = further is not None and is_sum(further) and self._is_known(other.tensor)
                return ((name, formula), (other, further)) if further is not None and is_named else ()
        return ()

    def _asks_more(self, equation: Equation, expression: Expression) -> bool:
        """Whether an adjoint may be undefined where the expression is not, and so must not stand in it."""
        asked = self.demands.and_of(expression)
        read = {each.tensor for each in outside_branches(expression) if isinstance(each, Element)}
        return asked.are_exceeded(equation.expression, self.exceeding - {equation.tensor, *read}, self.ranges)

    def _logarithms_of(self, relation: Relation) -> Iterator[Relation]:
        """The definitions l = log(s) that make e^u/s of the relation's e^(u - l)."""
        named = logarithms_in(relation.formula, partial(_defined, self.definitions))
        for name, formula in named.items():
            if self._is_known(name.tensor) and self.may_read(name):
                yield Relation(name, formula)


def _cases(equation: Equation, written: Definition) -> tuple[Known, ...]:
    cases = cases_of(equation.expression)
    return tuple([Known(equation, *each, without_logarithms(each[0], written)) for each in cases])


def _defined(definitions: Mapping[str, Equation], element: Element) -> Expression | None:
    """What an element is by definition."""
    equation = definitions.get(element.tensor)
    if equation is None or len(equation.indices) != len(element.positions):
        return None
    return substitute(equation.expression, dict(zip(equation.indices, element.positions, strict=True)))
