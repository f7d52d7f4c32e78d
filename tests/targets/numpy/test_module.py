"""Whole generated modules: text, faces, checks, dtypes, sizes, far values."""

from __future__ import annotations

import ast
import inspect
import os
import subprocess
import sys

import numpy as np
import pytest

from symbackprop.emission.loading import load_module
from symbackprop.language.model import parse_system
from symbackprop.lowering.programs import lower
from symbackprop.semantics.evaluation import evaluate
from tests.array.hand_written import SEED, SEED_ADJOINTS, seed
from tests.programs import numpy_source
from tests.targets.numpy.generated import (
    assignments,
    draw,
    forward_module,
    gradient_module,
    gradient_source,
)

SIZES = {"B": 2, "I": 3, "J": 4, "K": 5}
SEED_SOURCE = numpy_source(lower(seed()))
SEED_MODULE = load_module(SEED_SOURCE, "seed")
SOFTMAX = """
index b : B
index i : I
index k : K
input x[b,i]
target d[b,k]
param W[k,i]
u[b,k] = sum(i, W[k,i]*x[b,i])
p[b,k] = exp(u[b,k])/sum(k, exp(u[b,k]))
loss E = -mean(b, sum(k, d[b,k]*log(p[b,k])))
"""


def test_the_seeds_statements_are_those_a_person_writes() -> None:
    assert assignments(SEED_SOURCE, "_forward") == [
        "u1 = x @ W1.T + b1",
        "z1 = sigmoid(u1)",
        "u2 = z1 @ W2.T + b2",
        "y = u2",
    ]
    assert assignments(SEED_SOURCE, "_loss") == ["delta2 = y - d", "E = 0.5 * np.sum(delta2**2)"]
    assert assignments(SEED_SOURCE, "value_and_grad") == [
        "grad_W2 = delta2.T @ z1",
        "grad_b2 = np.sum(delta2, axis=0)",
        "delta1 = (delta2 @ W2) * z1 * (1.0 - z1)",
        "grad_W1 = delta1.T @ x",
        "grad_b1 = np.sum(delta1, axis=0)",
        'grads = {"W1": grad_W1, "b1": grad_b1, "W2": grad_W2, "b2": grad_b2}',
    ]


def test_each_statement_stands_below_its_formula() -> None:
    lines = [line.strip() for line in SEED_SOURCE.splitlines()]
    for formula in (SEED + SEED_ADJOINTS).splitlines():
        name, equals, _ = formula.removeprefix("loss ").partition(
            "[" if "[" in formula.split("=")[0] else " "
        )
        if equals and "=" in formula and ":" not in formula:
            comment = next(number for number, line in enumerate(lines) if line.startswith(f"# {name}"))
            assert lines[comment + 1].startswith(f"{name} = ")


def test_the_header_names_model_hash_and_version() -> None:
    docstring = ast.get_docstring(ast.parse(SEED_SOURCE)) or ""
    assert '"by_hand"' in docstring and "sha256" in docstring and "symbackprop" in docstring
    assert SEED_SOURCE.isascii()


def test_no_loop_and_no_einsum() -> None:
    assert not any(isinstance(node, ast.For | ast.While) for node in ast.walk(ast.parse(SEED_SOURCE)))
    assert "einsum" not in SEED_SOURCE


def test_public_tables() -> None:
    assert SEED_MODULE.PARAMETERS == ("W1", "b1", "W2", "b2")
    assert SEED_MODULE.INPUTS == ("x",)
    assert SEED_MODULE.TARGETS == ("d",)
    assert SEED_MODULE.OUTPUTS == ("y",)
    assert SEED_MODULE.LOSS == "E"
    assert SEED_MODULE.SHAPES["W2"] == ("K", "J")
    assert SEED_MODULE.FORMULAS["W2"] == "grad_W2[k,j] = sum(b, delta2[b,k]*z1[b,j])"


