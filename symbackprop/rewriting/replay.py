"""Replaying steps: each `after` comes once more out of its `before`, or is certified."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from symbackprop.errors import ReplayError
from symbackprop.languages.phrases import Words
from symbackprop.notation.arithmetic import multiply
from symbackprop.notation.expressions import Expression
from symbackprop.notation.matrix_functions import readings
from symbackprop.notation.substitution import rename_tensors
from symbackprop.rewriting.justification import Anchor, Justification, Recomputed
from symbackprop.rewriting.registry import Registry
from symbackprop.rewriting.rule import Step, Use, node_at, replace_at
from symbackprop.rewriting.wording import Told, Wording
from symbackprop.systems.printing import text


@dataclass(frozen=True)
class Composite(Justification):
    """Several steps that stand for one: a change that pays only once what follows from it has been done."""

    name: str
    statement: str
    steps: tuple[Step, ...]
    kind: ClassVar[str] = "composite"
    whole: ClassVar[bool] = True

    @classmethod
    def of(cls, before: Expression, steps: Sequence[Step], after: Expression) -> Step:
        """The steps as one."""
        first = _principal(steps)
        return Step(cls(first.name, first.statement, tuple(steps)), (), before, after)

    @property
    def said(self) -> tuple[Words, ...]:
        """That step's, as a page has it."""
        return _principal(self.steps).said

    @property
    def line(self) -> tuple[str, str]:
        """It is named by the first of its steps that is more than algebra."""
        first = _principal(self.steps)
        return first.name, first.statement

    def accounts_for(self, before: Expression, after: Expression) -> bool:
        """Whether the steps lead from one to the other."""
        return follows(before, self.steps, after)

    def rests_on(self, anchor: Anchor, before: Expression, place: Sequence[int]) -> bool:
        """Whether each of the steps does."""
        return all(is_anchored(step, anchor) for step in self.steps)

    def renamed(self, names: Mapping[str, str]) -> Composite:
        """The steps in other names."""
        steps = tuple([step.renamed(names) for step in self.steps])
        first = _principal(steps)
        return Composite(first.name, first.statement, steps)


@dataclass(frozen=True)
class Beside(Justification):
    """A step of one factor, beside which others stand still."""

    name: str
    statement: str
    factors: Expression
    step: Step
    kind: ClassVar[str] = "composite"
    whole: ClassVar[bool] = True

    @classmethod
    def of(cls, factors: Expression, step: Step) -> Step:
        """The step of an expression as one of its product with these factors."""
        before, after = multiply(factors, step.before), multiply(factors, step.after)
        return Step(cls(step.rule.name, step.rule.statement, factors, step), (), before, after)

    @property
    def line(self) -> tuple[str, str]:
        """That of the factor's step."""
        return self.step.rule.name, self.step.rule.statement

    @property
    def steps(self) -> tuple[Step, ...]:
        """The factor's step."""
        return (self.step,)

    @property
    def statements(self) -> tuple[str, ...]:
        """Those of the factor's step."""
        return self.step.rule.statements

    @property
    def said(self) -> tuple[Words, ...]:
        """Those of the factor's step."""
        return self.step.rule.said

    def wording(self, before: Expression, after: Expression, told: Told) -> Wording:
        """That of the factor's step."""
        return self.step.wording(told)

    def accounts_for(self, before: Expression, after: Expression) -> bool:
        """Whether both sides are the factor's, times the factors that stand still."""
        sides = [multiply(self.factors, side) for side in (self.step.before, self.step.after)]
        return [before, after] == sides

    def rests_on(self, anchor: Anchor, before: Expression, place: Sequence[int]) -> bool:
        """Whether the factor's step does."""
        return is_anchored(self.step, anchor)

    def renamed(self, names: Mapping[str, str]) -> Beside:
        """The step in other names."""
        step = self.step.renamed(names)
        return Beside(step.rule.name, step.rule.statement, rename_tensors(self.factors, names), step)


