"""max(i, a) is a reduction over i, and refused where a does not depend on i; what is printed reads back."""

from __future__ import annotations

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.errors import NotationError

HEAD = "index r, c : R\nindex t : T = 3\nparam x[r,c], v[r]\n"


def loss_of(value: str) -> str:
    return f"{HEAD}y[r,c] = x[r,c]^3*({value})\nloss E = sum(r, c, y[r,c])\n"


@pytest.mark.parametrize("name", ["max", "min"])
@pytest.mark.parametrize("body", ["2", "c", "v[c]", "size(t) - 1", "c + 1", "abs(x[c,c])"])
def test_who_means_two_values_is_told_how_to_write_it(name: str, body: str) -> None:
    with pytest.raises(NotationError, match="does not depend") as refused:
        sb.loads(loss_of(f"{name}(r, {body})"))
    remedy = str(refused.value).partition("remedy: write ")[2].partition(" for two values")[0]
    assert sb.loads(loss_of(remedy)).derive()


@pytest.mark.parametrize(
    "value", ["max(r, v[r])", "max(r, r - c)", "min(c, x[r,c])", "max(r, c, 2 + v[c])", "max(t, v[c])"]
)
def test_a_body_with_the_index_is_reduced(value: str) -> None:
    assert sb.loads(loss_of(value)).check().ok


def test_a_function_of_what_depends_on_its_index() -> None:
    text = HEAD + "func top(k, u) = max(k, u)\nloss E = sum(r, top(c, x[r,c])*v[r])\n"
    assert sb.loads(text).check().ok


@pytest.mark.parametrize(
    "value", ["max(r + 0, c)", "max(0 + r, 1)", "max(2, r)", "min(r + 0, v[c])", "max(v[c], r)"]
)
def test_what_is_printed_of_a_gradient_reads_back(value: str) -> None:
    derivation = sb.loads(loss_of(value)).derive()
    again = sb.loads(derivation.as_system("loss H = sum(r, c, grad_x[r,c]*(1 + r))").text())
    rng = np.random.default_rng(3)
    x, v = rng.normal(size=(4, 4)), np.array([0.4, 2.0, 1.0, -3.0])
    first = derivation.module(verify=False)
    given = {name: {"x": x, "v": v}[name] for name in first.PARAMETERS}
    _, gradients = first.value_and_grad(given)
    second = again.derive().module(verify=False)
    given = {name: {"x": x, "v": v}[name] for name in second.PARAMETERS}
    expected = np.sum(gradients["x"] * (1 + np.arange(4))[:, None])
    np.testing.assert_allclose(second.loss(given), expected, rtol=1e-12)
