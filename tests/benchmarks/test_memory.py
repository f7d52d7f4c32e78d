"""The table of memory beside JAX's, which is not asked here: a row, and what the exit code says of it."""

from __future__ import annotations

import pytest

from benchmarks import memory


@pytest.mark.parametrize(("jax", "code"), [(100_000, 0), (50, 1)])
def test_a_workspace_above_jax_is_a_miss(
    jax: int, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(memory, "jax_bytes", lambda of: jax)
    assert memory.main(["W3"]) == code
    *_, row = capsys.readouterr().out.splitlines()
    name, plain, bound, beside, ratio = row.strip("| ").split(" | ")
    assert (name, beside) == ("W3", f"{jax / 1e6:.3g} MB")
    # Two matrices of six numbers with their biases, in float32, are the least that is given back.
    assert 17 * 4 <= float(bound.removesuffix(" MB")) * 1e6 <= float(plain.removesuffix(" MB")) * 1e6
    assert float(ratio) == pytest.approx(float(bound.removesuffix(" MB")) * 1e6 / jax, rel=0.1, abs=0.01)
