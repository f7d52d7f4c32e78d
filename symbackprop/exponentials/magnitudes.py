"""Whether factors may be too large or too small by themselves, so that they want one exponential."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from symbackprop.exponentials.exponents import has_maximum, is_at_most_0, is_balanced
from symbackprop.exponentials.factors import Factor, has_large_exponential
from symbackprop.exponentials.meanings import Meanings
from symbackprop.exponentials.product_guards import unguarded
from symbackprop.exponentials.scaled import as_exponential, is_running, scaled
from symbackprop.notation.arithmetic import factors_of
from symbackprop.notation.expressions import Add, Apply, Element, Expression
from symbackprop.notation.pairs import argument_of
from symbackprop.notation.substitution import rewrite_bottom_up


def has_running_sum(above: Sequence[Factor], meanings: Meanings) -> bool:
    """Whether one of several stands for a recurrence: its values may be as small as another's are large."""
    return len(above) > 1 and any(is_running(each.base, meanings) for each in above)


def has_large_term(above: Sequence[Factor]) -> bool:
    """Whether one is a sum with a large exponential among its terms, and another a share: p*(exp(f) + g)."""
    shares = [each for each in above if not each.scale.is_shifted and is_at_most_0(each.scale.exponent)]
    totals = (each.node for each in above if isinstance(each.node, Add))
    return bool(shares) and any(_may_be_large(term) for total in totals for term in total.terms)


def _may_be_large(product: Expression) -> bool:
    exponents = (argument_of("exp", each) for each in factors_of(product))
    return any(each is not None and not is_at_most_0(each) for each in exponents)


def falls_fast(factor: Factor) -> bool:
    """Whether an exponential has another in its exponent: exp(-exp(f)) is 0 before exp(f) is too large."""
    nodes = () if factor.scale.is_shifted else factor.scale.exponent.walk()
    return any(isinstance(each, Apply) and each.function == "exp" for each in nodes)


def is_too_large(factor: Factor, meanings: Meanings) -> bool:
    """Whether it is a sum of exponentials that may be too large."""
    if not (factor.is_above and factor.scale.is_shifted):
        return False
    names = (scaled(each, meanings) for each in factor.node.walk() if isinstance(each, Element))
    if any(each.is_shifted and not is_balanced(each.exponent) for each in names):
        return True
    return not _is_moderate(rewrite_bottom_up(factor.node, partial(as_exponential, meanings=meanings)))


def may_be_small(factors: Sequence[Factor]) -> bool:
    """Whether an exponential stands beside one, or a sum of some, that may be as small as it is large."""
    above = [each.scale for each in factors if each.is_above]
    pure = [each.exponent for each in above if not each.is_shifted]
    if pure and any(has_large_exponential(each.node) for each in factors):
        return True
    large = [each for each in pure if not is_at_most_0(each)]
    if len(above) > 1 and any(map(has_maximum, large)):
        return True
    return bool(large) and len(above) > 1


def are_guarded(factors: Sequence[Factor]) -> bool:
    """Whether one of several exponentials is under a condition: exp(f)*where(c, exp(g), 0)."""
    above = [each for each in factors if each.is_above]
    return len(above) > 1 and any(unguarded(each.scale.value)[0] for each in above)


def _is_moderate(node: Expression) -> bool:
    """Whether no exponential in it is greater than 1: each is a softmax's, or that of a square."""
    if any(isinstance(each, Apply) and each.function in ("cosh", "sinh") for each in node.walk()):
        return False
    arguments = (argument_of(name, each) for each in node.walk() for name in ("exp", "expm1"))
    exponents = [each for each in arguments if each is not None]
    return all(map(is_at_most_0, exponents))
