import json
import os
import re
import shutil
import subprocess
from fractions import Fraction

import pytest

from symbackprop.errors import NotationError
from symbackprop.layers.catalogue import ACTIVATIONS, LAYERS, LOSSES
from symbackprop.layers.specimen import specimen, specimen_gradients
from symbackprop.lesson.document import Chain, Column, Document, Equations, Link, Reason
from symbackprop.lesson.latex_displays import LINE_WIDTH, Row, chain_rows, joined_rows
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
from symbackprop.pipeline import Model, load, loads
from symbackprop.typesetting.formulas import PLAIN, latex
from symbackprop.typesetting.names import escaped
from tests.models.classics import FOLDER, RELATED_SIZES, load_classic
from tests.models.examples import EXAMPLES, derivation
from tests.processes import run_within

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
    assert without_breaks(rows) == without_breaks([Row(f"{latex(LEFT)} &= {latex(WIDE[shape])}")])


@pytest.mark.parametrize("names", range(8, 20))
def test_no_line_of_small_print_is_empty(names):
    # Between Japanese commas no space stands, so that a line ends in front of any of them.
    statement = "、".join(f"f{number}*g = h" for number in range(names))
    rows = chain_rows(chain(named(1), Reason("算術", ((f"{statement}、ただし n は整数",),))))
    assert not [row for row in rows if re.search(r"footnotesize\s*\}", row.latex)]
    assert sum(row.latex.count("g{} = h") for row in rows) == names


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


def test_the_symbols_stand_in_front_with_their_shapes():
    shown = derivation("seed").latex()
    front = shown.partition(r"\section{The model}")[0]
    assert r"Indices count from 0: $0 \le b < B$, " in front
    for row in (
        r"$W^{(2)}_{kj}$ & \texttt{W2} & $K \times J$ & parameter \\",
        r"$E$ & \texttt{E} & scalar & computed \\",
        r"$\delta^{(2)}_{bk}$ & \texttt{delta2} & $B \times K$ & $\partial E / \allowbreak \partial u^{(2)}$",
    ):
        assert row in front, row
    assert "Given:" not in shown


def test_kronecker_and_the_error_signal_are_told_apart_before_they_are_used():
    shown = derivation("seed").latex()
    for sign, used in ((r"$\delta_{ij}$ (Kronecker", r"\delta_{k'k}"), (r"the error signal there", "bk'}")):
        assert 0 < shown.index(sign) < shown.index(used), sign


def test_signs_are_explained_where_they_occur_and_only_there():
    windows = "index n : N\nindex a : A = N\nindex r : R = 3\ninput x[n]\nparam w[r]\n"
    text = windows + "y[a] = sum(r, w[r]*pad(x[a + r - 1]))\nloss E = sum(a, y[a]^2)\n"
    shown = loads(text, "windows").derive(["w", "x"]).latex()
    note = r"$\operatorname{pad}(a_{p})$ is $a_{p}$"
    assert shown.index(note) < shown.index(r"\operatorname{pad}(x_{")
    assert note not in derivation("seed").latex()


def test_no_rule_is_parted_from_its_step_and_each_chain_has_one_number():
    shown = derivation("long").latex()
    displays = re.findall(r"\\begin\{align\}\n(.*?)\n\\end\{align\}", shown, re.DOTALL)
    assert len(displays) > 5
    for display in displays:
        rows = re.split(r" \\\\\*?\n", display)
        ends = re.findall(r" \\\\(\*?)\n", display)
        for row, end in zip(rows[1:], ends, strict=True):
            assert end == "*" or not row.startswith(r"&\quad \text{\footnotesize"), row
    chain = next(display for display in displays if "(chain rule)" in display)
    numbered = [row for row in re.split(r" \\\\\*?\n", chain) if r"\notag" not in row]
    assert len(numbered) == 1


