"""softmax, logsumexp, norm and var: definitions in the language, and names on the page."""

from __future__ import annotations

import json

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.emission.loading import load_module
from symbackprop.language.model import parse_expression, parse_system
from symbackprop.language.shorthands import DEFINITIONS
from symbackprop.syntax.words import SHORTHANDS
from symbackprop.systems.printing import system_text, text
from symbackprop.systems.shorthands import spelled
from tests.models.judges import judge

DECLARATIONS = """
index b : B
index i, j : I
index k, l : K
input x[b,i]
input d[b,k]
param W[k,i], v[i]
y = sum(j, l, W[l,j])
"""
WORDS = ("softmax", "logsumexp", "norm", "var")
WRITTEN_OUT = {
    "softmax(i, v[i])": "exp(v[i])/sum(i, exp(v[i]))",
    "softmax(k, i, W[k,i] + v[i])": "exp(W[k,i] + v[i])/sum(k, i, exp(W[k,i] + v[i]))",
    "softmax(k, sum(i, W[k,i]*x[b,i]))": "exp(sum(i, W[k,i]*x[b,i]))/sum(k, exp(sum(i, W[k,i]*x[b,i])))",
    "logsumexp(i, 2*v[i])": "log(sum(i, exp(2*v[i])))",
    "norm(i, v[i])": "sqrt(sum(i, v[i]^2))",
    "norm(k, i, W[k,i] - v[i])": "sqrt(sum(k, i, (W[k,i] - v[i])^2))",
    "var(i, v[i])": "mean(i, (v[i] - mean(i, v[i]))^2)",
    "var(b, i, 2*x[b,i])": "mean(b, i, (2*x[b,i] - mean(b, i, 2*x[b,i]))^2)",
    "d[b,k]*log(softmax(k, d[b,k]))/norm(k, d[b,k])^3": (
        "d[b,k]*log(exp(d[b,k])/sum(k, exp(d[b,k])))/sqrt(sum(k, d[b,k]^2))^3"
    ),
    "softmax(k, var(i, W[k,i]))": (
        "exp(mean(i, (W[k,i] - mean(i, W[k,i]))^2))/sum(k, exp(mean(i, (W[k,i] - mean(i, W[k,i]))^2)))"
    ),
}


@pytest.fixture(scope="module")
def names():
    return parse_system(DECLARATIONS + "loss E = 0\n")


@pytest.mark.parametrize(("short", "written"), WRITTEN_OUT.items(), ids=list(WRITTEN_OUT))
def test_a_word_stands_for_its_definition_and_is_printed_by_its_name(names, short: str, written: str) -> None:
    expression = parse_expression(short, names)
    assert expression == parse_expression(written, names)
    assert text(spelled(expression, WORDS)) == short
    assert text(spelled(expression, ())) == text(parse_expression(written, names))


@pytest.mark.parametrize(
    "near_miss",
    [
        "exp(v[i])/sum(j, exp(2*v[j]))",  # another exponent in the denominator
        "exp(v[i])*sum(j, exp(v[j]))",  # no quotient
        "exp(W[k,i])/sum(l, exp(W[l,0]))",  # another column
        "log(sum(i, exp(v[i]) + 1))",
        "sum(i, v[i]^2)",
        "sqrt(sum(i, v[i]^3))",
        "mean(i, (v[i] - mean(i, 2*v[i]))^2)",
        "sum(i, (v[i] - mean(i, v[i]))^2)/size(k)",  # divided by another size
        "mean(b, i, (x[b,i] - mean(i, x[b,i]))^2)",  # about the mean of each row
    ],
)
def test_what_is_nearly_so_keeps_its_form(names, near_miss: str) -> None:
    expression = parse_expression(near_miss, names)
    assert spelled(expression, WORDS) == expression


def test_bound_names_do_not_hide_a_softmax(names) -> None:
    for written, shown in (
        ("exp(W[k,i])/sum(l, exp(W[l,i]))", "softmax(k, W[k,i])"),
        (
            "exp(v[i] + log(exp(2*v[i])/sum(j, exp(2*v[j]))))"
            "/sum(j, exp(v[j] + log(exp(2*v[j])/sum(i, exp(2*v[i])))))",
            "softmax(i, v[i] + log(softmax(i, 2*v[i])))",
        ),
        ("2*exp(v[i])*exp(W[k,i])/sum(j, exp(v[j]))^2", "2*softmax(i, v[i])*exp(W[k,i])/sum(j, exp(v[j]))"),
        ("sum(k, exp(W[k,0])*d[b,k])/sum(k, exp(W[k,0]))", None),
    ):
        expression = parse_expression(written, names)
        assert text(spelled(expression, WORDS)) == (shown or text(expression))


