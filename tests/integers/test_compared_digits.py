"""Comparisons of a number in digits with a multiple of their unit: h*size(e) + e < size(e)*g is h < g."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.integers.mixed_radix import compared_by_radix
from symbackprop.language.model import parse_system
from symbackprop.notation.expressions import ONE, ZERO, Comparison, Expression, Where
from symbackprop.semantics.naive import NaiveEvaluator
from symbackprop.systems.printing import text
from tests.models.whole_language.judge import judged

HEAD = "index h, g : H\nindex e, f : E\n"


def found(condition: str, radix: str) -> tuple[Comparison, Expression | None]:
    system = parse_system(f"{HEAD}y[h,g,e,f] = where({condition}, 1, 0)*({radix})")
    indicator, unit = system.equations[0].expression.children
    compared = indicator.children[0]
    assert isinstance(compared, Comparison)
    return compared, compared_by_radix(compared, unit)


@pytest.mark.parametrize(
    ("condition", "result"),
    [
        ("h*size(e) + e < size(e)*size(h) - size(e)", "h < size(h) - 1"),
        ("h*size(e) + e >= size(e)*g", "h - g >= 0"),
        ("h*size(e) + e <= size(e)*g - 1", "h - g < 0"),
        ("size(e)*g > h*size(e) + e", "h - g < 0"),
        ("h*size(e) + e > 2*size(e) - 1", "h >= 2"),
    ],
)
def test_the_lowest_digit_decides_nothing(condition: str, result: str) -> None:
    before, after = found(condition, "size(e)")
    assert after is not None
    expected = parse_system(f"{HEAD}y[h,g] = where({result}, 1, 0)").equations[0].expression.children[0]
    free = sorted(before.free_indices | after.free_indices, key=lambda index: index.name)
    for sizes in itertools.product((1, 3, 4), (1, 2, 5)):
        evaluator = NaiveEvaluator({}, dict(zip(("H", "E"), sizes, strict=True)))
        sides = (Where(each, ONE, ZERO) for each in (before, after, expected))
        arrays = [evaluator.array(each, tuple(free)) for each in sides]
        assert all(np.array_equal(arrays[0], each) for each in arrays), (text(after), sizes)


@pytest.mark.parametrize(
    ("condition", "radix"),
    [
        ("h*size(e) + e < size(e)*g + 1", "size(e)"),  # no multiple
        ("h*size(e) + e + f < size(e)*g", "size(e)"),  # more than one digit
        ("h*size(e) + e == size(e)*g", "size(e)"),
        ("h*size(e) - e < size(e)*g", "size(e)"),  # below 0
        ("e < f", "size(e)"),
        ("h*size(e)/2 + e < size(e)*g", "size(e)"),
    ],
)
def test_the_lowest_digit_decides(condition: str, radix: str) -> None:
    assert found(condition, radix)[1] is None


def test_the_next_chunk_is_read_without_a_mask() -> None:
    model = (
        "index c : C\nindex l : L\nindex t : T = C*L\nparam k[t], w[c]\n"
        "S[c] = where(c == 0, 0, w[c]*S[c-1] + sum(l, k[(c-1)*size(l)+l]^2))\nloss E = sum(c, S[c]^2)\n"
    )
    assert "np.where" not in sb.loads(model).derive().to_numpy(verify=False)
    verdict = judged(f"{model}# data C=3 L=2 T=6 seed=3 kind=normal\n# data C=1 L=3 T=3 seed=4 kind=normal")
    assert verdict.outcome == "right", verdict
