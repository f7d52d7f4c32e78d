"""Reverse accumulation: which adjoints are needed, in which order, and what the chain rule says of each.

    dE/dt[q] = sum over the equations w that read t of
               sum(o, dE/dw[o] * dw[o]/dt[q])

The pieces are put together, and brought to closed form, by `derivation.driver.derive`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from symbackprop.derivation.chain_rules import ChainRule
from symbackprop.derivation.differentiation import differentiation
from symbackprop.derivation.result import LocalDerivative
from symbackprop.errors import DerivationError
from symbackprop.languages.phrases import worded
from symbackprop.notation.derivatives import Derivative
from symbackprop.notation.expressions import ZERO, Element, Expression, Index
from symbackprop.notation.substitution import fresh_index
from symbackprop.rewriting.justification import Anchor, Recomputed
from symbackprop.systems.printing import fact_text
from symbackprop.systems.system import Equation, Fact, PositiveDefinite, Role, System


@dataclass(frozen=True)
class Invariance(Recomputed):
    """dE/dt[q] = 0, since what moves with t cancels before it reaches E."""

    name: str = "invariance"
    statement: str = "dE/dt = 0 where t shifts, or scales, what cancels in E"
    kind: ClassVar[str] = "invariance"

    def again(self, node: Expression) -> Expression | None:
        """0, of a derivative along all paths."""
        return ZERO if isinstance(node, Derivative) and node.total else None

    def rests_on(self, anchor: Anchor, before: Expression, place: Sequence[int]) -> bool:
        """Whether the tensor is seen to cancel in the model's equations."""
        return anchor.is_unmoved(before)

    def renamed(self, names: Mapping[str, str]) -> Invariance:
        """The same: it names no tensor."""
        return self


def loss_name(system: System) -> str:
    """The loss that is differentiated; DerivationError where the model has none."""
    if system.loss is None:
        raise DerivationError(
            worded("the model '{system}' has no loss", system=system.name),
            remedy=worded(
                'write one equation as `loss E = ...`; for a derivation\'s system: as_system("loss H = ...")'
            ),
        )
    return system.loss


def tensors_named(wrt: str | Sequence[str] | None) -> list[str]:
    """The names that are asked for: `"W1, W2"` as two."""
    names = wrt.split(",") if isinstance(wrt, str) else wrt or ()
    return [name.strip() for name in names]


def differentiated_tensors(system: System, wrt: Sequence[str] | None) -> tuple[str, ...]:
    """The tensors to differentiate by: those asked for, or else every parameter.

    Raises NotationError for an unknown name, DerivationError for a tensor of integers.
    """
    if wrt is None:
        names = tuple(tensor.name for tensor in system.with_role(Role.PARAMETER))
        _expect_not_simplified(system, names)
        return names
    for name in wrt:
        if system.tensor(name).values is not None:
            raise DerivationError(
                worded("'{name}' holds integers: there is no derivative by it", name=name),
                place=system.tensor(name).place,
                remedy=worded("differentiate by the tensor that is looked up"),
            )
        if system.tensor(name).role is Role.SIZE:
            raise DerivationError(
                worded("'{name}' is the size of an axis: there is no derivative by it", name=name),
                remedy=worded("differentiate by a tensor of real numbers"),
            )
    names = tuple(dict.fromkeys(system.tensor(name).name for name in wrt))
    _expect_not_simplified(system, names)
    return names


def _expect_not_simplified(system: System, names: Sequence[str]) -> None:
    """DerivationError where the loss reads an equation that holds only where a fact on these tensors does."""
    moved = system.dependents(names)
    reached = system.precedents((system.loss,) if system.loss else ())
    facts: tuple[Fact | PositiveDefinite, ...] = (*system.facts, *system.positive_definite)
    for fact in facts:
        users = [name for name in fact.users if name in reached]
        if users and not moved.isdisjoint(fact.tensors):
            raise DerivationError(
                worded(
                    "the equation of '{users}' has been simplified by the fact {fact}, and so says "
                    "nothing of a derivative by {names}",
                    users=users[0],
                    fact=fact_text(fact),
                    names=", ".join(names),
                ),
                place=fact.place,
                remedy=worded(
                    'add the loss to the derivation that it comes from, as_system("loss H = ..."), '
                    "which goes back behind the fact; or derive it from the model without the fact"
                ),
            )


def adjoint_order(system: System, wrt: Sequence[str]) -> tuple[str, ...]:
    """The tensors whose adjoints are needed, each after all that read it.

    Those are the tensors through which the loss depends on one of `wrt`, from the loss backwards, and each
    declared tensor as soon as the last equation that reads it has been passed. The members of a recurrence
    come side by side, in the order in which one step of the adjoint recurrence computes them; what they read
    of one another at other steps has been computed in an earlier step of it.
    """
    wanted = frozenset(wrt)
    depends = system.dependents(wanted)
    reached = system.precedents((loss_name(system),))
    order: dict[str, None] = {}
    last_reader = {name: readers[0].tensor for name, readers in system.consumers.items() if readers}
    for equation in reversed(system.equations):
        if equation.tensor in depends and equation.tensor in reached:
            order[equation.tensor] = None
        for name in equation.reads:
            if name in wanted and name not in system.definitions and last_reader[name] == equation.tensor:
                order[name] = None
    # What the loss does not depend on has the adjoint 0, which the adjoints of what it reads may read.
    apart = [equation.tensor for equation in reversed(system.equations) if equation.tensor in wanted]
    apart += [name for name in wrt if name not in system.definitions]
    first = dict.fromkeys(name for name in apart if name not in order and name in system.definitions)
    last = dict.fromkeys(name for name in apart if name not in order and name not in system.definitions)
    order.pop(loss_name(system), None) if loss_name(system) not in wanted else None
    return (*first, *order, *last)


def own_indices(system: System, tensor: str) -> tuple[Index, ...]:
    """The indices a tensor is written with: those of its declaration or its equation."""
    if tensor in system.definitions:
        return system.definitions[tensor].indices
    indices: list[Index] = []
    for index in system.tensors[tensor].indices:
        indices.append(fresh_index(index, indices))
    return tuple(indices)


def chain_rule(system: System, tensor: str, reached: Collection[str]) -> tuple[Derivative, ChainRule]:
    """dE/dt[q], and the equations in `reached` (and the loss's own) through which it goes."""
    loss = Element(loss_name(system))
    return chain_rule_between(system, loss, Element(tensor, own_indices(system, tensor)), reached)


def chain_rule_between(
    system: System, root: Element, target: Element, reached: Collection[str]
) -> tuple[Derivative, ChainRule]:
    """dy[p]/dt[q], and the equations in `reached`, and y's own, that read t; p and q are indices."""
    through = system.consumers[target.tensor]
    consumers = [each for each in through if each.tensor == root.tensor or each.tensor in reached]
    return Derivative(root, target, total=True), ChainRule(tuple(consumers))


def local_derivative(consumer: Equation, derivative: Derivative) -> LocalDerivative:
    """Differentiate an equation by one tensor that it reads."""
    worked = differentiation(consumer, derivative)
    return LocalDerivative(consumer, derivative.denominator.tensor, derivative, worked.value, worked)