CLASSIFIER = """
index b : B
index k : K
index i : I
input x[b,i]
target d[b,k]
param W[k,i]
fact sum(k, d[b,k]) == 1
u[b,k] = sum(i, W[k,i]*x[b,i])
p[b,k] = {softmax}
loss E = -mean(b, sum(k, d[b,k]*log(p[b,k])))
"""
ATTENTION = """
index t, s : T
index e : E
param Q[t,e], K[t,e], V[t,e]
input w[t,e]
S[t,s] = sum(e, Q[t,e]*K[s,e])/sqrt(size(e))
A[t,s] = {softmax}
loss L = sum(t, e, w[t,e]*sum(s, A[t,s]*V[s,e]))
"""


@pytest.mark.parametrize(
    ("model", "short", "written"),
    [
        (CLASSIFIER, "softmax(k, u[b,k])", "exp(u[b,k])/sum(k, exp(u[b,k]))"),
        (ATTENTION, "softmax(s, S[t,s])", "exp(S[t,s])/sum(s, exp(S[t,s]))"),
    ],
)
def test_both_spellings_have_one_closed_form(model: str, short: str, written: str) -> None:
    by_name, out = (sb.loads(model.format(softmax=each)).derive() for each in (short, written))
    assert by_name.result_text() == out.result_text()
    assert f"= {short}" in by_name.text() and written not in by_name.text()
    assert f"= {written}" in out.text() and "softmax" not in out.text()
    assert by_name.model.system.shorthands - out.model.system.shorthands == {"softmax"}


def test_softmax_and_cross_entropy_in_one_line_give_p_minus_d() -> None:
    loss = "loss E = -mean(b, sum(k, d[b,k]*log(softmax(k, sum(i, W[k,i]*x[b,i])))))\n"
    declared, _ = CLASSIFIER.split("u[b,k] =")
    derivation = sb.loads(declared + loss).derive()
    assert "(softmax(k, u_E[b,k]) - d[b,k])/size(b)" in derivation.result_text()
    assert r"\operatorname{softmax}_{k}" in derivation.result_latex()
    (named, line, *_) = json.loads(derivation.result_json())["result"]
    assert named["right"] == "sum(i, W[k,i]*x[b,i])"
    assert line["right"] == "(softmax(k, u_E[b,k]) - d[b,k])/size(b)"
    code = derivation.to_numpy(verify=False)
    assert "# delta_u_E[b,k] = (softmax(k, u_E[b,k]) - d[b,k])/size(b)" in code
    assert "np.max(u_E" in code  # stable, by the same rules as for the written-out form


@pytest.mark.parametrize(
    ("loss", "gradient"),
    [
        ("loss E = logsumexp(i, v[i])", "softmax(i, v[i])"),
        ("loss E = var(i, v[i])", "2*(v[i] - mean(i', v[i']))/size(i)"),
        ("input softmax\nloss E = softmax + logsumexp(i, v[i])", "exp(v[i])/sum(i', exp(v[i']))"),
    ],
)
def test_a_word_brings_in_the_one_of_its_derivative(loss: str, gradient: str) -> None:
    derivation = sb.loads(f"index i : I\nparam v[i]\n{loss}\n").derive()
    assert derivation.result_text().startswith(f"dE/dv[i] = {gradient}\n")


def test_the_gradient_of_a_norm_is_the_unit_vector() -> None:
    derivation = sb.loads("index i : I\nparam v[i]\nloss E = norm(i, v[i])\n").derive()
    assert str(derivation.gradients["v"]) == "dE/dv[i] = v[i]/norm(i', v[i'])" or (
        str(derivation.gradients["v"]) == "dE/dv[i] = v[i]/E"
    )


EVERY_WORD = """
index i : I
index k, l : K
param W[k,i]
input x[i], c[k]
q[k] = softmax(k, sum(i, W[k,i]*x[i]) + 100*c[k])
loss E = var(k, q[k]) + logsumexp(k, i, W[k,i]) + sum(k, l, softmax(l, c[l]*W[k,0])*norm(i, W[l,i]))
"""


@pytest.mark.parametrize("sizes", [{"I": 1, "K": 3}])
def test_every_word_before_every_judge(sizes: dict[str, int]) -> None:
    judge(EVERY_WORD, sizes=sizes, steps=False)


def test_a_model_is_printed_with_its_words_and_read_again() -> None:
    system = parse_system(EVERY_WORD)
    shown = system_text(system)
    assert all(f"{word}(" in shown for word in WORDS) and "sum(k, exp(" not in shown
    again = parse_system(shown)
    assert again.equations == system.equations and again.shorthands == system.shorthands


