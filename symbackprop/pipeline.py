"""The whole flow on one screen: load, derive, lower, emit, check."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from symbackprop.array.program import Program
from symbackprop.collecting import few_passes
from symbackprop.derivation.driver import derive
from symbackprop.derivation.replaying import replayed
from symbackprop.derivation.reverse import tensors_named
from symbackprop.emission.loading import load_module
from symbackprop.emission.target import Lowered, Target
from symbackprop.errors import DerivationError
from symbackprop.language.model import parse_system, with_sizes, with_statements
from symbackprop.languages.phrases import worded
from symbackprop.layers.loading import load_system
from symbackprop.layers.network import Layer
from symbackprop.layers.sequential import Sequential as LayerSequence
from symbackprop.lowering.programs import lower
from symbackprop.notation.faces import Summary
from symbackprop.pages.gradient import Gradient
from symbackprop.pages.notebook import equations_of
from symbackprop.pages.of_model import ModelEquation, equations_of_model
from symbackprop.pages.written import Written
from symbackprop.schedule.driver import Schedule, ScheduleSource, schedule_of
from symbackprop.schedule.replaying import replayed as schedule_replayed
from symbackprop.systems.printing import system_text
from symbackprop.systems.system import Role, System
from symbackprop.targets.numpy.module import NumpyModule, numpy_module
from symbackprop.targets.numpy.target import NUMPY
from symbackprop.unfolding.derivations import UnfoldedDerivation, unfolded_derivation
from symbackprop.unfolding.programs import unfolded_program
from symbackprop.unfolding.schedules import UnfoldedSchedule, unfolded_schedule
from symbackprop.unfolding.schedules import replayed as few_replayed

if TYPE_CHECKING:
    from symbackprop.accuracy.report import DigitsReport
    from symbackprop.verification.report import CheckReport

__all__ = ["DerivedModel", "Gradient", "Model", "ModelDerivation", "Sequential", "load", "loads"]

_LOG = logging.getLogger(__name__)

# What checks needs NumPy, which nobody shall wait for who only derives: imported at first use.
_CHECK, _DIGITS = "symbackprop.verification.check", "symbackprop.accuracy.measuring"
_REMARKS, _VARIANTS = "symbackprop.language.remarks", "symbackprop.targets.numpy.variants"
_VERIFICATION = "symbackprop.verification.verified_module"


@few_passes()
def load(path: str | Path, sizes: Mapping[str, int] | None = None) -> Model:
    """The model in a file (.model or .toml), or on standard input where the path is "-"; `sizes` of axes."""
    return Model(with_sizes(load_system(path), sizes or {}))


@few_passes()
def loads(text: str, name: str = "model", sizes: Mapping[str, int] | None = None) -> Model:
    """The model that a text in the model language states, with these `sizes` of axes."""
    return Model(with_sizes(parse_system(text, name), sizes or {}))


@dataclass(frozen=True, repr=False)
class Model(Summary):
    """A network and its loss, as a system of equations."""

    system: System

    @property
    def name(self) -> str:
        """The model's name: its file's, without the ending."""
        return self.system.name

    @property
    def summary(self) -> str:
        """Its name, how many equations and parameters it has."""
        return self.system.summary

    @property
    def equations(self) -> tuple[ModelEquation, ...]:
        """Its equations, in order; str() of each is its formula, and a notebook sets it."""
        return equations_of_model(self.system)

    def text(self) -> str:
        """The model in the model language."""
        return system_text(self.system)

    def remarks(self) -> tuple[str, ...]:
        """What is odd about it though it is legal: a parameter that the loss does not read, log(0), ..."""
        return tuple(importlib.import_module(_REMARKS).remarks(self.system))

    @few_passes()
    def derive(self, wrt: str | Sequence[str] | None = None) -> ModelDerivation:
        """The gradient of the loss with respect to `wrt`, a list or "W1, W2"; default: every parameter.

        Raises NotationError for an unknown name, DerivationError where there is nothing to differentiate.
        """
        asked = tensors_named(wrt) or None
        wanted = asked or [tensor.name for tensor in self.system.with_role(Role.PARAMETER)]
        if not wanted:
            names = ",".join(t.name for t in self.system.with_role(Role.INPUT) if not t.values) or "..."
            how = worded("name the tensors to differentiate by: --wrt {names}, or wrt=[...]", names=names)
            raise DerivationError(worded("the model '{name}' has no parameter", name=self.name), remedy=how)
        system = self._differentiable(wanted)
        unfolded = unfolded_derivation(system, asked)
        if unfolded is not None:
            return ModelDerivation(unfolded.derivation, self, unfolded)
        return ModelDerivation(derive(system, asked), self)

    def _differentiable(self, wrt: Sequence[str]) -> System:
        """The system, its equations such that they may be differentiated by these tensors."""
        return self.system

    def _without_facts_on(self, names: Sequence[str]) -> System:
        """The system without the facts on these tensors and what depends on them."""
        return self.system.without_facts_on(names)

    def check(
        self, seed: int = 0, wrt: str | Sequence[str] | None = None, budget: float = 5.0
    ) -> CheckReport:
        """The generated gradient against numerical differentiation, in about `budget` seconds."""
        check = importlib.import_module(_CHECK).check_model
        report: CheckReport = check(NUMPY, self.system, seed, tensors_named(wrt), budget)
        return report

    def digits(
        self, seed: int = 0, wrt: str | Sequence[str] | None = None, budget: float = 10.0
    ) -> DigitsReport:
        """How many digits the generated gradient keeps on stress data, in about `budget` seconds."""
        measure = importlib.import_module(_DIGITS).digits_of_model
        report: DigitsReport = measure(NUMPY, self.system, seed, tensors_named(wrt), budget)
        return report


class Sequential(Model):
    """A network of layers one after another; `loss` is one of the catalogue, by its name or with options.

    `inputs` is the input's size, or one an axis, `axes` their names, `batch` its axis, or None; `sizes` has
    those of axes by name: {"K": "4*H"}. Raises LanguageError where the layers do not fit together.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        loss: str | Layer | None = None,
        *,
        inputs: int | Sequence[int] | None = None,
        axes: str | Sequence[str] = (),
        batch: str | None = "B",
        name: str = "model",
        sizes: Mapping[str, int | str] | None = None,
    ) -> None:
        sequence = LayerSequence(layers, loss, inputs=inputs, axes=axes, batch=batch, name=name, sizes=sizes)
        super().__init__(sequence.system())


