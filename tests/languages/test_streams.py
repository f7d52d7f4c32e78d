"""Streams whose encoding has no letters for a language, and a command behind them."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from symbackprop.languages.language import Language
from symbackprop.languages.streams import carry_signs, language_on

SEED = Path(__file__).parent.parent.parent / "examples" / "seed.model"


def stream(encoding):
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding)


@pytest.mark.parametrize(
    ("encoding", "language"),
    [("ascii", Language.ENGLISH), ("latin-1", Language.ENGLISH), ("euc-jp", Language.JAPANESE)],
)
def test_talk_is_english_where_a_stream_has_no_japanese_letters(encoding, language):
    assert language_on(stream(encoding), Language.JAPANESE) is language
    assert language_on(stream(encoding), Language.ENGLISH) is Language.ENGLISH
    assert language_on(None, Language.JAPANESE) is Language.JAPANESE


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "euc-jp", "utf-8"])
def test_results_are_written_in_utf_8_where_signs_are_missing(encoding):
    written = stream(encoding)
    carry_signs(written)
    written.write("\u2202\u2062\u8aa4")
    written.flush()
    assert written.buffer.getvalue() == "\u2202\u2062\u8aa4".encode()


def test_a_command_in_japanese_behind_an_ascii_pipe():
    asked = [sys.executable, "-m", "symbackprop", "derive", "--help", "--lang", "ja"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(asked, capture_output=True, env=environment, check=False)
    assert done.returncode == 0 and "\u52fe\u914d" in done.stdout.decode()
