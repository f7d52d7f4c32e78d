"""A `where` between the ends of an axis and the rest of it, under a sum: one sum for each case.

    sum(n, t, delta[n,t,j]*where(t == 0, h0[k], h[n,t-1,k]))

is sum(n, delta[n,0,j]*h0[k]), if there is a first step, and the sum of delta[n,t,j]*h[n,t-1,k] over t >= 1.
"""

from __future__ import annotations

from dataclasses import replace

from symbackprop.indexing.windows import simplified
from symbackprop.integers.base_sizes import related_form
from symbackprop.integers.bounds import negated
from symbackprop.integers.linear import LinearForm, linear_form
from symbackprop.notation.arithmetic import add, factors_of, is_sum, multiply
from symbackprop.notation.expressions import (
    ONE,
    ZERO,
    Comparison,
    Expression,
    Index,
    Number,
    Reduction,
    Size,
    Where,
)
from symbackprop.notation.substitution import rewrite_bottom_up, substitute


def with_cases_apart(expression: Expression) -> Expression:
    """The expression, where every sum over a `where` about one end of its index is a sum for each case."""
    return rewrite_bottom_up(expression, _cases_apart) if expression.binds else expression


def _cases_apart(node: Expression) -> Expression:
    if not is_sum(node):
        return node
    factors = factors_of(node.body)
    for place, factor in enumerate(factors):
        if isinstance(factor, Where):
            index = _one_end(factor.condition, node.indices)
            if index is not None:
                cases = (
                    (factor.condition, factor.chosen),
                    (negated(factor.condition), factor.otherwise),
                )
                before, after = factors[:place], factors[place + 1 :]
                return add(
                    *(
                        _case(node, index, condition, multiply(*before, value, *after))
                        for condition, value in cases
                        if value != ZERO
                    )
                )
    return node


def _one_end(condition: Expression, bound: tuple[Index, ...]) -> Index | None:
    """t where the condition is t == 0 or t == size(t)-1, or says that it is not."""
    if not (isinstance(condition, Comparison) and condition.operator in ("==", "!=")):
        return None
    if condition.left not in bound or condition.tensors:
        return None
    index = condition.left
    assert isinstance(index, Index)
    return index if related_form(condition.right) in (LinearForm({}), _last(index)) else None


def _last(index: Index) -> LinearForm:
    return related_form(add(Size(index.axis), Number(-1)))


def _case(node: Reduction, index: Index, condition: Expression, body: Expression) -> Expression:
    """The sum at that end, or over all but that end."""
    assert isinstance(condition, Comparison)
    is_first = linear_form(condition.right) == LinearForm({})
    if condition.operator == "==":
        there = simplified(substitute(body, {index: condition.right}))
        others = tuple(other for other in node.indices if other != index)
        total = Reduction("sum", others, there) if others else there
        return Where(Comparison(">", Size(index.axis), ZERO), total, ZERO)
    before_last = Comparison("<", add(index, ONE), Size(index.axis))
    rest = Comparison(">=", index, ONE) if is_first else before_last
    return replace(node, body=Where(rest, body, ZERO))
