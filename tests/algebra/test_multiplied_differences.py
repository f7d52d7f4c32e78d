"""A form keeps the differences that are factors: p*a - p*b has lost digits that p*(a - b) keeps."""

from __future__ import annotations

import numpy as np
import pytest

from symbackprop.algebra.arrangement import tidied
from symbackprop.algebra.multiplied_differences import (
    is_difference_under,
    mean_taken_off,
    splits_a_difference,
    spreads_a_difference,
)
from symbackprop.algebra.scalar_search import Account, cheapest_form
from symbackprop.derivation.differentiation import put_together
from symbackprop.derivation.driver import derive
from symbackprop.language.model import parse_expression, parse_system
from symbackprop.notation.expressions import Reduction
from symbackprop.pipeline import loads
from symbackprop.semantics.evaluation import evaluate
from symbackprop.systems.printing import text

SYSTEM = parse_system("param a, b, c, d, e, f, p, x, y\nloss E = a + b + c + d + e + f + p + x + y")


@pytest.mark.parametrize(
    ("expression", "mean"),
    [
        ("v[i] - c - sum(i, v[i] - c)/size(i)", "-sum(i, v[i] - c)/size(i)"),
        ("v[i] + sum(i, c - v[i])/size(i) - c", "-sum(i, v[i] - c)/size(i)"),
        ("v[i] - w[k] - sum(i, k, v[i] - w[k])/size(i)/size(k)", "-sum(i, k, v[i] - w[k])/(size(i)*size(k))"),
        ("v[i] - w[k] - sum(i, k, v[i] - w[k])/size(i)", None),
        ("v[i] - c - sum(i, v[i] - c)", None),
        ("v[i] - c - 2*sum(i, v[i] - c)/size(i)", None),
        ("v[i] - c + sum(i, v[i] - c)/size(i)", None),
        ("v[i] - c - sum(i, v[i] - d)/size(i)", None),
        ("v[0] - c - sum(i, v[i] - c)/size(i)", None),
    ],
)
def test_a_mean_that_is_taken_off(expression: str, mean: str | None) -> None:
    system = parse_system("index i : N\nindex k : K\nparam v[i], w[k], c, d\nloss E = c")
    found = mean_taken_off(put_together(parse_expression(expression, system)))
    expected = None if mean is None else put_together(parse_expression(mean, system))
    assert (None if found is None else found[1]) == expected


@pytest.mark.parametrize(
    ("body", "is_kept"),
    [
        ("where(i == 0, v[i], 0) - where(i == 2, c, 0)", False),
        ("where(i == 0 and k == 1, c, 0) - where(i == 0 and k == 2, d, 0) + where(i == 1, d, 0)", False),
        ("where(i == 0, v[i], 0) - where(k == 1, c, 0)", True),  # both at i = 0, k = 1
        ("where(i == 0 and k == 1, c, 0) - where(i == 0, d, 0)", True),
        ("where(i == 0, v[i], 0) - c", True),
        ("where(i == 0, v[i], 0) - where(i == 1, c, d)", True),
        ("where(i == 0, v[i], 0) + where(i == 1, c, 0)", False),  # no difference
    ],
)
def test_a_difference_that_a_sum_keeps(body: str, is_kept: bool) -> None:
    system = parse_system("index i : N = 3\nindex k : K = 3\nparam v[i], c, d\nloss E = c")
    total = parse_expression(f"sum(i, k, {body})", system)
    assert isinstance(total, Reduction) and is_difference_under(total.indices, total.body) == is_kept


def test_a_difference_stands_before_its_mean_whatever_its_sign() -> None:
    # x - mean(x - y) - y is 0 over one n but for rounding, x - y - mean(x - y) is 0.
    system = parse_system("index i : I\nparam a[i], b[i]\nloss E = sum(i, a[i])")
    expression = parse_expression("b[i] - sum(i, a[i] - b[i])/size(i)*(-1) - a[i]", system)
    assert text(tidied(expression)) == "b[i] - a[i] - sum(i, b[i] - a[i])/size(i)"


