"""The derivative of one equation by one tensor element: rules of calculus, until no derivative is left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from symbackprop.derivation.calculus import CALCULUS_RULES
from symbackprop.derivation.elementary_derivatives import derivative
from symbackprop.errors import DerivationError
from symbackprop.languages.phrases import worded
from symbackprop.notation.arithmetic import normalised, reciprocals_last
from symbackprop.notation.derivatives import Derivative, PartialDerivative
from symbackprop.notation.expressions import ZERO, Element, Expression, Where
from symbackprop.notation.substitution import rename_tensors, rewrite_bottom_up
from symbackprop.rewriting.justification import Equality, Recomputed
from symbackprop.rewriting.labels import label
from symbackprop.rewriting.measure_context import MeasureContext
from symbackprop.rewriting.replacements import renamed_equation
from symbackprop.rewriting.rule import Step, Use, WholeRule, WholeUse
from symbackprop.rewriting.strategies import Resolution, resolve
from symbackprop.rules.bookkeeping import ARITHMETIC, Arithmetic, ArithmeticUse
from symbackprop.systems.system import Equation


@dataclass(frozen=True)
class OwnEquation(Recomputed):
    """dy/du along the direct path is the derivative of y's right-hand side."""

    equation: Equation
    name: str = "differentiate"
    statement: str = "the derivative along the direct path is that of the right-hand side"
    kind: ClassVar[str] = "definition"

    @property
    def equations(self) -> tuple[Equality, ...]:
        """The equation that is differentiated."""
        return ((self.equation.element, self.equation.expression),)

    def again(self, node: Expression) -> Expression | None:
        """The derivative of the right-hand side, at the numerator's positions."""
        if not isinstance(node, Derivative) or node.total or node.numerator.tensor != self.equation.tensor:
            return None
        if len(node.numerator.positions) != len(self.equation.indices):
            return None
        return derivative(self.equation.at(node.numerator.positions), node.denominator)

    def renamed(self, names: Mapping[str, str]) -> OwnEquation:
        """The equation in other names."""
        return OwnEquation(renamed_equation(self.equation, names))


def put_together(expression: Expression) -> Expression:
    """Sums and products put together by their builders, reciprocals last."""
    return rewrite_bottom_up(rewrite_bottom_up(expression, _together), _reciprocals_last)


def _together(node: Expression) -> Expression:
    is_empty = isinstance(node, Where) and node.chosen == node.otherwise == ZERO
    return ZERO if is_empty else normalised(node)


def _reciprocals_last(node: Expression) -> Expression:
    return reciprocals_last(normalised(node))


def _put_together(expression: Expression) -> Expression | None:
    after = put_together(expression)
    return None if _is_same_tree(after, expression) else after


def nodes_apart(expression: Expression, _context: MeasureContext) -> int:
    """How many nodes their builders would put together otherwise."""
    return sum(not _is_same_tree(_reciprocals_last(_together(node)), node) for node in expression.walk())


APART = "nodes to put together"


class _WholeArithmeticUse(ArithmeticUse, WholeUse):
    """The use of arithmetic throughout a right-hand side."""


class _WholeArithmetic(Arithmetic, WholeRule):
    """Arithmetic throughout a right-hand side."""

    use: ClassVar[type[Use]] = _WholeArithmeticUse


TOGETHER = _WholeArithmetic(
    "put together",
    ARITHMETIC,
    _put_together,
    APART,
    example="0 + x[i]*y[j]*x[i]",
    near_miss="x[i]^2*y[j]",
)


OF_CALCULUS = frozenset((*(rule.name for rule in CALCULUS_RULES), TOGETHER.name))


def is_differentiation(step: Step) -> bool:
    """Whether the step is one on the way from a derivative sign to its value."""
    rule = step.rule
    return isinstance(rule, OwnEquation) or (isinstance(rule, Use) and rule.name in OF_CALCULUS)


@dataclass(frozen=True)
class WorkedDerivative:
    """A derivative along the direct path and its `value`, as the rules of calculus leave it."""

    sign: Derivative
    rule: OwnEquation
    value: Expression

    @classmethod
    def of(cls, sign: Derivative, rule: OwnEquation) -> WorkedDerivative:
        """Worked out now."""
        resolution = _resolved(sign, rule)
        worked = cls(sign, rule, put_together(resolution.result))
        worked.__dict__["resolution"] = resolution
        return worked

    @cached_property
    def resolution(self) -> Resolution:
        """The rules of calculus at work; done again where the value is that of an equal equation."""
        return _resolved(self.sign, self.rule)

    def renamed(self, names: Mapping[str, str]) -> WorkedDerivative:
        """The same in other names."""
        sign = rename_tensors(self.sign, names)
        assert isinstance(sign, Derivative)
        return WorkedDerivative(sign, self.rule.renamed(names), rename_tensors(self.value, names))

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The steps from the sign to the value, one a rule."""
        start, found = self.resolution.start, self.resolution.result
        steps = (Step(self.rule, (), self.sign, start), *self.resolution.steps)
        if _is_same_tree(self.value, found):
            return steps
        return (*steps, Step(TOGETHER.used_on(found), (), found, self.value))


def differentiate(expression: Expression, by: Element) -> Expression:
    """D expression / d by. Raises DerivationError where no derivative exists."""
    return put_together(_worked_out(derivative(expression, by)).result)


def differentiation(equation: Equation, sign: Derivative) -> WorkedDerivative:
    """An equation differentiated by one element. Raises DerivationError where no derivative exists."""
    return WorkedDerivative.of(sign, OwnEquation(equation))


def _resolved(sign: Derivative, rule: OwnEquation) -> Resolution:
    start = rule.again(sign)
    assert start is not None
    return _worked_out(start)


def _is_same_tree(left: Expression, right: Expression) -> bool:
    """Whether the order of terms and factors is the same too."""
    if left is right:
        return True
    is_alike = type(left) is type(right) and label(left) == label(right)
    return (
        is_alike
        and len(left.children) == len(right.children)
        and all(map(_is_same_tree, left.children, right.children))
    )


def _worked_out(start: Expression) -> Resolution:
    resolution = resolve(CALCULUS_RULES, start, PartialDerivative)
    for node in resolution.result.walk():
        if isinstance(node, PartialDerivative):
            raise DerivationError(
                worded("a {kind} has no derivative", kind=type(node.expression).__name__.lower()),
                remedy=worded("a comparison or an index is constant between the points where it jumps"),
            )
    return resolution
