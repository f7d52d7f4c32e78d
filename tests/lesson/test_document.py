import itertools
import json
import re

import numpy as np
import pytest

from symbackprop import loads
from symbackprop.language.model import parse_system
from symbackprop.languages.language import Language
from symbackprop.languages.phrases import listed, text_in
from symbackprop.lesson.chains import ChainWriter
from symbackprop.lesson.document import Chain, Column, Equations, Heading
from symbackprop.lesson.lesson import derivation_document
from symbackprop.lesson.text import document_text
from symbackprop.notation.derivatives import Derivative
from symbackprop.notation.expressions import Element
from symbackprop.reports.face import derivation_html
from symbackprop.rewriting.replacements import AdjointNames
from symbackprop.rewriting.rule import Step, Use
from symbackprop.semantics.evaluation import evaluate
from symbackprop.systems.printing import equation_text, text
from tests.models.classics import small_sample
from tests.models.examples import EXAMPLES, derivation

NAMES = ("seed", "seed_single", "exercise", "digits", "two_paths", "other_names", "long", "relu", "inner")


def sections(shown):
    """Title of each section to its lines, in order."""
    found = re.split(r"^(.+)\n(?:=+|-+|~+)$\n", shown, flags=re.MULTILINE)[1:]
    return dict(zip(found[::2], found[1::2], strict=True))


def in_order(shown, *lines):
    place = 0
    for line in lines:
        found = shown.find(line, place)
        assert found >= 0, f"{line!r} is not there, or too early:\n{shown}"
        place = found + len(line)


# ---- the lesson


def test_the_lesson_of_the_seed_in_its_order():
    shown = derivation("seed", ("W2",)).text()
    in_order(
        shown,
        "u1[b,j] = sum(i, W1[j,i]*x[b,i]) + b1[j]",
        "E = 1/2*sum(b, k, (y[b,k] - d[b,k])^2)",
        "W2 moves u2, u2 moves y, y moves E.",
        "dE/dW2 = (dE/dy)(dy/du2)(du2/dW2)",
        "Factor 1: dE/dy",
        "= y[b,k] - d[b,k]",
        "Factor 2: dy/du2",
        "dy[b,k]/du2[b,k] = 1",
        "Factor 3: du2/dW2",
        "= delta(k',k)*z1[b,j]",
        "As a column over k', it holds z1[b,j] in row k and 0 elsewhere:",
        "[    0    ]\n      [    :    ]\n      [ z1[b,j] ]  <- row k\n      [    :    ]\n      [    0    ]",
        "The product",
        "dE/dW2[k,j] = sum(b, k', (dE/du2[b,k'])*(du2[b,k']/dW2[k,j]))",
        "= sum(b, (y[b,k] - d[b,k])*z1[b,j])",
        "The result",
        "\n  dE/dW2[k,j] = sum(b, (y[b,k] - d[b,k])*z1[b,j])\n",
    )


def test_the_lesson_for_one_sample_ends_as_the_page_does():
    shown = derivation("seed_single", ("W2",)).text()
    assert shown.endswith("\n  dE/dW2[k,j] = (y[k] - d[k])*z1[j]\n")
    in_order(shown, "dy[k]/du2[k] = 1", "= delta(k',k)*z1[j]", "[ z1[j] ]  <- row k")


def test_the_first_layer_by_the_same_means():
    shown = derivation("seed", ("W1",)).text()
    in_order(
        shown,
        "dE/dW1 = (dE/dy)(dy/du2)(du2/dz1)(dz1/du1)(du1/dW1)",
        "Factor 4: dz1/du1",
        "dz1[b,j]/du1[b,j] = z1[b,j]*(1 - z1[b,j])",
        "Factor 5: du1/dW1",
        "delta1[b,j] := dE/du1[b,j]",
        "dE/dW1[j,i] = sum(b, delta1[b,j]*x[b,i])",
    )


