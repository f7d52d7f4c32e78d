"""Derivations done again: every step of every example and classic, and corrupted steps, which are refused."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache

import pytest

from symbackprop.algebra.identity import Identity
from symbackprop.derivation.differentiation import OwnEquation
from symbackprop.derivation.driver import derive
from symbackprop.derivation.replaying import chains, replayed
from symbackprop.derivation.result import Derivation
from symbackprop.derivation.reverse import ChainRule
from symbackprop.errors import ReplayError
from symbackprop.language.model import parse_expression, parse_system
from symbackprop.notation.arithmetic import multiply, negate
from symbackprop.notation.expressions import Add, Element, Expression, Index, Multiply, Number, Where
from symbackprop.pipeline import load
from symbackprop.rewriting.justification import Justification
from symbackprop.rewriting.replacements import Definition, Substitution
from symbackprop.rewriting.replay import Beside, Composite, is_anchored, replays
from symbackprop.rewriting.rule import Path, Rule, Step, node_at, replace_at
from tests.models.classics import FOLDER, NAMES, load_classic

EXAMPLES = sorted(path.stem for path in FOLDER.parent.glob("*.model"))
# With a recurrence, inner derivatives, matrices, and sums that are regrouped and split.
CORRUPTED = ("seed", "attention", "batch_norm", "elman_rnn", "gaussian", "gradient_penalty", "layer_norm")


@cache
def derivation_of(name: str) -> Derivation:
    if name in EXAMPLES:
        return load(str(FOLDER.parent / f"{name}.model")).derive().derivation
    classic = load_classic(name)
    return derive(classic.system, classic.wrt or None)


@pytest.mark.parametrize("name", (*EXAMPLES, *NAMES))
def test_every_step_replays(name: str) -> None:
    derivation = derivation_of(name)
    kinds = replayed(derivation)
    assert sum(kinds.values()) >= len(derivation.steps)


@pytest.mark.parametrize("name", (*EXAMPLES, *NAMES))
def test_no_rule_is_only_a_label(name: str) -> None:
    for step in _with_parts(derivation_of(name).steps):
        if isinstance(step.rule, Rule):
            rewritten = step.rule.apply(node_at(step.before, step.place))
            assert rewritten is not None
            assert replace_at(step.before, step.place, rewritten) == step.after
        assert step.rule.kind and step.rule.name and step.rule.statement


def _with_parts(steps: Sequence[Step]) -> Iterator[Step]:
    for step in steps:
        yield step
        if isinstance(step.rule, Composite | Beside):
            yield from _with_parts(step.rule.steps)


# ---- corrupted steps

# Laws that say the same of some nodes: sum(i, 0) is 0, and size(i)*0; signs meet in either way; a delta of an
# index is solved as it is contracted.
ALIKE = (
    {"sum of zeros", "unused index"},
    {"arithmetic", "arrange"},
    {"arithmetic", "put together"},
    {"arrange", "put together"},
    {"contract delta", "solve delta"},
)


def _places(expression: Expression, place: Path = ()) -> Iterator[tuple[Path, Expression]]:
    yield place, expression
    for number, child in enumerate(expression.children):
        yield from _places(child, (*place, number))


def _with_another_sign(node: Expression, rng: random.Random, indices: Sequence[Index]) -> Expression | None:
    if not isinstance(node, Add):
        return None
    terms = list(node.terms)
    place = rng.randrange(len(terms))
    terms[place] = negate(terms[place])
    return Add(tuple(terms))


def _with_an_index_exchanged(
    node: Expression, rng: random.Random, indices: Sequence[Index]
) -> Expression | None:
    if not (isinstance(node, Element) and node.positions):
        return None
    others = [index for index in indices if index not in node.positions]
    positions: list[Expression] = list(node.positions)
    if others:
        positions[rng.randrange(len(positions))] = rng.choice(others)
    return Element(node.tensor, tuple(positions))


def _with_a_part_dropped(node: Expression, rng: random.Random, indices: Sequence[Index]) -> Expression | None:
    if not isinstance(node, Add | Multiply):
        return None
    parts = list(node.children)
    parts.pop(rng.randrange(len(parts)))
    return parts[0] if len(parts) == 1 else node.with_children(tuple(parts))


CORRUPTIONS = {
    "sign": _with_another_sign,
    "index": _with_an_index_exchanged,
    "dropped": _with_a_part_dropped,
}


def _corrupted_results(step: Step, rng: random.Random) -> Iterator[tuple[str, Step]]:
    yield "sign", replace(step, after=negate(step.after))
    places = list(_places(step.after))
    indices = sorted({node for _, node in places if isinstance(node, Index)}, key=lambda index: index.name)
    for kind, corrupt in CORRUPTIONS.items():
        changed = ((place, corrupt(node, rng, indices)) for place, node in rng.sample(places, len(places)))
        for place, node in changed:
            if node is not None:
                yield kind, replace(step, after=replace_at(step.after, place, node))
                break


def _other_reasons(
    step: Step, rules: Sequence[Justification], rng: random.Random
) -> Iterator[tuple[str, Step]]:
    """Another law of the derivation, or the same at another place.

    An identity accounts for whatever is one, and arithmetic in a product for that of its factors: these are
    not wrong.
    """
    others = [
        rule
        for rule in rules
        if rule.name != step.rule.name
        and rule.kind != "identity"
        and {rule.name, step.rule.name} not in ALIKE
    ]
    for rule in rng.sample(others, min(3, len(others))):
        yield "rule", replace(step, rule=rule)
    places = [place for place, _ in _places(step.before) if place != step.place]
    if step.rule.name != "arithmetic":
        for place in rng.sample(places, min(3, len(places))):
            yield "place", replace(step, place=place)


def test_corrupted_steps_are_all_refused() -> None:
    refused: Counter[str] = Counter()
    for name in CORRUPTED:
        rng = random.Random(name)
        steps = list(_with_parts(derivation_of(name).steps))
        rules = list({(step.rule.name, step.rule.statement): step.rule for step in steps}.values())
        for step in steps:
            for kind, wrong in (*_corrupted_results(step, rng), *_other_reasons(step, rules, rng)):
                if kind in ("rule", "place") or wrong.after != step.after:
                    assert not replays(wrong), f"{name}: {kind} of {step.rule.name}: {wrong}"
                    refused[kind] += 1
    assert all(refused[kind] > 200 for kind in ("sign", "index", "dropped", "rule", "place")), refused


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
        case Substitution(_, _, equalities):
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
            for step in _with_parts(chain.steps):
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
