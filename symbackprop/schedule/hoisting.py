"""Loop-invariant code motion: parts of a recurrence's equations that read no loop-carried tensor.

    h[t,j] = tanh(sum(i, W[j,i]*x[t,i]) + b[j] + sum(k, U[j,k]*h[t-1,k]))

becomes, with one matrix product for all steps before the loop,

    h_total[t,j] = sum(i, W[j,i]*x[t,i]) + b[j]
    h[t,j] = tanh(h_total[t,j] + sum(k, U[j,k]*h[t-1,k]))

Of a sum or product, the terms or factors that are free of the recurrence move out together. What is read at
certain steps only (t == size(t)-1) stays: Python does not compute what is not chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from symbackprop.integers.guards import reads_inside
from symbackprop.integers.recognition import has_positions
from symbackprop.notation.arithmetic import add, multiply
from symbackprop.notation.expressions import (
    ZERO,
    Add,
    Apply,
    Comparison,
    Delta,
    Element,
    Expression,
    Index,
    Logic,
    Multiply,
    Power,
    Reduction,
    Where,
)
from symbackprop.notation.matrix_functions import MatrixFunction
from symbackprop.notation.substitution import canonical_bound_names, tidy_bound_names
from symbackprop.rewriting.naming import NamingRule
from symbackprop.rewriting.premises import KnownRanges, Recurrence
from symbackprop.rewriting.replacements import Renaming
from symbackprop.rewriting.rule import Step, WholeRule
from symbackprop.schedule.given_names import Hoisted
from symbackprop.schedule.named_equations import NamedEquation, Part, items_in_reading_order, rewritten_whole
from symbackprop.schedule.occurrences import core_of
from symbackprop.schedule.temporary_names import temporary_name
from symbackprop.schedule.terms import free_in_order, natural_order
from symbackprop.systems.ordering import stages_of
from symbackprop.systems.recurrences import at_step
from symbackprop.systems.system import Equation, Tensor

HOISTING = NamingRule(
    Hoisted,
    where=("no loop-carried tensor is read", "every read lies inside its axes", "an operation is spared"),
    example="b[t] = tanh(c*w[t] + v[t] + pad(b[t-1]))",
    near_miss="b[t] = tanh(w[t] + pad(b[t-1]))",
)


def hoisted(items: Sequence[NamedEquation], tensors: Mapping[str, Tensor]) -> tuple[NamedEquation, ...]:
    """The equations, with one of its own for each part that a recurrence need not compute step by step."""
    by_name = {item.equation.tensor: item for item in items}
    layouts = {name: tensor.indices for name, tensor in tensors.items()}
    layouts.update({name: item.equation.indices for name, item in by_name.items()})
    taken = set(layouts)
    names: dict[Expression, Element] = {}
    result: list[NamedEquation] = []
    moved: list[NamedEquation] = []
    for stage in stages_of(tuple(item.equation for item in items)):
        members = frozenset(equation.tensor for equation in stage.equations)
        for equation in stage.equations:
            item = by_name[equation.tensor]
            if stage.recurrence is None:
                result.append(item)
                continue
            around = stage.recurrence.around(equation.tensor)
            steps = [
                Recurrence(tuple(each.places.items()), at_step(each, equation), KnownRanges(()))
                for each in around
            ]
            hoisting = _Hoisting(item, steps, members, layouts, taken, names, earlier=moved)
            result.append(hoisting.remaining())
            result.extend(hoisting.moved)
            moved.extend(hoisting.moved)
    return items_in_reading_order(result)


@dataclass
class _Hoisting:
    item: NamedEquation
    steps: Sequence[Recurrence]
    members: frozenset[str]
    layouts: Mapping[str, Sequence[Index]]
    taken: set[str]
    names: dict[Expression, Element]
    earlier: Sequence[NamedEquation]
    moved: list[NamedEquation] = field(default_factory=list)

    @property
    def counters(self) -> frozenset[Index]:
        """The indices that count the steps."""
        return frozenset(each.step for each in self.steps)

    def remaining(self) -> NamedEquation:
        """The equation without its free parts, which are in `moved` now."""
        item = _tidily_bound(self.item)
        for steps in self.steps:
            item = rewritten_whole(item, step_rule(steps))
        before = item.equation.expression
        after = self._without(before)
        known = {each.equation.tensor: each.equation for each in (*self.earlier, *self.moved)}
        return item.computing(after, HOISTING.steps(before, after, known))

    def _without(self, expression: Expression) -> Expression:
        if self._is_free(expression):
            return self._moved(expression) if self._is_worth_moving(expression) else expression
        match expression:
            case Add(terms):
                parts = self._apart(terms, add)
                return expression if tuple(parts) == terms else add(*parts)
            case Multiply(factors):
                return multiply(*self._apart(factors, multiply))
            case Where(condition, chosen, otherwise):
                if self._chooses_one_step(condition):
                    return expression
                return Where(condition, self._without(chosen), self._without(otherwise))
            case Reduction():
                return expression.with_children((self._inside_a_sum(expression.body, expression.indices),))
            case Comparison() | Logic():
                return expression
        if has_positions(expression):
            return expression
        return expression.with_children(tuple([self._without(child) for child in expression.children]))

    def _inside_a_sum(self, body: Expression, bound: tuple[Index, ...]) -> Expression:
        """Factors that do not depend on the bound indices were moved out of the sum; functions may go."""
        if self._is_free(body) and isinstance(body, Apply | Reduction) and self._is_worth_moving(body):
            return self._moved(body)
        if has_positions(body) or isinstance(body, Comparison | Logic | Where):
            return body
        return body.with_children(tuple([self._inside_a_sum(child, bound) for child in body.children]))

    def _apart(self, parts: tuple[Expression, ...], join: Callable[..., Expression]) -> list[Expression]:
        """The free parts as one, in the place of the first of them, and what remains of the others."""
        free = [part for part in parts if self._is_free(part)]
        joined = join(*free) if free else ZERO
        if not (free and self._is_worth_moving(joined)):
            return [part if part in free else self._without(part) for part in parts]
        moved = self._moved(joined)
        first = parts.index(free[0])
        rest = [(place, part) for place, part in enumerate(parts) if part not in free]
        before = [self._without(part) for place, part in rest if place < first]
        return [*before, moved, *(self._without(part) for place, part in rest if place > first)]

    def _is_free(self, expression: Expression) -> bool:
        """Whether the recurrence need not have come anywhere to compute this, at any step."""
        if self.members & expression.tensors:
            return False
        axes = {name: [index.axis for index in indices] for name, indices in self.layouts.items()}
        return reads_inside(expression, axes) and not any(
            isinstance(node, Where) and self._is_about_a_step(node.condition) for node in expression.walk()
        )

    def _is_worth_moving(self, expression: Expression) -> bool:
        """Whether an operation is spared; a sign, a number in front and a reciprocal are none."""
        core = core_of(expression)
        while core is not None:
            expression, core = core, core_of(core)
        return any(
            isinstance(node, Add | Multiply | Power | Apply | Reduction | MatrixFunction)
            and bool(node.tensors)
            for node in expression.walk()
        )

    def _chooses_one_step(self, condition: Expression) -> bool:
        is_equation = isinstance(condition, Comparison) and condition.operator == "=="
        return is_equation and self._is_about_a_step(condition)

    def _is_about_a_step(self, condition: Expression) -> bool:
        return not condition.free_indices.isdisjoint(self.counters) and not condition.tensors

    def _moved(self, expression: Expression) -> Expression:
        key = canonical_bound_names(expression)
        if key not in self.names:
            self.names[key] = self._introduced(expression)
        return self.names[key]

    def _introduced(self, expression: Expression) -> Element:
        indices = natural_order(expression, (*self.item.equation.indices, *free_in_order(expression)))
        name = temporary_name(expression, self.item.equation.tensor, self.taken)
        self.taken.add(name)
        self.moved.append(self.item.temporary(Part.HOISTED, Equation(name, indices, expression)))
        return Element(name, indices)


def _tidily_bound(item: NamedEquation) -> NamedEquation:
    """The equation with short names for bound indices."""
    before = item.equation.expression
    after = tidy_bound_names(before, frozenset(item.equation.indices))
    return item if after == before else item.computing(after, (Step(Renaming(), (), before, after),))


def step_rule(steps: Recurrence) -> WholeRule:
    """delta(t,p)*f = where(t == p, f, 0) for the index of a recurrence's steps."""

    def apply(node: Expression) -> Expression | None:
        chosen = chosen_by_step(node, steps.step)
        return None if chosen == node else chosen

    return WholeRule(
        "where by step",
        "delta(t,p)*f = where(t == p, f, 0), where t counts the steps of a recurrence and p reads no tensor",
        apply,
        where=("t counts the steps of a recurrence", "p reads no tensor"),
        example="delta(t,size(t) - 1)*w[t]",
        near_miss="delta(ids[k],i)*w[t]",
        premise=lambda _: steps,
    )


def chosen_by_step(expression: Expression, step: Index) -> Expression:
    """where(t == p, f, 0) for delta(t,p)*f, which a loop over t need not compute elsewhere."""

    def choose(node: Expression) -> Expression:
        factors = node.factors if isinstance(node, Multiply) else (node,)
        for place, factor in enumerate(factors):
            if isinstance(factor, Delta) and step in factor.free_indices and not factor.tensors:
                others = multiply(*factors[:place], *factors[place + 1 :])
                sides = (factor.left, factor.right) if factor.left == step else (factor.right, factor.left)
                return Where(Comparison("==", *sides), choose(others), ZERO)
        return node

    return rewrite_from_top(expression, choose)


def rewrite_from_top(expression: Expression, change: Callable[[Expression], Expression]) -> Expression:
    """Apply `change` to every node, a node before its children."""
    changed = change(expression)
    children = tuple([rewrite_from_top(child, change) for child in changed.children])
    return changed if children == changed.children else changed.with_children(children)
