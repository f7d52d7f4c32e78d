"""Recurrences against the judges: each step, the closed form, the program and the module."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad

from symbackprop.array.interpreter import interpret
from symbackprop.derivation.driver import derive
from symbackprop.emission.loading import load_module
from symbackprop.lowering.programs import lower
from symbackprop.semantics.evaluation import evaluate
from symbackprop.systems.ordering import stages_of
from symbackprop.systems.system import Role, Tensor
from tests.models.recurrences import NAMES, sample, system_of
from tests.models.step_checker import check_every_step, total_gradient
from tests.programs import numpy_source

STEPS = (1, 2, 5)


@cache
def derived(name):
    """The derivation, the program and the module of a model, each test's own judges apart."""
    derivation = derive(system_of(name))
    program = lower(derivation)
    return derivation, program, load_module(numpy_source(program), name)


def declared(system, *roles):
    return [tensor.name for tensor in system.with_role(*roles)]


def arguments(system, values):
    params = {name: values[name] for name in declared(system, Role.PARAMETER)}
    others = {name: values[name] for name in declared(system, Role.INPUT, Role.TARGET, Role.CONSTANT)}
    return params, others


def expect_close(actual, wanted, name):
    assert np.shape(actual) == np.shape(wanted), name
    scale = max(1.0, float(np.max(np.abs(wanted), initial=0.0)))
    np.testing.assert_allclose(actual, wanted, rtol=1e-9, atol=1e-10 * scale, err_msg=name)


@pytest.mark.parametrize("name", NAMES)
def test_every_step_and_every_judge(name):
    derivation, program, module = derived(name)
    system = derivation.system
    for steps in STEPS:
        values, sizes = sample(system, steps)
        if steps == 2:
            assert check_every_step(derivation, values, sizes) > 10
        params, others = arguments(system, values)
        loss, grads = module.value_and_grad(params, **others)
        known = evaluate(system, values, sizes)
        run = interpret(program, values)
        expect_close(loss, known[system.loss], "loss")
        for wrt in params:
            wanted = total_gradient(system, values, sizes, wrt)
            expect_close(grads[wrt], wanted, wrt)
            expect_close(run[program.gradients[wrt]], wanted, wrt)


@pytest.mark.parametrize("name", NAMES)
def test_the_adjoints_are_a_system_that_the_evaluator_runs(name):
    derivation, _, _ = derived(name)
    equations = (*derivation.system.equations, *derivation.equations)
    stages_of(equations)
    added = {each.tensor: Tensor(each.tensor, each.indices, Role.DERIVED) for each in derivation.equations}
    system = replace(derivation.system, equations=equations, tensors={**derivation.system.tensors, **added})
    values, sizes = sample(system, 3)
    results = evaluate(system, values, sizes)
    for wrt, equation in derivation.gradients.items():
        wanted = total_gradient(derivation.system, values, sizes, wrt)
        expect_close(results[equation.tensor], wanted, wrt)


@pytest.mark.parametrize("name", NAMES)
def test_single_precision_stays_single(name):
    derivation, _, module = derived(name)
    values, _ = sample(derivation.system, 3)
    single = {
        key: array if array.dtype.kind == "i" else array.astype(np.float32) for key, array in values.items()
    }
    params, others = arguments(derivation.system, single)
    loss, grads = module.value_and_grad(params, **others)
    assert loss.dtype == np.float32
    assert {array.dtype for array in grads.values()} == {np.dtype(np.float32)}


def test_initial_states_inputs_and_states_may_be_asked_for():
    derivation = derive(system_of("elman_initial_state"), ["h0", "x", "h", "u"])
    values, sizes = sample(derivation.system, 3)
    check_every_step(derivation, values, sizes)


def sigmoid(u):
    return 0.5 * (anp.tanh(0.5 * u) + 1.0)


def elman(p, x, d):
    h = p["h0"] * np.ones((len(x), 1))
    for t in range(x.shape[1]):
        loop_carried = h @ p["U"].T
        h = anp.tanh(x[:, t] @ p["W"].T + loop_carried + p["b"])
    return 0.5 * anp.sum((h - d) ** 2)


def gru(p, x, d):
    h, loss = p["h0"], 0.0
    for t in range(x.shape[1]):
        r = sigmoid(x[:, t] @ p["Wr"].T + h @ p["Ur"].T)
        z = sigmoid(x[:, t] @ p["Wz"].T + h @ p["Uz"].T)
        g = anp.tanh(x[:, t] @ p["Wg"].T + (r * h) @ p["Ug"].T + p["b"])
        h = z * h + (1.0 - z) * g
        loss = loss + 0.5 * anp.sum((h - d[:, t]) ** 2)
    return loss


