"""Chains of equations as they are shown: what a rule's use looks like, and what names mean on the page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby

from symbackprop.algebra.identity import Identity
from symbackprop.algebra.rational import Relation
from symbackprop.derivation.calculus import MENTIONED
from symbackprop.derivation.differentiation import OwnEquation, is_differentiation
from symbackprop.derivation.result import AdjointDerivation, Derivation, LocalDerivative
from symbackprop.functions.table import definition_of
from symbackprop.languages.phrases import Phrase, Words, marked, phrase
from symbackprop.lesson.document import Chain, Link, Reason
from symbackprop.notation.arithmetic import factors_of, multiply, subtract, terms_of
from symbackprop.notation.derivatives import Derivative
from symbackprop.notation.expressions import ONE, Add, Apply, Element, Expression, Multiply, Number, Power
from symbackprop.notation.fresh_names import lengthened_name
from symbackprop.notation.substitution import substitute
from symbackprop.rewriting.justification import Justification
from symbackprop.rewriting.replacements import Definition
from symbackprop.rewriting.rule import Step, Use
from symbackprop.systems.printing import text

# What a statement says of a symmetry.
_REASONS = (marked("(by its definition)"), marked("(fact "))
_PARTS = re.compile(rf"({'|'.join(map(re.escape, _REASONS))}|\w+)")
WORTH_MENTIONING = frozenset(rule.name for rule in MENTIONED)


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
    def of_step(cls, step: Step) -> Law:
        """What one step is named by; of a name that it brings back, which one is said each time."""
        if not isinstance(step.rule, Identity) or not step.rule.folded:
            return cls.of(step.rule)
        lines = [line for each in step.rule.folded for line in _folded(each, step)]
        names = [text(each.known) for each in step.rule.folded]
        return cls(step.rule.name, _as_words(lines), again=_as_words(names))


@dataclass
class ChainWriter:
    """Writes one derivation's chains, in order: a rule is stated where it is used for the first time."""

    derivation: Derivation
    stated: set[Words] = field(default_factory=set)

    @property
    def loss(self) -> Element:
        """The loss, which has no index."""
        return Element(self.derivation.system.loss or "")

    def chain(self, left: Derivative, steps: Sequence[Step]) -> Chain:
        """left = ... = ...; uses of one rule in a row are one link, and a detour is left out."""
        visible: list[tuple[Law, Expression]] = []
        place_of = {text(left): 0}
        for law, after in _merged(steps):
            expression = self.shown(after)
            shown = text(expression)
            if shown == text(left):
                continue
            # Back at what stood there before: the steps in between lead nowhere.
            del visible[place_of.get(shown, len(visible)) :]
            place_of = {known: place for known, place in place_of.items() if place <= len(visible)}
            if shown not in place_of:
                visible.append((law, expression))
                place_of[shown] = len(visible)
        return Chain(left, tuple(Link(expression, self.reason(law)) for law, expression in visible))

    def reason(self, law: Law) -> Reason:
        """The law's name, with those of its statements that have not been given yet."""
        statements = [one for one in law.statements if one not in self.stated]
        self.stated.update(statements)
        statements = statements or [*law.again]
        return Reason(law.name, tuple(self._with_derivatives(one) for one in statements), law.within)

    @cached_property
    def read_twice(self) -> tuple[str, ...]:
        """The tensors that the loss's own equation reads and that move it along another path too."""
        return tuple(below for above, below in self._read_twice if above == self.loss.tensor)

    @cached_property
    def _read_twice(self) -> tuple[tuple[str, str], ...]:
        """Pairs of a tensor that is differentiated and one that it reads itself and through others."""
        return tuple(
            (adjoint.total.numerator.tensor, adjoint.tensor)
            for adjoint in self._all
            if len(adjoint.factors) > 1
            and any(factor.consumer.tensor == adjoint.total.numerator.tensor for factor in adjoint.factors)
        )

    @property
    def _all(self) -> tuple[AdjointDerivation, ...]:
        return (*self.derivation.expansion.derivations, *self.derivation.adjoints)

    def direct(self, element: Element) -> Element:
        """A name for what is differentiated, as its own equation states it, all else standing still."""
        name = lengthened_name(f"{element.tensor}_direct", "ly", self.derivation.system.tensors)
        return Element(name, element.positions)

    def held_by(self, factor: LocalDerivative) -> tuple[str, ...]:
        """What stands still in a local derivative, though it depends on what is differentiated by."""
        system, own = self.derivation.system, (factor.tensor, factor.consumer.tensor)
        others = dict.fromkeys(each for each in factor.consumer.reads if each not in own)
        return tuple(each for each in others if factor.tensor in system.precedents([each]))

    def apart(self, derivative: Derivative) -> Derivative:
        """dE/dw along the direct path alone, told apart from the whole dE/dw where there are other paths."""
        above, below = derivative.numerator, derivative.denominator
        if derivative.total or (above.tensor, below.tensor) not in self._read_twice:
            return derivative
        return Derivative(self.direct(above), below, total=False)

    def is_named(self, adjoint: AdjointDerivation) -> bool:
        """Whether the page calls it by its name: where it is computed, or differentiated again."""
        return adjoint.kept or any(
            adjoint.equation.tensor == other.total.numerator.tensor for other in self._all
        )

    @cached_property
    def _unnamed(self) -> Mapping[str, AdjointDerivation]:
        return {adjoint.equation.tensor: adjoint for adjoint in self._all if not self.is_named(adjoint)}

    def shown(self, expression: Expression) -> Expression:
        """As a person writes it: no product in a product, an adjoint that keeps no name as a derivative."""
        if isinstance(expression, Derivative):
            return self.apart(expression)
        children = tuple([self.shown(child) for child in expression.children])
        if children != expression.children:
            expression = expression.with_children(children)
        if isinstance(expression, Element) and expression.tensor in self._unnamed:
            return _meaning_at(self._unnamed[expression.tensor], expression)
        return _flat(expression)

    def _with_derivatives(self, statement: Words) -> Words:
        """A rule's statement; where it names an adjoint that keeps no name, the derivative itself."""
        return tuple(part for each in statement for part in self._derivatives_in(each))

    def _derivatives_in(self, part: Phrase | str) -> Words:
        if isinstance(part, Phrase) and part.parts:
            return phrase(part.template, **{name: self._derivatives_in(each) for name, each in part.parts})
        words = part.template if isinstance(part, Phrase) else part
        known: dict[str, object] = {reason: phrase(reason)[0] for reason in _REASONS}
        known.update((name, without_indices(each.total)) for name, each in self._unnamed.items())
        shown = [known.get(word, word) for word in _PARTS.split(words)]
        if all(isinstance(each, str) for each in shown):
            return (part,)
        return tuple(each for each in shown if each)


