"""Libraries that are imported when something of theirs is used, for what is remembered needs none."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import TYPE_CHECKING, Any


class DeferredModule(ModuleType):
    """Stands for a module until one of its names is read."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what Python asks of every module
            raise AttributeError(name)
        value = getattr(importlib.import_module(self.__name__), name)
        setattr(self, name, value)
        return value


if TYPE_CHECKING:
    import sympy as sympy
else:
    sympy = DeferredModule("sympy")
