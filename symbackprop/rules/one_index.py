"""Derivatives with Kronecker deltas as factors: one index for those that a delta ties."""

from __future__ import annotations

from symbackprop.notation.arithmetic import add, factors_of, multiply, terms_of
from symbackprop.notation.expressions import (
    Delta,
    Expression,
    Index,
)
from symbackprop.notation.substitution import substitute
from symbackprop.rewriting.measure_context import MeasureContext
from symbackprop.rewriting.rule import WholeRule
from symbackprop.rules.conditions import (
    stated_where,
    when,
)

TIED = "tied indices"
BOTH = "one index for both"


def one_index_for_both(ours: frozenset[Index], theirs: frozenset[Index]) -> WholeRule:
    """The rule for a derivative whose numerator has `ours` and whose denominator has `theirs`."""

    def apply(node: Expression) -> Expression | None:
        ties, deltas, rest = with_one_index(node, ours, theirs)
        after = multiply(deltas, rest)
        return after if ties and after != node else None

    where = (when("of the numerator", "i", "j").words,)
    return WholeRule(
        BOTH,
        stated_where("delta(i,j)*f(i) = delta(i,j)*f(j)", where),
        apply,
        TIED,
        where,
        example="delta(i,i2)*x[i2]*c",
        near_miss="delta(j,j2)*x[i2]*c",
    )


def tied_indices(expression: Expression, context: MeasureContext) -> int:
    """How often an index of the numerator is written that a delta ties to one of the denominator."""
    ties, _, _ = with_one_index(expression, context.numerator, context.denominator)
    return sum(node in ties for node in expression.walk())


def with_one_index(
    expression: Expression, ours: frozenset[Index], theirs: frozenset[Index]
) -> tuple[dict[Index, Index], Expression, Expression]:
    """Where every term has a delta of one of `ours` and one of `theirs` as a factor, the latter for both.

    Returns which of ours they tie to which of theirs, the deltas' product, and the expression without them.
    """
    terms = terms_of(expression)
    ties: dict[Index, Index] = {}
    deltas: list[Delta] = []
    for factor in factors_of(terms[0]):
        tie = _tie(factor, ours, theirs)
        if tie and tie[0] not in ties and all(factor in factors_of(term) for term in terms):
            ties[tie[0]] = tie[1]
            deltas += [factor] if isinstance(factor, Delta) else []
    rest = [multiply(*(each for each in factors_of(term) if each not in deltas)) for term in terms]
    return ties, multiply(*deltas), substitute(add(*rest), ties)


def _tie(factor: Expression, ours: frozenset[Index], theirs: frozenset[Index]) -> tuple[Index, Index] | None:
    if isinstance(factor, Delta):
        for our, their in ((factor.left, factor.right), (factor.right, factor.left)):
            if (
                isinstance(our, Index)
                and isinstance(their, Index)
                and our in ours - theirs
                and their in theirs
            ):
                return our, their
    return None
