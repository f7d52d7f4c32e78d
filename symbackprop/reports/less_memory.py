"""Modules that keep little from forward to backward, verified as any module is."""

from __future__ import annotations

from symbackprop.pipeline import ModelDerivation
from symbackprop.recomputation.less_memory import in_less_memory
from symbackprop.targets.numpy.module import NOT_VERIFIED, numpy_module
from symbackprop.targets.numpy.target import NUMPY_IN_LESS_MEMORY
from symbackprop.verification.verified_module import verification_of

KEEPS_LITTLE = "It keeps little from forward to backward: what is cheap is computed again."


def to_numpy_in_less_memory(derived: ModelDerivation, verify: bool = True) -> tuple[str, str]:
    """The text of the module, and what its header says of having been verified.

    MismatchError where it is not its equations.
    """
    module = numpy_module(in_less_memory(derived.program))
    said = NOT_VERIFIED
    if verify:
        said = verification_of(NUMPY_IN_LESS_MEMORY, derived.derivation, module.printed())
    return module.text(f"{said} {KEEPS_LITTLE}"), said
