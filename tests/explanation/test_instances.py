"""Tiny instances: sizes at which a slip shows, numbers that fit a slide, and none that reads as 0."""

from functools import cache

import numpy as np
import pytest

from symbackprop import explain, load, loads
from symbackprop.explanation.blocks import Numbers, Step
from symbackprop.explanation.instances.digits import comes_to, decimals_of, in_formula, rows_of
from symbackprop.explanation.instances.instance import Instance, instance_of
from symbackprop.explanation.instances.worked import LONGEST, worked_element
from symbackprop.explanation.sections import explanation_page
from symbackprop.lesson.text import formula_text
from tests.explanation.explained import EXAMPLES, explained

GATED = """
index n : N
index t : T
index q : Q
index j, k : J
input x[n,t,q]
param W[j,q], U[j,k], R[j,q], S[j,k]
r[n,t,j] = sigmoid(sum(q, R[j,q]*x[n,t,q]) + sum(k, S[j,k]*pad(h[n,t-1,k])))
u[n,t,j] = sum(q, W[j,q]*x[n,t,q]) + sum(k, U[j,k]*pad(r[n,t-1,k])*pad(h[n,t-1,k]))
h[n,t,j] = r[n,t,j]*tanh(u[n,t,j])
loss E = mean(n, sum(j, h[n,size(t)-1,j]^2))
"""
STORED = """
index t : T
index j : J
input x[t,j]
param w[j]
s[t,j] = w[j]*pad(s[t-1,j]) + x[t,j]*pad(h[t-1,j]) + x[t,j]
h[t,j] = x[t,j]*tanh(s[t,j])
loss E = sum(t, j, h[t,j]^2)
"""
LAYER_NORMED = """
index b : B
index f : F
input x[b,f]
const c[b,f], tau
param a[f]
m[b] = mean(f, x[b,f])
v[b] = mean(f, (x[b,f] - m[b])^2)
y[b,f] = a[f]*(x[b,f] - m[b])/sqrt(v[b] + tau)
loss E = sum(b, f, c[b,f]*y[b,f])
"""
TWO_LAYERS = """
index n : N
index p : P
index q : Q
input x[n,p]
target d[n,q]
param W[p,q]
loss E = sum(n, q, (tanh(sum(p, x[n,p]*W[p,q])) - d[n,q])^2)
"""


@cache
def report(text):
    return explain(loads(text, "shown")).explanation


def instance(text):
    return report(text).instance


def digits(array):
    return rows_of(np.array(array), decimals_of(np.array(array)))


@pytest.mark.parametrize("text", [TWO_LAYERS, LAYER_NORMED])
def test_sizes_differ_from_one_another(text):
    sizes = list(instance(text).sizes.values())
    assert len(set(sizes)) == len(sizes) and min(sizes) >= 2


def test_the_seed_has_two_samples_and_sizes_that_differ():
    assert explained("seed").instance.sizes == {"B": 2, "I": 5, "J": 3, "K": 4}


def test_what_is_averaged_or_read_at_the_step_before_has_three_places():
    assert instance(LAYER_NORMED).sizes["F"] >= 3
    assert instance(GATED).sizes["T"] >= 3
    assert instance(GATED).sizes["N"] == 2  # the loss's own mean is no mean of a layer


def test_related_sizes_stay_related():
    sizes = instance(
        "index h : H\nindex e : E\nindex c : D = H*E\nindex b : B\ninput x[b,c]\nparam w[h,e]\n"
        "loss E_ = sum(b, h, e, w[h,e]*x[b,h*size(e)+e]^2)"
    ).sizes
    assert sizes["D"] == sizes["H"] * sizes["E"]


@pytest.mark.parametrize("text", [TWO_LAYERS, LAYER_NORMED, GATED])
def test_no_row_or_column_of_what_is_given_looks_like_another(text):
    found = instance(text)
    for name in loads(text).system.tensors:
        array = np.abs(found.values[name])
        for axis in range(array.ndim if array.ndim > 1 else 0):
            rows = np.moveaxis(array, axis, 0).reshape(array.shape[axis], -1)
            assert len(np.unique(rows, axis=0)) == len(rows), name


def test_what_keeps_a_root_from_0_is_small():
    assert instance(LAYER_NORMED).values["tau"] == pytest.approx(0.01)
    scaled = "index i : I\nparam w[i]\nconst tau\nloss E = sum(i, tau*w[i]^2)/(sum(i, w[i]^2) + tau)"
    assert abs(instance(scaled).values["tau"]) > 0.05  # it scales the rest, too


@pytest.mark.parametrize("text", [TWO_LAYERS, LAYER_NORMED, GATED])
def test_no_number_but_0_reads_as_0(text):
    values = report(text).instance.values
    blocks = explanation_page(report(text)).blocks
    shown = [each for step in blocks if isinstance(step, Step) for each in step.numbers]
    shown += [each for each in blocks if isinstance(each, Numbers)]
    assert len(shown) > 5
    for numbers in shown:
        texts = [number for row in numbers.rows for number in row]
        assert all(number == "0" for number in texts if not float(number))
    assert not any(np.allclose(values[name], 0) for name in values if name.startswith("grad_"))


