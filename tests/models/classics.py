"""The classics: each model with the form that was published for its gradient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from symbackprop.language.model import parse_system
from symbackprop.sampling.definite_matrices import has_sound_matrices
from symbackprop.sampling.finite_data import Values, finite_sample
from symbackprop.sampling.obeying_facts import obeying_facts
from symbackprop.sampling.small_axes import axes_of_index_arithmetic, model_sizes
from symbackprop.semantics.evaluation import evaluate
from symbackprop.semantics.naive import Array
from symbackprop.systems.system import Equation, Role, System

FOLDER = Path(__file__).parents[2] / "examples" / "classics"
NAMES = sorted(path.stem for path in FOLDER.glob("*.model"))
RELATED_SIZES = FOLDER.parent / "related_sizes"


@dataclass(frozen=True)
class Classic:
    """`together` is the model's system with the published equations behind its own."""

    system: System
    together: System
    published: dict[str, Equation]

    @property
    def wrt(self) -> list[str]:
        return [name.removeprefix("grad_") for name in self.published if name.startswith("grad_")]


def text_of_classic(name: str, folder: Path = FOLDER) -> str:
    return (folder / f"{name}.model").read_text()


def load_classic(name: str, folder: Path = FOLDER) -> Classic:
    text = text_of_classic(name, folder)
    form = (folder / f"{name}.published").read_text()
    system = parse_system(text, name)
    together = parse_system(text + form, name)
    published = {
        equation.tensor: equation for equation in together.equations if equation.tensor not in system.tensors
    }
    return Classic(system, together, published)


def _small_sizes(system: System) -> dict[str, int]:
    """Sizes that are stated count where they are small or positions need them; else they only take long."""
    is_small = any(axis.size is not None and axis.size < 4 for axis in system.axes)
    if system.relations or is_small or axes_of_index_arithmetic(system):
        return model_sizes(system)
    return {axis.name: size for size, axis in enumerate(system.axes, start=2)}


def small_sample(
    system: System, sizes: Mapping[str, int] | None = None
) -> tuple[dict[str, Array], dict[str, int]]:
    """Data on which the model is finite and its facts hold, and sizes: small and different by default."""
    sizes = dict(sizes or _small_sizes(system))
    shapes = {
        tensor.name: tuple(index.axis.name for index in tensor.indices)
        for tensor in system.tensors.values()
        if tensor.role is not Role.DERIVED
    }

    def finite(values: Values) -> bool:
        known = evaluate(system, values, sizes)
        is_finite = all(bool(np.all(np.isfinite(array))) for array in known.values())
        return is_finite and has_sound_matrices(system, known)

    rng = np.random.default_rng(3)
    integers = {
        tensor.name: tensor.values.name for tensor in system.tensors.values() if tensor.values is not None
    }
    values = finite_sample(
        shapes, sizes, rng, finite, lambda drawn: obeying_facts(system, drawn, sizes), integers
    )
    return values, sizes
