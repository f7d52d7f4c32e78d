"""Where a text comes from: reading files and standard input, and naming places in them."""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from symbackprop.errors import LanguageError, Place
from symbackprop.languages.phrases import Message, worded
from symbackprop.syntax.limits import LONGEST_TEXT
from symbackprop.syntax.named_pipes import is_named_pipe, read_named_pipe
from symbackprop.syntax.nodes import Span

STANDARD_INPUT = "-"
SUFFIXES = (".model", ".toml")
BYTE_ORDER_MARK = "\ufeff"
BYTES_PER_CHARACTER = 4


@dataclass(frozen=True)
class Source:
    """A text under the name that messages give it; lines end in a line feed, as `source_of` sees to."""

    name: str
    text: str

    @cached_property
    def lines(self) -> list[str]:
        """The lines, without what would steer a terminal."""
        return [_printable(line) for line in self.text.split("\n")]

    def place(self, span: Span) -> Place:
        """The place of a span: its start, and its length as far as its first line goes."""
        text = self.lines[span.line - 1] if span.line <= len(self.lines) else ""
        end = span.end_column if span.end_line == span.line else len(text) + 1
        return Place(self.name, span.line, span.column, text, max(1, end - span.column))


def source_of(text: str, name: str) -> Source:
    """The text with line feeds alone and no byte order mark; LanguageError where it is too long."""
    if len(text) > LONGEST_TEXT:
        raise LanguageError(
            worded("the text is longer than {longest} characters", longest=f"{LONGEST_TEXT:,}"),
            place=Place(name, 1, 1, ""),
            remedy=worded("split the model, or define functions for what repeats"),
        )
    return Source(name, text.removeprefix(BYTE_ORDER_MARK).replace("\r\n", "\n").replace("\r", "\n"))


def read_source(path: str | Path) -> Source:
    """The text of a file, or of standard input where the path is "-".

    Raises LanguageError where there is no such file, where it cannot be read, is not UTF-8 or is too long.
    """
    name = "<standard input>" if str(path) == STANDARD_INPUT else str(path)
    return source_of(_decoded(_bytes_of(path), name), name)


def model_name(path: str | Path) -> str:
    """The name of a model that is read from this path: the file's, with `_` for what no name should hold."""
    if str(path) == STANDARD_INPUT:
        return "model"
    return re.sub(r"[^A-Za-z0-9_.-]", "_", Path(path).stem) or "model"


def _bytes_of(path: str | Path) -> bytes:
    largest = BYTES_PER_CHARACTER * LONGEST_TEXT + 1
    if str(path) == STANDARD_INPUT:
        return _standard_input(largest)
    try:
        if is_named_pipe(path):
            return read_named_pipe(path, largest)
        with open(path, "rb") as file:
            return file.read(largest)
    except TimeoutError as error:
        raise LanguageError(
            worded("nobody writes to the named pipe '{path}'", path=path),
            remedy=worded("start what writes to it first, or name a file; '-' reads standard input"),
        ) from error
    except FileNotFoundError as error:
        raise LanguageError(
            worded("there is no file '{path}'", path=path),
            remedy=_files_alike(Path(path)),
        ) from error
    except IsADirectoryError as error:
        raise LanguageError(
            worded("'{path}' is a directory", path=path), remedy=worded("name a .model or .toml file in it")
        ) from error
    except (OSError, ValueError) as error:
        cause = error.strerror if isinstance(error, OSError) else str(error)
        raise LanguageError(
            worded("{path} cannot be read: {cause}", path=repr(str(path)), cause=cause),
            remedy=worded("check the path and its rights"),
        ) from error


def _standard_input(largest: int) -> bytes:
    if sys.stdin is None:
        raise LanguageError(
            worded("standard input is closed"), remedy=worded("name a file, or open it: < FILE")
        )
    return sys.stdin.buffer.read(largest)


def _files_alike(path: Path) -> Message:
    """The file that is most like a missing one by its name, or has that in a folder like its own."""
    there = sorted(each.name for suffix in SUFFIXES for each in path.parent.glob(f"*{suffix}"))
    alike = [path.parent / each for each in there if Path(each).stem == path.name]
    code = sorted(each.name for each in path.parent.glob("*.py"))
    alike += [path.parent / each for each in _most_alike(path.name, [*there, *code])]
    if not path.parent.is_dir():
        folders = sorted(each.name for each in path.parent.parent.glob("*/"))
        alike = [path.parent.parent / each / path.name for each in _most_alike(path.parent.name, folders)]
    alike = [each for each in alike if each.is_file()]
    if not alike:
        return worded("check the path; '-' reads standard input")
    return worded("did you mean {names}?", names=f"'{alike[0]}'")


def _most_alike(name: str, names: Sequence[str]) -> list[str]:
    return difflib.get_close_matches(name, names, n=3, cutoff=0.7)


def _decoded(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        if len(content) > BYTES_PER_CHARACTER * LONGEST_TEXT:
            return content.decode("utf-8", errors="replace")
        before = content[: error.start].decode("utf-8").split("\n")
        # Only the columns before the byte can be shown, since what follows has no reading.
        place = Place(name, len(before), len(before[-1]) + 1, _printable(before[-1]))
        raise LanguageError(
            worded("the text is not UTF-8: byte 0x{byte}", byte=f"{content[error.start]:02x}"),
            place=place,
            remedy=worded("save the file as UTF-8"),
        ) from error


def _printable(line: str) -> str:
    return "".join(each if each.isprintable() or each == "\t" else "\ufffd" for each in line)
