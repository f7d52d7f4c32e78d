"""docs/rules.md is what the rules' records say."""

from __future__ import annotations

from pathlib import Path

import pytest

from symbackprop.cli.main import run

PAGE = Path(__file__).parents[2] / "docs" / "rules.md"


def test_the_page_is_up_to_date(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written = tmp_path / "rules.md"
    assert run(["rules", "-o", str(written)]) == 0
    assert capsys.readouterr().out == ""
    assert written.read_text(encoding="utf-8") == PAGE.read_text(encoding="utf-8"), (
        "make it anew: symbackprop rules -o docs/rules.md"
    )
