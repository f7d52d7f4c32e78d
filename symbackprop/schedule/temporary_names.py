"""Names for temporaries, read off what they hold: exp_u1, one_minus_z1, max_k_u."""

from __future__ import annotations

from collections.abc import Container
from fractions import Fraction

from symbackprop.functions.table import as_shown
from symbackprop.notation.arithmetic import coefficient_and_rest, is_sum
from symbackprop.notation.expressions import (
    Add,
    Apply,
    Comparison,
    Element,
    Expression,
    Index,
    Logic,
    Multiply,
    Number,
    Power,
    Reduction,
    Where,
)
from symbackprop.notation.fresh_names import numbered_name
from symbackprop.notation.matrix_functions import MatrixFunction

# A longer name says less than the formula in the comment above it.
LONGEST_NAME = 16
_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_POWERS = {
    Fraction(2): "{}_squared",
    Fraction(3): "{}_cubed",
    Fraction(1, 2): "sqrt_{}",
}
_COMPARISONS = {
    "<": "{}_below_{}",
    "<=": "{}_up_to_{}",
    ">": "{}_above_{}",
    ">=": "{}_from_{}",
    "==": "{}_is_{}",
    "!=": "{}_is_not_{}",
}


def temporary_name(expression: Expression, consumer: str, taken: Container[str]) -> str:
    """A name that says what the expression is, or where that is long, whose part it is; never a taken one."""
    described = description(expression)
    stem = described if described and len(described) <= LONGEST_NAME else f"{consumer}_{part(expression)}"
    return numbered_name(stem, taken)


def part(expression: Expression) -> str:
    """One word for the outermost operation: exp, sum, difference, mask."""
    match as_shown(expression):
        case Apply(function, _):
            return function
        case Reduction(kind, _, _):
            return kind
        case Comparison() | Logic():
            return "mask"
        case Where():
            return "masked"
        case Multiply():
            return "product"
        case Power():
            return "power"
        case Add(terms) if all(coefficient_and_rest(term)[0] > 0 for term in terms):
            return "total"
    return "difference"


def description(expression: Expression) -> str | None:
    """The expression in words joined by underscores, or None where words fail."""
    match expression:
        case Element(name, _) | Index(name, _):
            return name.rstrip("'")
        case Number(value):
            return _DIGITS[value.numerator] if value.denominator == 1 and 0 <= value < len(_DIGITS) else None
        case Apply(function, (argument,)):
            return _joined("{}_{}", function, description(argument))
        case Power(base, Number(exponent)) if exponent in _POWERS:
            return _joined(_POWERS[exponent], description(base))
        case Add((Add((first, *_)), right)) if _is_taken_away(right):
            return _joined("{}_centred", description(first))
        case Add((left, right)):
            return _sum(left, right)
        case MatrixFunction(kind, tensor, _, _, _):
            return f"{kind}_{tensor}"
        case Reduction("sum", _, Multiply((MatrixFunction("inv"), right))):
            return _joined("{}_solved", description(right))
        case Multiply((left, right)):
            return _joined("{}_times_{}", description(left), description(right))
        case Reduction(kind, indices, body):
            over = "_".join(index.name.rstrip("'") for index in indices)
            return _joined("{}_{}_{}", kind, over, description(body))
        case Comparison(operator, left, right):
            return _joined(_COMPARISONS[operator], description(left), description(right))
    return None


def _sum(left: Expression, right: Expression) -> str | None:
    number, rest = coefficient_and_rest(right)
    if number == -1 and len(rest) == 1:
        return _joined("{}_minus_{}", description(left), description(rest[0]))
    return _joined("{}_plus_{}", description(left), description(right))


def _is_taken_away(term: Expression) -> bool:
    """Whether it is -mean(i, f)."""
    number, factors = coefficient_and_rest(term)
    return number == -1 and any(map(is_sum, factors))


def _joined(pattern: str, *words: str | None) -> str | None:
    return pattern.format(*words) if all(words) else None
