"""Regrouping a sum of products around a tensor that exists.

sum(s, e, dO[t,e]*V[s,e]*P[t,s]) is sum(e, dO[t,e]*O[t,e]) where O[t,e] = sum(s, P[t,s]*V[s,e]): the factors
of O's definition are found among the factors of the sum, and their own bound index occurs nowhere else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from symbackprop.notation.arithmetic import divide, factors_of, is_sum, multiply
from symbackprop.notation.expressions import Element, Expression, Index, Number, Power, Reduction, Size
from symbackprop.notation.substitution import fresh_index, rename_bound, substitute
from symbackprop.rewriting.justification import Anchor, Equality, Justification
from symbackprop.rewriting.matching import factors_matched
from symbackprop.rewriting.replacements import renamed_equation
from symbackprop.rules.symmetry import mirror_images
from symbackprop.systems.printing import equation_text
from symbackprop.systems.system import Equation


@dataclass(frozen=True)
class ProductSum:
    """sum(bound, product of factors), nested sums opened."""

    bound: tuple[Index, ...]
    factors: tuple[Expression, ...]

    @property
    def tensors(self) -> frozenset[str]:
        """The tensors that the factors read."""
        return frozenset[str]().union(*(factor.tensors for factor in self.factors))

    def expression(self) -> Expression:
        """As a reduction, with factors that do not depend on the bound indices inside."""
        body = multiply(*self.factors)
        return Reduction("sum", self.bound, body) if self.bound else body


def product_sum(expression: Expression, avoid: frozenset[Index] = frozenset()) -> ProductSum:
    """Read a product of factors and of sums of products as one sum of one product."""
    bound: list[Index] = []
    factors: list[Expression] = []
    taken = avoid | expression.free_indices
    for factor in factors_of(expression):
        if isinstance(factor, Reduction) and factor.kind == "sum":
            inner = rename_bound(factor, taken | frozenset(bound))
            opened = product_sum(inner.body, taken | frozenset(bound) | frozenset(inner.indices))
            bound += [*inner.indices, *opened.bound]
            factors += opened.factors
        else:
            factors.append(factor)
    return ProductSum(tuple(bound), tuple(factors))


def is_sum_of_product(expression: Expression) -> bool:
    """Whether `product_sum` reads the expression as a sum over an index."""
    return any(map(is_sum, factors_of(expression)))


def _definition(equation: Equation) -> tuple[ProductSum, Expression] | None:
    """The definition as (sum of a product, what the sum is): t = c*sum(..) says that the sum is t/c."""
    shown = product_sum(equation.expression)
    bound = frozenset(shown.bound)
    inside = tuple(factor for factor in shown.factors if factor.free_indices & bound)
    outside = [factor for factor in shown.factors if not factor.free_indices & bound]
    if not all(_is_never_zero(factor) for factor in outside):
        return None
    if bound - multiply(*inside).free_indices or any(
        factor.free_indices - bound - frozenset(equation.indices) for factor in inside
    ):
        return None
    return ProductSum(shown.bound, inside), divide(equation.element, multiply(*outside))


def _is_never_zero(factor: Expression) -> bool:
    """Whether it is safe to divide by: a number, a size, or a power of one."""
    if isinstance(factor, Power):
        return _is_never_zero(factor.base) and isinstance(factor.exponent, Number)
    return isinstance(factor, Size | Number)


@dataclass(frozen=True)
class Regrouping(Justification):
    """A sum of products regrouped so that a definition's sum becomes its tensor, a factor opened before it.

    `symmetric` are the tensors whose last two positions may change places.
    """

    folded: Equation
    opened: Equation | None = None
    symmetric: frozenset[str] = frozenset()
    statement: str = ""
    name: str = "regroup sum"
    kind: ClassVar[str] = "fold"

    @classmethod
    def of(cls, folded: Equation, opened: Equation | None, symmetric: frozenset[str]) -> Regrouping:
        """Stated by the definition whose sum is found."""
        return cls(folded, opened, symmetric, equation_text(folded))

    @property
    def line(self) -> tuple[str, str]:
        """Stated by the definition."""
        return Regrouping.name, equation_text(self.folded)

    @property
    def equations(self) -> tuple[Equality, ...]:
        """The definition that is folded back, and the one that is written out for it."""
        used = (self.folded, self.opened) if self.opened else (self.folded,)
        return tuple([(each.element, each.expression) for each in used])

    def accounts_for(self, before: Expression, after: Expression) -> bool:
        """Whether it is one of the regroupings of the sum."""
        if not is_sum(before):
            return False
        opened = (self.opened,) if self.opened else ()
        return any(
            found == after
            for _, spelled in _with_one_factor_opened(before, opened)
            for found in _regrouped(spelled, self.folded, self.symmetric)
        )

    def rests_on(self, anchor: Anchor, before: Expression, place: Sequence[int]) -> bool:
        """Whether the definitions are known, and the tensors symmetric."""
        return all(map(anchor.is_symmetric, self.symmetric)) and super().rests_on(anchor, before, place)

    def renamed(self, names: Mapping[str, str]) -> Regrouping:
        """The same in other names."""
        opened = renamed_equation(self.opened, names) if self.opened else None
        symmetric = frozenset(names.get(name, name) for name in self.symmetric)
        return Regrouping.of(renamed_equation(self.folded, names), opened, symmetric)


def towards_names(
    expression: Expression, equations: tuple[Equation, ...], symmetric: Collection[str] = ()
) -> Iterator[tuple[Expression, Regrouping]]:
    """Each regrouping of a sum of products in which a definition's sum becomes its tensor.

    `symmetric` are the tensors whose last two positions may change places.
    """
    if not is_sum(expression):
        return
    for opened, spelled in _with_one_factor_opened(expression, equations):
        read, heads = spelled.tensors, _heads(spelled.factors)
        for equation in equations:
            if not equation.expression.tensors <= read or not _summed_heads(equation.expression) <= heads:
                continue  # each factor of the definition must be found, and with it what it reads
            for regrouped in _regrouped(spelled, equation, symmetric):
                mirrored = equation.expression.tensors & frozenset(symmetric)
                yield regrouped, Regrouping.of(equation, opened, mirrored)


def _regrouped(spelled: ProductSum, equation: Equation, symmetric: Collection[str]) -> Iterator[Expression]:
    definition = _definition(equation)
    if definition is not None and definition[0].bound:
        yield from _regroupings(spelled, *definition, frozenset(equation.indices), symmetric)


def _heads(factors: Iterable[Expression]) -> frozenset[object]:
    """What two factors have in common of which one is the other at other indices: x[b,i]^2 and x[c,j]^2."""
    return frozenset((type(each), each.tensors, _number_above(each)) for each in factors)


def _number_above(factor: Expression) -> Expression | None:
    return factor.exponent if isinstance(factor, Power) and isinstance(factor.exponent, Number) else None


@lru_cache(maxsize=4096)
def _summed_heads(expression: Expression) -> frozenset[object]:
    """Those of the factors that depend on what the sums of a definition run over."""
    shown = product_sum(expression)
    bound = frozenset(shown.bound)
    return _heads(factor for factor in shown.factors if factor.free_indices & bound)


def _with_one_factor_opened(
    expression: Expression, equations: tuple[Equation, ...]
) -> Iterator[tuple[Equation | None, ProductSum]]:
    """The sum itself, and with a factor that is a sum of products written out."""
    plain = product_sum(expression)
    yield None, plain
    named = {equation.tensor: equation for equation in equations}
    for place, factor in enumerate(plain.factors):
        if isinstance(factor, Element) and factor.tensor in named:
            equation = named[factor.tensor]
            at: dict[Index, Expression] = dict(zip(equation.indices, factor.positions, strict=True))
            taken = frozenset(plain.bound) | multiply(*plain.factors).free_indices
            inner = product_sum(substitute(equation.expression, at), taken)
            if inner.bound:
                factors = (*plain.factors[:place], *inner.factors, *plain.factors[place + 1 :])
                yield equation, ProductSum((*plain.bound, *inner.bound), factors)


def _regroupings(
    whole: ProductSum,
    part: ProductSum,
    meaning: Expression,
    free: frozenset[Index],
    symmetric: Collection[str],
) -> Iterator[Expression]:
    """Find the part's factors in the whole, with bound indices that nothing else in it uses."""
    apart: dict[Index, Expression] = {}
    taken = set(whole.bound) | multiply(*whole.factors).free_indices | free
    for index in part.bound:
        apart[index] = fresh_index(Index(index.name + "'", index.axis), taken)
        taken.add(apart[index])  # type: ignore[arg-type]
    patterns = tuple(mirror_images(substitute(factor, apart), symmetric) for factor in part.factors)
    own = frozenset(index for index in apart.values() if isinstance(index, Index))
    for bindings, used in factors_matched(patterns, whole.factors, frozenset(free | own)):
        summed = {bindings[index] for index in own}
        rest = tuple(factor for place, factor in enumerate(whole.factors) if place not in used)
        outside = frozenset[Index]().union(*(factor.free_indices for factor in rest))
        found = substitute(meaning, bindings)
        if (
            free <= bindings.keys()
            and len(summed) == len(own)
            and summed <= set(whole.bound) - outside - found.free_indices
        ):
            bound = tuple(index for index in whole.bound if index not in summed)
            yield ProductSum(bound, (*rest, found)).expression()
