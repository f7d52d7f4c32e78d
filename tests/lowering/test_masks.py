"""Masks and places of maxima keep their axes and their kind, windows in recurrences their order."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from symbackprop.array.checking import checked, checked_equations
from symbackprop.array.ir import Fill, Literal, Read
from symbackprop.array.layout import layout_of
from symbackprop.array.program import Line, Loop, Program, Statement, Store
from symbackprop.array.slices import Allocate
from symbackprop.errors import ProgramError
from symbackprop.language.model import parse_system
from symbackprop.notation.expressions import Comparison, Element, Expression, Number, Reduction
from symbackprop.schedule.kinds import Kind
from symbackprop.schedule.named_equations import NamedEquation, Part
from symbackprop.systems.system import Equation
from tests.array.hand_written import BY_HAND
from tests.array.test_types import a, a2, b, program
from tests.models.holding import hold_together
from tests.programs import lower_system

SMALL = ({"T": 1, "A": 1, "C": 1}, {"T": 2, "A": 3, "C": 2}, {"T": 3, "A": 2, "C": 3})
HEAD = "index t, s : T\nindex a, r : A\nindex c : C\nindex k : K = 2\n"

MODELS = {
    "a mask of the state chooses between parameters": """
param v[c], x[c,t]
h[c,t] = x[c,t] + where(pad(h[c,t+1]) > 0, v[c], 0.1)
loss E = sum(c, t, h[c,t]^2)
""",
    "two masks of two states that read each other": """
param v, x[t,c]
h[t,c] = where(pad(g[t-1,c]) > 0 or x[t,c] > 0.5, v*x[t,c], 0.3)
g[t,c] = where(not (h[t,c] <= 0.2 and pad(g[t-2,c]) < 1), x[t,c], h[t,c]*v)
loss E = sum(t, c, (h[t,c] - g[t,c])^2)
""",
    "a scalar state and a mask of it": """
param v, x[t]
h[t] = where(pad(h[t-1]) > 0, v, 0.5)*x[t]
loss E = sum(t, where(h[t] > 0, h[t], 2)*h[t]) + 0*sum(a, c, a*c)
const z[a,c]
""",
    "a mask of a state over two steps back, kept for the gradient": """
param w[c], x[t,c]
h[t,c] = where(-0.4 < pad(h[t-2,c]) <= 0.8 and t > 0, w[c]*x[t,c], x[t,c])
loss E = sum(t, c, h[t,c]^3)
""",
    "where one where holds another, both with constants": """
param v, x[t,c]
h[t,c] = where(pad(h[t-1,c]) > 0, where(x[t,c] > 0, 2, v), where(c >= 1, v^2, 0.5)) + x[t,c]
loss E = sum(t, c, h[t,c]*x[t,c])
""",
    "the place of a maximum over an index that another factor lacks": """
param m[a,c]
q = max(c, pad(m[1,c+1])/sum(a, c, m[a,c]^2))
loss E = q^2 + 0*sum(t, t)
const z[t]
""",
    "a maximum over an index that its body lacks": """
param m[a], v
q[a] = max(c, max(t, m[a]*v + c))
loss E = sum(a, q[a]^2)
const z[t,c]
""",
    "a window of the state and one of a parameter": """
param w[r], y[a]
const z[c,t]
h[t,a] = sum(r, pad(h[t-1,a-r])*pad(y[a+r])*w[r]) + tanh(pad(h[t-1,a])) + y[a]
loss E = sum(t, a, h[t,a]^2) + 0*sum(c, c)
""",
    "a variable of the step that is the same in every step": """
const z[t,c]
param p[a], y[t,a]
g[t,a] = where(2 <= size(k), 0.3*a, max(k, pad(h[t+1,a-k])))
h[t,a] = max(g[t,a], 1/2)*p[a] + y[t,a]
loss E = sum(t, a, h[t,a]^2)
""",
    "a window alone, stored step by step": """
param w[r], y[t,a]
const z[c]
h[t,a] = y[t,a] + sum(r, w[r]*pad(h[t+1,a+r]))
loss E = sum(t, a, h[t,a]^2)
""",
    "max pooling of the state": """
param y[t,a]
const z[c]
h[t,a] = max(k, pad(h[t-1,a+k]))*y[t,a] + y[t,a]
loss E = sum(t, a, h[t,a]^2)
""",
    "the least of a window of all earlier steps": """
param y[t,a]
const z[c]
h[t,a] = min(k, y[t,a] + sum(s, where(s < t, pad(h[s,a+k])*y[s,a], 0)))
loss E = sum(t, a, h[t,a]^2)
""",
    "a maximum alone, of a window that the step itself would be part of": """
