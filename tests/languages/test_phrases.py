"""Phrases, the catalogue's format, languages of an environment, and columns of a terminal."""

import copy
import json
import pickle
from io import BytesIO

import pytest

from symbackprop.languages.catalogues import PortableCatalogue, catalogue
from symbackprop.languages.columns import columns, padded, wrapped
from symbackprop.languages.extraction import messages_in
from symbackprop.languages.language import Language, language_asked, language_of
from symbackprop.languages.phrases import in_language, phrase, text_in, worded
from symbackprop.notation.expressions import Element

ENGLISH, JAPANESE = Language.ENGLISH, Language.JAPANESE


def test_a_phrase_holds_what_a_page_shows():
    words = phrase("{root} does not depend on {tensor}.", root=Element("E"), tensor=Element("W"))
    assert in_language(words, ENGLISH) == (Element("E"), " does not depend on ", Element("W"), ".")
    assert in_language(words, JAPANESE) == (Element("E"), " は ", Element("W"), " に依存しない。")


def test_phrases_stand_within_phrases():
    both = phrase("{before} and {last}", before=phrase("a scalar"), last=("f", 2, phrase("nothing")))
    assert text_in(both, ENGLISH) == "a scalar and f2nothing"
    assert text_in(both, JAPANESE) == "スカラー、f2なし"
    assert in_language((), JAPANESE) == () and in_language("row", JAPANESE) == ("row",)


def test_braces_of_a_message_without_parts_are_its_own():
    assert text_in(phrase("$a_{p}$ and {x}"), ENGLISH) == "$a_{p}$ and {x}"


def test_what_a_catalogue_lacks_stays_english():
    assert text_in(phrase("no such {thing}", thing="message"), JAPANESE) == "no such message"


PO = r"""
msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\n"

#: here
msgid "plain"
msgstr "簡単"

#, fuzzy
msgid "guessed"
msgstr "推測"

msgid ""
"two "
"lines\n"
msgstr ""
"二"
"行\n"

msgid "empty"
msgstr ""

#~ msgid "gone"
#~ msgstr "消えた"
"""


def test_a_catalogue_is_read_as_gettext_reads_it():
    read = PortableCatalogue(BytesIO(PO.encode()))
    assert read.gettext("plain") == "簡単" and read.gettext("two lines\n") == "二行\n"
    assert [read.gettext(each) for each in ("guessed", "empty", "gone", "")] == [
        "guessed",
        "empty",
        "gone",
        "",
    ]
    assert read.messages.keys() == {"plain", "two lines\n", "empty"}
    assert catalogue(ENGLISH).gettext("The model") == "The model"


@pytest.mark.parametrize("text", ['msgid "open', "# no message\nmsgstr x", '"nowhere"'])
def test_what_is_no_catalogue_is_refused(text):
    with pytest.raises(ValueError, match="no line of a catalogue"):
        PortableCatalogue(BytesIO(text.encode()))


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, ENGLISH),
        ({"LANG": "ja_JP.UTF-8"}, JAPANESE),
        ({"LANG": "ja"}, JAPANESE),
        ({"LANG": "ja_JP.UTF-8", "LC_ALL": "C"}, ENGLISH),
        ({"LANG": "ja_JP.UTF-8", "LC_ALL": "C.UTF-8", "LANGUAGE": "ja"}, ENGLISH),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "ja_JP.UTF-8"}, JAPANESE),
        ({"LANG": "ja_JP.UTF-8", "LC_ALL": ""}, JAPANESE),
        ({"LANG": "de_DE.UTF-8"}, ENGLISH),
        ({"LANG": "de_DE.UTF-8", "LANGUAGE": "de:ja:en"}, JAPANESE),
        ({"LANG": "ja_JP.UTF-8", "LANGUAGE": "en_GB"}, ENGLISH),
        ({"LANGUAGE": "ja"}, ENGLISH),
        ({"LANG": "jam_JM.UTF-8"}, ENGLISH),
    ],
)
def test_the_language_of_an_environment(environment, language):
    assert language_of(environment) is language


