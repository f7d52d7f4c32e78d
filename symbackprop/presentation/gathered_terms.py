"""Terms with a factor or divisor in common as one product: tanh(c)*x[i] + tanh(c)*y[j], c*z[0] - c*z[1]."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import reduce
from itertools import combinations, permutations
from operator import and_

from symbackprop.notation.arithmetic import (
    add,
    base_and_exponent,
    coefficient_and_rest,
    factors_of,
    is_reciprocal,
    is_sum,
    multiply,
    power,
    terms_of,
    without_factor,
)
from symbackprop.notation.expressions import (
    MINUS_ONE,
    ZERO,
    Add,
    Apply,
    Element,
    Expression,
    Number,
    Reduction,
    Size,
    Where,
)
from symbackprop.presentation.gathering import as_one_term, with_signs_alike
from symbackprop.rules.stating import stated


def gather_terms(node: Expression) -> Expression | None:
    """n*f*g + m*f*h = f*(n*g + m*h) for a function or sum f that two terms of a sum repeat, no exponential.

    Also where g and h are masks, d[n]*where(u[n] > 0, 1, 0) + d[n]*where(v[n] > 0, 1, 0), or entries of one
    tensor, c*z[0] - c*z[1].
    e^u and what divides by it belong to forms that are looked for later, and blocks stay apart.
    """
    if not isinstance(node, Add):
        return None
    whole = [at for at, term in enumerate(node.terms) if not any(map(_is_block, factors_of(term)))]
    for here, there in combinations(whole, 2):
        terms = with_signs_alike(node.terms[here], node.terms[there])
        shared = list(_common(*(coefficient_and_rest(term)[1] for term in terms)))
        if not shared or any(map(_has_exponential, shared)):
            continue
        inside = [reduce(without_factor, shared, term) for term in terms]
        is_worth_it = any(map(_is_worth_gathering, shared)) or all(map(_is_mask, inside))
        if _are_entries(*inside):
            number, _ = coefficient_and_rest(terms[0])
            entries = add(*(multiply(Number(1 / number), each) for each in inside))
            return as_one_term(node, here, there, multiply(Number(number), *shared, entries))
        if is_worth_it and not any(map(_is_complement, inside)):
            return as_one_term(node, here, there, multiply(*shared, add(*inside)))
    return None


def _common(one: tuple[Expression, ...], other: tuple[Expression, ...]) -> Iterator[Expression]:
    """The factors that both have, each in the lower of two whole powers."""
    powers = dict(map(base_and_exponent, other))
    for base, exponent in map(base_and_exponent, one):
        found = powers.get(base)
        if found == exponent:
            yield power(base, exponent)
        elif isinstance(exponent, Number) and isinstance(found, Number):
            least = min(exponent.value, found.value)
            if least > 0 and exponent.value.denominator == found.value.denominator == 1:
                yield power(base, Number(least))


def _is_mask(rest: Expression) -> bool:
    """Whether it is a number, or the sum of such, times 1 where values fulfil a condition and 0 elsewhere."""
    return all(_is_one_mask(term) for term in terms_of(rest))


def _is_one_mask(term: Expression) -> bool:
    match coefficient_and_rest(term)[1]:
        case [Where() as mask]:
            return bool(mask.condition.tensors) and mask.is_indicator
    return False


def _are_entries(one: Expression, other: Expression) -> bool:
    """Whether they are as many times entries of one tensor, at places that numbers name, but for the sign."""
    match coefficient_and_rest(one), coefficient_and_rest(other):
        case (number, [Element(tensor, here)]), (times, [Element(also, there)]) if (
            abs(number) == abs(times) and tensor == also
        ):
            apart = [pair for pair in zip(here, there, strict=True) if pair[0] != pair[1]]
            return all(isinstance(position, Number) for pair in apart for position in pair)
    return False


def _is_complement(rest: Expression) -> bool:
    """Whether it is 1 - f times a number, whose digits would be lost in a longer sum."""
    _, factors = coefficient_and_rest(rest)
    return (
        len(factors) == 1
        and isinstance(factors[0], Add)
        and any(isinstance(term, Number) for term in factors[0].terms)
    )


def one_quotient(node: Expression) -> Expression | None:
    """g + g*f/(h - f) = g*h/(h - f), the first such terms of a sum: 1 + exp(-u)/(1 - exp(-u))."""
    if not isinstance(node, Add):
        return None
    for here, there in permutations(range(len(node.terms)), 2):
        whole, fraction = node.terms[here], factors_of(node.terms[there])
        for divisor, exponent in map(base_and_exponent, fraction):
            if isinstance(divisor, Add) and exponent == MINUS_ONE:
                rest = without_factor(node.terms[there], power(divisor, exponent))
                joined = _added_to_divisor(whole, rest, divisor)
                if joined is not None:
                    first, second = sorted((here, there))
                    return as_one_term(node, first, second, multiply(joined, power(divisor, exponent)))
    return None


def _added_to_divisor(whole: Expression, rest: Expression, divisor: Add) -> Expression | None:
    """g*h for g, g*f and h - f, where h is one term without exponentials: 1 - 1/(1 + e^u) is a complement."""
    part = multiply(rest, power(whole, MINUS_ONE)) if not isinstance(whole, Add) else ZERO
    total = add(divisor, part)
    is_one_term = not isinstance(total, Add) and total != ZERO and not _is_of_exponentials(total)
    return multiply(whole, total) if is_one_term and part != ZERO else None


def one_divisor(node: Expression) -> Expression | None:
    """f/c + g/c^2 = (f + g/c)/c where every term of a sum is divided by c, which is no exponential.

    The search has kept a*x/c + b*y/c for scalars a, b and c, of which a/c is computed for nothing.
    """
    if not isinstance(node, Add) or any(
        _is_block(factor) for term in node.terms for factor in factors_of(term)
    ):
        return None
    first, *others = [Counter(factors_of(term)) for term in node.terms]
    shared = list(filter(is_reciprocal, reduce(and_, others, first).elements()))
    divisors = [each for each in shared or _powers_shared(node) if not _is_of_exponentials(each)]
    if not divisors:
        return None
    return multiply(add(*(reduce(without_factor, divisors, term) for term in node.terms)), *divisors)


def _powers_shared(node: Add) -> list[Expression]:
    """What every term is divided by at least so often; the size that makes a mean of a sum stays with it.

    A function may vanish as exponentials do: softplus(u) is to meet e^u and e^(2u) in the terms beside it.
    """
    first, *others = [_free_divisors(term) for term in node.terms]
    shared = reduce(and_, others, first).items()
    return [power(base, Number(-times)) for base, times in shared if not isinstance(base, Apply)]


def _free_divisors(term: Expression) -> Counter[Expression]:
    """What the term is divided by, and how often, but for the sizes of what its sums run over."""
    found: Counter[Expression] = Counter()
    for base, exponent in map(base_and_exponent, factors_of(term)):
        if isinstance(exponent, Number) and exponent.value.denominator == 1:
            times = exponent.value.numerator
            if times < 0:
                found[base] -= times
            elif isinstance(base, Reduction) and is_sum(base):
                found.subtract({Size(index.axis): times for index in base.indices})
    return +found


def _is_of_exponentials(factor: Expression) -> bool:
    return any(isinstance(node, Apply) and node.function == "exp" for node in factor.walk())


def _is_block(factor: Expression) -> bool:
    return isinstance(factor, Where) and not factor.condition.tensors


def _is_worth_gathering(factor: Expression) -> bool:
    is_sum_of_tensors = isinstance(factor, Add) and bool(factor.tensors)
    return is_sum_of_tensors or any(isinstance(node, Apply) and node.tensors for node in factor.walk())


def _has_exponential(factor: Expression) -> bool:
    return is_reciprocal(factor) or _is_of_exponentials(factor)


GATHER_TERMS = stated(
    "gather terms",
    "n*f*g + m*f*h = f*(n*g + m*h)",
    gather_terms,
    decreases="names and numbers",
    example="2*tanh(c)*x[i] + tanh(c)*y[j]",
    near_miss="2*c*x[i] + c*y[j]",
    roots=(Add,),
)
ONE_QUOTIENT = stated(
    "one quotient",
    "g + g*f/(h - f) = g*h/(h - f), h without an exponential",
    one_quotient,
    decreases="names and numbers",
    example="x[i] + x[i]*c/(y[j] - c)",
    near_miss="x[i] + x[i]*c/(y[j] + c)",
    roots=(Add,),
)
ONE_DIVISOR = stated(
    "one divisor",
    "f/c + g/c = (f + g)/c, f/c + g/c^2 = (f + g/c)/c",
    one_divisor,
    decreases="divisors",
    example="2*x[i]/c - h0/c^2",
    near_miss="2*x[i]/c - h0",
    roots=(Add,),
)