@pytest.mark.parametrize(
    ("expression", "written"),
    [
        ("a[i] - c*b[i] - mean(i, a[i])", "a[i] - sum(i, a[i])/size(i) - c*b[i]"),
        ("c*b[i] + mean(i, a[i]) - c - a[i]", "c*b[i] + sum(i, a[i])/size(i) - a[i] - c"),
        ("a[i] - c*b[i] - mean(i, b[i])", "a[i] - c*b[i] - sum(i, b[i])/size(i)"),
    ],
)
def test_an_element_stands_beside_its_mean(expression: str, written: str) -> None:
    system = parse_system("index i : I\nparam a[i], b[i], c\nloss E = sum(i, a[i] + b[i])*c")
    found = tidied(parse_expression(expression, system))
    assert text(found) == written and tidied(found).is_identical(found)


@pytest.mark.parametrize(
    ("summand", "gradient"),
    [
        ("(a[i] - b[i] - c - 3)^2", "2*sum(i, b[i] + c + 3 - a[i])"),
        ("a[i]*c - 3*c - c*d", "sum(i, a[i] - 3 - d)"),  # d may be close to a[i]
    ],
)
def test_a_difference_of_elements_stays_in_one_sum(summand: str, gradient: str) -> None:
    text_of_model = f"index i : I\ninput a[i], b[i], d\nparam c\nloss E = sum(i, {summand})"
    (found,) = derive(parse_system(text_of_model)).equations
    assert text(found.expression) == gradient


def test_a_variance_keeps_its_mean() -> None:
    model = """
    index b : B
    input t[b]
    param x[b], m, s
    z[b] = (x[b] - m)/s
    loss E = sum(b, t[b]*z[b])*var(b, x[b] - m)
    """
    assert "delta_z[b] = var(b', x[b'] - m)*t[b]" in loads(model).derive().result_text()


@pytest.mark.parametrize(
    ("expression", "form"),
    [
        ("p*x*(1 - tanh(a)^2)*b*c + d*(1 - y^2)*b*c - 2*e*y*b*c*f", "x*p*(1 - tanh(a)^2) + d*(1 - y^2)"),
        ("a*(x - y)*c + b*(1 - d)*c + e*f*c", "a*(x - y) + b*(1 - d)"),
        ("a*p*(x^2 - y)*c - b*(1 - d^2)*c + e*p*c", "b*(1 - d^2)"),
    ],
)
def test_common_factors_stand_in_front_of_differences(expression: str, form: str) -> None:
    found = text(cheapest_form(parse_expression(expression, SYSTEM), (), Account()))
    assert form in found or form.replace("x*p", "p*x") in found, found


@pytest.mark.parametrize(
    ("expression", "form", "spread"),
    [
        ("a*(x - y)", "a*x - a*y", True),
        ("a*(x - y) + b", "a*x + b - a*y", True),
        ("a*c*(1 - y^2)", "c*(a - a*y^2)", True),
        ("2*a*(1 - y)", "2*a - 2*a*y", True),
        ("a*(x - y)", "a*(x - y)", False),
        ("a*x - a*y", "a*x - a*y", False),
        ("a*(x - y) + a*y", "a*x", False),
        ("a*(x - y) + 2*a*y", "a*x + a*y", False),
        ("a*(x + y)", "a*x + a*y", False),
        ("a/p*(1 - p)*p + b*p", "a - a*p + b*p", True),
        ("-d/p*p*(1 - p) + (1 - d)*p", "p - d", False),
        ("2*(x - y) + a", "2*x + a - 2*y", False),
        ("2*(x - y/p)/p + x/c", "x*(1/c + 2/p) - 2*y/p^2", True),
        ("2*(x - y/p)/p + x/c", "(x*p*(p + 2*c) - 2*y*c)/(c*p^2)", True),
        ("2*(x - y/p)/p + x/c", "x/c + 2*(x - y/p)/p", False),
        ("p*(1 - x/y)", "p*(y - x)/y", False),
        ("(x - y)*p - c*p", "a + p*(x - c - y)", False),
    ],
)
def test_what_spreads_a_difference(expression: str, form: str, spread: bool) -> None:
    before, after = (parse_expression(each, SYSTEM) for each in (expression, form))
    assert spreads_a_difference(after, before) is spread


