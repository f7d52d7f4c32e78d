"""The order of terms and factors of what is computed: log-softmax, and exponentials before what grows."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from symbackprop.derivation.driver import derive
from symbackprop.exponentials.differences import pairs_of_rows
from symbackprop.exponentials.meanings import Meanings
from symbackprop.language.model import parse_system
from symbackprop.lesson.rulebook.examples import parsed, place_of_use
from symbackprop.notation.arithmetic import terms_of
from symbackprop.pipeline import loads
from symbackprop.rewriting.rule import Use
from symbackprop.schedule.driver import schedule_of
from symbackprop.stability.forms import STABLE_FORMS
from symbackprop.stability.identities import IDENTITY_MEASURES
from symbackprop.stability.orders import ORDER_MEASURES, exponentials_first, logarithms_last
from symbackprop.stability.quotients import merged
from symbackprop.stability.stable_form import NameDefinitions, StableForm
from symbackprop.systems.printing import equation_text, text
from symbackprop.targets.numpy.target import NUMPY
from tests.programs import schedule_of_system
from tests.schedule.test_replaying import MODELS as SCHEDULES
from tests.schedule.test_replaying import example
from tests.stability.derived import module_of
from tests.stability.test_far_data import truth

COUNTS = {**ORDER_MEASURES, "zeros chosen": IDENTITY_MEASURES["zeros chosen"]}
NAMES = "index b : B\nindex k : K\nparam u[b,k], q[k]\n"


def computed(equation: str) -> list[str]:
    items = schedule_of_system(parse_system(NAMES + equation + "\n")).equations
    return [equation_text(item.equation) for item in items]


@pytest.mark.parametrize(
    ("equation", "after"),
    [
        (
            "y[b,k] = u[b,k] - log(sum(k, exp(u[b,k])))",
            "y[b,k] = u_difference[b,k] - log(sum(k, exp(u_difference[b,k])))",
        ),
        (
            "y[b] = log(sum(k, exp(u[b,k]))) - sum(k, u[b,k]*q[k])",
            "y[b] = (max_k_u[b] - sum(k, u[b,k]*q[k])) + log(sum(k, exp(u[b,k] - max_k_u[b])))",
        ),
        (
            "y[b] = log(sum(k, exp(u[b,k])))",
            "y[b] = max_k_u[b] + log(sum(k, exp(u[b,k] - max_k_u[b])))",
        ),
        ("y[b] = u[b,0] - (q[0] + log(q[1]))", "y[b] = u[b,0] - (q[0] + log(q[1]))"),
    ],
)
def test_a_logarithm_is_added_last(equation: str, after: str) -> None:
    assert computed(equation)[-1].replace("u_minus_max_k_u", "u_difference") == after


def test_log_softmax_far_from_0() -> None:
    system = parse_system(
        "index b : B\nindex k : K\nparam u[b,k]\nconst d[b,k]\n"
        "l[b,k] = u[b,k] - log(sum(k, exp(u[b,k])))\nloss E = sum(b, k, (l[b,k] - d[b,k])^2)"
    )
    module = NUMPY.load(NUMPY.emitted(derive(system)).text, "log_softmax")
    rng = np.random.default_rng(0)
    u, d = (1e4 + rng.normal(size=(4, 3))).astype(np.float32), np.zeros((4, 3), np.float32)
    (loss, grads), (exact, grads_exact) = (
        module.value_and_grad({"u": u.astype(dtype)}, d.astype(dtype)) for dtype in (np.float32, np.float64)
    )
    np.testing.assert_allclose(loss, exact, rtol=1e-6)
    np.testing.assert_allclose(grads["u"], grads_exact["u"], atol=1e-5)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("c*x[i]*exp(-x[i])", "c*exp(-x[i])*x[i]"),
        ("2*c*x[i]*exp(-x[i])", "2*c*exp(-x[i])*x[i]"),
        ("exp(-x[i])*x[i]*c", None),
        ("x[i]*exp(-x[i])", None),
        ("x[i]*y[j]*exp(c)", None),
        ("x[i]*y[j]*tanh(x[i])", None),
        ("2*0", None),
    ],
)
def test_exponentials_first(before: str, after: str | None) -> None:
    found = exponentials_first(parsed(before), Meanings())
    assert (None if found is None else text(found)) == after


def test_what_is_out_of_order_gets_less_at_every_use() -> None:
    used: Counter[str] = Counter()
    for name in SCHEDULES:
        schedule, _ = example(name)
        for step in (step for item in schedule.equations for step in item.origin.steps):
            measure = ORDER_MEASURES.get(step.rule.decreases) if isinstance(step.rule, Use) else None
            if measure is not None:
                assert isinstance(step.rule.premise, NameDefinitions)
                meanings = step.rule.premise.meanings
                assert measure.of(step.after, meanings) < measure.of(step.before, meanings), step
                used[step.rule.name] += 1
    assert used.keys() == {"exponentials first", "logarithms last"}


@pytest.mark.parametrize(
    "form", [form for form in STABLE_FORMS if form.decreases in COUNTS], ids=lambda form: form.name
)
def test_what_is_out_of_order_is_counted(form: StableForm) -> None:
    """At the rule's example, inside a function, a branch and a reduction, and not where nothing is."""
    count = COUNTS[form.decreases].of
    for around in ("{}", "log({})", "sum(k, tanh({}))", "where(w[t] > 2, {}, 1)"):
        before = parsed(around.format(form.example))
        used = place_of_use(form.rule(Meanings()), before)
        assert used is not None and count(used[0], Meanings()) == 1 and count(used[1], Meanings()) == 0
        assert count(before, Meanings()) == 1
    assert count(parsed("c*tanh(x[i]) - log(w[t])"), Meanings()) == 0


