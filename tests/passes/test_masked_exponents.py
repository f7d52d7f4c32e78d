"""A masked softmax masks its exponents once, and gives the same numbers to the bit."""

import numpy as np
import pytest

from symbackprop.emission.loading import load_module
from symbackprop.pipeline import loads

ROWS = "index n : N\nindex k : K\ninput x[n,k], m[n,k]\nparam p[k]\n"
LOSS = "loss E = sum(n, k, y[n,k]^2*p[k])\n"
STATED = ROWS + "X[n,k] = where(m[n,k] > 0, exp(x[n,k]), 0)\ny[n,k] = X[n,k]/sum(k, X[n,k])\n" + LOSS
FORMS = {
    "values": STATED,
    "a mask of positions": STATED.replace("m[n,k] > 0", "k <= n"),
    "another order": STATED.replace("y[n,k]", "y[k,n]").replace("X[n,k]", "X[k,n]"),
}


@pytest.mark.parametrize("form", FORMS)
def test_forms(form: str) -> None:
    source = loads(FORMS[form]).derive(wrt=["x"]).to_numpy()  # which is held against the equations
    forward = source[source.index("def _forward") : source.index("def _loss")]
    assert forward.count("np.where(") == forward.count("-np.inf)") == 1


def test_a_row_that_is_masked_whole_has_no_exponentials() -> None:
    text = STATED.replace("= X[n,k]/sum(k, X[n,k])", "= X[n,k]/(exp(-5) + sum(k, X[n,k]))")
    module = load_module(loads(text).derive(wrt=["x"]).to_numpy(), "rows")
    x = np.array([[1.0, 7.0, 2.0], [-3, 0.0, np.nan]])
    m = np.array([[-1.0, -1, -1], [1, -1, -1]])
    y = module.forward({"p": np.ones(3)}, x, m)
    expected = np.exp(-3) / (np.exp(-5) + np.exp(-3))
    np.testing.assert_allclose(y, [[0, 0, 0], [expected, 0, 0]])


def test_another_mask_in_the_maximum_is_another_value() -> None:
    """Near miss: the maximum is one that the model states, of other exponents."""
    largest = "max(k, where(m[n,k] > 1, x[n,k], -1e30))"
    text = f"{ROWS}y[n,k] = where(m[n,k] > 0, exp(x[n,k] - {largest}), 0)\n{LOSS}"
    assert "_or_lowest" not in loads(text).derive(wrt=["x"]).to_numpy(verify=False)


def test_a_maximum_with_a_name_stays() -> None:
    """Near miss: it is read elsewhere as well."""
    text = STATED.replace("exp(x[n,k])", "exp(3*x[n,k]^2*p[k])")
    assert "_or_lowest" not in loads(text).derive(wrt=["x"]).to_numpy()