def lstm(p, x, d):
    h = s = np.zeros((len(x), len(p["bf"])))
    for t in range(x.shape[1]):
        f, i, o = (sigmoid(x[:, t] @ p[f"W{e}"].T + h @ p[f"U{e}"].T + p[f"b{e}"]) for e in "fio")
        g = anp.tanh(x[:, t] @ p["Wg"].T + h @ p["Ug"].T + p["bg"])
        s = f * s + i * g
        h = o * anp.tanh(s)
    y = h @ p["V"].T + p["a"]
    log_p = y - anp.log(anp.sum(anp.exp(y), axis=1, keepdims=True))
    return -anp.sum(log_p[np.arange(len(x)), d]) / len(x)


def hidden_markov(p, b):
    alpha = p["pi_"] + b[:, 0]
    for t in range(1, b.shape[1]):
        alpha = anp.log(anp.sum(anp.exp(alpha[:, :, None] + p["A"]), axis=1)) + b[:, t]
    return -anp.sum(anp.log(anp.sum(anp.exp(alpha), axis=1)))


def kalman(p, y):
    a, variance, loss = p["a1"], p["P1"], 0.0
    for observed in y:
        v, total = observed - a, variance + anp.exp(p["r"])
        gain = variance / total
        loss = loss + 0.5 * (anp.log(total) + v**2 / total)
        a, variance = a + gain * v, variance * (1.0 - gain) + anp.exp(p["q"])
    return loss


def own_past(p, x, y):
    past, loss = [], 0.0
    for t in range(x.shape[1]):
        c = 0.0
        if past:
            h = anp.stack(past, axis=1)
            scores = anp.exp(anp.sum((x[:, t] @ p["Wq"].T)[:, None] * (h @ p["Wk"].T), axis=2))
            weights = scores / anp.sum(scores, axis=1, keepdims=True)
            c = anp.sum(weights[:, :, None] * (h @ p["Wv"].T), axis=1)
        past.append(anp.tanh(c + x[:, t] @ p["Wx"].T))
        loss = loss + 0.5 * anp.sum((past[-1] - y[:, t]) ** 2)
    return loss


def dense_connections(p, x, y):
    layers = [x + p["b"][0]]
    for t in range(1, len(p["b"])):
        u = p["b"][t] + sum(h @ (p["W"][t, m] - 0.5).T for m, h in enumerate(layers))
        layers.append(anp.maximum(u, 0.0))
    return 0.5 * anp.sum((layers[-1] - y) ** 2)


def forward_substitution(p, y):
    x = anp.linalg.solve(anp.tril(p["L"]), p["b"].T).T
    return 0.5 * anp.sum((x - y) ** 2)


BY_HAND = {
    "elman": elman,
    "gru": gru,
    "lstm": lstm,
    "hidden_markov": hidden_markov,
    "kalman": kalman,
    "own_past": own_past,
    "dense_connections": dense_connections,
    "forward_substitution": forward_substitution,
}


@pytest.mark.parametrize("steps", [1, 2, 7])
@pytest.mark.parametrize("name", BY_HAND)
def test_against_a_loop_by_hand_and_autograd(name, steps):
    derivation, _, module = derived(name)
    values, _ = sample(derivation.system, steps)
    params, others = arguments(derivation.system, values)
    loss, grads = module.value_and_grad(params, **others)
    expect_close(loss, BY_HAND[name](params, *others.values()), "loss")
    wanted = grad(lambda chosen: BY_HAND[name](chosen, *others.values()))(params)
    for wrt in params:
        expect_close(grads[wrt], wanted[wrt], wrt)


@pytest.mark.parametrize("name", ["elman_initial_state", "gru", "state_space", "mutual", "second_order"])
def test_without_steps_nothing_moves(name):
    derivation, _, module = derived(name)
    values, _ = sample(derivation.system, steps=0)
    params, others = arguments(derivation.system, values)
    loss, grads = module.value_and_grad(params, **others)
    assert loss == 0.0
    assert all(not np.any(array) for array in grads.values())


@pytest.mark.parametrize("name", ["elman", "elman_initial_state", "state_space", "hidden_markov", "own_past"])
def test_an_empty_batch(name):
    derivation, _, module = derived(name)
    values, _ = sample(derivation.system, steps=3)
    params, others = arguments(derivation.system, values)
    others = {key: array[:0] for key, array in others.items()}
    loss, grads = module.value_and_grad(params, **others)
    assert loss == 0.0
    assert all(not np.any(array) for array in grads.values())
