"""The cheapest form of a scalar expression, as a rational function of its atoms.

SymPy cancels, factors and multiplies out; the cost model chooses. With relations (z = sigmoid(u), or
xhat = (x - mu)/s) an atom that a relation can be solved for is replaced by what the relation says, whenever
that is cheaper: e^-u/(1 + e^-u)^2 becomes z*(1 - z).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, TypeAlias, cast

from symbackprop.algebra.arrangement import tidied
from symbackprop.algebra.digits import Digits
from symbackprop.algebra.multiplied_differences import is_difference, loses_a_difference
from symbackprop.algebra.opened import atoms_as_typed, opened, solvable, spelled_as_typed
from symbackprop.algebra.quotients import (
    collected_forms,
    common_factors_out,
    denominator_factors,
    forms,
    is_small,
    numerator_factors,
    solved_for,
    substituted,
    with_solution,
    work_on,
)
from symbackprop.algebra.scalar_algebra import ScalarBridge
from symbackprop.cost.expressions import Cost, cost
from symbackprop.deferred_imports import sympy
from symbackprop.notation.arithmetic import coefficient_and_rest, factors_of, terms_of
from symbackprop.notation.expressions import Expression
from symbackprop.presentation.ways_round import is_something_less_number
from symbackprop.systems.printing import text

# The budget of one search; where it ends, the best form so far stands, at worst the plain adjoint's.
MOST_REWRITINGS = 12
MOST_ROUNDS = 4
MOST_WORK = 750  # in units of `work_on`; collecting included, a transformer takes at most 516


@dataclass(frozen=True)
class Relation:
    """known = formula: `known` is an element, or a function that is cheaper to name than to write out."""

    known: Expression
    formula: Expression


_Relations: TypeAlias = "tuple[tuple[sympy.Expr, sympy.Expr], ...]"


class Measure(NamedTuple):
    """What a better form has less of, the first that differs deciding.

    `odd_signs` are a leading minus, and z^2 - 1 for 1 - z^2.
    """

    cost: Cost
    terms: int
    odd_signs: int
    names: int
    nodes: int


def measure(expression: Expression) -> Measure:
    """The measure of a form, kept with the node as its hash is: the same forms are ranked again and again."""
    memory = expression.__dict__
    if "_measure" not in memory:
        memory["_measure"] = _measured(expression)
    return cast(Measure, memory["_measure"])


def _measured(expression: Expression) -> Measure:
    odd_signs = 2 * sum(map(is_something_less_number, factors_of(expression)))
    odd_signs += coefficient_and_rest(expression)[0] < 0
    counts = expression.element_count, expression.node_count
    return Measure(cost(expression), len(terms_of(expression)), odd_signs, *counts)


@dataclass(frozen=True)
class Rank:
    """A form's place in the order among candidates, as a key to sort by.

    By measure, then by spelling, so that no tie is left to chance; few are spelled.
    """

    form: Expression

    def __lt__(self, other: Rank) -> bool:
        one, another = measure(self.form), measure(other.form)
        return one < another if one != another else self._spelling < other._spelling

    @property
    def _spelling(self) -> str:
        memory = self.form.__dict__
        if "_spelling" not in memory:
            memory["_spelling"] = text(self.form)
        return cast(str, memory["_spelling"])


@dataclass(frozen=True)
class _Rewriting:
    """An expression with a solution in an atom's place; as it was where there is no atom."""

    expression: sympy.Expr
    atom: sympy.Symbol | None = None
    solution: sympy.Expr | None = None

    def within(self, relations: _Relations) -> _Relations:
        """The relations in the other atoms; one that has become `known = known` drops out."""
        if self.atom is None:
            return relations
        replaced = [(known, with_solution(formula, self.atom, self.solution)) for known, formula in relations]
        return tuple((known, formula) for known, formula in replaced if known != formula)


