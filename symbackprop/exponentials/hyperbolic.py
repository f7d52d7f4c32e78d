"""Hyperbolic functions and exp(f) - 1: written out, beside one another, in a logarithm, and scaled."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial, reduce

from symbackprop.exponentials.exponents import larger, largest
from symbackprop.exponentials.meanings import Meanings
from symbackprop.exponentials.scales import Scaled
from symbackprop.notation.arithmetic import add, coefficient_and_rest, multiply, negate, subtract, terms_of
from symbackprop.notation.expressions import (
    MINUS_ONE,
    ONE,
    ZERO,
    Apply,
    Comparison,
    Expression,
    Index,
    Number,
    Reduction,
    Where,
)
from symbackprop.notation.pairs import argument_of, joined_factors, joined_terms
from symbackprop.systems.partial import NOTHING_KNOWN

HALF = Number(Fraction(1, 2))
# exp(-40) is less than the rounding of 1 in float64.
FAR_BELOW = Number(-40)


def sum_of_opposites(node: Expression, _meanings: Meanings) -> Expression | None:
    """exp(f) + exp(-f) = 2*cosh(f); exp(f) - exp(-f) = 2*sinh(f)."""

    def joined_by(function: str, argument: Expression, other: Expression) -> Expression | None:
        if argument_of("exp", other) != negate(argument):
            return None
        return multiply(Number(2), Apply(function, (_positive(argument, function),)))

    return joined_terms(node, "exp", partial(joined_by, "cosh"), sign=1) or joined_terms(
        node, "exp", partial(joined_by, "sinh"), sign=-1
    )


def _positive(argument: Expression, function: str) -> Expression:
    """-f as f in an even function."""
    number, _ = coefficient_and_rest(argument)
    return negate(argument) if function == "cosh" and number < 0 else argument


def sinh_by_cosh(node: Expression, _meanings: Meanings) -> Expression | None:
    """sinh(f)/cosh(f) = tanh(f)."""

    def ratio(argument: Expression, other: Expression) -> Expression | None:
        is_partner = argument_of("cosh", other) in (argument, negate(argument))
        return Apply("tanh", (argument,)) if is_partner else None

    return joined_factors(node, "sinh", ratio, sign=-1)


def log_of_cosh(node: Expression, meanings: Meanings) -> Expression | None:
    """log(2*cosh(f)) = abs(f) + softplus(-2*abs(f)); log(cosh(f)) = abs(f) + log1p(expm1(-2*abs(f))/2)."""
    argument = argument_of("log", node)
    if argument is None:
        return None
    number, rest = coefficient_and_rest(meanings.of(argument))
    inner = argument_of("cosh", meanings.of(rest[0])) if len(rest) == 1 else None
    if inner is None:
        return None
    size = Apply("abs", (inner,))
    twice = multiply(Number(-2), size)
    if number == 2:
        return add(size, Apply("softplus", (twice,)))
    logarithm = Apply("log1p", (multiply(HALF, Apply("expm1", (twice,))),))
    return add(size, logarithm, *((Apply("log", (Number(number),)),) if number != 1 else ()))


def scaled_difference(node: Expression) -> Scaled | None:
    """exp(f) - 1 = exp(max(f, 0))*sign(f)*(1 - exp(-abs(f))), where f may be positive."""
    match node:
        case Apply("expm1", (argument,)) if not NOTHING_KNOWN.is_nonnegative(negate(argument)):
            size, sign = Apply("abs", (argument,)), Apply("sign", (argument,))
            value = multiply(MINUS_ONE, sign, Apply("expm1", (negate(size),)))
            return Scaled(Apply("max", (argument, ZERO)), value, is_shifted=True)
    return None


def scaled_hyperbolic(function: str, argument: Expression) -> Scaled:
    """cosh(f) = exp(|f|)*(1 + exp(-2*|f|))/2, sinh(f) = exp(|f|)*sign(f)*(1 - exp(-2*|f|))/2."""
    size = Apply("abs", (argument,))
    twice = multiply(Number(-2), size)
    if function == "cosh":
        return Scaled(size, multiply(HALF, add(ONE, Apply("exp", (twice,)))), is_shifted=True)
    sign = multiply(MINUS_ONE, HALF, Apply("sign", (argument,)))
    return Scaled(size, multiply(sign, Apply("expm1", (twice,))), is_shifted=True)


def scaled_softplus(argument: Expression) -> Scaled:
    """softplus(f) = exp(m)*where(f > -40, softplus(f)*exp(-m), 1), m = min(f, 0)."""
    shift = _up_to_0(argument)
    near = multiply(Apply("softplus", (argument,)), Apply("exp", (negate(shift),)))
    return Scaled(shift, Where(Comparison(">", argument, FAR_BELOW), near, ONE), is_shifted=True)


def scaled_complement(node: Expression) -> Scaled | None:
    """exp(-s) - 1 = -exp(m)*where(m > -40, (1 - exp(-s))*exp(-m), s*exp(-m)), m = max(i, min(f, 0)).

    Here s = sum(i, n*softplus(f)), with numbers n > 0: so far below 0, softplus(f) is exp(f), and s is what
    1 - exp(-s) is. Of n*exp(g)*softplus(f) it is min(g + min(f, 0), 0).
    """
    argument = argument_of("expm1", node)
    terms = [_softplus_term(negate(each)) for each in terms_of(argument)] if argument is not None else []
    known = [each for each in terms if each is not None]
    if not known or len(known) < len(terms):
        return None
    shift = reduce(larger, (each.exponent for each in known))
    near = multiply(MINUS_ONE, node, Apply("exp", (negate(shift),)))
    far = add(*(each.total_below(shift) for each in known))
    value = Where(Comparison(">", shift, FAR_BELOW), near, far)
    return Scaled(shift, negate(value), is_shifted=True)


@dataclass(frozen=True)
class _SoftplusTerm:
    """number*exp(beside)*softplus(argument), summed over indices where a condition holds.

    Without an argument the exponential alone.
    """

    number: Expression
    argument: Expression | None
    beside: Expression = ZERO
    indices: tuple[Index, ...] = ()
    condition: Expression | None = None

    @property
    def exponent(self) -> Expression:
        """The largest exponent, up to 0."""
        conditions = () if self.condition is None else (self.condition,)
        return largest(self.indices, self._below, conditions) if self.indices else self._below

    @property
    def _below(self) -> Expression:
        if self.argument is None:
            return _up_to_0(self.beside)
        below = add(self.beside, _up_to_0(self.argument))
        return below if self.beside == ZERO else _up_to_0(below)

    def total_below(self, shift: Expression) -> Expression:
        """The sum over exp(shift), where all exponents are far below 0."""
        beside = () if self._below == shift else (Apply("exp", (subtract(self._below, shift),)),)
        term = multiply(self.number, self._beside_shifted, *beside)
        term = term if self.condition is None else Where(self.condition, term, ZERO)
        if not self.indices:
            return term
        return Reduction("sum", self.indices, term)

    @property
    def _beside_shifted(self) -> Expression:
        """softplus(f)*exp(-min(f, 0)): 1, unless another exponential is what is small."""
        is_1 = self.argument is None or self.beside == ZERO
        return ONE if is_1 or self.argument is None else scaled_softplus(self.argument).value


def _up_to_0(exponent: Expression) -> Expression:
    return Apply("min", (exponent, ZERO))


def _softplus_term(term: Expression) -> _SoftplusTerm | None:
    number, rest = coefficient_and_rest(term)
    match rest:
        case (Apply("softplus", (argument,)),) if number > 0:
            return _SoftplusTerm(Number(number), argument)
        case (Apply("exp", (beside,)),) if number > 0:
            return _SoftplusTerm(Number(number), None, beside)
        case (Apply("exp", (beside,)), Apply("softplus", (argument,))) if number > 0:
            return _SoftplusTerm(Number(number), argument, beside)
        case (Reduction("sum", indices, Where(condition, body, otherwise)),) if otherwise == ZERO:
            return _summed(_softplus_term(multiply(Number(number), body)), indices, condition)
        case (Reduction("sum", indices, body),):
            return _summed(_softplus_term(multiply(Number(number), body)), indices)
    return None


def _summed(
    term: _SoftplusTerm | None, indices: tuple[Index, ...], condition: Expression | None = None
) -> _SoftplusTerm | None:
    is_plain = term is not None and not term.indices
    return replace(term, indices=indices, condition=condition) if term and is_plain else None