@pytest.mark.parametrize(
    "formula", ["c - max(i, x[i]) - log(h0)", "log(h0) - c", "c*(max(i, x[i]) + log(h0))"]
)
def test_logarithms_that_stand_where_they_should(formula: str) -> None:
    assert logarithms_last(parsed(formula), Meanings()) is None


def test_a_gradient_is_finite_where_the_exponential_is_0() -> None:
    """A kernel that has died out times a distance that its factor cannot bear in float32."""
    system = parse_system(
        "index n : N\nparam l\nconst g[n], r[n]\nk[n] = exp(-exp(-l)*r[n])\nloss E = sum(n, g[n]*k[n])"
    )
    derivation = derive(system)
    formulas = [equation_text(item.equation) for item in schedule_of(derivation).equations]
    assert "grad_l_sum = sum(n, g[n]*k[n]*r[n])" in formulas
    assert formulas[-1] == "grad_l = where(grad_l_sum != 0, grad_l_sum*k_exp, 0)"
    module = NUMPY.load(NUMPY.emitted(derivation).text, "kernel")
    g, r = (np.array(each, np.float32) for each in ([1e30, 1.0], [1e30, 0.5]))
    found = module.grad({"l": np.float32(0)}, g, r)["l"]
    np.testing.assert_allclose(found, 0.5 * np.exp(-0.5), rtol=1e-6)
    with np.errstate(over="ignore", invalid="ignore"):
        assert module.grad({"l": np.float32(-100)}, g, r)["l"] == 0


@pytest.mark.parametrize("left", ["1 - q[k]", "exp(1 - q[k])"])
def test_a_maximum_with_0_is_the_largest_of_no_term(left: str) -> None:
    text = f"index k : K\nparam u[k], c[k]\nq[k] = max(u[k] - c[k], 0)\nloss E = sum(k, {left})\n"
    assert loads(text).check().ok


SHARES = "p[k] = softmax(k, w[k])\nq[k] = softmax(k, h[k])\n"
TWO_SOFTMAXES = {
    "their quotient": f"{SHARES}s[k] = q[k]/p[k]\nloss E = sum(k, c[k]*s[k]^2/(s[k] + d^2))\n",
    "a power over their sum": f"{SHARES}loss E = sum(k, c[k]*p[k]^3/(p[k]^2 + d^2*q[k]))\n",
    "a logarithm": f"{SHARES}loss E = sum(k, c[k]*log(p[k]^3 + d^2*q[k]^2))\n",
}