def test_symbols_may_be_given():
    given = {"W1": r"\mathbf{W}^{(1)}", "b1": r"b_{\mathrm{in}}", "delta2": "e"}
    shown = derivation("seed").latex(symbols=given)
    assert r"\mathbf{W}^{(1)}_{ji}" in shown and r"{b_{\mathrm{in}}}_{j}" in shown and r"e_{bk}" in shown
    assert "W^{(1)}_{ji}" not in shown.replace(r"\mathbf{W}^{(1)}_{ji}", "")
    wrong = {"W1": ("", "{", "}{", "$W$", "a b", "%", r"a\\b", "#1"), "missing": ("W",)}
    for name, symbols in wrong.items():
        for symbol in symbols:
            with pytest.raises(NotationError):
                derivation("seed").latex(symbols={name: symbol})


def test_the_main_steps_are_the_chain_rule_and_what_comes_of_it():
    whole, main, result = (derivation("seed").latex(steps=steps) for steps in ("all", "main", "result"))
    assert len(result) < len(main) < len(whole)
    closed = (
        r"&= \Bigl(\sum_{k} \delta^{(2)}_{bk}\,W^{(2)}_{kj}\Bigr)\,z^{(1)}_{bj}\,\bigl(1 - z^{(1)}_{bj}\bigr)"
    )
    for shown in (whole, main, result):
        assert r"\section{The model}" in shown and r"\section{The result}" in shown and closed in shown
    assert "(put in the factors)" in whole and "(put in the factors)" not in main
    assert "pmatrix" in whole and "pmatrix" not in main
    # Behind a chain that was cut short stands no rule, which would have to do all of it.
    assert main.count("(chain rule)") == whole.count("(chain rule)") and "(contract delta)" not in main
    assert main.count(r"\section{") == whole.count(r"\section{") and r"\section{$" not in result
    one_path = derivation("seed", ("W2",)).latex(steps="main")
    assert r"\section{The product}" in one_path and "pmatrix" not in one_path
    with pytest.raises(ValueError, match="some"):
        derivation("seed").latex(steps="some")


def test_a_long_document_has_contents():
    assert r"\tableofcontents" not in derivation("seed").latex()
    layers = 10
    names = ", ".join(f"w{n}" for n in range(1, layers + 1))
    lines = [f"z{n} = tanh(w{n}*z{n - 1})" for n in range(1, layers + 1)]
    text = f"param {names}\ninput z0\n" + "\n".join(lines) + f"\nloss E = z{layers}^2\n"
    assert r"\tableofcontents" in loads(text).derive().latex()


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
    paper = derivation("relu").latex()
    assert paper.index(note) < paper.index(r"[\,u > 0")
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


def assert_set_by_pdflatex(text, folder):
    assert_set_by(PDFLATEX, text, folder)


def assert_set_by(engine, text, folder):
    """One run, as a person pipes it; nothing runs off the page."""
    (folder / "document.tex").write_text(text)
    command = [str(engine), "-interaction=nonstopmode", "-halt-on-error", "document.tex"]
    done = run_within(120, command, cwd=folder, capture_output=True)
    log = (folder / "document.log").read_text(errors="replace")
    assert done.returncode == 0, log[-2000:]
    overfull = [line for line in log.splitlines() if line.startswith("Overfull")]
    assert not overfull, overfull
    assert "Missing character" not in log


needs_pdflatex = pytest.mark.skipif(
    PDFLATEX is None, reason="pdflatex is not on this machine (Debian's texlive packages: make tools)"
)


@needs_pdflatex
@pytest.mark.parametrize("name", ["seed", "two_paths", "long", "inner", "everything"])
def test_pdflatex_sets_it_and_nothing_runs_off_the_page(name, tmp_path):
    text = latex_document(everything()) if name == "everything" else derivation(name).latex()
    assert_set_by_pdflatex(text, tmp_path)


@needs_pdflatex
def test_pdflatex_sets_given_symbols(tmp_path):
    given = {"W2": r"\mathbf{W}^{(2)}", "z1": r"z_{\mathrm{in}}", "delta2": "e^*"}
    assert_set_by_pdflatex(derivation("seed").latex(symbols=given), tmp_path)


