"""Quotients of polynomials in SymPy, within bounds on their size: substitutions, and equal forms."""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from functools import lru_cache

from symbackprop.deferred_imports import sympy
from symbackprop.polynomials.factors import (
    as_product,
    forget_polynomials,
    irreducible_factors,
    root_of_linear,
)
from symbackprop.polynomials.quotient import MOST_REMEMBERED, quotient, quotients

# Larger expressions are left as they are.
MOST_ATOMS = 12
MOST_TERMS = 64
MOST_MONOMIALS = 256
LARGEST_DEGREE = (
    12  # in any atom: (x + 1)*...*(x + 60) has few monomials, but no person would multiply it out
)


def cancelled(expression: sympy.Expr) -> sympy.Expr:
    """Over one denominator, without common factors."""
    return quotient(expression).expression


@lru_cache(MOST_REMEMBERED)
def multiplied(expression: sympy.Expr) -> sympy.Expr:
    """Multiplied out."""
    return sympy.expand(expression)


@lru_cache(MOST_REMEMBERED)
def factored(expression: sympy.Expr) -> sympy.Expr:
    """As a product of irreducible factors."""
    return as_product(expression) if expression.has(sympy.Add) else expression


@lru_cache(MOST_REMEMBERED)
def common_factors_out(expression: sympy.Expr) -> sympy.Expr:
    """With common factors in front."""
    return sympy.factor_terms(expression) if expression.has(sympy.Add) else expression


def denominator_factors(expression: sympy.Expr) -> frozenset[sympy.Expr]:
    """The irreducible factors of the denominator, once everything is cancelled."""
    return irreducible_factors(quotient(expression).denominator)


def numerator_factors(expression: sympy.Expr) -> frozenset[sympy.Expr]:
    """The irreducible factors of the numerator, once everything is cancelled."""
    return irreducible_factors(quotient(expression).numerator)


def forget_quotients() -> None:
    """Empty the memory of what SymPy has worked out."""
    forget_polynomials()
    remembered = (multiplied, factored, common_factors_out, conjugates_joined, is_small)
    for each in (*remembered, _over_common_denominator):
        each.cache_clear()


def solved_for(known: sympy.Expr, formula: sympy.Expr, atom: sympy.Symbol) -> sympy.Expr | None:
    """known = formula solved for an atom that stands in it to the first power.

    s*a + c = 0 says that a is -c/s where s is not 0. If s and c have no factor in common, an expression with
    -c/s in the place of a, whose denominator has no factor of s, is the same for s = 0 as well: its numerator
    has changed by a multiple of s*a + c (Gauss's lemma). A factor in common may be 0, and the atom anything:
    a = a*f says neither that a is 0 nor that f is 1.
    """
    if not is_small(formula):
        return None
    value, named = quotients((formula, known))
    difference = value.numerator * named.denominator - named.numerator * value.denominator
    solution = root_of_linear(difference, atom)
    return None if solution is None else solution.expression


def forms(expression: sympy.Expr) -> Iterator[sympy.Expr]:
    """Equal forms: as it is, common factors in front, cancelled, factored, and with 1 - z^2 as a factor.

    Where some terms are quotients, those over one denominator too, beside the others.
    """
    yield expression
    if not is_small(expression):
        return
    yield common_factors_out(multiplied(expression))
    yield cancelled(expression)
    yield _quotients_together(expression)
    product = factored(cancelled(expression))
    yield product
    joined = conjugates_joined(product)
    if joined != product:
        yield joined


def _quotients_together(expression: sympy.Expr) -> sympy.Expr:
    """The quotients among the terms over one denominator: (a - b)/s + log(c) for a/s + log(c) - b/s."""
    terms = sympy.Add.make_args(expression)
    quotients = [term for term in terms if _over_common_denominator(term)[1]]
    others = [term for term in terms if not _over_common_denominator(term)[1]]
    return sympy.Add(cancelled(sympy.Add(*quotients)), *others)


