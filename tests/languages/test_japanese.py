"""Lessons and explanations in Japanese: nothing is left in English, the formulas stay, LuaLaTeX sets them."""

import json
import os
import re
import shutil
import subprocess

import pytest

from symbackprop import load, loads
from symbackprop.accuracy.report import DigitsReport, DigitsRow
from symbackprop.auditing.equality.claims import audit_claims
from symbackprop.cli.digits import print_digits
from symbackprop.cli.main import run
from symbackprop.errors import LanguageError
from symbackprop.explanation.blocks import Note, Step, Table
from symbackprop.explanation.sections import explanation_page
from symbackprop.explanation.text import page_text
from symbackprop.languages.columns import columns, is_wide
from symbackprop.languages.language import Language
from symbackprop.lesson.document import Chain, Document, Heading, Paragraph
from symbackprop.lesson.lesson import derivation_document
from symbackprop.lesson.text import document_text
from symbackprop.pages.page import derivation_html
from tests.explanation.explained import explained
from tests.lesson.test_latex_documents import assert_set_by
from tests.models.examples import EXAMPLES, derivation

JAPANESE = Language.JAPANESE
NAMES = ("seed", "exercise", "two_paths", "relu")
ENGLISH_WORDS = re.compile(r"[A-Za-z]{2,} [a-z]{2,}")
SYMMETRIC = """
index i, j : I
index k : K
param A[i,k], s[i]
S[i,j] = s[i]*s[j] + sum(k, A[i,k]*A[j,k])
loss E = logdet(S)
"""
# A derivative inside the model: it has a lesson of its own.
SLOPE = """
index i : I
param w[i]
y = sum(i, w[i]^2)
g[i] = diff(y, w[i])
loss E = sum(i, g[i]^3)
"""


def words_of(document):
    for block in document.blocks:
        match block:
            case Heading(_, sentence) | Paragraph(sentence) | Note(sentence):
                yield from sentence
            case Chain(_, links):
                for reason in (link.reason for link in links if link.reason):
                    yield from (reason.rule, *(part for statement in reason.statements for part in statement))
            case Table(headings, rows):
                yield from (*headings, *(part for row in rows for cell in row for part in cell))
            case Step(remarks=remarks):
                yield from (part for remark in remarks for part in remark)


def english_in(document) -> list[str]:
    words = [part for part in (document.title, *words_of(document)) if isinstance(part, str)]
    return [part for part in words if ENGLISH_WORDS.search(part)]


@pytest.mark.parametrize("name", NAMES)
def test_a_lesson_leaves_nothing_in_english(name):
    document = derivation_document(derivation(name).derivation, language=JAPANESE)
    assert document.language is JAPANESE and not english_in(document)


@pytest.mark.parametrize("name", ["seed", "recurrent", "pooled", "branches", "nearest"])
def test_an_explanation_leaves_nothing_in_english(name):
    assert not english_in(explanation_page(explained(name), JAPANESE))


def test_the_lesson_of_an_inner_derivative_leaves_nothing_in_english():
    assert not english_in(derivation_document(loads(SLOPE).derive().derivation, language=JAPANESE))


def test_the_check_sees_english():
    assert english_in(derivation_document(derivation("seed").derivation))
    assert english_in(explanation_page(explained("seed")))


def formulas(document: Document) -> list[object]:
    return [block for block in document.blocks if not isinstance(block, Heading | Paragraph | Chain)]


@pytest.mark.parametrize("name", NAMES)
def test_only_the_words_differ(name):
    ours, theirs = (derivation_document(derivation(name).derivation, language=each) for each in Language)
    assert [type(block) for block in ours.blocks] == [type(block) for block in theirs.blocks]
    assert formulas(ours) == formulas(theirs)
    for our, their in zip(ours.blocks, theirs.blocks, strict=True):
        if isinstance(our, Chain):
            assert [link.expression for link in our.links] == [link.expression for link in their.links]
        elif isinstance(our, Heading | Paragraph):
            shown = [[part for part in each.sentence if not isinstance(part, str)] for each in (our, their)]
            assert set(shown[0]) == set(shown[1])


@pytest.mark.parametrize("width", [60, 100])
def test_no_line_is_wider_than_the_page(width):
    document = derivation_document(derivation("seed").derivation, language=JAPANESE)
    pages = (document_text(document, width), page_text(explanation_page(explained("seed"), JAPANESE), width))
    for line in "".join(pages).splitlines():
        # What is ASCII is a formula, code or a number, and wraps as in English.
        assert columns(line) <= width or not any(map(is_wide, line)), line


def test_what_makes_a_matrix_symmetric_is_said():
    text = derivation_document(loads(SYMMETRIC).derive().derivation, language=JAPANESE)
    assert "(定義による)" in document_text(text)


def test_a_page_says_its_language():
    module = explained("seed").computations.module
    japanese = derivation_html(explained("seed").derivation, module, language=JAPANESE)
    assert '<html lang="ja">' in japanese and "連鎖律" in japanese and "The code" not in japanese
    assert "fold all" not in japanese and json.dumps("すべて閉じる") in japanese
    assert '<html lang="en">' in derivation_html(explained("seed").derivation, module)


