"""What Typer and tomllib say is said in our words, whole, in both languages."""

import tomllib

import numpy as np
import pytest

from symbackprop import loads
from symbackprop.cli.main import run
from symbackprop.languages.language import Language
from symbackprop.languages.other_programs import fault_of_toml, in_our_words
from symbackprop.languages.phrases import text_in

LINES = {
    ("derive",): ("Missing argument 'MODEL'.", "引数 'MODEL' がない。"),
    ("derive", "a", "b", "c"): ("extra argument(s) (b c)", "余分な引数がある (b c)"),
    # Of a value that is missing Typer does not know the command.
    ("derive", "a", "--wrt"): (
        "Option '--wrt' requires an argument.",
        "オプション '--wrt' には値が必要である。",
    ),
    ("derive", "a", "--resul"): (
        "No such option: --resul (Possible options: ",
        "(似たもの: ",
    ),
    ("derive", "a", "--steps", "few"): (
        "Invalid value for '--steps': 'few' is not one of 'result', 'main', 'all'.",
        "'--steps' の値が正しくない: 'few' は 'result', 'main', 'all' のいずれでもない。",
    ),
    ("check", "a", "--seed", "x"): ("valid integer", "'--seed' の値が正しくない: 整数ではない"),
    ("undo",): ("No such command 'undo'.", "コマンド 'undo' はない。"),
}


@pytest.mark.parametrize("arguments", LINES, ids=" ".join)
def test_a_wrong_command_line_is_answered_in_both_languages(arguments, capsys, monkeypatch):
    for locale, line, usage in zip(
        ("C", "ja_JP.UTF-8"), LINES[arguments], ("Usage: ", "使い方: "), strict=True
    ):
        monkeypatch.setenv("LC_ALL", locale)
        assert run(arguments) == 2
        said = capsys.readouterr().err
        assert line in said.splitlines()[-1]
        assert "--wrt" in arguments or said.startswith(f"{usage}symbackprop")
        assert "Value error" not in said
    assert not {"Error", "Try", "Usage"} & set(said.replace(":", " ").split())


@pytest.mark.parametrize(
    "text",
    ["a", "a =", "a = [", "a = {b = 1", "a = {b = 1, b = 2}", "[a", "[[a]", "a = 'b", 'a = "\\q"', "a = 1 2",
     "a = 1\na = 2", "[a]\n[a]", "= 1", "a = 1979-99-99T99:99:99", "a = '\x01'"],
)  # fmt: skip
def test_every_fault_of_toml_has_its_words(text):
    with pytest.raises(tomllib.TOMLDecodeError) as caught:
        tomllib.loads(text)
    cause, line, column = fault_of_toml(caught.value)
    assert line >= 1 and column >= 1 and " (at " not in cause
    assert text_in(cause, Language.JAPANESE) != str(cause)


CODE = [
    "np.ones((2, 3)) @ np.ones((2, 3))", "np.ones((2, 3)) + np.ones((3, 2))", "np.sum(np.ones(2), axis=7)",
    "np.ones(2)[5]", "np.ones(6).reshape(4, 2)", "missing + 1", "__import__('no_such_module')",
    "np.dot(np.ones((2, 3)), np.ones((2, 3)))",
    "np.ones(3).__setitem__(slice(None), np.ones(2))",
    "np.ones(2)[0, 0]",
    "np.concatenate([np.ones((2, 3)), np.ones((2, 4))])",
    "np.max(np.ones(0))",
    "np.transpose(np.ones((2, 3)), (0, 1, 2))",
    "np.linalg.inv(np.zeros((2, 2)))",
    "(lambda: [a for a, b in [(1,)]])()",
    "(lambda: [a for a, b in [(1, 2, 3)]])()",
    "None + 1.0",
    "np.no_such_function",
    "np.sum(np.ones(2), axes=0)",
]  # fmt: skip


@pytest.mark.parametrize("code", CODE)
def test_what_an_edited_module_raises_has_its_words(code):
    with pytest.raises(
        (ValueError, LookupError, NameError, ImportError, TypeError, AttributeError)
    ) as caught:
        eval(code, {"np": np})
    said = in_our_words(str(caught.value))
    assert str(said) == str(caught.value).strip()
    assert text_in(said, Language.JAPANESE) != str(said)


def test_what_is_not_known_stays():
    assert in_our_words("something else") == "something else"


def test_a_case_is_said_in_japanese_in_latex_and_on_a_page():
    model = loads("index b : B\ninput x[b]\nparam w\nloss E = sum(b, where(x[b] > 0, w^2*x[b], w))")
    derived = model.derive()
    paper = derived.latex(lang="ja")
    assert r"\text{ のとき}\\" in paper and r"\text{それ以外}" in paper and "otherwise" not in paper
    english = derived.latex()
    assert r"& \text{if } x_{b} > 0 \\" in english and r"\text{otherwise}" in english
