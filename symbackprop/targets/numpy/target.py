"""NumPy as a target among others."""

from __future__ import annotations

from symbackprop.emission.loading import load_module
from symbackprop.emission.target import Target
from symbackprop.targets.numpy.module import numpy_module

NUMPY = Target(
    "numpy",
    printed=lambda program: numpy_module(program).printed(),
    load=load_module,
)