@dataclass(frozen=True, repr=False)
class DerivedModel(Model):
    """The equations of a model and its gradient, and the `statements` that were added to them.

    A fact may have simplified the gradient, which then holds where the fact does and not beside it, so that
    nothing follows for its derivative by what the fact is about. Such a derivative is that of the gradient
    as it is without the fact.
    """

    first: ModelDerivation
    statements: str = ""

    def _differentiable(self, wrt: Sequence[str]) -> System:
        system = self.system
        apart = system.without_facts_on(wrt)
        if (apart.facts, apart.positive_definite) == (system.facts, system.positive_definite):
            return system
        return self._without_facts_on(wrt).with_facts_of(system)

    def _without_facts_on(self, names: Sequence[str]) -> System:
        first = self.first.model._without_facts_on(names)
        whole = derive(first, self.first.derivation.wrt).as_system()
        return with_statements(whole, self.statements).without_facts_on(names)


@dataclass(frozen=True, repr=False)
class ModelDerivation(Written):
    """A gradient with every step that led to it, and the ways to write it down."""

    model: Model
    unfolded: UnfoldedDerivation | None = None

    def as_system(self, statements: str = "") -> DerivedModel:
        """The equations of model and gradient as a model, which can be printed, evaluated, derived again.

        `statements` in the model language are added to its text. It has no loss unless they state one, such
        as a gradient times a direction, whose gradient is the Hessian times that direction:

            const v[k,j]
            loss H = sum(k, j, v[k,j]*grad_W2[k,j])

        The model derives its gradients apart from facts on what it is differentiated by; its text states
        this derivation's own. Raises LanguageError or NotationError where the statements do not fit.
        """
        return DerivedModel(with_statements(self.derivation.as_system(), statements), self, statements)

    def replay(self) -> Mapping[str, int]:
        """Do every step again; how many there are of which kind. ReplayError where one does not hold.

        The steps are those of the derivation, and those of its schedule, to the equations that a module
        computes; where that has been unfolded, to those of few blocks. Each `after` is recomputed from its
        `before` by the step's rule or equations; an identity of scalar algebra is certified over a prime
        field.
        """
        if self.unfolded is not None and self._unfolded_schedule is not None:
            of_schedule = few_replayed(self.unfolded, self._unfolded_schedule)
        else:
            of_schedule = schedule_replayed(self.schedule, ScheduleSource.of(self.derivation))
        return dict((replayed(self.derivation) + of_schedule).most_common())

    @cached_property
    def schedule(self) -> Schedule:
        """The equations that a module computes, and the steps that lead to them."""
        _LOG.info("arranging the equations of %s", self.model.name)
        unfolded = self._unfolded_schedule
        return schedule_of(self.derivation) if unfolded is None else unfolded.whole

    @cached_property
    def _unfolded_schedule(self) -> UnfoldedSchedule | None:
        return None if self.unfolded is None else unfolded_schedule(self.unfolded)

    @cached_property
    def program(self) -> Program:
        """The array operations that compute loss and gradient."""
        _LOG.info("lowering %s to array operations", self.model.name)
        return self._unfolded_program or lower(self.derivation, self.schedule)

    @property
    def _unfolded_program(self) -> Program | None:
        if self.unfolded is None or self._unfolded_schedule is None or self._few is None:
            return None
        return unfolded_program(self.unfolded, self._unfolded_schedule, self._few.program)

    @cached_property
    def fast_program(self) -> Program:
        """The operations of a module with workspaces, where speed counts for more than the reader."""
        return lower(self.derivation, self.schedule, bands=True)

    @few_passes()
    def to_numpy(self, verify: bool = True, fast: bool = False) -> str:
        """The text of a module that needs NumPy alone; a `fast` one has workspaces, and `bind`, as well.

        It is held against the equations on small data first (MismatchError), or says that it was not.
        """
        if fast:
            variants = importlib.import_module(_VARIANTS)
            made = variants.module_of(self.fast_program, workspaces=True)
            return str(made.text(*([self._verified(variants.NUMPY_IN_WORKSPACES, made)] if verify else [])))
        return self._numpy.text(self.verification) if verify else self._numpy.text()

    @cached_property
    def _numpy(self) -> NumpyModule:
        return numpy_module(self.program)

    @cached_property
    def verification(self) -> str:
        """What the module's header says of having been run; MismatchError where it is not its equations."""
        return self._verified(NUMPY, self._numpy)

    def _verified(self, target: Target, module: NumpyModule) -> str:
        _LOG.info("running the module of %s", self.model.name)
        verified = importlib.import_module(_VERIFICATION)
        return str(verified.verification_of(target, self.derivation, module.printed(), few=self._few))

    @cached_property
    def _few(self) -> Lowered | None:
        """That of few equal blocks, where this one has been unfolded from it."""
        if self.unfolded is None or self._unfolded_schedule is None:
            return None
        few = self.unfolded.by_one.few
        return Lowered(few, lower(few, self._unfolded_schedule.by_one.few))

    def module(self, verify: bool = True, fast: bool = False) -> ModuleType:
        """That module, imported."""
        return load_module(self.to_numpy(verify, fast), self.derivation.system.name)


equations_of.register(Model, lambda model: equations_of(model.system))
equations_of.register(ModelDerivation, lambda derived: equations_of(derived.derivation))
