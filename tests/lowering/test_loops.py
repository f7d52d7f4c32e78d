"""Loops, stores and slices: types, the interpreter, and the module that is printed."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from symbackprop.array.checking import checked
from symbackprop.array.interpreter import interpret
from symbackprop.array.ir import Elementwise, Fill, Literal, Read, Transpose
from symbackprop.array.matrix_products import MatrixProduct
from symbackprop.array.program import Loop, Program, Statement, Store
from symbackprop.array.slices import (
    Allocate,
    Conditional,
    Count,
    Flip,
    Pad,
    Pick,
    Select,
    Span,
    Whole,
)
from symbackprop.array.whole_numbers import whole_number
from symbackprop.emission.loading import load_module
from symbackprop.errors import ProgramError
from symbackprop.indexing.counting import counter_of, extent
from symbackprop.notation.expressions import MINUS_ONE, Add, Axis, Index, Multiply, Number, Size
from symbackprop.systems.system import Role, Tensor
from tests.array.hand_written import BY_HAND
from tests.programs import numpy_source

N, T, J = Axis("N", "n"), Axis("T", "t"), Axis("J", "j")
n, t, j, k = Index("n", N), Index("t", T), Index("j", J), Index("k", J)
x, h, U, h0 = Read("x", (n, t, j)), Read("h", (n, t, j)), Read("U", (j, k)), Read("h0", (n, j))
now = Count("t", T)
before = whole_number(Add((counter_of(t), MINUS_ONE)))
WHOLE = Whole()


def at(value, place):
    return Select(value, (WHOLE, Pick(place), WHOLE))


def program(*lines, outputs=("h",)):
    tensors = (
        Tensor("x", (n, t, j), Role.INPUT),
        Tensor("U", (j, k), Role.PARAMETER),
        Tensor("h0", (n, j), Role.CONSTANT),
    )
    return Program("p", "", tensors, {}, lines, outputs, None, {}, {})


def recurrence(reverse=False):
    loop_carried = Conditional(Elementwise("==", (now, Literal(0))), h0, at(h, before))
    step = Elementwise("add", (MatrixProduct(Read("prev", (n, k)), Transpose(U, (1, 0))), at(x, now)))
    return (
        Statement("h", Allocate(((n,), (t,), (j,))), origin=BY_HAND),
        Loop(
            "t",
            T,
            whole_number(Size(T)),
            (
                Statement("prev", loop_carried, origin=BY_HAND),
                Store("h", (WHOLE, Pick(now), WHOLE), Elementwise("tanh", (step,)), origin=BY_HAND),
            ),
            reverse=reverse,
        ),
    )


def data(dtype=np.float64, steps=4):
    rng = np.random.default_rng(0)
    shapes = {"x": (3, steps, 2), "U": (2, 2), "h0": (3, 2)}
    return {name: rng.normal(size=shape).astype(dtype) for name, shape in shapes.items()}


def run_both(built, tensors):
    """The interpreter's outputs, which the module's must equal."""
    checked(built)
    found = interpret(built, tensors)
    source = numpy_source(built)
    module = load_module(source, "loops")
    results = module.forward({"U": tensors["U"]}, tensors["x"], tensors["h0"])
    results = results if isinstance(results, tuple) else (results,)
    for name, result in zip(built.outputs, results, strict=True):
        np.testing.assert_allclose(result, found[name], rtol=1e-5, atol=1e-6)
        assert result.dtype == tensors["x"].dtype
    return found, source


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("steps", [4, 1])
def test_a_recurrence_steps_through_its_positions(dtype, steps):
    tensors = data(dtype, steps)
    found, source = run_both(program(*recurrence()), tensors)
    loop_carried = tensors["h0"]
    for step in range(steps):
        loop_carried = np.tanh(loop_carried @ tensors["U"].T + tensors["x"][:, step])
        np.testing.assert_allclose(found["h"][:, step], loop_carried, rtol=1e-5)
    assert "    h = np.empty((N, T, J), dtype=dtype)\n" in source
    assert "    for t in range(T):\n" in source
    assert "        prev = h0 if t == 0 else h[:, t - 1]\n" in source
    assert "        h[:, t] = np.tanh(prev @ U.T + x[:, t])\n" in source


def test_what_is_printed_is_formatted(tmp_path):
    path = tmp_path / "loops.py"
    path.write_text(numpy_source(program(*recurrence(), *windows())))
    ruff = shutil.which("ruff") or str(sys.executable).replace("python", "ruff")
    done = subprocess.run(
        [ruff, "format", "--check", "--line-length", "110", str(path)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def windows():
    """sum over t of x[:, t, :] into places of a padded array, in two ways."""
    padded = Index("p", extent(J, Add((Multiply((Number(2), Size(J))), Number(1)))))
    span = Span(j, now, whole_number(Add((Multiply((Number(2), Size(J))), counter_of(t)))), 2)
    return (
        Statement("wide", Fill(Literal(0.0), ((n,), (padded,))), origin=BY_HAND),
        Loop(
            "t", T, Literal(2), (Store("wide", (WHOLE, span), at(x, now), accumulate=True, origin=BY_HAND),)
        ),
        Statement(
            "narrow",
            Flip(Select(Read("wide", (n, padded)), (WHOLE, Span(j, Literal(1), None, 2))), 1),
            origin=BY_HAND,
        ),
    )


def test_spans_are_stored_into_and_read():
    tensors = data()
    found, source = run_both(program(*recurrence(), *windows(), outputs=("narrow",)), tensors)
    wide = np.zeros((3, 5))
    for step in range(2):
        wide[:, step : step + 4 : 2] += tensors["x"][:, step]
    np.testing.assert_allclose(found["wide"], wide)
    np.testing.assert_allclose(found["narrow"], wide[:, 1::2][:, ::-1])
    assert "wide = np.zeros((N, 2 * J + 1), dtype=dtype)" in source
    assert "wide[:, t : 2 * J + t : 2] += x[:, t]" in source
    assert "narrow = wide[:, 1::2][:, ::-1]" in source
    assert "tanh" not in source  # the recurrence is not needed


def test_padding():
    wide = Index("p", extent(J, Add((Size(J), Number(3)))))
    zero = Literal(0)
    pad = Pad(h0, (zero, Literal(1)), (zero, Literal(2)), ((n,), (wide,)))
    tensors = data()
    found, source = run_both(program(Statement("y", pad, origin=BY_HAND), outputs=("y",)), tensors)
    np.testing.assert_array_equal(found["y"], np.pad(tensors["h0"], ((0, 0), (1, 2))))
    assert "y = np.pad(h0, ((0, 0), (1, 2)))" in source


def test_a_loop_downwards():
    allocate, loop = recurrence(reverse=True)
    last = Elementwise("==", (now, whole_number(Add((Size(T), MINUS_ONE)))))
    after = whole_number(Add((counter_of(t), Number(1))))
    first, second = loop.body
    body = (replace(first, value=Conditional(last, h0, at(h, after))), second)
    tensors = data()
    found, source = run_both(program(allocate, replace(loop, body=body)), tensors)
    loop_carried = tensors["h0"]
    for step in reversed(range(4)):
        loop_carried = np.tanh(loop_carried @ tensors["U"].T + tensors["x"][:, step])
        np.testing.assert_allclose(found["h"][:, step], loop_carried)
    assert "for t in reversed(range(T)):" in source and "h0 if t == T - 1 else h[:, t + 1]" in source


def test_the_interpreter_never_wraps_round():
    wrong = Statement("y", at(x, Elementwise("subtract", (Literal(0), Literal(1)))), origin=BY_HAND)
    with pytest.raises(ProgramError, match="place -1 lies outside an axis of 4"):
        interpret(program(wrong, outputs=("y",)), data())


ALLOCATE, LOOP = recurrence()


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ((LOOP,), "reads 'h', which is not computed before it"),
        ((ALLOCATE, *LOOP.body), "counts by 't', which no loop around it steps"),
        ((ALLOCATE, replace(LOOP, body=(LOOP,))), "two loops within each other step 't'"),
        (
            (ALLOCATE, Store("h", (WHOLE, WHOLE, Pick(Literal(0))), h0, origin=BY_HAND)),
            "does not fit its places",
        ),
        ((ALLOCATE, Store("h", (WHOLE,), h0, origin=BY_HAND)), "with other axes than it has"),
        ((Store("h", (WHOLE, Pick(Literal(0)), WHOLE), h0, origin=BY_HAND),), "before it is allocated"),
        (
            (ALLOCATE, LOOP, Statement("y", Read("prev", (n, k)), origin=BY_HAND)),
            "reads 'prev', which is not computed",
        ),
    ],
)
def test_lines_that_do_not_fit_are_refused(lines, message):
    with pytest.raises(ProgramError, match=message):
        checked(program(*lines))


@pytest.mark.parametrize(
    "wrong",
    [
        Select(h0, (WHOLE,)),
        Select(h0, (WHOLE, Pick(h0))),
        Select(h0, (WHOLE, Span(j, step=0))),
        Flip(h0, 2),
        Conditional(Elementwise(">", (h0, Literal(0.0))), h0, h0),
        Conditional(Elementwise("==", (now, Literal(0))), h0, x),
        Pad(h0, (Literal(0),), (Literal(0),), ((n,), (j,))),
    ],
    ids=lambda value: type(value).__name__,
)
def test_nodes_that_do_not_fit_are_refused(wrong):
    with pytest.raises(ProgramError, match=type(wrong).__name__):
        _ = wrong.type


def test_a_loop_is_one_statement_for_what_needs_it():
    built = program(*recurrence(), Statement("y", h0, origin=BY_HAND), outputs=("h",))
    assert [type(line).__name__ for line in built.needed_for(("h",))] == ["Statement", "Loop"]
    assert built.needed_for(("y",)) == (built.statements[2],)


def test_loops_of_a_module_are_python_loops():
    tree = ast.parse(numpy_source(program(*recurrence())))
    assert sum(isinstance(node, ast.For) for node in ast.walk(tree)) == 1
