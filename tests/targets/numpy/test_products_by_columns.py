"""Products of few rows by a large matrix, by blocks of columns where BLAS then copies no operand."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.emission.loading import load_module

# A recurrence multiplies by W at each step; ahead of it x is multiplied as a stack of matrices, and v as one.
TEXT = """
index t : T
index n : N
index i, j : J
index k : K
input x[t,n,k]
param V[k,j], W[i,j], w[n,k], U[k,j]
h[t,n,j] = tanh(sum(k, x[t,n,k]*V[k,j]) + sum(i, pad(h[t-1,n,i])*W[i,j]) + sum(k, w[n,k]*U[k,j]))
loss E = sum(t, n, j, h[t,n,j]^2)
"""


@pytest.fixture(scope="module")
def made() -> ModuleType:
    return load_module(sb.loads(TEXT).derive().to_numpy(fast=True), "columns")


@pytest.fixture(params=[True, False])
def in_place(request: Any, monkeypatch: Any, made: ModuleType) -> bool:
    monkeypatch.setattr(made, "_multiplies_in_place", lambda: request.param)
    return bool(request.param)


# T, N, J, K: products of more and of less than a million multiplications; a prime number of columns.
@pytest.mark.parametrize(
    "sizes", [(2, 30, 192, 256), (3, 30, 191, 200), (2, 1, 640, 800), (2, 3, 4, 5), (0, 30, 192, 256)]
)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_gradients_are_those_of_the_module_as_it_reads(
    made: ModuleType, in_place: bool, sizes: tuple[int, ...], dtype: Any
) -> None:
    rng = np.random.default_rng(sum(sizes))
    lengths = dict(zip("TNJK", sizes, strict=True))
    arrays = {
        name: rng.normal(size=[lengths[axis] for axis in axes]).astype(dtype) / lengths["K"] ** 0.5
        for name, axes in made.SHAPES.items()
    }
    params = {name: arrays[name] for name in made.PARAMETERS}
    step = made.bind(params, arrays["x"])
    tolerance = 2000 * np.finfo(dtype).eps
    for _ in range(2):
        loss, gradients = step()
        expected = made.value_and_grad(params, arrays["x"])
        np.testing.assert_allclose(loss, expected[0], rtol=tolerance)
        for name, each in expected[1].items():
            np.testing.assert_allclose(
                gradients[name], each, rtol=tolerance, atol=tolerance * np.abs(each).max(initial=0)
            )
            assert gradients[name].dtype == dtype
        params["W"] *= dtype(0.5)  # in place: the views see it


# Rows, inner axis, columns, and how many blocks: a million multiplications each, or less, and 32 columns.
@pytest.mark.parametrize(
    ("rows", "inner", "columns", "blocks"),
    [
        (25, 200, 200, 1),
        (26, 200, 200, 2),
        (30, 300, 288, 3),
        (30, 300, 289, 1),
        (1, 1500, 700, 1),
        (40, 2000, 64, 1),
    ],
)
@pytest.mark.parametrize("stack", [(), (2,)])
@pytest.mark.parametrize("is_known", [True, False])
def test_a_block_takes_a_million_multiplications(
    made: ModuleType,
    in_place: bool,
    rows: int,
    inner: int,
    columns: int,
    blocks: int,
    stack: Any,
    is_known: bool,
    monkeypatch: Any,
) -> None:
    rng = np.random.default_rng(rows)
    left, right = rng.normal(size=(*stack, rows, inner)), rng.normal(size=(inner, columns))
    out = np.full((*stack, rows, columns), np.nan)
    shapes: list[tuple[int, ...]] = []

    def matmul(one: Any, other: Any, out: Any) -> Any:
        shapes.append(other.shape)
        return np.matmul(one, other, out)

    monkeypatch.setattr(made, "np", SimpleNamespace(matmul=matmul, moveaxis=np.moveaxis))
    multiply = made._multiplying(left if is_known else None, right, out)
    _ = multiply(right, out) if is_known else multiply(left)
    np.testing.assert_allclose(out, left @ right, rtol=1e-10, atol=1e-10)
    if in_place and blocks > 1:
        assert shapes == [(blocks, inner, columns // blocks)]
    else:
        assert shapes == [(inner, columns)] * bool(stack)


def test_a_transposed_matrix_is_multiplied_by_as_a_whole(made: ModuleType, monkeypatch: Any) -> None:
    """Near miss: of its columns BLAS would copy what it reads."""
    monkeypatch.setattr(made, "_multiplies_in_place", lambda: True)
    left, right, out = np.ones((30, 300)), np.ones((288, 300)).T, np.empty((30, 288))
    assert made._multiplying(left, right, out).__self__ is left


def test_products_of_small_models_ask_nothing_of_the_machine(made: ModuleType, monkeypatch: Any) -> None:
    monkeypatch.setattr(made, "_multiplies_in_place", lambda: pytest.fail("asked"))
    out = np.empty((3, 4))
    left, right = np.ones((3, 5)), np.ones((5, 4))
    made._multiplying(left, right, out)(right, out)
    assert (out == 5).all()


def test_the_machine_says_what_it_has(made: ModuleType, monkeypatch: Any) -> None:
    built: dict[str, Any] = {
        "Build Dependencies": {"blas": {"name": "scipy-openblas"}},
        "SIMD Extensions": {"found": ["X86_V3", "X86_V4"]},
    }
    monkeypatch.setattr(made.np, "show_config", lambda mode: built)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert made._multiplies_in_place()
    built["SIMD Extensions"]["found"] = ["X86_V3"]
    assert not made._multiplies_in_place()
    built["SIMD Extensions"]["found"] = ["AVX512F", "AVX512_SKX"]
    assert made._multiplies_in_place()
    built["Build Dependencies"]["blas"]["name"] = "accelerate"
    assert not made._multiplies_in_place()
    built.clear()
    assert not made._multiplies_in_place()


@pytest.mark.parametrize(
    ("blas", "others", "cores", "is_one"),
    [
        ("2", "1", 1, False),
        ("", "1", 4, True),
        ("", "2", 1, False),
        ("", "", 1, True),
        ("", "", 4, False),
        ("", "", None, False),
    ],
)
def test_threads_share_a_whole_product(
    made: ModuleType, monkeypatch: Any, blas: str, others: str, cores: int | None, is_one: bool
) -> None:
    built = {"Build Dependencies": {"blas": {"name": "openblas"}}, "SIMD Extensions": {"found": ["X86_V4"]}}
    monkeypatch.setattr(made.np, "show_config", lambda mode: built)
    monkeypatch.setattr(made.os, "cpu_count", lambda: cores)
    for name, value in (("OPENBLAS_NUM_THREADS", blas), ("OMP_NUM_THREADS", others)):
        monkeypatch.setenv(name, value)
    assert made._multiplies_in_place() == is_one
