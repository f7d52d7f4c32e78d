"""Loss and gradients computed into memory that is there: the same, and nothing else changes.

To the bit, where NumPy adds up in the same order: that follows the strides of an array, which may be others,
and BLAS, which adds up rows in a workspace, has one of its own.
"""

from __future__ import annotations

import inspect
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import symbackprop as sb
from symbackprop.buffers import buffered, three_address
from symbackprop.buffers.assignment import Buffers, assigned_buffers
from symbackprop.buffers.three_address import ThreeAddress
from symbackprop.cli.main import run
from symbackprop.emission.loading import load_module
from symbackprop.errors import MismatchError
from symbackprop.functions.table import FUNCTIONS
from symbackprop.notation.expressions import Expression
from symbackprop.targets.numpy.variants import module_of
from tests.array.random_expressions import LAYOUTS, data, expressions, system_of
from tests.buffers.models import EXAMPLES, NAMES, derived
from tests.programs import lower_system

RANDOM = settings(max_examples=25, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
SIZES = {
    "B": 5,
    "I": 4,
    "J": 3,
    "K": 2,
    "N": 6,
    "T": 5,
    "H": 2,
    "E": 3,
    "C": 4,
    "R": 3,
    "S": 2,
    "O": 8,
    "Q": 4,
}
SIZES_OF = {"convolved": {"I": 10}}
Array = NDArray[Any]


def module(name: str) -> ModuleType:
    return _module(name, three_address.is_sum_of_rows)


@cache
def _module(name: str, _sums_of_rows: Callable[[Any], bool]) -> ModuleType:
    """One for each way of adding up, which `sums_by_numpy` changes."""
    return load_module(module_of(derived(name).program, workspaces=True).text(), name)


def drawn(of: ModuleType, sizes: dict[str, int], seed: int = 0, dtype: Any = np.float64) -> tuple[Any, ...]:
    """Parameters, and the other tensors in order."""
    rng = np.random.default_rng(seed)
    values: dict[str, Array] = {}
    for name, axes in of.SHAPES.items():
        shape = [sizes[axis] for axis in axes]
        whole = getattr(of, "VALUES", {}).get(name)
        values[name] = rng.integers(0, sizes[whole], shape) if whole else rng.normal(size=shape).astype(dtype)
    params = {name: values.pop(name) for name in of.PARAMETERS}
    return params, *values.values()


def sizes_of(name: str) -> dict[str, int]:
    return {**SIZES, **SIZES_OF.get(name, {})}


def assert_same(found: tuple[Any, dict[str, Any]], expected: tuple[Any, dict[str, Any]]) -> None:
    np.testing.assert_array_equal(found[0], expected[0])
    assert found[1].keys() == expected[1].keys()
    for name, gradient in expected[1].items():
        np.testing.assert_array_equal(found[1][name], gradient)
        assert found[1][name].dtype == gradient.dtype


def assert_close(found: tuple[Any, dict[str, Any]], expected: tuple[Any, dict[str, Any]]) -> None:
    """Off by some roundings of the largest element."""
    for one, other in zip([found[0], *found[1].values()], [expected[0], *expected[1].values()], strict=True):
        bound = 200 * np.finfo(other.dtype).eps * np.max(np.abs(other), initial=0.0)
        np.testing.assert_allclose(one, other, rtol=0.0, atol=bound)
        assert one.dtype == other.dtype


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_results_are_the_same_up_to_roundings(name: str, dtype: Any) -> None:
    made = module(name)
    workspace = made.workspace()
    for seed in range(3):
        values = drawn(made, sizes_of(name), seed, dtype)
        assert_close(made.value_and_grad(*values, workspace=workspace), made.value_and_grad(*values))
        assert_close(made.bind(*values)(), made.value_and_grad(*values))
        assert_close((made.loss(*values, workspace=workspace), {}), (made.loss(*values), {}))
        assert_close((made.bind_loss(*values)(), {}), (made.loss(*values), {}))


@pytest.mark.usefixtures("sums_by_numpy")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_results_are_the_same_to_the_bit_time_and_again(name: str, dtype: Any) -> None:
    made = module(name)
    workspace = made.workspace()
    for seed in range(3):
        values = drawn(made, sizes_of(name), seed, dtype)
        assert_same(made.value_and_grad(*values, workspace=workspace), made.value_and_grad(*values))
        assert_same(made.bind(*values)(), made.value_and_grad(*values))


@pytest.mark.usefixtures("sums_by_numpy")
@RANDOM
@given(st.lists(expressions(), min_size=1, max_size=3), st.booleans())
def test_random_programs_compute_the_same_in_a_workspace(drawn: list[Expression], reverse: bool) -> None:
    program = lower_system(system_of(*drawn, reverse=reverse))
    named = {name: name for name in program.outputs}
    source = module_of(replace(program, gradients=named, loss=program.outputs[0]), workspaces=True).text()
    made = load_module(source, "random")
    for seed in (0, 1):
        for dtype in (np.float64, np.float32):
            arrays = [data(seed)[name].astype(dtype) for name in LAYOUTS]
            with np.errstate(all="ignore"):
                assert_same(made.bind({}, *arrays)(), made.value_and_grad({}, *arrays))


def test_what_is_added_to_as_a_whole_is_no_variable_of_the_steps() -> None:
    model = sb.loads(
        "index t : T\nindex a, r : A\nparam w[r], y[t,a]\n"
        "h[t,a] = y[t,a] + sum(r, w[r]*pad(h[t+1,a+r]))\nloss E = sum(t, a, h[t,a]^2)"
    )
    text = model.derive().to_numpy(fast=True)
    assert "Verified" in text and "np_add(grad_w, work, grad_w)" in text
    assert "np_copyto(h_padded[:, :A], h)" in text


def test_a_number_is_added_to() -> None:
    model = sb.loads(
        "index a, b : B = 4\nindex c : C = 2\nparam x[c,a]\n"
        "loss E = sum(c, a, x[c,a]*pad(x[c,a+2*c-2])) + x[0,0]"
    )
    text = model.derive().to_numpy(fast=True)
    assert "Verified" in text and "        E += " in text


@pytest.mark.usefixtures("sums_by_numpy")
def test_one_axis_may_be_empty_or_of_one_place() -> None:
    for name in ("seed", "recurrent", "attended"):
        made = module(name)
        for axis in ("N", "B", "T", "J", "I"):
            for size in (0, 1):
                values = drawn(made, {**sizes_of(name), axis: size})
                try:
                    expected = made.value_and_grad(*values)
                except ValueError:
                    with pytest.raises(ValueError):
                        made.bind(*values)
                else:
                    assert_same(made.bind(*values)(), expected)


def peak(call: Any) -> int:
    """The bytes that a call allocates at a time, after two others."""
    call()
    call()
    tracemalloc.start()
    call()
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    call()
    found = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    return found


@pytest.mark.parametrize("name", ["seed", "normed"])
def test_a_call_in_a_workspace_makes_no_arrays(name: str) -> None:
    made = module(name)
    values = drawn(made, {axis: 500 if axis in "BN" else 40 for axis in SIZES})
    workspace = made.workspace()
    plain = peak(lambda: made.value_and_grad(*values))
    bound = made.bind(*values)
    others = [[{key: array.copy() for key, array in values[0].items()}, *values[1:]] for _ in range(2)]

    def with_other_arrays() -> None:
        others.reverse()
        made.value_and_grad(*others[0], workspace=workspace)

    # An iterator of NumPy has buffers of 8192 numbers, for bias that is added to rows.
    buffers = 70_000
    assert (
        peak(bound) < buffers and peak(with_other_arrays) < buffers and plain > 2 * 500 * 40 * 8 > 2 * buffers
    )


@pytest.mark.usefixtures("sums_by_numpy")
def test_bound_arrays_are_read_anew_and_never_written() -> None:
    made = module("seed")
    params, *others = drawn(made, SIZES)
    for array in (*params.values(), *others):
        array.flags.writeable = False
    step = made.bind(params, *others)
    step()
    params["W1"].flags.writeable = True
    params["W1"] *= 2
    assert_same(step(), made.value_and_grad(params, *others))


def test_results_share_memory_with_nothing_that_is_given_and_not_with_each_other() -> None:
    made = module("transposed")
    params, x = drawn(made, SIZES)
    gradients = made.value_and_grad(params, x, workspace=made.workspace())[1]
    arrays = [*gradients.values(), *params.values(), x]
    for place, one in enumerate(arrays):
        assert not any(np.may_share_memory(one, other) for other in arrays[:place])


@pytest.mark.usefixtures("sums_by_numpy")
def test_what_cannot_be_bound_is_named() -> None:
    made = module("seed")
    params, x, d = drawn(made, SIZES)
    for wrong in (x.tolist(), x.T.copy().T, x.astype(int)):
        with pytest.raises(ValueError, match="x: expected an array of dtype float64 in C order"):
            made.bind(params, wrong, d)
    assert_same(
        made.value_and_grad(params, x.T.copy().T, d, workspace=made.workspace()),
        made.value_and_grad(params, x, d),
    )
    with pytest.raises(ValueError, match=r"params: expected W1, b1, W2, b2; missing: W2"):
        made.bind({name: array for name, array in params.items() if name != "W2"}, x, d)


@pytest.mark.usefixtures("sums_by_numpy")
def test_a_workspace_keeps_sizes_and_dtype() -> None:
    made = module("seed")
    params, x, d = drawn(made, SIZES)
    workspace = made.workspace(B=5, J=3, dtype=np.float64)
    made.value_and_grad(params, x, d, workspace=workspace)
    with pytest.raises(
        ValueError,
        match=r"x: expected shape \(B=5 as in the workspace, I=4 as in the workspace\), got \(4, 4\)",
    ):
        made.value_and_grad(params, x[1:], d[1:], workspace=workspace)
    narrow = {name: array.astype(np.float32) for name, array in params.items()}
    with pytest.raises(ValueError, match="W1: expected dtype float64 as in the workspace, got float32"):
        made.value_and_grad(narrow, np.float32(x), np.float32(d), workspace=workspace)
    assert_same(made.value_and_grad(params, x, d, workspace=workspace), made.value_and_grad(params, x, d))
    for wrong, said in (({"Z": 3}, "Z: expected one of the axes B, I"), ({"B": -1}, "B: expected a size")):
        with pytest.raises(ValueError, match=said):
            made.workspace(**wrong)
    with pytest.raises(ValueError, match="expected dtype float32 or float64, got int64"):
        made.workspace(dtype=np.int64)


@pytest.mark.usefixtures("sums_by_numpy")
def test_arrays_that_take_the_places_of_others_are_read() -> None:
    """The function that is kept in a workspace is that of other arrays then."""
    made = module("seed")
    params, x, d = drawn(made, SIZES)
    workspace = made.workspace()
    made.value_and_grad(params, x, d, workspace=workspace)
    params["b1"] = params["b1"] + 1
    assert_same(made.value_and_grad(params, x, d, workspace=workspace), made.value_and_grad(params, x, d))
    with pytest.raises(ValueError, match="unknown: b3"):
        made.value_and_grad({**params, "b3": x}, x, d, workspace=workspace)


@pytest.mark.usefixtures("sums_by_numpy")
def test_results_may_be_given_to_the_next_call() -> None:
    made = module("seed")
    params, *others = drawn(made, SIZES)
    workspace = made.workspace()
    gradients = made.value_and_grad(params, *others, workspace=workspace)[1]
    expected = made.value_and_grad({name: array.copy() for name, array in gradients.items()}, *others)
    viewed = gradients | {"W2": gradients["W2"][:]}  # is read behind the line that computes its gradient
    assert_same(made.value_and_grad(viewed, *others, workspace=workspace), expected)


def test_integers_are_checked_at_every_call() -> None:
    made = module("attended")
    params, x, y = drawn(made, SIZES)
    step = made.bind(params, x, y)
    step()
    y[2] = -1
    with pytest.raises(ValueError, match=r"y: expected values from 0 to 3, as C=4, got -1"):
        step()
    y[2] = 4
    with pytest.raises(ValueError, match=r"y: expected values from 0 to 3, as C=4, got 4"):
        step()


def test_positions_of_sizes_alone_are_checked_once() -> None:
    text = (
        "index n : N\nindex f : F\nindex a, b : A = 2\nindex c : C\nparam w[c,a]\ninput x[n,f]\n"
        "y[n,f] = x[n,f]*w[floor(f/size(a)),mod(f, size(a))]\nloss E = sum(n, f, y[n,f]^2)\n"
    )
    made = sb.loads(text).derive().module(fast=True)
    step = inspect.getsource(made).partition("    def step()")[2].partition("return step")[0]
    assert "_check" not in step
    w, x = np.ones((3, 2)), np.ones((2, 6))
    assert made.bind({"w": w}, x)()[0] == 12
    for call in (made.bind, made.loss, made.value_and_grad):
        with pytest.raises(ValueError, match="reads position 3, but C=3"):
            call({"w": w}, np.ones((2, 7)))


def test_no_module_leaves_whose_buffers_are_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    def assigned(program: ThreeAddress, results: Any) -> Buffers:
        """z1 where delta1 will be computed, which reads it."""
        found = assigned_buffers(program, results)
        if "delta1_part" not in found.buffer_of:  # for the loss alone
            return found
        return replace(found, buffer_of={**found.buffer_of, "z1": found.buffer_of["delta1_part"]})

    monkeypatch.setattr(buffered, "assigned_buffers", assigned)
    with pytest.raises(MismatchError, match="in a workspace"):
        derived("seed").to_numpy(fast=True)


def test_generate_writes_it_verified(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "seed.py"
    assert run(["generate", str(EXAMPLES / "seed.model"), "--fast", "-o", str(target)]) == 0
    text = target.read_text()
    assert "Verified before it was written" in text and "x.dot(W1_T, u1)" in text
    assert text == derived("seed").to_numpy(fast=True)
    assert run(["generate", str(EXAMPLES / "seed.model"), "--fast", "--check", "-o", str(target)]) == 0
    assert run(["generate", str(EXAMPLES / "seed.model"), "--check", "-o", str(target)]) == 1
    capsys.readouterr()


def test_check_sees_what_was_edited_in_the_steps_alone(
    tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "seed.py"
    text = derived("seed").to_numpy(fast=True)
    target.write_text(text)
    assert run(["check", str(target)]) == 0
    target.write_text(text.replace("np_multiply(delta1, z1, delta1)", "np_add(delta1, z1, delta1)"))
    assert run(["check", str(target)]) == 1
    assert "its own workspace" in capsys.readouterr().out


def test_functions_are_looked_up_once_and_rows_are_lined_up() -> None:
    """A tensor may be called as a function is, which then goes by its own name still."""
    text = "index n : N\nindex i : I\ninput np_add[n,i]\nparam b[i], B[n,i]\n"
    text += "loss E = sum(n, i, (np_add[n,i] + b[i])^2 + tanh(B[n,i]*np_add[n,i]))\n"
    source = module_of(sb.loads(text).derive().program, workspaces=True).text()
    steps = source[source.index("def _steps") : source.index("def _loss_steps")]
    assert "b_view = b[None, :]" in steps and "B_view" not in steps
    assert steps.count("np_add = np.add") == 1 and "    np.add(" not in steps
    made = load_module(source, "names")
    for rows in (1, 3):
        rng = np.random.default_rng(rows)
        given = {"b": rng.normal(size=2), "B": rng.normal(size=(rows, 2))}, rng.normal(size=(rows, 2))
        assert_same(made.bind(*given)(), made.value_and_grad(*given))


def test_each_function_computes_into_an_array_what_it_returns() -> None:
    """Where a destination has no name, it is the one that the function takes in that place."""
    spelled = {name: name.removesuffix("_of_real") for name in FUNCTIONS}
    calls = [
        f"{spelled[name]}({', '.join(('x[n]', 'v[n]')[: record.arity])})"
        for name, record in FUNCTIONS.items()
        if not record.shown_by_definition
    ]
    calls.append("exp(x[n])*exp(v[n])")
    text = "index n : N\ninput x[n], v[n]\nparam w[n]\n"
    text += "".join(f"y{place}[n] = {call} + w[n]\n" for place, call in enumerate(calls))
    text += f"loss E = {' + '.join(f'sum(n, y{place}[n]^2)' for place in range(len(calls)))}\n"
    module = load_module(module_of(sb.loads(text).derive().program, workspaces=True).text(), "functions")
    given = {"w": np.array([0.3, 0.6])}, np.array([0.55, 0.7]), np.array([0.9, 0.1])
    assert_same(module.bind(*given)(), module.value_and_grad(*given))


def test_the_loss_alone_is_computed_in_memory_that_is_there() -> None:
    """Beside gradients, of which none are written over, and without arrays made anew."""
    made = module("normed")
    values = drawn(made, {axis: 500 if axis in "BN" else 40 for axis in SIZES})
    workspace = made.workspace()
    loss, gradients = made.value_and_grad(*values, workspace=workspace)
    kept = {name: gradient.copy() for name, gradient in gradients.items()}
    bound = made.bind_loss(*values)
    assert_same((loss, gradients), (made.loss(*values, workspace=workspace), kept))
    assert peak(bound) < 70_000 and peak(lambda: made.loss(*values, workspace=workspace)) < 70_000
    values[1][...] *= 2.0
    assert bound() == made.loss(*values, workspace=workspace) != loss
    with pytest.raises(ValueError, match="in C order"):
        made.bind_loss(values[0], *map(np.ndarray.tolist, values[1:]))


@pytest.mark.parametrize("size", [0, 1, 5, 128, 129, 3000])
def test_few_numbers_are_added_up_by_a_product(size: int) -> None:
    """Many are added up pairwise, as NumPy does it: one by one in float32 they would be off by more."""
    text = (
        "index n : N\nparam w[n], total_of_work[n]\nloss E = sum(n, w[n]^2) + sum(n, exp(total_of_work[n]))"
    )
    made = load_module(module_of(sb.loads(text).derive().program, workspaces=True).text(), "totals")
    for dtype in (np.float64, np.float32):
        w, v = np.random.default_rng(size).normal(size=(2, size)).astype(dtype)
        params = {"w": w, "total_of_work": v}
        step, loss = made.bind(params), made.bind_loss(params)
        for _ in range(2):
            exact = np.sum(w.astype(np.longdouble) ** 2) + np.sum(np.exp(v.astype(np.longdouble)))
            assert abs(step()[0] - exact) <= 4 * np.finfo(dtype).eps * exact
            assert loss() == step()[0] and loss().dtype == dtype
            w += dtype(1.0)


def test_a_sum_over_some_axes_or_in_a_loop_is_that_of_what_stands_there() -> None:
    text = "index t : T\nindex n : N\nparam w[t,n], u[t]\n"
    text += "h[t] = tanh(where(t > 0, h[t-1], 0)*u[t] + sum(n, w[t,n]^2))\nloss E = sum(t, h[t]^2)"
    made = load_module(module_of(sb.loads(text).derive().program, workspaces=True).text(), "totals")
    rng = np.random.default_rng(3)
    params = {"w": rng.normal(size=(4, 3)), "u": rng.normal(size=4)}
    assert_close(made.bind(params)(), made.value_and_grad(params))
    assert_close((made.bind_loss(params)(), {}), (made.loss(params), {}))
