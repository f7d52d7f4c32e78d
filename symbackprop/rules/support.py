"""Where a tensor is not 0, and what that keeps from being read.

The adjoint of what only a `where` reads is 0 where it is not chosen: delta_z[i,j] = where(i < j, f, 0). The
chain rule multiplies it with a local derivative that nobody has looked at there, and that may be undefined:
0*nan is not 0. So a partial factor beside such an adjoint is put under the adjoint's own condition.

Likewise a function that stands still, relu(x) below 0, has the derivative 0 whatever it is put into: in that
of sqrt(relu(x)), where(x > 0, 1, 0)/sqrt(relu(x)), the root is put under the mask's condition.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self, TypeAlias

from symbackprop.integers.bounds import conjunction, conjuncts, lies_inside, negated
from symbackprop.languages.phrases import marked, phrase
from symbackprop.notation.arithmetic import multiply
from symbackprop.notation.derivatives import Derivative
from symbackprop.notation.expressions import (
    ZERO,
    Add,
    Comparison,
    Delta,
    Element,
    Expression,
    Index,
    Multiply,
    Reduction,
    Where,
)
from symbackprop.notation.substitution import rename_tensors, rewrite_bottom_up, substitute
from symbackprop.rewriting.justification import Anchor, Equality, Recomputed
from symbackprop.rewriting.wording import Told, Wording
from symbackprop.rules.compared_values import positive_part
from symbackprop.systems.partial import Ranges


@dataclass(frozen=True)
class Support:
    """Conditions on a tensor's own indices, without which its element is 0."""

    indices: tuple[Index, ...]
    conditions: tuple[Expression, ...]

    def at(self, positions: tuple[Expression, ...]) -> tuple[Expression, ...]:
        """The conditions for an element at these positions."""
        here: dict[Index, Expression] = dict(zip(self.indices, positions, strict=True))
        return tuple([substitute(condition, here) for condition in self.conditions])


def support_of(expression: Expression, supports: Mapping[str, Support]) -> tuple[Expression, ...]:
    """Conditions that hold wherever the expression is not 0; `supports` are those of the tensors it reads."""
    match expression:
        case Element(tensor, positions):
            return supports[tensor].at(positions) if tensor in supports else ()
        case Delta(left, right):
            return (Comparison("==", left, right),)
        case Where(condition, chosen, otherwise) if otherwise == ZERO:
            return _each_once(*conjuncts(_without_not(condition)), *support_of(chosen, supports))
        case Where(condition, chosen, otherwise) if chosen == ZERO and not condition.tensors:
            # A comparison of values may see nan: neither it nor its opposite holds then, and f stands there.
            return _each_once(*conjuncts(negated(condition)), *support_of(otherwise, supports))
        case Multiply(factors):
            return _each_once(*(each for factor in factors for each in support_of(factor, supports)))
        case Add(terms):
            first, *others = [support_of(term, supports) for term in terms]
            return tuple(each for each in first if all(each in other for other in others))
        case Reduction("sum", indices, body):
            found = support_of(body, supports)
            return tuple(each for each in found if not each.free_indices & frozenset(indices))
    return ()


def _without_not(condition: Expression) -> Expression:
    """t != 0 for not (t == 0), of indices alone: a comparison of values may see nan."""
    return condition if condition.tensors else negated(negated(condition))


def _each_once(*conditions: Expression) -> tuple[Expression, ...]:
    return tuple(dict.fromkeys(conditions))


_GUARDED = marked("{adjoint} is 0 unless {condition}")
AdjointSupport: TypeAlias = Mapping[Expression, tuple[Expression, ...]]