@pytest.mark.parametrize("sizes", [SIZES, {**SIZES, "B": 1}, dict.fromkeys("BIJK", 1), {**SIZES, "B": 0}])
def test_the_seed_against_the_naive_evaluator(sizes: dict[str, int]) -> None:
    system = parse_system(SEED + SEED_ADJOINTS)
    params, others = draw(system, sizes)
    expected = evaluate(system, {**params, **others}, sizes)
    loss, grads = SEED_MODULE.value_and_grad(params, **others)
    np.testing.assert_allclose(loss, expected["E"], rtol=1e-12)
    np.testing.assert_allclose(
        SEED_MODULE.forward(params, others["x"]), expected["y"].astype(float), rtol=1e-12
    )
    for name, gradient in grads.items():
        assert gradient.shape == params[name].shape
        np.testing.assert_allclose(gradient, expected[f"grad_{name}"].astype(float), rtol=1e-12, atol=1e-14)


def test_loss_and_grad_agree_with_value_and_grad_by_position_and_by_name() -> None:
    params, others = draw(parse_system(SEED), SIZES)
    loss, grads = SEED_MODULE.value_and_grad(params, others["x"], others["d"])
    assert SEED_MODULE.loss(params, d=others["d"], x=others["x"]) == loss
    for name, gradient in SEED_MODULE.grad(params, **others).items():
        np.testing.assert_array_equal(gradient, grads[name])
    assert list(inspect.signature(SEED_MODULE.value_and_grad).parameters) == ["params", "x", "d", "workspace"]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("text", [SEED, SOFTMAX])
def test_dtype_stays(text: str, dtype: type) -> None:
    module = gradient_module(text)
    params, others = draw(parse_system(text), SIZES, dtype)
    loss, grads = module.value_and_grad(params, **others)
    assert loss.dtype == dtype and isinstance(loss, np.floating)
    assert all(gradient.dtype == dtype for gradient in grads.values())
    assert module.forward(params, others["x"]).dtype == dtype


def test_inputs_are_not_modified_and_results_are_nobody_elses() -> None:
    params, others = draw(parse_system(SEED), SIZES)
    before = {name: array.copy() for name, array in {**params, **others}.items()}
    for array in (*params.values(), *others.values()):
        array.setflags(write=False)
    _, grads = SEED_MODULE.value_and_grad(params, **others)
    results = [*grads.values(), SEED_MODULE.forward(params, others["x"])]
    for name, array in {**params, **others}.items():
        np.testing.assert_array_equal(array, before[name])
        assert not any(np.shares_memory(array, result) for result in results)
    for place, result in enumerate(results):
        assert not any(np.shares_memory(result, other) for other in results[:place])


def test_results_that_would_be_views_are_copied() -> None:
    text = """
    index i : I
    param w[i], v[i]
    input x[i]
    s[i] = w[i] + v[i]
    loss E = sum(i, x[i]*s[i])
    """
    module = gradient_module(text, ["w", "v", "s", "x"])
    w, v, x = (np.arange(3.0) + shift for shift in range(3))
    _, grads = module.value_and_grad({"w": w, "v": v}, x)
    arrays = [w, v, x, *grads.values()]
    for place, array in enumerate(arrays):
        assert not any(np.shares_memory(array, other) for other in arrays[:place])
    np.testing.assert_array_equal(grads["w"], x)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"W1": np.zeros((3, 4))}, r"b1: expected shape \(J=3 as in W1\), got \(4,\)"),
        ({"x": np.zeros((2, 7))}, r"x: expected shape \(B, I=3 as in W1\), got \(2, 7\)"),
        ({"d": np.zeros(5)}, r"d: expected shape \(B=2 as in x, K=5 as in W2\), got \(5,\)"),
        ({"d": np.zeros((3, 5))}, r"d: expected shape \(B=2 as in x, K=5 as in W2\), got \(3, 5\)"),
        ({"x": np.zeros((2, 3), np.float32)}, "x: expected dtype float64, got float32"),
        ({"d": np.zeros((2, 5), complex)}, "d: expected dtype float64, got complex128"),
        ({"W1": np.zeros((4, 3), complex)}, "W1: expected dtype float32 or float64, got complex128"),
        ({"x": "text"}, "x: expected dtype float64, got <U4"),
        ({"x": None}, "x: expected dtype float64, got object"),
        ({"x": [[1.0, 2.0, 3.0], [4.0]]}, "x: expected an array, got a list of uneven rows"),
    ],
)
def test_what_does_not_fit_is_named(change: dict, message: str) -> None:
    params, others = draw(parse_system(SEED), SIZES)
    given = {**params, **others, **change}
    with pytest.raises(ValueError, match=message):
        SEED_MODULE.value_and_grad({name: given[name] for name in params}, given["x"], given["d"])


