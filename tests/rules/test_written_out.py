"""Functions that a model writes out in pieces are seen through before it is differentiated."""

from __future__ import annotations

import pytest

from symbackprop.lesson.rulebook.examples import parsed, place_of_use
from symbackprop.pipeline import loads
from symbackprop.rewriting.measure_context import MeasureContext
from symbackprop.rewriting.rule import Rule
from symbackprop.rules.written_out import WRITTEN_OUT_MEASURES, WRITTEN_OUT_RULES
from symbackprop.systems.printing import text

HEAD = "index b : B\nindex k, k2 : K\ntarget d[b]\nparam u[b], v[b], s[b,k]\n"
GRADIENTS = {
    "loss E = mean(b, relu(u[b]) - u[b]*d[b] + log1p(exp(-abs(u[b]))))": "(sigmoid(u[b]) - d[b])/size(b)",
    "l[b] = max(-u[b], 0) + log(1 + exp(-abs(u[b])))\nloss E = sum(b, (1 - d[b])*u[b] + l[b])": (
        "sigmoid(u[b]) - d[b]"
    ),
    "loss E = sum(b, max(u[b], v[b]) + log(1 + exp(-abs(u[b] - v[b]))))": "sigmoid(u[b] - v[b])",
    "loss E = sum(b, d[b]*(abs(u[b]) + log(1 + exp(-2*abs(u[b])))))": "d[b]*tanh(u[b])",
    "loss E = mean(b, log1p(exp(-2*abs(u[b] - d[b]))) + abs(u[b] - d[b]) - log(2))": (
        "tanh(u[b] - d[b])/size(b)"
    ),
    "loss E = sum(b, where(u[b] >= 0, 1/(1 + exp(-u[b])), exp(u[b])/(1 + exp(u[b]))))": (
        "sigmoid(u[b])*(1 - sigmoid(u[b]))"
    ),
}
LOOKUPS = "index e : E\nindex n, m : N\ninput dst[e], src[e] in N\ninput y[n]\nparam v[e], w[n]\n"
# A mask of a lookup is its delta: it adds up at the places, or reads there.
MASKS_OF_LOOKUPS = {
    "o[n] = sum(e, where(dst[e] == n, v[e]^2, 0))": "o[n] = sum(e, delta(dst[e],n)*v[e]^2)",
    "o[n] = sum(e, where(n == dst[e] and v[e] > 0, log(v[e]), 0)*w[n])": (
        "o[n] = sum(e, delta(dst[e],n)*where(v[e] > 0, log(v[e]), 0)*w[n])"
    ),
    "o[m] = sum(e, where(dst[e] == m, v[e]*sum(n, where(src[e] == n, w[n], 0)), 0))": (
        "o[m] = sum(e, delta(dst[e],m)*v[e]*w[src[e]])"
    ),
}
NOT_OF_LOOKUPS = (
    "o[n] = sum(e, where(dst[e] != n, v[e], 0))",
    "o[n] = sum(e, where(dst[e] == n or e == 0, v[e], 0))",
    "o[n] = sum(e, where(dst[e] == n, v[e], 1))",
    "o[n] = sum(e, where(v[e] == n, v[e], 0))",  # a real number is no place
    "o[n] = sum(e, where(src[e] == dst[e], v[e], 0)*w[n])",
    "o[n] = sum(m, where(dst[0] == n, w[m], 0))",  # not scattered: a mask of one place
    "o[n] = where(n > 0, w[n]*o[n-1] + sum(e, where(dst[e] == n, v[e], 0)), 1)",  # step by step
)
NEAR_MISSES = (
    "loss E = sum(b, max(u[b], 0) + log(1 + exp(-abs(v[b]))))",
    "loss E = sum(b, abs(u[b]) + log(1 + exp(-abs(u[b]))))",
    "loss E = sum(b, abs(u[b]) + 2*log(1 + exp(-2*abs(u[b]))))",
    "loss E = sum(b, max(u[b], 0) + 2*log(1 + exp(-abs(u[b]))))",
    "loss E = sum(b, where(u[b] >= 0, 1/(1 + exp(-u[b])), exp(-u[b])/(1 + exp(u[b]))))",
)


@pytest.mark.parametrize("rule", WRITTEN_OUT_RULES, ids=lambda rule: rule.name)
def test_rule(rule: Rule) -> None:
    used = place_of_use(rule, parsed(rule.example))
    assert used is not None
    ranks = [[each.of(side, MeasureContext()) for each in WRITTEN_OUT_MEASURES.values()] for side in used]
    fallen = [name for name, *both in zip(WRITTEN_OUT_MEASURES, *ranks, strict=True) if both[0] != both[1]]
    assert fallen[0] == rule.decreases
    assert ranks[1] < ranks[0]
    assert place_of_use(rule, parsed(rule.near_miss)) is None


@pytest.mark.parametrize("loss", GRADIENTS)
def test_the_gradient_is_that_of_the_function(loss: str) -> None:
    derivation = loads(HEAD + loss + "\n").derive(["u"])
    assert text(derivation.derivation.gradients["u"].expression) == GRADIENTS[loss]
    assert len(derivation.derivation.expansion.restated) == 1
    derivation.replay()
    derivation.module()  # held against the model as typed


@pytest.mark.parametrize("stated", MASKS_OF_LOOKUPS)
def test_a_mask_of_a_lookup_is_its_delta(stated: str) -> None:
    derivation = loads(f"{LOOKUPS}{stated}\nloss E = sum(n, (o[n] - y[n])^2)\n").derive(["v", "w"])
    seen, typed = (
        loads(f"{LOOKUPS}{each}\nloss E = sum(n, (o[n] - y[n])^2)\n").derive(["v", "w"]).derivation
        for each in (stated, MASKS_OF_LOOKUPS[stated])
    )
    assert [text(each.expression) for each in seen.gradients.values()] == [
        text(each.expression) for each in typed.gradients.values()
    ]
    derivation.replay()
    derivation.module()  # held against the model as typed


@pytest.mark.parametrize("stated", NOT_OF_LOOKUPS)
def test_another_mask_stays_one(stated: str) -> None:
    derivation = loads(f"{LOOKUPS}{stated}\nloss E = sum(n, (o[n] - y[n])^2)\n").derive(["v", "w"])
    assert derivation.derivation.expansion.restated == ()


@pytest.mark.parametrize("loss", NEAR_MISSES)
def test_a_near_miss_is_differentiated_as_it_stands(loss: str) -> None:
    derivation = loads(HEAD + loss + "\n").derive(["u"])
    assert derivation.derivation.expansion.restated == ()
