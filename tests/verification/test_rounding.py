import numpy as np

from symbackprop.sampling.rounds import ones_in_turn
from symbackprop.verification.rounding import moved_by_rounding


def test_each_number_moves_by_the_relative_amount_and_whole_numbers_stay() -> None:
    values = {"x": np.array([-2.0, 0.0, 3.0]), "n": np.array([1, 2]), "s": np.array(4.0)}
    moved = moved_by_rounding(values, 1e-3, np.random.default_rng(0), still={"s"})
    np.testing.assert_allclose(np.abs(moved["x"] - values["x"]), [2e-3, 0.0, 3e-3])
    assert moved["n"] is values["n"]
    assert moved["s"] is values["s"]


def test_each_axis_is_of_size_1_once() -> None:
    assert ones_in_turn(["a", "b", "c"]) == [{"a": 1, "c": 1}, {"b": 1}]
    assert ones_in_turn(["a"]) == [{"a": 1}]
    assert ones_in_turn([]) == []
