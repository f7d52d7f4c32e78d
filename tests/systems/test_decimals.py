"""Numbers as the model types their like: 0.2 and what comes of it as decimals, 1/3 and 1/4 as fractions."""

from __future__ import annotations

from fractions import Fraction

import pytest

from symbackprop.derivation.differentiation import put_together
from symbackprop.derivation.driver import derive
from symbackprop.language.model import parse_system
from symbackprop.notation.expressions import Number
from symbackprop.pages.math_parts import number
from symbackprop.systems.decimals import TypedDecimal, with_decimals
from symbackprop.systems.printing import equation_text, text
from symbackprop.systems.shorthands import spelled
from symbackprop.typesetting.formulas import latex

MODEL = "index n : N\ninput x[n]\nparam w[n]\nloss E = sum(n, {})"
FORMS = {
    "0.9*w[n]*x[n] + 0.04*w[n]^2 + exp(0.2*w[n])": "0.9*x[n] + 0.08*w[n] + 0.2*exp(0.2*w[n])",
    "1/5*exp(w[n])*x[n] + 3/25*w[n]": "1/5*exp(w[n])*x[n] + 3/25",
    # Nobody has typed a decimal half.
    "1/4*exp(w[n]) + 0.3*w[n]*x[n]": "1/4*exp(w[n]) + 0.3*x[n]",
    "0.25*exp(w[n])*x[n] + w[n]/3": "0.25*exp(w[n])*x[n] + 1/3",
    "1/10*exp(w[n])*x[n] + 0.3*w[n]": "1/10*(exp(w[n])*x[n] + 3)",
    "x[n]*(1 + w[n]^2)^0.75": "1.5*x[n]*w[n]/(1 + w[n]^2)^0.25",
    "0.5*x[n]*exp(w[n])*sqrt(x[n])": "0.5*x[n]^(3/2)*exp(w[n])",
    "x[n]*where(w[n] > 0, w[n], -0.2*w[n])": "x[n]*where(w[n] > 0, 1, -0.2)",
    # A product that is typed stays one, but not beside its own value, nor with other numbers in it.
    "0.9*0.8*w[n]*x[n] - x[n]*sin(0.9*w[n])*0.8": "0.9*0.8*x[n]*(1 - cos(0.9*w[n]))",
    "x[n]*w[n]*0.3*0.7*0.5 + 0.21*exp(w[n])": "0.3*0.7*0.5*x[n] + 0.21*exp(w[n])",
    "x[n]*where(w[n] > 0, -0.3*0.7*w[n], 0)": "-0.3*0.7*x[n]*where(w[n] > 0, 1, 0)",
    "0.3*0.7*w[n]*x[n] + 0.21*exp(w[n])": "0.21*(x[n] + exp(w[n]))",
    "0.3*0.7*w[n]^2*x[n]": "0.42*w[n]*x[n]",
    "x[n]*(0.3*w[n]/0.7 + 0.4)": "3/7*x[n]",
    "x[n]*w[n]*(0.5/2*0.5)": "0.125*x[n]",
    "(0.3*0.7/4)*w[n]*x[n] - 0.2*0.4/5*exp(w[n])": "0.0525*x[n] - 0.016*exp(w[n])",
}


@pytest.mark.parametrize("formula", FORMS)
def test_gradient(formula: str) -> None:
    derivation = derive(parse_system(MODEL.format(formula)))
    (gradient,) = derivation.equations
    shown = equation_text(gradient, derivation.system.shorthands)
    assert shown == f"grad_w[n] = {FORMS[formula]}"
    again = parse_system(f"{MODEL.format(formula)}\ng[n] = {shown.partition(' = ')[2]}")
    assert put_together(again.definitions["g"].expression) == put_together(gradient.expression)


def test_positions_and_sizes_stay_fractions() -> None:
    """A model of other decimals compares `i < size(i)/2` and reads `x[floor(i/2)]`."""
    model = "index i : I\ninput x[i]\nparam p\nloss E = sum(i, where(i < size(i)/2, 0.5*p*x[floor(i/2)], 0))"
    system = parse_system(model)
    (shown,) = [equation_text(each, system.shorthands) for each in system.equations]
    assert shown.endswith("sum(i, where(i < size(i)/2, 0.5*p*x[floor(i/2)], 0))")


def test_every_printer_writes_decimals() -> None:
    (shown,) = [spelled(each.expression, ["0.3"]) for each in parse_system("param w\nE = -1/5*w").equations]
    assert (text(shown), latex(shown)) == ("-0.2*w", r"-0.2\,w")
    decimal = with_decimals(Number(Fraction(1, 5)), ["0.1"])
    assert isinstance(decimal, TypedDecimal) and number(decimal).markup == "<mn>0.2</mn>"
