"""Layers that share parameters are one function: what each adds to a gradient is a line among its own."""

from __future__ import annotations

import inspect
import re
from dataclasses import replace

import pytest

from symbackprop.array.ir import Read
from symbackprop.passes.blocks import blocks_of
from symbackprop.passes.summands_apart import with_summands_apart
from symbackprop.pipeline import ModelDerivation, loads
from tests.passes.stacked_modules import assert_equal_results, without_blocks
from tests.passes.test_last_runs import HEAD, NORMED, stack


def shared(layer: str, functions: list[str]) -> str:
    """Layers with the same parameters."""
    declaration, *equations = layer.splitlines(keepends=True)
    text = stack(re.sub(r"\b([AaBgh])\{l\}", r"\1", "".join(equations)), functions)
    return text.replace(HEAD, HEAD + declaration.replace("{l}", ""))


@pytest.fixture(scope="module")
def derived() -> ModelDerivation:
    return loads(shared(NORMED, ["tanh"] * 2)).derive()


def test_shared_parameters_leave_one_call_for_each_layer_and_a_sum_for_each_gradient(
    derived: ModelDerivation,
):
    source = inspect.getsource(derived.module().value_and_grad)
    calls = re.findall(r"(\w+), gradients(\d) = _block_backward\(block(\d),", source)
    assert calls == [("delta_y1", "2", "2"), ("_", "1", "1")]
    sums = re.findall(r"^    (grad_\w+) = gradients1\.\1 \+ gradients2\.\1$", source, re.M)
    assert set(sums) == {f"grad_{name}" for name in ("A", "B", "a", "g", "h")}
    assert "# grad_A[j,i] = grad_A1[j,i] + grad_A2[j,i]" in source


def test_gradients_are_those_without_blocks(derived: ModelDerivation, monkeypatch: pytest.MonkeyPatch):
    module = derived.module()
    flat = without_blocks(derived, monkeypatch)
    assert "_block_backward(" not in inspect.getsource(flat)
    assert_equal_results(module, flat)


TWO_BRANCHES = """
index n : N
index i : I
index j : J
input x[n,i], y[n,i]
param W[j,i], b[j]
u[n,j] = sum(i, W[j,i]*x[n,i]) + b[j]
v[n,j] = sum(i, W[j,i]*y[n,i]) + b[j]
loss E = sum(n, j, (tanh(u[n,j]) - tanh(v[n,j]))^2)
"""


def test_a_sum_stays_where_no_blocks_come_of_its_summands():
    program = loads(TWO_BRANCHES).derive().program
    assert blocks_of(program).program.statements == program.statements


def test_a_gradient_that_is_read_stays_where_it_is():
    program = loads(TWO_BRANCHES).derive().program
    bias = program.by_name["grad_b"]
    reader = replace(bias, name="q", value=Read("grad_b", bias.value.indices))
    apart = with_summands_apart(program)
    read = with_summands_apart(replace(program, statements=(*program.statements, reader)))
    assert apart is not None and {line.name for line in apart.sums} == {"grad_W", "grad_b"}
    assert read is not None and {line.name for line in read.sums} == {"grad_W"}
