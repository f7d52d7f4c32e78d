"""Intervals whose bounds data may put the wrong way round, and data that do not."""

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.sampling.intervals import Intervals

HEAD = "index n : N\nparam x[n]\ninput lo[n], hi[n]\nconst eps, c\n"


def intervals(loss: str) -> Intervals:
    return Intervals(sb.loads(f"{HEAD}loss E = sum(n, {loss})").system)


@pytest.mark.parametrize(
    ("loss", "bounds"),
    [
        ("clip(x[n], 1 - eps, 1 + eps)", ["1 - eps <= 1 + eps"]),
        ("max(min(x[n], hi[n]), lo[n])", ["lo[n] <= hi[n]"]),
        ("clip(x[n], lo[n], lo[n] + c)", ["lo[n] <= lo[n] + c"]),
        ("where(abs(x[n]) <= c, x[n]^2/2, c*(abs(x[n]) - c/2))", ["0 <= c"]),
        ("relu(abs(x[n]) - 2*c)", ["0 <= 2*c"]),
        ("clip(x[n], -c^2, eps^2)", []),
        ("clip(x[n], 0, 1)", []),
        ("clip(x[n], x[n] - abs(c), x[n] + 1)", []),
        ("relu(x[n] - c)", []),
        ("relu(abs(x[n]) - lo[n])", []),
        ("relu(x[n]^2 - 1 + c)", []),
    ],
)
def test_what_the_wrong_way_round_would_be(loss, bounds):
    assert [str(each) for each in intervals(loss).found] == bounds


@pytest.mark.parametrize("size", [0, 1, 5])
@pytest.mark.parametrize(
    "loss",
    ["clip(x[n], 1 - eps, 1 + eps)", "clip(x[n], lo[n], hi[n])", "clip(x[n], -c, eps)*relu(x[n]^2 - c)"],
)
def test_signs_put_bounds_in_order(loss, size):
    found, rng = intervals(loss), np.random.default_rng(size)
    for _ in range(8):
        drawn = {name: rng.normal(size=size) for name in ("x", "lo", "hi")}
        drawn |= {name: rng.normal(size=()) for name in ("eps", "c")}
        moved = found.in_order(drawn, {"N": size})
        assert not any(each.is_crossed(moved, {"N": size}) for each in found.found)
        assert all(np.array_equal(np.abs(moved[name]), np.abs(drawn[name])) for name in drawn)
        assert np.array_equal(moved["x"], drawn["x"])


def test_data_in_order_stay_as_they_were_drawn():
    drawn = {"x": np.ones(2), "lo": -np.ones(2), "hi": -np.ones(2) / 2, "eps": np.ones(()), "c": np.ones(())}
    assert intervals("clip(x[n], lo[n], hi[n])").in_order(drawn, {"N": 2}) == drawn


def test_bounds_that_no_sign_puts_in_order_stay():
    drawn = {"x": np.ones(2), "lo": np.ones(2), "hi": np.ones(2), "eps": np.ones(()), "c": np.ones(())}
    assert intervals("clip(x[n], 1 + eps^2, -c^2)").in_order(drawn, {"N": 2}) == drawn
