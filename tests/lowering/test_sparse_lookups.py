"""Edges of a graph given as lists of places: numbers over edges and over nodes, none over both."""

from __future__ import annotations

from collections import Counter
from functools import partial

import numpy as np
import pytest

from symbackprop.array.program import Program, statements_in
from symbackprop.derivation.driver import derive
from symbackprop.derivation.replaying import replayed
from symbackprop.emission.loading import load_module
from symbackprop.language.model import parse_system
from symbackprop.lowering.programs import lower
from symbackprop.semantics.evaluation import evaluate
from symbackprop.systems.system import System
from tests.programs import numpy_source

HEAD = """
index n : N
index e : E
index t : T
input src[e] in N, dst[e] in N
input y[n]
param w[e], x[n]
"""
BODIES = {
    "messages of steps, without loops": """
h[t,n] = where(t == 0, x[n],
    tanh(h[t-1,n] + sum(e, where(dst[e] == n and src[e] != n, w[e]*h[t-1,src[e]], 0))))
loss L = sum(n, (h[size(t)-1,n] - y[n])^2)
""",
    "messages by degrees of both ends": """
d[n] = sum(e, delta(dst[e], n)) + x[n]^2
h[t,n] = where(t == 0, x[n], sum(e, delta(dst[e], n)*w[e]*h[t-1,src[e]]/sqrt(d[n]*d[src[e]] + 1)))
loss L = sum(t, n, y[n]*h[t,n]^2)
""",
    "pairs that are ranked": """
loss L = sum(e, log(1 + exp(w[e]*(x[src[e]] - x[dst[e]] + x[dst[e]]*y[dst[e]])))) + sum(t, n, x[n])
""",
    "one step, a function of both ends": """
h[n] = sum(e, delta(n, dst[e])*tanh(w[e]*x[n] + x[src[e]])*w[e])
loss L = sum(n, y[n]*h[n]^2) + size(t)
""",
}
SIZES = ((4, 7, 3), (1, 2, 2), (3, 1, 1), (3, 0, 2))


def program_of(body: str) -> tuple[System, Program]:
    system = parse_system(HEAD + body, "edges")
    derivation = derive(system, ["w", "x"])
    replayed(derivation)
    return system, lower(derivation)


@pytest.mark.parametrize("body", BODIES.values(), ids=list(BODIES))
def test_nothing_is_as_large_as_nodes_times_edges(body: str) -> None:
    system, program = program_of(body)
    for line in statements_in(program.statements):
        for value in line.values:
            for node in value.walk():
                axes = Counter(index.axis.name for index in node.indices)
                assert axes["E"] + axes["N"] < 2, line
    module = load_module(numpy_source(program), "edges")
    rng = np.random.default_rng(3)
    for nodes, edges, steps in SIZES:
        places = {name: rng.integers(0, nodes, edges) for name in ("src", "dst")}
        y, x, w = (rng.normal(size=size) for size in (nodes, nodes, edges))
        sizes = {"N": nodes, "E": edges, "T": steps}
        expected = evaluate(system, {**places, "y": y, "x": x, "w": w}, sizes)["L"]
        call = partial(module.value_and_grad, **places, y=y, T=steps)
        loss, grads = call({"w": w, "x": x})
        np.testing.assert_allclose(loss, expected, rtol=1e-12)
        for name, own in (("w", w), ("x", x)):
            for place in range(len(own)):
                moved = np.zeros_like(own)
                moved[place] = step = 1e-6
                around = ({"w": w, "x": x, name: own + sign * moved} for sign in (1, -1))
                above, below = (call(each)[0] for each in around)
                assert abs(grads[name][place] - (above - below) / (2 * step)) < 1e-7 * max(1.0, abs(loss))
