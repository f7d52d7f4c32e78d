"""Blocks that repeat are functions that are called: what they are given, keep and return."""

from __future__ import annotations

import ast
import inspect
from dataclasses import replace
from itertools import pairwise
from types import ModuleType

import numpy as np
import pytest

from symbackprop.array.segments import Segment
from symbackprop.errors import MismatchError
from symbackprop.pipeline import ModelDerivation, loads
from symbackprop.targets.numpy import bodies
from symbackprop.targets.numpy.blocks import BlockFunction, runs_of
from symbackprop.targets.numpy.variants import module_of, numpy_target
from symbackprop.verification.verified_module import verification_of
from tests.passes.stacked_modules import without_blocks

HEAD = "index n : N\nindex t, s : T\nindex i, e : I\ninput x[n,t,i]\ntarget d[n,t,i]\n"
ATTENTION = (
    "param Q{w}[e,i], K{w}[e,i], V{w}[e,i], c{w}[i]\n"
    "q{l}[n,t,e] = sum(i, Q{w}[e,i]*{x}[n,t,i])\n"
    "k{l}[n,t,e] = sum(i, K{w}[e,i]*{x}[n,t,i])\n"
    "v{l}[n,t,e] = sum(i, V{w}[e,i]*{x}[n,t,i])\n"
    "S{l}[n,t,s] = sum(e, q{l}[n,t,e]*k{l}[n,s,e])/sqrt(size(e))\n"
    "X{l}[n,t,s] = where(s <= t, exp(S{l}[n,t,s]), 0)\n"
    "A{l}[n,t,s] = X{l}[n,t,s]/sum(s, X{l}[n,t,s])\n"
    "O{l}[n,t,e] = sum(s, A{l}[n,t,s]*v{l}[n,s,e])\n"
    "y{l}[n,t,i] = {x}[n,t,i] + tanh(O{l}[n,t,i] + c{w}[i])\n"
)
LOSS = "loss E = 1/2*sum(n, t, i, ({}[n,t,i] - d[n,t,i])^2)\n"


def attention(layers: int) -> str:
    before = ["x", *(f"y{number}" for number in range(1, layers + 1))]
    each = (ATTENTION.format(l=number, w=number, x=before[number - 1]) for number in range(1, layers + 1))
    return HEAD + "".join(each) + LOSS.format(before[-1])


@pytest.fixture(scope="module")
def derived() -> ModelDerivation:
    return loads(attention(3)).derive()


@pytest.fixture(scope="module")
def module(derived: ModelDerivation) -> ModuleType:
    return derived.module()


def calls_in(module: ModuleType, function: str) -> list[str]:
    names = [
        node.func.id
        for node in ast.walk(ast.parse(inspect.getsource(getattr(module, function))))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]
    return [name for name in names if name.startswith("_block")]


def test_each_block_is_a_call(module: ModuleType):
    assert calls_in(module, "_forward") == ["_block"] * 3
    assert calls_in(module, "value_and_grad") == ["_block_backward"] * 3
    assert list(inspect.signature(module._block).parameters) == ["x", "s_up_to_t", "Q", "K", "V", "c"]


def test_what_is_kept_is_a_record_with_names(module: ModuleType):
    assert issubclass(module.Block, tuple)
    assert {"q", "k", "v", "A"} < set(module.Block._fields)
    assert set(module.BlockGradients._fields) == {"grad_Q", "grad_K", "grad_V", "grad_c"}
    assert next(iter(inspect.signature(module._block_backward).parameters)) == "block"


@pytest.mark.parametrize("sizes", [(2, 3, 4), (1, 1, 1), (3, 1, 2), (0, 2, 3)])
def test_gradients_are_those_without_blocks(derived: ModelDerivation, module: ModuleType, sizes, monkeypatch):
    flat = without_blocks(derived, monkeypatch)
    rng = np.random.default_rng(3)
    axes = dict(zip(("N", "T", "I"), sizes, strict=True))
    params = module.init(rng, I=axes["I"])
    x, d = rng.normal(size=(2, *sizes))
    loss, grads = module.value_and_grad(params, x, d)
    expected, others = flat.value_and_grad(params, x, d)
    assert loss == expected
    assert list(grads) == list(others)
    for name in grads:
        np.testing.assert_array_equal(grads[name], others[name])