def _flat(expression: Expression) -> Expression:
    """a*b*c for a*(b*c)*1, and a + b + c for a + (b + c)."""
    match expression:
        case Multiply(factors) if any(isinstance(factor, Multiply) or factor == ONE for factor in factors):
            flat = [part for factor in factors for part in factors_of(factor) if part != ONE]
            return Multiply(tuple(flat)) if len(flat) > 1 else multiply(*flat)
        case Add(terms) if any(isinstance(term, Add) for term in terms):
            return Add(tuple(part for term in terms for part in terms_of(term)))
    return expression


def _meaning_at(adjoint: AdjointDerivation, element: Element) -> Expression:
    """The derivative that an adjoint's element is; the element where the derivative has further indices."""
    indices = adjoint.equation.indices
    if adjoint.meaning.free_indices != frozenset(indices):
        return element
    return substitute(adjoint.meaning, dict(zip(indices, element.positions, strict=True)))


def without_indices(derivative: Derivative) -> Derivative:
    """dE/dW2 for dE/dW2[k,j]: the chain rule in short."""
    numerator, denominator = derivative.numerator.tensor, derivative.denominator.tensor
    return Derivative(Element(numerator), Element(denominator), derivative.total)


def _as_words(lines: Sequence[str]) -> tuple[Words, ...]:
    return tuple(map(phrase, lines))


def _folded(relation: Relation, step: Step) -> Iterator[str]:
    """z = sigmoid(u); where the step has met what that stands for, z = sigmoid(u) = 1/(1 + exp(-u))."""
    line = f"{text(relation.known)} = {text(relation.formula)}"
    definition = definition_of(relation.formula) if isinstance(relation.formula, Apply) else None
    if definition is None or relation.formula in set(step.before.walk()):
        yield line
        return
    yield f"{line} = {text(definition)}"
    rest = subtract(ONE, relation.known)
    if isinstance(definition, Power) and definition.exponent == Number(-1) and rest in set(step.after.walk()):
        over = multiply(subtract(definition.base, ONE), definition)
        yield f"{text(rest)} = {text(over)}"


def _merged(steps: Sequence[Step]) -> list[tuple[Law, Expression]]:
    """Uses of one law in a row as one, and so the rules of calculus from a derivative sign to its value."""
    merged: list[tuple[Law, Expression]] = []
    for is_calculus, run in groupby(steps, is_differentiation):
        group = tuple(run)
        is_one = is_calculus and isinstance(group[0].rule, OwnEquation)
        laws = [_differentiated(group)] if is_one else [Law.of_step(step) for step in group]
        for law, after in zip(laws, [group[-1].after] if is_one else [s.after for s in group], strict=True):
            if merged and (merged[-1][0].name, merged[-1][0].within) == (law.name, law.within):
                merged.pop()
            merged.append((law, after))
    return merged


def _differentiated(steps: Sequence[Step]) -> Law:
    """A derivative worked out, named by the rules that are worth mentioning."""
    used = (step.rule for step in steps if isinstance(step.rule, Use) and step.rule.name in WORTH_MENTIONING)
    rules = dict.fromkeys((rule.name, rule.statement) for rule in used)
    names = dict.fromkeys(name for name, _ in rules)
    return Law(steps[0].rule.name, tuple([phrase(statement) for _, statement in rules]), tuple(names))
