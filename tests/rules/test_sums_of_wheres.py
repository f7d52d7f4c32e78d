"""Terms under one condition are one `where`, and the backward of a softmax with a mask inside is one row."""

import pytest

from symbackprop.derivation.driver import derive
from symbackprop.language.model import parse_system
from symbackprop.presentation.branches import opposite_branches
from symbackprop.rules.compared_values import add_wheres
from symbackprop.systems.printing import equation_text, text
from tests.models.judges import judge
from tests.rules.test_boundaries import agree, parsed

MASKED = """
index r : R
index s, u : S
param a[r,s], w[s]
y[r] = sum(s, softmax(s, where({condition}, a[r,s], {filling}))*w[s])
loss L = sum(r, y[r]^3)
"""


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (
            "where(t > 0, f[t,k], 0) + c[t] + 2*where(t > 0, g[t,k], 0)",
            "where(t > 0, f[t,k] + 2*g[t,k], 0) + c[t]",
        ),
        (
            "f[t,k]*where(t > 0, 1, 0) - where(t > 0, c[t]*g[t,k], 0)",
            "where(t > 0, f[t,k] - c[t]*g[t,k], 0)",
        ),
        (
            "where(c[t] > 1/2, 1/c[t], 0) + where(c[t] > 1/2, 1, 0) - 2*f[t,k]*where(c[t] > 1/2, 1, 0)",
            "where(c[t] > 1/2, 1/c[t] + 1 - 2*f[t,k], 0)",
        ),
    ],
)
def test_wheres_of_one_condition_are_added_up(formula: str, expected: str) -> None:
    before = parsed(formula, "[t,k]")
    after = add_wheres(before)
    assert after is not None
    assert text(after) == expected
    assert agree(before, after)


@pytest.mark.parametrize(
    ("formula", "indices"),
    [
        ("where(t > 0, f[t,k], 0) + where(t > 1, g[t,k], 0)", "[t,k]"),
        ("where(t > 0, f[t,k], 0) + where(t > 0, g[t,k], 1)", "[t,k]"),
        ("where(t > 0, delta(t,s), 0) + where(t > 0, f[t,k], 0)", "[t,s,k]"),
        ("delta(t,s)*where(t > 0, 1, 0) + where(t > 0, f[t,k], 0)", "[t,s,k]"),
        ("c[t]*where(t > 0, 1, 0) + f[t,k]*where(t > 0, 1, 0)", "[t,k]"),  # the mask is a factor of both
        ("c[t]*where(t > 0, g[t,k], 0) + where(t > 0, f[t,k], 0)", "[t,k]"),
    ],
)
def test_wheres_that_stay_apart(formula: str, indices: str) -> None:
    assert add_wheres(parsed(formula, indices)) is None


@pytest.mark.parametrize("condition", ["s <= r", "a[r,s] > -1", "s != 1"])
@pytest.mark.parametrize("filling", ["-1e9", "-3", "w[s]"])
def test_a_mask_inside_of_a_softmax_stands_once(condition: str, filling: str) -> None:
    derivation = derive(parse_system(MASKED.format(condition=condition, filling=filling)))
    shown = equation_text(derivation.gradients["a"])
    assert shown.count("where") == 1
    judge(MASKED.format(condition=condition, filling=filling))


def test_what_both_branches_choose_needs_no_condition() -> None:
    before = parsed("where(t < 2, c[t], 0) + where(t >= 2, c[t], 0) - f[t,k]", "[t,k]")
    after = opposite_branches(before)
    assert after is not None
    assert text(after) == "c[t] - f[t,k]"
    assert agree(before, after)
