"""The cheapest form of a scalar expression, as a rational function of its atoms.

SymPy cancels, factors and multiplies out; the cost model chooses. With relations (z = sigmoid(u), or
xhat = (x - mu)/s) an atom that a relation can be solved for is replaced by what the relation says, whenever
that is cheaper: e^-u/(1 + e^-u)^2 becomes z*(1 - z).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TypeAlias

import sympy

from symbackprop.notation.arithmetic import (
    add,
    coefficient_and_rest,
    factors_of,
    multiply,
    negate,
    reciprocals_last,
    terms_of,
)
from symbackprop.notation.expressions import (
    MINUS_ONE,
    Add,
    Apply,
    Expression,
    Multiply,
    Number,
    Reduction,
    Where,
)
from symbackprop.notation.functions import ALL_FUNCTIONS, definition_of
from symbackprop.notation.guards import readable
from symbackprop.notation.printing import text
from symbackprop.notation.scalar_algebra import ScalarBridge, positive_first
from symbackprop.notation.substitution import (
    canonical_bound_names,
    rewrite_bottom_up,
    rewrite_values,
)
from symbackprop.simplification.cost import Cost, cost

# The budget of one search; where it ends, the best form so far stands, at worst the plain adjoint's.
MOST_ATOMS = 12
MOST_TERMS = 64
MOST_REWRITINGS = 12
MOST_ROUNDS = 4


@dataclass(frozen=True)
class Relation:
    """known = formula: `known` is an element, or a function that is cheaper to name than to write out."""

    known: Expression
    formula: Expression


def opened(expression: Expression) -> Expression:
    """Element-wise functions that are rational in e^u (sigmoid, ...) written out."""

    def open_one(node: Expression) -> Expression:
        if isinstance(node, Apply) and ALL_FUNCTIONS[node.function].arity == 1:
            formula = definition_of(node)
            if formula is not None and not any(_is_choice(part) for part in formula.walk()):
                return rewrite_bottom_up(formula, open_one)
        return node

    return rewrite_bottom_up(expression, open_one)


def _is_choice(node: Expression) -> bool:
    return type(node).__name__ in {"Where", "Comparison"} or (
        isinstance(node, Apply) and node.function in {"sign", "erf", "normcdf"}
    )


Measure: TypeAlias = tuple[Cost, int, int, int]


def measure(expression: Expression) -> Measure:
    """What a better form has less of: cost, then terms, a leading minus (or z^2 - 1 for 1 - z^2), size."""
    odd_signs = sum(2 for factor in factors_of(expression) if _is_something_less_number(factor))
    odd_signs += coefficient_and_rest(expression)[0] < 0
    return cost(expression), len(terms_of(expression)), odd_signs, expression.node_count


def rank(expression: Expression) -> tuple[Measure, str]:
    """The order among candidates: by measure, then by spelling, so that no tie is left to chance."""
    return measure(expression), text(expression)


def _with_solution(expression: sympy.Expr, atom: sympy.Symbol, solution: sympy.Expr) -> sympy.Expr:
    """The expression with a solution in an atom's place, over one denominator unless that is too large."""
    replaced = _substituted(expression, atom, solution)
    return expression.xreplace({atom: solution}) if replaced is None else replaced


def _substituted(expression: sympy.Expr, atom: sympy.Symbol, solution: sympy.Expr) -> sympy.Expr | None:
    """The expression with a solution in an atom's place, over one denominator; None where that is too large.

    P(a)/Q(a) at a = n/d is (d^k*P(n/d))/(d^k*Q(n/d)), k the higher degree, two polynomials in n and d.
    """
    replaced = expression.xreplace({atom: solution})
    if is_small(replaced):
        return sympy.cancel(replaced)
    if not is_small(expression):
        return None
    polynomials = [sympy.Poly(part, atom) for part in sympy.fraction(sympy.cancel(expression))]
    above, below = sympy.fraction(solution)
    degree = max(polynomial.degree() for polynomial in polynomials)
    parts = [
        [(coefficient, above**power * below ** (degree - power)) for (power,), coefficient in each.terms()]
        for each in polynomials
    ]
    if math.prod(sum(_terms_of_product(*pair) for pair in part) for part in parts) > MOST_TERMS:
        return None
    numerator, denominator = (sum(a * b for a, b in part) for part in parts)
    return sympy.cancel(numerator / denominator)


def _terms_of_product(*factors: sympy.Expr) -> int:
    return math.prod(len(sympy.Add.make_args(sympy.expand(factor))) for factor in factors)