@dataclass(frozen=True)
class _Candidate:
    """A form, and what it is a form of."""

    form: Expression
    rewriting: _Rewriting

    def rank(self) -> Rank:
        """Its place in the order among candidates."""
        return Rank(self.form)


@dataclass
class RationalSearch:
    """Looks for the cheapest form under relations; sums in `closed` are atoms, of equal ones the cheapest."""

    expression: Expression
    relations: Sequence[Relation]
    closed: frozenset[Expression] = frozenset()
    most_work: int = MOST_WORK
    _verdicts: dict[Expression, bool] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        closed = sorted(self.closed, key=Rank, reverse=True)
        self.bridge = ScalarBridge({opened(each): each for each in closed})
        self._forms: dict[sympy.Expr, Expression] = {}
        self._typed = atoms_as_typed(self.expression)
        self.work, start = 0, opened(self.expression)
        equal = solvable([(each.known, each.formula) for each in self.relations], start)
        self.bridge.learn_roots(start, *(formula for _, formula in equal))
        self.bridge.learn_exponentials(start, *(side for pair in equal for side in pair))
        to_sympy = self.bridge.to_sympy
        self.start = to_sympy(start)
        self.known = [(to_sympy(known), to_sympy(formula)) for known, formula in equal]

    def cheapest(self) -> Expression:
        """The cheapest form found that keeps the expression's digits.

        The expression itself where nothing is cheaper, or it is too large. Where the cheapest of all forms
        loses digits, the best of the others is searched again with its differences as they stand.
        """
        if not is_small(self.start) or work_on(self.start) > self.most_work:
            return self.expression
        best, current, relations = self.expression, self.start, tuple(self.known)
        has_lost = False
        for _round in range(MOST_ROUNDS):
            candidates = [
                _Candidate(self._shown(form), rewriting)
                for rewriting in self._affordable(current, relations)
                if self._is_safe(rewriting.expression)
                for form in self._forms_of(rewriting.expression)
            ]
            if not candidates:
                break
            found = self._best(candidates)
            has_lost = has_lost or not self._keeps_digits(min(candidates, key=_Candidate.rank).form)
            if found is None or not self._is_better(found.form, best):
                break
            best, current = found.form, found.rewriting.expression
            relations = found.rewriting.within(relations)
            if self.work >= self.most_work:
                break
        return self._with_differences_kept(best) if has_lost else best

    def _forms_of(self, expression: sympy.Expr) -> Iterator[sympy.Expr]:
        """Equal forms in which no decimals are multiplied out."""
        if self.bridge.decimals_in(expression):
            yield common_factors_out(expression)
        yield from (form for form in forms(expression) if not self.bridge.multiplies_decimals(form))

    def _with_differences_kept(self, best: Expression) -> Expression:
        """The best form with every difference in it as an atom of the search, where that is cheaper."""
        closed = frozenset(filter(is_difference, best.walk()))
        if not closed or closed <= self.closed:
            return best
        search = RationalSearch(best, self.relations, closed, self.most_work)
        again = search.cheapest()
        self.work += search.work
        is_better = measure(again) < measure(best) and self._keeps_digits(again)
        return again if is_better else best

    def _affordable(self, current: sympy.Expr, relations: _Relations) -> Iterator[_Rewriting]:
        """The expression as it is, and as many rewritings as the budget allows; a vain attempt costs too."""
        left = MOST_REWRITINGS
        for rewriting in self._rewritings(current, relations):
            self.work += work_on(rewriting.expression if rewriting else current)
            if rewriting:
                left -= 1
                yield rewriting
            if not left or self.work >= self.most_work:
                break

    def _rewritings(self, current: sympy.Expr, relations: _Relations) -> Iterator[_Rewriting | None]:
        """The expression, and what comes of each atom's solution; None where an atom has none."""
        yield _Rewriting(current)
        for known, formula in relations:
            for atom in sorted(formula.free_symbols & current.free_symbols, key=str):
                solution = None if self.bridge.is_number(atom) else solved_for(known, formula, atom)
                is_apart = solution is None or self.bridge.takes_off_a_decimal(solution)
                replaced = None if is_apart else substituted(current, atom, solution)
                is_left = replaced is None or self.bridge.is_left_alone(atom, solution, replaced, current)
                yield None if is_left else _Rewriting(replaced, atom, solution)

    def _shown(self, form: sympy.Expr) -> Expression:
        if form not in self._forms:
            self._forms[form] = spelled_as_typed(tidied(self.bridge.from_sympy(form)), self._typed)
        return self._forms[form]

    def _is_safe(self, candidate: sympy.Expr) -> bool:
        """Whether no denominator is new: a form must not be undefined where the expression is defined.

        A name divides by what it stands for: 1/dist where dist = sqrt(s) and 1/sqrt(s) was there. What is too
        large to be looked into counts as new.
        """
        new = denominator_factors(candidate) - self.denominators
        written_out = [factor.xreplace(dict(self.known)) for factor in new]
        return all(is_small(each) and numerator_factors(each) <= self.denominators for each in written_out)

    def _best(self, candidates: Sequence[_Candidate]) -> _Candidate | None:
        """The best form that keeps the expression's digits, if one does.

        Collecting pays for itself only on the best candidates. Where what is best multiplies a difference
        out, common factors may stand in front of the differences all the same.
        """
        ordered = sorted(candidates, key=_Candidate.rank)
        rewritings = [ordered[0].rewriting]
        if not self._keeps_digits(ordered[0].form):
            distinct = dict.fromkeys(each.rewriting for each in ordered)
            in_front = [
                _Candidate(self._shown(common_factors_out(each.expression)), each) for each in distinct
            ]
            ordered = sorted((*ordered, *in_front), key=_Candidate.rank)
        kept = self._first_to_keep_digits(ordered)
        rewritings += [each.rewriting for each in kept]
        distinct_rewritings = dict.fromkeys(rewritings)
        self.work += sum(work_on(each.expression) for each in distinct_rewritings)
        collected = [
            _Candidate(self._shown(form), each)
            for each in distinct_rewritings
            for form in collected_forms(each.expression)
            if not self.bridge.multiplies_decimals(form)
        ]
        kept += self._first_to_keep_digits(sorted(collected, key=_Candidate.rank))
        return next(iter(self._first_to_keep_digits(sorted(kept, key=_Candidate.rank))), None)

    def _first_to_keep_digits(self, ordered: Iterable[_Candidate]) -> list[_Candidate]:
        """The first form that keeps the expression's digits; of those as cheap the most accurate."""
        found: _Candidate | None = None
        for each in ordered:
            if found is not None and measure(each.form).cost != measure(found.form).cost:
                break
            if self._keeps_digits(each.form) and (
                found is None or self._digits.are_more_in(each.form, found.form)
            ):
                found = each
        return [] if found is None else [found]

    def _is_better(self, form: Expression, other: Expression) -> bool:
        """Whether it is cheaper, or as cheap and more accurate."""
        is_as_cheap = measure(form).cost == measure(other).cost
        if is_as_cheap and self._digits.are_more_in(form, other):
            return True
        return measure(form) < measure(other)

    def _keeps_digits(self, form: Expression) -> bool:
        """Whether every difference that is stated or a factor is one still, and rounding is no worse."""
        if form not in self._verdicts:
            is_lost = loses_a_difference(form, self.expression)
            self._verdicts[form] = not is_lost and self._digits.are_kept_by(form, self.expression)
        return self._verdicts[form]

    @cached_property
    def _digits(self) -> Digits:
        return Digits(tuple([(each.known, each.formula) for each in self.relations]))

    @cached_property
    def denominators(self) -> frozenset[sympy.Expr]:
        """The irreducible factors of the denominator."""
        return denominator_factors(self.start)
