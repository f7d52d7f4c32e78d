"""A Markdown extension for the site: formulas as MathML, which needs no script, and models in colour."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from latex2mathml.converter import convert
from markdown.extensions import Extension
from markdown.postprocessors import Postprocessor
from pygments.lexers import LEXERS

from docs.site.model_lexer import ModelLexer

_DISPLAY = re.compile(r'<div class="arithmatex">\s*\\\[(.*?)\\\]\s*</div>', flags=re.DOTALL)
_INLINE = re.compile(r'<span class="arithmatex">\\\((.*?)\\\)</span>', flags=re.DOTALL)

_BREAK = re.compile(r"(\\\\|&)")  # between rows and cells
_SIZED = re.compile(r"\\[bB]igg?([lr])\b")


class FormulasAsMathML(Postprocessor):
    """The LaTeX that `pymdownx.arithmatex` has found, as MathML; a wide display scrolls by itself."""

    def run(self, text: str) -> str:
        """The page's HTML with its formulas set."""
        text = _DISPLAY.sub(lambda found: f'<div class="scroll">{_mathml(found[1], "block")}</div>', text)
        return _INLINE.sub(lambda found: _mathml(found[1], "inline"), text)


def _mathml(latex: str, display: str) -> str:
    # The converter does not know `aligned`, and reads `split`, which is the same, as a table.
    known = re.sub(r"\b(begin|end){aligned}", r"\1{split}", unescape(latex))
    return str(convert("".join(map(_with_pairs, _BREAK.split(known))), display=display))


def _with_pairs(cell: str) -> str:
    r"""A cell with \left( ... \right) where \bigl( ... \bigr) opens and closes in it.

    The converter hangs the exponent of `\bigr)^2` on the parenthesis alone, which then shrinks.
    """
    depth = lowest = 0
    for size in _SIZED.finditer(cell):
        depth += 1 if size[1] == "l" else -1
        lowest = min(depth, lowest)
    if depth or lowest:
        return cell
    return _SIZED.sub(lambda size: r"\left" if size[1] == "l" else r"\right", cell)


class SiteExtension(Extension):
    """Both, for MkDocs and for whatever else renders the guide with Python-Markdown."""

    def extendMarkdown(self, md: Any) -> None:
        """Run behind all that puts raw HTML back into the page."""
        md.postprocessors.register(FormulasAsMathML(md), "formulas_as_mathml", -10)


def makeExtension(**configuration: Any) -> SiteExtension:
    """What Markdown asks a module of an extension for."""
    LEXERS["ModelLexer"] = (ModelLexer.__module__, ModelLexer.name, tuple(ModelLexer.aliases), (), ())
    return SiteExtension(**configuration)