@needs_pdflatex
def test_long_names_stay_within_the_columns_of_the_table(tmp_path):
    word = "a_name_of_very_many_letters"
    axes = "".join(f"index i{n} : {'Axis' * 4}{n}\n" for n in range(1, 6))
    read = f"{word}[i1,i2,i3,i4,i5]"
    model = f"{axes}param {read}, W\nloss E = sum(i1, i2, i3, i4, i5, W*{read}^2)\n"
    assert_set_by_pdflatex(loads(model).derive().latex(steps="result"), tmp_path)


def published_models():
    """Every example, classic and layer: its name and a function that gives its derivation."""
    for path in sorted(EXAMPLES.glob("*.model")):
        yield path.stem, lambda path=path: load(path).derive()
    for folder in (FOLDER, RELATED_SIZES):
        for path in sorted(folder.glob("*.model")):
            yield path.stem, lambda path=path: load(path).derive(load_classic(path.stem, path.parent).wrt)
    for formula in {**LAYERS, **LOSSES, **ACTIVATIONS}.values():
        system = specimen(formula)
        yield f"layer {formula.kind}", lambda system=system: Model(system).derive(specimen_gradients(system))


@needs_pdflatex
@pytest.mark.every_document
@pytest.mark.parametrize("steps", ["all", "main"])
def test_pdflatex_sets_every_published_model(steps, tmp_path):
    count = 0
    for name, derived in published_models():
        folder = tmp_path / name.replace(" ", "_")
        folder.mkdir()
        assert_set_by_pdflatex(derived().latex(steps=steps), folder)
        count += 1
    assert count > 150


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


def test_no_letter_of_a_rule_stands_on_a_line_by_itself():
    rule = "sum(i, delta(i,j)*f(i)) = f(j), or 0 if j is outside the axis of i, where j is independent of i"
    rows = chain_rows(Chain(LEFT, (Link(named(1), Reason("contract delta", ((rule,),))),)))
    notes = [row.latex for row in rows if "footnotesize" in row.latex]
    assert len(notes) == 3 and "where $j$ is" in notes[1] and notes[2].endswith("independent of $i$}")


def test_factors_refer_to_the_equations_that_they_come_from():
    page = derivation("seed").latex()
    labels = re.findall(r"\\label\{(.*?)\}", page)
    assert labels == [f"eq:seed:{name}" for name in ("u1", "z1", "u2", "y", "E")]
    assert set(re.findall(r"\\eqref\{(.*?)\}", page)) == set(labels)
    assert r"From $y_{b'k'} = u^{(2)}_{b'k'}$ \eqref{eq:seed:y}:" in page
    known = re.findall(r"^\\knownnumber\{(.*?)\}\{(\d+)\}$", page, re.MULTILINE)
    assert known == [(label, str(number)) for number, label in enumerate(labels, 1)]
    fragment = derivation("seed").latex(standalone=False)
    assert "knownnumber" not in fragment and fragment in page


def test_what_is_not_referred_to_has_no_label():
    assert "\\label" not in derivation("seed").latex(steps="main")
    assert "ref{" not in derivation("seed").result_latex() + derivation("seed").markdown()


def test_an_equation_that_is_restated_is_another():
    page = derivation("inner").latex()
    labels = re.findall(r"\\label\{(.*?)\}", page)
    assert len(labels) == len(set(labels)) and set(re.findall(r"\\eqref\{(.*?)\}", page)) == set(labels)


@needs_pdflatex
@pytest.mark.parametrize("name", ["seed", "inner"])
def test_one_run_knows_the_numbers_of_the_next(name, tmp_path):
    page = derivation(name).latex()
    assert_set_by_pdflatex(page, tmp_path)
    assert "undefined" not in (tmp_path / "document.log").read_text(errors="replace")
    found = re.findall(r"\\newlabel\{(eq:.*?)\}\{\{(\d+)\}", (tmp_path / "document.aux").read_text())
    assert found and found == re.findall(r"\\knownnumber\{(.*?)\}\{(\d+)\}", page)
