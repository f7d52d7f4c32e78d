"""Differences from a maximum before multiples of it: products with numbers are rounded, and may be close."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction

from symbackprop.exponentials.differences import pairs_of_rows
from symbackprop.exponentials.exponents import LOWEST, compared_in, is_maximum, shifted_by
from symbackprop.exponentials.meanings import Meanings
from symbackprop.notation.arithmetic import add, coefficient_and_rest, multiply, negate, terms_of
from symbackprop.notation.expressions import (
    MINUS_ONE,
    ONE,
    ZERO,
    Add,
    Apply,
    Expression,
    Multiply,
    Number,
    Reduction,
    Where,
)
from symbackprop.systems.mirror_images import products_in_order


def multiples_last(node: Expression, _meanings: Meanings) -> Expression | None:
    """n*f - max(i, n*f) = n*(f - max(i, f)); a*f + b*g - (a + b)*m = a*(f - m) + b*(g - m), m a maximum.

    For multiples are rounded, and close to one another. A power of 2 rounds nothing. exp(0) is left out.
    """
    if node == Apply("exp", (ZERO,)):
        return ONE
    if isinstance(node, Multiply) and ONE in node.factors:
        return multiply(*node.factors)
    given = node.terms if isinstance(node, Add) else ()
    parts = [coefficient_and_rest(_with_number_out(each)) for each in given]
    terms = [multiply(Number(number), *rest) for number, rest in parts]
    if not any(_rounds(number) and _is_multiple_of_maximum(rest) for number, rest in parts):
        return None
    return _by_differences(terms, node)


def _by_differences(terms: Sequence[Expression], node: Expression) -> Expression | None:
    """The sum by differences from one of its maxima, if what stands before the terms is 0 in all."""
    owned, left = _own_differences(terms_of(add(*terms)), node)
    alike = [each for each in left if not _is_at_least_0(each)]
    maxima = [each for each in alike if _is_multiple_of_maximum(coefficient_and_rest(each)[1])]
    numbers = {each: coefficient_and_rest(each)[0] for each in alike}
    if maxima and sum(numbers.values()) == 0:
        pivot = max(maxima, key=lambda each: abs(numbers[each]))
        less = multiply(Number(-1 / numbers[pivot]), pivot)
        others = [each for each in alike if each != pivot]
        differences = [_times_difference(numbers[each], each, less) for each in others]
        left = [*differences, *(each for each in left if each not in alike)]
    left = [*owned, *left]
    found = left[0] if len(left) == 1 else Add(tuple(left))
    return None if found == node else found


def _own_differences(
    terms: Sequence[Expression], node: Expression
) -> tuple[list[Expression], list[Expression]]:
    """n*(f - m) for each n*f - n*m of a sum, m the largest of f, and the terms that are left."""
    found: list[Expression] = []
    left = list(terms)
    for term in terms:
        number, rest = coefficient_and_rest(term)
        for each in shifted_by(rest[0], node) if _is_multiple_of_maximum(rest) else ():
            parts = [multiply(Number(-number), part) for part in terms_of(each)]
            if each != ZERO and all(part in left for part in (term, *parts)):
                difference = Add((*terms_of(each), negate(rest[0])))
                found.append(difference if number == -1 else Multiply((Number(-number), difference)))
                left = [part for part in left if part not in (term, *parts)]
                break
    return found, left


def _times_difference(number: Fraction, multiple: Expression, less: Expression) -> Expression:
    difference = Add((multiply(*coefficient_and_rest(multiple)[1]), less))
    return difference if number == 1 else Multiply((Number(number), difference))


def _is_multiple_of_maximum(rest: tuple[Expression, ...]) -> bool:
    return len(rest) == 1 and is_maximum(rest[0]) and not _is_at_least_0(rest[0])


def _is_at_least_0(term: Expression) -> bool:
    """Whether it is a multiple of max(0, f), which does not move with all exponents."""
    match coefficient_and_rest(term):
        case _, (Apply("max", arguments),):
            return ZERO in arguments
        case _, ():
            return True
    return False


def _rounds(number: Fraction) -> bool:
    """Whether products with a number are rounded: it is no power of 2."""
    return any(each & (each - 1) for each in (abs(number.numerator), number.denominator))


def _with_number_out(term: Expression) -> Expression:
    """n*max(i, f) for max(i, n*f), n > 0."""
    number, rest = coefficient_and_rest(term)
    if not _is_multiple_of_maximum(rest):
        return term
    times, inner = _number_out(rest[0])
    return multiply(Number(number * times), inner)


def _number_out(node: Expression) -> tuple[Fraction, Expression]:
    """(n, f) of n*f, n > 0: in a maximum what all have in common."""
    match node:
        case Reduction("max", indices, body):
            number, inner = _number_out(body)
            return number, Reduction("max", indices, inner)
        case Where(condition, chosen, otherwise) if otherwise == LOWEST:
            number, inner = _number_out(chosen)
            return number, Where(condition, inner, LOWEST)
        case Add(parts) | Apply("max", parts):
            found = [_number_out(each) for each in parts]
            number = found[0][0]
            is_common = all(each == number for each, _ in found)
            inside = node.with_children(tuple([inner for _, inner in found]))
            return (number, inside) if is_common else (Fraction(1), node)
    number, rest = coefficient_and_rest(node)
    if not rest:
        return Fraction(1), node
    return abs(number), multiply(Number(1 if number > 0 else -1), *rest)


def multiples_first(node: Expression, meanings: Meanings) -> Expression | None:
    """f + 2*g - 3*m = 2*g - 2*m + f - m: what is close to m is subtracted before it is rounded.

    A power of two times a number, and the difference of two that are close, are exact in binary: Sterbenz,
    Floating-point computation (1974).
    """
    if not isinstance(node, Add):
        return None
    parts = [part for term in node.terms for part in _by_powers_of_two(term)]
    if not any(abs(number) > 1 and _is_largest(rest, meanings) for number, rest in parts):
        return None
    parts.sort(key=lambda part: (-abs(part[0]), part[0] < 0))
    terms = tuple([rest if number == 1 else multiply(Number(number), rest) for number, rest in parts])
    return None if terms == node.terms else Add(terms)


def differences_first(node: Expression, meanings: Meanings) -> Expression | None:
    """h + f + g - m = f + g - m + h, m = max(i, f + g): f + g and m may be large, and close to one another.

    In the order in which the maximum adds them up, the largest of the differences is 0 to the last digit. Of
    multiples of g what the maximum has: f - 3*g - m = f - g - m - 2*g. Each of several differences is a sum
    of its own, f + g - 2*m = (f - m) + (g - m) where m = max(f, g), as is that of two maxima of the same, of
    which a mask may leave out some; where m is added, m - f = -(f - m).
    """
    if not isinstance(node, Add):
        return None
    found: list[Expression] = []
    left = list(node.terms)
    maxima = [
        (1 if number > 0 else -1, multiply(*rest)) for number, rest in map(coefficient_and_rest, node.terms)
    ]
    while True:
        # The longest first: what it is the largest of may have a difference from another maximum in it.
        taken, others = max(
            (_taken_off(*each, left, meanings) for each in maxima), key=_length, default=(ZERO, left)
        )
        if taken == ZERO:
            break
        found.append(_as_compared(taken, meanings))
        left = others
    if found:
        rows, left = pairs_of_rows(left)
        found += rows
    pairs, left = _pairs_of_maxima(left, meanings)
    found = [*_multiples_of_equal(found), *pairs]
    first = found if len(found) > 1 or pairs else [term for each in found for term in terms_of(each)]
    terms = (*first, *left)
    return None if not found or len(terms) == 1 or terms == node.terms else Add(terms)


def _as_compared(difference: Expression, meanings: Meanings) -> Expression:
    """(f - m) + (g - n) - k for f + g - m - n - k: so the maximum k adds up what it compares."""
    *exponent, less = terms_of(difference)
    inner = differences_first(Add(tuple(exponent)), meanings) if len(exponent) > 1 else None
    return difference if inner is None else Add((*terms_of(inner), less))


def _length(taken_off: tuple[Expression, list[Expression]]) -> int:
    """How many terms were taken; -(f - m) has as many as f - m."""
    difference = coefficient_and_rest(taken_off[0])[1]
    return len(terms_of(difference[0])) if difference else 0


def _multiples_of_equal(sums: Sequence[Expression]) -> list[Expression]:
    """The sums, equal ones as one times a number."""
    return [each if times == 1 else multiply(Number(times), each) for each, times in Counter(sums).items()]


def _pairs_of_maxima(
    terms: Sequence[Expression], meanings: Meanings
) -> tuple[list[Expression], list[Expression]]:
    """The differences of two maxima of the same exponents among terms, and the terms that are left."""
    maxima = {each: _exponents(each, meanings) for each in terms if _is_largest(_unsigned(each), meanings)}
    pairs: list[Expression] = []
    left = list(terms)
    for term, exponents in maxima.items():
        for other, same in maxima.items():
            is_pair = coefficient_and_rest(term)[0] == 1 and coefficient_and_rest(other)[0] == -1
            if is_pair and exponents == same and {term, other} <= {*left} and len(terms) > 2:
                pairs.append(Add((term, other)))
                left = [each for each in left if each not in (term, other)]
    return pairs, left


def _unsigned(term: Expression) -> Expression:
    return multiply(*coefficient_and_rest(term)[1])


def _exponents(term: Expression, meanings: Meanings) -> frozenset[Expression]:
    """What a maximum is the largest of, whether a mask leaves it out or not."""
    return frozenset(compared_in(meanings.of(_unsigned(term))))


def _taken_off(
    sign: int, maximum: Expression, terms: Sequence[Expression], meanings: Meanings
) -> tuple[Expression, list[Expression]]:
    """f - m for a maximum m of f, in its order, or -(f - m) where m is added; and what that leaves."""
    rest = _without(multiply(Number(sign), maximum), terms) if _is_largest(maximum, meanings) else None
    meant = meanings.of(maximum)
    found: list[tuple[Expression, list[Expression]]] = []
    for each in shifted_by(meant, add(*terms)) if rest is not None else ():
        if each == ZERO:
            continue
        left = rest
        for part in terms_of(each):
            left = None if left is None else _without(multiply(Number(-sign), part), left)
        if left is not None:
            difference = Add(_by_way_of(meant, terms_of(each), negate(maximum)))
            found.append((difference if sign < 0 else Multiply((MINUS_ONE, difference)), left))
    return max(found, key=_length, default=(ZERO, []))


def _by_way_of(
    maximum: Expression, exponent: tuple[Expression, ...], less: Expression
) -> tuple[Expression, ...]:
    """f + g - m = f + n - m + (g - n), m = max(.., f + n) and n = max(i, g): f may be large, and g not."""
    for total in _arguments(maximum):
        for inner in filter(is_maximum, terms_of(total)):
            others = [term for term in terms_of(total) if term != inner]
            own = [term for term in exponent if term not in others]
            is_part = bool(others) and all(term in exponent for term in others)
            if own and is_part and add(*own) in shifted_by(inner, add(*exponent)):
                return *terms_of(total), less, Add((*own, negate(inner)))
    return *exponent, less


def _arguments(maximum: Expression) -> Iterator[Expression]:
    """What it is the larger of, through maxima in it."""
    if isinstance(maximum, Apply) and is_maximum(maximum):
        for each in maximum.arguments:
            yield from _arguments(each)
    else:
        yield maximum


def _without(part: Expression, terms: Sequence[Expression]) -> list[Expression] | None:
    """The terms without one, which may be a part of a multiple; None where it is in none of them."""
    number, rest = coefficient_and_rest(products_in_order(part))
    for place, term in enumerate(terms):
        times, same = coefficient_and_rest(products_in_order(term))
        if same == rest and times / number >= 1:
            remaining = [] if times == number else [multiply(Number(times - number), *rest)]
            return [*terms[:place], *remaining, *terms[place + 1 :]]
    return None


def _by_powers_of_two(term: Expression) -> Iterator[tuple[Fraction, Expression]]:
    """The term as a sum of powers of two times what stands behind its number."""
    number, factors = coefficient_and_rest(term)
    rest = multiply(*factors)
    if number.denominator != 1:
        yield number, rest
        return
    left = abs(number.numerator)
    while left:
        largest = 1 << (left.bit_length() - 1)
        yield Fraction(largest if number > 0 else -largest), rest
        left -= largest


def _is_largest(node: Expression, meanings: Meanings) -> bool:
    """Whether it is a maximum, or a name of one, also of one that a recurrence goes on with."""
    meant = meanings.of(node)
    branches = (meant.chosen, meant.otherwise) if isinstance(meant, Where) else (meant,)
    return any(map(is_maximum, branches))
