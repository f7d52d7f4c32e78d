"""Which conditions hold where a tensor is read: those of the `where`s around it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from symbackprop.integers.bounds import (
    Knowledge,
    conjunction,
    conjuncts,
    lower_bound,
    negated,
    unproved_bounds,
)
from symbackprop.integers.linear import LinearForm, linear_form
from symbackprop.notation.arithmetic import add, factors_of, multiply
from symbackprop.notation.expressions import (
    MIRRORED,
    ZERO,
    Add,
    Axis,
    Comparison,
    Element,
    Expression,
    Index,
    Logic,
    Multiply,
    Number,
    Reduction,
    Size,
    Where,
)
from symbackprop.notation.matrix_functions import MatrixFunction, reading, readings


@dataclass(frozen=True)
class GuardedRead:
    """A node that reads a tensor, and the conditions under which it does.

    `element` has the positions that must lie inside: of an inverse, the row and the column that are read.
    """

    node: Element | MatrixFunction
    conditions: tuple[Expression, ...] = ()

    @property
    def element(self) -> Element:
        """The positions that are written, as an element; a whole matrix stands as `m[t,:,:]`."""
        if isinstance(self.node, MatrixFunction) and self.node.positions:
            return Element(self.node.tensor, self.node.children)
        return self.whole

    @property
    def whole(self) -> Element:
        """All that is read: of an inverse, every row and column."""
        return reading(self.node)  # type: ignore[return-value]


def guarded_children(
    expression: Expression, conditions: tuple[Expression, ...]
) -> Iterator[tuple[Expression, tuple[Expression, ...]]]:
    """The children, in order, each with the conditions under which it is looked at."""
    match expression:
        case Where(condition, chosen, otherwise):
            yield condition, conditions
            # Negated twice, not (f or g) is two conditions.
            yield chosen, (*conditions, *conjuncts(negated(negated(condition))))
            yield otherwise, (*conditions, *conjuncts(negated(condition)))
        case Logic("and", operands):
            # From left to right, no further than decides: not past one that fails, of `or` one that holds.
            for place, operand in enumerate(operands):
                yield operand, (*conditions, *operands[:place])
        case Logic("or", operands):
            for place, operand in enumerate(operands):
                yield operand, (*conditions, *(negated(each) for each in operands[:place]))
        case Reduction(_, indices, body):
            # A condition on an index that is bound anew says nothing of it inside.
            yield body, tuple([each for each in conditions if each.free_indices.isdisjoint(indices)])
        case _:
            for child in expression.children:
                yield child, conditions


def guarded_reads(expression: Expression, conditions: tuple[Expression, ...] = ()) -> Iterator[GuardedRead]:
    """Every read of an expression; what is not chosen is not read."""
    if isinstance(expression, Element | MatrixFunction):
        yield GuardedRead(expression, conditions)
    for child, inside in guarded_children(expression, conditions):
        yield from guarded_reads(child, inside)


def branches(
    expression: Expression, conditions: tuple[Expression, ...] = ()
) -> Iterator[tuple[Expression, tuple[Expression, ...]]]:
    """The expression, and where it is a `where` each of its cases, with the conditions that choose it."""
    yield expression, conditions
    if isinstance(expression, Where):
        _, *cases = guarded_children(expression, conditions)
        for case, inside in cases:
            yield from branches(case, inside)


def readable(node: Where) -> Where:
    """The `where` with i >= 1 for i - 1 >= 0 or 2 - i <= 1, but where it is a `pad(...)`."""
    return node if padded_element(node) is not None else with_readable_bounds(node)


def with_readable_bounds(node: Where) -> Where:
    """The `where` with i >= 1 for i - 1 >= 0 and i + 1 >= 2, a `pad(...)` too."""
    conditions = [_readable_bound(condition) for condition in conjuncts(node.condition)]
    return Where(conjunction(conditions), node.chosen, node.otherwise)


def guards_alike(terms: Sequence[Expression]) -> tuple[Expression, ...]:
    """The terms of a sum with where(s >= 1, x[s - 1], 0) for pad(x[s - 1]), where another one has a guard."""
    if not any(
        _is_guard(factor) and padded_element(factor) is None for term in terms for factor in factors_of(term)
    ):
        return tuple(terms)
    return tuple([multiply(*map(_as_guard, factors_of(term))) for term in terms])


def _is_guard(factor: Expression) -> bool:
    return isinstance(factor, Where) and factor.otherwise == ZERO and not factor.condition.tensors


def _as_guard(factor: Expression) -> Expression:
    return with_readable_bounds(factor) if isinstance(factor, Where) else factor


def _readable_bound(condition: Expression) -> Expression:
    match condition:
        case Comparison(operator, left, Number(number)) if not condition.tensors:
            form = linear_form(left)
            whole, moved = LinearForm(form.coefficients), number - form.constant
            if form.constant and whole.coefficients and all(n < 0 for n in whole.coefficients.values()):
                return Comparison(MIRRORED[operator], whole.scaled(-1).expression(), Number(-moved))
            if form.constant < 0 or 0 < form.constant <= number:
                return Comparison(operator, whole.expression(), Number(moved))
    return condition


def unproved_reads(
    expression: Expression, axes: Mapping[str, Sequence[Axis]], conditions: tuple[Expression, ...] = ()
) -> Iterator[tuple[GuardedRead, Expression, Axis]]:
    """Each read with a position that is not sure to lie inside its axis, and both; `axes` where known."""
    for read in guarded_reads(expression, conditions):
        for position, axis in zip(read.element.positions, axes.get(read.element.tensor, ()), strict=False):
            if unproved_bounds(position, axis, read.conditions):
                yield read, position, axis


def reads_inside(
    expression: Expression, axes: Mapping[str, Sequence[Axis]], conditions: tuple[Expression, ...] = ()
) -> bool:
    """Whether all that is read is sure to lie inside; `axes` gives those of the tensors that are known."""
    return next(unproved_reads(expression, axes, conditions), None) is None


def always_holds(condition: Expression, known: Sequence[Expression] = ()) -> bool:
    """Whether a condition follows from others, at every place of its indices and for every size."""
    return Knowledge.of((condition,), known).proves(condition)


def conditions_of_zero(expression: Expression) -> tuple[Expression, ...]:
    """The conditions on integers outside which an expression is 0: one that fails makes it 0.

    A product is 0 where a factor is, a sum where every term is.
    """
    match expression:
        case Where(condition, chosen, otherwise) if otherwise == ZERO:
            own = [each for each in conjuncts(condition) if not each.tensors]
            return tuple(dict.fromkeys((*own, *conditions_of_zero(chosen))))
        case Multiply(factors):
            return tuple(dict.fromkeys(each for factor in factors for each in conditions_of_zero(factor)))
        case Add(terms):
            return _common([conditions_of_zero(term) for term in terms])
    return ()


def _common(groups: Sequence[tuple[Expression, ...]]) -> tuple[Expression, ...]:
    """The conditions that follow from each of the groups."""
    if not all(groups):
        return ()
    found = dict.fromkeys(each for group in groups for each in group)
    return tuple([c for c in found if all(c in group or always_holds(c, group) for group in groups)])


def without_conditions(expression: Expression, known: Collection[Expression]) -> Expression:
    """The expression where these conditions hold, which its factors and terms need not repeat."""
    match expression:
        case Where(condition, chosen, otherwise) if otherwise == ZERO:
            left = [each for each in conjuncts(condition) if each not in known]
            inside = without_conditions(chosen, known)
            return Where(conjunction(left), inside, ZERO) if left else inside
        case Multiply(factors):
            return multiply(*(without_conditions(factor, known) for factor in factors))
        case Add(terms):
            return add(*(without_conditions(term, known) for term in terms))
    return expression


def by_itself(
    expression: Expression,
    axes: Mapping[str, Sequence[Axis]],
    conditions: tuple[Expression, ...],
    loop_carried: Collection[str] = (),
) -> Expression | None:
    """An expression that is read under conditions, as one that may be read anywhere.

    Where it would read outside an axis, or a loop-carried tensor at a step that the conditions exclude, it is
    0; None where no condition on its own indices, and the integers looked up, says so.
    """
    looked_up = {
        name for read in readings(expression) for position in read.positions for name in position.tensors
    }
    own = tuple(
        each
        for each in conditions
        if each.tensors <= looked_up and each.free_indices <= expression.free_indices
    )
    if reads_inside(expression, axes) and not _reads_allowed_steps(expression, own, loop_carried):
        return expression
    if not (own and reads_inside(expression, axes, own)):
        return None
    return Where(conjunction(_independent(own)), expression, ZERO)


def _independent(conditions: Sequence[Expression]) -> Sequence[Expression]:
    """The conditions but for those that the others imply: i == j of j <= i and i == j."""
    kept = list(dict.fromkeys(conditions))
    for condition in conditions:
        others = [each for each in kept if each != condition]
        if others and not condition.tensors and always_holds(condition, others):
            kept = others
    return kept


def _reads_allowed_steps(
    expression: Expression, conditions: Sequence[Expression], loop_carried: Collection[str]
) -> bool:
    """Whether a condition keeps a recurrence's reads at steps before: s < t, or t >= 1 for floor(t/2)."""
    related = [condition.free_indices for condition in conditions if len(condition.free_indices) > 1]
    spoken_of = frozenset[Index]().union(*(condition.free_indices for condition in conditions))
    return any(
        read.tensor in loop_carried
        and (
            any(each & {*read.positions} for each in related)
            or any(_is_rounded(position) and position.free_indices & spoken_of for position in read.positions)
        )
        for read in readings(expression)
    )


