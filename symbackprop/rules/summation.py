"""Rules of sums over indices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symbackprop.integers.bounds import conjunction, conjuncts, negated
from symbackprop.notation.arithmetic import add, factors_of, is_sum, multiply
from symbackprop.notation.expressions import (
    ONE,
    ZERO,
    Add,
    Comparison,
    ComparisonOperator,
    Element,
    Expression,
    Index,
    Logic,
    Multiply,
    Number,
    Reduction,
    Size,
    Where,
)
from symbackprop.notation.substitution import rename_bound, substitute
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


def whole_product(node: Expression) -> Expression | None:
    """f(i)*prod(j, where(j != i, f(j), 1)) = prod(j, f(j)), and f(i) may stand beside a sum of those."""
    if not isinstance(node, Multiply):
        return None
    for place, factor in enumerate(node.factors):
        if not (factor.binds and any(map(_is_product, factor.walk()))):
            continue
        others = (*node.factors[:place], *node.factors[place + 1 :])
        for own in dict.fromkeys((ONE, *others)):
            completed = _completed(factor, own) if own != ONE else _completed_inside(factor)
            if completed is not None:
                rest = list(others)
                if own != ONE:
                    rest.remove(own)
                return multiply(*rest[:place], completed, *rest[place:])
    return None


def _is_product(node: Expression) -> bool:
    return isinstance(node, Reduction) and node.kind == "prod"


def _completed_inside(factor: Expression) -> Expression | None:
    """A sum in which a product over all others, and its own factor, stand side by side."""
    if not is_sum(factor):
        return None
    factors = factors_of(factor.body)
    for own in factors:
        rest = list(factors)
        rest.remove(own)
        completed = _completed_product(rest, own)
        if completed is not None:
            return factor.with_children((completed,))
    return None


def _completed(factor: Expression, own: Expression) -> Expression | None:
    """The factor times `own`, where that makes a whole product of one over all others; else None."""
    if isinstance(factor, Add):
        completed = [_completed(term, own) for term in factor.terms]
        if all(term is None for term in completed):
            return None
        pairs = zip(factor.terms, completed, strict=True)
        return add(*(multiply(term, own) if whole is None else whole for term, whole in pairs))
    factors = list(factors_of(factor))
    for place, each in enumerate(factors):
        if is_sum(each):
            inner = rename_bound(each, own.free_indices)
            completed_sum = _completed_product(factors_of(inner.body), own)
            if completed_sum is not None:
                return multiply(
                    *factors[:place], inner.with_children((completed_sum,)), *factors[place + 1 :]
                )
    return _completed_product(factors, own)


def _completed_product(factors: Sequence[Expression], own: Expression) -> Expression | None:
    masks = {part for each in factors for part in _mask(each)}
    for place, factor in enumerate(factors):
        match factor:
            case Reduction("prod", (index,), Where(condition, chosen, Number() as one)) if one == ONE:
                for part in conjuncts(condition):
                    other = _other_place(part, index)
                    if other is not None:
                        rest = [each for each in conjuncts(condition) if each != part]
                        body = Where(conjunction(rest), chosen, ONE) if rest else chosen
                        single = substitute(body, {index: other})
                        found = _chosen_by(single, masks)
                        if found == own and _is_place(other, index, body if found == single else chosen):
                            whole = Reduction("prod", (index,), body)
                            return multiply(*factors[:place], whole, *factors[place + 1 :])
    return None


def _is_place(position: Expression, index: Index, body: Expression) -> bool:
    """Whether the position is sure to lie in the index' axis: it has that axis, or a tensor is read there.

    A number is not, for the axis may be empty; nor is what a `where` or a sum may leave unread.
    """
    if isinstance(position, Index) and position.axis == index.axis:
        return True
    if isinstance(body, Element):
        return index in body.positions
    return not isinstance(body, Where | Reduction) and any(
        _is_place(position, index, child) for child in body.children
    )


def _mask(factor: Expression) -> tuple[Expression, ...]:
    """What holds wherever the factor is not 0."""
    return conjuncts(factor.condition) if isinstance(factor, Where) and factor.otherwise == ZERO else ()


def _other_place(condition: Expression, index: Index) -> Expression | None:
    """i of j != i."""
    match condition:
        case Comparison("!=", left, right) if index in (left, right) and left != right:
            return right if left == index else left
    return None


def _chosen_by(own: Expression, masks: set[Expression]) -> Expression:
    """The branch that the masks beside it choose."""
    if isinstance(own, Where) and masks.issuperset(conjuncts(own.condition)):
        return own.chosen
    return own


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
    stated(
        "whole product",
        "f(i)*prod(j, where(j != i, f(j), 1)) = prod(j, f(j)), also in a sum",
        whole_product,
        where=(when("inside", "i", "j"),),
        decreases="conditions",
        example="c*x[i]*prod(i2, where(i2 != i, x[i2], 1))",
        near_miss="c*y[j]*prod(i2, where(i2 != i, x[i2], 1))",
        roots=(Multiply,),
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
        "turn where",
        ("where(c, 0, f)", "where(not c, f, 0)"),
        where=(when("not zero", "f"), when("one comparison", "c"), when("no nan", "c")),
        decreases="second branches",
        example="where(c > 0, 0, c)",
        near_miss="where(c > 0 or x[i] > 0, 0, c)",
    ),
    pattern_rule(
        "where of a negation",
        ("where(not c, 0, f)", "where(c, f, 0)"),
        decreases="conditions",
        example="where(not (c > 0 or x[i] > 0), 0, x[i])",
        near_miss="where(not (c > 0 or x[i] > 0), x[i], 0)",
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
