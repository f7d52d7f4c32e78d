"""The rules as a page in Markdown: statement, side conditions, measure, an example and a near-miss."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from symbackprop.algebra.phases import factor_rules
from symbackprop.emission.environment import render
from symbackprop.errors import InternalError
from symbackprop.lesson.schedule_rules import schedule_entries
from symbackprop.rewriting.rule import Rule
from symbackprop.rules.boundaries import BOUNDARY_RULES, recurrence_rules
from symbackprop.rules.conditions import stated_where
from symbackprop.rules.examples import NAMES, example_system, parsed, place_of_use
from symbackprop.rules.inverses import matrix_rules
from symbackprop.rules.measures import MEASURES
from symbackprop.rules.position_deltas import JOINING_RULES, SOLVING_RULES
from symbackprop.systems.partial import Ranges
from symbackprop.systems.printing import text


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
class Phase:
    """Rules that are tried together, in this order."""

    title: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class MeasureRow:
    """A line of the table of measures."""

    name: str
    wording: str


def rules_page() -> str:
    """The whole page."""
    phases = tuple(Phase(title, tuple(map(_entry, rules))) for title, rules in rules_by_phase().items())
    measures = tuple(MeasureRow(name, measure.wording) for name, measure in MEASURES.items())
    page = render(
        "rules/page.md.j2", phases=phases, measures=measures, names=NAMES, schedule=schedule_entries()
    )
    return page.rstrip("\n") + "\n"


def rules_by_phase() -> dict[str, tuple[Rule, ...]]:
    """Every rule that has a record, in the order in which it is tried."""
    system = example_system()
    ranges = Ranges.of(system)
    step = system.tensors["a"].indices[0]
    return {
        "Local factors of the chain rule": factor_rules(ranges),
        "Before them, where sums are put together": JOINING_RULES,
        "After them, in the normal form": (*BOUNDARY_RULES, *SOLVING_RULES),
        "Recurrences": recurrence_rules({"a": 0}, step, ranges),
        "Matrices": matrix_rules((), {}),
    }


def every_rule() -> Iterable[Rule]:
    """The rules of all phases."""
    return (rule for rules in rules_by_phase().values() for rule in rules)


def _entry(rule: Rule) -> Entry:
    used = place_of_use(rule, parsed(rule.example))
    if used is None:
        raise InternalError(f"the rule '{rule.name}' does not apply to its example {rule.example}")
    formula = rule.statement.removesuffix(stated_where("", rule.where))
    before, after = used
    return Entry(
        name=rule.name,
        statement=formula,
        where=rule.where,
        decreases=rule.decreases,
        measure_number=list(MEASURES).index(rule.decreases) + 1,
        before=text(before),
        after=text(after),
        near_miss=text(parsed(rule.near_miss)),
    )