@pytest.mark.parametrize(("drop", "add"), [("b1", None), (None, "b3"), ("W1", "w1")])
def test_parameters_that_are_missing_or_unknown_are_named(drop: str | None, add: str | None) -> None:
    params, others = draw(parse_system(SEED), SIZES)
    if drop:
        del params[drop]
    if add:
        params[add] = np.zeros(1)
    expected = f"missing: {drop or 'none'}; unknown: {add or 'none'}"
    with pytest.raises(ValueError, match=expected):
        SEED_MODULE.loss(params, **others)


def test_a_declared_size_is_checked() -> None:
    module = forward_module("index i : I = 3\ninput x[i]\ny[i] = 2*x[i]\n")
    with pytest.raises(ValueError, match=r"x: expected shape \(I=3 as in the model\), got \(4,\)"):
        module.forward({}, np.zeros(4))


def test_lists_and_python_numbers_take_the_dtype_of_the_arrays() -> None:
    module = gradient_module("index i : I\nparam w[i], c\ninput x[i]\nloss E = c*sum(i, w[i]*x[i])^2\n")
    for dtype in (np.float32, np.float64):
        loss, grads = module.value_and_grad({"w": np.ones(2, dtype), "c": 0.5}, [1.0, 2.0])
        assert (loss, loss.dtype) == (4.5, dtype)
        assert grads["c"].dtype == dtype


def test_names_that_python_has_taken() -> None:
    text = """
    index b : np
    index i : lambda_axis
    input init[b,i]
    target params[b]
    param lambda[i], tensors, sigmoid_
    forward[b] = sigmoid(sum(i, lambda[i]*init[b,i]) + tensors*sigmoid_)
    loss print = mean(b, (forward[b] - params[b])^2)
    """
    module = gradient_module(text)
    system = parse_system(text)
    params, others = draw(system, {"np": 2, "lambda_axis": 3})
    loss, grads = module.value_and_grad(params, *others.values())
    expected = evaluate(system, {**params, **others}, {"np": 2, "lambda_axis": 3})["print"]
    np.testing.assert_allclose(loss, expected, rtol=1e-12)
    assert set(grads) == {"lambda", "tensors", "sigmoid_"}
    assert set(module.SHAPES) == {"init", "params", "lambda", "tensors", "sigmoid_"}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_softmax_and_cross_entropy_at_far_values(dtype: type) -> None:
    module = gradient_module(SOFTMAX)
    x = np.array([[800.0, -800.0], [-800.0, 800.0], [0.0, 0.0]], dtype)
    d = np.array([[1.0, 0.0], [1.0, 0.0], [0.5, 0.5]], dtype)
    loss, grads = module.value_and_grad({"W": np.eye(2, dtype=dtype)}, x, d)
    np.testing.assert_allclose(loss, (0.0 + 1600.0 + np.log(2.0)) / 3, rtol=1e-6)
    np.testing.assert_allclose(module.forward({"W": np.eye(2, dtype=dtype)}, x), [[1, 0], [0, 1], [0.5, 0.5]])
    assert np.all(np.isfinite(grads["W"]))


def test_bins_of_indices_are_computed_in_float64_whatever_the_data_are() -> None:
    """In float32, or divided in another order, 8 is another power of 2, and t*pi another number of turns."""
    text = """
    index t : T = 384
    index b : B = 16
    param x[t], v[t], w[t], rb[b]
    bin[t] = mod(round(sqrt(t)*3), size(b))
    powers[t] = rb[clip(floor(log(t + 1)/log(2)), 0, size(b) - 1)]
    turns[t] = rb[mod(floor(t*pi), size(b))] + rb[bin[t]]
    buckets[t] = rb[where(t < 8, t, clip(8 + floor(log(max(1, t)/8)/log(16)*8), 0, size(b) - 1))]
    loss L = sum(t, x[t]*powers[t] + v[t]*turns[t] + w[t]*buckets[t])
    """
    params = {**dict.fromkeys("xvw", np.ones(384)), "rb": np.arange(16.0)}
    expected = evaluate(parse_system(text), params, only=["powers", "turns", "buckets"])
    module = gradient_module(text)
    for dtype in (np.float64, np.float32):
        found = module.grad({each: array.astype(dtype) for each, array in params.items()})
        for name, tensor in zip("xvw", ("powers", "turns", "buckets"), strict=True):
            np.testing.assert_array_equal(found[name], expected[tensor])