def test_other_names_give_the_same_lesson():
    shown = derivation("other_names").text()
    in_order(
        shown,
        "dcost/dtheta = (dcost/dnet)(dnet/dtheta)",
        "= net[sample,q] - wanted[sample,q]",
        "it holds pixels[sample,p] in row q and 0 elsewhere",
        "dcost/dtheta[p,q] = sum(sample, (net[sample,q] - wanted[sample,q])*pixels[sample,p])",
    )


def test_several_paths_have_a_section_for_each_adjoint():
    shown = derivation("seed").text()
    titles = list(sections(shown))
    assert titles[1:3] == ["The model", "The chain rule"] and titles[-1] == "The result"
    assert titles[3:6] == ["dE/dy", "dE/du2, kept as delta2", "dE/dW2"]
    assert "delta2[b,k] := dE/du2[b,k] is used again for dE/dW2, dE/db2 and dE/dz1." in shown
    assert "  dE/dz1 = (dE/du2)(du2/dz1)\n" in sections(shown)["The chain rule"]


def test_the_direct_path_is_told_apart_from_the_whole_derivative():
    shown = derivation("two_paths", ("s",)).text()
    assert "  dE/ds = (dE/dr)(dr/ds) + dE_direct/ds\n" in shown
    assert "E_direct is E as its own equation reads s" in shown
    assert not re.search(r"dE/ds\S* = .*\(dE/ds", shown)


def test_what_the_loss_does_not_depend_on():
    assert "E does not depend on q." in derivation("two_paths", ("q",)).text()


@pytest.mark.parametrize("name", NAMES)
def test_a_rule_is_stated_where_it_is_used_first(name):
    stated = []
    for block in derivation_document(derivation(name).derivation).blocks:
        if isinstance(block, Chain):
            # Which adjoint is called what is said each time.
            for link in (each for each in block.links if each.reason.rule != AdjointNames.name):
                stated.extend(text_of(statement) for statement in link.reason.statements)
    assert stated and len(stated) == len(set(stated))


def test_a_tensor_that_the_loss_itself_reads_has_no_chain_to_multiply():
    shown = loads("index b : B\nparam w[b]\nloss E = sum(b, exp(w[b])^2)").derive().text()
    assert "The chain rule" not in shown and "dE/dw = dE/dw" not in shown and "Factor" not in shown
    in_order(shown, "\ndE/dw\n-----", "From E = sum(b, exp(w[b])^2):", "dE/dw[b] = ", "The result")


def text_of(sentence):
    return "".join(part if isinstance(part, str) else text(part) for part in sentence)


@pytest.mark.parametrize("name", NAMES)
def test_every_link_changes_something_and_has_a_reason(name):
    for block in derivation_document(derivation(name).derivation).blocks:
        if isinstance(block, Chain):
            shown = [text(block.left), *(text(link.expression) for link in block.links)]
            assert all(before != after for before, after in itertools.pairwise(shown))
            assert all(link.reason is not None and link.reason.rule for link in block.links)


def test_a_detour_is_left_out_of_a_chain():
    writer = ChainWriter(derivation("seed").derivation)
    left = Derivative(Element("E"), Element("y"), total=True)
    states = [left, *(Element(name) for name in "abcbd"), left, Element("e")]
    steps = [
        Step(Use(f"rule {number}", f"statement {number}"), (), before, after)
        for number, (before, after) in enumerate(itertools.pairwise(states))
    ]
    links = writer.chain(left, steps).links
    assert [text(link.expression) for link in links] == ["a", "b", "d", "e"]
    assert [link.reason.rule for link in links] == ["rule 0", "rule 1", "rule 4", "rule 6"]
    assert writer.chain(left, steps[:1]).links[0].reason.statements == ()


def test_uses_of_one_rule_in_a_row_are_one_link():
    writer = ChainWriter(derivation("seed").derivation)
    left = Derivative(Element("E"), Element("y"), total=True)
    rule = Use("rule", "statement")
    links = writer.chain(
        left, [Step(rule, (), left, Element("a")), Step(rule, (), Element("a"), Element("b"))]
    ).links
    assert [text(link.expression) for link in links] == ["b"]


