import json
import os
import re
import shutil
import subprocess
from fractions import Fraction

import pytest

from symbackprop.lesson.document import Chain, Column, Document, Equations, Link, Reason
from symbackprop.lesson.latex_displays import LINE_WIDTH, chain_rows, joined_rows
from symbackprop.lesson.latex_document import latex_document
from symbackprop.lesson.markdown import markdown_document
from symbackprop.notation.derivatives import Derivative
from symbackprop.notation.expressions import (
    Add,
    Apply,
    Axis,
    Comparison,
    Element,
    Index,
    Multiply,
    Number,
    Power,
    Reduction,
    Where,
)
from symbackprop.typesetting.formulas import PLAIN, latex
from symbackprop.typesetting.names import escaped
from tests.models.examples import derivation

NAMES = ("seed", "exercise", "two_paths", "other_names", "long", "relu", "inner")
PDFLATEX = shutil.which("pdflatex")
NODE = shutil.which("node")

ROWS, COLUMNS = Axis("Rows", "row"), Axis("K", "k")
ROW, K = Index("row", ROWS), Index("k", COLUMNS)
LEFT = Derivative(Element("E"), Element("W2", (ROW, K)), total=True)


def named(number):
    return Element(f"W{number}", (ROW, K))


TERMS = Add(tuple(Multiply((named(n), Element("xhat", (K,)))) for n in range(20)))
PRODUCT = Multiply(tuple(named(n) for n in range(20)))
WIDE = {
    "terms": TERMS,
    "product": PRODUCT,
    "product of sums": Multiply((TERMS, TERMS)),
    "below a sum": Reduction("sum", (ROW, K), Multiply((TERMS, named(1)))),
    "exponent": Apply("exp", (TERMS,)),
    "function": Apply("sigmoid", (TERMS,)),
    "fraction": Multiply((PRODUCT, Power(TERMS, Number(-1)))),
    "root": Power(TERMS, Number(Fraction(1, 2))),
    "power": Power(TERMS, Number(2)),
    "where": Where(Comparison(">", TERMS, Number(0)), TERMS, PRODUCT),
    "absolute value": Apply("abs", (TERMS,)),
    "nested": Apply("log", (Add((Number(1), Apply("exp", (Multiply((TERMS, PRODUCT)),)))),)),
    "minus": Multiply((Number(-1), TERMS)),
}
REASONS = {
    "short": Reason("contract delta"),
    "stated": Reason("contract delta", (("sum(i, delta(i,j)*f(i)) = f(j)",),)),
    "long": Reason("a rule with a long name " * 3, (("f(x)*g(y) = " + " + ".join(["h(x)*k(y)"] * 14),),)),
    "mixed": Reason("put in", (("the definition of ", LEFT),)),
}


def chain(expression, reason=None):
    return Chain(LEFT, (Link(expression, reason),))


def without_breaks(rows):
    joined = joined_rows(rows)
    return re.sub(r"\\\\|&|\\quad|\\cdot|\\,|\{\}|\s", "", joined)


@pytest.mark.parametrize("shape", WIDE)
def test_breaking_a_line_loses_nothing(shape):
    rows = chain_rows(chain(WIDE[shape]))
    assert len(rows) > 1
    assert without_breaks(rows) == without_breaks([f"{latex(LEFT)} &= {latex(WIDE[shape])}"])


@pytest.mark.parametrize("shape", WIDE)
def test_no_piece_is_wider_than_a_line(shape):
    assert max(piece.width for piece in PLAIN.box(WIDE[shape]).pieces) < LINE_WIDTH - 10


def test_a_short_line_is_not_broken():
    assert len(chain_rows(chain(named(1)))) == 1


@pytest.mark.parametrize("name", NAMES)
def test_the_fragment_is_the_document_without_its_preamble(name):
    whole, body = derivation(name).latex(), derivation(name).latex(standalone=False)
    assert whole.startswith(r"\documentclass") and whole.endswith("\\end{document}\n")
    assert "documentclass" not in body and body.rstrip() in whole
    assert whole.isascii()


