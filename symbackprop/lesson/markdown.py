"""Documents in Markdown with formulas between dollar signs, as GitHub, Jupyter and pandoc read them."""

from __future__ import annotations

import re

from symbackprop.derivation.result import Derivation
from symbackprop.languages.language import Language
from symbackprop.lesson.detail import Steps
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
from symbackprop.lesson.lesson import derivation_document, result_document
from symbackprop.lesson.paper import BRACKET, PADDED, signs_on, typesetter_of
from symbackprop.typesetting.formulas import PLAIN, Typesetter


def derivation_markdown(derivation: Derivation, steps: Steps, language: Language) -> str:
    """A derivation in a language, its tensors set as the model says, or as their names read."""
    document = derivation_document(derivation, steps, language)
    return markdown_document(document, typesetter_of(derivation, language))


def result_markdown(derivation: Derivation) -> str:
    """The gradient's equations alone."""
    return markdown_fragment(result_document(derivation), typesetter_of(derivation))


def markdown_document(document: Document, typesetter: Typesetter = PLAIN) -> str:
    """The document, its title as the one heading of first level."""
    body = markdown_fragment(document, typesetter)
    notes = "".join(f"\n{note}\n" for note in signs_on(body, (BRACKET, PADDED), document.language))
    return f"# {escaped(document.title)}\n\n{body}{notes}"


def markdown_fragment(document: Document, typesetter: Typesetter = PLAIN) -> str:
    """The blocks alone, without the title."""
    said = document.language
    return "\n\n".join(_block(block, typesetter, said) for block in document.blocks) + "\n"


def _block(block: Block, typesetter: Typesetter, language: Language) -> str:
    match block:
        case Heading(level, sentence):
            return f"{'#' * (level + 1)} {_sentence(sentence, typesetter)}"
        case Paragraph(sentence):
            return _sentence(sentence, typesetter)
        case Chain():
            return _display(joined_rows(chain_rows(block, typesetter)))
        case Equations():
            return _display(joined_rows(equations_rows(block, typesetter)))
        case Column():
            return f"$$\n{column_latex(block, typesetter, language)}\n$$"


def _display(rows: str) -> str:
    return f"$$\n\\begin{{aligned}}\n{rows}\n\\end{{aligned}}\n$$"


def _sentence(sentence: Sentence, typesetter: Typesetter) -> str:
    return "".join(
        escaped(part) if isinstance(part, str) else f"${part_latex(part, typesetter)}$" for part in sentence
    )


def escaped(words: str) -> str:
    """Words with the characters that Markdown reads as marks made harmless."""
    return re.sub(r"([\\`*_{}\[\]<>#$|])", r"\\\1", words)
