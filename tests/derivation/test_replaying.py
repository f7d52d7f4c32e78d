"""Derivations done again: every step of every example and classic, and corrupted steps, which are refused."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from symbackprop.algebra.identity import Identity
from symbackprop.algebra.reassociation import Regrouping
from symbackprop.derivation.chain_rules import ChainRule
from symbackprop.derivation.differentiation import OwnEquation
from symbackprop.derivation.driver import derive
from symbackprop.derivation.known_rules import REGISTRY
from symbackprop.derivation.replaying import chains, replayed
from symbackprop.errors import InternalError, ReplayError
from symbackprop.language.model import parse_expression, parse_system
from symbackprop.notation.arithmetic import multiply, negate
from symbackprop.notation.expressions import Expression, Number, Where
from symbackprop.rewriting.justification import Justification
from symbackprop.rewriting.registry import Registry
from symbackprop.rewriting.replacements import Definition, Substitution
from symbackprop.rewriting.replay import is_anchored, replays, with_parts
from symbackprop.rewriting.rule import Use, node_at, replace_at
from symbackprop.schedule.driver import ScheduleSource, scheduled
from symbackprop.schedule.replaying import replayed as schedule_replayed
from tests.derivation.derivations import CORRUPTED, EXAMPLES, MODELS, derivation_of
from tests.models.classics import NAMES


@pytest.mark.parametrize("name", (*EXAMPLES, *NAMES, *MODELS))
def test_every_step_replays(name: str) -> None:
    derivation = derivation_of(name)
    kinds = replayed(derivation)
    assert sum(kinds.values()) >= len(derivation.steps)
    source = ScheduleSource.of(derivation)
    schedule = scheduled(source)
    steps = [step for item in schedule.equations for step in item.origin.steps]
    assert sum(schedule_replayed(schedule, source).values()) == len(steps)


@pytest.mark.parametrize("name", (*EXAMPLES, *NAMES, *MODELS))
def test_every_rule_that_is_named_is_a_rule_that_rewrites(name: str) -> None:
    for step in (part for each in derivation_of(name).steps for part in with_parts(each)):
        assert step.rule.kind and step.rule.name in REGISTRY.entries and step.rule.statement
        if isinstance(step.rule, Use):
            rule = REGISTRY.rule(step.rule)
            assert rule is not None
            rewritten = rule.apply(node_at(step.before, step.place))
            assert rewritten is not None
            assert replace_at(step.before, step.place, rewritten) == step.after


@pytest.mark.parametrize("name", (*EXAMPLES, *NAMES, *MODELS))
def test_steps_can_be_pickled(name: str) -> None:
    derivation = derivation_of(name)
    again = pickle.loads(pickle.dumps(derivation))
    assert again.steps == derivation.steps and again.equations == derivation.equations
    assert sum(replayed(again).values()) >= len(again.steps)


def test_steps_can_be_pickled_for_another_process(tmp_path: Path) -> None:
    """There the hashes of strings are others."""
    derivation, path = derivation_of("what only a where reads"), tmp_path / "derivation.pickle"
    path.write_bytes(pickle.dumps(derivation))
    program = (
        "import pickle, sys\n"
        "from symbackprop.derivation.replaying import replayed\n"
        "print(sum(replayed(pickle.load(open(sys.argv[1], 'rb'))).values()))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) == sum(replayed(derivation).values())


def test_every_name_is_one_rules() -> None:
    entries = tuple(dict.fromkeys(REGISTRY.entries.values()))
    assert Registry.of(*entries).entries == REGISTRY.entries
    with pytest.raises(InternalError, match="two rules are called 'contract delta'"):
        Registry.of(*entries, REGISTRY.entries["contract delta"])


def test_another_number_of_positions_is_refused_and_no_crash() -> None:
    seen: Counter[str] = Counter()
    for name in ("attention", "batch_norm", "elman_rnn", "inverse_quadratic_form"):
        for chain in chains(derivation_of(name)):
            for step in (part for each in chain.steps for part in with_parts(each)):
                for rule in _of_another_arity(step.rule):
                    wrong = replace(step, rule=rule)
                    assert not replays(wrong, REGISTRY), f"{name}: {wrong}"
                    assert not is_anchored(wrong, chain.grounds)
                    seen[rule.name] += 1
    assert {"differentiate", "put in", "chain rule", "regroup sum"} <= seen.keys()


def _of_another_arity(rule: Justification) -> Iterator[Justification]:
    match rule:
        case OwnEquation(equation) | Definition(equation) if equation.indices:
            for indices in ((), (*equation.indices, *equation.indices)):
                yield replace(rule, equation=replace(equation, indices=indices))
        case Regrouping(folded):
            yield replace(rule, folded=replace(folded, indices=folded.indices[1:]))
        case ChainRule((first, *others)) if first.indices:
            yield replace(rule, consumers=(replace(first, indices=first.indices[1:]), *others))


def test_a_missing_step_is_noticed() -> None:
    derivation = derivation_of("attention")
    for number, adjoint in enumerate(derivation.adjoints):
        for place in range(len(adjoint.steps)):
            shorter = replace(adjoint, steps=(*adjoint.steps[:place], *adjoint.steps[place + 1 :]))
            adjoints = (*derivation.adjoints[:number], shorter, *derivation.adjoints[number + 1 :])
            with pytest.raises(ReplayError, match="a step is missing"):
                replayed(replace(derivation, adjoints=adjoints))


def test_an_equation_that_the_steps_do_not_lead_to_is_noticed() -> None:
    derivation = derivation_of("seed")
    *others, last = derivation.adjoints
    equation = replace(last.equation, expression=negate(last.equation.expression))
    wrong = replace(derivation, adjoints=(*others, replace(last, equation=equation)))
    with pytest.raises(ReplayError, match="a step is missing"):
        replayed(wrong)


# ---- what the model does not say


def _seven_times(expression: Expression) -> Expression:
    return multiply(Number(7), expression)


def _forged(rule: Justification) -> Iterator[tuple[str, Justification]]:
    """Equations scaled, values forged, a path left out."""
    match rule:
        case OwnEquation(equation) | Definition(equation):
            scaled = replace(equation, expression=_seven_times(equation.expression))
            yield "scaled equation", replace(rule, equation=scaled)
        case Identity(relations):
            for at, each in enumerate(relations):
                scaled = replace(each, formula=_seven_times(each.formula))
                yield (
                    "scaled relation",
                    replace(rule, relations=(*relations[:at], scaled, *relations[at + 1 :])),
                )
        case Substitution(equalities):
            for at, (left, right) in enumerate(equalities):
                forged = (left, _seven_times(right)) if right != Number(0) else (left, Number(7))
                yield (
                    "forged value",
                    replace(rule, equalities=(*equalities[:at], forged, *equalities[at + 1 :])),
                )
        case ChainRule(consumers):
            for at in range(len(consumers)):
                yield "dropped path", replace(rule, consumers=(*consumers[:at], *consumers[at + 1 :]))


def test_what_the_model_does_not_say_is_refused() -> None:
    refused: Counter[str] = Counter()
    for name in CORRUPTED:
        for chain in chains(derivation_of(name)):
            for step in (part for each in chain.steps for part in with_parts(each)):
                assert is_anchored(step, chain.grounds)
                for kind, rule in _forged(step.rule):
                    assert not is_anchored(replace(step, rule=rule), chain.grounds), f"{name}: {kind}: {step}"
                    refused[kind] += 1
    assert all(refused[kind] > 10 for kind in ("scaled equation", "scaled relation", "forged value"))
    assert refused["dropped path"] > 10, refused


def test_a_case_is_stated_only_where_its_condition_stands_around() -> None:
    system = parse_system(
        """
        index i : I
        param x[i]
        z[i] = where(i >= 1, exp(x[i]), 0)
        loss E = sum(i, z[i]^2)
        """
    )
    (definition, _) = system.equations
    case = (definition.element, parse_expression("exp(x[i])", system))
    assert isinstance(definition.expression, Where)
    for chain in chains(derive(system)):
        assert chain.grounds.states(case, (definition.expression.condition,))
        assert not chain.grounds.states(case)
        assert chain.grounds.states((definition.element, definition.expression))
