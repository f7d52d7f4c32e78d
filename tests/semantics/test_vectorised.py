"""The fast evaluator means what the naive one means."""

from __future__ import annotations

from collections.abc import Mapping

import mpmath
import numpy as np
import pytest
from hypothesis import HealthCheck, given, seed, settings

from symbackprop.errors import VerificationError
from symbackprop.language.model import parse_system
from symbackprop.notation.expressions import Reduction, Where
from symbackprop.semantics import vectorised
from symbackprop.semantics.evaluation import evaluate
from symbackprop.semantics.naive import Array
from symbackprop.semantics.number_systems import PRECISE
from symbackprop.semantics.systems import evaluate_system
from symbackprop.semantics.ties import tied_sum
from symbackprop.semantics.vectorised import VectorisedEvaluator
from symbackprop.systems.system import System
from tests.models.classics import NAMES, load_classic, small_sample, text_of_classic
from tests.models.random_models import SIZES, model_texts, parsed, random_values
from tests.models.recurrences import TEXTS
from tests.sweeps import swept


def assert_same(system: System, values: Mapping[str, Array], sizes: Mapping[str, int]) -> None:
    slow, fast = evaluate(system, values, sizes), evaluate_system(system, values, sizes)
    assert slow.keys() == fast.keys()
    for name, expected in slow.items():
        np.testing.assert_allclose(fast[name], expected, rtol=1e-11, atol=1e-13, err_msg=name)


# A derivative inside a model has no value of its own here.
WITHOUT_DERIVATIVES = [name for name in NAMES if "diff(" not in text_of_classic(name)]


@pytest.mark.parametrize("name", WITHOUT_DERIVATIVES)
def test_classics(name: str) -> None:
    system = load_classic(name).system
    assert_same(system, *small_sample(system))


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_recurrences(name: str) -> None:
    system = parse_system(TEXTS[name])
    assert_same(system, *small_sample(system))


