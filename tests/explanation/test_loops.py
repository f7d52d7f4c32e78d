"""Loops and rounded numbers on the page of an explanation."""

import re
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from symbackprop import loads
from symbackprop.explanation.blocks import Note, Numbers, Step
from symbackprop.explanation.explanation import explanation_of
from symbackprop.explanation.instances.digits import decimals_of, in_formula, rows_of
from symbackprop.explanation.instances.instance import Instance, instance_of
from symbackprop.explanation.instances.worked import worked_element
from symbackprop.explanation.sections import explanation_page
from symbackprop.explanation.text import page_text, remark_text
from symbackprop.systems.printing import text
from symbackprop.targets.numpy.module import numpy_module
from symbackprop.targets.numpy.target import NUMPY

MEMORY = """
index n : N
index t : T
index i, k : I
input x[n,t,i]
param W[i,k], a[i]
m[n,t,i] = cos(sum(k, W[i,k]*pad(m[n,t-1,k])) + x[n,t,i] + a[i])
q[n,i] = sum(t, m[n,t,i])
loss E = sum(n, i, q[n,i]^3)
"""


@cache
def memory():
    derived = loads(MEMORY, "memory").derive()
    return explanation_of(derived.derivation, numpy_module(derived.program).printed(), NUMPY)


def steps_of(page):
    return {block.tensor: block for block in page.blocks if isinstance(block, Step)}


def test_in_a_loop_the_step_that_reads_another_is_worked():
    steps = steps_of(explanation_page(memory()))
    element, written, _ = steps["u_m"].worked
    assert text(element) == "u_m[0,1,0]" and "W[0,1]*m[0,0,1]" in text(written)
    element, written, _ = steps["delta_u_m"].worked
    assert text(element) == "delta_u_m[0,1,0]"  # back from the last of three steps


def test_what_a_loop_forgets_is_known_at_every_step():
    values = memory().instance.values
    assert values["u_m"].shape == values["m"].shape
    np.testing.assert_allclose(np.cos(values["u_m"]), values["m"])


def test_three_axes_are_shown_place_by_place_of_the_first():
    shown = [block.name for block in explanation_page(memory()).blocks if isinstance(block, Numbers)]
    assert [text(name) for name in shown[:2]] == ["x[0,t,i]", "x[1,t,i]"]


@pytest.mark.parametrize(
    ("value", "shown"), [(2.5, "2.5"), (0.97, "0.97"), (0.97004, "0.970"), (-0.99993, "-1.000"), (0.0, "0")]
)
def test_a_rounded_number_keeps_its_zeros(value, shown):
    assert in_formula(value, decimals_of(np.array(value))) == shown


@pytest.mark.parametrize(("given", "is_rounded"), [([0.12344, 0.12344], True), ([0.125, 0.25], False)])
def test_numbers_that_come_to_another_digit_are_said_to_be_rounded(given, is_rounded):
    system = loads("index i : I\nparam w[i]\nz = sum(i, 1*w[i])\nloss E = z^2").system
    values = {"w": np.array(given), "z": np.array(sum(given))}
    worked = worked_element(system.definitions["z"], Instance({"I": 2}, values))
    assert worked.is_rounded is is_rounded


def test_a_line_in_a_loop_has_the_shape_of_a_step_and_the_loop_is_said():
    page = explanation_page(memory())
    shapes = {name: remark_text(step.shape) for name, step in steps_of(page).items()}
    assert shapes["m_before"] == "shape (N, I) at each t"
    assert shapes["m"] == "shape (N, I) at each t, (N, T, I) in all"
    assert shapes["q"] == "shape (N, I)" and shapes["E"] == "a scalar"
    loops = [
        said
        for block in page.blocks
        if isinstance(block, Note) and "loop" in (said := remark_text(block.remark))
    ]
    assert len(loops) == 2
    assert "from its first place to its last" in loops[0] and "from its last place back" in loops[1]


def test_a_part_of_an_array_is_stored_by_the_names_of_its_product():
    said = page_text(explanation_page(memory()))
    assert "delta_u_m is stored as [n,t,i] and transposed" in " ".join(said.split())


def test_signs_are_explained_where_they_are_shown():
    said = " ".join(page_text(explanation_page(memory())).split())
    assert "(Kronecker's delta)" in said and "t - 1 >= 0, and 0 elsewhere." in said
    assert "where(c, f, g) is f where the condition c holds" in said
    plain = loads("index i : I\nparam w[i]\nloss E = sum(i, w[i]^2)", "plain").derive()
    other = explanation_of(plain.derivation, numpy_module(plain.program).printed(), NUMPY)
    said = page_text(explanation_page(other))
    assert "Kronecker" not in said and "pad(" not in said and "where(" not in said


def explained_text(model):
    derived = loads(model, "other").derive()
    module = numpy_module(derived.program).printed()
    return page_text(explanation_page(explanation_of(derived.derivation, module, NUMPY)))


