import numpy as np
import pytest

from symbackprop.language.model import parse_system
from symbackprop.sampling.rounds import conditions_on_sizes, rounds_of_sizes, stress_rounds, values_taken
from tests.verification.on_numpy import check_model

CONDITIONED = """
index n : N
index i : I
index t : T
input x[n,i]
param w[i], v[t]
y[n] = sum(i, w[i]*x[n,i]) * where(size(n) > 6, 2, 1)
loss E = sum(n, y[n]^2) + sum(t, where(t + 1 < size(t) and size(i) != 9, v[t]^3, v[t]))
"""


def test_sizes_differ_first_and_each_open_axis_is_one_once():
    rounds, _ = rounds_of_sizes(parse_system(CONDITIONED))
    assert len(set(rounds[0].sizes.values())) == 3
    for axis in "NIT":
        taken = {each.sizes[axis] for each in rounds}
        assert 1 in taken and max(taken) > 1


def test_every_condition_on_sizes_takes_both_values():
    system = parse_system(CONDITIONED)
    rounds, remarks = rounds_of_sizes(system)
    conditions = conditions_on_sizes(system)
    assert len(conditions) == 3 and not remarks
    for condition in conditions:
        taken = frozenset[bool]().union(*(values_taken(condition, each.sizes) for each in rounds))
        assert taken == {True, False}, condition
    assert {each.name for each in check_model(system).rounds} >= {"size(n) > 6 holds", "size(i) != 9 fails"}


def test_data_are_shifted_and_scaled_on_different_sizes():
    system = parse_system(CONDITIONED)
    rounds = stress_rounds(rounds_of_sizes(system)[0][0].sizes)
    assert [each.name for each in rounds] == ["data all + 1e4", "data all x8"]
    assert len(set(rounds[0].sizes.values())) == 3
    assert np.array_equal(rounds[0].stress.move(np.array([1.0, -2.0])), [10001.0, 9998.0])
    assert {each.name for each in check_model(system).rounds} >= {each.name for each in rounds}


def test_a_condition_that_no_small_sizes_reach_is_said():
    system = parse_system(CONDITIONED.replace("size(n) > 6", "size(n) > 600"))
    assert rounds_of_sizes(system)[1] == ("size(n) > 600 is never true on the sizes tried",)


def test_declared_sizes_stay_and_axes_grow_to_what_is_read():
    text = (
        "index i : I = 3\nindex j : J\nparam x[j]\nloss E = sum(i, where(i + 2 < size(j), x[i + 2], 1)^2)\n"
    )
    for each in rounds_of_sizes(parse_system(text))[0]:
        assert each.sizes["I"] == 3


@pytest.mark.parametrize("sizes", [{"I": 1}, {"I": 4}])
def test_conditions_of_fractions_are_looked_at_exactly(sizes):
    system = parse_system(
        "index i : I\nparam x[i]\nloss E = sum(i, where(floor(i/2) == 1, x[i], 2*x[i]^2))\n"
    )
    (condition,) = conditions_on_sizes(system)
    assert (True in values_taken(condition, sizes)) == any(np.arange(sizes["I"]) // 2 == 1)
