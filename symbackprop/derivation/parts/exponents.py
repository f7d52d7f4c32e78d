"""Which exponents a person would name: those of log-sum-exps and densities that several tensors move.

The exponent with a sum in a log-sum-exp, or of logits over a temperature, and that of a density,
exp(-(x - m)^2/(2*s^2))/s: gradients by two tensors read it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeGuard

from symbackprop.notation.arithmetic import factors_of, is_reciprocal, is_root, is_sum
from symbackprop.notation.expressions import Add, Apply, Expression, Multiply, Power, Reduction


def exponent_of_log_sum(
    expression: Expression, movable: frozenset[str], beside: frozenset[str]
) -> Expression | None:
    """f of log(sum(k, g*exp(f))) with a sum or a square in f, or a product of two of these tensors.

    Gradients by two of them read e^f. Of T*log(sum(k, exp(v[k]/T))), with T `beside` it, they cancel T.
    """
    match expression:
        case Apply("log", (Reduction("sum", _, body),)):
            exponents = [each.arguments[0] for each in factors_of(body) if is_exponential(each)]
            if len(exponents) == 1 and len(body.tensors & movable) > 1:
                exponent = exponents[0]
                is_scaled = exponent.tensors.isdisjoint(beside) and _is_scaled(exponent, movable)
                return exponent if is_scaled or _is_long(exponent) else None
    return None


def _is_scaled(exponent: Expression, movable: frozenset[str]) -> bool:
    """Whether two of these tensors are multiplied or divided, as logits by a temperature."""
    factors = [each for each in factors_of(exponent) if not each.tensors.isdisjoint(movable)]
    return len(factors) > 1


def exponent_of_density(product: Expression, movable: frozenset[str]) -> Expression | None:
    """f of e^f with a sum or a square in f, beside a factor that is moved by what moves f too.

    Gradients by two tensors read e^f then, one of them from both factors. An f with an exponential of its own
    stays: that it may be minus infinity is not seen of a name.
    """
    factors = factors_of(product)
    for place, factor in enumerate(factors):
        if is_exponential(factor) and len(factor.tensors & movable) > 1:
            others = (each for at, each in enumerate(factors) if at != place)
            beside = frozenset[str]().union(*(each.tensors for each in others))
            (exponent,) = factor.arguments
            is_finite = not any(is_exponential(each) for each in exponent.walk())
            if is_finite and beside & factor.tensors & movable and _is_long(exponent):
                return exponent
    return None


def _is_long(exponent: Expression) -> bool:
    return any(is_sum(each) or _is_power_of_sum(each) for each in exponent.walk())


def distances_in(exponent: Expression) -> Iterator[Power]:
    """The roots of sums in an exponent, the outermost first: their derivatives divide by them."""
    for node in exponent.walk():
        if is_root(node) and not is_reciprocal(node) and (is_sum(node.base) or isinstance(node.base, Add)):
            yield node


def is_exponential(node: Expression) -> TypeGuard[Apply]:
    """Whether it is e^f."""
    return isinstance(node, Apply) and node.function == "exp"


def _is_power_of_sum(node: Expression) -> bool:
    return isinstance(node, Power) and isinstance(node.base, Add) and not is_reciprocal(node)


def read_beside(expression: Expression, child: Expression) -> frozenset[str]:
    """The tensors in the other factors of a product."""
    others = (each.tensors for each in factors_of(expression) if each is not child)
    return frozenset[str]().union(*others) if isinstance(expression, Multiply) else frozenset()
