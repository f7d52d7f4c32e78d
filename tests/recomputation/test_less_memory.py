import numpy as np
import pytest

from symbackprop import loads
from symbackprop.array.segments import segments_of
from symbackprop.cli.main import run
from symbackprop.recomputation.less_memory import choice_for, in_less_memory
from symbackprop.targets.numpy.target import NUMPY
from symbackprop.targets.numpy.variants import NUMPY_IN_LESS_MEMORY
from symbackprop.verification.checked_module import under_check
from tests.explanation.explained import EXAMPLES, explained

LAYERS = """
index b : B
index i : I
index j : J
input x[b,i]
target d[b,j]
param W[j,i], V[j,i], gamma[i]
m[b] = mean(i, x[b,i])
c[b,i] = x[b,i] - m[b]
y[b,i] = gamma[i]*tanh(c[b,i])*c[b,i]
u[b,j] = sum(i, W[j,i]*y[b,i])
z[b,j] = tanh(u[b,j])*u[b,j]
v[b,i] = sum(j, V[j,i]*z[b,j])
E0[b,i] = max(v[b,i], 0)*exp(-v[b,i]^2)
loss E = sum(b, i, E0[b,i]^2) + sum(b, j, (z[b,j] - d[b,j])^2)
"""


def kept_by(program):
    """The arrays that the backward pass takes from the two parts before it."""
    backward = segments_of(program).backward
    computed = {name for name in backward.arguments if name in program.by_name}
    return computed - set(program.gradients.values())


@pytest.fixture(scope="module")
def layers():
    return loads(LAYERS, "layers").derive()


def test_what_takes_passes_alone_runs_again(layers):
    choice = choice_for(layers.program)
    assert {"m", "c", "y", "z"} & kept_by(layers.program)
    # c, y and their mean come back from x, z from u, the last layer from v; both products are kept.
    assert choice.kept == {"u", "v"}
    assert kept_by(in_less_memory(layers.program)) == {"u", "v"}


def test_the_numbers_are_the_same_to_the_bit(layers):
    rng = np.random.default_rng(0)
    sizes = {"B": 3, "I": 4, "J": 5}
    shapes = {"x": "BI", "d": "BJ", "W": "JI", "V": "JI", "gamma": "I"}
    values = {name: rng.normal(size=[sizes[axis] for axis in axes]) for name, axes in shapes.items()}
    found = [
        under_check(target.load(target.printed(layers.program).text, "layers")).value_and_grad(values)
        for target in (NUMPY, NUMPY_IN_LESS_MEMORY)
    ]
    assert found[0][0] == found[1][0]
    for name, gradient in found[0][1].items():
        np.testing.assert_array_equal(gradient, found[1][1][name])


def test_each_line_runs_once_more_and_never_a_third_time(layers):
    program = in_less_memory(layers.program)
    again = [line.name for line in program.statements if getattr(line, "name", "").endswith("_again")]
    assert again and len(again) == len(set(again)) == len(choice_for(layers.program).recomputed)


def test_a_batch_norm_keeps_nothing_but_its_input():
    program = explained("classics/batch_norm_input_alone").computations.module.program
    assert choice_for(program).kept == frozenset()


def test_no_matrix_product_and_no_loop_runs_twice():
    for name in ("seed", "recurrent"):
        program = explained(name).computations.module.program
        assert not choice_for(program).recomputed
        assert in_less_memory(program) is program


def test_a_product_that_would_spread_over_a_third_axis_does_not_run_twice():
    spread = loads(
        "index i, j : I\nindex n : N\ninput x[n,i]\nparam w[i]\n"
        "r[i,j] = max(n, x[n,i]*x[n,j])\nloss E = sum(i, j, exp(w[i]*r[i,j]))"
    ).derive()
    assert "r" in spread.program.by_name
    assert "r" not in {line.name for line in choice_for(spread.program).recomputed}


def test_places_that_are_read_stay_as_they_are():
    rounded = loads(
        "index i : I\ninput x[i]\nparam w[i]\n"
        "q[i] = w[clip(floor(x[i]), 0, size(i)-1)]*x[i]\nloss E = sum(i, tanh(q[i])^2)"
    ).derive()
    module = under_check(NUMPY_IN_LESS_MEMORY.load(NUMPY_IN_LESS_MEMORY.printed(rounded.program).text, "q"))
    plain = under_check(NUMPY.load(NUMPY.printed(rounded.program).text, "q"))
    values = {"x": np.array([0.5, 2.5, -1.0, 1.0]), "w": np.array([1.0, -2.0, 0.5, 3.0])}
    np.testing.assert_array_equal(module.grad(values)["w"], plain.grad(values)["w"])


def test_generate_writes_it_verified_and_explain_names_the_set(capsys, tmp_path):
    model = tmp_path / "norm.model"
    model.write_text((EXAMPLES / "classics" / "batch_norm_input_alone.model").read_text())
    assert run(["generate", str(model), "--memory", "-o", str(tmp_path)]) == 0
    text = (tmp_path / "norm.py").read_text()
    assert "Verified before it was written" in text and "xhat_again = " in text
    assert "It keeps little from forward to backward" in " ".join(text.split())
    assert run(["generate", str(EXAMPLES / "seed.model"), "--memory", "-o", str(tmp_path)]) == 0
    same = " ".join((tmp_path / "seed.py").read_text().split())
    assert "Nothing that it keeps from forward to backward is cheap" in same and "keeps little" not in same
    capsys.readouterr()
    assert run(["explain", str(model)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "symbackprop generate --memory keeps nothing: 0 bytes in the place of 8.2 kB, for" in said
