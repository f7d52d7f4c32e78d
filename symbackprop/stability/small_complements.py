"""What is left of 1 beside a sigmoid, where an exponential multiplies it that may be as large as it is small.

In exp(g)*(a*(1 - p) + b*log(p)) with p = sigmoid(u), 1 - p is 0 for u > 37, where log(p) is not: nothing that
stands beside it covers the digits that it loses.
"""

from __future__ import annotations

from functools import partial

from symbackprop.exponentials.exponents import is_at_most_0
from symbackprop.exponentials.meanings import Meanings
from symbackprop.exponentials.sigmoids import complement
from symbackprop.notation.arithmetic import factors_of, multiply
from symbackprop.notation.expressions import Add, Expression, Multiply, Number
from symbackprop.notation.pairs import argument_of, as_power
from symbackprop.notation.substitution import rewrite_bottom_up


def complement_beside_exponential(node: Expression, meanings: Meanings) -> Expression | None:
    """exp(g)*(1 - sigmoid(f)) = exp(g)*sigmoid(-f), in terms of sums too; 1 - tanh(f)^2 as well."""
    factors = node.factors if isinstance(node, Multiply) else ()
    if not any(_may_be_large(each, meanings) for each in factors):
        return None
    found = tuple(rewrite_bottom_up(each, partial(_by_itself, meanings=meanings)) for each in factors)
    return None if found == factors else multiply(*found)


def _may_be_large(factor: Expression, meanings: Meanings) -> bool:
    """Whether it is an exponential, or a name of one, that may be greater than 1, or has such a term."""
    if isinstance(factor, Add):
        return any(_may_be_large(each, meanings) for term in factor.terms for each in factors_of(term))
    base, exponent = as_power(factor)
    argument = argument_of("exp", meanings.of(base))
    return argument is not None and not is_at_most_0(multiply(Number(exponent), argument))


def _by_itself(node: Expression, meanings: Meanings) -> Expression:
    found = complement(node, meanings) if isinstance(node, Add) else None
    return node if found is None else found[1]
