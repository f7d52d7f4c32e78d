"""Roots of sums of squares where they are 0: the unit vector x/sqrt(sum(i, x[i]^2)) of 0 is 0, as sign(0) is.

The derivative of a norm is its unit vector. At 0 every vector that is not longer than 1 is a subgradient, and
the language takes 0.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial, reduce
from itertools import islice

from symbackprop.exponentials.meanings import Meanings
from symbackprop.integers.bounds import conjunction, conjuncts
from symbackprop.notation.arithmetic import (
    add,
    base_and_exponent,
    factors_of,
    is_root,
    multiply,
)
from symbackprop.notation.expressions import (
    ZERO,
    Add,
    Comparison,
    Delta,
    Expression,
    Index,
    Multiply,
    Number,
    Power,
    Reduction,
    Where,
)
from symbackprop.notation.pairs import as_power
from symbackprop.notation.substitution import (
    rename_bound,
    rewrite_bottom_up,
    substitute,
)
from symbackprop.rules.delta_substitution import sides_of
from symbackprop.stability.never_zero import beside_itself, nonzero_in, takes_directions
from symbackprop.stability.squares import (
    Root,
    Square,
    divides,
    magnitudes_in,
    root_of,
    roots_below,
    squares_in,
)
from symbackprop.systems.system import Equation


def unit_vector(node: Expression, meanings: Meanings) -> Expression | None:
    """f/n, where n is the root of a sum of squares, f one of them, and n may be 0: 1/n counts as 0 there.

    None where the reciprocal grows faster than the other factors fall: f/n^2 has no bound.
    """
    if isinstance(node, Where) and node.otherwise == ZERO:
        factors = list(factors_of(node.chosen))
        within = _guarded_product(factors, meanings, (), conjuncts(node.condition))
        return None if within in (None, factors) else Where(node.condition, multiply(*within or ()), ZERO)
    if not isinstance(node, Multiply):
        return None
    opened = [each for factor in node.factors for each in _opened(factor, meanings)]
    for factors in ([*node.factors], opened):
        found = _guarded_product(factors, meanings)
        if found is not None and found != factors:
            return multiply(*found)
    return None


def _read_at_deltas(factors: Sequence[Expression]) -> tuple[Expression, ...]:
    """The factors of a product, each beside delta(p,i) with p for i: where x[p] is read, x[i] is the same."""
    read = factors
    for delta in factors:
        for position, index in islice(sides_of(delta), 1):
            if index not in position.free_indices:
                read = [
                    each if isinstance(each, Delta) else substitute(each, {index: position}) for each in read
                ]
    return tuple(read)


def _guarded_product(
    factors: Sequence[Expression],
    meanings: Meanings,
    beside: Sequence[Expression] = (),
    known: Collection[Expression] = (),
) -> list[Expression] | None:
    """The factors of a product, that stands `beside` others, with their reciprocals of roots guarded.

    It is looked at where the `known` conditions hold.
    """
    read = _read_at_deltas((*factors, *beside))
    for factor, as_read in zip(factors, read, strict=False):
        roots = zip(roots_below(factor, meanings), roots_below(as_read, meanings), strict=False)
        bounded = [root for root, there in roots if _is_bounded(read, there, meanings, known)]
        if bounded:
            guard = partial(_guarded, meanings=meanings)
            return [reduce(guard, bounded, each) for each in factors]
    for at, factor in enumerate(factors):
        others = [*factors[:at], *factors[at + 1 :], *beside]
        guarded = _guarded_inside(factor, others, meanings)
        if guarded != factor:
            return [*factors[:at], guarded, *factors[at + 1 :]]
    return None


def _is_bounded(
    factors: Sequence[Expression], root: Root, meanings: Meanings, known: Collection[Expression]
) -> bool:
    """Whether a product with the reciprocal of a root has a bound where the root is 0, under conditions."""
    product = multiply(*factors)
    exponent = _exponent(product, root, meanings)
    squares = squares_in(root.radicand, meanings)
    if exponent.denominator == 1 or squares:
        return exponent.denominator > 1 and _order(product, root, squares, meanings) >= 0
    # One product, as r*y^2 is for r = relu(x).
    masks = [each.condition for each in factors if isinstance(each, Where) and each.otherwise == ZERO]
    conditions = {*known, *(part for each in masks for part in conjuncts(each))}
    magnitudes = magnitudes_in(root.radicand, meanings)
    return bool(magnitudes) and all(
        each.order_in(factors) + exponent * each.exponent >= 0 or each.is_positive_where(conditions, meanings)
        for each in magnitudes
    )


def _guarded_inside(factor: Expression, beside: Sequence[Expression], meanings: Meanings) -> Expression:
    """A sum that stands `beside` others, with the reciprocals of roots in its terms guarded."""
    match factor:
        case Add(terms):
            guarded_terms = tuple([_guarded_term(term, beside, meanings) for term in terms])
            return factor if guarded_terms == terms else add(*guarded_terms)
        case Reduction("sum"):
            inner = rename_bound(factor, frozenset().union(*(each.free_indices for each in beside)))
            guarded = _guarded_term(inner.body, beside, meanings)
            return factor if guarded == inner.body else inner.with_children((guarded,))
    return factor


def _guarded_term(term: Expression, beside: Sequence[Expression], meanings: Meanings) -> Expression:
    found = _guarded_product(factors_of(term), meanings, beside)
    return term if found is None else multiply(*found)


def with_unit_vectors(equations: Sequence[Equation], before: Sequence[Equation]) -> list[Equation]:
    """The equations, which read those `before` and earlier ones, with unit vectors that are 0 at 0."""
    if not any(is_root(node) for each in (*before, *equations) for node in each.expression.walk()):
        return list(equations)
    definitions = {each.tensor: (number, each) for number, each in enumerate((*before, *equations))}
    meanings = Meanings(definitions, known=len(definitions))

    def rewritten(each: Equation, rewrite: Callable[[Expression, Meanings], Expression | None]) -> Equation:
        there = replace(meanings, known=definitions[each.tensor][0])
        guard = partial(_rewritten_or_as_it_is, rewrite, there)
        return replace(each, expression=rewrite_bottom_up(each.expression, guard))

    guarded = [rewritten(each, unit_vector) for each in equations]
    if takes_directions([rewritten(each, unit_vector) for each in before], meanings):
        guarded = [rewritten(each, beside_itself) for each in guarded]
    return guarded


def _rewritten_or_as_it_is(
    rewrite: Callable[[Expression, Meanings], Expression | None], meanings: Meanings, node: Expression
) -> Expression:
    return rewrite(node, meanings) or node


def _opened(factor: Expression, meanings: Meanings) -> Iterator[Expression]:
    """The factors that a name stands for, if the reciprocal of a root is among them."""
    equation = meanings.definition(factor)
    if equation is not None and any(map(divides, factors_of(equation.expression))):
        opened = factors_of(meanings.of(factor))
        if any(any(roots_below(each, meanings)) for each in opened):
            yield from opened
            return
    yield factor


def _order_of_product(
    factors: Sequence[Expression], root: Root, squares: Sequence[Square], meanings: Meanings
) -> Fraction:
    """A power of the radicand that bounds the product near 0, as far as that is known."""
    alone = [_order(each, root, squares, meanings) for each in factors]
    bounded = [each for each, order in zip(factors, alone, strict=True) if not order]
    together = (square.order for square in squares if len(bounded) > 1 and _is_in_a_term(square, bounded))
    return sum(alone, next(together, Fraction(0)))


def _is_in_a_term(square: Square, factors: Sequence[Expression]) -> bool:
    """Whether the square's base stands in a product, or in every term of a sum that is one of the factors."""
    if square.is_in(multiply(*factors)):
        return True
    for at, factor in enumerate(factors):
        if isinstance(factor, Reduction) and factor.kind == "sum":
            others = [*factors[:at], *factors[at + 1 :]]
            taken = frozenset().union(_free_in([square]), *(each.free_indices for each in others))
            if _is_in_a_term(square, [*others, *factors_of(rename_bound(factor, taken).body)]):
                return True
    return False


