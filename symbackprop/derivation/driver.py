"""Reverse accumulation, carried through to closed form.

For each adjoint, from the loss backwards: the chain rule, each local factor differentiated and simplified,
the adjoints that are known put in, and the result simplified. Afterwards an adjoint that is used once moves
into the equation that uses it, where that is no costlier.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from symbackprop.algebra.context import Scope
from symbackprop.algebra.phases import masks_by_name, present, scope_of
from symbackprop.algebra.scalar_search import Account, Budget
from symbackprop.collecting import few_passes
from symbackprop.derivation.adjoint_names import adjoint_names, layer_names
from symbackprop.derivation.adjoints import WorkedOut, worked_out
from symbackprop.derivation.inlining import inline_adjoints
from symbackprop.derivation.inner.expanding import with_inner_derivatives
from symbackprop.derivation.result import AdjointDerivation, Derivation, LocalDerivative
from symbackprop.derivation.reverse import (
    Invariance,
    adjoint_order,
    chain_rule,
    differentiated_tensors,
    loss_name,
    own_indices,
)
from symbackprop.derivation.steps_of_derivatives import StepsByName, steps_of_derivatives
from symbackprop.errors import RewritingError
from symbackprop.memoization.recall import Recall
from symbackprop.notation.derivatives import Derivative
from symbackprop.notation.expressions import ONE, ZERO, Element, Expression, Index
from symbackprop.notation.placeholders import SIGNS, placeholder_in
from symbackprop.notation.substitution import rename_tensors
from symbackprop.presentation.masks import choice_rules, choices, product_rules, products
from symbackprop.presentation.means.summed import NamedMeans, mean_rules
from symbackprop.presentation.stated_differences import StatedDifferences
from symbackprop.presentation.stated_sums import StatedSums
from symbackprop.rewriting.replacements import renamed_equation
from symbackprop.rewriting.rule import Rule, Step
from symbackprop.rewriting.steps import Steps
from symbackprop.rules.stating import DIFFERENTIATED
from symbackprop.systems.invariance import unmoved_tensors
from symbackprop.systems.system import Equation, System

_LOG = logging.getLogger(__name__)


def _by_itself(node: Expression) -> Expression | None:
    is_itself = isinstance(node, Derivative) and node.numerator == node.denominator
    return ONE if is_itself and not node.free_indices else None


LOSS_BY_ITSELF = Rule(
    "loss by itself", "dE/dE = 1", _by_itself, DIFFERENTIATED, example="dE/dE", near_miss="dE/dc"
)


@few_passes()
def derive(
    system: System,
    wrt: Sequence[str] | None = None,
    avoided: Collection[str] = frozenset(),
    recall: Recall | None = None,
) -> Derivation:
    """The gradient of the system's loss by the tensors `wrt` (default: every parameter), in closed form.

    No adjoint is called after its layer by one of the names that are to be `avoided`. What derivations of
    like systems have worked out is in `recall`, to which this one adds.
    Raises NotationError for an unknown tensor and DerivationError where there is no loss or no derivative.
    """
    model = system
    wanted = differentiated_tensors(model, wrt)
    budget = Budget.of(model)
    expansion = with_inner_derivatives(model, budget, wanted)
    system = expansion.system
    order = adjoint_order(system, wanted)
    taken = {*system.tensors, *(axis.name for axis in system.axes)}
    names = adjoint_names(order, wanted, loss_name(system), taken)
    scope = replace(scope_of(system, budget=budget), steps=_steps_of_adjoints(system, names))
    adjoints: list[AdjointDerivation] = []
    recall, unmoved = recall or Recall(), unmoved_tensors(system)
    for tensor in order:
        adjoint = _derive_adjoint(system, tensor, names, scope, Account(budget), recall, unmoved)
        adjoints.append(adjoint)
        scope = scope.with_equations((adjoint.equation,))
    inlined = inline_adjoints(adjoints, frozenset(names[tensor] for tensor in wanted), scope, budget, recall)
    masks = (*masks_by_name(scope), *choice_rules(choices(system.equations)))
    stated = StatedDifferences.of(system), StatedSums.of(system)
    presented: list[AdjointDerivation] = []
    named, means = [*products(system.equations)], NamedMeans.of(system.equations)
    for each in inlined:
        rules = (*masks, *product_rules(tuple(named)), *mean_rules(means))
        presented.append(_presented(each, scope, rules, *stated))
        if presented[-1].kept and each.equation.tensor not in scope.steps:
            named += products((presented[-1].equation,))
            means = means.beside(NamedMeans.of((presented[-1].equation,)))
    derivation = Derivation(
        system, wanted, _with_layer_names(presented, wanted, taken.union(avoided)), expansion, model
    )
    _expect_no_placeholders(derivation)
    return derivation


def _expect_no_placeholders(derivation: Derivation) -> None:
    """Nothing leaves with a name that the algebra has made up, in an equation, a step or a rule's line."""
    equations = (*derivation.system.equations, *derivation.equations)
    expressions = [equation.expression for equation in equations]
    # What calculus writes down on the way is made of the equations alone, other names of the equations' own.
    adjoints = (*derivation.expansion.derivations, *derivation.adjoints)
    steps = [step for each in adjoints for step in each.steps.as_found]
    steps += [step for each in adjoints for factor in each.factors for step in factor.further.as_found]
    steps += [step for restated in derivation.expansion.restated for step in restated.steps]
    expressions += [side for step in steps for side in (step.before, step.after)]
    lines = {line for step in steps for line in step.rule.statements}
    found = placeholder_in(expressions) or next((line for line in lines if not SIGNS.isdisjoint(line)), None)
    if found is not None:
        raise RewritingError(
            f"the placeholder of '{found}' has been left in the derivation",
            remedy="this is a defect of symbackprop; please report the model",
        )


