"""What has no value where a bound acts is seen: 0/0 at v = 0 under max(v, c), which no random number hits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from symbackprop.derivation.driver import derive
from symbackprop.language.model import parse_system
from symbackprop.lowering.programs import lower
from symbackprop.sampling.drawing import Drawing
from symbackprop.sampling.draws_at_bounds import draws_at_bounds, has_bounds
from symbackprop.verification.check import check_module
from tests.programs import numpy_source

MODEL = "index n : N\ninput x[n]\nparam v[n]\n{}loss E = sum(n, x[n]*{})"


@pytest.mark.parametrize(
    ("named", "term", "is_bounded"),
    [
        ("", "log(max(v[n], 0.01))", True),
        ("", "sqrt(1 - min(v[n]^2, 0.9))", True),
        ("s[n] = where(v[n] == 0, 1, v[n])\n", "1/s[n]", True),
        ("s = sum(n, abs(v[n]))\nr = s + 1\n", "v[n]/r", True),
        ("", "relu(v[n])", False),
        ("", "log(1 + v[n]^2)*max(v[n], 1)", False),
        ("h[n] = relu(v[n])\n", "h[n]/sum(n', exp(h[n']))", False),
    ],
)
def test_where_bounds_keep_an_argument_in_its_domain(named: str, term: str, is_bounded: bool) -> None:
    system = parse_system(MODEL.format(named, term))
    assert has_bounds(system) == is_bounded
    draws = list(draws_at_bounds(Drawing(system, lambda known, sizes: {})))
    kinds = [(bool(np.any(each.values["x"])), bool(np.any(each.values["v"]))) for each in draws]
    assert kinds == ([(False, False), (True, True), (False, True), (True, False)] if is_bounded else [])


@pytest.mark.parametrize(
    ("term", "edited"),
    [
        ("log(max(v[n], 1/2))", "x*(v >= 0.5)/v"),
        ("1/max(v[n], 1/2)", "-x*(v >= 0.5)/v**2"),
        ("log(clip(v[n], 1/2, 4))", "x*((v >= 0.5) & (v <= 4))/v"),
    ],
)
def test_a_mask_beside_a_divisor_is_refused(tmp_path: Path, term: str, edited: str) -> None:
    model = parse_system(MODEL.format("", term))
    source = numpy_source(lower(derive(model)))
    path = tmp_path / "bounded.py"
    path.write_text(source, encoding="ascii")
    report = check_module(path, model=model)
    assert report.ok, report.rows
    assert '{"v": grad_v}' in source
    path.write_text(source.replace('{"v": grad_v}', f'{{"v": {edited}}}'), encoding="ascii")
    assert not check_module(path, model=model).ok
