"""NumPy as a target among others."""

from __future__ import annotations

from symbackprop.emission.loading import load_module
from symbackprop.emission.target import Target
from symbackprop.recomputation.less_memory import in_less_memory
from symbackprop.targets.numpy.module import numpy_module

NUMPY = Target(
    "numpy",
    printed=lambda program: numpy_module(program).printed(),
    load=load_module,
)
# The same, but that cheap lines run again on the way back, so that less is kept.
NUMPY_IN_LESS_MEMORY = Target(
    "numpy in less memory",
    printed=lambda program: numpy_module(in_less_memory(program)).printed(),
    load=load_module,
)
