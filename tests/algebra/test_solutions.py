"""Relations are solved for what they determine, and for nothing else."""

import pytest
import sympy

from symbackprop.algebra.quotients import solved_for
from symbackprop.derivation.driver import derive
from symbackprop.language.model import parse_system
from symbackprop.systems.printing import text


def test_a_multiple_of_itself_is_not_solved_by_zero() -> None:
    a, f, g = sympy.symbols("a f g")
    assert solved_for(a, a * f / g, a) is None
    assert solved_for(a, f / g, g) == f / a


@pytest.mark.parametrize("scale", ["/size(c)", "*mean(b, q[b])", "/q[0]"])
@pytest.mark.parametrize("inner", ["x[c]", "x[c]^2"])
def test_a_gradient_does_not_vanish(scale: str, inner: str) -> None:
    model = (
        "index b : B = 3\nindex c : C = 2\nparam p[c]\nconst x[c], q[b]\n"
        f"u[c] = exp(-{inner})*p[c]{scale}\ng[c] = x[c]*u[c]^2*exp({inner})\nloss L = sum(c, g[c])\n"
    )
    assert text(derive(parse_system(model)).gradients["p"].expression) != "0"
