"""The factors of a product, with their exponentials taken out, and which of them are denominators."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

from symbackprop.exponentials.complements import as_sigmoids
from symbackprop.exponentials.exponents import has_maximum, is_at_most_0
from symbackprop.exponentials.hyperbolic import scaled_complement, scaled_difference
from symbackprop.exponentials.meanings import Meanings
from symbackprop.exponentials.product_guards import unguarded
from symbackprop.exponentials.scaled import exp, has_exponentials, has_named_scale, is_exponential, scaled
from symbackprop.exponentials.scales import LARGEST_SCALED, Scaled
from symbackprop.exponentials.sigmoids import sigmoid_argument
from symbackprop.exponentials.vanishing_ratios import vanish_together
from symbackprop.notation.arithmetic import (
    base_and_exponent,
    coefficient_and_rest,
    factors_of,
    is_reciprocal,
    multiply,
    power,
    terms_of,
)
from symbackprop.notation.expressions import (
    ONE,
    ZERO,
    Add,
    Apply,
    Element,
    Expression,
    Multiply,
    Number,
    Power,
    Reduction,
    Where,
)
from symbackprop.notation.pairs import argument_of

Find: TypeAlias = Callable[[Expression, Meanings], bool]


@dataclass(frozen=True)
class Factor:
    """A factor base^exponent, with its exponential taken out."""

    node: Expression
    base: Expression
    exponent: Number
    scale: Scaled

    @property
    def is_above(self) -> bool:
        """Whether it is an exponential, or has some, in the numerator."""
        return not self.scale.is_plain and self.exponent.value > 0

    @property
    def is_below(self) -> bool:
        """Whether it is one in the denominator."""
        return not self.scale.is_plain and self.exponent.value < 0


def opened(node: Expression, meanings: Meanings) -> tuple[Expression, ...]:
    """The factors of a factor: those that a name stands for, if an exponential is among them."""
    base = node.base if isinstance(node, Power) else node
    return meanings.settled(node, base, _opened) if isinstance(base, Element) else (node,)


def _opened(node: Expression, meanings: Meanings) -> tuple[Expression, ...]:
    base, exponent = (node.base, node.exponent) if isinstance(node, Power) else (node, ONE)
    meant = meanings.of(base)
    if meant is base or not isinstance(exponent, Number) or not _is_opened(base, meant, meanings):
        return (node,)
    if isinstance(meant, Multiply | Power):
        factors = factors_of(power(meant, exponent))
        return tuple([each for factor in factors for each in opened(factor, meanings)])
    is_sum = has_large_exponential(meant) or _is_sum_of_reciprocals(meant, meanings)
    return (meanings.of_earlier(base) if exponent == ONE and is_sum else node,)


def _is_opened(name: Expression, meant: Expression, meanings: Meanings) -> bool:
    """Whether a name stands for exponentials, or among sums for terms that are divided by some."""
    if has_named_scale(name, meanings):
        return _is_divided(name, meant, meanings)
    return not scaled(name, meanings).is_plain or _is_divided(name, meant, meanings)


def _is_divided(name: Expression, meant: Expression, meanings: Meanings) -> bool:
    is_seen = meanings.sees_sums and isinstance(meant, Add) and meant.node_count <= LARGEST_SCALED
    return is_seen and divides_by_exponentials(name, meanings)


def has_large_exponential(total: Expression) -> bool:
    """Whether a term of a sum has an exponential that may be large because a division brought it.

    The model itself need have none that is as large.
    """
    is_sum = isinstance(total, Add) or (isinstance(total, Reduction) and total.kind == "sum")
    arguments = (argument_of("exp", part) for part in total.walk()) if is_sum else ()
    return any(each is not None and has_maximum(each) and not is_at_most_0(each) for each in arguments)


def has_below(factor: Factor, meanings: Meanings) -> bool:
    """Whether a sum of exponentials is a denominator, in the factor or in a term of it."""
    return factor.is_below or _is_sum_of_reciprocals(factor.node, meanings)


def _is_sum_of_reciprocals(node: Expression, meanings: Meanings) -> bool:
    """Whether a sum of exponentials is the denominator of one of several terms."""
    match node:
        case Add(terms):
            products = list(terms)
        case Reduction("sum", _, body):
            products = [unguarded(body)[1]]
        case _:
            return False
    divided = (
        factors
        for factors in map(factors_of, products)
        if not vanish_together(factors, partial(scaled, meanings=meanings))
    )
    parts = (factor for factors in divided for factor in factors)
    nodes = (each for part in parts for each in opened(part, meanings))
    return any(factor_of(each, meanings).is_below for each in nodes)


def factor_of(node: Expression, meanings: Meanings) -> Factor:
    """The factor, with its exponential taken out."""
    base, exponent = (node.base, node.exponent) if isinstance(node, Power) else (node, ONE)
    if not isinstance(exponent, Number):
        base, exponent = node, ONE
    scale = scaled_difference(base) if exponent == ONE else None
    return Factor(node, base, exponent, scale or scaled(node, meanings))


def one_exponential(node: Expression, meanings: Meanings) -> Expression | None:
    """prod(i, exp(f)) = exp(sum(i, f)); exp(f)^g = exp(g*f), where g is no whole number."""
    match node:
        case Reduction("prod"):
            found = scaled(node, meanings)
        case Power(_, exponent) if not (isinstance(exponent, Number) and exponent.value.denominator == 1):
            found = scaled(node, meanings)
        case _:
            return None
    return exp(found.exponent) if found.value == ONE else None


def divides_by_exponentials(node: Expression, meanings: Meanings) -> bool:
    """Whether a sum with exponentials among its terms is a denominator, in a term or behind a name."""

    def is_divisor(base: Expression, meanings: Meanings) -> bool:
        seeing = meanings.with_sums()
        is_shifted = not base.tensors.isdisjoint(meanings.shifted_names)
        return is_shifted or has_exponentials(base, seeing) or not scaled(base, seeing).is_plain

    return _divides_by(node, meanings, divides_by_exponentials, is_divisor)


def divides_by_sigmoids(node: Expression, meanings: Meanings) -> bool:
    """The same of a sum of sigmoids that may all be small."""

    def is_divisor(base: Expression, meanings: Meanings) -> bool:
        alone = replace(meanings, is_inside=False)  # what it lacks is found there
        return sums_sigmoids(base, alone) or carries_sigmoids(base, alone)

    return _divides_by(node, meanings, divides_by_sigmoids, is_divisor)


def _divides_by(node: Expression, meanings: Meanings, find: Find, is_divisor: Find) -> bool:
    match node:
        case Element():
            return meanings.says_of_name(node, find)
        case Multiply() if vanish_together(factors_of(node), partial(scaled, meanings=meanings)):
            return False
        case Add() | Multiply():
            return any(find(each, meanings) for each in node.children)
        case Where(_, chosen, otherwise) if otherwise == ZERO:
            return find(chosen, meanings)
        case Reduction("sum", _, body):
            return find(body, meanings)
        case Power(inner, Number(value)) if value > 0:
            return find(inner, meanings)
    return is_reciprocal(node) and is_divisor(base_and_exponent(node)[0], meanings)


def sums_sigmoids(node: Expression, meanings: Meanings) -> bool:
    """Whether it is a sum, or a product over an index, of exponentials and sigmoids that may all be small.

    Or a power of one, whose exponent is no number.
    """
    meant, meanings = meanings.opened(node)
    match meant:
        case Add() as found if as_sigmoids(found, meanings) is not None:
            return True
        case Add(terms):
            parts: tuple[Expression, ...] = terms
        case Reduction("prod", _, Where(_, body, otherwise)) if otherwise == ONE:
            parts = (body,)
        case Reduction("sum" | "prod", _, body):
            parts = (body,)
        case Where(_, chosen, otherwise) if otherwise == ZERO:
            return sums_sigmoids(chosen, meanings)
        case Apply("expm1", _):
            return (
                any(argument_of("softplus", each) is not None for each in meant.walk())
                and scaled_complement(meant) is not None
            )
        case Multiply():
            factors = [each for each in factors_of(multiply(meant)) if each.tensors]
            others = [each for each in factors if not sums_sigmoids(each, meanings)]
            is_sum = len(others) < len(factors) and all(is_exponential(each, meanings) for each in others)
            return is_sum or any(is_raised(each, meanings) for each in factors)
        case Power():
            return is_raised(meant, meanings)
        case _:
            return False
    reading = [each for each in parts if each.tensors]
    seeing, outside = meanings.with_sigmoids(), replace(meanings, is_inside=False)
    is_bounded = len(reading) < len(parts) and not any(is_exponential(each, meanings) for each in reading)
    return (
        not is_bounded
        and any(_has_sigmoid(each, outside) for each in reading)
        and all(is_exponential(each, seeing) for each in reading)
    )


def is_raised(node: Expression, meanings: Meanings) -> bool:
    """Whether it is f^g, g no number, f a sigmoid or what such a power leaves of 1."""
    meant, inside = meanings.opened(node)
    is_power = isinstance(meant, Power) and not isinstance(meant.exponent, Number)
    return is_power and scaled(meant, inside.with_sigmoids()).value == ONE


def has_raised(product: Expression, meanings: Meanings) -> bool:
    """Whether a factor of a product or of its sums is one, or the exponential that stands for one."""
    for factor in factors_of(product):
        match factor:
            case Reduction("sum", _, body) if has_raised(body, meanings):
                return True
            case Add(terms) if any(has_raised(term, meanings) for term in terms):
                return True
            case Where(_, chosen, otherwise) if otherwise == ZERO and has_raised(chosen, meanings):
                return True
            case Apply("exp", (exponent,)) if any(map(_is_multiple_of_softplus, terms_of(exponent))):
                return True
        if is_raised(factor, meanings):
            return True
    return False


def _is_multiple_of_softplus(term: Expression) -> bool:
    _, rest = coefficient_and_rest(term)
    return len(rest) > 1 and any(argument_of("softplus", each) is not None for each in rest)


def carries_sigmoids(node: Expression, meanings: Meanings) -> bool:
    """Whether it is a name of a product of sigmoids that reads itself at another step."""
    base, _ = base_and_exponent(node)
    meant, inside = meanings.opened(base)
    factors = factors_of(meant) if isinstance(meant, Multiply) else ()
    return (
        isinstance(base, Element)
        and base.tensor in meant.tensors
        and any(sigmoid_argument(each, inside) is not None for each in factors)
    )


def _has_sigmoid(product: Expression, meanings: Meanings) -> bool:
    """Whether a sigmoid stands in the expression, or in what a name in it stands for, directly or not.

    exp(-softplus(-f) - m) has been one.
    """
    return any(
        (isinstance(each, Apply) and (each.function == "sigmoid" or _is_product_of_sigmoids(each)))
        or (isinstance(each, Element) and meanings.says_of_name(each, _has_sigmoid))
        for each in product.walk()
    )


def _is_product_of_sigmoids(node: Apply) -> bool:
    """Whether it is an exponential, and a term of its exponent is a number times softplus."""
    exponent = argument_of("exp", node)
    terms = [] if exponent is None else [coefficient_and_rest(each)[1] for each in terms_of(exponent)]
    return any(len(rest) == 1 and argument_of("softplus", rest[0]) is not None for rest in terms)
