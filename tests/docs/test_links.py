"""Every link of every page leads somewhere: to a file of the repository, and to a heading in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.docs.pages import MADE, PAGES, ROOT, without_blocks

PUBLISHED = (*PAGES, *(ROOT / "docs" / name for name in sorted(MADE)))
EVERY_PAGE = (*PUBLISHED, ROOT / "CHANGELOG.md", *sorted((ROOT / "benchmarks").glob("*.md")))
MADE_BY_MAKE_DOCS = {ROOT / "docs" / "gallery" / "index.md"}
_LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]+)\)")
_HEADING = re.compile(r"^#+ +(.*?)(?: +\{#([\w-]+)\})? *$", flags=re.MULTILINE)


@cache
def anchors(page: Path) -> frozenset[str]:
    """The names of a page's headings, as GitHub and the site make them."""
    headings = _HEADING.findall(without_blocks(page.read_text(encoding="utf-8")))
    plain = [re.sub(r"[^\w\- ]", "", re.sub(r"`", "", words)).strip().lower() for words, _ in headings]
    slugs = [named or words.replace(" ", "-") for words, (_, named) in zip(plain, headings, strict=True)]
    return frozenset(slugs)


def links(page: Path) -> Iterator[str]:
    """Where a page's links lead, less what is inside code."""
    prose = re.sub(r"`[^`\n]*`", "``", without_blocks(page.read_text(encoding="utf-8")))
    return (found[1] for found in _LINK.finditer(prose))


def missing(page: Path, link: str) -> str:
    """What is wrong with a link; "" where nothing is."""
    if link.startswith("https://"):
        return ""
    name, _, anchor = link.partition("#")
    target = (page.parent / name).resolve() if name else page
    if target in MADE_BY_MAKE_DOCS:
        return ""
    if not target.exists():
        return f"{link}: there is no such file"
    return f"{link}: no heading of that name" if anchor and anchor not in anchors(target) else ""


@pytest.mark.parametrize("page", EVERY_PAGE, ids=lambda page: page.stem)
def test_every_link_leads_somewhere(page: Path) -> None:
    assert [wrong for wrong in (missing(page, link) for link in links(page)) if wrong] == []


@pytest.mark.parametrize("page", PUBLISHED, ids=lambda page: page.stem)
def test_pages_of_the_site_link_to_one_another_alone(page: Path) -> None:
    outside = [link for link in links(page) if link.startswith("../")]
    assert outside == []


def test_a_wrong_link_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One\n\n[a](#one) [b](#two) [c](gone.md) `[d](#code)` [`e`](page.md#one)\n")
    assert [bool(missing(page, link)) for link in links(page)] == [False, True, True, False]
