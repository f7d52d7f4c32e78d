"""Each result is computed once: a subexpression that several places need gets a name.

Subexpressions count as the same up to the names of their indices, bound and free: (y[b,k] - d[b,k]) within
a sum over b and k is what `delta2[b,k] = y[b,k] - d[b,k]` names already. Where no equation has the
subexpression as its whole right-hand side, a temporary is introduced. What occurs only inside a larger shared
subexpression is not counted again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from symbackprop.notation.arithmetic import coefficient_and_rest, factors_of
from symbackprop.notation.expressions import (
    MINUS_ONE,
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
    Where,
)
from symbackprop.notation.matrices import MatrixFunction
from symbackprop.notation.ordering import in_reading_order
from symbackprop.notation.printing import equation_text
from symbackprop.notation.substitution import canonical_bound_names, fresh_index, substitute
from symbackprop.notation.system import Equation
from symbackprop.program.naming import temporary_name
from symbackprop.program.solves import is_inverse, linear_system
from symbackprop.program.terms import natural_order


@dataclass(frozen=True)
class NamedEquation:
    """An equation as it is computed, and the text of the formula that it stands for.

    A guarded one is read only by branches of a choice.
    """

    equation: Equation
    formula: str
    guarded: bool = False

    @property
    def is_mask(self) -> bool:
        """Whether it holds a condition, not numbers."""
        return isinstance(self.equation.expression, Comparison | Logic)


@dataclass
class _Use:
    """How often, and where, a subexpression occurs."""

    count: int = 0
    unguarded: int = 0


@dataclass(frozen=True)
class _Provider:
    """The tensor that holds a shared subexpression; `slots` are its axes as places in the key's indices."""

    tensor: str
    slots: tuple[int, ...]

    def element(self, free: tuple[Index, ...]) -> Element:
        """The tensor at the indices of one occurrence."""
        return Element(self.tensor, tuple(free[slot] for slot in self.slots))


@dataclass
class _Sharing:
    uses: dict[Expression, _Use] = field(default_factory=dict)
    providers: dict[Expression, _Provider] = field(default_factory=dict)
    temporaries: list[NamedEquation] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)


def shared(
    equations: tuple[Equation, ...], formulas: Mapping[str, str], taken: Iterable[str]
) -> tuple[NamedEquation, ...]:
    """The equations, with temporaries for what several of them need, each after all that it reads.

    `formulas` gives an equation's text where it differs from the equation itself, `taken` the names that a
    temporary must not have.
    """
    state = _Sharing(taken={*taken, *(equation.tensor for equation in equations)})
    for equation in equations:
        _count(equation.expression, False, state)
    _find_providers(equations, state)
    rewritten = [
        NamedEquation(
            replace(equation, expression=_rewritten_right_hand_side(equation, state)),
            formulas.get(equation.tensor, equation_text(equation)),
        )
        for equation in equations
    ]
    # Temporaries come last here, and are pulled in front of their first use.
    everything = {item.equation.tensor: item for item in (*rewritten, *state.temporaries)}
    ordered = in_reading_order(tuple(item.equation for item in everything.values()))
    return tuple(everything[equation.tensor] for equation in ordered)


def worth_naming(expression: Expression) -> bool:
    """Whether computing the expression again costs a pass over an array.

    A choice between two numbers is not named, for it is a mask, whose condition may be; nor is an element
    that is 0 outside its axes, for it is read from a padded array.
    """
    match expression:
        case Where(_, Number(), Number()) | Where(_, Element(), Number()):
            return False
        case Comparison() | Logic():
            return bool(expression.free_indices) and not _bounds_a_window(expression)
        case Add() | Multiply() | Power() | Apply() | Reduction() | Where() | MatrixFunction():
            return bool(expression.tensors)
    return False


def _bounds_a_window(condition: Expression) -> bool:
    """Whether a condition is index arithmetic, which the loop over a window or a padded array stands for."""
    nodes = tuple(condition.walk())
    arithmetic = any(isinstance(node, Add | Multiply) for node in nodes)
    return arithmetic and not any(isinstance(node, Element) for node in nodes)


def core_of(expression: Expression) -> Expression | None:
    """What is looked at instead: x for 2*x, -x and 1/x, x^2 for 1/x^2; None where there is no such thing.

    A number in front and a reciprocal cost nothing beside the operation that they take part in.
    """
    if isinstance(expression, Multiply):
        number, rest = coefficient_and_rest(expression)
        if number != 1 and rest:
            return rest[0] if len(rest) == 1 else Multiply(rest)
    if isinstance(expression, Power) and isinstance(expression.exponent, Number):
        exponent = -expression.exponent.value
        if exponent > 0:
            return expression.base if exponent == 1 else Power(expression.base, Number(exponent))
    return None


