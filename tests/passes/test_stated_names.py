"""The formula above a line names what the code has."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from symbackprop.array.program import Line, Loop, Program, formula_of, statements_in
from symbackprop.derivation.driver import derive
from symbackprop.language.model import parse_system
from symbackprop.lowering.programs import lower
from symbackprop.systems.printing import equation_text
from tests.programs import lower_system

HEAD = "index t, s : T\nindex i : I\ninput S[t,s], x[i]\n"
MASKED = "X[t,s] = where(s <= t, exp(S[t,s]), 0)\nA[t,s] = X[t,s]/sum(s, X[t,s])\n"


def program_of(text: str) -> Program:
    return lower_system(parse_system(HEAD + text))


def lines_in(lines: tuple[Line, ...]) -> Iterator[Line]:
    for line in lines:
        yield line
        if isinstance(line, Loop):
            yield from lines_in(line.body)


def formulas(program: Program) -> dict[str, str]:
    """What each line states that a result needs, by the tensor that it is about."""
    needed = program.needed_for((*program.outputs, *([program.loss] if program.loss else [])))
    stated = filter(None, map(formula_of, lines_in(needed)))
    return {formula.partition("[")[0].partition(" ")[0]: formula for formula in stated}


def test_what_nothing_computes_is_not_named():
    found = formulas(program_of(MASKED + "y[t] = sum(s, A[t,s]*x[0])\n"))
    assert "X" not in found
    assert found["A"] == "A[t,s] = A_masked[t,s]/sum(s, A_masked[t,s])"


def test_what_something_computes_is_named():
    found = formulas(program_of(MASKED + "y[t] = sum(s, A[t,s]*x[0]) + sum(s, X[t,s])\n"))
    assert "X" in found
    assert "X[t,s]" in found["A"]


@pytest.mark.parametrize(
    "text",
    [
        "p[i] = exp(x[i])/sum(i, exp(x[i]))\n",  # it states what is typed, which names what is there
        "m = mean(i, x[i])\nv = mean(i, (x[i] - m)^2)\nh[i] = (x[i] - m)/sqrt(v + 1e-5)\n",
    ],
)
def test_other_formulas_are_as_typed(text: str):
    program = program_of(text)
    lines = [line for line in statements_in(program.statements) if line.name == line.origin.source.tensor]
    assert len(lines) == text.count("\n")
    assert all(line.origin.stated == line.origin.source for line in lines)


def test_a_temporary_states_what_is_computed_where_the_models_terms_would_fill_a_page():
    system = parse_system(
        "index n : N\nindex k : K\ninput x[n]\nparam a[k], w[k]\nlw[k] = w[k] - logsumexp(k, w[k])\n"
        "l[n] = logsumexp(k, lw[k] - softplus(-a[k]*x[n]))\n"
        "m[n] = logsumexp(k, lw[k] - softplus(a[k]*x[n]))\n"
        "loss E = sum(n, softplus(l[n] - m[n]) + l[n])\n"
    )
    program = lower(derive(system))
    lines = {line.name: line.origin.stated for line in statements_in(program.statements) if line.origin}
    assert "delta_lw_shift_max[k]" in equation_text(lines["delta_lw_shifted"])
    # What is short stays in the terms of the model.
    assert "softplus(-a[k]*x[n])" in equation_text(lines["l_exp"])