def test_a_column_stands_where_one_delta_ties_an_index_and_others_are_free():
    blocks = derivation_document(derivation("seed").derivation).blocks
    columns = {text(block.derivative): text(block.entry) for block in blocks if isinstance(block, Column)}
    assert columns == {
        "du2[b,k']/dW2[k,j]": "z1[b,j]",
        "du2[b,k']/db2[k]": "1",
        "du2[b',k]/dz1[b,j]": "W2[k,j]",
        "du1[b,j']/dW1[j,i]": "x[b,i]",
        "du1[b,j']/db1[j]": "1",
    }


def test_headings_and_lists():
    assert listed(["a"]) == ("a",)
    assert text_in(listed(["a", "b", "c"]), Language.ENGLISH) == "a, b and c"
    headings = [
        block
        for block in derivation_document(derivation("seed").derivation).blocks
        if isinstance(block, Heading)
    ]
    assert {heading.level for heading in headings} <= {1, 2}


# ---- plain text


@pytest.mark.parametrize("width", [40, 60, 80, 100])
@pytest.mark.parametrize("name", NAMES)
def test_text_is_ascii_and_keeps_to_its_width(name, width):
    shown = derivation(name).text(width)
    assert shown.isascii() and "\x1b" not in shown and not re.search(r" $", shown, re.MULTILINE)
    # Only what cannot be broken may run over: one factor, one name, a heading.
    over = [line for line in shown.splitlines() if len(line) > width]
    assert all(not re.search(r"\S [+-] \S.* [+-] ", line) for line in over if "#" not in line), over


@pytest.mark.parametrize("name", NAMES)
def test_narrow_text_says_the_same(name):
    def squeezed(width):
        return re.sub(r"[\s#=~-]+", "", derivation(name).text(width))

    assert squeezed(48) == squeezed(100)


def test_a_long_equation_goes_on_in_front_of_an_operator():
    lines = derivation("long", ("W",)).text(60).splitlines()
    model = lines[lines.index("The model") + 2 :]
    first = next(line for line in model if line.startswith("  z[n,beta] ="))
    following = model[model.index(first) + 1]
    assert re.match(r"\s{6,}[+-] ", following)


def test_no_break_within_positions():
    for line in derivation("long").text(44).splitlines():
        assert line.count("[") == line.count("]")


def test_inner_derivatives_come_before_the_gradient():
    shown = derivation("inner").text()
    in_order(
        shown,
        "g[n,i] = diff(y[n], x[n,i])",
        "The derivatives inside the model",
        "dy/dx, kept as g",
        "y_direct is y as its own equation reads x, while all other tensors stand still.",
        "dy_direct[n]/dx[n,i]",
        "What is added to the model",
        "The chain rule",
        "The result",
    )


# ---- the result


@pytest.mark.parametrize("name", NAMES)
def test_the_result_can_be_read_and_computed_line_by_line(name):
    """Every right-hand side is in the model language and reads only what stands above it."""
    found = derivation(name)
    source = re.sub(r".*diff\(.*\n", "", found.derivation.system.source.replace("loss ", ""))
    lines = []
    for number, line in enumerate(found.result_text().splitlines()):
        left, right = line.split(" = ", 1)
        positions = re.search(r"\[.*\]$", left)
        name_of_line = f"result{number}" if left.startswith("d") and "/" in left else left.split("[")[0]
        lines.append(f"{name_of_line}{positions.group() if positions else ''} = {right}")
    system = parse_system(source + "\n" + "\n".join(lines))
    above = set()
    names = [line.split(" = ")[0].split("[")[0] for line in lines]
    for name in names:
        assert above >= set(names).intersection(system.definitions[name].reads)
        above.add(name)


def test_the_result_alone():
    assert derivation("seed", ("W2",)).result_text() == "dE/dW2[k,j] = sum(b, (y[b,k] - d[b,k])*z1[b,j])\n"
    assert derivation("seed_single", ("W2",)).result_text() == "dE/dW2[k,j] = (y[k] - d[k])*z1[j]\n"
    assert derivation("seed").result_text().splitlines()[:2] == [
        "delta2[b,k] = y[b,k] - d[b,k]",
        "dE/dW2[k,j] = sum(b, delta2[b,k]*z1[b,j])",
    ]