def test_a_mean_over_an_empty_batch_is_zero_and_so_are_its_gradients() -> None:
    module = gradient_module(SOFTMAX)
    loss, grads = module.value_and_grad({"W": np.ones((2, 3))}, np.zeros((0, 3)), np.zeros((0, 2)))
    assert loss == 0.0
    np.testing.assert_array_equal(grads["W"], np.zeros((2, 3)))


@pytest.mark.parametrize("indices", ["n, m", "n, m, k"])
def test_so_is_a_mean_over_all_pairs_of_an_empty_batch(indices: str) -> None:
    """The gradient's is divided by a power of the size."""
    text = f"index n, m, k : N\ninput x[n]\nparam s\nloss E = mean({indices}, tanh(s*x[n] - x[m])) + s\n"
    loss, grads = gradient_module(text).value_and_grad({"s": 2.0}, x=np.zeros(0))
    assert (loss, grads["s"]) == (2.0, 1.0)


def test_what_is_not_chosen_raises_no_warning_and_leaks_nothing() -> None:
    text = """
    index i : I
    param w[i]
    y[i] = where(w[i] > 0, log(w[i]) + 1/w[i] + sqrt(w[i]), 0)
    loss E = sum(i, y[i])
    """
    w = np.array([-1.0, 0.0, 1.0, -800.0])
    loss, grads = gradient_module(text).value_and_grad({"w": w})
    assert loss == 2.0
    np.testing.assert_allclose(grads["w"], [0.0, 0.0, 0.5, 0.0])


