"""Branches that ordinary data never reach, and data that do."""

import numpy as np

import symbackprop as sb
from symbackprop.auditing.expectations import Expectations
from symbackprop.sampling.branches import Branches


def test_branches_are_those_that_data_may_reach():
    model = sb.loads(
        "index t : T\nparam x[t], c\n"
        "h[t] = where(t < 9, abs(x[t]), max(x[t] - c, 0))\n"
        "loss E = sum(t, h[t]*relu(x[t]^2))"
    )
    branches = Branches(model.system)
    assert branches.wanted == {
        "t < 9", "t >= 9", "x[t] < 0 in h", "x[t] > 0 in h", "x[t] - c < 0 in h", "x[t] - c > 0 in h",
        "x[t]^2 > 0 in E",
    }  # fmt: skip
    known = {"x": np.array([1.0, 0.0]), "c": np.array(3.0)}
    assert branches.reached(known, {"T": 2}) == {
        "t < 9", "x[t] > 0 in h", "x[t] - c < 0 in h", "x[t]^2 > 0 in E",
    }  # fmt: skip


def test_guarded_reads_are_looked_at_where_they_are_made():
    model = sb.loads(
        "index t : T\nparam x[t]\nh[t] = where(t == 0, 0, where(x[t-1] > 50, 1, x[t-1]))\n"
        "loss E = sum(t, h[t])"
    )
    found = Expectations.of(model.system)
    assert found.unreached == () and max(np.max(draw.values["x"]) for draw in found.draws) > 50


def test_what_no_data_reach_is_said():
    model = sb.loads("index n : N\nparam x[n]\nloss E = sum(n, where(tanh(x[n]) > 2, 5, x[n]))")
    assert Expectations.of(model.system).unreached == ("tanh(x[n]) > 2 in E",)
