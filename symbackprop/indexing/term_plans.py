"""How the windows of a term are stepped: which loops add it up or store it, and what one step computes."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from symbackprop.indexing.counting import counter_of
from symbackprop.indexing.window_products import is_contracted, is_stack_of_products, scattered
from symbackprop.indexing.windows import Stepped, simplified, stepped, substituted, windows_of
from symbackprop.notation.expressions import Axis, Expression, Index, Reduction
from symbackprop.notation.substitution import rewrite_bottom_up, substitute
from symbackprop.systems.partial import Ranges

Indices: TypeAlias = tuple[Index, ...]
# What an extremum starts from, before the first step.
STARTS: Mapping[str, float] = {"sum": 0.0, "max": -math.inf, "min": math.inf}


@dataclass(frozen=True)
class TermPlan:
    """The steps of a term's windows, one loop within the next; none for a term that is one statement.

    `body` is what one step reduces over the indices in `bound`, `result` the indices that it then has,
    `ranges` what is known of the tensors read.
    """

    term: Expression
    ways: tuple[Stepped, ...]
    body: Expression
    bound: Indices
    result: Indices
    ranges: Ranges

    @property
    def is_sum(self) -> bool:
        """Whether the term is a sum over indices."""
        return isinstance(self.term, Reduction) and self.term.kind == "sum"

    @property
    def start(self) -> float:
        """What an array holds before the first step."""
        assert isinstance(self.term, Reduction)
        return STARTS[self.term.kind]

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

    @property
    def offsets(self) -> Indices:
        """The indices that the loops step."""
        return tuple(way.index for way in self.ways)

    @property
    def is_one_product(self) -> bool:
        """Whether the steps scatter parts of one product of matrices."""
        is_scattered = self.is_sum and bool(self.ways) and all(way.way == "scatter" for way in self.ways)
        if not is_scattered:
            return False
        product = self.product
        body = product.body if isinstance(product, Reduction) else product
        return is_stack_of_products(body, self.offsets, self.bound)

    @property
    def product(self) -> Expression:
        """What all steps compute, over the offsets as well."""
        places = {counter_of(index): index for index in self.offsets}
        return rewrite_bottom_up(self.step, lambda node: places.get(node, node))  # type: ignore[call-overload]

    @property
    def with_offsets(self) -> Indices:
        """The indices of the result of one step, the offsets before those that the places run along."""
        along = {way.along for way in self.ways}
        first = next(place for place, index in enumerate(self.result) if index in along)
        return (*self.result[:first], *self.offsets, *self.result[first:])

    def adding(self, product: Expression) -> TermPlan:
        """The plan whose steps read that product."""
        part = substitute(product, {index: counter_of(index) for index in self.offsets})
        return replace(self, body=part, bound=())

    def stepping(self, way: Stepped, own: Mapping[str, Indices]) -> TermPlan:
        """The plan with one more loop, inside of the others; `own` are the indices of the tensors read."""
        return replace(
            self,
            ways=(*self.ways, way),
            body=simplified(substituted(self.body, way, own, self.ranges)),
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
    ranges: Ranges,
) -> TermPlan:
    """The plan of a term with these indices; `counters` are stepped by the loops around it.

    `own` are the indices of the tensors that are read, `ranges` what is known of their values.
    """
    if isinstance(term, Reduction) and term.kind in STARTS:
        plan = TermPlan(term, (), term.body, term.indices, result, ranges)
    else:
        plan = TermPlan(term, (), term, (), result, ranges)
    # NumPy's max and min are slow over short axes that are not the first.
    short = plan.bound if isinstance(term, Reduction) and term.kind in ("max", "min") else ()
    apart = [index for index in short if index.axis in kernel_axes]
    while True:
        around = (*counters, *(way.index for way in plan.ways))
        found = (
            stepped(window, plan.body, plan.bound, plan.result, kernel_axes, around, own, plan.is_sum)
            for window in windows_of(plan.body, (*plan.bound, *plan.result), own, apart)
        )
        ways = (way for way in found if way is not None)
        way = next((way for way in ways if not is_contracted(way, plan.body, plan.bound, kernel_axes)), None)
        if way is not None and plan.is_sum:
            way = scattered(way, plan.body, plan.bound, plan.result, own) or way
        if way is None:
            return plan
        plan = plan.stepping(way, own)
