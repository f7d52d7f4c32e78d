"""Rounded real numbers as positions: inside by a guard on the number, or by the values that it can have."""

from __future__ import annotations

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.errors import NotationError
from symbackprop.integers.bounds import unproved_bounds
from symbackprop.integers.guards import guarded_reads
from symbackprop.language.model import parse_system
from tests.models.whole_language.judge import judged

HEAD = "index n : N\nindex k : K\nparam w[k], u[n], a\n"


def is_proved(value: str) -> bool:
    """Whether w is read inside its axis, which is not empty."""
    system = parse_system(f"{HEAD}index m : M = 1\nb[m] = where(size(k) >= 1, 1, 0)\ny[n] = {value}\n")
    has_places = system.definitions["b"].expression.children[0]
    reads = [read for read in guarded_reads(system.definitions["y"].expression) if read.whole.tensor == "w"]
    axis = system.tensors["w"].indices[0].axis
    return all(
        not unproved_bounds(read.whole.positions[0], axis, (*read.conditions, has_places)) for read in reads
    )


@pytest.mark.parametrize(
    "value",
    [
        "where(u[n] >= 0 and u[n] < size(k), w[floor(u[n])], 0)",
        "where(0 <= u[n] <= size(k) - 1, w[ceil(u[n])], 0)",
        "where(u[n] < 0 or size(k) - 1 < u[n], 1, w[round(u[n])])",
        "where(0 <= u[n]*a < size(k) - 1, w[floor(u[n]*a) + 1], 0)",
        "where(-1 < u[n] and u[n] < size(k) - 1, w[ceil(u[n])], 0)",
        "w[floor(sigmoid(u[n])*(size(k) - 1))]",
        "w[round(sigmoid(u[n])*(size(k) - 1))]",
        "w[floor(sigmoid(u[n])*(size(k) - 1) + 1/2)]",
        "w[floor((cos(u[n]) + 1)/2*(size(k) - 1))]",
        "w[min(floor(u[n]^2), size(k) - 1)]",
        "w[clip(round(u[n] + size(k)/2), 0, size(k) - 1)]",
        "w[min(floor(exp(u[n])*size(k)), size(k) - 1)]",
        "w[size(k) - 1 - floor(sigmoid(u[n])*sigmoid(a)*(size(k) - 1))]",
    ],
)
def test_a_rounded_number_is_proved_inside(value: str) -> None:
    assert is_proved(value)
    verdict = judged(f"{HEAD}y[n] = {value}\nloss E = sum(n, y[n]^2)\n# data N=4 K=3 seed=3 kind=normal")
    assert verdict.outcome == "right", verdict


@pytest.mark.parametrize(
    "value",
    [
        "where(u[n] >= 0 and u[n] <= size(k), w[floor(u[n])], 0)",  # size(k) itself
        "where(u[n] > -1 and u[n] < size(k), w[floor(u[n])], 0)",  # -1/2
        "where(u[n] >= 0 and u[n] < size(k), w[ceil(u[n])], 0)",  # size(k) - 1/2
        "where(u[n] >= 0 and u[n] < size(k), w[floor(u[n] + 1)], 0)",  # another number is rounded
        "where(u[n] >= a and u[n] < size(k), w[floor(u[n])], 0)",  # compared with a real number
        "w[floor(sigmoid(u[n])*size(k))]",  # the sigmoid comes out as 1 for large arguments
        "w[floor(sin(u[n])*(size(k) - 1))]",
        "w[floor(sigmoid(u[n])*sin(a)*(size(k) - 1))]",
        "w[floor(sigmoid(u[n])*(size(k) - 1)*a)]",
        "w[floor(sigmoid(u[n])*3/10*(size(k) - 1))]",  # 3/10 is no float
    ],
)
def test_a_rounded_number_that_may_lie_outside(value: str) -> None:
    with pytest.raises(NotationError, match="may lie outside axis K"):
        parse_system(f"{HEAD}y[n] = {value}\n")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_ends_are_read_where_the_function_saturates(dtype: type) -> None:
    model = sb.loads(f"{HEAD}y[n] = w[floor(sigmoid(u[n])*(size(k) - 1))]\nloss E = sum(n, a*y[n])\n")
    params = {
        "w": np.array([1, 2, 4], dtype),
        "u": np.array([-800, -80, 0, 40, 80, 800], dtype),
        "a": np.ones((), dtype),
    }
    loss, grads = model.derive().module().value_and_grad(params)
    assert loss == 1 + 1 + 2 + 4 + 4 + 4
    assert grads["w"].tolist() == [2, 1, 3]
