"""The cheapest form of a scalar expression, as a rational function of its atoms.

SymPy cancels, factors and multiplies out; the cost model chooses. With relations (z = sigmoid(u), or
xhat = (x - mu)/s) an atom that a relation can be solved for is replaced by what the relation says, whenever
that is cheaper: e^-u/(1 + e^-u)^2 becomes z*(1 - z).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sympy

from symbackprop.notation.arithmetic import add, coefficient_and_rest, factors_of, multiply, negate, terms_of
from symbackprop.notation.expressions import Add, Apply, Expression
from symbackprop.notation.functions import FUNCTIONS, definition_of
from symbackprop.notation.printing import text
from symbackprop.notation.scalar_algebra import ScalarBridge, positive_first
from symbackprop.notation.substitution import rewrite_bottom_up
from symbackprop.simplification.cost import Cost, cost

LARGEST_POLYNOMIAL = 40
MOST_ROUNDS = 6


@dataclass(frozen=True)
class Relation:
    """known = formula, where `known` is an element, or a function that is cheaper to name than to write out."""

    known: Expression
    formula: Expression


def opened(expression: Expression) -> Expression:
    """Element-wise functions that are rational in e^u (sigmoid, ...) written out."""

    def open_one(node: Expression) -> Expression:
        if isinstance(node, Apply) and FUNCTIONS[node.function].arity == 1:
            formula = definition_of(node)
            if formula is not None and not any(_is_choice(part) for part in formula.walk()):
                return rewrite_bottom_up(formula, open_one)
        return node

    return rewrite_bottom_up(expression, open_one)


def _is_choice(node: Expression) -> bool:
    return type(node).__name__ in {"Where", "Comparison"} or (
        isinstance(node, Apply) and node.function in {"sign", "erf"}
    )


def rank(expression: Expression) -> tuple[Cost, int, int, str]:
    """The order among equal expressions: cost, then terms, size and spelling, so that no tie is left open."""
    return cost(expression), len(terms_of(expression)), expression.node_count, text(expression)


@dataclass
class RationalSearch:
    """Looks for the cheapest form of one expression under relations."""

    expression: Expression
    relations: Sequence[Relation]

    def __post_init__(self) -> None:
        self.bridge = ScalarBridge()
        opened_relations = [opened(relation.formula) for relation in self.relations]
        start = opened(self.expression)
        self.bridge.learn_roots(start, *opened_relations)
        self.start = self.bridge.to_sympy(start)
        self.known = [
            (self.bridge.to_sympy(relation.known), self.bridge.to_sympy(formula))
            for relation, formula in zip(self.relations, opened_relations, strict=True)
        ]
        self.denominators = _denominator_factors(self.start)

    def cheapest(self) -> Expression:
        """The cheapest form found; the expression itself where nothing is cheaper."""
        best, best_rank, current = self.expression, rank(self.expression), self.start
        for _round in range(MOST_ROUNDS):
            found = None
            for candidate in self._rewritings(current):
                for form in forms(candidate):
                    shown = tidy_signs(self.bridge.from_sympy(form))
                    if rank(shown) < best_rank and self._is_safe(candidate):
                        best, best_rank, found = shown, rank(shown), candidate
            if found is None:
                break
            current = found
        return best

    def _rewritings(self, current: sympy.Expr) -> Iterator[sympy.Expr]:
        yield current
        for known, formula in self.known:
            for atom in sorted(formula.free_symbols & current.free_symbols, key=str):
                solution = _solve(known, formula, atom)
                if solution is not None:
                    yield sympy.cancel(current.xreplace({atom: solution}))

    def _is_safe(self, candidate: sympy.Expr) -> bool:
        """Whether no denominator is new: a form must not be undefined where the expression is defined."""
        return _denominator_factors(candidate) <= self.denominators


def _denominator_factors(expression: sympy.Expr) -> set[sympy.Expr]:
    _, denominator = sympy.fraction(sympy.cancel(expression))
    if denominator.is_number:
        return set()
    return {factor for factor, _ in sympy.factor_list(denominator)[1]}


def _solve(known: sympy.Expr, formula: sympy.Expr, atom: sympy.Symbol) -> sympy.Expr | None:
    """known = formula solved for an atom that stands in it to the first power."""
    numerator, denominator = sympy.fraction(sympy.together(formula))
    polynomial = sympy.Poly(sympy.expand(numerator - known * denominator), atom)
    if polynomial.degree() != 1:
        return None
    slope, constant = polynomial.all_coeffs()
    return sympy.cancel(-constant / slope)


def forms(expression: sympy.Expr) -> Iterator[sympy.Expr]:
    """Equal forms of a rational function: as it is, cancelled, factored, collected by each atom."""
    yield expression
    cancelled = sympy.cancel(expression)
    if sympy.count_ops(cancelled) > LARGEST_POLYNOMIAL:
        return
    yield cancelled
    yield sympy.factor(cancelled)
    numerator, denominator = sympy.fraction(cancelled)
    for atom in sorted(numerator.free_symbols, key=str):
        yield sympy.collect(sympy.expand(numerator), atom, func=sympy.factor) / denominator


def tidy_signs(expression: Expression) -> Expression:
    """Take a minus in front of a product into one of its differences: -z*(z - 1) is z*(1 - z)."""

    def tidy(node: Expression) -> Expression:
        if isinstance(node, Add):
            return add(*positive_first(list(node.terms)))
        if coefficient_and_rest(node)[0] >= 0:
            return node
        factors = factors_of(node)
        for place, factor in enumerate(factors):
            if isinstance(factor, Add):
                flipped = add(*positive_first(list(terms_of(negate(factor)))))
                return multiply(negate(multiply(*factors[:place])), flipped, *factors[place + 1 :])
        return node

    return rewrite_bottom_up(expression, tidy)
