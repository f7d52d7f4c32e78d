"""What a terminal gets beyond a pipe: verdicts in colour, and words that are completed."""

import io
from types import SimpleNamespace

import pytest

from symbackprop.cli import console
from symbackprop.cli.completion import words_of
from symbackprop.cli.main import run
from tests.explanation.explained import EXAMPLES

SEED = str(EXAMPLES / "seed.model")
RED = "\x1b[1;31m"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch):
    """Standard output and standard error as a terminal with colours."""
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    shown = Terminal()
    monkeypatch.setattr(console, "sys", SimpleNamespace(stdout=shown, stderr=shown))
    return shown


# ---- colour


def test_wrong_is_red_and_ok_is_not(terminal):
    rows = [
        ("W1", "complex step", "2.0e+00", "WRONG  1 of 12 elements"),
        ("b1", "complex step", "0.0e+00", "ok"),
    ]
    console.print_table(("tensor", "compared with", "worst>", ""), rows, "en")
    console.say("the gradient DIFFERS")
    console.print_verdicts("seed: WRONG\n  the claimed dE/db2 has the wrong sign\n")
    text = terminal.getvalue()
    assert text.count(RED) == 3
    assert f"{RED}WRONG\x1b[0m  1 of 12 elements" in text and f"the gradient {RED}DIFFERS\x1b[0m\n" in text
    assert f"seed: {RED}WRONG\x1b[0m\n" in text and "\x1b" not in text.splitlines()[2]


def test_names_that_contain_a_verdict_are_none(terminal):
    console.say("WRONGLY un-WRONG WRONG2")
    assert terminal.getvalue() == "WRONGLY un-WRONG WRONG2\n"


def test_no_color_is_respected(terminal, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    console.say("the gradient DIFFERS")
    console.print_table(("", ""), [("W1", "WRONG")], "en")
    assert "31m" not in terminal.getvalue() and "DIFFERS" in terminal.getvalue()


def test_long_lines_are_not_broken_and_brackets_are_no_markup(terminal):
    console.say("[red]" + "x" * 300)
    assert terminal.getvalue() == "[red]" + "x" * 300 + "\n"


def test_a_pipe_gets_plain_text(capsys):
    console.say("the gradient DIFFERS")
    console.print_verdicts("seed: WRONG\n")
    assert capsys.readouterr() == ("seed: WRONG\n", "the gradient DIFFERS\n")


# ---- completion


@pytest.fixture
def completed(monkeypatch, capsys):
    """The words that bash is offered for a line."""

    def completed(line: str) -> list[str]:
        words = line.split(" ")
        monkeypatch.setenv("_SYMBACKPROP_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
        with pytest.raises(SystemExit) as left:
            run([])
        captured = capsys.readouterr()
        assert (left.value.code, captured.err) == (0, "")
        return captured.out.split()

    return completed


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("symbackprop ex", ["explain"]),
        ("symbackprop plot ja", ["jacobian"]),
        (f"symbackprop derive {SEED} --wrt W", ["W1", "W2"]),
        (f"symbackprop derive {SEED} --wrt W1,W", ["W1,W2"]),
        (f"symbackprop check {SEED} --seed 3 --size ", ["B=", "I=", "J=", "K="]),
        (f"symbackprop plot jacobian {SEED} --of z", ["z1"]),
        (f"symbackprop generate {SEED} --wrt z", ["z1"]),
        ("symbackprop catalogue layer_", ["layer_norm"]),
        ("symbackprop derive nowhere.model --wrt ", []),
        ("symbackprop derive - --wrt ", []),
        ("symbackprop derive exa", []),  # and the shell completes files
    ],
)
def test_words_are_completed(completed, line, words):
    assert completed(line) == words


def test_words_of_other_shells():
    line = {
        "_SYMBACKPROP_COMPLETE": "complete_zsh",
        "_TYPER_COMPLETE_ARGS": "symbackprop derive a.model --wr",
    }
    assert words_of(line) == ["derive", "a.model", "--wr"]
    assert words_of({"COMP_WORDS": "symbackprop derive"}) == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_each_shell(capsys, monkeypatch, shell):
    monkeypatch.setenv("_SYMBACKPROP_COMPLETE", f"source_{shell}")
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", "symbackprop rules")  # one command is enough
    with pytest.raises(SystemExit) as left:
        run([])
    assert left.value.code == 0 and "_SYMBACKPROP_COMPLETE=complete_" in capsys.readouterr().out


# ---- one layer of the catalogue


def test_one_layer_of_the_catalogue(capsys):
    assert run(["catalogue", "dense"]) == 0
    section = capsys.readouterr().out
    whole = (EXAMPLES.parent / "docs" / "catalogue.md").read_text(encoding="utf-8")
    assert section.startswith("### dense\n") and section in whole
    assert run(["catalogue", "danse"]) == 2
    assert "did you mean 'dense'?" in capsys.readouterr().err


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_in_a_file_no_line_of_a_table_ends_in_spaces(lang, capsys):
    rows = [("W1", "2.0e+00", "ok"), ("b1", "1", "WRONG" + " and why" * 20)]
    console.print_table(("tensor", "error>", "note"), rows, lang)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) >= 4 and lines[1].endswith("ok") and all(line == line.rstrip() for line in lines)
