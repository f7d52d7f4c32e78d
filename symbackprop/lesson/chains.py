"""Chains of equations as they are shown: what a rule's use looks like, and what names mean on the page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from symbackprop.derivation.result import AdjointDerivation, Derivation, LocalDerivative
from symbackprop.languages.phrases import Phrase, Words, marked, phrase
from symbackprop.lesson.document import Chain, Link, Reason
from symbackprop.lesson.laws import Law, merged_laws
from symbackprop.notation.arithmetic import factors_of, multiply, terms_of
from symbackprop.notation.derivatives import Derivative, without_indices
from symbackprop.notation.expressions import (
    ONE,
    Add,
    Axis,
    Element,
    Expression,
    Index,
    Multiply,
)
from symbackprop.notation.fresh_names import lengthened_name
from symbackprop.notation.substitution import bound_names_apart, substitute
from symbackprop.rewriting.rule import Step
from symbackprop.rewriting.wording import Told
from symbackprop.systems.printing import text
from symbackprop.systems.system import Equation

# What a statement says of a symmetry.
_REASONS = (marked("(by its definition)"), marked("(fact "))
_PARTS = re.compile(rf"({'|'.join(map(re.escape, _REASONS))}|\w+)")


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
        for law, after in merged_laws(steps, Told(self.derivation.system, self._found_before(left))):
            expression = bound_names_apart(self.shown(after), left.free_indices, self._names)
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

    def _found_before(self, left: Derivative) -> Mapping[str, bool]:
        """Whether each adjoint that the page names has its section before that of this derivative.

        In a recurrence it may come later: what is read then is its value at another step.
        """
        own = next((place for place, each in enumerate(self._all) if each.total == left), len(self._all))
        return {
            each.equation.tensor: place < own for place, each in enumerate(self._all) if self.is_named(each)
        }

    def reason(self, law: Law) -> Reason:
        """The law's name, with those of its statements that have not been given yet."""
        statements = [one for one in law.wording.statements if one not in self.stated]
        self.stated.update(statements)
        statements = statements or [*law.wording.again]
        return Reason(law.name, tuple(self._with_derivatives(one) for one in statements), law.within)

    def reason_of(self, step: Step) -> Reason:
        """That of a step which is a link by itself."""
        return self.reason(Law.of(step, Told(self.derivation.system, {})))

    def with_names_apart(self, equation: Equation) -> Equation:
        """The equation, where a sum goes over an index that it has by a name of its own: sum(s', P[t,s'])."""
        free = frozenset(equation.indices)
        return replace(equation, expression=bound_names_apart(equation.expression, free, self._names))

    @cached_property
    def _names(self) -> Mapping[Axis, tuple[Index, ...]]:
        """The names of each axis' indices."""
        return self.derivation.system.index_names

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

    def _derivatives_in(self, part: Phrase | Words | Expression | str) -> Words:
        if isinstance(part, Expression):
            return (part,)
        if isinstance(part, tuple):
            return self._with_derivatives(part)
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
