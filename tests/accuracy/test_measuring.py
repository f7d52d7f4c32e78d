"""Forms that lose digits are told from those that keep them, and from the luck of one rounding."""

from __future__ import annotations

import re
from math import inf

import mpmath
import numpy as np
import pytest

from symbackprop.accuracy.evaluations import AsTyped
from symbackprop.accuracy.measuring import digits_of_model, digits_of_module
from symbackprop.accuracy.report import DigitsReport, DigitsRow, Verdict, graver
from symbackprop.derivation.driver import derive
from symbackprop.errors import VerificationError
from symbackprop.language.model import parse_system
from symbackprop.pipeline import loads
from symbackprop.targets.numpy.target import NUMPY

CENTRED = """
index n : N
input x[n]
param c
r[n] = x[n] - c
loss E = sum(n, r[n]^3)
"""


def kept(row: DigitsRow) -> bool:
    return row.verdict is Verdict.KEPT


@pytest.fixture
def edited(tmp_path):
    """A module whose text was changed, in a file."""

    def edit(text, old="", new=""):
        source = loads(text, "centred").derive().to_numpy()
        assert old in source
        path = tmp_path / "centred.py"
        path.write_text(source.replace(old, new), encoding="utf-8")
        return path

    return edit


def test_what_was_typed_keeps_its_digits():
    report = digits_of_model(NUMPY, parse_system(CENTRED, "centred"), budget=60)
    assert report.ok and not report.is_empty and not report.remarks
    assert report.tensors == ("E", "c")
    assert {row.precision for row in report.rows} == {"float32", "float64"}
    assert {"plain", "all x100", "all + 1e6", "large negatives", "near-equal"} <= set(report.data)
    assert all(row.module < 1e-5 for row in report.rows)


def test_a_square_multiplied_out_is_found_where_the_data_are_shifted(edited):
    whole = edited(CENTRED)
    model = parse_system(CENTRED, "centred")
    assert digits_of_module(whole, model, budget=60).ok
    source = whole.read_text(encoding="utf-8")
    expanded = "    grad_c = -3.0 * np.sum(X * X - 2.0 * X * C + C * C)"
    expanded = expanded.replace("X", 'tensors["x"]').replace("C", 'tensors["c"]')
    source, count = re.subn(r"^    grad_c = .*$", expanded, source, flags=re.MULTILINE)
    assert count == 1
    whole.write_text(source, encoding="utf-8")
    report = digits_of_module(whole, model, budget=60)
    worse = [row for row in report.rows if not kept(row)]
    assert {row.tensor for row in worse} == {"c"}
    assert {"all + 1e4", "all + 1e6"} <= {row.data for row in worse}
    assert {row.precision for row in worse} == {"float32", "float64"}
    assert "plain" not in {row.data for row in worse}


SHIFTED = """
index n : N
input x[n]
param w, b, c
h[n] = c*tanh(w*x[n]) + b
loss E = sum(n, h[n]^2)
"""


def test_an_offset_taken_off_again_is_found_where_it_alone_is_large(edited):
    """c*tanh(u) by h - b: with b, c and x of one size the sum hides what is lost."""
    whole = edited(SHIFTED)
    model = parse_system(SHIFTED, "centred")
    assert digits_of_module(whole, model, budget=60).ok
    source = whole.read_text(encoding="utf-8")
    source, count = re.subn(
        r"^    grad_c = .*$",
        '    h = tensors["c"] * np.tanh(tensors["w"] * tensors["x"]) + tensors["b"]\n'
        '    grad_c = np.sum(2.0 * h * (h - tensors["b"])) / tensors["c"]',
        source,
        flags=re.MULTILINE,
    )
    assert count == 1
    whole.write_text(source, encoding="utf-8")
    report = digits_of_module(whole, model, budget=60)
    worse = {row.data for row in report.rows if row.verdict is Verdict.WORSE}
    assert "b + 1e4 alone" in worse and not worse & {"plain", "all x8", "w + 1e4 alone", "x + 1e4 alone"}
    assert "b + 1e4 alone" in report.table.rows[report.tensors.index("c")][-1]


