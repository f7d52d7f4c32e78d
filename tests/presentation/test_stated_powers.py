"""Even powers of differences: printed the way round that the model states."""

from __future__ import annotations

import pytest

from symbackprop.derivation.driver import derive
from symbackprop.derivation.replaying import replayed
from symbackprop.language.model import parse_system
from symbackprop.systems.printing import equation_text

HEAD = "index b : B\ninput d[b], c[b]\nparam g[b]\n"
FORMS = {
    "1/3*sum(b, d[b]*(1 - g[b])^3)": "-d[b]*(1 - g[b])^2",
    "1/3*sum(b, d[b]*(g[b] - 1)^3)": "d[b]*(g[b] - 1)^2",
    "1/5*sum(b, d[b]*(c[b] - g[b])^5)": "-d[b]*(c[b] - g[b])^4",
    # Stated both ways: as it is found.
    "1/3*sum(b, d[b]*(1 - g[b])^3 + 0*(g[b] - 1))": "-d[b]*(g[b] - 1)^2",
    "sum(b, d[b]*(1 - g[b])^4)": "-4*d[b]*(1 - g[b])^3",
}


@pytest.mark.parametrize("loss", FORMS)
def test_a_power_is_printed_as_typed(loss: str) -> None:
    found = derive(parse_system(f"{HEAD}loss E = {loss}\n"))
    replayed(found)
    (equation,) = found.equations
    assert equation_text(equation) == f"grad_g[b] = {FORMS[loss]}"
