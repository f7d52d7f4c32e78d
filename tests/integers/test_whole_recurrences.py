"""Recurrences of whole numbers: what is shown to stay inside an axis by induction, and what is not."""

from __future__ import annotations

import pytest

from symbackprop.errors import NotationError
from symbackprop.integers.whole_definitions import WholeDefinition
from symbackprop.integers.whole_recurrences import stays_inside
from symbackprop.language.model import parse_system

HEAD = (
    "index t : T\nindex u : U = T + 1\nindex k, k' : K\n"
    "input y[t] in K\ninput n[k,k'] in K\ninput x[t]\nconst r[t]\n"
)

# A recurrence, and the axes of which all its values are places.
CASES = [
    ("c[t] = where(t == 0, 0, c[t-1] + where(x[t] > 0, 1, 0))", "TU"),
    ("c[t] = where(t == 0, 1, c[t-1] + where(x[t] > 0, 1, 0))", "U"),
    ("c[t] = where(t == 0, 0, c[t-1] + 2)", ""),
    ("c[t] = where(t == 0, 0, c[t-1] - 1)", ""),
    ("c[t] = where(t == 0, 0, c[t-1] + where(x[t] > 0, 1, 0)) + 1", ""),
    ("c[t] = where(t == 0, 0, where(x[t] > 0, t, c[t-1]))", "TU"),
    ("c[t] = where(t == 0, 0, where(x[t] > 0, t + 1, c[t-1]))", "U"),
    ("c[t] = where(t == size(t) - 1, 0, c[t+1] + where(x[t] > 0, 1, 0))", "TU"),
    ("c[t] = where(t == size(t) - 1, 1, c[t+1] + where(x[t] > 0, 1, 0))", "U"),
    ("c[t] = where(t == 0, size(t) - 1, c[t-1] - where(x[t] > 0, 1, 0))", "TU"),
    ("c[t] = where(t == 0, size(t) - 2, c[t-1] - where(x[t] > 0, 1, 0))", ""),
    ("c[t] = where(t == 0, 0, n[c[t-1],y[t]])", "K"),
    ("c[t] = where(t == 0, y[0], mod(c[t-1] + y[t], size(k)))", "K"),
    ("c[t] = where(t == 0, 0, min(c[t-1] + 3, size(k) - 1))", "K"),
    ("c[t] = where(t == 0, 0, min(c[t-1] + 3, size(k)))", ""),
    ("c[t] = where(t == 0, 0, where(c[t-1] + 1 < size(k), c[t-1] + 1, 0))", "TUK"),
    ("c[t] = where(t == 0, 0, c[t-1] + delta(y[t], 0))", "TU"),
    ("c[t] = where(t == 0, y[0], floor((c[t-1] + y[t])/2))", "K"),
    ("c[t] = where(t == 0, 0, c[t-1]/2)", ""),
    # At the first step nothing is read, and what is said of it rules out nothing.
    ("c[t] = where(t == 0 or c[t-1] < 0, t + 5, c[t-1])", ""),
    ("c[t] = where(t > 0 and c[t-1] >= 0, c[t-1], t + 5)", ""),
    ("c[t] = where(t == 0, 0, c[t-1] + r[t])", ""),
]


def _definition(stated: str) -> WholeDefinition:
    equation = parse_system(f"{HEAD}{stated}\nloss E = sum(t, r[t]*c[t])\n").definitions["c"]
    return WholeDefinition("c", equation.indices, equation.expression)


@pytest.mark.parametrize(("stated", "axes"), CASES)
def test_which_axes_hold_all_values(stated: str, axes: str) -> None:
    system = parse_system(f"{HEAD}{stated}\nloss E = sum(t, r[t]*c[t])\n")
    known = {name: axis for name, axis in system.integers.items() if name != "c"}
    definition = _definition(stated)
    found = [axis.name for axis in system.axes if stays_inside(definition, {**known, "c": axis})]
    assert found == list(axes)


@pytest.mark.parametrize(
    ("position", "inside"),
    [
        ("t - c[t]", True),
        ("size(t) - 1 - c[t]", True),
        ("c[t] + 1", False),
        ("where(t > 0, t - c[t-1], 0)", True),
        ("where(t > 0, t - 1 - c[t-1], 0)", True),
        # The first step reads nothing, so that nothing said of what it would read rules it out.
        ("where(t > 0, c[t-1], 99)", False),
        ("where(t == 0 or c[t-1] > 3, t + 5, 0)", False),
        ("where(t > 0 and c[t-1] > 3, 0, t + 5)", False),
    ],
)
def test_what_a_counter_keeps_guards_what_is_read(position: str, inside: bool) -> None:
    counter = "c[t] = where(t == 0, 0, c[t-1] + where(x[t] > 0, 1, 0))"
    text = f"{HEAD}param w[t]\n{counter}\nloss E = sum(t, r[t]*w[c[t]]*w[{position}])\n"
    if inside:
        assert parse_system(text).places.keys() == {"c"}
    else:
        with pytest.raises(NotationError, match="outside axis T"):
            parse_system(text)
