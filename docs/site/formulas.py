"""A Markdown extension for the site: formulas as MathML, without a script; models and sessions coloured."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from latex2mathml.converter import convert
from markdown.extensions import Extension
from markdown.postprocessors import Postprocessor
from pygments.lexers import LEXERS

from docs.site.model_lexer import ModelLexer
from docs.site.session_lexer import SessionLexer

_DISPLAY = re.compile(r'<div class="arithmatex">\s*\\\[(.*?)\\\]\s*</div>', flags=re.DOTALL)
_INLINE = re.compile(r'<span class="arithmatex">\\\((.*?)\\\)</span>', flags=re.DOTALL)

_BREAK = re.compile(r"(\\\\|&)")  # between rows and cells
_SIZED = re.compile(r"(?P<command>\\[bB]igg?(?P<side>[lr]))(\\.|.)")


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
    r"""A cell with \left( ... \right)^2 for \bigl( ... \bigr)^2, where both stand in it.

    The converter hangs the exponent of `\bigr)^2` on the parenthesis alone, which then shrinks.
    """
    opened: list[re.Match[str]] = []
    commands: dict[int, tuple[int, str]] = {}
    for found in _SIZED.finditer(cell):
        if found["side"] == "l":
            opened.append(found)
        elif opened:
            before = opened.pop()
            if cell[found.end() : found.end() + 1] in ("^", "_"):
                commands[before.start()] = before.end("command"), r"\left"
                commands[found.start()] = found.end("command"), r"\right"
    for start in sorted(commands, reverse=True):
        end, command = commands[start]
        cell = cell[:start] + command + cell[end:]
    return cell


class SiteExtension(Extension):
    """Both, for MkDocs and for whatever else renders the guide with Python-Markdown."""

    def extendMarkdown(self, md: Any) -> None:
        """Run behind all that puts raw HTML back into the page."""
        md.postprocessors.register(FormulasAsMathML(md), "formulas_as_mathml", -10)


def makeExtension(**configuration: Any) -> SiteExtension:
    """What Markdown asks a module of an extension for."""
    # In the place of Pygments' own lexer of sessions, which is found by its order.
    for key, lexer in (("ModelLexer", ModelLexer), ("BashSessionLexer", SessionLexer)):
        LEXERS[key] = (lexer.__module__, lexer.name, tuple(lexer.aliases), (), ())
    return SiteExtension(**configuration)
