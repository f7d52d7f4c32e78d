"""The derivative of one expression by one tensor element, in index notation.

A tensor read at the positions p and differentiated at q gives the deltas of p and q, one an axis; sums,
products, powers and functions follow the school rules. Bound indices are renamed before they could meet q.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from symbackprop.derivation.elementary import at_arguments, elementary_derivative, is_piecewise
from symbackprop.errors import DerivationError
from symbackprop.functions.elementary import INTEGER_FUNCTIONS, definition_of
from symbackprop.integers.bounds import Knowledge
from symbackprop.integers.linear import linear_form
from symbackprop.notation.arithmetic import add, factors_of, multiply, negate, power, subtract
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
    Number,
    Power,
    Reduction,
    Size,
    Where,
)
from symbackprop.notation.matrix_functions import MatrixFunction
from symbackprop.notation.substitution import fresh_index, rename_bound, substitute
from symbackprop.rewriting.rule import Rule
from symbackprop.systems.partial import is_positive

MOST_FACTORS = 16  # of a product that is differentiated factor by factor


def _textbook(name: str, statement: str) -> Rule:
    return Rule(name, statement, lambda expression: None, decreases="it removes one derivative sign")


ELEMENT = _textbook("element", "da[p]/da[q] = delta(p,q)")
LINEARITY = _textbook("sum rule", "(f + g)' = f' + g'")
PRODUCT = _textbook("product rule", "(f*g)' = f'*g + f*g'")
POWER = _textbook("power rule", "(f^n)' = n*f^(n-1)*f'")
VARIED_POWER = _textbook("power rule", "(f^n)' = n*f^(n-1)*f', and 0 where n = 0")
EXPONENTIAL = _textbook("exponential rule", "(a^f)' = a^f*log(a)*f'")
EXPONENTIAL_AT_ZERO = _textbook("exponential rule", "(a^f)' = a^f*log(a)*f', and 0 where a = 0")
CHAIN = _textbook("chain rule", "f(g)' = f'(g)*g'")
WHERE = _textbook("where", "where(c, f, g)' = where(c, f', g')")
SUMMATION = _textbook("derivative under the sum", "(sum(i, f))' = sum(i, f')")
PROD = _textbook("product over an index", "(prod(i, f))' = sum(i, f'*product of the others)")
INVERSE = _textbook("inverse", "d inv(X)[i,j]/dX[p,q] = -inv(X)[i,p]*inv(X)[q,j]")
DETERMINANT = _textbook("determinant", "d det(X)/dX[p,q] = cofactor(X)[p,q]")
COFACTOR = _textbook(
    "cofactor",
    "d cofactor(X)[i,j]/dX[p,q] = det(X)*(inv(X)[j,i]*inv(X)[q,p] - inv(X)[j,p]*inv(X)[q,i]), X invertible",
)
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
        if len(node.factors) > MOST_FACTORS:
            return self._product_in_halves(node)
        terms = []
        for place, factor in enumerate(node.factors):
            if self.by.tensor in factor.tensors:
                others = node.factors[:place], node.factors[place + 1 :]
                terms.append(multiply(*others[0], self.of(factor), *others[1]))
        return add(*terms)

    def _product_in_halves(self, node: Multiply) -> Expression:
        """Equal factors as powers; then (f*g)' of the two halves, n*log(n) nodes where n terms have n^2."""
        collected = factors_of(multiply(*node.factors))
        if len(collected) < len(node.factors):
            return self.of(multiply(*collected))
        middle = len(collected) // 2
        left, right = multiply(*collected[:middle]), multiply(*collected[middle:])
        return add(multiply(self.of(left), right), multiply(left, self.of(right)))

    def power(self, node: Power) -> Expression:
        """n*f^(n-1)*f', and a^f*log(a)*f' where the exponent varies.

        Where n may be 0 or a may be 0 a `where` says so: 0*f^(-1) and 0^f*log(0) are no numbers at f = 0 and
        a = 0, where the derivatives are 0 (the latter for f > 0, and by convention elsewhere).
        """
        base, exponent = node.base, node.exponent
        terms: list[Expression] = []
        if self.by.tensor in base.tensors:
            slope = multiply(exponent, power(base, subtract(exponent, ONE)))
            is_safe = is_positive(base) or _is_never_zero(exponent)
            self._use(POWER if is_safe else VARIED_POWER)
            terms.append(multiply(slope if is_safe else _unless_zero(exponent, slope), self.of(base)))
        if self.by.tensor in exponent.tensors:
            slope = multiply(node, Apply("log", (base,)))
            is_safe = is_positive(base)
            self._use(EXPONENTIAL if is_safe else EXPONENTIAL_AT_ZERO)
            terms.append(multiply(slope if is_safe else _unless_zero(base, slope), self.of(exponent)))
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
        """Petersen & Pedersen, The Matrix Cookbook (2012), equations 60 and 57; for det, Jacobi's formula.

        Magnus & Neudecker, Matrix Differential Calculus (2019), section 8.3: d det X = tr(X# dX),
        with the adjoint matrix X#, the transposed cofactors, which is det(X) X^-1 only where X is invertible.
        The cofactors themselves are differentiated by that, as a product.
        """
        if node.tensor != self.by.tensor:
            return ZERO
        *batch, p, q = self.by.positions
        deltas = _deltas(node.batch, batch)
        if node.kind == "inv":
            self._use(INVERSE)
            i, j = node.positions
            return multiply(MINUS_ONE, *deltas, node.at(i, p), node.at(q, j))
        if node.kind == "cofactor":
            self._use(COFACTOR)
            i, j = node.positions
            straight, crossed = (node.at(j, i), node.at(q, p)), (node.at(j, p), node.at(q, i))
            return multiply(node.determinant, *deltas, subtract(multiply(*straight), multiply(*crossed)))
        self._use(DETERMINANT if node.kind == "det" else LOG_DETERMINANT)
        return multiply(*deltas, node.cofactor(p, q) if node.kind == "det" else node.at(q, p))

    def delta(self, node: Delta) -> Expression:
        """A delta jumps, and is constant between its jumps."""
        return ZERO

    def choice(self, node: Where) -> Expression:
        """The branches' derivatives; the condition is constant between its jumps."""
        self._use(WHERE)
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


def _is_never_zero(exponent: Expression) -> bool:
    condition = Comparison("!=", exponent, ZERO)
    return isinstance(exponent, Number) or (
        not exponent.tensors and Knowledge.of((exponent,), ()).proves(condition)
    )


def _unless_zero(expression: Expression, slope: Expression) -> Expression:
    return Where(Comparison("!=", expression, ZERO), slope, ZERO)


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
