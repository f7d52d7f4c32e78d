"""The fast evaluator in other numbers than float64."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import numpy as np
import pytest

from symbackprop.language.model import parse_system
from symbackprop.semantics.array_numbers import PreciseNumbers, RoundedNumbers
from symbackprop.semantics.evaluation import evaluate
from symbackprop.semantics.number_systems import PRECISE
from symbackprop.semantics.systems import evaluate_system
from tests.models.classics import NAMES, load_classic, small_sample, text_of_classic

WITHOUT_DERIVATIVES = [name for name in NAMES if "diff(" not in text_of_classic(name)]
SINGLE = RoundedNumbers(np.float32)


def at_random(seed=0):
    return RoundedNumbers(np.float32, np.random.default_rng(seed))


def objects(*numbers):
    return PreciseNumbers().exact(np.array(numbers))


@pytest.mark.parametrize("name", WITHOUT_DERIVATIVES[::4])
def test_sixty_digits_are_those_of_the_naive_evaluator(name):
    system = load_classic(name).system
    values, sizes = small_sample(system)
    with mpmath.workdps(60):
        exact = {
            key: array if array.dtype.kind in "iu" else PreciseNumbers().exact(array)
            for key, array in values.items()
        }
        slow = evaluate(system, exact, sizes, PRECISE)
        fast = evaluate_system(system, values, sizes, numbers=PreciseNumbers())
        for key in system.definitions:
            for one, other in zip(np.ravel(slow[key]), np.ravel(fast[key]), strict=True):
                assert abs(one - other) <= mpmath.mpf("1e-50") * (1 + abs(one)), key


@pytest.mark.parametrize("name", NAMES[::4])
def test_single_precision_is_float32_throughout(name):
    system = load_classic(name).system
    values, sizes = small_sample(system)
    if "diff(" in system.source:
        return
    single = evaluate_system(system, values, sizes, numbers=SINGLE)
    double = evaluate_system(system, values, sizes)
    for key in system.definitions:
        assert np.array_equal(single[key].astype(np.float32).astype(single[key].dtype), single[key])
        assert np.allclose(single[key], double[key], rtol=1e-3, atol=1e-4), key


def test_one_operation_is_numpys():
    rng = np.random.default_rng(1)
    left, right = rng.normal(size=(2, 500)).astype(np.float32)
    assert np.array_equal(SINGLE.add(left, right), left + right)
    assert np.array_equal(SINGLE.multiply(left, right), left * right)
    assert SINGLE.number(Fraction(1, 3)) == np.float32(1 / 3)


def test_random_rounding_moves_by_one_place_and_not_what_can_be_represented():
    rng = np.random.default_rng(1)
    left, right = rng.normal(size=(2, 500)).astype(np.float32)
    moved, nearest = at_random().multiply(left, right), left * right
    assert 100 < np.count_nonzero(moved != nearest) < 400
    assert np.all(np.abs(moved - nearest) <= np.spacing(np.abs(nearest)))
    # Sterbenz: the difference of numbers within a factor of two of one another is exact.
    close = np.float32(1e4) + left
    assert np.array_equal(at_random().add(close, -np.flip(close)), close - np.flip(close))
    assert np.array_equal(at_random().multiply(left, np.float32(-1)), -left)


def test_random_rounding_is_the_same_for_the_same_seed_and_keeps_what_is_not_finite():
    array = np.array([1.0, np.inf, -np.inf, np.nan, 0.0], dtype=np.float32)
    assert np.array_equal(
        at_random(3).multiply(array, array / 3), at_random(3).multiply(array, array / 3), equal_nan=True
    )
    assert np.array_equal(np.isfinite(at_random().multiply(array, array)), np.isfinite(array))


def test_float64_is_rounded_from_wider_numbers():
    double = RoundedNumbers(np.float64)
    assert double.add(np.asarray(1.0), np.asarray(2.0**-60)) == 1.0
    assert double.total(np.array([[1.0, 2.0**-53, 2.0**-53]])) == [1.0]  # rounded after each term


def test_precise_numbers_where_there_is_no_number():
    precise = PreciseNumbers()
    assert precise.power(objects(0.0), objects(-1.0))[0] == mpmath.inf
    assert mpmath.isnan(precise.power(objects(-1.0), precise.number(Fraction(1, 2)))[0])
    assert mpmath.isnan(precise.apply("log", [objects(-1.0)])[0])
    assert precise.apply("log", [objects(0.0)])[0] == -mpmath.inf
    huge = precise.apply("exp", [precise.apply("exp", [objects(1e5)])])
    assert huge[0] == mpmath.inf
    assert precise.apply("exp", [-precise.apply("exp", [objects(1e5)])])[0] == 0
    assert mpmath.isnan(precise.multiply(objects(np.inf), objects(0.0))[0])


def test_matrices_and_empty_axes_in_every_arithmetic():
    system = parse_system(
        "index i, j : N\nindex k : K\nparam A[i,j], w[k]\n"
        "loss E = logdet(A) + sum(i, inv(A)[i,i]) + sum(k, w[k])\n",
        "m",
    )
    values = {"A": np.array([[3.0, 1.0], [1.0, 2.0]]), "w": np.zeros(0)}
    sizes = {"N": 2, "K": 0}
    expected = np.log(5.0) + 1.0
    assert float(evaluate_system(system, values, sizes, numbers=PreciseNumbers())["E"]) == pytest.approx(
        expected
    )
    single = evaluate_system(system, values, sizes, numbers=SINGLE)["E"]
    assert single.dtype == np.float32
    assert single == pytest.approx(expected, rel=1e-6)
