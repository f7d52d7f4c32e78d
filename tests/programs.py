"""A model alone as a schedule and as a program, and a program as the text of a module, not verified."""

from __future__ import annotations

from symbackprop.array.program import Program
from symbackprop.derivation.result import Derivation, Expansion
from symbackprop.lowering.programs import lower
from symbackprop.schedule.driver import Schedule, ScheduleSource, scheduled
from symbackprop.systems.system import System
from symbackprop.targets.numpy.module import numpy_module


def schedule_of_system(system: System) -> Schedule:
    """The equations in the order in which they are computed, without gradients."""
    return scheduled(ScheduleSource(system))


def lower_system(system: System) -> Program:
    """The program that computes the outputs and the loss, without gradients."""
    of_nothing = Derivation(system, (), (), Expansion(system, system), system)
    return lower(of_nothing, schedule_of_system(system))


def numpy_source(program: Program) -> str:
    """The text of the program's NumPy module."""
    return numpy_module(program).text()
