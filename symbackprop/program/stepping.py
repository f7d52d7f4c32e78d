"""Equations as lines of a program: one statement, or loops that step through the offsets of windows."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from symbackprop.notation.arithmetic import add, terms_of
from symbackprop.notation.expressions import Axis, Element, Expression, Index, Reduction, Where
from symbackprop.notation.printing import equation_text, text
from symbackprop.notation.substitution import rename_bound
from symbackprop.notation.system import Equation
from symbackprop.program.cases import with_cases_apart
from symbackprop.program.counting import size_of, whole_number
from symbackprop.program.exponentials import LOWEST
from symbackprop.program.expressions import ExpressionLowering
from symbackprop.program.folds import closed, folds_of, opened
from symbackprop.program.guarded_choices import needs_guard
from symbackprop.program.invariants import Invariants
from symbackprop.program.ir import Elementwise, Literal
from symbackprop.program.naming import temporary_name, unused_name
from symbackprop.program.program import Line, Loop, Statement, Store
from symbackprop.program.ranges import with_short_ranges
from symbackprop.program.sharing import NamedEquation
from symbackprop.program.targets import Target, cropped, padded_target
from symbackprop.program.value import Kind, Value
from symbackprop.program.views import as_number, as_real, filled, lined_up
from symbackprop.program.windows import (
    Stepped,
    simplified,
    stepped,
    substituted,
    windows_of,
    with_padded_reads,
)

Indices: TypeAlias = tuple[Index, ...]
# What an extremum starts from, before the first step.
STARTS: Mapping[str, float] = {"sum": 0.0, "max": -math.inf, "min": math.inf}


@dataclass
class EquationLowering:
    """Lowers equations one after another.

    `kernel_axes` are those to loop over, `taken` the names that a temporary must not have, `before`
    the lines of the temporaries of the equation that is being lowered, `enclosing` those of the loops around.
    """

    lowering: ExpressionLowering
    kernel_axes: Collection[Axis]
    taken: set[str]
    invariants: Invariants = field(default_factory=Invariants)
    before: list[Line] = field(default_factory=list)
    enclosing: list[Index] = field(default_factory=list)

    def lines(self, item: NamedEquation) -> list[Line]:
        """One equation as lines, after those of its temporaries; the first of its own carries its formula."""
        equation = item.equation
        guarded = item.guarded or needs_guard(equation.expression)
        outer, self.before = (self.before, self.lowering), []
        if item.guarded:
            self.lowering = self.lowering.for_parts_of_choices()
        if item.is_mask or _is_position(equation.expression):
            value = self._value(equation.expression, equation.indices)
            own: list[Line] = [Statement(equation.tensor, value, "")]
        else:
            ordered = with_padded_reads(simplified(with_short_ranges(with_cases_apart(equation.expression))))
            expression = self._apart(ordered, equation, equation.indices, True)
            own = self._computed(Target.of(equation.tensor, equation.indices), expression, equation)
        own[0] = replace(own[0], formula=item.formula.replace(text(LOWEST), "-1e30"))
        found = self.before
        self.before, before = outer
        self.lowering = replace(self.lowering, conditions=before.conditions)
        for line in own:
            found += self.invariants.taken_out(_finished(line, equation, guarded), self._name)
        return found

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
    ) -> Expression:
        """The expression, where a reduction over a window's index reads as a tensor that is computed before.

        At the top a sum or an extremum stays, and so do the terms of a sum: they are added up in place.
        """
        if not node.binds:
            return node
        if not isinstance(node, Reduction):
            stays = at_top and terms_of(node) != (node,)
            inside = in_choice or isinstance(node, Where)
            children = [self._apart(child, equation, live, stays, inside) for child in node.children]
            return node.with_children(tuple(children))
        afresh = rename_bound(node, live)
        inner = (*live, *afresh.indices)
        reduction = afresh.with_children((self._apart(afresh.body, equation, inner, False, in_choice),))
        bound = set(reduction.indices)
        moving = any(bound & set(window.indices) for window in windows_of(reduction.body, inner))
        if not moving or (at_top and reduction.kind in STARTS):
            return reduction
        if reduction.kind not in STARTS:
            # All terms at once, for a product, or for the place of a maximum.
            windows = self._temporary(reduction.body, equation, inner, in_choice, "{}_windows")
            reduction = reduction.with_children((windows,))
        return self._temporary(reduction, equation, live, in_choice)

    def _temporary(
        self, part: Expression, consumer: Equation, live: Indices, at_risk: bool, pattern: str = ""
    ) -> Element:
        """The part as a tensor of its own, computed before; at risk is what stood inside a choice."""
        indices = tuple(index for index in live if index in part.free_indices)
        name = temporary_name(part, consumer.tensor, self.taken)
        if pattern and len(part.tensors) == 1:
            name = unused_name(pattern.format(*part.tensors), self.taken.__contains__)
        self.taken.add(name)
        equation = Equation(name, indices, part)
        kinds = {**self.lowering.kinds, **({name: Kind.INTEGER} if _is_position(part) else {})}
        self.lowering = replace(self.lowering, kinds=kinds, own={**self.lowering.own, name: indices})
        self.before += self.lines(NamedEquation(equation, equation_text(equation), guarded=at_risk))
        return equation.element

    def _plan(self, term: Expression, result: Indices) -> list[Stepped]:
        """How the windows of a term are stepped, one after the other."""
        bound = term.indices if isinstance(term, Reduction) and term.kind in STARTS else ()
        body = term.body if isinstance(term, Reduction) and bound else term
        is_sum = isinstance(term, Reduction) and term.kind == "sum"
        ways: list[Stepped] = []
        while True:
            counters = (*self.enclosing, *(way.index for way in ways))
            windows = windows_of(body, (*bound, *result))
            axes = self.kernel_axes
            found = (stepped(window, body, bound, result, axes, counters, is_sum) for window in windows)
            way = next((way for way in found if way is not None), None)
            if way is None:
                return ways
            ways.append(way)
            body = simplified(substituted(body, way))
            bound = tuple(index for index in bound if index not in (way.index, way.along, way.solved))
            result = tuple(
                way.along if index == way.solved and way.along else index
                for index in result
                if index != way.index
            )

    def _computed(self, target: Target, expression: Expression, equation: Equation) -> list[Line]:
        """The lines that compute an expression into a target."""
        terms = terms_of(expression)
        plans = [self._plan(term, target.result) for term in terms]
        if all(way.way == "store" for plan in plans for way in plan):
            first = next((way for plan in plans for way in plan), None)
            return self._stored(target, expression, first, equation)
        if len(terms) > 1 and self._must_stand_alone(terms, plans):
            return self._term_by_term(target, terms, plans, equation)
        planned = list(zip(terms, plans, strict=True))
        rest = [term for term, plan in planned if not plan]
        adding = [(term, plan) for term, plan in planned if plan and isinstance(term, Reduction)]
        return self._added(target, rest, adding, equation)

    def _must_stand_alone(self, terms: tuple[Expression, ...], plans: list[list[Stepped]]) -> bool:
        """Whether the terms cannot be added up in one array: extrema, products, padded results."""
        return any(
            plan and (not (isinstance(term, Reduction) and term.kind == "sum") or _scatters(plan))
            for term, plan in zip(terms, plans, strict=True)
        )

    def _term_by_term(
        self, target: Target, terms: tuple[Expression, ...], plans: list[list[Stepped]], equation: Equation
    ) -> list[Line]:
        read = [
            self._temporary(term, equation, target.result, False) if plan else term
            for term, plan in zip(terms, plans, strict=True)
        ]
        return self._computed(target, add(*read), equation)

    def _stored(
        self, target: Target, expression: Expression, way: Stepped | None, equation: Equation
    ) -> list[Line]:
        """One statement, or a loop over an index of the result that stores one part a step."""
        if way is None:
            return [self._assigned(target, self._value(with_short_ranges(expression), target.result))]
        inner = target.stepped(way)
        self.enclosing.append(way.index)
        body = self._computed(inner, simplified(substituted(expression, way)), equation)
        self.enclosing.pop()
        loop = self._loop(way, tuple(body))
        return [*target.allocated(), loop]

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
        array = padded_target(target, ways, self._name(f"{equation.tensor}_padded") if ways else "")
        start = self._value(add(*rest), target.result) if rest else Literal(STARTS[kind])
        lines = [self._assigned(array, start)]
        lines += [self._steps(array, reduction, plan) for reduction, plan in adding]
        return lines if array == target else [*lines, self._assigned(target, cropped(array, target, ways))]

    def _steps(self, target: Target, reduction: Reduction, plan: list[Stepped]) -> Line:
        """The loops of one reduction, each around the next."""
        body, bound, inner = reduction.body, reduction.indices, target.standing()
        for way in plan:
            body = simplified(substituted(body, way))
            bound = tuple(index for index in bound if index not in (way.index, way.along, way.solved))
            inner = inner.stepped(way)
        expression = with_short_ranges(Reduction(reduction.kind, bound, body) if bound else body)
        value = as_number(lined_up(self._value(expression, inner.result), inner.result))
        is_sum = reduction.kind == "sum"
        if not is_sum:
            value = Elementwise(reduction.kind, (inner.read(), as_real(value)))
        line: Line = Store(inner.name, inner.items, value, accumulate=is_sum)
        for way in reversed(plan):
            line = self._loop(way, (line,))
        return line

    def _loop(self, way: Stepped, body: tuple[Line, ...]) -> Loop:
        axis = way.index.axis
        return Loop(way.index.name, axis, whole_number(size_of(axis)), body)

    def _assigned(self, target: Target, value: Value) -> Line:
        if target.stands:
            return Store(target.name, target.items, as_number(lined_up(value, target.result)))
        return Statement(target.name, as_real(filled(value, target.axes)), "")

    def _name(self, stem: str) -> str:
        name = unused_name(stem, self.taken.__contains__)
        self.taken.add(name)
        return name


def _is_position(expression: Expression) -> bool:
    """Whether the expression is where a maximum stands: an array of integers."""
    return isinstance(expression, Reduction) and expression.kind == "argmax"


def _scatters(plan: list[Stepped]) -> bool:
    return any(way.way == "scatter" for way in plan)


def _finished(line: Line, equation: Equation, guarded: bool) -> Line:
    """The line with its element, where it defines the equation's tensor, and its guard."""
    if isinstance(line, Loop):
        return replace(line, body=tuple(_finished(item, equation, guarded) for item in line.body))
    if isinstance(line, Statement) and line.name == equation.tensor:
        return replace(line, element=text(equation.element), guarded=line.guarded or guarded)
    return replace(line, guarded=line.guarded or guarded)
