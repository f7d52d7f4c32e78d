"""Masks beside what may be too large: r*where(r < 5, 1, 0) and r*exp(-r), r = exp(f), are 0 at r = inf."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import reduce
from typing import TypeAlias

from symbackprop.exponentials.exponents import LOWEST, has_maximum, is_at_most_0, is_instance, is_maximum
from symbackprop.exponentials.meanings import Meanings
from symbackprop.integers.bounds import conjuncts, negated
from symbackprop.notation.arithmetic import (
    add,
    base_and_exponent,
    coefficient_and_rest,
    factors_of,
    is_reciprocal,
    multiply,
    negate,
    terms_of,
)
from symbackprop.notation.expressions import (
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
from symbackprop.notation.pairs import argument_of, as_power
from symbackprop.systems.partial import NOTHING_KNOWN

Pattern: TypeAlias = tuple[Expression, tuple[Index, ...]]  # of an exponent, at any of these indices
DEEPEST = 3  # names that are opened on the way to an exponent
_GROWING = frozenset(("exp", "expm1", "cosh", "sinh"))


def mask_of_large(node: Expression, meanings: Meanings) -> Expression | None:
    """f*where(c, g, 0) = where(c, f*g, 0) and f*relu(g) = where(g > 0, f*relu(g), 0), f made of exponentials.

    The condition reads f: a clipped ratio exp(f) has no derivative where it is infinite. Masks are seen
    behind names. What is a sum of such is 0 where all of it is: f*s = where(s != 0, f*s, 0).
    """
    factors = factors_of(node)
    growing = [each for each in factors if _may_overflow(each, meanings)]
    for place, read, guard, chosen in _guards(factors, meanings) if growing else ():
        others = (*factors[:place], *factors[place + 1 :])
        large = [each for each in others if each in growing and _is_read(each, read, meanings)]
        if large:
            rest = (each for each in others if each not in large)
            return multiply(*rest, Where(guard, multiply(*large, chosen), ZERO))
    return None


def _guards(
    factors: Sequence[Expression], meanings: Meanings
) -> Iterator[tuple[int, Expression, Expression, Expression]]:
    """The place of each factor that masks make 0, a mask, the condition, and what is there then."""
    for place, factor in enumerate(factors):
        yield from ((place, condition, condition, chosen) for condition, chosen in _masked(factor, meanings))
    for place, factor in enumerate(factors):
        guard = Comparison("!=", factor, ZERO)
        yield from ((place, each, guard, factor) for each in _of_summands(factor, meanings, DEEPEST))


def _of_summands(factor: Expression, meanings: Meanings, depth: int) -> Iterator[Expression]:
    """The conditions outside which what a sum over indices, or the name of one, is of is 0."""
    match factor:
        case Reduction("sum", _, body):
            for each in factors_of(body):
                yield from (condition for condition, _ in _masked(each, meanings))
                yield from _of_summands(each, meanings, depth)
        case Element() if depth:
            meant, inside = meanings.opened(factor)
            for each in factors_of(meant) if meant is not factor else ():
                yield from _of_summands(each, inside, depth - 1)


def where_not_vanished(node: Expression, meanings: Meanings) -> Expression | None:
    """f*g = where(f != 0, f*g, 0), f = exp(-h*exp(k)), which is 0 before exp(k) in g is infinite.

    A share of such densities, too. Where no exponential is infinite, both sides are alike; where exp(k) is,
    and f is 0 all the same, exp(k) is what has made it so.
    """
    factors = factors_of(node)
    growing = [each for each in factors if _may_overflow(each, meanings)] if len(factors) > 1 else []
    for factor in factors if growing else ():
        falling = frozenset(_falling(factor, meanings, DEEPEST))
        large = [each for each in growing if each is not factor and _outlasts(each, falling, meanings)]
        if large:
            rest = (each for each in factors if each is not factor and each not in large)
            mask = Comparison("!=", factor, ZERO)
            return multiply(*rest, Where(mask, multiply(factor, *large), ZERO))
    return None


def _outlasts(factor: Expression, falling: Collection[Pattern], meanings: Meanings) -> bool:
    """Whether an exponential in a factor is one of these, and does not make it 0 as well."""
    if not falling:
        return False
    bare = factor.chosen if isinstance(factor, Where) and factor.otherwise == ZERO else factor
    found = frozenset(_summed(bare, meanings, DEEPEST)).difference(_falling(factor, meanings, DEEPEST))
    return bool(_in_both(found, falling))


def _falling(node: Expression, meanings: Meanings, depth: int) -> Collection[Pattern]:
    """The exponents k of which a factor is 0 before exp(k) is infinite: in a sum, those of every term."""
    match node:
        case Element() if depth:
            meant, inside = meanings.opened(node)
            return () if meant is node else _falling(meant, inside, depth - 1)
        case Apply("exp" | "sigmoid", (argument,)):
            return _decisive(argument, meanings, depth)
        case Multiply(factors):
            return frozenset(each for factor in factors for each in _falling(factor, meanings, depth))
        case Power(base, Number(exponent)) if exponent > 0:
            return _falling(base, meanings, depth)
        case Where(condition, chosen, otherwise) if otherwise == ZERO:
            bounded = frozenset(_bounded(condition, meanings, depth))
            return bounded.union(_falling(chosen, meanings, depth))
        case Where(_, chosen, otherwise) if chosen == ZERO:
            return _falling(otherwise, meanings, depth)
        case Reduction("sum", indices, body):
            found = _falling(body, meanings, depth)
            return frozenset(each for each in found if each[0].free_indices.isdisjoint(indices))
        case Add(terms):
            return reduce(_in_both, (_falling(term, meanings, depth) for term in terms))
    return ()


def _bounded(condition: Expression, meanings: Meanings, depth: int) -> Iterator[Pattern]:
    """The exponents of the exponentials by which a condition fails: abs(f) < g where f is infinite."""
    for part in conjuncts(condition):
        match part:
            case Comparison("<" | "<=", Apply("abs", (size,)), _) | Comparison(
                ">" | ">=", _, Apply("abs", (size,))
            ):
                yield from _summed(size, meanings, depth)
            case Comparison("<" | "<=", size, _) | Comparison(">" | ">=", _, size):
                if NOTHING_KNOWN.is_nonnegative(meanings.of(size)):
                    yield from _summed(size, meanings, depth)


def _in_both(some: Collection[Pattern], others: Collection[Pattern]) -> frozenset[Pattern]:
    """What is among both; at one of some indices, where it is at all of these among the others."""
    pairs = [(one, other) for one in some for other in others]
    found = [one for one, other in pairs if _is_one_of(one[0], other)]
    return frozenset((*found, *(other for one, other in pairs if _is_one_of(other[0], one))))


def _is_one_of(exponent: Expression, pattern: Pattern) -> bool:
    return exponent == pattern[0] or is_instance(exponent, *pattern)


def _decisive(exponent: Expression, meanings: Meanings, depth: int) -> frozenset[Pattern]:
    """The exponents of the exponentials by which one is -infinity; what its maximum has too makes it none."""
    found: set[Pattern] = set()
    shared: set[Pattern] = set()
    for term in terms_of(exponent):
        largest = negate(term)
        if is_maximum(largest):
            bound = largest.indices if isinstance(largest, Reduction) else ()
            values = [frozenset(_summed(each, meanings, depth)) for each in largest.children]
            inside = reduce(_in_both, values)
            shared.update(each for each in inside if each[0].free_indices.isdisjoint(bound))
        elif not any(isinstance(each, Add) and has_maximum(each) for each in factors_of(term)):
            found.update(_summed(term, meanings, depth))
    return frozenset(found - shared)


def _summed(node: Expression, meanings: Meanings, depth: int) -> Iterator[Pattern]:
    """The exponents of the exponentials by which a sum or a product is infinite."""
    match node:
        case Element() if depth:
            meant, inside = meanings.opened(node)
            if meant is not node:
                yield from _summed(meant, inside, depth - 1)
        case Multiply(factors) if any(_is_normaliser(each, meanings) for each in factors):
            return
        case Add() | Multiply():
            for each in node.children:
                yield from _summed(each, meanings, depth)
        case Where(_, chosen, otherwise) if otherwise == LOWEST:
            yield from _summed(chosen, meanings, depth)
        case Reduction("sum", indices, body):
            for exponent, bound in _summed(body, meanings, depth):
                yield exponent, (*bound, *indices)
        case Power(base, Number(value)) if value > 0 and not isinstance(base, Apply):
            yield from _summed(base, meanings, depth)
        case _:
            yield from ((each, ()) for each in _exponents_of(node))


def _is_normaliser(factor: Expression, meanings: Meanings) -> bool:
    """Whether it divides by a sum of exponentials, which is infinite where those above it are."""
    if not is_reciprocal(factor) or any(_exponents_of(factor)):
        return False
    total, _ = meanings.opened(base_and_exponent(factor)[0])
    return any(argument_of("exp", each) is not None for each in total.walk())


def _exponents_of(factor: Expression) -> Iterator[Expression]:
    """The exponent of an exponential that may be large, but for a number before it."""
    base, times = as_power(factor)
    exponent = argument_of("exp", base)
    if exponent is not None and not is_at_most_0(multiply(Number(times), exponent)):
        number, _ = coefficient_and_rest(terms_of(exponent)[0])
        parts = (multiply(Number(times / abs(number)), term) for term in terms_of(exponent))
        yield add(*parts)


def _masked(factor: Expression, meanings: Meanings) -> Iterator[tuple[Expression, Expression]]:
    """The conditions outside which a factor is 0, each with what it is there."""
    pending, seen = [(factor, meanings)], {(factor, meanings.known)}
    while pending:  # a chain of names may be long
        node, known = pending.pop()
        match node:
            case Where(condition, chosen, otherwise) if otherwise == ZERO:
                yield condition, chosen if node is factor else factor
            case Where(condition, chosen, otherwise) if chosen == ZERO:
                yield negated(condition), otherwise if node is factor else factor
            case Apply("relu", (argument,)):
                yield Comparison(">", argument, ZERO), factor
            case Element() if known.says_of_name(node, _leads_to_mask):
                meant, inside = known.opened(node)
                parts = factors_of(meant) if meant is not node else ()
                pending += [(each, inside) for each in reversed(parts) if (each, inside.known) not in seen]
                seen.update((each, inside.known) for each in parts)


def _leads_to_mask(node: Expression, meanings: Meanings) -> bool:
    """Whether a factor is 0 outside some condition; each name is looked at once."""
    match node:
        case Element():
            return meanings.says_of_name(node, _leads_to_mask)
        case Multiply():
            return any(_leads_to_mask(each, meanings) for each in node.factors)
        case Where(_, chosen, otherwise):
            return ZERO in (chosen, otherwise)
        case Apply("relu", _):
            return True
    return False


def _may_overflow(factor: Expression, meanings: Meanings) -> bool:
    """Whether nothing keeps a factor from overflowing."""
    base, exponent = as_power(factor)
    return exponent > 0 and _is_large(base, meanings)


def _is_read(factor: Expression, condition: Expression, meanings: Meanings) -> bool:
    """Whether a condition reads a factor, by its name or behind others, and there at whatever indices."""
    base, _ = as_power(factor)
    read = _read_by(condition, meanings)
    if base in condition.walk() or (isinstance(base, Element) and base.tensor in read):
        return True
    known = (meanings.definitions[each][1].expression for each in read & meanings.definitions.keys())
    inside = (node for each in known for node in each.walk() if isinstance(node, Apply))
    return any(node.function in _GROWING and node.tensors and node.tensors <= base.tensors for node in inside)


def _read_by(condition: Expression, meanings: Meanings) -> set[str]:
    """The tensors that a condition reads, and those behind their names."""
    found: set[str] = set()
    pending = [*condition.tensors]
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            number, equation = meanings.definitions.get(name, (meanings.known, None))
            pending += equation.reads if equation is not None and number < meanings.known else ()
    return found


def _is_large(node: Expression, meanings: Meanings) -> bool:
    """Whether it may overflow, as an exponential or a sum or product of some that nothing divides."""
    match node:
        case Apply(function, (argument,)) if function in _GROWING:
            return not is_at_most_0(argument)
        case Element():
            return meanings.says_of_name(node, _is_large)
        case Multiply():
            return not any(map(is_reciprocal, factors_of(node))) and _is_any_large(node.children, meanings)
        case Add() | Where() | Reduction("sum" | "prod" | "max", _, _):
            return _is_any_large(node.children, meanings)
        case Power(base, Number(exponent)):
            return exponent > 0 and _is_large(base, meanings)
    return False


def _is_any_large(nodes: Sequence[Expression], meanings: Meanings) -> bool:
    return any(_is_large(each, meanings) for each in nodes)
