"""The rules as a page in Markdown: statement, side conditions, measure, an example and a near-miss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symbackprop.emission.environment import render
from symbackprop.errors import InternalError
from symbackprop.lesson.rulebook.examples import NAMES, example_fact, parsed, place_of_use
from symbackprop.lesson.rulebook.rule_phases import REASONS, Phase, phases
from symbackprop.lesson.rulebook.schedule_rules import schedule_entries
from symbackprop.rewriting.rule import Rule
from symbackprop.rules.conditions import without_where
from symbackprop.rules.measures import MEASURES, Measures
from symbackprop.stability.identities import IDENTITY_MEASURES
from symbackprop.stability.orders import StabilityMeasure
from symbackprop.systems.printing import fact_text, text


@dataclass(frozen=True)
class Entry:
    """The strings of one rule's section."""

    name: str
    statement: str
    where: tuple[str, ...]
    decreases: str
    measure_number: int
    before: str
    after: str
    near_miss: str


@dataclass(frozen=True)
class MeasureRow:
    """A line of a table of measures."""

    name: str
    wording: str


@dataclass(frozen=True)
class Section:
    """A phase: its rules in the order in which they are tried; its measures where they are its own."""

    title: str
    measures: tuple[MeasureRow, ...]
    entries: tuple[Entry, ...]


def rules_page() -> str:
    """The whole page."""
    return (
        render(
            "rules/page.md.j2",
            phases=tuple(map(_section, phases())),
            measures=_rows(MEASURES),
            reasons=REASONS,
            names=NAMES,
            fact=fact_text(example_fact()),
            schedule=schedule_entries(),
            identity_measures=_rows(IDENTITY_MEASURES),
        ).rstrip("\n")
        + "\n"
    )


def _rows(measures: Measures | Mapping[str, StabilityMeasure]) -> tuple[MeasureRow, ...]:
    return tuple(MeasureRow(name, measure.wording) for name, measure in measures.items())


def _section(phase: Phase) -> Section:
    own = () if phase.measures is MEASURES else _rows(phase.measures)
    return Section(phase.title, own, tuple(_entry(rule, phase.measures) for rule in phase.rules))


def _entry(rule: Rule, measures: Measures) -> Entry:
    used = place_of_use(rule, parsed(rule.example))
    if used is None:
        raise InternalError(f"the rule '{rule.name}' does not apply to its example {rule.example}")
    before, after = used
    return Entry(
        name=rule.name,
        statement=without_where(rule.statement, rule.where),
        where=rule.where,
        decreases=rule.decreases,
        measure_number=list(measures).index(rule.decreases) + 1,
        before=text(before),
        after=text(after),
        near_miss=text(parsed(rule.near_miss)),
    )