# A dense layer with units of its own, scaled by its fan-in and normalised.
UNITS = (
    "param W{l}[{o},{i}], g{l}[{o}], c{l}[{o}]\n"
    "u{l}[n,{o}] = sum({i}, W{l}[{o},{i}]*{x}[n,{i}])/sqrt(size({i}))\n"
    "v{l}[n,{o}] = tanh(u{l}[n,{o}])\n"
    "s{l}[n] = sqrt(sum({o}, v{l}[n,{o}]^2) + 1e-5)\n"
    "h{l}[n,{o}] = v{l}[n,{o}]/s{l}[n]\n"
    "p{l}[n,{o}] = exp(-h{l}[n,{o}]^2)\n"
    "y{l}[n,{o}] = h{l}[n,{o}]*p{l}[n,{o}]*g{l}[{o}] + c{l}[{o}]\n"
)


@pytest.mark.parametrize("sizes", [(None,) * 5, (3, 4, 2, 5, 1), (4, 4, 3, 3, 2)])
def test_layers_over_axes_of_their_own_are_one_function(sizes: tuple[int | None, ...], monkeypatch):
    axes = ("A", "B", "C", "D", "F")
    stated = [
        f"index {a.lower()} : {a}" + (f" = {size}" if size else "")
        for a, size in zip(axes, sizes, strict=True)
    ]
    layers = "".join(
        UNITS.format(l=number, i=given.lower(), o=own.lower(), x=f"y{number - 1}" if number > 1 else "x")
        for number, (given, own) in enumerate(pairwise(axes), start=1)
    )
    head = "\n".join(["index n : N", *stated, "input x[n,a]", "target t[n,f]", ""])
    derived = loads(f"{head}{layers}loss E = sum(n, f, (y4[n,f] - t[n,f])^2)\n").derive()
    module = derived.module()
    assert calls_in(module, "_forward") == ["_block"] * 4
    assert set(calls_in(module, "value_and_grad")) == {"_block_backward"}
    assert {"x", "W", "g", "c"} == set(inspect.signature(module._block).parameters)
    flat = without_blocks(derived, monkeypatch)
    rng = np.random.default_rng(5)
    given = {axis: own or size for axis, own, size in zip(axes, sizes, (3, 1, 4, 2, 5), strict=True)}
    params = module.init(rng) if all(sizes) else module.init(rng, **given)
    x, t = rng.normal(size=(6, given["A"])), rng.normal(size=(6, given["F"]))
    loss, grads = module.value_and_grad(params, x, t)
    expected, others = flat.value_and_grad(params, x, t)
    assert loss == expected
    for name in others:
        np.testing.assert_array_equal(grads[name], others[name])


def test_with_little_memory_and_in_workspaces(derived: ModelDerivation, module: ModuleType):
    small = module_of(derived.program, less_memory=True)
    assert verification_of(numpy_target(less_memory=True), derived.derivation, small.printed())
    fast = derived.module(fast=True)
    rng = np.random.default_rng(1)
    params, (x, d) = module.init(rng, I=4), rng.normal(size=(2, 2, 3, 4))
    workspace = fast.workspace()
    for _ in range(2):
        _, grads = fast.value_and_grad(params, x, d, workspace)
        for name, expected in module.grad(params, x, d).items():
            np.testing.assert_allclose(grads[name], expected, rtol=1e-12, atol=1e-14)


def test_a_run_that_is_given_anothers_parameters_is_not_let_out(derived: ModelDerivation, monkeypatch):
    def mixed_up(function: BlockFunction, segment: Segment) -> object:
        first, second, *rest = runs_of(function, segment)
        wrong = [name.replace("Q1", "Q2") for name in first.reads]
        names = {own: name.replace("Q1", "Q2") for own, name in function.block.names[0].items()}
        object.__setattr__(function.block, "names", (names, *function.block.names[1:]))
        return (replace(first, reads=tuple(wrong)), second, *rest)

    monkeypatch.setattr(bodies, "runs_of", mixed_up)
    printed = module_of(derived.program).printed()
    with pytest.raises(MismatchError, match="Q1"):
        verification_of(numpy_target(), derived.derivation, printed)


def test_a_line_that_is_wrong_is_named_by_the_first_run(derived: ModelDerivation):
    printed = module_of(derived.program).printed()
    wrong = printed.text.replace("q = x @ Q.T", "q = x @ Q.T * 1.001")
    assert wrong != printed.text
    with pytest.raises(MismatchError, match="equation: q1"):
        verification_of(numpy_target(), derived.derivation, replace(printed, text=wrong))


def test_names_that_python_a_tuple_or_the_model_has_taken():
    text = attention(2)
    for old, new in {"q": "count", "k": "lambda", "A": "Block", "O": "block"}.items():
        for layer in ("1", "2"):
            text = text.replace(f"{old}{layer}[", f"{new}{layer}[")
    text = text.replace("Block1[", "Block[").replace("block1[", "block[")
    module = loads(text).derive().module()  # which has run it
    assert module.Block_2._fields[:4] == ("count_", "lambda_", "v", "Block")
