"""The comparison's command line; what it measures takes minutes and is not run here."""

from __future__ import annotations

import pytest

from benchmarks.comparison import __main__ as comparison
from benchmarks.comparison.__main__ import main, names_of_workloads
from benchmarks.comparison.report import Measured
from benchmarks.comparison.workloads import MAKERS


@pytest.mark.parametrize("wrong", ["W9", "W3,W9", "", "W3,"])
def test_an_unknown_workload_is_answered_with_those_that_there_are(wrong, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["-w", wrong])
    assert stopped.value.code == 2
    message = capsys.readouterr().err
    assert "no workload" in message
    assert all(name in message for name in MAKERS)


def test_names_may_have_spaces_after_their_commas():
    assert names_of_workloads("W3, W6-1") == ("W3", "W6-1")
    assert names_of_workloads("W6,W1-32") == ("W6-1", "W6-8", "W1-32")


@pytest.mark.parametrize(
    ("arguments", "written"),
    [
        ([], "own"),
        (["-w", "W3"], ""),
        (["-w", "W3", "-o", "there"], "there"),
        (["-w", ",".join(MAKERS)], "own"),
    ],
)
def test_a_selection_does_not_replace_the_table_of_all(arguments, written, tmp_path, monkeypatch, capsys):
    for name in ("own", "there"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(comparison, "FOLDER", tmp_path / "own")
    monkeypatch.setattr(comparison, "write_module", lambda name, folder: folder)
    monkeypatch.setattr(comparison, "measure", lambda *of: [Measured(of[0], "ours", 1, 0.5, {"work": 1.0})])
    monkeypatch.setattr(comparison, "page", lambda measured, *_: f"{len(measured)} rows")
    monkeypatch.setattr(comparison, "plot", lambda *of: None)
    assert main(arguments) == 0
    rows = f"{1 if 'W3' in arguments else len(MAKERS)} rows"
    files = {path.parent.name: path.read_text() for path in tmp_path.glob("*/comparison.md")}
    assert files == ({written: rows} if written else {})
    assert (rows in capsys.readouterr().out) == (not written)
