import numpy as np
import pytest

from symbackprop import load, loads
from symbackprop.errors import NotationError
from symbackprop.explanation.instances.instance import instance_of
from symbackprop.explanation.instances.worked import worked_element
from symbackprop.explanation.programs.polynomials import Polynomial
from symbackprop.explanation.text import remark_text
from symbackprop.explanation.ways import sizes_for, ways_of
from symbackprop.explanation.without_reuse import refusal, times_run, without_reuse
from symbackprop.lesson.text import formula_text
from symbackprop.targets.numpy.module import numpy_module
from symbackprop.targets.numpy.target import NUMPY
from symbackprop.verification.checked_module import under_check
from tests.explanation.explained import EXAMPLES, seed


def worked(name: str) -> list[str]:
    equation = seed().computations.by_name[name].lines[0].origin.stated
    found = worked_element(equation, seed().instance)
    return [*map(formula_text, found.forms), found.value]


def test_an_instance_is_drawn_where_all_samples_have_to_be_alike():
    declared = "index b : B\nindex i : I\ninput x[b,i], r[i]\nfact x[b,i] == r[i]\nparam w[i]\n"
    drawn = instance_of(loads(f"{declared}loss E = sum(b, i, x[b,i]*w[i])\n").derive().derivation)
    assert drawn is not None
    assert np.allclose(drawn.values["x"], drawn.values["r"])


def test_the_gradient_of_the_tiny_instance_is_that_of_central_differences():
    values = dict(seed().instance.values)
    module = under_check(NUMPY.load(seed().computations.module.text, "seed"))
    declared = {tensor.name: values[tensor.name] for tensor in seed().computations.module.program.tensors}
    step = 1e-6
    moved = [{**declared, "W1": declared["W1"] + sign * step * (np.eye(3, 5))} for sign in (1, -1)]
    quotient = (module.loss(moved[0]) - module.loss(moved[1])) / (2 * step)
    assert np.sum(values["grad_W1"] * np.eye(3, 5)) == pytest.approx(quotient, rel=1e-7)


def test_an_element_is_worked_with_its_numbers():
    element, symbols, numbers, value = worked("grad_W2")
    assert element == "grad_W2[0,0]"
    assert symbols == "delta2[0,0]*z1[0,0] + delta2[1,0]*z1[1,0]"
    left, right = seed().instance.values["delta2"][:, 0], seed().instance.values["z1"][:, 0]
    signed = [f"({each:.3f})" if each < 0 else f"{each:.3f}" for each in (*left, *right)]
    assert numbers == f"{signed[0]}*{signed[2]} + {signed[1]}*{signed[3]}"
    assert value == f"{left @ right:.3f}"


def test_a_lone_name_is_not_worked():
    assert worked_element(seed().computations.by_name["y"].lines[0].origin.stated, seed().instance) is None


def test_declared_sizes_are_made_small_where_no_position_depends_on_them():
    sizes = instance_of(load(EXAMPLES / "digits.model").derive().derivation).sizes
    assert max(sizes.values()) <= 5
    fixed = loads("index i : I = 9\nparam w[i]\nloss E = sum(i, where(i < 7, w[i+2], 0)*w[i])")
    assert instance_of(fixed.derive().derivation).sizes == {"I": 9}


def test_a_model_with_derivatives_inside_has_an_instance():
    inner = loads(
        "index n : N\ninput x[n]\nparam w\ny[n] = w*x[n]^2\ng[n] = diff(y[n], x[n])\nloss E = sum(n, g[n]^2)"
    )
    values = instance_of(inner.derive().derivation).values
    np.testing.assert_allclose(values["grad_w"], np.sum(8 * values["w"] * values["x"] ** 2))


def test_no_small_data_no_instance():
    never = loads("index i : I\nparam w[i]\nloss E = sum(i, log(-w[i]^2 - 1))")
    assert instance_of(never.derive().derivation) is None


