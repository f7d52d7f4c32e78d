"""What can be seen of an exponent: whether it is shifted by its maximum, and so at most 0."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from symbackprop.notation.arithmetic import add, negate, subtract, terms_of
from symbackprop.notation.expressions import ZERO, Delta, Expression, Index, Number, Reduction, Where
from symbackprop.notation.substitution import substitute


def softmax_count(exponent: Expression) -> int:
    """How many softmaxes make a product with this exponent, a sum of f[i] - max(i, f[i]); 0 for others."""
    maxima = [negate(term) for term in terms_of(exponent) if isinstance(negate(term), Reduction)]
    rest = add(*(term for term in terms_of(exponent) if negate(term) not in maxima))
    for maximum in maxima:
        assert isinstance(maximum, Reduction)
        body = maximum.body.chosen if isinstance(maximum.body, Where) else maximum.body
        there = [each for each in instances(body, maximum.indices, rest) if _holds(each, rest)]
        if maximum.kind != "max" or not there:
            return 0
        rest = subtract(rest, there[0])
    return len(maxima) if rest == ZERO else 0


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
