r"""Documents in LaTeX: whole, so that pdflatex sets them as they are, or as a fragment for a paper.

Packages: amsmath, amssymb and geometry. A fragment needs amsmath and amssymb in its document's preamble.
"""

from __future__ import annotations

from symbackprop.lesson.document import Block, Chain, Column, Document, Equations, Heading, Paragraph
from symbackprop.lesson.latex_displays import (
    INDICATOR,
    INDICATOR_NOTE,
    chain_rows,
    column_latex,
    equations_rows,
    joined_rows,
    sentence_latex,
)
from symbackprop.typesetting.names import escaped

_PREAMBLE = r"""\documentclass[11pt,a4paper]{article}
\usepackage[margin=2.5cm]{geometry}
\usepackage{amsmath,amssymb}
\allowdisplaybreaks
\setlength{\parindent}{0pt}
\setlength{\parskip}{6pt}
"""
_SECTIONS = ("section*", "subsection*")


def latex_document(document: Document) -> str:
    """A document that compiles as it is."""
    title = rf"\title{{{escaped(document.title)}}}"
    head = _PREAMBLE + title + "\n\\author{}\n\\date{}\n\\begin{document}\n\\maketitle\n\n"
    body = latex_fragment(document)
    note = f"\n{INDICATOR_NOTE}\n" if INDICATOR in body else ""
    return head + body + note + "\n\\end{document}\n"


def latex_fragment(document: Document) -> str:
    """The blocks alone, without preamble and title."""
    shown = ""
    after_sentence = False
    for block in document.blocks:
        # A display belongs to the sentence before it; a blank line would end the paragraph there.
        joins = after_sentence and not isinstance(block, Heading | Paragraph)
        shown += ("\n" if joins else "\n\n") + _block(block)
        after_sentence = isinstance(block, Paragraph)
    return shown.lstrip("\n") + "\n"


def _block(block: Block) -> str:
    match block:
        case Heading(level, sentence):
            return rf"\{_SECTIONS[level - 1]}{{{sentence_latex(sentence)}}}"
        case Paragraph(sentence):
            return sentence_latex(sentence)
        case Chain():
            return _display(joined_rows(chain_rows(block)))
        case Equations():
            return _display(joined_rows(equations_rows(block)))
        case Column():
            return f"\\begin{{equation*}}\n{column_latex(block)}\n\\end{{equation*}}"


def _display(rows: str) -> str:
    return f"\\begin{{align*}}\n{rows}\n\\end{{align*}}"
