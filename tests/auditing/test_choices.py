"""Choices that the code has and the model has not: found on data that are drawn to either side of them."""

import pytest

import symbackprop as sb
from symbackprop.auditing.audit import audited
from symbackprop.handwritten.plans import Program
from symbackprop.handwritten.processes import Apart, Here

FIT = """
index n : N
index i : I
input x[n,i], t[n]
param w[i], c
a[n] = sum(i, x[n,i]*w[i]) + c
z[n] = tanh(a[n])
loss E = mean(n, (z[n] - t[n])^2)/2
"""
CODE = """
import numpy as np

def gradients(x, t, w, c):
    a = x @ w + c
    z = np.tanh(a)
    dz = (z - t)/len(t)
    da = dz*(1 - z**2)
    dw = da @ x
    dc = da.sum()
    return {"w": dw, "c": dc}
"""
DW = "    dw = da @ x\n"
LOOP = """    dw = 0*w
    for g, row in zip(da, x):
        dw += g*row if row[0] < 2 else row
"""
DA = "da = dz*(1 - z**2)"
WRONG = {
    "a mask": (DA, "da = dz*(1 - z**2)*(np.abs(a) < 1.8)", "remedy: write da = dz * (1 - z ** 2)\n"),
    "a where": (DA, "da = np.where(a > 1.7, dz, dz*(1 - z**2))", "should be dz * (1 - z ** 2)"),
    "a clip": (DA, "da = np.clip(dz, -3, 3)*(1 - z**2)", "should be dz\n"),
    "a minimum": (DA, "da = dz*(1 - np.minimum(z**2, 0.9))", "should be z ** 2\n"),
    "a case of one sample": (DW, f"{DW}    if len(t) == 1:\n        dw = np.ones(3)\n", "no case of its own"),
    "an assignment under a mask": (DW, f"    da[a < -2.5] = 0\n{DW}", "remedy: leave this line out"),
    "a number next to 0": (DA, "da = dz*np.where(np.abs(a) < 1e-3, 0, 1 - z**2)", "should be 1 - z ** 2"),
    "a case of many samples": (DW, "    dw = da @ x if len(t) <= 8 else da[0]*x[0]\n", "should be da @ x"),
    "no number": (DA, "da = dz*np.where(a > 1.7, np.log(1 - a), 1 - z**2)", "should be 1 - z ** 2"),
    "a case in a loop": (DW, LOOP, "should be g * row"),
}  # fmt: skip
RIGHT = {
    "both sides right": ("z = np.tanh(a)", "z = np.where(a > 2, 1 - 2/(np.exp(2*a) + 1), np.tanh(a))"),
    "a case that is right": (DW, f"{DW}    if len(t) == 1:\n        dw = da[0]*x[0]\n"),
    "questions of form": ("a = x @ w + c", "a = x @ w + c if x.ndim == 2 and w is not None else c"),
    "a least scale": (DA, "s = np.maximum(np.abs(w).max(), 1e-5)\n    da = dz/s*(1 - z**2)*s"),
    "large data alone": (
        DA,
        "da = np.where(a > 1.7, dz/np.cosh(a)**2, dz*np.exp(2*a)*4/(np.exp(2*a) + 1)**2)",
    ),
    "a guard": ("dz = (z - t)/len(t)", "dz = (z - t)/max(len(t), 1)*np.where(z**2 < 1e-300, 1, 1)"),
}


def report_of(old, new, runner=Here):
    assert CODE.count(old) == 1
    return audited(sb.loads(FIT).system, runner(Program(CODE.replace(old, new), "code.py")), "", {})


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_on_one_side_of_a_choice_is_found(name):
    old, new, said = WRONG[name]
    report = report_of(old, new)
    assert report.verdict.value == "wrong" and said in report.text(), report.text()
    (finding,) = report.findings
    assert not all(each.is_right for each in report.compared) and "the code's own conditions" in report.text()
    lines = CODE.replace(old, new).splitlines()
    assert finding.kind == "branch" and lines[finding.line - 1].strip() in new, report.text()


@pytest.mark.parametrize("name", RIGHT)
def test_a_choice_is_no_fault(name):
    report = report_of(*RIGHT[name])
    assert report.verdict.value == "right" and not report.conventions, report.text()


def test_a_choice_in_a_process_of_its_own():
    assert report_of(*WRONG["a mask"][:2], runner=Apart).findings[0].kind == "branch"


NORM = """most = 4.0
    size = np.sqrt(dw @ dw + dc**2)
    if size > most:
        dw, dc = dw*most/size, dc*most/size"""
OF_TORCH = """most = 5.0
    part = most/(np.sqrt(dw @ dw + dc**2) + 1e-6)
    if part < 1:
        dw, dc = dw*part, dc*part"""


@pytest.mark.parametrize("limited", ["dw = np.clip(dw, -5, 5)", NORM, OF_TORCH])
def test_limited_gradients_are_a_convention(limited):
    report = report_of("    return", f"    {limited}\n    return")
    assert report.verdict.value == "right", report.text()
    assert report.conventions == ("large gradients are limited before they are given back",)


def test_a_gradient_that_is_made_smaller_by_another_number_is_wrong():
    report = report_of("    return", "    if abs(dc) > 1.5:\n        dc = dc/2\n    return")
    assert report.verdict.value == "wrong" and report.findings[0].kind == "branch", report.text()


def test_a_side_that_no_data_reach_is_said():
    report = report_of("da = dz*(1 - z**2)", "da = dz*(1 - z**2 if z.max() < 3 else 0)")
    assert report.verdict.value == "partly right" and report.exit_code == 3
    assert "line 8: no data drawn reach the other side of z.max() < 3" in report.text()