def test_without_reuse_every_line_serves_one_reader_and_the_gradient_is_the_same():
    computations = seed().computations
    program = without_reuse(computations)
    module = numpy_module(program).printed()
    names = [name for line in program.statements for name in line.reads if name in program.by_name]
    assert len(names) == len(set(names))
    declared = {tensor.name: seed().instance.values[tensor.name] for tensor in program.tensors}
    _, gradients = under_check(NUMPY.load(module.text, "seed")).value_and_grad(declared)
    for asked, gradient in gradients.items():
        np.testing.assert_allclose(gradient, seed().instance.values[f"grad_{asked}"], rtol=1e-13)


def test_the_count_without_reuse_is_that_of_its_program():
    computations = seed().computations
    times = times_run(computations)
    assert times[computations.by_name["delta2"]] == 1 + 1 + 1 + 2  # E, grad_W2, grad_b2, delta1 twice
    assert seed().ways.ways[1].operations.at(seed().ways.sizes) > seed().ways.ways[2].operations.at(
        seed().ways.sizes
    )


def test_why_the_program_without_reuse_is_not_made(monkeypatch):
    assert refusal(seed().computations) == ()
    monkeypatch.setattr("symbackprop.explanation.without_reuse.MOST_LINES", 10)
    times = times_run(seed().computations)
    assert remark_text(refusal(seed().computations)) == f"its program has {sum(times.values())} lines"


def test_a_recurrence_is_copied_as_a_whole():
    model = loads(
        "index t : T\nparam a, h0\ninput x[t]\nh[t] = a*where(t == 0, h0, h[t-1]) + x[t]\n"
        "loss E = sum(t, h[t]^2)",
        "decay",
    )
    derived = model.derive()
    program = without_reuse(explanation_parts(derived))
    values = {"a": np.array(0.5), "h0": np.array(1.0), "x": np.array([1.0, -2.0, 3.0])}
    alone = under_check(NUMPY.load(numpy_module(program).printed().text, "decay"))
    whole = under_check(derived.module(verify=False))
    assert alone.value_and_grad(values) == whole.value_and_grad(values)


def explanation_parts(derived):
    from_module = type(seed().computations).of
    return from_module(numpy_module(derived.program).printed())


def test_the_three_ways_cost_what_the_lesson_says():
    numerical, without, backpropagation = seed().ways.ways
    sizes = seed().ways.sizes
    assert numerical.operations.at(sizes) == 2 * seed().ways.parameters.at(sizes) * seed().ways.loss.at(sizes)
    assert seed().ways.parameters.at(sizes) == 5 * 3 + 5 + 2 * 5 + 2
    assert all(way.seconds > 0 for way in (numerical, without, backpropagation))


def test_what_is_too_large_is_not_measured():
    large = loads(
        "index v : V\nindex n : N\ninput ids[n] in V\nparam C[v]\nloss E = sum(n, C[ids[n]]^2)"
    ).derive()
    computations = explanation_parts(large)
    found = ways_of(large.derivation, computations, NUMPY, {"V": 10**9, "N": 2})
    assert [way.seconds for way in found.ways] == [None] * 3
    assert all("give smaller sizes" in remark_text(way.note) for way in found.ways)


def test_sizes_are_those_of_open_axes():
    system = load(EXAMPLES / "seed.model").system
    assert sizes_for(system, {"B": 7}) == {"B": 7, "I": 32, "J": 32, "K": 32}
    with pytest.raises(NotationError, match="is no axis of the model"):
        sizes_for(system, {"Q": 7})
    with pytest.raises(NotationError, match="has its size from the model"):
        sizes_for(load(EXAMPLES / "digits.model").system, {"K": 7})
    related = loads("index t : T\nindex s : S = T + 1\nparam w[s]\nloss E = sum(t, w[t+1]*w[t])").system
    assert sizes_for(related, {"T": 5}) == {"T": 5, "S": 6}
    assert Polynomial.size(related.axes[1]).at({"T": 5, "S": 6}) == 6
