"""Decimals inside of sums: printed as the model states them."""

from __future__ import annotations

import pytest

from symbackprop.derivation.driver import derive
from symbackprop.derivation.replaying import replayed
from symbackprop.language.model import parse_system
from symbackprop.systems.printing import equation_text

HEAD = "index b : B\ninput t[b], c[b]\nparam x[b]\n"
FORMS = {
    "sum(b, 0.9/2*x[b]^2 + 0.1*x[b]*t[b])": "9/10*x[b] + 1/10*t[b]",
    "sum(b, 0.3*x[b]^2*c[b] - 0.2*x[b]*t[b])": "3/5*x[b]*c[b] - 1/5*t[b]",
    # Of a difference that is stated, the number stays outside.
    "0.1*sum(b, (x[b] - 3)^2)": "1/5*(x[b] - 3)",
    "0.1*sum(b, (3*x[b]^2 + x[b]*t[b])*c[b])": "1/10*(6*x[b] + t[b])*c[b]",
}


@pytest.mark.parametrize("loss", FORMS)
def test_decimals_are_printed_as_typed(loss: str) -> None:
    found = derive(parse_system(f"{HEAD}loss E = {loss}\n"))
    replayed(found)
    (equation,) = found.equations
    assert equation_text(equation) == f"grad_x[b] = {FORMS[loss]}"
