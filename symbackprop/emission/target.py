"""What a target offers to those that judge modules, and know no target."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

from symbackprop.array.program import Program
from symbackprop.derivation.result import Derivation
from symbackprop.emission.printed import PrintedModule
from symbackprop.lowering.programs import lower


@dataclass(frozen=True, eq=False)
class Lowered:
    """A derivation and its program."""

    derivation: Derivation
    program: Program


@dataclass(frozen=True, eq=False)
class Target:
    """A target whose modules can be run from Python.

    `printed` is a program's module, `load` makes a Python module of its text and a name.
    """

    name: str
    printed: Callable[[Program], PrintedModule]
    load: Callable[[str, str], ModuleType]

    def emitted(self, derivation: Derivation) -> PrintedModule:
        """The module of a derivation, not verified; ProgramError where there is none."""
        return self.printed(lower(derivation))
