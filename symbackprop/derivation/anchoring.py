"""What the steps of a derivation may rest on: for each of its chains the grounds, in the order of finding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from symbackprop.algebra.consequences import consequence_steps
from symbackprop.algebra.context import Scope
from symbackprop.algebra.normal_form import NormalForm
from symbackprop.algebra.phases import RULES_OF_FACTS, normal_form_rules, scope_of
from symbackprop.derivation.grounds import Forms, Grounds, Knowledge, forms_of, in_order, restated_forms
from symbackprop.derivation.known_rules import REGISTRY
from symbackprop.derivation.result import (
    AdjointDerivation,
    Derivation,
    Expansion,
    NamedParts,
    RestatedEquation,
)
from symbackprop.rewriting.replay import follows, is_anchored, replays
from symbackprop.rules.stated_facts import fact_rules
from symbackprop.systems.partial import Ranges
from symbackprop.systems.system import Fact, System


def grounds_of_names(parts: NamedParts) -> Iterator[tuple[RestatedEquation, Grounds]]:
    """For each equation that reads names of its parts, the equations of the names."""
    system = parts.after
    known = Knowledge(Scope.of(system), Ranges.of_tensors(system.tensors.values()), frozenset(system.facts))
    forms = {each.tensor: (each,) for each in system.equations}
    grounds = Grounds(system, known, (), forms)
    for restated in parts.restated:
        yield restated, grounds


def grounds_of_expansion(
    expansion: Expansion,
) -> Iterator[tuple[AdjointDerivation | RestatedEquation, Grounds]]:
    """For each derivative inside the model, and each equation that holds some, what its steps may rest on."""
    derivations = {each.equation.tensor: each.equation for each in expansion.derivations}
    restated = {each.equation.tensor: restated_forms(each) for each in expansion.restated}
    stated = expansion.stated
    equations = {
        each.tensor: restated.get(each.tensor, (each,))[0]
        for each in stated.equations
        if each.tensor not in derivations
    }
    system = stated.with_equations((*equations.values(), *derivations.values()))
    forms = {name: restated.get(name, (equation,)) for name, equation in equations.items()}
    adjoints = expansion.derivations
    everything = {**forms, **{each.equation.tensor: forms_of(each) for each in adjoints}}
    known = _with_adjoints(_knowledge(expansion.system, everything), adjoints)
    for each, before in in_order(adjoints, forms):
        yield each, Grounds(system, known, adjoints, before, each)
    for found in expansion.restated:
        others = {name: each for name, each in everything.items() if name != found.equation.tensor}
        yield found, Grounds(system, known, adjoints, others)


def grounds_of_adjoints(derivation: Derivation) -> Iterator[tuple[AdjointDerivation, Grounds]]:
    """For each adjoint what its steps may rest on."""
    system, adjoints = derivation.system, derivation.adjoints
    forms = {equation.tensor: (equation,) for equation in system.equations}
    everything = {**forms, **{each.equation.tensor: forms_of(each) for each in adjoints}}
    known = _with_adjoints(_knowledge(system, everything), adjoints)
    for each, before in in_order(adjoints, forms):
        yield each, Grounds(system, known, adjoints, before, each)


def _with_adjoints(known: Knowledge, adjoints: Sequence[AdjointDerivation]) -> Knowledge:
    """What each adjoint's equation says too, as it was first closed."""
    equations = [forms_of(each)[0] for each in adjoints]
    return replace(known, scope=known.scope.with_equations(equations))


def _knowledge(system: System, forms: Forms) -> Knowledge:
    """What a system says of its tensors, and its equations in all their forms of what comes of it."""
    scope = scope_of(system)
    ranges = _ranges_by(system, forms)
    known = Knowledge(scope, ranges, frozenset(system.facts))
    return replace(known, facts=frozenset(_with_consequences(system, known)))


def _with_consequences(system: System, known: Knowledge) -> set[Fact]:
    """The facts that the model states, and of those that follow each whose steps replay."""
    facts = dict.fromkeys(system.facts)
    scope, rules = Scope.of(system), normal_form_rules(Ranges.of(system))
    stated = {equation.tensor: (equation,) for equation in system.equations}
    for fact in known.scope.facts:
        if fact not in facts:
            grounds = Grounds(system, replace(known, facts=frozenset(facts)), (), stated)
            normal_form = NormalForm(rules, fact_rules(tuple(facts), RULES_OF_FACTS))
            steps = consequence_steps(system, fact, scope, normal_form)
            if follows(fact.left, steps, fact.right) and all(
                replays(step, REGISTRY) and is_anchored(step, grounds) for step in steps
            ):
                facts[fact] = None
    return set(facts)


def _ranges_by(system: System, forms: Forms) -> Ranges:
    """What any form of its equation says of each tensor, and of those that it reads what was said before."""
    ranges = Ranges.of_tensors(system.tensors.values())
    for name, equations in forms.items():
        found = [ranges.with_equations((equation,)) for equation in equations]
        ranges = Ranges(
            _with(ranges.positive, name, any(name in each.positive for each in found)),
            _with(ranges.nonnegative, name, any(name in each.nonnegative for each in found)),
            _with(ranges.undefined, name, all(name in each.undefined for each in found)),
            _with(ranges.infinite, name, all(name in each.infinite for each in found)),
            found[-1].axes if found else ranges.axes,
        )
    return ranges


def _with(members: frozenset[str], name: str, belongs: bool) -> frozenset[str]:
    return members | {name} if belongs else members - {name}