def test_an_intermediate_that_is_asked_for_and_read_by_others():
    lines = derivation("seed", ("u2", "W2")).result_text().splitlines()
    name = lines[0].split("[")[0]
    assert lines[1] == f"dE/du2[b,k] = {name}[b,k]"
    assert lines[2] == f"dE/dW2[k,j] = sum(b, {name}[b,k]*z1[b,j])"


PACKED = """
index b : B
index h : H
index a : A = 2*H
input x[b,a], dy[b,h]
param W[a]
p[b,a] = W[a]*x[b,a]
y[b,h] = silu(p[b,h])*p[b,size(h)+h]
loss E = sum(b, h, dy[b,h]*y[b,h])
"""


def test_blocks_of_a_packed_axis_have_a_line_each():
    found = loads(PACKED).derive(["p"])
    assert found.result_text().splitlines() == [
        "dE/dp[b,h] = dy[b,h]*sigmoid(p[b,h])*p[b,size(h) + h]*(p[b,h]*(1 - sigmoid(p[b,h])) + 1)",
        "dE/dp[b,size(h) + h] = dy[b,h]*sigmoid(p[b,h])*p[b,h]",
    ]
    (whole,) = json.loads(found.result_json())["result"]
    assert whole["left"] == "dE/dp[b,a]" and "where(" in whole["right"]


@pytest.mark.parametrize("halves", [1, 2])
def test_blocks_are_the_parts_of_the_whole(halves):
    """Numerically, for blocks of one place too."""
    first, second = (line.split(" = ")[1] for line in loads(PACKED).derive(["p"]).result_text().splitlines())
    (whole,) = loads(PACKED).derive(["p"]).derivation.equations
    system = parse_system(
        f"{PACKED}g[b,a] = {text(whole.expression)}\nfirst[b,h] = {first}\nsecond[b,h] = {second}\n"
    )
    values, sizes = small_sample(system, {"B": 2, "H": halves, "A": 2 * halves})
    known = evaluate(system, values, sizes)
    np.testing.assert_allclose(known["g"], np.concatenate([known["first"], known["second"]], axis=1))


def test_halves_of_which_no_axis_has_the_length_stay_together():
    model = """
index a : A
input x[a]
param p[a]
loss E = sum(a, where(a < 3, x[a]*p[a], 0)) + sum(a, where(a >= 3, p[a]^2, 0))
"""
    assert len(loads(model).derive().result_text().splitlines()) == 1


# ---- JSON


@pytest.mark.parametrize("name", NAMES)
def test_json_holds_every_step(name):
    found = derivation(name)
    data = json.loads(found.json())
    steps = [
        step
        for adjoint in (*data["inner_derivatives"], *data["restated"], *data["adjoints"])
        for step in (
            *(one for factor in adjoint.get("factors", ()) for one in factor["steps"]),
            *adjoint["steps"],
        )
    ]
    assert [(step["rule"], step["before"], step["after"]) for step in steps] == [
        (step.rule.name, text(step.before), text(step.after)) for step in found.derivation.steps
    ]
    assert data["wrt"] == list(found.derivation.wrt) and data["loss"] == found.derivation.system.loss


def test_json_says_why_each_step_holds():
    data = json.loads(derivation("seed").json())
    steps = [
        step for adjoint in data["adjoints"] for factor in adjoint["factors"] for step in factor["steps"]
    ]
    first = next(step["justification"] for step in steps if step["rule"] == "differentiate")
    assert first == {
        "rule": "differentiate",
        "kind": "definition",
        "bindings": {},
        "premise": [],
        "equations": ["E = 1/2*sum(b, k, (y[b,k] - d[b,k])^2)"],
        "steps": [],
    }
    folded = next(step["justification"] for step in steps if step["rule"] == "fold back")
    assert folded["kind"] == "identity" and "z1[b',j'] = sigmoid(u1[b',j'])" in folded["equations"]
    assert {step["justification"]["kind"] for step in steps} >= {"definition", "rewrite", "identity"}


