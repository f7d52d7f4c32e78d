"""What can be seen of an exponent: whether it is shifted by its maximum, and so at most 0."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import product

from symbackprop.integers.bounds import conjunction
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
    ZERO,
    Add,
    Apply,
    Comparison,
    Delta,
    Element,
    Expression,
    Index,
    Number,
    Reduction,
    Where,
)
from symbackprop.notation.pairs import argument_of
from symbackprop.notation.substitution import canonical_bound_names, rewrite_bottom_up, substitute
from symbackprop.systems.partial import NOTHING_KNOWN

# Stands for minus infinity in a maximum over what a condition lets through; float32 holds the sum of three.
LOWEST = Number(-(10**38))


def largest(indices: tuple[Index, ...], exponent: Expression, conditions: Sequence[Expression]) -> Reduction:
    """The largest exponent among the terms that are not 0.

    What has a large exponential of its own may be minus infinity: exp(-exp(f)) is 0 there, however shifted.
    """
    own = (argument_of("exp", factor) for term in terms_of(exponent) for factor in factors_of(term))
    if any(each is not None and not is_at_most_0(each) for each in own):
        conditions = (*conditions, Comparison(">", exponent, LOWEST))
    counted = Where(conjunction(conditions), exponent, LOWEST) if conditions else exponent
    return Reduction("max", indices, counted)


def larger(one: Expression, other: Expression) -> Expression:
    """The larger of two exponents, of which the first may be the larger of several."""
    is_among = one == other or (isinstance(one, Apply) and one.function == "max" and other in one.arguments)
    return one if is_among else Apply("max", (one, other))


def softmax_count(exponent: Expression) -> int:
    """How many softmaxes make a product with this exponent, a sum of f[i] - max(i, f[i]); 0 for others.

    Of f - max(f, g), too, and of maxima in it.
    """
    multiples = [coefficient_and_rest(term) for term in terms_of(exponent)]
    if all(number > 0 and len(rest) == 1 and isinstance(rest[0], Add) for number, rest in multiples):
        counts = [softmax_count(rest[0]) for _, rest in multiples]
        return sum(counts) if all(counts) else 0
    maxima = [negate(term) for term in terms_of(exponent) if is_maximum(negate(term))]
    rest = add(*(term for term in terms_of(exponent) if negate(term) not in maxima))
    for maximum in maxima:
        there = [each for each in shifted_by(maximum, rest) if each != ZERO and _holds(each, rest)]
        if not there:
            return 0
        rest = subtract(rest, there[0])
    return len(maxima) if rest == ZERO else 0


def is_maximum(node: Expression) -> bool:
    """Whether it is a largest value."""
    match node:
        case Reduction("max", _, _) | Apply("max", _):
            return True
    return False


def has_maximum(exponent: Expression) -> bool:
    """Whether a term of an exponent is a maximum, by which something was shifted."""
    parts = [part for term in terms_of(exponent) for part in coefficient_and_rest(term)[1]]
    return any(has_maximum(each) if isinstance(each, Add) else is_maximum(each) for each in parts)


def shifted_by(maximum: Expression, read: Expression) -> Iterator[Expression]:
    """What a maximum is not less than, at indices that `read` has."""
    match maximum:
        case Reduction("max", indices, body):
            body = body.chosen if isinstance(body, Where) else body
            yield from instances(body, indices, read)
        case Apply("max", arguments):
            for each in arguments:
                yield each
                yield from shifted_by(each, read)
        case Add(terms):
            for place, term in enumerate(terms):
                for each in shifted_by(term, read) if is_maximum(term) else ():
                    yield add(*terms[:place], each, *terms[place + 1 :])


def summands(node: Expression) -> tuple[Expression, ...]:
    """The terms of a sum; what a maximum is the largest of is one term with it: f - max(i, f).

    It is 0 or close to it to the last digit, which exp(g)*f - exp(g)*max(i, f) is not. Nor is f too large
    where the maximum is not.
    """
    left = list(terms_of(node))
    for term in terms_of(node):
        number, rest = coefficient_and_rest(term)
        for each in shifted_by(rest[0], node) if len(rest) == 1 and is_maximum(rest[0]) else ():
            largest_of = [multiply(Number(-number), part) for part in terms_of(each)]
            if each != ZERO and all(part in left for part in (term, *largest_of)):
                place = min(map(left.index, largest_of))
                left[place] = Add((*largest_of, term))
                left = [part for part in left if part not in (term, *largest_of)]
                break
    return tuple(left)


def parted(exponent: Expression, bound: Collection[Index]) -> tuple[Expression, Expression]:
    """What an exponent has without the bound indices, and with them; a maximum stays beside its own part.

    Where g is large and f is not, g - f^2 has lost digits of f that g - max(g) - f^2 keeps.
    """
    terms = terms_of(exponent)
    inner = add(*(term for term in terms if not term.free_indices.isdisjoint(bound)))
    outer = [term for term in terms if term.free_indices.isdisjoint(bound)]
    kept = [term for term in outer if _is_of_a_part(term, inner)]
    return add(*(term for term in outer if term not in kept)), add(inner, *kept)


def _is_of_a_part(term: Expression, exponent: Expression) -> bool:
    """Whether it is a multiple of a maximum, and the opposite of its own exponent a part of this one.

    Or -2*m, where two of what m is the largest of are parts: both are shares, f[i] - m + f[j] - m.
    """
    number, rest = coefficient_and_rest(term)
    if len(rest) != 1 or not is_maximum(rest[0]):
        return False
    terms = set(terms_of(exponent))
    found = [each for each in shifted_by(rest[0], exponent) if each != ZERO]
    if any({multiply(Number(-number), part) for part in terms_of(each)} < terms for each in found):
        return True
    return number < -1 and sum(terms.issuperset(terms_of(each)) for each in found) == -number


def _holds(part: Expression, whole: Expression) -> bool:
    return set(terms_of(part)) <= set(terms_of(whole))


def tied(exponent: Expression, factors: Sequence[Expression]) -> Expression:
    """The exponent beside factors: delta(p,i)*exp(f[i]) is delta(p,i)*exp(f[p]), small for every i."""
    for delta in factors:
        if isinstance(delta, Delta):
            for index, position in ((delta.left, delta.right), (delta.right, delta.left)):
                if isinstance(index, Index) and index in exponent.free_indices:
                    return add(*terms_of(substitute(exponent, {index: position})))
    return exponent


def tied_where_read(exponent: Expression, factors: Sequence[Expression]) -> Expression:
    """The exponent at the place a delta asks for, if that is read already: it may be outside of an axis."""
    there = tied(exponent, factors)
    read = {each for each in exponent.walk() if isinstance(each, Element)}
    return there if all(each in read for each in there.walk() if isinstance(each, Element)) else exponent


def is_instance(factor: Expression, pattern: Expression, indices: tuple[Index, ...]) -> bool:
    """Whether a factor is the pattern, with other indices for those given."""
    if isinstance(factor, Number) or type(factor) is not type(pattern):
        return False
    return any(factor == each for each in instances(pattern, indices, factor))


def instances(pattern: Expression, indices: tuple[Index, ...], read: Expression) -> Iterator[Expression]:
    """The pattern with each choice of indices that `read` has, over the same axes, and of its lookups."""
    if not indices:
        yield pattern
        return
    first, *others = indices
    own = (each for each in read.walk() if isinstance(each, Index) and each.axis == first.axis)
    for position in dict.fromkeys((*own, *_looked_up(first, pattern, read))):
        yield from instances(substitute(pattern, {first: position}), tuple(others), read)


def _looked_up(index: Index, pattern: Expression, read: Expression) -> Iterator[Expression]:
    """The positions that are no indices at which `read` has an element that the pattern has at the index."""
    elements = [each for each in pattern.walk() if isinstance(each, Element) and index in each.positions]
    there = [each for each in read.walk() if isinstance(each, Element)] if elements else []
    for found, own in product(there, elements):
        if found.tensor == own.tensor:
            position = found.positions[own.positions.index(index)]
            if not isinstance(position, Index):
                yield position


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
        if number < 0 and len(rest) == 1 and is_maximum(rest[0])
    ]
    if len(subtracted) != 1:
        return exponent == ZERO
    ((number, maximum),) = subtracted
    rest = [multiply(Number(-1 / number), term) for term in terms_of(exponent)]
    return set(compared_in(maximum)) <= set(compared_in(add(*rest, maximum)))


def compared_in(maximum: Expression) -> Iterator[Expression]:
    """The arguments of nested maxima, each under the indices that it is the largest over."""
    match maximum:
        case Apply("max", arguments):
            for each in arguments:
                yield from compared_in(each)
        case Reduction("max", indices, body):
            for each in compared_in(body):
                is_bound = not each.free_indices.isdisjoint(indices)
                yield canonical_bound_names(Reduction("max", indices, each)) if is_bound else each
        case Where(_, exponent, otherwise) if otherwise == LOWEST:
            yield from compared_in(exponent)
        case _:
            yield maximum


def is_at_most_0(exponent: Expression) -> bool:
    """Whether an exponential with this exponent is never greater than 1."""
    return bool(softmax_count(exponent)) or NOTHING_KNOWN.is_nonnegative(negate(exponent))


def is_weighted_by_shares(expression: Expression) -> bool:
    """Whether each of its exponentials is at most 1: what shares weigh, as in a softmax, does not grow."""
    exponents = [each for node in expression.walk() if (each := argument_of("exp", node)) is not None]
    return bool(exponents) and all(map(is_at_most_0, exponents))
