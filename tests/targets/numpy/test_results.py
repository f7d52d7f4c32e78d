"""What a module returns is the caller's: no input, no other result, the same at every call."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from inspect import signature
from types import ModuleType

import numpy as np
import pytest

from symbackprop.derivation.driver import derive
from symbackprop.emission.loading import load_module
from symbackprop.language.model import parse_system
from symbackprop.layers.expanding import network_system
from symbackprop.lowering.programs import lower
from symbackprop.sampling.small_axes import model_sizes
from symbackprop.semantics.naive import Array
from symbackprop.systems.system import Role, System, Tensor
from tests.layers.cases import LAYER_CASES, Case
from tests.models import classics, recurrences
from tests.programs import numpy_source

# Gradients that are one another, an input, a view of one, or of an array that loops add to.
MODELS = {
    "one_gradient_of_two": """
index t : T
param x[t]
h[t] = x[t] + pad(h[t-1])^2
loss E = sum(t, h[t]^2)
""",
    "one_gradient_of_four": """
index i : I
index j : J
param a[i,j], b[i,j], c[j,i]
u[i,j] = a[i,j] + b[i,j]
v[i,j] = u[i,j] + c[j,i]
loss E = sum(i, j, exp(v[i,j]))
""",
    "scalars": """
param a, b
input x
u = a + b
loss E = u*x
""",
    "an_input": """
index i : I
index j : J
input x[i,j], y[i,j]
param a[i,j], b[j,i], c[i]
loss E = sum(i, j, x[i,j]*(a[i,j] + b[j,i])) + sum(i, x[i,0]*c[i]) + sum(i, j, y[i,j])
""",
    "an_input_by_a_choice_of_sizes": """
index i : I
input x[i]
param a[i]
y[i] = where(size(i) > 1, x[i], 0)
z[i] = where(size(i) > 1, a[i], y[i])
loss E = sum(i, y[i]*z[i])
""",
    "added_to_in_place": """
index c : C
index t : T
index r : R
input x[t]
param w[r], b[t]
y[t] = b[t] + sum(r, pad(x[t+r])*w[r])
z[t] = x[t] + sum(r, pad(y[t-r])*w[r])
loss E = sum(t, z[t]^2)
""",
    "a_diagonal": """
index i, j : I
input x[i,j]
param a[i], b[i,j]
y[i] = x[i,i]
loss E = sum(i, y[i]*a[i]) + sum(i, b[i,i])
""",
}


def _classic(name: str) -> System:
    return classics.load_classic(name).system


def _layer(case: Case) -> System:
    return network_system(case.network())


SYSTEMS: dict[str, Callable[[], System]] = {
    **{name: partial(parse_system, text) for name, text in {**recurrences.TEXTS, **MODELS}.items()},
    **{f"classic {name}": partial(_classic, name) for name in classics.NAMES},
    **{f"layer {place} {case.label}": partial(_layer, case) for place, case in enumerate(LAYER_CASES[::2])},
}


def drawn(system: System) -> dict[str, Array]:
    """Arrays for the declared tensors: positive, square ones positive definite, integers any places."""
    rng, sizes = np.random.default_rng(5), model_sizes(system)
    arrays: dict[str, Array] = {}
    for tensor in system.tensors.values():
        if tensor.role is not Role.DERIVED:
            shape = [sizes[index.axis.name] for index in tensor.indices]
            top = None if tensor.values is None else sizes[tensor.values.name]
            array = rng.uniform(0.2, 0.9, shape) if top is None else rng.integers(0, top, shape)
            arrays[tensor.name] = _dominated_by_its_diagonal(array) if _is_square(tensor) else array
    return arrays


def _is_square(tensor: Tensor) -> bool:
    return len(tensor.indices) > 1 and tensor.indices[-1].axis == tensor.indices[-2].axis


def _dominated_by_its_diagonal(array: Array) -> Array:
    """Symmetric and positive definite, so that it can be inverted."""
    return array + array.mT + 3.0 * np.eye(array.shape[-1])


def results_of(module: ModuleType, arrays: dict[str, Array]) -> tuple[dict[str, Array], dict[str, Array]]:
    """The outputs, and the gradients."""
    params = {name: arrays[name] for name in module.PARAMETERS}
    sizes = getattr(module, "GIVEN_SIZES", ())
    others = {name: len(array) if name in sizes else array for name, array in arrays.items()}
    others = {name: given for name, given in others.items() if name not in params}
    fed = {name: array for name, array in others.items() if name in signature(module.forward).parameters}
    outputs = module.forward(params, **fed)
    outputs = outputs if len(module.OUTPUTS) > 1 else (outputs,)
    return dict(zip(module.OUTPUTS, outputs, strict=True)), module.grad(params, **others)


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_result_is_the_callers_alone_and_the_same_at_every_call(name: str) -> None:
    system = SYSTEMS[name]()
    real = (each for each in system.tensors.values() if each.role is not Role.SIZE)
    wanted = [tensor.name for tensor in real if tensor.values is None]
    module = load_module(numpy_source(lower(derive(system, wanted))), "results")
    arrays = drawn(system)
    given = {name: array.copy() for name, array in arrays.items()}
    with np.errstate(all="ignore"):
        first, second = results_of(module, arrays), results_of(module, arrays)
    assert set(first[1]) == set(wanted)
    for results, again in zip(first, second, strict=True):
        for own, array in results.items():
            assert not isinstance(array, np.ndarray) or (array.ndim and array.flags.writeable), own
            assert np.array_equal(array, again[own], equal_nan=True), f"{own} differs between two calls"
            others = {**arrays, **{other: held for other, held in results.items() if other != own}}
            shared = [other for other, held in others.items() if np.shares_memory(array, held)]
            assert not shared, f"{own} is {shared}"
    assert all(np.array_equal(arrays[own], array) for own, array in given.items())
