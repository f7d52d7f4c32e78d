"""Models with inverses and determinants: emitted modules against finite differences and HIPS autograd."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

from symbackprop.derivation.driver import derive
from symbackprop.emission.loading import load_module
from symbackprop.language.model import parse_system
from symbackprop.lowering.programs import lower
from symbackprop.notation.matrix_functions import MatrixFunction
from symbackprop.pipeline import loads
from symbackprop.sampling.definite_matrices import has_sound_matrices
from symbackprop.sampling.obeying_facts import obeying_facts
from symbackprop.semantics.evaluation import evaluate
from symbackprop.systems.system import Role, System
from symbackprop.verification.check import check_module
from symbackprop.verification.checked_module import load_file
from tests.models.autograd_oracle import loss_and_gradients
from tests.models.classics import load_classic
from tests.programs import numpy_source
from tests.sweeps import swept

CLASSICS = (
    "determinant", "log_determinant", "log_determinant_gram", "inverse_quadratic_form",
    "inverse_quadratic_form_solved", "trace_of_inverse", "gaussian", "gaussian_cholesky", "gaussian_process",
    "ridge_layer",
)  # fmt: skip
MODELS = {
    "batch": """
index t : T
index i, j : N
param S[t,i,j], r[t,i]
loss E = sum(t, logdet(S[t]) + sum(i, j, r[t,i]*inv(S[t])[i,j]*r[t,j]) + 1/(1 + det(S[t])^2))
""",
    "two_matrices": """
index i, j, k : N
param X[i,j], Y[i,j]
Z[i,k] = sum(j, inv(X)[i,j]*Y[j,k])
loss E = sum(i, j, inv(Z)[i,j]^2) + trace(Z)^2 + logdet(Z)*det(Y)
""",
    "diagonal_of_an_inverse": """
index i, j : N
param X[i,j], b[i]
z[i] = sum(j, inv(X)[i,j]*X[i,j])
loss E = sum(i, b[i]*z[i]^2) + sum(i, b[i]*inv(X)[i,i])
""",
    "mahalanobis_of_a_batch": """
index n : M
index k : K
index i, j : N
input x[n,i]
param mu[k,i], P[k,i,j]
fact positive_definite(P)
d[n,k] = sum(i, j, (x[n,i] - mu[k,i])*inv(P[k])[i,j]*(x[n,j] - mu[k,j])) + logdet(P[k])
loss E = -sum(n, log(sum(k, exp(-1/2*d[n,k]))))
""",
}
SIZES = (1, 2, 5, 7)


def system_of(name: str) -> System:
    return parse_system(MODELS[name], name) if name in MODELS else load_classic(name).system


def sound_values(system: System, size: int) -> tuple[dict[str, Any], dict[str, int]]:
    """Well-conditioned data; the axis of the matrices has this size, the others sizes of their own."""
    others = iter((8, 3, 4, 6))
    sizes = {axis.name: size if axis.name == matrix_axis(system) else next(others) for axis in system.axes}
    for seed in range(50):
        rng = np.random.default_rng(seed)
        drawn = {
            tensor.name: rng.normal(size=tuple(sizes[index.axis.name] for index in tensor.indices))
            for tensor in system.tensors.values()
            if tensor.role is not Role.DERIVED
        }
        values = obeying_facts(system, drawn, sizes)
        assert values is not None
        if has_sound_matrices(system, evaluate(system, values, sizes)):
            return values, sizes
    raise AssertionError(f"no sound data for {system.name} at size {size}")


def matrix_axis(system: System) -> str:
    return next(
        node.axis.name
        for equation in system.equations
        for node in equation.expression.walk()
        if isinstance(node, MatrixFunction)
    )


def module_of(system: System) -> tuple[ModuleType, tuple[str, ...]]:
    derivation = derive(system)
    return load_module(numpy_source(lower(derivation)), system.name), derivation.wrt


def gradients_of(module: ModuleType, values: dict[str, Any], dtype: type[Any]) -> tuple[Any, dict[str, Any]]:
    cast = {name: np.asarray(array, dtype=dtype) for name, array in values.items()}
    parameters = {name: cast.pop(name) for name in module.PARAMETERS}
    loss, gradients = module.value_and_grad(parameters, **cast)
    return loss, gradients


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", (*CLASSICS, *MODELS))
def test_module_against_autograd(name: str, size: int) -> None:
    system = system_of(name)
    values, sizes = sound_values(system, size)
    module, wrt = module_of(system)
    loss, gradients = gradients_of(module, values, np.float64)
    expected_loss, expected = loss_and_gradients(system, values, sizes, wrt)
    assert loss == pytest.approx(expected_loss, rel=1e-9, abs=1e-9)
    for tensor in wrt:
        scale = max(1.0, float(np.max(np.abs(expected[tensor]))))
        np.testing.assert_allclose(gradients[tensor], expected[tensor], rtol=1e-7, atol=1e-9 * scale)
    single, rounded = gradients_of(module, values, np.float32)
    assert np.asarray(single).dtype == np.float32
    for tensor in wrt:
        scale = max(1.0, float(np.max(np.abs(expected[tensor]))))
        assert rounded[tensor].dtype == np.float32
        np.testing.assert_allclose(rounded[tensor], expected[tensor], atol=2e-2 * scale)


@pytest.mark.parametrize("seed", swept(range(3), 1))
@pytest.mark.parametrize("name", MODELS)
def test_module_against_differences_and_the_complex_step(name: str, seed: int) -> None:
    report = loads(MODELS[name], name).check(seed)
    assert report.ok, report


def test_a_module_with_positive_definite_matrices_is_checked_from_its_file(tmp_path: Any) -> None:
    """Its data are positive definite, and its differences symmetric: Cholesky reads one triangle alone."""
    path = tmp_path / "gaussian.py"
    path.write_text(numpy_source(lower(derive(load_classic("gaussian").system))))
    facts = load_file(path).facts
    assert facts is not None and [fact.tensor for fact in facts.positive_definite] == ["Sigma"]
    assert check_module(path).ok
    wrong = path.read_text().replace("np.linalg.inv(Sigma)", "np.linalg.inv(2.0 * Sigma)")
    path.write_text(wrong)
    assert not check_module(path).ok
