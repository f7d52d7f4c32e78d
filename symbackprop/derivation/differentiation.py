"""The derivative of one expression by one tensor element, in index notation.

A tensor read at the positions p and differentiated at q gives the deltas of p and q, one an axis; sums,
products, powers and functions follow the school rules. Bound indices are renamed before they could meet q.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from symbackprop.derivation.elementary import at_arguments, elementary_derivative, is_piecewise
from symbackprop.errors import DerivationError
from symbackprop.notation.arithmetic import add, multiply, negate, power, subtract
from symbackprop.notation.expressions import (
    MINUS_ONE,
    ONE,
    ZERO,
    Add,
    Apply,
    Comparison,
    Delta,
    Element,
    Expression,
    Index,
    Logic,
    Multiply,
    Power,
    Reduction,
    Size,
    Where,
)
from symbackprop.notation.functions import INTEGER_FUNCTIONS, definition_of
from symbackprop.notation.linear import linear_form
from symbackprop.notation.matrices import MatrixFunction
from symbackprop.notation.substitution import fresh_index, rename_bound, substitute
from symbackprop.rewriting.rule import Rule


def _textbook(name: str, statement: str) -> Rule:
    return Rule(name, statement, lambda expression: None, because="it removes one derivative sign")


ELEMENT = _textbook("element", "da[p]/da[q] = delta(p,q)")
LINEARITY = _textbook("sum rule", "(f + g)' = f' + g'")
PRODUCT = _textbook("product rule", "(f*g)' = f'*g + f*g'")
POWER = _textbook("power rule", "(f^n)' = n*f^(n-1)*f'")
EXPONENTIAL = _textbook("exponential rule", "(a^f)' = a^f*log(a)*f'")
CHAIN = _textbook("chain rule", "f(g)' = f'(g)*g'")
CHOICE = _textbook("choice", "where(c, f, g)' = where(c, f', g')")
SUMMATION = _textbook("derivative under the sum", "(sum(i, f))' = sum(i, f')")
PROD = _textbook("product over an index", "(prod(i, f))' = sum(i, f'*product of the others)")
INVERSE = _textbook("inverse", "d inv(X)[i,j]/dX[p,q] = -inv(X)[i,p]*inv(X)[q,j]")
DETERMINANT = _textbook("determinant", "d det(X)/dX[p,q] = det(X)*inv(X)[q,p]")
LOG_DETERMINANT = _textbook("logarithm of the determinant", "d logdet(X)/dX[p,q] = inv(X)[q,p]")
MAXIMUM = _textbook("first maximum", "(max(i, f))' = f' at the first maximum")


@dataclass
class Differentiation:
    """Differentiates by the element `by`; `used` collects the rules in order of first use."""

    by: Element
    used: dict[str, Rule] = field(default_factory=dict)

    def _use(self, rule: Rule) -> None:
        self.used.setdefault(rule.name, rule)

    def of(self, expression: Expression) -> Expression:
        """D expression / d by. Raises DerivationError where no derivative exists."""
        if self.by.tensor not in expression.tensors:
            return ZERO
        handler = _HANDLERS.get(type(expression))
        if handler is None:
            raise DerivationError(
                f"a {type(expression).__name__.lower()} has no derivative",
                remedy="a comparison or an index is constant between the points where it jumps",
            )
        return handler(self, expression)

    def element(self, node: Element) -> Expression:
        """The deltas of the two lists of positions; what a position compares moves it in jumps alone."""
        if node.tensor != self.by.tensor:
            return ZERO
        if node.positions:
            self._use(ELEMENT)
        return multiply(*_deltas(node.positions, self.by.positions))

    def sum_of_terms(self, node: Add) -> Expression:
        """Term by term."""
        self._use(LINEARITY)
        return add(*(self.of(term) for term in node.terms))

    def product(self, node: Multiply) -> Expression:
        """Each factor's derivative times the others."""
        if sum(self.by.tensor in factor.tensors for factor in node.factors) > 1:
            self._use(PRODUCT)
        terms = []
        for place, factor in enumerate(node.factors):
            if self.by.tensor in factor.tensors:
                others = node.factors[:place], node.factors[place + 1 :]
                terms.append(multiply(*others[0], self.of(factor), *others[1]))
        return add(*terms)

    def power(self, node: Power) -> Expression:
        """n*f^(n-1)*f', and a^f*log(a)*f' where the exponent varies."""
        base, exponent = node.base, node.exponent
        terms: list[Expression] = []
        if self.by.tensor in base.tensors:
            self._use(POWER)
            terms.append(multiply(exponent, power(base, subtract(exponent, ONE)), self.of(base)))
        if self.by.tensor in exponent.tensors:
            self._use(EXPONENTIAL)
            terms.append(multiply(node, Apply("log", (base,)), self.of(exponent)))
        return add(*terms)

    def application(self, node: Apply) -> Expression:
        """The chain rule; a function that is a formula is differentiated as that formula."""
        if node.function in INTEGER_FUNCTIONS:
            return ZERO
        definition = definition_of(node)
        if definition is not None:
            if is_piecewise(node.function):
                return self.of(definition)
            self._use(CHAIN)
            return self.of(definition)
        if node.arguments[0] != self.by:
            self._use(CHAIN)
        outer = at_arguments(elementary_derivative(node.function), node.arguments)
        return multiply(outer, self.of(node.arguments[0]))

    def matrix_function(self, node: MatrixFunction) -> Expression:
        """Petersen & Pedersen, The Matrix Cookbook (2012), equations 60, 49 and 57."""
        if node.tensor != self.by.tensor:
            return ZERO
        *batch, p, q = self.by.positions
        deltas = _deltas(node.batch, batch)
        if node.kind == "inv":
            self._use(INVERSE)
            i, j = node.positions
            return multiply(MINUS_ONE, *deltas, node.at(i, p), node.at(q, j))
        self._use(DETERMINANT if node.kind == "det" else LOG_DETERMINANT)
        return multiply(*((node,) if node.kind == "det" else ()), *deltas, node.at(q, p))

    def delta(self, node: Delta) -> Expression:
        """A delta jumps, and is constant between its jumps."""
        return ZERO

    def choice(self, node: Where) -> Expression:
        """The branches' derivatives; the condition is constant between its jumps."""
        self._use(CHOICE)
        chosen, otherwise = self.of(node.chosen), self.of(node.otherwise)
        return ZERO if chosen == otherwise == ZERO else Where(node.condition, chosen, otherwise)

    def reduction(self, node: Reduction) -> Expression:
        """Below the binder, with bound indices that do not meet the positions of `by`."""
        node = rename_bound(node, self.by.free_indices)
        inner = self.of(node.body)
        if node.kind == "sum":
            self._use(SUMMATION)
            return Reduction("sum", node.indices, inner)
        if node.kind == "prod":
            self._use(PROD)
            return Reduction("sum", node.indices, multiply(_product_of_others(node), inner))
        if node.kind == "argmax":
            return ZERO
        used = tuple(index for index in node.indices if index in node.body.free_indices)
        if len(used) < len(node.indices):
            # The maximum over an index that the body does not contain is the body's.
            return self.of(Reduction(node.kind, used, node.body) if used else node.body)
        self._use(MAXIMUM)
        return Reduction("sum", node.indices, Where(_is_first_best(node), inner, ZERO))


