"""Exponents: whether one is shifted by its maximum, and so at most 0; differences before multiples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from symbackprop.integers.bounds import conjunction
from symbackprop.notation.arithmetic import add, coefficient_and_rest, multiply, negate, subtract, terms_of
from symbackprop.notation.expressions import (
    ONE,
    ZERO,
    Add,
    Apply,
    Delta,
    Expression,
    Index,
    Multiply,
    Number,
    Reduction,
    Where,
)
from symbackprop.notation.substitution import canonical_bound_names, rewrite_bottom_up, substitute
from symbackprop.stability.meanings import Meanings
from symbackprop.systems.partial import NOTHING_KNOWN

# Stands for minus infinity in a maximum over what a condition lets through; float32 holds it.
LOWEST = Number(-(10**30))


def largest(indices: tuple[Index, ...], exponent: Expression, conditions: Sequence[Expression]) -> Reduction:
    """The largest exponent among the terms that are not 0."""
    counted = Where(conjunction(conditions), exponent, LOWEST) if conditions else exponent
    return Reduction("max", indices, counted)


def larger(one: Expression, other: Expression) -> Expression:
    """The larger of two exponents."""
    return one if one == other else Apply("max", (one, other))


def softmax_count(exponent: Expression) -> int:
    """How many softmaxes make a product with this exponent, a sum of f[i] - max(i, f[i]); 0 for others.

    Of f - max(f, g), too, and of maxima in it.
    """
    multiples = [coefficient_and_rest(term) for term in terms_of(exponent)]
    if all(number > 0 and len(rest) == 1 and isinstance(rest[0], Add) for number, rest in multiples):
        counts = [softmax_count(rest[0]) for _, rest in multiples]
        return sum(counts) if all(counts) else 0
    maxima = [negate(term) for term in terms_of(exponent) if _is_maximum(negate(term))]
    rest = add(*(term for term in terms_of(exponent) if negate(term) not in maxima))
    for maximum in maxima:
        there = [each for each in _shifted_by(maximum, rest) if each != ZERO and _holds(each, rest)]
        if not there:
            return 0
        rest = subtract(rest, there[0])
    return len(maxima) if rest == ZERO else 0


def _is_maximum(node: Expression) -> bool:
    match node:
        case Reduction("max", _, _) | Apply("max", _):
            return True
    return False


def has_maximum(exponent: Expression) -> bool:
    """Whether a term of an exponent is a maximum, by which something was shifted."""
    parts = [part for term in terms_of(exponent) for part in coefficient_and_rest(term)[1]]
    return any(has_maximum(each) if isinstance(each, Add) else _is_maximum(each) for each in parts)


def _shifted_by(maximum: Expression, read: Expression) -> Iterator[Expression]:
    """What a maximum is not less than, at indices that `read` has."""
    match maximum:
        case Reduction("max", indices, body):
            body = body.chosen if isinstance(body, Where) else body
            yield from instances(body, indices, read)
        case Apply("max", arguments):
            for each in arguments:
                yield each
                yield from _shifted_by(each, read)


def _holds(part: Expression, whole: Expression) -> bool:
    return set(terms_of(part)) <= set(terms_of(whole))


def tied(exponent: Expression, factors: Sequence[Expression]) -> Expression:
    """The exponent beside factors: delta(p,i)*exp(f[i]) is delta(p,i)*exp(f[p]), small for every i."""
    for delta in factors:
        if isinstance(delta, Delta):
            for index, position in ((delta.left, delta.right), (delta.right, delta.left)):
                if isinstance(index, Index) and index in exponent.free_indices:
                    return substitute(exponent, {index: position})
    return exponent


def is_instance(factor: Expression, pattern: Expression, indices: tuple[Index, ...]) -> bool:
    """Whether a factor is the pattern, with other indices for those given."""
    if isinstance(factor, Number) or type(factor) is not type(pattern):
        return False
    return any(factor == each for each in instances(pattern, indices, factor))


def instances(pattern: Expression, indices: tuple[Index, ...], read: Expression) -> Iterator[Expression]:
    """The pattern with each choice of indices that `read` has, over the same axes."""
    if not indices:
        yield pattern
        return
    first, *others = indices
    own = (each for each in read.walk() if isinstance(each, Index) and each.axis == first.axis)
    for index in dict.fromkeys(own):
        yield from instances(substitute(pattern, {first: index}), tuple(others), read)


def is_balanced(exponent: Expression) -> bool:
    """Whether a sum of exponentials with this exponent was shifted by its largest one, among others."""
    exponent = rewrite_bottom_up(exponent, _unmasked)
    if isinstance(exponent, Reduction) and exponent.kind == "max":
        return is_balanced(exponent.body)
    return exponent == ZERO or softmax_count(exponent) > 0


def _unmasked(node: Expression) -> Expression:
    """The exponents that count in a maximum as if all did."""
    match node:
        case Where(_, exponent, otherwise) if otherwise == LOWEST:
            return exponent
        case Add(terms):
            return add(*terms)
    return node


def is_of_order_1(exponent: Expression) -> bool:
    """Whether it is a maximum less the same maximum: it has all that is in the one that is subtracted.

    So the largest of the exponentials with such exponents is 1; what a mask or a weight leaves out counts.
    """
    subtracted = [
        (number, rest[0])
        for number, rest in map(coefficient_and_rest, terms_of(exponent))
        if number < 0 and len(rest) == 1 and _is_maximum(rest[0])
    ]
    if len(subtracted) != 1:
        return exponent == ZERO
    ((number, maximum),) = subtracted
    rest = [multiply(Number(-1 / number), term) for term in terms_of(exponent)]
    return set(_arguments(maximum)) <= set(_arguments(add(*rest, maximum)))


def _arguments(maximum: Expression) -> Iterator[Expression]:
    """The arguments of nested maxima, each under the indices that it is the largest over."""
    match maximum:
        case Apply("max", arguments):
            for each in arguments:
                yield from _arguments(each)
        case Reduction("max", indices, body):
            for each in _arguments(body):
                is_bound = not each.free_indices.isdisjoint(indices)
                yield canonical_bound_names(Reduction("max", indices, each)) if is_bound else each
        case Where(_, exponent, otherwise) if otherwise == LOWEST:
            yield from _arguments(exponent)
        case _:
            yield maximum


def is_at_most_0(exponent: Expression) -> bool:
    """Whether an exponential with this exponent is never greater than 1."""
    return bool(softmax_count(exponent)) or NOTHING_KNOWN.is_nonnegative(negate(exponent))


def multiples_last(node: Expression, _meanings: Meanings) -> Expression | None:
    """n*f - max(i, n*f) = n*(f - max(i, f)); a*f + b*g - (a + b)*m = a*(f - m) + b*(g - m), m a maximum.

    For multiples are rounded, and close to one another. A power of 2 rounds nothing. exp(0) is left out.
    """
    if node == Apply("exp", (ZERO,)):
        return ONE
    if isinstance(node, Multiply) and ONE in node.factors:
        return multiply(*node.factors)
    given = node.terms if isinstance(node, Add) else ()
    parts = [coefficient_and_rest(_with_number_out(each)) for each in given]
    terms = [multiply(Number(number), *rest) for number, rest in parts]
    if not any(_rounds(number) and _is_multiple_of_maximum(rest) for number, rest in parts):
        return None
    return _by_differences(terms, node)


def _by_differences(terms: Sequence[Expression], node: Expression) -> Expression | None:
    """The sum by differences from one of its maxima, if what stands before the terms is 0 in all."""
    left = terms_of(add(*terms))
    alike = [each for each in left if not _is_at_least_0(each)]
    maxima = [each for each in alike if _is_multiple_of_maximum(coefficient_and_rest(each)[1])]
    numbers = {each: coefficient_and_rest(each)[0] for each in alike}
    if maxima and sum(numbers.values()) == 0:
        pivot = max(maxima, key=lambda each: abs(numbers[each]))
        less = multiply(Number(-1 / numbers[pivot]), pivot)
        others = [each for each in alike if each != pivot]
        differences = [_times_difference(numbers[each], each, less) for each in others]
        left = (*differences, *(each for each in left if each not in alike))
    found = left[0] if len(left) == 1 else Add(left)
    return None if found == node else found


def _times_difference(number: Fraction, multiple: Expression, less: Expression) -> Expression:
    difference = Add((multiply(*coefficient_and_rest(multiple)[1]), less))
    return difference if number == 1 else Multiply((Number(number), difference))


def _is_multiple_of_maximum(rest: tuple[Expression, ...]) -> bool:
    return len(rest) == 1 and _is_maximum(rest[0]) and not _is_at_least_0(rest[0])


def _is_at_least_0(term: Expression) -> bool:
    """Whether it is a multiple of max(0, f), which does not move with all exponents."""
    match coefficient_and_rest(term):
        case _, (Apply("max", arguments),):
            return ZERO in arguments
        case _, ():
            return True
    return False


def _rounds(number: Fraction) -> bool:
    """Whether products with a number are rounded: it is no power of 2."""
    return any(each & (each - 1) for each in (abs(number.numerator), number.denominator))


def _with_number_out(term: Expression) -> Expression:
    """n*max(i, f) for max(i, n*f), n > 0."""
    number, rest = coefficient_and_rest(term)
    if not _is_multiple_of_maximum(rest):
        return term
    times, inner = _number_out(rest[0])
    return multiply(Number(number * times), inner)


def _number_out(node: Expression) -> tuple[Fraction, Expression]:
    """(n, f) of n*f, n > 0: in a maximum what all have in common."""
    match node:
        case Reduction("max", indices, body):
            number, inner = _number_out(body)
            return number, Reduction("max", indices, inner)
        case Where(condition, chosen, otherwise) if otherwise == LOWEST:
            number, inner = _number_out(chosen)
            return number, Where(condition, inner, LOWEST)
        case Add(parts) | Apply("max", parts):
            found = [_number_out(each) for each in parts]
            number = found[0][0]
            is_common = all(each == number for each, _ in found)
            inside = node.with_children(tuple([inner for _, inner in found]))
            return (number, inside) if is_common else (Fraction(1), node)
    number, rest = coefficient_and_rest(node)
    if not rest:
        return Fraction(1), node
    return abs(number), multiply(Number(1 if number > 0 else -1), *rest)
