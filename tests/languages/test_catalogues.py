"""The catalogues are complete: no message without its translation, no translation without its message."""

import re
import string
import sys
from pathlib import Path

import pytest

from symbackprop.languages.catalogues import catalogue, catalogue_file
from symbackprop.languages.language import Language
from symbackprop.reports.messages import has_words, template
from symbackprop.typesetting.statement_tokens import tokens_of
from tests.languages.known import known_messages, messages_of_rules
from tests.processes import run_within

LANGUAGES = [language for language in Language if language is not Language.ENGLISH]
TRANSLATIONS = {language: catalogue(language).messages for language in LANGUAGES}

ROOT = Path(__file__).parents[2]
MAKE_MESSAGES = re.compile(r"pybabel (update.*?) -D ")  # what `make messages` runs

languages = pytest.mark.parametrize("language", LANGUAGES)


@languages
def test_every_message_has_its_translation(language):
    """`make messages` brings the catalogues up to date; then translate what is empty or fuzzy."""
    missing = [message for message in known_messages() if not TRANSLATIONS[language].get(message)]
    assert not missing


@languages
def test_no_translation_is_stale(language):
    assert TRANSLATIONS[language].keys() <= known_messages().keys()
    text = catalogue_file(language).read_text(encoding="utf-8")
    assert "#~" not in text and "fuzzy" not in text


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


@languages
def test_a_translation_has_the_places_of_its_message(language):
    # LaTeX has braces of its own, and no places; nor have rules.
    with_signs = (each for each in known_messages() if "$" in each)
    for message in known_messages().keys() - {*messages_of_rules(), *with_signs}:
        assert fields(message) == fields(TRANSLATIONS[language][message]), message


def formulas(statement: str) -> set[str]:
    """What every language shares of a statement: signs, numbers and names of one letter."""
    tokens = [token for token in tokens_of(statement) if token.text.isascii() and token.kind != "quoted"]
    return {token.text for token in tokens if not re.fullmatch("[A-Za-z]{2,}|[a;,()]", token.text)}


@languages
def test_the_formulas_of_a_rule_stay_what_they_are(language):
    for message in messages_of_rules():
        if has_words(message) and "=" in message:
            assert formulas(message) == formulas(TRANSLATIONS[language][message]), message


def test_the_template_holds_each_message_once():
    assert template(known_messages()).count("\nmsgid ") == len(known_messages())


@languages
def test_babel_reads_the_same(language):
    pofile = pytest.importorskip("babel.messages.pofile", reason="Babel is an extra of those who translate")
    with catalogue_file(language).open("rb") as file:
        read = pofile.read_po(file)
    assert {each.id: each.string for each in read if each.id} == TRANSLATIONS[language]


@languages
def test_make_messages_changes_nothing(language, tmp_path):
    """A catalogue is as Babel writes it, but for its head: a message that is new shows alone in a diff.

    What fails here is brought up to date by `make messages`.
    """
    pytest.importorskip("babel", reason="Babel is not installed: pip install 'symbackprop[translation]'")
    given = tmp_path / "symbackprop.pot"
    given.write_text(template(known_messages()), encoding="utf-8")
    there = catalogue_file(language).read_text(encoding="utf-8")
    updated = tmp_path / "symbackprop.po"
    updated.write_text(there, encoding="utf-8")
    options = MAKE_MESSAGES.search((ROOT / "Makefile").read_text(encoding="utf-8"))[1].split()
    command = [sys.executable, "-m", "babel.messages.frontend", "-q", *options]
    paths = ["-l", language.value, "-i", str(given), "-o", str(updated)]
    run_within(120, [*command, *paths], check=True)
    assert updated.read_text(encoding="utf-8").partition("\n\n")[2] == there.partition("\n\n")[2]


def test_lines_that_move_within_a_module_change_no_template():
    assert template({"b": ("one.py",), "a": ("one.py", "two.py")}) == template(
        {"a": ("one.py", "two.py"), "b": ("one.py",)}
    )
