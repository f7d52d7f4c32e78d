"""Each result is computed once: a subexpression that several places need gets a name.

Subexpressions count as the same up to the names of their indices, bound and free: (y[b,k] - d[b,k]) within
a sum over b and k is what `delta2[b,k] = y[b,k] - d[b,k]` names already. Where no equation has the
subexpression as its whole right-hand side, a temporary is introduced. What occurs only inside a larger shared
subexpression is not counted again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from symbackprop.integers.bounds import conjuncts
from symbackprop.integers.guards import guarded_children
from symbackprop.notation.expressions import (
    ZERO,
    Expression,
    Index,
    Logic,
)
from symbackprop.notation.substitution import fresh_index
from symbackprop.rewriting.naming import NamingRule, by_tensor
from symbackprop.schedule.given_names import Shared
from symbackprop.schedule.named_equations import NamedEquation, Part, items_in_reading_order
from symbackprop.schedule.occurrences import core_of, occurrence, with_core, worth_naming
from symbackprop.schedule.solves import linear_system
from symbackprop.schedule.temporary_names import temporary_name
from symbackprop.schedule.terms import natural_order
from symbackprop.schedule.uses import (
    Conditions,
    Provider,
    Sharing,
    count_uses,
    is_place,
    is_searched,
    named_by_itself,
    speaks_of_places,
    stays_in_sight,
)
from symbackprop.systems.ordering import loop_carried_tensors
from symbackprop.systems.system import Equation, Tensor

SHARING = NamingRule(
    Shared,
    where=("a pass over an array is spared", "it is defined wherever it is computed"),
    example="b[i] = exp(x[i])*c; e[i2] = exp(x[i2]) + h0",
    near_miss="b[i] = 2*x[i]; e[i2] = 1/x[i2]",
)


def shared(items: Sequence[NamedEquation], tensors: Mapping[str, Tensor]) -> tuple[NamedEquation, ...]:
    """The equations, with temporaries for what several of them need, each after all that it reads.

    `tensors` are the model's, whose names a temporary must not have.
    """
    equations = tuple(item.equation for item in items)
    layouts = {name: tensor.indices for name, tensor in tensors.items()}
    layouts.update({equation.tensor: equation.indices for equation in equations})
    axes = {name: [index.axis for index in indices] for name, indices in layouts.items()}
    integers = frozenset(name for name, tensor in tensors.items() if tensor.values is not None)
    state = Sharing(axes, loop_carried_tensors(equations), integers, taken=set(layouts))
    for equation in equations:
        count_uses(equation.expression, (), state)
    _find_providers(equations, state)
    expressions = [_rewritten_right_hand_side(item, state) for item in items]
    known = by_tensor((*equations, *(item.origin.stated for item, _ in state.temporaries)))
    # Temporaries come last here, and are pulled in front of their first use.
    rewritten = (*zip(items, expressions, strict=True), *state.temporaries)
    return items_in_reading_order([_with_names(item, named, known) for item, named in rewritten])


def _with_names(item: NamedEquation, named: Expression, known: Mapping[str, Equation]) -> NamedEquation:
    return item.computing(named, SHARING.steps(item.equation.expression, named, known))


def _find_providers(equations: tuple[Equation, ...], state: Sharing) -> None:
    for equation in equations:
        key, free = occurrence(equation.expression)
        if not worth_naming(equation.expression) or Counter(free) != Counter(equation.indices):
            continue
        if key in state.uses and state.uses[key].count > 1 and key not in state.providers:
            slots = tuple(free.index(index) for index in equation.indices)
            state.providers[key] = Provider(equation.tensor, slots)


def _rewritten_right_hand_side(item: NamedEquation, state: Sharing) -> Expression:
    expression = item.equation.expression
    if worth_naming(expression):
        provider = state.providers.get(occurrence(expression)[0])
        if provider is not None and provider.tensor == item.equation.tensor:
            return _rewritten_children(expression, (), item, state)
    return _rewritten(expression, (), item, state)


def _rewritten_children(
    expression: Expression, conditions: Conditions, consumer: NamedEquation, state: Sharing
) -> Expression:
    system = linear_system(expression)
    if system is not None:
        # The inverse within it is never computed, and so is not shared.
        return system.with_right(_rewritten(system.right, conditions, consumer, state))
    children = [
        _rewritten_child(child, inside, expression, consumer, state)
        for child, inside in guarded_children(expression, conditions)
    ]
    return expression.with_children(tuple(children))


def _rewritten_child(
    child: Expression,
    conditions: Conditions,
    parent: Expression,
    consumer: NamedEquation,
    state: Sharing,
) -> Expression:
    if is_place(child, parent, state):
        if is_searched(child, conditions):
            return _rewritten_children(child, conditions, consumer, state)
        return child
    if stays_in_sight(child, parent, state):
        return _rewritten_in_sight(child, conditions, consumer, state)
    if state.by_itself(child, conditions) == parent:
        return _rewritten_children(child, conditions, consumer, state)
    return _rewritten(child, conditions, consumer, state)


def _rewritten_in_sight(
    condition: Expression, conditions: Conditions, consumer: NamedEquation, state: Sharing
) -> Expression:
    if not speaks_of_places(condition, state):
        return _rewritten(condition, conditions, consumer, state)
    if not isinstance(condition, Logic):
        return condition
    children = [
        _rewritten_in_sight(child, inside, consumer, state)
        for child, inside in guarded_children(condition, conditions)
    ]
    return condition.with_children(tuple(children))


def _rewritten(
    expression: Expression, conditions: Conditions, consumer: NamedEquation, state: Sharing
) -> Expression:
    core = core_of(expression)
    if core is not None:
        return with_core(expression, _rewritten(core, conditions, consumer, state))
    guarded = named_by_itself(expression, conditions, state) if worth_naming(expression) else None
    if guarded is None:
        return _rewritten_children(expression, conditions, consumer, state)
    # The guard's indices come first in the key, and so in the order of its slots.
    key, free = occurrence(guarded)
    if key not in state.uses or state.uses[key].count < 2:
        return _rewritten_children(expression, conditions, consumer, state)
    if key not in state.providers:
        _introduce(_read_apart(expression, free), conditions, key, consumer, state)
    return state.providers[key].element(free)


def _read_apart(expression: Expression, free: tuple[Index, ...]) -> Expression:
    """The expression; an inverse that is read at one index twice, at an index of its own each."""
    if len(set(free)) == len(free):
        return expression
    own: list[Index] = []
    for index in free:
        own.append(fresh_index(index, (*own, *(other for other in free if other != index))))
    return expression.with_children(tuple(own))


def _introduce(
    expression: Expression,
    conditions: Conditions,
    key: Expression,
    consumer: NamedEquation,
    state: Sharing,
) -> None:
    """A temporary, in the order of axes of a tensor that it reads, or else of the equation that needs it."""
    guarded = state.by_itself(expression, conditions) or expression
    _, free = occurrence(guarded)
    layout = natural_order(expression, (*consumer.equation.indices, *free))
    name = temporary_name(expression, consumer.equation.tensor, state.taken)
    state.taken.add(name)
    state.axes = {**state.axes, name: [index.axis for index in layout]}
    state.providers[key] = Provider(name, tuple(free.index(index) for index in layout))
    inside = conditions if guarded == expression else (*conditions, *conjuncts(guarded.children[0]))
    inner = _rewritten_children(expression, inside, consumer, state)
    computed = inner if guarded == expression else guarded.with_children((guarded.children[0], inner, ZERO))
    is_guarded = state.uses[key].unguarded == 0 and guarded == expression
    stated = consumer.temporary(Part.SUBEXPRESSION, Equation(name, layout, guarded), is_guarded)
    state.temporaries.append((stated, computed))
