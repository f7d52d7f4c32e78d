"""Positions that real numbers decide are computed once, as integers: by the values, and by the gradients."""

from __future__ import annotations

import pytest

from symbackprop.derivation.driver import derive
from symbackprop.language.model import parse_system
from symbackprop.lowering.programs import lower
from tests.models.whole_language.judge import judged
from tests.programs import numpy_source

HEAD = "index n : N\nindex g : G = 7\nindex d : D\nparam v[n], w[g,d], u[n,g]\n"
DATA = "\n# data N=4 G=7 D=2 seed=3 kind=normal\n# data N=1 G=7 D=1 seed=4 kind=normal\n"
CELL = "clip(floor(3*v[n]), 0, size(g) - 2)"
MODELS = {
    "a cell and the next": (
        f"loss E = sum(n, d, (w[{CELL},d]*(1 - v[n]) + w[{CELL} + 1,d]*v[n])^2)",
        {"np.floor(": 1},
    ),
    "the place of a maximum": (
        "b[n] = argmax(g, u[n,g])\nloss E = sum(n, d, w[b[n],d]^2*v[n]) + sum(n, u[n,b[n]]^2)",
        {"np.argmax(": 1},
    ),
    "multiples": (
        "loss E = sum(n, d, w[mod(2*floor(5*v[n]), size(g)),d]^2*v[n])",
        {"np.floor(": 1},
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_each_is_computed_once(name: str) -> None:
    model, counts = MODELS[name]
    source, _, _ = numpy_source(lower(derive(parse_system(f"{HEAD}{model}\n")))).partition("def _checked")
    statements = "\n".join(line for line in source.splitlines() if not line.lstrip().startswith("#"))
    body = statements[statements.index("def _forward") :]
    assert {word: body.count(word) for word in counts} == counts
    verdict = judged(f"{HEAD}{model}{DATA}")
    assert verdict.outcome == "right", f"{verdict.kind}\n{verdict.detail}"


@pytest.mark.parametrize(
    "model",
    [
        # A guard keeps the root from what is negative: nothing is computed in front of it.
        "loss E = sum(n, where(v[n] > 0, "
        "w[clip(floor(sqrt(v[n])), 0, 6),0]*w[clip(floor(sqrt(v[n])), 0, 6),1], 0))",
        "h[n] = where(n == 0, v[0], w[clip(floor(h[n-1]), 0, 6),0] + w[clip(floor(h[n-1]), 0, 6),1])\n"
        "loss E = sum(n, h[n]^2)",
    ],
)
def test_what_is_guarded_or_recurs_stays(model: str) -> None:
    source = numpy_source(lower(derive(parse_system(f"{HEAD.replace('D', 'D = 2')}{model}\n"))))
    assert "_place" not in source