@pytest.mark.parametrize("part", swept(range(3), 1))
def test_random_models(part: int) -> None:
    @settings(max_examples=33, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @seed(part)
    @given(model_texts(most_equations=5, most_matrices=1))
    def evaluators_agree(text: str) -> None:
        system = parsed(text)
        assert_same(system, random_values(system), SIZES)

    evaluators_agree()


LAZY = """
index i, j, k : I
input x[i]
param w
loss E = {body}
"""


def value_of(body: str, x: list[float], w: float = 2.0) -> Array:
    system = parse_system(LAZY.format(body=body))
    return evaluate_system(system, {"x": np.array(x), "w": np.array(w)}, {"I": len(x)})["E"]


@pytest.mark.parametrize(
    ("body", "x", "expected"),
    [
        ("sum(i, where(i > 0, x[i-1], w))", [1.0, 2.0, 4.0], 5.0),
        ("sum(i, where(x[i] > 0, log(x[i]), 0))", [1.0, -1.0, np.e], 1.0),
        ("sum(i, where(i > 0 and x[i-1] > 1, 1, 0))", [1.0, 2.0, 4.0], 1.0),
        ("sum(i, where(not i == 0, 1, 0))", [1.0, 2.0, 4.0], 2.0),
        ("sum(i, where(not (size(i) > 2 or i == 0), 1, 0))", [1.0, 2.0], 1.0),
        ("sum(i, delta(i, 1)/x[i])", [0.0, 2.0, 0.0], 0.5),
        ("sum(i, j, delta(i, j)*x[i]*x[j])", [1.0, 2.0, 4.0], 21.0),
        ("sum(i, x[mod(i + 2, size(i))]*i)", [1.0, 2.0, 4.0], 5.0),
        ("sum(i, x[floor(i/2)])", [1.0, 2.0, 4.0], 4.0),
        ("sum(i, x[where(i > 0, i - 1, 0)])", [1.0, 2.0, 4.0], 4.0),
        ("sum(i, x[where(x[i] > 3, 0, size(i) - 1)])", [1.0, 2.0, 4.0], 9.0),
        ("sum(i, x[abs(i - 1)])", [1.0, 2.0, 4.0], 5.0),
        ("sum(i, x[min(i^2, 2)])", [1.0, 2.0, 4.0], 7.0),
        ("sum(i, where(i/10 + 1/5 == 3/10, x[i], 0))", [1.0, 2.0, 4.0], 2.0),
        ("sum(i, where(i < size(i)/2, x[i], 0))", [1.0, 2.0, 4.0], 3.0),
        ("max(i, -x[i]) + prod(i, x[i]) + min(i, x[i])", [1.0, 2.0, 4.0], 8.0),
        ("sum(i, w)", [1.0, 2.0, 4.0], 6.0),
        ("sum(i, x[i])", [], 0.0),
        ("prod(i, x[i])", [], 1.0),
    ],
)
def test_values_worked_out_by_hand(body: str, x: list[float], expected: float) -> None:
    assert value_of(body, x) == pytest.approx(expected, rel=1e-14)


def test_a_read_outside_its_axis_is_refused() -> None:
    with pytest.raises(VerificationError, match="'x' is read outside"):
        value_of("x[2]", [1.0, 2.0])


@pytest.mark.parametrize(
    "body",
    [
        "where({place} < size(i), x[{place}], 7)",
        "where(x[0] > 2 and {place} < size(i), x[{place}], 7)",
        "where({place} < size(i) and x[{place}] > 0, 1, 7)",
        "where({place} >= size(i) or x[{place}] > 0, 7, 1)",
        "sum(i, where({place} < size(i), x[{place}], 7))/2",
    ],
)
def test_a_position_that_a_guard_leaves_out_is_not_looked_at(body: str) -> None:
    place = "where(x[0] > 2, 0, size(i))"
    assert value_of(body.format(place=place), [1.0, 2.0]) == 7.0


def test_a_position_that_no_guard_leaves_out_is_looked_at_whatever_is_chosen() -> None:
    place = "where(x[0] > 2, size(i), 0)"
    system = parse_system(f"index i : I\nparam x[i]\nloss E = where({place} < size(i), x[{place}], 7)")
    (guarded,) = (each.expression for each in system.equations)
    assert isinstance(guarded, Where)
    evaluator = VectorisedEvaluator({"x": np.array([1.0, 2.0])}, {"I": 2})
    assert evaluator.array(guarded, ()) == 1.0
    with pytest.raises(VerificationError, match="'x' is read outside"):
        evaluator.array(guarded.chosen, ())


def test_no_condition_is_looked_at_where_the_derivative_behind_it_is_0() -> None:
    system = parse_system(
        "index p : P\nindex v : V\nindex q : Q\nparam x[p], a[p]\n"
        "y[q] = sum(p, a[p]*sum(v, where(x[p] > v, delta(2*p + v, q), 0)))\nloss E = sum(q, y[q])"
    )
    y, sizes = system.equations[0], {"P": 3, "V": 2, "Q": 2}
    values = {"x": np.array([2.0, -5.0, 1.0]), "a": np.array([3.0, 4.0, 7.0])}
    for pending, sides in ((frozenset({"a"}), {True}), (frozenset[str](), {True, False})):
        evaluator = VectorisedEvaluator(values, sizes, pending)
        assert evaluator.array(y.expression, y.indices).tolist() == [3.0, 3.0]
        assert list(evaluator.reached.values()) == [sides]


def test_positions_are_those_of_their_own_indices_broadcast() -> None:
    system = parse_system(
        "index n : N\nindex i : I\nindex r : R\nindex j : J = I - R + 1\nparam x[n,i], k[r]\n"
        "y[n,j] = sum(r, k[r]*x[n,j + r])\n"
        "loss E = sum(n, j, y[n,j]*x[floor(n/2),mod(j, 2)]*x[0,size(i) - 1])"
    )
    for sizes in ({"N": 3, "I": 5, "R": 2, "J": 4}, {"N": 1, "I": 4, "R": 3, "J": 2}):
        rng = np.random.default_rng(0)
        values = {"x": rng.normal(size=(sizes["N"], sizes["I"])), "k": rng.normal(size=sizes["R"])}
        assert_same(system, values, sizes)


@pytest.mark.parametrize(
    ("sizes", "expected"), [((3, 2, 0), [0, 0]), ((0, 2, 2), [0, 0]), ((3, 2, 1), [6, 0])]
)
def test_a_sum_inside_over_nothing_is_0_where_its_deltas_tie_an_index_of_its_own(sizes, expected) -> None:
    system = parse_system(
        "index a, r : A\nindex c : C\nindex k : K\nparam x[k], v[a]\n"
        "y[c] = sum(a, v[a]*sum(r, k, x[k]*delta(a, r)*delta(k, 2*c)))\nloss E = sum(c, y[c])"
    )
    named = dict(zip("ACK", sizes, strict=True))
    values = {"x": np.ones(named["K"]), "v": np.arange(1.0, named["A"] + 1)}
    np.testing.assert_array_equal(evaluate_system(system, values, named)["y"], expected)


def test_an_extremum_of_nothing_is_refused() -> None:
    with pytest.raises(VerificationError, match="max over an empty axis"):
        value_of("max(i, x[i])", [])


def test_what_is_too_large_is_worked_through_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.random.default_rng(0).normal(size=7).tolist()
    whole = value_of("sum(i, x[i]*sum(j, sin(x[j]*x[i])))", x)
    monkeypatch.setattr(vectorised, "MOST_POINTS", 5)
    assert value_of("sum(i, x[i]*sum(j, sin(x[j]*x[i])))", x) == pytest.approx(float(whole), rel=1e-14)


def test_the_complex_step_goes_through_every_function() -> None:
    system = parse_system(
        "index i : I\nparam x[i]\n"
        "loss E = sum(i, relu(x[i]) + max(x[i], 0.3) + abs(x[i]) + gelu(x[i]) + x[i]^3"
        " + softplus(x[i])*sigmoid(x[i]) + erf(x[i]) + lgamma(2 + x[i]^2) + tanh(x[i])/(1 + x[i]^2))"
    )
    x = np.array([-1.2, 0.4, 2.5])
    step = 1e-30
    for place in range(3):
        added = np.zeros(3, dtype=complex)
        added[place] = 1j * step
        moved = evaluate_system(system, {"x": x}, {"I": 3}, added={"x": added})["E"]
        h = 1e-6
        ahead, behind = (
            float(evaluate_system(system, {"x": x + sign * h * np.eye(3)[place]}, {"I": 3})["E"])
            for sign in (1, -1)
        )
        assert float(np.imag(moved)) / step == pytest.approx((ahead - behind) / (2 * h), rel=1e-7)


@pytest.mark.parametrize("exponent", [1.0, 2.0, 3.0, 0.5, -1.0])
def test_a_complex_step_moves_an_exponent_that_is_a_whole_number(exponent: float) -> None:
    """d/dp x^p = x^p*log(x), and 0 at x = 0 where p > 0, for every evaluator, however small the step."""
    system = parse_system("index i : I\ninput x[i]\nparam p\nloss E = sum(i, x[i]^p)")
    for x in ([0.5, 2.0], [0.0, 3.0])[: 2 if exponent > 0 else 1]:
        array = np.array(x)
        expected = sum(each**exponent * np.log(each) for each in x if each)
        for step in (1e-30, 1e-170):
            values = {"x": array, "p": np.array(exponent + 1j * step)}
            for found in (evaluate(system, values, {"I": 2}), evaluate_system(system, values, {"I": 2})):
                assert np.imag(found["E"]) / step == pytest.approx(expected, rel=1e-13)
        with mpmath.workdps(60):
            precise = {
                name: np.vectorize(mpmath.mpmathify, otypes=[object])(of) for name, of in values.items()
            }
            slope = evaluate(system, precise, {"I": 2}, PRECISE)["E"][()].imag / step
        assert float(slope) == pytest.approx(expected, rel=1e-13)


def test_both_sides_of_a_comparison_are_noted() -> None:
    system = parse_system(LAZY.format(body="sum(i, where(x[i] > 0, x[i], 0)) + where(w > 9, w, 1)"))
    reached: dict[object, set[bool]] = {}
    values = {"x": np.array([1.0, -1.0]), "w": np.array(2.0)}
    evaluate_system(system, values, {"I": 2}, reached=reached)  # type: ignore[arg-type]
    assert sorted(map(sorted, reached.values())) == [[False], [False, True]]


@pytest.mark.parametrize(
    "body",
    [
        "sum(i, j, w*x[i]*delta(2 - i, j)*x[j])",
        "sum(i, x[i]*sum(j, where(i + j < size(i), x[j]*delta(1 - i, j), 0)))",
        "sum(i, x[i]*sum(j, delta(i, j)*delta(j, 1)*x[j]))",
        "sum(i, j, delta(i, j)*delta(i, 0)*x[i])",
        "sum(i, j, delta(2*i, j)*x[i]*x[j])",
        "sum(i, sum(j, sum(i, delta(i, j)*x[i])*x[i]))",
        "sum(i, j, (delta(i, j) + delta(i, 0))*x[j])",
        "sum(i, j, x[i]*(w*delta(i, j) - x[j]*sum(k, x[k]*delta(i, j))/sum(k, x[k]^2)))",
        "sum(i, j, (delta(i, j)*delta(i, 0) + x[i]*delta(i, j))*x[j])",
        "sum(i, j, (delta(i, j) - delta(i, 0)*delta(j, 0) + w)*x[j])",
        "sum(i, j, (delta(i + 1, j)/x[j] - 3*delta(i + 1, j))*x[i])",
        "sum(i, j, delta(i + 3, j)*x[j])",
    ],
)
@pytest.mark.parametrize("x", [[1.5], [1.5, -2.0], [1.5, -2.0, 4.0]])
def test_sums_that_deltas_tie(body: str, x: list[float]) -> None:
    system = parse_system(LAZY.format(body=body))
    assert_same(system, {"x": np.array(x), "w": np.array(2.0)}, {"I": len(x)})


def test_a_sum_visits_what_the_deltas_of_all_its_terms_leave() -> None:
    body = "sum(i, j, x[i]*(delta(i, j)*delta(j, k) - sum(i, delta(i, k))*x[j]*delta(i, j)))"
    system = parse_system(f"index i, j, k : I\nparam x[i]\ny[k] = {body}\nloss E = sum(k, y[k])")
    whole = system.equations[0].expression
    assert isinstance(whole, Reduction)
    tied = tied_sum(whole)
    assert (len(tied.visited), len(tied.tied)) == (1, 1)


def test_more_sums_inside_one_another_than_an_array_has_dimensions() -> None:
    body = "x[i]"
    for number in range(40):
        body = f"sum(i{number}, {body})"
    indices = ", ".join(f"i{number}" for number in range(40))
    system = parse_system(f"index {indices} : K\nindex i : I\nparam x[i]\nloss E = sum(i, {body})")
    assert evaluate_system(system, {"x": np.array([1.0, 2.0])}, {"I": 2, "K": 1})["E"] == 3.0


@pytest.mark.parametrize("size", [1, 2, 4])
def test_functions_of_matrices(size: int) -> None:
    system = parse_system(
        "index i, j : I\nindex t : T\ninput S[t,i,j]\n"
        "y[t,i] = inv(S[t])[0,i] + cofactor(S[size(t)-1-t])[i,0] + det(S[0])*logdet(S[t])\n"
    )
    values = {"S": np.random.default_rng(0).normal(size=(3, size, size))}
    assert_same(system, values, {"I": size, "T": 3})


@pytest.mark.parametrize(("size", "count"), [(0, 2), (2, 0), (0, 0)])
def test_functions_of_matrices_without_places(size: int, count: int) -> None:
    text = "index i, j : I\nindex t : T\ninput S[t,i,j], A[i,j]\ny[t] = det(S[t])\nz = det(A) + trace(A)\n"
    values = {"S": np.zeros((count, size, size)), "A": np.eye(size)}
    assert_same(parse_system(text), values, {"I": size, "T": count})


def test_a_softplus_keeps_the_digits_of_its_tail() -> None:
    """A step along the imaginary axis too: what is added to 1 is far below its last place."""
    system = parse_system(
        "index i : I\nindex t : T\nparam l[i,t], k\nloss E = sum(i, softplus(3*(l[i,1] - k)))\n"
    )
    for top in (0.0, -4.0, -9.0, -13.0, -200.0):
        values = {"l": np.array([[7.0, top], [7.0, top - 1.0]]), "k": np.array(0.25)}
        expected = sum(mpmath.log1p(mpmath.exp(3 * (mpmath.mpf(each) - 0.25))) for each in (top, top - 1.0))
        for moved in (0.0, 1e-30j):
            found = evaluate_system(system, {**values, "k": values["k"] + moved}, {"I": 2, "T": 2})["E"]
            np.testing.assert_allclose(np.real(found), float(expected), rtol=1e-14)
