"""Relations are solved for what they determine, and for nothing else."""

import pytest
import sympy

from symbackprop.algebra.quotients import solved_for, substituted
from symbackprop.algebra.scalar_algebra import brings_in_difference
from symbackprop.derivation.driver import derive
from symbackprop.language.model import parse_system
from symbackprop.systems.printing import text


def test_a_multiple_of_itself_is_not_solved_by_zero() -> None:
    a, f, g = sympy.symbols("a f g")
    assert solved_for(a, a * f / g, a) is None
    assert solved_for(a, f / g, g) == f / a


def test_a_multiple_of_itself_says_nothing_of_its_factors() -> None:
    a, f, g = sympy.symbols("a f g")
    # For a = 0, f and g are anything.
    assert solved_for(a, a * f / g, f) is None
    assert solved_for(a, a * f / g, g) is None
    assert solved_for(a, a * (f + 1), f) is None
    assert solved_for(a, a + a * f * (g - 2), g) is None
    # Without it they are not, nor where the formula itself is undefined.
    assert solved_for(a, a * f + g, a) == -g / (f - 1)
    assert solved_for(a, a * f + g, f) == (a - g) / a
    assert solved_for(a, f * g / (g * (f + 1)), f) == -a / (a - 1)


@pytest.mark.parametrize("relation", ["x*g", "x*g + y", "(x*g + y)/(g + 2)", "a*g + x"])
def test_a_solution_holds_where_what_it_divides_by_is_zero(relation: str) -> None:
    """Whatever does not divide by the slope after all keeps its value, for slopes of 0 too."""
    a, g, x, y = sympy.symbols("a g x y")
    formula = sympy.sympify(relation, {"a": a, "g": g, "x": x, "y": y})
    solution = solved_for(a, formula, g)
    for expression in (x * g**2 + y, (x * g + y) ** 2, g * (a - 1) + x, x * y * g):
        replaced = substituted(expression, g, solution)
        if not sympy.fraction(replaced)[1].is_number:
            continue
        for place in ({x: 0, a: 0, y: 0, g: 7}, {x: 0, a: 5, y: 5, g: 3}, {x: 3, y: 3, a: 3, g: 0}):
            if sympy.simplify(formula.subs(place) - place[a]) == 0:
                assert sympy.simplify((expression - replaced).subs(place)) == 0


@pytest.mark.parametrize("scale", ["/size(c)", "*mean(b, q[b])", "/q[0]"])
@pytest.mark.parametrize("inner", ["x[c]", "x[c]^2"])
def test_a_gradient_does_not_vanish(scale: str, inner: str) -> None:
    model = (
        "index b : B = 3\nindex c : C = 2\nparam p[c]\nconst x[c], q[b]\n"
        f"u[c] = exp(-{inner})*p[c]{scale}\ng[c] = x[c]*u[c]^2*exp({inner})\nloss L = sum(c, g[c])\n"
    )
    assert text(derive(parse_system(model)).gradients["p"].expression) != "0"


@pytest.mark.parametrize(
    "model",
    [
        "index t : T\ninput r[t]\nparam a, b\ny[t] = sqrt(a*r[t]^2 + 1) + b\nloss L = sum(t, tanh(y[t]))\n",
        "index t : T\ninput r[t]\nparam a, b\ny[t] = b - sqrt(a^2*r[t]^2 + 1)\nloss L = sum(t, erf(y[t]))\n",
        "index t : T\ninput r[t]\nparam a, b\nloss L = sqrt(mean(t, (a*r[t] + 1)^2)) + b\n",
        "index t : T\ninput r[t]\nparam a, b\ny[t] = norm(t, a*r[t]) + 0.7\nloss L = b*sum(t, 1/y[t]^2)\n",
        "index t : T\ninput r[t]\nparam a, b\ny[t] = 2 + exp(a*r[t])\nloss L = b*sum(t, sin(y[t]))\n",
        "index t : T\ninput r[t]\nparam a, b\ny[t] = 3*exp(a*r[t]) + b\nloss L = sum(t, sin(y[t]))\n",
        "index t : T\ninput r[t]\nparam a, b\ny[t] = 1/(a*r[t] + b)\nloss L = sum(t, a*y[t])\n",
    ],
)
def test_no_difference_from_a_name_stands_for_a_part_of_it(model: str) -> None:
    """y - b is nothing where b is far larger, whatever noisy factor stands beside it."""
    gradients = derive(parse_system(model)).gradients
    assert not any(f"{name} - " in text(each.expression) for each in gradients.values() for name in "yLb")
    assert not any(
        f"{number} - " in text(gradients["a"].expression).replace("1 - tanh", "") for number in range(9)
    )


def test_a_difference_of_symbols_is_seen_whichever_sign_it_has() -> None:
    y, r, b, z, k = sympy.symbols("y r b z k")
    assert brings_in_difference(y - b, 1 / (y - b), 1 / r)
    assert brings_in_difference(b - y, k / (b - y), k / r)
    assert brings_in_difference(y - b, 3 * y - 2 * b, 3 * r + b)
    assert not brings_in_difference(y - b, k * y, k * (r + b))  # the difference is gone
    assert brings_in_difference(y - 2, 1 / (y - 2), 1 / r)
    assert not brings_in_difference((1 - z) / z, z * (1 - z), z * r)  # what a sigmoid leaves
    assert not brings_in_difference(y - b, k * (y - b), k * r + y - b)  # it was there
