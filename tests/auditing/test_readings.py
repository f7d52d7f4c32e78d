"""Which result is whose gradient, and that nothing is called right that was not compared."""

import pytest

import symbackprop as sb
from symbackprop.auditing.audit import audited
from symbackprop.cli.main import run
from symbackprop.handwritten.plans import Program
from symbackprop.handwritten.processes import Here

LINE = """
index n : N
index k : K
input x[n,k]
param slope, shift, w[k]
loss E = sum(n, (slope^3*sum(k, w[k]*x[n,k]) + exp(shift))^2)
"""
HEAD = """
import numpy as np
def backward(x, {arguments}):
    p = x @ w
    r = slope**3*p + np.exp(shift)
    return {returned}
"""
SLOPE, SHIFT, W = "6*np.sum(r*p)*slope**2", "2*np.sum(r)*np.exp(shift)", "2*slope**3*r @ x"


def report_of(model, code):
    return audited(sb.loads(model).system, Here(Program(code, "code.py")), "", {})


def line(*returned, arguments="slope, shift, w"):
    return report_of(LINE, HEAD.format(arguments=arguments, returned=", ".join(returned)))


@pytest.mark.parametrize(
    ("returned", "arguments", "wrong"),
    [
        ((SLOPE, SHIFT, W), "slope, shift, w", ()),
        ((SLOPE, SHIFT, W), "w, shift, slope", ()),  # the model's own order
        ((W, SHIFT, SLOPE), "w, shift, slope", ()),
        (("np.sum(r*r)", SLOPE, SHIFT, W), "slope, shift, w", ()),
        (("r @ r/len(x)", SLOPE, SHIFT, W), "slope, shift, w", ()),
        ((SLOPE.replace("6", "3"), SHIFT, W), "slope, shift, w", ("slope",)),
        ((SLOPE, SHIFT.replace("exp", "cos"), W), "slope, shift, w", ("shift",)),
        ((SLOPE, SHIFT, W.replace("2*", "-2*")), "slope, shift, w", ("w",)),
        ((SHIFT, SLOPE, W), "slope, shift, w", ("slope", "shift")),
    ],
)
def test_numbers_in_a_tuple_are_gradients(returned, arguments, wrong):
    report = line(*returned, arguments=arguments)
    assert report.verdict.value == ("wrong" if wrong else "right"), report.text()
    told = {each.tensor: each.is_right for each in report.compared}
    assert told == {f"dE/d{name}": name not in wrong for name in ("slope", "shift", "w")}
    assert ("no name says" in report.text()) == bool(wrong)


def test_what_no_place_tells_is_told_by_values_or_left_open():
    report = line(SHIFT, W)
    assert report.verdict.value == "partly right" and report.exit_code == 3
    assert "convention: results without a name are read in the order" in report.text()
    assert [each.message for each in report.findings] == ["not given back, and so not compared: slope"]
    report = line(SHIFT.replace("2*", "7*"), W)
    assert "not compared: slope, shift" in report.findings[0].message and report.exit_code == 3


def test_exit_codes_and_languages(tmp_path, capsys):
    model, code = tmp_path / "line.model", tmp_path / "line.py"
    model.write_text(LINE)
    code.write_text(HEAD.format(arguments="slope, shift, w", returned=W))
    assert run(["audit", str(model), str(code), "--lang", "ja"]) == 3
    told = capsys.readouterr().out
    assert "line.py: backward: PARTLY RIGHT" in told and "返されないので比較していない: slope, shift" in told


FLOOR = """
index n : N
index k : K
input x[n,k]
param v[k], lev
q[n] = max(1 + sum(k, exp(v[k])*expm1(x[n,k]))/sum(k, exp(v[k]))*3/2*sigmoid(lev), 1e-3)
loss E = -mean(n, log(q[n]))
"""
FLOORED = """
import numpy as np
def backward(x, v, lev):
    p = np.exp(v - v.max())
    p /= p.sum()
    s = 1/(1 + np.exp(-lev))
    g = np.expm1(x) @ p
    u = 1 + 1.5*g*s
    du = -1/np.maximum(u, 1e-3)/len(x)
    du *= u >= 1e-3
    return {"v": 1.5*s*p*(du @ (np.expm1(x) - g[:, None])), "lev": 1.5*du @ g*s*(1 - s)}
"""


def test_a_floor_that_several_tensors_reach_together():
    """It is reached by x far below 0 where lev is not: no one domain for all tensors has that."""
    report = report_of(FLOOR, FLOORED)
    assert report.verdict.value == "right", report.text()
    report = report_of(FLOOR, FLOORED.replace("du *= u >= 1e-3", "pass"))
    assert report.verdict.value == "wrong" and report.findings[0].line == 9, report.text()


def test_a_side_that_no_data_reach_is_not_called_right():
    model = "index n : N\nparam x[n]\nloss E = sum(n, where(tanh(x[n]) < 2, x[n]^2, x[n]))\n"
    report = report_of(model, "def backward(x):\n    return 2*x\n")
    assert report.verdict.value == "partly right" and report.exit_code == 3
    assert "no data drawn reach tanh(x[n]) >= 2" in report.findings[0].message


def test_no_more_digits_are_asked_than_the_own_module_has():
    """exp(exp(x)) is beyond all numbers where x + 1e4 is, and a quotient of two such is not."""
    model = "index n : N\nparam x[n]\nloss E = sum(n, log(1 + exp(exp(x[n])))*1e-3)\n"
    code = "import numpy as np\ndef backward(x):\n    u = np.exp(x)\n    return 1e-3*u/(1 + np.exp(-u))\n"
    assert report_of(model, code).verdict.value == "right"
