"""Modules that are made for little memory, or for speed, verified as any module is."""

from __future__ import annotations

from symbackprop.pipeline import ModelDerivation
from symbackprop.targets.numpy.module import NOT_VERIFIED
from symbackprop.targets.numpy.variants import module_of, numpy_target, with_less_memory
from symbackprop.verification.verified_module import verification_of

KEEPS_LITTLE = "It keeps little from forward to backward: what is cheap is computed again."
KEEPS_THE_SAME = "Nothing that it keeps from forward to backward is cheap to compute again."


def to_numpy_as(
    derived: ModelDerivation, less_memory: bool = False, workspaces: bool = False, verify: bool = True
) -> tuple[str, str]:
    """The text of the module, and what its header says of having been verified.

    MismatchError where it is not its equations.
    """
    program = derived.fast_program if workspaces else derived.program
    module = module_of(program, less_memory, workspaces)
    said = NOT_VERIFIED
    if verify:
        target = numpy_target(less_memory, workspaces)
        said = verification_of(target, derived.derivation, module.printed())
    if not less_memory:
        return module.text(said), said
    keeps_less = with_less_memory(program, workspaces) != program
    return module.text(f"{said} {KEEPS_LITTLE if keeps_less else KEEPS_THE_SAME}"), said
