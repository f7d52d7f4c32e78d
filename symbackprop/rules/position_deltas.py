"""Kronecker deltas of positions: what index arithmetic and lookups leave when they are differentiated.

    y[a] = sum(r, w[r]*x[2*a+r-1])   gives   dy[a]/dx[i] = sum(r, w[r]*delta(2*a+r-1, i))

Inside the sum over a and r that the chain rule makes of it, the delta is solved for an index:
r = i - 2*a + 1, guarded so that r stays inside its axis. A delta of a lookup stays: it is a scatter.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from symbackprop.integers.bounds import Knowledge, conjunction, conjuncts, lower_bound, unproved_bounds
from symbackprop.integers.linear import LinearForm, floor_quotient, linear_form
from symbackprop.notation.arithmetic import (
    factors_of,
    is_sum,
    multiply,
    subtract,
)
from symbackprop.notation.expressions import (
    ZERO,
    Apply,
    Axis,
    Comparison,
    Delta,
    Expression,
    Index,
    Multiply,
    Number,
    Reduction,
    Size,
    Where,
)
from symbackprop.notation.matrix_functions import tensor_read
from symbackprop.notation.substitution import substitute
from symbackprop.rules.conditions import when
from symbackprop.rules.delta_substitution import with_index
from symbackprop.rules.one_index import equated
from symbackprop.rules.stating import stated
from symbackprop.systems.partial import is_partial, is_positive


def solved_sum(
    node: Reduction, place: int, index: Index, value: Expression, also: tuple[Expression, ...] = ()
) -> Expression:
    """The sum without a bound index, which the delta at `place` of the factors says is `value`.

    The guard, that the value lies inside the index' axis and what is in `also`, encloses only the factors
    that read a tensor there, or may be undefined there.
    """
    factors = factors_of(node.body)
    others = (*factors[:place], *factors[place + 1 :])
    guards = (*also, *unproved_bounds(value, index.axis))
    rest = tuple(other for other in node.indices if other != index)
    at = {index: value}
    if guards:
        inside = [factor for factor in others if _needs_guard(factor, index)]
        outside = [substitute(factor, at) for factor in others if factor not in inside]
        for position, moved in _moved_side(factors[place]):
            # Inside the guard p(value) is i: x[i], not x[2*floor(i/2)].
            inside = [with_index(factor, position, moved) for factor in inside]
        chosen = multiply(*(substitute(factor, at) for factor in inside))
        body = multiply(*outside, Where(conjunction(guards), chosen, ZERO))
    else:
        body = multiply(*(substitute(factor, at) for factor in others))
    return Reduction("sum", rest, body) if rest else body


def _needs_guard(factor: Expression, index: Index) -> bool:
    return index in factor.free_indices and (
        is_partial(factor)
        or any(tensor_read(node) is not None and index in node.free_indices for node in factor.walk())
    )


def contract_position(node: Expression) -> Expression | None:
    """sum(a, delta(a+r, i)*f(a)) = f(i-r) where i-r is inside: an index with coefficient 1 is solved for.

    A delta of positions comes before one of a lookup, whose index it may have.
    """
    if not is_sum(node):
        return None
    deltas = [(place, each) for place, each in enumerate(factors_of(node.body)) if isinstance(each, Delta)]
    for whole in (True, False):
        for place, factor in sorted(deltas, key=lambda each: bool(each[1].tensors)):
            form = linear_form(subtract(factor.left, factor.right))
            for index in node.indices:
                if (abs(form.coefficient(index)) == 1) == whole and _is_alone(form, index):
                    return _contracted(node, place, index, form)
    return None


def _is_alone(form: LinearForm, index: Index) -> bool:
    """Whether the form is linear in the index: it is an unknown, and inside no other one."""
    coefficient = form.coefficient(index)
    rest = form.without(index)
    return bool(coefficient) and not any(index in unknown.free_indices for unknown in rest.coefficients)


def _contracted(node: Reduction, place: int, index: Index, form: LinearForm) -> Expression:
    coefficient = form.coefficient(index)
    total = form.without(index).scaled(-1 if coefficient > 0 else 1)
    divisor = abs(coefficient)
    if divisor == 1:
        return solved_sum(node, place, index, total.expression())
    solution, divides = _by_digits(total, divisor, index.axis) or (
        floor_quotient(total.expression(), Number(divisor)),
        Comparison("==", Apply("mod", (total.expression(), Number(divisor))), ZERO),
    )
    return solved_sum(node, place, index, solution, (divides,))


def _by_digits(total: LinearForm, divisor: Fraction, axis: Axis) -> tuple[Expression, Expression] | None:
    """floor(q/n) and mod(q, n) == p for the solution of n*i + p = q, where i's axis has all places of q/n."""
    if divisor.denominator != 1:
        return None
    for number in total.coefficients:
        if not isinstance(number, Index) or total.coefficient(number) != 1:
            continue
        remainder = linear_form(number).plus(total, -1).expression()
        quotient = floor_quotient(number, Number(divisor))
        bounds = (lower_bound(remainder), Comparison("<", remainder, Number(divisor)))
        known = Knowledge.of((remainder,), ())
        if all(map(known.proves, bounds)) and not unproved_bounds(quotient, axis):
            residue = Apply("mod", (number, Number(divisor)))
            return quotient, Comparison("==", residue, remainder)
    return None


