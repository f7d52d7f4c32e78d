"""Data for matrix functions: positive definite where a fact says so, and nowhere near singular."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from symbackprop.notation.matrix_functions import MatrixFunction
from symbackprop.numerics.differences import Array
from symbackprop.systems.printing import fact_text
from symbackprop.systems.system import System

# The loss loses as many digits as the condition number has; central differences have ten to lose.
LARGEST_CONDITION = 1e3


def made_positive_definite(values: Mapping[str, Array], tensors: Iterable[str]) -> dict[str, Array]:
    """A'A/n + I/2 for each matrix A of these tensors among the values."""
    made = dict(values)
    for name in tensors:
        if name in made:
            drawn = np.asarray(made[name], dtype=np.float64)
            size = drawn.shape[-1]
            made[name] = np.swapaxes(drawn, -1, -2) @ drawn / max(size, 1) + 0.5 * np.eye(size)
    return made


def symmetric_part(matrices: Array) -> Array:
    """(P + P')/2."""
    return (matrices + np.swapaxes(matrices, -1, -2)) / 2


def has_sound_matrices(system: System, known: Mapping[str, Array]) -> bool:
    """Whether every matrix that is inverted is well-conditioned, and positive definite where a fact says so.

    `known` are the values of all tensors, derived ones included.
    """
    return unsound_matrices(system, known) is None


def unsound_matrices(system: System, known: Mapping[str, Array]) -> str | None:
    """What does not hold of a matrix that a function is taken of, or a fact; None where all is well.

    A determinant of singular matrices is all rounding, so that it is held to the same.
    """
    for fact in system.positive_definite:
        if not _is_positive_definite(known[fact.tensor]):
            return f"fact {fact_text(fact)} holds"
    for name in _matrices(system):
        if np.max(np.linalg.cond(known[name]), initial=0.0) > LARGEST_CONDITION:
            return f"the matrices of '{name}' are invertible, and not nearly singular"
    return None


def _matrices(system: System) -> tuple[str, ...]:
    """The tensors whose matrices a function is taken of, each once."""
    nodes = (read.node for read in system.reads)
    return tuple(dict.fromkeys(node.tensor for node in nodes if isinstance(node, MatrixFunction)))


def _is_positive_definite(matrices: Array) -> bool:
    is_symmetric = np.allclose(matrices, np.swapaxes(matrices, -1, -2), rtol=1e-9)
    return is_symmetric and bool(np.all(np.linalg.eigvalsh(matrices) > 0))