def test_a_model_may_give_the_words_to_names_of_its_own() -> None:
    system = parse_system("index i : I\nparam norm[i]\nvar = mean(i, norm[i]^2)\nloss E = var\n")
    assert set(system.tensors) == {"norm", "var", "E"}
    own = parse_system("param a\nfunc norm(u) = u^2\nloss E = norm(a)\n")
    assert text(own.definitions["E"].expression) == "a^2"


@pytest.mark.parametrize(
    ("formula", "cause", "remedy"),
    [
        ("softmax(v[0])", "'softmax' needs an index to run over and a body", "write softmax(i, ...)"),
        ("softmax(k, c[k])", "index not summed: 'k'", "sum over it"),
        ("sofmax(i, v[i])", "unknown function 'sofmax'", "did you mean 'softmax'?"),
        ("norm(v[i], v[i])", "'norm' runs over indices, and this is not one", "write norm(i, ...)"),
        ("var(i, i, v[i])", "'var' runs over 'i' twice", "name each index once"),
        ("logsumexp + 1", "'logsumexp' is a function and needs arguments", "write logsumexp(...)"),
        ("norm[0]", "'norm' is a function and has no positions", "call it: norm(...)"),
    ],
)
def test_messages(formula: str, cause: str, remedy: str) -> None:
    declared = "index i : I\nindex k : K\nparam v[i]\ninput c[k]\n"
    with pytest.raises(sb.NotationError) as caught:
        parse_system(f"{declared}loss E = {formula}\n")
    assert cause in caught.value.cause and remedy in caught.value.remedy


def test_a_tensor_of_that_name_is_no_function() -> None:
    with pytest.raises(sb.NotationError, match="'var' is a tensor, not a function"):
        parse_system("index i : I\nparam v[i], var\nloss E = var(i, v[i])\n")


WAVE = "index n : N\nparam a\ninput x[n], y[n]\nu[n] = sin(a*x[n])*y[n]^2\nloss E = sum(n, {}^2)\n"


def test_a_derivative_of_an_order() -> None:
    short, nested = (
        parse_system(WAVE.format(each))
        for each in (
            "diff(diff(u[n], x[n], 3), y[n])",
            "diff(diff(diff(diff(u[n], x[n]), x[n]), x[n]), y[n])",
        )
    )
    assert short.equations == nested.equations
    assert "diff(diff(u[n], x[n], 3), y[n])" in system_text(short)
    assert ", 3)" not in system_text(nested)
    derivation = sb.loads(WAVE.format("diff(u[n], x[n], 3)")).derive()
    assert r"\frac{\partial^{3} u_{n}}{\partial \left(x_{n}\right)^{3}}" in derivation.latex()
    module = derivation.module()
    loss = module.loss({"a": np.array(2.0)}, x=np.array([0.5]), y=np.array([3.0]))
    np.testing.assert_allclose(loss, (-8 * np.cos(1.0) * 9) ** 2, rtol=1e-14)


@pytest.mark.parametrize("order", ["0", "-1", "1/2", "n", "11", "2.0", "10000000"])
def test_an_order_is_a_small_whole_number(order: str) -> None:
    with pytest.raises(sb.NotationError, match="the order of a derivative is a whole number from 1 to 10"):
        parse_system(WAVE.format(f"diff(u[n], x[n], {order})"))


def test_every_word_has_a_definition() -> None:
    assert DEFINITIONS.keys() == SHORTHANDS


def test_a_remainder_of_real_numbers_is_what_its_floor_leaves() -> None:
    text = "index n : N\nparam x[n], m\nloss E = sum(n, mod(x[n] + pi, 2*m)^2)\n"
    model = sb.loads(text)
    assert model.text().endswith("loss E = sum(n, (x[n] + pi - 2*m*floor(1/2*(x[n] + pi)/m))^2)\n")
    module = load_module(model.derive().to_numpy(), "turns")
    values = {"x": np.array([4.0, -9.5, 0.25]), "m": np.array(3.0)}
    loss, gradients = module.value_and_grad(values)
    rest = np.mod(values["x"] + np.pi, 6.0)
    np.testing.assert_allclose(loss, np.sum(rest**2))
    np.testing.assert_allclose(gradients["x"], 2 * rest)
    np.testing.assert_allclose(gradients["m"], -4 * np.sum(rest * np.floor((values["x"] + np.pi) / 6.0)))


def test_the_place_of_a_minimum_is_printed_by_its_word() -> None:
    text = "index n : N\nindex k : K\ninput x[n,k]\nparam w[k]\nloss E = sum(n, min(k, x[n,k]*w[k]))\n"
    derivation = sb.loads(text).derive()
    assert "argmin(k', x[n,k']*w[k'])" in str(derivation.gradients["w"])
