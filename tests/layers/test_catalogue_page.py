"""docs/catalogue.md is what the layers' files say."""

from __future__ import annotations

from pathlib import Path

import pytest

from symbackprop.cli.main import run
from symbackprop.layers.catalogue import CATALOGUE

PAGE = Path(__file__).parents[2] / "docs" / "catalogue.md"


def test_the_page_is_up_to_date(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written = tmp_path / "catalogue.md"
    assert run(["catalogue", "-o", str(written)]) == 0
    assert capsys.readouterr().out == ""
    assert written.read_text(encoding="utf-8") == PAGE.read_text(encoding="utf-8"), (
        "make it anew: symbackprop catalogue -o docs/catalogue.md"
    )


def test_the_page_names_every_layer_and_loss() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for kind, formula in CATALOGUE.items():
        assert f"| [`{kind}`](#" in page and f"`sb.{formula.python}`" in page
        assert formula.title in page
        if not formula.presets:
            assert f"\n### {kind}\n" in page and formula.source in page
            assert formula.body.strip("\n") in page
