"""Backwards as people write them: the right ones are told so, the wrong ones where and how they are wrong."""

import json
from pathlib import Path

import pytest

import symbackprop as sb
from symbackprop.auditing.audit import audited
from symbackprop.cli.main import run
from symbackprop.errors import UncertainError, VerificationError
from symbackprop.handwritten.plans import Program
from symbackprop.handwritten.processes import Here
from tests.auditing.cases import ATTENTION, CASES, EXERCISE, LAYER_NORM, LN, NET, RMS_NORM, dense_net

ROOT = Path(__file__).parent.parent.parent
BY_NAME = {case.name: case for case in CASES}


def report_of(model, code, target="", **given):
    return audited(sb.loads(model).system, Here(Program(code, "code.py")), target, given)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_verdict_the_line_and_the_kind(case):
    runner = Here(Program(case.text, "code.py"))
    report = audited(sb.loads(case.model).system, runner, case.target, case.given)
    assert report.verdict.value == case.expected_verdict, report.text()
    assert tuple([each.kind for each in report.findings]) == case.kinds, report.text()
    assert [each.line for each in report.findings if each.line] == case.lines, report.text()
    assert case.convention in " ".join(report.conventions), report.text()
    is_wrong = bool(case.kinds) and case.kinds[0] not in ("tie", "precision")
    assert (report.compared or "raises" in case.name) and (
        is_wrong or case.verdict or all(each.is_right for each in report.compared)
    )
    assert not (is_wrong and report.compared and all(each.is_right for each in report.compared))


def test_right_and_wrong_are_both_many():
    wrong = [case for case in CASES if case.expected_verdict == "wrong"]
    assert len(wrong) >= 20 and len(CASES) - len(wrong) >= 15


def test_the_remedy_is_code_that_mends():
    case = BY_NAME["dense net, tanh's derivative"]
    report = audited(sb.loads(case.model).system, Here(Program(case.text, "code.py")), "", {})
    (finding,) = report.findings
    assert finding.remedy.startswith("write ")
    mended = case.text.replace("du1 = dz1*(1 - z1**2) #!", finding.remedy.removeprefix("write "))
    assert report_of(case.model, mended).verdict.value == "right"


def test_the_names_of_the_code_are_said_where_they_tell_nothing():
    code = NET.replace("x, t, W1, b1, W2, b2", "one, two, A, e, C, f").replace(
        "B = x", "x, t = one, two\n    B = x"
    )
    code = code.replace("    B =", "    W1, b1, W2, b2 = A, e, C, f\n    B =")
    with pytest.raises(VerificationError, match="--map one=TENSOR"):
        report_of(dense_net(), code)
    given = {"one": "x", "two": "t", "A": "W1", "e": "b1", "C": "W2", "f": "b2"}
    assert report_of(dense_net(), code, **given).verdict.value == "right"
    with pytest.raises(VerificationError, match="no tensor 'q'"):
        report_of(dense_net(), code, **{**given, "one": "q"})


def test_a_constant_that_the_code_has_by_itself():
    code = """
    def backward(dout, x, g):
        r = ((x**2).mean(axis=-1, keepdims=True) + 1e-2)**0.5
        xn = x/r
        dxn = dout*g
        return (dxn - xn*(dxn*xn).mean(axis=-1, keepdims=True))/r, (dout*xn).sum(axis=0)
    """.replace("\n    ", "\n")
    report = report_of(RMS_NORM, code)
    assert report.verdict.value == "wrong" and "say so, --map eps=NUMBER" in report.text()
    assert report_of(RMS_NORM, code, eps="1e-2").verdict.value == "right"


def test_layouts_of_matrices_are_conventions():
    code = NET.replace("x @ W1", "x @ W1.T").replace("dW1 = x.T @ du1", "dW1 = du1.T @ x")
    report = report_of(dense_net(), code)
    assert report.verdict.value == "right" and report.conventions == ("layout: W1 transposed",)


