from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray

from symbackprop.derivation.driver import derive
from symbackprop.emission.loading import load_module
from symbackprop.errors import MismatchError
from symbackprop.language.model import parse_system
from symbackprop.lowering.programs import lower
from symbackprop.pipeline import loads
from symbackprop.sampling.drawing import Draw
from symbackprop.sampling.rounds import ones_in_turn
from symbackprop.semantics.systems import evaluate_system
from symbackprop.targets.numpy.module import numpy_module
from symbackprop.verification.checked_module import under_check
from symbackprop.verification.comparing import of_elements
from symbackprop.verification.conformance import agree_where_told, beyond_rounding
from symbackprop.verification.report import COMPLEX_STEP
from symbackprop.verification.results import Compared, Subject
from symbackprop.verification.rounding import LOSS, RoundingOfTerms, moved_by_rounding, rounded_evaluations

Array: TypeAlias = NDArray[Any]


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


NORM = (
    "index t : T\nindex d : D = 1\ninput x[t,d], dy[t,d]\nparam g[d]\nm[t] = sum(d, x[t,d])/size(d)\n"
    "n[t,d] = (x[t,d] - m[t])/sqrt(0.00001 + sum(d, (x[t,d] - m[t])^2))*g[d]\n"
    "loss E = sum(t, d, dy[t,d]*n[t,d])\n"
)


def test_terms_that_cancel_exactly_have_a_rounding_all_the_same() -> None:
    derivation = derive(parse_system(NORM))
    rng = np.random.default_rng(0)
    sizes = {"T": 3, "D": 1}
    values = {"x": rng.normal(size=(3, 1)), "dy": rng.normal(size=(3, 1)), "g": rng.normal(size=1)}
    terms = RoundingOfTerms(derivation, values, sizes)
    # x - m is exactly 0; the terms are of size 1 and are divided by sqrt(1e-5).
    assert 1e-16 < terms.of_one("g") < 1e-12
    assert 0 < terms.of_one(LOSS) < 1e-12
    assert terms.of_one("no tensor") == 0.0


def test_elimination_fills_the_zeros_of_a_matrix_and_no_entry_of_a_smaller_scale() -> None:
    """The cofactor at an entry above the diagonal is 0 where all below are, and 1e-18 by LAPACK."""
    text = (
        "index c, c2 : C\nparam p[c], s\nm[c,c2] = where(c == c2, 4, 0) + where(c2 == c + 1, p[c], 0)\n"
        "loss E = tanh(det(m)/8)\n"
    )
    assert "Verified" in loads(text).derive().to_numpy()[:600]
    text = "index c, c2 : C\nparam m[c,c2]\nloss E = det(m)\n"
    values = {"m": np.diag([1e8, 1e-8, 1.0])}
    terms = RoundingOfTerms(derive(parse_system(text)), values, {"C": 3})
    assert 0 < terms.of_one("m") < 1e-7  # the largest cofactor is 1e8
    assert terms.of_one(LOSS) < 1e-14


def test_comparisons_and_integers_are_not_rounded() -> None:
    text = (
        "index i : I\ninput at[i] in I\nparam x[i], p\n"
        "y[i] = where(x[i] - x[i] >= 0, x[mod(at[i] + 1, size(i))], p)\nloss E = sum(i, y[i])\n"
    )
    derivation = derive(parse_system(text))
    values = {"at": np.array([2, 0, 1]), "x": np.array([1.0, 2.0, 3.0]), "p": np.array(5.0)}
    for known, adjoints in rounded_evaluations(derivation, values, {"I": 3}):
        np.testing.assert_allclose(known["y"], [1.0, 2.0, 3.0], rtol=1e-11)
        np.testing.assert_allclose(adjoints["x"], [1.0, 1.0, 1.0], rtol=1e-11)
        assert adjoints["p"] == 0


def test_an_error_beyond_the_rounding_of_terms_is_wrong() -> None:
    derivation = derive(parse_system(NORM))
    rng = np.random.default_rng(1)
    values = {"x": rng.normal(size=(3, 1)), "dy": rng.normal(size=(3, 1)), "g": rng.normal(size=1)}
    terms = RoundingOfTerms(derivation, values, {"T": 3, "D": 1})
    comparison = replace(of_elements("g", COMPLEX_STEP, np.zeros(1), 1e-6), rounding=terms)
    honest, wrong = np.array([10 * terms.of_one("g")]), np.array([1e5 * terms.of_one("g")])
    assert comparison.row(honest).ok
    assert not comparison.row(wrong).ok
    assert not replace(comparison, rounding=None).row(honest).ok


def _subject(text: str) -> Subject:
    derivation = derive(parse_system(text))
    printed = numpy_module(lower(derivation)).printed()
    checked = under_check(load_module(printed.text, "rounded"))
    return Subject(derivation, derivation.system, printed, checked)


def test_a_product_of_two_differences_that_are_both_zero_has_the_rounding_of_its_terms() -> None:
    """Over one n: (f - g)*(1 - 1) is off by 1e-32, and f - g where it is multiplied out by 1e-16."""
    loss = "sum(n, g[n]^2*(u[n] + v[n] - (u[0] + v[0]))^2)"
    subject = _subject(f"index n : N\nparam u[n], v[n], g[n]\nloss E = {loss}")
    values = {"u": np.array([0.7]), "v": np.array([-1.3]), "g": np.array([0.9])}
    known = evaluate_system(subject.model, values, {"N": 1})
    draw = Draw({"N": 1}, values, known, subject.adjoints(values, {"N": 1}))

    def off_by(error: float) -> Compared:
        return Compared("dE/du", np.array([error]), draw.adjoints["u"], lambda each: each.adjoints["u"], "u")

    assert not beyond_rounding(subject, draw, [off_by(2e-16)])
    assert beyond_rounding(subject, draw, [off_by(1e-11)])
    assert beyond_rounding(subject, draw, [off_by(1e-11), off_by(2e-16)])[0].found == 1e-11


