"""Reductions over places where lookups agree: once a value, and no array over pairs of places."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.array.interpreter import interpret
from symbackprop.array.program import statements_in
from symbackprop.derivation.driver import derive
from symbackprop.emission.loading import load_module
from symbackprop.language.model import parse_system
from symbackprop.lowering.programs import lower
from symbackprop.semantics.evaluation import evaluate
from tests.programs import numpy_source

HEAD = "index n : N\nindex e, l : E\nindex h : H\ninput dst[e] in N\ninput y[e,h], w[n]\nparam s[e,h]\n"
BODIES = {
    "a softmax over segments, two heads": """
p[e,h] = exp(s[e,h])/sum(l, where(dst[l] == dst[e], exp(s[l,h]), 0))
loss L = sum(e, h, w[dst[e]]*(p[e,h] - y[e,h])^2)
""",
    "a listwise ranking by query": """
p[e,h] = exp(s[e,h])/sum(l, where(dst[e] == dst[l], exp(s[l,h]), 0))
t[e,h] = y[e,h]^2/sum(l, delta(dst[l],dst[e])*(y[l,h]^2 + 1))
loss L = -sum(e, h, w[dst[e]]*t[e,h]*log(p[e,h]))
""",
    "distances from the mean of the group": """
c[e] = sum(l, where(dst[l] == dst[e], 1, 0))
m[e,h] = sum(l, where(dst[l] == dst[e], tanh(s[l,h]), 0))/c[e]
loss L = sum(e, h, w[dst[e]]*(s[e,h] - m[e,h])^2*y[e,h])
""",
    "a group-wise log-sum-exp": """
z[n,h] = log(sum(l, where(dst[l] == n, exp(w[n]*s[l,h]), 0)) + 1)
loss L = sum(n, h, z[n,h]^2) + sum(e, h, y[e,h]*sum(l, where(dst[l] == dst[e], s[l,h], 0))^2)
""",
}
BODIES["an aggregation by maxima and minima"] = """
c[n] = sum(e, where(dst[e] == n, 1, 0))
M[n,h] = max(e, where(dst[e] == n, s[e,h], -99))
m[n,h] = min(e, where(dst[e] == n, s[e,h]*y[e,h], 999))
u[n,h] = where(c[n] > 0, M[n,h]^2 - w[n]*m[n,h], 0)
loss L = sum(n, h, u[n,h]) + sum(e, h, y[e,h]*max(l, where(dst[l] == dst[e], tanh(s[l,h]), -2)))
"""
DATA = {
    "groups of several": ([0, 2, 2, 0, 2], 4),
    "one group": ([1, 1, 1], 3),
    "one place": ([0], 1),
    "places alone": ([2, 0, 1], 3),
}


def drawn(places: list[int], groups: int, heads: int, scale: float) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(7)
    shape = (len(places), heads)
    return {
        "dst": np.array(places),
        "w": rng.uniform(0.5, 2.0, groups),
        "y": rng.normal(size=shape),
        "s": scale + rng.normal(size=shape),
    }


@pytest.mark.parametrize("model", BODIES, ids=list(BODIES))
def test_groups_are_reduced_once(model: str) -> None:
    system = parse_system(HEAD + BODIES[model], "groups")
    program = lower(derive(system, ["s"]))
    pairs = [
        line
        for line in statements_in(program.statements)
        for value in line.values
        for node in value.walk()
        if [index.axis.name for index in node.indices].count("E") > 1
        or {"E", "N"} <= {index.axis.name for index in node.indices}
    ]
    assert not pairs
    module = load_module(numpy_source(program), "groups")
    for places, groups in DATA.values():
        for scale in (0.0, 30.0):
            tensors = drawn(places, groups, 1 if groups == 1 else 2, scale)
            expected = evaluate(system, tensors)["L"]
            others = {name: tensors[name] for name in ("dst", "y", "w")}
            loss, grads = module.value_and_grad({"s": tensors["s"]}, **others)
            np.testing.assert_allclose(loss, expected, rtol=1e-12, atol=1e-14)
            step = 1e-6
            for place in np.ndindex(tensors["s"].shape):
                moved = np.zeros_like(tensors["s"])
                moved[place] = step
                above, below = (module.loss({"s": tensors["s"] + d * moved}, **others) for d in (1, -1))
                size = max(1.0, abs(above))
                assert abs(grads["s"][place] - (above - below) / (2 * step)) < 1e-7 * size


@pytest.mark.parametrize(
    "term",
    [
        "sum(l, where(dst[l] == dst[e], exp(s[l,h]*s[e,h]), 0))",
        "sum(l, where(dst[l] <= dst[e], exp(s[l,h]), 0))",
        "sum(l, exp(s[l,h]*w[dst[e]]))",
    ],
)
def test_what_depends_on_both_places_stays(term: str) -> None:
    system = parse_system(f"{HEAD}z[e,h] = {term}\nloss L = sum(e, h, z[e,h])\n", "groups")
    names = {line.name for line in statements_in(lower(derive(system, ["s"])).statements)}
    assert "z_sum" not in names


@pytest.mark.parametrize(("places", "groups"), DATA.values(), ids=list(DATA))
@pytest.mark.parametrize("least", ["-9", "9"])
def test_an_extremum_at_its_place_is_that_of_the_mask(places: list[int], groups: int, least: str) -> None:
    """Where all rows have one place, what stands behind the mask is not compared with."""
    model = f"""
