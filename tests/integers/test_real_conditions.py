"""What compares real numbers says nothing of a position, and is not looked at to prove one."""

from __future__ import annotations

import pytest

from symbackprop.integers import bounds
from symbackprop.integers.bounds import unproved_bounds
from symbackprop.language.model import parse_expression, parse_system
from symbackprop.notation.expressions import Expression

SYSTEM = parse_system(
    "index i : N\nindex k : K\ninput w[i], z[i]\ninput ids[i] in K\nparam c\nloss E = sum(i, w[i]*z[i]*c)\n"
)
AXIS = next(axis for axis in SYSTEM.axes if axis.name == "N")


def read(text: str) -> Expression:
    return parse_expression(text, SYSTEM)


@pytest.mark.parametrize(
    ("position", "conditions", "unproved"),
    [
        ("i - 1", ("exp(w[i])*z[i] - exp(c) != 0", "i > 0"), 0),
        ("i - 1", ("exp(w[i])*z[i] != 0", "sqrt(c) > w[i]/3"), 1),
        ("i + 1", ("i + 1 < size(i) and exp(c) > 2",), 0),
        ("i + 1", ("exp(c)*i + 1 < size(i)",), 1),
        ("floor(sqrt(w[i]))", ("0 <= floor(sqrt(w[i]))", "floor(sqrt(w[i])) < size(i)", "exp(c) > 1"), 0),
        ("ids[i] + i - ids[i]", ("exp(ids[i]) > 1",), 0),
    ],
)
def test_what_follows(position: str, conditions: tuple[str, ...], unproved: int) -> None:
    assert len(unproved_bounds(read(position), AXIS, tuple(map(read, conditions)))) == unproved


def test_real_numbers_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweep in shifted exponentials guards its reads by scales that are not 0, each thousands of nodes."""
    asked: list[Expression] = []

    def proved(position: Expression, axis: object, known: tuple[Expression, ...]) -> tuple[bool, bool]:
        asked.extend(known)
        return True, True

    monkeypatch.setattr(bounds, "_proved_bounds", proved)
    unproved_bounds(read("i - 1"), AXIS, (read("exp(w[i])*exp(c) != 0"), read("i > 0"), read("ids[i] > i")))
    assert asked == [read("i > 0"), read("ids[i] > i")]
