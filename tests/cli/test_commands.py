import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from symbackprop.cli import main as entry
from symbackprop.cli.main import run
from symbackprop.version import __version__
from tests.processes import run_within

ROOT = Path(__file__).parent.parent.parent
SEED = str(ROOT / "examples" / "seed.model")
COMMANDS = (
    "derive",
    "generate",
    "latex",
    "check",
    "explain",
    "gallery",
    "plot",
    "schema",
    "catalogue",
    "rules",
)


@pytest.fixture
def call(capsys):
    """Run a command in this process: exit code, standard output, standard error."""

    def call(*arguments):
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def symbackprop(*arguments, **options):
    """Run a command as a user does, in a process of its own."""
    command = [sys.executable, "-c", "from symbackprop.cli.main import main; main()", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("environment", {})}
    return run_within(60, command, env=environment, **{"capture_output": True, **options})


@pytest.fixture
def model(tmp_path):
    """Write a model file."""

    def write(text, name="net.model"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


# ---- help


@pytest.mark.parametrize("command", COMMANDS)
def test_help_opens_with_one_sentence_and_two_examples(call, command):
    code, out, err = call(command, "--help")
    assert (code, err) == (0, "")
    sentence, examples, usage = re.split(r"\n\nFor example:\n\n|\n\nUsage: ", out, maxsplit=2)
    assert sentence.endswith(".") and sentence.count(". ") == 0
    assert len(examples.splitlines()) == 2
    assert all(line.startswith(f"  symbackprop {command}") for line in examples.splitlines())
    assert usage.startswith(f"symbackprop {command}")


def test_help_of_the_whole(call):
    code, out, _ = call("--help")
    assert code == 0
    assert all(f"  {command} " in out for command in COMMANDS)


def test_the_version(call):
    assert call("--version") == (0, f"symbackprop {__version__}\n", "")


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("frobnicate",),
        ("derive",),
        ("derive", SEED, "--format", "pdf"),
        ("derive", SEED, "--nonsense"),
        ("check", SEED, "--seed", "x"),
        ("generate", SEED, "--target", "fortran"),
    ],
)
def test_a_wrong_call(call, arguments):
    code, out, err = call(*arguments)
    assert (code, out) == (2, "") and "Usage: symbackprop" in err and "Traceback" not in err


# ---- derive


def test_derive_prints_the_lesson(call):
    code, out, err = call("derive", SEED, "--wrt", "W2")
    assert (code, err) == (0, "")
    assert "dE/dW2 = (dE/dy)(dy/du2)(du2/dW2)" in out
    assert out.endswith("  dE/dW2[k,j] = sum(b, (y[b,k] - d[b,k])*z1[b,j])\n")


def test_derive_shows_as_many_steps_as_one_asks_for(call):
    whole, main, result = (call("derive", SEED, "--steps", steps)[1] for steps in ("all", "main", "result"))
    assert whole == call("derive", SEED)[1] and len(whole) > len(main) > len(result)
    chain_rule = "  dE/dW1[j,i] = sum(b, j', (dE/du1[b,j'])*(du1[b,j']/dW1[j,i]))  # chain rule\n"
    assert chain_rule in main and "differentiate" not in main
    assert "Kronecker" in whole and "Kronecker" not in main + result
    end = main[main.index("The result") :]
    assert result.endswith(end) and whole.endswith(end) and "chain rule" not in result
    markdown = call("derive", SEED, "--steps", "main", "--format", "markdown")[1]
    assert "## The result" in markdown and len(markdown) < len(
        call("derive", SEED, "--format", "markdown")[1]
    )


def test_what_has_no_steps_to_leave_out_says_so(call):
    code, out, err = call("derive", SEED, "--steps", "main", "--format", "json")
    assert (code, out) == (2, "") and "--steps does not go with --format json" in err


def test_derive_says_how_many_steps_replay(call):
    code, out, err = call("derive", SEED, "--wrt", "W2", "--result", "--verify")
    assert (code, out) == (0, call("derive", SEED, "--wrt", "W2", "--result")[1])
    assert re.fullmatch(r"replayed \d+ steps: (\d+ [a-z ]+(, |\n))+", err)


def test_a_step_that_does_not_replay_ends_with_nothing_written(call, monkeypatch):
    monkeypatch.setattr(
        "symbackprop.rewriting.replay.replays", lambda step, registry: step.rule.name != "contract delta"
    )
    code, out, err = call("derive", SEED, "--wrt", "W2", "--verify")
    assert (code, out) == (3, "")
    assert "a step does not replay: contract delta (sum(i, delta(i,j)*f(i)) = f(j)" in err
    assert "before: " in err and "after: " in err and "Traceback" not in err


