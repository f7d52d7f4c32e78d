"""`symbackprop check --digits`."""

import re
from pathlib import Path

import pytest

from symbackprop.cli.main import run

ROOT = Path(__file__).parent.parent.parent
SEED = str(ROOT / "examples" / "seed.model")
MODULE = str(ROOT / "generated" / "seed.py")


@pytest.fixture
def call(capsys):
    def call(*arguments):
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def test_a_tensor_a_line(call):
    code, out, err = call("check", SEED, "--digits", "--wrt", "W2,b2", "--budget", "60s")
    heading, *lines = out.splitlines()
    assert code == 0 and heading.split() == ["tensor", "float32", "as", "typed", "float64", "as", "typed"]
    assert [line.split()[0] for line in lines] == ["E", "W2", "b2"]
    assert all(re.fullmatch(r"\w+ +(\S+e[-+]\d+ +){4}ok", line) for line in lines)
    assert "seed: random data from seed 0: B=2" in err and "all + 1e6" in err


def test_a_module_beside_its_model(call, tmp_path):
    assert call("check", MODULE, "--digits", "--model", SEED, "--budget", "60s")[0] == 0
    rounded = tmp_path / "seed.py"
    source = Path(MODULE).read_text(encoding="utf-8")
    line = "    u1 = x @ W1.T + b1\n"
    assert line in source
    rounded.write_text(source.replace(line, line + "    u1 = u1.astype(np.float16).astype(x.dtype)\n"))
    code, out, err = call("check", rounded, "--digits", "--model", SEED, "--budget", "60s")
    assert code == 1 and "WORSE  float32, " in out and "digits are LOST" in err


def test_a_module_without_its_model(call):
    code, out, err = call("check", MODULE, "--digits")
    assert (code, out) == (2, "") and "remedy: name its model: --model FILE.model" in err


def test_a_model_that_is_finite_nowhere(call, tmp_path):
    path = tmp_path / "nowhere.model"
    path.write_text("param w\nloss E = log(-1 - w^2)\n")
    code, out, _ = call("check", path, "--digits")
    assert code == 2 and out == ""


def test_where_neither_has_a_digit_the_digits_are_not_kept(call, tmp_path):
    """The cosine of (w*x)^2 at 1e12: float32 does not know its angle."""
    path = tmp_path / "angle.model"
    path.write_text("index n : N\ninput x[n]\nparam w, v\nloss E = sum(n, cos((w*x[n])^2)) + v^2\n")
    code, out, err = call("check", path, "--digits", "--budget", "60s")
    lines = {line.split()[0]: line.rstrip() for line in out.splitlines()}
    assert code == 1 and "NO DIGITS are left on some of the data" in err
    assert "NO DIGITS  float32, " in lines["w"] and lines["v"].endswith(" ok")


def test_where_neither_is_finite_though_the_truth_is_the_digits_are_not_kept(call, tmp_path):
    """(w*x)^4 is more than float32 holds where its root is not."""
    path = tmp_path / "fourth.model"
    path.write_text("index n : N\ninput x[n]\nparam w, v\nloss E = sum(n, sqrt(1 + (w*x[n])^4)) + v^2\n")
    code, out, err = call("check", path, "--digits", "--budget", "60s")
    lines = {line.split()[0]: line.rstrip() for line in out.splitlines()}
    assert code == 1 and "NOT FINITE on some of the data where the truth is" in err
    assert lines["E"].endswith("NEITHER FINITE  float32, all + 1e6: neither is finite")
    assert lines["v"].endswith(" ok")
