"""The value of a formula that reads no tensor and no index."""

from __future__ import annotations

import numpy as np

from symbackprop.errors import SymbackpropError
from symbackprop.notation.expressions import Expression
from symbackprop.semantics.naive import NaiveEvaluator


def constant_value(constant: Expression) -> float | None:
    """The constant in float64, infinite or nan where it is undefined; None for what has no value."""
    try:
        with np.errstate(all="ignore"):
            return float(NaiveEvaluator({}, {}).expression(constant))
    except (SymbackpropError, ArithmeticError, TypeError, ValueError):
        return None
