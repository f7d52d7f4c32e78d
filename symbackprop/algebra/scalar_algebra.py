"""The bridge to SymPy: scalar expressions as rational functions of symbols, and back.

Everything that is not a rational combination (a tensor's element, a sum, exp(u), a root) becomes a plain
symbol, an atom; exp(2*u) and exp(-u) are powers of one atom, and so are x^(1/2) and x^(3/2). SymPy never sees
a name of the user's: the atoms are called a0, a1, ... in order of appearance.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction

from symbackprop.deferred_imports import sympy
from symbackprop.errors import DerivationError
from symbackprop.functions.table import FUNCTIONS
from symbackprop.languages.phrases import worded
from symbackprop.notation.arithmetic import (
    add,
    coefficient_and_rest,
    is_root,
    is_sum,
    multiply,
    negate,
    power,
    terms_of,
)
from symbackprop.notation.expressions import (
    Add,
    Apply,
    Constant,
    Expression,
    Multiply,
    Number,
    Power,
    Size,
)
from symbackprop.notation.substitution import canonical_bound_names, rewrite_bottom_up
from symbackprop.polynomials.quotient import quotient
from symbackprop.polynomials.substitutions import brings_in_difference, squares_a_divisor

LARGEST_DEGREE = 32
LARGEST_NUMBER = 10**30
LARGEST_DENOMINATOR = 64


class ScalarBridge:
    """Translates expressions to SymPy and back, remembering which symbol stands for which atom.

    What SymPy would multiply out for ever is an atom too: a power above LARGEST_DEGREE, and a number above
    LARGEST_NUMBER. So is a decimal like 0.044715, or p + 0.001 would become 1/1000*(1000*p + 1), and every
    sum in `closed`, which stands for what it shall be written as.
    """

    def __init__(self, closed: Mapping[Expression, Expression] | None = None) -> None:
        self._closed = {**(closed or {})}
        self._symbols: dict[Expression, sympy.Symbol] = {}
        self._read: dict[sympy.Expr, Expression] = {}  # what symbols stand for, and what is made of them
        self._roots: dict[Expression, int] = {}
        self._units: dict[Expression, Fraction] = {}

    def learn_roots(self, *expressions: Expression) -> None:
        """Note every x^(p/q), so that x itself is translated as the q-th power of its root."""
        for expression in expressions:
            for node in expression.walk():
                if isinstance(node, Power) and isinstance(node.exponent, Number):
                    denominator = node.exponent.value.denominator
                    if 1 < denominator <= LARGEST_DEGREE and not isinstance(node.base, Number):
                        common = math.lcm(self._roots.get(node.base, 1), denominator)
                        if common <= LARGEST_DEGREE:
                            self._roots[node.base] = common

    def learn_exponentials(self, *expressions: Expression) -> None:
        """Note the multiples of each exponent, so that e^(2*u) is no square where e^u does not occur."""
        self._units = units_of_exponents(expressions)

    def symbol(self, atom: Expression) -> sympy.Symbol:
        """The symbol that stands for an atom; the names of bound indices make no difference."""
        key = canonical_bound_names(atom)
        if key not in self._symbols:
            symbol = sympy.Symbol(f"a{len(self._symbols)}")
            self._symbols[key] = symbol
            self._read[symbol] = atom
        return self._symbols[key]

    def is_number(self, symbol: sympy.Symbol) -> bool:
        """Whether the atom is a number, or a sum of numbers."""
        return all(isinstance(each, Number) for each in terms_of(self._read[symbol]))

    def decimals_in(self, form: sympy.Expr) -> frozenset[sympy.Symbol]:
        """The numbers that are symbols."""
        return frozenset(filter(self.is_number, form.free_symbols))

    def multiplies_decimals(self, form: sympy.Expr) -> bool:
        """Whether two numbers stand in one product: 0.7978845608*(1 + 0.134145*u^2) is to stay as typed.

        So is 0.1*a + 0.002*b, which is no 0.1*(a + 10*0.002*b), and u*(4 + x + 1e-9), no u*4.000000001 + u*x.
        """
        decimals = self.decimals_in(form)
        apart = frozenset(symbol for symbol in decimals if isinstance(self._read[symbol], Add))
        return bool(decimals) and any(
            _is_multiplied_out(product, decimals, apart) for product in form.atoms(sympy.Mul)
        )

    def takes_off_a_decimal(self, solution: sympy.Expr) -> bool:
        """Whether a decimal is subtracted: with k = 1/(x + 1e-8), x is no 1/k - 1e-8 where x is small."""
        return any(
            any(term.could_extract_minus_sign() for term in total.args)
            and not all(term.could_extract_minus_sign() for term in total.args)
            and bool(self.decimals_in(total))
            for total in solution.atoms(sympy.Add)
        )

    def is_left_alone(
        self, atom: sympy.Symbol, solution: sympy.Expr, replaced: sympy.Expr, before: sympy.Expr
    ) -> bool:
        """Whether a solution in an atom's place gives what no person would write, or what loses digits."""
        roots = [each for each in before.free_symbols if is_root(self._read[each])]
        return (
            brings_in_difference(solution, replaced, before)
            or squares_a_divisor(roots, replaced, before)
            or self._undoes_a_mean(atom, solution, replaced, before)
        )

    def _undoes_a_mean(
        self, atom: sympy.Symbol, solution: sympy.Expr, replaced: sympy.Expr, before: sympy.Expr
    ) -> bool:
        """Whether a size comes in above: with d = x/size(n), x is no size(n)*d; sum(n, x) is size(n)*m."""
        sizes = {each for each in solution.free_symbols if isinstance(self._read[each], Size)}
        if not sizes or is_sum(self._read[atom]):
            return False
        above, known = (quotient(each).numerator.as_expr().free_symbols for each in (replaced, before))
        return not sizes.isdisjoint(above - known)

    def to_sympy(self, expression: Expression) -> sympy.Expr:
        """The expression as a rational function of symbols."""
        if expression in self._roots:
            return self._root(expression, Fraction(1))
        if isinstance(expression, Add) and self._closed:
            for each, sign in ((expression, 1), (negate(expression), -1)):
                if each in self._closed:
                    return sign * self.symbol(self._closed[each])
        match expression:
            case Number(value) if (
                abs(value.numerator) <= LARGEST_NUMBER and value.denominator <= LARGEST_DENOMINATOR
            ):
                return sympy.Rational(value.numerator, value.denominator)
            case Add(terms):
                return sympy.Add(*self._terms(terms))
            case Multiply(factors):
                return sympy.Mul(*[self.to_sympy(factor) for factor in factors])
            case Power(base, Number(exponent)) if self._degree(base, exponent) <= LARGEST_DEGREE:
                return self._power(base, exponent)
            case Apply("exp", (argument,)):
                number, rest = coefficient_and_rest(argument)
                unit = self._units.get(canonical_bound_names(multiply(*rest)), Fraction(1))
                times = number / unit
                if rest and times.denominator == 1:
                    if abs(times) <= LARGEST_DEGREE:
                        return self._exponential(multiply(Number(unit), *rest), int(times))
                    return self._exponential(multiply(Number(abs(number)), *rest), 1 if number > 0 else -1)
        return self.symbol(expression)

    def _terms(self, terms: tuple[Expression, ...]) -> Iterator[sympy.Expr]:
        """The terms of a sum; several numbers, which are not to be folded, are one atom."""
        numbers = tuple([each for each in terms if isinstance(each, Number)])
        if len(numbers) > 1:
            yield self.symbol(Add(numbers))
        yield from (self.to_sympy(term) for term in terms if len(numbers) < 2 or term not in numbers)

    def _exponential(self, argument: Expression, number: int) -> sympy.Expr:
        """e^(n*u), as a power of e^u or, for a sum u, of whichever of e^u and e^-u has been met first."""
        opposite = negate(argument)
        if isinstance(argument, Add) and canonical_bound_names(Apply("exp", (opposite,))) in self._symbols:
            argument, number = opposite, -number
        return self.symbol(Apply("exp", (argument,))) ** number

    def _degree(self, base: Expression, exponent: Fraction) -> Fraction | int:
        """The degree, in the root of the base, of the polynomial or quotient that a power becomes."""
        return abs(exponent * self._roots.get(base, 1)).numerator

    def _power(self, base: Expression, exponent: Fraction) -> sympy.Expr:
        if base in self._roots:
            return self._root(base, exponent)
        if exponent.denominator == 1:
            translated = self.to_sympy(base)
            if translated == 0 and exponent < 0:
                return self.symbol(Power(base, Number(exponent)))  # a division by 0 is not for SymPy
            return translated ** int(exponent)
        # The root of a number is an atom too: SymPy must not start computing with it.
        root = self.symbol(Power(base, Number(Fraction(1, exponent.denominator))))
        return root**exponent.numerator

    def _root(self, base: Expression, exponent: Fraction) -> sympy.Expr:
        root = self.symbol(Power(base, Number(Fraction(1, self._roots[base]))))
        return root ** int(exponent * self._roots[base])

    def from_sympy(self, expression: sympy.Expr) -> Expression:
        """The SymPy expression in our notation, positive terms first, powers of e^u as e^(n*u)."""
        return rewrite_bottom_up(from_sympy(expression, self._read), _exponential)


