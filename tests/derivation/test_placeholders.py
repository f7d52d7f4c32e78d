"""No name that the algebra makes up for itself leaves the derivation."""

from __future__ import annotations

import itertools
import json
import re

import pytest

from symbackprop.derivation import driver as closed_form
from symbackprop.derivation.inlining import inline_adjoints
from symbackprop.derivation.result import Derivation
from symbackprop.errors import RewritingError
from symbackprop.notation.expressions import Element, Expression, Index, Reduction
from symbackprop.notation.placeholders import placeholder_in
from symbackprop.pipeline import Model, ModelDerivation, loads
from tests.models.classics import NAMES, load_classic

PLACEHOLDER = re.compile(r"[#@?]\w")  # a text's own comments have a space there
OUTER = ("sigmoid", "softplus", "gelu", "silu", "tanh", "exp", "log1p", "expm1")
INNER = (
    "mean(t, p[b,t])", "sum(t, p[0,t])", "gelu(mean(t, p[b,t]))", "exp(sum(t, p[b,t]^2))",
    "max(t, p[b,t])", "prod(t, p[b,t])", "sum(t, W[t,s])*mean(t, W[t,t])",
)  # fmt: skip
DECLARED = "index b : B\nindex t, s : T\nparam p[b,t], W[t,s]\nloss E = sum(b, s, "


def assert_clean(derivation: ModelDerivation) -> None:
    texts = {
        "text": derivation.text(),
        "latex": derivation.latex(standalone=False),
        "json": json.dumps(json.loads(derivation.json())),
        "result": derivation.result_text(),
        "formulas": "\n".join(derivation.module().FORMULAS.values()),
        "comments": "\n".join(re.findall(r"^ +# (.*)$", derivation.to_numpy(), re.MULTILINE)),
    }
    for name, text in texts.items():
        assert not PLACEHOLDER.search(text), (name, text)


# Each inside another once, and a few more pairs
PAIRS = [
    *zip(OUTER, itertools.cycle(INNER), strict=False),
    *zip(("softplus", "sigmoid", "expm1"), INNER[1:], strict=False),
]


@pytest.mark.parametrize(("outer", "inner"), PAIRS)
def test_functions_of_reductions(outer: str, inner: str) -> None:
    assert_clean(loads(f"{DECLARED}{outer}({inner}))").derive())


HOSTILE = (
    # deltas of numbers, and of an index that a sum takes to a number
    "delta(1,0)*p[b,s] + delta(2,2)*p[b,s]^2 + sum(t, delta(t,0)*softplus(p[b,t]))",
    # a sum as the base of a power whose exponent is an index, beside one of the same shape over another axis
    "sum(t, exp(p[b,t]))^s/(1 + sum(a, exp(p[a,s]))^s)",
    # shorthands within one another
    "logsumexp(t, p[b,t] - mean(r, softmax(r, W[t,r])))*norm(t, W[t,s])",
    # the place of a maximum as a position, and a choice by a sum
    "where(sum(t, p[b,t]) > p[b,s], W[argmax(t, p[b,t]),s]^2, delta(argmax(t, W[t,s]),s)*p[b,s])",
)


@pytest.mark.parametrize("body", HOSTILE)
def test_hostile_models(body: str) -> None:
    assert_clean(loads(f"index a : B\nindex r : T\n{DECLARED}{body})").derive())


@pytest.mark.parametrize("name", NAMES[::7])
def test_the_classics(name: str) -> None:
    classic = load_classic(name)
    assert_clean(ModelDerivation(closed_form.derive(classic.system, classic.wrt), Model(classic.system)))


def test_a_placeholder_is_found_wherever_it_stands() -> None:
    b = loads(DECLARED + "p[b,s])").system.tensors["p"].indices[0]
    bound = Index("#0", b.axis)
    for expression in (Element("?0"), Element("x", (bound,)), Reduction("sum", (bound,), Element("x", (b,)))):
        assert placeholder_in([Element("y"), expression]) is not None
    assert placeholder_in([Reduction("sum", (b,), Element("x", (b,)))]) is None


def test_a_placeholder_that_is_left_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def spoiled(*arguments: object) -> object:
        adjoints = inline_adjoints(*arguments)  # type: ignore[arg-type]
        last = adjoints[-1]
        expression: Expression = Element("?0")
        object.__setattr__(last.equation, "expression", expression)
        return adjoints

    monkeypatch.setattr(closed_form, "inline_adjoints", spoiled)
    with pytest.raises(RewritingError, match=r"the placeholder of '\?0' has been left"):
        loads(DECLARED + "p[b,s])").derive()


def test_a_bound_index_is_no_instance_of_a_free_one() -> None:
    """sum(j, W[j,j]^3) is not u[j] of u[i] = sum(j, W[j,i]^3)."""
    derivation: Derivation = (
        loads(
            "index j, i : J\nparam W[j,i]\nu[i] = sum(j, W[j,i]^3)\n"
            "loss E = sum(i, u[i]^2) + sum(j, W[j,j]^3)/(1 + sum(j, W[j,j]^3)^2)"
        )
        .derive()
        .derivation
    )
    assert all("u[j" not in str(each.expression) for each in derivation.equations)
    assert placeholder_in([each.expression for each in derivation.equations]) is None
