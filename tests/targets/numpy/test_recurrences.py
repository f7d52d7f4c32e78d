"""The text of modules with recurrences: Python's loop over the steps, and NumPy for all else."""

from __future__ import annotations

import re

from symbackprop.derivation.driver import derive
from symbackprop.lowering.programs import lower
from symbackprop.pipeline import Model
from tests.models.recurrences import system_of
from tests.programs import numpy_source


def source_of(name: str) -> str:
    return numpy_source(lower(derive(system_of(name))))


def test_an_lstm() -> None:
    source = source_of("lstm")
    loops = re.findall(r"^ *for .*$", source, re.MULTILINE)
    assert [line.strip() for line in loops[:2]] == ["for t in range(T):", "for t in reversed(range(T)):"]
    assert "        h_before = h[:, t - 1] if t > 0 else np.zeros((N, J), dtype=dtype)\n" in source
    assert "    u_f_total = x @ Wf.T + bf\n" in source
    assert "    grad_Uf = delta_u_f[:, 1:].reshape(-1, J).T @ h[:, :-1].reshape(-1, J)\n" in source
    assert "np.where(t" not in source
    assert "np.arange(T)" not in source


def test_every_line_has_its_formula_above_it() -> None:
    body = source_of("elman").split("for t in reversed(range(T)):\n")[1].split("\n    #")[0]
    formulas = [line for line in body.splitlines() if line.strip().startswith("# ")]
    assert any(line.startswith("        # delta_u_h[n,t,j] = (1 - h[n,t,j]^2)*(where(") for line in formulas)


def test_log_sum_exp_is_stable_inside_the_loop() -> None:
    forward = source_of("hidden_markov").split("def _loss")[0]
    assert re.search(r"alpha_max = \(\n *np\.max\(.*\) if t != 0 else", forward)
    assert "errstate" not in forward


def test_a_delta_of_positions_is_not_described_as_a_column() -> None:
    """dh[t']/dh[t] has one entry where t' - 1 is t, and not in a row of its own index."""
    lesson = Model(system_of("elman")).derive(["U"]).text()
    section = lesson.split("\ndE/dh")[1].split("\ndE/du_h, kept")[0]
    assert "As a column" not in section
