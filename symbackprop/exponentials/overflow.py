"""Which products of exponentials and adjoints need no shift, for it would make nothing finite.

Let exp(f) be multiplied by a sum whose terms are at most 1 in what their divisions brought, times what was
computed from exp(f) itself, as (p*y)*exp(f) with a probability p and y = exp(f)*x. Where exp(f) overflows, y
does too, whatever is shifted. Where it does not and p underflows, p*exp(f) < exp(-745 + 709).

Nor where all that may be large is common to the shares of one softmax, as e^s is to softmax(k, f[n,k])*e^s:
the largest share is no less than 1/size(k), and times e^s too large where e^s is. Shifted, each term of a
sum beside them would be rounded by itself, and differences among them lose their digits.

Nor is there anything to shift where no exponential is greater than 1: exp(f) of f[k] = g[k] - log(sum(i,
exp(g[i]))), a share by its logarithm, times a sum of shares is too small only where the product is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from symbackprop.exponentials.bounds import alternatives, is_at_most_1
from symbackprop.exponentials.exponents import LOWEST, is_at_most_0, is_instance, is_maximum
from symbackprop.exponentials.factors import Factor
from symbackprop.exponentials.meanings import Meanings
from symbackprop.exponentials.scaled import scaled
from symbackprop.notation.arithmetic import negate, terms_of
from symbackprop.notation.expressions import (
    ONE,
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


def overflow_anyway(above: Sequence[Factor], meanings: Meanings) -> bool:
    """Whether one of several factors is a sum that is too large only where the exponentials beside it are.

    Or none of their exponentials is greater than 1.
    """
    if all(is_at_most_1(each.scale.exponent, meanings) for each in above) or _are_common(above, meanings):
        return True
    sums = [each for each in above if each.scale.is_shifted]
    pure = [each.scale.exponent for each in above if not each.scale.is_shifted]
    if len(sums) != 1 or any(each.exponent != ONE for each in above):
        return False
    return _overflows_anyway(sums[0].base, pure, meanings)


def _are_common(above: Sequence[Factor], meanings: Meanings) -> bool:
    """Whether what may be large has no axis that the shares beside it are over."""
    if meanings.sees_sigmoids:
        return False
    exponents = [each.scale.exponent for each in above if not each.scale.is_shifted]
    for total in (each.node for each in above if each.scale.is_shifted):
        exponents += _exponents(total, meanings, set())
    shares = [each for each in exponents if is_at_most_1(each, meanings)]
    among = {index.axis for each in shares for index in _shared_among(each)}
    return bool(among) and all(
        among.isdisjoint(index.axis for index in each.free_indices)
        for each in exponents
        if each not in shares
    )


def _shared_among(exponent: Expression) -> frozenset[Index]:
    """The indices of a share that its maximum does not have."""
    maxima = [negate(term) for term in terms_of(exponent) if is_maximum(negate(term))]
    return exponent.free_indices.difference(*(each.free_indices for each in maxima))


def _exponents(node: Expression, meanings: Meanings, seen: set[str]) -> Iterator[Expression]:
    """The exponents in an expression, and in what the names of exponentials in it stand for."""
    for part in node.walk():
        if isinstance(part, Apply) and part.function in ("exp", "expm1", "cosh", "sinh"):
            yield part.arguments[0]
        elif isinstance(part, Element) and part.tensor not in seen and not scaled(part, meanings).is_plain:
            seen.add(part.tensor)
            yield from _exponents(*meanings.opened(part), seen)


def _overflows_anyway(total: Expression, exponents: Sequence[Expression], meanings: Meanings) -> bool:
    """Whether each of its terms is too large where the exponentials are, and nowhere else."""
    meant, inside = meanings.opened(total)
    terms = terms_of(meant)
    return all(
        all(_overflows(term, exponent, inside, ()) for exponent in exponents)
        and _is_at_most(scaled(term, inside).exponent, exponents)
        for term in terms
    )


def _overflows(node: Expression, exponent: Expression, meanings: Meanings, bound: tuple[Index, ...]) -> bool:
    """Whether the value is not finite where exp(exponent) is not, if at all it is looked at."""
    match node:
        case Apply("exp", (argument,)):
            return argument == exponent or is_instance(exponent, argument, bound)
        case Element():
            meant, inside = meanings.opened(node)
            return meant is not node and _overflows(meant, exponent, inside, bound)
        case Add() | Multiply():
            return any(_overflows(each, exponent, meanings, bound) for each in node.children)
        case Power(base, Number(value)) if value > 0:
            return _overflows(base, exponent, meanings, bound)
        case Where(_, chosen, otherwise):
            return any(_overflows(each, exponent, meanings, bound) for each in (chosen, otherwise))
        case Reduction("sum", indices, body):
            return _overflows(body, exponent, meanings, (*bound, *indices))
    return False


def _is_at_most(exponent: Expression, exponents: Sequence[Expression]) -> bool:
    """Whether an exponent is never greater than 0 or than one of the others."""
    return all(each == LOWEST or each in exponents or is_at_most_0(each) for each in alternatives(exponent))
