"""Expressions as exp(m)*r, where r is neither too large nor too small: m is the largest exponent.

    exp(f)               is  exp(f) * 1
    f*g                  adds the exponents, (f)^n multiplies them
    sum(i, g*exp(h))     is  exp(m) * sum(i, g*exp(h - m)),           m = max(i, h)
    g*exp(h) + exp(f)    is  exp(m) * (g*exp(h - m) + exp(f - m)),    m = max(h, f)

A term with the factor 0 is no term: its exponent does not count in the maximum, and it is not looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial, reduce

from symbackprop.exponentials.bounds import is_multiple_of_shifted, needs_no_shift, with_maxima
from symbackprop.exponentials.complements import as_sigmoids
from symbackprop.exponentials.differences import is_difference_of_rows
from symbackprop.exponentials.exponents import (
    is_balanced,
    is_of_order_1,
    larger,
    largest,
    parted,
    softmax_count,
    summands,
)
from symbackprop.exponentials.hyperbolic import (
    scaled_complement,
    scaled_difference,
    scaled_hyperbolic,
    scaled_softplus,
)
from symbackprop.exponentials.meanings import Meanings
from symbackprop.exponentials.powers import is_difference_from_root, scaled_power
from symbackprop.exponentials.product_guards import counted, may_vanish, weighted, where_counted
from symbackprop.exponentials.scales import Scaled, saturates
from symbackprop.exponentials.vanishing_ratios import vanish_together
from symbackprop.integers.bounds import negated
from symbackprop.notation.arithmetic import (
    add,
    add_small_last,
    base_and_exponent,
    factors_of,
    is_reciprocal,
    multiply,
    negate,
    subtract,
    terms_of,
)
from symbackprop.notation.expressions import (
    ONE,
    ZERO,
    Add,
    Apply,
    Element,
    Expression,
    Index,
    Multiply,
    Number,
    Power,
    Reduction,
    Where,
)
from symbackprop.notation.pairs import argument_of
from symbackprop.notation.substitution import equal_up_to_bound_names


def exp(argument: Expression) -> Expression:
    """The exponential of an argument; 1 for 0."""
    return ONE if argument == ZERO else Apply("exp", (argument,))


def as_exponential(factor: Expression, meanings: Meanings) -> Expression:
    """The factor; the exponential that it stands for, if it is a name of one."""
    meant = meanings.of(factor)
    return factor if argument_of("exp", meant) is None else meant


def scaled(node: Expression, meanings: Meanings) -> Scaled:
    """The expression as exp(exponent)*value."""
    running = meanings.running
    match node:
        case Apply("exp", (argument,)):
            return Scaled(with_maxima(argument, meanings), ONE)
        case Apply("cosh" | "sinh" as function, (argument,)):
            return scaled_hyperbolic(function, argument)
        case Apply("sigmoid", (argument,)) if meanings.sees_sigmoids:
            return Scaled(negate(Apply("softplus", (negate(argument),))), ONE)
        case Apply("softplus", (argument,)) if meanings.sees_sigmoids:
            return scaled_softplus(argument)
        case Apply("expm1", _) if meanings.sees_sigmoids:
            return scaled_complement(node) or scaled_difference(node) or Scaled.plain(node)
        case Element():
            return meanings.scale(node, _of_name) or Scaled.plain(node)
        case Power(base, exponent):
            return scaled_power(node, scaled(base, meanings), meanings)
        case Multiply():
            return _product(node, meanings)
        case Where(condition, chosen, otherwise) if otherwise == ZERO:
            inner = scaled(chosen, meanings)
            if inner.is_plain:
                return Scaled.plain(node)
            exponent = inner.exponent if running is None else running.guarded(condition, inner.exponent)
            return Scaled(exponent, Where(condition, inner.value, ZERO), inner.is_shifted)
        case Where(condition, chosen, otherwise) if meanings.sees_sums or running is not None:
            if chosen == ZERO:
                return scaled(Where(negated(condition), otherwise, ZERO), meanings)
            return _choice(node, scaled(chosen, meanings), scaled(otherwise, meanings), meanings)
        case Add() if meanings.sees_sums and is_difference_of_rows(node):
            return scaled(node, meanings.without_sums())
        case Add() if len(terms := summands(node)) > 1:
            product = as_sigmoids(node, meanings) if meanings.sees_sigmoids else None
            if product is not None:
                return scaled(product, meanings)
            return _addition(node, [scaled(term, meanings) for term in terms], meanings)
        case Reduction("prod", indices, Where(condition, body, otherwise)) if otherwise == ONE:
            return _over_an_index(node, indices, scaled(body, meanings), condition)
        case Reduction("prod", indices, body):
            return _over_an_index(node, indices, scaled(body, meanings))
        case Reduction("sum", indices, body):
            return _sum(node, indices, scaled(body, meanings), meanings)
    return Scaled.plain(node)


def _over_an_index(
    node: Expression, indices: tuple[Index, ...], body: Scaled, condition: Expression | None = None
) -> Scaled:
    """prod(i, exp(f)) = exp(sum(i, f))."""
    if body.is_plain or body.value != ONE:
        return Scaled.plain(node)
    exponent = body.exponent if condition is None else Where(condition, body.exponent, ZERO)
    return Scaled(Reduction("sum", indices, exponent), ONE)


def _of_name(meant: Expression, meanings: Meanings) -> Scaled | None:
    """A name is seen through where all its terms have exponents: in x[i] + exp(f) where sums are seen."""
    if not (meanings.sees_sums or is_exponential(meant, meanings)):
        return None
    found = _without_shifted_sums(meant, meanings)
    return None if found.is_plain else found


def has_named_scale(node: Expression, meanings: Meanings) -> bool:
    """Whether it is a name whose exponent and value have names too."""
    return meanings.is_named(node, _of_name)


def is_running(node: Expression, meanings: Meanings) -> bool:
    """Whether it is a name of a tensor that reads itself, whose exponent and value have names."""
    return meanings.is_running(node, _of_name)


def _without_shifted_sums(product: Expression, meanings: Meanings) -> Scaled:
    """A product, of which sums are left as they are that are neither too large nor too small.

    Their weights are a softmax, or a sum in the denominator is shifted already, and they by as much. Where
    other sums are seen, by no more than that.
    """
    factors = factors_of(product)
    below = [base_and_exponent(each)[0] for each in factors if is_reciprocal(each)]
    is_shifted = any(has_exponentials(each, meanings) and scaled(each, meanings).is_plain for each in below)
    sums = [
        each
        for each in factors
        if _is_mean(each, meanings) or (is_shifted and _is_shifted_sum(each, meanings))
    ]
    rest = scaled(multiply(*(each for each in factors if each not in sums)), meanings)
    return Scaled(rest.exponent, multiply(*sums, rest.value), rest.is_shifted)


def _is_shifted_sum(node: Expression, meanings: Meanings) -> bool:
    base, _ = base_and_exponent(node)
    if is_reciprocal(node) or not isinstance(base, Add | Reduction):
        return False
    exponent = scaled(node, meanings).exponent
    return is_of_order_1(exponent) if meanings.sees_sums else is_balanced(exponent)


def has_exponentials(node: Expression, meanings: Meanings) -> bool:
    """Whether an exponential stands in the expression, or in what a name in it stands for."""
    functions = ("exp", "cosh", "sinh", "expm1", *(("sigmoid",) if meanings.sees_sigmoids else ()))
    return any(
        (isinstance(each, Apply) and each.function in functions)
        or (isinstance(each, Element) and meanings.has_scale(each, _of_name))
        for each in node.walk()
    )


def _is_mean(factor: Expression, meanings: Meanings) -> bool:
    """Whether it is a sum whose weights are a softmax: neither too large nor too small."""
    if not isinstance(factor, Reduction):
        return False
    if meanings.sees_sums:
        return is_of_order_1(scaled(factor, meanings).exponent)
    return softmax_count(scaled(factor.body, meanings).exponent) == 1


def is_exponential(node: Expression, meanings: Meanings) -> bool:
    """Whether every term that reads a tensor has an exponential as a factor."""
    match node:
        case Apply("exp", _):
            return True
        case Apply("sigmoid", _):
            return meanings.sees_sigmoids
        case Apply("expm1", _):
            return meanings.sees_sigmoids and scaled_complement(node) is not None
        case Element():
            return meanings.scale(node, _of_name) is not None
        case Power(base, _):
            return is_exponential(base, meanings)
        case Multiply(factors):
            return any(is_exponential(factor, meanings) for factor in factors)
        case Where(_, chosen, otherwise) if meanings.running is not None:
            return all(each == ZERO or is_exponential(each, meanings) for each in (chosen, otherwise))
        case Where(_, chosen, otherwise):
            return otherwise == ZERO and is_exponential(chosen, meanings)
        case Add() if meanings.sees_sigmoids and as_sigmoids(node, meanings) is not None:
            return True
        case Add(terms):
            reading = [term for term in terms if term.tensors]
            return bool(reading) and all(is_exponential(term, meanings) for term in reading)
        case Reduction("prod", _, Where(_, chosen, otherwise)) if otherwise == ONE:
            return is_exponential(chosen, meanings)
        case Reduction("sum" | "prod", _, body):
            return is_exponential(body, meanings)
    return False


def _product(node: Multiply, meanings: Meanings) -> Scaled:
    parts = [scaled(factor, meanings) for factor in node.factors]
    is_plain = all(part.is_plain for part in parts)
    if is_plain or vanish_together(node.factors, partial(scaled, meanings=meanings)):
        return Scaled.plain(node)
    exponent = add(*(part.exponent for part in parts))
    return Scaled(exponent, multiply(*(part.value for part in parts)), any(part.is_shifted for part in parts))


def _choice(node: Where, one: Scaled, other: Scaled, meanings: Meanings) -> Scaled:
    """where(c, exp(f)*g, exp(h)*r) = exp(where(c, f, h))*where(c, g, r)."""
    if (one.is_plain and other.is_plain) or saturates(node):
        return Scaled.plain(node)
    exponents = (counted(each.exponent, each.value, meanings.shifted_names) for each in (one, other))
    value = Where(node.condition, one.value, other.value)
    return Scaled(Where(node.condition, *exponents), value, is_shifted=True)


def _addition(node: Expression, parts: Sequence[Scaled], meanings: Meanings) -> Scaled:
    if is_difference_from_root(parts) or needs_no_shift(parts, meanings):
        return Scaled.plain(node)
    first, *others = (terms_of(part.exponent) for part in parts)
    common = [term for term in first if term != ZERO and all(term in terms for terms in others)]
    outer = add(*common)
    inner = [subtract(part.exponent, outer) for part in parts]
    if all(each == ZERO for each in inner):
        return Scaled(outer, add(*(part.value for part in parts)))
    shift = reduce(larger, map(partial(_where_not_zero, sure=meanings.shifted_names), inner, parts))
    exponent = add(outer, shift)
    if exponent == ZERO:
        return Scaled.plain(node)
    below = partial(_below, shift=shift, sure=meanings.shifted_names)
    return Scaled(exponent, add_small_last(*map(below, parts, inner)), is_shifted=True)


def _below(part: Scaled, exponent: Expression, shift: Expression, sure: frozenset[str]) -> Expression:
    """value*exp(exponent - shift), which is not looked at where the value is 0, unless the exponent is 0."""
    value = part.value
    factor = exp(subtract(where_counted(exponent, value, sure), shift))
    return multiply(value, factor) if exponent == ZERO else weighted(value, factor, sure)


def _where_not_zero(exponent: Expression, part: Scaled, sure: frozenset[str]) -> Expression:
    """An exponent that counts only where the term is not 0; what has none always counts, as 0."""
    return exponent if exponent == ZERO else counted(exponent, part.value, sure)


def _sum(node: Expression, indices: tuple[Index, ...], body: Scaled, meanings: Meanings) -> Scaled:
    if body.is_plain:
        return Scaled.plain(node)
    outer, inner = parted(body.exponent, indices)
    if inner == ZERO:
        return Scaled(outer, Reduction("sum", indices, body.value), body.is_shifted)
    factors = factors_of(body.value)
    before = [factor for factor in factors if factor.free_indices.isdisjoint(indices)]
    weight = multiply(*(factor for factor in factors if factor not in before))
    sure = meanings.shifted_names
    inner = where_counted(inner, weight, sure)
    shift = largest(indices, inner, may_vanish(weight, sure))
    if any(_cancels(outer, each, meanings) for each in (shift, Reduction("max", indices, inner))):
        return Scaled.plain(node)
    if outer == ZERO and is_multiple_of_shifted(inner, indices, meanings):
        return Scaled.plain(node)
    summed = Reduction("sum", indices, weighted(weight, exp(subtract(inner, shift)), sure))
    return Scaled(add(outer, shift), multiply(*before, summed), is_shifted=True)


def _cancels(outer: Expression, shift: Expression, meanings: Meanings) -> bool:
    """Whether the exponent is shifted already: by this maximum, or by a name for it."""
    opposite = meanings.of(multiply(Number(-1), outer))
    return add(outer, shift) == ZERO or equal_up_to_bound_names(opposite, shift)
