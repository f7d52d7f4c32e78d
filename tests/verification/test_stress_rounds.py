"""Data that are shifted and scaled are among the rounds of a check: forms that cancel there are refused."""

import re
from pathlib import Path

import pytest

from symbackprop.pipeline import loads
from symbackprop.verification.check import check_module
from tests.verification.on_numpy import check_model

EXAMPLES = Path(__file__).parents[2] / "examples"

# The variance of something about a parameter, and a product of differences.
VARIANCE = """
index n : N
input x[n]
param c
r[n] = x[n] - c
loss E = sum(n, r[n]^3)
"""
PRODUCTS = """
index n : N
input x[n], y[n]
param a, b
p[n] = x[n] - a
q[n] = y[n] - b
loss E = sum(n, p[n]*q[n]*p[n])
"""


@pytest.mark.parametrize(
    ("text", "tensor", "expanded"),
    [
        (VARIANCE, "c", '-3.0 * np.sum(T["x"]**2 - 2.0 * T["x"] * T["c"] + T["c"]**2)'),
        (PRODUCTS, "b", '-np.sum(T["x"]**2 - 2.0 * T["x"] * T["a"] + T["a"]**2)'),
    ],
    ids=["variance", "products"],
)
def test_a_square_multiplied_out_is_refused_on_shifted_data_alone(tmp_path, text, tensor, expanded):
    model = loads(text, "stressed")
    source = model.derive().to_numpy()
    assert check_model(model.system).ok
    line = f"    grad_{tensor} = {expanded.replace('T[', 'tensors[')}"
    source, count = re.subn(rf"^    grad_{tensor} = .*$", line, source, flags=re.MULTILINE)
    assert count == 1
    path = tmp_path / "stressed.py"
    path.write_text(source, encoding="utf-8")
    report = check_module(path, model=model.system)
    refused = {(each.name, row.tensor) for each in report.rounds for row in each.rows if not row.ok}
    assert not report.ok and refused == {("data all + 1e4", tensor)}


def test_gentler_data_stand_in_where_the_model_is_not_finite():
    report = check_model(loads("index n : N\nparam w[n]\nloss E = sum(n, exp(w[n]^2))\n").system)
    assert report.ok
    names = [each.name for each in report.rounds]
    assert "data all + 1e1" in names and "data all x8" in names
    assert not {"data all + 1e4", "data all + 1e2"} & {*names}
    assert not any("data" in remark for remark in report.remarks)


def test_data_on_which_the_model_is_never_finite_are_said():
    report = check_model(loads("index n : N\nparam w[n]\nloss E = sum(n, log(2 - w[n]))\n").system)
    assert report.ok
    cause = "not tried: data all + 1e4 or data all + 1e2 or data all + 1e1: the model is not finite there"
    assert cause in report.remarks


def test_where_the_chain_rule_is_undefined_nothing_is_judged():
    """The root has no derivative at 0, where it is for all w above 50; around ten it has one."""
    text = "index n : N\nparam w[n]\nloss E = sum(n, sqrt(max(0, 50 - w[n])))\n"
    report = check_model(loads(text).system)
    assert report.ok
    assert "data all + 1e1" in [each.name for each in report.rounds]


def test_facts_hold_on_the_data_of_every_round():
    text = (
        "index n : N\nindex k : K\ninput x[n,k]\ntarget d[n,k]\nparam w[k]\nfact sum(k, d[n,k]) == 1\n"
        "u[n,k] = x[n,k]*w[k]\nloss E = -sum(n, k, d[n,k]*(u[n,k] - log(sum(k, exp(u[n,k])))))\n"
    )
    report = check_model(loads(text).system)
    assert report.ok, [row for row in report.rows if not row.ok]
    assert {"data all x8"} <= {each.name for each in report.rounds}


NEURON = """
index n : N
input x[n], d[n]
param w, b
y[n] = sigmoid(w*x[n] + b)
loss E = 1/2*sum(n, (y[n] - d[n])^2)
"""


@pytest.mark.parametrize(
    "text", [NEURON, (EXAMPLES / "seed_single.model").read_text()], ids=["neuron", "seed of one sample"]
)
def test_a_saturated_unit_has_the_digits_of_its_closed_form(text):
    """y*(1 - y) is what a textbook writes, though 1 - y loses digits where y is near 1."""
    report = check_model(loads(text).system)
    assert report.ok, [row for row in report.rows if not row.ok]
