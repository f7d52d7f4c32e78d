"""What is left of 1 beside probabilities made of sigmoids, as sums of products in which nothing cancels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations, repeat

from symbackprop.exponentials.differences import difference
from symbackprop.exponentials.meanings import Meanings
from symbackprop.exponentials.sigmoids import complement, sigmoid_argument
from symbackprop.notation.arithmetic import (
    add,
    base_and_exponent,
    coefficient_and_rest,
    factors_of,
    is_reciprocal,
    multiply,
    negate,
    power,
    subtract,
    terms_of,
)
from symbackprop.notation.expressions import (
    MINUS_ONE,
    ONE,
    Add,
    Apply,
    Element,
    Expression,
    Index,
    Number,
    Reduction,
    Size,
    Where,
)
from symbackprop.notation.pairs import argument_of, as_power
from symbackprop.notation.substitution import canonical_bound_names

MOST_FACTORS = 8  # of a product of probabilities: each gives a term

MOST_SUMS = 6  # opened one inside another: residual layers are no probabilities


def as_sigmoids(node: Add, meanings: Meanings) -> Expression | None:
    """What is left of a number or of sizes, or between two sigmoids, as a sum of products of one sign."""
    found = complement(node, meanings)
    if found is not None:
        return found[1]
    terms = _linear(node, meanings)
    constants = [multiply(Number(number), part) for number, part in terms if not part.tensors]
    if not constants:
        return _difference(terms, meanings)
    if len(constants) > 1:
        return None
    each_of = power(constants[0], MINUS_ONE)
    rest = [multiply(MINUS_ONE, Number(number), part, each_of) for number, part in terms if part.tensors]
    left = _left_by_means(rest, meanings)
    return None if left is None else multiply(constants[0], left)


def difference_of_sigmoids(node: Expression, meanings: Meanings) -> Expression | None:
    """sigmoid(f) - sigmoid(g) = sigmoid(f)*sigmoid(-g)*(1 - exp(g - f))."""
    return _difference(_linear(node, meanings), meanings) if isinstance(node, Add) else None


def with_differences_of_sigmoids(node: Add, meanings: Meanings) -> Expression:
    """The sum, with the product for two of its terms that are a difference of sigmoids."""
    for one, other in combinations(node.terms, 2):
        product = difference_of_sigmoids(add(one, other), meanings)
        if product is not None:
            return add(product, *(each for each in node.terms if each is not one and each is not other))
    return node


def _difference(terms: Sequence[tuple[Fraction, Expression]], meanings: Meanings) -> Expression | None:
    if len(terms) != 2:
        return None
    (above, f), (below, g) = sorted(
        ((number, sigmoid_argument(part, meanings)) for number, part in terms), key=lambda part: -part[0]
    )
    if above != -below or f is None or g is None:
        return None
    sides = (Apply("sigmoid", (each,)) for each in (f, negate(g)))
    return multiply(Number(-above), *sides, Apply("expm1", (difference(g, f),)))


def _linear(node: Add, meanings: Meanings) -> list[tuple[Fraction, Expression]]:
    """The terms as numbers times something else, which is 1 for a number; sums behind names are opened."""
    found: dict[Expression, Fraction] = {}
    for term in node.terms:
        for number, part in _summands(term, meanings):
            found[part] = found.get(part, Fraction(0)) + number
    return [(number, part) for part, number in found.items() if number]


def _summands(
    term: Expression, meanings: Meanings, left: int = MOST_SUMS
) -> Iterator[tuple[Fraction, Expression]]:
    """The terms of n*(f + g), where the sum may have a name; anything else as it stands."""
    number, rest = coefficient_and_rest(term)
    part = multiply(*rest)
    meant, earlier = meanings.opened(part)
    inner, others = coefficient_and_rest(multiply(meant))
    total = others[0] if len(others) == 1 else meant
    if left and isinstance(total, Add) and sigmoid_argument(total, earlier) is None:
        for each in total.terms:
            for times, inside in _summands(each, earlier, left - 1):
                yield number * inner * times, inside
    else:
        yield number, part


def _left_by_means(terms: Sequence[Expression], meanings: Meanings) -> Expression | None:
    """1 - a*f - b*g = a*(1 - f) + b*(1 - g), for numbers a, b > 0 that are 1 in all."""
    if len(terms) == 1:
        return _left_by(terms[0], meanings)
    parts = [coefficient_and_rest(term) for term in terms]
    if sum(number for number, _ in parts) != 1 or any(number < 0 for number, _ in parts):
        return None
    left = [(number, _left_by(multiply(*rest), meanings)) for number, rest in parts]
    return _sum_of_all([part and multiply(Number(number), part) for number, part in left])


def left_by_mean(probability: Expression, meanings: Meanings) -> Expression | None:
    """1 - f for a sigmoid f or a mean of some, which weighs no more than f; None for anything else."""
    meant, _ = meanings.opened(probability)
    is_product = sum(bool(each.tensors) for each in factors_of(multiply(meant))) > 1
    is_product = is_product or as_power(meant)[1] != 1
    return None if is_product else _left_by(probability, meanings)


def _left_by(probability: Expression, meanings: Meanings) -> Expression | None:
    """1 - f for a probability f made of sigmoids, as a sum of products; None for anything else."""
    argument = sigmoid_argument(probability, meanings)
    if argument is not None:
        return Apply("sigmoid", (negate(argument),))
    meant, earlier = meanings.opened(probability)
    terms = [multiply(Number(number), part) for number, part in _summands(meant, earlier)]
    if len(terms) > 1 and not isinstance(meant, Add):
        return _left_by_means(terms, earlier)
    match meant:
        case Number(value) if value in (0, 1):
            return Number(1 - value)
        case Add():
            left = subtract(ONE, meant)
            if isinstance(left, Add):
                return as_sigmoids(left, earlier)
            return None if _left_by(left, earlier) is None else left
        case Where(condition, chosen, otherwise):
            sides = [_left_by(each, earlier) for each in (chosen, otherwise)]
            return Where(condition, *(each for each in sides if each)) if all(sides) else None
    return _left_by_weighted(meant, earlier) or _left_by_product(meant, earlier)


def _left_by_weighted(node: Expression, meanings: Meanings) -> Expression | None:
    """1 - sum(i, f)/size(i) = sum(i, 1 - f)/size(i); 1 - sum(i, w*f) = sum(i, w*(1 - f)) for a softmax w."""
    factors = factors_of(node)
    for place, factor in enumerate(factors):
        if not (isinstance(factor, Reduction) and factor.kind == "sum"):
            continue
        before = multiply(*factors[:place], *factors[place + 1 :])
        sizes = multiply(*(power(Size(index.axis), MINUS_ONE) for index in factor.indices))
        inside = factors_of(factor.body)
        if before == sizes:
            left = _left_by(factor.body, meanings)
        elif before == ONE:
            weights = [each for each in inside if _sums_to_1(each, factor.indices, meanings)]
            others = multiply(*(each for each in inside if each not in weights[:1]))
            left = _left_by(others, meanings) if weights else None
            left = left and multiply(weights[0], left)
        else:
            left = None
        return left and multiply(before, factor.with_children((left,)))
    return None


def _sums_to_1(weight: Expression, indices: tuple[Index, ...], meanings: Meanings) -> bool:
    """Whether it is f/sum(i, f)."""
    factors = factors_of(meanings.of(weight))
    above = multiply(*(each for each in factors if not is_reciprocal(each)))
    below = multiply(*(power(each, MINUS_ONE) for each in factors if is_reciprocal(each)))
    total = Reduction("sum", indices, above)
    return isinstance(below, Reduction) and canonical_bound_names(below) == canonical_bound_names(total)


def _left_by_product(node: Expression, meanings: Meanings) -> Expression | None:
    """1 - f*g = (1 - f) + f*(1 - g); of the factors one at least is a sigmoid."""
    factors = [base for base, times in map(as_power, factors_of(node)) for base in repeat(base, times)]
    if not 2 <= len(factors) <= MOST_FACTORS or any(map(is_reciprocal, factors_of(node))):
        return None
    known = [_left_by(each, meanings) for each in factors]
    left = [each or _left_by_parameter(factors[place], meanings) for place, each in enumerate(known)]
    terms = [each and multiply(*factors[:place], each) for place, each in enumerate(left)]
    return _sum_of_all(terms) if any(known) else None


def _left_by_parameter(factor: Expression, meanings: Meanings) -> Expression | None:
    """1 - f as it stands for what no equation computes: exact, where f is near 1."""
    is_read = isinstance(factor, Element) and meanings.definition(factor) is None
    return subtract(ONE, factor) if is_read else None


def _sum_of_all(terms: Sequence[Expression | None]) -> Expression | None:
    found = [each for each in terms if each is not None]
    return add(*found) if found and len(found) == len(terms) else None


def difference_from_probability(node: Expression, meanings: Meanings) -> Expression | None:
    """(g - f)*h/f = g*(1 - f)*h/f - (1 - g)*h for a probability f, also beside 1/(1 - f)."""
    factors = factors_of(multiply(*factors_of(node)))
    below = [base_and_exponent(each)[0] for each in factors if is_reciprocal(each)]
    for place, factor in enumerate(factors if below else ()):
        parts = [coefficient_and_rest(term) for term in terms_of(factor)]
        if len(parts) != 2 or parts[0][0] != -parts[1][0] or not all(rest for _, rest in parts):
            continue
        beside = (*factors[:place], *factors[place + 1 :])
        for (number, rest), (_, others) in (parts, parts[::-1]):
            value, probability = multiply(*rest), multiply(*others)
            left = _left_beside(below, probability, meanings)
            if left is not None:
                chosen = multiply(Number(number), value, left, *beside)
                return add(chosen, multiply(Number(-number), subtract(ONE, value), probability, *beside))
    return None


def _left_beside(
    below: Sequence[Expression], probability: Expression, meanings: Meanings
) -> Expression | None:
    """1 - f, where f or this is among the denominators, spelled as it is there."""
    plain = subtract(ONE, probability)
    spelled = [each for each in below if each in (plain, negate(plain))]
    left = _left_of_1(probability, meanings) if spelled or probability in below else None
    if left is None or left in below:
        return left
    return multiply(Number(1 if plain in spelled else -1), spelled[0]) if spelled else left


def _left_of_1(probability: Expression, meanings: Meanings) -> Expression | None:
    """1 - f, of which small values keep their digits."""
    number, rest = coefficient_and_rest(meanings.of(probability))
    exponent = argument_of("expm1", rest[0]) if len(rest) == 1 and number == -1 else None
    return _left_by(probability, meanings) if exponent is None else Apply("exp", (exponent,))


def difference_of_powers(node: Expression, meanings: Meanings) -> Expression | None:
    """f^n*g - f^(n + 1)*g = f^n*(1 - f)*g, where f is a sigmoid or a mean of some, and so is 1 - f."""
    if not isinstance(node, Add):
        return None
    for higher in node.terms:
        for factor in factors_of(higher):
            base, exponent = as_power(factor)
            lower = multiply(MINUS_ONE, higher, power(base, MINUS_ONE)) if exponent > 1 else None
            left = left_by_mean(base, meanings) if lower in node.terms else None
            if lower is not None and left is not None:
                joined = multiply(lower, left)
                terms = (joined if term == lower else term for term in node.terms if term != higher)
                return add(*terms)
    return None
