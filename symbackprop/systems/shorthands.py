"""Composite expressions by their names: softmax(k, u[k]) for exp(u[k])/sum(k, exp(u[k])), for printers.

A model that uses a word is printed with it wherever what it stands for has come out: in its equations, in
the chains and results of its derivation, in the comments of its code. Neither rules nor evaluators meet these
nodes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations
from typing import cast

from symbackprop.integers.own_axes import with_bounds_of_other_axes
from symbackprop.integers.whole_definitions import Word, with_names
from symbackprop.notation.arithmetic import (
    base_and_exponent,
    factors_of,
    is_sum,
    multiply,
    power,
    reciprocals_last,
)
from symbackprop.notation.derivatives import InnerDerivative
from symbackprop.notation.expressions import (
    MINUS_ONE,
    Add,
    Apply,
    Expression,
    Index,
    Multiply,
    Number,
    Power,
    Reduction,
    Size,
)
from symbackprop.notation.nodes import cached_property
from symbackprop.notation.substitution import canonical_bound_names, rewrite_bottom_up, substitute
from symbackprop.systems.decimals import with_decimals


@dataclass(frozen=True, eq=False, repr=False)
class Shorthand(Expression):
    """A word for a composite expression of its arguments; the indices are free in a softmax, else bound."""

    word: str
    indices: tuple[Index, ...]
    arguments: tuple[Expression, ...]

    @property
    def children(self) -> tuple[Expression, ...]:
        """The arguments that are no indices, and indices that are free."""
        return (*self.indices, *self.arguments) if self.word == "softmax" else self.arguments

    def with_children(self, children: tuple[Expression, ...]) -> Shorthand:
        """The same word for other arguments, at other indices where these are free."""
        if self.word != "softmax":
            return Shorthand(self.word, self.indices, children)
        indices = tuple([each for each in children[: len(self.indices)] if isinstance(each, Index)])
        return Shorthand(self.word, indices, children[len(self.indices) :])

    @cached_property
    def binds(self) -> bool:
        """Where there are indices, the composite expression has a sum over them."""
        return bool(self.indices) or any(argument.binds for argument in self.arguments)

    @cached_property
    def free_indices(self) -> frozenset[Index]:
        """Those of the arguments but for those bound here."""
        bound = () if self.word == "softmax" else self.indices
        return frozenset().union(*(each.free_indices for each in self.arguments)) - frozenset(bound)


def spelled(expression: Expression, words: Collection[Word]) -> Expression:
    """The expression with these words and decimals in the place of what they stand for, for printers."""
    expression = with_bounds_of_other_axes(with_names(expression, words), words)
    for word, recognise in RECOGNISED.items():
        if word in words:
            expression = recognise(expression)
    return with_decimals(expression, words)


def _with_orders(node: Expression) -> Expression:
    """diff(u, x, 2) for diff(diff(u, x), x), the outermost first."""
    if isinstance(node, InnerDerivative):
        order, inside = 1, cast(Expression, node.numerator)
        while isinstance(inside, InnerDerivative) and inside.denominator == node.denominator:
            order, inside = order + 1, inside.numerator
        named = _with_orders(inside)
        if order == 1 and named == inside:
            return node
        return Shorthand("diff", (), (named, node.denominator, *([Number(order)] if order > 1 else [])))
    children = tuple([_with_orders(child) for child in node.children])
    return node if children == node.children else node.with_children(children)


def _logsumexp(node: Expression) -> Expression:
    match node:
        case Apply("log", (Reduction("sum", indices, Apply("exp", (body,))),)):
            return Shorthand("logsumexp", indices, (body,))
    return node


def _norm(node: Expression) -> Expression:
    """A root of a sum of squares, and its odd powers."""
    match node:
        case Power(Reduction("sum", indices, Power(body, Number(square))), Number(exponent)) if (
            square == 2 and exponent.denominator == 2
        ):
            norm = Shorthand("norm", indices, (body,))
            return norm if exponent == Fraction(1, 2) else Power(norm, Number(2 * exponent))
    return node


def _argmin(node: Expression) -> Expression:
    match node:
        case Reduction("argmax", indices, Number(value)) if value < 0:
            return Shorthand("argmin", indices, (Number(-value),))
        case Reduction("argmax", indices, Multiply((Number(value), *rest))) if value < 0:
            front = [] if value == -1 else [Number(-value)]
            return Shorthand("argmin", indices, (_product([*front, *rest]),))
    return node


def _clip(node: Expression) -> Expression:
    match node:
        case Apply("min", (Apply("max", (body, lowest)), highest)):
            return Shorthand("clip", (), (body, lowest, highest))
    return node


def _var(node: Expression) -> Expression:
    """The mean of squared differences from the mean, behind numbers and before the rest of the product."""
    factors = factors_of(node)
    for place, factor in enumerate(factors):
        body = _centred(factor)
        if body is None or not isinstance(factor, Reduction):
            continue
        rest = _without([*factors[:place], *factors[place + 1 :]], _divisors(factor.indices))
        if rest is not None:
            numbers = [each for each in rest if isinstance(each, Number)]
            others = [each for each in rest if not isinstance(each, Number)]
            return _product([*numbers, Shorthand("var", factor.indices, (body,)), *others])
    return node


def _mean(node: Expression) -> Expression:
    """Sums divided by the sizes of their indices' axes, and reciprocals of such; the rest stays around."""
    factors = factors_of(node)
    powers = Counter[Expression]()
    for factor in factors:
        powers.update(_power_of_size(factor))
    for factor in factors:
        total, exponent = base_and_exponent(factor)
        if not (is_sum(total) and isinstance(exponent, Number) and exponent.value.denominator == 1):
            continue
        times, sizes = int(exponent.value), Counter[Expression](Size(index.axis) for index in total.indices)
        if all(-powers[size] * (1 if times > 0 else -1) >= many * abs(times) for size, many in sizes.items()):
            mean = power(Shorthand("mean", total.indices, (total.body,)), exponent)
            parts = [mean if each is factor else each for each in factors]
            parts.extend(power(size, Number(many * times)) for size, many in sizes.items())
            return _mean(reciprocals_last(multiply(*parts)))
    return node


