"""Subexpressions as candidates for sharing: which are worth a name, and which count as the same."""

from __future__ import annotations

from collections.abc import Collection

from symbackprop.integers.bounds import conjuncts
from symbackprop.integers.guards import padded_element
from symbackprop.notation.arithmetic import coefficient_and_rest, divisor_of, factors_of
from symbackprop.notation.expressions import (
    MINUS_ONE,
    ZERO,
    Add,
    Apply,
    Comparison,
    Element,
    Expression,
    Index,
    Logic,
    Multiply,
    Number,
    Power,
    Reduction,
    Size,
    Where,
)
from symbackprop.notation.matrix_functions import MatrixFunction
from symbackprop.notation.substitution import canonical_bound_names, substitute
from symbackprop.schedule.terms import free_in_order


def worth_naming(expression: Expression) -> bool:
    """Whether computing the expression again costs a pass over an array.

    A `where` between two numbers is not named, for it is a mask, whose condition may be if it runs over more
    than one index; nor is an element that is 0 outside its axes, for it is read from a padded array, nor what
    is 0 but at the place of a maximum, for it is looked up there, nor rows that belong to a place each.
    """
    match expression:
        case Where(_, Number(), Number()) | Where(_, Element(), Number()):
            return False
        case Where(condition, _, otherwise) if otherwise == ZERO and _is_at_a_place(condition):
            return False
        case Where(condition) if any(map(_scatters, conjuncts(condition))):
            return False
        case Comparison() | Logic():
            return _is_mask_worth_naming(expression)
        case Add() | Multiply() | Power() | Apply() | Reduction() | Where() | MatrixFunction():
            return bool(expression.tensors)
    return False


def _is_mask_worth_naming(condition: Expression) -> bool:
    """Whether a condition speaks of values, or of several indices but for bounds of a window.

    Of the place of a maximum and an index it is the place that gets a name; by a lookup rows are scattered.
    """
    if _is_at_a_place(condition) or any(map(_scatters, conjuncts(condition))):
        return False
    return bool(condition.tensors) or (len(condition.free_indices) > 1 and not _bounds_a_window(condition))


def _is_at_a_place(condition: Expression) -> bool:
    """Whether a condition says that an index is the place of a maximum."""
    sides = condition.children if isinstance(condition, Comparison) and condition.operator == "==" else ()
    places = [side for side in sides if isinstance(side, Reduction) and side.kind == "argmax"]
    return bool(places) and any(isinstance(side, Index) for side in sides)


def _scatters(condition: Expression) -> bool:
    """Whether a condition says that an index is what is looked up."""
    sides = condition.children if isinstance(condition, Comparison) and condition.operator == "==" else ()
    looked_up = [side for side in sides if isinstance(side, Element) and side.values is not None]
    return bool(looked_up) and any(isinstance(side, Index) for side in sides)


def _bounds_a_window(condition: Expression) -> bool:
    """Whether a condition is index arithmetic, which the loop over a window or a padded array stands for."""
    nodes = tuple(condition.walk())
    arithmetic = any(isinstance(node, Add | Multiply) for node in nodes)
    return arithmetic and not any(isinstance(node, Element) for node in nodes)


def is_position(expression: Expression, integers: Collection[str]) -> bool:
    """Whether the expression is arithmetic on whole numbers: y[n] + 1 of an integer tensor y."""
    match expression:
        case Element(tensor, _):
            return tensor in integers
        case Add() | Multiply():
            return all(is_position(child, integers) for child in expression.children)
        case Number(value):
            return value.denominator == 1
    return isinstance(expression, Index | Size)


def is_slice(expression: Expression) -> bool:
    """Whether the expression is an element, 0 where a condition on one index does not hold."""
    if padded_element(expression) is not None:
        return True
    return (
        isinstance(expression, Where)
        and isinstance(expression.chosen, Element)
        and expression.otherwise == ZERO
        and not expression.condition.tensors
        and len(expression.condition.free_indices) == 1
    )


def core_of(expression: Expression) -> Expression | None:
    """What is looked at instead: x for 2*x, -x and 1/x, x^2 for 1/x^2; None where there is no such thing.

    A number in front and a reciprocal cost nothing beside the operation that they take part in.
    """
    if isinstance(expression, Multiply):
        number, rest = coefficient_and_rest(expression)
        if number != 1 and rest:
            return rest[0] if len(rest) == 1 else Multiply(rest)
    return divisor_of(expression)


def with_core(expression: Expression, core: Expression) -> Expression:
    """The expression around another core."""
    if isinstance(expression, Multiply):
        return Multiply((Number(coefficient_and_rest(expression)[0]), *factors_of(core)))
    return Power(core, MINUS_ONE)


def occurrence(expression: Expression) -> tuple[Expression, tuple[Index, ...]]:
    """What is the same for equal shapes of expression, and the free indices of this one.

    An inverse is shared whole, and so are cofactors: the diagonal is read at one index twice.
    """
    memory = expression.__dict__  # kept with the node, as its hash is: the same parts are asked about again
    if "_occurrence" not in memory:
        memory["_occurrence"] = _occurrence(expression)
    found: tuple[Expression, tuple[Index, ...]] = memory["_occurrence"]
    return found


def _occurrence(expression: Expression) -> tuple[Expression, tuple[Index, ...]]:
    is_element = isinstance(expression, MatrixFunction) and bool(expression.positions)
    if is_element and all(isinstance(child, Index) for child in expression.children):
        free = tuple(child for child in expression.children if isinstance(child, Index))
        numbered = tuple(Index(f"@{place}", index.axis) for place, index in enumerate(free))
        return expression.with_children(numbered), free
    free = free_in_order(expression)
    return key_of(expression, free), free


def key_of(expression: Expression, free: tuple[Index, ...]) -> Expression:
    """The expression with its free and bound indices numbered: equal for equal shapes of expression."""
    numbered: dict[Index, Expression] = {
        index: Index(f"@{place}", index.axis) for place, index in enumerate(free)
    }
    return canonical_bound_names(substitute(expression, numbered))
