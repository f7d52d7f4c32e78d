"""The element-wise helpers against mpmath: values, both dtypes, far arguments, no warnings."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import mpmath
import numpy as np
import pytest

from symbackprop.emission.environment import template_folder
from symbackprop.emission.loading import load_module
from symbackprop.functions.table import FUNCTIONS
from symbackprop.notation.expressions import Apply, Axis, Element, Index
from symbackprop.semantics.naive import NaiveEvaluator
from symbackprop.semantics.number_systems import PRECISE
from symbackprop.systems.system import Equation, Role, System, Tensor
from symbackprop.targets.numpy.kernels import HELPERS, NUMPY_CALLS, helpers_for
from tests.programs import lower_system, numpy_source

N = Index("n", Axis("N", "n"))
FAR = np.array([-800.0, -745.0, -88.7, -40.0, -1e-300, 0.0, 1e-300, 40.0, 88.8, 709.8, 800.0])
AROUND_ZERO = np.concatenate([np.linspace(-30, 30, 1001), np.linspace(-1, 1, 401), [1e-8, -1e-12]])
POSITIVE = np.concatenate([np.linspace(0.001, 12, 1501), [1e-9, 1.0, 2.0, 1.5, 7.999, 8.0, 100.5, 1e6]])
NEGATIVE = np.linspace(-9.95, -0.05, 200)


def module_of(function: str) -> ModuleType:
    arity = FUNCTIONS[function].arity
    names = ("u", "v")[:arity]
    tensors = {name: Tensor(name, (N,), Role.INPUT) for name in names}
    formula = Apply(function, tuple(Element(name, (N,)) for name in names))
    equation = Equation("y", (N,), formula)
    derived = {"y": Tensor("y", (N,), Role.DERIVED)}
    system = System(function, (N.axis,), tensors | derived, (equation,))
    return load_module(numpy_source(lower_system(system)), function)


def precisely(function: str, x: float) -> Any:
    with mpmath.workdps(60):
        u = mpmath.mpf(float(x))
        match function:
            case "lgamma":
                return mpmath.log(abs(mpmath.gamma(u)))
            case "digamma":
                return mpmath.psi(0, u)
            case "trigamma":
                return mpmath.psi(1, u)
            case "sigmoid":
                return 1 / (1 + mpmath.exp(-u))
            case "silu":
                return u / (1 + mpmath.exp(-u))
            case "softplus":
                return mpmath.log(1 + mpmath.exp(u))
            case "gelu":
                return u * mpmath.ncdf(u)
            case "normcdf":
                return mpmath.ncdf(u)
            case _ if FUNCTIONS[function].definition is not None:
                values = {"u": np.array(u, dtype=object)}
                return NaiveEvaluator(values, {}, PRECISE).expression(Apply(function, (Element("u"),)), {})
            case _:
                return getattr(mpmath, function)(u)


def relative_errors(function: str, arguments: np.ndarray) -> np.ndarray:
    computed = module_of(function).forward({}, arguments)
    exact = [precisely(function, x) for x in arguments]
    tiny = np.finfo(np.float64).tiny
    return np.array(
        [
            float(abs(mpmath.mpf(float(got)) - want) / max(abs(want), tiny))
            for got, want in zip(computed, exact, strict=True)
        ]
    )


@pytest.mark.parametrize("function", ["sigmoid", "silu", "mish", "softplus", "erf"])
def test_fourteen_digits_around_zero(function: str) -> None:
    assert relative_errors(function, AROUND_ZERO).max() < 1e-14


@pytest.mark.parametrize(("dtype", "lowest"), [(np.float64, -37.0), (np.float32, -12.5)])
def test_the_normal_distribution_keeps_its_digits_in_the_tail(dtype: type[Any], lowest: float) -> None:
    arguments = np.concatenate([np.linspace(lowest, 9.0, 501), [0.0, -0.0, 1e-30, -1e-30]]).astype(dtype)
    computed = module_of("normcdf").forward({}, arguments)
    exact = np.array([float(precisely("normcdf", x)) for x in arguments])
    np.testing.assert_allclose(computed, exact, rtol=6 * np.finfo(dtype).eps)


@pytest.mark.parametrize("shape", [(3, 20011), (0, 4), (2, 1)])
def test_blocks_are_parts_of_the_whole(shape: tuple[int, ...]) -> None:
    module = module_of("normcdf")
    u = np.random.default_rng(0).normal(size=shape)
    for given in (u, u.T):  # the second is not contiguous
        whole = module.normcdf(given)
        assert whole.shape == given.shape
        apart = [module.normcdf(given[place]) for place in np.ndindex(*given.shape[:1])]
        np.testing.assert_array_equal(whole, np.reshape(apart, given.shape))


@pytest.mark.parametrize("function", ["lgamma", "digamma", "trigamma"])
def test_fourteen_digits_for_positive_arguments(function: str) -> None:
    assert relative_errors(function, POSITIVE).max() < 1e-14


@pytest.mark.parametrize("function", ["lgamma", "digamma", "trigamma"])
def test_gamma_functions_of_negative_arguments(function: str) -> None:
    computed = module_of(function).forward({}, NEGATIVE)
    exact = np.array([float(precisely(function, x)) for x in NEGATIVE])
    np.testing.assert_allclose(computed, exact, rtol=2e-13, atol=2e-14)


def test_gamma_functions_at_their_poles() -> None:
    poles = np.array([0.0, -1.0, -2.0, -800.0])
    assert np.all(module_of("lgamma").forward({}, poles) == np.inf)
    assert np.all(np.isnan(module_of("digamma").forward({}, poles)))
    assert np.all(np.isnan(module_of("trigamma").forward({}, poles)))


@pytest.mark.parametrize(
    "function", ["sigmoid", "silu", "mish", "softplus", "gelu", "normcdf", "erf", "relu", "tanh"]
)
def test_far_arguments_are_finite_without_a_warning(function: str) -> None:
    module = module_of(function)
    computed = module.forward({}, FAR)
    assert np.all(np.isfinite(computed))
    expected = np.array([float(FUNCTIONS[function].evaluate(float(u)).real) for u in FAR])
    np.testing.assert_allclose(computed, expected, rtol=1e-13, atol=1e-300)
    assert np.all(np.isfinite(module.forward({}, FAR.astype(np.float32))))


@pytest.mark.parametrize("function", [name for name in FUNCTIONS if name != "sqrt"])
def test_dtype_and_shape_stay(function: str) -> None:
    module = module_of(function)
    for dtype in (np.float32, np.float64):
        for count in (0, 1, 3):
            arguments = [np.full(count, 0.5, dtype=dtype)] * FUNCTIONS[function].arity
            result = module.forward({}, *arguments)
            assert (result.dtype, result.shape) == (dtype, (count,))
            expected = FUNCTIONS[function].evaluate(*[0.5] * FUNCTIONS[function].arity)
            np.testing.assert_allclose(result, np.full(count, expected), rtol=2e-6)


def test_every_function_is_computed_and_every_helper_has_its_file() -> None:
    assert set(FUNCTIONS) <= {*NUMPY_CALLS, *HELPERS}
    files = {path.name.removesuffix(".py.j2") for path in (template_folder() / "numpy" / "kernels").iterdir()}
    assert files == set(HELPERS)


def test_helpers_come_with_those_that_they_call() -> None:
    assert helpers_for(["exp"]) == ()
    assert helpers_for(["silu"]) == ("sigmoid", "silu")
    assert helpers_for(["gelu"]) == (
        "polynomial", "in_blocks", "scaled_tail", "normcdf", "gelu",
    )  # fmt: skip


@pytest.mark.parametrize("function", ["gelu", "normcdf"])
def test_the_digits_that_the_argument_allows(function: str) -> None:
    # A rounding error of u/sqrt(2) counts u^2 times in exp(-u^2/2).
    allowed = 4e-16 * (2 + AROUND_ZERO**2)
    assert np.all(relative_errors(function, AROUND_ZERO) < allowed)
