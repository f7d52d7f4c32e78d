"""floor, ceil, round and clip of real values: derivative 0 where they jump, positions, quantised weights."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.derivation.driver import derive
from symbackprop.derivation.replaying import replayed
from symbackprop.emission.loading import load_module
from symbackprop.errors import NotationError
from symbackprop.language.model import parse_expression, parse_system
from symbackprop.lowering.programs import lower
from symbackprop.systems.printing import system_text, text
from tests.models.judges import judge
from tests.programs import numpy_source

SPLINE = """
index n : N
index i : G
param g[i], a
input x[n]
u[n] = a*x[n] + 1/2*size(i)
loss E = sum(n, {read}^2)
"""
BETWEEN = "g[floor(u[n])]*(1 - (u[n] - floor(u[n]))) + g[floor(u[n]) + 1]*(u[n] - floor(u[n]))"
GUARDED = f"where(0 <= floor(u[n]) and floor(u[n]) + 1 < size(i), {BETWEEN}, 0)"
CLIPPED = "(g[clip(floor(u[n]), 0, size(i) - 1)]*(u[n] - floor(u[n])))"
QUANTISED = """
index i : I
param w[i], s
input x[i]
v[i] = clip(w[i]/s, -4, 3)
q[i] = s*(v[i] + stop(round(v[i]) - v[i]))
loss E = (sum(i, q[i]*x[i]) + sum(i, ceil(w[i])*floor(s)*x[i]))^2
"""


def test_a_position_that_is_rounded_and_its_fraction() -> None:
    derivation = judge(SPLINE.format(read=CLIPPED), sizes={"N": 5, "G": 4}, steps=False)
    assert "floor(u[n])" in text(derivation.gradients["g"].expression)


def test_a_spline_reads_two_neighbours() -> None:
    module = sb.loads(SPLINE.format(read=GUARDED)).derive().module()
    params = {"g": np.array([1.0, 2.0, 4.0, 8.0]), "a": np.array(1.0)}
    loss, grads = module.value_and_grad(params, x=np.array([-2.0, -0.75, 0.5, 1.0, 7.0, -9.0]))
    values = np.array([1.0, 2.5, 6.0, 0.0, 0.0, 0.0])  # at 0, 1.25 and 2.5; the last knot and beyond: 0
    slopes = np.array([1.0, 2.0, 4.0]) * [-2.0, -0.75, 0.5]
    np.testing.assert_allclose(loss, np.sum(values**2), rtol=1e-15)
    np.testing.assert_allclose(grads["a"], np.sum(2 * values[:3] * slopes), rtol=1e-15)
    np.testing.assert_allclose(grads["g"], [2.0, 3.75, 1.25 + 6.0, 6.0], rtol=1e-15)
    for sizes in ((0, 4), (3, 1), (3, 0)):
        params["g"] = np.ones(sizes[1])
        if sizes[1]:
            assert module.value_and_grad(params, x=np.full(sizes[0], 0.3))[1]["g"].shape == (sizes[1],)
        else:
            with pytest.raises(ValueError, match="axis G is empty"):
                module.loss(params, x=np.zeros(sizes[0]))


def test_quantised_weights_by_a_straight_through_estimator() -> None:
    derivation = judge(QUANTISED, sizes={"I": 4}, steps=False)
    gradient = text(derivation.gradients["w"].expression)
    assert gradient == "delta_v[i]*where(w[i]/s <= 3 and w[i]/s >= -4, 1/s, 0)"


@pytest.mark.parametrize("end", [-4.0, 3.0])
def test_at_its_ends_a_clip_moves(end: float) -> None:
    module = sb.loads("param a\nloss E = 2*clip(a, -4, 3)\n").derive().module()
    for value, slope in ((end, 2.0), (np.nextafter(end, 10 * end), 0.0), (end / 2, 2.0)):
        assert module.grad({"a": np.array(value)})["a"] == slope


def test_what_is_rounded_has_the_derivative_0() -> None:
    derivation = sb.loads("param a, b\nloss E = a*floor(b) + round(a) + ceil(a*b)*b\n").derive()
    assert str(derivation.gradients["a"]) == "dE/da = floor(b)"
    assert str(derivation.gradients["b"]) == "dE/db = ceil(a*b)"
    loss, _ = derivation.module().value_and_grad({"a": np.array(2.5), "b": np.array(-1.25)})
    assert loss == 2.5 * -2 + 2 - 3 * -1.25  # 2.5 to the even 2
    assert r"\lceil a" in derivation.latex() and r"\lfloor b" in derivation.latex()


def test_of_integers_they_are_exact() -> None:
    system = parse_system("index q : Q\ninput k in Q\nparam w[q]\nx = sum(q, w[q])\nloss E = x\n")
    for written, read in (
        ("ceil(q/2)", "-floor((-q)/2)"),
        ("ceil(2*q)", "2*q"),
        ("clip(q - 1, 0, size(q) - 1)", "min(max(q - 1, 0), size(q) - 1)"),
        ("floor(x/2)", "floor(x/2)"),
        ("floor(x*(x + 1))", "floor(x*(x + 1))"),
    ):
        expression = parse_expression(written, system)
        assert text(expression) == read
        assert parse_expression(read, system) == expression


@pytest.mark.parametrize(
    ("read", "refused"),
    [
        ("g[floor(u[n])]", True),
        ("g[round(u[n])]", True),
        ("g[clip(ceil(u[n]), 0, size(i))]", True),  # one too far
        ("where(u[n] >= 0 and u[n] < size(i), g[floor(u[n])], 0)", False),
        ("where(u[n] >= 0 and u[n] <= size(i), g[floor(u[n])], 0)", True),
        ("where(floor(u[n]) >= 0, g[floor(u[n])], 0)", True),
        ("where(0 <= floor(u[n]) < size(i), g[floor(u[n])], 0)", False),
        ("g[clip(round(u[n]), 0, size(i) - 1)]", False),
        ("g[mod(floor(u[n])*7 + 3, size(i))]", False),
        ("pad(g[floor(u[n]) - 1])", False),
    ],
)
def test_a_rounded_position_is_guarded(read: str, refused: bool) -> None:
    if not refused:
        sb.loads(SPLINE.format(read=read)).derive().module()
        return
    with pytest.raises(sb.NotationError, match="may lie outside axis G") as caught:
        parse_system(SPLINE.format(read=read))
    assert "guard it, where(0 <= " in caught.value.remedy


@pytest.mark.parametrize("is_fast", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("read", "above"),
    [
        ("C[clip(floor(w[n]), 0, size(k) - 1)]", 13),
        ("C[max(min(round(2*w[n]) + 1, size(k) - 1), 0)]", 13),
        ("C[clip(3*floor(w[n]), 0, size(k) - 1)]", 13),
        ("where(max(floor(w[n]), 0) < size(k), C[max(floor(w[n]), 0)], 0)", 0),
        ("where(size(k) > max(ceil(w[n]), 0), C[max(ceil(w[n]), 0)], 0)", 0),
    ],
)
def test_positions_beyond_64_bits_are_bounded_as_the_real_numbers_are(
    read: str, above: float, dtype: type, is_fast: bool
) -> None:
    model = sb.loads(
        f"index n : N\nindex k : K\ninput x[n]\nparam w[n], C[k]\nloss E = sum(n, {read}*x[n])\n"
    )
    module = model.derive().module(fast=is_fast)
    table, below = np.arange(10, 14, dtype=dtype), 10
    for places, expected in (([9e18, 1e19, 1e30, np.inf], above), ([-1e19, -1e30, -np.inf], below)):
        for place in places:
            parameters = {"w": np.array([place], dtype), "C": table}
            with np.errstate(invalid="ignore"):
                loss, gradients = module.value_and_grad(parameters, np.ones(1, dtype))
            chosen = table == expected
            np.testing.assert_array_equal(loss, expected)
            np.testing.assert_array_equal(gradients["C"], chosen)


BINS = """
index n : N
index k : K
index e : EDGES = {edges}
input x[n]
param d[e], w[k]
bin[n] = clip(floor(x[n]), 0, size(k) - 1)
loss E = sum(n, (d[{position}]*w[bin[n]] + d[bin[n]])^2)
"""


@pytest.mark.parametrize(
    ("edges", "position", "sizes"),
    [
        ("K + 1", "bin[n] + 1", {"N": 5, "K": 3, "EDGES": 4}),
        ("2*K", "2*bin[n] + 1", {"N": 4, "K": 2, "EDGES": 4}),
    ],
)
def test_a_bin_reads_an_axis_of_another_size(edges: str, position: str, sizes: dict[str, int]) -> None:
    derivation = judge(BINS.format(edges=edges, position=position), sizes=sizes, steps=False)
    module = load_module(numpy_source(lower(derivation)), "bins")
    empty = {"d": np.ones(1 if edges == "K + 1" else 0), "w": np.ones(0)}
    with pytest.raises(ValueError, match=r"axis (K|EDGES) is empty"):
        module.value_and_grad(empty, np.zeros(2))


def test_a_bin_beyond_an_axis_is_refused() -> None:
    with pytest.raises(NotationError, match="may lie outside axis EDGES"):
        parse_system(BINS.format(edges="K + 1", position="bin[n] + 2"))


SEGMENTS = """
index n : N
index k : K
input u[n]
param P[k]
b[n] = clip(floor(u[n]), 1, size(k) - 3)
loss E = sum(n, (P[b[n]-1] - 2*P[b[n]+2]^2)*u[n])
"""


def test_a_clip_whose_bounds_are_in_order_for_large_axes_alone() -> None:
    derivation = judge(SEGMENTS, sizes={"N": 4, "K": 5}, steps=False)
    module = load_module(numpy_source(lower(derivation)), "segments")
    u = np.array([-3.0, 1.2, 9.0])
    _, grads = module.value_and_grad({"P": np.arange(4.0)}, u)
    np.testing.assert_allclose(grads["P"], [7.2, 0.0, 0.0, -12.0 * 7.2], rtol=1e-14)
    with pytest.raises(ValueError, match=r"size\(k\) - 4 reads position -1, but K=3"):
        module.loss({"P": np.ones(3)}, u)
    with pytest.raises(NotationError, match="may lie outside axis K"):
        parse_system(SEGMENTS.replace("- 3)", "- 2)"))


PHASES = """
index t : T
index k : K
index p : P = 3
index o : O = 3*T
param x[t], h[k,p]
y[o] = sum(k, h[k,mod(o,3)]*pad(x[floor(o/3) - k]))
loss E = sum(o, (y[o] - o)^2)
"""


def test_no_phases_at_all() -> None:
    module = sb.loads(PHASES).derive().module()
    loss, grads = module.value_and_grad({"x": np.ones(0), "h": np.ones((2, 3))})
    assert loss == 0 and grads["x"].shape == (0,) and not grads["h"].any()


TABLE = """
index n : N
index k : K
input x[n]
param a[k,n], s
p[n] = {clip}
lo[n] = floor(p[n])
y[n] = a[lo[n],n] + (p[n] - lo[n])*(a[{next},n] - a[{again},n])
loss E = sum(n, y[n]^2)
"""


@pytest.mark.parametrize(
    ("clip", "next_", "again"),
    [
        ("clip(s*x[n] + n, 0, size(k) - 2)", "lo[n] + 1", "floor(p[n])"),
        ("max(min(s*x[n] + n, size(k) - 1), 0)", "min(ceil(p[n]), size(k) - 1)", "lo[n]"),
    ],
)
def test_a_clip_by_its_name_keeps_what_is_rounded_inside(clip: str, next_: str, again: str) -> None:
    """Linear interpolation in a table, or of a deformed grid: p, its floor, and the fraction between."""
    derivation = judge(TABLE.format(clip=clip, next=next_, again=again), sizes={"N": 4, "K": 3}, steps=False)
    assert "a[lo[n],n] + (p[n] - lo[n])" in system_text(derivation.system)
    beyond = clip.replace("size(k) - ", "size(k) + ")
    with pytest.raises(NotationError, match="may lie outside axis K"):
        parse_system(TABLE.format(clip=beyond, next=next_, again=again))


BUCKETS = """
index t, s : T
index k : K
param b[k], c[t,s]
loss E = sum(t, s, where({guard}, c[t,s]*b[clip(floor({number}), 0, size(k) - 1)]^2, 0))
"""


@pytest.mark.parametrize(
    ("guard", "number", "holds", "bucket"),
    [
        ("s < t", "2*log(t - s)", lambda t, s: s < t, lambda t, s: math.floor(2 * math.log(t - s))),
        (
            "s - t > 1",
            "3/2*sqrt(s - t - 1)",
            lambda t, s: s > t + 1,
            lambda t, s: math.floor(1.5 * math.sqrt(s - t - 1)),
        ),
    ],
)
def test_a_bucket_is_one_where_its_guard_holds(
    guard: str, number: str, holds: Callable[[int, int], bool], bucket: Callable[[int, int], int]
) -> None:
    """log(t - s) is none for s = t, nor is the delta of its floor."""
    derivation = derive(parse_system(BUCKETS.format(guard=guard, number=number)))
    replayed(derivation)
    source = numpy_source(lower(derivation))
    assert "scatter_add(" in source
    rng = np.random.default_rng(2)
    b, c = rng.normal(size=3), rng.normal(size=(5, 5))
    grads = load_module(source, "buckets").grad({"b": b, "c": c})
    expected = {"b": np.zeros(3), "c": np.zeros((5, 5))}
    for t, s in product(range(5), repeat=2):
        if holds(t, s):
            k = min(max(bucket(t, s), 0), 2)
            expected["b"][k] += 2 * c[t, s] * b[k]
            expected["c"][t, s] = b[k] ** 2
    for name, values in expected.items():
        np.testing.assert_allclose(grads[name], values, rtol=1e-13)
    assert sb.loads(BUCKETS.format(guard=guard, number=number)).derive().module()
