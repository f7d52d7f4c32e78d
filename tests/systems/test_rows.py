"""Where the text of a formula may go on in another line: the operators, not numbers, elements or calls."""

from __future__ import annotations

import pytest

from symbackprop.language.model import parse_expression, parse_system
from symbackprop.notation.derivatives import Derivative
from symbackprop.notation.expressions import Element
from symbackprop.systems.printing import text_row
from symbackprop.systems.rows import Break, Row, joined_rows, row_text

SYSTEM = parse_system("""
index i, j : I
param x[i], A[i,j], c
loss E = sum(i, x[i])*c
""")


def marked(row: Row) -> str:
    """The text, with the penalty of each place where a line may begin."""
    return "".join(f"<{part.penalty}>" if isinstance(part, Break) else part for part in row)


@pytest.mark.parametrize(
    ("formula", "shown"),
    [
        ("c + x[i] - x[j]", "c<0> + x[i]<0> - x[j]"),
        ("c*x[i]/x[j]", "c<1>*x[i]<2>/x[j]"),
        ("1/c", "1<2>/c"),
        ("1/2*c", "1/2<1>*c"),
        ("-c*x[i]", "-c<1>*x[i]"),
        ("c*(c + 1)", "c<1>*(c<4> + 1)"),
        ("c^(c*x[i])", "c^(c<5>*x[i])"),
        ("sum(i, j, x[i + 1]*A[2*i - j,j])", "sum(i,<7> j,<7> x[i + 1]<5>*A[2*i - j,j])"),
        ("pad(x[i - 1])", "pad(x[i - 1])"),
        ("det(A)*inv(A)[i,j + 1]", "det(A)<1>*inv(A)[i,j + 1]"),
        (
            "where(x[i] + c > 0 and c < 1 or i == j, exp(c), 0)",
            "where(x[i]<6> + c > 0<5> and c < 1<5> or i == j,<7> exp(c),<7> 0)",
        ),
        ("where(not (c > 0), 1, 0)", "where(not c > 0,<7> 1,<7> 0)"),
        ("sqrt(c + 1)", "sqrt(c<4> + 1)"),
    ],
)
def test_a_line_may_begin_at_an_operator(formula: str, shown: str) -> None:
    assert marked(text_row(parse_expression(formula, SYSTEM))) == shown


def test_a_derivative_stays_whole() -> None:
    derivative = Derivative(Element("E"), Element("c"), total=True)
    assert text_row(derivative) == ("dE/dc",)


def test_rows_in_one() -> None:
    rows = [("a",), ("b", Break(1), "*c")]
    assert marked(joined_rows((Break(0), " + "), rows)) == "a<0> + b<1>*c"
    assert row_text(joined_rows((Break(0), " + "), rows)) == "a + b*c"
    assert joined_rows((", ",), []) == ()
