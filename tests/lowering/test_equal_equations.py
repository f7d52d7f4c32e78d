"""Equations that are equal but for names are lowered once, and every program is as if each had been."""

import pytest

from symbackprop.array.program import statements_in
from symbackprop.derivation.driver import derive
from symbackprop.language.model import parse_system
from symbackprop.lowering.programs import lower
from symbackprop.lowering.stepping import EquationLowering
from symbackprop.schedule.driver import schedule_of
from symbackprop.targets.numpy.module import numpy_module
from tests.memoization.test_recall import MODELS, layers

POOLED = (
    layers(
        "x@[b,i] = max(k, pad(x<[b,i + k]) + w@[k])",
        count=3,
        declared="index k : K = 2\nparam w@[k]",
    )
    .replace("index k : K = 2\nparam w2", "param w2")
    .replace("index k : K = 2\nparam w3", "param w3")
)


def attending(count: int) -> str:
    """Layers with a masked softmax."""
    return layers(
        "s@[b,i] = sum(j, Q@[i,j]*x<[b,j])",
        "e@[b,i] = where(i >= 1, exp(s@[b,i]), 0)",
        "a@[b,i] = e@[b,i]/sum(j, e@[b,j])",
        "x@[b,i] = x<[b,i] + a@[b,i]*w@[i]",
        count=count,
        declared="param Q@[i,j], w@[i]",
    )


PICKED = (
    "index n : N\nindex i : I\ninput ids[n] in I\ninput other[n] in I\ninput by[n]\nparam w[i], v[i]\n"
    "a[n] = w[ids[n]]\nc[n] = v[other[n]]\nu[n] = a[n]*by[n]\nt[n] = by[n]*c[n]\n"
    "p[i] = exp(w[i])\nq[i] = 1/p[i]\nr[i] = 1/w[i]\n"
    "loss E = sum(n, u[n]*t[n]) + sum(i, where(q[i] > 1, q[i]*r[i], 0))"
)
TEXTS = {
    "dense": MODELS["dense"],
    "facts": MODELS["facts"],
    "pooled": POOLED,
    "attending": attending(11),
    "picked": PICKED,
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_program_is_as_if_each_equation_had_been_lowered(text: str) -> None:
    derivation = derive(parse_system(text))
    schedule = schedule_of(derivation)
    fast = [lower(derivation, schedule, bands=True, each_by_itself=alone) for alone in (False, True)]
    assert fast[0] == fast[1]
    found = lower(derivation, schedule)
    alone = lower(derivation, schedule, each_by_itself=True)
    assert found == alone
    assert [each.origin for each in statements_in(found.statements)] == [
        each.origin for each in statements_in(alone.statements)
    ]
    assert numpy_module(found).text() == numpy_module(alone).text()


def lowered(text: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tensors whose equations are lowered by themselves."""
    found: list[str] = []
    lines = EquationLowering.lines

    def noted(lowering, item, *arguments):  # type: ignore[no-untyped-def]
        found.append(item.equation.tensor)
        return lines(lowering, item, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(EquationLowering, "lines", noted)
        lower(derive(parse_system(text)))
    return found


def test_equal_layers_cost_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    three, six = (lowered(attending(count), monkeypatch) for count in (3, 6))
    assert len(six) == len(three)


@pytest.mark.parametrize(
    "second",
    [
        "v = w[i]*x[i]",
        "v = x[i]*w[i] + c",
        "v = x[i]*a[i]",
    ],
)
def test_what_is_not_equal_is_lowered_by_itself(second: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "index i : I\nparam w[i], x[i], a[i], c\nu[i] = x[i]*w[i]\n" + second.replace("v", "v[i]")
    found = lowered(text + "\nloss E = sum(i, u[i]*v[i])", monkeypatch)
    assert {"u", "v"} <= set(found)
