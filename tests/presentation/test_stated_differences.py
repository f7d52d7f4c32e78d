"""Differences that a model states: printed and computed as they are typed."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.derivation.driver import derive
from symbackprop.derivation.replaying import replayed
from symbackprop.emission.loading import load_module
from symbackprop.language.model import parse_expression, parse_system
from symbackprop.lowering.programs import lower
from symbackprop.notation.expressions import Add, Expression
from symbackprop.presentation import stated_differences
from symbackprop.presentation.gathered_differences import GATHER_DIFFERENCES
from symbackprop.presentation.stated_differences import StatedDifferences, as_stated
from symbackprop.systems.printing import equation_text, text
from tests.programs import numpy_source

HEAD = """
index n, m : N
param x[n], y[n], x0, y0, w[n,m]
"""
SYSTEM = parse_system(f"{HEAD}loss E = sum(n, x[n])\n")


def forms(loss: str) -> dict[str, str]:
    found = derive(parse_system(f"{HEAD}loss E = {loss}\n"), ["x", "y"])
    replayed(found)
    return {each.tensor: equation_text(each).partition(" = ")[2] for each in found.equations}


@pytest.mark.parametrize(
    ("loss", "form"),
    [
        ("1/2*sum(n, ((x[n] - y[n]) - (x0 - y0))^2)", "(x[n] - y[n]) - (x0 - y0)"),
        ("1/2*sum(n, (2*(x[n] - y[n]) - 3*(x0 - y0))^2)", "2*(2*(x[n] - y[n]) + 3*(y0 - x0))"),
        (
            "1/4*sum(n, m, ((x[n] - x[m]) - (y[n] - y[m]))^2)",  # at other indices
            "sum(m, (x[n] - x[m]) - (y[n] - y[m]))",
        ),
        ("1/2*sum(n, (x[n] - (y[n] - y0))^2)", "x[n] - (y[n] - y0)"),
        ("1/2*sum(n, ((x[n] - y[n]) - y0)^2)", "x[n] - y[n] - y0"),  # added from the left anyhow
        ("1/2*sum(n, (x[n] + (y[n] + y0))^2)", "x[n] + y[n] + y0"),  # no difference
        ("1/2*sum(n, ((x[n] - x0) + (x0 - y[n]))^2)", "x[n] - y[n]"),  # what cancels is gone
        ("sum(n, (x[n] - y0 + y[n])*(x[n] - y0 - x0))", "2*(x[n] - y0) + y[n] - x0"),  # both begin with one
        ("1/2*sum(n, (x[n] + (0*y0 + y[n]))^2)", "x[n] + y[n]"),  # a term of 0 has no sign
        ("1/2*sum(n, (x[n] + (-0 + y[n]))^2)", "x[n] + y[n]"),
    ],
)
def test_a_difference_is_printed_as_typed(loss: str, form: str) -> None:
    assert form in forms(loss).values()


def grouped(expression: str, *differences: str) -> str | None:
    typed = (parse_expression(each, SYSTEM) for each in differences)
    rule = as_stated(StatedDifferences(tuple(each for each in typed if isinstance(each, Add))))
    found = rule.apply(parse_expression(expression, SYSTEM))
    return None if found is None else text(found)


def test_each_term_belongs_to_one_difference() -> None:
    assert grouped("x[n] + x[m] - y[n] - y[m]", "x[n] - y[n]") == "(x[n] - y[n]) + (x[m] - y[m])"
    assert grouped("x[n] + y0 - y[n] - x0 - 1", "x[n] - y[n]", "x0 - y0") == "(x[n] - y[n]) - (x0 - y0) - 1"
    assert grouped("x[n] + y0 - y[m] - x0", "x[n] - y[n]") is None
    assert grouped("x[n] - y[n]", "x[n] - y[n]") is None
    assert grouped("2*x[n] + x0 - y[n]", "x[n] - y[n]") is None
    assert grouped("2*x[n] + x0 - 2*y[n]", "x[n] - y[n]") == "2*(x[n] - y[n]) + x0"
    assert grouped("y0 + x[n] + x0 - y[n] - 1", "x[n] - y[n]") == "x[n] - y[n] + y0 + x0 - 1"
    assert grouped("x[n] + 1 - y[n]", "x[n] - y[n] + 1") == "x[n] - y[n] + 1"  # in the order of the model
    assert grouped("2*x[m] + 2 - 2*y[m]", "x[n] - y[n] + 1") == "2*x[m] - 2*y[m] + 2"
    assert grouped("x[n] - y[n] + 1", "x[n] - y[n] + 1") is None
    assert grouped("x[n] - y[n]", "y[n] - x[n]") is None
    assert grouped("x[n] - 1 - y[n]", "y[n] - x[n] + 1") is None
    assert grouped("y0 + y[n] + x0 - x[n]", "x[n] - y[n]") == "y0 + x0 - (x[n] - y[n])"
    assert grouped("sum(m, x[m]) + x0 - y0", "sum(n, x[n]) - y0") == "sum(m, x[m]) - y0 + x0"


def test_what_is_close_keeps_its_digits() -> None:
    """Values of 1e6 that differ by 1, in float32: differences of them are exact."""
    loss = "sum(n, m, w[n,m]*((x[n] - x[m]) - (y[n] - y[m]))^2) + sum(n, ((x[n] - y[n]) - (x0 - y0))^3)"
    module = load_module(numpy_source(lower(derive(parse_system(f"{HEAD}loss E = {loss}\n")))), "close")
    rng = np.random.default_rng(3)
    shapes = {"x": (4,), "y": (4,), "x0": (), "y0": (), "w": (4, 4)}
    plain = {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    params = {name: plain[name] + np.float32(0 if name == "w" else 1e6) for name in plain}
    exact = {name: np.asarray(value, dtype=np.float64) for name, value in params.items()}
    for name, expected in module.grad(exact).items():
        np.testing.assert_allclose(module.grad(params)[name], expected, rtol=3e-5, atol=1e-5)


FAR = {
    "a maximum": "q[n,m] = softmax(m, s*(w[n,m] - max(m, w[n,m])))\nloss E = sum(n, m, v[n,m]*q[n,m])",
    "a named minimum": "l[n] = min(m, w[n,m])\nq[n,m] = softmax(m, (l[n] - w[n,m])/s)\n"
    "loss E = sum(n, m, v[n,m]*q[n,m])",
    "a first element": "loss E = sum(n, m, v[n,m]*softmax(m, s*(w[n,m] - w[n,0])))",
    "another tensor": "loss E = sum(n, m, v[n,m]*softmax(m, s*(w[n,m] - x[n])))",
    "a temperature of two": "q[n,m] = exp(-s*(w[n,m] - x[n])^2)\n"
    "loss E = sum(n, m, v[n,m]*q[n,m]/sum(m, q[n,m]))",
}


@pytest.mark.parametrize("equations", FAR.values(), ids=FAR)
def test_a_difference_beside_its_own_mean_keeps_its_digits(equations: str) -> None:
    """Values of 1e6 whose differences are exact in float32; added otherwise no digit is left."""
    declared = "index n : N\nindex m : M\nparam w[n,m], x[n], s\ninput v[n,m]\n"
    found = derive(parse_system(f"{declared}{equations}\n"))
    replayed(found)
    module = load_module(numpy_source(lower(found)), "far")
    rng = np.random.default_rng(5)
    x = 1e6 + rng.integers(-9, 9, size=3)
    params = {"x": x, "w": x[:, None] + np.arange(1.0, 5.0)[::-1] ** 2, "s": np.asarray(0.375)}
    v = rng.integers(1, 9, size=(3, 4)).astype(float)
    truth = module.grad(params, v=v)["s"]
    low = {name: value.astype(np.float32) for name, value in params.items()}
    np.testing.assert_allclose(module.grad(low, v=v.astype(np.float32))["s"], truth, rtol=3e-5)


def test_differences_of_other_tensors_are_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each layer has some of its own: to try all in each sum took time by the square."""
    pairs = [(f"a{number}", f"b{number}") for number in range(30)]
    declared = ", ".join(f"{one}[i], {other}[i]" for one, other in pairs)
    layers = parse_system(f"index i : I\ninput c[i]\nparam {declared}\nloss E = sum(i, c[i]*a0[i])\n")
    typed = [parse_expression(f"{one}[i] - {other}[i]", layers) for one, other in pairs]
    total = parse_expression("a7[i] + c[i] - b7[i]", layers)
    read: list[Expression] = []
    of = stated_differences._Term.of

    def counted(term: Expression) -> stated_differences._Term:
        read.append(term)
        return of(term)

    monkeypatch.setattr(stated_differences._Term, "of", counted)
    rule = as_stated(StatedDifferences(tuple(each for each in typed if isinstance(each, Add))))
    found = rule.apply(total)
    assert found is not None
    assert text(found) == "a7[i] - b7[i] + c[i]"
    assert len(read) == 5  # the terms of the sum, and those of one difference


