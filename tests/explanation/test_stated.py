"""What an explanation says of the model before it explains anything."""

from symbackprop import explain, load, loads
from symbackprop.explanation.blocks import Step
from symbackprop.explanation.sections import explanation_page
from symbackprop.explanation.stated import inputs_left_out
from symbackprop.explanation.text import page_text
from symbackprop.lesson.text import formula_text
from tests.explanation.explained import EXAMPLES, explained

LOOKED_UP = """
index n : N
index v : V
input ids[n] in V
input x[n], unread[n]
param C[v]
loss E = sum(n, x[n]*C[ids[n]])
"""


def sentences(name: str) -> str:
    return " ".join(page_text(explanation_page(explained(name))).split())


def test_the_model_stands_in_front():
    shown = sentences("recurrent")
    model, first = (
        shown.index("u[n,t,j] = sum(k, U[j,k]*pad(h[n,t - 1,k])) + x[n,t,j]"),
        "Which line computes",
    )
    axes, sign = (
        shown.index("j and k over J"),
        shown.index("is h[n,t - 1,k] where t - 1 >= 0, and 0 elsewhere."),
    )
    assert model < axes < sign < shown.index(first)
    assert shown.index("those for N = 2, T = 4, J = 3, C = 2") < shown.index(first)


def test_functions_are_given_by_their_formulas_and_a_recurrence_by_its_way():
    assert "sigmoid(f) is 1/(1 + exp(-f))." in sentences("seed")
    gated = "y[n] = silu(x[n]*c)\nloss E = sum(n, exp(tanh(y[n])))"
    shown = " ".join(explain(loads(f"index n : N\ninput x[n]\nparam c\n{gated}", "gated")).text().split())
    assert "silu(f) is f*sigmoid(f)." in shown and "tanh(f) is" not in shown and "exp(f) is" not in shown
    recurrent = sentences("recurrent")
    assert "(backpropagation through time)" in recurrent.partition("What is kept and used again")[0]
    assert "backpropagation through time" not in sentences("seed")


def test_inputs_that_move_the_loss_can_be_asked_for():
    assert inputs_left_out(loads(LOOKED_UP).derive().derivation) == ("x",)
    assert inputs_left_out(loads(LOOKED_UP).derive(["x", "C"]).derivation) == ()
    shown = " ".join(explain(loads(LOOKED_UP, "looked_up")).text().split())
    assert "symbackprop explain looked_up.model --wrt x,C explains dE/dx:" in shown


def test_what_is_asked_for_is_shown_as_the_derivative_that_it_is():
    blocks = explanation_page(explained("normed")).blocks
    steps = {each.tensor: formula_text(each.left) for each in blocks if isinstance(each, Step)}
    assert steps["grad_x"] == "dE/dx[b,c]"
    assert steps["s"] == "s[c]"


def test_a_gradient_that_a_formula_reads_has_its_name_explained():
    normed = explain(load(EXAMPLES / "classics" / "batch_norm.model"), ["x", "gamma", "beta"])
    shown = " ".join(normed.text().split())
    assert "grad_gamma[c] is dE/dgamma[c]." in shown and "grad_beta[c] is dE/dbeta[c]." in shown
    assert "grad_x[b,c] is" not in shown
    assert "grad_W2[k,j] is" not in sentences("seed")


def test_arrays_that_cost_the_same_are_first_to_give_up_together():
    stated = "p[b,i] = exp(v[i]*x[b,i])\nq[b,i] = tanh(w[i]*x[b,i])\nloss E = sum(b, i, p[b,i]*q[b,i])"
    model = loads(f"index b : B\nindex i : I\ninput x[b,i]\nparam v[i], w[i]\n{stated}", "tied")
    shown = " ".join(explain(model).text().split())
    assert "the first to give up is w_times_x or q: either frees 8.2 kB, for 1,024 operations more." in shown