def test_a_japanese_letter_has_two_columns():
    assert [columns(text) for text in ("", "abc", "連鎖律", "z1 の定義")] == [0, 3, 6, 9]
    assert padded("形状", 6) == "形状  " and padded("形状", 6, to_the_right=True) == "  形状"


def test_lines_break_between_japanese_letters_but_not_before_what_closes():
    assert wrapped("連鎖律、和。", 6, "", "") == ["連鎖", "律、", "和。"]
    assert wrapped("「和」と積", 6, "", "") == ["「和」", "と積"]
    assert wrapped("パーツ", 2, "", "") == ["パー", "ツ"]
    assert wrapped("y - d を delta2 と書く", 12, "* ", "  ") == ["* y - d を", "  delta2 と", "  書く"]
    assert all(columns(line) <= 20 for line in wrapped("誤差逆伝播法では dE/dW2[k,j] を求める。" * 4, 20))


@pytest.mark.parametrize("text", ["only j' = j", "添字は j' = j"])
def test_no_line_ends_at_a_no_break_space(text):
    glued = text.replace("j' = j", "j'\u00a0=\u00a0j")
    for width in range(4, 16):
        lines = wrapped(glued, width)
        assert any("j' = j" in line for line in lines) and "".join(lines).replace(" ", "").endswith("j'=j")


@pytest.mark.parametrize(
    ("title", "said"),
    [("every parameter", "m: すべてのパラメータに関する E の勾配"), ("W1", "m: W1 に関する E の勾配")],
)
def test_no_space_stands_between_japanese_letters(title, said):
    words = phrase(
        "{model}: the gradient of {loss} with respect to {asked}", model="m", loss="E", asked=phrase(title)
    )
    assert text_in(words, Language.JAPANESE) == said


@pytest.mark.parametrize("width", [7, 12, 30])
def test_ascii_is_wrapped_as_ever(width):
    assert wrapped("the chain rule in one-variable form", width, "- ", "  ")[0].startswith("- the")
    assert (
        " ".join(line.strip("- ") for line in wrapped("the chain rule", width, "- ", "  "))
        == "the chain rule"
    )


def test_extraction_reads_what_is_marked_and_nothing_else():
    source = (
        'phrase("a " "b {c}", c=1)\nX = marked("d")\nphrase(X)\nprint("e")\nself.phrase("f")\nReason("g", ())'
    )
    assert list(messages_in(source)) == ["a b {c}", "d", "g"]


def test_a_message_is_its_english_and_knows_more():
    said = worded("{what} has the wrong sign", what="dW")
    whole = worded("line {line}: {sentence}", line=7, sentence=said)
    assert whole == "line 7: dW has the wrong sign" and json.dumps(whole) == f'"{whole}"'
    assert text_in(whole, JAPANESE) == "7 行目: dW の符号が逆である"
    assert text_in(f"{whole}!", JAPANESE) == f"{whole}!"


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))])
def test_a_copy_of_a_message_knows_its_phrase(copied):
    said = copied(worded("gradient with respect to {name}", name="W"))
    assert said == "gradient with respect to W" and text_in(said, JAPANESE) == "W に関する勾配"


@pytest.mark.parametrize(
    ("arguments", "language"),
    [
        (["derive", "--lang", "ja"], JAPANESE),
        (["--lang=ja", "derive"], JAPANESE),
        (["derive", "ja"], ENGLISH),
        (["derive", "--lang"], ENGLISH),
        (["derive", "--lang", "tlh"], ENGLISH),
    ],
)
def test_the_language_that_a_command_asks_for(arguments, language):
    assert language_asked(arguments, {}) is language
    assert language_asked(["--lang", "en"], {"LANG": "ja_JP.UTF-8"}) is ENGLISH