@lru_cache(MOST_REMEMBERED)
def conjugates_joined(product: sympy.Expr) -> sympy.Expr:
    """(a + b)*(a - b) as a^2 - b^2."""
    factors = list(sympy.Mul.make_args(product))
    sums = [factor for factor in factors if factor.is_Add and len(factor.args) == 2]
    for first, second in itertools.combinations(sums, 2):
        half, other = (first + second) / 2, (first - second) / 2
        if not (half.is_Add or other.is_Add):
            factors.remove(first)
            factors.remove(second)
            return conjugates_joined(sympy.Mul(*factors, half**2 - other**2))
    return product


def collected_forms(expression: sympy.Expr) -> Iterator[sympy.Expr]:
    """Equal forms: the terms, and the sums among the factors, collected by each atom."""
    yield expression
    if not is_small(expression):
        return
    expanded, product = multiplied(expression), factored(expression)
    for atom in sorted(expression.free_symbols, key=str):
        yield collected(expanded, atom, common_factors_out)
        yield product.replace(
            lambda part: part.is_Add,
            lambda part, atom=atom: collected(multiplied(part), atom, _factored_in_pairs),
        )


def _factored_in_pairs(expression: sympy.Expr) -> sympy.Expr:
    """As a product, with 1 - z^2 as one factor."""
    return conjugates_joined(factored(expression))


def collected(
    expression: sympy.Expr, atom: sympy.Symbol, write: Callable[[sympy.Expr], sympy.Expr]
) -> sympy.Expr:
    """A sum collected by the powers of an atom, each coefficient written in that way.

    The same as `sympy.collect`, which sees to much that a sum of monomials has no need of.
    """
    terms = sympy.Add.make_args(expression)
    if not all(map(_is_monomial, terms)):
        return sympy.collect(expression, atom, func=write)
    coefficients: dict[sympy.Expr, list[sympy.Expr]] = defaultdict(list)
    for term in terms:
        coefficient, power = term.as_independent(atom, as_Add=False)
        coefficients[power].append(coefficient)
    return sympy.Add(*[power * write(sympy.Add(*each)) for power, each in coefficients.items()])


def _is_monomial(term: sympy.Expr) -> bool:
    """Whether it is a product of numbers and of powers of symbols."""
    return all(factor.is_Number or factor.as_base_exp()[0].is_Symbol for factor in sympy.Mul.make_args(term))


@lru_cache(MOST_REMEMBERED)
def is_small(expression: sympy.Expr) -> bool:
    """Whether numerator and denominator, multiplied out, stay within what SymPy factors in no time."""
    if len(expression.free_symbols) > MOST_ATOMS:
        return False
    if math.prod(_terms_multiplied_out(expression)) <= MOST_TERMS:
        return True
    degrees = [_degrees(expression, atom) for atom in expression.free_symbols]
    # At most how many monomials of these degrees the numerator and the denominator can have.
    monomials = math.prod((above + 1) * (below + 1) for above, below in degrees)
    return monomials <= MOST_MONOMIALS and max(map(max, degrees), default=0) <= LARGEST_DEGREE


def _degrees(expression: sympy.Expr, atom: sympy.Symbol) -> tuple[int, int]:
    """At most which degrees in an atom the numerator and the denominator have, over a common denominator."""
    if expression == atom:
        return 1, 0
    if expression.is_Add or expression.is_Mul:
        parts = [_degrees(part, atom) for part in expression.args]
        below = sum(denominator for _, denominator in parts)
        if expression.is_Mul:
            return sum(numerator for numerator, _ in parts), below
        return max(numerator + below - denominator for numerator, denominator in parts), below
    if expression.is_Pow and expression.exp.is_Integer:
        numerator, denominator = _degrees(expression.base, atom)
        size = abs(int(expression.exp))
        powers = numerator * size, denominator * size
        return powers if expression.exp.is_positive else powers[::-1]
    return 0, 0


