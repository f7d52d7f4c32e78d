"""The help of commands is in the reader's language, and no line of it is wider than the terminal."""

import re

import pytest
import typer

from symbackprop.cli.application import COMMANDS, application
from symbackprop.cli.main import run
from symbackprop.languages.catalogues import catalogue
from symbackprop.languages.columns import columns
from symbackprop.languages.language import Language
from tests.languages.known import known_messages

ENGLISH = re.compile(r"[A-Za-z]{2,} [a-z]{2,}")
OF_TYPER = re.compile(r"symbackprop \w+|<[^>]*>")  # the usage, and types such as <int range>
LANGUAGE_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG", "LANGUAGE")


def texts_of_help(command):
    """Every paragraph and every parameter's help that a command shows."""
    paragraphs = (command.help or "").split("\n\n")
    yield from (" ".join(each.split()) for each in paragraphs if not each.startswith(" "))
    with typer.main.get_command(application([])).make_context(
        "symbackprop", [], resilient_parsing=True
    ) as ctx:
        yield from (parameter.help for parameter in command.get_params(ctx) if parameter.help)


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_every_text_of_help_is_a_message_with_its_translation(name):
    whole = typer.main.get_command(application([]))
    command = whole.commands[name] if name else whole
    known, translations = known_messages(), catalogue(Language.JAPANESE).messages
    texts = list(texts_of_help(command))
    assert texts and not [text for text in texts if text not in known or text not in translations]


@pytest.mark.parametrize("name", ["", *COMMANDS])
@pytest.mark.parametrize("width", [60, 100])
def test_help_leaves_nothing_in_english(name, width, monkeypatch, capsys):
    for variable in LANGUAGE_VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("LANG", "ja_JP.UTF-8")
    monkeypatch.setenv("COLUMNS", str(width))
    assert run([*([name] if name else []), "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    own = [line for line in lines if not line.startswith("  symbackprop ")]
    assert not [line for line in own if ENGLISH.search(OF_TYPER.sub("", line))]
    assert all(columns(line) <= width for line in own if not line.isascii())


def test_help_is_asked_for_in_a_language(monkeypatch, capsys):
    for variable in LANGUAGE_VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    assert run(["derive", "--lang", "ja", "--help"]) == 0
    assert "使い方: symbackprop derive" in capsys.readouterr().out
    assert run(["derive", "--help"]) == 0
    assert "\nUsage: symbackprop derive" in capsys.readouterr().out
