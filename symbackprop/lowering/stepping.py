"""Equations as lines of a program: one statement, or loops that step through the offsets of windows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from symbackprop.array.checking import check_free_indices
from symbackprop.array.value import Value
from symbackprop.array.views import lined_up
from symbackprop.indexing.bands import band_of
from symbackprop.indexing.blocks import blocks_read
from symbackprop.indexing.counting import Counter, counter_of
from symbackprop.indexing.digit_cases import Cut, cut_for_choices
from symbackprop.indexing.digit_sums import with_decided_digits
from symbackprop.indexing.end_cases import with_cases_apart
from symbackprop.indexing.guarded_branches import needs_guard
from symbackprop.indexing.packed_rows import is_packed, packed_rows
from symbackprop.indexing.padding import with_padded_reads
from symbackprop.indexing.residues import residues_of, with_whole_indices
from symbackprop.indexing.short_ranges import with_short_ranges
from symbackprop.indexing.term_plans import STARTS, TermPlan, plan_of
from symbackprop.indexing.windows import Stepped, simplified, substituted, windows_of
from symbackprop.lowering.accumulation import added, rows_added
from symbackprop.lowering.destinations import Target, loop_over, nested
from symbackprop.lowering.expressions import ExpressionLowering
from symbackprop.lowering.folds import Fold, cases_of_remainders, closed, folded, short_folds, unfolded
from symbackprop.lowering.places_of_maxima import counting, is_maximum, maximum_in, places_in, read_as
from symbackprop.lowering.symbols import Computation, Lines, Separated, Symbols
from symbackprop.notation.arithmetic import add, terms_of
from symbackprop.notation.expressions import Axis, Element, Expression, Index, Reduction, Where
from symbackprop.notation.substitution import rename_bound, substitute
from symbackprop.schedule.kinds import Kind
from symbackprop.schedule.named_equations import NamedEquation, Part
from symbackprop.schedule.terms import Indices
from symbackprop.systems.system import Equation

Parts: TypeAlias = Sequence[tuple[Target, Expression]]


@dataclass(frozen=True)
class EquationLowering:
    """Lowers equations into lines; each takes the symbols known before it, and gives those known after it.

    `kernel_axes` are those to loop over, `counters` those that loops around step, `maxima` equations before.
    With `bands`, kernels that are scattered become band matrices where that is faster.
    """

    expressions: ExpressionLowering
    kernel_axes: Collection[Axis]
    counters: tuple[Index, ...] = ()
    maxima: Sequence[Equation] = ()
    bands: bool = False

    def after(self, equation: Equation) -> EquationLowering:
        """The lowering of what is computed after an equation."""
        return replace(self, maxima=(*self.maxima, equation)) if is_maximum(equation.expression) else self

    def inside(self, counter: Index, known: Sequence[Expression] = ()) -> EquationLowering:
        """The lowering of a loop's body; so much is known of its counter."""
        certain = [substitute(each, {counter: counter_of(counter)}) for each in known]
        expressions = self.expressions.knowing(certain) if certain else self.expressions
        return replace(self, counters=(*self.counters, counter), expressions=expressions, bands=False)

    def lines(
        self, item: NamedEquation, symbols: Symbols, target: Target | None = None
    ) -> tuple[Lines, Symbols]:
        """One equation as lines, after those of its temporaries, and the symbols that are known then.

        They fill the target, or else an array of its own that the equation's tensor names.
        """
        check_free_indices(item.equation)
        expressions = self.expressions.for_branches() if item.guarded else self.expressions
        guarded = item.guarded or needs_guard(item.equation.expression)
        target = replace(target or Target.of(item), guarded=guarded)
        found = replace(self, expressions=expressions)._computation(item, target, symbols)
        return found.with_invariants_apart()

    def _computation(self, item: NamedEquation, target: Target, symbols: Symbols) -> Computation:
        expression = item.equation.expression
        if target.kind is not Kind.REAL:
            lowered = self._integer if target.kind is Kind.INTEGER else self._value
            return Computation((target.assigned(lowered(expression, target.result, symbols)),), symbols)
        return self._of_numbers(expression, item, target, symbols)

    def _of_numbers(
        self, expression: Expression, item: NamedEquation, target: Target, symbols: Symbols
    ) -> Computation:
        """The lines that compute real numbers, of which those of blocks and remainders may come apart."""
        expression = with_decided_digits(with_whole_indices(expression), target.result, symbols.own)
        if blocks := blocks_read(expression, target.result):
            return self._in_parts(target, [(target.at_block(b), b.expression) for b in blocks], item, symbols)
        if (packed := packed_rows(expression, target.result, self.counters, symbols.own)) is not None:
            rest = self._of_numbers(packed.rest, item, target, symbols)
            return rows_added(target, packed, rest, self.expressions)
        # Each index once: delta(2*i + 1,j) + delta(i,j) would be cut without an end.
        if cases := residues_of(expression, target.result_in_steps_of_one, symbols.own):
            parts = [(target.at_residue(case), case.expression) for case in cases]
            return self._in_parts(target, parts, item, symbols)
        if (cut := cut_for_choices(expression, target.result, symbols.own)) is not None:
            return self._cut(cut, item, target, symbols)
        short = simplified(with_short_ranges(with_cases_apart(expression)))
        padded = with_padded_reads(short, symbols.own, self.expressions.ranges)
        found = self._apart(padded, item, target.result, True, symbols)
        return self._computed(target, found.expression, item, found.symbols).after(found.lines)

    def _value(self, expression: Expression, order: Indices, symbols: Symbols) -> Value:
        """The expression as one value, its axes in this order; an index read in two parts is a reshape."""
        lowering = replace(self.expressions, own=symbols.own, kinds=symbols.kinds)
        return folded(expression, order, symbols.own, lowering.value)

    def _integer(self, expression: Expression, order: Indices, symbols: Symbols) -> Value:
        lowering = replace(self.expressions, own=symbols.own, kinds=symbols.kinds)
        return lined_up(lowering.integer(expression, order), order)

    def _apart(
        self,
        node: Expression,
        item: NamedEquation,
        live: Indices,
        at_top: bool,
        symbols: Symbols,
        in_where: bool = False,
    ) -> Separated:
        """The expression, where a reduction over a window's index reads as a tensor that is computed before.

        At the top a sum or an extremum stays, and so do the terms of a sum: they are added up in place.
        """
        if not node.binds:
            return Separated(node, symbols)
        if isinstance(node, Reduction):
            return self._reduction_apart(node, item, live, at_top, symbols, in_where)
        stays = at_top and terms_of(node) != (node,)
        inside = in_where or isinstance(node, Where)
        children: list[Expression] = []
        before: Lines = ()
        for child in node.children:
            found = self._apart(child, item, live, stays, symbols, inside)
            children.append(found.expression)
            before, symbols = (*before, *found.lines), found.symbols
        return Separated(node.with_children(tuple(children)), symbols, before)

    def _reduction_apart(
        self,
        node: Reduction,
        item: NamedEquation,
        live: Indices,
        at_top: bool,
        symbols: Symbols,
        in_where: bool,
    ) -> Separated:
        afresh = rename_bound(node, (*live, *self.counters))
        inner = (*live, *afresh.indices)
        body = self._apart(afresh.body, item, inner, False, symbols, in_where)
        reduction = afresh.with_children((body.expression,))
        around = windows_of(body.expression, inner, symbols.own)
        depends = any({*reduction.indices} & {*each.indices} for each in around)
        if not (depends or is_packed(reduction, live, symbols.own)) or (at_top and reduction.kind in STARTS):
            return replace(body, expression=reduction)
        before, symbols = body.lines, body.symbols
        if reduction.kind not in STARTS:  # all terms at once, for a product, or for the place of a maximum
            windows = self._temporary(body.expression, item, inner, in_where, symbols, "{}_windows")
            reduction = reduction.with_children((windows.expression,))
            before, symbols = (*before, *windows.lines), windows.symbols
        found = self._temporary(reduction, item, live, in_where, symbols)
        return replace(found, lines=(*before, *found.lines))

    def _temporary(
        self,
        part: Expression,
        consumer: NamedEquation,
        live: Indices,
        at_risk: bool,
        symbols: Symbols,
        pattern: str = "",
    ) -> Separated:
        """The part read from a temporary, and the lines that compute it; at risk is what a `where` reads."""
        indices = tuple(index for index in live if index in part.free_indices)
        if (known := maximum_in(self.maxima, part)) is not None:
            return Separated(known, symbols)
        name, symbols = symbols.named_after(part, consumer.equation.tensor, pattern)
        item = consumer.temporary(Part.WINDOWS, Equation(name, indices, part), at_risk)
        lines, symbols = self.lines(item, symbols)
        return Separated(Element(name, indices), symbols.declaring(name, indices, item.kind), lines)

    def _computed(
        self, target: Target, expression: Expression, item: NamedEquation, symbols: Symbols
    ) -> Computation:
        """The lines that compute an expression into a target."""
        about = self.kernel_axes, self.counters, symbols.own, self.expressions.ranges
        plans = [plan_of(term, target.result, *about) for term in terms_of(expression)]
        if all(way.way == "store" for plan in plans for way in plan.ways):
            first = next((way for plan in plans for way in plan.ways), None)
            return self._stored(target, expression, first, item, symbols)
        if len(plans) > 1 and any(plan.ways and (not plan.is_sum or plan.scatters) for plan in plans):
            # Extrema, products and padded results cannot be added up in one array.
            return self._term_by_term(target, plans, item, symbols)
        if len(plans) == 1 and plans[0].is_one_product:
            return self._product_first(target, plans[0], item, symbols)
        return added(target, plans, symbols, self._value)

    def _product_first(
        self, target: Target, plan: TermPlan, item: NamedEquation, symbols: Symbols
    ) -> Computation:
        """The product of all steps of a loop at once, of which the loop adds up the parts."""
        if self.bands and (band := band_of(plan, target.result, symbols.own)) is not None:
            matrix = self._temporary(band.matrix, item, band.indices, False, symbols, "{}_band")
            product = band.product(matrix.expression)
            return self._computed(target, product, item, matrix.symbols).after(matrix.lines)
        parts = self._temporary(plan.product, item, plan.with_offsets, False, symbols)
        adding = [plan.adding(parts.expression)]
        return added(target, adding, parts.symbols, self._value).after(parts.lines)

    def _term_by_term(
        self, target: Target, plans: Sequence[TermPlan], item: NamedEquation, symbols: Symbols
    ) -> Computation:
        read: list[Expression] = []
        before: Lines = ()
        for plan in plans:
            term = Separated(plan.term, symbols)
            if plan.ways:
                term = self._temporary(plan.term, item, target.result, False, symbols)
            read.append(term.expression)
            before, symbols = (*before, *term.lines), term.symbols
        return self._computed(target, add(*read), item, symbols).after(before)

    def _stored(
        self,
        target: Target,
        expression: Expression,
        way: Stepped | None,
        item: NamedEquation,
        symbols: Symbols,
    ) -> Computation:
        """One statement, or a loop over an index of the result that stores one part a step."""
        if way is None:
            if folds := short_folds(expression, target.result, symbols.own):
                return self._by_remainders(target, expression, folds, item, symbols)
            value = self._value(with_short_ranges(expression), target.result, symbols)
            return Computation((target.assigned(value),), symbols)
        part = simplified(substituted(expression, way, symbols.own, self.expressions.ranges))
        body = self.inside(way.index)._computed(target.stepped(way), part, item, symbols)
        steps = loop_over(way.index, (*body.before, *body.own), target)  # what it names is forgotten after it
        return Computation((*target.allocated(), steps), symbols)

    def _in_parts(self, target: Target, parts: Parts, item: NamedEquation, symbols: Symbols) -> Computation:
        """Blocks of an index, or every m-th place of it, part by part, each by what is chosen there."""
        within = replace(self.expressions, conditions=replace(self.expressions.conditions, part=True))
        whole = Computation(tuple(target.allocated()), symbols)
        for part, expression in parts:
            found = replace(self, expressions=within)._of_numbers(expression, item, part, whole.symbols)
            whole = replace(found, own=(*whole.own, *found.own), before=(*whole.before, *found.before))
        return whole

    def _cut(self, cut: Cut, item: NamedEquation, target: Target, symbols: Symbols) -> Computation:
        """An array with one axis as two, and the target as that array with these merged."""
        name, symbols = symbols.fresh(f"{target.name}_digits")
        parts = target.beside(name, cut.within(target.result))
        found = self._of_numbers(cut.expression, item, parts, symbols)
        merged = closed(parts.read(), target.result, [Fold(cut.index, cut.parts)])
        return replace(found, own=(*found.own, target.assigned(merged)))

    def _by_remainders(
        self, target: Target, part: Expression, folds: Sequence[Fold], item: NamedEquation, symbols: Symbols
    ) -> Computation:
        """Every m-th place of folded indices at once: remainder by remainder, or in loops over them."""
        cases = [(target.at_remainders(folds, at), case) for at, case in cases_of_remainders(part, folds)]
        if cases and not places_in(part):
            lines = [inner.assigned(self._value(case, inner.result, symbols)) for inner, case in cases]
            return Computation((*target.allocated(), *lines), symbols)
        offsets: list[Counter] = []
        for fold in folds:
            name, symbols = symbols.fresh(f"{fold.index.name}_rest")
            offsets.append(Counter(name, fold.digits[-1].axis))
            part = substitute(unfolded(part, fold), {fold.digits[-1]: offsets[-1]})
        inner = target.at_remainders(folds, offsets)
        found = self._places_apart(simplified(part), item, inner.result, symbols)
        line = inner.assigned(self._value(found.expression, inner.result, found.symbols))
        return Computation((*target.allocated(), nested(line, offsets, target)), found.symbols, found.lines)

    def _places_apart(
        self, expression: Expression, item: NamedEquation, live: Indices, symbols: Symbols
    ) -> Separated:
        """The expression, where the place of a maximum over a kernel's axes reads as a temporary."""
        before: Lines = ()
        for place in places_in(expression):
            indices = tuple(index for index in live if index in place.free_indices)
            about = self.kernel_axes, self.counters, symbols.own, self.expressions.ranges
            plan = plan_of(replace(place, kind="max"), indices, *about)
            if plan.bound:
                continue
            largest = self._temporary(plan.term, item, indices, False, symbols)
            name, symbols = largest.symbols.fresh(f"{item.equation.tensor}_place")
            counted = Target.of(item.temporary(Part.WINDOWS, Equation(name, indices, place)))
            compared = [self._value(each, indices, symbols) for each in (plan.body, largest.expression)]
            before += (*largest.lines, *counting(replace(counted, kind=Kind.REAL), plan.offsets, *compared))
            expression = read_as(expression, place, Element(name, indices))
            symbols = symbols.declaring(name, indices, Kind.REAL)
        return Separated(expression, symbols, before)
