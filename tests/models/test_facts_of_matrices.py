"""Facts of matrices are held against the data when a module is called, where its code rests on them."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from symbackprop.derivation.driver import derive
from symbackprop.emission.loading import load_module
from symbackprop.language.model import parse_system
from symbackprop.lowering.programs import lower
from tests.programs import numpy_source

DECLARED = "index i, j : I\nindex t : T\n"


def source_of(model: str) -> str:
    return numpy_source(lower(derive(parse_system(DECLARED + model))))


def module_of(model: str) -> ModuleType:
    return load_module(source_of(model), "of_facts")


ASYMMETRIC = np.array([[5.0, 0.3], [0.1, 4.0]])
SYMMETRIC = np.array([[5.0, 0.3], [0.3, 4.0]])
INDEFINITE = np.array([[1.0, 2.0], [2.0, 1.0]])

# the model's matrix is declared, derived, one of a batch, carried by a recurrence, read under a `where`
DEFINITE = {
    "declared": "param P[i,j]\nfact positive_definite(P)\nloss E = logdet(P)\n",
    "derived": "param A[i,j]\nP[i,j] = A[i,j] + delta(i,j)\nfact positive_definite(P)\nloss E = logdet(P)\n",
    "of a batch": (
        "param A[i,j]\ninput x[t]\nP[t,i,j] = A[i,j]*(1 + t)\nfact positive_definite(P)\n"
        "loss E = sum(t, x[t]*logdet(P[t]))\n"
    ),
    "carried": (
        "param A[i,j]\ninput x[t]\nP[t,i,j] = where(t == 0, A[i,j], 2*P[t-1,i,j])\n"
        "fact positive_definite(P)\ny[t] = where(t == 0, logdet(P[t]), y[t-1] + x[t]*logdet(P[t]))\n"
        "loss E = y[size(t)-1]\n"
    ),
    "chosen": (
        "param A[i,j]\ninput x[t]\nP[t,i,j] = A[i,j]*(1 + t)\nfact positive_definite(P)\n"
        "loss E = sum(t, where(t > 0, x[t]*logdet(P[t-1]), 0))\n"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DEFINITE)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_matrix_that_is_not_positive_definite_is_named(name: str, dtype: type) -> None:
    module = module_of(DEFINITE[name])
    others = {"x": np.ones(3, dtype=dtype)} if "x[t]" in DEFINITE[name] else {}
    (parameter,) = module.PARAMETERS
    for wrong in (ASYMMETRIC, INDEFINITE - np.eye(2)):
        for call in (module.loss, module.value_and_grad):
            with pytest.raises(ValueError, match=r"^P does not obey fact positive_definite\(P\)"):
                call({parameter: wrong.astype(dtype)}, **others)
    loss, _ = module.value_and_grad({parameter: SYMMETRIC.astype(dtype)}, **others)
    assert np.isfinite(loss)


SYMMETRIES = {
    "declared": (
        "input P[i,j], c[j]\nparam b[i]\nfact P[i,j] == P[j,i]\nloss E = sum(i, j, b[i]*P[i,j]*b[j])\n"
    ),
    "inverted": (
        "input P[i,j], c[j]\nparam b[i]\nfact P[i,j] == P[j,i]\nloss E = sum(i, j, b[i]*inv(P)[i,j]*b[j])\n"
    ),
    "derived": (
        "input A[i,j], c[j]\nparam b[i]\nP[i,j] = A[i,j]*c[j]\nfact P[i,j] == P[j,i]\n"
        "Q[i,j] = P[i,j]^2\nloss E = sum(i, j, b[i]*Q[i,j]*b[j])\n"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SYMMETRIES)
def test_a_symmetry_that_changed_the_gradient_is_held_against_the_data(name: str) -> None:
    module = module_of(SYMMETRIES[name])
    matrix = "A" if name == "derived" else "P"
    given = {"c": np.ones(2), "b": np.array([1.0, 2.0])}
    parameters = {"b": given.pop("b")}
    with pytest.raises(ValueError, match=r"^P does not obey fact P\[i,j\] == P\[j,i\]"):
        module.value_and_grad(parameters, **{matrix: ASYMMETRIC}, **given)
    rounded = SYMMETRIC * (1 + 1e-15 * np.array([[0, 1], [0, 0]]))
    module.value_and_grad(parameters, **{matrix: rounded}, **given)
    if name == "declared":  # nothing of the loss is used again, which is as the model states it
        module.loss(parameters, **{matrix: ASYMMETRIC}, **given)


def test_a_symmetry_that_changed_nothing_is_not_asked_for() -> None:
    source = source_of("input P[i,j]\nparam b[i]\nfact P[i,j] == P[j,i]\nloss E = sum(i, j, b[i]*P[i,j])\n")
    assert "symmetric(" not in source
