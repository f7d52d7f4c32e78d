"""One derivative by the chain rule, from the rule to its closed form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from symbackprop.algebra.context import Scope
from symbackprop.algebra.phases import simplify, simplify_factor
from symbackprop.algebra.scalar_search import Account, Budget
from symbackprop.derivation.result import LocalDerivative
from symbackprop.derivation.reverse import ChainRule, local_derivative
from symbackprop.notation.arithmetic import normalised
from symbackprop.notation.derivatives import Derivative
from symbackprop.notation.expressions import ZERO, Expression
from symbackprop.rewriting.justification import Recomputed
from symbackprop.rewriting.replacements import AdjointNames, Substitution
from symbackprop.rewriting.rule import Step
from symbackprop.rewriting.strategies import result_of
from symbackprop.rules.support import Guarding, Masking, support_of
from symbackprop.systems.system import Equation


def worked_out(
    total: Derivative,
    rule: ChainRule,
    named: Callable[[Derivative], Expression],
    scope: Scope,
    budget: Budget,
) -> tuple[tuple[LocalDerivative, ...], tuple[Step, ...]]:
    """The factors of the chain rule in closed form, and the steps from the rule to the whole closed form.

    `named` says what stands for a derivative that has been found before, `budget` what the searches of the
    whole derivation may cost.
    """
    account = Account(budget)
    factors = tuple(
        [_closed_factor(consumer, local, scope, account) for consumer, local in rule.factors(total)]
    )
    steps = [Step(rule, (), total, rule.again(total) or ZERO)]
    values = tuple([(factor.derivative, normalised(factor.value)) for factor in factors])
    append(steps, Substitution(values))
    names = {adjoint: named(adjoint) for adjoint in _adjoints_in(steps[-1].after)}
    support: dict[Expression, tuple[Expression, ...]] = {
        adjoint: support_of(name, scope.supports) for adjoint, name in names.items()
    }
    if any(support.values()):
        append(steps, Guarding.of(support, scope.ranges, steps[-1].after))
    undefined = {adjoint for adjoint, name in names.items() if scope.may_be_undefined(name)}
    append(steps, Masking.of(steps[-1].after, lambda each: each in undefined or scope.may_be_undefined(each)))
    known = tuple([(adjoint, names[adjoint]) for adjoint in _adjoints_in(steps[-1].after)])
    append(steps, AdjointNames(known))
    steps.extend(simplify(steps[-1].after, scope, total.free_indices, account))
    return factors, tuple(steps)


def append(steps: list[Step], rule: Recomputed) -> None:
    """A further step of the whole, where it changes anything."""
    before = steps[-1].after
    after = rule.again(before)
    if after is not None and after != before:
        steps.append(Step(rule, (), before, after))


def _closed_factor(consumer: Equation, local: Derivative, scope: Scope, account: Account) -> LocalDerivative:
    factor = local_derivative(consumer, local)
    masking = Masking.of(factor.value, scope.may_be_undefined)
    masked = masking.again(factor.value)
    steps = () if masked == factor.value else (Step(masking, (), factor.value, masked),)
    steps = (*steps, *simplify_factor(masked, scope, local.free_indices, account))
    return replace(factor, value=result_of(steps, factor.value), further=steps)


def _adjoints_in(expression: Expression) -> tuple[Derivative, ...]:
    """Every derivative that follows all paths, once."""
    nodes = (node for node in expression.walk() if isinstance(node, Derivative) and node.total)
    return tuple(dict.fromkeys(nodes))