def test_derive_by_several_tensors(call):
    one = call("derive", SEED, "--wrt", "W2,b2", "--result")
    assert one == call("derive", SEED, "--wrt", "W2", "--wrt", " b2", "--result")
    assert [line.split("[")[0] for line in one[1].splitlines()] == ["delta2", "dE/dW2", "dE/db2"]


@pytest.mark.parametrize(
    ("format", "start"),
    [("text", "seed: the"), ("latex", r"\documentclass"), ("markdown", "# seed: the"), ("json", "{")],
)
def test_derive_in_every_format(call, format, start):
    code, out, err = call("derive", SEED, "--wrt", "W2", "--format", format)
    assert (code, err) == (0, "") and out.startswith(start) and out.isascii() and out.endswith("\n")


@pytest.mark.parametrize(
    ("format", "start"),
    [
        ("text", "dE/dW2[k,j] = sum("),
        ("latex", "\\begin{align*}\n\\frac{\\partial E}{\\partial W^{(2)}_{kj}} &= \\sum_{b} "),
        ("markdown", "$$\n\\begin{aligned}\n\\frac"),
        ("json", "{"),
    ],
)
def test_the_result_in_every_format(call, format, start):
    code, out, _ = call("derive", SEED, "--wrt", "W2", "--result", "--format", format)
    assert code == 0 and out.startswith(start)
    if format == "json":
        assert json.loads(out)["result"][0]["right"] == "sum(b, (y[b,k] - d[b,k])*z1[b,j])"


def test_standard_input(call, monkeypatch):
    with open(SEED, encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        code, out, err = call("derive", "-", "--wrt", "W2", "--result")
    assert (code, err) == (0, "") and out.startswith("dE/dW2[k,j] = ")


def test_a_narrow_terminal(call, monkeypatch):
    monkeypatch.setenv("COLUMNS", "50")
    lines = call("derive", SEED, "--wrt", "W2")[1].splitlines()
    assert max(len(line) for line in lines) <= 60
    assert sum(len(line) > 50 for line in lines) <= 3


def test_help_in_forty_columns(call, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    for arguments in (("--help",), ("derive", "--help"), ("generate", "--help")):
        lines = call(*arguments)[1].splitlines()
        wide = [line for line in lines if len(line) > 40]
        assert len(lines) > 20 and all(" symbackprop " in line or "<" in line for line in wide)


# ---- files: one way for all commands that write


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("derive", SEED, "--wrt", "b2", "--format", "html"), 0),
        (("derive", SEED, "--result"), 0),
        (("latex", SEED, "--wrt", "b2"), 0),
        (("explain", SEED, "--wrt", "b2", "--format", "json"), 0),
        (("audit", SEED, "--claim", "dE/db2[k] = sum(b, delta2[b,k])", "--format", "html"), 0),
        (("audit", SEED, "--claim", "dE/db2[k] = -sum(b, delta2[b,k])"), 1),
        (("same", SEED, SEED, "--format", "json"), 0),
        (("schema",), 0),
        (("catalogue", "dense"), 0),
    ],
)
def test_to_a_file_and_to_standard_output(call, tmp_path, words, expected):
    path = tmp_path / "written"
    code, out, err = call(*words, "-o", path)
    assert (code, out) == (expected, "") and err.endswith(f"wrote {path}\n")
    code, out, _ = call(*words)
    # `explain` measures times, which differ.
    if words[0] != "explain":
        assert out == path.read_text()
    assert code == expected and len(out) > 20


def test_a_file_that_cannot_be_written_is_said_by_each(call, tmp_path):
    for words in (("derive", SEED, "--result"), ("same", SEED, SEED), ("schema",)):
        code, out, err = call(*words, "-o", tmp_path / "no" / "file")
        assert (code, out) == (2, "") and "mkdir -p" in err


@pytest.mark.parametrize("words", [("derive",), ("latex",), ("explain", "--format", "html")])
def test_a_page_takes_the_place_of_no_model_or_code(call, tmp_path, words):
    path = tmp_path / "net.model"
    path.write_bytes(Path(SEED).read_bytes())
    code, out, err = call(*words, path, "-o", path)
    assert (
        (code, out) == (2, "")
        and "holds a model or code" in err
        and path.read_bytes() == Path(SEED).read_bytes()
    )


def test_a_fragment_is_no_document(call):
    assert "documentclass" not in call("latex", SEED, "--fragment")[1]


def test_the_schema_is_json(call):
    code, out, _ = call("schema")
    assert code == 0 and json.loads(out)["$schema"].startswith("https://json-schema.org/")


# ---- wrong input


WRONG_MODELS = {
    "empty": "",
    "unknown name": "index i : I\ninput x[i]\nloss E = sum(i, y[i])\n",
    "no loss": "index i : I\nparam w[i]\ny[i] = w[i]\n",
    "not a formula": "param w\nloss E = w +\n",
    "a cycle": "param w\na = b*w\nb = a\nloss E = b\n",
    "Python": "__import__('os').system('touch owned')\n",
    "deep": "param w\nloss E = " + "(" * 10000 + "w" + ")" * 10000 + "\n",
    "a tower": "param w\nloss E = w*9^9^9^9\n",
}


