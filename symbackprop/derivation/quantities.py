"""Which parts of an equation a person would name: contractions, residuals, norms and what they divide.

The root of a sum that stands below what it sums over is named, and the quotient,
xhat = (x - mean(i, x))/sqrt(var(i, x) + eps), also where the sum or the root has a name of its own. So is
the root of a sum that rules would write otherwise, norm(i, a*x[i]), so that it stays one, the quotient in
(s/r)^12, and the residual of (sum(k, w[i,k]*c[j,k]) + b[i] - x[i,j])^2 by several tensors.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain, combinations

from symbackprop.derivation.differentiation import put_together
from symbackprop.functions.table import ALL_FUNCTIONS
from symbackprop.integers.bounds import Knowledge, conjunction
from symbackprop.notation.arithmetic import (
    add,
    base_and_exponent,
    coefficient_and_rest,
    factors_of,
    is_reciprocal,
    is_root,
    is_sum,
    multiply,
    terms_of,
)
from symbackprop.notation.expressions import (
    MINUS_ONE,
    ZERO,
    Add,
    Apply,
    Element,
    Expression,
    Index,
    Number,
    Power,
    Reduction,
    Where,
)
from symbackprop.notation.substitution import elements_of
from symbackprop.systems.partial import is_partial
from symbackprop.systems.system import Equation

LEVELS_OF_NAMES = 2


def holds_contraction(expression: Expression) -> bool:
    """Whether a sum of a product stands in the expression, or of products that a condition chooses."""
    return any(is_sum(node) and _is_product(node.body) for node in expression.walk())


def is_compared(argument: Expression, function: str, typed: Expression) -> bool:
    """Whether a function with a kink has terms for its argument in which a sum over an index was typed.

    Its derivative repeats the argument in each condition: max(0, norm(i, x[i]) - norm(i, y[i]) + 1).
    """
    is_long = isinstance(argument, Add) and any(map(is_sum, typed.walk()))
    return is_long and ALL_FUNCTIONS[function].kink is not None


def is_preferred_overlap(call: Apply, argument: Expression, typed: Expression) -> bool:
    """Whether it is what max(f, 0) or min(f, 1) prefers at a tie, with an extremum of two tensors in f.

    Each condition of its derivative repeats f, as no name says f >= 0: max(min(a[n], b[n]) - c[n], 0).
    """
    is_first = call.function in ("max", "min") and argument is call.arguments[0]
    return is_first and isinstance(argument, Add) and any(map(_is_extremum, typed.walk()))


def _is_extremum(node: Expression) -> bool:
    """Whether it is the greater or the less of two values that both read tensors."""
    is_one = isinstance(node, Apply) and node.function in ("max", "min")
    return is_one and all(each.tensors for each in node.children)


def _is_product(body: Expression) -> bool:
    if isinstance(body, Where) and body.otherwise == ZERO:
        return _is_product(body.chosen)
    return len(factors_of(body)) > 1


def is_rewritten(root: Power) -> bool:
    """Whether it is the root of a sum of powers of products, which rules multiply out."""
    return isinstance(root.base, Reduction) and put_together(root.base) != root.base


def is_root_of_contractions(root: Power, movable: frozenset[str]) -> bool:
    """Whether it is the root of contractions and other terms, or of two squares, by two of these tensors.

    Its derivative by each of them reads it: that of mean(i, g[i]^2) - w*mean(i, g[i])^2, or of
    1 + (a*x[n] - u[n])^2 + (a*y[n] - v[n])^2.
    """
    if not isinstance(root.base, Add) or len(root.tensors & movable) < 2:
        return False
    return any(map(is_sum, _parts(root.base))) or sum(map(_is_square_of_sum, root.base.terms)) > 1


def _is_square_of_sum(term: Expression) -> bool:
    base, exponent = base_and_exponent(term)
    return isinstance(base, Add) and exponent == Number(2)


def _parts(base: Add) -> Iterator[Expression]:
    """The factors of the terms, without their powers."""
    return (base_and_exponent(factor)[0] for term in base.terms for factor in factors_of(term))


def is_squared_residual(
    expression: Expression, movable: frozenset[str], loop_carried: frozenset[str] = frozenset()
) -> bool:
    """Whether it is the square, or a higher power, of a difference with more in it, by two of these tensors.

    Its derivative by each of them reads it: that of a contraction, of v*x[n]/(x[n] + c) - d[n].
    """
    base, exponent = base_and_exponent(expression)
    is_power = isinstance(exponent, Number) and exponent.value > 1 and exponent.value.denominator == 1
    terms = base.terms if is_power and isinstance(base, Add) else ()
    if not base.tensors.isdisjoint(loop_carried):  # what a step adds to both sides of a quotient may cancel
        terms = tuple([each for each in terms if is_sum(each)])
    return len(base.tensors & movable) > 1 and any(map(_is_computed, terms))


def _is_computed(term: Expression) -> bool:
    """Whether a term is a contraction, or has a function, power or sum in it; no mean taken off, nor w*x."""
    _, rest = coefficient_and_rest(term)
    if len(rest) == 1 and isinstance(rest[0], Reduction):
        return is_sum(term) and _is_product(term.body)
    if len(rest) == 1 and isinstance(rest[0], Add):
        return False  # (x - m) - mean(b, x - m)
    return any(isinstance(each, Add | Apply | Power) and each.tensors for each in rest)


def terms_guarded(residual: Expression, conditions: Sequence[Expression]) -> Expression:
    """The residual, of which each term that may be undefined keeps the conditions on it."""
    of_values = [each for each in conditions if each.tensors]
    own = [each for each in of_values if each.free_indices <= residual.free_indices]

    def written(term: Expression) -> Expression:
        number, rest = coefficient_and_rest(term)
        product = multiply(*rest)
        return multiply(Number(number), guarded(product, own) if is_partial(term) else product)

    return add(*map(written, residual.children))


def guarded(part: Expression, conditions: Sequence[Expression]) -> Expression:
    """The part where the conditions hold that are about its indices, elsewhere 0."""
    own = [each for each in conditions if each.free_indices <= part.free_indices]
    return Where(conjunction(own), part, ZERO) if own else part


def is_power_of_quotient(expression: Expression, movable: frozenset[str]) -> bool:
    """Whether it is (s/r)^n for n or -n above 2: s^n or r^n may be too large, a square rarely is."""
    base, exponent = base_and_exponent(expression)
    is_high = isinstance(exponent, Number) and exponent.value.denominator == 1 and abs(exponent.value) > 2
    factors = factors_of(base) if is_high else ()
    above = [each for each in factors if not is_reciprocal(each) and each.tensors]
    return 0 < len(above) < len(factors) and not base.tensors.isdisjoint(movable)


def normalised_places(
    factors: Sequence[Expression], formulas: Mapping[str, Expression]
) -> tuple[tuple[int, ...], int] | None:
    """Where a product divides by the root of a sum over other factors: the places of these, and of the root.

    They read a tensor that the sum reads, at indices over the axes that it sums over: x[i]/norm(i, x[i]).
    The sum may have a name, whose formula is among these: (x[i] - m)/sqrt(v + eps).
    """
    roots = [factor.base if is_root(factor) and is_reciprocal(factor) else None for factor in factors]
    return _places_over(roots, factors, formulas)


def places_over_name(
    factors: Sequence[Expression], formulas: Mapping[str, Expression]
) -> tuple[tuple[int, ...], int] | None:
    """The same where the root has a name: (x[i] - m)/s."""
    return _places_over([_named_root(factor, formulas) for factor in factors], factors, formulas)


def _named_root(factor: Expression, formulas: Mapping[str, Expression]) -> Expression | None:
    """What the root is of that a factor divides by through its name."""
    name, exponent = base_and_exponent(factor)
    formula = formulas.get(name.tensor) if isinstance(name, Element) and exponent == MINUS_ONE else None
    return formula.base if formula is not None and is_root(formula) and not is_reciprocal(formula) else None


def _places_over(
    roots: Sequence[Expression | None], factors: Sequence[Expression], formulas: Mapping[str, Expression]
) -> tuple[tuple[int, ...], int] | None:
    for below, root in enumerate(roots):
        if root is not None:
            sums = list(_sums_in(root, formulas))
            others = (place for place in range(len(factors)) if place != below)
            above = tuple([place for place in others if _is_summed(factors[place], sums)])
            if above:
                return above, below
    return None


def _sums_in(
    expression: Expression, formulas: Mapping[str, Expression], levels: int = LEVELS_OF_NAMES
) -> Iterator[Reduction]:
    """The sums, and those behind the names that stand beside them: v, or v = q/n with q = sum(i, x[i]^2)."""
    for node in expression.walk():
        if isinstance(node, Reduction) and is_sum(node):
            yield node
        elif isinstance(node, Element) and node.tensor in formulas and levels:
            formula = formulas[node.tensor]
            own = any(map(is_sum, formula.walk()))
            yield from _sums_in(formula, formulas, 0 if own else levels - 1)


def _is_summed(factor: Expression, sums: Sequence[Reduction]) -> bool:
    axes = {index.axis for index in factor.free_indices}
    return any(
        not each.tensors.isdisjoint(factor.tensors) and axes.issuperset(index.axis for index in each.indices)
        for each in sums
    )


def is_no_larger(expression: Expression) -> bool:
    """Whether an expression is an array no larger than one that it reads."""
    return any(expression.free_indices <= read.free_indices for read in elements_of(expression))


def free_in_order(expression: Expression, equation: Equation) -> tuple[Index, ...]:
    """The free indices, those of the equation's left-hand side first, then in the order it binds them."""
    free = expression.free_indices
    bound = (each.indices for each in equation.expression.walk() if isinstance(each, Reduction))
    seen = dict.fromkeys(index for index in chain(equation.indices, *bound) if index in free)
    seen.update(dict.fromkeys(node for node in expression.walk() if isinstance(node, Index) and node in free))
    return tuple(seen)


def is_in_blocks(expression: Expression) -> bool:
    """Whether it is a sum of `where`s on indices of which no two are chosen at one place."""
    chosen = [
        [
            factor.condition
            for factor in factors_of(term)
            if isinstance(factor, Where) and factor.otherwise == ZERO and not factor.condition.tensors
        ]
        for term in terms_of(expression)
    ]
    return len(chosen) > 1 and all(
        one and other and Knowledge.of((), (*one, *other)).is_contradictory
        for one, other in combinations(chosen, 2)
    )


def looks_up(expression: Expression, tensors: Collection[str]) -> bool:
    """Whether it reads one of these where data say. A name that is 0 outside of a guard would hide that."""
    found = (each for each in expression.walk() if isinstance(each, Element) and each.tensor in tensors)
    return any(position.tensors for each in found for position in each.positions)
