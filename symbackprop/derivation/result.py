"""What a derivation leaves behind: adjoint equations, gradients, and every step that led to them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import overload

from symbackprop.derivation.differentiation import WorkedDerivative
from symbackprop.notation.arithmetic import factors_of
from symbackprop.notation.derivatives import Derivative
from symbackprop.notation.expressions import ONE, Delta, Expression, Index
from symbackprop.notation.faces import Summary, counted, shortened
from symbackprop.notation.substitution import rename_tensors, substitute
from symbackprop.rewriting.replacements import Definition, renamed_equation
from symbackprop.rewriting.replay import with_parts
from symbackprop.rewriting.rule import Step
from symbackprop.rewriting.steps import Steps
from symbackprop.rules.symmetry import MAY_USE_SYMMETRY, SYMMETRY
from symbackprop.systems.ordering import in_reading_order
from symbackprop.systems.printing import system_text
from symbackprop.systems.system import Equation, System


@dataclass(frozen=True)
class LocalDerivative:
    """One factor of the chain rule: how an equation's result moves with one tensor that it reads.

    `derivative` is d y[b,k] / d u2[b',k'], with indices of their own on both sides; `calculus` and then the
    `further` steps lead from it to `value`, an expression with Kronecker deltas.
    """

    consumer: Equation
    tensor: str
    derivative: Derivative
    value: Expression
    calculus: WorkedDerivative
    further: Steps = field(default_factory=Steps)

    @property
    def differentiated(self) -> Expression:
        """What the rules of calculus have left."""
        return self.calculus.value

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """Every step from `derivative` to `value`."""
        return (*self.calculus.steps, *self.further)

    def renamed(self, names: Mapping[str, str]) -> LocalDerivative:
        """The same in other names."""
        derivative, value = (rename_tensors(each, names) for each in (self.derivative, self.value))
        assert isinstance(derivative, Derivative)
        consumer, calculus = renamed_equation(self.consumer, names), self.calculus.renamed(names)
        further = self.further.renamed(names)
        return LocalDerivative(consumer, names[self.tensor], derivative, value, calculus, further)


class RenamedFactors(Sequence[LocalDerivative]):
    """Factors in other names, which they are given when the first of them is read."""

    def __init__(self, found: Sequence[LocalDerivative], names: Mapping[str, str]) -> None:
        self._found, self._names = found, names

    @cached_property
    def _renamed(self) -> tuple[LocalDerivative, ...]:
        return tuple([factor.renamed(self._names) for factor in self._found])

    def __len__(self) -> int:
        return len(self._found)

    @overload
    def __getitem__(self, place: int) -> LocalDerivative: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[LocalDerivative, ...]: ...

    def __getitem__(self, place: int | slice) -> LocalDerivative | tuple[LocalDerivative, ...]:
        return self._renamed[place]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RenamedFactors | tuple) and self._renamed == tuple(other)

    def __hash__(self) -> int:
        return hash(self._renamed)


@dataclass(frozen=True, repr=False)
class AdjointDerivation(Summary):
    """How the loss moves with one tensor, from the chain rule to its closed form.

    `total` is dE/dt[..]; the first step's `before` is `total` and the last step's `after` is the right-hand
    side of `equation`, whose name is the adjoint's (delta2, grad_W2). An adjoint that is not `kept` has been
    put into the one equation that used it.

    A derivative inside the model has an element of another tensor in the place of E. Where `deltas` are
    Kronecker deltas that tie its indices, the last step's `after` is their product with that right-hand side.
    """

    tensor: str
    total: Derivative
    factors: Sequence[LocalDerivative]
    steps: Steps
    equation: Equation
    kept: bool
    deltas: Expression = ONE

    @property
    def summary(self) -> str:
        """Its equation's beginning, and how many steps led to it."""
        return f"{shortened(str(self.equation))}, {counted(len(self.all_steps), 'step')}"

    @property
    def all_steps(self) -> tuple[Step, ...]:
        """Those of the factors, and from the chain rule on."""
        return (*(step for factor in self.factors for step in factor.steps), *self.steps)

    @cached_property
    def meaning(self) -> Derivative:
        """The derivative that the equation's name stands for: `total` where its deltas are 1."""
        own = {*self.equation.indices}
        ties: dict[Index, Expression] = {}
        for delta in factors_of(self.deltas):
            if isinstance(delta, Delta) and isinstance(delta.left, Index) and isinstance(delta.right, Index):
                tied, index = (delta.left, delta.right) if delta.right in own else (delta.right, delta.left)
                ties[tied] = index
        meaning = substitute(self.total, ties)
        assert isinstance(meaning, Derivative)
        return meaning


@dataclass(frozen=True)
class RestatedEquation:
    """An equation of the model that holds derivatives, and the steps to what is computed for it."""

    stated: Equation
    steps: tuple[Step, ...]
    equation: Equation


