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
    Row,
    chain_rows,
    column_latex,
    equations_rows,
    joined_rows,
    numbered_rows,
    sentence_latex,
)
from symbackprop.lesson.lesson import derivation_document, result_document
from symbackprop.lesson.paper import NO_PAPER, Paper, SymbolRow, paper_of, signs_on, typesetter_of
from symbackprop.lesson.references import NO_REFERENCES, References, references_in
from symbackprop.systems.system import Equation
from symbackprop.typesetting.formulas import Typesetter
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
_BEGINNING = "\n\\author{}\n\\date{}\n\\begin{document}\n\\maketitle\n\n"
# One run of pdflatex is enough: what it finds in no .aux file yet is known here.
_KNOWN_NUMBER = r"""% The numbers of equations that are referred to, for the first run.
\makeatletter
\newcommand{\knownnumber}[2]{\AtBeginDocument{\@ifundefined{r@#1}{\global\@namedef{r@#1}{{#2}{}}}{}}}
\makeatother
"""
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


def result_latex(derivation: Derivation) -> str:
    """The gradient's equations as one display, the tensors set as the model says."""
    return latex_fragment(result_document(derivation), Paper(typesetter=typesetter_of(derivation)))


def latex_document(document: Document, paper: Paper = NO_PAPER) -> str:
    """A document that compiles as it is."""
    title = rf"\title{{{paper.title or escaped(document.title)}}}"
    before, packages = _ENGINES[paper.language]
    sections = sum(isinstance(block, Heading) and block.level == 1 for block in document.blocks)
    contents = _CONTENTS if sections > _MOST_WITHOUT_CONTENTS else ""
    preamble = before + _PREAMBLE + packages + _first_numbers(document, paper)
    head = preamble + title + _BEGINNING
    return head + contents + latex_fragment(document, paper) + "\n\\end{document}\n"


def latex_fragment(document: Document, paper: Paper = NO_PAPER) -> str:
    """The blocks alone, without preamble and title; signs and symbols are explained before they are used."""
    references = _references(document, paper)
    shown = ""
    after_sentence = False
    for place, block in enumerate(document.blocks):
        # A display belongs to the sentence before it; a blank line would end the paragraph there.
        joins = after_sentence and not isinstance(block, Heading | Paragraph)
        shown += ("\n" if joins else "\n\n") + _block(block, paper, place, references)
        after_sentence = isinstance(block, Paragraph)
    body = shown.lstrip("\n") + "\n"
    return _front(paper, body) + body


def _references(document: Document, paper: Paper) -> References:
    """None where equations have no numbers."""
    return references_in(document) if paper.numbered else NO_REFERENCES


def _first_numbers(document: Document, paper: Paper) -> str:
    """What the preamble says of the numbers that are referred to."""
    numbers = _references(document, paper).numbers
    lines = [f"\\knownnumber{{{label}}}{{{number}}}\n" for label, number in numbers.items()]
    return _KNOWN_NUMBER + "".join(lines) if lines else ""


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
    return "\n".join(("{\\renewcommand{\\arraystretch}{1.45}%", *lines, "}"))


def _names(row: SymbolRow, width: float) -> str:
    """The symbol and the typed name; a symbol that is too wide is the typed name, and has both columns."""
    if row.width > width:
        return rf"\multicolumn{{2}}{{@{{}}l}}{{${row.symbol}$}}"
    return rf"${row.symbol}$ & \texttt{{{_breakable(row.typed)}}}"


def _breakable(name: str) -> str:
    r"""A name that may go on below behind an underscore."""
    return escaped(name).replace(r"\_", r"\_\allowbreak{}")


def _block(block: Block, paper: Paper, place: int, references: References) -> str:
    typesetter, star = paper.typesetter, "" if paper.numbered else "*"
    match block:
        case Heading(level, sentence):
            return _heading(level, sentence_latex(sentence, typesetter), star)
        case Paragraph(sentence):
            return _paragraph(sentence, typesetter, references.quoted.get(place, {}))
        case Chain():
            return _display(chain_rows(block, typesetter), paper)
        case Equations():
            return _display(equations_rows(block, typesetter), paper, references.of_lines.get(place, ()))
        case Column():
            return (
                f"\\begin{{equation*}}\n{column_latex(block, typesetter, paper.language)}\n\\end{{equation*}}"
            )


def _heading(level: int, shown: str, star: str) -> str:
    return rf"\{_SECTIONS[level - 1]}{star}{{{shown}}}"


def _paragraph(sentence: Sentence, typesetter: Typesetter, labels: Mapping[str, str]) -> str:
    """Words with formulas, and the number of an equation behind it."""
    shown = ""
    for part in sentence:
        label = labels.get(part.tensor, "") if isinstance(part, Equation) else ""
        shown += sentence_latex((part,), typesetter) + (rf" \eqref{{{label}}}" if label else "")
    return shown


def _display(rows: Sequence[Row], paper: Paper, labels: Sequence[str] = ()) -> str:
    if paper.numbered:
        return f"\\begin{{align}}\n{numbered_rows(rows, labels)}\n\\end{{align}}"
    return f"\\begin{{align*}}\n{joined_rows(rows)}\n\\end{{align*}}"