def work_on(expression: sympy.Expr) -> int:
    """What working on a quotient costs: the terms of numerator and denominator, for each atom.

    SymPy takes some 0.3 ms a unit, for large and for small ones.
    """
    terms = sum(min(each, MOST_TERMS) for each in _terms_multiplied_out(expression))
    return terms * len(expression.free_symbols)


def _terms_multiplied_out(expression: sympy.Expr) -> tuple[int, int]:
    """At most how many terms the numerator and the denominator have over the least common denominator."""
    above, below = _over_common_denominator(expression)
    return above, _terms_of_powers(below)


@lru_cache(MOST_REMEMBERED)
def _over_common_denominator(expression: sympy.Expr) -> tuple[int, Counter[sympy.Expr]]:
    """At most how many terms the numerator has, and the powers of sums and symbols in the denominator."""
    if expression.is_Add:
        parts = [_over_common_denominator(term) for term in expression.args]
        common: Counter[sympy.Expr] = Counter()
        for _, below in parts:
            common |= below
        return sum(above * _terms_of_powers(common - below) for above, below in parts), common
    if expression.is_Mul:
        parts = [_over_common_denominator(factor) for factor in expression.args]
        below = sum((each for _, each in parts), Counter())
        factors = Counter(factor for factor in expression.args if factor in below)
        above = math.prod(above for above, _ in parts) // _terms_of_powers(factors)
        return above, below - factors
    if expression.is_Pow and expression.exp.is_Integer:
        above, below = _over_common_denominator(expression.base)
        size = abs(int(expression.exp))
        if expression.exp.is_positive:
            return _terms_of_power(above, size), Counter({each: size * below[each] for each in below})
        return _terms_of_power(_terms_of_powers(below), size), Counter({expression.base: size})
    return 1, Counter()


def _terms_of_powers(powers: Counter[sympy.Expr]) -> int:
    """At most how many terms the product of powers has, of each the numerator alone."""
    return math.prod(
        _terms_of_power(_over_common_denominator(base)[0], exponent) for base, exponent in powers.items()
    )


def _terms_of_power(terms: int, exponent: int) -> int:
    """How many products of that many of the terms there are, whatever their order."""
    size = min(exponent, MOST_TERMS)
    return math.comb(min(terms, MOST_TERMS) + size - 1, size)


def with_solution(expression: sympy.Expr, atom: sympy.Symbol, solution: sympy.Expr) -> sympy.Expr:
    """The expression with a solution in an atom's place, over one denominator unless that is too large."""
    replaced = substituted(expression, atom, solution)
    return expression.xreplace({atom: solution}) if replaced is None else replaced


def substituted(expression: sympy.Expr, atom: sympy.Symbol, solution: sympy.Expr) -> sympy.Expr | None:
    """The expression with a solution in an atom's place, over one denominator; None where that is too large.

    P(a)/Q(a) at a = n/d is (d^k*P(n/d))/(d^k*Q(n/d)), k the higher degree, two polynomials in n and d.
    """
    replaced = expression.xreplace({atom: solution})
    if is_small(replaced):
        return cancelled(replaced)
    if not is_small(expression):
        return None
    polynomials = [sympy.Poly(part, atom) for part in sympy.fraction(cancelled(expression))]
    above, below = sympy.fraction(solution)
    degree = max(polynomial.degree() for polynomial in polynomials)
    parts = [
        [(coefficient, above**power * below ** (degree - power)) for (power,), coefficient in each.terms()]
        for each in polynomials
    ]
    if math.prod(sum(_terms_of_product(*pair) for pair in part) for part in parts) > MOST_TERMS:
        return None
    numerator, denominator = (sum(a * b for a, b in part) for part in parts)
    return cancelled(numerator / denominator)


def _terms_of_product(*factors: sympy.Expr) -> int:
    return math.prod(len(sympy.Add.make_args(multiplied(factor))) for factor in factors)
