"""The last of equal runs computes what the others do, where that takes a few passes over arrays."""

from __future__ import annotations

import inspect
import re

import pytest

from symbackprop.passes.blocks import blocks_of
from symbackprop.pipeline import loads
from tests.passes.stacked_modules import assert_equal_results, without_blocks

HEAD = "index n : N\nindex t : T\nindex i : I\nindex j : J\ninput y0[n,t,i]\ntarget d[n,t,i]\n"
NORMED = (
    "param A{l}[j,i], a{l}[j], B{l}[i,j], g{l}[i], h{l}[i]\n"
    "m{l}[n,t] = mean(i, {x}[n,t,i])\n"
    "w{l}[n,t] = mean(i, ({x}[n,t,i] - m{l}[n,t])^2)\n"
    "k{l}[n,t,i] = g{l}[i]*({x}[n,t,i] - m{l}[n,t])/sqrt(w{l}[n,t] + 1/1000) + h{l}[i]\n"
    "u{l}[n,t,j] = sum(i, A{l}[j,i]*k{l}[n,t,i]) + a{l}[j]\n"
    "z{l}[n,t,j] = {f}(u{l}[n,t,j])\n"
    "y{l}[n,t,i] = {x}[n,t,i] + sum(j, B{l}[i,j]*z{l}[n,t,j])\n"
)
# Normed behind the sum: the delta before the block takes a product.
NORMED_BEHIND = (
    "param A{l}[j,i], a{l}[j], B{l}[i,j], g{l}[i], h{l}[i]\n"
    "u{l}[n,t,j] = sum(i, A{l}[j,i]*{x}[n,t,i]) + a{l}[j]\n"
    "z{l}[n,t,j] = {f}(u{l}[n,t,j])\n"
    "r{l}[n,t,i] = {x}[n,t,i] + sum(j, B{l}[i,j]*z{l}[n,t,j])\n"
    "m{l}[n,t] = mean(i, r{l}[n,t,i])\n"
    "w{l}[n,t] = mean(i, (r{l}[n,t,i] - m{l}[n,t])^2)\n"
    "y{l}[n,t,i] = g{l}[i]*(r{l}[n,t,i] - m{l}[n,t])/sqrt(w{l}[n,t] + 1/1000) + h{l}[i]\n"
)
# Nothing but the gain reads the delta of the first layer's normed input.
GATED = (
    "param A{l}[j,i], B{l}[i,j], C{l}[j,i], g{l}[i]\n"
    "r{l}[n,t] = sqrt(mean(i, {x}[n,t,i]^2) + 1/1000)\n"
    "k{l}[n,t,i] = g{l}[i]*{x}[n,t,i]/r{l}[n,t]\n"
    "u{l}[n,t,j] = sum(i, A{l}[j,i]*k{l}[n,t,i])\n"
    "v{l}[n,t,j] = sum(i, C{l}[j,i]*k{l}[n,t,i])\n"
    "z{l}[n,t,j] = {f}(u{l}[n,t,j])*v{l}[n,t,j]\n"
    "y{l}[n,t,i] = {x}[n,t,i] + sum(j, B{l}[i,j]*z{l}[n,t,j])\n"
)


def stack(layer: str, functions: list[str], first: str = "y0") -> str:
    before = [first, *(f"y{number}" for number in range(1, len(functions)))]
    layers = (
        layer.format(l=number, x=given, f=function)
        for number, (given, function) in enumerate(zip(before, functions, strict=True), start=1)
    )
    return f"{HEAD}{''.join(layers)}loss E = sum(n, t, i, (y{len(functions)}[n,t,i] - d[n,t,i])^2)\n"


def calls_of_backward(text: str) -> tuple[int, list[str]]:
    """How often the backward pass calls blocks' functions, and which formulas stand between the calls."""
    code = inspect.getsource(loads(text).derive().module().value_and_grad)
    _, *between, _ = re.split(r"= _block\w*_backward\(", code)
    return len(between) + 1, re.findall("# (.*) =", "".join(between))


@pytest.mark.parametrize(
    ("layer", "functions"),
    [
        (NORMED, ["tanh"] * 2),
        (NORMED, ["tanh", "sigmoid"] * 2),
        (GATED, ["tanh"] * 2),
        (NORMED_BEHIND, ["tanh"] * 3),
    ],
    ids=["normed", "in turn", "gated", "normed behind"],
)
def test_one_function_is_called_for_every_block_and_nothing_stands_between(layer: str, functions: list[str]):
    period = len(dict.fromkeys(functions))
    assert calls_of_backward(stack(layer, functions)) == (len(functions) // period, [])


def test_gradients_are_those_without_blocks(monkeypatch: pytest.MonkeyPatch):
    derived = loads(stack(NORMED, ["tanh"] * 3)).derive()
    module = derived.module()
    assert "_, gradients1 = _block_backward(block1, delta_y1, A1, B1, g1)" in inspect.getsource(module)
    assert "return delta_y0, " in inspect.getsource(module)
    flat = without_blocks(derived, monkeypatch)
    assert "delta_y0" not in inspect.getsource(flat)
    assert_equal_results(module, flat)


def test_no_product_is_computed_that_nobody_reads_where_it_is_not_one_of_many():
    program = loads(stack(NORMED_BEHIND, ["tanh"] * 2)).derive().program
    assert blocks_of(program).program.statements == program.statements


def test_a_delta_that_is_read_is_computed_once():
    text = stack(NORMED, ["tanh"] * 2, first="e").replace("target", "param C[i]\ntarget")
    text = text.replace("param A1", "e[n,t,i] = y0[n,t,i]*C[i]\nparam A1")
    assert text.count("e[n,t,i] =") == 1
    program = loads(text).derive().program
    assert len(blocks_of(program).program.statements) == len(program.statements)


def test_the_way_forward_computes_what_is_read_alone():
    # The last layer's output is not normed.
    text = stack(NORMED_BEHIND, ["tanh"] * 3).replace("y3[n,t,i] -", "r3[n,t,i] -")
    text = "\n".join(line for line in text.splitlines() if not line.startswith(("m3", "w3", "y3")))
    program = loads(text.replace(", g3[i], h3[i]", "") + "\n").derive().program
    assert blocks_of(program).program.statements == program.statements