def units_of_exponents(expressions: Iterable[Expression]) -> dict[Expression, Fraction]:
    """By each u the number c such that every e^(n*u) is a whole power of e^(c*u); 1 of 2*u beside 3/2*u."""
    numbers: dict[Expression, set[Fraction]] = {}
    for node in (node for expression in expressions for node in expression.walk()):
        match node:
            case Apply("exp", (argument,)):
                number, rest = coefficient_and_rest(argument)
                if number:
                    numbers.setdefault(canonical_bound_names(multiply(*rest)), set()).add(abs(number))
    return {exponent: _unit(found) for exponent, found in numbers.items()}


def _unit(numbers: set[Fraction]) -> Fraction:
    if len(numbers) == 1:
        return next(iter(numbers))
    are_whole = all(number.denominator == 1 for number in numbers)
    return Fraction(math.gcd(*(number.numerator for number in numbers))) if are_whole else Fraction(1)


def _is_multiplied_out(
    product: sympy.Mul, decimals: frozenset[sympy.Symbol], apart: frozenset[sympy.Symbol]
) -> bool:
    """Whether a decimal stands beside a number, or numbers that are apart beside anything else."""
    bases = [factor.as_base_exp()[0] for factor in product.args]
    if not apart.isdisjoint(bases):
        return sum(not each.is_Number for each in product.args) > 1
    numbers = [each for each in bases if each in decimals or (each.is_Number and abs(each) != 1)]
    return len(numbers) > 1 and not decimals.isdisjoint(bases)


