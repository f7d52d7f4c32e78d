"""Quotients of polynomials in SymPy, within bounds on their size: substitutions, and equal forms."""

from __future__ import annotations

import math
from collections.abc import Iterator

import sympy

# Larger expressions are left as they are.
MOST_ATOMS = 12
MOST_TERMS = 64
MOST_MONOMIALS = 256
LARGEST_DEGREE = (
    12  # in any atom: (x + 1)*...*(x + 60) has few monomials, but no person would multiply it out
)


def denominator_factors(expression: sympy.Expr) -> set[sympy.Expr]:
    """The irreducible factors below the stroke, once everything is cancelled."""
    return _irreducible_factors(sympy.fraction(sympy.cancel(expression))[1])


def numerator_factors(expression: sympy.Expr) -> set[sympy.Expr]:
    """The irreducible factors above the stroke, once everything is cancelled."""
    return _irreducible_factors(sympy.fraction(sympy.cancel(expression))[0])


def _irreducible_factors(polynomial: sympy.Expr) -> set[sympy.Expr]:
    return set() if polynomial.is_number else {factor for factor, _ in sympy.factor_list(polynomial)[1]}


def solved_for(known: sympy.Expr, formula: sympy.Expr, atom: sympy.Symbol) -> sympy.Expr | None:
    """known = formula solved for an atom that stands in it to the first power.

    s*a + c = 0 says that a is -c/s where s is not 0. If s and c have no factor in common, an expression with
    -c/s in the place of a, whose denominator has no factor of s, is the same for s = 0 as well: its numerator
    has changed by a multiple of s*a + c (Gauss's lemma). A factor in common may be 0, and the atom anything:
    a = a*f says neither that a is 0 nor that f is 1.
    """
    if not is_small(formula):
        return None
    numerator, denominator = sympy.fraction(sympy.cancel(formula))
    polynomial = sympy.Poly(sympy.expand(numerator - known * denominator), atom)
    if polynomial.degree() != 1:
        return None
    slope, constant = polynomial.all_coeffs()
    if not sympy.gcd(slope, constant).is_number:
        return None
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
