"""The comparison's command line; what it measures takes minutes and is not run here."""

from __future__ import annotations

import pytest

from benchmarks.comparison.__main__ import main, names_of_workloads
from benchmarks.comparison.workloads import MAKERS


@pytest.mark.parametrize("wrong", ["W6", "W3,W6", "", "W3,"])
def test_an_unknown_workload_is_answered_with_those_that_there_are(wrong, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["-w", wrong])
    assert stopped.value.code == 2
    message = capsys.readouterr().err
    assert "no workload" in message
    assert all(name in message for name in MAKERS)


def test_names_may_have_spaces_after_their_commas():
    assert names_of_workloads("W3, W6-1") == ("W3", "W6-1")