@pytest.mark.parametrize("text", [TWO_LAYERS, LAYER_NORMED, GATED])
def test_every_line_is_worked(text):
    blocks = explanation_page(report(text)).blocks
    steps = [block for block in blocks if isinstance(block, Step)]
    assert not [step.tensor for step in steps if not step.worked]


@pytest.mark.parametrize("text", [TWO_LAYERS, LAYER_NORMED, GATED, STORED])
def test_no_element_is_worked_by_its_own_name(text):
    blocks = explanation_page(report(text)).blocks
    worked = [list(map(formula_text, block.worked)) for block in blocks if isinstance(block, Step)]
    assert not [forms for forms in worked if len(forms) > 1 and forms[0] in forms[1:]]


def test_a_recurrent_line_is_worked_where_it_is_not_0():
    blocks = explanation_page(report(GATED)).blocks
    recurrent = [block for block in blocks if isinstance(block, Step) and block.worked]
    zero = [step.tensor for step in recurrent if step.worked_value == "0"]
    assert not zero


def test_numbers_of_an_array_have_the_same_digits():
    assert digits([[1.0, -0.5], [0.25, 2.0]]) == [["1.00", "-0.50"], ["0.25", "2.00"]]
    assert digits([1, 2]) == [["1", "2"]]
    assert digits([0.0625, 1 / 3]) == [["0.0625", "0.3333"]]  # the first ends there
    assert digits([0.00123, 1 / 3]) == [["0.001", "0.333"]]
    assert digits([0.00123456, 0.0004]) == [["0.00123", "0.00040"]]  # three digits of the largest
    assert digits([0.000031, 1 / 3]) == [["0.00003", "0.33333"]]  # something of the smallest
    assert digits([-1e-17, 2 / 3, 1e-9]) == [["0", "0.666667", "0.000000001"]]


def test_a_number_in_a_formula_has_no_zeros_behind_what_it_is():
    assert in_formula(2.5, 3) == "2.5" and in_formula(1 / 3, 3) == "0.333" and in_formula(2.0, 2) == "2"
    assert (
        in_formula(0.97004, 3) == "0.970"
        and in_formula(-1e-17, 3) == "0"
        and in_formula(np.int64(3), 0) == "3"
    )


def test_at_a_tie_nobody_knows_the_last_digit():
    assert (
        comes_to(0.12349, "0.123", 3)
        and not comes_to(0.1235, "0.123", 3)
        and not comes_to(0.1235, "0.124", 3)
    )


def test_the_maximum_and_the_product_are_worked_and_parts_have_their_names():
    text = "index b : B\nindex k : K\nparam s[b,k]\nconst q[b,k]\n"
    soft = text + "p[b,k] = exp(s[b,k])/sum(k, exp(s[b,k]))\nloss E = sum(b, k, q[b,k]*p[b,k])"
    blocks = explanation_page(report(soft)).blocks
    worked = {step.tensor: list(map(formula_text, step.worked)) for step in blocks if isinstance(step, Step)}
    shown = " ".join(form for forms in worked.values() for form in forms)
    assert "max(s[0,0], s[0,1]" in shown
    values = {"w": np.array([0.5, 3.0]), "z": np.array(1.5)}
    system = loads("index i : I\nparam w[i]\nz = prod(i, w[i])\nloss E = z").system
    found = worked_element(system.definitions["z"], Instance({"I": 2}, values))
    assert found.value == "1.5" and formula_text(found.forms[2]) == "0.5*3"


def test_a_long_sum_is_shortened_and_comes_to_the_same():
    system = loads("index i : I\nparam w[i], v[i]\nz = sum(i, w[i]*v[i])\nloss E = z").system
    count = LONGEST // 8
    values = {"w": np.ones(count), "v": np.full(count, 0.5), "z": np.array(count / 2)}
    found = worked_element(system.definitions["z"], Instance({"I": count}, values))
    assert formula_text(found.forms[1]) == f"w[0]*v[0] + w[1]*v[1] + ... + w[{count - 1}]*v[{count - 1}]"
    assert formula_text(found.forms[2]) == "1*0.5 + 1*0.5 + ... + 1*0.5" and not found.is_rounded


def test_a_copy_at_another_place_shows_one_number_once():
    blocks = explanation_page(explained("recurrent")).blocks
    (before,) = (step for step in blocks if isinstance(step, Step) and step.tensor == "h_before")
    assert [formula_text(form) for form in before.worked] == ["h_before[0,1,0]", "h[0,0,0]"]


def test_attention_rows_differ():
    attention = load(EXAMPLES / "classics" / "attention.model").derive(wrt=["Q", "K", "V"])
    values = instance_of(attention.derivation).values
    assert all(len(np.unique(values[name], axis=0)) == len(values[name]) for name in ("Q", "K", "V", "P"))
