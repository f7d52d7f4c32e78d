"""Rules of sums over indices."""

from __future__ import annotations

from collections.abc import Mapping

from symbackprop.integers.bounds import negated
from symbackprop.notation.arithmetic import coefficient_and_rest, factors_of, is_sum, multiply
from symbackprop.notation.expressions import (
    ZERO,
    Comparison,
    ComparisonOperator,
    Expression,
    Logic,
    Number,
    Reduction,
    Size,
    Where,
)
from symbackprop.notation.substitution import rename_bound
from symbackprop.rewriting.rule import Rule


def empty(node: Expression) -> Expression | None:
    """sum(i, 0) = 0."""
    return ZERO if is_sum(node) and node.body == ZERO else None


def merge(node: Expression) -> Expression | None:
    """sum(i, sum(j, f)) = sum(i, j, f)."""
    if not is_sum(node) or not is_sum(node.body):
        return None
    inner = rename_bound(node.body, node.indices)
    return Reduction("sum", (*node.indices, *inner.indices), inner.body)


def factor_out(node: Expression) -> Expression | None:
    """sum(i, c*f) = c*sum(i, f) where c does not depend on i."""
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
    """sum(i, c) = size(i)*c where c does not depend on i."""
    if not is_sum(node):
        return None
    unused = [index for index in node.indices if index not in node.body.free_indices]
    if not unused:
        return None
    used = tuple(index for index in node.indices if index not in unused)
    rest = Reduction("sum", used, node.body) if used else node.body
    return multiply(*(Size(index.axis) for index in unused), rest)


def number_out_of_where(node: Expression) -> Expression | None:
    """where(c, 2*f, 0) = 2*where(c, f, 0); only a number is sure to be finite where f is not read."""
    if not isinstance(node, Where) or (node.chosen != ZERO and node.otherwise != ZERO):
        return None
    number, _ = coefficient_and_rest(node.chosen if node.otherwise == ZERO else node.otherwise)
    if number in (0, 1):
        return None
    smaller = [multiply(Number(1 / number), branch) for branch in node.children[1:]]
    return multiply(Number(number), Where(node.condition, *smaller))


def equal_branches(node: Expression) -> Expression | None:
    """where(c, f, f) = f."""
    return node.chosen if isinstance(node, Where) and node.chosen == node.otherwise else None


def extremum_of_a_constant(node: Expression) -> Expression | None:
    """max(i, c) = c, and the first position of that maximum is 0."""
    if not isinstance(node, Reduction) or node.kind not in ("max", "min", "argmax"):
        return None
    if frozenset(node.indices) & node.body.free_indices:
        return None
    return ZERO if node.kind == "argmax" else node.body


_MIRRORED: Mapping[str, ComparisonOperator] = {
    "<": ">",
    "<=": ">=",
    ">": "<",
    ">=": "<=",
    "==": "==",
    "!=": "!=",
}


def turned_where(node: Expression) -> Expression | None:
    """where(c, 0, f) = where(not c, f, 0)."""
    if not isinstance(node, Where) or node.chosen != ZERO or node.otherwise == ZERO:
        return None
    if node.condition.tensors and not isinstance(node.condition, Comparison):
        return None  # a mask of values is computed as it was written
    return Where(negated(node.condition), node.otherwise, ZERO)


def opposite_comparison(node: Expression) -> Expression | None:
    """not t > 0 is t <= 0, of indices and sizes, which are never nan."""
    if not (isinstance(node, Logic) and node.operator == "not") or node.tensors:
        return None
    return negated(node.operands[0])


def number_on_the_right(node: Expression) -> Expression | None:
    """0 < x = x > 0."""
    if isinstance(node, Comparison) and isinstance(node.left, Number) and not isinstance(node.right, Number):
        return Comparison(_MIRRORED[node.operator], node.right, node.left)
    return None


SUMMATION_RULES = (
    Rule("sum of zeros", "sum(i, 0) = 0", empty, "a sum disappears"),
    Rule("merge sums", "sum(i, sum(j, f)) = sum(i, j, f)", merge, "a sum disappears"),
    Rule("factor out", "sum(i, c*f) = c*sum(i, f)", factor_out, "a factor moves outwards"),
    Rule("unused index", "sum(i, c) = size(i)*c", unused_index, "a bound index disappears"),
    Rule("maximum of a constant", "max(i, c) = c; argmax(i, c) = 0", extremum_of_a_constant, "an index goes"),
    Rule("number out of where", "where(c, 2*f, 0) = 2*where(c, f, 0)", number_out_of_where, "a number moves"),
    Rule("turn where", "where(c, 0, f) = where(not c, f, 0)", turned_where, "a zero moves to the right"),
    Rule("opposite comparison", "not t > 0 is t <= 0", opposite_comparison, "a 'not' disappears"),
    Rule("turn comparison", "0 < x is x > 0", number_on_the_right, "a number moves to the right"),
    Rule("no where", "where(c, f, f) = f", equal_branches, "a where disappears"),
)