def _order(factor: Expression, root: Root, squares: Sequence[Square], meanings: Meanings) -> Fraction:
    """The same of one factor; 0 for what is not known."""
    if isinstance(factor, Multiply):
        return _order_of_product(factor.factors, root, squares, meanings)
    base, exponent = base_and_exponent(factor)
    if isinstance(exponent, Number) and exponent.value > 0 and isinstance(factor, Power):
        return exponent.value * _order(base, root, squares, meanings)
    if isinstance(factor, Where) and factor.otherwise == ZERO:
        masked = tuple(_masked_powers(factor))
        if masked != (factor,):
            return _order_of_product(masked, root, squares, meanings)
    for square in squares:
        if square.is_in(factor):
            return square.order
    match factor:
        case Add(terms):
            return min(_order(each, root, squares, meanings) for each in terms)
        case Where(_, chosen, otherwise) if otherwise == ZERO:
            return _order(chosen, root, squares, meanings)
        case Reduction("sum"):
            inner = rename_bound(factor, _free_in(squares))
            return _order(inner.body, root, squares, meanings)
    return _exponent(factor, root, meanings)


def _masked_powers(node: Where) -> Iterator[Expression]:
    """where(c, f^2*g, 0) as where(c, f, 0)^2 and where(c, g, 0), where one of them is a power above 1."""
    powers = [(each, *as_power(each)) for each in factors_of(node.chosen)]
    if all(exponent < 2 for _, _, exponent in powers):
        yield node
        return
    for factor, base, exponent in powers:
        part = factor if exponent < 2 else base
        masked = node.with_children((node.condition, part, node.otherwise))
        yield masked if exponent < 2 else Power(masked, Number(exponent))


def _exponent(factor: Expression, root: Root, meanings: Meanings) -> Fraction:
    """To which power the radicand stands in a product, written out or through names."""
    if isinstance(factor, Where) and factor.otherwise == ZERO:
        return _exponent(factor.chosen, root, meanings)
    found = root_of(factor, meanings)
    if found is not None and found.radicand == root.radicand:
        return found.exponent
    meant, earlier = meanings.opened(factor)
    if isinstance(meant, Multiply):
        return sum((_exponent(each, root, earlier) for each in meant.factors), Fraction(0))
    return Fraction(0)


def _free_in(squares: Sequence[Square]) -> frozenset[Index]:
    return frozenset().union(*(base.free_indices for square in squares for base in square.bases))


def _guarded(factor: Expression, root: Root, meanings: Meanings) -> Expression:
    """The factor; a reciprocal of the root, alone or in a term, is not looked at where the root is 0."""
    if isinstance(factor, Add):
        terms = ([_guarded(each, root, meanings) for each in factors_of(term)] for term in factor.terms)
        return add(*(multiply(*each) for each in terms))
    below = next((each for each in roots_below(factor, meanings) if each.radicand == root.radicand), None)
    if below is None:
        return factor
    guard = Comparison("!=", below.base, ZERO)
    if not isinstance(factor, Where):
        return Where(guard, factor, ZERO)
    if guard in nonzero_in(factor.condition):
        return factor
    return Where(conjunction((factor.condition, guard)), factor.chosen, ZERO)
