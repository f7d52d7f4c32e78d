"""Logarithms: of sums and products of exponentials, of probabilities, near 1, and beside a factor 0."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction

from symbackprop.exponentials.complements import as_sigmoids, difference_of_sigmoids
from symbackprop.exponentials.factors import carries_sigmoids, sums_sigmoids
from symbackprop.exponentials.meanings import Meanings
from symbackprop.exponentials.names_followed import is_kept_from_0
from symbackprop.exponentials.product_guards import is_never_zero
from symbackprop.exponentials.scaled import scaled
from symbackprop.exponentials.sigmoids import (
    complement,
    one_plus_exponential,
    sigmoid_argument,
)
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
    ZERO,
    Add,
    Apply,
    Comparison,
    Element,
    Expression,
    Multiply,
    Number,
    Reduction,
    Where,
)
from symbackprop.notation.pairs import argument_of
from symbackprop.systems.partial import NOTHING_KNOWN, is_positive


def log_of_exponentials(node: Expression, meanings: Meanings) -> Expression | None:
    """log(exp(m)*f/g) = m + log(f) - log(g); log(1 + exp(m)*f) = softplus(m + log(f))."""
    argument = argument_of("log", node)
    rest = argument_of("log1p", node) or (subtract(argument, ONE) if argument is not None else ZERO)
    is_one_plus = argument is None or (isinstance(argument, Add) and ONE in argument.terms)
    softplus = _softplus_of(rest, meanings) if is_one_plus else None
    if softplus is not None:
        return softplus
    bases = [base_and_exponent(factor)[0] for factor in factors_of(argument or ONE)]
    if any(sums_sigmoids(base, meanings) or carries_sigmoids(base, meanings) for base in bases):
        meanings = meanings.with_sigmoids()
    found = None if argument is None or _is_plain_enough(argument, meanings) else scaled(argument, meanings)
    return None if found is None or found.is_plain else add(found.exponent, _logarithm(found.value))


def _logarithm(value: Expression) -> Expression:
    """log(value), or log(numerator) - log(denominator) where the numerator is not negative."""
    factors = factors_of(value)
    below = [each for each in factors if is_reciprocal(each)]
    above = multiply(*(each for each in factors if each not in below))
    if not below or not NOTHING_KNOWN.is_nonnegative(above):
        return log(value)
    return subtract(log(above), log(multiply(*(power(each, MINUS_ONE) for each in below))))


def log(value: Expression) -> Expression:
    """The logarithm of a value; 0 for 1."""
    return ZERO if value == ONE else Apply("log", (value,))


def _is_plain_enough(argument: Expression, meanings: Meanings) -> bool:
    """Whether it is a number above 0 and names that are at least 0, and too large only where the loss is."""
    if not argument.tensors or not argument.tensors <= meanings.infinite_with_loss:
        return False
    names = [each for each in argument.walk() if isinstance(each, Element)]
    found = frozenset(each.tensor for each in names if NOTHING_KNOWN.is_nonnegative(meanings.of(each)))
    has_functions = any(isinstance(each, Apply) for each in argument.walk())
    return not has_functions and is_kept_from_0(argument, replace(NOTHING_KNOWN, nonnegative=found))


def log_of_two_exponentials(node: Expression, meanings: Meanings) -> Expression | None:
    """log(exp(f) + exp(g)) = max(f, g) + softplus(-abs(f - g)); log(n + exp(f)) by log(n), where n >= 1.

    f + softplus(g - f) loses digits where f is below 0 and below g. A number before exp(f) is the exponential
    of its logarithm.
    """
    argument = argument_of("log", node)
    found = None if argument is None else meanings.of(argument)
    if not (isinstance(found, Add) and len(found.terms) == 2) or _is_plain_enough(found, meanings):
        return None
    parts = [_number_and_exponent(term, meanings) for term in found.terms]
    if any(part is None for part in parts) or not any(part and part[1] != ZERO for part in parts):
        return None
    (a, f), (b, g) = (part for part in parts if part is not None)
    apart = add(subtract(f, g), log(Number(a / b)))
    if (f == ZERO and a >= 1) or NOTHING_KNOWN.is_nonnegative(apart):
        return add(log(Number(a)), f, Apply("softplus", (negate(apart),)))
    if (g == ZERO and b >= 1) or NOTHING_KNOWN.is_nonnegative(negate(apart)):
        return add(log(Number(b)), g, Apply("softplus", (apart,)))
    largest = Apply("max", (add(log(Number(a)), f), add(log(Number(b)), g)))
    return add(largest, Apply("softplus", (negate(Apply("abs", (apart,))),)))


def _number_and_exponent(term: Expression, meanings: Meanings) -> tuple[Fraction, Expression] | None:
    """(a, f) of a*exp(f) with a number a > 0."""
    number, rest = coefficient_and_rest(term)
    exponent = argument_of("exp", meanings.of(multiply(*rest))) if rest else ZERO
    return (number, exponent) if number > 0 and exponent is not None else None


def log_of_difference(node: Expression, _meanings: Meanings) -> Expression | None:
    """log(exp(f) - 1) = f + log(1 - exp(-f))."""
    argument = argument_of("log", node)
    exponent = None if argument is None else argument_of("expm1", argument)
    if exponent is None:
        return None
    return add(exponent, log(negate(Apply("expm1", (negate(exponent),)))))


def log_of_one_plus(node: Expression, meanings: Meanings) -> Expression | None:
    """log(1 + g*exp(f)) = softplus(f + log(g)), where g is positive; log(1 + f) = log1p(f)."""
    match node:
        case Apply("log1p", (Apply("expm1", (inner,)),)):
            return inner
        case Apply("log1p", (argument,)):
            inside = add(ONE, argument)
            is_small = isinstance(inside, Add) and as_sigmoids(inside, meanings) is not None
            softplus = log(inside) if is_small else _softplus_of(argument, meanings)
            return None if softplus is None or _is_shifted(softplus, argument) else softplus
        case Apply("log", (argument,)):
            exponent = one_plus_exponential(argument, meanings)
            if exponent is not None:
                return Apply("softplus", (exponent,))
            if isinstance(argument, Add) and ONE in argument.terms and not as_sigmoids(argument, meanings):
                rest = subtract(argument, ONE)
                softplus = _softplus_of(rest, meanings) or _log1p(rest)
                return None if softplus is None or _is_shifted(softplus, rest) else softplus
    return None


def _log1p(rest: Expression) -> Expression | None:
    """log1p(f), unless f is a sum that may come near -1: 1 - x + eps keeps an eps that eps - x has lost."""
    is_rounded = isinstance(rest, Add) and not NOTHING_KNOWN.is_nonnegative(rest)
    return None if is_rounded else Apply("log1p", (rest,))


def _softplus_of(argument: Expression, meanings: Meanings) -> Expression | None:
    found = scaled(argument, meanings)
    if (
        found.is_plain
        or _is_plain_enough(add(ONE, argument), meanings)
        or not _is_above_0(found.value, meanings)
    ):
        return None
    return Apply("softplus", (add(found.exponent, log(found.value)),))


def _is_above_0(value: Expression, meanings: Meanings) -> bool:
    """Whether it is a product of exponentials and their sums, also of one that a recurrence adds up."""
    for named in meanings.introduced.values():
        if named.value == value:
            _, running = named.equations
            ranges = replace(NOTHING_KNOWN, nonnegative=frozenset((running.tensor,)))
            terms = terms_of(running.expression)
            return any(map(is_never_zero, terms)) and all(map(ranges.is_nonnegative, terms))
    return is_never_zero(value) and NOTHING_KNOWN.is_nonnegative(value)


def _is_shifted(softplus: Expression, argument: Expression) -> bool:
    """Whether terms were shifted by the largest of them: then it weighs more, and is used once."""
    return not _maxima(softplus) <= _maxima(argument)


def _maxima(node: Expression) -> set[Expression]:
    return {each for each in node.walk() if isinstance(each, Apply) and each.function == "max"}


def log_of_sigmoids(node: Expression, meanings: Meanings) -> Expression | None:
    """log(sigmoid(f)*g) = log(g) - softplus(-f), also for differences that are products of sigmoids."""
    match node:
        case Apply("log" | "log1p" as function, (argument,)):
            inside = argument if function == "log" else add(ONE, argument)
        case _:
            return None
    taken: list[Expression] = []
    rest: list[Expression] = []
    for factor in factors_of(_by_sigmoids(meanings.of_earlier(inside), meanings)):
        base, exponent = base_and_exponent(factor)
        found = sigmoid_argument(base, meanings)
        if found is None:
            rest.append(factor)
        else:
            taken.append(multiply(negate(exponent), Apply("softplus", (negate(found),))))
    return add(*taken, log(multiply(*rest))) if taken else None


def log_of_where(node: Expression, meanings: Meanings) -> Expression | None:
    """log(where(c, f, g)) = where(c, log(f), log(g)), where both are products of exponentials or sigmoids."""
    argument = argument_of("log", node)
    match None if argument is None else meanings.of_earlier(argument):
        case Where(condition, chosen, otherwise) if _is_far(chosen, meanings) or _is_far(otherwise, meanings):
            if all(_is_far(each, meanings) or is_positive(each) for each in (chosen, otherwise)):
                return Where(condition, log(chosen), log(otherwise))
    return None


def log_of_product(node: Expression, meanings: Meanings) -> Expression | None:
    """log(prod(i, f)*g) = sum(i, log(f)) + log(g), where f is a product of exponentials or sigmoids."""
    argument = argument_of("log", node)
    factors = factors_of(meanings.of_earlier(argument)) if argument is not None else ()
    for place, factor in enumerate(factors):
        match meanings.of_earlier(factor):
            case Reduction("prod", indices, body) if _is_far(body, meanings):
                rest = multiply(*factors[:place], *factors[place + 1 :])
                return add(log(rest), Reduction("sum", indices, log(body)))
    return None


def _is_far(value: Expression, meanings: Meanings) -> bool:
    """Whether it may be too large or too small for a number, where its logarithm has a stable form."""
    forms = (log_of_sigmoids, log_of_exponentials, log_of_where, log_of_product)
    return any(form(log(value), meanings) is not None for form in forms)


def _by_sigmoids(product: Expression, meanings: Meanings) -> Expression:
    """The product with sigmoids multiplied for 1 - tanh(f)^2 and sigmoid(f) - sigmoid(g)."""
    factors: list[Expression] = []
    for factor in factors_of(product):
        base, exponent = base_and_exponent(factor)
        meant = meanings.of(base)
        found = complement(meant, meanings)
        multiplied = difference_of_sigmoids(meant, meanings) if found is None else found[1]
        is_new = multiplied is not None and isinstance(exponent, Number)
        factors.append(power(multiplied, exponent) if multiplied is not None and is_new else factor)
    return multiply(*factors)


def log_beside_zero(node: Expression, meanings: Meanings) -> Expression | None:
    """x*log(x) is 0 where x is 0: the logarithm is not looked at there."""
    if not isinstance(node, Multiply) or not meanings.may_reach_logarithm(node):
        return None
    for factor in node.factors:
        base, exponent = base_and_exponent(factor)
        if isinstance(exponent, Number) and exponent.value > 0 and not is_never_zero(base):
            guarding = _Guarding(base, meanings)
            changed = [each if each is factor else guarding.of(each) for each in node.factors]
            if changed != list(node.factors):
                return multiply(*changed)
    return None


def _bases(product: Expression) -> list[Expression]:
    """What stands above in a product."""
    return [base_and_exponent(factor)[0] for factor in factors_of(product) if not is_reciprocal(factor)]


@dataclass(frozen=True)
class _Guarding:
    """Expressions with log(where(x != 0, x*f, 1)) for log(x*f) in them, where x is `vanishing`."""

    vanishing: Expression
    meanings: Meanings
    found: dict[Expression, Expression] = field(default_factory=dict)

    def of(self, node: Expression) -> Expression:
        """The node, looked at once, however often it is read through names."""
        if node not in self.found:
            self.found[node] = self._guarded(node)
        return self.found[node]

    def _guarded(self, node: Expression) -> Expression:
        meant = self.meanings.of(node) if isinstance(node, Element) else node
        match meant:
            case Apply("log", (argument,)):
                bases = [base_and_exponent(factor)[0] for factor in factors_of(argument)]
                if self.vanishing in bases:
                    return Apply("log", (Where(Comparison("!=", self.vanishing, ZERO), argument, ONE),))
                # What a name stands for may be 0 sooner, as x^2/sum(i, x^2) is.
                if isinstance(argument, Element) and self.vanishing in _bases(self.meanings.of(argument)):
                    return Apply("log", (Where(Comparison("!=", argument, ZERO), argument, ONE),))
            case Add() | Multiply():
                children = tuple([self.of(child) for child in meant.children])
                if children != meant.children:
                    return meant.with_children(children)
        return node
