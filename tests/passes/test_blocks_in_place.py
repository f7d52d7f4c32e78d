"""Blocks computed where they lie in an array: the numbers of blocks that are computed beside it."""

import tracemalloc
from functools import cache

import numpy as np
import pytest

from symbackprop.array.checking import checked
from symbackprop.array.interpreter import interpret
from symbackprop.array.ir import Literal
from symbackprop.array.program import Program, Statement, statements_in
from symbackprop.array.slices import Pick, Span, Whole, items_within
from symbackprop.emission.loading import load_module
from symbackprop.notation.expressions import Axis, Index
from symbackprop.passes.blocks_in_place import with_blocks_in_place
from symbackprop.passes.row_blocks import with_row_blocks
from symbackprop.pipeline import ModelDerivation, loads
from symbackprop.reports.variants import to_numpy_as
from symbackprop.schedule.named_equations import Part
from tests.programs import numpy_source

HEADS = """
index b : B
index t, s : T
index h : H
index e : F
index i : D = H*F
index a : A = (k q v)*D
input x[b,t,i]
const heads[h]
param W[i,a]
p[b,t,a] = sum(i, x[b,t,i]*W[i,a])
S[b,h,t,s] = sum(e, p[b,t,(q h e)]*p[b,s,(k h e)])/sqrt(size(e))
X[b,h,t,s] = where(s <= t, exp(S[b,h,t,s]), 0)
P[b,h,t,s] = X[b,h,t,s]/sum(s, X[b,h,t,s])
y[b,t,(h e)] = sum(s, P[b,h,t,s]*p[b,s,(v h e)])
loss E = sum(b, t, i, (1 + i)*y[b,t,i]^2)
"""
UNPACKED = """
index b : B
index t, s : T
index h : H
index e : F
index i : D
input x[b,t,i]
param Wq[i,h,e], Wk[i,h,e], Wv[i,h,e]
q[b,h,t,e] = sum(i, x[b,t,i]*Wq[i,h,e])
k[b,h,t,e] = sum(i, x[b,t,i]*Wk[i,h,e])
v[b,h,t,e] = sum(i, x[b,t,i]*Wv[i,h,e])
S[b,h,t,s] = sum(e, q[b,h,t,e]*k[b,h,s,e])/sqrt(size(e))
X[b,h,t,s] = where(s <= t, exp(S[b,h,t,s]), 0)
P[b,h,t,s] = X[b,h,t,s]/sum(s, X[b,h,t,s])
y[b,h,t,e] = sum(s, P[b,h,t,s]*v[b,h,s,e])
loss E = sum(b, h, t, e, (1 + e + h*size(e))*y[b,h,t,e]^2)
"""
GATES = """
index b : B
index t : T
index h, g : H
index a : A = (r n)*H
input x[b,t,a]
param U[h,a]
u[b,t,a] = x[b,t,a] + where(t == 0, 0, sum(h, z[b,t-1,h]*U[h,a]))
z[b,t,g] = sigmoid(u[b,t,(r g)])*tanh(u[b,t,(n g)])
loss E = sum(b, t, g, z[b,t,g]^2)
"""
SUMS = """
index b : B
index h : H
index k : A = (c d)*H
param x[b,k]
loss E = sum(b, h, exp(x[b,(c h)])*x[b,(d h)]^2)
"""
READ_TWICE = {"sums": ["grad_x_block"]}  # the loss is the sum of the first block
MODELS = {"heads": (HEADS, ["W", "x"]), "gates": (GATES, ["U", "x"]), "sums": (SUMS, ["x"])}
SIZES = {"H": 2, "F": 3, "D": 6, "B": 2}


@cache
def derived(name: str) -> ModelDerivation:
    text, wrt = MODELS[name]
    return loads(text).derive(wrt=wrt)


def lowered(name: str) -> Program:
    return derived(name).program


