"""Modules of models whose sizes are related: sizes worked out and checked, as in the interpreter."""

from __future__ import annotations

import re

import numpy as np
import pytest

from symbackprop.array.interpreter import interpret
from symbackprop.errors import ProgramError, VerificationError
from symbackprop.language.model import parse_system
from symbackprop.semantics.evaluation import evaluate
from tests.programs import lower_system
from tests.targets.numpy.generated import forward_module, forward_statements, gradient_module, gradient_source
from tests.verification.on_numpy import check_model

STATES = """
index t : T
index s : S = T + 1
index n : N
index i : I
index j, k : J
input x[t,n,i], h0[n,j]
target d[t,n,j]
param W[i,j], U[k,j]
h[s,n,j] = where(s == 0, h0[n,j], tanh(sum(i, x[s-1,n,i]*W[i,j]) + sum(k, h[s-1,n,k]*U[k,j])))
loss L = 1/2*sum(t, n, j, (h[t+1,n,j] - d[t,n,j])^2) + sum(t, n, j, h[t,n,j])
"""
GATES = """
index n : N
index h : H
index k : K = 4*H
input x[n,k], c0[n,h]
param b[k], v[h]
u[n,k] = x[n,k] + b[k]
c[n,h] = sigmoid(u[n,h])*c0[n,h] + sigmoid(u[n,h+size(h)])*tanh(u[n,h+3*size(h)])
loss L = sum(n, h, v[h]*sigmoid(u[n,h+2*size(h)])*tanh(c[n,h]))
"""
HEADS = """
index t : T
index o : D
index h : H
index e : Eh = D/H
input x[t,o]
const w[h]
param v[o]
z[t,h,e] = x[t,size(e)*h+e]*v[size(e)*h+e]
y[t,o] = w[floor(o/size(e))]*x[t,o]*v[o]^2
loss L = sum(t, h, e, z[t,h,e]^3) + sum(t, o, y[t,o]^2)
"""
WINDOWS = """
index n : N
index k : K
index a : A = floor((N - K)/2) + 1
input x[n]
param w[k]
y[a] = tanh(sum(k, w[k]*x[2*a+k]))
loss L = sum(a, y[a]^2)
"""


TRIANGLE = """
index m, l : M
index p : P = M*(M + 1)/2
input x[p]
param w
z[m] = w*sum(l, where(l <= m, x[floor(m*(m + 1)/2) + l], 0))
loss L = sum(m, z[m]^2)
"""


@pytest.mark.parametrize("text", [HEADS, WINDOWS], ids=["heads", "windows"])
def test_the_gradient_agrees_on_sizes_that_obey(text: str) -> None:
    assert check_model(parse_system(text)).ok


@pytest.mark.parametrize("text", [STATES, GATES], ids=["states", "gates"])
def test_the_module_is_verified_on_sizes_that_obey(text: str) -> None:
    assert "Verified before it was written" in gradient_source(text)


def test_sizes_that_no_tensor_has_are_worked_out() -> None:
    assert "S = T + 1" in forward_statements(STATES)
    lines = forward_statements(HEADS.replace("y[t,o] =", "q[e] = 1/(e + 1)\ny[t,o] ="))
    assert "Eh = D // H" in lines
    assert "M = (int((8 * P + 1) ** 0.5) - 1) // 2" in forward_statements(TRIANGLE)