param y[t,a], x[t]
const z[c]
h[t,a] = max(k, sum(s, where(s < t, x[t-s]*pad(h[s,a+k]), y[t,a])))
loss E = sum(t, a, h[t,a]^2)
""",
}
FOLDED = {
    "a mask with a remainder": "where(c >= 1 or mod(a, 2) == 0, p[c], 2)",
    "a mask with a remainder and a quotient": "where(c >= 1 and mod(a, 2) == 0 or floor(a/2) > 0, p[c], 2)",
    "a mask of a value and a remainder": "where(p[c] > 0 or mod(a, 2) == 1, p[c]*a, 2)",
}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_module_interpreter_equations_and_differences_agree(model: str) -> None:
    hold_together(HEAD + model, SMALL)


@pytest.mark.parametrize("value", FOLDED.values(), ids=FOLDED)
@pytest.mark.parametrize("size", [2, 4])
def test_a_mask_over_an_index_that_is_read_in_parts(value: str, size: int) -> None:
    text = f"index a : A = {size}\nindex c : C\nparam p[c]\nv[c,a] = {value}\nloss E = sum(c, a, v[c,a]^2)\n"
    hold_together(text, ({"C": 1}, {"C": 3}))


WINDOW = (
    HEAD
    + """
param w[r], p[a], y[t,a]
g[t,a] = tanh(y[t,a] + pad(h[t-1,a]))
h[t,a] = y[t,a] + sum(r, w[r]*pad(p[a-r])*pad(g[t,a+r]))
"""
)


def stores(lines: tuple[Line, ...]) -> Iterator[Store]:
    for line in lines:
        if isinstance(line, Loop):
            yield from stores(line.body)
        elif isinstance(line, Store):
            yield line


def test_a_mask_that_is_read_after_the_loop_is_an_array_of_conditions() -> None:
    found = hold_together(HEAD + MODELS["a mask of the state chooses between parameters"], SMALL)
    mask = found.by_name["h_mask"].value
    assert isinstance(mask, Allocate)
    assert (mask.kind, [index.name for index in mask.indices]) == (Kind.BOOLEAN, ["c", "t"])


def test_a_window_in_a_recurrence_adds_up_in_place_and_is_lowered_once() -> None:
    found = lower_system(parse_system(WINDOW))
    (loop,) = (line for line in found.statements if isinstance(line, Loop))
    assert [(store.name, store.accumulate) for store in stores(loop.body)] == [("h", False), ("h", True)]


def test_what_no_step_changes_is_computed_before_the_loop() -> None:
    found = lower_system(parse_system(WINDOW))
    (loop,) = (line for line in found.statements if isinstance(line, Loop))
    assert "p_padded" in found.by_name
    assert {line.name for line in loop.body if isinstance(line, Statement)} == {"h_before", "g", "g_padded"}


def named(name: str, indices: tuple, expression: Expression) -> NamedEquation:
    equation = Equation(name, indices, expression)
    item = NamedEquation.of(equation)
    return item if name == "y" else item.temporary(Part.SUBEXPRESSION, equation)


OWN = {"m": (a, b), "v": (b,), "mask": (a, b), "y": (a,)}
POSITIVE = Comparison(">", Element("m", (a, b)), Number(0))


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (named("mask", (a,), POSITIVE), "'mask' lacks indices of its value: b"),
        (named("mask", (a, b, a2), POSITIVE), "'mask' has indices that its value does not depend on"),
        (named("y", (a,), Element("m", (a, b))), "'y' lacks indices of its value: b"),
        (named("mask", (a, b, b), POSITIVE), "'mask' repeats an index"),
        (named("place", (a, b), Reduction("argmax", (b,), Element("m", (a, b)))), "'place' has indices"),
        (named("y", (a,), Element("v", (a, a))), r"'y' reads v\[a,a\] with other axes than it has"),
    ],
)
def test_an_equation_with_other_indices_than_its_value_is_refused(item: NamedEquation, message: str) -> None:
    with pytest.raises(ProgramError, match=message):
        checked_equations([item], OWN)


def test_the_models_own_tensors_may_have_more_indices_than_their_value() -> None:
    items = [named("y", (a,), Number(1)), named("mask", (b, a), POSITIVE)]
    assert checked_equations(items, OWN) == items


@pytest.mark.parametrize(
    ("value", "indices", "message"),
    [
        (Read("v", (b,)), (a,), "'y' has other axes than its equation"),
        (Fill(Literal(0.0), layout_of((a, b))), (b, a), "'y' has other axes than its equation"),
        (Allocate(layout_of((a,))), (a,), "'y' is allocated and never filled"),
    ],
)
def test_an_array_that_is_not_its_equations_is_refused(value, indices, message) -> None:  # type: ignore[no-untyped-def]
    found: Program = program(Statement("y", value, origin=BY_HAND))
    with pytest.raises(ProgramError, match=message):
        checked(found, [named("y", indices, Number(1))])


def test_an_array_of_numbers_is_no_mask() -> None:
    found = program(Statement("mask", Read("m", (a, b)), origin=BY_HAND))
    with pytest.raises(ProgramError, match="'mask' has other axes than its equation"):
        checked(found, [named("mask", (a, b), POSITIVE)])
