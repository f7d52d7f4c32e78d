"""The sign of a product whose first factor has one."""

from __future__ import annotations

from symbackprop.derivation.driver import derive
from symbackprop.language.model import parse_system
from symbackprop.targets.numpy.target import NUMPY


def test_two_signs_are_none() -> None:
    """1 - exp(-k) is -expm1(-k), and the gradient by what it is taken from has a sign of its own."""
    system = parse_system(
        "index t : T\nparam r[t], k, c\ne = exp(-k)\n"
        "loss E = sum(t, where(t > 0, (r[t] - c*(1 - e) - r[t-1]*e)^2, 0))\n"
    )
    text = NUMPY.emitted(derive(system)).text
    assert "grad_c = delta_r_E @ " in text
    assert "--" not in text