@dataclass(frozen=True)
class _State:
    """An expression and the relations, as far as their atoms have been eliminated."""

    expression: sympy.Expr
    relations: tuple[tuple[sympy.Expr, sympy.Expr], ...]

    def with_atom(self, atom: sympy.Symbol, solution: sympy.Expr) -> _State:
        """The same in other atoms; a relation that has become `known = known` drops out."""
        relations = [(known, _with_solution(formula, atom, solution)) for known, formula in self.relations]
        return _State(
            _with_solution(self.expression, atom, solution),
            tuple((known, formula) for known, formula in relations if known != formula),
        )


@dataclass
class RationalSearch:
    """Looks for the cheapest form of one expression under relations."""

    expression: Expression
    relations: Sequence[Relation]

    def __post_init__(self) -> None:
        self.bridge = ScalarBridge()
        start = opened(self.expression)
        spelled = _reductions_of(start)
        opened_relations = [_spelled_alike(opened(relation.formula), spelled) for relation in self.relations]
        self.bridge.learn_roots(start, *opened_relations)
        self.start = self.bridge.to_sympy(start)
        self.known = [
            (self.bridge.to_sympy(relation.known), self.bridge.to_sympy(formula))
            for relation, formula in zip(self.relations, opened_relations, strict=True)
        ]

    def cheapest(self) -> Expression:
        """The cheapest form found; the expression itself where nothing is cheaper, or it is too large."""
        if not is_small(self.start):
            return self.expression
        best, current = self.expression, _State(self.start, tuple(self.known))
        for _round in range(MOST_ROUNDS):
            candidates = [
                (self._shown(form), candidate)
                for candidate in islice(self._rewritings(current), MOST_REWRITINGS)
                if self._is_safe(candidate.expression)
                for form in forms(candidate.expression)
            ]
            found, candidate = min(candidates, key=lambda pair: rank(pair[0]))
            # Collecting pays for itself only on the best candidate of the round.
            found = min(found, *map(self._shown, collected_forms(candidate.expression)), key=rank)
            if measure(found) >= measure(best):
                break
            best, current = found, candidate
        return best

    def _shown(self, form: sympy.Expr) -> Expression:
        return tidied(self.bridge.from_sympy(form))

    def _rewritings(self, current: _State) -> Iterator[_State]:
        yield current
        for known, formula in current.relations:
            for atom in sorted(formula.free_symbols & current.expression.free_symbols, key=str):
                solution = _solve(known, formula, atom)
                if solution is not None and _substituted(current.expression, atom, solution) is not None:
                    yield current.with_atom(atom, solution)

    def _is_safe(self, candidate: sympy.Expr) -> bool:
        """Whether no denominator is new: a form must not be undefined where the expression is defined."""
        return _denominator_factors(candidate) <= self.denominators

    @cached_property
    def denominators(self) -> set[sympy.Expr]:
        """The irreducible factors below the stroke."""
        return _denominator_factors(self.start)


def _reductions_of(expression: Expression) -> dict[Expression, Expression]:
    return {canonical_bound_names(node): node for node in expression.walk() if isinstance(node, Reduction)}


def _spelled_alike(expression: Expression, spelled: Mapping[Expression, Expression]) -> Expression:
    """The expression with the bound names of those reductions that it has in common with `spelled`."""

    def spell(node: Expression) -> Expression:
        return spelled.get(canonical_bound_names(node), node) if isinstance(node, Reduction) else node

    return rewrite_bottom_up(expression, spell)


def _denominator_factors(expression: sympy.Expr) -> set[sympy.Expr]:
    _, denominator = sympy.fraction(sympy.cancel(expression))
    if denominator.is_number:
        return set()
    return {factor for factor, _ in sympy.factor_list(denominator)[1]}


def _solve(known: sympy.Expr, formula: sympy.Expr, atom: sympy.Symbol) -> sympy.Expr | None:
    """known = formula solved for an atom that stands in it to the first power."""
    if not is_small(formula):
        return None
    numerator, denominator = sympy.fraction(sympy.together(formula))
    polynomial = sympy.Poly(sympy.expand(numerator - known * denominator), atom)
    if polynomial.degree() != 1:
        return None
    slope, constant = polynomial.all_coeffs()
    return sympy.cancel(-constant / slope)


def forms(expression: sympy.Expr) -> Iterator[sympy.Expr]:
    """Equal forms: as it is, common factors in front, cancelled, factored."""
    yield expression
    if is_small(expression):
        yield sympy.factor_terms(sympy.expand(expression))
        cancelled = sympy.cancel(expression)
        yield cancelled
        yield sympy.factor(cancelled)


def collected_forms(expression: sympy.Expr) -> Iterator[sympy.Expr]:
    """Equal forms: the terms, and the sums among the factors, collected by each atom."""
    yield expression
    if not is_small(expression):
        return
    expanded, factored = sympy.expand(expression), sympy.factor(expression)
    for atom in sorted(expression.free_symbols, key=str):
        yield sympy.collect(expanded, atom, func=sympy.factor_terms)
        yield factored.replace(
            lambda part: part.is_Add,
            lambda part, atom=atom: sympy.collect(sympy.expand(part), atom, func=sympy.factor),
        )