@pytest.mark.parametrize(
    "text, shapes, message",
    [
        (
            GATES,
            {"x": (2, 10), "c0": (2, 3), "b": (10,), "v": (3,)},
            "expected K = 4*H, got K=10 as in b, H=3 as in v",
        ),
        (HEADS, {"x": (2, 10), "w": (3,), "v": (10,)}, "expected Eh = D/H, got D=10 as in v, H=3 as in w"),
        (HEADS, {"x": (2, 0), "w": (0,), "v": (0,)}, "expected Eh = D/H, got D=0 as in v, H=0 as in w"),
        (
            TRIANGLE,
            {"x": (4,), "w": ()},
            "expected P = M*(M + 1)/2, got P=4 as in x, M=2 as in P = M*(M + 1)/2",
        ),
        (TRIANGLE, {"x": (5,), "w": ()}, "expected P = M*(M + 1)/2, got P=5 as in x"),
        (WINDOWS, {"x": (2,), "w": (7,)}, "expected A = floor((N - K)/2) + 1, got N=2 as in x, K=7 as in w"),
    ],
)
def test_sizes_that_do_not_obey_are_refused_at_the_call(
    text: str, shapes: dict[str, tuple[int, ...]], message: str
) -> None:
    arrays = {name: np.ones(shape) for name, shape in shapes.items()}
    module = forward_module(text)
    params = {name: arrays.pop(name) for name in module.PARAMETERS}
    with pytest.raises(ValueError, match=re.escape(message)):
        module.forward(params, **arrays)
    system = parse_system(text)
    with pytest.raises(ProgramError, match=re.escape(message[9:].split(",")[0])):
        interpret(lower_system(system), {**params, **arrays})
    with pytest.raises(VerificationError, match=re.escape(message.split(" as ")[0])):
        evaluate(system, {**params, **arrays})


def test_init_asks_for_the_sizes_that_do_not_follow() -> None:
    rng = np.random.default_rng(0)
    gates = forward_module(GATES).init(rng, H=3)
    assert gates["b"].shape == (12,) and gates["v"].shape == (3,)
    assert forward_module(HEADS).init(rng, D=6)["v"].shape == (6,)


PROJECTIONS = """
index t, s : T
index h : H = 2
index e : E
index d : D = H*E
index p : P = (q k v)*D
index m : M
param W[m,p], V[d,m]
input x[t,m]
z[t,p] = sum(m, x[t,m]*W[m,p])
a[h,t,s] = softmax(s, sum(e, z[t,(q h e)]*z[s,(k h e)]))
y[t,m] = sum(h, e, sum(s, a[h,t,s]*z[s,(v h e)])*V[(h e),m])
loss L = sum(t, m, y[t,m]^2)
"""
PACKED_PARAMETER = """
index n : N
index f : F
index a : A = (i o)*F
index b : B = F + C
index c : C
param w[a], v[b]
input x[n,f]
loss L = sum(n, sum(f, w[(o f)]*x[n,f])^2 + sum(f, v[f]*x[n,f])^2 + sum(c, v[size(f) + c])^2)
"""


def test_init_scales_by_the_sizes_of_axes_that_no_parameter_has() -> None:
    rng = np.random.default_rng(0)
    drawn = forward_module(PROJECTIONS).init(rng, M=400, D=200)
    assert drawn["W"].shape == (400, 600) and drawn["V"].shape == (200, 400)
    assert np.std(drawn["W"]) * 20 == pytest.approx(1, abs=0.02)
    assert np.std(drawn["V"]) * 200**0.5 == pytest.approx(1, abs=0.02)
    packed = forward_module(PACKED_PARAMETER).init(rng, A=8000, B=5000)
    assert np.std(packed["w"]) * 4000**0.5 == pytest.approx(1, abs=0.05)
    assert np.std(packed["v"]) * 4000**0.5 == pytest.approx(1, abs=0.05)


def test_init_scales_by_no_size_that_no_parameter_tells() -> None:
    text = PACKED_PARAMETER.replace("w[a], v[b]", "v[b]").replace("w[(o f)]", "f")
    assert np.std(forward_module(text).init(np.random.default_rng(0), B=5000)["v"]) == pytest.approx(
        1, abs=0.1
    )


def test_empty_axes_have_sizes_too() -> None:
    module = forward_module(STATES)
    params = {"W": np.ones((2, 3)), "U": np.ones((3, 3))}
    h = module.forward(params, np.ones((0, 4, 2)), np.ones((4, 3)), np.ones((0, 4, 3)))
    assert h.shape == (1, 4, 3)


def test_targets_may_be_what_tells_a_size() -> None:
    module = gradient_module("""
index t : T
index s : S = T + 1
param w
input x[s]
target d[t]
y[s] = w*x[s]
loss L = sum(t, d[t]*y[t])
""")
    params = {"w": np.array(2.0)}
    assert module.forward(params, np.ones(3)).shape == (3,)
    with pytest.raises(ValueError, match=re.escape("expected S = T + 1, got S=3 as in x, T=3 as in d")):
        module.loss(params, np.ones(3), np.ones(3))
