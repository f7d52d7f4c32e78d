"""A generated module, possibly edited by hand, as something to be checked."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symbackprop.emission.loading import load_module
from symbackprop.errors import SymbackpropError, VerificationError
from symbackprop.language.model import parse_system
from symbackprop.languages.other_programs import in_our_words
from symbackprop.languages.phrases import worded
from symbackprop.notation.expressions import Axis
from symbackprop.notation.faces import shortened
from symbackprop.numerics.differences import Loss
from symbackprop.rules.symmetry import stated_symmetries
from symbackprop.systems.system import System

Array: TypeAlias = NDArray[Any]

PUBLIC_NAMES = ("loss", "value_and_grad", "grad", "SHAPES", "SIZES", "LOSS", "PARAMETERS", "FORMULAS")


class CheckedCodeError(VerificationError):
    """A function of the module under check raised an exception of its own."""


@dataclass(frozen=True)
class ModuleUnderCheck:
    """The module with what its public tables say.

    `shapes` maps each declared tensor to the names of its axes, `integers` each tensor of whole numbers to
    the axis whose positions it holds, `sizes` each axis of a fixed size to it; `parameters` are the tensors
    that travel in `params`, `asked` those whose gradients it gives, on data that obey `facts`. `related` has
    the axes with what the module's relations say of their sizes; it is empty where it has no relations.
    Through the equations of the tensors that are `stopped` not every gradient passes; `held` is the loss
    where what is stopped stands still, and stands for the module's own.
    """

    module: ModuleType
    shapes: Mapping[str, tuple[str, ...]]
    integers: Mapping[str, str]
    sizes: Mapping[str, int]
    loss_name: str
    parameters: tuple[str, ...]
    asked: tuple[str, ...]
    facts: System | None = None
    related: tuple[Axis, ...] = ()
    stopped: tuple[str, ...] = ()
    held: Loss | None = None

    @property
    def symmetric(self) -> frozenset[str]:
        """The tensors whose matrices a fact calls symmetric, or positive definite."""
        return frozenset(stated_symmetries(self.facts)) if self.facts else frozenset()

    @property
    def bound(self) -> frozenset[str]:
        """The declared tensors that facts speak of: they cannot be moved one by one."""
        if self.facts is None:
            return frozenset()
        return self.facts.precedents((*self.facts.read_by_facts, *self.symmetric)) & self.shapes.keys()

    def loss(self, values: Mapping[str, Array]) -> float:
        """The module's loss on values of all declared tensors."""
        if self.held is not None:
            return float(self.held(values))
        with _own_code("loss"):
            return float(self.module.loss(*self._arguments(values)))

    def value_and_grad(self, values: Mapping[str, Array]) -> tuple[Any, dict[str, Any]]:
        """The module's loss and gradients; arrays are passed read-only, for it must not change them."""
        values = {name: _read_only(array) for name, array in values.items()}
        with _own_code("value_and_grad"):
            loss, gradients = self.module.value_and_grad(*self._arguments(values))
            return loss, dict(gradients)

    @property
    def has_workspaces(self) -> bool:
        """Whether the module can compute in memory that is there."""
        return hasattr(self.module, "bind")

    def in_workspace(self, values: Mapping[str, Array]) -> Iterator[tuple[Any, dict[str, Any]]]:
        """Loss and gradients in a workspace: at the first call, and when its memory holds no numbers.

        Before them comes the loss alone, without gradients; what is bound to the arrays comes last.
        """
        given = self._arguments({name: _read_only(array) for name, array in values.items()})
        workspace = self.module.workspace()
        if hasattr(self.module, "bind_loss"):
            with _own_code("loss"):
                yield self.module.loss(*given, workspace=workspace), {}
                _forget(workspace.of_loss())
                yield self.module.loss(*given, workspace=workspace), {}
            with _own_code("bind_loss"):
                yield self.module.bind_loss(*given)(), {}
        with _own_code("value_and_grad"):
            yield _copied(self.module.value_and_grad(*given, workspace=workspace))
            _forget(workspace)
            yield _copied(self.module.value_and_grad(*given, workspace=workspace))
        with _own_code("bind"):
            yield _copied(self.module.bind(*given)())

    def forward(self, values: Mapping[str, Array]) -> dict[str, Any]:
        """The module's outputs, by name; targets are passed where it takes them."""
        taken = {name.strip("_") for name in self._taken_by_forward}
        left_out = {name for name in self.module.TARGETS if name.strip("_") not in taken}
        given = {name: _read_only(array) for name, array in values.items() if name not in left_out}
        with _own_code("forward"):
            names = tuple(self.module.OUTPUTS)
            found = self.module.forward(*self._arguments(given))
            return dict(zip(names, found if len(names) > 1 else (found,), strict=True))

    def grad(self, values: Mapping[str, Array]) -> dict[str, Any]:
        """The module's gradients alone."""
        with _own_code("grad"):
            return dict(self.module.grad(*self._arguments(values)))

    @cached_property
    def _taken_by_forward(self) -> tuple[str, ...]:
        """The parameters of the module's forward() behind the first."""
        return tuple(inspect.signature(self.module.forward).parameters)[1:]

    def _arguments(self, values: Mapping[str, Array]) -> tuple[Any, ...]:
        """`params`, then the other tensors in their declared order, for Python may call them differently."""
        params = {name: values[name] for name in self.parameters}
        others = [name for name in self.shapes if name in values and name not in params]
        sizes = getattr(self.module, "GIVEN_SIZES", ())
        return (params, *(len(values[name]) if name in sizes else values[name] for name in others))