def with_core(expression: Expression, core: Expression) -> Expression:
    """The expression around another core."""
    if isinstance(expression, Multiply):
        return Multiply((Number(coefficient_and_rest(expression)[0]), *factors_of(core)))
    return Power(core, MINUS_ONE)


def free_in_order(expression: Expression) -> tuple[Index, ...]:
    """The free indices in order of first appearance."""
    free = expression.free_indices
    found = (node for node in expression.walk() if isinstance(node, Index) and node in free)
    return tuple(dict.fromkeys(found))


def occurrence(expression: Expression) -> tuple[Expression, tuple[Index, ...]]:
    """What is the same for equal shapes of expression, and the free indices of this one.

    An inverse is shared whole: its diagonal counts as an inverse read at one index twice.
    """
    if is_inverse(expression) and all(isinstance(child, Index) for child in expression.children):
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


def _count(expression: Expression, guarded: bool, state: _Sharing) -> None:
    core = core_of(expression)
    if core is not None:
        _count(core, guarded, state)
        return
    if worth_naming(expression):
        use = state.uses.setdefault(occurrence(expression)[0], _Use())
        use.count += 1
        use.unguarded += not guarded
        if use.count > 1:
            return
    system = linear_system(expression)
    for child in expression.children if system is None else (system.right,):
        inside = guarded or (isinstance(expression, Where) and child is not expression.condition)
        _count(child, inside, state)


def _find_providers(equations: tuple[Equation, ...], state: _Sharing) -> None:
    for equation in equations:
        key, free = occurrence(equation.expression)
        if not worth_naming(equation.expression) or sorted(free, key=str) != sorted(
            equation.indices, key=str
        ):
            continue
        if key in state.uses and state.uses[key].count > 1 and key not in state.providers:
            slots = tuple(free.index(index) for index in equation.indices)
            state.providers[key] = _Provider(equation.tensor, slots)


def _rewritten_right_hand_side(equation: Equation, state: _Sharing) -> Expression:
    expression = equation.expression
    if worth_naming(expression):
        provider = state.providers.get(occurrence(expression)[0])
        if provider is not None and provider.tensor == equation.tensor:
            return _rewritten_children(expression, equation, state)
    return _rewritten(expression, equation, state)


def _rewritten_children(expression: Expression, consumer: Equation, state: _Sharing) -> Expression:
    system = linear_system(expression)
    if system is not None:
        # The inverse within it is never computed, and so is not shared.
        return system.with_right(_rewritten(system.right, consumer, state))
    children = tuple([_rewritten(child, consumer, state) for child in expression.children])
    return expression.with_children(children)


def _rewritten(expression: Expression, consumer: Equation, state: _Sharing) -> Expression:
    core = core_of(expression)
    if core is not None:
        return with_core(expression, _rewritten(core, consumer, state))
    if not worth_naming(expression):
        return _rewritten_children(expression, consumer, state)
    key, free = occurrence(expression)
    use = state.uses.get(key)
    if use is None or use.count < 2:
        return _rewritten_children(expression, consumer, state)
    if key not in state.providers:
        _introduce(_read_apart(expression, free), key, consumer, state)
    return state.providers[key].element(free)


def _read_apart(expression: Expression, free: tuple[Index, ...]) -> Expression:
    """The expression; an inverse that is read at one index twice, at an index of its own each."""
    if len(set(free)) == len(free):
        return expression
    own: list[Index] = []
    for index in free:
        own.append(fresh_index(index, (*own, *(other for other in free if other != index))))
    return expression.with_children(tuple(own))


def _introduce(expression: Expression, key: Expression, consumer: Equation, state: _Sharing) -> None:
    """A temporary, in the order of axes of a tensor that it reads, or else of the equation that needs it."""
    _, free = occurrence(expression)
    layout = natural_order(expression, (*consumer.indices, *free))
    name = temporary_name(expression, consumer.tensor, state.taken)
    state.taken.add(name)
    state.providers[key] = _Provider(name, tuple(free.index(index) for index in layout))
    computed = Equation(name, layout, _rewritten_children(expression, consumer, state))
    formula = equation_text(Equation(name, layout, expression))
    state.temporaries.append(NamedEquation(computed, formula, guarded=state.uses[key].unguarded == 0))
