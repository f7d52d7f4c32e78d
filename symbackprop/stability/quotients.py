"""Products in which exponentials meet reciprocals of sums of exponentials: exp(f)/sum(i, exp(h))."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import repeat

from symbackprop.integers.bounds import conjunction, conjuncts
from symbackprop.notation.arithmetic import (
    add,
    base_and_exponent,
    factors_of,
    is_reciprocal,
    multiply,
    negate,
    power,
    terms_of,
)
from symbackprop.notation.expressions import (
    ONE,
    ZERO,
    Add,
    Apply,
    Expression,
    Multiply,
    Number,
    Power,
    Reduction,
    Where,
)
from symbackprop.notation.substitution import rename_bound, rewrite_bottom_up
from symbackprop.stability.exponents import is_instance, softmax_count, tied
from symbackprop.stability.hyperbolic import scaled_difference
from symbackprop.stability.meanings import Meanings, Scaled
from symbackprop.stability.pairs import argument_of
from symbackprop.stability.product_guards import (
    Weight,
    unguarded,
    weights_left_out,
    where_weights_are_not_zero,
)
from symbackprop.stability.scaled import as_exponential, exp, has_exponentials, scaled, sums_sigmoids
from symbackprop.systems.partial import NOTHING_KNOWN


@dataclass(frozen=True)
class _Factor:
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


def quotient(node: Expression, meanings: Meanings) -> Expression | None:
    """Numerator and denominator lose the exponential common to them: the denominator's largest exponent."""
    if not isinstance(node, Multiply):
        return None
    below = [base_and_exponent(each)[0] for each in node.factors if is_reciprocal(each)]
    if any(sums_sigmoids(each, meanings) for each in below):
        meanings = meanings.with_sigmoids()
    if sum(has_exponentials(factor, meanings) for factor in node.factors) < 2:
        return None
    factors = [_factor(each, meanings) for part in node.factors for each in _opened(part, meanings)]
    above = [each for each in factors if each.is_above]
    if not above:
        return None
    is_quotient = any(map(_has_below, factors, repeat(meanings)))
    falls_fast = len(above) > 1 and any(map(_falls_fast, above))
    if is_quotient or falls_fast:
        return _combined(factors, meanings)
    return _with_opposites(factors, meanings) or _distributed(factors, meanings)


def _distributed(factors: Sequence[_Factor], meanings: Meanings) -> Expression | None:
    """exp(f)*(exp(g) + exp(h)) = exp(f + g) + exp(f + h): one may be infinite beside a sum that is 0."""
    pure = [each for each in factors if each.is_above and not each.scale.is_shifted]
    for total in factors:
        terms = terms_of(total.node)
        if pure and len(terms) > 1 and all(_scaled_once(term, meanings) for term in terms):
            others = [each.node for each in factors if each is not total and each not in pure]
            exponent = add(*(each.scale.exponent for each in pure))
            values = (each.scale.value for each in pure)
            return multiply(*others, *values, taken_in(total.node, exponent, meanings))
    return None


def _scaled_once(term: Expression, meanings: Meanings) -> bool:
    """Whether a term is an exponential, written out, with factors."""
    found = scaled(term, meanings)
    has_one = any(_is_exponential(factor, meanings) for factor in factors_of(term))
    return has_one and not found.is_plain and not found.is_shifted


def _with_opposites(factors: Sequence[_Factor], meanings: Meanings) -> Expression | None:
    """exp(f)*(exp(-f)*g + h) = g + exp(f)*h: the exponential that a term has is too large by itself."""
    for pure in factors:
        if not pure.is_above or pure.scale.is_shifted:
            continue
        opposite = [negate(term) for term in terms_of(pure.scale.exponent) if term.tensors]
        for total in factors:
            if isinstance(total.node, Add) and _holds(total.node, opposite, meanings):
                others = [each.node for each in factors if each is not total and each is not pure]
                inside = taken_in(total.node, pure.scale.exponent, meanings)
                return multiply(*others, pure.scale.value, inside)
    return None


