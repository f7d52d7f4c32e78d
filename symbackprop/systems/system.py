"""A system of equations: what a model is, and what a gradient is again."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from symbackprop.errors import NotationError, Place
from symbackprop.integers.guards import GuardedRead, guarded_reads
from symbackprop.integers.relations import Relation
from symbackprop.integers.whole_definitions import Word
from symbackprop.languages.phrases import worded
from symbackprop.notation.expressions import Axis, Element, Expression, Index, Reduction, Size
from symbackprop.notation.faces import Formula, Summary, counted
from symbackprop.notation.matrix_functions import MatrixFunction
from symbackprop.notation.substitution import substitute, tensors_read
from symbackprop.systems.components import closure


class Role(enum.Enum):
    """Where a tensor's values come from."""

    INPUT = "input"
    TARGET = "target"
    PARAMETER = "param"
    SIZE = "size"
    CONSTANT = "const"
    DERIVED = "derived"


DATA_ROLES = (Role.INPUT, Role.TARGET, Role.CONSTANT)
PASSED_ROLES = (*DATA_ROLES, Role.SIZE)  # what a call is given beside the parameters
DECLARED_ROLES = (*PASSED_ROLES, Role.PARAMETER)  # all but what an equation computes


@dataclass(frozen=True)
class Tensor:
    """A name with axes; the array layout is the order of `indices`. A scalar has none.

    `values` is the axis that the values of an integer tensor index, None for a tensor of real numbers; along
    the last index they are each of its places once where it is `permuted`, and sort the tensor `sorts`.
    `symbol` is the LaTeX that the model gives it, "" where it is read from the name. One of the role SIZE
    stands for the size of its axis, which nothing else gives; no equation reads its values.
    """

    name: str
    indices: tuple[Index, ...]
    role: Role
    place: Place | None = field(default=None, compare=False)
    values: Axis | None = None
    permuted: bool = False
    sorts: str = ""
    symbol: str = field(default="", compare=False)

    @property
    def element(self) -> Element:
        """The tensor at its own indices: `W1[j,i]`."""
        return Element(self.name, self.indices, self.values if self.role in DATA_ROLES else None)


@dataclass(frozen=True, repr=False)
class Equation(Formula):
    """tensor[indices] = expression, for every value of the indices, which differ from one another."""

    tensor: str
    indices: tuple[Index, ...]
    expression: Expression
    place: Place | None = field(default=None, compare=False)

    @property
    def element(self) -> Element:
        """The left-hand side."""
        return Element(self.tensor, self.indices)

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """The tensors on the right-hand side, each once, in reading order."""
        return tensors_read(self.expression)

    @cached_property
    def axes(self) -> frozenset[str]:
        """The names of the axes that it runs over or reads."""
        indices = set(self.indices)
        for node in self.expression.walk():
            if isinstance(node, Reduction):
                indices.update(node.indices)
            elif isinstance(node, Element | MatrixFunction):
                indices.update(node.free_indices)
        return frozenset([index.axis.name for index in indices])

    def at(self, positions: tuple[Expression, ...]) -> Expression:
        """The right-hand side at these positions, one for each index, written out once for each."""
        known = self._written_out.setdefault(positions, [])  # equal positions, with terms in other orders
        alike = (found for given, found in known if all(map(Expression.is_identical, given, positions)))
        if (found := next(alike, None)) is None:
            found = substitute(self.expression, dict(zip(self.indices, positions, strict=True)))
            known.append((positions, found))
        return found

    @cached_property
    def _written_out(self) -> dict[tuple[Expression, ...], list[tuple[tuple[Expression, ...], Expression]]]:
        return {self.indices: [(self.indices, self.expression)]}


@dataclass(frozen=True)
class Fact:
    """left == right for every value of the free indices: what the user knows and the algebra may use.

    The equations of its `users` have been simplified by it, and hold only where it does.
    """

    left: Expression
    right: Expression
    place: Place | None = field(default=None, compare=False)
    users: tuple[str, ...] = field(default=(), compare=False)

    @property
    def tensors(self) -> frozenset[str]:
        """The tensors that it speaks of."""
        return frozenset((*tensors_read(self.left), *tensors_read(self.right)))


