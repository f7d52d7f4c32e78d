"""Code in the styles of courses, posts and notebooks: found, called and judged as it stands."""

import pytest

import symbackprop as sb
from symbackprop.auditing.audit import audited
from symbackprop.errors import VerificationError
from symbackprop.handwritten.plans import Program
from symbackprop.handwritten.processes import Here
from tests.auditing import arrangements, oddities, styles
from tests.auditing.strangers import CASES

EVERY = [*CASES, *styles.CASES, *oddities.CASES, *arrangements.CASES]


def in_every_suite(cases):
    """What is right, the first mistake in each style, and the first of each kind; the others are swept."""
    seen = set()
    for case in cases:
        style = case.name.partition(",")[0]
        is_first = not case.kinds or style not in seen or case.kinds not in seen
        if case.kinds:
            seen |= {style, case.kinds}
        yield case if is_first else pytest.param(case, marks=pytest.mark.sweep)


@pytest.mark.parametrize("case", [*in_every_suite(EVERY)], ids=[case.name for case in EVERY])
def test_the_verdict_the_line_and_the_kind(case):
    runner = Here(Program(case.text, "code.py"))
    report = audited(sb.loads(case.model).system, runner, case.target, case.given)
    assert report.verdict.value == case.expected_verdict, report.text()
    assert tuple([each.kind for each in report.findings]) == case.kinds, report.text()
    assert [each.line for each in report.findings if each.line] == case.lines, report.text()
    assert case.convention in " ".join(report.conventions), report.text()
    assert arrangements.REMEDIES.get(case.name, "") in report.text()


def test_what_only_runs_the_file_is_left_alone_and_said():
    (case,) = [each for each in CASES if each.name == "globals"]
    loop = f"{case.text}\nwhile True:\n    forward(X)\n"
    report = audited(sb.loads(case.model).system, Here(Program(loop, "code.py")), "", {})
    lines = len(loop.splitlines())
    first = case.text.splitlines().index("for epoch in range(1000000):") + 1
    assert f"not run, for it defines nothing: lines {first}-{first + 2}, {lines - 1}-{lines}" in report.text()


def test_a_loop_without_a_function_is_refused_with_what_to_do():
    code = "x = 1\nfor step in range(10**9):\n    x = x - 0.1*x\n"
    with pytest.raises(VerificationError, match="put what computes it into a function"):
        audited(sb.loads(CASES[0].model).system, Here(Program(code, "code.py")), "", {})


def test_the_body_of_a_training_loop_is_said():
    model, code = styles.SCRIPT_MODEL, styles.SCRIPT.lstrip("\n")
    report = audited(sb.loads(model).system, Here(Program(code, "code.py")), "", {})
    line = code.splitlines().index("for epoch in range(500):") + 1
    said = f"the body of the loop at line {line} ran once, as a function of x, t, W1, b1, W2, b2"
    assert said in report.text() and not report.exit_code


def test_a_loop_of_batches_in_a_loop_of_epochs():
    head = "for epoch in range(500):\n"
    inner = "".join(
        f"    {line}\n" for line in styles.SCRIPT.split(head)[1].split("plt.plot")[0].splitlines()
    )
    code = styles.SCRIPT.split(head)[0] + f"{head}    lr *= 0.9\n    for part in range(0, n, 10):\n{inner}"
    for text, verdict in ((code, "right"), (code.replace("dy = (y - t) / n", "dy = (y + t) / n"), "wrong")):
        report = audited(sb.loads(styles.SCRIPT_MODEL).system, Here(Program(text, "code.py")), "", {})
        assert report.verdict.value == verdict, report.text()
    (finding,) = report.findings
    assert (finding.kind, finding.line) == ("sign", text.splitlines().index("        dy = (y + t) / n") + 1)


def test_a_mask_hides_no_error():
    (case,) = [each for each in styles.CASES if each.name == "mask"]
    text = case.text.replace("dS *= self.scale", "dS *= self.scale * 1.001")
    report = audited(sb.loads(case.model).system, Here(Program(text, "code.py")), "", {})
    assert report.verdict.value == "wrong", report.text()


FILTER = """
index n : N
index q : Q
index o : O = N - Q + 1
input s[n]
param f[q]
y[o] = sum(q, f[q]*s[o+q])
"""
LOOPS = """
def filter_backward(g, s, f):
    ds, df = [0.0] * len(s), [0 * v for v in f]
    for o in range(len(g)):
        for q in range(len(f)):
            ds[o + q] += g[o] * f[q]
            df[q] += g[o] * s[o + q]
    return {'s': ds, 'f': df}
"""


def test_lists_of_numbers_are_arrays():
    report = audited(sb.loads(FILTER).system, Here(Program(LOOPS, "code.py")), "", {})
    assert report.verdict.value == "right" and len(report.compared) == 2, report.text()
    text = LOOPS.replace("s[o + q]\n", "s[o - q]\n")
    report = audited(sb.loads(FILTER).system, Here(Program(text, "code.py")), "", {})
    assert report.verdict.value == "wrong", report.text()
    assert [each.line for each in report.findings] == [7], report.text()


PAIR = """
import numpy as np
from typing import NamedTuple

class Result(NamedTuple):
    value: float
    b: np.ndarray
    w: np.ndarray

def affine_forward(x, w, b):
    y = x*w + b
    kept = dict(scaled=y**2, w=w, x=x)
    return y + y**3/3, kept

def affine_backward(g, cache):
    scaled, w, x = cache['scaled'], cache['w'], cache['x']
    da = g*(1 + scaled)
    return Result(1.0, da.sum(0), (da*x).sum(0))
"""


def test_a_forward_function_leaves_its_cache_and_a_named_tuple_names_gradients():
    model = "index n : N\nindex d : D\ninput x[n,d]\nparam w[d], b[d]\na[n,d] = x[n,d]*w[d] + b[d]\n"
    model += "y[n,d] = a[n,d] + a[n,d]^3/3\n"
    report = audited(sb.loads(model).system, Here(Program(PAIR, "code.py")), "", {})
    assert report.verdict.value == "right" and {"dE/dw", "dE/db"} <= {each.tensor for each in report.compared}
    assert "affine_backward(...)['w']" in report.text()


def test_the_fields_of_a_dataclass_name_gradients():
    model = "index n : N\ninput x[n]\nparam v, w\nloss E = sum(n, v*x[n] + w^2*x[n])\n"
    code = "from dataclasses import dataclass\n@dataclass\nclass Out:\n    dw: float\n    dv: float\n"
    code += "def grads(x, v, w):\n    s = x.sum()\n    return Out(2 * w * s, 2 * s)\n"
    report = audited(sb.loads(model).system, Here(Program(code, "code.py")), "", {})
    assert [each.tensor for each in report.compared if not each.is_right] == ["dE/dv"], report.text()


def test_a_list_may_hold_a_gradient_in_each_place():
    model = "index n : N\ninput x[n]\nparam v, w\nloss E = sum(n, v*x[n] + w^2*x[n])\n"
    code = "def grads(x, v, w):\n    dv = float(x.sum())\n    dw = 2 * w * dv\n    return [dv, dw]\n"
    report = audited(sb.loads(model).system, Here(Program(code, "code.py")), "", {})
    assert report.verdict.value == "right" and len(report.compared) == 2, report.text()
