"""Triangular arrays by blocks of rows: the numbers of the whole arrays, at every number of blocks."""

import tracemalloc
from types import ModuleType

import numpy as np
import pytest

from symbackprop.array.interpreter import interpret
from symbackprop.array.ir import Fill
from symbackprop.array.program import Program, Statement
from symbackprop.array.slices import Allocate
from symbackprop.emission.loading import load_module
from symbackprop.passes.blocks_in_place import with_blocks_in_place
from symbackprop.passes.row_blocks import with_row_blocks
from symbackprop.pipeline import loads
from symbackprop.reports.variants import to_numpy_as
from tests.programs import numpy_source

HEAD = "index t, s : T\nindex e : D\nindex b : B\ninput x[b,t,e]\nparam K[b,t,e], V[b,t,e]\n"
SCORES = "S[b,t,s] = sum(e, x[b,t,e]*K[b,s,e])/sqrt(size(e))\n"
SOFTMAX = "X[b,t,s] = where(s <= t, exp(S[b,t,s]), 0)\nP[b,t,s] = X[b,t,s]/sum(s, X[b,t,s])\n"
MIXED = "O[b,t,e] = sum(s, P[b,t,s]*V[b,s,e])\n"
LOSS = "loss E = sum(b, t, e, O[b,t,e]^2*(1 + e))\n"
LINEAR = HEAD + "P[b,t,s] = where(s <= t, sum(e, x[b,t,e]*K[b,s,e]), 0)\n" + MIXED + LOSS
ATTENTION = HEAD + SCORES + SOFTMAX + MIXED + LOSS
BIASED = ATTENTION.replace("param ", "param R[t,s], ").replace("/sqrt(size(e))", "/sqrt(size(e)) + R[t,s]")
MODELS = {
    "softmax": ATTENTION,
    "linear": LINEAR,
    "columns before rows": LINEAR.replace("P[b,t,s]", "P[s,t,b]").replace("s <= t", "t >= s"),
    "what stands behind alone": LINEAR.replace("s <= t", "t > s"),
    "what stands ahead": LINEAR.replace("s <= t", "s >= t"),
    "a band": LINEAR.replace("s <= t", "s <= t and t - s < 20"),
    "a bias with a gradient": BIASED,
    "a function of masked numbers": LINEAR.replace("sum(s, P[b,t,s]*", "sum(s, 3*P[b,t,s]*exp(-P[b,t,s])*"),
    "another number behind": LINEAR.replace("K[b,s,e]), 0)", "K[b,s,e]), 1)"),
    "a row's sum": LINEAR.replace("E = ", "E = sum(b, t, sum(s, P[b,t,s])^3) + "),
    "read in the other order": LINEAR.replace("E = ", "E = sum(b, t, s, P[b,s,t]*S[t,s]) + ").replace(
        "input ", "input S[t,s], "
    ),
}
NEAR_MISSES = {
    "all but the diagonal": LINEAR.replace("s <= t", "s != t"),
    "no mask": LINEAR.replace("where(s <= t, sum(e, x[b,t,e]*K[b,s,e]), 0)", "sum(e, x[b,t,e]*K[b,s,e])"),
    "few declared rows": LINEAR.replace("t, s : T", "t, s : T = 40"),
}


def programs(text: str) -> tuple[Program, Program]:
    """As it is lowered, and by blocks."""
    plain = loads(text).derive(wrt=[*(["R"] if "R[t,s]" in text else []), "K", "V", "x"]).program
    return plain, with_row_blocks(plain)


def arrays_of(program: Program, rows: int, dtype: type) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(rows)
    sizes = {"T": rows, "D": 3, "B": 2}
    shapes = {each.name: [sizes[index.axis.name] for index in each.indices] for each in program.tensors}
    return {name: rng.standard_normal(shape).astype(dtype) for name, shape in shapes.items()}