@dataclass(frozen=True)
class PositiveDefinite:
    """P[i,j] == P[j,i], and sum(i, j, v[i]*P[i,j]*v[j]) > 0 for every v but 0: a fact of all P's matrices."""

    tensor: str
    place: Place | None = field(default=None, compare=False)
    users: tuple[str, ...] = field(default=(), compare=False)

    @property
    def tensors(self) -> frozenset[str]:
        """The tensor."""
        return frozenset((self.tensor,))


@dataclass(frozen=True, repr=False)
class System(Summary):
    """A model: axes, tensors, equations, facts.

    Each equation reads only earlier ones, but for the members of a recurrence (`systems.ordering`), which
    stand side by side and read one another at other steps.

    `loss` names the scalar that is differentiated, or is None where the model has none. `source` is the
    text that the system came from, for headers and hashes. `relations` are those of the axes' sizes, `blocks`
    the names of an axis' blocks, in their order, by the name of the axis.
    `shorthands` are what it is printed by: words for composite expressions, softmax or norm, decimals, 0.2,
    fractions, 1/4, and definitions of whole numbers that positions name.
    """

    name: str
    axes: tuple[Axis, ...]
    tensors: Mapping[str, Tensor]
    equations: tuple[Equation, ...]
    facts: tuple[Fact, ...] = ()
    loss: str | None = None
    source: str = ""
    positive_definite: tuple[PositiveDefinite, ...] = ()
    relations: tuple[Relation, ...] = ()
    blocks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    shorthands: frozenset[Word] = frozenset()

    @property
    def summary(self) -> str:
        """Its name, how many equations and parameters it has."""
        parameters = counted(len(self.with_role(Role.PARAMETER)), "parameter")
        return f"{self.name}: {counted(len(self.equations), 'equation')}, {parameters}"

    @cached_property
    def definitions(self) -> Mapping[str, Equation]:
        """Derived tensor's name to its equation."""
        return {equation.tensor: equation for equation in self.equations}

    @cached_property
    def integers(self) -> Mapping[str, Axis]:
        """The tensors that hold integers, and the axis of which they are places."""
        return {name: each.values for name, each in self.tensors.items() if each.values is not None}

    @cached_property
    def places(self) -> Mapping[str, Axis]:
        """Those of them that recurrences define, step by step."""
        return {name: axis for name, axis in self.integers.items() if name in self.definitions}

    @cached_property
    def consumers(self) -> Mapping[str, tuple[Equation, ...]]:
        """Tensor's name to the equations that read it, in the system's order."""
        found: dict[str, list[Equation]] = {name: [] for name in self.tensors}
        for equation in self.equations:
            for name in equation.reads:
                found[name].append(equation)
        return {name: tuple(equations) for name, equations in found.items()}

    @cached_property
    def reads(self) -> tuple[GuardedRead, ...]:
        """Every read of the equations, with the conditions under which it is looked at."""
        return tuple(read for equation in self.equations for read in guarded_reads(equation.expression))

    @cached_property
    def index_names(self) -> Mapping[Axis, tuple[Index, ...]]:
        """Each axis' indices, in the order in which declarations and equations name them."""
        found: dict[Axis, dict[Index, None]] = {axis: {Index(axis.label, axis): None} for axis in self.axes}
        for index in self._indices():
            found[index.axis][index] = None
        return {axis: tuple(indices) for axis, indices in found.items()}

    def _expressions(self) -> Iterator[Expression]:
        """The tensors at their own indices, the sides of facts and of equations."""
        yield from (tensor.element for tensor in self.tensors.values())
        yield from (side for fact in self.facts for side in (fact.left, fact.right))
        yield from (equation.expression for equation in self.equations)

    def _indices(self) -> Iterator[Index]:
        """Every index that is named, wherever it is."""
        for expression in self._expressions():
            for node in expression.walk():
                yield from node.indices if isinstance(node, Reduction) else ()
                if isinstance(node, Index):
                    yield node

    @cached_property
    def read_by_facts(self) -> frozenset[str]:
        """The tensors that the equalities among the facts speak of."""
        return frozenset(name for fact in self.facts for name in fact.tensors)

    def behind_facts(self) -> System:
        """The facts and what they rest on: the tensors and equations behind them, and their axes."""
        definite = (fact.tensor for fact in self.positive_definite)
        behind = self.precedents((*self.read_by_facts, *definite))
        tensors = {name: tensor for name, tensor in self.tensors.items() if name in behind}
        equations = tuple(equation for equation in self.equations if equation.tensor in behind)
        rest = replace(self, tensors=tensors, equations=equations, loss=None)
        return rest.with_used_axes()

    def with_equations(self, equations: Iterable[Equation]) -> System:
        """The system with these equations in the place of its own, and a tensor for each new one."""
        equations = tuple(equations)
        added = {
            each.tensor: Tensor(each.tensor, each.indices, Role.DERIVED)
            for each in equations
            if each.tensor not in self.tensors
        }
        return replace(self, tensors={**self.tensors, **added}, equations=equations)

    def without_facts_on(self, names: Iterable[str]) -> System:
        """The system without the facts that speak of these tensors or of what depends on them."""
        moved = self.dependents(names)
        facts = tuple(fact for fact in self.facts if moved.isdisjoint(fact.tensors))
        definite = tuple(each for each in self.positive_definite if each.tensor not in moved)
        return replace(self, facts=facts, positive_definite=definite)

    def with_facts_of(self, other: System) -> System:
        """The system with another's facts; those that it has not itself have simplified no equation."""
        facts = {fact: fact for fact in self.facts}
        definite = {fact: fact for fact in self.positive_definite}
        return replace(
            self,
            facts=tuple([facts.get(fact, replace(fact, users=())) for fact in other.facts]),
            positive_definite=tuple(
                [definite.get(fact, replace(fact, users=())) for fact in other.positive_definite]
            ),
        )

    def with_used_axes(self) -> System:
        """The system without the axes that nothing speaks of."""
        used = {tensor.values for tensor in self.tensors.values()}
        for expression in self._expressions():
            for node in expression.walk():
                if isinstance(node, Reduction):
                    used.update(index.axis for index in node.indices)
                elif isinstance(node, Index | Size | MatrixFunction):
                    used.add(node.axis)
        axes = tuple(axis for axis in self.axes if axis in used)
        names = {axis.name for axis in axes}
        relations = tuple(relation for relation in self.relations if names.issuperset(relation.axes))
        blocks = {name: words for name, words in self.blocks.items() if name in names}
        return replace(self, axes=axes, relations=relations, blocks=blocks)

    def dependents(self, names: Iterable[str]) -> frozenset[str]:
        """These tensors and all that are computed from them, directly or by way of others."""
        return closure(names, lambda name: (equation.tensor for equation in self.consumers.get(name, ())))

    def precedents(self, names: Iterable[str]) -> frozenset[str]:
        """These tensors and all that they are computed from, directly or by way of others."""
        return closure(names, lambda name: self.definitions[name].reads if name in self.definitions else ())

    def with_role(self, *roles: Role) -> tuple[Tensor, ...]:
        """The tensors of these roles, in declared order."""
        return tuple(tensor for tensor in self.tensors.values() if tensor.role in roles)

    def tensor(self, name: str) -> Tensor:
        """The tensor of that name; NotationError where there is none."""
        if name not in self.tensors:
            known = ", ".join(self.tensors)
            raise NotationError(
                worded("the model has no tensor named '{name}'", name=name),
                remedy=worded("it has {known}", known=known),
            )
        return self.tensors[name]