def test_the_seed_in_latex():
    shown = derivation("seed", ("W2",)).latex()
    for part in (
        r"\frac{\partial E}{\partial W^{(2)}} &= \frac{\partial E}{\partial y}\,"
        r"\frac{\partial y}{\partial u^{(2)}}\,\frac{\partial u^{(2)}}{\partial W^{(2)}}",
        r"\delta_{k'k}\,z^{(1)}_{bj}",
        r"\begin{pmatrix} 0 \\ \vdots \\ z^{(1)}_{bj} \\ \vdots \\ 0 \end{pmatrix} \leftarrow k",
        r"\frac{\partial E}{\partial W^{(2)}_{kj}} &= \sum_{b} (y_{bk} - d_{bk})\,z^{(1)}_{bj}",
    ):
        assert part in shown, part


def test_the_indicator_is_explained_where_it_stands():
    note = "1 where the condition $c$ holds"
    for shown in (derivation("relu").latex(), derivation("relu").markdown()):
        assert note in shown
    assert note not in derivation("seed").latex()


def test_special_characters_are_made_harmless():
    assert escaped("50% of a_b & {c} #1 $x^2~\\") == (
        r"50\% of a\_b \& \{c\} \#1 \$x\textasciicircum{}2\textasciitilde{}\textbackslash{}"
    )


def test_markdown_escapes_words_and_not_formulas():
    document = Document("a_b *c*", (Chain(LEFT, (Link(named(2)),)),))
    shown = markdown_document(document)
    assert shown.startswith("# a\\_b \\*c\\*\n")
    assert r"W^{(2)}_{\mathrm{row}, k}" in shown and shown.count("$$") == 2


# ---- does it compile?


def everything():
    """Every shape of formula and reason on one document, after the derivations themselves."""
    chains = [chain(expression, reason) for expression in WIDE.values() for reason in REASONS.values()]
    column = Column(LEFT, ROW, K, named(2))
    wide_left = Derivative(Element("E"), Element("a_name_of_many_letters", (ROW, K)), total=True)
    equations = Equations(tuple((left, TERMS) for left in (named(1), wide_left, LEFT)))
    return Document("100% of a_b {c} #1 $ & ~ ^ \\ <x> 'quoted'", (*chains, column, equations))


@pytest.mark.skipif(PDFLATEX is None, reason="pdflatex is not on this machine")
@pytest.mark.parametrize("name", ["seed", "two_paths", "long", "inner", "everything"])
def test_pdflatex_sets_it_and_nothing_runs_off_the_page(name, tmp_path):
    text = latex_document(everything()) if name == "everything" else derivation(name).latex()
    (tmp_path / "document.tex").write_text(text)
    command = [str(PDFLATEX), "-interaction=nonstopmode", "-halt-on-error", "document.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60)
    log = (tmp_path / "document.log").read_text(errors="replace")
    assert done.returncode == 0, log[-2000:]
    assert "Overfull" not in log
    assert "Missing character" not in log


KATEX = """
const katex = require("katex");
const formulas = JSON.parse(require("fs").readFileSync(0, "utf8"));
for (const [formula, displayMode] of formulas)
    katex.renderToString(formula, {displayMode, strict: "error", throwOnError: true});
console.log(formulas.length);
"""


def katex_is_there():
    if NODE is None:
        return False
    return subprocess.run([NODE, "-e", 'require("katex")'], capture_output=True).returncode == 0


@pytest.mark.skipif(
    not katex_is_there(), reason="katex is not on this machine (npm install katex, NODE_PATH)"
)
@pytest.mark.parametrize("name", [*NAMES, "everything"])
def test_katex_reads_every_formula_strictly(name):
    shown = markdown_document(everything()) if name == "everything" else derivation(name).markdown()
    shown = shown.partition("\n")[2]
    formulas = [
        (displayed or inline, bool(displayed))
        for displayed, inline in re.findall(r"\$\$(.*?)\$\$|\$(.*?)\$", shown, re.DOTALL)
    ]
    done = subprocess.run(
        [str(NODE), "-e", KATEX], input=json.dumps(formulas), capture_output=True, text=True, env=os.environ
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == len(formulas) > 5
