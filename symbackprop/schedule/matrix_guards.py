"""Matrices that only `where`s read: the identity stands in the place of what is not chosen.

    y[t,i] = where(t > 0, sum(j, inv(M[t-1])[i,j]*x[t,j]), 0)

is read as

    M_chosen[t,i,j] = where(t > 0, M[t-1,i,j], delta(i,j))
    y[t,i] = where(t > 0, sum(j, inv(M_chosen[t])[i,j]*x[t,j]), 0)

for all matrices of an array are inverted at once, and one that is not chosen may be singular, or no matrix.
Where a recurrence chooses by its own state, a matrix is chosen, and inverted, at each step:

    h[t,i] = where(h[t-1,i] > 0, sum(j, inv(M)[i,j]*x[j]), x[i])
    M_chosen[t,i,i',j] = where(h[t-1,i] > 0, M[i',j], delta(i',j))
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from symbackprop.integers.bounds import conjunction, unproved_bounds
from symbackprop.integers.guards import guarded_children
from symbackprop.notation.expressions import (
    ONE,
    ZERO,
    Comparison,
    Delta,
    Element,
    Expression,
    Index,
    Reduction,
    Where,
)
from symbackprop.notation.fresh_names import numbered_name
from symbackprop.notation.matrix_functions import MatrixFunction
from symbackprop.notation.substitution import fresh_index, rename_bound
from symbackprop.rewriting.naming import NamingRule, by_tensor
from symbackprop.schedule.given_names import MatrixGuards
from symbackprop.schedule.named_equations import NamedEquation, Part, items_in_reading_order
from symbackprop.schedule.occurrences import key_of
from symbackprop.schedule.terms import free_in_order
from symbackprop.systems.ordering import stages_of
from symbackprop.systems.system import Equation, Tensor

Indices = tuple[Index, ...]
Conditions = tuple[Expression, ...]

CHOSEN_MATRICES = NamingRule(
    MatrixGuards,
    where=("the operation fails for some matrices",),
    example="b[j] = where(c > 0, inv(T)[j,0], 0)",
    near_miss="b[j] = where(c > 0, det(T)*y[j], 0)",
)


@dataclass(frozen=True)
class GuardedMatrices:
    """The equations, in reading order, and all positive definite tensors, each with that of the fact."""

    equations: tuple[NamedEquation, ...]
    positive_definite: Mapping[str, str]


def with_guarded_matrices(
    items: Sequence[NamedEquation], tensors: Mapping[str, Tensor], positive_definite: Collection[str]
) -> GuardedMatrices:
    """The equations, with one of its own for each matrix that is read under conditions."""
    layouts = {name: tensor.indices for name, tensor in tensors.items()}
    layouts.update({item.equation.tensor: item.equation.indices for item in items})
    naming = _ChosenMatrices(layouts, positive_definite, set(layouts))
    states = _states_of(tuple(item.equation for item in items))
    result: list[NamedEquation] = []
    matrices: dict[str, Equation] = {}
    for item in items:
        state = states.get(item.equation.tensor, _NO_STATE)
        before = item.equation.expression
        changed = naming.read(before, (), state)
        result += [item.temporary(Part.CHOSEN_MATRICES, equation) for equation in naming.introduced]
        matrices = {**matrices, **by_tensor(naming.introduced)}
        result.append(item.computing(changed, CHOSEN_MATRICES.steps(before, changed, matrices)))
        naming.introduced.clear()
    ordered = items_in_reading_order(result) if naming.names else tuple(result)
    stated = {name: name for name in positive_definite}
    return GuardedMatrices(ordered, {**stated, **naming.definite})


@dataclass(frozen=True)
class _State:
    """The tensors that are computed in turns with an equation's, and the indices that count the steps."""

    tensors: frozenset[str] = frozenset()
    step: Indices = ()


_NO_STATE = _State()


def _states_of(equations: Sequence[Equation]) -> dict[str, _State]:
    """The state of each member of a recurrence that reads a matrix."""
    if not any(_reads_a_matrix(equation.expression) for equation in equations):
        return {}
    return {
        equation.tensor: _State(
            frozenset(member.tensor for member in stage.equations), stage.recurrence.steps(equation)
        )
        for stage in stages_of(equations)
        if stage.recurrence is not None
        for equation in stage.equations
    }


def _reads_a_matrix(expression: Expression) -> bool:
    return any(isinstance(node, MatrixFunction) for node in expression.walk())


