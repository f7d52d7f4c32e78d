"""Which products of exponentials and adjoints need no shift, for it would make nothing finite.

Let exp(f) be multiplied by a sum whose terms are at most 1 in what their divisions brought, times what was
computed from exp(f) itself, as (p*y)*exp(f) with a probability p and y = exp(f)*x. Where exp(f) overflows, y
does too, whatever is shifted. Where it does not and p underflows, p*exp(f) < exp(-745 + 709).
"""

from __future__ import annotations

from collections.abc import Sequence

from symbackprop.exponentials.exponents import LOWEST, is_at_most_0, is_instance
from symbackprop.exponentials.factors import Factor
from symbackprop.exponentials.meanings import Meanings
from symbackprop.exponentials.scaled import scaled
from symbackprop.notation.arithmetic import terms_of
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
    """Whether one of several factors is a sum that is too large only where the exponentials beside it are."""
    sums = [each for each in above if each.scale.is_shifted]
    pure = [each.scale.exponent for each in above if not each.scale.is_shifted]
    if len(sums) != 1 or any(each.exponent != ONE for each in above):
        return False
    return _overflows_anyway(sums[0].base, pure, meanings)


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
    match exponent:
        case Reduction("max", _, body):
            return _is_at_most(body, exponents)
        case Where(_, chosen, otherwise):
            return all(_is_at_most(each, exponents) for each in (chosen, otherwise))
        case Apply("max", arguments):
            return all(_is_at_most(each, exponents) for each in arguments)
    return exponent == LOWEST or exponent in exponents or is_at_most_0(exponent)
