"""Variants of the target: modules that keep little, or that compute in workspaces as well."""

from __future__ import annotations

from symbackprop.array.program import Program
from symbackprop.emission.loading import load_module
from symbackprop.emission.target import Target
from symbackprop.passes.row_blocks import with_row_blocks
from symbackprop.recomputation.less_memory import in_less_memory
from symbackprop.targets.numpy.module import NumpyModule, numpy_module
from symbackprop.targets.numpy.stepping import steps_of


def with_less_memory(program: Program, workspaces: bool = False) -> Program:
    """The program in which cheap lines run again on the way back, so that less is kept.

    Triangular arrays are computed by blocks of rows, so that less is there at a time; in `workspaces` they
    are in any case.
    """
    return in_less_memory(program if workspaces else with_row_blocks(program))


def module_of(program: Program, less_memory: bool = False, workspaces: bool = False) -> NumpyModule:
    """The module of a program; with `workspaces` it can compute in memory that is there."""
    if less_memory:
        program = with_less_memory(program, workspaces)
    return numpy_module(program, steps_of if workspaces else None)


def numpy_target(less_memory: bool = False, workspaces: bool = False) -> Target:
    """NumPy, its modules of a variant."""
    name = "numpy" + (" in less memory" if less_memory else "") + (" in workspaces" if workspaces else "")
    return Target(
        name,
        printed=lambda program: module_of(program, less_memory, workspaces).printed(),
        load=load_module,
    )


NUMPY_IN_LESS_MEMORY = numpy_target(less_memory=True)
NUMPY_IN_WORKSPACES = numpy_target(workspaces=True)
