"""Totals that follow from definitions, over one index and over several together."""

from __future__ import annotations

import pytest

import symbackprop as sb
from symbackprop.algebra.phases import scope_of
from symbackprop.language.model import parse_system
from symbackprop.rewriting.rule import Rule
from symbackprop.rules import stated_facts
from symbackprop.systems.printing import fact_text
from symbackprop.systems.system import Fact

NAMES = "index n : N\nindex i, i2 : I\nindex j, j2 : J\ninput x[n,i,j]\nparam w[n,i,j], c\n"
SOFTMAX_LAYER = "z@[n,j] = sum(i, exp(@*w[n,i,j]))\np@[n,i,j] = exp(@*w[n,i,j])/z@[n,j]\n"


def followed(definitions: str) -> list[str]:
    system = parse_system(f"{NAMES}{definitions}loss E = sum(n, i, j, w[n,i,j]*x[n,i,j]) + c\n")
    return [fact_text(fact) for fact in scope_of(system).facts]


@pytest.mark.parametrize(
    ("definitions", "facts"),
    [
        # deviations from a mean over two axes, scaled by what does not depend on them
        (
            "m[n] = mean(i, j, x[n,i,j])\nd[n,i,j] = (x[n,i,j] - m[n])*c\n",
            ["sum(i, j, d[n,i,j]) == 0", "sum(i, j, x[n,i,j] - m[n]) == 0"],
        ),
        # a softmax over a matrix sums to 1 over both of its indices, and over neither alone
        (
            "z[n] = sum(i, j, exp(w[n,i,j]))\np[n,i,j] = exp(w[n,i,j])/z[n]\n",
            ["sum(i, j, p[n,i,j]) == 1"],
        ),
        # over one
        ("z[n,j] = sum(i, exp(w[n,i,j]))\np[n,i,j] = exp(w[n,i,j])/z[n,j]\n", ["sum(i, p[n,i,j]) == 1"]),
        # a difference without a name, of either sign, in a square
        (
            "m[n,j] = mean(i, x[n,i,j])\nv[n,j] = sum(i, 3*(m[n,j] - x[n,i,j])^2)\n",
            ["sum(i, m[n,j] - x[n,i,j]) == 0"],
        ),
        ("m[n,j] = sum(i, x[n,i,j])\nv[n,j] = sum(i, (m[n,j] - x[n,i,j])^2)\n", []),
        # deviations from a weighted mean, under its weights; those of another mean say nothing
        (
            "m[n,j] = sum(i, x[n,i,j]*w[n,i,j])/sum(i, w[n,i,j])\n"
            "v[n,j] = sum(i, w[n,i,j]*(x[n,i,j] - m[n,j])^2)\n",
            ["sum(i, w[n,i,j]*(x[n,i,j] - m[n,j])) == 0"],
        ),
        (
            "m[n,j] = sum(i, x[n,i,j]*w[n,i,j]^2)/sum(i, w[n,i,j])\n"
            "v[n,j] = sum(i, w[n,i,j]*(x[n,i,j] - m[n,j])^2)\n",
            [],
        ),
        # the mean of another axis says nothing of these
        ("m[i] = mean(n, j, x[n,i,j])\nd[n,i,j] = x[n,i,j] - m[i]*c\n", []),
    ],
)
def test_totals(definitions: str, facts: list[str]) -> None:
    assert followed(definitions) == facts


def test_a_deviation_over_two_axes_sums_to_nothing_in_a_gradient() -> None:
    """The variance's derivative by the mean is a sum of deviations, and gone."""
    model = sb.loads(
        f"{NAMES}m[n] = mean(i, j, x[n,i,j])\n"
        "s[n] = 1/sqrt(mean(i, j, (x[n,i,j] - m[n])^2) + 0.1)\n"
        "d[n,i,j] = (x[n,i,j] - m[n])*s[n]\n"
        "loss E = sum(n, i, j, w[n,i,j]*d[n,i,j])\n"
    )
    derivation = model.derive(["x"])
    form = str(derivation.gradients["x"])
    assert "sum(i', j', d[" not in form
    assert derivation.replay()
    assert model.check(wrt=["x"], budget=3).ok


def test_deviations_without_a_name_sum_to_nothing_in_a_quotient() -> None:
    """The correlation's derivative by each mean is a sum of the other's deviations."""
    model = sb.loads(
        "index n : N\ninput y[n]\nparam a[n]\nma = mean(n, a[n])\nmy = mean(n, y[n])\n"
        "loss L = 1 - sum(n, (a[n] - ma)*(y[n] - my))"
        "/(sqrt(sum(n, (a[n] - ma)^2))*sqrt(sum(n, (y[n] - my)^2)))\n"
    )
    derivation = model.derive(["a"])
    form = derivation.result_text()
    assert "sum(n', y[n'] - my)" not in form and "sum(n', a[n'] - ma)" not in form
    assert derivation.replay()
    assert model.check(wrt=["a"], budget=3).ok


def test_a_sum_is_split_where_one_part_is_nothing() -> None:
    model = sb.loads(
        "index n : N\ninput y[n], k[n]\nparam x[n], c\nd[n] = x[n] - mean(n, x[n])\n"
        "loss E = sum(n, c*d[n] - y[n]*d[n]^2 - c*k[n])\n"
    )
    assert model.derive(["c"]).result_text().strip() == "dE/dc = -sum(n, k[n])"


@pytest.mark.parametrize(
    ("terms", "facts"),
    [(5, ["sum(i, j, d[n,i,j]) == 0", "sum(i, j, x[n,i,j] - m[n]) == 0"]), (200, [])],
)
def test_definitions_that_fill_pages_are_passed_over(terms: int, facts: list[str]) -> None:
    """Of third derivatives with thousands of nodes no number is left, and each total takes its time."""
    scale = " + ".join(f"c*{number}" for number in range(1, terms + 1))
    assert followed(f"m[n] = mean(i, j, x[n,i,j])\nd[n,i,j] = (x[n,i,j] - m[n])*({scale})\n") == facts


def test_each_fact_is_directed_once_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """The facts found before are as many as the layers, and so are the searches for the next."""
    directed: list[Fact] = []
    direction = stated_facts._direction

    def counted(fact: Fact, rules: tuple[Rule, ...]) -> object:
        directed.append(fact)
        return direction(fact, rules)

    monkeypatch.setattr(stated_facts, "_direction", counted)
    numbers: list[int] = []
    for layers in (3, 6, 12):
        directed.clear()
        assert (
            len(followed("".join(SOFTMAX_LAYER.replace("@", str(n)) for n in range(2, layers + 2)))) == layers
        )
        numbers.append(len(directed))
    assert numbers == [3, 6, 12]


def test_a_variance_under_weights_has_no_derivative_by_its_mean() -> None:
    """A distribution's own weights, or any divided by their sum: what is left is the square."""
    model = sb.loads(
        "index n : N\nindex k : K\ninput a[k], s[n]\nparam u[n,k], g[k]\n"
        "p[n,k] = softmax(k, u[n,k])\nm[n] = sum(k, p[n,k]*a[k])\n"
        "c = sum(k, g[k]*a[k])/sum(k, g[k])\nq = sum(k, g[k]*(c - a[k])^2)\n"
        "loss E = sum(n, s[n]*sum(k, p[n,k]*(a[k] - m[n])^2)) + q\n"
    )
    derivation = model.derive()
    assert str(derivation.gradients["g"]) == "dE/dg[k] = (c - a[k])^2"
    assert "m[n] - a[" not in derivation.result_text().replace("(a[k] - m[n])^2", "")
    assert derivation.replay()
    assert model.check(budget=3).ok