def invert_shift(node: Expression) -> Expression | None:
    """sum(i, delta(mod(i + p, size(i)), j)*f(i)) = f(mod(j - p, size(i))): a circular shift, turned back."""
    if not is_sum(node):
        return None
    for place, factor in enumerate(factors_of(node.body)):
        for shifted, index in _moved_side(factor):
            match shifted:
                case Apply("mod", (argument, divisor)) if _has_size(index, divisor):
                    form = linear_form(argument)
                    for bound in node.indices:
                        if _is_shifted(form, bound, divisor) and bound != index:
                            rest = linear_form(index).plus(form.without(bound), -1)
                            turned = _residue(rest.scaled(form.coefficient(bound)), divisor)
                            return solved_sum(node, place, bound, turned)
    return None


def _has_size(index: Index, divisor: Expression) -> bool:
    """Whether the divisor is the size of the index' axis."""
    return linear_form(Size(index.axis)) == linear_form(divisor)


def _is_shifted(form: LinearForm, index: Index, divisor: Expression) -> bool:
    """Whether the form is i + p or p - i for a whole p, and the divisor the size of i's axis."""
    values = (*form.coefficients.values(), form.constant)
    is_whole = all(value.denominator == 1 for value in values)
    return (
        is_whole
        and abs(form.coefficient(index)) == 1
        and _is_alone(form, index)
        and _has_size(index, divisor)
    )


def residue_of_residue(node: Expression) -> Expression | None:
    """mod(mod(f, n) + g, n) = mod(f + g, n), and mod(i, size(i)) = i."""
    match node:
        case Apply("mod", (argument, divisor)) if is_positive(divisor):
            form = linear_form(argument)
            opened = form
            for unknown, times in form.coefficients.items():
                match unknown:
                    case Apply("mod", (inner, same)) if same == divisor and times.denominator == 1:
                        opened = opened.without(unknown).plus(linear_form(inner), times)
            is_index = any(_has_size(each, divisor) for each in form.coefficients if isinstance(each, Index))
            if opened != form or (is_index and isinstance(_residue(form, divisor), Index)):
                return _residue(opened, divisor)
    return None


def _residue(form: LinearForm, divisor: Expression) -> Expression:
    """mod(f, n) without multiples of n in f: the size itself, and of a number what exceeds it."""
    size = linear_form(divisor)
    (unknown, *_) = (*size.coefficients, None)
    if unknown is not None:
        times = form.coefficient(unknown) / size.coefficient(unknown)
    else:
        times = Fraction(form.constant // size.constant)
    reduced = form.plus(size, -times) if times.denominator == 1 else form
    shown = reduced.expression()
    if isinstance(shown, Index) and _has_size(shown, divisor):
        return shown
    return Apply("mod", (shown, divisor))


def _moved_side(factor: Expression) -> Iterator[tuple[Expression, Index]]:
    if isinstance(factor, Delta):
        for position, index in ((factor.left, factor.right), (factor.right, factor.left)):
            if isinstance(index, Index) and not isinstance(position, Index | Number):
                yield position, index


SOLVING_RULES = (
    stated(
        "solve delta",
        "sum(i, delta(n*i + p, q)*f(i)) = f((q - p)/n), or 0 if that is no place of i's axis",
        contract_position,
        where=(
            when("not zero", "n"),
            *(when("independent", each, "i") for each in "pq"),
            when("defined when empty", "f", "i"),
        ),
        decreases="bound indices",
        example="sum(i, j, delta(i+2*j,q)*x[i]*y[j])",
        near_miss="sum(k, delta(ids[k],i)*x[i2])",
        roots=(Reduction,),
    ),
    stated(
        "turn back a circular shift",
        "sum(i, delta(mod(i + p, size(i)), j)*f(i)) = f(mod(j - p, size(i)))",
        invert_shift,
        where=(when("independent", "p", "i"), when("same size", "j", "i")),
        decreases="bound indices",
        example="sum(i, delta(mod(i+1,size(i)),i2)*x[i])",
        near_miss="sum(i, delta(mod(i+1,size(j)),j)*x[i])",
        roots=(Reduction,),
    ),
    stated(
        "residue of a residue",
        "mod(mod(f, n) + g, n) = mod(f + g, n), mod(i, size(i)) = i",
        residue_of_residue,
        decreases="size",
        example="x[mod(mod(i-1,size(i))+2,size(i))]",
        near_miss="x[mod(mod(i-1,size(j))+2,size(i))]",
        roots=(Apply,),
    ),
)


def fixed_position(node: Expression) -> Expression | None:
    """sum(t, where(t == p, f(t), 0)) = f(p) where p lies inside the axis, else 0."""
    if not is_sum(node):
        return None
    factors = factors_of(node.body)
    # delta(t - 1, s)*d[t] is d[s + 1], which keeps the recurrence in sight; d[1] does not.
    if any(isinstance(factor, Delta) for factor in factors) and contract_position(node) is not None:
        return None
    for place, factor in enumerate(factors):
        if isinstance(factor, Where) and factor.otherwise == ZERO:
            parts = conjuncts(factor.condition)
            for part in parts:
                if (found := equated(part, node.indices)) is not None:
                    index, position = found
                    others = [other for other in parts if other != part]
                    inside = Where(conjunction(others), factor.chosen, ZERO) if others else factor.chosen
                    opened = (*factors[:place], Delta(index, position), inside, *factors[place + 1 :])
                    return solved_sum(
                        Reduction("sum", node.indices, Multiply(opened)), place, index, position
                    )
    return None
