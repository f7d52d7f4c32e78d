"""The order of terms, factors and branches, where rounding or overflow depends on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from symbackprop.exponentials.exponents import has_maximum, is_at_most_0
from symbackprop.exponentials.meanings import Meanings
from symbackprop.exponentials.scaled import has_exponentials
from symbackprop.integers.bounds import negated
from symbackprop.notation.arithmetic import (
    add,
    coefficient_and_rest,
    is_reciprocal,
    multiply,
    power,
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
    Multiply,
    Number,
    Power,
    Reduction,
    Where,
)
from symbackprop.notation.pairs import argument_of, as_power
from symbackprop.notation.substitution import rename_bound
from symbackprop.rules.measures import Rank


@dataclass(frozen=True)
class StabilityMeasure:
    """What falls in an expression where names mean what the meanings say, and its wording."""

    wording: str
    of: Callable[[Expression, Meanings], Rank]


def logarithms_last(node: Expression, _meanings: Meanings) -> Expression | None:
    """f - (m + log(g)) = (f - m) - log(g), m = max(i, h): f and m may be large, and close to one another."""
    if not isinstance(node, Add):
        return None
    terms: list[Expression] = []
    logarithms: list[Expression] = []
    for term in node.terms:
        number, rest = coefficient_and_rest(term)
        match rest:
            case (Add((*others, Apply("log", _) as logarithm)),) if any(map(_is_maximum, others)):
                terms += [multiply(Number(number), other) for other in others]
                logarithms.append(multiply(Number(number), logarithm))
            case (Apply("log", _),) if any(map(_is_maximum, node.terms)):
                logarithms.append(term)
            case _:
                terms.append(term)
    is_so = node.terms == (*terms, *logarithms)
    return None if not logarithms or len(terms) == 1 or is_so else Add((add(*terms), *logarithms))


def _is_maximum(term: Expression) -> bool:
    match coefficient_and_rest(term):
        case _, (Reduction("max", _, _),):
            return True
    return False


def zero_last(node: Expression, meanings: Meanings) -> Expression | None:
    """where(c, 0, f) = where(not c, f, 0), f with exponentials: so do other rules look for masks."""
    if not isinstance(node, Where) or node.chosen != ZERO or node.otherwise == ZERO:
        return None
    if not has_exponentials(node.otherwise, meanings):
        return None
    return Where(negated(node.condition), node.otherwise, ZERO)


def exponentials_first(node: Expression, meanings: Meanings) -> Expression | None:
    """g*f*exp(h) = g*exp(h)*f: where f and h come of one exponent, f may be as large as exp(h) is small.

    The chain rule multiplies in this order: by the derivative of the exponential first.
    """
    if not isinstance(node, Multiply):
        return None
    number, rest = coefficient_and_rest(node)
    if not rest:
        return None
    first, *others = rest
    exponentials = [each for each in others if _is_exponential(each, meanings)]
    ordered = (first, *exponentials, *(each for each in others if each not in exponentials))
    return None if ordered == tuple(rest) else multiply(Number(number), *ordered)


def _is_exponential(factor: Expression, meanings: Meanings) -> bool:
    """Whether it is an array of exponentials; a number is multiplied by before and after anyhow."""
    return bool(factor.free_indices) and argument_of("exp", meanings.of(factor)) is not None


def quotients_first(node: Expression, meanings: Meanings) -> Expression | None:
    """f^m*g^-n = (f/g)^m*g^(m - n), f/g^n = f/g/g/..: g^n may be too large where the quotient is not."""
    if not isinstance(node, Multiply):
        return None
    for below in node.factors:
        base, exponent = as_power(below)
        if exponent <= -2 and _may_be_large(base, meanings):
            rest = [each for each in node.factors if each is not below]
            return _divided(rest, base, -exponent, meanings)
    return None


def powers_of_products(node: Expression, _meanings: Meanings) -> Expression | None:
    """exp(n*f)*g^n = (exp(f)*g)^n, g = expm1(h): exp(n*f) may be too large where exp(f)*g is not."""
    factors = node.factors if isinstance(node, Multiply) else ()
    parts = [(each, *as_power(each)) for each in factors]
    exponents = {times for _, base, times in parts if times > 1 and argument_of("expm1", base) is not None}
    for exponential in factors:
        argument = argument_of("exp", exponential)
        if argument is None or is_at_most_0(argument):
            continue
        multiples = [coefficient_and_rest(term) for term in terms_of(argument)]
        for times in sorted(exponents):
            if all(number % times == 0 for number, _ in multiples):
                root = add(*(multiply(Number(number / times), *rest) for number, rest in multiples))
                inside = Multiply((Apply("exp", (root,)), *(base for _, base, own in parts if own == times)))
                others = [each for each, _, own in parts if each is not exponential and own != times]
                found = Power(inside, Number(times))  # which `multiply` would take apart again
                return Multiply((found, *others)) if others else found
    return None


def _divided(
    above: Sequence[Expression], base: Expression, times: int, meanings: Meanings
) -> Expression | None:
    """The product divided by base^times: inside of a power that has the base's indices, then one by one."""
    for each in above:
        inside = _divided_inside(each, base, times, meanings) if isinstance(each, Add | Reduction) else None
        if inside is not None:
            return (
                Multiply((*(other for other in above if other is not each), inside)) if above[1:] else inside
            )
    reciprocal = Power(base, MINUS_ONE)
    spanning = [each for each in above if as_power(each)[1] > 0 and base.free_indices <= each.free_indices]
    if not spanning:
        return None
    largest = max(spanning, key=lambda each: (_may_be_large(each, meanings), as_power(each)[1]))
    inner, exponent = as_power(largest)
    common = min(exponent, times)
    if common > 1:
        quotient: Expression = Power(Multiply((inner, reciprocal)), Number(common))
        quotient = (
            Multiply((quotient, power(inner, Number(exponent - common)))) if exponent > common else quotient
        )
        times -= common
    else:
        quotient = largest
    quotient = _one_by_one(quotient, base, times)
    rest = [each for each in above if each is not largest]
    return Multiply((*rest, quotient)) if rest else quotient