def _holds(node: Expression, exponents: Collection[Expression], meanings: Meanings) -> bool:
    """Whether a term has an exponential with one of these in its exponent."""
    factors = [factor for term in terms_of(node) for factor in factors_of(term)]
    for part in (_factor(each, meanings) for factor in factors for each in _opened(factor, meanings)):
        if isinstance(part.node, Add):
            if _holds(part.node, exponents, meanings):
                return True
        elif part.is_above and any(term in exponents for term in terms_of(part.scale.exponent)):
            return True
    return False


def _falls_fast(factor: _Factor) -> bool:
    """Whether an exponential has another in its exponent: exp(-exp(f)) is 0 before exp(f) is too large."""
    nodes = () if factor.scale.is_shifted else factor.scale.exponent.walk()
    return any(isinstance(each, Apply) and each.function == "exp" for each in nodes)


def _opened(node: Expression, meanings: Meanings) -> Iterator[Expression]:
    """The factors of a factor: those that a name stands for, if an exponential is among them."""
    base, exponent = (node.base, node.exponent) if isinstance(node, Power) else (node, ONE)
    meant = meanings.of(base)
    if meant is base or not isinstance(exponent, Number) or scaled(base, meanings).is_plain:
        yield node
    elif isinstance(meant, Multiply | Power):
        for factor in factors_of(power(meant, exponent)):
            yield from _opened(factor, meanings)
    else:
        is_sum = exponent == ONE and _is_sum_of_reciprocals(meant, meanings)
        yield meanings.of_earlier(base) if is_sum else node


def _has_below(factor: _Factor, meanings: Meanings) -> bool:
    """Whether a sum of exponentials is a denominator, in the factor or in a term of it."""
    return factor.is_below or _is_sum_of_reciprocals(factor.node, meanings)


def _is_sum_of_reciprocals(node: Expression, meanings: Meanings) -> bool:
    """Whether a sum of exponentials is the denominator of one of several terms."""
    match node:
        case Add(terms):
            parts = [factor for term in terms for factor in factors_of(term)]
        case Reduction("sum", _, body):
            _, product = unguarded(body)
            parts = list(factors_of(product))
        case _:
            return False
    opened = (each for part in parts for each in _opened(part, meanings))
    return any(_factor(each, meanings).is_below for each in opened)


def _factor(node: Expression, meanings: Meanings) -> _Factor:
    base, exponent = (node.base, node.exponent) if isinstance(node, Power) else (node, ONE)
    if not isinstance(exponent, Number):
        base, exponent = node, ONE
    scale = scaled_difference(base) if exponent == ONE else None
    return _Factor(node, base, exponent, scale or scaled(node, meanings))


def _combined(factors: Sequence[_Factor], meanings: Meanings) -> Expression:
    """The product of the factors with one exponential; sums in the numerator take it in where they can."""
    sums = [each for each in factors if each.is_above and each.scale.is_shifted]
    pure = [each for each in factors if each.is_above and not each.scale.is_shifted]
    taking = sums[0] if len(sums) == 1 and sums[0].exponent == ONE else None
    if taking is not None and pure and not isinstance(meanings.of(taking.base), Add):
        taking = None
    others = [each for each in factors if each is not taking and each not in pure]
    exponent = add(*(each.scale.exponent for each in (*pure, *others)))
    placed = taking or (pure or sums)[0]
    weights = [weight for each in factors if each.is_below for weight in weights_left_out(each.scale.value)]
    # Outside these conditions the exponent is not below its maximum: the exponential may be infinite.
    bare = {
        each.node: unguarded(each.scale.value) for each in factors if each.is_above and each is not taking
    }
    plain = [condition for each in factors if each.scale.is_plain for condition in _masks(each.node, factors)]
    conditions = list(dict.fromkeys((*(part for found, _ in bare.values() for part in found), *plain)))
    result: list[Expression] = []
    behind: list[Expression] = []
    inside: list[Expression] = []
    for each in factors:
        found, value = bare.get(each.node, ((), each.scale.value))
        if each is placed:
            place = len(result)
            inside.append(
                exp(exponent) if taking is None else taken_in(taking.base, exponent, meanings, weights)
            )
        if each.scale.is_plain:
            result.append(each.node)
        elif each is not taking:
            (inside if found and not isinstance(value, Number) else behind).append(value)
    part = multiply(*inside)
    result.insert(place, Where(conjunction(conditions), part, ZERO) if conditions else part)
    return where_weights_are_not_zero(multiply(*result, *behind), weights)


