"""The derivative of one equation by one tensor element: rules of calculus, until no derivative is left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from symbackprop.derivation.calculus import CALCULUS_RULES
from symbackprop.derivation.moving import derivative
from symbackprop.errors import DerivationError
from symbackprop.notation.arithmetic import normalised, reciprocals_last
from symbackprop.notation.derivatives import Derivative, PartialDerivative
from symbackprop.notation.expressions import ZERO, Element, Expression, Where
from symbackprop.notation.substitution import rewrite_bottom_up
from symbackprop.rewriting.justification import Equality, Recomputed
from symbackprop.rewriting.replacements import at_positions, renamed_equation
from symbackprop.rewriting.rule import Step, WholeRule
from symbackprop.rewriting.strategies import resolve, result_of
from symbackprop.systems.printing import text
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
        return derivative(at_positions(self.equation, node.numerator), node.denominator)

    def renamed(self, names: Mapping[str, str]) -> OwnEquation:
        """The equation in other names."""
        return OwnEquation(renamed_equation(self.equation, names))


def put_together(expression: Expression) -> Expression:
    """Sums and products put together by their builders, what is below the stroke last."""
    return rewrite_bottom_up(rewrite_bottom_up(expression, _together), _reciprocals_last)


def _together(node: Expression) -> Expression:
    is_empty = isinstance(node, Where) and node.chosen == node.otherwise == ZERO
    return ZERO if is_empty else normalised(node)


def _reciprocals_last(node: Expression) -> Expression:
    return reciprocals_last(normalised(node))


TOGETHER = WholeRule("arithmetic", "0 + x = x, 1*x = x, x*x = x^2, x + x = 2*x", put_together, "it gets flat")
STEPS_OF_DIFFERENTIATION = frozenset((*CALCULUS_RULES, TOGETHER))


def differentiate(expression: Expression, by: Element) -> Expression:
    """D expression / d by. Raises DerivationError where no derivative exists."""
    start = derivative(expression, by)
    return put_together(result_of(_worked_out(start), start))


def differentiation(equation: Equation, local: Derivative) -> tuple[Step, ...]:
    """The steps from dy/du to its value, one a rule. Raises DerivationError where no derivative exists."""
    rule = OwnEquation(equation)
    start = rule.again(local)
    assert start is not None
    steps = (Step(rule, (), local, start), *_worked_out(start))
    found = steps[-1].after
    value = put_together(found)
    is_same = value == found and text(value) == text(found)
    return steps if is_same else (*steps, Step(TOGETHER, (), found, value))


def _worked_out(start: Expression) -> tuple[Step, ...]:
    steps = resolve(CALCULUS_RULES, start, PartialDerivative)
    for node in result_of(steps, start).walk():
        if isinstance(node, PartialDerivative):
            raise DerivationError(
                f"a {type(node.expression).__name__.lower()} has no derivative",
                remedy="a comparison or an index is constant between the points where it jumps",
            )
    return steps
