import re
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings

from symbackprop.languages.language import Language
from symbackprop.notation.derivatives import Derivative
from symbackprop.notation.expressions import (
    MINUS_ONE,
    ONE,
    ZERO,
    Add,
    Apply,
    Axis,
    Comparison,
    Constant,
    Delta,
    Element,
    Index,
    Logic,
    Multiply,
    Number,
    Power,
    Reduction,
    Size,
    Where,
)
from symbackprop.notation.matrix_functions import MatrixFunction
from symbackprop.semantics.naive import NaiveEvaluator
from symbackprop.systems.decimals import TypedDecimal
from symbackprop.typesetting.formulas import Typesetter, latex
from tests.lesson.expressions import ARRAYS, INDICES, POINT, SIZES, expressions
from tests.typesetting.latex_reader import Page, evaluate

B, J, K = Axis("B", "b"), Axis("J", "j"), Axis("K", "k")
b, j, k, k2 = Index("b", B), Index("j", J), Index("k", K), Index("k'", K)
W2, z1, y, d = Element("W2", (k, j)), Element("z1", (b, j)), Element("y", (b, k)), Element("d", (b, k))
ALPHA, E = Element("alpha"), Element("E")
ERROR = Add((y, Multiply((MINUS_ONE, d))))

PAGE = Page(
    {name: array for name, array in ARRAYS.items()}, SIZES, {index.name: index.axis.name for index in INDICES}
)
PLACE = {index.name: place for index, place in POINT.items()}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (W2, "W^{(2)}_{kj}"),
        (Element("delta2", (b, k)), r"\delta^{(2)}_{bk}"),
        (Element("xhat", (b,)), r"\hat{x}_{b}"),
        (Element("loss_rate"), r"\mathrm{loss\_rate}"),
        (Element("W_2", (k, j)), r"\mathrm{W\_2}_{kj}"),
        (Element("W_out", (k, j)), r"W^{(\mathrm{out})}_{kj}"),
        (Element("delta_u1"), r"\delta^{(\mathrm{u1})}"),
        (Element("delta_u_g1"), r"\delta^{(\mathrm{u,g1})}"),
        (Element("delta_u_2"), r"\mathrm{delta\_u\_2}"),
        (Element("mu1"), r"\mu^{(1)}"),
        (Element("x", (Index("row", B), Index("c", J))), r"x_{\mathrm{row}, c}"),
        (Element("x", (Index("alpha", B), Index("c", J))), r"x_{\alpha c}"),
        (Element("x", (Add((Multiply((Number(2), k)), MINUS_ONE)), j)), "x_{2\\,k - 1, j}"),
        (Delta(k2, k), r"\delta_{k'k}"),
        (MatrixFunction("inv", "X", K, (), (k, k2)), r"\bigl(X^{-1}\bigr)_{kk'}"),
        (MatrixFunction("inv", "S", K, (b,), (k2, k)), r"\bigl(S_{b}^{-1}\bigr)_{k'k}"),
        (MatrixFunction("inv", "W2", K, (), (k2, k)), r"\bigl(\bigl(W^{(2)}\bigr)^{-1}\bigr)_{k'k}"),
        (Power(MatrixFunction("det", "X", K), Number(2)), r"(\det(X))^{2}"),
        (MatrixFunction("cofactor", "X", K, (), (k, k)), r"\operatorname{cof}(X)_{kk}"),
        (MatrixFunction("logdet", "S", K, (b,)), r"\log\lvert \det(S_{b})\rvert "),
        (Size(B), "B"),
        (Size(Axis("Rows", "row")), r"\mathrm{Rows}"),
        (Constant("pi"), r"\pi"),
        (Number(Fraction(1, 2)), r"\frac{1}{2}"),
        (Number(Fraction(44715, 10**6)), "0.044715"),
        (Number(Fraction(1, 10**5)), "10^{-5}"),
        (Multiply((Number(Fraction(5, 2 * 10**5)), y)), r"2.5 \cdot 10^{-5}\,y_{bk}"),
        (Derivative(E, W2, True), r"\frac{\partial E}{\partial W^{(2)}_{kj}}"),
        (Power(z1, Number(2)), r"\bigl(z^{(1)}_{bj}\bigr)^{2}"),
        (Power(y, Number(2)), "y_{bk}^{2}"),
        (Power(ERROR, Number(2)), "(y_{bk} - d_{bk})^{2}"),
        (Power(Apply("sigmoid", (y,)), Number(2)), r"(\sigma(y_{bk}))^{2}"),
        (Power(y, Number(Fraction(1, 2))), r"\sqrt{y_{bk}}"),
        (Power(y, MINUS_ONE), r"\frac{1}{y_{bk}}"),
        (Multiply((Number(Fraction(1, 2)), Power(y, MINUS_ONE))), r"\frac{1}{2\,y_{bk}}"),
        (Multiply((Number(Fraction(-3, 2)), Power(y, MINUS_ONE))), r"-\frac{3}{2\,y_{bk}}"),
        (Multiply((Number(Fraction(1, 2)), d, Power(y, MINUS_ONE))), r"\frac{1}{2}\,\frac{d_{bk}}{y_{bk}}"),
        (Multiply((TypedDecimal(Fraction(1, 5)), Power(y, MINUS_ONE))), r"0.2\,\frac{1}{y_{bk}}"),
        (Power(y, Number(Fraction(-3, 2))), r"\frac{1}{y_{bk}^{3/2}}"),
        (Reduction("sum", (b, k), Multiply((ERROR, z1))), r"\sum_{b, k} (y_{bk} - d_{bk})\,z^{(1)}_{bj}"),
        (Multiply((Power(Size(B), MINUS_ONE), Reduction("sum", (b,), y))), r"\frac{1}{B}\,\sum_{b} y_{bk}"),
        (Multiply((Reduction("sum", (b,), y), d)), r"\Bigl(\sum_{b} y_{bk}\Bigr)\,d_{bk}"),
        (Reduction("sum", (b,), ERROR), r"\sum_{b} (y_{bk} - d_{bk})"),
        (Multiply((ALPHA, ERROR)), r"\alpha \cdot (y_{bk} - d_{bk})"),
        (Multiply((y, Number(2))), r"y_{bk} \cdot 2"),
        (Multiply((y, Number(-2))), r"y_{bk}\,(-2)"),
        (Multiply((MINUS_ONE, ERROR)), "-(y_{bk} - d_{bk})"),
        (Multiply((MINUS_ONE, Number(-2))), "-(-2)"),
        (Where(Comparison(">", y, ZERO), ONE, ZERO), r"[\,y_{bk} > 0\,]"),
        (
            Where(Comparison(">=", y, d), y, Number(-1)),
            r"\begin{cases} y_{bk} & \text{if } y_{bk} \ge d_{bk} \\ -1 & \text{otherwise} \end{cases}",
        ),
        (Apply("exp", (Multiply((MINUS_ONE, y)),)), "e^{-y_{bk}}"),
        (Apply("abs", (ERROR,)), r"\lvert y_{bk} - d_{bk}\rvert "),
        (Apply("log1p", (Multiply((MINUS_ONE, y)),)), r"\log(1 + (-y_{bk}))"),
    ],
)
def test_the_printed_form(expression, expected):
    assert latex(expression) == expected