def _principal(steps: Sequence[Step]) -> Justification:
    return next((step.rule for step in steps if step.rule.kind != "identity"), steps[0].rule)


def replay(step: Step, registry: Registry) -> Expression:
    """What the step leads to, done again, and the same as what it has noted; ReplayError where it is not.

    What is recomputed comes out as the same tree, up to the order of terms, of factors and of a delta's
    indices. An identity is certified instead (`algebra.certificate` says how, and how surely).
    """
    if not replays(step, registry):
        raise _refusal("does not replay", step)
    return step.after


def _refusal(what: str, step: Step) -> ReplayError:
    place = f" at place {list(step.place)}" if step.place else ""
    return ReplayError(
        f"a step {what}: {step.rule.name} ({step.rule.statement}){place}\n"
        f"  before: {text(step.before)}\n  after:  {text(step.after)}",
        remedy="this is a defect of symbackprop; please report the model",
    )


def replays(step: Step, registry: Registry) -> bool:
    """Whether its justification, looked up by name, accounts for the change, and nothing else has changed."""
    rule = step.rule
    if (rule.whole and step.place) or not _reads_alike(step):
        return False
    if isinstance(rule, Composite | Beside):
        is_made_of_them = bool(rule.steps) and rule.accounts_for(step.before, step.after)
        return is_made_of_them and _is_listed(rule) and all(replays(each, registry) for each in rule.steps)
    try:
        before = node_at(step.before, step.place)
        if isinstance(rule, Recomputed | Use):
            return _redone(step, before, registry)
        after = node_at(step.after, step.place)
        is_all = replace_at(step.before, step.place, after) == step.after
    except (IndexError, AssertionError):
        return False  # there is no such place
    return is_all and registry.knows(rule) and rule.accounts_for(before, after)


def _is_listed(rule: Justification) -> bool:
    return (rule.name, rule.statement) == rule.line


def _redone(step: Step, before: Expression, registry: Registry) -> bool:
    if not registry.knows(step.rule):
        return False
    if isinstance(step.rule, Use):
        rule = registry.rule(step.rule)
        again = rule.redone(before, step.rule.bindings) if rule else None
    else:
        assert isinstance(step.rule, Recomputed)
        again = step.rule.again(before)
    return again is not None and replace_at(step.before, step.place, again) == step.after


def _reads_alike(step: Step) -> bool:
    """Whether every tensor is read at one number of positions, and the place is written in the one way."""
    arities: dict[str, int] = {}
    sides = (side for equation in step.rule.equations for side in equation)
    reads = itertools.chain.from_iterable(map(readings, (step.before, step.after, *sides)))
    is_plain = all(number >= 0 for number in step.place)
    return is_plain and all(
        arities.setdefault(read.tensor, len(read.positions)) == len(read.positions) for read in reads
    )


def follows(start: Expression, steps: Sequence[Step], end: Expression) -> bool:
    """Whether each step goes on from the one before, from start to end."""
    states = [start, *(side for step in steps for side in (step.before, step.after)), end]
    return all(states[at] == states[at + 1] for at in range(0, len(states), 2))


def is_anchored(step: Step, anchor: Anchor) -> bool:
    """Whether the equations and values that the step believes are those of the model, or found before."""
    return step.rule.rests_on(anchor, step.before, step.place)


def replay_all(steps: Iterable[Step], registry: Registry, anchor: Anchor) -> Counter[str]:
    """How many steps of which kind there are, those in composite steps too; ReplayError where one fails."""
    kinds: Counter[str] = Counter()
    for step in steps:
        replay(step, registry)
        if not is_anchored(step, anchor):
            raise _refusal("rests on what the model does not say", step)
        kinds.update(each.rule.kind for each in with_parts(step))
    return kinds


def with_parts(step: Step) -> Iterator[Step]:
    """The step, and those that it consists of."""
    parts = step.rule.steps if isinstance(step.rule, Composite | Beside) else ()
    return itertools.chain((step,), *map(with_parts, parts))