@dataclass(frozen=True)
class Guarding(Recomputed):
    """Those factors that are partial put under the conditions of the adjoint's support."""

    support: tuple[tuple[Expression, tuple[Expression, ...]], ...]
    partial_factors: frozenset[Expression]
    name: str = "guard"
    statement: str = "dE/dw*f = dE/dw*where(c, f, 0) where dE/dw is 0 unless c"
    kind: ClassVar[str] = "guard"
    whole: ClassVar[bool] = True

    @property
    def equations(self) -> tuple[Equality, ...]:
        """None: it speaks of where an adjoint is 0."""
        return ()

    def wording(self, before: Expression, after: Expression, told: Told) -> Wording:
        """Of each adjoint where it is 0, each time."""
        return Wording.each_time(
            tuple(
                [
                    phrase(_GUARDED, adjoint=adjoint, condition=conjunction(list(conditions)))
                    for adjoint, conditions in self.support
                    if conditions
                ]
            )
        )

    @classmethod
    def of(
        cls, support: AdjointSupport, ranges: Ranges, supports: Mapping[str, Support], node: Expression
    ) -> Self:
        """Where the adjoints have this support, for the factors in a chain rule that may be undefined.

        A tensor that is 0 itself without those conditions, by its own support, needs no guard.
        """
        partial: set[Expression] = set()
        for product in node.walk():
            if isinstance(product, Multiply):
                needed = {each for factor in product.factors for each in support.get(factor, ())}
                partial |= {
                    factor
                    for factor in product.factors
                    if ranges.needs_its_mask(factor) and not _is_masked(factor, needed, supports)
                }
        return cls(tuple(support.items()), frozenset(partial))

    def rests_on(self, anchor: Anchor, before: Expression, place: Sequence[int]) -> bool:
        """Whether the adjoints have that support."""
        return all(anchor.vanishes_unless(*each) for each in self.support)

    def again(self, node: Expression) -> Expression:
        """The chain rule's sum with its guards."""
        return with_guards(node, dict(self.support), self.partial_factors)

    def renamed(self, names: Mapping[str, str]) -> Self:
        """The same in other names."""
        support = [
            (rename_tensors(adjoint, names), tuple([rename_tensors(each, names) for each in conditions]))
            for adjoint, conditions in self.support
        ]
        factors = frozenset(rename_tensors(factor, names) for factor in self.partial_factors)
        return replace(self, support=tuple(support), partial_factors=factors)


@dataclass(frozen=True)
class Masking(Recomputed):
    """Those factors that may be undefined, though the model is not, put under the conditions of masks."""

    undefined: frozenset[Expression]
    name: str = "keep under the mask"
    statement: str = "f*where(c, g, 0) = where(c, f*g, 0), where f may be undefined"
    kind: ClassVar[str] = "mask"
    whole: ClassVar[bool] = True

    @property
    def equations(self) -> tuple[Equality, ...]:
        """None: what is 0 is 0 beside whatever is defined."""
        return ()

    @classmethod
    def of(cls, node: Expression, is_undefined: Callable[[Expression], bool]) -> Self:
        """For the factors beside a mask of which that is so."""
        products = (each for each in node.walk() if isinstance(each, Multiply) and _mask_of(each.factors))
        return cls(frozenset(factor for each in products for factor in each.factors if is_undefined(factor)))

    def again(self, node: Expression) -> Expression:
        """The products with their factors under masks."""
        return rewrite_bottom_up(node, self._masked)

    def _masked(self, node: Expression) -> Expression:
        if not (isinstance(node, Multiply) and any(self._is_exposed(node, each) for each in node.factors)):
            return node
        inside: list[Expression] = []
        beside: list[Expression] = []
        for factor in node.factors:
            is_mask = isinstance(factor, Where) and factor.otherwise == ZERO
            chosen = factor.chosen if is_mask and isinstance(factor, Where) else factor
            (inside if is_mask or factor in self.undefined else beside).append(chosen)
        return multiply(*beside, Where(conjunction(list(_mask_of(node.factors))), multiply(*inside), ZERO))

    def _is_exposed(self, node: Multiply, factor: Expression) -> bool:
        """Whether the factor may be undefined where another one is 0, and is read there."""
        if factor not in self.undefined:
            return False
        own = _mask_of((factor,))
        others = _mask_of([each for each in node.factors if each != factor])
        # What indices alone decide is which elements an element moves: a contraction with a mask.
        return any(each not in own and (each.tensors or not each.free_indices) for each in others)

    def renamed(self, names: Mapping[str, str]) -> Self:
        """The same in other names."""
        return replace(self, undefined=frozenset(rename_tensors(each, names) for each in self.undefined))


