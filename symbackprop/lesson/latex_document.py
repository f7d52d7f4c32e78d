"""Documents in LaTeX: whole, so that an engine sets them as they are, or as a fragment for a paper.

pdflatex sets what is English, LuaLaTeX with LuaTeX-ja what is Japanese.

Packages: amsmath, amssymb, array, longtable and geometry. A fragment needs the first four in its document's
preamble, and luatexja-preset where it is Japanese.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from symbackprop.derivation.result import Derivation
from symbackprop.languages.language import Language
from symbackprop.languages.phrases import marked, phrase, text_in, translated
from symbackprop.lesson.detail import Steps
from symbackprop.lesson.document import Block, Chain, Column, Document, Equations, Heading, Paragraph
from symbackprop.lesson.latex_displays import (
    Row,
    chain_rows,
    column_latex,
    equations_rows,
    joined_rows,
    numbered_rows,
    sentence_latex,
)
from symbackprop.lesson.lesson import derivation_document
from symbackprop.lesson.paper import NO_PAPER, Paper, SymbolRow, paper_of, signs_on
from symbackprop.typesetting.names import escaped

_JAPANESE = r"""\usepackage[haranoaji]{luatexja-preset}
\renewcommand{\contentsname}{目次}
"""
_PREAMBLE = r"""\documentclass[11pt,a4paper,fleqn]{article}
\usepackage[margin=2.5cm]{geometry}
\usepackage{amsmath,amssymb,array,longtable}
\allowdisplaybreaks[2]
\setlength{\mathindent}{1em}
\setlength{\parindent}{0pt}
\setlength{\parskip}{6pt}
\setlength{\emergencystretch}{3em}
"""
# In front of the preamble, for editors and people, and in it.
_ENGINES = {Language.ENGLISH: ("", ""), Language.JAPANESE: ("% !TeX program = lualatex\n", _JAPANESE)}
Symbols: TypeAlias = Mapping[str, str]
NO_SYMBOLS: Symbols = {}
_CONTENTS = "{\\setlength{\\parskip}{0pt}\\tableofcontents}\n\n"
_HEADINGS = (marked("symbol"), marked("in the model"), marked("shape"), marked("is"))
_SECTIONS = ("section", "subsection")
# In ems: what the columns of the table of symbols have together, and a letter of a typed name.
_TABLE_WIDTH, _TYPED_LETTER = 37.5, 0.53
# A document with more sections than this has a table of contents.
_MOST_WITHOUT_CONTENTS = 16


def derivation_latex(
    derivation: Derivation, standalone: bool, steps: Steps, symbols: Symbols, language: Language
) -> str:
    """A derivation as a paper's appendix: a document that compiles as it is, or its body alone."""
    document = derivation_document(derivation, steps, language, with_symbols=False)
    written = latex_document if standalone else latex_fragment
    return written(document, paper_of(derivation, symbols, language))


def latex_document(document: Document, paper: Paper = NO_PAPER) -> str:
    """A document that compiles as it is."""
    title = rf"\title{{{paper.title or escaped(document.title)}}}"
    before, packages = _ENGINES[paper.language]
    head = (
        before + _PREAMBLE + packages + title + "\n\\author{}\n\\date{}\n\\begin{document}\n\\maketitle\n\n"
    )
    sections = sum(isinstance(block, Heading) and block.level == 1 for block in document.blocks)
    contents = _CONTENTS if sections > _MOST_WITHOUT_CONTENTS else ""
    return head + contents + latex_fragment(document, paper) + "\n\\end{document}\n"


def latex_fragment(document: Document, paper: Paper = NO_PAPER) -> str:
    """The blocks alone, without preamble and title; signs and symbols are explained before they are used."""
    shown = ""
    after_sentence = False
    for block in document.blocks:
        # A display belongs to the sentence before it; a blank line would end the paragraph there.
        joins = after_sentence and not isinstance(block, Heading | Paragraph)
        shown += ("\n" if joins else "\n\n") + _block(block, paper)
        after_sentence = isinstance(block, Paragraph)
    body = shown.lstrip("\n") + "\n"
    return _front(paper, body) + body


def _front(paper: Paper, body: str) -> str:
    """The table of symbols, and what the signs of the body mean."""
    signs = signs_on(body, language=paper.language)
    parts = []
    if paper.indices:
        counted = phrase("Indices count from 0: {indices}.", indices=", ".join(paper.indices))
        parts.append(text_in(counted, paper.language))
    if paper.symbols:
        parts.append(
            _table([row for row in paper.symbols if row.is_given or row.sign in body], paper.language)
        )
    if signs:
        parts.append("\\begin{itemize}\n" + "".join(f"\\item {sign}\n" for sign in signs) + "\\end{itemize}")
    notation = text_in(phrase("Notation"), paper.language)
    heading = [f"\\{_SECTIONS[0]}{'' if paper.numbered else '*'}{{{notation}}}"] if paper.symbols else []
    return "".join(f"{part}\n\n" for part in (*heading, *parts))


def _table(rows: Sequence[SymbolRow], language: Language) -> str:
    """Columns of fixed widths, so that TeX sets them in one run."""
    symbol = min(max(3.5, *(row.width for row in rows)), 10.0)
    typed = min(max(6.0, *(_TYPED_LETTER * len(row.typed) for row in rows)), 12.0)
    rest = _TABLE_WIDTH - symbol - typed
    columns = "".join(
        rf">{{\raggedright\arraybackslash}}p{{{width:.1f}em}}"
        for width in (symbol, typed, 0.6 * rest, 0.4 * rest)
    )
    lines = [
        rf"\begin{{longtable}}[l]{{@{{}}{columns}@{{}}}}",
        r"\hline",
        rf"{' & '.join(translated(heading, language) for heading in _HEADINGS)} \\",
        r"\hline",
        r"\endhead",
        *(rf"{_names(row, symbol)} & {row.shape} & {row.meaning} \\" for row in rows),
        r"\hline",
        r"\end{longtable}",
    ]
    return "\n".join(("{\\renewcommand{\\arraystretch}{1.25}%", *lines, "}"))


def _names(row: SymbolRow, width: float) -> str:
    """The symbol and the typed name; a symbol that is too wide is the typed name, and has both columns."""
    if row.width > width:
        return rf"\multicolumn{{2}}{{@{{}}l}}{{${row.symbol}$}}"
    return rf"${row.symbol}$ & \texttt{{{_breakable(row.typed)}}}"


def _breakable(name: str) -> str:
    r"""A name that may go on below behind an underscore."""
    return escaped(name).replace(r"\_", r"\_\allowbreak{}")


def _block(block: Block, paper: Paper) -> str:
    typesetter, star = paper.typesetter, "" if paper.numbered else "*"
    match block:
        case Heading(level, sentence):
            return _heading(level, sentence_latex(sentence, typesetter), star)
        case Paragraph(sentence):
            return sentence_latex(sentence, typesetter)
        case Chain():
            return _display(chain_rows(block, typesetter), paper)
        case Equations():
            return _display(equations_rows(block, typesetter), paper)
        case Column():
            return (
                f"\\begin{{equation*}}\n{column_latex(block, typesetter, paper.language)}\n\\end{{equation*}}"
            )


def _heading(level: int, shown: str, star: str) -> str:
    return rf"\{_SECTIONS[level - 1]}{star}{{{shown}}}"


def _display(rows: Sequence[Row], paper: Paper) -> str:
    if paper.numbered:
        return f"\\begin{{align}}\n{numbered_rows(rows)}\n\\end{{align}}"
    return f"\\begin{{align*}}\n{joined_rows(rows)}\n\\end{{align*}}"