def test_the_direct_path_has_a_name_of_its_own():
    twice = "index i : I\nparam a[i]\nm = sum(i, a[i]^3)\nloss E = m^2 + sum(i, sin(a[i]))"
    shown = " ".join(explained_text(twice).split())
    assert "E_direct is E as its own equation reads a" in shown
    assert "dE_direct/da[i] = cos(a[i])" in shown and "dE/da[i] = cos(a[i])" not in shown


def test_lines_follow_one_another_as_in_the_code():
    probabilities = (
        "index b : B\nindex i, j : I\ninput x[b,i]\nparam W[j,i]\nu[b,j] = sum(i, W[j,i]*x[b,i])\n"
        "p[b,j] = sigmoid(u[b,j])\nloss E = -sum(b, j, x[b,j]*log(p[b,j]) + (1 - x[b,j])*log(1 - p[b,j]))"
    )
    found = re.findall(r"^lines? (\d+)", explained_text(probabilities), flags=re.MULTILINE)
    assert [int(line) for line in found] == sorted(map(int, found)) and len(found) > 3


def test_a_shape_stays_on_a_line():
    assert not re.search(r"\((\w+,\s)*\w+,\n\w+\)", explained_text(MEMORY))


def test_a_tiny_instance_is_not_saturated_where_other_numbers_are_not():
    steep = (
        "index b : B\nindex i : I\nindex j : J\ninput x[b,i]\nparam W[j,i]\n"
        "u[b,j] = 4*sum(i, W[j,i]*x[b,i])\n"
        "z[b,j] = tanh(u[b,j])\nloss E = sum(b, j, z[b,j]^3)"
    )
    derived = loads(steep, "steep").derive()
    instance = instance_of(derived.derivation)
    shown = np.round(instance.values["z"], 3)
    assert len(np.unique(shown, axis=0)) == len(shown)


@pytest.mark.parametrize(
    ("array", "rows"),
    [
        ([[1.0, 0.5]], [["1.0", "0.5"]]),
        ([[0.99999, 0.99998]], [["1.000", "1.000"]]),
        ([[0.12345, 2.0]], [["0.123", "2.000"]]),
    ],
)
def test_rounded_rows_keep_their_zeros(array, rows):
    assert rows_of(np.array(array), decimals_of(np.array(array))) == rows


def test_a_loop_over_a_window_is_no_recurrence():
    pooled = (
        "index n : N\nindex i : I = 6\nindex v : V = 2\nindex a : A = 3\ninput c[n,a]\nparam x[n,i]\n"
        "y[n,a] = max(v, x[n,2*a+v])\nloss E = sum(n, a, c[n,a]*y[n,a]^2)"
    )
    shown = explained_text(pooled)
    assert "A loop over v" in shown and "at each v" not in shown


def test_what_costs_nothing_is_not_said_to_be_reused_and_parts_of_a_line_are_said_once():
    convolved = (
        "index n : N\nindex i : I\nindex c : C\nindex r : R\ninput x[n,i]\nparam w[c,r], b[c]\n"
        "y[n,i,c] = sum(r, w[c,r]*pad(x[n,i+r-1])) + b[c]\nloss E = sum(n, i, c, y[n,i,c]^2)"
    )
    shown = explained_text(convolved)
    assert "which is 0." not in shown
    assert "another part of y[n,i,c]" in shown and "I size(i)" not in shown


def test_an_element_whose_rounded_numbers_are_not_finite_is_not_worked():
    system = loads("index i : I\nparam w[i]\nz = sum(i, log(w[i]))\nloss E = z").system
    values = {"w": np.array([1e-13, 1.0]), "z": np.array(np.log(1e-13))}
    assert worked_element(system.definitions["z"], Instance({"I": 2}, values)) is None


def test_a_derivative_of_the_loss_in_words_is_said_once():
    shown = explained_text(
        "index n : N\nindex k : K\nparam a[n,k]\nq[n,k] = sin(a[n,k])\nloss E = sum(n, logsumexp(k, q[n,k]))"
    )
    assert " ".join(shown.split()).count("dE/dq[n,k] = softmax(k, q[n,k])") == 1


def test_a_form_that_keeps_digits_is_said_where_it_is_used_first():
    shares = (
        "index n : N\nindex k : K\nparam a[n,k], b[n,k]\nu[n] = log(sum(k, exp(a[n,k])))\n"
        "v[n] = log(sum(k, exp(b[n,k])))\nloss E = sum(n, u[n]) + sum(n, v[n])"
    )
    shown = " ".join(explained_text(shares).split())
    assert shown.count("log(sum(k, exp(a[n,k]))) is computed as max(k, a[n,k]) + ") == 1
    assert "log(sum(k, exp(b[n,k]))) is computed as" not in shown  # as of a
    plain = explained_text("index i : I\nparam w[i]\nloss E = sum(i, w[i]^3)")
    assert "is computed as" not in plain


def test_blocks_that_one_function_computes_stay_one_after_another():
    computations = memory().computations
    turned = replace(computations, items=computations.items[::-1])
    assert turned.in_reading_order != turned.items
    module = replace(computations.module, blocks={"block": ()})
    assert replace(turned, module=module).in_reading_order == turned.items
