"""NumPy as a target among others."""

from __future__ import annotations

from symbackprop.array.program import Program
from symbackprop.emission.loading import load_module
from symbackprop.emission.target import Target
from symbackprop.recomputation.less_memory import in_less_memory
from symbackprop.targets.numpy.module import NumpyModule, numpy_module


def module_of(program: Program, less_memory: bool = False, workspaces: bool = False) -> NumpyModule:
    """The module of a program, as a variant of the target."""
    return numpy_module(in_less_memory(program) if less_memory else program, workspaces)


def numpy_target(less_memory: bool = False, workspaces: bool = False) -> Target:
    """NumPy; with `less_memory` cheap lines run again on the way back, so that less is kept.

    With `workspaces` a module can compute in memory that is there as well.
    """
    name = "numpy" + (" in less memory" if less_memory else "") + (" in workspaces" if workspaces else "")
    return Target(
        name,
        printed=lambda program: module_of(program, less_memory, workspaces).printed(),
        load=load_module,
    )


NUMPY = numpy_target()
NUMPY_IN_LESS_MEMORY = numpy_target(less_memory=True)
NUMPY_IN_WORKSPACES = numpy_target(workspaces=True)
