"""Whether an equal form is defined wherever the form before is, where roots of products are divided by."""

from __future__ import annotations

import pytest

from symbackprop.algebra.definedness import may_be_undefined
from symbackprop.language.model import parse_system
from symbackprop.notation.expressions import Expression
from symbackprop.pipeline import loads

SCALARS = "param a, b, c, r\nloss E = {}\n"


def expression(text: str) -> Expression:
    return parse_system(SCALARS.format(text)).definitions["E"].expression


def may_be(after: str, before: str) -> bool:
    return may_be_undefined(expression(after), expression(before), {}, lambda node: node)


@pytest.mark.parametrize(
    ("after", "before"),
    [
        ("r/a", "c*b/sqrt(a*b)^3"),
        ("r/(a*sqrt(a*b))", "c/(a*b)^(3/2)"),
        ("c/((a + b)*c)", "1/(c*(a + b)*c)^(1/3)"),
    ],
)
def test_what_divides_by_the_root_of_a_product_divides_by_its_factors(after: str, before: str) -> None:
    assert not may_be(after, before)


@pytest.mark.parametrize(
    ("after", "before"),
    [
        ("r/a", "c*sqrt(a*b)"),
        ("r/a", "c/sqrt(a + b)"),
        ("r/(a - b)", "c/sqrt(a*b)"),
        ("1/(a*c)", "1/sqrt(a*b)"),
        ("sqrt(a)/a", "1/sqrt(a*b)"),  # both may be negative
    ],
)
def test_what_stands_in_no_root_that_divides_is_a_new_divisor(after: str, before: str) -> None:
    assert may_be(after, before)


@pytest.mark.parametrize(
    ("after", "before"),
    [
        ("1/sqrt(a*b)", "sqrt(a*b)/(a*b)"),
        ("c/(a + b)^(1/2)", "c*sqrt(a + b)/(a + b)"),
        ("log(a)", "sqrt(a)/a"),
        ("1/(a*b)^(3/2)", "sqrt(a*b)/(a^2*b^2)"),
    ],
)
def test_a_radicand_that_divides_is_above_0(after: str, before: str) -> None:
    assert not may_be(after, before)


@pytest.mark.parametrize(
    ("after", "before"),
    [
        ("1/sqrt(a*b)", "sqrt(a*b)/a"),
        ("1/sqrt(a*b)", "1/(a*b)"),
        ("1/sqrt(a)", "sqrt(a*b)/(a*b)"),
        ("1/sqrt(a + b)", "sqrt(a + b)/(a*b)"),
        ("1/sqrt(a*b)", "sqrt(a*b)*where(c > 0, 1/(a*b), 0)"),
    ],
)
def test_a_radicand_that_does_not_divide_may_be_0(after: str, before: str) -> None:
    assert may_be(after, before)


@pytest.mark.parametrize(
    "loss",
    [
        "sum(n, x[n]*y[n])/sqrt(sum(n, x[n]^2)*sum(n, y[n]^2))",
        "q^2",
        "(q - 1)^2",
    ],
)
def test_steps_over_the_root_of_a_product_replay(loss: str) -> None:
    text = (
        "index n : N\ninput y[n]\nparam x[n]\nm = mean(n, x[n])\nv = mean(n, (x[n] - m)^2)\n"
        f"u = mean(n, y[n]^2)\nq = sum(n, (x[n] - m)*y[n])/sqrt(v*u)\nloss E = {loss}\n"
    )
    loads(text).derive().replay()


@pytest.mark.parametrize("weight", ["a[k]/exp(c)", "(a[k] + b)/exp(2*c)", "exp(-c)*(a[k] - b)"])
def test_a_sum_of_exponentials_is_one_divisor_however_it_is_written(weight: str) -> None:
    declared = "index k : K\nparam a[k], b, c\ninput w[k]\n"
    text = f"{declared}q[k] = softmax(k, {weight})\nloss E = sum(k, w[k]*q[k])\n"
    loads(text).derive().replay()
