"""Chains of equations as they are shown: what a rule's use looks like, and what names mean on the page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from symbackprop.derivation.result import AdjointDerivation, Derivation
from symbackprop.emission.document import Chain, Link, Reason, Sentence
from symbackprop.notation.expressions import Derivative, Element, Expression
from symbackprop.notation.printing import text
from symbackprop.notation.substitution import rewrite_bottom_up
from symbackprop.rewriting.rule import Rule, Step


@dataclass
class ChainWriter:
    """Writes one derivation's chains, in order: a rule is stated where it is used for the first time."""

    derivation: Derivation
    stated: set[str] = field(default_factory=set)

    @property
    def loss(self) -> Element:
        """The loss, which has no index."""
        return Element(self.derivation.system.loss or "")

    def chain(self, left: Derivative, steps: Sequence[Step]) -> Chain:
        """left = ... = ...; uses of one rule in a row are one link, and a detour is left out."""
        visible: list[tuple[Rule, Expression]] = []
        place_of = {text(left): 0}
        for rule, after in _merged(steps):
            expression = self._shown(after)
            shown = text(expression)
            if shown == text(left):
                continue
            # Back at what stood there before: the steps in between lead nowhere.
            del visible[place_of.get(shown, len(visible)) :]
            place_of = {known: place for known, place in place_of.items() if place <= len(visible)}
            if shown not in place_of:
                visible.append((rule, expression))
                place_of[shown] = len(visible)
        return Chain(left, tuple(Link(expression, self.reason(rule)) for rule, expression in visible))

    def reason(self, rule: Rule) -> Reason:
        """The rule's name, with those of its statements that have not been given yet."""
        statements = [one for one in rule.statements if one and one not in self.stated]
        self.stated.update(statements)
        return Reason(rule.name, tuple(self._with_derivatives(one) for one in statements))

    @cached_property
    def read_twice(self) -> tuple[str, ...]:
        """The tensors that the loss's own equation reads and that move it along another path too."""
        return tuple(
            adjoint.tensor
            for adjoint in self.derivation.adjoints
            if len(adjoint.factors) > 1
            and any(factor.consumer.tensor == self.loss.tensor for factor in adjoint.factors)
        )

    @cached_property
    def direct_loss(self) -> Element:
        """A name for the loss as its own equation states it, all other tensors standing still."""
        name = f"{self.loss.tensor}_direct"
        while name in self.derivation.system.tensors:
            name += "ly"
        return Element(name)

    def apart(self, derivative: Derivative) -> Derivative:
        """dE/dw along the direct path alone, told apart from the whole dE/dw where there are other paths."""
        direct = not derivative.total and derivative.numerator == self.loss
        if not direct or derivative.denominator.tensor not in self.read_twice:
            return derivative
        return Derivative(self.direct_loss, derivative.denominator, total=False)

    @cached_property
    def _unnamed(self) -> Mapping[str, AdjointDerivation]:
        return {adjoint.equation.tensor: adjoint for adjoint in self.derivation.adjoints if not adjoint.kept}

    def _shown(self, expression: Expression) -> Expression:
        """An adjoint that keeps no name is shown as the derivative that it is."""

        def shown(node: Expression) -> Expression:
            if isinstance(node, Element) and node.tensor in self._unnamed:
                tensor = Element(self._unnamed[node.tensor].tensor, node.positions)
                return Derivative(self.loss, tensor, total=True)
            return self.apart(node) if isinstance(node, Derivative) else node

        return rewrite_bottom_up(expression, shown)

    def _with_derivatives(self, statement: str) -> Sentence:
        """A rule's statement; where it names an adjoint that keeps no name, the derivative itself."""
        parts = re.split(r"(\w+)", statement)
        shown = [
            without_indices(self._unnamed[part].total) if part in self._unnamed else part for part in parts
        ]
        if not any(isinstance(part, Derivative) for part in shown):
            return (statement,)
        return tuple(part for part in shown if part)


def without_indices(derivative: Derivative) -> Derivative:
    """dE/dW2 for dE/dW2[k,j]: the chain rule in short."""
    numerator, denominator = derivative.numerator.tensor, derivative.denominator.tensor
    return Derivative(Element(numerator), Element(denominator), derivative.total)


def _merged(steps: Iterable[Step]) -> list[tuple[Rule, Expression]]:
    merged: list[tuple[Rule, Expression]] = []
    for step in steps:
        if merged and merged[-1][0].name == step.rule.name:
            merged.pop()
        merged.append((step.rule, step.after))
    return merged