def _power_of_size(factor: Expression) -> dict[Expression, int]:
    """The size of an axis, and to which power it stands there."""
    match factor:
        case Power(Power(Size() as size, Number(inner)), Number(outer)):
            exponent = inner * outer
        case Power(Size() as size, Number(exponent)):
            pass
        case Size() as size:
            return {size: 1}
        case _:
            return {}
    return {size: int(exponent)} if exponent.denominator == 1 else {}


def _centred(factor: Expression) -> Expression | None:
    """e of sum(i, (e - mean(i, e))^2)."""
    match factor:
        case Reduction("sum", indices, Power(Add(terms), Number(square))) if square == 2:
            for place in range(len(terms)):
                others = (*terms[:place], *terms[place + 1 :])
                body = others[0] if len(others) == 1 else Add(others)
                mean = Multiply((MINUS_ONE, *_divisors(indices), Reduction("sum", indices, body)))
                if _is_same(terms[place], mean):
                    return body
    return None


def _divisors(indices: Sequence[Index]) -> list[Expression]:
    return [Power(Size(index.axis), MINUS_ONE) for index in indices]


def _without(factors: Sequence[Expression], taken: Sequence[Expression]) -> list[Expression] | None:
    """The factors without those taken, each once; None where one of these is not among them."""
    rest = list(factors)
    for each in taken:
        if each not in rest:
            return None
        rest.remove(each)
    return rest


def _softmax(node: Expression) -> Expression:
    """Each exponential over the sum of its like, as often as the product has both."""
    factors = list(factors_of(node))
    found = softmax_places(factors)
    if found is None:
        return node
    above, below, indices = found
    total, exponent = base_and_exponent(factors[below])
    assert isinstance(exponent, Number)
    left = exponent.value + 1
    factors[above] = Shorthand("softmax", indices, factors[above].children)
    factors[below : below + 1] = [Power(total, Number(left))] if left else []
    return _softmax(_product(factors))


def softmax_places(factors: Sequence[Expression]) -> tuple[int, int, tuple[Index, ...]] | None:
    """Where an exponential stands among factors, and where division by the sum of its like; its indices."""
    for below, factor in enumerate(factors):
        match factor:
            case Power(Reduction("sum", bound, Apply("exp", (inner,))), Number(exponent)) if exponent <= -1:
                for above, other in enumerate(factors):
                    indices = outer_indices(other, bound, inner)
                    if indices is not None:
                        return above, below, indices
    return None


def outer_indices(above: Expression, bound: tuple[Index, ...], inner: Expression) -> tuple[Index, ...] | None:
    """The indices of exp(e) at whose places the sum's body exp(inner) is exp(e)."""
    if not isinstance(above, Apply) or above.function != "exp":
        return None
    (body,) = above.arguments
    for outer in _candidates(body, bound):
        if _is_same(substitute(inner, dict(zip(bound, outer, strict=True))), body):
            return outer
    return None


def _candidates(body: Expression, bound: tuple[Index, ...]) -> Iterator[tuple[Index, ...]]:
    """Free indices of the body over the axes of those bound, which are tried first."""
    if body.free_indices.issuperset(bound):
        yield bound
    own = sorted(body.free_indices, key=lambda index: index.name)
    for chosen in permutations(own, len(bound)):
        if all(outer.axis == inner.axis for outer, inner in zip(chosen, bound, strict=True)):
            yield chosen


def _is_same(left: Expression, right: Expression) -> bool:
    return canonical_bound_names(left) == canonical_bound_names(right)


def _product(factors: Sequence[Expression]) -> Expression:
    return factors[0] if len(factors) == 1 else Multiply(tuple(factors))


def _everywhere(recognise: Callable[[Expression], Expression]) -> Callable[[Expression], Expression]:
    return lambda expression: rewrite_bottom_up(expression, recognise)


_OF_NODES: Mapping[str, Callable[[Expression], Expression]] = {
    "var": _var, "mean": _mean, "norm": _norm, "logsumexp": _logsumexp, "softmax": _softmax,
    "clip": _clip, "argmin": _argmin,
}  # fmt: skip
RECOGNISED: Mapping[str, Callable[[Expression], Expression]] = {
    "diff": _with_orders,
    **{word: _everywhere(recognise) for word, recognise in _OF_NODES.items()},
}
NAMED = frozenset(RECOGNISED)
# A derivative of the one is printed with the other, though the model does not use it.
BRINGS_IN: Mapping[str, tuple[str, ...]] = {"var": ("mean",), "logsumexp": ("softmax",), "min": ("argmin",)}
