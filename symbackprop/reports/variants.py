"""Modules that are made for little memory, or for speed, verified as any module is."""

from __future__ import annotations

from symbackprop.pipeline import ModelDerivation
from symbackprop.targets.numpy.module import NOT_VERIFIED
from symbackprop.targets.numpy.variants import module_of, numpy_target
from symbackprop.verification.verified_module import verification_of

KEEPS_LITTLE = "It keeps little from forward to backward: what is cheap is computed again."


def to_numpy_as(
    derived: ModelDerivation, less_memory: bool = False, workspaces: bool = False, verify: bool = True
) -> tuple[str, str]:
    """The text of the module, and what its header says of having been verified.

    MismatchError where it is not its equations.
    """
    module = module_of(derived.fast_program if workspaces else derived.program, less_memory, workspaces)
    said = NOT_VERIFIED
    if verify:
        target = numpy_target(less_memory, workspaces)
        said = verification_of(target, derived.derivation, module.printed())
    return module.text(f"{said} {KEEPS_LITTLE}" if less_memory else said), said