def value_of(expression):
    return NaiveEvaluator(ARRAYS, SIZES).expression(expression, POINT)


@settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(expressions)
def test_a_reader_of_the_page_computes_the_same_number(expression):
    with np.errstate(all="ignore"):
        try:
            expected = value_of(expression)
        except (OverflowError, ValueError, ZeroDivisionError):
            assume(False)
        assume(np.isreal(expected) and np.isfinite(expected) and abs(expected) < 1e6)
        found = evaluate(latex(expression), PAGE, PLACE)
    assert found == pytest.approx(expected, rel=1e-7, abs=1e-7), latex(expression)


@settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(expressions)
def test_every_element_stands_as_often_as_it_is_read(expression):
    elements = [node for node in expression.walk() if isinstance(node, Element) and node.positions]
    shown = latex(expression)
    for element, times in Counter(elements).items():
        assert len(re.findall(re.escape(latex(element)) + r"(?![A-Za-z])", shown)) == times, shown


def test_a_read_that_is_0_outside_is_padded_and_one_bound_is_written_out() -> None:
    below, above = Comparison(">=", Add((k, MINUS_ONE)), ZERO), Comparison("<", Add((k, MINUS_ONE)), Size(K))
    moved = Element("d", (b, Add((k, MINUS_ONE))))
    padded = latex(Where(Logic("and", (below, above)), moved, ZERO))
    assert padded == r"\operatorname{pad}(d_{b, k - 1})"
    page = Page({"d": np.array([[5.0, 6.0, 7.0]])}, {"B": 1, "K": 3}, {"b": "B", "k": "K"})
    assert [evaluate(padded, page, {"b": 0, "k": place}) for place in range(3)] == [0.0, 5.0, 6.0]
    assert "cases" in latex(Where(below, moved, ZERO)) and "cases" in latex(Where(above, moved, ONE))


