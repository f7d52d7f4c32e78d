"""Words for composite expressions: what each stands for, as a person would have typed it.

softmax(k, e) is exp(e)/sum(k, exp(e)), logsumexp(k, e) is log(sum(k, exp(e))), norm(i, e) is
sqrt(sum(i, e^2)), var(i, e) is mean(i, (e - mean(i, e))^2), the variance of a population, clip(e, lo, hi) is
min(max(e, lo), hi), which moves with e from lo to hi, both included, argmin(i, e) is argmax(i, -e). Behind
the language nothing knows these words but the printers (`systems.shorthands`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from symbackprop.language.composing import (
    applied,
    mean,
    negated,
    number,
    quotient,
    raised,
    square_root,
    total,
)
from symbackprop.notation.expressions import Expression, Index, Number, Reduction
from symbackprop.syntax.nodes import Formula, Negation, NumberLiteral

Definition: TypeAlias = Callable[[tuple[Index, ...], Expression], Expression]

_TWO = Number(2)


def softmax(indices: tuple[Index, ...], body: Expression) -> Expression:
    """exp(e)/sum(k, exp(e)): the inner k is bound by the sum, the outer one stays."""
    exponential = applied("exp", (body,))
    return quotient((("*", exponential), ("/", Reduction("sum", indices, exponential))))


def logsumexp(indices: tuple[Index, ...], body: Expression) -> Expression:
    """log(sum(k, exp(e)))."""
    return applied("log", (Reduction("sum", indices, applied("exp", (body,))),))


def norm(indices: tuple[Index, ...], body: Expression) -> Expression:
    """sqrt(sum(i, e^2)), the Euclidean norm; of a matrix, with two indices, Frobenius'."""
    return square_root(Reduction("sum", indices, raised(body, _TWO)))


def var(indices: tuple[Index, ...], body: Expression) -> Expression:
    """mean(i, (e - mean(i, e))^2)."""
    difference = total((("+", body), ("-", mean(indices, body))))
    return mean(indices, raised(difference, _TWO))


def clip(body: Expression, lowest: Expression, highest: Expression) -> Expression:
    """min(max(e, lo), hi)."""
    return applied("min", (applied("max", (body, lowest)), highest))


def argmin(indices: tuple[Index, ...], body: Expression) -> Expression:
    """argmax(i, -e): the first position of the minimum."""
    return Reduction("argmax", indices, negated(body))


DEFINITIONS: Final[Mapping[str, Definition]] = {
    "softmax": softmax, "logsumexp": logsumexp, "norm": norm, "var": var,
}  # fmt: skip


def product_of_decimals(factors: Sequence[tuple[str, Formula]]) -> Iterator[str]:
    """0.99*0.95, if that is what has been typed beside one another, whatever the signs."""
    operands = [each for operator, each in factors if operator != "/"]
    typed = [each.operand if isinstance(each, Negation) else each for each in operands]
    literals = [each.text for each in typed if isinstance(each, NumberLiteral)]
    decimals = [each for each in literals if number(each).value.denominator > 1]
    if len(decimals) > 1:
        yield "*".join(decimals)