M[n,h] = max(l, where(dst[l] == n, s[l,h], {least}))
m[n,h] = min(l, where(dst[l] == n and y[l,h] > 0, s[l,h], {least}))
u[n,h] = M[n,h] - 2*m[n,h]*w[n]
loss L = sum(n, h, u[n,h])
"""
    system = parse_system(HEAD + model, "extrema")
    program = lower(derive(system, ["s"]))
    source = numpy_source(program)
    assert "scatter_extremum(np.maximum, dst, s, " in source
    tensors = drawn(places, groups, 3, 0.0)
    tensors["s"][0, 1] = np.nan
    module = load_module(source, "extrema")
    found = module.forward({"s": tensors["s"]}, tensors["dst"], tensors["y"], tensors["w"])
    expected = evaluate(system, tensors)["u"]
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(interpret(program, tensors)["u"], expected)


@pytest.mark.parametrize(("places", "groups"), DATA.values(), ids=list(DATA))
@pytest.mark.parametrize("least", ["-9", "0", "9"])
def test_the_place_of_an_extremum_is_the_first(places: list[int], groups: int, least: str) -> None:
    """Ties, rows that are less than what stands behind the mask, and what is no number."""
    model = f"M[n,h] = max(l, where(dst[l] == n, s[l,h], {least}))\nloss L = sum(n, h, w[n]*M[n,h]*y[0,h])\n"
    system = parse_system(HEAD + model, "places")
    program = lower(derive(system, ["s"]))
    source = numpy_source(program)
    assert "scatter_argmax(dst, s, " in source
    tensors = drawn(places, groups, 3, 0.0)
    rng = np.random.default_rng(3)
    tensors["s"] = rng.integers(-1, 2, tensors["s"].shape).astype(float)
    tensors["s"][-1, 2] = np.nan
    own = tensors["dst"] == np.arange(groups)[:, None]
    masked = np.where(own, tensors["s"].T[:, None], float(least))
    first = np.argmax(masked, axis=2)  # over h and n
    expected = np.zeros_like(tensors["s"])
    for h, n in np.ndindex(first.shape):
        if tensors["dst"][first[h, n]] == n:
            expected[first[h, n], h] += tensors["w"][n] * tensors["y"][0, h]
    module = load_module(source, "places")
    found = module.grad({"s": tensors["s"]}, tensors["dst"], tensors["y"], tensors["w"])["s"]
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(interpret(program, tensors)[program.gradients["s"]], expected)


PEERS = """
m[e,h] = max(l, where(dst[l] == dst[e], s[l,h], -99))
z[e,h] = exp(s[e,h] - m[e,h])
p[e,h] = z[e,h]/sum(l, where(dst[l] == dst[e], z[l,h], 0))
loss L = sum(h, sum(e, y[e,h]*p[e,h])^2) + sum(n, w[n])
"""


def test_a_group_of_which_a_condition_leaves_no_row() -> None:
    """The slope of a group is 0 where y is: no exponent is left to shift by, and exp(-m[e]) no factor."""
    system = parse_system(HEAD + PEERS, "peers")
    module = load_module(numpy_source(lower(derive(system, ["s"]))), "peers")
    for scale in (0.0, 300.0):
        tensors = drawn([0, 2, 2, 0, 2], 4, 2, scale)
        tensors["y"][[1, 2, 4]] = 0.0
        tensors["y"][:, 1] = 0.0
        others = {name: tensors[name] for name in ("dst", "y", "w")}
        loss, grads = module.value_and_grad({"s": tensors["s"]}, **others)
        np.testing.assert_allclose(loss, evaluate(system, tensors)["L"], rtol=1e-12)
        first, second = tensors["s"][[0, 3], 0]
        share = 1 / (1 + np.exp(second - first))
        (a, b), mean = tensors["y"][[0, 3], 0], tensors["y"][[0, 3], 0] @ [share, 1 - share]
        expected = np.zeros((5, 2))
        expected[[0, 3], 0] = 2 * mean * share * (1 - share) * np.array([a - b, b - a])
        np.testing.assert_allclose(grads["s"], expected, rtol=1e-11, atol=1e-14)