def test_a_loss_that_is_the_models_leaves_no_choice_of_a_factor():
    mean = NET.replace("dy = (y - t)/B", "dy = y - t")
    assert report_of(dense_net(), mean).verdict.value == "right"
    loss = mean.replace("    dW2 =", "    loss = ((y - t)**2).sum()/(2*B)\n    dW2 =")
    (finding,) = report_of(dense_net(), loss).findings
    assert finding.kind == "factor" and "line 12" in finding.message
    own = mean.replace("    dW2 =", "    loss = ((y - t)**2).sum()/2\n    dW2 =").replace(
        "return dW1", "return loss, dW1"
    )
    assert report_of(dense_net(), own).conventions[0].startswith("the gradients are those of B*E")


def test_every_axis_that_the_loss_takes_the_mean_over_may_be_left_as_a_sum():
    model = dense_net(loss="2*mean(b, k, (y[b,k] - t[b,k])^2)/2")
    for divisor, factor in (("B", "K"), ("K", "B")):
        code = NET.replace("dy = (y - t)/B", f"K = t.shape[1]\n    dy = 2*(y - t)/{divisor}")
        report = report_of(model, code)
        assert report.verdict.value == "right", report.text()
        assert f"those of {factor}*E" in report.conventions[0]
    squared = NET.replace("dy = (y - t)/B", "dy = (y - t)/B*W1.shape[1]")
    assert report_of(dense_net(), squared).verdict.value == "wrong"


@pytest.mark.parametrize(
    ("typed", "code", "remedy"),
    [
        ("silu(w[n])", "e/(1 + e)*(1 + w/(1 + e))", "exponentials of what is at most 0"),
        ("log(1 + exp(w[n]))", "e/(1 + e)", "subtract the largest value before exponentials"),
    ],
)
def test_the_remedy_of_what_overflows_speaks_of_exponentials(typed, code, remedy):
    code = f"import numpy as np\ndef grad(w):\n    e = np.exp(w)\n    return {code}\n"
    report = report_of(f"index n : N\nparam w[n]\nloss E = sum(n, {typed})\n", code)
    assert report.verdict.value == "imprecise" and remedy in report.findings[0].remedy, report.text()


def test_what_is_not_given_back_is_said():
    report = report_of(dense_net(), NET.replace("return dW1, db1, dW2, db2", "return dW1, db1"))
    assert report.verdict.value == "partly right" and report.exit_code == 3


def test_two_faults_at_once():
    code = LN.replace("dbeta = dout.sum(axis=0)", "dbeta = -dout.sum(axis=0)")
    code = code.replace("(dout*xhat).sum(axis=0)", "(dout*xhat).mean(axis=0)")
    report = report_of(LAYER_NORM, code)
    assert [(each.kind, each.line, each.tensor) for each in report.findings] == [
        ("factor", 13, "gamma"), ("sign", 14, "beta")
    ]  # fmt: skip


def test_a_line_is_held_against_its_own_quantity_alone():
    code = NET.replace("dz1 = dy @ W2.T", "first = dy @ W2.T*2\n    dz1 = first")
    (finding,) = report_of(dense_net(), code).findings
    assert finding.line == 15 and finding.expected == "", finding
    (finding,) = report_of(dense_net(), NET.replace("dz1 = dy @ W2.T", "dz1 = dy @ W2.T*2")).findings
    assert finding.line == 15 and finding.expected.startswith("dE/dz1[b,j] = ")


def test_a_place_is_said_of_the_data_that_show_it():
    model = "index i : N\nparam c[i]\nloss E = sum(i, c[i]^3/3 + c[i])\n"
    code = (
        "import numpy as np\ndef grad(c):\n    g = c**2 + 1\n"
        "    np.add.at(g, 4, 3*c[0]) if len(c) > 4 else 0\n    return g\n"
    )
    (finding,) = report_of(model, code).findings
    assert finding.message == "dE/dc is wrong in [4] alone, at N=5"


def test_what_raises_says_its_line():
    with pytest.raises(VerificationError, match=r"code.py:3: backward raises ZeroDivisionError"):
        report_of(LAYER_NORM, "def backward(dout, x, gamma, beta, eps):\n    n = 0\n    return x/(1//n)\n")


