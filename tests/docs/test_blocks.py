"""Every block of every page runs, and prints what the page says that it prints."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, blocks_of
from tests.docs.running import DECLARATIONS, Session


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """In a copy of what the commands read, so that what they write stays out of the checkout."""
    for name in ("examples", "generated"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("COLUMNS", "110")
    monkeypatch.setenv("NO_COLOR", "1")
    yield Session(tmp_path)
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_blocks_of_a_page_run(page: Path, session: Session) -> None:
    for block in blocks_of(page):
        try:
            session.run(block)
        except Exception as error:
            error.add_note(f"in the block {block.language!r} of {block}")
            raise


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_block_stands_for_is_read_below_it(page: Path) -> None:
    blocks = list(blocks_of(page))
    for place, block in enumerate(blocks):
        if block.title and block.title != DECLARATIONS:
            later = " ".join(each.text for each in blocks[place + 1 :])
            assert re.search(rf"\b{re.escape(block.title.removesuffix('.py'))}\b", later), block


def test_the_first_screen_of_the_readme_shows_model_derivation_and_code() -> None:
    screen = "\n".join((ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:60])
    assert "loss E" in screen and "dE/dW2" in screen and "delta2" in screen