@pytest.mark.parametrize("name", TWO_SOFTMAXES)
@pytest.mark.parametrize("moved", ["w", "h"])
def test_two_softmaxes_are_shifted_each_by_its_own_maximum(name: str, moved: str) -> None:
    """h - max(h) - w + max(w) from the left is (h - max(h)) - (w - max(w)) but for digits of a large w."""
    text = f"index k : K\nparam w[k], h[k], d, c[k]\n{TWO_SOFTMAXES[name]}"
    rng = np.random.default_rng(3)
    values = {
        each: rng.normal(size=() if each == "d" else 3).astype(np.float32) for each in ("w", "h", "d", "c")
    }
    values[moved] += np.float32(1e4)
    expected = truth(loads(text).system, values, tuple(values), 60)
    loss, gradients = module_of(text).value_and_grad(values)
    for tensor, found in {"E": loss, **gradients}.items():
        atol = 4e-6 * float(np.max(np.abs(expected[tensor])))
        np.testing.assert_allclose(found, expected[tensor], rtol=4e-6, atol=atol, err_msg=tensor)


def test_rows_that_a_lookup_chooses_are_shifted_by_their_maximum() -> None:
    text = (
        f"index k : K\nindex n : N\ninput x[n] in K\nparam w[k], h[k], d, c[n]\n{SHARES}"
        "s[n] = q[x[n]]/p[x[n]]\nloss E = sum(n, c[n]*s[n]^2/(s[n] + d^2))\n"
    )
    model = loads(text)
    rng = np.random.default_rng(5)
    values: dict[str, Any] = {each: rng.normal(size=3).astype(np.float32) for each in ("w", "h")}
    values |= {"d": np.float32(0.7), "c": rng.normal(size=4).astype(np.float32), "x": np.array([2, 0, 1, 2])}
    values["w"] += np.float32(1e4)
    expected = truth(model.system, values, ("w", "h", "d", "c"), 60)
    params = {each: values[each] for each in ("w", "h", "d", "c")}
    loss, gradients = model.derive().module(verify=False).value_and_grad(params, values["x"])
    for tensor, found in {"E": loss, **gradients}.items():
        atol = 4e-6 * float(np.max(np.abs(expected[tensor])))
        np.testing.assert_allclose(found, expected[tensor], rtol=4e-6, atol=atol, err_msg=tensor)


def test_rows_are_paired_by_their_multiples() -> None:
    stated = "index i, j : N\nparam x[i], y[i]\nloss E = sum(i, j, x[i] + 3*y[j] + x[0] - 2*x[j] - y[i])\n"
    body = loads(stated).system.equations[-1].expression.children[-1]
    pairs, left = pairs_of_rows(terms_of(body))
    assert [text(each) for each in pairs] == ["x[i] - x[j]", "y[j] - y[i]", "x[0] - x[j]"]
    assert [text(each) for each in left] == ["2*y[j]"]


@pytest.mark.parametrize("decay", ["-exp(r[n])", "-exp(r[n])*(1 + r[n]^2)"])
def test_a_hold_of_slow_decay_is_finite(decay: str) -> None:
    """exp(-2*r) is infinite where exp(-r)*expm1(-exp(r)), squared, is close to 1."""
    text = (
        f"index n : N\nparam r[n], u[n]\na[n] = {decay}\ny[n] = (exp(a[n]) - 1)/a[n]*u[n]\n"
        "loss E = 1/2*sum(n, y[n]^2)\n"
    )
    values = {"r": np.array([-50.0, -60.0], np.float32), "u": np.array([0.7, -2.0], np.float32)}
    found = loads(text).derive(wrt=["u"]).module(verify=False).grad(values)["u"]
    np.testing.assert_allclose(found, values["u"], rtol=1e-5)


@pytest.mark.parametrize(
    ("product", "expected"),
    [
        ("delta(at,i)*exp(x[i])*exp(-x[at])", "delta(at,i)"),
        ("delta(at,i)*exp(x[i])*exp(-x[0])", "delta(at,i)*exp(x[i] - x[0])"),
        ("delta(at + 1,i)*exp(x[i])*exp(-x[at])", "delta(at + 1,i)*exp(x[i] - x[at])"),
    ],
)
def test_an_exponential_is_at_the_place_of_a_delta_if_that_is_read(product: str, expected: str) -> None:
    """x[at + 1] may be outside of the axis, where the delta is 0."""
    system = parse_system(f"index i : N\ninput at in N\nparam x[i]\nloss E = sum(i, {product})")
    found = merged(system.equations[-1].expression.children[-1], Meanings())
    assert found is not None
    assert text(found) == expected