def _forget(workspace: Any) -> None:
    """Let the arrays that a workspace computes in hold no numbers."""
    for array in sorted(workspace.arrays.values(), key=lambda each: each.dtype.kind == "f"):
        if array.flags.writeable:
            # Several may share memory: NaN stays in all of it that may hold floats.
            array.fill(np.nan if array.dtype.kind == "f" else 1)


@contextmanager
def _own_code(name: str) -> Iterator[None]:
    """Floating-point warnings are left to the comparison; whatever the code raises becomes one error."""
    try:
        with np.errstate(all="ignore"):
            yield
    except Exception as error:
        said = in_our_words(str(error))
        message = worded(
            "the module's {name}() raised {kind}: {said}", name=name, kind=type(error).__name__, said=said
        )
        raise CheckedCodeError(message) from error


def _copied(found: tuple[Any, Mapping[str, Any]]) -> tuple[Any, dict[str, Any]]:
    loss, gradients = found
    return loss, {name: gradient.copy() for name, gradient in gradients.items()}


def _read_only(array: Array) -> Array:
    view = array.view()
    view.setflags(write=False)
    return view


def under_check(module: ModuleType) -> ModuleUnderCheck:
    """Read a module's public tables; VerificationError where it does not have them."""
    missing = [name for name in PUBLIC_NAMES if not hasattr(module, name)]
    if missing:
        raise VerificationError(
            worded("the module has no {missing}", missing=", ".join(missing)),
            remedy=worded("check takes modules that `symbackprop generate` wrote, edited by hand or not"),
        )
    try:
        shapes = {str(name): tuple(map(str, axes)) for name, axes in dict(module.SHAPES).items()}
        integers = {str(name): str(axis) for name, axis in dict(getattr(module, "VALUES", {})).items()}
        sizes = {str(name): int(size) for name, size in dict(module.SIZES).items()}
    except (TypeError, ValueError) as error:
        raise VerificationError(
            worded("the module's SHAPES, VALUES or SIZES cannot be read: {error}", error=error)
        ) from error
    return ModuleUnderCheck(
        module,
        shapes,
        integers,
        sizes,
        str(module.LOSS),
        tuple(module.PARAMETERS),
        tuple(module.FORMULAS),
        _facts(module),
        _related(module, shapes, sizes),
        tuple(map(str, getattr(module, "STOPPED", ()))),
    )


def _related(
    module: ModuleType, shapes: Mapping[str, tuple[str, ...]], sizes: Mapping[str, int]
) -> tuple[Axis, ...]:
    """The axes of a module that relates sizes, by a model that states nothing else."""
    relations = [str(relation) for relation in getattr(module, "RELATIONS", ())]
    if not relations:
        return ()
    names = dict.fromkeys(axis for axes in shapes.values() for axis in axes)
    stated = {relation.partition(" = ")[0]: relation for relation in relations}
    words = (word for relation in relations for word in re.findall(r"[A-Za-z]\w*", relation))
    mentioned = dict.fromkeys(word for word in (*words, *names) if word != "floor")
    stated |= {name: f"{name} = {size}" for name, size in sizes.items() if name not in stated}
    indices = {name: f"i{place}" for place, name in enumerate(mentioned)}
    lines = [f"index {index} : {stated.get(name, name)}" for name, index in indices.items()]
    lines += [f"const c{index}[{index}]" for index in (indices[name] for name in names)]
    try:
        return parse_system("\n".join(lines), "RELATIONS").axes
    except SymbackpropError as error:
        raise VerificationError(
            worded("the module's RELATIONS cannot be read: {error}", error=error)
        ) from error


def _facts(module: ModuleType) -> System | None:
    """The facts that the module was generated with, in a model of their own; None where there are none."""
    lines = [str(line) for line in getattr(module, "FACTS", ())]
    try:
        return parse_system("\n".join(lines), "FACTS") if lines else None
    except SymbackpropError as error:
        raise VerificationError(worded("the module's FACTS cannot be read: {error}", error=error)) from error


def module_given(module: ModuleType | Path | str) -> tuple[Path, ModuleUnderCheck]:
    """A module, or that of a file, and by which path a report calls it."""
    if isinstance(module, ModuleType):
        return Path(module.__name__), under_check(module)
    if not isinstance(module, str | Path):
        raise VerificationError(
            worded("{given} is no module, nor the path of one", given=shortened(repr(module))),
            remedy=worded("give a generated module, or the path of its file"),
        )
    return Path(module), load_file(Path(module))


def load_file(path: Path) -> ModuleUnderCheck:
    """Import a module from a file: this runs its code, as any import does."""
    try:
        source = path.read_text(encoding="utf-8")
    except OSError as error:
        raise VerificationError(
            worded("{path} cannot be read: {said}", path=path, said=error.strerror)
        ) from error
    except UnicodeDecodeError as error:
        raise VerificationError(
            worded(
                "{path} is not UTF-8 text: {reason} at byte {start}",
                path=path,
                reason=error.reason,
                start=error.start,
            )
        ) from error
    try:
        module = load_module(source, path.stem)
    except SymbackpropError as error:
        raise VerificationError(worded("{path}: {said}", path=path, said=error.cause)) from error
    except Exception as error:  # whatever the user's own code raises while it is imported
        raise VerificationError(
            worded(
                "{path} cannot be imported: {kind}: {error}",
                path=path,
                kind=type(error).__name__,
                error=in_our_words(str(error)),
            )
        ) from error
    return under_check(module)
