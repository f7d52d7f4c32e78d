import itertools

import numpy as np
import pytest

from symbackprop.errors import VerificationError
from symbackprop.sampling.finite_data import different_sizes, finite_sample

SHAPES = {"a": ("I", "J"), "b": ()}


def test_few_axes_get_sizes_that_all_differ():
    sizes = different_sizes(["B", "I", "J", "K"], [], {})
    assert sizes == {"B": 2, "I": 3, "J": 4, "K": 5}


def test_fixed_sizes_stay_and_others_avoid_them():
    assert different_sizes(["I", "J", "K"], [], {"J": 2}) == {"J": 2, "I": 3, "K": 4}


def test_many_axes_differ_where_they_meet():
    axes = [f"J{number}" for number in range(40)]
    groups = [{"B", left, right} for left, right in itertools.pairwise(axes)]
    sizes = different_sizes(["B", *axes], groups, {})
    assert max(sizes.values()) <= 5
    assert all(len({sizes[name] for name in group}) == 3 for group in groups)


def test_the_same_seed_draws_the_same():
    draws = [
        finite_sample(SHAPES, {"I": 2, "J": 3}, np.random.default_rng(4), lambda values: True)
        for _ in range(2)
    ]
    assert draws[0]["a"].shape == (2, 3)
    assert draws[0]["b"].shape == ()
    np.testing.assert_array_equal(draws[0]["a"], draws[1]["a"])


@pytest.mark.parametrize("function", [np.log, np.sqrt, lambda a: np.log(a * (1 - a)), np.arcsin])
def test_a_domain_is_found_where_the_function_is_finite(function):
    def accepts(values):
        with np.errstate(all="ignore"):
            return bool(np.all(np.isfinite(function(values["a"]))))

    values = finite_sample({"a": ("I",)}, {"I": 30}, np.random.default_rng(0), accepts)
    assert np.all(np.isfinite(function(values["a"])))


def test_a_model_that_is_finite_nowhere_is_told_so():
    with pytest.raises(VerificationError, match=r"no data were found.*0.1 to 0.9"):
        finite_sample(SHAPES, {"I": 2, "J": 3}, np.random.default_rng(0), lambda values: False)