@pytest.mark.parametrize("name", WRONG_MODELS)
@pytest.mark.parametrize("command", ["derive", "generate", "latex", "check"])
def test_a_wrong_model(call, model, tmp_path, monkeypatch, name, command):
    monkeypatch.chdir(tmp_path)
    path = model(WRONG_MODELS[name])
    code, out, err = call(command, path)
    assert (code, out) == (2, "")
    assert err.startswith("error: ") and "Traceback" not in err
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("command", ["derive", "generate", "latex"])
def test_nothing_to_differentiate_by(call, model, command):
    path = model("index i : I\ninput x[i]\nloss E = sum(i, x[i])\n")
    code, out, err = call(command, path)
    assert (code, out) == (2, "") and "--wrt" in err


def test_check_without_parameters_takes_every_input(call, model):
    path = model("index i : I\ninput x[i]\nloss E = sum(i, x[i])\n")
    code, out, err = call("check", path)
    assert code == 0 and "x" in out and "compared within 5 s of processor time: a longer --budget" in err
    assert "--budget" not in call("check", path, "--every")[2]


def test_the_message_has_file_line_caret_and_remedy(call, model):
    path = model("index i : I\ninput x[i]\nparam w[i]\nloss E = sum(i, w[i]*z[i])\n")
    _, _, err = call("derive", path)
    assert re.match(rf"error: {re.escape(str(path))}:4:\d+: .*'z'", err)
    assert re.search(r"^ +\^", err, re.MULTILINE) and "remedy: " in err


@pytest.mark.parametrize("command", ["derive", "generate", "latex", "check"])
def test_a_file_that_is_not_there_or_not_text(call, tmp_path, command):
    code, _, err = call(command, tmp_path / "none.model")
    assert code == 2 and "none.model" in err and "remedy: " in err
    (tmp_path / "binary.model").write_bytes(b"param w\nloss E = w \xff\xfe")
    code, _, err = call(command, tmp_path / "binary.model")
    assert code == 2 and "UTF-8" in err
    assert call(command, tmp_path)[0] == 2


def test_an_unknown_tensor(call):
    code, out, err = call("derive", SEED, "--wrt", "W9")
    assert (code, out) == (2, "") and "'W9'" in err and "remedy: it has " in err


# ---- when something else goes wrong


def failing(error):
    def application(arguments):
        raise error

    return application


def test_a_bug_is_reported_without_a_traceback(call, monkeypatch):
    monkeypatch.setattr(entry, "application", failing(KeyError("a bug\nof two lines")))
    code, out, err = call("derive", SEED)
    assert (code, out) == (70, "") and "Traceback" not in err and "please report" in err
    assert "Traceback" in call("--debug", "derive", SEED)[2]


def test_an_interrupt(call, monkeypatch):
    monkeypatch.setattr(entry, "application", failing(KeyboardInterrupt()))
    assert call("derive", SEED) == (130, "", "interrupted\n")


def test_a_reader_that_goes_away():
    read, write = os.pipe()
    os.close(read)
    done = symbackprop("derive", SEED, capture_output=False, stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this machine")
def test_a_full_disk():
    with open("/dev/full", "w") as full:
        done = symbackprop("derive", SEED, capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 2 and done.stderr == b"error: No space left on device\n"


def test_what_a_budget_leaves_out_is_said_once(call):
    remarks = call("check", SEED, "--budget", "0.001s")[2].splitlines()
    left_out = [line for line in remarks if "not tried within" in line]
    assert "  not tried within 0.001 s: axes of size 1" in left_out and len(left_out) == len(set(left_out))


def test_closed_standard_output():
    command = f'"{sys.executable}" -c "from symbackprop.cli.main import main; main()" derive "{SEED}" >&-'
    done = run_within(
        60, ["sh", "-c", command], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True
    )
    assert done.returncode == 2 and done.stderr.startswith(b"error: standard output is closed\n")


def test_no_colour_in_a_pipe():
    done = symbackprop("check", SEED, environment={"FORCE_COLOR": ""})
    assert done.returncode == 0 and b"\x1b" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("given", "named"),
    [("input x[i], z[i]\ninput p[i] in I", "--wrt x,z"), ("const x[i], z[i]", "--wrt ...")],
)
def test_a_model_without_parameters_is_answered_by_what_may_be_asked_for(tmp_path, capsys, given, named):
    path = tmp_path / "bare.model"
    path.write_text(f"index i : I\n{given}\nloss E = sum(i, x[i]*z[i])\n", encoding="utf-8")
    assert run(["derive", str(path)]) == 2
    assert f"{named}, or wrt=[...]" in capsys.readouterr().err
