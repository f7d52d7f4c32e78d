"""A delta that has a name is put in, so that sums over it pick: no array of zeros and ones."""

import numpy as np
import pytest

from symbackprop.emission.loading import load_module
from symbackprop.pipeline import loads

ROWS = "index n : N\nindex k : K\nindex i : D\ninput x[n,i]\ninput d[n] in K\nparam W[i,k]\n"
SOFTMAX = (
    ROWS + "o[n,k] = delta(d[n],k)\nu[n,k] = sum(i, x[n,i]*W[i,k])\ny[n,k] = softmax(k, u[n,k])\n"
    "loss E = -sum(n, k, o[n,k]*log(y[n,k]))/size(n)\n"
)
GRAPH = (
    "index n, s : N\nindex e : M\nindex j : H\ninput dst[e] in N\ninput src[e] in N\nparam h[n,j]\n"
    "A[e,n] = delta(dst[e],n)\nB[e,n] = delta(src[e],n)\n"
    "m[e,j] = sum(n, B[e,n]*h[n,j])\na[n,j] = sum(e, A[e,n]*m[e,j])\nloss E = sum(n, j, a[n,j]^2)\n"
)


def test_softmax_and_cross_entropy_with_a_named_one_hot_target() -> None:
    derived = loads(SOFTMAX).derive()
    assert "dE/dW[i,k] = sum(n, (y[n,k] - o[n,k])*x[n,i])/size(n)" in derived.result_text()
    source = derived.to_numpy()
    assert "u[np.arange(N), d]" in source
    assert sum(derived.replay().values()) > 0


def test_edges_of_a_graph_are_looked_up_and_added_up() -> None:
    source = loads(GRAPH).derive().to_numpy()
    assert "h[src]" in source
    assert source.count("scatter_add(dst, ") == source.count("scatter_add(src, ") == 1
    assert "np.arange" not in source.split("def _forward")[1]


@pytest.mark.parametrize("n", [3, 1])
def test_values(n: int) -> None:
    named = load_module(loads(SOFTMAX).derive().to_numpy(), "named")
    typed = SOFTMAX.replace("o[n,k] = delta(d[n],k)\n", "").replace(
        "sum(n, k, o[n,k]*log(y[n,k]))", "sum(n, log(y[n,d[n]]))"
    )
    picked = load_module(loads(typed).derive().to_numpy(), "picked")
    rng = np.random.default_rng(n)
    arrays = {"W": rng.normal(size=(2, 4))}, rng.normal(size=(n, 2)), rng.integers(0, 4, n)
    (loss, grads), (wanted, expected) = named.value_and_grad(*arrays), picked.value_and_grad(*arrays)
    assert loss == pytest.approx(wanted)
    np.testing.assert_allclose(grads["W"], expected["W"])


def test_a_delta_that_is_differentiated_by_keeps_its_name() -> None:
    """Near miss: its gradient is that of a nudge, and not 0."""
    assert "dE/do[n,k] = -log(y[n,k])/size(n)" in loads(SOFTMAX).derive(wrt=["o"]).result_text()
