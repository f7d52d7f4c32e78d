"""NumPy as a target among others."""

from __future__ import annotations

from symbackprop.emission.loading import load_module
from symbackprop.emission.target import Target
from symbackprop.targets.numpy.kernels import KERNELS, NUMPY_CALLS
from symbackprop.targets.numpy.module import numpy_module

NUMPY = Target(
    "numpy",
    printed=lambda program: numpy_module(program).printed(),
    load=load_module,
    calls={
        **{name: text.partition("(")[0] for name, text in NUMPY_CALLS.items()},
        **{name: name for name in KERNELS},
    },
)
