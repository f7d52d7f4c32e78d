"""Guards against 0 of what is never 0: a probability, or what it leaves of 1, may only be too small.

where(p != 0, p^g*log(p), 0) is p^g*log(p) where log(p) is no logarithm any more: of p = sigmoid(f) it is
-softplus(-f). With the guard it would be 0 as soon as p is. Nor is a guard needed inside another.
"""

from __future__ import annotations

from symbackprop.exponentials.hyperbolic import FAR_BELOW
from symbackprop.exponentials.meanings import Meanings
from symbackprop.exponentials.product_guards import is_never_zero
from symbackprop.exponentials.sigmoids import difference_from_number, sigmoid_argument
from symbackprop.integers.bounds import conjunction, conjuncts
from symbackprop.notation.arithmetic import add, coefficient_and_rest, factors_of, negate, subtract
from symbackprop.notation.expressions import (
    ONE,
    ZERO,
    Apply,
    Comparison,
    Expression,
    Number,
    Power,
    Reduction,
    Where,
)
from symbackprop.stability.softplus import complement_of_power


def guard_of_never_zero(node: Expression, meanings: Meanings) -> Expression | None:
    """where(f != 0 and c, g, 0) = where(c, g, 0), f an exponential, a sigmoid or what a power leaves of 1."""
    match node:
        case Where(condition, chosen, otherwise) if otherwise == ZERO:
            parts = list(conjuncts(condition))
            kept = [each for each in parts if not _is_superfluous(each, chosen, meanings)]
            if len(kept) < len(parts):
                return Where(conjunction(kept), chosen, ZERO) if kept else chosen
    return None


def _is_superfluous(condition: Expression, chosen: Expression, meanings: Meanings) -> bool:
    """Whether it says that something is not 0 that never is, and that is no divisor and in no logarithm."""
    match condition:
        case Comparison("!=", left, right):
            value = subtract(left, right)
        case _:
            return False
    spelled = complement_of_power(value, meanings) or difference_from_number(value, meanings) or value
    spellings = (value, negate(value), spelled, negate(spelled))
    return _is_never_zero(spelled, meanings) and not _needs_guard(chosen, spellings)


def _needs_guard(node: Expression, spellings: tuple[Expression, ...]) -> bool:
    """Whether a part divides by one of these, or is its logarithm, and is read where that is 0."""
    match node:
        case Where(Comparison(">", _, number), _, otherwise) if number == FAR_BELOW:
            return _needs_guard(otherwise, spellings)
    return _divides_or_is_in_logarithm(node, spellings) or any(
        _needs_guard(each, spellings) for each in node.children
    )


def _is_never_zero(value: Expression, meanings: Meanings) -> bool:
    """Whether it is a product of exponentials, sigmoids and what such leave of 1."""
    if sigmoid_argument(negate(value), meanings) is not None:
        return True
    _, rest = coefficient_and_rest(meanings.of(value))
    return bool(rest) and all(_is_function(each, meanings) for each in rest)


def _is_function(factor: Expression, meanings: Meanings) -> bool:
    meant = meanings.of(factor)
    is_so = isinstance(meant, Apply) and is_never_zero(meant)
    return is_so or sigmoid_argument(factor, meanings) is not None


def _divides_or_is_in_logarithm(node: Expression, spellings: tuple[Expression, ...]) -> bool:
    """Whether a node is a logarithm of one of these times something, or the reciprocal."""
    match node:
        case Apply("log", (argument,)):
            return any(each in spellings for each in factors_of(argument))
        case Apply("log1p", (argument,)):
            return add(ONE, argument) in spellings
        case Power(base, Number(exponent)) if exponent < 0:
            return any(each in spellings for each in factors_of(base))
    return False


def without_second_guard(node: Expression, _meanings: Meanings) -> Expression | None:
    """where(n > 0, where(n != 0, f, 0), g) = where(n > 0, f, g)."""
    if not isinstance(node, Where):
        return None
    chosen = _unguarded(node.chosen, nonzero_in(node.condition))
    return None if chosen == node.chosen else Where(node.condition, chosen, node.otherwise)


def _unguarded(node: Expression, known: frozenset[Expression]) -> Expression:
    """The expression without guards that are known to hold; a reduction binds indices of its own."""
    if isinstance(node, Reduction):
        known = frozenset(each for each in known if each.free_indices.isdisjoint(node.indices))
    if not known:
        return node
    children = tuple([_unguarded(child, known) for child in node.children])
    node = node if children == node.children else node.with_children(children)
    is_known = isinstance(node, Where) and node.condition in known and node.otherwise == ZERO
    return node.chosen if isinstance(node, Where) and is_known else node


def nonzero_in(condition: Expression) -> frozenset[Expression]:
    """f != 0 for every f that the condition keeps from 0."""
    parts = (each for each in conjuncts(condition) if isinstance(each, Comparison))
    return frozenset(Comparison("!=", each.left, ZERO) for each in parts if _excludes_zero(each))


def _excludes_zero(comparison: Comparison) -> bool:
    match comparison:
        case Comparison(">", _, Number(value)):
            return value >= 0
        case Comparison(">=", _, Number(value)):
            return value > 0
        case Comparison("!=", _, Number(value)):
            return value == 0
    return False
