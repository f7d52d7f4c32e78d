"""Guards against 0 of what is never 0, as a probability that may only be too small, and of what always is.

where(p != 0, p^g*log(p), 0) is p^g*log(p) where log(p) is no logarithm any more: of p = sigmoid(f) it is
-softplus(-f). With the guard it would be 0 as soon as p is. Nor is a guard needed inside another.

The distance of a point to itself is 0 whatever the point is: where i == j the direction from x[i] to x[j],
which counts as 0, does not change, and its derivative is 0.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from symbackprop.exponentials.hyperbolic import FAR_BELOW
from symbackprop.exponentials.meanings import Meanings
from symbackprop.exponentials.product_guards import is_never_zero
from symbackprop.exponentials.sigmoids import difference_from_number, sigmoid_argument
from symbackprop.integers.bounds import conjunction, conjuncts
from symbackprop.notation.arithmetic import (
    add,
    coefficient_and_rest,
    factors_of,
    is_reciprocal,
    multiply,
    negate,
    subtract,
)
from symbackprop.notation.expressions import (
    ONE,
    ZERO,
    Add,
    Apply,
    Comparison,
    Element,
    Expression,
    Index,
    Multiply,
    Number,
    Power,
    Reduction,
    Where,
)
from symbackprop.stability.softplus import complement_of_power
from symbackprop.stability.squares import Square, root_of, squares_in
from symbackprop.systems.system import Equation

Pair: TypeAlias = tuple[Expression, Expression]
NO_PAIR: Pair = (ZERO, ZERO)


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


def beside_itself(node: Expression, meanings: Meanings) -> Expression | None:
    """f/n = where(i != j, f/n, 0), where n is the root of a sum of squares of g[i] - g[j]."""
    if not isinstance(node, Multiply):
        return None
    factors = [
        Where(Comparison("!=", *pair), each, ZERO) if (pair := _pair_below(each, meanings)) else each
        for each in node.factors
    ]
    return None if factors == [*node.factors] else multiply(*factors)


def takes_directions(equations: Iterable[Equation], meanings: Meanings) -> bool:
    """Whether they divide by distances that are 0 for one point, and always guarded by `unit_vector`."""
    found = [each for equation in equations for each in _divisions(equation.expression, meanings)]
    return bool(found) and all(found)


def _divisions(node: Expression, meanings: Meanings) -> Iterator[bool]:
    """For each reciprocal of such a distance, whether it is guarded."""
    is_guarded = isinstance(node, Where) and bool(nonzero_in(node.condition))
    if isinstance(node, Where) and is_guarded and _pair_below(node.chosen, meanings) is not None:
        yield True
    elif _pair_below(node, meanings) is not None:
        yield False
    else:
        for child in node.children:
            yield from _divisions(child, meanings)


def _pair_below(factor: Expression, meanings: Meanings) -> Pair | None:
    """The i and j of a reciprocal of a root of sums of squares of g[i] - g[j]."""
    if not is_reciprocal(factor):
        return None
    root = root_of(factor, meanings)
    squares = () if root is None else squares_in(root.radicand, meanings)
    found = {_pair_of(square, meanings) for square in squares}
    return found.pop() if len(found) == 1 else None


def _pair_of(square: Square, meanings: Meanings) -> Pair | None:
    """i and j where what is squared is g[i] - g[j], indices or positions that are looked up."""
    bound = frozenset(square.indices)
    for base in square.bases:
        match meanings.of(base):
            case Add((first, second)):
                differing = {*_differing(first, negate(second))}
                if len(differing) == 1:
                    pair = differing.pop()
                    if all(map(_may_be_anything, pair)) and not any(
                        bound & each.free_indices for each in pair
                    ):
                        return pair
    return None


def _may_be_anything(position: Expression) -> bool:
    return isinstance(position, Index | Element)


def _differing(one: Expression, other: Expression) -> Iterator[Pair]:
    """The positions in which two expressions differ; NO_PAIR where they differ in more than positions."""
    if one == other:
        return
    if type(one) is not type(other) or one.with_children(other.children) != other:
        yield NO_PAIR
    elif isinstance(one, Element):
        yield from ((each, at) for each, at in zip(one.children, other.children, strict=True) if each != at)
    else:
        found = [_differing(*pair) for pair in zip(one.children, other.children, strict=True)]
        yield from itertools.chain.from_iterable(found) if found else (NO_PAIR,)
