"""A folder of small files, each found by what was asked: what one run has found another may read.

It is `symbackprop` in XDG_CACHE_HOME, or in ~/.cache; SYMBACKPROP_CACHE=off does without. Its part for one
state of the package is named by version, Python, NumPy, SymPy and the package's files, for what a search
finds and how a module reads change with them. A file is written beside its place and then moved there, so
that no one reads half of it; one that cannot be read, or is not what its name says, does not count.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from symbackprop.version import __version__

SWITCH = "SYMBACKPROP_CACHE"
OFF = "off"
PACKAGE = Path(__file__).parent.parent
TEMPLATES = (PACKAGE / "templates", PACKAGE.parent / "templates")  # in a wheel, in a checkout
SUFFIXES = (".py", ".lark", ".layer", ".j2")  # of files that answers depend on
LIBRARIES = (("sympy", "release.py"), ("numpy", "version.py"))  # and the file that says which one it is
MOST_STATES = 4  # of the package, whose files are kept


def stored(question: str) -> object:
    """The answer that an earlier run has left, as JSON has it; None where there is none.

    Whether it is true is for the caller to find out.
    """
    folder = _folder_in_use()
    if folder is None:
        return None
    try:
        text = (folder / _name_of(question)).read_text(encoding="utf-8")
        check, asked, answer = json.loads(text)
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    is_whole = asked == question and check == _name_of(json.dumps([asked, answer]))
    return answer if is_whole else None


def store(question: str, answer: object) -> None:
    """Leave an answer for later runs; nothing happens where that is not possible."""
    folder = _folder_in_use()
    if folder is None:
        return
    text = json.dumps([_name_of(json.dumps([question, answer])), question, answer])
    try:
        _make(folder)
        place = folder / _name_of(question)
        part = place.with_suffix(f".{os.getpid()}.part")
        with part.open("x", encoding="utf-8") as file:
            file.write(text)
        part.replace(place)
    except OSError:
        return


def _folder_in_use() -> Path | None:
    if os.environ.get(SWITCH, "").lower() == OFF:
        return None
    given = Path(os.environ.get("XDG_CACHE_HOME", ""))
    base = given if given.is_absolute() else Path(os.path.expanduser("~")) / ".cache"
    return base / "symbackprop" / state_of_package() if base.is_absolute() else None


def _make(folder: Path) -> None:
    """The folder, and room for it: those of states long gone are deleted."""
    if folder.is_dir():
        return
    folder.mkdir(parents=True, exist_ok=True)
    others = sorted(folder.parent.iterdir(), key=lambda each: each.stat().st_mtime, reverse=True)
    for old in others[MOST_STATES:]:
        for file in old.iterdir():
            file.unlink(missing_ok=True)
        old.rmdir()


def _name_of(question: str) -> str:
    return hashlib.blake2b(question.encode(), digest_size=20).hexdigest()


@cache
def state_of_package() -> str:
    """Version, and a hash of all that answers may depend on."""
    templates = next(filter(Path.is_dir, TEMPLATES), PACKAGE)
    parts = [sys.version, *_files(PACKAGE), *_files(templates)]
    for library, says_which in LIBRARIES:
        spec = importlib.util.find_spec(library)
        if spec is not None and spec.origin is not None:
            parts += [spec.origin, *_stamp(Path(spec.origin).with_name(says_which))]
    return f"{__version__}-{_name_of(chr(10).join(parts))[:16]}"


def _files(folder: Path) -> Iterator[str]:
    for entry in sorted(os.scandir(folder), key=lambda each: each.name):
        if entry.is_dir() and entry.name != "__pycache__":
            yield from _files(Path(entry.path))
        elif entry.name.endswith(SUFFIXES):
            yield from _stamp(Path(entry.path))


def _stamp(path: Path) -> Iterator[str]:
    """A file as Python's own cache of bytecode tells whether it is the same."""
    try:
        found = path.stat()
    except OSError:
        return
    yield f"{path} {found.st_size} {found.st_mtime_ns}"
