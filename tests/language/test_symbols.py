r"""`param W1[j,i] as "\mathbf{W}^{(1)}"`: how a model says that its tensors are set, in LaTeX alone."""

import pytest

from symbackprop import LanguageError, NotationError, loads
from symbackprop.syntax.latex_symbols import fault_of_symbol
from symbackprop.syntax.limits import LONGEST_SYMBOL

PLAIN = """
index b : B
index i : I
input x[b,i]
target d[b]
param W[i], c
u[b] = sum(i, W[i]*x[b,i]) + c
loss E = sum(b, (u[b] - d[b])^2)
"""
STATED = (
    PLAIN.replace("W[i], c", r'W[i] as "\mathbf{w}", c')
    .replace("target d[b]", 'target d[b] as "t^{*}"')
    .replace("u[b] =", 'u[b] as "a_{o}" =')
    .replace("loss E =", r'loss E as "\mathcal{L}" =')
)


def test_tensors_keep_their_symbols():
    tensors = loads(STATED).system.tensors
    found = {name: tensor.symbol for name, tensor in tensors.items()}
    assert found == {"x": "", "d": "t^{*}", "W": r"\mathbf{w}", "c": "", "u": "a_{o}", "E": r"\mathcal{L}"}
    assert tensors == loads(PLAIN).system.tensors  # they say nothing about what is computed


def test_the_text_can_be_read_again():
    model = loads(STATED)
    again = loads(model.text())
    assert again.text() == model.text() and 'u[b] as "a_{o}" = ' in model.text()
    assert [each.symbol for each in again.system.tensors.values()] == [
        each.symbol for each in model.system.tensors.values()
    ]
    assert r'param W[i] as "\mathbf{w}"' in model.derive().as_system().text()


def test_integers_have_symbols_too():
    text = 'index v : V\nindex n : N\ninput y[n] as "c" in V\nparam C[v]\nloss E = sum(n, C[y[n]])\n'
    model = loads(text)
    assert model.system.tensors["y"].symbol == "c" and 'input y[n] as "c" in V' in model.text()


def test_text_and_code_are_the_same():
    plain, stated = loads(PLAIN).derive(), loads(STATED).derive()
    assert stated.text() == plain.text() and stated.json() == plain.json()

    def code(derived):
        return [line for line in derived.to_numpy(verify=False).splitlines() if "sha256" not in line]

    assert code(stated) == code(plain)


def test_latex_and_markdown_show_them():
    derived = loads(STATED).derive(["W"])
    shown = r"\frac{\partial \mathcal{L}}{\partial \mathbf{w}_{i}}"
    for page in (derived.latex(), derived.result_latex(), derived.markdown(), derived.result_markdown()):
        assert shown in page and "t^{*}_{b}" in page
    assert r"{a_{o}}_{b}" in derived.markdown()
    assert r"\mathsf{V}_{i}" in derived.latex(symbols={"W": r"\mathsf{V}"})  # what is asked for goes first


def test_as_is_still_a_name():
    model = loads("param as\nindex i : I\nparam b[i]\nloss E = as^2*sum(i, b[i])")
    assert model.derive(["as"]).result_text() == "dE/das = 2*as*sum(i, b[i])\n"


@pytest.mark.parametrize(
    ("symbol", "fault"),
    [
        (r"\input{secret}", r"the command \input"),
        (r"\write18{ls}", r"the command \write"),
        ("a$b", "a '$'"),
        ("a%b", "a '%'"),
        ("a#b", "a '#'"),
        (r"a\\b", r"a '\'"),
        ("{a", "braces that do not match"),
        ("a}{", "braces that do not match"),
        (" ", "says nothing"),
        ("{}", "says nothing"),
        ("x" * (LONGEST_SYMBOL + 1), "is longer than"),
    ],
)
def test_what_is_no_symbol_is_refused_where_it_stands(symbol, fault):
    assert fault in fault_of_symbol(symbol)
    with pytest.raises(LanguageError) as refused:
        loads(f'param a as "{symbol}"\nloss E = a^2')
    assert fault in refused.value.cause and refused.value.place.column == 9


def test_two_tensors_do_not_share_a_symbol():
    with pytest.raises(NotationError, match="'a' has this symbol already"):
        loads('param a as "x", b as "x"\nloss E = a*b')


@pytest.mark.parametrize(
    "line", ['loss as "L"', 'param a "x"', "param a as x", 'index i as "j" : I', 'loss E = a as "x"']
)
def test_a_string_stands_behind_as_in_a_declaration_alone(line):
    with pytest.raises(LanguageError):
        loads(f"param a\n{line}\nloss E = a^2")