def _mask_of(factors: Collection[Expression]) -> tuple[Expression, ...]:
    """The conditions without which one of the factors is 0, deltas apart: those are contracted."""
    found: list[Expression] = []
    for factor in factors:
        part = positive_part(factor)
        if part is not None:
            found.append(Comparison(">", part, ZERO))
        support = support_of(factor, {})
        deltas = [each for each in factor.walk() if isinstance(each, Delta)] if support else []
        contracted = [Comparison("==", *each.children) for each in deltas]
        found += [each for each in support if each not in contracted]
    return _each_once(*found)


def _is_masked(factor: Expression, conditions: set[Expression], supports: Mapping[str, Support]) -> bool:
    """Whether a tensor is 0 itself where one of the conditions fails."""
    return isinstance(factor, Element) and conditions <= {*support_of(factor, supports)}


def with_guards(
    expression: Expression,
    support: AdjointSupport,
    partial_factors: Collection[Expression],
) -> Expression:
    """The chain rule's sum, where partial factors are guarded by the conditions of the adjoint's support.

    A partial factor gets those conditions that speak of its own indices alone. Where one says that an index
    is at a position, the factor is read there instead.
    """

    def guard(node: Expression) -> Expression:
        if not isinstance(node, Multiply):
            return node
        adjoints = [factor for factor in node.factors if isinstance(factor, Derivative)]
        conditions = _each_once(*(each for adjoint in adjoints for each in support.get(adjoint, ())))
        return _guarded_product(node, conditions, partial_factors) if conditions else node

    return rewrite_bottom_up(expression, guard)


def _guarded_product(
    node: Multiply, conditions: tuple[Expression, ...], partial_factors: Collection[Expression]
) -> Expression:
    factors: list[Expression] = []
    guarded: dict[tuple[Expression, ...], list[Expression]] = {}
    for factor in node.factors:
        at, needed = _what_guards(factor, conditions, partial_factors)
        if needed:
            guarded.setdefault(needed, []).append(substitute(factor, at))
        else:
            factors.append(substitute(factor, at))
    wheres = [Where(conjunction(needed), multiply(*parts), ZERO) for needed, parts in guarded.items()]
    return multiply(*factors, *wheres)


def _what_guards(
    factor: Expression, conditions: tuple[Expression, ...], partial_factors: Collection[Expression]
) -> tuple[dict[Index, Expression], tuple[Expression, ...]]:
    """At which places the factor is to be read, and under which conditions."""
    at: dict[Index, Expression] = {}
    needed: list[Expression] = []
    if not isinstance(factor, Derivative) and factor in partial_factors:
        own = conjuncts(factor.condition) if isinstance(factor, Where) and factor.otherwise == ZERO else ()
        for condition in conditions:
            if condition.free_indices <= factor.free_indices:
                place = _place_said(condition)
                if place is None:
                    needed.append(condition)
                elif condition not in own:
                    at = {**at, place[0]: place[1]}
    added = [each for each in needed if each not in own]
    # What is read in a condition on values may need those on indices before it, the factor's own ones too.
    kept = needed if any(each.tensors for each in added) else added
    return at, tuple([substitute(condition, at) for condition in kept])


def _place_said(condition: Expression) -> tuple[Index, Expression] | None:
    """(i, p) of i == p, where p is sure to lie inside i's axis."""
    if isinstance(condition, Comparison) and condition.operator == "==":
        for index, position in ((condition.left, condition.right), (condition.right, condition.left)):
            apart = isinstance(index, Index) and index not in position.free_indices
            if isinstance(index, Index) and apart and lies_inside(position, index):
                return index, position
    return None
