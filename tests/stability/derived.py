"""Modules of models that are held on several data, derived once for all of them."""

from functools import cache
from types import ModuleType

from symbackprop.pipeline import loads


@cache
def module_of(text: str) -> ModuleType:
    """The model's module; it has not been run."""
    return loads(text).derive().module(verify=False)
