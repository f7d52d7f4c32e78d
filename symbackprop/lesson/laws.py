"""What the links of a chain are named by: rules as a textbook states them, as far as they are used."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from symbackprop.algebra.identity import Identity
from symbackprop.algebra.rational import Relation
from symbackprop.derivation.calculus import MENTIONED
from symbackprop.derivation.differentiation import OwnEquation, is_differentiation
from symbackprop.functions.table import definition_of
from symbackprop.integers.bounds import conjunction
from symbackprop.languages.phrases import Words, marked, phrase
from symbackprop.lesson.document import listed
from symbackprop.notation.arithmetic import (
    base_and_exponent,
    coefficient_and_rest,
    factors_of,
    multiply,
    subtract,
)
from symbackprop.notation.derivatives import Derivative, without_indices
from symbackprop.notation.expressions import (
    ONE,
    ZERO,
    Add,
    Apply,
    Element,
    Expression,
    Multiply,
    Number,
    Power,
)
from symbackprop.notation.nodes import multiset
from symbackprop.notation.substitution import bound_names_apart
from symbackprop.rewriting.justification import Justification
from symbackprop.rewriting.replacements import AdjointNames, Definition
from symbackprop.rewriting.rule import FactUse, Step, Use, node_at
from symbackprop.rules.bookkeeping import ARITHMETIC
from symbackprop.rules.conditions import PREDICATES
from symbackprop.rules.stated_facts import Stated
from symbackprop.rules.support import Guarding
from symbackprop.systems.printing import text
from symbackprop.systems.system import System

WORTH_MENTIONING = frozenset(rule.name for rule in MENTIONED)
_FOUND = marked("{tensor}, found above")
_NAMED = marked("{name} for {derivative}")
_NAMED_ABOVE = marked("{names}, found above")
_NAMED_BELOW = marked("{names}, found below: it is that of another step of the recurrence")
_NAMED_BELOW_MANY = marked("{names}, found below: they are those of another step of the recurrence")
_GUARDED = marked("{adjoint} is 0 unless {condition}")
_FOLLOWS = marked("{fact}, by the definition of {tensors}")
_INTEGRAL = marked("(f^g*h)^n = f^(g*n)*h^n, where n is an integer")
# Conditions that say when a rule is of use; without them it holds as well.
_OF_USE = [
    re.compile(re.escape(PREDICATES[name].wording).replace(r"\{\}", ".+"))
    for name in ("has delta", "no delta", "many factors", "divided", "one array")
]


@dataclass(frozen=True)
class Law:
    """What a link of a chain is named by: a rule, or several that are one to a reader, named `within` it.

    `again` is said where all of the statements have been given before.
    """

    name: str
    statements: tuple[Words, ...]
    within: tuple[str, ...] = ()
    again: tuple[Words, ...] = ()

    @classmethod
    def of(cls, rule: Justification) -> Law:
        """One rule's; which definition is put in is said each time."""
        return cls(rule.name, rule.said, again=rule.said if isinstance(rule, Definition) else ())

    @classmethod
    def of_step(cls, step: Step, system: System, known: Mapping[str, bool]) -> Law:
        """What one step is named by; of a name that it brings back, which one is said each time."""
        rule = step.rule
        if isinstance(rule, AdjointNames):
            named = _adjoints_named(rule, step.before, known)
            return cls(rule.name, named, again=named)
        if isinstance(rule, Guarding):
            guarded = tuple(
                [
                    phrase(_GUARDED, adjoint=adjoint, condition=conjunction(list(conditions)))
                    for adjoint, conditions in rule.support
                    if conditions
                ]
            )
            return cls(rule.name, guarded, again=guarded)
        if isinstance(rule, FactUse) and isinstance(rule.premise, Stated):
            return cls(rule.name, (_fact(rule.premise, system),))
        if isinstance(rule, Definition) and rule.equation.tensor not in system.tensors:
            found = (phrase(_FOUND, tensor=rule.equation.tensor),)
            return cls(rule.name, found, again=found)
        if rule.statements == (ARITHMETIC,):
            return cls(rule.name, _as_words(arithmetic_laws(node_at(step.before, step.place))))
        if any(map(_is_always_true, rule.statements)):
            return cls(rule.name, _as_words([each.rpartition(", where ")[0] for each in rule.statements]))
        if not isinstance(step.rule, Identity) or not step.rule.folded:
            return cls.of(step.rule)
        lines = [line for each in step.rule.folded for line in _folded(each, step)]
        names = [text(each.known) for each in step.rule.folded]
        return cls(step.rule.name, _as_words(lines), again=_as_words(names))


def _adjoints_named(rule: AdjointNames, before: Expression, found: Mapping[str, bool]) -> tuple[Words, ...]:
    """Which derivatives of an expression have which names: those that were `found` before, and the others."""
    read = {node for node in before.walk() if isinstance(node, Derivative)}
    groups: dict[bool, dict[str, Words]] = {True: {}, False: {}}
    for derivative, named in rule.equalities:
        if derivative in read and isinstance(derivative, Derivative) and isinstance(named, Element):
            said = phrase(_NAMED, name=Element(named.tensor), derivative=without_indices(derivative))
            if named.tensor in found:
                groups[found[named.tensor]][named.tensor] = said
    above, below = ([*group.values()] for group in (groups[True], groups[False]))
    later = _NAMED_BELOW if len(below) == 1 else _NAMED_BELOW_MANY
    templates = ((_NAMED_ABOVE, above), (later, below))
    return tuple([phrase(template, names=listed(names)) for template, names in templates if names])


