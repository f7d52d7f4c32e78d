"""The first-order bound on rounding: what it says of one operation, and that float32 stays below it."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from symbackprop.language.model import parse_expression, parse_system
from symbackprop.notation.expressions import Add, Element, Expression, Index, Number
from symbackprop.semantics.naive import NaiveEvaluator
from symbackprop.semantics.rounded import Rounded, added
from symbackprop.semantics.rounding import RoundingErrors

SYSTEM = parse_system(
    "index i : I\nindex k : K\nparam a, b, c, x[i], y[i,k]\n"
    "loss E = a + b + c + sum(i, x[i]) + sum(i, k, y[i,k])"
)
VALUES = {"a": 3.0, "b": -1.25, "c": 1000.5}


def expression(text: str) -> Expression:
    return parse_expression(text, SYSTEM)


def errors(**formulas: str) -> RoundingErrors:
    """At one point."""

    def datum(spelled: str, places: tuple[int, ...]) -> list[float]:
        return [VALUES.get(spelled, 0.0) + sum(places) + 0.5]

    return RoundingErrors(1, datum, {name: ((), expression(text)) for name, text in formulas.items()})


def at_one_point(found: Rounded) -> tuple[float, float]:
    (value,), (error,) = found
    return value, error


@pytest.mark.parametrize(
    ("text", "value", "error"),
    [
        ("a", 3.5, 0.0),
        ("a - b", 4.25, 4.25),
        ("-a", -3.5, 0.0),
        ("a*b", -2.625, 2.625),
        ("1/a", 1 / 3.5, 1 / 3.5),
        ("(a - c)^2", 997.5**2, 3 * 997.5**2),
        ("(a + b) - a", -0.75, 2.75 + 0.75),
        ("a + b - c", 3.5 - 0.75 - 1001.0, 3.5 + 0.75 + 1001.0),
        ("sum(i, x[i])", 2.0, 2.0),
        ("max(i, x[i]*a)", 1.5 * 3.5, 1.5 * 3.5),
        ("where(a > b, a, 1/(a - a))", 3.5, 0.0),
        ("prod(i, x[i])", 0.75, 0.75),
    ],
)
def test_one_operation_after_another(text: str, value: float, error: float) -> None:
    assert at_one_point(errors().of(expression(text), {})) == pytest.approx((value, error))


@pytest.mark.parametrize("text", ["exp(c)", "1/(a - b)*log(b)", "log(b)", "sqrt(b)", "lgamma(a - a)"])
def test_what_is_not_finite_is_nan(text: str) -> None:
    assert math.isnan(at_one_point(errors().of(expression(text), {}))[0])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1/(a - a)", math.inf),
        ("(b - b)/sqrt(sum(i, (x[i] - x[i])^2))", 0.0),
        ("b/sqrt(sum(i, (x[i] - x[i])^2))*c*(b - b)", 0.0),
        # Each place of a sum for itself.
        ("sum(i, (x[i] - x[0])/sqrt((x[i] - x[0])^2))", 1.0),
        ("sqrt(b)*(a - a)", math.nan),
        ("(a - a)/sqrt(a^2 - 2*a*a + a^2)", math.nan),
    ],
)
def test_the_unit_vector_of_an_exact_0_is_0(text: str, value: float) -> None:
    """What multiplies a difference out is 0 by chance alone, and its reciprocal nothing."""
    found, _ = at_one_point(errors().of(expression(text), {}))
    assert found == value or (math.isnan(found) and math.isnan(value))


def test_what_is_not_finite_at_one_point_is_finite_at_another() -> None:
    at_three = RoundingErrors(3, lambda *_: [1e3, 0.0, -1e3], {})
    values, bounds = at_three.of(expression("where(a > 0, 1/a, exp(a))"), {})
    assert values == pytest.approx([1e-3, 1.0, 0.0]) and all(map(math.isfinite, bounds))
    values, _ = at_three.of(expression("exp(a)"), {})
    assert math.isnan(values[0]) and values[1:] == [1.0, 0.0]


def test_a_formula_passes_its_error_on() -> None:
    product, difference = -0.75 * 1001.0, -0.75 * 1001.0 + 0.75
    found = at_one_point(errors(a="b*c").of(expression("a - b"), {}))
    assert found == pytest.approx((difference, abs(product) + abs(difference)))


def test_a_formula_that_reads_itself_is_data() -> None:
    assert at_one_point(errors(a="a + b").of(expression("a"), {})) == pytest.approx((2.75, 2.75))


def test_a_formula_that_reads_the_step_before_without_end_ends_at_the_axis() -> None:
    (index,) = SYSTEM.tensors["x"].indices
    before = Element("x", (Add((index, Number(Fraction(-1)))),))
    formulas = {"x": ((index,), Add((expression("a"), before)))}
    found = RoundingErrors(1, lambda spelled, places: [1.0], formulas)
    assert at_one_point(found.of(expression("x[1]"), {})) == (3.0, 2.0 + 3.0)


def test_functions_in_exact_are_data() -> None:
    plain, exact = (
        at_one_point(RoundingErrors(1, lambda *_: [1.0], {}, functions).of(expression("1 - tanh(a)"), {}))
        for functions in (frozenset[str](), frozenset({"tanh"}))
    )
    assert plain[1] == pytest.approx(exact[1] + math.tanh(1.0))


@pytest.mark.parametrize(
    "text",
    ["(a - c)^2/b", "exp(b - a)*c - sum(i, x[i]*a)", "tanh(a*b) - sqrt(c)/3", "sum(i, k, (y[i,k] - c)*x[i])"],
)
def test_float32_stays_below_the_bound(text: str) -> None:
    """In units of 2^-24, with a little for what is of second order."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        given = {name: np.float32(value + rng.uniform()) for name, value in VALUES.items()}
        arrays = {"x": rng.uniform(0, 9, 2).astype("f"), "y": rng.uniform(0, 9, (2, 2)).astype("f"), **given}

        def datum(spelled: str, places: tuple[int, ...], arrays: dict = arrays) -> list[float]:
            return [float(np.asarray(arrays[spelled])[places])]

        value, error = at_one_point(RoundingErrors(1, datum, {}).of(expression(text), {}))
        single = NaiveEvaluator({k: np.asarray(v) for k, v in arrays.items()}, {"I": 2, "K": 2})
        in_float32 = float(np.float32(single.expression(expression(text))))
        assert abs(in_float32 - value) <= 1.01 * error * 2.0**-24


def test_free_indices_stand_where_they_are_put() -> None:
    (i,) = [node for node in expression("sum(i, x[i])").walk() if isinstance(node, Index)][:1]
    body = expression("sum(i, x[i])").children[0]
    assert at_one_point(errors().of(body, {i: 1})) == (1.5, 0.0)


def test_a_number_that_has_underflowed_is_no_exact_0() -> None:
    """exp(u)/sum(i, exp(u)) is no 0/0 that counts as 0 where u is -800."""
    far = RoundingErrors(1, lambda *_: [-800.0], {})
    value, _ = at_one_point(far.of(expression("exp(a)/(exp(a) + exp(c))"), {}))
    assert math.isnan(value)


def test_to_add_an_exact_0_is_no_operation() -> None:
    """1e3 - 999 + 0 is rounded once, at 1; three terms in any order may be rounded at 1e3."""
    near, far, zero = Rounded([1e3], [0.0]), Rounded([-999.0], [0.0]), Rounded([0.0], [0.0])
    assert added([near, zero, far]) == added([near, far]) == Rounded([1.0], [1.0])
    assert added([near, Rounded([0.0], [2.0]), far]).errors[0] > 1e3
    assert added([zero, zero]) == zero
