"""The module that is held: the one place of this room that knows a target."""

from __future__ import annotations

from symbackprop.derivation.result import Derivation
from symbackprop.emission.printed import PrintedModule
from symbackprop.lowering.driver import lower
from symbackprop.targets.numpy.module import numpy_module


def emitted(derivation: Derivation) -> PrintedModule:
    """The module of a derivation, which says that it is not verified; ProgramError where there is none."""
    return numpy_module(lower(derivation)).printed()
