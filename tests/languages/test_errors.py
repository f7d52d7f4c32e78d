"""Errors speak the reader's language, to the last part of a cause and of a remedy."""

import ast
import re
from pathlib import Path

import pytest

import symbackprop
from symbackprop import errors
from symbackprop.errors import SymbackpropError
from symbackprop.language.model import parse_system
from symbackprop.languages.extraction import MARKING
from symbackprop.languages.language import Language
from symbackprop.layers.toml_file import parse_toml
from symbackprop.pipeline import loads

PACKAGE = Path(symbackprop.__file__).parent
AXES = "index i : I\nindex j : J\nindex t : T = 4\ninput x[i], h0\nparam W[j,i], b[j]\n"
# What is written the same in every language: code, names in quotes, words of the model language, AST nodes.
CODE = re.compile(
    r"'[^']*'|`[^`]*`|\"[^\"]*\"|\w+\[[^\]]*\]|\w+\([^()]*(\([^()]*\)[^()]*)*\)|--\w+(?: [A-Z]+)?|\w+ : .*$"
)
ENGLISH = re.compile(r"[A-Za-z]{2,} [a-z]{2,}")
SAID = re.compile(r"(index|input|func|fact|param) .*$")

WRONG_MODELS = (
    "",
    AXES + "y = sum(i, x[i]",
    AXES + "y = x[i] x[i]",
    AXES + "y = {x[i]}",
    AXES + "y = x[i] \u00d72",
    AXES + "y =",
    AXES + "y = softmx(i, x[i])",
    AXES + "y = foo(x[i])",
    AXES + "y = sum(i, x[j])",
    AXES + "y[j] = W[i,j]",
    AXES + "y[j] = W[j]",
    AXES + "y[j] = x[i]",
    AXES + "y = sum(k, x[k])",
    AXES + "y = sigmoid(x, x)",
    AXES + "index q : Q = x\n",
    "index a : AA = BB\nindex b : BB = AA + 1\nparam x[a]\ny = sum(a, x[a])",
    AXES + "input x[i]\n",
    AXES + "index t2 : T = 5\n",
    AXES + "y[t] = x[t]",
    AXES + "h[t] = h[t-1] + h0",
    AXES + "y[t] = h[t]\nh[t] = y[t]",
    AXES + "input v[t]\ny[t] = v[t+1]",
    AXES + "y[j] = b[j]\nloss E = y[j]",
    AXES + "loss E = h0\nloss F = h0",
    AXES + "y = 1/0",
    AXES + "y = 1e999",
    AXES + "y = where(x[i], 1, 0)",
    AXES + "y = h0 > 1",
    AXES + "y = inv(x)[i,j]",
    AXES + "y = diff(h0 + 1, h0)",
    AXES + "func f(u) = f(u)\ny = f(h0)",
    AXES + "fact h0 > 1",
    AXES + "y = x[mod(h0, 2)]",
    AXES + "y = delta(i, j)",
    AXES + "exp = h0",
    AXES + "__class__ = h0",
    AXES + "index a : A = C + 1",
    AXES + "index a : A = B + 1\nindex c : B = A + 1",
    AXES + 'param V[i] as "\\input{x}"',
)
WRONG_TABLES = (
    "[input]\nsize = 0\n",
    "[input]\nsize = 3\n[[layer]]\nkind = 'dens'\n",
    "[input]\nsize = 3\n[[layer]]\nkind = 'dense'\n",
    "[input]\nsize = 3\n[[layer]]\nkind = 'dense'\nunits = 'a b'\nheads = 3\n",
    "[input]\nsize = 3\n[[layer]]\nkind = 'conv2d'\nunits = 3\nkernel = 2\n",
    "[[layer]]\nkind = 'dense'\nunits = 2\nactivation = 'rel'\n",
    "[inptu]\nsize = 3\n",
)


def english_in(error: SymbackpropError) -> list[str]:
    """Runs of English words in the Japanese cause and remedy; the excerpt of a model is the user's own."""
    said = error.said(Language.JAPANESE).replace(error.place.excerpt() if error.place else "\0", "")
    return [line for line in said.splitlines() if ENGLISH.search(SAID.sub("", CODE.sub("", line)))]


@pytest.mark.parametrize("model", WRONG_MODELS)
def test_an_error_of_a_model_leaves_nothing_in_english(model):
    with pytest.raises(SymbackpropError) as refusal:
        parse_system(model + "\n", "m")
    assert not english_in(refusal.value) and not refusal.value.said(Language.JAPANESE).isascii()
    assert str(refusal.value).isascii() or "\u00d7" in model


@pytest.mark.parametrize("table", WRONG_TABLES)
def test_an_error_of_a_layered_network_leaves_nothing_in_english(table):
    with pytest.raises(SymbackpropError) as refusal:
        parse_toml(table, "n")
    assert not english_in(refusal.value)


@pytest.mark.parametrize("wrt", [["q"], ["n"], []])
def test_an_error_of_a_derivation_leaves_nothing_in_english(wrt):
    model = loads("index i : I\nindex v : V\ninput x[v], n[i] in V\nloss E = sum(i, x[n[i]])\n")
    with pytest.raises(SymbackpropError) as refusal:
        model.derive(wrt)
    assert not english_in(refusal.value)


def test_the_check_sees_english():
    with pytest.raises(SymbackpropError) as refusal:
        parse_system(AXES + "y = foo(x[i])\n", "m")
    refusal.value.remedy = "write something else"
    assert english_in(refusal.value)


def calls_below(folder: Path):
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield path.relative_to(folder), node, getattr(node.func, "id", getattr(node.func, "attr", ""))


def test_no_cause_and_no_remedy_is_a_plain_string():
    """Mypy finds what is no Message; this finds it where mypy is not run."""
    translated = {
        name
        for name, each in vars(errors).items()
        if isinstance(each, type)
        and issubclass(each, SymbackpropError)
        and not issubclass(each, errors.InternalError)
    }
    plain = [
        f"{path}:{call.lineno}"
        for path, call, name in calls_below(PACKAGE)
        if name in translated
        for text in (*call.args[:1], *(word.value for word in call.keywords if word.arg == "remedy"))
        if isinstance(text, ast.Constant | ast.JoinedStr | ast.BinOp)
    ]
    assert not plain


def test_a_marked_message_can_be_extracted():
    """A template is the string that a catalogue has, and never put together."""
    together = [
        f"{path}:{call.lineno}"
        for path, call, name in calls_below(PACKAGE)
        if name in MARKING and call.args and isinstance(call.args[0], ast.JoinedStr | ast.BinOp)
    ]
    assert not together
