"""How the windows of a term are stepped: which loops add it up or store it, and what one step computes."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from symbackprop.indexing.windows import Stepped, simplified, stepped, substituted, windows_of
from symbackprop.notation.expressions import Axis, Expression, Index, Reduction
from symbackprop.schedule.terms import Indices

# What an extremum starts from, before the first step.
STARTS: Mapping[str, float] = {"sum": 0.0, "max": -math.inf, "min": math.inf}


@dataclass(frozen=True)
class TermPlan:
    """The steps of a term's windows, one loop within the next; none for a term that is one statement.

    `body` is what one step reduces over the indices in `bound`, `result` the indices that it then has.
    """

    term: Expression
    ways: tuple[Stepped, ...]
    body: Expression
    bound: Indices
    result: Indices

    @property
    def is_sum(self) -> bool:
        """Whether the term is a sum over indices."""
        return isinstance(self.term, Reduction) and self.term.kind == "sum"

    @property
    def scatters(self) -> bool:
        """Whether a loop adds to places that it solves for, which may lie outside of the result."""
        return any(way.way == "scatter" for way in self.ways)

    @property
    def step(self) -> Expression:
        """What one step adds up, stores or compares."""
        if not (self.bound and isinstance(self.term, Reduction)):
            return self.body
        return Reduction(self.term.kind, self.bound, self.body)

    def stepping(self, way: Stepped, own: Mapping[str, Indices]) -> TermPlan:
        """The plan with one more loop, inside of the others; `own` are the indices of the tensors read."""
        return replace(
            self,
            ways=(*self.ways, way),
            body=simplified(substituted(self.body, way, own)),
            bound=tuple(index for index in self.bound if index not in (way.index, way.along, way.solved)),
            result=_after(way, self.result),
        )


def _after(way: Stepped, result: Indices) -> Indices:
    return tuple(
        way.along if index == way.solved and way.along else index for index in result if index != way.index
    )


def plan_of(
    term: Expression,
    result: Indices,
    kernel_axes: Collection[Axis],
    counters: tuple[Index, ...],
    own: Mapping[str, Indices],
) -> TermPlan:
    """The plan of a term with these indices; `counters` are stepped by the loops around it.

    `own` are the indices of the tensors that are read.
    """
    if isinstance(term, Reduction) and term.kind in STARTS:
        plan = TermPlan(term, (), term.body, term.indices, result)
    else:
        plan = TermPlan(term, (), term, (), result)
    while True:
        around = (*counters, *(way.index for way in plan.ways))
        found = (
            stepped(window, plan.body, plan.bound, plan.result, kernel_axes, around, own, plan.is_sum)
            for window in windows_of(plan.body, (*plan.bound, *plan.result))
        )
        way = next((way for way in found if way is not None), None)
        if way is None:
            return plan
        plan = plan.stepping(way, own)
