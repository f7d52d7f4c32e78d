"""Where nothing certain can be said, that is said; and what check could overlook, it does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.cli.main import run
from symbackprop.errors import UncertainError
from symbackprop.verification.check import check_module
from symbackprop.verification.comparing import by_many_digits, of_elements
from symbackprop.verification.report import COMPLEX_STEP
from tests.sweeps import swept

RELU = """
index n : N
index i, j : I
input x[n,i]
target d[n,j]
param V[j,i], b[j]
h[n,j] = relu(sum(i, V[j,i]*x[n,i]) + b[j])
loss E = sum(n, j, (h[n,j] - d[n,j])^2)
"""


def written(tmp_path, text: str, old: str, new: str):
    source = sb.loads(text).derive().to_numpy()
    assert old in source
    (tmp_path / "edited.py").write_text(source.replace(old, new))
    return tmp_path / "edited.py"


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("wrong", ["-7.0 * grad_V.T", "0.0 * grad_V", "-grad_V"])
def test_units_that_are_all_dead_hide_no_wrong_gradient(tmp_path, wrong: str, seed: int) -> None:
    path = written(tmp_path, RELU, 'grads = {"V": grad_V', f'grads = {{"V": {wrong}')
    assert not check_module(path, seed).ok


def test_a_gradient_that_was_rounded_on_its_way_is_noticed(tmp_path) -> None:
    rounded = "grad_V.astype(np.float32).astype(grad_V.dtype)"
    path = written(tmp_path, RELU, 'grads = {"V": grad_V', f'grads = {{"V": {rounded}')
    report = check_module(path)
    assert not report.ok
    assert any("no more digits than float32" in row.note for row in report.rows)


def test_an_exponential_that_overflows_on_shifted_data_accuses_no_gradient() -> None:
    report = sb.loads("param s\ninput x\nloss E = exp(-x/exp(s))*x").check()
    assert report.ok and any("by many digits" in row.note for row in report.rows)


def test_numbers_that_overflow_are_told_by_many_digits() -> None:
    steps = np.array([np.nan, 2.0])
    judge = of_elements("w", COMPLEX_STEP, steps, 1.0)
    told = by_many_digits(replace(judge, referee=lambda _name, direction: float(direction @ [5.0, 7.0])))
    assert told.row(np.array([5.0, 2.0])).ok and not told.row(np.array([5.1, 2.0])).ok
    untold = by_many_digits(replace(judge, referee=lambda _name, _direction: None))
    assert untold.expected is steps


def test_a_gradient_that_vanishes_on_all_data_is_said_to_tell_little() -> None:
    report = sb.loads("param p, q\nv = p\nloss E = q^2").check(wrt=["p", "q"])
    assert report.ok and any("the gradient of p is 0" in remark for remark in report.remarks)


@pytest.mark.parametrize("body", ["log(w - 100)", "(-8)^(1/3)*w", "log(-1)*w", "w/(1 - 1)"])
def test_what_is_finite_nowhere_is_run_and_said_not_to_be_verified(tmp_path, capsys, body: str) -> None:
    (tmp_path / "m.model").write_text(f"param w\nloss E = {body}\n")
    assert run(["generate", str(tmp_path / "m.model"), "-o", str(tmp_path / "m.py")]) == 0
    assert "Run, but not verified" in capsys.readouterr().err
    module = sb.load(tmp_path / "m.model").derive().module()
    with np.errstate(all="ignore"):
        assert not np.isfinite(module.loss({"w": 0.5}))


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        (
            "index t : T = 90000\nparam w[t]\nh[t] = where(t == 0, w[0], tanh(h[t-1] + w[t]))\n"
            "loss E = sum(t, h[t])",
            "T=12",
        ),
        ("index i, j : I = 900\nparam w[i,j]\nloss E = logdet(w)", "I=2"),
    ],
)
def test_large_sizes_are_made_smaller_to_run_the_module(text: str, sizes: str) -> None:
    assert sizes in sb.loads(text).derive().to_numpy()[:600]


def test_a_module_that_cannot_be_run_is_not_handed_out(tmp_path, capsys) -> None:
    (tmp_path / "m.model").write_text(
        "index i : I = 900000000\nparam w[i]\nloss E = w[899999999]*sum(i, pad(w[i+1])*w[i])\n"
    )
    assert run(["generate", str(tmp_path / "m.model")]) == 3
    assert "cannot be run before it is handed out" in capsys.readouterr().err
    assert run(["generate", str(tmp_path / "m.model"), "--no-verify"]) == 0


def test_there_is_no_derivative_by_integers() -> None:
    model = sb.loads("index i : I\ninput ids[i] in I\nparam p[i]\nloss E = sum(i, p[ids[i]])")
    with pytest.raises(sb.DerivationError, match="'ids' holds integers"):
        model.derive(["ids"])


def test_integers_given_for_real_tensors_are_converted() -> None:
    module = sb.loads(RELU).derive().module()
    given = {"V": np.ones((2, 2), dtype=np.int64), "b": np.zeros(2)}
    loss, grads = module.value_and_grad(given, x=np.ones((3, 2), dtype=np.int32), d=np.zeros((3, 2)))
    assert (loss.dtype, grads["V"].dtype) == (np.float64, np.float64)
    narrow = {"V": np.ones((2, 2), dtype=np.int64), "b": np.zeros(2, dtype=np.float32)}
    single, _ = module.value_and_grad(narrow, x=[[1, 2]], d=np.zeros((1, 2), dtype=np.float32))
    assert single.dtype == np.float32


LIKENESS = """
index b : B{size}
param h[b], g[b]
mh = mean(b, h[b])
mg = mean(b, g[b])
r = sum(b, (h[b] - mh)*(g[b] - mg))/sqrt(sum(b, (h[b] - mh)^2)*sum(b, (g[b] - mg)^2))
loss L = {loss}
"""
LOSSES = ["1/(1 - r^2)", "log(1 - r^2)", "acos(r)^(1/2)"]


@pytest.mark.parametrize("loss", swept(LOSSES[1:], 1))
def test_where_rounding_decides_longer_axes_tell_right_from_wrong(tmp_path, loss: str) -> None:
    """Two samples correlate by 1 or -1, whatever they are: 1 - r^2 is what rounding leaves of 0."""
    model = sb.loads(LIKENESS.format(size="", loss=loss))
    report = model.check()
    assert report.ok and all(each.sizes["B"] > 2 for each in report.rounds), report.rows
    assert any("rounding decides" in remark for remark in report.remarks)
    edited = written(tmp_path, LIKENESS.format(size="", loss=loss), '"g": grad_g', '"g": 1.01 * grad_g')
    assert not check_module(edited, model=model.system).ok


def test_where_rounding_decides_on_all_sizes_nothing_is_said() -> None:
    with pytest.raises(UncertainError, match="rounding decides"):
        sb.loads(LIKENESS.format(size=" = 2", loss=LOSSES[0])).check()


def test_a_wrong_gradient_of_steady_data_stays_wrong_on_short_axes(tmp_path) -> None:
    text = LIKENESS.format(size=" = 3", loss=LOSSES[0])
    edited = written(tmp_path, text, '"h": grad_h', '"h": grad_h + 0.001')
    assert not check_module(edited, model=sb.loads(text).system).ok


VOLUME = """
index k, l : K
index n : N
param V[k,n]
G[k,l] = sum(n, V[k,n]*V[l,n])
loss E = log(det(G))
"""


@pytest.mark.parametrize("seed", range(3))
def test_a_module_alone_is_compared_where_its_own_loss_is_steady(tmp_path, seed: int) -> None:
    """More vectors than dimensions, as the sizes 3 and 2 have: their volume is what rounding leaves of 0."""
    report = check_module(written(tmp_path, VOLUME, "", ""), seed)
    assert report.ok and all(each.sizes["K"] <= each.sizes["N"] for each in report.rounds), report.rows
    assert any("rounding decides" in remark for remark in report.remarks)
    assert not check_module(written(tmp_path, VOLUME, '"V": grad_V', '"V": 1.01 * grad_V'), seed).ok
