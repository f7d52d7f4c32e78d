"""A derivation done again: every step replayed, each chain of steps whole from its sign to its equation.

What the steps believe is looked up in the model and in what has been found before (`derivation.anchoring`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from symbackprop.derivation.anchoring import grounds_of_adjoints, grounds_of_expansion, grounds_of_names
from symbackprop.derivation.grounds import Grounds
from symbackprop.derivation.known_rules import REGISTRY
from symbackprop.derivation.named_parts import gives_names_alone
from symbackprop.derivation.result import (
    AdjointDerivation,
    Derivation,
    Expansion,
    NamedParts,
    RestatedEquation,
)
from symbackprop.errors import ReplayError
from symbackprop.notation.arithmetic import multiply
from symbackprop.notation.expressions import Element, Expression
from symbackprop.rewriting.replay import replay_all
from symbackprop.rewriting.rule import Step
from symbackprop.systems.printing import text
from symbackprop.systems.system import System


def replayed(derivation: Derivation) -> Counter[str]:
    """How many steps of which kind there are, all of which replay and rest on the model alone.

    Raises ReplayError, naming the step, where one does not, or where it does not go on from the step before.
    """
    kinds: Counter[str] = Counter()
    for chain in chains(derivation):
        _expect_whole(chain)
        kinds.update(replay_all(chain.steps, REGISTRY, chain.grounds))
    return kinds


@dataclass(frozen=True)
class Chain:
    """Where a run of steps starts, its steps, where it is said to end, and what it may rest on."""

    start: Expression
    steps: Sequence[Step]
    end: Expression
    grounds: Grounds


def chains(derivation: Derivation) -> Iterator[Chain]:
    """Every run of steps of a derivation. ReplayError where it is not of the model's own loss."""
    _expect_models_own(derivation)
    expansion = derivation.expansion
    for parts in (*expansion.named_before, *expansion.named_after):
        for restated, on_names in grounds_of_names(parts):
            yield from _chains_of(restated, on_names)
    for found, grounds in grounds_of_expansion(derivation.expansion):
        yield from _chains_of(found, grounds)
    for adjoint, grounds in grounds_of_adjoints(derivation):
        yield from _chains_of(adjoint, grounds)


def _chains_of(found: AdjointDerivation | RestatedEquation, grounds: Grounds) -> Iterator[Chain]:
    if isinstance(found, RestatedEquation):
        yield Chain(found.stated.expression, found.steps, found.equation.expression, grounds)
        return
    for factor in found.factors:
        yield Chain(factor.derivative, factor.steps, factor.value, grounds)
    end = multiply(found.deltas, found.equation.expression)
    yield Chain(found.total, found.steps, end, grounds)


def _expect_models_own(derivation: Derivation) -> None:
    """The system comes of the model, and each adjoint is that of the loss by its tensor."""
    system, expansion = derivation.system, derivation.expansion
    is_models = _is_named(derivation.model, expansion.named_before, expansion.stated)
    is_its_loss = all(
        each.total.total
        and each.total.numerator == Element(system.loss or "")
        and each.total.denominator == Element(each.tensor, each.equation.indices)
        for each in derivation.adjoints
    )
    if not (is_models and system == expansion.system and _is_expanded(expansion) and is_its_loss):
        raise ReplayError(
            f"the derivation is not of the model '{derivation.model.name}'",
            remedy="this is a defect of symbackprop; please report the model",
        )


def _is_named(before: System, named: Sequence[NamedParts], after: System) -> bool:
    """Whether names of parts, and nothing else, lead from one system to another."""
    ends = [before, *(system for parts in named for system in (parts.before, parts.after)), after]
    is_whole = all(left == right for left, right in zip(ends[::2], ends[1::2], strict=True))
    return is_whole and all(map(gives_names_alone, named))


def _is_expanded(expansion: Expansion) -> bool:
    """Whether each equation of the system is stated, restated or that of a derivative, or of a name."""
    named = expansion.named_after
    system = named[0].before if named else expansion.system
    if not _is_named(system, named, expansion.system):
        return False
    if not expansion.derivations and not expansion.restated:
        return system == expansion.stated
    found = (*expansion.stated.equations, *(each.equation for each in expansion.restated))
    own = {each.tensor: each for each in (*found, *(each.equation for each in expansion.derivations))}
    return system.definitions == {name: own.get(name) for name in system.definitions}


def _expect_whole(chain: Chain) -> None:
    sides = (side for step in chain.steps for side in (step.before, step.after))
    states = [chain.start, *sides, chain.end]
    for left, right in zip(states[::2], states[1::2], strict=True):
        if left != right:
            raise ReplayError(
                f"a step is missing between {text(left)} and {text(right)}",
                remedy="this is a defect of symbackprop; please report the model",
            )