@pytest.mark.parametrize(
    "model",
    [
        "index n, c : N\nindex k : K\nparam x[n,k], g[k]\ns[k] = sum(n, (x[n,k] - mean(c, x[c,k]))^2)\n"
        "loss E = sum(k, g[k]*s[k]/mean(n, x[n,k])^2)\n",
        "index n : N\ninput t[n]\nparam q[n], b\nm = mean(n, q[n])\n"
        "r = sum(n, (q[n] - t[n])^2)/sum(n, (q[n] - m)^2)\nloss E = (1 - r)*b\n",
    ],
    ids=["squares over a squared mean", "the unexplained part of a variance"],
)
def test_differences_from_a_mean_stay_what_they_are(model):
    """x/mean(x) - 1 for (x - mean(x))/mean(x), or t - mean(q) for t - q, loses the rounding of the mean."""
    report = digits_of_model(NUMPY, parse_system(model, "m"), budget=60)
    assert report.verdict is not Verdict.WORSE and report.rows


def test_of_many_tensors_some_are_left_out_and_said():
    names = [f"w{number}" for number in range(15)]
    system = parse_system(f"param {', '.join(names)}\nloss E = ({'*'.join(names[:-1])} + w14)^2\n")
    report = digits_of_model(NUMPY, system, wrt=["w0"], budget=60)
    assert "not shifted alone: w11, w12, w13" in report.remarks
    assert {"w14 + 1e4 alone", "w10 + 1e4 alone"} <= set(report.data)


def test_where_neither_has_a_digit_there_is_none_to_lose():
    rows = [
        DigitsRow("u", "float32", "plain", *each) for each in ((0.7, 0.6), (0.4, 0.6), (0.7, inf), (9.0, 0.6))
    ]
    assert [row.verdict for row in rows] == [Verdict.NONE, Verdict.KEPT, Verdict.NONE, Verdict.WORSE]
    report = DigitsReport("m", 0, {}, (), (DigitsRow("u", "float32", "all x8", 9e-7, 3e-7), rows[0]))
    assert report.verdict is Verdict.NONE and not report.ok
    assert DigitsRow("u", "float32", "plain", 1.0, 1.0, among_all=1e-12).verdict is Verdict.KEPT
    assert report.table.rows == (
        ("u", "7.0e-01", "6.0e-01", "", "", "NO DIGITS  float32, plain: neither has a digit"),
    )


def test_an_intermediate_rounded_to_float32_is_found(edited):
    path = edited(CENTRED, "r = x - c", "r = (x - c).astype(np.float32).astype(x.dtype)")
    report = digits_of_module(path, parse_system(CENTRED, "centred"), budget=60)
    assert {row.precision for row in report.rows if not kept(row)} == {"float64"}


def test_a_module_that_breaks_down_says_so(edited):
    path = edited(CENTRED, "    grad_c = ", "    grad_c = nothing * ")
    with pytest.raises(VerificationError, match="raised NameError"):
        digits_of_module(path, parse_system(CENTRED, "centred"))


def test_a_module_that_solves_no_singular_matrix_has_no_digits_there(edited):
    singular = "    if abs(r[0]) > 50: np.linalg.inv(np.zeros((1, 1)))\n"
    path = edited(CENTRED, "    grad_c = ", f"{singular}    grad_c = ")
    report = digits_of_module(path, parse_system(CENTRED, "centred"), budget=60)
    assert {row.module for row in report.rows if not kept(row)} == {inf}
    assert not any(kept(row) for row in report.rows if row.data == "data + 1e4")


def test_not_finite_where_the_chain_rule_is_finite_is_worse():
    row = DigitsRow("u", "float32", "plain", inf, 1e-7)
    assert not kept(row) and row.ratio == inf
    assert DigitsRow("u", "float32", "plain", inf, inf).verdict is Verdict.NEITHER
    assert DigitsRow("u", "float32", "plain", 1e-7, inf).ratio == 0.0


