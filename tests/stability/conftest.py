"""Every derivation of these tests is watched: the measure that an identity names falls at its every use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from symbackprop.exponentials.meanings import Meanings
from symbackprop.rewriting.rule import Step
from symbackprop.schedule import stability
from symbackprop.schedule.named_equations import NamedEquation
from symbackprop.schedule.terms import TIDYING
from symbackprop.stability.forms import CANCELLING
from symbackprop.stability.identities import IDENTITIES, IDENTITY_MEASURES
from symbackprop.systems.printing import text

MEASURE_OF = {rule.name: rule.decreases for rule in (TIDYING, CANCELLING, *IDENTITIES)}


def shown(step: Step, measure: str) -> str:
    """What is said where the measure does not fall."""
    return f"{step.rule.name}: {measure}\n{text(step.before)}\n{text(step.after)}"


def expect_fall(step: Step, meanings: Meanings) -> None:
    """The measures of the whole expression in lexicographic order: none above the rule's own rises."""
    for name, measure in IDENTITY_MEASURES.items():
        before, after = measure.of(step.before, meanings), measure.of(step.after, meanings)
        if name == MEASURE_OF[step.rule.name]:
            assert after < before, shown(step, name)
            return
        assert not before < after, shown(step, name)
        if after < before:
            return
    raise AssertionError(f"{step.rule.name} names no measure")


@pytest.fixture(autouse=True)
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Step]]:
    """The steps that have been checked, of every equation that is brought into its stable form."""
    seen: list[Step] = []
    stable_form = stability.stable_form

    def watched_form(item: NamedEquation, meanings: Meanings, shifting: Meanings) -> NamedEquation:
        found = stable_form(item, meanings, shifting)
        for step in found.origin.steps[len(item.origin.steps) :]:
            if step.rule.name in MEASURE_OF:
                expect_fall(step, meanings)
                seen.append(step)
        return found

    monkeypatch.setattr(stability, "stable_form", watched_form)
    yield seen