def test_a_softmax_whose_weighted_mean_is_one_but_for_rounding_is_handed_out() -> None:
    # dE/du = p*(w - sum p*w) where all weights but that of a place of tiny probability are 1.
    text = (
        "index c : C = 4\nparam m[c], q\nu[c] = 30*c + m[c]\nw[c] = where(c == 1, 0, 1)\n"
        "loss E = sum(c, exp(u[c])*w[c])/sum(c, exp(u[c])) + q^2\n"
    )
    assert "Verified before it was written" in loads(text).derive().to_numpy()


def test_a_saturated_gate_has_the_digits_of_one_minus_its_value_and_an_ordinary_one_all() -> None:
    text = "index n : N\nparam w[n]\ny[n] = sigmoid(w[n])\nloss E = sum(n, y[n]^2)\n"
    derivation = derive(parse_system(text))
    far = RoundingOfTerms(derivation, {"w": np.array([12.0, 12.1])}, {"N": 2})
    # w's gradient is some 1e-5 there, and 2*y^2*(1 - y) is off by what rounds y: 1e-16.
    assert 1e-17 < far.of_closed_form("w") < 1e-15
    assert 1e-17 < far.of_one("w") < 1e-14
    near = RoundingOfTerms(derivation, {"w": np.array([-0.5, 0.7])}, {"N": 2})
    assert near.of_closed_form("w") < 1e-15


def test_a_saturated_neuron_is_not_taken_for_one_with_float32_inside() -> None:
    text = (
        "index n : N\ninput x[n], d[n]\nparam w, b\ny[n] = sigmoid(w*x[n] + b)\n"
        "loss E = 1/2*sum(n, (y[n] - d[n])^2)\n"
    )
    assert loads(text).check(seed=0).ok


NORMED = """index b : B
index e : D
input x[b,e]
param w[e], c
z[b,e] = relu(x[b,e]*w[e] + c)
m[b] = mean(e, z[b,e])
n[b,e] = (z[b,e] - m[b])/sqrt(mean(e, (z[b,e] - m[b])^2) + 1e-5)
loss E = sum(b, e, n[b,e]*x[b,e])
"""


def test_at_a_kink_the_chain_rule_is_rounded_and_the_data_stay() -> None:
    """A z that rounding lifts above 0 has another slope: that would pass what is wrong at the kink."""
    derivation = derive(parse_system(NORMED))
    values = {"x": np.array([[1.0, 2.0], [3.0, -1.0]]), "w": np.array([1.0, 0.5]), "c": np.array(-1.0)}
    known = evaluate_system(derivation.system, values, {"B": 2, "D": 2})
    assert np.count_nonzero(known["z"][0]) == 0
    terms = RoundingOfTerms(derivation, values, {"B": 2, "D": 2})
    off = max(float(np.max(np.abs(each["c"]))) for each in terms.changes)
    there = [np.max(np.abs(each["c"])) for each in replace(terms, at_kinks=True).changes]
    assert off > 1.0
    assert 0 < max(there) < 1e-8
    assert all(each[LOSS] == 0 for each in replace(terms, at_kinks=True).changes)


def test_at_a_kink_operations_are_rounded_and_what_is_exact_stays() -> None:
    subject = _subject(
        "index n : N\ninput x[n]\nparam w\nr[n] = max(w*x[n], 0)\ns[n] = tanh(w*x[n])\n"
        "loss E = sum(n, r[n] + s[n]^2)\n"
    )
    values = {"x": np.array([0.0, 2.0, -3.0, 1.0]), "w": np.array(1.0)}
    known = evaluate_system(subject.model, values, {"N": 4})
    draw = Draw({"N": 4}, values, known, subject.adjoints(values, {"N": 4}), is_at_kinks=True)
    moved = list(subject.rounded_at_kinks(draw))
    for one in moved:
        np.testing.assert_array_equal(one.known["r"], known["r"])
        np.testing.assert_allclose(one.known["s"], known["s"], rtol=2e-13)
    furthest = max(abs(float(one.adjoints["w"] - draw.adjoints["w"])) for one in moved)
    assert 1e-14 < furthest < 1e-11


UNSHIFTED = """
index n : N
index k : K
param w[n,k], c[n,k]
A[n,k] = exp(w[n,k])
P[n,k] = A[n,k]/sum(k, A[n,k])
loss E = sum(n, k, P[n,k]*c[n,k])
"""


def test_equations_are_asked_in_a_wider_range_before_a_module_is_wrong() -> None:
    """1/sum^2 is 0 in float64, and the chain rule as typed another number than the softmax's gradient."""
    subject, sizes = _subject(UNSHIFTED), {"N": 1, "K": 3}
    values = {"w": np.array([[400.0, 401.0, 402.0]]), "c": np.array([[1.0, -1.0, 3.0]])}
    known = evaluate_system(subject.model, values, sizes)
    draw = Draw(sizes, values, known, subject.adjoints(values, sizes))
    gradient = known["P"] * (values["c"] - np.sum(known["P"] * values["c"]))
    assert np.max(np.abs(draw.adjoints["w"] - gradient)) > 0.1

    def agrees(found: Array) -> bool:
        by = Compared("dE/dw", found, draw.adjoints["w"], lambda each: each.adjoints["w"], "w")
        return agree_where_told(subject, draw, [by])

    assert agrees(gradient)
    for wrong in (1.001 * gradient, -gradient):
        with pytest.raises(MismatchError):
            agrees(wrong)
