"""Terminals show formulas and short lines, notebooks set formulas."""

import pickle
from xml.dom.minidom import parseString

import pytest

import symbackprop as sb
from symbackprop.notation.faces import LONGEST, Formula, Summary
from tests.explanation.explained import EXAMPLES

MODEL = sb.load(EXAMPLES / "seed.model")
DERIVED = MODEL.derive(["W2"])
FORMULAS = (
    MODEL.system.equations[0],
    MODEL.system.equations[0].expression,
    *DERIVED.steps,
    DERIVED.gradients["W2"],
)
SUMMARIES = (MODEL, MODEL.system, DERIVED, DERIVED.derivation)


def test_a_line_sums_up_what_has_many_formulas():
    assert repr(MODEL) == str(MODEL) == "<Model seed: 5 equations, 4 parameters>"
    assert repr(MODEL.system) == "<System seed: 5 equations, 4 parameters>"
    assert repr(sb.Sequential([sb.ReLU()], loss="half_squared_error", name="bend")) == (
        "<Sequential bend: 2 equations, 0 parameters>"
    )
    assert repr(sb.loads("param a\nloss E = a^2", "one")) == "<Model one: 1 equation, 1 parameter>"
    assert repr(DERIVED.as_system()) == "<DerivedModel seed: 6 equations, 4 parameters>"
    assert repr(DERIVED) == f"<ModelDerivation seed: 1 gradient, {len(DERIVED.steps)} steps>"
    assert repr(DERIVED.derivation) == f"<Derivation seed: 1 gradient, {len(DERIVED.derivation.steps)} steps>"


def test_a_formula_is_its_own_text():
    equation = MODEL.system.equations[1]
    assert str(equation) == "z1[b,j] = sigmoid(u1[b,j])" and str(equation.expression) == "sigmoid(u1[b,j])"
    assert repr(equation) == "<Equation z1[b,j] = sigmoid(u1[b,j])>"
    gradient = "dE/dW2[k,j] = sum(b, (y[b,k] - d[b,k])*z1[b,j])"
    assert str(DERIVED.gradients["W2"]) == gradient
    assert repr(DERIVED.gradients) == f"{{'W2': <Gradient {gradient}>}}"


def test_a_step_is_an_equation_and_its_reason():
    step = next(step for step in DERIVED.steps if step.rule.name == "contract delta")
    assert str(step) == f"{step.before} = {step.after}  # contract delta"
    assert repr(step).startswith("<Step contract delta: ")
    assert all(len(repr(step)) <= LONGEST + len(step.rule.name) + len("<Step : >") for step in DERIVED.steps)


def test_lines_of_a_long_model_are_short():
    terms = " + ".join(f"a{n}*x[i]" for n in range(60))
    names = ", ".join(f"a{n}" for n in range(60))
    model = sb.loads(f"index i : I\nparam x[i], {names}\nloss E = sum(i, {terms})")
    assert len(repr(model.system.equations[0])) <= LONGEST + len("<Equation >")
    assert str(model.system.equations[0]) == f"E = sum(i, {terms})"
    assert len(repr(model)) < 60


@pytest.mark.parametrize("value", FORMULAS)
def test_a_notebook_sets_a_formula(value):
    assert value._repr_latex_() == value._repr_markdown_()
    assert value._repr_latex_().startswith(r"$\displaystyle ") and value._repr_latex_().count("$") == 2
    assert parseString(value._repr_html_()).documentElement.tagName == "math"


@pytest.mark.parametrize("value", SUMMARIES)
def test_a_notebook_sets_all_equations(value):
    latex, page = value._repr_latex_(), parseString(value._repr_html_())
    rows = page.getElementsByTagName("mtr")
    assert latex == value._repr_markdown_() and latex.startswith("$$\n\\begin{aligned}")
    assert latex.count("&=") == len(rows) and all(len(row.childNodes) == 3 for row in rows)


def test_a_shorthand_is_shown_by_its_name():
    model = sb.loads("index k : K\nparam u[k]\np[k] = softmax(k, u[k])\nloss E = sum(k, p[k]^2)")
    assert "softmax" in model._repr_latex_() and "softmax" in model._repr_html_()


STATED = sb.loads(
    r"""index b : B
index i : I
input x[b,i]
param w[i] as "\mathbf{w}^{(1)}"
y[b] as "\hat{y}" = sum(i, w[i]*x[b,i])
q[b] = softmax(b, y[b])
loss E = sum(b, q[b]^2)"""
)


def test_single_equations_steps_and_gradients_are_set_in_the_symbols_of_their_model():
    derived = STATED.derive()
    step = next(step for step in derived.steps if "w[i]" in str(step))
    delta = next(each for each in derived.equations if each.tensor == "delta_y")
    for value in (STATED.equations[0], derived.gradients["w"], step):
        assert r"\mathbf{w}^{(1)}" in value._repr_latex_() and "font-weight:bold" in value._repr_html_()
    assert r"\mathbf{w}^{(1)}" in derived.gradients["w"].latex()
    assert r"\delta^{(\hat{y})}" in delta._repr_latex_() and r"\hat{y}" in STATED.equations[1]._repr_latex_()
    assert str(STATED.equations[1]) == "q[b] = softmax(b, y[b])"
    assert repr(STATED.equations[0]) == "<ModelEquation y[b] = sum(i, w[i]*x[b,i])>"


def test_the_sides_of_a_step_are_never_written_alike():
    derived = MODEL.derive()
    hidden = [step for step in derived.derivation.steps if str(step.before) == str(step.after)]
    assert hidden and len(derived.steps) + len(hidden) == len(derived.derivation.steps)
    assert all(str(step.before) != str(step.after) for step in derived.steps)


def test_a_step_keeps_its_symbols_when_it_is_pickled():
    step = STATED.derive().steps[-1]
    again = pickle.loads(pickle.dumps(step))
    assert again == step and again._repr_latex_() == step._repr_latex_()


@pytest.mark.parametrize("kind", [Formula, Summary])
def test_what_nothing_prints_is_skipped(kind):
    assert kind()._repr_latex_() is None and kind()._repr_html_() is None
