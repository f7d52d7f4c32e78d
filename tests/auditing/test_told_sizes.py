"""Sizes that a function is told, and statements that share a line."""

import pytest

import symbackprop as sb
from symbackprop.auditing.audit import audited
from symbackprop.handwritten.plans import Program
from symbackprop.handwritten.processes import Here

# Each head has a mean square of its own: the number of heads stands in no tensor's shape.
OF_HEADS = """
index b : B
index h : {axis}
index e : E
index d : D = {axis}*E
input x[b,d]
param scale[d]
r[b,h] = sqrt(mean(e, x[b,(h e)]^2) + 1)
y[b,(h e)] = scale[(h e)]*x[b,(h e)]/r[b,h]
"""
BACKWARD = """
import numpy as np

def heads_forward(x, scale, {told}):
    b, d = x.shape
    xs = x.reshape(b, {told}, d // {told})
    r = np.sqrt((xs**2).mean(axis=2, keepdims=True) + 1)
    return scale * (xs / r).reshape(b, d), (xs, r, scale, {told})

def heads_backward(dy, cache):
    xs, r, scale, {told} = cache
    b, d = dy.shape
    g = (dy * scale).reshape(b, {told}, d // {told})
    dx = g / r - xs * (g * xs).mean(axis=2, keepdims=True) / r**3
    return dx.reshape(b, d), (dy * (xs / r).reshape(b, d)).sum(axis=0)
"""


def report_of(model, code):
    return audited(sb.loads(model).system, Here(Program(code, "code.py")), "", {})


@pytest.mark.parametrize(
    ("axis", "told"), [("H", "H"), ("G", "G"), ("H", "heads"), ("H", "num_heads"), ("HEADS", "HEADS")]
)
def test_a_function_is_told_the_size_that_a_parameter_is_called_like(axis, told):
    """g is what is sent back as well, where no size is called so."""
    code = BACKWARD.format(told=told)
    assert report_of(OF_HEADS.format(axis=axis), code).verdict.value == "right"
    report = report_of(OF_HEADS.format(axis=axis), code.replace("(g * xs).mean(", "(g * xs).sum("))
    assert report.verdict.value == "wrong"
    assert [each.line for each in report.findings] == [
        code.splitlines().index(f"    g = (dy * scale).reshape(b, {told}, d // {told})") + 2
    ]


def test_a_tensor_of_this_name_is_passed_all_the_same():
    model = "index n : N\nindex k : K\ninput x[n]\nparam G\ny[n] = G^2*x[n]\n"
    code = "def backward(dy, x, G):\n    n = x.shape[0] % 7\n    return 2*G*(dy*x).sum() + 0*n\n"
    assert report_of(model, code).verdict.value == "right"


LINEAR = """
index n : N
index i : I
input X[n,i], t[n]
param w[i], b
loss E = mean(n, (sum(i, X[n,i]*w[i]) + b - t[n])^2) + 0.05*sum(i, w[i]^2)
"""
SCRIPT = """import numpy as np
X = np.random.randn(30, 4); t = X[:, 0]; n = len(X)
w = np.zeros(4); b = 0.0; decay = 0.05; rate = 0.1  # all at once
for epoch in range(100):
    y = X @ w + b; e = 2*(y - t)/n
    dw = X.T @ e + 2*decay*w; db = e.sum()
    w -= rate*dw; b -= rate*db
"""


def test_statements_that_share_a_line():
    report = report_of(LINEAR, SCRIPT)
    assert report.verdict.value == "right", report.text()
    report = report_of(LINEAR, SCRIPT.replace("2*decay*w", "decay*w"))
    assert report.verdict.value == "wrong" and [each.line for each in report.findings] == [6], report.text()


@pytest.mark.parametrize(
    "summed", ["np.ones(len(dy)) @ dy", "np.ones(dy.shape[0]) @ dy", "np.reshape(dy, (len(dy), -1)).sum(0)"]
)
def test_an_array_of_whose_shape_a_size_is_taken_is_no_size(summed):
    """`dy` begins as the only axis is called, D of `index d : D` beside one that is called otherwise."""
    model = "index r : rows\nindex d : D\ninput x[r,d]\nparam b[d]\ny[r,d] = x[r,d]*b[d]^2 + b[d]\n"
    code = (
        "import numpy as np\ndef backward(dy, x, b):\n"
        f"    db = ({summed}) + (2*dy*x*b).sum(0)\n    return dy*b**2, db\n"
    )
    assert report_of(model, code).verdict.value == "right"
