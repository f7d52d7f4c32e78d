"""0 + f = f, f*f = f^2: the arithmetic that keeps sums and products flat; sinh(f)/cosh(f) = tanh(f)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from itertools import permutations
from typing import ClassVar

from symbackprop.functions.table import BY_STEPS, QUOTIENTS
from symbackprop.languages.phrases import marked, phrase
from symbackprop.notation.arithmetic import (
    add,
    base_and_exponent,
    coefficient_and_rest,
    factors_of,
    multiply,
    normalised,
    power,
)
from symbackprop.notation.expressions import (
    MINUS_ONE,
    ONE,
    ZERO,
    Add,
    Apply,
    Expression,
    Multiply,
    Number,
    Power,
)
from symbackprop.notation.nodes import multiset
from symbackprop.rewriting.rule import Rule, Use
from symbackprop.rewriting.wording import Told, Wording
from symbackprop.rules.conditions import when
from symbackprop.rules.stating import stated

MOST_SINGLE = 8  # the highest power that is looked into


def flatten(node: Expression) -> Expression | None:
    """Put a sum, product or power together again by its builder."""
    if isinstance(node, Multiply) and _is_flat(node):
        return None
    again = normalised(node)
    return None if again == node else again


def _is_flat(node: Multiply) -> bool:
    """A look that is cheaper than building: different bases, nothing nested, a number in front at most."""
    rest = node.factors[1:] if isinstance(node.factors[0], Number) else node.factors
    if len(rest) < len(node.factors) and node.factors[0] in (ZERO, ONE):
        return False
    bases = [factor.base if isinstance(factor, Power) else factor for factor in rest]
    is_nested = any(isinstance(base, Multiply | Number | Power) for base in bases)
    return len(set(bases)) == len(rest) > 0 and not is_nested


def quotient_of_functions(node: Expression) -> Expression | None:
    """sinh(f)/cosh(f) = tanh(f), sin(f)/cos(f) = tan(f), in whole powers: log(cosh(f))' is tanh(f)*f'."""
    if not isinstance(node, Multiply):
        return None
    powers = {
        base: exponent.value
        for base, exponent in map(base_and_exponent, factors_of(node))
        if isinstance(base, Apply) and isinstance(exponent, Number) and exponent.value.denominator == 1
    }
    for (above, below), name in QUOTIENTS.items():
        for base, exponent in powers.items():
            divisor = Apply(below, base.children)
            times = min(exponent, -powers.get(divisor, Fraction(0)))
            if base.function == above and times > 0:
                named = (
                    (Apply(name, base.children), times),
                    (base, -times),
                    (divisor, times),
                )
                return multiply(*node.factors, *(power(each, Number(number)) for each, number in named))
    return None


def powers_of_one_base(node: Expression) -> Expression | None:
    """f^g/f^h = f^(g - h), where the power below stands as one: s^(size(d) - 1)/s^size(d) = 1/s."""
    if not isinstance(node, Multiply):
        return None
    for factor in node.factors:
        match factor:
            case Power(Power(base, inner), Number(number)) if number.denominator == 1:
                beside = [each for each in node.factors if base_and_exponent(each)[0] == base]
                if beside:
                    others = (each for each in node.factors if each is not factor and each is not beside[0])
                    exponent = add(base_and_exponent(beside[0])[1], multiply(Number(number), inner))
                    return multiply(*others, power(base, exponent))
    return None


def step_and_argument(node: Expression) -> Expression | None:
    """f*sign(f) = abs(f), abs(f)*sign(f) = f, sign(f)/f = 1/abs(f), sign(f)/abs(f) = 1/f."""
    if not isinstance(node, Multiply):
        return None
    for factor in node.factors:
        if isinstance(factor, Apply) and factor.function in BY_STEPS:
            (argument,) = factor.arguments
            absolute = Apply(BY_STEPS[factor.function], (argument,))
            rest = Counter(_in_single_powers(node))
            for beside, product in permutations((argument, absolute)):
                for exponent in (ONE, MINUS_ONE):
                    taken = Counter((factor, *factors_of(power(beside, exponent))))
                    if taken <= rest:
                        return multiply(power(product, exponent), *(rest - taken).elements())
    return None


def _in_single_powers(node: Multiply) -> Iterator[Expression]:
    """The factors, f twice for f^2."""
    for factor in node.factors:
        match factor:
            case Power(base, Number(exponent)) if exponent.denominator == 1 and 0 < exponent <= MOST_SINGLE:
                yield from [base] * exponent.numerator
            case _:
                yield factor


def multiple_of_a_sum(node: Expression) -> Expression | None:
    """f + g + n*(f + g) = (1 + n)*(f + g), and m*f + m*g beside it likewise."""
    if not isinstance(node, Add):
        return None
    split = list(map(coefficient_and_rest, node.terms))
    sums = [(number, rest[0]) for number, rest in split if len(rest) == 1 and isinstance(rest[0], Add)]
    numbers = {multiset(rest): number for number, rest in split if rest} if sums else {}
    for number, total in sums:
        inner = {multiset(rest): own for own, rest in map(coefficient_and_rest, total.children)}
        if not all(inner.values()):  # 0*f, which is not put together yet
            continue
        ratios = {numbers.get(key, Fraction(0)) / own for key, own in inner.items()}
        if len(ratios) == 1 and ZERO.value not in ratios:
            taken = {*inner, multiset((total,))}
            left = (
                term for term, (_, rest) in zip(node.terms, split, strict=True) if multiset(rest) not in taken
            )
            return add(*left, multiply(Number(number + ratios.pop()), total))
    return None


ARITHMETIC = (
    "0 + f = f, 0*f = 0, 1*f = f, f + f = 2*f, f^g*f^h = f^(g + h), (f^g*h)^n = f^(g*n)*h^n, "
    "where n is an integer"
)
_INTEGRAL = marked("(f^g*h)^n = f^(g*n)*h^n, where n is an integer")


def arithmetic_laws(node: Expression) -> tuple[str, ...]:
    """The laws by which a sum, product or power is put together; none where only numbers are."""
    powers = [each for each in (node, *factors_of(node)) if isinstance(each, Power)]
    integral = [each for each in powers if isinstance(each.base, Multiply | Power)]
    if isinstance(node, Add):
        likes = Counter(multiset(rest) for _, rest in map(coefficient_and_rest, node.terms) if rest)
        found = {"0 + f = f": ZERO in node.terms, "f + f = 2*f": max(likes.values(), default=0) > 1}
    elif ZERO in factors_of(node):
        found = {"0*f = 0": True}
    else:
        factors = [each for each in _all_factors(node) if not isinstance(each, Number)]
        bases = Counter(base for base, _ in map(base_and_exponent, factors))
        found = {
            "1*f = f": ONE in factors_of(node) and node != ONE,
            _INTEGRAL: bool(integral),
            "f^g*f^h = f^(g + h)": max(bases.values(), default=0) > 1,
        }
    return tuple([law for law, is_used in found.items() if is_used])


def _all_factors(node: Expression) -> Iterator[Expression]:
    """The factors of a product, those within powers of products with the exponent of these."""
    for factor in factors_of(node):
        if isinstance(factor, Multiply):
            yield from _all_factors(factor)
        elif isinstance(factor, Power) and isinstance(factor.base, Multiply | Power):
            yield from (Power(each, factor.exponent) for each in _all_factors(factor.base))
        else:
            yield factor


class ArithmeticUse(Use):
    """The use of arithmetic: which of its laws, the node says."""

    def wording(self, before: Expression, after: Expression, told: Told) -> Wording:
        """The laws that the node is put together by."""
        return Wording(tuple(map(phrase, arithmetic_laws(before))))


class Arithmetic(Rule):
    """A rule that puts sums, products and powers together by their builders."""

    use: ClassVar[type[Use]] = ArithmeticUse


QUOTIENT_OF_FUNCTIONS = stated(
    "quotient of functions",
    "sinh(f)/cosh(f) = tanh(f), sin(f)/cos(f) = tan(f)",
    quotient_of_functions,
    decreases="size",
    example="2*c*sinh(x[i])/cosh(x[i])",
    near_miss="sinh(x[i])/cosh(y[j])",
    roots=(Multiply,),
)
POWERS_OF_ONE_BASE = stated(
    "powers of one base",
    "f^g*(f^h)^n = f^(g + n*h)",
    powers_of_one_base,
    where=(when("integer", "n"),),
    decreases="size",
    example="c^(size(i) - 1)*x[i]/c^size(i)",
    near_miss="c^(size(i) - 1)*x[i]/h0^size(i)",
    roots=(Multiply,),
)
STEP_AND_ARGUMENT = stated(
    "step and argument",
    "f*sign(f) = abs(f), abs(f)*sign(f) = f, sign(f)/f = 1/abs(f), sign(f)/abs(f) = 1/f",
    step_and_argument,
    decreases="size",
    example="c*x[i]*sign(x[i])",
    near_miss="c*x[i]*sign(c + x[i])",
    roots=(Multiply,),
)
MULTIPLE_OF_A_SUM = stated(
    "multiple of a sum",
    "m*f + m*g + n*(f + g) = (m + n)*(f + g)",
    multiple_of_a_sum,
    decreases="size",
    example="c + x[i] - 3*(c + x[i])",
    near_miss="c + x[i] - 3*(c + y[j])",
    roots=(Add,),
)
BOOKKEEPING_RULES = (
    Arithmetic(
        "arithmetic",
        ARITHMETIC,
        flatten,
        decreases="size",
        example="0 + 1*x[i]",
        near_miss="x[i] + y[j]",
        root_types=(Add, Multiply, Power),
    ),
    QUOTIENT_OF_FUNCTIONS,
    POWERS_OF_ONE_BASE,
    STEP_AND_ARGUMENT,
    MULTIPLE_OF_A_SUM,
)
