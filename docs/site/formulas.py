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


class FormulasAsMathML(Postprocessor):
    """The LaTeX that `pymdownx.arithmatex` has found, as MathML; a wide display scrolls by itself."""

    def run(self, text: str) -> str:
        """The page's HTML with its formulas set."""
        text = _DISPLAY.sub(lambda found: f'<div class="scroll">{_mathml(found[1], "block")}</div>', text)
        return _INLINE.sub(lambda found: _mathml(found[1], "inline"), text)


def _mathml(latex: str, display: str) -> str:
    # The converter does not know `aligned`, and reads `split`, which is the same, as a table.
    return str(convert(re.sub(r"\b(begin|end){aligned}", r"\1{split}", unescape(latex)), display=display))


class SiteExtension(Extension):
    """Both, for MkDocs and for whatever else renders the guide with Python-Markdown."""

    def extendMarkdown(self, md: Any) -> None:
        """Run behind all that puts raw HTML back into the page."""
        md.postprocessors.register(FormulasAsMathML(md), "formulas_as_mathml", -10)


def makeExtension(**configuration: Any) -> SiteExtension:
    """What Markdown asks a module of an extension for."""
    LEXERS["ModelLexer"] = (ModelLexer.__module__, ModelLexer.name, tuple(ModelLexer.aliases), (), ())
    return SiteExtension(**configuration)