@pytest.mark.parametrize(
    ("options", "environment", "is_japanese"),
    [
        ((), {"LANG": "ja_JP.UTF-8"}, True),
        ((), {"LANG": "en_US.UTF-8"}, False),
        (("--lang", "en"), {"LANG": "ja_JP.UTF-8"}, False),
        (("--lang", "ja"), {"LANG": "C"}, True),
        (("--lang", "ja", "--format", "json"), {}, False),
        (("--lang", "ja", "--result"), {}, False),
    ],
)
def test_the_language_of_the_command(options, environment, is_japanese, monkeypatch, capsys):
    for name in ("LC_ALL", "LC_MESSAGES", "LANG", "LANGUAGE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert run(["derive", str(EXAMPLES / "seed.model"), *options]) == 0
    shown = capsys.readouterr().out
    assert ("連鎖律" in shown) is is_japanese and shown.isascii() is not is_japanese


def test_an_unknown_language_is_refused(capsys):
    assert run(["derive", str(EXAMPLES / "seed.model"), "--lang", "tlh"]) == 2
    assert "--lang" in capsys.readouterr().err


LUALATEX = shutil.which("lualatex")


def is_set_in_japanese() -> bool:
    if LUALATEX is None:
        return False
    found = subprocess.run(["kpsewhich", "luatexja-preset.sty"], capture_output=True)
    return found.returncode == 0


@pytest.mark.skipif(
    not is_set_in_japanese(),
    reason="LuaLaTeX with LuaTeX-ja is not on this machine (Debian's texlive-lang-japanese: make tools)",
)
def test_lualatex_sets_it_and_nothing_runs_off_the_page(tmp_path):
    assert_set_by(LUALATEX, derivation("two_paths").latex(lang="ja"), tmp_path)
    assert os.path.getsize(tmp_path / "document.pdf") > 0


def test_a_japanese_document_names_its_engine():
    text = derivation("seed").latex(lang="ja")
    assert text.startswith("% !TeX program = lualatex\n") and "luatexja" in text
    assert derivation("seed").latex().isascii()


CLAIM = ("audit", str(EXAMPLES / "seed.model"), "--claim", "dE/db2[k] = sum(b, delta2[b,k]) + b2[k]")


@pytest.mark.parametrize(("lang", "shown"), [("ja", "調べ方"), ("en", "How")])
def test_an_audit_is_a_page_in_the_language(lang, shown, capsys):
    assert run([*CLAIM, "--format", "html", "--lang", lang]) == 1
    assert f"<h2>{shown}</h2>" in capsys.readouterr().out


def test_verdicts_and_json_of_an_audit_have_one_language(capsys):
    found = []
    for options in (("--format", "json", "--lang", "ja"), ("--format", "json"), ("--lang", "ja")):
        assert run([*CLAIM, *options]) == 1
        found.append(capsys.readouterr().out)
    assert found[0] == found[1] and found[0].isascii()
    assert found[2].splitlines()[0] == "seed: WRONG" and "正しくは: dE/db2[k] = " in found[2]


WRONG = (
    "dE/db2[k] = -sum(b, delta2[b,k])",
    "dE/db2[k] = 2*sum(b, delta2[b,k])",
    "dE/db2[k] = sum(b, y[b,k])",
    "dE/db2[k] = 0",
    "dE/db1[j] = sum(b, delta1[b,j])*size(b)",
)


def test_the_findings_of_an_audit_leave_nothing_in_english():
    report = audit_claims(load(EXAMPLES / "seed.model").system, WRONG)
    assert len(report.findings) == len(WRONG)
    assert not [line for line in report.text("ja").splitlines() if ENGLISH_WORDS.search(line)]
    assert [line for line in report.text().splitlines() if ENGLISH_WORDS.search(line)]


def test_a_check_is_said_in_the_language_and_its_verdicts_stay(capsys):
    assert run(["check", str(EXAMPLES / "seed.model"), "--lang", "ja", "--budget", "1s"]) == 0
    table, talk = capsys.readouterr()
    assert table.splitlines()[0].split() == ["テンソル", "比較の相手", "最大の相対誤差"]
    assert not [line for line in (table + talk).splitlines() if ENGLISH_WORDS.search(line)]
    assert " ok" in table and talk.splitlines()[-1] == "勾配は一致する"


def test_the_digits_are_said_in_the_language(capsys):
    report = DigitsReport("seed", 0, {"B": 2}, ("plain",), (DigitsRow("W1", "float32", "plain", 1e-7, 1e-7),))
    assert print_digits(report, "ja") == 0
    table, talk = capsys.readouterr()
    assert "書かれたとおり" in table and talk.endswith("連鎖律と同じである\n")


@pytest.mark.parametrize(
    ("equations", "way"),
    [("y[i] = y[i]*x[i]", "y → y"), ("y[i] = z[i]\nz[i] = w[i]\nw[i] = y[i]*x[i]", "y → z → w → y")],
)
def test_a_circle_is_a_whole_sentence(equations, way, tmp_path, capsys):
    model = tmp_path / "circle.model"
    model.write_text(f"index i : I\nparam x[i]\n{equations}\nloss E = sum(i, y[i])\n")
    assert run(["derive", str(model), "--lang", "ja"]) == 2
    assert f"等式が循環して依存している (矢印の左には右が要る): {way}\n" in capsys.readouterr().err


def test_an_error_is_said_in_the_language(capsys):
    assert run(["audit", str(EXAMPLES / "seed.model"), "--claim", "W1 + 2", "--lang=ja"]) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("エラー: 主張 'W1 + 2' は等式でない\n対処: ")
    with pytest.raises(LanguageError, match="is no equation\nremedy: write it as"):
        audit_claims(load(EXAMPLES / "seed.model").system, ["W1 + 2"])