def test_a_step_after_the_first_is_spelled_one_way() -> None:
    moved, not_first = Element("d", (b, Add((k, MINUS_ONE)))), Comparison("!=", k, ZERO)
    bound = Comparison(">=", Add((k, MINUS_ONE)), ZERO)
    for masked in (Where(bound, moved, ZERO), Where(not_first, Multiply((z1, moved)), ZERO)):
        assert r"\text{if } k \ge 1" in latex(masked)
    first = Where(not_first, moved, z1)
    assert r"\text{if } k \ne 0" in latex(first)


def test_an_even_product_is_set_without_its_floor() -> None:
    half = Number(Fraction(1, 2))
    square = Add((Multiply((half, Power(k, Number(Fraction(2))))), Multiply((Number(Fraction(-1, 2)), k))))
    assert latex(Apply("floor", (square,))) == r"\frac{k \cdot (k - 1)}{2}"
    assert "floor" in latex(Apply("floor", (Multiply((half, Add((square, k)))),)))


def test_the_reader_notices_what_is_missing():
    shown = latex(Reduction("sum", (INDICES[2],), Element("xhat", (INDICES[2],))))
    assert evaluate(shown, PAGE, PLACE) == pytest.approx(ARRAYS["xhat"].sum())
    assert evaluate(shown + r" \cdot 2", PAGE, PLACE) != pytest.approx(ARRAYS["xhat"].sum())


def test_what_is_too_long_for_a_fraction_stands_behind_its_reciprocal() -> None:
    powers = [Multiply((W2, Power(z1, Number(Fraction(n))))) for n in range(2, 14)]
    for terms, start in (
        (powers[:2], r"\frac{W^{(2)}_{kj}"),
        (powers, r"\frac{1}{y_{bk}}\,\bigl(W^{(2)}_{kj}"),
    ):
        shown = latex(Multiply((Add(tuple(terms)), Power(y, MINUS_ONE))))
        assert shown.startswith(start) and "^{-1}" not in shown


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        (Language.ENGLISH, r"y_{bk}\text{ if }d_{bk} > 0\text{, }\text{otherwise }-1\bigr)"),
        # Without a word in front, the condition would be read as a factor.
        (Language.JAPANESE, r"y_{bk}\text{ (}d_{bk} > 0\text{ のとき), }\text{それ以外 }-1\bigr)"),
    ],
)
def test_cases_too_wide_for_a_brace_are_written_out(language, expected):
    wide = Add((*(Power(y, Number(n)) for n in range(2, 24)), y))
    shown = Typesetter(language=language).latex(Where(Comparison(">", d, ZERO), wide, MINUS_ONE))
    assert shown.endswith(f"+ {expected}") and "cases" not in shown


def test_a_wide_case_that_is_0_elsewhere_stands_behind_the_bracket_of_its_condition():
    wide = Add((*(Power(y, Number(n)) for n in range(2, 24)), y))
    shown = latex(Where(Comparison(">", d, ZERO), wide, ZERO))
    assert shown.startswith(r"[\,d_{bk} > 0\,]\,\bigl(") and "cases" not in shown
    doubled = latex(Power(Where(Comparison(">", d, ZERO), wide, ZERO), Number(2)))
    assert doubled.startswith(r"\bigl([\,d") and doubled.endswith("^{2}")