def _steps_of_adjoints(system: System, names: Mapping[str, str]) -> StepsByName:
    """Where the adjoints of a recurrence stand in theirs, which runs the other way."""
    loss = Element(loss_name(system))
    indices = {tensor: own_indices(system, tensor) for tensor in names}
    totals = {tensor: Derivative(loss, Element(tensor, indices[tensor]), total=True) for tensor in names}
    return steps_of_derivatives(system, {names[each]: (totals[each], indices[each]) for each in names})


def _derive_adjoint(
    system: System,
    tensor: str,
    names: Mapping[str, str],
    scope: Scope,
    account: Account,
    recall: Recall,
    unmoved: frozenset[str],
) -> AdjointDerivation:
    total, rule = chain_rule(system, tensor, names)
    _LOG.info("deriving %s", total)
    scope = scope.at(Element(names[tensor], total.denominator.positions))
    if tensor == loss_name(system):
        found = WorkedOut((), Steps((Step(LOSS_BY_ITSELF.used_on(total), (), total, ONE),)), ONE)
    elif tensor in unmoved:
        found = WorkedOut((), Steps((Step(Invariance(), (), total, ZERO),)), ZERO)
    else:
        named = tuple(
            [Element(names[each.tensor], each.indices) for each in rule.consumers if each.tensor in names]
        )
        found = recall.taken_over(
            (total, scope.target, rule.consumers, named),
            scope,
            account,
            lambda asked: worked_out(total, rule, lambda adjoint: _named(adjoint, names), asked, account),
            WorkedOut.renamed,
        )
    indices = tuple(index for index in total.denominator.positions if isinstance(index, Index))
    equation = Equation(names[tensor], indices, found.closed)
    return AdjointDerivation(tensor, total, found.factors, found.steps, equation, kept=True)


def _presented(
    adjoint: AdjointDerivation,
    scope: Scope,
    names: tuple[Rule, ...],
    differences: StatedDifferences,
    sums: StatedSums,
) -> AdjointDerivation:
    """The adjoint as it is printed, where it keeps its equation."""
    if not adjoint.kept:
        return adjoint
    equation = adjoint.equation
    _LOG.info("writing down %s", equation.element)
    outer = adjoint.total.free_indices | frozenset(equation.indices)
    steps = present(equation.expression, scope.at(equation.element), outer, names, differences, sums)
    if not steps:
        return adjoint
    equation = replace(equation, expression=steps[-1].after)
    return replace(adjoint, steps=adjoint.steps.followed_by(steps), equation=equation)


def _named(adjoint: Derivative, names: Mapping[str, str]) -> Expression:
    """dE/dw by the name of w's adjoint."""
    return Element(names[adjoint.denominator.tensor], adjoint.denominator.positions)


def _with_layer_names(
    adjoints: Sequence[AdjointDerivation], wanted: Sequence[str], taken: set[str]
) -> tuple[AdjointDerivation, ...]:
    kept = {adjoint.tensor: adjoint.equation.tensor for adjoint in adjoints if adjoint.kept}
    names = layer_names({tensor: kept[tensor] for tensor in kept if tensor not in wanted}, taken)
    return tuple([_renamed(adjoint, names) for adjoint in adjoints]) if names else tuple(adjoints)


def _renamed(adjoint: AdjointDerivation, names: Mapping[str, str]) -> AdjointDerivation:
    equation = renamed_equation(adjoint.equation, names)
    factors = tuple([_factor_renamed(factor, names) for factor in adjoint.factors])
    return replace(adjoint, factors=factors, steps=adjoint.steps.renamed(names), equation=equation)


def _factor_renamed(factor: LocalDerivative, names: Mapping[str, str]) -> LocalDerivative:
    """The factor, whose closed form may be folded into an adjoint found before."""
    return replace(factor, value=rename_tensors(factor.value, names), further=factor.further.renamed(names))
