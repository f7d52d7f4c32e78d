"""Documents in Markdown with formulas between dollar signs, as GitHub, Jupyter and pandoc read them."""

from __future__ import annotations

import re

from symbackprop.languages.language import Language
from symbackprop.lesson.document import (
    Block,
    Chain,
    Column,
    Document,
    Equations,
    Heading,
    Paragraph,
    Sentence,
)
from symbackprop.lesson.latex_displays import (
    chain_rows,
    column_latex,
    equations_rows,
    joined_rows,
    part_latex,
)
from symbackprop.lesson.paper import BRACKET, PADDED, signs_on


def markdown_document(document: Document) -> str:
    """The document, its title as the one heading of first level."""
    body = markdown_fragment(document)
    notes = "".join(f"\n{note}\n" for note in signs_on(body, (BRACKET, PADDED), document.language))
    return f"# {escaped(document.title)}\n\n{body}{notes}"


def markdown_fragment(document: Document) -> str:
    """The blocks alone, without the title."""
    return "\n\n".join(_block(block, document.language) for block in document.blocks) + "\n"


def _block(block: Block, language: Language) -> str:
    match block:
        case Heading(level, sentence):
            return f"{'#' * (level + 1)} {_sentence(sentence)}"
        case Paragraph(sentence):
            return _sentence(sentence)
        case Chain():
            return _display(joined_rows(chain_rows(block)))
        case Equations():
            return _display(joined_rows(equations_rows(block)))
        case Column():
            return f"$$\n{column_latex(block, language=language)}\n$$"


def _display(rows: str) -> str:
    return f"$$\n\\begin{{aligned}}\n{rows}\n\\end{{aligned}}\n$$"


def _sentence(sentence: Sentence) -> str:
    return "".join(escaped(part) if isinstance(part, str) else f"${part_latex(part)}$" for part in sentence)


def escaped(words: str) -> str:
    """Words with the characters that Markdown reads as marks made harmless."""
    return re.sub(r"([\\`*_{}\[\]<>#$|])", r"\\\1", words)
