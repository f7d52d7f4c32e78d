"""Arrays of a workspace lie in one piece of memory; those that are needed at the same time lie apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symbackprop as sb
from tests.sweeps import swept

CHAIN = "\n".join(
    [
        "index n : N",
        "index i, j : I",
        "input x[n,i]",
        "param " + ", ".join(f"W{layer}[i,j]" for layer in range(6)),
        "z0[n,j] = tanh(sum(i, x[n,i]*W0[i,j]))",
        *(f"z{at}[n,j] = tanh(sum(i, z{at - 1}[n,i]*W{at}[i,j]))" for at in range(1, 6)),
        "loss E = sum(n, j, z5[n,j]^2)",
    ]
)


@pytest.fixture(scope="module")
def chain() -> Any:
    return sb.loads(CHAIN).derive().module(fast=True)


@pytest.mark.parametrize("seed", swept(range(200), 20))
def test_what_is_needed_at_a_time_lies_apart(chain: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)

    def times() -> list[tuple[int, int]]:
        ends = np.sort(rng.choice(40, size=2 * rng.integers(1, 4), replace=False)).tolist()
        return list(zip(ends[::2], ends[1::2], strict=True))

    asked = {
        f"a{each}": (tuple(rng.integers(0, 30, size=2).tolist()), rng.choice([bool, "f4", "f8"]), *times())
        for each in range(15)
    }
    starts, size = chain._starts(asked)
    needed = np.zeros((41, size), dtype=int)
    for name, (shape, dtype, *spans) in asked.items():
        bytes_of = int(np.prod(shape)) * np.dtype(dtype).itemsize
        assert starts[name] % np.dtype(dtype).itemsize == 0 and starts[name] + bytes_of <= size
        for first, last in spans:
            needed[first : last + 1, starts[name] : starts[name] + bytes_of] += 1
    assert needed.max() == 1


def test_layers_lie_where_gradients_come_to_lie_later(chain: Any) -> None:
    """Two more arrays than the gradients: the last adjoint, and what it is multiplied by."""
    rng = np.random.default_rng(0)
    params = {name: rng.normal(size=(32, 32)) for name in chain.PARAMETERS}
    x, memory = rng.normal(size=(32, 32)), chain.workspace()
    expected, gradients = chain.value_and_grad(params, x)
    for _ in range(2):
        loss, found = chain.value_and_grad(params, x, workspace=memory)
        np.testing.assert_allclose(loss, expected)
        for name, gradient in gradients.items():
            np.testing.assert_allclose(found[name], gradient, rtol=1e-9, atol=1e-12)
    assert memory.room.nbytes <= (6 + 2) * 32 * 32 * 8 + 64
    assert all(array.base is memory.room for array in found.values())


def test_arrays_for_other_tensors_are_those_that_are_there(chain: Any) -> None:
    params = {name: np.ones((3, 3)) for name in chain.PARAMETERS}
    memory = chain.workspace()
    first = chain.value_and_grad(params, np.ones((2, 3)), workspace=memory)[1]
    room = memory.room
    second = chain.value_and_grad(dict(params, W0=np.zeros((3, 3))), np.ones((2, 3)), workspace=memory)[1]
    assert memory.room is room and all(first[name] is second[name] for name in first)
