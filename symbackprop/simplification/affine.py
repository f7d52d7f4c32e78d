"""Kronecker deltas of positions: what index arithmetic and lookups leave when they are differentiated.

    y[a] = sum(r, w[r]*x[2*a+r-1])   gives   dy[a]/dx[i] = sum(r, w[r]*delta(2*a+r-1, i))

Inside the sum over a and r that the chain rule makes of it, the delta is solved for an index:
r = i - 2*a + 1, guarded so that r stays inside its axis. A delta of a lookup stays: it is a scatter.
"""

from __future__ import annotations

from collections.abc import Iterator

from symbackprop.notation.arithmetic import factors_of, is_sum, multiply, subtract
from symbackprop.notation.bounds import conjunction, unproved_bounds
from symbackprop.notation.expressions import (
    ZERO,
    Apply,
    Comparison,
    Delta,
    Element,
    Expression,
    Index,
    Multiply,
    Number,
    Reduction,
    Where,
)
from symbackprop.notation.linear import LinearForm, floor_quotient, linear_form
from symbackprop.notation.matrices import MatrixFunction, tensor_read
from symbackprop.notation.substitution import rename_bound, substitute
from symbackprop.rewriting.rule import Rule


def solved_sum(
    node: Reduction, place: int, index: Index, value: Expression, also: tuple[Expression, ...] = ()
) -> Expression:
    """The sum without a bound index, which the delta at `place` of the factors says is `value`.

    The guard, that the value lies inside the index' axis and what is in `also`, encloses only the factors
    that read a tensor there.
    """
    factors = factors_of(node.body)
    others = (*factors[:place], *factors[place + 1 :])
    guards = (*also, *unproved_bounds(value, index.axis))
    rest = tuple(other for other in node.indices if other != index)
    body = _guarded(others, guards, index, value)
    return Reduction("sum", rest, body) if rest else body


def _guarded(
    factors: tuple[Expression, ...], guards: tuple[Expression, ...], index: Index, value: Expression
) -> Expression:
    at = {index: value}
    if not guards:
        return multiply(*(substitute(factor, at) for factor in factors))
    inside = [factor for factor in factors if _reads_at(factor, index)]
    outside = [substitute(factor, at) for factor in factors if factor not in inside]
    chosen = multiply(*(substitute(factor, at) for factor in inside))
    return multiply(*outside, Where(conjunction(guards), chosen, ZERO))


def _reads_at(factor: Expression, index: Index) -> bool:
    return index in factor.free_indices and any(
        tensor_read(node) is not None and index in node.free_indices for node in factor.walk()
    )


def contract_position(node: Expression) -> Expression | None:
    """sum(a, delta(a+r, i)*f(a)) = f(i-r) where i-r is inside: an index with coefficient 1 is solved for."""
    if not is_sum(node):
        return None
    for whole in (True, False):
        for place, factor in enumerate(factors_of(node.body)):
            if isinstance(factor, Delta):
                form = linear_form(subtract(factor.left, factor.right))
                for index in node.indices:
                    if (abs(form.coefficient(index)) == 1) == whole and _is_alone(form, index):
                        return _contracted(node, place, index, form)
    return None


def _is_alone(form: LinearForm, index: Index) -> bool:
    """Whether the index stands in the form, and nowhere inside another unknown."""
    coefficient = form.coefficient(index)
    rest = form.without(index)
    return bool(coefficient) and not any(index in unknown.free_indices for unknown in rest.coefficients)


def _contracted(node: Reduction, place: int, index: Index, form: LinearForm) -> Expression:
    coefficient = form.coefficient(index)
    total = form.without(index).scaled(-1 if coefficient > 0 else 1)
    divisor = abs(coefficient)
    if divisor == 1:
        return solved_sum(node, place, index, total.expression())
    solution = floor_quotient(total.expression(), Number(divisor))
    divides = Comparison("==", Apply("mod", (total.expression(), Number(divisor))), ZERO)
    return solved_sum(node, place, index, solution, (divides,))


def join_sum(node: Expression) -> Expression | None:
    """sum(a, f*sum(r, g*delta(a+r, i))) = sum(a, r, f*g*delta(a+r, i)): the delta meets both its sums."""
    if not is_sum(node):
        return None
    factors = factors_of(node.body)
    for place, factor in enumerate(factors):
        if is_sum(factor) and _holds_delta_of(factor, frozenset(node.indices)):
            taken = frozenset(node.indices) | node.body.free_indices
            inner = rename_bound(factor, taken)
            body = multiply(*factors[:place], *factors_of(inner.body), *factors[place + 1 :])
            return Reduction("sum", (*node.indices, *inner.indices), body)
    return None


def _holds_delta_of(inner: Reduction, outer: frozenset[Index]) -> bool:
    return any(
        isinstance(factor, Delta) and bool(factor.free_indices & outer) for factor in factors_of(inner.body)
    )


def substitute_position(node: Expression) -> Expression | None:
    """delta(p,i)*f(p) = delta(p,i)*f(i): where p is not i, both sides are 0."""
    if not isinstance(node, Multiply):
        return None
    for place, factor in enumerate(node.factors):
        for position, index in _moved_side(factor):
            others = (*node.factors[:place], *node.factors[place + 1 :])
            replaced = tuple(
                other if _reads_matrix_at(other, position) else _with_index(other, position, index)
                for other in others
            )
            if replaced != others:
                return multiply(*replaced[:place], factor, *replaced[place:])
    return None


def _moved_side(factor: Expression) -> Iterator[tuple[Expression, Index]]:
    if isinstance(factor, Delta):
        for position, index in ((factor.left, factor.right), (factor.right, factor.left)):
            if isinstance(index, Index) and not isinstance(position, Index | Number):
                yield position, index


def _with_index(expression: Expression, position: Expression, index: Index) -> Expression:
    if expression == position:
        return index
    captured = position.free_indices | {index}
    if isinstance(expression, Reduction) and captured & frozenset(expression.indices):
        return expression
    if isinstance(expression, Element) and position.tensors and position not in expression.positions:
        return expression  # a read beside p, at p + 1, may need the guard that speaks of p
    children = tuple([_with_index(child, position, index) for child in expression.children])
    return expression if children == expression.children else expression.with_children(children)


def _reads_matrix_at(factor: Expression, position: Expression) -> bool:
    """Whether a factor reads matrices at the position: of a batch, one that nobody reads may be singular."""
    return any(
        isinstance(node, MatrixFunction) and any(position in batch.walk() for batch in node.batch)
        for node in factor.walk()
    )


AFFINE_RULES = (
    Rule(
        "delta substitutes",
        "delta(p,i)*f(p) = delta(p,i)*f(i)",
        substitute_position,
        "an index takes the place of a position",
    ),
)
JOINING_RULES = (
    Rule(
        "join sums",
        "sum(a, f*sum(r, g*delta(a+r,i))) = sum(a, r, f*g*delta(a+r,i))",
        join_sum,
        "a sum disappears",
    ),
)
SOLVING_RULES = (
    Rule(
        "solve delta",
        "sum(a, delta(a+r,i)*f(a)) = f(i-r), where i-r is inside, else 0",
        contract_position,
        "a bound index disappears",
    ),
)
