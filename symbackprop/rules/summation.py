"""Rules of sums over indices."""

from __future__ import annotations

from collections.abc import Mapping

from symbackprop.integers.bounds import negated
from symbackprop.notation.arithmetic import factors_of, is_sum, multiply
from symbackprop.notation.expressions import (
    Comparison,
    ComparisonOperator,
    Expression,
    Logic,
    Number,
    Reduction,
    Size,
)
from symbackprop.rules.conditions import when
from symbackprop.rules.stating import pattern_rule, stated


def factor_out(node: Expression) -> Expression | None:
    """sum(i, f*g) = f*sum(i, g); the pattern says the same, but this is tried at every sum."""
    if not is_sum(node):
        return None
    bound = frozenset(node.indices)
    factors = factors_of(node.body)
    inside = [bool(factor.free_indices & bound) for factor in factors]
    if all(inside) or not any(inside):
        return None
    first = inside.index(True)
    body = multiply(*(factor for factor, stays in zip(factors, inside, strict=True) if stays))
    trailing = [factor for factor, stays in zip(factors[first:], inside[first:], strict=True) if not stays]
    return multiply(*factors[:first], Reduction("sum", node.indices, body), *trailing)


def unused_index(node: Expression) -> Expression | None:
    """sum(i, f) = size(i)*f, for each index that f is independent of."""
    if not is_sum(node):
        return None
    unused = [index for index in node.indices if index not in node.body.free_indices]
    if not unused:
        return None
    used = tuple(index for index in node.indices if index not in unused)
    rest = Reduction("sum", used, node.body) if used else node.body
    return multiply(*(Size(index.axis) for index in unused), rest)


_MIRRORED: Mapping[str, ComparisonOperator] = {
    "<": ">",
    "<=": ">=",
    ">": "<",
    ">=": "<=",
    "==": "==",
    "!=": "!=",
}


def opposite_comparison(node: Expression) -> Expression | None:
    """not f > g is f <= g, of indices and sizes, which are never nan."""
    if not (isinstance(node, Logic) and node.operator == "not") or node.tensors:
        return None
    return negated(node.operands[0])


def number_on_the_right(node: Expression) -> Expression | None:
    """n < f is f > n."""
    if isinstance(node, Comparison) and isinstance(node.left, Number) and not isinstance(node.right, Number):
        return Comparison(_MIRRORED[node.operator], node.right, node.left)
    return None


SUMMATION_RULES = (
    pattern_rule(
        "sum of zeros",
        ("sum(i, 0)", "0"),
        decreases="bound indices",
        example="sum(i, 0)",
        near_miss="sum(i, x[i])",
    ),
    pattern_rule(
        "merge sums",
        ("sum(i, sum(j, f))", "sum(i, j, f)"),
        decreases="factors under sums",
        example="sum(i, sum(j, A[i,j]))",
        near_miss="sum(i, x[i]*sum(j, A[i,j]))",
    ),
    stated(
        "factor out",
        "sum(i, f*g) = f*sum(i, g)",
        factor_out,
        where=(when("independent", "f", "i"), when("defined when empty", "f", "i")),
        decreases="factors under sums",
        example="sum(i, c*x[i]*y[j])",
        near_miss="sum(i, x[i]*A[i,j])",
        roots=(Reduction,),
    ),
    stated(
        "unused index",
        "sum(i, f) = size(i)*f",
        unused_index,
        where=(when("independent", "f", "i"), when("defined when empty", "f", "i")),
        decreases="bound indices",
        example="sum(i, j, y[j])",
        near_miss="sum(i, j, A[i,j])",
        roots=(Reduction,),
    ),
    pattern_rule(
        "maximum of a constant",
        ("max(i, f)", "f"),
        ("min(i, f)", "f"),
        ("argmax(i, f)", "0"),
        where=(when("independent", "f", "i"), when("not empty", "i")),
        decreases="bound indices",
        example="max(i, y[j])",
        near_miss="max(i, A[i,j])",
    ),
    pattern_rule(
        "number out of where",
        ("where(c, n*f, 0)", "n*where(c, f, 0)"),
        ("where(c, 0, n*f)", "n*where(c, 0, f)"),
        where=(when("number", "n"),),
        decreases="size",
        example="where(c > 0, 2*c, 0)",
        near_miss="where(c > 0, 2*c, 3)",
    ),
    pattern_rule(
        "factor out of masked sum",
        ("sum(i, where(c, f*g, 0)*h)", "f*sum(i, where(c, g, 0)*h)"),
        ("sum(i, where(c, f, 0)*h)", "f*sum(i, where(c, 1, 0)*h)"),
        where=(
            when("independent", "f", "i"),
            when("no numeral", "f"),
            when("not partial", "f"),
            when("readable", "f", "c"),
            when("defined when empty", "f", "i"),
        ),
        decreases="factors under sums",
        example="sum(i, where(x[i] > 0, x[i]*c, 0)*y[j])",
        near_miss="sum(i, where(x[i] > 0, x[i]/c, 0)*y[j])",
    ),
    pattern_rule(
        "turn where",
        ("where(c, 0, f)", "where(not c, f, 0)"),
        where=(when("not zero", "f"), when("one comparison", "c"), when("no nan", "c")),
        decreases="second branches",
        example="where(c > 0, 0, c)",
        near_miss="where(c > 0 or x[i] > 0, 0, c)",
    ),
    stated(
        "opposite comparison",
        "not f > g = f <= g, likewise the other comparisons, and De Morgan's laws",
        opposite_comparison,
        where=(when("about indices", "f > g"),),
        decreases="conditions",
        example="where(not i < 2, x[i], 0)",
        near_miss="where(not c > 0, x[i], 0)",
        roots=(Logic,),
    ),
    stated(
        "turn comparison",
        "n < f = f > n, likewise the other comparisons",
        number_on_the_right,
        where=(when("numeral", "n"), when("no numeral", "f")),
        decreases="numbers on the left",
        example="where(0 < c, c, 0)",
        near_miss="where(c > 0, c, 0)",
        roots=(Comparison,),
    ),
    pattern_rule(
        "no where",
        ("where(c, f, f)", "f"),
        decreases="conditions",
        example="where(c > 0, x[i], x[i])",
        near_miss="where(c > 0, x[i], c)",
    ),
)
