"""Products in which exponentials meet reciprocals of sums of exponentials: exp(f)/sum(i, exp(h))."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import partial
from itertools import repeat

from symbackprop.exponentials.complements import as_sigmoids, with_differences_of_sigmoids
from symbackprop.exponentials.exponents import has_maximum, is_instance, summands, tied, tied_where_read
from symbackprop.exponentials.factors import (
    Factor,
    divides_by_exponentials,
    divides_by_sigmoids,
    factor_of,
    has_below,
    has_raised,
    opened,
    sums_sigmoids,
)
from symbackprop.exponentials.magnitudes import (
    are_guarded,
    falls_fast,
    has_large_term,
    has_running_sum,
    is_too_large,
    may_be_small,
)
from symbackprop.exponentials.meanings import Meanings
from symbackprop.exponentials.overflow import overflow_anyway
from symbackprop.exponentials.product_guards import (
    Weight,
    unguarded,
    weights_left_out,
    where_weights_are_not_zero,
)
from symbackprop.exponentials.scaled import (
    as_exponential,
    exp,
    has_exponentials,
    has_named_scale,
    is_running,
    scaled,
)
from symbackprop.exponentials.vanishing_ratios import vanish_together
from symbackprop.integers.bounds import conjunction, conjuncts
from symbackprop.notation.arithmetic import (
    add,
    base_and_exponent,
    factors_of,
    is_reciprocal,
    multiply,
    negate,
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
from symbackprop.notation.substitution import rename_bound


def quotient(node: Expression, meanings: Meanings) -> Expression | None:
    """Numerator and denominator lose the exponential common to them: the denominator's largest exponent.

    What guards a quotient against an empty axis guards the whole product.
    """
    node = multiply(*factors_of(node)) if isinstance(node, Multiply) else node  # 1/(f*g) by factors
    if not isinstance(node, Multiply):
        return None
    for factor in node.factors:
        if isinstance(factor, Where) and _guards_quotient(factor):
            others = (each for each in node.factors if each is not factor)
            inside = quotient(multiply(*others, factor.chosen), meanings)
            return inside and Where(factor.condition, inside, ZERO)
    below = [base_and_exponent(each)[0] for each in node.factors if is_reciprocal(each)]
    beside = (each for each in node.factors if isinstance(each, Element | Add))
    if (
        any(sums_sigmoids(each, meanings) for each in below)
        or any(divides_by_sigmoids(each, meanings) for each in beside)
        or has_raised(node, meanings)
    ):
        meanings = meanings.with_sigmoids()
    seeing = meanings.with_sums()
    dividing = [divides_by_exponentials(factor, meanings) for factor in node.factors]
    pairs = zip(dividing, node.factors, strict=True)
    if sum(divides or has_exponentials(factor, seeing) for divides, factor in pairs) < 2:
        return None
    if vanish_together(node.factors, partial(scaled, meanings=meanings)):
        return None
    if any(dividing):
        meanings = seeing
    factors = [factor_of(each, meanings) for part in node.factors for each in opened(part, meanings)]
    above = [each for each in factors if each.is_above]
    if not above:
        return None
    is_quotient = any(map(has_below, factors, repeat(meanings))) or (
        any(dividing)
        and (may_be_small(factors) or has_large_term(above) or has_running_sum(above, meanings))
        and not overflow_anyway(above, meanings)
    )
    if is_quotient or (len(above) > 1 and any(map(falls_fast, above))):
        return _combined(factors, meanings)
    return _with_opposites(factors, meanings) or _distributed(factors, meanings)


def _guards_quotient(choice: Where) -> bool:
    """Whether it is where(size(i) > 0, f/g, 0): of a sum over an axis that may be empty."""
    reads_sizes = not choice.condition.tensors and not choice.condition.free_indices
    return reads_sizes and choice.otherwise == ZERO and any(map(is_reciprocal, factors_of(choice.chosen)))


def _distributed(factors: Sequence[Factor], meanings: Meanings) -> Expression | None:
    """exp(f)*(exp(g) + exp(h)) = exp(f + g) + exp(f + h): one may be infinite beside a sum that is 0."""
    pure = [each for each in factors if each.is_above and not each.scale.is_shifted]
    for total in factors:
        terms = summands(total.node)
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


def _with_opposites(factors: Sequence[Factor], meanings: Meanings) -> Expression | None:
    """exp(f)*(exp(-f)*g + h) = g + exp(f)*h: the exponential that a term has is too large by itself.

    In the terms of a sum over an index as well.
    """
    for pure in factors:
        if not pure.is_above or pure.scale.is_shifted:
            continue
        opposite = [negate(term) for term in terms_of(pure.scale.exponent) if term.tensors]
        for total in factors:
            # By a maximum the terms of a sum have been shifted already.
            meeting = opposite if isinstance(total.node, Add) else [t for t in opposite if not has_maximum(t)]
            if isinstance(total.node, Add | Reduction) and _holds(total.node, meeting, meanings):
                others = [each.node for each in factors if each is not total and each is not pure]
                inside = taken_in(total.node, pure.scale.exponent, meanings)
                return multiply(*others, pure.scale.value, inside)
    return None


def _holds(node: Expression, exponents: Collection[Expression], meanings: Meanings) -> bool:
    """Whether a term has an exponential with one of these in its exponent."""
    node = node.body if isinstance(node, Reduction) and node.kind == "sum" else node
    terms = summands(node)
    if isinstance(node, Add) and len(terms) == 1:
        return False
    factors = [factor for term in terms for factor in factors_of(term)]
    for part in (factor_of(each, meanings) for factor in factors for each in opened(factor, meanings)):
        if isinstance(part.node, Add):
            if _holds(part.node, exponents, meanings):
                return True
        elif part.is_above and any(term in exponents for term in terms_of(part.scale.exponent)):
            return True
    return False


def _combined(factors: Sequence[Factor], meanings: Meanings) -> Expression:
    """The product of the factors with one exponential; sums in the numerator take it in where they can."""
    sums = [each for each in factors if each.is_above and each.scale.is_shifted]
    pure = [each for each in factors if each.is_above and not each.scale.is_shifted]
    taking = sums[0] if len(sums) == 1 and sums[0].exponent == ONE else None
    if taking is not None and not _takes_in(taking.base, meanings, pure):
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


def _takes_in(base: Expression, meanings: Meanings, beside: Sequence[Factor]) -> bool:
    """Whether it is a sum, or a name of one that is not read by names for its exponent and its value.

    A sum over an index takes in exponentials beside it where it computes some for each of their indices.
    """
    if is_running(base, meanings):
        return False
    if isinstance(meanings.of(base), Add) and not has_named_scale(base, meanings):
        return True
    return not beside or _computes_for_each(base, add(*(each.scale.exponent for each in beside)), meanings)


def _computes_for_each(base: Expression, beside: Expression, meanings: Meanings) -> bool:
    """Whether it is a sum over an index with an exponential for each of the indices that another has."""
    if not isinstance(base, Reduction) or base.kind != "sum":
        return False
    _, body = unguarded(base.body)
    return beside.free_indices <= scaled(body, meanings).exponent.free_indices


def _masks(node: Expression, factors: Sequence[Factor]) -> Iterator[Expression]:
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
    if not is_running(node, meanings):
        node, meanings = meanings.opened(node)
    if meanings.sees_sigmoids and isinstance(node, Add):
        node = as_sigmoids(node, meanings) or with_differences_of_sigmoids(node, meanings)
    match node:
        case Add() if len(summands(node)) > 1:
            return add(*(taken_in(term, exponent, meanings, weights) for term in summands(node)))
        case Where(condition, chosen, otherwise) if otherwise == ZERO:
            return Where(condition, taken_in(chosen, exponent, meanings, weights), ZERO)
        case Reduction("sum"):
            node = rename_bound(node, exponent.free_indices)
            return Reduction("sum", node.indices, taken_in(node.body, exponent, meanings, weights))
    beside = [as_exponential(each, meanings) for each in factors_of(node)]
    product = multiply(*beside, exp(tied(exponent, beside)))
    product = merged(product, meanings) or product
    parts = (each for part in factors_of(product) for each in opened(part, meanings))
    factors = [factor_of(each, meanings) for each in parts]
    if any(map(has_below, factors, repeat(meanings))):
        return _combined(factors, meanings)
    inside = _with_opposites(factors, meanings)
    is_large = any(is_too_large(each, meanings) for each in factors) or may_be_small(factors)
    if inside is None and (is_large or are_guarded(factors)):
        inside = _combined(factors, meanings)
    return where_weights_are_not_zero(inside or product, weights)


def merged(node: Expression, meanings: Meanings) -> Expression | None:
    """exp(f)*exp(g) = exp(f + g), at the one place where a delta beside them is not 0."""
    if not isinstance(node, Multiply):
        return None
    places = [place for place, each in enumerate(node.factors) if _is_exponential(each, meanings)]
    if len(places) < 2:
        return None
    exponents = [scaled(node.factors[place], meanings).exponent for place in places]
    kept = [
        exp(tied_where_read(add(*exponents), node.factors)) if place == places[0] else each
        for place, each in enumerate(node.factors)
        if place not in places[1:]
    ]
    return multiply(*kept)


def _is_exponential(node: Expression, meanings: Meanings) -> bool:
    base = node.base if isinstance(node, Power) and isinstance(node.exponent, Number) else node
    functions = ("exp", "sigmoid") if meanings.sees_sigmoids else ("exp",)
    return isinstance(base, Apply) and base.function in functions
