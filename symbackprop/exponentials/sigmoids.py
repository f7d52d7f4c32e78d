"""Sigmoids and hyperbolic functions written out by exponentials, and what is left of 1 beside one near it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

from symbackprop.exponentials.meanings import Meanings
from symbackprop.notation.arithmetic import (
    add,
    coefficient_and_rest,
    factors_of,
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
    Multiply,
    Number,
    Reduction,
    Where,
)
from symbackprop.notation.pairs import argument_of, as_power, joined_factors, joined_terms, may_hold_number


def one_plus_exponential(expression: Expression, meanings: Meanings) -> Expression | None:
    """f, where the expression or what it names is 1 + exp(f)."""
    found = meanings.of(expression)
    if isinstance(found, Add) and len(found.terms) == 2 and ONE in found.terms:
        other = found.terms[1] if found.terms[0] == ONE else found.terms[0]
        return argument_of("exp", meanings.of(other))
    return None


def sigmoid_argument(expression: Expression, meanings: Meanings) -> Expression | None:
    """f, where the expression or what it names is sigmoid(f), or 1 - sigmoid(-f)."""
    found = meanings.of(expression)
    if isinstance(found, Add):
        rest = subtract(ONE, found) if may_hold_number(found) else found
        inner = None if isinstance(rest, Add) else sigmoid_argument(rest, meanings)
        return None if inner is None else negate(inner)
    return argument_of("sigmoid", found)


def sign_and_argument(node: Expression, meanings: Meanings) -> tuple[int, Expression] | None:
    """(sign, f), where the node is sign*sigmoid(f), or 1 less than one of these."""
    if isinstance(node, Add) and not may_hold_number(node):
        return None
    for sign, side in ((1, node), (-1, negate(node))) if isinstance(node, Add) else ((1, node),):
        argument = sigmoid_argument(side, meanings)
        if argument is not None:
            return sign, argument
    return None


def exponential_times_sigmoid(node: Expression, meanings: Meanings) -> Expression | None:
    """exp(f)*sigmoid(-f) = sigmoid(f); sigmoid(f)/exp(f) = sigmoid(-f); (1 + exp(f))*sigmoid(-f) = 1.

    (1 - sigmoid(f))/sigmoid(-f) = 1.
    """

    def joined(sign: int, argument: Expression, other: Expression) -> Expression | None:
        if sign == 1 and one_plus_exponential(other, meanings) == negate(argument):
            return ONE
        exponent = argument_of("exp", meanings.of(other))
        is_opposite = exponent is not None and multiply(Number(sign), exponent) == negate(argument)
        return Apply("sigmoid", (negate(argument),)) if is_opposite else None

    opened = _with_sigmoids_opened(node, meanings)
    product = joined_factors(opened, "sigmoid", partial(joined, 1))
    product = product or joined_factors(opened, "sigmoid", partial(joined, -1), sign=-1)
    return product or _powers_joined(opened, meanings) or _complement_cancelled(node, meanings)


def _complement_cancelled(node: Expression, meanings: Meanings) -> Expression | None:
    """(1 - sigmoid(f))/sigmoid(-f) = 1."""
    factors = node.factors if isinstance(node, Multiply) else ()
    below = {base: at for at, (base, times) in enumerate(map(as_power, factors)) if times < 0}
    for place, factor in enumerate(factors if below else ()):
        argument = sigmoid_argument(factor, meanings) if isinstance(factor, Add) else None
        function = None if argument is None else Apply("sigmoid", (argument,))
        if function in below:
            rest = (each for at, each in enumerate(factors) if at != place)
            return multiply(*rest, function)
    return None


def _powers_joined(node: Expression, meanings: Meanings) -> Expression | None:
    """exp(n*f)*sigmoid(-f)^n = sigmoid(f)^n."""
    factors = node.factors if isinstance(node, Multiply) else ()
    for power_of_sigmoid in factors:
        base, number = as_power(power_of_sigmoid)
        argument = argument_of("sigmoid", base)
        if argument is None:
            continue
        multiples = {multiply(Number(-times), argument): times for times in range(2, number + 1)}
        for other in factors:
            exponent = argument_of("exp", meanings.of(other))
            if exponent in multiples:
                times = multiples[exponent]
                rest = (each for each in factors if each is not other and each is not power_of_sigmoid)
                joined = power(Apply("sigmoid", (negate(argument),)), Number(times))
                return multiply(*rest, joined, power(base, Number(number - times)))
    return None


def _with_sigmoids_opened(node: Expression, meanings: Meanings) -> Expression:
    """The product with what a name stands for in its place, if sigmoid(-f) for an exp(f) is in it."""
    if not isinstance(node, Multiply):
        return node
    exponents = {argument_of("exp", meanings.of(factor)) for factor in node.factors}
    wanted = {Apply("sigmoid", (negate(each),)) for each in exponents if each is not None}
    opened = [meanings.of(each) if wanted and isinstance(each, Element) else each for each in node.factors]
    return multiply(
        *(
            new if isinstance(new, Multiply) and not wanted.isdisjoint(new.factors) else old
            for old, new in zip(node.factors, opened, strict=True)
        )
    )


def difference_times_sigmoid(node: Expression, _meanings: Meanings) -> Expression | None:
    """(exp(f) - 1)*sigmoid(-f) = tanh(f/2)."""

    def product(argument: Expression, other: Expression) -> Expression | None:
        return _tanh_of_half(argument) if argument_of("sigmoid", other) == negate(argument) else None

    return joined_factors(node, "expm1", product)


def exponential_by_difference(node: Expression, _meanings: Meanings) -> Expression | None:
    """exp(f)/(exp(f) - 1) = -1/(exp(-f) - 1)."""

    def ratio(argument: Expression, other: Expression) -> Expression | None:
        if argument_of("expm1", other) != argument:
            return None
        return multiply(MINUS_ONE, power(Apply("expm1", (negate(argument),)), MINUS_ONE))

    return joined_factors(node, "exp", ratio, sign=-1)


def difference_from_number(node: Expression, meanings: Meanings) -> Expression | None:
    """exp(f)^n - 1 = expm1(n*f); expm1(f) + 1 = exp(f); 2*sigmoid(f) - 1 = tanh(f/2)."""
    number, factor, function = _number_and_multiple(node)
    base, exponent = as_power(function)
    raised = argument_of("exp", meanings.of(base))
    if raised is not None:
        function = Apply("exp", (multiply(Number(exponent), raised),))
    times, named = coefficient_and_rest(meanings.of(function))
    if len(named) == 1 and any(argument_of(each, named[0]) is not None for each in ("exp", "expm1")):
        factor, function = factor * times, named[0]
    match function:
        case Apply("expm1", (f,)) if number == factor:
            return multiply(Number(factor), Apply("exp", (f,)))
        case Apply("exp", (f,)) if number == -factor:
            return multiply(Number(factor), Apply("expm1", (f,)))
        case Apply("sigmoid", (f,)) if 2 * number == -factor:
            return multiply(Number(-number), _tanh_of_half(f))
    return None


def numbers_together(node: Expression, _meanings: Meanings) -> Expression | None:
    """1 - (1 - f) = f."""
    if not isinstance(node, Add) or not any(isinstance(term, Number) for term in node.terms):
        return None
    for place, term in enumerate(node.terms):
        number, rest = coefficient_and_rest(term)
        inner = rest[0] if len(rest) == 1 else None
        if isinstance(inner, Add) and any(isinstance(each, Number) for each in inner.terms):
            parts = (multiply(Number(number), each) for each in inner.terms)
            return add(*node.terms[:place], *parts, *node.terms[place + 1 :])
    return None


def complement(node: Expression, meanings: Meanings) -> tuple[Apply, Expression] | None:
    """The function in 1 - sigmoid(f) or 1 - tanh(f)^2, and sigmoid(-f) or 4*sigmoid(2*f)*sigmoid(-2*f)."""
    number, factor, function = _number_and_multiple(node)
    if not number or number != -factor:
        return None
    base, exponent = as_power(meanings.of(function))
    match meanings.of(base), exponent:
        case Apply("sigmoid", (f,)) as inner, 1:
            return inner, multiply(Number(number), Apply("sigmoid", (negate(f),)))
        case Apply("tanh", (f,)) as inner, 2:
            sides = (Apply("sigmoid", (multiply(Number(sign * 2), f),)) for sign in (1, -1))
            return inner, multiply(Number(4 * number), *sides)
    return None


def complement_above_floor(node: Expression, meanings: Meanings) -> tuple[Apply, Expression] | None:
    """The function in 1 - sigmoid(f) + c, c > 0 a number, and sigmoid(-f) + c; of 1 - tanh(f)^2 + c, too."""
    numbers = [each for each in terms_of(node) if isinstance(each, Number)]
    others = [each for each in terms_of(node) if not isinstance(each, Number)]
    if not numbers or len(others) != 1:
        return None
    number, _ = coefficient_and_rest(others[0])
    floor = sum(each.value for each in numbers) + number
    found = complement(add(Number(-number), others[0]), meanings) if floor * number < 0 else None
    return None if found is None else (found[0], add(found[1], Number(floor)))


def _number_and_multiple(node: Expression) -> tuple[Fraction, Fraction, Expression]:
    """(a, b, f) of a + b*f with numbers a and b; a = b = 0 for anything else."""
    if isinstance(node, Add) and len(node.terms) == 2:
        for one, other in (node.terms, node.terms[::-1]):
            factor, rest = coefficient_and_rest(other)
            if isinstance(one, Number) and len(rest) == 1:
                return one.value, factor, rest[0]
    return Fraction(0), Fraction(0), ONE


def softplus_difference(node: Expression, _meanings: Meanings) -> Expression | None:
    """softplus(f) - softplus(-f) = f."""

    def difference(argument: Expression, other: Expression) -> Expression | None:
        return argument if argument_of("softplus", other) == negate(argument) else None

    return joined_terms(node, "softplus", difference, sign=-1)


def sigmoid_difference(node: Expression, _meanings: Meanings) -> Expression | None:
    """sigmoid(f) - sigmoid(-f) = tanh(f/2)."""

    def difference(argument: Expression, other: Expression) -> Expression | None:
        return _tanh_of_half(argument) if argument_of("sigmoid", other) == negate(argument) else None

    return joined_terms(node, "sigmoid", difference, sign=-1)


def _tanh_of_half(argument: Expression) -> Expression:
    return Apply("tanh", (multiply(Number(Fraction(1, 2)), argument),))


def sigmoids_in(
    node: Expression, meanings: Meanings, bound: tuple[Index, ...] = ()
) -> Iterator[tuple[Expression, tuple[Index, ...]]]:
    """The arguments of sigmoids among the factors of a sum's terms, and the indices that are summed over.

    In exp(-s) - 1, where s is a sum of softplus(f), f is one.
    """
    for factor in (factor for term in terms_of(node) for factor in factors_of(term)):
        base, _ = as_power(factor)
        argument = sigmoid_argument(base, meanings) or argument_of("softplus", base)
        match base:
            case _ if argument is not None:
                yield argument, bound
            case Reduction("sum", indices, body):
                yield from sigmoids_in(body, meanings, (*bound, *indices))
            case Where(_, chosen, _):
                yield from sigmoids_in(chosen, meanings, bound)
            case Apply("expm1", (inner,)):
                yield from sigmoids_in(inner, meanings, bound)
            case Element() if (opened := meanings.opened(base))[0] is not base:
                yield from sigmoids_in(*opened, bound)
            case Add() if base != node:
                yield from sigmoids_in(base, meanings, bound)


@dataclass(frozen=True)
class Sigmoid:
    """A factor (sign*sigmoid(argument))^exponent, which is spelled `node`."""

    node: Expression
    argument: Expression
    exponent: int
    sign: int = 1

    @property
    def as_function(self) -> Expression:
        """The same, spelled as the function."""
        function = multiply(Number(self.sign), Apply("sigmoid", (self.argument,)))
        return power(function, Number(self.exponent))


def sigmoid_of(factor: Expression, meanings: Meanings) -> Sigmoid | None:
    """A factor as a power of a sigmoid, or of 1 less one; None for anything else."""
    base, exponent = as_power(factor)
    found = sign_and_argument(base, meanings)
    return None if found is None else Sigmoid(factor, found[1], exponent, sign=found[0])
