"""The guide as a site: it has every page, reads every formula and every model."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pygments.token import Comment, Error, Generic, Keyword, Name, String

from docs.site.model_lexer import ModelLexer
from docs.site.session_lexer import SessionLexer
from tests.docs.pages import ROOT

DOCS = ROOT / "docs"
MODELS = sorted((ROOT / "examples").rglob("*.model"))


def test_every_page_stands_in_the_contents() -> None:
    contents = re.findall(r"[\w/]+\.md", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    assert set(contents) == {path.name for path in DOCS.glob("*.md")} | {"gallery/index.md"}
    assert len(contents) == len(set(contents))


def test_every_model_is_read_without_an_error() -> None:
    for path in MODELS:
        text = path.read_text(encoding="utf-8")
        tokens = list(ModelLexer().get_tokens(text))
        assert Error not in {kind for kind, _ in tokens}, path.name
        assert "".join(value for _, value in tokens) == text.strip("\n") + "\n"


def test_words_are_told_from_names() -> None:
    kinds = dict(
        (value, kind) for kind, value in ModelLexer().get_tokens("loss E = sum(i, summed[i'])  # sum up")
    )
    assert kinds["loss"] is Keyword and kinds["sum"] is Name.Builtin and kinds["# sum up"] is Comment.Single
    symbol = [kind for kind, _ in ModelLexer().get_tokens(r'W as "\mathbf{W}"')]
    assert symbol[2] is Keyword and symbol[4] is String
    assert kinds["summed"] is kinds["E"] is kinds["i'"] is Name


def test_of_a_session_the_commands_alone_are_typed() -> None:
    printed = "    # grad_W[k,i] = sum(b, delta_y[b,k]*x[b,i])\n  (dE/dy)(dy/du2)\n50 % of them\n"
    shown = list(SessionLexer().get_tokens(f"$ cd net\n{printed}$ make\n"))
    assert "".join(value for kind, value in shown if kind is Generic.Output) == printed
    assert [value for kind, value in shown if kind is Generic.Prompt] == ["$ ", "$ "]
    assert (Name.Builtin, "cd") in shown


def page_of(markdown: str) -> str:
    """The HTML of what `pymdownx.arithmatex` leaves of formulas."""
    pytest.importorskip("markdown", reason="no Markdown (pip install markdown)")
    pytest.importorskip("latex2mathml", reason="no latex2mathml (pip install latex2mathml)")
    formulas = pytest.importorskip("docs.site.formulas")
    return str(formulas.FormulasAsMathML(None).run(markdown))


@pytest.mark.parametrize("page", [DOCS / "catalogue.md"], ids=lambda page: Path(page).stem)
def test_every_formula_becomes_mathml(page: Path) -> None:
    displays = re.findall(r"^\$\$\n(.*?)\n\$\$$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    blocks = "".join(f'<div class="arithmatex">\\[{display}\\]</div>' for display in displays)
    shown = page_of(blocks.replace("&", "&amp;"))
    assert len(displays) > 100 and shown.count("<math") == shown.count("<mtable display") == len(displays)
    assert not re.search(r"[\\&$]", re.sub(r"<[^>]*>|&#x[0-9A-F]+;|&[a-z]+;", "", shown))


def test_a_formula_within_a_sentence_stays_there() -> None:
    shown = page_of(r'<p>where <span class="arithmatex">\(a &lt; b\)</span>.</p>')
    assert re.fullmatch(r'<p>where <math[^>]* display="inline">.*</math>\.</p>', shown)


def test_an_exponent_stands_on_the_whole_parenthesis() -> None:
    inline = '<span class="arithmatex">\\(%s\\)</span>'
    paired = page_of(inline % r"\Bigl(\bigl(a\bigr)^2 + b\Bigr)_{i}")
    assert re.search(r"<msup><mrow><mo[^>]*>.*?</mrow><mn>2</mn></msup>", paired)
    over_two_rows = page_of(
        r'<div class="arithmatex">\[\begin{aligned}a &= \bigl(b \\ &+ c\bigr)\end{aligned}\]</div>'
    )
    assert over_two_rows.count("<mtr>") == 2
