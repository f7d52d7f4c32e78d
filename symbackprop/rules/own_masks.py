"""Masks that a tensor brings with it: o[t]*where(t > 0, w[t], 0) is o[t]*w[t] where o[0] is 0.

What a model masks once, its gradients would mask again at every read: r[t] = where(m[t] > 0, f, 0) in
where(m[t] > 0, r[t], 0). The rule belongs to the normal form: what it leaves may be folded, and inlined.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symbackprop.integers.bounds import conjunction, conjuncts
from symbackprop.integers.leaving_guards import is_readable_without
from symbackprop.notation.arithmetic import base_and_exponent, factors_of, multiply
from symbackprop.notation.expressions import ZERO, Comparison, Element, Expression, Multiply, Number, Where
from symbackprop.rewriting.premises import KnownRanges, Vanishing
from symbackprop.rewriting.rule import Rule
from symbackprop.rules.conditions import is_implied, when
from symbackprop.rules.stating import stated
from symbackprop.rules.support import Support, support_of
from symbackprop.systems.partial import NOTHING_KNOWN, Ranges


def without_own_mask(
    node: Expression, supports: Mapping[str, Support], ranges: Ranges = NOTHING_KNOWN
) -> Expression | None:
    """t*where(c, f, 0) = t*f, and where(c, t*r, 0) = t*r for an r that has a mask too, where t is 0 unless c.

    The first for conditions on indices that order no two of them, the second for any. A mask of values keeps
    what it masks, which may be missing data; that of a triangle saves half of the work.
    """
    factors = factors_of(node)
    for place, where in enumerate(factors):
        if isinstance(where, Where) and where.otherwise == ZERO:
            others = (*factors[:place], *factors[place + 1 :])
            conditions = _needed(where, others, supports, ranges)
            if len(conditions) < len(conjuncts(where.condition)):
                inside = Where(conjunction(conditions), where.chosen, ZERO) if conditions else where.chosen
                return multiply(*factors[:place], inside, *factors[place + 1 :])
    return None


def _needed(
    where: Where, others: Sequence[Expression], supports: Mapping[str, Support], ranges: Ranges
) -> list[Expression]:
    """The conditions of a mask that its own factors, and those beside it, do not have."""
    chosen = factors_of(where.chosen)
    own = [_support_of_power(each, supports) for each in chosen]
    conditions = conjuncts(where.condition)
    kept = [each for each in conditions if not each.tensors or not _is_of_one(each, own)]
    beside = [each for factor in (*others, *chosen) for each in _support_of_power(factor, supports)]
    about = tuple([each for each in beside if not each.tensors])
    reading = (where.chosen, *(each for each in kept if each.tensors))  # ch[t - 1] == a is read for t > 0
    if (
        not about
        or ranges.needs_its_mask(where.chosen)
        or not all(is_readable_without(each, where.condition, ranges.axes) for each in reading)
    ):
        return kept
    return [each for each in kept if each.tensors or _orders(each) or not _follows(each, about)]


def _is_of_one(condition: Expression, own: Sequence[Sequence[Expression]]) -> bool:
    """Whether it is that of one factor, and others have some of the same tensors: none is missing data."""
    alike = (any(each.tensors & condition.tensors for each in found) for found in own)
    return all(alike) and any(condition in found for found in own)


def _support_of_power(factor: Expression, supports: Mapping[str, Support]) -> tuple[Expression, ...]:
    base, exponent = base_and_exponent(factor)
    is_positive = isinstance(exponent, Number) and exponent.value > 0
    return support_of(base, supports) if is_positive and isinstance(base, Element) else ()


def _follows(condition: Expression, about: tuple[Expression, ...]) -> bool:
    """Whether a condition on indices follows from these; i != j from j != i, too."""
    match condition:
        case Comparison("==" | "!=" as operator, left, right):
            if condition in about or Comparison(operator, right, left) in about:
                return True
    return is_implied(condition, about)


def _orders(condition: Expression) -> bool:
    """Whether it says which of two indices is the greater one."""
    compared = (each for each in condition.walk() if isinstance(each, Comparison))
    return any(each.operator not in ("==", "!=") and len(each.free_indices) > 1 for each in compared)


def support_rules(supports: Mapping[str, Support], ranges: Ranges = NOTHING_KNOWN) -> tuple[Rule, ...]:
    """The rule for masks beside tensors that are 0 where these are, where so much is known of the tensors."""

    def premise(node: Expression) -> Vanishing:
        read = {name: supports[name] for name in sorted(node.tensors) if name in supports}
        return Vanishing(
            tuple([(Element(name, each.indices), each.conditions) for name, each in read.items()]),
            KnownRanges.of(ranges, node.tensors),
        )

    return (
        stated(
            "mask of a masked tensor",
            "t*where(c, f, 0) = t*f and where(c, t*r, 0) = t*r for a t that is 0 unless c and an r that is 0 "
            "unless d",
            lambda node: without_own_mask(node, supports, ranges),
            where=(when("not partial", "f"), when("readable", "f", "c"), when("about indices", "c")),
            decreases="conditions",
            example="o[t]*where(t > 0, w[t], 0)",
            near_miss="o[t]*where(t > 1, w[t], 0)",
            premise=premise,
            roots=(Multiply, Where),
        ),
    )
