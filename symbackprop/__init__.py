"""Derive a network's gradient step by step, and write it as NumPy code and LaTeX.

    import symbackprop as sb

    model = sb.load("seed.model")
    derivation = model.derive(wrt=["W2"])
    print(derivation.gradients["W2"])

Importing the package is cheap: the rest of it loads at first use. Each layer and loss of the catalogue is
here under its Python name, such as `sb.Conv2d`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from symbackprop.deferred_imports import imported
from symbackprop.errors import (
    DerivationError,
    EmissionError,
    LanguageError,
    MismatchError,
    NotationError,
    ProgramError,
    RewritingError,
    SymbackpropError,
    UncertainError,
    VerificationError,
)
from symbackprop.version import __version__

if TYPE_CHECKING:
    from symbackprop.auditing.face import assert_gradient, audit
    from symbackprop.layers.sequential import Activation, Dense
    from symbackprop.pipeline import (
        Gradient,
        Model,
        ModelDerivation,
        Sequential,
        load,
        loads,
    )
    from symbackprop.reports.face import explain
    from symbackprop.reports.pictures import (
        plot_costs,
        plot_jacobian,
        plot_losses,
        plot_network,
        plot_steps,
    )
    from symbackprop.verification.check import check_module

__all__ = [
    "Activation",
    "Dense",
    "DerivationError",
    "EmissionError",
    "Gradient",
    "LanguageError",
    "MismatchError",
    "Model",
    "ModelDerivation",
    "NotationError",
    "ProgramError",
    "RewritingError",
    "Sequential",
    "SymbackpropError",
    "UncertainError",
    "VerificationError",
    "__version__",
    "assert_gradient",
    "audit",
    "check_module",
    "explain",
    "load",
    "loads",
    "plot_costs",
    "plot_jacobian",
    "plot_losses",
    "plot_network",
    "plot_steps",
]

# Where each name that loads at first use lives.
_LAZY = {
    "Activation": "symbackprop.layers.sequential",
    "Dense": "symbackprop.layers.sequential",
    "Gradient": "symbackprop.pipeline",
    "Model": "symbackprop.pipeline",
    "ModelDerivation": "symbackprop.pipeline",
    "Sequential": "symbackprop.pipeline",
    "assert_gradient": "symbackprop.auditing.face",
    "audit": "symbackprop.auditing.face",
    "check_module": "symbackprop.verification.check",
    "explain": "symbackprop.reports.face",
    "load": "symbackprop.pipeline",
    "loads": "symbackprop.pipeline",
    "plot_costs": "symbackprop.reports.pictures",
    "plot_jacobian": "symbackprop.reports.pictures",
    "plot_losses": "symbackprop.reports.pictures",
    "plot_network": "symbackprop.reports.pictures",
    "plot_steps": "symbackprop.reports.pictures",
}


_CATALOGUE = "symbackprop.layers.catalogue"


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(imported(_LAZY[name]), name)
    if name.startswith("_"):  # Python asks a package for names such as __path__; no layer begins like them
        raise AttributeError(f"module 'symbackprop' has no attribute '{name}'")
    catalogue = importlib.import_module(_CATALOGUE)
    if name not in catalogue.PYTHON_NAMES:
        raise catalogue.unknown_name(__name__, name, __dir__())
    return getattr(importlib.import_module("symbackprop.layers.sequential"), name)


def __dir__() -> list[str]:
    return sorted({*__all__, *importlib.import_module(_CATALOGUE).PYTHON_NAMES})
