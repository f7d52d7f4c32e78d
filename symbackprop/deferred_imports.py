"""Libraries that are imported when something of theirs is used, for what is remembered needs none."""

from __future__ import annotations

import gc
import importlib
from types import ModuleType
from typing import TYPE_CHECKING, Any


def imported(name: str) -> ModuleType:
    """The module, imported where it is not yet, without a pass of the collector.

    Modules and classes are many and none becomes garbage; a pass finds all of them each time.
    """
    was_collecting = gc.isenabled()
    gc.disable()
    try:
        return importlib.import_module(name)
    finally:
        if was_collecting:
            gc.enable()


class DeferredModule(ModuleType):
    """Stands for a module until one of its names is read."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what Python asks of every module
            raise AttributeError(name)
        value = getattr(imported(self.__name__), name)
        setattr(self, name, value)
        return value


if TYPE_CHECKING:
    import sympy as sympy
else:
    sympy = DeferredModule("sympy")
