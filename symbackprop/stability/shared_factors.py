"""Factors that both sides of a quotient have behind names: f/S is h, where f = h*S and S may be too small.

prod(s, g) has as a factor what it is but for one: prod(s, where(s != t, g[s], 1))/prod(s, g[s]) = 1/g[t].
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from symbackprop.exponentials.meanings import Meanings
from symbackprop.exponentials.scaled import has_exponentials
from symbackprop.exponentials.sigmoids import sigmoid_argument
from symbackprop.exponentials.ties import Deltas, tied_by
from symbackprop.integers.bounds import conjunction, conjuncts
from symbackprop.notation.arithmetic import factors_of, multiply, power
from symbackprop.notation.expressions import (
    MINUS_ONE,
    ONE,
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
from symbackprop.notation.substitution import equal_up_to_bound_names, rename_bound, substitute
from symbackprop.stability.cancelling import Cancelling, each_and_rest, taken_in

MOST_NAMES = 8  # opened one inside another: a factor further inside is not looked for


@dataclass(frozen=True)
class _Part:
    """A factor node^exponent; `base` is the same, spelled alike wherever it stands."""

    node: Expression
    base: Expression
    exponent: int


def cancelled_behind_names(node: Expression, meanings: Meanings) -> Expression | None:
    """(f*g)/f = g, where f*g has a name, or f/(f*g), alone and in a sum that is multiplied by it.

    f is an exponential, a sigmoid or made of some.
    """
    if not isinstance(node, Multiply):
        return None
    found = _cancelled(node, meanings)
    seeing = meanings.with_sigmoids()
    # What an exponential makes of a sigmoid is found first.
    is_alone = not any(argument_of("exp", each) is not None for each in node.factors)
    for factor, rest in each_and_rest(node) if found is None else ():
        is_shared = is_product_or_name(factor) and has_exponentials(factor, seeing)
        if is_shared or (is_alone and is_sigmoid(factor)):
            found = taken_in(rest, _CancellingShared(meanings=meanings, shared=factor))
        if found is not None:
            return found
    return found


def is_product_or_name(factor: Expression) -> bool:
    """Whether it may share factors with a name's."""
    return isinstance(factor, Element) or (isinstance(factor, Reduction) and factor.kind == "prod")


def is_sigmoid(factor: Expression) -> bool:
    """Whether it is the function itself: products with it may have names."""
    return isinstance(factor, Apply) and factor.function == "sigmoid"


@dataclass(frozen=True, kw_only=True)
class _CancellingShared(Cancelling):
    """Takes in what has a factor that the name of a denominator has too."""

    shared: Expression

    @property
    def factor(self) -> Expression:
        return self.shared

    def meant(self, name: Element) -> Expression:
        return self.meanings.of_earlier(name)

    def into_factors(self, factors: Sequence[Expression], deltas: Deltas) -> Expression | None:
        for shared in dict.fromkeys((self.shared, *tied_by(self.shared, deltas))):
            found = _cancelled(multiply(*factors, shared), self.meanings)
            if found is not None:
                return found
        return None


def _cancelled(node: Expression, meanings: Meanings) -> Expression | None:
    if not isinstance(node, Multiply) or not any(isinstance(each, Element | Power) for each in node.factors):
        return None
    opened = [tuple(_parts(each, 1, meanings)) for each in node.factors]
    if not any(part.exponent < 0 for parts in opened for part in parts):
        return None
    opened = [tuple([_spelled_part(part, meanings) for part in parts]) for parts in opened]
    seeing = meanings.with_sigmoids()
    for at, parts in enumerate(opened):
        for other_at, others in enumerate(opened):
            for part in parts if other_at != at else ():
                for other in others:
                    ratio = _ratio(part, other, meanings) if part.exponent > 0 > other.exponent else None
                    if ratio is not None and has_exponentials(part.base, seeing):
                        changed = {at: _without(parts, part), other_at: _without(others, other)}
                        kept = [changed.get(place, each) for place, each in enumerate(node.factors)]
                        return multiply(*kept, ratio)
    return None


def _parts(factor: Expression, times: int, meanings: Meanings, depth: int = 0) -> Iterator[_Part]:
    """The factors of a factor^times, through the names of products."""
    base, exponent = as_power(factor)
    meant = meanings.of_earlier(base) if isinstance(base, Element) and depth < MOST_NAMES else base
    if isinstance(meant, Multiply) or (meant is not base and isinstance(meant, Power)):
        for each in factors_of(meant):
            yield from _parts(each, times * exponent, meanings, depth + 1)
        return
    is_product = isinstance(meant, Reduction) and meant.kind == "prod"
    yield _Part(base, meant if is_product else base, times * exponent)


def _spelled_part(part: _Part, meanings: Meanings) -> _Part:
    """The part, a sigmoid in it as the function."""
    return replace(part, base=_spelled(part.base, meanings)) if part.base is part.node else part


def _spelled(node: Expression, meanings: Meanings) -> Expression:
    """A sigmoid as the function, whatever names it has; anything else as it stands."""
    argument = sigmoid_argument(node, meanings)
    return node if argument is None else Apply("sigmoid", (argument,))


def _without(parts: Sequence[_Part], left_out: _Part) -> Expression:
    """The product of the parts, with one of them once less."""
    sign = 1 if left_out.exponent > 0 else -1
    place = parts.index(left_out)
    exponents = (part.exponent - (sign if at == place else 0) for at, part in enumerate(parts))
    return multiply(
        *(power(part.node, Number(each)) for part, each in zip(parts, exponents, strict=True) if each)
    )


def _ratio(above: _Part, below: _Part, meanings: Meanings) -> Expression | None:
    """What is left of one over the other: 1 of the same, 1/f[t] of a product over all but t by that."""
    if equal_up_to_bound_names(above.base, below.base):
        return ONE
    match above.base, below.base:
        case Reduction("prod", (index,), _) as some, Reduction("prod", (_,), _) as all_of_them:
            return _left_out(some, all_of_them, index, meanings)
    return None


def _left_out(some: Reduction, whole: Reduction, index: Index, meanings: Meanings) -> Expression | None:
    """1/f[t] where c[t], else 1: prod(s, where(s != t and c, f, 1))/prod(s, where(c, f, 1))."""
    condition, body = _guard(some)
    renamed = rename_bound(whole, frozenset((index, *some.free_indices)))
    if renamed.indices[0].axis != index.axis:
        return None
    there = substitute(renamed.body, {renamed.indices[0]: index})
    other_condition, other_body = _guard(Reduction("prod", (index,), there))
    left_out = [each for each in condition if each not in other_condition]
    body, other_body = (_spelled(each, meanings) for each in (body, other_body))
    if body != other_body or len(left_out) != 1 or len(condition) != len(other_condition) + 1:
        return None
    match left_out[0]:
        case Comparison("!=", Index() as one, Index() as other) if index in (one, other):
            place = other if one == index else one
            reciprocal = substitute(power(body, MINUS_ONE), {index: place})
            kept = [substitute(each, {index: place}) for each in other_condition]
            return Where(conjunction(kept), reciprocal, ONE) if kept else reciprocal
    return None


def _guard(product: Reduction) -> tuple[list[Expression], Expression]:
    match product.body:
        case Where(condition, chosen, otherwise) if otherwise == ONE:
            return list(conjuncts(condition)), chosen
    return [], product.body