def _exponential(node: Expression) -> Expression:
    match node:
        case Power(Apply("exp", (argument,)), Number() as exponent):
            return Apply("exp", (multiply(exponent, argument),))
    return node


# SymPy's class and the numbers before its argument to our function.
_FROM_SYMPY = {
    (function.sympy.name, *map(Number, function.sympy.orders)): function.name
    for function in FUNCTIONS.values()
    if function.sympy is not None
}


def from_sympy(expression: sympy.Expr, known: dict[sympy.Expr, Expression]) -> Expression:
    """A SymPy expression in our notation. Raises DerivationError for what the language has no word for.

    All its symbols are `known`; so is from now on what it is made of.
    """
    if expression not in known:
        known[expression] = _read(expression, known)
    return known[expression]


def _read(expression: sympy.Expr, known: dict[sympy.Expr, Expression]) -> Expression:
    if expression.is_Rational:
        return Number(Fraction(int(expression.p), int(expression.q)))
    if expression is sympy.pi:
        return Constant("pi")
    if expression.is_Add:
        ordered = [from_sympy(term, known) for term in expression.as_ordered_terms()]
        return add(*positive_first(ordered))
    if expression.is_Mul:
        factors = [from_sympy(factor, known) for factor in expression.as_ordered_factors()]
        return _multiple(factors) or multiply(*factors)
    arguments = [from_sympy(argument, known) for argument in expression.args]
    if expression.is_Pow:
        return power(*arguments)
    name = type(expression).__name__
    if name == "DiracDelta":
        # The derivative of sign: 0 by convention, at 0 too.
        return Number(0)
    function = _FROM_SYMPY.get((name, *arguments[:-1]))
    if function is not None:
        return Apply(function, (arguments[-1],))
    raise DerivationError(
        worded("the derivative contains {name}, which the model language has no function for", name=name),
        remedy=worded("write the function out with functions whose derivatives exist"),
    )


def _multiple(factors: list[Expression]) -> Expression | None:
    """2*(4 + 1e-9) = 8 + 2e-9, of numbers that are not to be folded."""
    match factors:
        case [Number() as number, Add(terms)] if all(isinstance(term, Number) for term in terms):
            return Add(tuple([multiply(number, term) for term in terms]))
    return None


def positive_first(terms: list[Expression]) -> list[Expression]:
    """Terms with a plus before terms with a minus, otherwise in their order: 1 - z, not -z + 1."""
    return sorted(terms, key=lambda term: coefficient_and_rest(term)[0] < 0)