SHIFTED = {
    "one shift on two sides": ("sum(n, (b[n] - c + y0)*(b[n] - c - y0))", "-sum(n, grad_b[n])"),
    "of a product": ("sum(n, (y0*(b[n] - c) + y[n])*((b[n] - c) - y0))", None),
    "of two indices": ("sum(n, m, (b[n] - c - y0)*(b[m] - c + y0))", "2*size(n)*sum(m, c - b[m])"),
    "scaled": ("sum(n, (3*b[n] - 3*c + y0)*(b[n] - c - x0))", None),
    "three of them": ("sum(n, (b[n] - c + y0)*(b[n] - c - y0)*(b[n] - c - x0))", None),
}


@pytest.mark.parametrize(("loss", "form"), SHIFTED.values(), ids=SHIFTED)
def test_differences_in_products_stay_differences(loss: str, form: str | None) -> None:
    """Values of 1e6 that differ by integers: everything that is typed is exact, in float32, too."""
    declared = "index n, m : N\nparam b[n], c, y[n], x0, y0\n"
    found = derive(parse_system(f"{declared}loss E = {loss}\n"))
    replayed(found)
    formulas = {each.tensor: equation_text(each).partition(" = ")[2] for each in found.equations}
    assert form is None or form in formulas.values()
    module = load_module(numpy_source(lower(found)), "shifted")
    near = {"b": np.arange(5.0) ** 2, "c": np.asarray(2.0), "y": np.arange(5.0) - 1}
    plain = {**near, "x0": np.asarray(3.0), "y0": np.asarray(4.0)}
    far = {name: value + 2.0**20 * (name in ("b", "c")) for name, value in plain.items()}
    low = {name: value.astype(np.float32) for name, value in far.items()}
    expected = module.grad(plain)
    for name, value in module.grad(low).items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-6, atol=1e-6)


def test_sums_of_one_difference_are_one() -> None:
    def gathered(expression: str) -> str | None:
        found = GATHER_DIFFERENCES.apply(parse_expression(expression, SYSTEM))
        return None if found is None else text(found)

    assert gathered("sum(n, x[n] - x0) + 2*sum(m, x[m] - x0 - y0)") == "sum(n, 3*x[n] - 3*x0 - 2*y0)"
    assert gathered("sum(n, x[n] - x0 - y0) - sum(m, x[m] - x0 + y0)") == "-2*sum(n, y0)"
    assert gathered("x0*sum(n, x[n] - x0) + x0*sum(m, x0 - x[m])") == "0"
    assert gathered("x0*sum(n, x[n] - x0) + y0*sum(m, x0 - x[m])") is None
    assert gathered("sum(n, x[n] - x0) + sum(n, y[n] - x0)") is None
    assert gathered("sum(n, x[n] - x0) + sum(n, x[n] + x0)") is None
    assert gathered("sum(n, x[n] + x0) + sum(n, x[n] + x0)") is None
