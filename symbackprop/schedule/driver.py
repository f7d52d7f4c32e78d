"""A model and its gradient as the equations that a program computes: where every target starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from symbackprop.derivation.result import AdjointDerivation, Derivation
from symbackprop.rewriting.rule import Rule
from symbackprop.schedule.empty_sums import with_empty_sums_guarded
from symbackprop.schedule.gates import with_complements, with_shared_gates
from symbackprop.schedule.hoisting import hoisted
from symbackprop.schedule.matrix_guards import with_guarded_matrices
from symbackprop.schedule.named_equations import NamedEquation, Part, rewritten_once
from symbackprop.schedule.sharing import shared
from symbackprop.schedule.solves import with_solves
from symbackprop.schedule.stability import with_stable_forms
from symbackprop.schedule.undefined_factors import with_deltas_as_conditions
from symbackprop.stability.centring import centring_rules
from symbackprop.systems.portions import portions_of
from symbackprop.systems.system import Equation, System


@dataclass(frozen=True)
class Schedule:
    """Equations, each after those that it reads, but for recurrences, whose members stand side by side.

    `positive_definite` gives the tensors whose matrices are so, each with the tensor that a fact names.
    """

    equations: tuple[NamedEquation, ...]
    positive_definite: Mapping[str, str]


def schedule_of(derivation: Derivation) -> Schedule:
    """The schedule of a model and of the gradient that was derived of it."""
    derivations = (*derivation.expansion.derivations, *derivation.adjoints)
    adjoints = {adjoint.equation.tensor: adjoint for adjoint in derivations}
    centring = centring_rules(derivation.system, derivation.adjoints)
    return _schedule(derivation.system, derivation.equations, adjoints, centring)


def schedule_of_system(system: System) -> Schedule:
    """The schedule of a model alone."""
    return _schedule(system, (), {})


def _schedule(
    system: System,
    adjoints: Sequence[Equation],
    derivations: Mapping[str, AdjointDerivation],
    centring: Sequence[Rule] = (),
) -> Schedule:
    items = _in_portions((*system.equations, *adjoints), system, derivations)
    derived = {equation.tensor for equation in adjoints}
    items = with_deltas_as_conditions(items, system.tensors.values(), derived)
    items = with_empty_sums_guarded(items, system.tensors.values(), derived)
    items = with_shared_gates(with_complements(with_stable_forms(items, system.tensors)))
    for rule in centring:
        items = tuple([rewritten_once(item, (rule,)) for item in items])
    stated = frozenset(known.tensor for known in system.positive_definite)
    guarded = with_guarded_matrices(items, system.tensors, stated)
    solved = with_solves(guarded.equations)
    return Schedule(shared(hoisted(solved, system.tensors), system.tensors), guarded.positive_definite)


def _in_portions(
    equations: tuple[Equation, ...], system: System, derivations: Mapping[str, AdjointDerivation]
) -> tuple[NamedEquation, ...]:
    """The equations, with names for parts of what is too long or too deep for one statement."""
    layouts = {name: tensor.indices for name, tensor in system.tensors.items()}
    layouts |= {equation.tensor: equation.indices for equation in equations}
    groups = portions_of(equations, layouts, {*layouts, *(axis.name for axis in system.axes)})
    items: list[NamedEquation] = []
    for source, (*parts, rest) in zip(equations, groups, strict=True):
        item = NamedEquation.of(source, derivations.get(source.tensor))
        items += [item.temporary(Part.PORTION, part) for part in parts]
        items.append(item.temporary(Part.EQUATION, rest))
    return tuple(items)
