"""What is squared in a sum of squares: each of it is 0 where the sum is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product, takewhile

from symbackprop.exponentials.exponents import instances, is_instance
from symbackprop.exponentials.meanings import Meanings
from symbackprop.exponentials.product_guards import is_never_zero
from symbackprop.notation.arithmetic import (
    base_and_exponent,
    coefficient_and_rest,
    factors_of,
    is_reciprocal,
    multiply,
    negate,
    normalised,
)
from symbackprop.notation.expressions import (
    ONE,
    ZERO,
    Add,
    Apply,
    Comparison,
    Expression,
    Index,
    Multiply,
    Number,
    Power,
    Reduction,
    Size,
    Where,
)
from symbackprop.notation.pairs import as_power
from symbackprop.notation.substitution import canonical_bound_names, rewrite_bottom_up
from symbackprop.rules.compared_values import positive_part
from symbackprop.systems.partial import NOTHING_KNOWN

HALF = Number(Fraction(1, 2))


@dataclass(frozen=True)
class Square:
    """What is squared under a sum over `indices`, a product of `bases`: it is 0 where the sum is.

    Or raised to another even power, or a power of its magnitude, of which `degree` is the exponent.
    """

    bases: tuple[Expression, ...]
    indices: tuple[Index, ...] = ()
    degree: Fraction = Fraction(2)

    @property
    def order(self) -> Fraction:
        """To which power of the sum it grows near 0."""
        return 1 / self.degree

    @property
    def base(self) -> Expression:
        """The product, with the names of bound indices that all equal expressions have."""
        return canonical_bound_names(multiply(*self.bases))

    def is_in(self, product: Expression) -> bool:
        """Whether it, or its negative, stands among the factors of a product, at some place of the sum."""
        sides = [canonical_bound_names(each) for each in (product, negate(product))]
        if any(is_instance(each, self.base, self.indices) for each in sides):
            return True
        bases = {as_power(each)[0] for each in _unmasked(sides[0]) if as_power(each)[1] > 0}
        found = instances(self.base, self.indices, sides[0])
        return any(bases.issuperset(_unmasked(each)) for base in found for each in _by_mask(base))


def _by_mask(product: Expression) -> Iterator[Expression]:
    """The product; with f*where(f <= 0, 1, 0), < as well, or -f for a factor min(f, 0); likewise max."""
    yield product
    for factor in factors_of(product):
        match factor:
            case Apply("min" | "max" as function, (part, zero)) | Apply(
                "min" | "max" as function, (zero, part)
            ):
                if zero == ZERO:
                    others = [each for each in factors_of(product) if each != factor and each.tensors]
                    for operator in ("<=", "<") if function == "min" else (">=", ">"):
                        mask = Where(Comparison(operator, part, ZERO), ONE, ZERO)
                        yield multiply(*others, mask, part)
                        yield multiply(*others, mask, negate(part))


def _unmasked(product: Expression) -> Iterator[Expression]:
    """The factors of a product, masks apart: where(c, f, 0) is where(c, 1, 0)*f."""
    for factor in factors_of(product):
        if isinstance(factor, Where) and factor.otherwise == ZERO and factor.chosen != ONE:
            yield Where(factor.condition, ONE, ZERO)
            yield from _unmasked(factor.chosen)
        else:
            yield _without_sign(factor)


def root_of_square(node: Expression, meanings: Meanings) -> Expression | None:
    """sqrt(f^2) = abs(f)."""
    if not isinstance(node, Power) or node.exponent != HALF:
        return None
    base, exponent = as_power(normalised(meanings.of(node.base)))  # f*f is f^2
    return Apply("abs", (base,)) if exponent == 2 else None


def collected(node: Expression) -> Expression:
    """f*f as f^2, as it may stand in another place."""
    return normalised(node) if isinstance(node, Multiply) else node


def squares_in(radicand: Expression, meanings: Meanings) -> tuple[Square, ...]:
    """What is squared in a sum of squares, which may have positive factors; () for anything else."""
    meant, meanings = meanings.opened(radicand)
    match meant:
        case Power(base, Number(exponent)) if _has_minimum(base, exponent):
            return (Square((_without_reciprocals(_without_sign(base)),), degree=exponent),)
        case Multiply(factors):
            if collected(meant) != meant:
                return squares_in(collected(meant), meanings)
            factors = tuple([each for each in factors if not _is_positive(each)])
            parts = _all_squares(factors, meanings)
            is_alike = len({each.degree for part in parts for each in part}) == 1
            return tuple([_times(chosen) for chosen in product(*parts)]) if is_alike else ()
        case Where(condition, chosen, otherwise) if otherwise == ZERO:
            inner = squares_in(chosen, meanings)
            return tuple([replace(each, bases=(Where(condition, each.base, ZERO),)) for each in inner])
        case Reduction("sum", indices, body):
            inner = squares_in(body, meanings)
            return tuple([replace(each, indices=(*indices, *each.indices)) for each in inner])
        case Add(terms):
            return tuple([each for part in _all_squares(terms, meanings) for each in part])
    return ()


def _all_squares(parts: Sequence[Expression], meanings: Meanings) -> list[tuple[Square, ...]]:
    """What is squared in each of the parts; nothing where one has no squares.

    None is looked at behind the first of these: behind names a sum goes on through all layers of a network.
    """
    found = list(takewhile(bool, (squares_in(part, meanings) for part in parts)))
    return found if len(found) == len(parts) else []


@dataclass(frozen=True)
class Magnitude:
    """A factor abs(base)^exponent of a radicand, which is 0 where its base is."""

    base: Expression
    exponent: Fraction

    def order_in(self, factors: Sequence[Expression]) -> Fraction:
        """To which power the base stands among the factors of a product."""
        found = Fraction(0)
        for factor in _unmasked(multiply(*factors)):
            base, exponent = base_and_exponent(factor)
            base = base.arguments[0] if isinstance(base, Apply) and base.function == "abs" else base
            if base in (self.base, negate(self.base)) and isinstance(exponent, Number):
                found += exponent.value
        return found

    def is_positive_where(self, conditions: Iterable[Expression], meanings: Meanings) -> bool:
        """Whether one of these is f > 0, and the base is max(0, f)."""
        part = positive_part(meanings.of(self.base))
        return part is not None and Comparison(">", part, ZERO) in conditions


def magnitudes_in(radicand: Expression, meanings: Meanings) -> tuple[Magnitude, ...]:
    """The factors of a product that is nowhere negative, positive ones left out; () for anything else."""
    found: list[Magnitude] = []
    for factor in factors_of(meanings.of(radicand)):
        base, exponent = base_and_exponent(factor)
        if _is_positive(factor):
            continue
        if not isinstance(exponent, Number) or exponent.value <= 0:
            return ()
        if not (_has_minimum(base, exponent.value) or NOTHING_KNOWN.is_nonnegative(meanings.of(base))):
            return ()
        is_magnitude = isinstance(base, Apply) and base.function == "abs"
        found.append(Magnitude(base.children[0] if is_magnitude else base, exponent.value))
    return tuple(found)


def _without_sign(base: Expression) -> Expression:
    """f of abs(f), which is 0 where abs(f) is."""
    match base:
        case Apply("abs", (argument,)):
            return argument
        case _:
            return base


def _without_reciprocals(base: Expression) -> Expression:
    """f of 3*f/g, which is 0 where f/g is."""
    return multiply(
        *(each for each in factors_of(base) if not (is_reciprocal(each) or isinstance(each, Number)))
    )


def _times(squares: Sequence[Square]) -> Square:
    """What is squared in one term of a product of sums of squares."""
    return Square(
        tuple([base for each in squares for base in each.bases]),
        tuple([index for each in squares for index in each.indices]),
        squares[0].degree,
    )


def _has_minimum(base: Expression, exponent: Fraction) -> bool:
    """Whether the power is 0 where its base is, and positive elsewhere."""
    is_magnitude = isinstance(base, Apply) and base.function == "abs"
    return (exponent > 0 and exponent.numerator % 2 == 0) or (exponent > 1 and is_magnitude)


def _is_positive(factor: Expression) -> bool:
    if isinstance(factor, Power) and isinstance(factor.exponent, Number):
        exponent = factor.exponent.value
        return (exponent < 0 and exponent % 2 == 0) or NOTHING_KNOWN.is_positive(factor)
    return NOTHING_KNOWN.is_positive(factor) or (isinstance(factor, Apply) and is_never_zero(factor))


@dataclass(frozen=True)
class Root:
    """radicand^exponent, as `base` to some power spells it; times -1 where it `is_negative`."""

    base: Expression
    radicand: Expression
    exponent: Fraction
    is_negative: bool = False


def divides(factor: Expression) -> bool:
    """Whether it is a reciprocal, or what a condition lets through is one."""
    if isinstance(factor, Where) and factor.otherwise == ZERO:
        return any(map(divides, factors_of(factor.chosen)))
    return is_reciprocal(factor)


def roots_below(factor: Expression, meanings: Meanings) -> Iterator[Root]:
    """The roots of which the factor, or what a condition lets through, has the reciprocal."""
    if not (divides(factor) and factor.tensors):
        return
    if isinstance(factor, Where):
        for each in factors_of(factor.chosen):
            yield from roots_below(each, meanings)
    elif (root := root_of(factor, meanings)) is not None:
        yield root


def root_of(factor: Expression, meanings: Meanings) -> Root | None:
    """The power of a radicand that a factor is; of s + c*sqrt(s), c > 0, the least: both are 0 at once."""
    base, exponent = base_and_exponent(factor)
    if not isinstance(exponent, Number):
        return None
    total, radicand = exponent.value, meanings.of(base)
    is_negative = total.denominator == 1 and coefficient_and_rest(radicand)[0] < 0
    radicand = _without_positive(negate(radicand) if is_negative else radicand)
    while isinstance(radicand, Power) and isinstance(radicand.exponent, Number):
        if radicand.exponent.value.denominator == 1:
            break
        total *= radicand.exponent.value
        radicand = _without_positive(meanings.of(radicand.base))
    least = _least_power(radicand, meanings) if isinstance(radicand, Add) else None
    if least is not None:
        return Root(base, least.radicand, least.exponent * total, is_negative)
    return Root(base, canonical_bound_names(rewrite_bottom_up(radicand, collected)), total, is_negative)


def _least_power(total: Add, meanings: Meanings) -> Root | None:
    """The least of the powers of one radicand, each times something positive, that a sum consists of."""
    powers = takewhile(bool, (_power_in(term, meanings) for term in total.terms))
    known = [each for each in powers if each is not None]
    if len(known) < len(total.terms) or len({each.radicand for each in known}) > 1:
        return None
    least = min(known, key=lambda each: each.exponent)
    return least if least.exponent.denominator > 1 else None


def _power_in(term: Expression, meanings: Meanings) -> Root | None:
    """The power of a sum of squares that a term is, beside what is positive."""
    number, factors = coefficient_and_rest(term)
    powers = [root_of(each, meanings) for each in factors if not _is_positive(each)]
    if number <= 0 or len(powers) != 1 or powers[0] is None or powers[0].exponent <= 0:
        return None
    if powers[0].is_negative:
        return None
    return powers[0] if squares_in(powers[0].radicand, meanings) else None


def _without_positive(radicand: Expression) -> Expression:
    """f of n*f/size(i), which is 0 where f is."""
    number, rest = coefficient_and_rest(radicand)
    return multiply(*(each for each in rest if not _is_of_sizes(each))) if number > 0 else radicand


def _is_of_sizes(factor: Expression) -> bool:
    return isinstance(base_and_exponent(factor)[0], Size)
