"""Means on the page: mean(b, f) for sum(b, f)/size(b), as the model language has it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import repeat

from symbackprop.notation.arithmetic import is_sum, multiply, power, reciprocals_last
from symbackprop.notation.expressions import Expression, Multiply, Number, Power, Reduction, Size
from symbackprop.notation.substitution import rewrite_bottom_up
from symbackprop.systems.printing import text
from symbackprop.systems.system import Equation


def with_means(expression: Expression) -> Expression:
    """The expression with every sum that is divided by the sizes of its indices' axes as a mean, to print."""
    return rewrite_bottom_up(expression, _mean)


def _mean(node: Expression) -> Expression:
    if not isinstance(node, Multiply):
        return node
    divided = Counter(size for factor in node.factors for size in _sizes_below(factor))
    for total in filter(is_sum, node.factors):
        sizes = Counter[Expression](Size(index.axis) for index in total.indices)
        if sizes <= divided:
            mean = Reduction("mean", total.indices, total.body)
            factors = [mean if factor is total else factor for factor in node.factors]
            left = multiply(*factors, *(power(size, Number(times)) for size, times in sizes.items()))
            return reciprocals_last(left)
    return node


def _sizes_below(factor: Expression) -> Iterator[Expression]:
    """The size of an axis, as often as it is divided by."""
    match factor:
        case Power(Size() as size, Number(exponent)) if exponent < 0 and exponent.denominator == 1:
            yield from repeat(size, -int(exponent))


def shown_text(expression: Expression) -> str:
    """The expression as text, with its means."""
    return text(with_means(expression))


def shown_equation(equation: Equation) -> str:
    """`E = mean(b, e[b]^2)`."""
    return f"{text(equation.element)} = {shown_text(equation.expression)}"
