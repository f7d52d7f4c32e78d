"""The README's commands run, and print what it says they print.

A ```console block holds commands after `$ ` and their output; a line of `...` stands for any lines, and `...`
in a line for any characters. A ```python block runs as it is. ```sh blocks set up a machine: left alone.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
START = "import sys; from symbackprop.cli.main import main; sys.argv[0] = 'symbackprop'; main()"
LAUNCHERS = {
    "symbackprop": f'#!/bin/sh\nexec "{sys.executable}" -c "{START}" "$@"\n',
    "python": f'#!/bin/sh\nexec "{sys.executable}" "$@"\n',
}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


def commands() -> Iterator[tuple[str, str]]:
    for block in blocks("console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            yield command, output


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """A copy of what the commands read, so that what they write stays out of the checkout."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("examples", "generated"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    launchers = folder / "bin"
    launchers.mkdir()
    for name, text in LAUNCHERS.items():
        (launchers / name).write_text(text)
        (launchers / name).chmod(0o755)
    return folder


def run(checkout: Path, command: list[str]) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PATH": f"{checkout / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "NO_COLOR": "1",
        "COLUMNS": "110",
    }
    return subprocess.run(
        command, cwd=checkout, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def as_pattern(output: str) -> str:
    """The expected output as a regular expression; trailing blanks and blank lines at the end don't count."""
    lines = [line.rstrip() for line in output.rstrip().splitlines()]
    within = [re.escape(line).replace(re.escape("..."), ".*") for line in lines]
    return "\n".join(
        r"(?:.*\n)*?.*" if line == "..." else pattern for line, pattern in zip(lines, within, strict=True)
    )


def tidy(output: str) -> str:
    return "\n".join(line.rstrip() for line in output.rstrip().splitlines())


@pytest.mark.parametrize(("command", "output"), list(commands()), ids=lambda value: value[:60])
def test_a_command_prints_what_the_readme_says(checkout, command, output):
    done = run(checkout, ["sh", "-c", command])
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(as_pattern(output), tidy(done.stdout)), tidy(done.stdout)


@pytest.mark.parametrize("block", blocks("python"))
def test_a_python_block_runs(checkout, block):
    done = run(checkout, ["python", "-W", "error", "-c", block])
    assert done.returncode == 0, done.stderr


def test_the_first_screen_shows_model_derivation_and_code():
    screen = "\n".join(README.splitlines()[:60])
    assert "loss E" in screen and "dE/dW2" in screen and "delta2" in screen