def test_the_gravest_verdict_of_all_rows_counts():
    kept_row, neither, worse = (
        DigitsRow("u", "float32", "plain", *each) for each in ((0.0, 0.0), (inf, inf), (inf, 1.0))
    )
    reports = [
        DigitsReport("m", 0, {}, (), rows) for rows in ((kept_row,), (kept_row, neither), (worse, neither))
    ]
    assert [report.verdict for report in reports] == [Verdict.KEPT, Verdict.NEITHER, Verdict.WORSE]
    assert [report.ok for report in reports] == [True, False, False]


def test_a_row_is_worse_beyond_four_times_and_eight_roundings():
    eps = float(np.finfo(np.float64).eps)
    assert kept(DigitsRow("u", "float64", "plain", 8 * eps, 0.0))
    assert not kept(DigitsRow("u", "float64", "plain", 9 * eps, 0.0))
    assert kept(DigitsRow("u", "float64", "plain", 4e-3, 1e-3))
    assert not kept(DigitsRow("u", "float64", "plain", 5e-3, 1e-3))


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ([(1e-3, 1e-12), (0.9, inf)], Verdict.WORSE),
        ([(1e-12, 1e-12), (inf, inf)], Verdict.NEITHER),
        ([(inf, inf), (inf, 1e-12)], Verdict.WORSE),
        ([(0.9, 0.9), (1e-12, 1e-12)], Verdict.NONE),
        ([(1e-3, 1e-3), (1e-12, 1e-12)], Verdict.KEPT),
    ],
)
def test_one_draw_without_digits_as_typed_excuses_no_other(errors, expected):
    rows = [DigitsRow("u", "float64", "plain", *each) for each in errors]
    for one, other in (rows, reversed(rows)):
        found = graver(one, other)
        assert found.verdict is expected and found in rows


def test_a_report_without_rows_says_nothing_certain():
    report = DigitsReport("m", 0, {}, (), ())
    assert report.is_empty and not report.ok
    assert report.worst("u", "float32") is None


def test_the_truth_of_tails_has_the_digits_that_they_need():
    """1 - sigmoid(u) at 700 is e^-700, of which sixty digits see nothing."""
    system = parse_system("param u\nloss E = log(1 - sigmoid(u))\n")
    as_typed = AsTyped(derive(system, ("u",)))
    truth = as_typed.truth({"u": np.array(700.0)}, {}, reach=800.0)
    assert abs(truth.values["E"][()] + 700) < mpmath.mpf("1e-50")
    assert abs(truth.values["u"][()] + 1) < mpmath.mpf("1e-50")
    assert not mpmath.isfinite(as_typed.truth({"u": np.array(700.0)}, {}, reach=0.0).values["E"][()])


def test_a_gradient_that_is_zero_is_measured_against_the_others():
    """The softmax's probabilities sum to 1, whatever the data."""
    system = parse_system(
        "index k : K\nparam u[k], a\np[k] = exp(u[k])/sum(k, exp(u[k]))\nloss E = sum(k, p[k]) + a^2\n"
    )
    as_typed = AsTyped(derive(system, ("u", "a")))
    truth = as_typed.truth({"u": np.array([0.3, -1.0]), "a": np.array(0.5)}, {"K": 2}, 0.0)
    assert truth.size("u") == 0.0
    assert truth.relative_error("u", np.array([1.25e-7, 0.0]), np.float64) == pytest.approx(1e-7)


def test_a_model_too_large_for_many_digits_is_said():
    system = parse_system("index i, j, k, l : N\nparam w[i]\nloss E = sum(i, j, k, l, w[i]*w[j]*w[k]*w[l])\n")
    report = digits_of_model(NUMPY, system, budget=60)
    assert report.ok
    as_typed = AsTyped(derive(system, ("w",)))
    assert as_typed.truth({"w": np.ones(40)}, {"N": 40}, 0.0) is None


def test_a_module_of_another_model_is_refused(edited):
    with pytest.raises(VerificationError, match="states other tensors"):
        digits_of_module(edited(CENTRED), parse_system(CENTRED.replace("c", "q"), "other"))


def test_what_the_time_does_not_allow_is_said():
    report = digits_of_model(NUMPY, parse_system(CENTRED, "centred"), budget=0.0)
    assert any("not measured within 0 s: tails to 800 in float64" in each for each in report.remarks)
    assert report.rows


