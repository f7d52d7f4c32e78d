"""The numbers that the naive evaluator computes with: float64 and complex, or mpmath's."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np

from symbackprop.functions.elementary import FUNCTIONS
from symbackprop.notation.expressions import Number


@dataclass(frozen=True)
class Arithmetic:
    """The numbers that are computed with."""

    number: Callable[[Number], Any]
    pi: Any
    apply: Callable[[str, tuple[Any, ...]], Any]
    power: Callable[[Any, Any], Any]


def _float_power(base: Any, exponent: Any) -> Any:
    if isinstance(base, complex) or isinstance(exponent, complex):
        if base == 0 and np.real(exponent) <= 0:
            return 1.0 if exponent == 0 else math.nan
        return complex(base) ** exponent
    return np.float64(base) ** exponent


FLOATS = Arithmetic(
    number=lambda node: node.value.numerator / node.value.denominator,
    pi=math.pi,
    apply=lambda name, arguments: FUNCTIONS[name].evaluate(*arguments),
    power=_float_power,
)


def _apply_precisely(name: str, arguments: tuple[Any, ...]) -> Any:
    precise = FUNCTIONS[name].precise
    assert precise is not None, f"'{name}' is evaluated by its definition"
    return precise(*arguments)


PRECISE = Arithmetic(
    number=lambda node: mpmath.mpf(node.value.numerator) / node.value.denominator,
    pi=mpmath.mp.pi,
    apply=_apply_precisely,
    power=lambda base, exponent: mpmath.power(base, exponent),
)
