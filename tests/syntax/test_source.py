"""Files and standard input: what can be read, and what is said of what cannot."""

import io
import os
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from symbackprop.errors import LanguageError
from symbackprop.syntax import named_pipes
from symbackprop.syntax.source import model_name, read_source, source_of


def test_a_file_is_read_whatever_its_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.model"
    path.write_bytes(b"\xef\xbb\xbfparam a\r\ny = a\r")
    source = read_source(path)
    assert source.text == "param a\ny = a\n"
    assert source.name == str(path)


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"y = 1")))
    source = read_source("-")
    assert (source.name, source.text) == ("<standard input>", "y = 1")


@pytest.mark.parametrize("name", ["missing.model", "no/such/folder.model"])
def test_a_missing_file(name: str, tmp_path: Path) -> None:
    with pytest.raises(LanguageError, match="there is no file"):
        read_source(tmp_path / name)


def test_a_directory(tmp_path: Path) -> None:
    with pytest.raises(LanguageError, match="is a directory"):
        read_source(tmp_path)


@pytest.mark.parametrize("path", ["a\0b.model", "x" * 5000])
def test_a_path_that_no_file_can_have(path: str) -> None:
    with pytest.raises(LanguageError, match="cannot be read"):
        read_source(path)


def test_bytes_that_are_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "latin1.model"
    path.write_bytes("param a\n# gr\u00f6\u00dfe".encode("latin-1"))
    with pytest.raises(LanguageError, match="not UTF-8: byte 0xf6") as caught:
        read_source(path)
    assert caught.value.place is not None
    assert (caught.value.place.line, caught.value.place.column) == (2, 5)


def test_a_device_without_end_is_not_read_to_its_end() -> None:
    if not Path("/dev/zero").exists():
        pytest.skip("there is no /dev/zero here")
    with pytest.raises(LanguageError, match="longer than"):
        read_source("/dev/zero")


def test_places_show_nothing_that_steers_a_terminal() -> None:
    assert "\x1b" not in source_of("y = 1 # \x1b[31m", "m").lines[0]


def test_the_name_of_a_model_is_its_files() -> None:
    assert model_name("a/b/seed.model") == "seed"
    assert model_name("-") == "model"
    assert model_name("a/my model\n'''.model") == "my_model____"


pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")


@pipes
def test_a_named_pipe_is_read_to_its_end_however_slowly_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "slow.model"
    os.mkfifo(path)

    def write() -> None:
        with open(path, "wb", buffering=0) as file:
            for part in (b"param a\n", b"y = a"):
                time.sleep(0.05)
                file.write(part)

    writer = threading.Thread(target=write)
    writer.start()
    assert read_source(path).text == "param a\ny = a"
    writer.join()


@pipes
def test_a_named_pipe_to_which_nobody_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(named_pipes, "WAIT_IN_SECONDS", 0.1)
    path = tmp_path / "silent.model"
    os.mkfifo(path)
    with pytest.raises(LanguageError, match="nobody writes to the named pipe"):
        read_source(path)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("sed.model", "seed.model"),
        ("seed", "seed.model"),
        ("digit.toml", "digits.toml"),
        ("anser.py", "answer.py"),
        ("exampels/deep.model", "examples/deep.model"),
    ],
)
def test_a_file_that_is_missing_is_answered_with_the_one_that_is_meant(tmp_path, typed, meant):
    (tmp_path / "examples").mkdir()
    for name in ("seed.model", "digits.toml", "seedling.txt", "answer.py", "examples/deep.model"):
        (tmp_path / name).write_text("param w\nloss E = w^2")
    with pytest.raises(LanguageError) as caught:
        read_source(tmp_path / typed)
    assert caught.value.remedy == f"did you mean '{tmp_path / meant}'?"


@pytest.mark.parametrize("typed", ["other.model", "nowhere/seed.model"])
def test_no_file_is_proposed_that_is_not_like_it(tmp_path, typed):
    (tmp_path / "seed.model").write_text("param w\nloss E = w^2")
    with pytest.raises(LanguageError) as caught:
        read_source(tmp_path / typed)
    assert caught.value.remedy.startswith("check the path")


def test_closed_standard_input_is_said(monkeypatch):
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(LanguageError, match="standard input is closed"):
        read_source("-")