def test_what_is_left_of_1_below_sixty_digits_counts():
    """log(1 + e^-150) is 7e-66, of which sixty digits see nothing, and float64 everything."""
    report = digits_of_model(NUMPY, parse_system("param w\nloss E = log(1 + exp(-150 - w^2))\n"), budget=60)
    assert report.ok
    row = report.worst("E", "float64")
    assert row is not None and row.module < 1e-12


def test_where_the_loss_is_too_large_nothing_is_measured():
    model = (
        "index t : T\nparam a, b, c\nx[t] = where(t == 0, a, x[t-1]*(1 - y[t-1]))\n"
        "y[t] = where(t == 0, b, y[t-1]*(1 + c*x[t-1]))\nloss E = sum(t, x[t]^4)\n"
    )
    report = digits_of_model(NUMPY, parse_system(model), budget=60)
    assert report.ok
    assert ("float32", "all + 1e6") not in {(row.precision, row.data) for row in report.rows}
    assert ("float64", "all + 1e6") in {(row.precision, row.data) for row in report.rows}
    assert "not measured: all + 1e6 in float32: the loss is not finite there, or too large for it" in [
        str(each) for each in report.remarks
    ]


NEURON = """
index b : B
input x[b]
target d[b]
param w
u[b] = w*x[b]
y[b] = {activation}
loss E = 1/2*sum(b, (y[b] - d[b])^2)
"""


@pytest.mark.parametrize("activation", ["sigmoid(u[b])", "1/(1 + exp(-u[b]))", "tanh(u[b])"])
def test_a_saturated_value_has_the_digits_of_its_distance_from_1(activation):
    """Every textbook writes y*(1 - y), which has lost what y has lost."""
    report = digits_of_model(NUMPY, parse_system(NEURON.format(activation=activation), "neuron"), budget=60)
    assert report.ok


@pytest.mark.parametrize(
    "edit", [("(1.0 - y)", "(1.0 - (y + 1e3 - 1e3))"), ("y * (1.0", "(1.0 - (1.0 - y)) * (1.0")]
)
def test_what_the_value_still_has_may_not_be_lost(edited, edit):
    model = parse_system(NEURON.format(activation="sigmoid(u[b])"), "centred")
    report = digits_of_module(edited(model.source, *edit), model, budget=60)
    assert report.verdict is Verdict.WORSE


def test_a_value_that_the_model_does_not_hold_excuses_nothing(edited):
    """The derivative of softplus(u) is sigmoid(u), and reads no value that is rounded to 1."""
    text = "index b : B\ninput x[b]\nparam w\nu[b] = w*x[b] - 6\nloss E = sum(b, softplus(u[b])*x[b])\n"
    model = parse_system(text, "centred")
    broken = edited(text, "@ sigmoid(u)", "@ (1.0 - sigmoid(-u))")
    assert digits_of_module(broken, model, budget=60).verdict is Verdict.WORSE


def test_what_a_mask_leaves_out_is_seen_where_it_is_most_of_all(tmp_path):
    """The sum over all pairs less that over a point with itself, near orthonormal points."""
    text = """
index n, m : N
index d : D
param z[n,d], t
s[n,m] = sum(d, z[n,d]*z[m,d])
loss E = t*sum(n, m, (1 - delta(n,m))*s[n,m]^2)
"""
    source = loads(text, "pairs").derive().to_numpy()
    expanded = "    grad_t = np.sum(s * s) - np.sum(np.diagonal(s) ** 2)"
    source, count = re.subn(r"^    grad_t = .*$", expanded, source, flags=re.MULTILINE)
    assert count == 1
    path = tmp_path / "pairs.py"
    path.write_text(source, encoding="utf-8")
    model = parse_system(text, "pairs")
    assert digits_of_model(NUMPY, model, budget=60).ok
    worse = [row for row in digits_of_module(path, model, budget=60).rows if not kept(row)]
    assert "near-identity" in {row.data for row in worse}
    assert "t" in {row.tensor for row in worse}