@dataclass(frozen=True)
class NamedParts:
    """A system before and after parts of its equations got names; `restated` are those that read them."""

    before: System
    after: System
    restated: tuple[RestatedEquation, ...]

    @cached_property
    def by_tensor(self) -> Mapping[str, RestatedEquation]:
        """The restated equations by their tensors."""
        return {each.stated.tensor: each for each in self.restated}


@dataclass(frozen=True)
class Expansion:
    """A model whose inner derivatives, diff(y[n], x[n,i]), have been worked out.

    `stated` is the model before, `system` with the equations that came of it; `derivations` say how, in
    order, and `restated` what became of the equations that hold the derivatives. Names of parts lead by
    `named_before` from the model as given to `stated`, and by `named_after` to `system`.
    """

    stated: System
    system: System
    derivations: tuple[AdjointDerivation, ...] = ()
    restated: tuple[RestatedEquation, ...] = ()
    named_before: tuple[NamedParts, ...] = ()
    named_after: tuple[NamedParts, ...] = ()

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """Every step of it, in order."""
        before, after = (
            [step for parts in named for each in parts.restated for step in each.steps]
            for named in (self.named_before, self.named_after)
        )
        of_equations = (step for restated in self.restated for step in restated.steps)
        return (*before, *_steps_of(self.derivations), *of_equations, *after)


def _steps_of(adjoints: Iterable[AdjointDerivation]) -> Iterator[Step]:
    return (step for adjoint in adjoints for step in adjoint.all_steps)


@dataclass(frozen=True, repr=False)
class Derivation(Summary):
    """The gradient of a system's loss.

    `adjoints` stand in the order in which they were derived, from the loss backwards, those not kept
    included. `equations` are the kept ones: with the system's own equations before them they are a system
    again. `gradients` maps each tensor that was asked for to its equation. `expansion` says how the system
    came of the model, where that holds derivatives; `model` is the model as it was given.
    """

    system: System
    wrt: tuple[str, ...]
    adjoints: tuple[AdjointDerivation, ...]
    expansion: Expansion
    model: System

    @property
    def summary(self) -> str:
        """The model's name, how many gradients there are and how many steps led to them."""
        steps = counted(len(self.steps), "step")
        return f"{self.system.name}: {counted(len(self.wrt), 'gradient')}, {steps}"

    @cached_property
    def equations(self) -> tuple[Equation, ...]:
        """The adjoint equations that are computed, in an order in which each reads only earlier ones."""
        return tuple(adjoint.equation for adjoint in self.adjoints if adjoint.kept)

    @cached_property
    def gradients(self) -> Mapping[str, Equation]:
        """Name of each tensor that was asked for to the equation of its gradient, in the order of asking."""
        found = {adjoint.tensor: adjoint.equation for adjoint in self.adjoints}
        return {name: found[name] for name in self.wrt}

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """Every step of the derivation, in order."""
        return (*self.expansion.steps, *_steps_of(self.adjoints))

    @cached_property
    def meanings(self) -> Mapping[str, Derivative]:
        """Name of an adjoint, or of a derivative in the model, to what it is: delta2 to dE/du2[b,k]."""
        found = (*self.expansion.derivations, *self.adjoints)
        return {adjoint.equation.tensor: adjoint.meaning for adjoint in found}

    def as_system(self) -> System:
        """The equations of model and gradient as one system, without a loss; its text reads back as it.

        Its facts name the equations that have been simplified by one.
        """
        users = self._simplified_by_facts()
        whole = replace(
            self.system.with_equations(in_reading_order((*self.system.equations, *self.equations))),
            facts=tuple([replace(fact, users=(*fact.users, *users)) for fact in self.system.facts]),
            positive_definite=tuple(
                [replace(fact, users=(*fact.users, *users)) for fact in self.system.positive_definite]
            ),
            loss=None,
        )
        return replace(whole, source=system_text(whole))

    def _simplified_by_facts(self) -> tuple[str, ...]:
        """The tensors whose equations rest on facts: by a step of their own, or of one that was put in."""
        expansion = self.expansion
        derivations = [(each.equation.tensor, each.all_steps) for each in expansion.derivations]
        restated = [(each.equation.tensor, each.steps) for each in expansion.restated]
        adjoints = [(each.equation.tensor, each.all_steps) for each in self.adjoints]
        found: dict[str, None] = {}
        for name, steps in (*derivations, *restated, *adjoints):
            if any(_rests_on_a_fact(part, found) for step in steps for part in with_parts(step)):
                found[name] = None
        computed = {*self.system.definitions, *(each.tensor for each in self.equations)}
        return tuple([name for name in found if name in computed])


def _rests_on_a_fact(step: Step, known: Collection[str]) -> bool:
    """Whether a fact is used, stated or implied, or an equation put in that one has simplified."""
    if isinstance(step.rule, Definition):
        return step.rule.equation.tensor in known
    return step.rule.kind == "fact" or step.rule.name in (SYMMETRY, *MAY_USE_SYMMETRY)
