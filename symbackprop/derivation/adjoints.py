"""One derivative by the chain rule, from the rule to its closed form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from symbackprop.algebra.context import Scope
from symbackprop.algebra.phases import simplify, simplify_factor
from symbackprop.derivation.result import LocalDerivative
from symbackprop.derivation.reverse import ChainRule, local_derivative
from symbackprop.notation.arithmetic import normalised
from symbackprop.notation.derivatives import Derivative
from symbackprop.notation.expressions import Expression
from symbackprop.notation.substitution import rewrite_bottom_up
from symbackprop.rewriting.rule import Rule, Step
from symbackprop.rewriting.strategies import result_of
from symbackprop.rules.support import GUARD, support_of, with_guards
from symbackprop.systems.system import Equation

PUT_IN_FACTORS = Rule("put in the factors", "the local derivatives found above", lambda expression: None)
PUT_IN_ADJOINTS = Rule("name the adjoints", "what has been found keeps its name", lambda expression: None)


def worked_out(
    rule: ChainRule, named: Callable[[Derivative], Expression], scope: Scope
) -> tuple[tuple[LocalDerivative, ...], tuple[Step, ...]]:
    """The factors of the chain rule in closed form, and the steps from the rule to the whole closed form.

    `named` says what stands for a derivative that has been found before.
    """
    factors = tuple([_closed_factor(consumer, local, scope) for consumer, local in rule.factors])
    steps = [rule.step]
    values: dict[Expression, Expression] = {factor.derivative: factor.value for factor in factors}
    append(steps, PUT_IN_FACTORS, _replaced(rule.expression, values))

    def support(adjoint: Derivative) -> tuple[Expression, ...]:
        return support_of(named(adjoint), scope.supports)

    append(steps, GUARD, with_guards(steps[-1].after, support, scope.ranges))
    append(steps, PUT_IN_ADJOINTS, _with_names(steps[-1].after, named))
    steps.extend(simplify(steps[-1].after, scope, rule.total.free_indices))
    return factors, tuple(steps)


def append(steps: list[Step], rule: Rule, after: Expression) -> None:
    """A further step, where it changes anything."""
    if after != steps[-1].after:
        steps.append(Step(rule, (), steps[-1].after, after))


def _closed_factor(consumer: Equation, local: Derivative, scope: Scope) -> LocalDerivative:
    factor = local_derivative(consumer, local)
    steps = (*factor.steps, *simplify_factor(factor.value, scope, local.free_indices))
    return replace(factor, value=result_of(steps, factor.value), steps=steps)


def _replaced(expression: Expression, values: Mapping[Expression, Expression]) -> Expression:
    return rewrite_bottom_up(expression, lambda node: normalised(values.get(node, node)))


def _with_names(expression: Expression, named: Callable[[Derivative], Expression]) -> Expression:
    """Every derivative that follows all paths by what stands for it."""

    def name(node: Expression) -> Expression:
        return named(node) if isinstance(node, Derivative) and node.total else normalised(node)

    return rewrite_bottom_up(expression, name)