def run(module: ModuleType, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    others = {name: each for name, each in arrays.items() if name not in module.PARAMETERS}
    loss, gradients = module.value_and_grad({name: arrays[name] for name in module.PARAMETERS}, **others)
    return {"E": loss, **gradients}


@pytest.mark.parametrize("name", MODELS)
def test_blocks_compute_what_whole_arrays_do(name: str) -> None:
    plain, blocks = programs(MODELS[name])
    sources = numpy_source(plain), numpy_source(blocks)
    assert "range(0, T, 64)" in sources[1]
    one, other = (load_module(source, "rows") for source in sources)
    for rows in (1, 64, 65, 130):
        arrays = arrays_of(plain, rows, np.float64)
        wanted, found = run(one, arrays), run(other, arrays)
        for each in wanted:
            np.testing.assert_allclose(found[each], wanted[each], rtol=1e-11, atol=1e-11)
    arrays = arrays_of(plain, 130, np.float32)
    found = run(other, arrays)
    for each, number in interpret(blocks, arrays).items():
        if each in blocks.gradients.values():
            (asked,) = [name for name, held in blocks.gradients.items() if held == each]
            np.testing.assert_allclose(found[asked], number, rtol=1e-3, atol=1e-4)
            assert found[asked].dtype == np.float32


def test_no_rows_are_no_block() -> None:
    plain, blocks = programs(LINEAR)
    found = run(load_module(numpy_source(blocks), "rows"), arrays_of(plain, 0, np.float64))
    assert found["E"] == 0
    assert found["V"].shape == (2, 0, 3)


@pytest.mark.parametrize("name", NEAR_MISSES)
def test_what_is_no_triangle_stays_whole(name: str) -> None:
    plain, blocks = programs(NEAR_MISSES[name])
    assert plain.needed_for(plain.gradients.values()) == blocks.needed_for(blocks.gradients.values())


def test_scores_that_another_line_reads_are_whole() -> None:
    """Near miss: above the diagonal they are no zeros."""
    text = ATTENTION.replace("E = ", "E = sum(b, t, s, S[b,s,t]^2) + ")
    source = numpy_source(programs(text)[1])
    assert "    S = (x @ K.mT) / D**0.5" in source
    assert "range(0, T, 64)" in source


def test_modules_that_keep_little_compute_by_blocks() -> None:
    source, _ = to_numpy_as(loads(ATTENTION).derive(wrt=["K", "V", "x"]), less_memory=True)
    assert "range(0, T, 64)" in source
    plain, _ = programs(ATTENTION)
    arrays = arrays_of(plain, 600, np.float32)
    peaks = []
    for module in (load_module(source, "little"), load_module(numpy_source(plain), "plain")):
        run(module, arrays)
        tracemalloc.start()
        run(module, arrays)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[0] < 0.6 * peaks[1]


def workspace_module(text: str, less_memory: bool = False) -> ModuleType:
    wrt = [*(["R"] if "R[t,s]" in text else []), "K", "V", "x"]
    source, _ = to_numpy_as(loads(text).derive(wrt=wrt), less_memory=less_memory, workspaces=True)
    assert "range(0, T, 64)" in source[source.index("def _steps") :]
    assert "range(0, T, 64)" not in source[: source.index("def _steps")]
    return load_module(source, "rows")


@pytest.mark.parametrize("name", MODELS)
def test_workspaces_compute_by_blocks_of_memory_that_is_there(name: str) -> None:
    """Blocks that are shorter than others, and the loop's second run over what the first has left."""
    module = workspace_module(MODELS[name])
    plain, _ = programs(MODELS[name])
    for rows, dtype in ((1, np.float64), (65, np.float64), (130, np.float64), (130, np.float32)):
        arrays = arrays_of(plain, rows, dtype)
        wanted = run(module, arrays)
        bound = module.bind({each: arrays[each] for each in module.PARAMETERS}, *_others(module, arrays))
        tolerance = 1e-11 if dtype is np.float64 else 1e-3
        for _ in range(2):
            loss, gradients = bound()
            for each, number in {"E": loss, **gradients}.items():
                np.testing.assert_allclose(number, wanted[each], rtol=tolerance, atol=tolerance)
                assert np.asarray(number).dtype == dtype


def _others(module: ModuleType, arrays: dict[str, np.ndarray]) -> list[np.ndarray]:
    return [each for name, each in arrays.items() if name not in module.PARAMETERS]


@pytest.mark.parametrize("less_memory", [False, True])
def test_a_workspace_has_the_blocks(less_memory: bool) -> None:
    module = workspace_module(ATTENTION, less_memory)
    arrays = arrays_of(programs(ATTENTION)[0], 600, np.float32)
    bound = module.bind({each: arrays[each] for each in module.PARAMETERS}, *_others(module, arrays))
    bound()
    tracemalloc.start()
    bound()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 * 600 * 4  # a block's


PACKED = (
    "index t, s : T\nindex e : D\nindex b : B\nindex h : H\nindex w : W = (v q k)*H*D\n"
    "input d[b,t,h,e]\nparam U[b,t,w]\n"
    "X[b,h,t,s] = where(s <= t, exp(sum(e, U[b,t,(q h e)]*U[b,s,(k h e)])), 0)\n"
    "P[b,h,t,s] = X[b,h,t,s]/sum(s, X[b,h,t,s])\n"
    "O[b,t,h,e] = sum(s, P[b,h,t,s]*U[b,s,(v h e)])\n"
    "loss E = sum(b, t, h, e, O[b,t,h,e]*d[b,t,h,e])\n"
)


def test_products_that_fill_blocks_of_a_packed_axis_are_computed_by_rows() -> None:
    """The gradient of packed queries, keys and values reads triangles, of which none stands whole for it."""
    plain = loads(PACKED).derive().program
    blocked = with_row_blocks(with_blocks_in_place(plain))
    whole = {line.name for line in blocked.statements if isinstance(line, Statement)}
    assert whole.isdisjoint({"P", "delta_P", "delta_u_X"})
    one, other = (load_module(numpy_source(each), "packed") for each in (plain, blocked))
    for rows in (1, 65, 130):
        rng = np.random.default_rng(rows)
        arrays = {"d": rng.standard_normal((2, rows, 3, 4)), "U": rng.standard_normal((2, rows, 36))}
        wanted, found = run(one, arrays), run(other, arrays)
        for each in wanted:
            np.testing.assert_allclose(found[each], wanted[each], rtol=1e-11, atol=1e-11)


def test_no_rows_are_no_block_in_a_workspace() -> None:
    module = workspace_module(LINEAR)
    arrays = arrays_of(programs(LINEAR)[0], 0, np.float64)
    loss, gradients = module.bind(
        {each: arrays[each] for each in module.PARAMETERS}, *_others(module, arrays)
    )()
    assert loss == 0
    assert gradients["V"].shape == (2, 0, 3)


def test_what_blocks_alone_read_is_not_filled() -> None:
    """Above the diagonal nobody looks; near miss: a line that reads all of it."""
    read_whole = ATTENTION.replace("E = ", "E = sum(b, t, s, P[b,s,t]*S2[t,s]) + ").replace(
        "input ", "input S2[t,s], "
    )
    for text, is_filled in ((ATTENTION, False), (read_whole, True)):
        _, blocked = programs(text)
        (made,) = [line for line in blocked.statements if isinstance(line, Statement) and line.name == "P"]
        assert isinstance(made.value, Fill if is_filled else Allocate), text
