"""softplus(f), which is exp(f) to all digits far below 0, where both may be too small to be told from 0."""

from __future__ import annotations

from symbackprop.exponentials.meanings import Meanings
from symbackprop.exponentials.scaled import as_exponential, exp, scaled
from symbackprop.exponentials.sigmoids import sigmoid_argument
from symbackprop.notation.arithmetic import (
    add,
    base_and_exponent,
    coefficient_and_rest,
    factors_of,
    multiply,
    negate,
    power,
    subtract,
    terms_of,
)
from symbackprop.notation.expressions import (
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
from symbackprop.notation.pairs import argument_of, as_power
from symbackprop.notation.substitution import canonical_bound_names
from symbackprop.systems.partial import NOTHING_KNOWN

MOST_SIGMOIDS = 3  # beside a product over an index: so far the weight falls


def product_of_complements(node: Expression, meanings: Meanings) -> Expression | None:
    """prod(i, (1 - sigmoid(f))^g) = prod(i, sigmoid(-f)^g), also where a condition leaves factors out."""
    match node:
        case Reduction("prod", _, Where(condition, body, otherwise)) if otherwise == ONE:
            inner = product_of_complements(node.with_children((body,)), meanings)
            return inner and node.with_children((Where(condition, inner.children[0], ONE),))
        case Reduction("prod", _, body):
            base, exponent = base_and_exponent(body)
            argument = sigmoid_argument(base, meanings) if isinstance(base, Add) else None
            return argument and node.with_children((power(Apply("sigmoid", (argument,)), exponent),))
    return None


def complement_of_product(node: Expression, meanings: Meanings) -> Expression | None:
    """n - n*h*prod(i, sigmoid(f)^g) = -n*(exp(-sum(i, g*softplus(-f)) + log(h)) - 1), h sigmoids."""
    numbers = [term for term in terms_of(node) if isinstance(term, Number)]
    if not isinstance(node, Add) or len(node.terms) != 2 or len(numbers) != 1:
        return None
    number, rest = coefficient_and_rest(next(term for term in node.terms if term is not numbers[0]))
    factors = factors_of(meanings.of(multiply(*rest)))
    parts = [_logarithm_of_factor(factor, meanings) for factor in factors]
    sigmoids = sum(not isinstance(meanings.of(each), Reduction) for each in factors)
    if number != -numbers[0].value or len(factors) == sigmoids or sigmoids > MOST_SIGMOIDS:
        return None
    exponents = [each for each in parts if each is not None]
    return multiply(Number(number), Apply("expm1", (add(*exponents),))) if all(parts) else None


def complement_of_power(node: Expression, meanings: Meanings) -> Expression | None:
    """n - n*sigmoid(f)^g*sigmoid(h)^k = -n*(exp(-g*softplus(-f) - k*softplus(-h)) - 1), g or k no number."""
    numbers = [term for term in terms_of(node) if isinstance(term, Number)]
    if not isinstance(node, Add) or len(node.terms) != 2 or len(numbers) != 1:
        return None
    number, rest = coefficient_and_rest(next(term for term in node.terms if term is not numbers[0]))
    probability = meanings.of_earlier(multiply(*rest))
    if number != -numbers[0].value or not any(map(_is_power, factors_of(probability))):
        return None
    spelled = multiply(*(_with_exponentials(each, meanings) for each in factors_of(probability)))
    found = scaled(spelled, meanings.with_sigmoids())
    is_at_most_1 = NOTHING_KNOWN.is_nonnegative(negate(found.exponent))
    if found.value != ONE or not is_at_most_1 or argument_of("exp", spelled) is not None:
        return None
    return multiply(Number(number), Apply("expm1", (found.exponent,)))


def _is_power(factor: Expression) -> bool:
    return not isinstance(base_and_exponent(factor)[1], Number)


def _with_exponentials(factor: Expression, meanings: Meanings) -> Expression:
    """The power with the exponentials in its exponent that have names written out: scales are seen there."""
    base, exponent = base_and_exponent(factor)
    return power(base, multiply(*(as_exponential(each, meanings) for each in factors_of(exponent))))


def _logarithm_of_factor(factor: Expression, meanings: Meanings) -> Expression | None:
    meant = meanings.of(factor)
    if isinstance(meant, Reduction):
        return _logarithm_of_product(meant, meanings)
    logarithm = _logarithm_of_sigmoid(factor, meanings)
    return logarithm and negate(logarithm)


def product_beside_exponential(node: Expression, meanings: Meanings) -> Expression | None:
    """prod(i, sigmoid(f)^g)*exp(h + sum(i, g*softplus(-f))) = exp(h)."""
    factors = list(factors_of(multiply(*node.factors))) if isinstance(node, Multiply) else []
    for factor in factors:
        logarithm = _logarithm_of_product(factor, meanings)
        for at, other in enumerate(factors) if logarithm is not None else ():
            base, times = as_power(other)
            argument = argument_of("exp", base)
            left = argument and logarithm and _without(multiply(Number(times), argument), logarithm)
            if left is not None:
                changed = [*factors[:at], exp(left), *factors[at + 1 :]]
                return multiply(*(each for each in changed if each is not factor))
    return None


def _without(exponent: Expression, logarithm: Expression) -> Expression | None:
    """The sum of both, where one has the negative of the other among its terms."""
    negative = canonical_bound_names(negate(logarithm))
    for term in terms_of(exponent):
        if canonical_bound_names(term) == negative:
            return subtract(exponent, term)
    return None


def _logarithm_of_product(node: Expression, meanings: Meanings) -> Expression | None:
    """-sum(i, g*softplus(-f)) for prod(i, sigmoid(f)^g), for which the condition may leave out factors."""
    match node:
        case Reduction("prod", indices, Where(condition, body, otherwise)) if otherwise == ONE:
            term = _logarithm_of_sigmoid(body, meanings)
            return term and negate(Reduction("sum", indices, Where(condition, term, ZERO)))
        case Reduction("prod", indices, body):
            term = _logarithm_of_sigmoid(body, meanings)
            return term and negate(Reduction("sum", indices, term))
    return None


def _logarithm_of_sigmoid(body: Expression, meanings: Meanings) -> Expression | None:
    """g*softplus(-f) for sigmoid(f)^g."""
    base, exponent = base_and_exponent(body)
    argument = sigmoid_argument(base, meanings)
    return argument and multiply(exponent, Apply("softplus", (negate(argument),)))


def exponential_of_softplus(node: Expression, _meanings: Meanings) -> Expression | None:
    """exp(-softplus(f)) = sigmoid(-f); exp(softplus(f)) = 1 + exp(f); exp of a sum by its terms."""
    difference = argument_of("expm1", node)
    inner = None if difference is None else argument_of("softplus", difference)
    if inner is not None:
        return exp(inner)
    argument = argument_of("exp", node)
    for term in terms_of(argument) if argument is not None else ():
        number, rest = coefficient_and_rest(term)
        inner = argument_of("softplus", rest[0]) if len(rest) == 1 else None
        if inner is not None and argument is not None and number in (-1, 1):
            others = subtract(argument, term)
            if any(map(_is_shift, terms_of(others))):
                return None
            if number < 0:
                return multiply(Apply("sigmoid", (negate(inner),)), exp(others))
            return multiply(add(ONE, exp(inner)), exp(others)) if others == ZERO else None
    return None


def _is_shift(term: Expression) -> bool:
    """Whether it keeps the other terms of an exponent from being too small: a maximum, or a minimum."""
    match coefficient_and_rest(term):
        case _, (Reduction("max", _, _) | Apply("max" | "min", _),):
            return True
        case number, (Apply("softplus", _),):
            return number > 0
    return False