def is_small(expression: sympy.Expr) -> bool:
    """Whether numerator and denominator, multiplied out, stay within what SymPy factors in no time."""
    return (
        len(expression.free_symbols) <= MOST_ATOMS
        and math.prod(_terms_multiplied_out(expression)) <= MOST_TERMS
    )


def _terms_multiplied_out(expression: sympy.Expr) -> tuple[int, int]:
    """At most how many terms the numerator and the denominator have over a common denominator."""
    if expression.is_Add:
        parts = [_terms_multiplied_out(term) for term in expression.args]
        below = math.prod(denominator for _, denominator in parts)
        return sum(numerator * (below // denominator) for numerator, denominator in parts), below
    if expression.is_Mul:
        parts = [_terms_multiplied_out(factor) for factor in expression.args]
        return math.prod(part[0] for part in parts), math.prod(part[1] for part in parts)
    if expression.is_Pow and expression.exp.is_Integer:
        numerator, denominator = _terms_multiplied_out(expression.base)
        size = min(abs(int(expression.exp)), MOST_TERMS)
        powers = min(numerator, MOST_TERMS) ** size, min(denominator, MOST_TERMS) ** size
        return powers if expression.exp.is_positive else powers[::-1]
    return 1, 1


def multiplied_out(expression: Expression) -> tuple[Expression, ...]:
    """The terms after multiplying out every product of sums; a single one where that is too much."""
    bridge = ScalarBridge()
    bridge.learn_roots(expression)
    translated = bridge.to_sympy(expression)
    return terms_of(bridge.from_sympy(sympy.expand(translated))) if is_small(translated) else (expression,)


def _is_difference(node: Add) -> bool:
    return any(coefficient_and_rest(term)[0] < 0 for term in node.terms)


def _is_number_less_something(node: Add) -> bool:
    """1 - z is already as a person writes it, z - 1 is not."""
    return any(isinstance(term, Number) and term.value > 0 for term in node.terms)


def tidied(expression: Expression) -> Expression:
    """Write it as a person would: 1 - z, z*(1 - z) for -z*(z - 1), g/s*(..) for 1/s*g*(..)."""

    def tidy(node: Expression) -> Expression:
        if isinstance(node, Add):
            return add(*positive_first(list(terms_of(add(*map(_without_parentheses, node.terms))))))
        if isinstance(node, Multiply):
            return reciprocals_last(_sign_inside(_turned_differences(node)))
        return readable(node) if isinstance(node, Where) else node

    return rewrite_values(expression, tidy)


def _without_parentheses(term: Expression) -> Expression:
    """-x - y for -(x + y), where it is added to something."""
    number, rest = coefficient_and_rest(term)
    is_sum = len(rest) == 1 and isinstance(rest[0], Add)
    return add(*map(negate, terms_of(rest[0]))) if number == -1 and is_sum else term


def _turned_differences(node: Expression) -> Expression:
    """(x - y)*(1 - z^2) for (y - x)*(z^2 - 1)."""
    factors = list(factors_of(node))
    less_number = [place for place, factor in enumerate(factors) if _is_something_less_number(factor)]
    others = [
        place
        for place, factor in enumerate(factors)
        if isinstance(factor, Add) and not any(isinstance(term, Number) for term in factor.terms)
    ]
    for pair in zip(less_number, others, strict=False):
        for place in pair:
            factors[place] = add(*positive_first(list(terms_of(negate(factors[place])))))
    return multiply(*factors) if less_number and others else node


def _is_something_less_number(factor: Expression) -> bool:
    return isinstance(factor, Add) and any(
        isinstance(term, Number) and term.value < 0 for term in factor.terms
    )


def _sign_inside(node: Expression) -> Expression:
    if coefficient_and_rest(node)[0] >= 0:
        return node
    factors = factors_of(node)
    for place, factor in enumerate(factors):
        flipped = _flipped(factor)
        if flipped is not None:
            return multiply(negate(multiply(*factors[:place])), flipped, *factors[place + 1 :])
    return node


def _flipped(factor: Expression) -> Expression | None:
    """The factor times -1, where a difference in it, or in the sum that it is, can take the sign."""
    if isinstance(factor, Add) and _is_difference(factor) and not _is_number_less_something(factor):
        return tidied(negate(factor))
    if isinstance(factor, Reduction) and factor.kind == "sum":
        body = multiply(MINUS_ONE, factor.body)
        flipped = _sign_inside(body) if isinstance(body, Multiply) else body
        return factor.with_children((flipped,)) if coefficient_and_rest(flipped)[0] > 0 else None
    return None