def _one_by_one(above: Expression, base: Expression, times: int) -> Expression:
    """f/g/g/.."""
    for _ in range(times):
        above = Multiply((above, Power(base, MINUS_ONE)))
    return above


def _divided_inside(total: Expression, base: Expression, times: int, meanings: Meanings) -> Expression | None:
    """sum(i, f^2*g)/h^3 = sum(i, (f/h)^2/h*g), where f^2 or a product of several such may be large.

    (f^2 + g)/h^2 = (f/h)^2 + g/h/h.
    """
    match total:
        case Reduction("sum"):
            renamed = rename_bound(total, [each for each in base.walk() if isinstance(each, Index)])
            inside = _divided_inside(renamed.body, base, times, meanings)
            return None if inside is None else Reduction("sum", renamed.indices, inside)
        case Add(terms):
            divided = [_divided_inside(term, base, times, meanings) for term in terms]
            pairs = zip(divided, terms, strict=True)
            parts = (inside or _one_by_one(term, base, times) for inside, term in pairs)
            return add(*parts) if any(divided) else None
        case Where(condition, chosen, otherwise) if otherwise == ZERO:
            inside = _divided_inside(chosen, base, times, meanings)
            return None if inside is None else Where(condition, inside, ZERO)
        case Multiply(factors):
            spanning = [each for each in factors if base.free_indices <= each.free_indices]
            large = sum(as_power(each)[1] for each in spanning if _may_be_large(each, meanings))
            return _divided(factors, base, times, meanings) if large > 1 else None
        case Power() if as_power(total)[1] > 1 and base.free_indices <= total.free_indices:
            return _divided((total,), base, times, meanings) if _may_be_large(total, meanings) else None
    return None


def _may_be_large(node: Expression, meanings: Meanings, seen: frozenset[str] = frozenset()) -> bool:
    """Whether it is a sum or product of exponentials and powers, or a name of such, that nothing scaled."""
    match node:
        case Apply("exp", (exponent,)):
            return not (is_at_most_0(exponent) or has_maximum(exponent))
        case Element(tensor, _):
            meant, earlier = meanings.opened(node)
            return tensor not in seen and meant is not node and _may_be_large(meant, earlier, seen | {tensor})
        case Add() | Multiply() | Where() | Reduction("sum"):
            return not any(map(is_reciprocal, node.children)) and any(
                _may_be_large(each, meanings, seen) for each in node.children
            )
        case Power(base, Number(exponent)):
            return exponent > 0 and _may_be_large(base, meanings, seen)
        case Power(_, exponent):
            return bool(exponent.tensors)
    return False


def _late_exponentials(expression: Expression, meanings: Meanings) -> int:
    products = (coefficient_and_rest(each)[1] for each in expression.walk() if isinstance(each, Multiply))
    return sum(
        sum(not _is_exponential(before, meanings) for before in rest[1:place])
        for rest in products
        for place, factor in enumerate(rest)
        if _is_exponential(factor, meanings)
    )


def _early_logarithms(expression: Expression, _meanings: Meanings) -> int:
    sums = (each for each in expression.walk() if isinstance(each, Add))
    return sum(map(_logarithms_before_terms, sums))


def _logarithms_before_terms(total: Add) -> int:
    """Terms behind a logarithm, beside a maximum; and each nested sum of a maximum and a logarithm."""
    parts = [coefficient_and_rest(term)[1] for term in total.terms]
    is_log = [len(part) == 1 and isinstance(part[0], Apply) and part[0].function == "log" for part in parts]
    inner = [each.terms for part in parts for each in part if len(part) == 1 and isinstance(each, Add)]
    nested = sum(isinstance(terms[-1], Apply) and any(map(_is_maximum, terms)) for terms in inner)
    behind = sum(not each for each in is_log[is_log.index(True) :]) if True in is_log else 0
    return nested + (behind if any(map(_is_maximum, total.terms)) else 0)


def zeros_chosen(expression: Expression, _meanings: Meanings) -> int:
    """How many `where`s are 0 where their condition holds, and something else where it does not."""
    wheres = (each for each in expression.walk() if isinstance(each, Where))
    return sum(each.chosen == ZERO != each.otherwise for each in wheres)


def nested_parts(expression: Expression, _meanings: Meanings) -> int:
    """Sums in sums, products in products, and numbers that multiply, once for each sum around."""
    found = 0
    for node in expression.walk():
        match node:
            case Add() | Multiply():
                found += sum(type(child) is type(node) for child in node.children)
            case Reduction("sum", _, body):
                found += sum(coefficient_and_rest(each)[0] != 1 for each in body.walk())
    return found


# Each of its own rule, which is used once at every node.
ORDER_MEASURES: Mapping[str, StabilityMeasure] = {
    "late exponentials": StabilityMeasure(
        "factors, but for the first, that an array of exponentials stands behind", _late_exponentials
    ),
    "early logarithms": StabilityMeasure(
        "terms that a logarithm stands before, beside a maximum or in one term with it", _early_logarithms
    ),
}
