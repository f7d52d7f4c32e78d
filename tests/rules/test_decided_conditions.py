"""Conditions on sizes beside what runs over the axis: where an index has a value, the axis is not empty."""

from __future__ import annotations

import pytest

from symbackprop.language.model import parse_expression, parse_system
from symbackprop.rules.wheres import decided_condition
from symbackprop.systems.printing import equation_text, text
from tests.models.judges import judge

DECLARED = """
index t, r : T
index s : S = T + 1
index i : I
param a[t], b[s], z[i], c
"""
SYSTEM = parse_system(DECLARED + "loss E = c")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("where(size(t) > 0, a[t], 0)", "a[t]"),
        ("where(size(t) == 0, c, a[t])", "a[t]"),
        ("where(size(t) >= 1 and size(i) > 0, a[t], 0)", "where(size(i) > 0, a[t], 0)"),
        ("where(size(t) > 0 and size(i) > 0, a[t]*z[i], 0)", "a[t]*z[i]"),
        ("where(size(s) > 1 or size(i) > 1, c, b[s])", None),
        ("where(size(t) > 0, c, 0)", None),
        ("where(size(t) > 1, a[t], 0)", None),
        ("where(size(i) > 0, a[t], 0)", None),
        ("where(size(t) > 0, sum(t, a[t]), 0)", None),  # its index is bound
    ],
)
def test_an_axis_whose_index_stands_in_a_branch_has_places(before: str, after: str | None) -> None:
    found = decided_condition(parse_expression(before, SYSTEM))
    assert (None if found is None else text(found)) == after


def test_the_gradient_repeats_no_such_guard() -> None:
    derivation = judge(
        DECLARED + "h[t] = where(size(t) > 0, a[t]*c, 0)\nloss E = sum(t, h[t]^2) + sum(i, z[i])",
        ["a", "c"],
    )
    assert not [each for each in map(equation_text, derivation.equations) if "where" in each]
