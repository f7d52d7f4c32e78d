"""Names that parts of a model's equations get before it is differentiated, and the steps that give them.

Five kinds, one after another: portions of what is too large for one formula, copies of what very many
equations read, parts that are read again, arguments that a person would name, maxima that cancel further on.
A step replays by putting the parts back. Before it, functions and masks that a model writes out are seen as
what they are.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from symbackprop.derivation.parts.repeated import with_named_parts
from symbackprop.derivation.parts.shifts import with_named_shifts
from symbackprop.derivation.preparation import with_named_arguments
from symbackprop.derivation.result import Expansion, NamedParts, RestatedEquation
from symbackprop.errors import NotationError
from symbackprop.integers.guards import guarded_reads, reads_inside
from symbackprop.notation.expressions import Delta, Element, Expression
from symbackprop.rewriting.naming import Naming
from symbackprop.rewriting.replacements import steps_putting_in
from symbackprop.rewriting.rule import Rule, Step
from symbackprop.rewriting.strategies import apply_exhaustively, result_of
from symbackprop.rules.bookkeeping import QUOTIENT_OF_FUNCTIONS
from symbackprop.rules.deltas.lookups import lookup_rules
from symbackprop.rules.kronecker import CONTRACT_DELTA
from symbackprop.rules.written_out import WRITTEN_OUT_RULES
from symbackprop.systems.fan_out import with_fan_out
from symbackprop.systems.ordering import in_a_circle, stages_of
from symbackprop.systems.portions import MOST_TERMS, is_large, system_in_portions
from symbackprop.systems.system import Equation, System


@dataclass(frozen=True)
class Portions(Naming):
    """Names for parts of an expression that is too wide or too deep."""

    name: str = "name portions"
    statement: str = "a sum, product or nesting that is too large for one formula is read portion by portion"

    def accounts_for(self, before: Expression, after: Expression) -> bool:
        """Whether one side is too large, and the same as the other with the portions put back."""
        return is_large(before) and super().accounts_for(before, after)


@dataclass(frozen=True)
class Copies(Naming):
    """Names for a tensor, of which each is read by a few equations."""

    name: str = "name copies"
    statement: str = "a tensor that very many equations read is read through copies, each by a few"

    def accounts_for(self, before: Expression, after: Expression) -> bool:
        """Whether the names are those of tensors or copies, and the sides the same but for these."""
        are_copies = all(
            isinstance(each.expression, Element) and each.expression.positions == each.indices
            for each in self.named
        )
        return are_copies and super().accounts_for(before, after)


@dataclass(frozen=True)
class Repeated(Naming):
    """Names for contractions and values of functions that are read again."""

    name: str = "name parts"
    statement: str = "a contraction, or a function's value, that is read again is an equation of its own"


@dataclass(frozen=True)
class Arguments(Naming):
    """Names for arguments of functions, softmaxes, norms, squared residuals and quotients under powers."""

    name: str = "name arguments"
    statement: str = (
        "an argument, softmax, norm, squared residual or quotient in (s/r)^n is an equation of its own"
    )


@dataclass(frozen=True)
class Shifts(Naming):
    """Names for maxima and minima that are taken off, or divided by, to no effect on the loss."""

    name: str = "name shifts"
    statement: str = "a maximum that cancels further on is an equation of its own"


# In the order in which names are given.
NAMINGS: tuple[tuple[type[Naming], Callable[[System], System]], ...] = (
    (Portions, system_in_portions),
    (Copies, partial(with_fan_out, most_readers=MOST_TERMS)),
    (Repeated, with_named_parts),
    (Arguments, with_named_arguments),
    (Shifts, with_named_shifts),  # what one equation has still together cancels in it
)


def named_parts(system: System) -> tuple[NamedParts, ...]:
    """The system with names of each kind in turn, where it gets some; () where it stays as it is.

    NotationError where a part and what reads it run in a circle, as the root of a diagonal in its own row.
    """
    found: list[NamedParts] = []
    for naming, named in NAMINGS:
        after = named(system)
        if after != system:
            _expect_order(system, after)
            found.append(NamedParts(system, after, tuple(_restated(naming, system, after))))
        system = after
    return tuple(found)


def _expect_order(before: System, after: System) -> None:
    """NotationError in the model's own names, at its line, where the new ones stand in a circle."""
    try:
        stages_of(after.equations)
    except NotationError as error:
        own = [each for each in before.equations if each.tensor in each.reads] or [*before.equations]
        stated = next((each for each in own if after.definitions[each.tensor] != each), own[0])
        raise in_a_circle([stated.tensor] * 2, stated.place) from error


def system_with_names(system: System, named: Sequence[NamedParts]) -> System:
    """The system after the last names, itself where there are none."""
    return named[-1].after if named else system