@pytest.mark.parametrize(
    "code", ["x = 1\n", "def backward(dout, x, gamma, beta, eps):\n    return 'nothing'\n"]
)
def test_what_is_no_gradient_is_refused(code):
    with pytest.raises((VerificationError, UncertainError)):
        report_of(LAYER_NORM, code)


def test_a_file_in_a_process_of_its_own(tmp_path, capsys):
    case = BY_NAME["the course's exercise"]
    model, code = tmp_path / "exercise.model", tmp_path / "exercise.py"
    model.write_text(EXERCISE)
    helper = "import os\nfrom helper import answer\nmarker = open('ran', 'w')\n"
    (tmp_path / "helper.py").write_text("answer = 42\n")
    code.write_text(f"{case.text}{helper}\nwhile True:\n    print('training')\n")
    assert run(["audit", str(model), str(code), "--format", "json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["verdict"] == "wrong" and [each["line"] for each in found["findings"]] == case.lines
    assert found["line"] == case.lines[0] and found["kind"] == "factor" and found["remedy"]
    assert (tmp_path / "ran").exists()
    code.write_text(f"{code.read_text()}# <end>\n")
    assert run(["audit", str(model), str(code), "--format", "html"]) == 1
    page = capsys.readouterr().out
    for line in case.lines:
        assert f'<span class="line wrong" id="L{line}">' in page and f'<a href="#L{line}">' in page
    assert page.count('class="line wrong"') == len(case.lines) and "# &lt;end&gt;" in page


def test_the_commands_words(tmp_path, capsys):
    model, code = tmp_path / "attention.model", tmp_path / "attention.py"
    model.write_text(ATTENTION)
    code.write_text(BY_NAME["attention"].text.replace("Q, K, V, dO", "one, K, V, dO").replace("Q = ", "Q = "))
    names = tmp_path / "names.toml"
    names.write_text('[audit]\none = "Q"\n')
    code.write_text(code.read_text().replace("    d = Q", "    Q = one\n    d = Q"))
    assert run(["audit", str(model), f"{code}:attention_backward", "--map", str(names)]) == 0
    assert "attention.py: attention_backward: RIGHT" in capsys.readouterr().out
    assert run(["audit", str(model), f"{code}:nothing"]) == 2
    assert "does not define 'nothing'" in capsys.readouterr().err
    assert run(["audit", str(model), str(code), "--claim", "dE/dQ = 1"]) == 2
    assert run(["audit", str(model), str(code), "--map", "one"]) == 2
    code.write_text("def backward(:\n")
    assert run(["audit", str(model), str(code)]) == 2
    assert "attention.py:1: this is not Python" in capsys.readouterr().err


SCALE = 3.0


def right(dout, x, gamma, beta, eps):
    mu = x.mean(axis=1, keepdims=True)
    s = (x.var(axis=1, keepdims=True) + eps) ** 0.5
    xhat = (x - mu) / s
    return {"gamma": (dout * xhat).sum(axis=0) * SCALE / SCALE, "beta": dout.sum(axis=0)}


def wrong(dout, x, gamma, beta, eps):
    mu = x.mean(axis=1, keepdims=True)
    s = (x.var(axis=1, keepdims=True) + eps) ** 0.5
    xhat = (x - mu) / s
    dgamma = (dout * x).sum(axis=0)
    return {"gamma": dgamma, "beta": dout.sum(axis=0), "xhat": xhat}


def test_functions_of_this_process():
    model = sb.loads(LAYER_NORM)
    sb.assert_gradient(model, right)
    with pytest.raises(AssertionError, match="reads x, should read xhat"):
        sb.assert_gradient(model, wrong)
    first = wrong.__code__.co_firstlineno
    assert sb.audit(model, wrong).findings[0].line == first + 4
    seed = sb.load(ROOT / "examples" / "seed.model")
    assert sb.audit(seed, claims=["dE/dy[b,k] = y[b,k]"]).exit_code == 1
    with pytest.raises(VerificationError, match="not to be had"):
        sb.audit(model, len)
