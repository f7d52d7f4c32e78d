"""What the links of a chain are named by: rules as a textbook states them, as far as they are used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from symbackprop.derivation.calculus import MENTIONED
from symbackprop.derivation.differentiation import OwnEquation, is_differentiation
from symbackprop.languages.phrases import phrase
from symbackprop.notation.expressions import Expression
from symbackprop.rewriting.rule import Step, Use
from symbackprop.rewriting.wording import Told, Wording

WORTH_MENTIONING = frozenset(rule.name for rule in MENTIONED)


@dataclass(frozen=True)
class Law:
    """What a link of a chain is named by: a rule, or several that are one to a reader, named `within` it."""

    name: str
    wording: Wording
    within: tuple[str, ...] = ()

    @classmethod
    def of(cls, step: Step, told: Told) -> Law:
        """What one step is named by."""
        return cls(step.rule.name, step.wording(told))

    def is_as(self, other: Law) -> bool:
        """Whether both have one name, so that a reader takes them for one."""
        return (self.name, self.within) == (other.name, other.within)


def merged_laws(steps: Sequence[Step], told: Told) -> list[tuple[Law, Expression]]:
    """Uses of one law in a row as one, and so the rules of calculus from a derivative sign to its value."""
    merged: list[tuple[Law, Expression]] = []
    for is_calculus, run in groupby(steps, is_differentiation):
        group = tuple(run)
        is_one = is_calculus and isinstance(group[0].rule, OwnEquation)
        laws = [_differentiated(group)] if is_one else [Law.of(step, told) for step in group]
        for law, after in zip(laws, [group[-1].after] if is_one else [s.after for s in group], strict=True):
            if merged and merged[-1][0].is_as(law):
                first, _ = merged.pop()
                law = replace(law, wording=first.wording.beside(law.wording))
            merged.append((law, after))
    return merged


def _differentiated(steps: Sequence[Step]) -> Law:
    """A derivative worked out, named by the rules that are worth mentioning."""
    used = (step.rule for step in steps if isinstance(step.rule, Use) and step.rule.name in WORTH_MENTIONING)
    rules = dict.fromkeys((rule.name, rule.statement) for rule in used)
    names = dict.fromkeys(name for name, _ in rules)
    statements = tuple([phrase(statement) for _, statement in rules])
    return Law(steps[0].rule.name, Wording(statements), tuple(names))
