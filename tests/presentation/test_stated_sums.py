"""Sums in products and powers: printed as they are typed."""

from __future__ import annotations

import pytest

from symbackprop.derivation.driver import derive
from symbackprop.derivation.replaying import replayed
from symbackprop.language.model import parse_expression, parse_system
from symbackprop.notation.expressions import Add
from symbackprop.presentation.stated_sums import StatedSums, sum_as_stated
from symbackprop.systems.printing import equation_text, text
from tests.models.judges import judge

HEAD = "index b, c : B\ninput t[b], d[b]\nparam x[b]\n"
SYSTEM = parse_system(f"{HEAD}param w[b,c]\nloss E = sum(b, x[b])\n")
FORMS = {
    "1/2*sum(b, (0.9*x[b] + 0.1*t[b])^2)": "9/10*(9/10*x[b] + 1/10*t[b])",
    "sum(b, d[b]*x[b])/(sum(b, x[b]) + 0.2)": "(d[b] - E)/(sum(b', x[b']) + 1/5)",
    # As typed already, and without decimals.
    "0.1*sum(b, (x[b] - 3)^2)": "1/5*(x[b] - 3)",
    "0.1*sum(b, (3*x[b]^2 + x[b]*t[b])*d[b])": "1/10*(6*x[b] + t[b])*d[b]",
    "1/8*sum(b, (2*x[b] + 2*t[b])^2)": "x[b] + t[b]",
    # Even powers the way round that is typed; where both are, 1 less x.
    "1/3*sum(b, d[b]*(1 - x[b])^3)": "-d[b]*(1 - x[b])^2",
    "1/3*sum(b, d[b]*(x[b] - 1)^3)": "d[b]*(x[b] - 1)^2",
    "1/5*sum(b, d[b]*(t[b] - x[b])^5)": "-d[b]*(t[b] - x[b])^4",
    "1/3*sum(b, d[b]*(1 - x[b])^3 + 0*(x[b] - 1))": "-d[b]*(1 - x[b])^2",
    "1/3*sum(b, d[b]*x[b]^2) + 0*sum(b, x[b])": "2/3*d[b]*x[b]",
    "sum(b, d[b]*(1 - x[b])^4)": "-4*d[b]*(1 - x[b])^3",
}


@pytest.mark.parametrize("loss", FORMS)
def test_a_sum_is_printed_as_typed(loss: str) -> None:
    model = f"{HEAD}loss E = {loss}\n"
    found = derive(parse_system(model))
    replayed(found)
    (equation,) = found.equations
    assert equation_text(equation) == f"grad_x[b] = {FORMS[loss]}"
    judge(model)


@pytest.mark.parametrize(
    ("found", "stated", "form"),
    [
        ("d[b]/(10*x[b] + 3*t[b])", "x[b] + 0.3*t[b]", "1/10*d[b]/(x[b] + 3/10*t[b])"),
        ("d[b]/(10*x[c] + 3*t[c])", "x[b] + 0.3*t[b]", "1/10*d[b]/(x[c] + 3/10*t[c])"),
        ("d[b]*(3*x[b] + 7*t[b])^2", "0.3*x[b] + d[b] + 0.7*t[b]", "100*d[b]*(3/10*x[b] + 7/10*t[b])^2"),
        ("d[b]*(3*x[b] - 7*t[b])", "0.7*t[b] - 0.3*x[b]", "10*d[b]*(3/10*x[b] - 7/10*t[b])"),
        ("d[b]*(3*x[b] + 7*t[c])", "0.3*x[b] + 0.7*t[b]", None),
        ("d[b]*(3*x[b] + 5*t[b])", "0.3*x[b] + 0.7*t[b]", None),
        ("d[b]*(x[b] + t[b])", "0.1*x[b] + 0.1*t[b]", None),
        ("d[b]*(x[b] + 0.3*t[b])", "x[b] + 0.3*t[b]", None),
        ("sqrt(10*x[b] + 3*t[b])", "x[b] + 0.3*t[b]", None),
    ],
)
def test_where_it_is_written_so(found: str, stated: str, form: str | None) -> None:
    typed = parse_expression(stated, SYSTEM)
    assert isinstance(typed, Add)
    rewritten = sum_as_stated(StatedSums((typed,))).apply(parse_expression(found, SYSTEM))
    assert (rewritten and text(rewritten)) == form