def arrays_of(program: Program, rows: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(rows)
    blocks = 3 if any(index.axis.name == "D" for each in program.tensors for index in each.indices) else 2
    sizes = {**SIZES, "T": rows, "A": blocks * (SIZES["D"] if blocks == 3 else SIZES["H"])}
    shapes = {each.name: [sizes[index.axis.name] for index in each.indices] for each in program.tensors}
    return {name: rng.standard_normal(shape) for name, shape in shapes.items()}


def blocks_beside(program: Program) -> list[str]:
    """The arrays that hold a block alone."""
    lines = statements_in(program.statements)
    return [line.name for line in lines if isinstance(line, Statement) and line.origin.part is Part.BLOCK]


@pytest.mark.parametrize("by_rows", [False, True])
@pytest.mark.parametrize("name", MODELS)
def test_the_numbers_are_those_of_blocks_that_are_copied(name: str, by_rows: bool) -> None:
    plain = with_row_blocks(lowered(name)) if by_rows else lowered(name)
    placed = checked(with_blocks_in_place(plain))
    kept = READ_TWICE.get(name, [])
    assert len(blocks_beside(plain)) > len(kept) and blocks_beside(placed) == kept
    for rows in (1, 65, 130):
        arrays = arrays_of(plain, rows)
        wanted, found = interpret(plain, arrays), interpret(placed, arrays)
        for each in (plain.loss, *plain.gradients.values()):
            np.testing.assert_allclose(found[each], wanted[each], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("workspaces", [False, True])
@pytest.mark.parametrize("less_memory", [False, True])
@pytest.mark.parametrize("name", MODELS)
def test_the_variants_of_a_module(name: str, less_memory: bool, workspaces: bool) -> None:
    program = lowered(name)
    variant = load_module(to_numpy_as(derived(name), less_memory, workspaces)[0], "variant")
    for rows in (1, 65):
        arrays = arrays_of(program, rows)
        others = {each: array for each, array in arrays.items() if each not in variant.PARAMETERS}
        loss, gradients = variant.value_and_grad(
            {each: arrays[each] for each in variant.PARAMETERS}, **others
        )
        wanted = interpret(program, arrays)
        np.testing.assert_allclose(loss, wanted["E"], rtol=1e-12)
        for each, number in program.gradients.items():
            np.testing.assert_allclose(gradients[each], wanted[number], rtol=1e-11, atol=1e-12)


def test_a_program_without_blocks_is_itself() -> None:
    plain = loads(UNPACKED).derive(wrt=["Wq"]).program
    assert with_blocks_in_place(plain) is plain


def test_packed_attention_needs_no_more_memory_than_with_head_axes() -> None:
    """Both with the numbers of the same model; the delta of the packed product is filled in place."""
    rng = np.random.default_rng(0)
    batch, rows, heads, width = 2, 96, 4, 16
    size = heads * width
    weights = {name: rng.standard_normal((size, size)) for name in ("Wk", "Wq", "Wv")}
    x = rng.standard_normal((batch, rows, size))
    packed = load_module(numpy_source(loads(HEADS).derive(wrt=["W", "x"]).program), "packed")
    apart = load_module(numpy_source(loads(UNPACKED).derive(wrt=["Wq", "Wk", "Wv", "x"]).program), "apart")
    joined = np.concatenate(list(weights.values()), axis=1)
    split = {name: each.reshape(size, heads, width) for name, each in weights.items()}
    calls = {
        "packed": lambda: packed.value_and_grad({"W": joined}, x=x, heads=np.ones(heads)),
        "apart": lambda: apart.value_and_grad(split, x=x),
    }
    found, peaks = {}, {}
    for name, call in calls.items():
        call()
        tracemalloc.start()
        found[name] = call()
        peaks[name] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    np.testing.assert_allclose(found["packed"][0], found["apart"][0], rtol=1e-12)
    np.testing.assert_allclose(found["packed"][1]["x"], found["apart"][1]["x"], rtol=1e-9, atol=1e-9)
    assert peaks["packed"] < 1.03 * peaks["apart"]


def test_a_part_of_a_part() -> None:
    index = Index("i", Axis("I", "i"))
    span, other = Span(index), Span(index, step=2)
    counter = Pick(Literal(1))
    assert items_within((Whole(), span), (other, Whole())) == (other, span)
    assert items_within((counter, Whole()), (span,)) == (counter, span)
    assert items_within((span,), (other,)) is None
    assert items_within((counter, Whole()), (counter,)) is None
