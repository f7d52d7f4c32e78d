"""Recurrences of whole numbers: what is shown to stay inside an axis by induction, and what is not."""

from __future__ import annotations

import pytest

from symbackprop.integers.whole_definitions import WholeDefinition
from symbackprop.integers.whole_recurrences import facts_of, stays_inside
from symbackprop.language.model import parse_system
from symbackprop.notation.expressions import Comparison, Element

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


def test_what_a_counter_keeps_is_said_of_what_it_reads() -> None:
    definition = _definition("c[t] = where(t == 0, 0, c[t-1] + where(x[t] > 0, 1, 0))")
    (time,) = definition.indices
    values = {"c": time.axis}
    (number,), facts = facts_of([Element("c", (time,))], {"c": definition}, values)
    assert Comparison("<=", number, time) in facts
    assert facts_of([Element("c", (time,))], {}, values)[1] == ()