def _deltas(here: Sequence[Expression], there: Sequence[Expression]) -> list[Expression]:
    """A delta for each pair of positions; nothing, as a factor 1, for two that are the same."""
    return [Delta(left, right) for left, right in zip(here, there, strict=True) if left != right]


def _copy_of_bound(node: Reduction) -> dict[Index, Expression]:
    avoid = set(node.body.free_indices) | set(node.indices)
    copies: dict[Index, Expression] = {}
    for index in node.indices:
        copy = fresh_index(index, avoid)
        avoid.add(copy)
        copies[index] = copy
    return copies


def _bound(copies: dict[Index, Expression]) -> tuple[Index, ...]:
    return tuple(copy for copy in copies.values() if isinstance(copy, Index))


def _product_of_others(node: Reduction) -> Expression:
    # The product over all other positions, not prod/f, is right where a factor is 0.
    copies = _copy_of_bound(node)
    elsewhere = [Comparison("!=", copy, index) for index, copy in copies.items()]
    condition = elsewhere[0] if len(elsewhere) == 1 else Logic("or", tuple(elsewhere))
    return Reduction("prod", _bound(copies), Where(condition, substitute(node.body, copies), ONE))


def _is_first_best(node: Reduction) -> Expression:
    """Whether the bound indices stand at the first maximum (or minimum), counted in row-major order."""
    from_body = node.body if node.kind == "max" else negate(node.body)
    copies = _copy_of_bound(node)
    best = Reduction("argmax", _bound(copies), substitute(from_body, copies))
    return Comparison("==", best, _row_major_position(node.indices))


def _row_major_position(indices: tuple[Index, ...]) -> Expression:
    position: Expression = indices[0]
    for index in indices[1:]:
        position = add(multiply(position, Size(index.axis)), index)
    return linear_form(position).expression()


_HANDLERS: dict[type[Expression], Callable[..., Expression]] = {
    Element: Differentiation.element,
    Add: Differentiation.sum_of_terms,
    Multiply: Differentiation.product,
    Power: Differentiation.power,
    Apply: Differentiation.application,
    Where: Differentiation.choice,
    Delta: Differentiation.delta,
    MatrixFunction: Differentiation.matrix_function,
    Reduction: Differentiation.reduction,
}
