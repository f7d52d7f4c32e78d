"""Equations as lines of a program: one statement, or loops that step through the offsets of windows."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from symbackprop.array.checking import check_free_indices
from symbackprop.array.invariants import Invariants
from symbackprop.array.ir import Elementwise, Literal
from symbackprop.array.program import Line, Loop, Statement, Store
from symbackprop.array.value import Value
from symbackprop.array.views import as_number, as_real, filled, lined_up
from symbackprop.array.whole_numbers import whole_number
from symbackprop.indexing.counting import size_of
from symbackprop.indexing.end_cases import with_cases_apart
from symbackprop.indexing.padding import with_padded_reads
from symbackprop.indexing.short_ranges import with_short_ranges
from symbackprop.indexing.windows import Stepped, simplified, stepped, substituted, windows_of
from symbackprop.lowering.destinations import Target, cropped, padded_target
from symbackprop.lowering.expressions import ExpressionLowering
from symbackprop.lowering.folds import closed, folds_of, opened
from symbackprop.lowering.symbols import Symbols
from symbackprop.notation.arithmetic import add, terms_of
from symbackprop.notation.expressions import Axis, Element, Expression, Index, Reduction, Where
from symbackprop.notation.substitution import rename_bound
from symbackprop.schedule.exponentials import LOWEST
from symbackprop.schedule.guarded_branches import needs_guard
from symbackprop.schedule.kinds import Kind
from symbackprop.schedule.named_equations import NamedEquation
from symbackprop.schedule.temporary_names import temporary_name
from symbackprop.systems.printing import equation_text, text
from symbackprop.systems.system import Equation

Indices: TypeAlias = tuple[Index, ...]
# What an extremum starts from, before the first step.
STARTS: Mapping[str, float] = {"sum": 0.0, "max": -math.inf, "min": math.inf}
_NONE: Mapping[str, Indices] = {}


@dataclass(frozen=True)
class Computation:
    """The lines that compute something, after those of the temporaries that they read."""

    own: list[Line]
    before: list[Line] = field(default_factory=list)


@dataclass(frozen=True)
class EquationLowering:
    """Lowers equations, one after another, into lines.

    `kernel_axes` are those to loop over, `counters` the indices that the loops around step.
    """

    lowering: ExpressionLowering
    symbols: Symbols
    kernel_axes: Collection[Axis]
    invariants: Invariants = field(default_factory=Invariants)
    counters: Indices = ()

    def inside(self, counter: Index, own: Mapping[str, Indices] = _NONE) -> EquationLowering:
        """The lowering of a loop's body, in which the tensors of `own` have these indices."""
        symbols = self.symbols.scope(own)
        lowering = replace(self.lowering, own=symbols.own, kinds=symbols.kinds)
        counters = (*self.counters, counter)
        return EquationLowering(lowering, symbols, self.kernel_axes, self.invariants.inner(), counters)

    def lines(self, item: NamedEquation, target: Target | None = None) -> list[Line]:
        """One equation as lines, after those of its temporaries; the first of its own carries its formula.

        They fill the target, or else an array of its own that the equation's tensor names.
        """
        equation = item.equation
        check_free_indices(equation)
        guarded = item.guarded or needs_guard(equation.expression)
        lowering = self.lowering.for_branches() if item.guarded else self.lowering
        target = target or Target.of(equation.tensor, equation.indices, item.kind)
        found = replace(self, lowering=lowering)._computation(equation, target)
        formula = item.formula.replace(text(LOWEST), "-1e30")
        lines = list(found.before)
        for line in (replace(found.own[0], formula=formula), *found.own[1:]):
            finished = _finished(line, equation, guarded)
            lines += self.invariants.taken_out(finished, self.symbols.fresh)
        return lines

    def _computation(self, equation: Equation, target: Target) -> Computation:
        if target.kind is not Kind.REAL:
            return Computation([target.assigned(self._value(equation.expression, target.result))])
        apart = simplified(with_short_ranges(with_cases_apart(equation.expression)))
        ordered = with_padded_reads(apart, self.lowering.own)
        expression, before = self._apart(ordered, equation, target.result, True)
        found = self._computed(target, expression, equation)
        return Computation(found.own, [*before, *found.before])

    def _value(self, expression: Expression, order: Indices) -> Value:
        """The expression as one value, its axes in this order; an index read in two parts is a reshape."""
        folds = folds_of(expression, order, self.lowering.own)
        if not folds:
            return self.lowering.value(expression, order)
        parts = {fold.index: (fold.quotient, fold.remainder) for fold in folds}
        for fold in folds:
            expression = opened(expression, fold)
        inner = tuple(part for index in order for part in parts.get(index, (index,)))
        return closed(filled(self.lowering.value(expression, inner), inner), order, folds)

    def _apart(
        self, node: Expression, equation: Equation, live: Indices, at_top: bool, in_choice: bool = False
    ) -> tuple[Expression, list[Line]]:
        """The expression, where a reduction over a window's index reads as a tensor that is computed before.

        At the top a sum or an extremum stays, and so do the terms of a sum: they are added up in place.
        """
        if not node.binds:
            return node, []
        if not isinstance(node, Reduction):
            stays = at_top and terms_of(node) != (node,)
            inside = in_choice or isinstance(node, Where)
            parts = [self._apart(child, equation, live, stays, inside) for child in node.children]
            before = [line for _, lines in parts for line in lines]
            return node.with_children(tuple(child for child, _ in parts)), before
        afresh = rename_bound(node, (*live, *self.counters))
        inner = (*live, *afresh.indices)
        body, before = self._apart(afresh.body, equation, inner, False, in_choice)
        reduction = afresh.with_children((body,))
        bound = set(reduction.indices)
        moving = any(bound & set(window.indices) for window in windows_of(body, inner))
        if not moving or (at_top and reduction.kind in STARTS):
            return reduction, before
        if reduction.kind not in STARTS:
            # All terms at once, for a product, or for the place of a maximum.
            windows, lines = self._temporary(body, equation, inner, in_choice, "{}_windows")
            reduction, before = reduction.with_children((windows,)), [*before, *lines]
        found, lines = self._temporary(reduction, equation, live, in_choice)
        return found, [*before, *lines]

    def _temporary(
        self, part: Expression, consumer: Equation, live: Indices, at_risk: bool, pattern: str = ""
    ) -> tuple[Element, list[Line]]:
        """The part as a tensor of its own, and the lines that compute it; at risk is what a `where` reads."""
        indices = tuple(index for index in live if index in part.free_indices)
        if pattern and len(part.tensors) == 1:
            name = self.symbols.fresh(pattern.format(*part.tensors))
        else:
            name = temporary_name(part, consumer.tensor, self.symbols.taken)
        item = NamedEquation(Equation(name, indices, part), "", guarded=at_risk)
        item = replace(item, formula=equation_text(item.equation))
        lines = self.lines(item)
        self.symbols.declare(name, indices, item.kind)
        return item.equation.element, lines

    def _plan(self, term: Expression, result: Indices) -> list[Stepped]:
        """How the windows of a term are stepped, one after the other."""
        bound = term.indices if isinstance(term, Reduction) and term.kind in STARTS else ()
        body = term.body if isinstance(term, Reduction) and bound else term
        is_sum = isinstance(term, Reduction) and term.kind == "sum"
        ways: list[Stepped] = []
        while True:
            counters = (*self.counters, *(way.index for way in ways))
            windows = windows_of(body, (*bound, *result))
            around = (self.kernel_axes, counters, self.lowering.own)
            found = (stepped(window, body, bound, result, *around, is_sum) for window in windows)
            way = next((way for way in found if way is not None), None)
            if way is None:
                return ways
            ways.append(way)
            body = simplified(substituted(body, way, self.lowering.own))
            bound = tuple(index for index in bound if index not in (way.index, way.along, way.solved))
            result = tuple(
                way.along if index == way.solved and way.along else index
                for index in result
                if index != way.index
            )

    def _computed(self, target: Target, expression: Expression, equation: Equation) -> Computation:
        """The lines that compute an expression into a target."""
        terms = terms_of(expression)
        plans = [self._plan(term, target.result) for term in terms]
        if all(way.way == "store" for plan in plans for way in plan):
            first = next((way for plan in plans for way in plan), None)
            return Computation(self._stored(target, expression, first, equation))
        if len(terms) > 1 and self._must_stand_alone(terms, plans):
            return self._term_by_term(target, terms, plans, equation)
        planned = list(zip(terms, plans, strict=True))
        rest = [term for term, plan in planned if not plan]
        adding = [(term, plan) for term, plan in planned if plan and isinstance(term, Reduction)]
        return Computation(self._added(target, rest, adding, equation))

    def _must_stand_alone(self, terms: tuple[Expression, ...], plans: list[list[Stepped]]) -> bool:
        """Whether the terms cannot be added up in one array: extrema, products, padded results."""
        return any(
            plan and (not (isinstance(term, Reduction) and term.kind == "sum") or _scatters(plan))
            for term, plan in zip(terms, plans, strict=True)
        )

    def _term_by_term(
        self, target: Target, terms: tuple[Expression, ...], plans: list[list[Stepped]], equation: Equation
    ) -> Computation:
        read: list[Expression] = []
        before: list[Line] = []
        for term, plan in zip(terms, plans, strict=True):
            lines: list[Line] = []
            if plan:
                term, lines = self._temporary(term, equation, target.result, False)
            read.append(term)
            before += lines
        found = self._computed(target, add(*read), equation)
        return Computation(found.own, [*before, *found.before])

    def _stored(
        self, target: Target, expression: Expression, way: Stepped | None, equation: Equation
    ) -> list[Line]:
        """One statement, or a loop over an index of the result that stores one part a step."""
        if way is None:
            return [target.assigned(self._value(with_short_ranges(expression), target.result))]
        part = simplified(substituted(expression, way, self.lowering.own))
        body = self.inside(way.index)._computed(target.stepped(way), part, equation)
        return [*target.allocated(), _loop(way, (*body.before, *body.own))]

    def _added(
        self,
        target: Target,
        rest: list[Expression],
        adding: list[tuple[Reduction, list[Stepped]]],
        equation: Equation,
    ) -> list[Line]:
        """Loops that add up terms, or keep the larger one, in an array that starts as the rest."""
        kind = adding[0][0].kind
        ways = [way for _, plan in adding for way in plan if way.way == "scatter"]
        array = padded_target(target, ways, self.symbols.fresh(f"{equation.tensor}_padded") if ways else "")
        if kind != "sum" and any(target.name in term.tensors for term, _ in adding):
            # Infinity times a 0 of the step's own place would be no number.
            array = Target.of(self.symbols.fresh(f"{target.name}_step"), target.result)
        start = self._value(add(*rest), target.result) if rest else Literal(STARTS[kind])
        lines = [array.assigned(start)]
        lines += [self._steps(array, reduction, plan) for reduction, plan in adding]
        return lines if array == target else [*lines, target.assigned(cropped(array, target, ways))]

    def _steps(self, target: Target, reduction: Reduction, plan: list[Stepped]) -> Line:
        """The loops of one reduction, each around the next."""
        body, bound, inner = reduction.body, reduction.indices, target.standing()
        for way in plan:
            body = simplified(substituted(body, way, self.lowering.own))
            bound = tuple(index for index in bound if index not in (way.index, way.along, way.solved))
            inner = inner.stepped(way)
        expression = with_short_ranges(Reduction(reduction.kind, bound, body) if bound else body)
        value = as_number(lined_up(self._value(expression, inner.result), inner.result))
        is_sum = reduction.kind == "sum"
        if not is_sum:
            value = Elementwise(reduction.kind, (inner.read(), as_real(value)))
        line: Line = Store(inner.name, inner.items, value, accumulate=is_sum)
        for way in reversed(plan):
            line = _loop(way, (line,))
        return line


def _loop(way: Stepped, body: tuple[Line, ...]) -> Loop:
    axis = way.index.axis
    return Loop(way.index.name, axis, whole_number(size_of(axis)), body)


def _scatters(plan: list[Stepped]) -> bool:
    return any(way.way == "scatter" for way in plan)


def _finished(line: Line, equation: Equation, guarded: bool) -> Line:
    """The line with its element, where it defines the equation's tensor, and its guard."""
    if isinstance(line, Loop):
        return replace(line, body=tuple(_finished(item, equation, guarded) for item in line.body))
    if isinstance(line, Statement) and line.name == equation.tensor:
        return replace(line, element=text(equation.element), guarded=line.guarded or guarded)
    return replace(line, guarded=line.guarded or guarded)
