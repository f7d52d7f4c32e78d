"""Functions of functions: the factors of the chain rule as a person writes them, in the typed names."""

from __future__ import annotations

import pytest

from symbackprop.pipeline import loads

HEAD = "func mish2(u) = u*tanh(softplus(u))\nindex i : I\nparam x[i]\ninput w[i]\n"

FORMS = {
    "tanh(tanh(x[i]))": "w[i]*(1 - tanh(tanh(x[i]))^2)*(1 - tanh(x[i])^2)",
    "tanh(softplus(softplus(x[i])))": (
        "w[i]*sigmoid(softplus(x[i]))*sigmoid(x[i])*(1 - tanh(softplus(softplus(x[i])))^2)"
    ),
    "mish2(x[i])": "w[i]*(x[i]*sigmoid(x[i])*(1 - tanh_E[i]^2) + tanh_E[i])",
    "sigmoid(softplus(x[i]))": "w[i]*sigmoid(softplus(x[i]))*sigmoid(x[i])*(1 - sigmoid(softplus(x[i])))",
    "log1p(exp(softplus(x[i])))": "w[i]*sigmoid(softplus(x[i]))*sigmoid(x[i])",
    "log(sigmoid(softplus(x[i])))": "w[i]*sigmoid(x[i])*(1 - sigmoid(softplus(x[i])))",
    "tanh(sigmoid(tanh(x[i])))": (
        "w[i]*sigmoid(tanh(x[i]))*(1 - tanh(sigmoid(tanh(x[i])))^2)*(1 - tanh(x[i])^2)"
        "*(1 - sigmoid(tanh(x[i])))"
    ),
    # Differences that were typed as factors stay two.
    "(x[i] - 1)*(x[i] + 1)": "2*w[i]*x[i]",
    "((x[i] - c)*(x[i] + c))^2/2": "2*w[i]*(x[i] - c)*(x[i] + c)*x[i]",
}


@pytest.mark.parametrize("typed", FORMS)
def test_the_chain_rule_as_a_person_writes_it(typed: str) -> None:
    constant = "input c\n" if "c)" in typed else ""
    derivation = loads(f"{HEAD}{constant}loss E = sum(i, w[i]*{typed})\n").derive()
    assert str(derivation.gradients["x"]) == f"dE/dx[i] = {FORMS[typed]}"
    derivation.replay()
