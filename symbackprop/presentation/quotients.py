"""Quotients as they are printed: what cancels is cancelled, and a divisor in common stands once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from symbackprop.notation.arithmetic import (
    add,
    base_and_exponent,
    coefficient_and_rest,
    factors_of,
    is_sum,
    multiply,
    power,
    terms_of,
)
from symbackprop.notation.expressions import (
    MINUS_ONE,
    ONE,
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
)
from symbackprop.rewriting.measure_context import MeasureContext
from symbackprop.rules.stating import stated


def names_and_numbers_in(expression: Expression) -> int:
    """How many names of tensors and indices are written, and numbers other than 0 and 1."""
    written = (node for node in expression.walk() if isinstance(node, Element) or not node.children)
    return sum(node not in (ZERO, ONE) for node in written)


def cancel_in_terms(node: Expression) -> Expression | None:
    """h*(f/h + g) = f + g*h and (f*h + g)/h = f + g/h, also of a sum's body, where less is written then."""
    if not isinstance(node, Multiply):
        return None
    for place, factor in enumerate(node.factors):
        others = (*node.factors[:place], *node.factors[place + 1 :])
        if isinstance(factor, Add):
            after = _with_factors_in(factor, others)
        elif is_sum(factor):
            after = _with_factors_in_sum(factor, others)
        else:
            after = None
        if after is not None and names_and_numbers_in(after) < names_and_numbers_in(node):
            return after
    return None


def _with_factors_in_sum(total: Reduction, others: Sequence[Expression]) -> Expression | None:
    """The others times a sum, those that cancel in a factor of its body moved there; None where none do."""
    inner = factors_of(total.body)
    for place, factor in enumerate(inner):
        if isinstance(factor, Add):
            moved = _cancelled(factor, others, frozenset(total.indices))
            if moved:
                body = multiply(*inner[:place], _times(factor, moved), *inner[place + 1 :])
                left = [each for each in others if each not in moved]
                return multiply(total.with_children((body,)), *left)
    return None


def _with_factors_in(total: Add, others: Sequence[Expression]) -> Expression | None:
    """The others times a sum of terms, those that cancel in it moved there; None where none do."""
    moved = _cancelled(total, others, frozenset())
    left = [each for each in others if each not in moved]
    return multiply(*left, _times(total, moved)) if moved else None


def _cancelled(total: Add, factors: Sequence[Expression], bound: frozenset[Index]) -> tuple[Expression, ...]:
    """The factors that may stand inside and cancel there; none where one of them is an exponential."""
    inside = (each for each in factors if each.free_indices.isdisjoint(bound))
    found = tuple([each for each in inside if _cancels(each, total)])
    return () if any(map(_has_exponential, found)) else found


def _times(total: Add, moved: Sequence[Expression]) -> Expression:
    """Each term times what is moved in, which stands before the functions in it."""
    terms = []
    for term in total.terms:
        factors = factors_of(term)
        at = next((n for n, each in enumerate(factors) if isinstance(each, Apply | Add)), len(factors))
        terms.append(multiply(*factors[:at], *moved, *factors[at:]))
    return add(*terms)


def _cancels(factor: Expression, total: Add) -> bool:
    """Whether a power meets one of its base with the other sign among the factors of a term."""
    base, exponent = base_and_exponent(factor)
    if not isinstance(exponent, Number) or isinstance(base, Number):
        return False
    return any(
        one == base and isinstance(other, Number) and other.value * exponent.value < 0
        for term in total.terms
        for one, other in map(base_and_exponent, factors_of(term))
    )


def _has_exponential(factor: Expression) -> bool:
    return any(isinstance(node, Apply) and node.function == "exp" for node in factor.walk())


def divide_once(node: Expression) -> Expression | None:
    """f/h + g/h = (f + g)/h, where every term is divided by a scalar h; what else they share comes out."""
    if not isinstance(node, Add) or any(cancel_in_terms(term) for term in node.terms):
        return None
    terms = [coefficient_and_rest(term) for term in node.terms]
    shared = _shared(rest for _, rest in terms)
    if not any(_divides(factor) and not factor.free_indices for factor in shared):
        return None
    sizes = {abs(number) for number, _ in terms}
    number = Number(sizes.pop()) if len(sizes) == 1 else ONE
    undone = [power(factor, MINUS_ONE) for factor in (number, *shared)]
    inside = add(*(multiply(term, *undone) for term in node.terms))
    return multiply(number, inside, *shared) if isinstance(inside, Add) else None


def _divides(factor: Expression) -> bool:
    _, exponent = base_and_exponent(factor)
    return isinstance(exponent, Number) and exponent.value < 0 and not _has_exponential(factor)


def _shared(products: Iterable[tuple[Expression, ...]]) -> list[Expression]:
    """The factors that all products have, divisors in the power that all have."""
    first, *others = [dict(map(base_and_exponent, rest)) for rest in products]
    return list(_powers(first, others))


def _powers(
    first: dict[Expression, Expression], others: list[dict[Expression, Expression]]
) -> Iterator[Expression]:
    for base, exponent in first.items():
        exponents = [exponent, *(each.get(base) for each in others)]
        numbers = [each.value for each in exponents if isinstance(each, Number)]
        if all(each == exponent for each in exponents):
            yield power(base, exponent)
        elif len(numbers) == len(exponents) and max(numbers) < 0:
            yield power(base, Number(max(numbers)))


def quotient_in_divisor(node: Expression) -> Expression | None:
    """1/(f/g + h) = g/(f + g*h), where g is an element of a tensor that h is multiplied by."""
    match node:
        case Power(Add() as total, exponent) if exponent == MINUS_ONE:
            divisors = Counter(base for term in total.terms for base in _divisors(term))
            for base in divisors:
                multiplied = add(*(multiply(base, term) for term in total.terms))
                if any(base in factors_of(term) for term in total.terms):
                    return multiply(base, power(multiplied, MINUS_ONE))
    return None


def _divisors(term: Expression) -> Iterator[Expression]:
    for base, exponent in map(base_and_exponent, factors_of(term)):
        if isinstance(base, Element) and exponent == MINUS_ONE:
            yield base


def quotients_in_divisors(expression: Expression, _context: MeasureContext) -> int:
    """How many divisors are sums with a term that is divided by an element."""
    divisors = [node.base for node in expression.walk() if isinstance(node, Power) and _divides(node)]
    return sum(any(map(_divides_by_elements, terms_of(base))) for base in divisors)


def _divides_by_elements(term: Expression) -> bool:
    return any(True for _ in _divisors(term))


CANCEL_IN_TERMS = stated(
    "cancel in terms",
    "h*(f/h + g) = f + g*h, (f*h + g)/h = f + g/h",
    cancel_in_terms,
    decreases="names and numbers",
    example="(c^2*x[i] + y[j])/c^2",
    near_miss="(c*x[i] + y[j])*c",
    roots=(Multiply,),
)
DIVIDE_ONCE = stated(
    "divide once",
    "f/h + g/h = (f + g)/h",
    divide_once,
    decreases="names and numbers",
    example="x[i]/size(i) - 2*c*y[j]/size(i)",
    near_miss="x[i]/size(i) - 2*c*y[j]",
    roots=(Add,),
)
QUOTIENT_IN_DIVISOR = stated(
    "quotient in a divisor",
    "1/(f/g + g*h) = g/(f + g^2*h)",
    quotient_in_divisor,
    decreases="quotients in divisors",
    example="1/(c^2/x[i] + x[i])",
    near_miss="1/(c^2/x[i] + c)",
    roots=(Power,),
)