def test_the_module_needs_numpy_alone_and_is_the_same_under_any_hash_seed(tmp_path) -> None:
    path = tmp_path / "generated_seed.py"
    path.write_text(SEED_SOURCE)
    probe = (
        "import sys, generated_seed; print([m for m in sys.modules if m.startswith(('sym', 'jinja', 'mpm'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
    command = (
        "from tests.array.hand_written import seed\n"
        "from symbackprop.lowering.programs import lower\n"
        "from tests.programs import numpy_source\n"
        "print(numpy_source(lower(seed())), end='')"
    )
    for hash_seed in ("1", "2", "3"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.getcwd()}
        done = subprocess.run(
            [sys.executable, "-c", command], env=environment, capture_output=True, text=True, check=True
        )
        assert done.stdout == SEED_SOURCE


def test_init_draws_what_the_equations_ask_for() -> None:
    params = SEED_MODULE.init(np.random.default_rng(0), I=400, J=300, K=5)
    assert {name: array.shape for name, array in params.items()} == {
        "W1": (300, 400), "b1": (300,), "W2": (5, 300), "b2": (5,),
    }  # fmt: skip
    assert abs(np.std(params["W1"]) * 20 - 1) < 0.02
    assert not params["b1"].any() and params["W1"].dtype == np.float64
    single = SEED_MODULE.init(np.random.default_rng(0), I=4, J=3, K=5, dtype=np.float32)
    assert all(array.dtype == np.float32 for array in single.values())


def test_declared_sizes_are_the_defaults_of_init() -> None:
    module = gradient_module("index i : I = 3\nparam w[i]\ninput x[i]\nloss E = sum(i, w[i]*x[i])^2\n")
    assert module.init(np.random.default_rng(0))["w"].shape == (3,)


def test_a_model_without_a_loss_has_its_outputs_alone() -> None:
    module = forward_module("index i : I\ninput x[i]\nparam w[i]\ny[i] = w[i]*x[i]\nz = sum(i, y[i])\n")
    assert module.OUTPUTS == ("z",)
    assert module.forward({"w": np.ones(3)}, np.arange(3.0)) == 3.0
    assert not hasattr(module, "value_and_grad") and not hasattr(module, "loss")


def test_several_outputs_come_as_a_tuple() -> None:
    module = forward_module("index i : I\ninput x[i]\ny[i] = 2*x[i]\nz = sum(i, x[i])\n")
    y, z = module.forward({}, np.arange(3.0))
    np.testing.assert_array_equal(y, [0.0, 2.0, 4.0])
    assert z == 3.0


def test_a_model_that_is_its_loss_alone() -> None:
    source = gradient_source("param w\nloss E = w^2\n")
    module = load_module(source, "square")
    assert "_loss" not in source
    assert module.forward({"w": 3.0}) == module.loss({"w": 3.0}) == 9.0
    assert module.value_and_grad({"w": 3.0}) == (9.0, {"w": 6.0})


LOSSES = {
    "sum(n, y[n]^2)": ("y: Array", "y"),
    "mean(n, y[n]^2)": ("y: Array", "y"),
    "sum(n, (y[n] - d[n])^2)": ("tensors: dict[str, Array], y: Array", "tensors, y"),
    "sum(n, y[n]^2) + sum(i, v[i]^2)": ("tensors: dict[str, Array], y: Array", "tensors, y"),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_the_loss_is_given_no_tensors_that_it_does_not_read(loss: str) -> None:
    text = "index n : N\nindex i : I\ninput x[n,i]\nparam v[i]\ny[n] = sum(i, v[i]*x[n,i])\n"
    text += f"{'target d[n]' if 'd[n]' in loss else ''}\nloss E = {loss}\n"
    source, (taken, given) = gradient_source(text), LOSSES[loss]
    assert f"def _loss({taken}) -> " in source and source.count(f" = _loss({given})\n") == 2
    system, module = parse_system(text), gradient_module(text)
    params, values = draw(system, {"N": 3, "I": 2})
    true = float(evaluate(system, {**params, **values})["E"])
    assert module.loss(params, **values) == pytest.approx(true, rel=1e-12)
    assert module.value_and_grad(params, **values)[0] == pytest.approx(true, rel=1e-12)


@pytest.mark.parametrize("loss", ["power", "2*power"])
def test_a_loss_that_is_another_name_is_no_function(loss: str) -> None:
    text = "index i : I\nparam w[i], v\npower = v*sum(i, w[i]^2)\n"
    source = gradient_source(f"{text}loss E = {loss}\n")
    only_names = loss == "power"
    assert ("def _loss(" in source) != only_names
    assert source.count("    E = power\n") == (2 if only_names else 0)
    module, scale = load_module(source, "named"), 1.0 if only_names else 2.0
    value, grads = module.value_and_grad({"w": np.array([1.0, 2.0]), "v": 3.0})
    assert value == module.loss({"w": np.array([1.0, 2.0]), "v": 3.0}) == 15.0 * scale
    np.testing.assert_array_equal(grads["w"], scale * np.array([6.0, 12.0]))


SAID = {
    "y[n] = sum(i, v[i]*x[n,i])\nloss E = sum(n, y[n]^2)\n": ("the output.", "the loss."),
    "y[n] = sum(i, v[i]*x[n,i])\nloss E = sum(n, (y[n] - 1)^2)/2\n": (
        "the output.",
        "the loss, and what is read again on the way back.",
    ),
    "y[n] = sin(sum(i, v[i]*x[n,i]))\nloss E = sum(n, y[n]^2)\n": (
        "the output, and what is read again on the way to the loss and back.",
        "the loss.",
    ),
    "y[n] = sum(i, v[i]*x[n,i])\nz[n,i] = v[i] + x[n,i]\nloss E = sum(n, y[n]^2) + sum(n, i, z[n,i]^2)\n": (
        "the outputs.",
        "the loss.",
    ),
}


@pytest.mark.parametrize("equations", SAID)
def test_parts_say_what_they_return(equations: str) -> None:
    source = gradient_source(f"index n : N\nindex i : I\ninput x[n,i]\nparam v[i]\n{equations}")
    said = [line for line in source.splitlines() if line.startswith('    """Compute ')]
    assert said == [f'    """Compute {each}"""' for each in SAID[equations]]


def test_constants_are_passed_like_inputs() -> None:
    module = gradient_module("index i : I\nparam w[i]\nconst c[i]\nloss E = sum(i, c[i]*w[i]^2)\n")
    loss, grads = module.value_and_grad({"w": np.ones(2)}, c=np.array([1.0, 2.0]))
    assert loss == 3.0
    np.testing.assert_array_equal(grads["w"], [2.0, 4.0])


OUTPUTS_IN_MANY_STYLES = {
    "rate": (  # log(exp(u)) is u: exp(u) is the output's alone
        "index n : N\nindex i : I\ninput x[n,i]\ntarget d[n]\nparam w[i]\n"
        "u[n] = sum(i, w[i]*x[n,i])\nrate[n] = exp(u[n])\n"
        "loss E = sum(n, (log(rate[n]) - d[n])^2)\n"
    ),
    "chance": (  # nothing but the output is made of the data's logarithm
        "index n : N\ninput x[n]\ntarget d[n]\nparam a\nchance[n] = exp(x[n])\n"
        "loss E = sum(n, (log(chance[n]) - a*d[n])^2)\n"
    ),
    "level": (
        "index n : N\nindex t : T\ninput x[n,t]\ntarget d[n,t]\nparam a\n"
        "h[n,t] = a*pad(h[n,t-1]) + x[n,t]\nlevel[n,t] = exp(h[n,t])\n"
        "loss E = sum(n, t, (log(level[n,t]) - d[n,t])^2)\n"
    ),
    "late": (  # after blocks that repeat, and a softmax beside it which the gradients read
        "index n : N\nindex i, j : I\ninput x[n,i]\ntarget d[n,i], e[n]\n"
        + "".join(
            f"param W{n}[i,j]\nq{n}[n,i] = sum(j, W{n}[i,j]*{x}[n,j])\n"
            f"r{n}[n,i] = tanh(q{n}[n,i])*q{n}[n,i]\n"
            f"s{n}[n] = sqrt(sum(i, r{n}[n,i]^2) + 1)\ny{n}[n,i] = r{n}[n,i]/s{n}[n] + {x}[n,i]\n"
            f"v{n}[n,i] = sigmoid(y{n}[n,i])*y{n}[n,i]\nz{n}[n,i] = cos(v{n}[n,i]) + q{n}[n,i]\n"
            for n, x in ((1, "x"), (2, "z1"), (3, "z2"))
        )
        + "p[n,i] = softmax(i, z3[n,i])\nlate[n] = exp(sum(i, z3[n,i]))\n"
        "loss E = sum(n, (log(late[n]) - e[n])^2) - sum(n, i, d[n,i]*log(p[n,i]))\n"
    ),
}


@pytest.mark.parametrize("output", OUTPUTS_IN_MANY_STYLES)
def test_loss_and_gradients_do_not_wait_for_what_outputs_alone_need(output: str) -> None:
    text = OUTPUTS_IN_MANY_STYLES[output]
    source = gradient_source(text)
    assert sum(line.startswith(f"    {output} = ") for line in source.splitlines()) == 1
    assert any(line.startswith(f"{output} = ") for line in assignments(source, "forward"))
    module, system = load_module(source, "outputs"), parse_system(text)
    params, values = draw(system, {axis.name: 3 + place for place, axis in enumerate(system.axes)})
    expected = evaluate(system, {**params, **values})
    found = module.forward(params, *(values[name] for name in module.INPUTS))
    held = dict(zip(module.OUTPUTS, found if len(module.OUTPUTS) > 1 else (found,), strict=True))
    for name, array in held.items():
        np.testing.assert_allclose(array, expected[name], rtol=1e-12)
    assert module.loss(params, **values) == pytest.approx(float(expected["E"]), rel=1e-12)


@pytest.mark.parametrize("output", ["rate", "level"])
def test_an_output_that_overflows_does_not_warn_in_the_loss(output: str) -> None:
    module = gradient_module(OUTPUTS_IN_MANY_STYLES[output])
    values = {"x": np.full((2, 3), 400.0), "d": np.zeros((2, 3) if output == "level" else 2)}
    params = {name: np.full((3,) if name == "w" else (), 1.0) for name in module.PARAMETERS}
    with np.errstate(all="raise"):
        loss, gradients = module.value_and_grad(params, **values)
        assert np.isfinite(module.loss(params, **values)) and np.isfinite(loss)
    assert all(np.all(np.isfinite(gradient)) for gradient in gradients.values())
    with np.errstate(over="ignore"):
        assert np.any(np.isinf(module.forward(params, values["x"])))
