"""The data on which a module is held against its equations tell something of every tensor."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from symbackprop.derivation.driver import derive
from symbackprop.language.model import parse_system
from symbackprop.sampling.drawing import Draw, Drawing
from symbackprop.sampling.draws import Draws, sizes_with_middles, sizes_with_steps
from symbackprop.sampling.draws_at_kinks import IN_PAIRS, SLICES_OF_ZEROS, draws_at_kinks
from symbackprop.sampling.finite_data import GENTLE
from symbackprop.sampling.small_axes import model_sizes
from symbackprop.semantics.systems import evaluate_system
from symbackprop.systems.system import System
from symbackprop.verification.unsimplified import unsimplified_adjoints


def draws_of(text: str) -> list[Draw]:
    derivation = derive(parse_system(text))

    def adjoints(values: Mapping[str, np.ndarray], sizes: Mapping[str, int]) -> Mapping[str, np.ndarray]:
        known = evaluate_system(derivation.system, values, sizes)
        return unsimplified_adjoints(derivation, known, sizes)

    return list(Draws(derivation.model, adjoints, frozenset(derivation.wrt)))


SATURATING = {
    "tanh": "z[b,j] = tanh(20*u[b,j])\n",
    "sigmoid": "z[b,j] = sigmoid(9*u[b,j] - 3)\n",
    "softmax": "z[b,j] = exp(9*u[b,j])/sum(k, exp(9*u[b,k]))\n",
    "relu": "z[b,j] = relu(u[b,j] - 2)\n",
}


@pytest.mark.parametrize("name", SATURATING)
def test_each_gradient_is_large_on_some_draw_however_long_the_sums(name: str) -> None:
    draws = draws_of(
        "index b : B\nindex i : I = 784\nindex j, k : J\ninput x[b,i]\ntarget d[b,j]\nparam W[j,i], v[j]\n"
        "u[b,j] = sum(i, W[j,i]*x[b,i])\n"
        + SATURATING[name]
        + "loss E = 1/2*sum(b, j, (v[j]*z[b,j] - d[b,j])^2)\n"
    )
    assert frozenset({"W", "v"}) <= frozenset[str]().union(*(each.told for each in draws))


def test_gentle_data_make_long_sums_of_order_1() -> None:
    rng = np.random.default_rng(0)
    for size in (1, 10, 1000):
        weights, inputs = (GENTLE.draw(rng, (20, size)) for _ in range(2))
        assert 0.05 < np.std(weights @ inputs.T) < 1.5
    assert GENTLE.draw(rng, ()).shape == () and GENTLE.draw(rng, (0, 3)).shape == (0, 3)


@pytest.mark.parametrize(
    ("loss", "least"),
    [
        ("sum(n, (x[n] - mu)^3)", 3),
        ("sum(n, (x[n] - mu)^4) - 1/2*sum(n, (x[n] - mu)^2)^2", 4),
        ("sum(n, (x[n] - mu)^2)", 2),
    ],
)
def test_axes_grow_until_a_loss_that_vanishes_on_short_ones_does_not(loss: str, least: int) -> None:
    draws = draws_of(f"index n : N\nparam x[n]\nmu = mean(n, x[n])\nloss E = {loss}\n")
    telling = [each.sizes["N"] for each in draws if "x" in each.told and each.tells("E")]
    assert min(telling) == least


def test_a_gradient_that_is_0_whatever_the_data_takes_no_more_than_a_handful_of_draws() -> None:
    draws = draws_of("index n : N\nparam x[n], y\nmu = mean(n, x[n])\nloss E = sum(n, x[n] - mu) + y^2\n")
    assert 2 <= len(draws) <= 6 and not any("x" in each.told for each in draws)


def test_each_open_axis_has_size_1_once_and_is_longer_once() -> None:
    draws = draws_of(
        "index a : A\nindex b : B\nindex c : C\nparam x[a,b], y[b,c]\n"
        "loss E = sum(a, c, sum(b, x[a,b]*y[b,c])^2)\n"
    )
    for axis in "ABC":
        sizes = {each.sizes[axis] for each in draws}
        assert 1 in sizes and max(sizes) > 1
    assert len([each for each in draws if each.is_named]) == 2


RECURRENCE = "index t : T{}\nparam x[t]\nh[t] = tanh(x[t]{})\nloss E = sum(t, h[t]^2)\n"


@pytest.mark.parametrize(
    ("declared", "reads", "steps"),
    [("", " + pad(h[t-1])", 4), ("", " + pad(h[t+2])", 5), ("", "", 2), (" = 2", " + pad(h[t-1])", 2)],
)
def test_a_recurrence_has_steps_in_its_middle(declared: str, reads: str, steps: int) -> None:
    system = parse_system(RECURRENCE.format(declared, reads))
    assert sizes_with_steps(system, {"T": 2})["T"] == steps


STATES = """index t : T
index s : S = {}
param x[t]
h[s] = where(s == 0, 1, tanh(x[{}]*h[s-1]))
loss E = h[size(s)-1]
"""


@pytest.mark.parametrize(
    ("states", "position", "steps"), [("T + 1", "s-1", (3, 4)), ("2*T", "floor((s-1)/2)", (2, 4))]
)
def test_states_that_follow_from_steps_are_enough(states: str, position: str, steps: tuple[int, int]) -> None:
    system = parse_system(STATES.format(states, position))
    found = sizes_with_steps(system, model_sizes(system, {"T": 1}))
    assert (found["T"], found["S"]) == steps


COMPARED = "index t, s : T{}\nindex n : N\nparam x[t,n]\nloss E = sum(t, s, n, where({}, x[t,n]*x[s,n], 0))\n"


@pytest.mark.parametrize(
    ("declared", "condition", "places"),
    [("", "s <= t", 5), ("", "s == t + 1", 5), (" = 2", "s <= t", 2), ("", "s < 3", 2), ("", "s < n", 2)],
)
def test_indices_of_one_axis_that_are_compared_have_places_in_its_middle(
    declared: str, condition: str, places: int
) -> None:
    system = parse_system(COMPARED.format(declared, condition))
    assert sizes_with_middles(system, {"T": 2, "N": 3})["T"] == places


def at_kinks(text: str) -> tuple[System, list[Draw]]:
    system = parse_system(text)
    nothing = Drawing(system, lambda values, sizes: {})
    asked = [tensor.name for tensor in system.tensors.values() if tensor.name in "xywvb"]
    return system, list(draws_at_kinks(nothing, asked))


@pytest.mark.parametrize(
    ("bend", "name"),
    [
        ("relu(sum(i, w[j,i]*x[i]) + b[j])", "relu"),
        ("abs(tanh(sum(i, w[j,i]*x[i])))", "behind a layer"),
        ("max(i, w[j,i]*x[i])", "a tie of a maximum"),
        ("where(b[j] >= 2.5, 3*b[j], b[j]^2)*sum(i, w[j,i]*x[i])", "equality with the model's own number"),
        ("max(b[j], w[j,0] - x[0])", "a tie of two"),
    ],
)
def test_data_lie_where_the_convention_shows(bend: str, name: str) -> None:
    _, draws = at_kinks(
        f"index i : I\nindex j : J\nparam w[j,i], x[i], b[j]\nloss E = sum(j, (j + 1)*{bend})\n"
    )
    assert draws and all(each.is_at_kinks for each in draws), name


def test_a_model_without_kinks_has_no_draws_at_them_and_a_flat_one_neither() -> None:
    assert at_kinks("index i : I\nparam x[i]\nloss E = sum(i, tanh(x[i])^2)\n")[1] == []
    # Both conventions give 0 times relu(0), or a smooth function.
    assert at_kinks("index i : I\nparam x[i]\nloss E = sum(i, relu(x[i])^2)\n")[1] == []


def test_slices_of_zeros_and_pairs_keep_shapes() -> None:
    rng = np.random.default_rng(0)
    for domain in (SLICES_OF_ZEROS, IN_PAIRS):
        for shape in ((), (0,), (1,), (3, 4), (2, 0, 3)):
            assert np.shape(domain.draw(rng, shape)) == shape
    pairs = IN_PAIRS.draw(rng, (4, 2))
    assert np.array_equal(pairs[0], pairs[1]) and np.array_equal(pairs[:, 0], pairs[:, 1])