def test_json_of_the_result():
    data = json.loads(derivation("seed").result_json())
    assert data["result"][0] == {
        "left": "delta2[b,k]",
        "right": "y[b,k] - d[b,k]",
        "derivative": "dE/du2[b,k]",
        "latex": r"\delta^{(2)}_{bk} = y_{bk} - d_{bk}",
    }
    assert data["result"][1]["left"] == "dE/dW2[k,j]"


# ---- the blocks by themselves


def test_a_document_without_blocks_is_its_title():
    document = derivation_document(derivation("seed").derivation)
    assert document_text(type(document)("nothing", ())) == "nothing\n=======\n"


def test_the_last_block_is_the_result():
    assert isinstance(derivation_document(derivation("seed").derivation).blocks[-1], Equations)


def test_the_examples_are_there():
    assert (EXAMPLES / "seed.model").is_file() and (EXAMPLES / "seed_single.model").is_file()


# ---- means


def test_a_mean_is_printed_as_one_and_a_sum_over_something_else_is_not():
    model = parse_system(
        "index i, j : N\nindex b : B\nparam y[b]\ninput A[i,j]\n"
        "loss E = mean(b, y[b]^2)*mean(i, j, A[i,j])/size(b) + sum(i, A[i,0])/size(b)"
    )
    shown = equation_text(model.equations[0], model.shorthands)
    assert shown == "E = mean(b, y[b]^2)*mean(i, j, A[i,j])/size(b) + sum(i, A[i,0])/size(b)"


def test_means_stay_in_a_derivation_and_in_gradients():
    model = loads("index b : B\ninput x[b], d[b]\nparam w, c\nloss E = mean(b, (w*x[b] + c - d[b])^2)")
    derivation = model.derive()
    assert str(derivation.gradients["c"]) == "dE/dc = 2*mean(b, w*x[b] + c - d[b])"
    in_order(derivation.text(), "E = mean(b, (w*x[b] + c - d[b])^2)", "dE/dc = 2*mean(b, w*x[b] + c - d[b])")


WINDOW = (
    "index a : A\nindex r : R\ninput x[a]\nparam w[r]\ny[a] = sum(r, w[r]*{read})\nloss E = sum(a, y[a]^2)\n"
)


@pytest.mark.parametrize(
    ("read", "told"),
    [("pad(x[a+r-1])", True), ("where(a + r - 1 < 3, x[0], 0)", False), ("x[a]", False)],
)
def test_what_pad_means_is_said_once_below_the_model(read, told):
    derived = loads(WINDOW.format(read=read)).derive()
    english, japanese = derived.text(), derived.text(lang="ja")
    said = "pad(x[a + r - 1]) is x[a + r - 1] where "
    assert english.count(said) == derivation_html(derived).count("and 0 elsewhere.") == int(told)
    assert japanese.count("pad(x[a + r - 1]) は") == int(told)
    if told:
        in_order(english, "E = sum(a, y[a]^2)", said, "The indices run over")
    assert said not in derived.result_text()


def test_a_mean_is_said_to_be_a_sum_divided_by_a_size():
    text = loads("index n, m : N\nindex k : K\nparam x[n,k]\nloss E = mean(n, k, x[n,k]^3)").derive().text()
    assert text.count("mean(n, k, x[n,k]^3) is sum(n, k, x[n,k]^3)/(size(n)*size(k)).") == 1


def test_what_stands_still_is_said_where_each_element_depends_on_one():
    def said(text):
        return " ".join(document_text(derivation_document(loads(text).derive().derivation)).split())

    centred = "index i : I\nparam x[i]\nm = mean(i, x[i])\nc[i] = exp(x[i] - m)\nloss E = sum(i, c[i]^3)"
    alone = "each element of c depends on one element of x alone:"
    assert f"While m stands still, {alone}" in said(centred)
    plain = said(centred.replace("mean(i, x[i])", "2"))
    assert f"E{alone[1:]}" in plain and "stands still" not in plain
