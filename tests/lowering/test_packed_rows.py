"""Packed triangles are read and filled row by row: slices of a length that the row decides, no masks."""

from __future__ import annotations

import numpy as np
import pytest

import symbackprop as sb
from tests.lowering.array_models import check
from tests.models.whole_language.judge import judged

LOWER = (
    "index n : N\nindex i, j : I\nindex p : P = I*(I+1)/2\ninput x[n,j], w[n,i]\nparam L[p]\n"
    "y[n,i] = sum(j, where(j <= i, L[i*(i+1)/2 + j]*x[n,j], 0))\nloss E = sum(n, i, w[n,i]*tanh(y[n,i]))\n"
)
SYMMETRIC = (
    "index n : N\nindex i, j : I\nindex p : P = I*(I+1)/2\ninput x[n,j]\nparam C[p]\n"
    "S[i,j] = where(j <= i, C[i*(i+1)/2 + j], C[j*(j+1)/2 + i])\n"
    "loss E = sum(n, i, j, x[n,i]*S[i,j]*x[n,j]) + sum(i, j, S[i,j]^3)\n"
)
UPPER = (
    "index n : N\nindex i, j : I\nindex p : P = I*(I+1)/2\nparam x[n,j], U[p]\n"
    "z[n,i] = sum(j, where(j >= i, U[i*(2*size(i) - i - 1)/2 + j]*x[n,j], 0))\n"
    "loss E = 1/2*sum(n, i, z[n,i]^2)\n"
)
PAIRS = (
    "index n : N\nindex i, j : I\nindex p : P = I*(I-1)/2\nparam w[p]\ninput x[n,i]\n"
    "y[n] = sum(i, j, where(i < j, w[j*(j-1)/2 + i]*x[n,i]*x[n,j], 0))\nloss E = sum(n, y[n]^2)\n"
)
FILTER = (
    "index n : N\nindex i, j, k : I\nindex p : P = I*(I+1)/2\ninput A[i,j], w[n,i,j]\nparam L[p]\n"
    "S[i,j] = where(j <= i, L[i*(i+1)/2 + j], L[j*(j+1)/2 + i])\n"
    "C[n,i,j] = where(n == 0, S[i,j], sum(k, A[i,k]*C[n-1,k,j]))\n"
    "loss E = sum(n, i, j, C[n,i,j]^2*w[n,i,j])\n"
)
RECURRENT = (
    "index n : N\nindex i, j : I\nindex p : P = I*(I+1)/2\ninput x[n,j]\nparam L[p]\n"
    "h[n,i] = where(n == 0, 0, tanh(sum(j, where(j <= i, L[i*(i+1)/2 + j]*h[n-1,j], 0)))) + x[n,i]\n"
    "loss E = sum(n, i, h[n,i]^2)\n"
)
MASKS = ("np.arange(I)", "np.arange(P)", "np.clip(", "scatter_add")


MODELS = [LOWER, SYMMETRIC, UPPER, PAIRS, FILTER, RECURRENT]
NAMES = ["lower", "symmetric", "upper", "pairs", "filter", "recurrent"]


def sizes_of(model: str, size: int) -> dict[str, int]:
    between = -1 if model is PAIRS else 1
    return {"N": 3, "I": size, "P": max(size * (size + between) // 2, 0)}


@pytest.mark.parametrize("size", [0, 1, 2, 5])
@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_rows_of_a_triangle_are_slices(model: str, size: int) -> None:
    source = check(model, sizes_of(model, size), np.float64)
    assert not any(mask in source for mask in MASKS)


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_the_gradient_of_a_triangle_is_added_row_by_row(model: str) -> None:
    verdict = judged(model)
    assert verdict.outcome == "right", verdict.detail
    source = sb.loads(model).derive().to_numpy()
    assert not any(mask in source for mask in MASKS)


def test_the_gradient_of_a_row_is_added_to_its_slice() -> None:
    source = sb.loads(LOWER).derive().to_numpy()
    assert "grad_L[grad_L_offset : grad_L_offset + i + 1] +=" in source
    assert "y[:, i] = x[:, : i + 1] @ L[y_offset : y_offset + i + 1]" in source


def test_a_declared_size_is_proved_by_counting() -> None:
    declared = UPPER.replace("i, j : I", "i, j : I = 4").replace("p : P = I*(I+1)/2", "p : P = 10")
    source = check(declared, {"N": 2, "I": 4, "P": 10}, np.float64)
    assert not any(mask in source for mask in MASKS)


@pytest.mark.parametrize(
    "model",
    [
        LOWER.replace("P = I*(I+1)/2", "P"),
        LOWER.replace("P = I*(I+1)/2", "P").replace("j <= i,", "j <= i and i*(i+1)/2 + j < size(p),"),
        LOWER.replace("j <= i", "i + j < size(i)"),
    ],
    ids=["no relation", "a guard by the length", "rows that overlap"],
)
def test_what_is_not_proved_inside_is_right_as_well(model: str) -> None:
    assert judged(model).outcome == "right"
    check(model, {"N": 2, "I": 4, "P": 10}, np.float64)


def test_a_packed_axis_that_is_too_short_is_refused() -> None:
    module = sb.loads(LOWER).derive().module()
    with pytest.raises(ValueError, match=r"expected P = I\*\(I \+ 1\)/2, got"):
        module.loss({"L": np.ones(5)}, np.ones((2, 3)), np.ones((2, 3)))