def _masks(node: Expression, factors: Sequence[_Factor]) -> Iterator[Expression]:
    """The guards of a factor without exponentials that the denominator's sums have in their terms too."""
    guards, _ = unguarded(node)
    sums = [part for each in factors if each.is_below for part in each.scale.value.walk()] if guards else ()
    for condition in (part for guard in guards for part in conjuncts(guard)):
        for part in sums:
            if isinstance(part, Reduction) and isinstance(part.body, Where):
                masks = conjuncts(part.body.condition)
                yield from (condition for mask in masks if is_instance(condition, mask, part.indices))


def taken_in(
    node: Expression, exponent: Expression, meanings: Meanings, weights: Sequence[Weight] = ()
) -> Expression:
    """node*exp(exponent), with the exponential inside, beside those that the node has.

    A product with one of the weights is not looked at where that is 0.
    """
    if exponent == ZERO:
        return node
    node = meanings.of(node)
    match node:
        case Add(terms):
            return add(*(taken_in(term, exponent, meanings, weights) for term in terms))
        case Where(condition, chosen, otherwise) if otherwise == ZERO:
            return Where(condition, taken_in(chosen, exponent, meanings, weights), ZERO)
        case Reduction("sum"):
            node = rename_bound(node, exponent.free_indices)
            return Reduction("sum", node.indices, taken_in(node.body, exponent, meanings, weights))
    beside = [as_exponential(each, meanings) for each in factors_of(node)]
    product = multiply(*beside, exp(tied(exponent, beside)))
    product = merged(product, meanings) or product
    parts = (each for part in factors_of(product) for each in _opened(part, meanings))
    factors = [_factor(each, meanings) for each in parts]
    if any(map(_has_below, factors, repeat(meanings))):
        return _combined(factors, meanings)
    inside = _with_opposites(factors, meanings)
    is_large = any(_is_too_large(each, meanings) for each in factors)
    if inside is None and (is_large or _are_guarded(factors)):
        inside = _combined(factors, meanings)
    return where_weights_are_not_zero(inside or product, weights)


def _is_too_large(factor: _Factor, meanings: Meanings) -> bool:
    """Whether it is a sum of exponentials that may be too large."""
    is_moderate = _is_moderate(rewrite_bottom_up(factor.node, partial(as_exponential, meanings=meanings)))
    return factor.is_above and factor.scale.is_shifted and not is_moderate


def _are_guarded(factors: Sequence[_Factor]) -> bool:
    """Whether one of several exponentials is under a condition: exp(f)*where(c, exp(g), 0)."""
    above = [each for each in factors if each.is_above]
    return len(above) > 1 and any(unguarded(each.scale.value)[0] for each in above)


def _is_moderate(node: Expression) -> bool:
    """Whether no exponential in it is greater than 1: each is a softmax's, or that of a square."""
    if any(isinstance(each, Apply) and each.function in ("cosh", "sinh") for each in node.walk()):
        return False
    arguments = (argument_of("exp", each) for each in node.walk())
    exponents = [each for each in arguments if each is not None]
    return all(softmax_count(each) or NOTHING_KNOWN.is_nonnegative(negate(each)) for each in exponents)


def merged(node: Expression, meanings: Meanings) -> Expression | None:
    """exp(f)*exp(g) = exp(f + g)."""
    if not isinstance(node, Multiply):
        return None
    places = [place for place, each in enumerate(node.factors) if _is_exponential(each, meanings)]
    if len(places) < 2:
        return None
    exponents = [scaled(node.factors[place], meanings).exponent for place in places]
    kept = [
        exp(add(*exponents)) if place == places[0] else each
        for place, each in enumerate(node.factors)
        if place not in places[1:]
    ]
    return multiply(*kept)


def _is_exponential(node: Expression, meanings: Meanings) -> bool:
    base = node.base if isinstance(node, Power) and isinstance(node.exponent, Number) else node
    functions = ("exp", "sigmoid") if meanings.sees_sigmoids else ("exp",)
    return isinstance(base, Apply) and base.function in functions