@dataclass
class _ChosenMatrices:
    layouts: Mapping[str, Indices]
    positive_definite: Collection[str]
    taken: set[str]
    names: dict[Expression, str] = field(default_factory=dict)
    introduced: list[Equation] = field(default_factory=list)
    definite: dict[str, str] = field(default_factory=dict)

    def read(self, expression: Expression, conditions: Conditions, state: _State) -> Expression:
        """The expression, where every matrix that may be read in vain is sound."""
        if not _reads_a_matrix(expression):
            return expression
        if isinstance(expression, Reduction):
            around = (index for condition in conditions for index in condition.free_indices)
            expression = rename_bound(expression, (*around, *state.step))
        children = [
            self.read(child, inside, state) for child, inside in guarded_children(expression, conditions)
        ]
        expression = expression.with_children(tuple(children))
        if isinstance(expression, MatrixFunction) and self._may_fail(expression):
            # What takes an inverse itself is worked out everywhere, and guards none.
            known = [each for each in conditions if not _takes_an_inverse(each)]
            batch = _batch_of(expression, known, state)
            guard = self._guard(expression, known, frozenset(batch))
            return expression if guard is None else self._chosen(expression, guard, batch)
        return expression

    def _may_fail(self, node: MatrixFunction) -> bool:
        """Whether the operation fails for some matrices; a determinant of any matrix is a number."""
        is_cholesky = node.kind == "logdet" and node.tensor in self.positive_definite
        return bool(node.positions) or is_cholesky

    def _guard(
        self, node: MatrixFunction, conditions: Sequence[Expression], batch: frozenset[Index]
    ) -> Expression | None:
        """Whether anybody reads a matrix: the conditions, for some value of all indices but the batch's."""
        own = [each for each in conditions if each.free_indices <= batch]
        linked = _linked([each for each in conditions if each not in own], batch)
        own += self._bounds(node, conditions, own)
        if linked:
            others = tuple(index for index in free_in_order(conjunction(linked)) if index not in batch)
            count = Reduction("sum", others, Where(conjunction(linked), ONE, ZERO))
            own.append(Comparison(">", count, ZERO))
        return conjunction(own) if own else None

    def _bounds(
        self, node: MatrixFunction, conditions: Sequence[Expression], own: Sequence[Expression]
    ) -> list[Expression]:
        """That batch positions lie inside, where conditions on other indices alone say so: n > 0 for M[1].

        A bound that does not follow is left to the module, which raises where it fails.
        """
        axes = [index.axis for index in self.layouts[node.tensor]]
        return [
            bound
            for position, axis in zip(node.batch, axes, strict=False)
            for bound in unproved_bounds(position, axis, own)
            if bound not in unproved_bounds(position, axis, conditions)
        ]

    def _chosen(self, node: MatrixFunction, guard: Expression, batch: Indices) -> MatrixFunction:
        """The function of matrices that stand in the model's where the guard holds."""
        row, column = self.layouts[node.tensor][-2:]
        row = fresh_index(row, batch)
        column = fresh_index(column, (*batch, row))
        indices = (*batch, row, column)
        matrix = Where(guard, Element(node.tensor, (*node.batch, row, column)), Delta(row, column))
        key = key_of(matrix, indices)
        if key not in self.names:
            name = numbered_name(f"{node.tensor}_chosen", self.taken)
            self.taken.add(name)
            self.names[key] = name
            self.introduced.append(Equation(name, indices, matrix))
            if node.tensor in self.positive_definite:
                self.definite[name] = node.tensor
        return replace(node, tensor=self.names[key], batch=batch)


def _batch_of(node: MatrixFunction, conditions: Sequence[Expression], state: _State) -> Indices:
    """The indices that tell one chosen matrix from another: with those by which the state chooses."""
    by_state = [each for each in conditions if each.tensors & state.tensors]
    if not by_state:
        return node.batch_indices
    return tuple(dict.fromkeys((*state.step, *free_in_order(conjunction(by_state)), *node.batch_indices)))


def _takes_an_inverse(condition: Expression) -> bool:
    return any(isinstance(node, MatrixFunction) and node.positions for node in condition.walk())


def _linked(conditions: Sequence[Expression], batch: frozenset[Index]) -> list[Expression]:
    """The conditions that tell matrices apart, by way of other indices too, and those on values.

    A condition on other indices alone, n > 0, holds for some n as soon as there are a few, and so does one
    that n is where a maximum stands.
    """
    conditions = [each for each in conditions if not _is_place_of_maximum(each, batch)]
    met = set(batch)
    found: list[Expression] = []
    while True:
        more = [
            each for each in conditions if each not in found and (each.tensors or each.free_indices & met)
        ]
        if not more:
            return [each for each in conditions if each in found]
        found += more
        met.update(*(each.free_indices for each in more))


def _is_place_of_maximum(condition: Expression, batch: frozenset[Index]) -> bool:
    match condition:
        case Comparison("==", Reduction("argmax"), place):
            return bool(place.free_indices) and not place.free_indices & batch
    return False