def _fact(premise: Stated, system: System) -> Words:
    """A fact; where the model does not state it but its equations do, by which definition."""
    defined = [name for name in premise.fact.left.tensors if name in system.definitions]
    if premise.fact in system.facts or not defined:
        return phrase(premise.statement)
    return phrase(
        _FOLLOWS, fact=premise.statement, tensors=listed([Element(name) for name in sorted(defined)])
    )


def arithmetic_laws(node: Expression) -> tuple[str, ...]:
    """The laws by which a sum, product or power is put together; none where only numbers are."""
    powers = [each for each in (node, *factors_of(node)) if isinstance(each, Power)]
    integral = [each for each in powers if isinstance(each.base, Multiply | Power)]
    if isinstance(node, Add):
        likes = Counter(multiset(rest) for _, rest in map(coefficient_and_rest, node.terms) if rest)
        found = {"0 + f = f": ZERO in node.terms, "f + f = 2*f": max(likes.values(), default=0) > 1}
    elif ZERO in factors_of(node):
        found = {"0*f = 0": True}
    else:
        factors = [each for each in _all_factors(node) if not isinstance(each, Number)]
        bases = Counter(base for base, _ in map(base_and_exponent, factors))
        found = {
            "1*f = f": ONE in factors_of(node) and node != ONE,
            _INTEGRAL: bool(integral),
            "f^g*f^h = f^(g + h)": max(bases.values(), default=0) > 1,
        }
    return tuple([law for law, is_used in found.items() if is_used])


def _all_factors(node: Expression) -> Iterator[Expression]:
    """The factors of a product, those within powers of products with the exponent of these."""
    for factor in factors_of(node):
        if isinstance(factor, Multiply):
            yield from _all_factors(factor)
        elif isinstance(factor, Power) and isinstance(factor.base, Multiply | Power):
            yield from (Power(each, factor.exponent) for each in _all_factors(factor.base))
        else:
            yield factor


def _is_always_true(statement: str) -> bool:
    """Whether the conditions of a statement say no more than when it is of use."""
    _, _, conditions = statement.rpartition(", where ")
    parts = conditions.split(" and ") if conditions != statement else []
    return bool(parts) and all(any(each.fullmatch(part) for each in _OF_USE) for part in parts)


def _as_words(lines: Sequence[str]) -> tuple[Words, ...]:
    return tuple(map(phrase, lines))


def _folded(relation: Relation, step: Step) -> Iterator[str]:
    """z = sigmoid(u); where the step has met what that stands for, z = sigmoid(u) = 1/(1 + exp(-u))."""
    formula = bound_names_apart(relation.formula, relation.known.free_indices)
    line = f"{text(relation.known)} = {text(formula)}"
    definition = definition_of(relation.formula) if isinstance(relation.formula, Apply) else None
    if definition is None or relation.formula in set(step.before.walk()):
        yield line
        return
    yield f"{line} = {text(definition)}"
    rest = subtract(ONE, relation.known)
    if isinstance(definition, Power) and definition.exponent == Number(-1) and rest in set(step.after.walk()):
        over = multiply(subtract(definition.base, ONE), definition)
        yield f"{text(rest)} = {text(over)}"


def merged_laws(
    steps: Sequence[Step], system: System, found: Mapping[str, bool]
) -> list[tuple[Law, Expression]]:
    """Uses of one law in a row as one, and so the rules of calculus from a derivative sign to its value.

    Of adjoints that have names it is said whether they were `found` before.
    """
    merged: list[tuple[Law, Expression]] = []
    for is_calculus, run in groupby(steps, is_differentiation):
        group = tuple(run)
        is_one = is_calculus and isinstance(group[0].rule, OwnEquation)
        laws = [_differentiated(group)] if is_one else [Law.of_step(step, system, found) for step in group]
        for law, after in zip(laws, [group[-1].after] if is_one else [s.after for s in group], strict=True):
            if merged and (merged[-1][0].name, merged[-1][0].within) == (law.name, law.within):
                law = _together(merged.pop()[0], law)
            merged.append((law, after))
    return merged


def _together(first: Law, law: Law) -> Law:
    """Two uses of a law as one, with what either states."""
    statements = tuple(dict.fromkeys((*first.statements, *law.statements)))
    return Law(law.name, statements, law.within, tuple(dict.fromkeys((*first.again, *law.again))))


def _differentiated(steps: Sequence[Step]) -> Law:
    """A derivative worked out, named by the rules that are worth mentioning."""
    used = (step.rule for step in steps if isinstance(step.rule, Use) and step.rule.name in WORTH_MENTIONING)
    rules = dict.fromkeys((rule.name, rule.statement) for rule in used)
    names = dict.fromkeys(name for name, _ in rules)
    return Law(steps[0].rule.name, tuple([phrase(statement) for _, statement in rules]), tuple(names))
