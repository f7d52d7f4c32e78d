import numpy as np
import pytest

from symbackprop.numerics.differences import central_differences, complex_step, step_for


def quartic(values):
    return np.sum(values["w"] ** 4) + np.sum(values["w"]) * values["c"]


def test_central_differences_of_a_polynomial():
    values = {"w": np.array([[1.0, -2.0], [0.5, 30.0]]), "c": np.array(3.0)}
    found = central_differences(quartic, values, "w")
    # A loss of 810,000 carries a rounding of 1e-10, and its quotients about 1e-6.
    np.testing.assert_allclose(found.values, 4 * values["w"] ** 3 + 3, rtol=1e-9, atol=1e-5)
    assert not found.kink.any()
    scalar = central_differences(quartic, values, "c")
    np.testing.assert_allclose(scalar.values, values["w"].sum(), rtol=1e-6)


def test_central_differences_of_elementary_functions_are_good_to_ten_digits():
    x = np.linspace(-1.5, 1.5, 7)
    found = central_differences(
        lambda values: np.sum(np.sin(values["x"]) * np.exp(values["x"])), {"x": x}, "x"
    )
    np.testing.assert_allclose(found.values, np.exp(x) * (np.sin(x) + np.cos(x)), rtol=0, atol=1e-10)


def test_strong_curvature_is_met_by_a_small_step():
    x = np.array([0.01])
    found = central_differences(lambda values: np.sin(200 * values["x"][0]), {"x": x}, "x")
    np.testing.assert_allclose(found.values, 200 * np.cos(2.0), rtol=1e-7)


@pytest.mark.parametrize("distance", [0.0, 1e-9, -1e-7, 2e-6])
def test_a_kink_within_reach_is_noticed(distance):
    values = {"x": np.array([distance, 1.0])}
    found = central_differences(lambda point: np.sum(np.maximum(point["x"], 0.0)) + 1, values, "x")
    doubtful = found.kink | (found.uncertainty > 1e-7)
    assert doubtful.tolist() == [True, False]
    np.testing.assert_allclose(found.values[1], 1.0, atol=1e-10)


@pytest.mark.parametrize("noise", [1e-10, 1e-12])
def test_a_loss_of_coarse_digits_is_known_by_its_noise(noise):
    """As the square of 1 - tanh(u)^2 is: its own last digit is far below what rounding leaves in it."""

    def loss(point):
        total = np.sum(np.sin(point["w"]))
        return total + noise * np.sin(1e12 * total)

    w, noises = np.array([0.3, -1.7, 0.8]), []
    for seed in range(20):
        step = step_for(loss, {"w": w}, "w", np.random.default_rng(seed))
        found = central_differences(loss, {"w": w}, "w", step=step)
        noises.append(step.noise)
        if step.noise > 0.1 * noise:
            np.testing.assert_allclose(found.values, np.cos(w), atol=20 * noise / step.width, rtol=1e-9)
            assert step.width > noise**0.5
    assert np.mean(np.array(noises) > 0.1 * noise) > 0.3


def test_the_roundings_of_zero_are_no_kink():
    def loss(point):
        u = point["u"][0]
        return np.log(np.exp(u) * np.exp(0.1)) - u - 0.1

    step = step_for(loss, {"u": np.array([0.7])}, "u", np.random.default_rng(0))
    assert not central_differences(loss, {"u": np.array([0.7])}, "u", step=step).kink.any()


def test_a_flat_function_has_no_kink():
    found = central_differences(lambda point: 7.0 + 0 * point["x"][0], {"x": np.array([0.3])}, "x")
    assert not found.kink.any()
    assert found.values.tolist() == [0.0]


def test_the_values_come_back_as_they_were():
    x = np.array([1.0, 2.0])
    central_differences(lambda point: float(point["x"].sum()), {"x": x}, "x")
    complex_step(lambda point: point["x"].sum(), {"x": x}, "x")
    assert x.tolist() == [1.0, 2.0]


def test_complex_step_is_exact_to_rounding():
    x = np.linspace(-1.0, 1.0, 5)
    found = complex_step(lambda values: np.sum(np.exp(values["x"]) / np.cos(values["x"])), {"x": x}, "x")
    exact = np.exp(x) / np.cos(x) * (1 + np.tan(x))
    np.testing.assert_allclose(found, exact, rtol=1e-14)
