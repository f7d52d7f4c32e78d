"""Corrupted steps, made from real ones, each with whether it happens to hold all the same.

Whether it does is found without replaying: the rule that it names is asked by its function, its pattern is
filled in, an identity is evaluated.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from symbackprop.algebra.identity import Identity
from symbackprop.algebra.reassociation import Regrouping
from symbackprop.derivation.chain_rules import ChainRule
from symbackprop.derivation.differentiation import OwnEquation
from symbackprop.derivation.inner.known_derivatives import Between
from symbackprop.derivation.known_rules import REGISTRY
from symbackprop.notation.arithmetic import negate
from symbackprop.notation.expressions import (
    Add,
    Element,
    Expression,
    Index,
    Multiply,
)
from symbackprop.notation.substitution import canonical_bound_names, substitute
from symbackprop.rewriting.justification import Justification, Recomputed
from symbackprop.rewriting.moving_in import MovedIn
from symbackprop.rewriting.patterns import Found, filled_in
from symbackprop.rewriting.replacements import AdjointNames, Definition, Renaming, Substitution
from symbackprop.rewriting.rule import Path, Rule, Step, Use, node_at, replace_at
from symbackprop.rules.stated_facts import Instances
from symbackprop.rules.stating import Rewriting

NAMES = tuple(sorted(REGISTRY.entries))
RULES = tuple(entry for entry in REGISTRY.entries.values() if isinstance(entry, Rule))


@dataclass(frozen=True)
class Corruption:
    """A step that is not the one that was recorded; `holds` says whether it is a true one all the same."""

    kind: str
    step: Step
    holds: bool = False


def corruptions(step: Step, rng: random.Random) -> Iterator[Corruption]:
    """Some of every kind that the step can suffer."""
    for corrupt in (results, _names, _rules, _places, _bindings):
        yield from corrupt(step, rng)


def places_of(expression: Expression, place: Path = ()) -> Iterator[tuple[Path, Expression]]:
    """Every node with its place."""
    yield place, expression
    for number, child in enumerate(expression.children):
        yield from places_of(child, (*place, number))


# ---- sign, index, dropped: another result


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


RESULTS = {"sign": _with_another_sign, "index": _with_an_index_exchanged, "dropped": _with_a_part_dropped}


def results(step: Step, rng: random.Random) -> Iterator[Corruption]:
    """Another expression after the step: the other sign, an index exchanged, a part dropped."""
    yield Corruption("sign", replace(step, after=negate(step.after)), step.after == negate(step.after))
    places = list(places_of(step.after))
    indices = sorted({node for _, node in places if isinstance(node, Index)}, key=lambda index: index.name)
    for kind, corrupt in RESULTS.items():
        changed = ((place, corrupt(node, rng, indices)) for place, node in rng.sample(places, len(places)))
        for place, node in changed:
            if node is not None:
                after = replace_at(step.after, place, node)
                if after != step.after:
                    yield Corruption(kind, replace(step, after=after))
                break


# ---- name, rule, place: another rule, or elsewhere


def _names(step: Step, rng: random.Random) -> Iterator[Corruption]:
    """The name of another rule, everything else as it was."""
    for name in rng.sample(NAMES, 4):
        if name != step.rule.name:
            yield Corruption("name", replace(step, rule=replace(step.rule, name=name)))


def _rules(step: Step, rng: random.Random) -> Iterator[Corruption]:
    """Another rule with all that it says of itself; it may say the same of this node."""
    node = node_at(step.before, step.place)
    for rule in rng.sample(RULES, 6):
        if rule.name != step.rule.name:
            made = rule.apply(node)
            use = rule.cited(None, ()) if made is None else rule.used_on(node)
            wrong = replace(step, rule=use)
            yield Corruption("rule", wrong, _comes_out(wrong, made))
    if isinstance(step.rule, Substitution):
        other = Substitution if isinstance(step.rule, AdjointNames) else AdjointNames
        yield Corruption("rule", replace(step, rule=other(step.rule.equalities)))
    renamed = replace(step, rule=Renaming(), place=())
    if step.rule.kind not in ("renaming", "composite"):
        yield Corruption("rule", renamed, _alike(step.before, step.after))


def _alike(left: Expression, right: Expression) -> bool:
    return canonical_bound_names(left) == canonical_bound_names(right)


def _comes_out(step: Step, made: Expression | None) -> bool:
    if made is None or (step.rule.whole and step.place):
        return False
    return replace_at(step.before, step.place, made) == step.after


def _places(step: Step, rng: random.Random) -> Iterator[Corruption]:
    """The same rule at another place."""
    others = [place for place, _ in places_of(step.before) if place != step.place]
    for place in rng.sample(others, min(3, len(others))):
        wrong = replace(step, place=place)
        yield Corruption("place", wrong, not step.rule.whole and _holds_at(step.rule, wrong))


def _holds_at(rule: Justification, step: Step) -> bool:
    node = node_at(step.before, step.place)
    if isinstance(rule, Use):
        return _comes_out(step, _made(rule, node))
    if isinstance(rule, Recomputed):
        return _comes_out(step, rule.again(node))
    return isinstance(rule, Identity) and _is_all(step, rule)


def _is_all(step: Step, rule: Identity) -> bool:
    """Whether nothing outside of the place has changed, nor stood the name there before."""
    try:
        after = node_at(step.after, step.place)
        changed = replace_at(step.before, step.place, after)
    except (IndexError, AssertionError):
        return False
    names = {relation.known for relation in rule.folded}
    before = set(node_at(step.before, step.place).walk())
    return changed == step.after and names <= set(after.walk()) and names.isdisjoint(before)


def _made(use: Use, node: Expression) -> Expression | None:
    """What a rule makes of a node by its bindings, without the matcher where there are some."""
    rule = REGISTRY.rule(use)
    assert rule is not None
    if not use.bindings:
        return rule.apply(node)
    if isinstance(rule.apply, Instances):
        return _instance(rule.apply, use, node)
    assert isinstance(rule.apply, Rewriting)
    return _filled(rule.apply, use, node)


def _filled(rewriting: Rewriting, use: Use, node: Expression) -> Expression | None:
    found = Found(dict(use.bindings))
    for left, right in (pair for pairs in rewriting.patterns.values() for pair in pairs):
        try:
            is_node = type(left) is type(node) and _alike(filled_in(left, found), node)
        except (AssertionError, KeyError):
            continue  # another kind of variable
        if is_node and all(condition.holds(found) for condition in rewriting.where):
            return filled_in(right, found)
    return None


def _instance(fact: Instances, use: Use, node: Expression) -> Expression | None:
    at = {index: value for index, value in use.bindings if isinstance(value, Expression)}
    is_node = at.keys() == fact.larger.free_indices and _alike(substitute(fact.larger, at), node)
    return substitute(fact.smaller, at) if is_node else None


# ---- binding: what the variables stand for, or the equations that are used


def _bindings(step: Step, rng: random.Random) -> Iterator[Corruption]:
    for rule in _rebound(step, rng):
        if rule != step.rule:
            wrong = replace(step, rule=rule)
            made = isinstance(rule, Use) and rule.bindings and _made(rule, node_at(step.before, step.place))
            yield Corruption("binding", wrong, _comes_out(wrong, made or None))


def _rebound(step: Step, rng: random.Random) -> Iterator[Justification]:
    rule = step.rule
    match rule:
        case Use(bindings=(*bindings,)) if bindings:
            yield replace(rule, bindings=())
            nodes = tuple(node_at(step.before, step.place).walk())
            for at, (variable, _) in enumerate(bindings):
                values = [value for _, value in bindings] + list(rng.sample(nodes, min(5, len(nodes))))
                for value in values:
                    yield replace(rule, bindings=(*bindings[:at], (variable, value), *bindings[at + 1 :]))
        case Use(premise=MovedIn(total, below)):
            yield replace(rule, premise=MovedIn(below, total))
            yield replace(rule, premise=MovedIn(total, total))
        case Use(premise=Between(root, target)):
            yield replace(rule, premise=Between(target, root))
        case Substitution(equalities) if len(equalities) > 1:
            lefts, rights = zip(*equalities, strict=True)
            yield replace(rule, equalities=tuple(zip(lefts, (*rights[1:], rights[0]), strict=True)))
        case ChainRule(consumers) if len(consumers) > 1:
            yield replace(rule, consumers=(*consumers, consumers[0]))
        case OwnEquation(equation) | Definition(equation):
            yield replace(
                rule, equation=replace(equation, indices=(*equation.indices[1:], *equation.indices[:1]))
            )
            yield replace(rule, equation=replace(equation, indices=(*equation.indices, *equation.indices)))
            yield replace(rule, equation=replace(equation, indices=()))
        case Regrouping(folded):
            yield replace(rule, folded=replace(folded, indices=folded.indices[::-1]))
            yield replace(rule, folded=replace(folded, indices=folded.indices[1:]))
