import json
import re

import pytest

from symbackprop import explain, loads
from symbackprop.cli.main import run
from symbackprop.derivation.result import Derivation
from symbackprop.explanation.blocks import Note, Page, Step
from symbackprop.explanation.json_document import explanation_json
from symbackprop.explanation.sections import explanation_page, on_one_line, page_title
from symbackprop.explanation.text import page_text
from symbackprop.languages.language import Language
from symbackprop.languages.phrases import text_in
from tests.explanation.explained import EXAMPLES, explained

MODELS = ("seed", "recurrent", "classics/batch_norm_input_alone")


SEED_LINES = {
    "delta2": "delta2 = y - d",
    "E": "E = 0.5 * np.sum(delta2**2)",
    "grad_W2": "grad_W2 = delta2.T @ z1",
    "grad_b2": "grad_b2 = np.sum(delta2, axis=0)",
    "delta1": "delta1 = (delta2 @ W2) * z1 * (1.0 - z1)",
}


def titled(derivation: Derivation) -> str:
    return text_in(page_title(derivation), Language.ENGLISH)


def sentences(shown: str) -> str:
    return " ".join(shown.split())


def test_the_page_answers_what_is_used_again():
    shown = sentences(page_text(explanation_page(explained("seed"))))
    lines = explained("seed").computations.module.text.splitlines()
    line = {name: lines.index(f"    {code}") + 1 for name, code in SEED_LINES.items()}
    assert (
        f"delta2[b,k] = dE/du2[b,k] is computed once, on line {line['delta2']}, and read by lines "
        f"{line['E']} (E), {line['grad_W2']} (grad_W2), {line['grad_b2']} (grad_b2) "
        f"and {line['delta1']} (delta1)."
    ) in shown
    assert "The way back through z1 is written in its output z1: u1 need not be kept." in shown
    # 2*4*3*5 + 2*4*5 operations for 8*4*5 bytes, against 2*4*5*2 + 2*4*2 for 8*4*2.
    assert "the first to give up is z1: that frees 160 bytes, for 160 operations more." in shown


def test_a_derivative_of_the_loss_itself_is_said_once():
    shown = sentences(page_text(explanation_page(explained("seed"))))
    assert shown.count("dE/dy[b,k] = y[b,k] - d[b,k]") == 1
    assert "dE/dy[b,k] = y[b,k] - d[b,k], of shape (B, K): the same numbers as delta2" in shown


def test_a_title_names_a_few_tensors():
    names = [f"w{number}" for number in range(8)]
    model = loads(f"param {', '.join(names)}\nloss E = {' + '.join(f'{name}^2' for name in names)}", "many")
    assert titled(model.derive().derivation) == "many: the gradient of E with respect to every parameter"
    assert (
        titled(model.derive(names[:7]).derivation)
        == "many: the gradient of E with respect to w0 and 6 others"
    )
    assert titled(explained("seed").derivation) == "seed: the gradient of E with respect to W1, b1, W2, b2"


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("width", [60, 100])
def test_paragraphs_keep_the_width(name, width):
    page = explanation_page(explained(name))
    notes = [page_text(Page("", (block,)), width) for block in page.blocks if isinstance(block, Note)]
    lines = [line for note in notes for line in note.splitlines()]
    assert max(len(line) for line in lines if " " in line) <= width
    assert all(line == line.rstrip() for line in page_text(page, width).splitlines())


@pytest.mark.parametrize("width", [44, 60, 80])
def test_a_line_ends_within_a_formula_only_in_front_of_a_term(width):
    notes = [block for block in explanation_page(explained("recurrent")).blocks if isinstance(block, Note)]
    lines = [line for note in notes for line in page_text(Page("", (note,)), width).splitlines()]
    assert any("t' - 1 = t" in line for line in lines)
    assert not [line for line in lines if re.search(r"[-+*/<(]$|^[*/<)]|^[-+] \d+[],]", line)]


def test_what_goes_as_before_but_for_names_is_said_in_a_line():
    shown = sentences(page_text(explanation_page(explained("branches"))))
    assert shown.count("only i' = i contributes; every b contributes") == 1
    assert re.search(r"da_long_name\[b,i'\]/dg\[i\] = \S+: likewise, as d\w/d\w\.", shown)
    # Other indices are another course.
    assert "likewise" not in page_text(explanation_page(explained("seed")))


def test_a_derivative_that_keeps_no_name_is_called_by_none():
    shown = sentences(page_text(explanation_page(explained("normed"))))
    assert "dE/ds[c] = -sum(b, (dE/dxhat[b,c])*xhat[b,c])/s[c], of shape (C,)" in shown
    assert "delta_xhat" not in shown


def test_json_says_the_same():
    found = json.loads(explanation_json(explained("seed")))
    by_tensor = {each["derivative"]: each for each in found["products"]}
    assert by_tensor["dE/du2[b,k]"]["lines"][0]["code"] == "delta2 = y - d"
    assert by_tensor["dE/dW2[k,j]"]["terms"] == [["dE/dy", "dy/du2", "du2/dW2"]]
    assert found["kept"][0]["bytes"]["value"] == 8 * 4 * 5
    assert [way["name"] for way in found["ways"]][-1] == "backpropagation"
    line = by_tensor["dE/du2[b,k]"]["lines"][0]
    assert found["module"].splitlines()[line["first"] - 1].strip() == line["code"]


def test_line_numbers_are_those_of_the_module_that_generate_writes(capsys):
    assert run(["explain", str(EXAMPLES / "seed.model"), "--format", "json", "--size", "B=2"]) == 0
    found = json.loads(capsys.readouterr().out)
    written = (EXAMPLES.parent / "generated" / "seed.py").read_text()
    assert found["sizes"]["B"] == 2
    for product in found["products"]:
        for line in product["lines"]:
            assert written.splitlines()[line["first"] - 1].strip() == line["code"]


def test_a_size_of_no_axis_is_wrong_input(capsys):
    assert run(["explain", str(EXAMPLES / "seed.model"), "--size", "Q=2"]) == 2
    assert "Q is no axis of the model" in capsys.readouterr().err


def test_what_an_array_starts_with_is_not_shown_as_its_result():
    steps = [each for each in explanation_page(explained("pooled")).blocks if isinstance(each, Step)]
    code = {each.spans[0].code: each for each in steps}
    assert not any("np.zeros" in line or "np.full" in line for line in code)
    (added,) = (each for line, each in code.items() if line.startswith("y += "))
    assert added.numbers is not None


def test_a_parameter_that_the_loss_does_not_reach_and_one_scalar_are_explained():
    report = explain(loads("param w, v\nloss E = w^2", "alone"))
    shown = sentences(report.text())
    assert "dE/dw = 2*w, a scalar: kept as grad_w" in shown
    assert repr(report) == "<Report alone>"
    assert "needs the given tensors alone" in shown
    assert "E does not depend on v." in shown


def test_a_statement_of_several_lines_stands_whole_in_a_table():
    code = "delta = (\n    a @ b\n    + f(\n        c,\n        d,\n    )\n)"
    assert on_one_line(code) == "delta = (a @ b + f(c, d))"
