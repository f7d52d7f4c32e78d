import pytest

from symbackprop import loads
from symbackprop.typesetting.symbols import symbols_of

LSTM = (
    "Wf",
    "Wi",
    "Uf",
    "bf",
    "bi",
    "Wxh",
    "bxh",
    "lr",
    "ln",
    "u_f",
    "u1",
    "delta_u_f",
    "delta_u1",
    "delta2",
)


def written(name, names, given=()):
    symbol = symbols_of(names, dict(given))[name]
    return symbol.base + (f"^{{{symbol.superscript}}}" if symbol.superscript else "")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Wf", "W^{(f)}"),
        ("bf", "b^{(f)}"),
        ("Wxh", r"W^{(\mathrm{xh})}"),
        ("bxh", r"b^{(\mathrm{xh})}"),
        ("lr", r"\mathrm{lr}"),
        ("delta_u_f", r"\delta^{(u_{\mathrm{f}})}"),
        ("delta_u1", r"\delta^{(u_{1})}"),
        ("delta2", r"\delta^{(2)}"),
    ],
)
def test_a_name_is_read_beside_the_others(name, expected):
    assert written(name, LSTM) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("x_minus_mu", r"(x - \mu)"),
        ("x4_minus_mu5", r"(x^{(4)} - \mu^{(5)})"),
        ("loss_minus_mu", r"\mathrm{loss\_minus\_mu}"),
        ("a_minus_b_minus_c", r"a^{(\mathrm{minus,b,minus,c})}"),
    ],
)
def test_a_name_that_says_it_is_a_difference_is_set_as_one(name, expected):
    assert written(name, (name,)) == expected


def test_a_gradient_bears_the_symbol_of_what_it_is_by():
    names = ("gamma", "grad_gamma", "x", "dx", "dt", "grad_lost")
    assert written("grad_gamma", names) == r"\nabla^{(\gamma)}"
    assert written("dx", names) == r"\mathrm{d}x"
    assert written("dt", names) == r"\mathrm{dt}"
    assert "nabla" not in written("grad_lost", names)


def test_a_small_number_is_an_epsilon_unless_another_is():
    assert written("eps", ("v", "eps")) == r"\varepsilon"
    assert written("eps", ("epsilon", "eps")) == r"\mathrm{eps}"


@pytest.mark.parametrize(
    "names", [LSTM, ("eps", "epsilon"), ("Wf", "W_f"), ("W_f", "Wf"), ("delta_u1", "u1", "delta_u_1", "u_1")]
)
def test_different_names_have_different_symbols(names):
    assert len({written(name, names) for name in names}) == len(names)


def test_what_the_model_states_is_taken_as_it_stands():
    given = {"W1": r"\mathbf{W}", "bq": "W^{(f)}"}
    assert written("W1", ("W1", "bq", "Wf"), given.items()) == r"\mathbf{W}"
    assert written("Wf", ("W1", "bq", "Wf"), given.items()) == r"\mathrm{Wf}"


def test_markdown_and_latex_results_read_names_beside_one_another():
    gate = "index j : J\nparam Wf[j], bf[j]\nuf[j] = Wf[j]*bf[j]\nloss E = sum(j, tanh(uf[j])*bf[j])\n"
    derived = loads(gate).derive()
    for shown in (derived.result_markdown(), derived.result_latex(), derived.markdown()):
        assert r"W^{(f)}_{j}" in shown and r"\mathrm{Wf}" not in shown and r"\mathrm{delta" not in shown
