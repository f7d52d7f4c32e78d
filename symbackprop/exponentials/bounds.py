"""Exponentials that are never greater than 1, by what names stand for, too, and sums that need no shift."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from symbackprop.exponentials.exponents import LOWEST, is_at_most_0, is_instance, is_maximum
from symbackprop.exponentials.meanings import Meanings
from symbackprop.exponentials.scales import Scaled
from symbackprop.notation.arithmetic import (
    add,
    coefficient_and_rest,
    factors_of,
    multiply,
    negate,
    subtract,
    terms_of,
)
from symbackprop.notation.expressions import (
    Add,
    Apply,
    Element,
    Expression,
    Index,
    Multiply,
    Number,
    Reduction,
    Where,
)
from symbackprop.notation.substitution import equal_up_to_bound_names, rename_bound
from symbackprop.systems.partial import NOTHING_KNOWN


def needs_no_shift(terms: Sequence[Scaled], meanings: Meanings) -> bool:
    """Whether a sum of these, one of which has no exponential, is at least as large as its exponentials.

    Its largest exponent is 0 then. As typed it keeps the differences by which a model has shifted its own
    exponents: sum(i, exp(f[i] - max(i, f[i]))*exp(-g[i]^2)) + 1e-8.
    """
    exponents = [each.exponent for each in terms if not each.is_plain]
    return len(exponents) < len(terms) and all(is_at_most_1(each, meanings) for each in exponents)


def is_multiple_of_shifted(exponent: Expression, indices: tuple[Index, ...], meanings: Meanings) -> bool:
    """Whether it is g*(f - max(i, f)), g at least 0 and without the indices: the largest of these is 0."""
    factors = factors_of(exponent)
    sums = [each for each in factors if isinstance(each, Add)]
    others = [each for each in factors if not isinstance(each, Add)]
    if len(sums) != 1 or any(not each.free_indices.isdisjoint(indices) for each in others):
        return False
    if not all(NOTHING_KNOWN.is_nonnegative(meanings.of(each)) for each in others):
        return False
    for term in terms_of(sums[0]):
        largest = Reduction("max", indices, subtract(sums[0], term))
        if equal_up_to_bound_names(negate(term), largest):
            return True
    return False


def with_maxima(exponent: Expression, meanings: Meanings) -> Expression:
    """The exponent with the maxima that have names written out: by them it is seen to be shifted.

    Also in differences with a factor, g*(f - m).
    """
    terms = [_with_maximum(term, meanings) for term in terms_of(exponent)]
    return exponent if terms == list(terms_of(exponent)) else add(*terms)


def _with_maximum(term: Expression, meanings: Meanings) -> Expression:
    number, rest = coefficient_and_rest(term)
    if len(rest) == 1 and isinstance(rest[0], Element):
        meant = meanings.of_earlier(rest[0])
        return multiply(Number(number), meant) if is_maximum(meant) else term
    inside = [with_maxima(each, meanings) if isinstance(each, Add) else each for each in rest]
    return term if inside == list(rest) else multiply(Number(number), *inside)


def is_at_most_1(exponent: Expression, meanings: Meanings) -> bool:
    """Whether an exponential with this exponent is never greater than 1, by what names stand for, too."""
    if is_at_most_0(exponent):
        return True
    return all(_is_at_most_1_alone(each, meanings) for each in alternatives(exponent))


def _is_at_most_1_alone(exponent: Expression, meanings: Meanings) -> bool:
    if isinstance(exponent, Add) and (maxima := [each for each in exponent.terms if is_maximum(each)]):
        return any(is_at_most_1(_with_term_inside(exponent, each), meanings) for each in maxima)
    is_known = exponent == LOWEST or is_at_most_0(exponent)
    return is_known or _is_log_share(meanings.opened(exponent)[0])


def alternatives(exponent: Expression) -> Iterator[Expression]:
    """What an exponent may be: the arguments of maxima, the branches of `where`s, and their multiples."""
    match exponent:
        case Reduction("max", _, body):
            yield from alternatives(body)
        case Where(_, chosen, otherwise):
            yield from (part for each in (chosen, otherwise) for part in alternatives(each))
        case Apply("max", arguments):
            yield from (part for each in arguments for part in alternatives(each))
        case Multiply((Number(value), *rest)) if value > 0:
            yield from (multiply(Number(value), each) for each in alternatives(multiply(*rest)))
        case _:
            yield exponent


def _with_term_inside(exponent: Add, maximum: Expression) -> Expression:
    """max(i, f + g) for f + max(i, g)."""
    others = [each for each in exponent.terms if each is not maximum]
    match maximum:
        case Reduction():
            renamed = rename_bound(maximum, add(*others).free_indices)
            assert isinstance(renamed, Reduction)
            return renamed.with_children((_added(renamed.body, others),))
        case _:
            return maximum.with_children(tuple([_added(each, others) for each in maximum.children]))


def _added(alternative: Expression, others: Sequence[Expression]) -> Expression:
    if isinstance(alternative, Where) and alternative.otherwise == LOWEST:
        return Where(alternative.condition, _added(alternative.chosen, others), LOWEST)
    return alternative if alternative == LOWEST else add(alternative, *others)


def _is_log_share(meant: Expression) -> bool:
    """Whether it is f[k] - log(sum(i, exp(f[i]))), f of the one index among those of the sum."""
    for term in terms_of(meant):
        match negate(term):
            case Apply("log", (Reduction("sum", indices, Apply("exp", (argument,))),)):
                rest = add(*(each for each in terms_of(meant) if each is not term))
                if is_instance(rest, argument, indices):
                    return True
    return False
