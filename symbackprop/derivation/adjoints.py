"""One derivative by the chain rule, from the rule to its closed form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from symbackprop.algebra.context import Scope
from symbackprop.algebra.phases import simplify, simplify_factor
from symbackprop.algebra.scalar_search import Account
from symbackprop.derivation.chain_rules import PathRule
from symbackprop.derivation.result import LocalDerivative
from symbackprop.derivation.reverse import local_derivative
from symbackprop.notation.arithmetic import normalised
from symbackprop.notation.derivatives import Derivative
from symbackprop.notation.expressions import ZERO, Expression
from symbackprop.notation.substitution import rename_tensors
from symbackprop.rewriting.justification import Recomputed
from symbackprop.rewriting.replacements import AdjointNames, Substitution
from symbackprop.rewriting.rule import Step
from symbackprop.rewriting.steps import Steps
from symbackprop.rewriting.strategies import result_of
from symbackprop.rules.support import Guarding, Masking, support_of
from symbackprop.systems.system import Equation


@dataclass(frozen=True)
class WorkedOut:
    """The factors of the chain rule, the steps from the rule to the closed form, and that form."""

    factors: tuple[LocalDerivative, ...]
    steps: Steps
    closed: Expression

    def renamed(self, names: Mapping[str, str]) -> WorkedOut:
        """The same in other names; those of the steps wait until someone reads them."""
        factors = tuple([factor.renamed(names) for factor in self.factors])
        return WorkedOut(factors, self.steps.renamed(names), rename_tensors(self.closed, names))


def worked_out(
    total: Derivative,
    rule: PathRule,
    named: Callable[[Derivative], Expression],
    scope: Scope,
    account: Account,
) -> WorkedOut:
    """The factors of the chain rule in closed form, and the steps from the rule to the whole closed form.

    `named` says what stands for a derivative that has been found before, `account` what the searches may
    cost.
    """
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
        append(steps, Guarding.of(support, scope.ranges, scope.supports, steps[-1].after))
    undefined = {adjoint for adjoint, name in names.items() if scope.may_be_undefined(name)}
    append(steps, Masking.of(steps[-1].after, lambda each: each in undefined or scope.may_be_undefined(each)))
    known = tuple([(adjoint, names[adjoint]) for adjoint in _adjoints_in(steps[-1].after)])
    append(steps, AdjointNames(known))
    steps.extend(simplify(steps[-1].after, scope, total.free_indices, account))
    return WorkedOut(factors, Steps(steps), steps[-1].after)


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
    return replace(factor, value=result_of(steps, factor.value), further=Steps(steps))


def _adjoints_in(expression: Expression) -> tuple[Derivative, ...]:
    """Every derivative that follows all paths, once."""
    nodes = (node for node in expression.walk() if isinstance(node, Derivative) and node.total)
    return tuple(dict.fromkeys(nodes))