@pytest.mark.parametrize(
    "loss",
    [
        "sum(n, k, norm(d, z[n,d] - c[k,d])) + sum(n, m, norm(d, z[n,d] - z[m,d]))^2",
        "sum(n, m, tanh(sqrt(sum(d, (z[n,d] - z[m,d])^2))))/sum(n, k, norm(d, z[n,d] - c[k,d]))",
        # As typed, a square is multiplied out.
        "sum(n, k, sqrt(1 + sum(d, z[n,d]^2) + sum(d, c[k,d]^2) - 2*sum(d, z[n,d]*c[k,d])))",
    ],
)
def test_the_square_of_a_difference_is_one_though_a_row_meets_itself(loss: str) -> None:
    system = parse_system(f"index n, m : N\nindex k : K\nindex d : D\nparam z[n,d], c[k,d]\nloss E = {loss}")
    derivation = derive(system)
    derived = (each for each in derivation.as_system().equations if each.tensor not in system.tensors)
    formulas = "".join(text(each.expression) for each in derived)
    assert ("c[k,d']^2" in formulas or "c[k,d]^2" in formulas) is ("c[k,d]^2" in loss), formulas
    z, c = np.random.default_rng(0).uniform(1e5, 1e5 + 1, (2, 4, 3))
    known = evaluate(derivation.as_system(), {"z": z, "c": c[:2]}, {"N": 4, "K": 2, "D": 3})
    assert np.all(np.isfinite(known[derivation.gradients["c"].tensor]))


@pytest.mark.parametrize("size", [0, 1, 3])
def test_a_gradient_keeps_the_digits_of_a_saturated_function(size: int) -> None:
    """1 - tanh(u)^2 is 0 for a large u, and so must be all that is multiplied by it."""
    system = parse_system(
        "index i : I\nparam w[i], b\ninput x\n"
        "u = tanh(prod(i, w[i])*x + x)\nv = tanh(prod(i, w[i])*x - x)\ng = diff(u, x) + diff(v, x)\n"
        "h = diff(g, x)\nloss E = h*prod(i, w[i]) + b*g"
    )
    derivation = derive(system)
    values = {"w": np.full(size, 1e4), "x": np.array(40.0), "b": np.array(3.0)}
    known = evaluate(derivation.as_system(), values, {"I": size})
    # For no factor, u is tanh(2*x) and v tanh(0).
    if size:
        assert not np.any(known[derivation.gradients["w"].tensor])


@pytest.mark.parametrize(
    ("weights", "gradient"),
    [
        ("p[s]", "p[s]*(x[s] - sum(s', p[s']*x[s']))"),
        (
            "p[s]^2/sum(s, p[s]^2)",
            "p[s]^2*(x[s] - sum(s', p[s']^2*x[s'])/sum(s', p[s']^2))/sum(s', p[s']^2)",
        ),
        # These do not add up to 1.
        ("v[s]", "v[s]*(x[s] + sum(s', v[s']*x[s'])*(sum(s', v[s']) - 2))"),
    ],
)
def test_what_deviates_from_a_weighted_mean_adds_up_to_0(weights: str, gradient: str) -> None:
    """The mean has no name here."""
    model = loads(
        "index s : S\ninput v[s]\nparam x[s]\np[s] = softmax(s, v[s])\n"
        f"loss E = 1/2*sum(s, {weights}*(x[s] - sum(s, {weights}*x[s]))^2)\n"
    )
    (found,) = derive(model.system).equations
    assert text(found.expression) == gradient
    assert model.check().ok


@pytest.mark.parametrize(
    ("expression", "form", "is_split"),
    [
        ("x - y + a*y", "x + y*(a - 1)", True),
        ("2*x - 2*y + a*b*x", "x*(a*b + 2) - 2*y", True),
        ("x - y + a*y + b*x", "x*(b + 1) + y*(a - 1)", True),
        ("x - y + a*y", "x - y + y*a", False),
        ("x - 2*y + a*y", "x + y*(a - 2)", False),
        ("x - y*c + a*y", "x + y*(a - c)", False),
        ("x - y + a*x - a*y", "x*(1 + a) - y*(1 + a)", False),
        ("x + y + a*y", "x + y*(a + 1)", False),
    ],
)
def test_what_splits_a_stated_difference(expression: str, form: str, is_split: bool) -> None:
    before, after = (parse_expression(each, SYSTEM) for each in (expression, form))
    assert splits_a_difference(after, before) is is_split