def with_functions_seen(system: System, wrt: Collection[str]) -> Expansion:
    """The system, with functions that it writes out in pieces restated as what they are, and parts named.

    A delta that has a name, o[n,k] = delta(y[n],k), is put in, and a sum over a delta is what that picks.
    A mask where(t[i] == j, ..) is the delta of a lookup, but for places that are steps of a recurrence.
    """
    equations: list[Equation] = []
    restated: list[RestatedEquation] = []
    deltas = [one for one in system.equations if isinstance(one.expression, Delta) and one.tensor not in wrt]
    for equation in system.equations:
        found = seen_equation(equation, lookups_seen(system, equation), deltas)
        equations.append(found.equation)
        if found.steps:
            restated.append(found)
    if not restated:
        before = named_parts(system)
        named = system_with_names(system, before)
        return Expansion(named, named, named_before=before)
    seen = replace(system, equations=tuple(equations))
    after = named_parts(seen)
    return Expansion(system, system_with_names(seen, after), (), tuple(restated), named_after=after)


def lookups_seen(system: System, equation: Equation) -> tuple[Rule, ...]:
    """The rule for deltas of lookups that an equation of the system writes out."""
    if not system.integers:
        return ()
    own = next(each for each in stages_of(system.equations) if equation in each.equations)
    steps = [] if own.recurrence is None else [each.axis for each in own.recurrence.steps(equation)]
    places = {name: axis for name, axis in system.integers.items() if axis not in steps}
    axes = {name: tuple([index.axis for index in each.indices]) for name, each in system.tensors.items()}
    return lookup_rules(places, axes) if places else ()


def seen_equation(
    equation: Equation, lookups: Sequence[Rule] = (), deltas: Sequence[Equation] = ()
) -> RestatedEquation:
    """An equation with functions and masks as what they are, and deltas that have names put in."""
    steps = steps_putting_in(deltas, equation.expression)
    seen = (*WRITTEN_OUT_RULES, *lookups, QUOTIENT_OF_FUNCTIONS, CONTRACT_DELTA)
    steps += apply_exhaustively(seen, result_of(steps, equation.expression))
    return RestatedEquation(
        equation, steps, replace(equation, expression=result_of(steps, equation.expression))
    )


def _restated(naming: type[Naming], before: System, after: System) -> list[RestatedEquation]:
    new = {name: each for name, each in after.definitions.items() if name not in before.tensors}
    found: list[RestatedEquation] = []
    for stated in before.equations:
        equation = after.definitions[stated.tensor]
        if equation != stated:
            rule = naming(_read_of(new, equation))
            steps = (Step(rule, (), stated.expression, equation.expression),)
            found.append(RestatedEquation(stated, steps, equation))
    return found


def _read_of(new: Mapping[str, Equation], equation: Equation) -> tuple[Equation, ...]:
    """Those of the new equations that an equation reads, itself or through others of them."""
    read: set[str] = set()
    pending = [equation]
    while pending:
        names = {name for name in pending.pop().reads if name in new} - read
        read |= names
        pending += [new[name] for name in names]
    return tuple([each for name, each in new.items() if name in read])


def gives_names_alone(parts: NamedParts) -> bool:
    """Whether nothing but names of parts has come to the system, and each can be computed.

    That the equations that read them are the same is what their steps say.
    """
    before, after, restated = parts.before, parts.after, parts.by_tensor
    new = [each for each in after.equations if each.tensor not in before.tensors]
    own = [each for each in after.equations if each.tensor in before.tensors]
    is_undone = before.equations == tuple(
        [restated[each.tensor].stated if each.tensor in restated else each for each in own]
    )
    are_given = all(each.equation in own and _gives_names(each) for each in parts.restated)
    is_same = before.with_equations(after.equations) == after
    return is_undone and are_given and is_same and _are_computed(new, after)


def _gives_names(restated: RestatedEquation) -> bool:
    is_its = restated.stated.element == restated.equation.element
    return is_its and all(isinstance(step.rule, Naming) for step in restated.steps)


def _are_computed(new: list[Equation], system: System) -> bool:
    """Whether none runs in a circle, and new ones that are not always read have positions inside the axes."""
    axes = {name: [index.axis for index in tensor.indices] for name, tensor in system.tensors.items()}
    try:
        stages_of(system.equations)
    except NotationError:
        return False  # they run in a circle
    always = {
        read.node.tensor
        for equation in system.equations
        for read in guarded_reads(equation.expression)
        if not read.conditions
    }
    return all(
        each.expression.free_indices <= {*each.indices}
        and (each.tensor in always or reads_inside(each.expression, axes))
        for each in new
    )
