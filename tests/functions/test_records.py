"""Each record is true: its evaluations agree with its formula, its facts with its values."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

from symbackprop.derivation.elementary_derivatives import at_arguments, elementary_derivative
from symbackprop.errors import RecordError
from symbackprop.functions.record import Domain, ElementwiseFunction, NumpyKernel, Overflow
from symbackprop.functions.table import ALL_FUNCTIONS, FUNCTIONS
from symbackprop.notation.expressions import Apply, Element
from symbackprop.semantics.array_functions import values_of
from symbackprop.semantics.naive import NaiveEvaluator
from symbackprop.semantics.number_systems import PRECISE, applied_as_ieee
from symbackprop.targets.numpy.calls import function_call
from symbackprop.targets.numpy.kernels import HELPERS, helpers_for

U = Element("u")
INSIDE = {
    Domain.REALS: (-6.5, -2.0, -0.75, 0.25, 1.0, 3.5),
    Domain.POSITIVE: (0.125, 0.75, 1.5, 2.0, 7.5, 40.0),
    Domain.ABOVE_MINUS_ONE: (-0.875, -0.25, 0.5, 3.0, 40.0),
    Domain.UNIT_INTERVAL: (-0.875, -0.25, 0.125, 0.75),
    Domain.BETWEEN_POLES: (-1.25, -0.5, 0.25, 1.0, 2.5),
}
FAR = (-800.0, -60.0, 60.0, 800.0)
of_one = pytest.mark.parametrize(
    "record", [each for each in FUNCTIONS.values() if each.arity == 1], ids=lambda each: each.name
)
each_record = pytest.mark.parametrize("record", FUNCTIONS.values(), ids=lambda each: each.name)


def arguments_of(record: ElementwiseFunction) -> list[tuple[float, ...]]:
    places = INSIDE[record.domain]
    return [(u,) if record.arity == 1 else (u, v) for u in places for v in (-0.5, u)][:: 3 - record.arity]


def precisely(record: ElementwiseFunction, arguments: tuple[float, ...]) -> mpmath.mpf:
    """With many digits: by the definition, or by mpmath where the function is elementary."""
    names = ("u", "v")[: record.arity]
    values = {
        name: np.array(mpmath.mpf(value), dtype=object) for name, value in zip(names, arguments, strict=True)
    }
    with mpmath.workdps(50):
        return NaiveEvaluator(values, {}, PRECISE).expression(
            Apply(record.name, tuple(map(Element, names))), {}
        )


@each_record
def test_numbers_agree_with_the_formula(record: ElementwiseFunction) -> None:
    for arguments in arguments_of(record):
        exact = precisely(record, arguments)
        found = record.evaluate(*arguments)
        assert abs(found - exact) <= 1e-14 * max(abs(exact), 1e-3), (record.name, arguments)


@of_one
def test_an_even_function_says_so(record: ElementwiseFunction) -> None:
    places = INSIDE[Domain.REALS] if record.domain is Domain.REALS else ()
    pairs = [(record.evaluate(u), record.evaluate(-u)) for u in places]
    assert record.is_even == (bool(pairs) and all(one == other for one, other in pairs))


@of_one
def test_an_odd_function_says_so(record: ElementwiseFunction) -> None:
    places = INSIDE[Domain.REALS] if record.domain is Domain.REALS else ()
    pairs = [(record.evaluate(u), record.evaluate(-u)) for u in places]
    assert record.is_odd == (bool(pairs) and all(one == -other for one, other in pairs))


@of_one
def test_what_keeps_positive_numbers_positive_says_so(record: ElementwiseFunction) -> None:
    places = [5e-324, 1e-300, 1e-17, *(u for u in INSIDE[record.domain] if u > 0), 60.0, 700.0]
    keeps = all(record.evaluate(u) > 0 and values_of(record.name, [np.float64(u)]) > 0 for u in places)
    assert keeps or not record.keeps_positive
    assert not keeps or record.keeps_positive or record.name in ("mish", "trigamma")


@each_record
def test_arrays_agree_with_numbers(record: ElementwiseFunction) -> None:
    places = np.array(arguments_of(record)).T
    for arrays in (places, places + 1e-20j):
        numbers = [record.evaluate(*place) for place in zip(*arrays.tolist(), strict=True)]
        found = values_of(record.name, list(arrays))
        np.testing.assert_allclose(found.real, np.real(numbers), rtol=1e-14, atol=1e-300)
        np.testing.assert_allclose(found.imag, np.imag(numbers), rtol=1e-13, atol=1e-34)


@of_one
def test_the_complex_step_is_the_slope(record: ElementwiseFunction) -> None:
    for (u,) in arguments_of(record):
        slope = (record.evaluate(complex(u, 1e-30)) / 1e-30).imag
        with mpmath.workdps(50):
            step = mpmath.mpf(10) ** -15
            ahead, behind = precisely(record, (u + step,)), precisely(record, (u - step,))
            expected = 0 if record.is_identity or record.is_integer else (ahead - behind) / (2 * step)
        assert abs(slope - expected) <= 1e-13 * max(1, abs(expected)), (record.name, u)


@of_one
def test_a_derivative_of_its_own_is_the_slope(record: ElementwiseFunction) -> None:
    if record.definition is not None or record.name == "trigamma":  # SymPy's next has no name
        return
    derivative = at_arguments(elementary_derivative(record.name), (U,))
    for (u,) in arguments_of(record):
        found = NaiveEvaluator({"u": np.array(u)}, {}).expression(derivative, {})
        slope = (record.evaluate(complex(u, 1e-30)) / 1e-30).imag
        assert found == pytest.approx(slope, rel=1e-12, abs=1e-14), (record.name, u)


@of_one
def test_domain_and_overflow(record: ElementwiseFunction) -> None:
    """Finite wherever the record says so, and not finite where it says that."""
    values = {u: record.evaluate(u) for u in FAR}
    if record.domain is Domain.REALS:
        finite = {
            Overflow.NEVER: set(FAR),
            Overflow.ABOVE_ZERO: set(FAR) - {800.0},
            Overflow.BOTH_SIDES: {-60.0, 60.0},
        }[record.overflow]
        assert {u for u, value in values.items() if math.isfinite(value)} == finite
    elif record.domain in (Domain.POSITIVE, Domain.ABOVE_MINUS_ONE):
        assert all(math.isfinite(record.evaluate(u)) for u in (1e-9, 60.0, 800.0))
        pole = 0.0 if record.domain is Domain.POSITIVE else -1.0
        assert not math.isfinite(record.evaluate(pole))
    elif record.domain is Domain.UNIT_INTERVAL:
        assert math.isfinite(record.evaluate(1.0)) and math.isnan(record.evaluate(1.5))


@of_one
def test_what_is_said_to_be_nonnegative_is(record: ElementwiseFunction) -> None:
    places = [*(u for (u,) in arguments_of(record)), *(FAR if record.domain is Domain.REALS else ())]
    if record.is_nonnegative:
        assert all(record.evaluate(u) >= 0 for u in (*places, 0.0))


@of_one
def test_a_kink_lies_at_zero_and_nowhere_else(record: ElementwiseFunction) -> None:
    """The formula by the other convention has the same values elsewhere, and another slope or value at 0."""
    if record.kink is None:
        if record.domain in (Domain.REALS, Domain.UNIT_INTERVAL, Domain.BETWEEN_POLES):
            below, above = ((record.evaluate(complex(u, 1e-30)) / 1e-30).imag for u in (-1e-9, 1e-9))
            assert below == pytest.approx(above, abs=1e-7)
        return
    other = record.kink.otherwise(U)

    def value(u: complex) -> complex:
        return complex(NaiveEvaluator({"u": np.array(u)}, {}).expression(other, {}))

    for u in (-2.0, -0.5, 0.5, 2.0):
        assert value(complex(u, 1e-30)) == complex(record.evaluate(complex(u, 1e-30)))
    assert value(1e-30j) != complex(record.evaluate(1e-30j))


def test_a_tie_goes_the_other_way_by_the_other_convention() -> None:
    for record in FUNCTIONS.values():
        if record.arity == 2 and not record.shown_by_definition:
            assert record.kink is not None
            tie = (complex(1.0, 1e-30), complex(1.0, 2e-30))
            other = record.kink.otherwise(U, Element("v"))
            values = {"u": np.array(tie[0]), "v": np.array(tie[1])}
            assert record.evaluate(*tie) == tie[0]
            assert NaiveEvaluator(values, {}).expression(other, {}) == tie[1]


def test_every_function_has_a_meaning_and_a_target() -> None:
    for name, record in FUNCTIONS.items():
        assert name == record.name
        ways = [record.definition, record.derivative, record.sympy]
        assert sum(way is not None for way in ways) == 1, name
        assert (record.precise is None) == (record.definition is not None), name
        assert record.numpy is not None, name
        assert record.latex.format(*"uv"[: record.arity]).count("u") >= 1
    assert {name for name, record in ALL_FUNCTIONS.items() if record.numpy is None} == {"floor", "mod"}


def test_a_kernel_calls_helpers_and_not_itself() -> None:
    for name, record in FUNCTIONS.items():
        if isinstance(record.numpy, NumpyKernel):
            assert name not in record.numpy.calls


def test_a_record_whose_kernel_has_no_template_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(HELPERS, "wave", ())  # type: ignore[arg-type]
    with pytest.raises(RecordError, match=r"'wave' has no kernel: there is no .*wave\.py\.j2"):
        helpers_for(["wave"])


def test_a_record_that_names_nothing_of_numpy_is_named() -> None:
    with pytest.raises(
        RecordError, match=r"nothing of NumPy computes the function 'wave'\n.*NumpyKernel\(\)"
    ):
        function_call("wave", ())


@pytest.mark.parametrize("name", ["erf", "normcdf", "gelu"])
def test_a_complex_step_through_the_normal_distribution_keeps_its_digits(name: str) -> None:
    """It takes no digits of mpmath's: a gelu of many numbers would take minutes."""
    record = FUNCTIONS[name]
    for u in (-8.0, -2.5, -0.3, 0.0, 1e-5, 0.7, 3.0, 9.0):
        with mpmath.workdps(120):
            exact = _precise(name)(mpmath.mpc(u, 1e-30))
            value, slope = float(exact.real), float(exact.imag / mpmath.mpf(1e-30))
        found = record.evaluate(complex(u, 1e-30))
        assert found.real == pytest.approx(value, rel=1e-14, abs=1e-300)
        assert found.imag / 1e-30 == pytest.approx(slope, rel=1e-12, abs=1e-300)


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("u", [-0.5, -1.5, -2.25, -7.75, -33.5])
def test_a_complex_step_through_lgamma_is_its_slope_below_0_too(u: float, side: int) -> None:
    """log |gamma(u)| is continued: the principal branch jumps by multiples of pi*i on both sides of u < 0."""
    record = FUNCTIONS["lgamma"]
    assert record.precise is not None
    for step in (1e-30, 1e-170):
        found = record.evaluate(complex(u, side * step))
        assert found.real == pytest.approx(math.lgamma(u), rel=1e-14, abs=1e-14)
        assert side * found.imag / step == pytest.approx(float(mpmath.psi(0, u)), rel=1e-13)
    with mpmath.workdps(60):
        precise = precisely(record, (u,)), applied_as_ieee(record.precise, mpmath.mpc(u, side * 1e-30))
        assert [float(each.real) for each in precise] == pytest.approx([math.lgamma(u)] * 2, rel=1e-14)
        assert float(side * precise[1].imag / 1e-30) == pytest.approx(float(mpmath.psi(0, u)), rel=1e-13)


def _precise(name: str) -> Callable[[Any], Any]:
    if name == "erf":
        return mpmath.erf
    return lambda u: mpmath.erfc(-u / mpmath.sqrt(2)) / 2 * (u if name == "gelu" else 1)


def test_trigamma_far_below_zero_takes_no_step_for_each_whole_number() -> None:
    """mpmath's own does, so that one value at -1e8 took minutes."""
    evaluate = ALL_FUNCTIONS["trigamma"].evaluate
    for u in (-0.25, -20.3, -200.75):
        assert evaluate(u) == pytest.approx(float(mpmath.psi(1, u)), rel=1e-14)
        slope = (evaluate(complex(u, 1e-30)) / 1e-30).imag
        assert slope == pytest.approx(float(mpmath.psi(2, u)), rel=1e-13)
    # (pi/sin(pi*u))^2 where u is a whole number and a quarter, less psi'(1 - u), which goes to 0
    assert evaluate(-(2.0**40) + 0.25) == pytest.approx(2 * math.pi**2, rel=1e-11)
