"""A closed form multiplied out into terms, each of which a person may have left out or written twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product

from symbackprop.algebra.normal_form import NormalForm
from symbackprop.algebra.phases import normal_form_rules
from symbackprop.notation.arithmetic import add, factors_of, multiply, negate
from symbackprop.notation.expressions import (
    Add,
    Delta,
    Element,
    Expression,
    Index,
    Multiply,
    Number,
    Power,
    Reduction,
)
from symbackprop.notation.substitution import (
    bound_names_by_height,
    rewrite_bottom_up,
    substitute,
    tidy_bound_names,
)
from symbackprop.systems.partial import Ranges
from symbackprop.systems.system import Equation, System

MOST_TERMS = 24


def multiplied_out(expression: Expression) -> tuple[Expression, ...]:
    """The terms of a sum with every product of sums, and every sum over indices of sums, taken apart.

    The expression alone where that would make more than `MOST_TERMS`.
    """
    match expression:
        case Add(terms):
            found = tuple([part for term in terms for part in multiplied_out(term)])
        case Multiply(factors):
            parts = [multiplied_out(factor) for factor in factors]
            found = tuple([multiply(*each) for each in product(*parts)]) if _is_small(parts) else ()
        case Power(base, Number(exponent)) if exponent == 2:
            found = multiplied_out(Multiply((base, base))) if isinstance(base, Add) else ()
        case Reduction("sum", indices, body):
            found = tuple([Reduction("sum", indices, term) for term in multiplied_out(body)])
        case _:
            found = ()
    return found if 0 < len(found) <= MOST_TERMS else (expression,)


def _is_small(parts: list[tuple[Expression, ...]]) -> bool:
    count = 1
    for each in parts:
        count *= len(each)
    return count <= MOST_TERMS


@dataclass(frozen=True)
class Expansion:
    """Formulas over a system with the names of `adjoints` put in, multiplied out, equal terms together."""

    system: System
    adjoints: Mapping[str, Equation]

    @cached_property
    def _normal_form(self) -> NormalForm:
        return NormalForm(normal_form_rules(Ranges.of(self.system)))

    def terms(self, formula: Expression) -> tuple[Expression, ...]:
        """The terms that the formula has then."""
        whole = self._normal_form.of(_without_names(formula, self.adjoints))
        return tuple([bound_names_by_height(self._normal_form.of(term)) for term in multiplied_out(whole)])

    def difference(self, left: Expression, right: Expression) -> Expression:
        """left - right: 0 where both are one polynomial in sums, else the terms that one has too much."""
        return self.tidied(add(*self.terms(left), *[negate(term) for term in self.terms(right)]))

    def tidied(self, formula: Expression) -> Expression:
        """With the names of bound indices that a person gives."""
        return tidy_bound_names(_named_by_axis(formula), formula.free_indices, self.system.index_names)


def _named_by_axis(formula: Expression) -> Expression:
    """Bound indices called by their axis' label, with as many primes as tell them apart."""
    bound = [index for node in formula.walk() if isinstance(node, Reduction) for index in node.indices]
    names = {
        index: Index(index.axis.label + "'" * (place + 1), index.axis)
        for place, index in enumerate(dict.fromkeys(bound))
    }

    def renamed(node: Expression) -> Expression:
        if isinstance(node, Reduction):
            indices = tuple([names.get(index, index) for index in node.indices])
            return Reduction(
                node.kind, indices, substitute(node.body, dict(zip(node.indices, indices, strict=True)))
            )
        return node

    return rewrite_bottom_up(formula, renamed)


def _without_names(expression: Expression, adjoints: Mapping[str, Equation]) -> Expression:
    """Each adjoint by its equation, but for those that read one another at other steps."""

    def put_in(node: Expression) -> Expression:
        equation = adjoints.get(node.tensor) if isinstance(node, Element) else None
        if equation is None or not isinstance(node, Element):
            return node
        rest = {name: each for name, each in adjoints.items() if name != equation.tensor}
        formula = _without_names(equation.expression, rest)
        if equation.tensor in formula.tensors:
            return node
        return substitute(formula, dict(zip(equation.indices, node.positions, strict=True)))

    return rewrite_bottom_up(expression, put_in)


def without_deltas(value: Expression) -> Expression | None:
    """What stands beside the Kronecker deltas, the tied indices taken for one another."""
    rest: list[Expression] = []
    ties: dict[Index, Expression] = {}
    for factor in factors_of(value):
        if isinstance(factor, Delta) and isinstance(factor.left, Index) and isinstance(factor.right, Index):
            longer, shorter = sorted((factor.left, factor.right), key=lambda each: -len(each.name))
            ties[longer] = shorter
        else:
            rest.append(factor)
    return substitute(multiply(*rest), ties) if rest else None