def _is_rounded(position: Expression) -> bool:
    """Whether a position is no sum of multiples of indices and sizes."""
    return not all(isinstance(each, Index | Size) for each in linear_form(position).coefficients)


def padded(element: Element, axes: Sequence[Axis]) -> Expression:
    """The element where it lies inside its axes, else 0: `pad(x[a+r-1])`."""
    bounds = [
        bound
        for position, axis in zip(element.positions, axes, strict=True)
        for bound in unproved_bounds(position, axis)
    ]
    return Where(conjunction(bounds), element, ZERO) if bounds else element


def padded_element(expression: Expression) -> Element | None:
    """The element of a `where` that says nothing but that it is 0 outside its axes."""
    if not (isinstance(expression, Where) and isinstance(expression.chosen, Element)):
        return None
    element = expression.chosen
    if expression.otherwise != ZERO:
        return None
    moved = [position for position in element.positions if not isinstance(position, Index)]
    is_bound = all(
        any(_is_bound_of(condition, position) for position in moved)
        for condition in conjuncts(expression.condition)
    )
    return element if is_bound else None


def _is_bound_of(condition: Expression, position: Expression) -> bool:
    if condition == lower_bound(position):
        return True
    match condition:
        case Comparison("<", below, Size()) | Comparison(">", Size(), below):
            return below == position
    return False
