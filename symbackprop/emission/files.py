"""Writing results to files: whole or not at all, and never into a folder that is not there."""

from __future__ import annotations

import os
import shlex
import sys
import tempfile
from pathlib import Path
from typing import TextIO

from symbackprop.errors import EmissionError
from symbackprop.languages.phrases import worded

_LONGEST_PREFIX = 40  # a file system's names may be no longer than that of the file itself


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write bytes, or UTF-8 text, under another name beside the file, then rename it into place.

    A link is followed, a device or a pipe written to, and so is what a standard stream goes to already, as
    /dev/stdout does. Raises EmissionError where the folder does not exist or cannot be written; the old file
    is then untouched.
    """
    path = path.resolve() if path.is_symlink() else path
    if not path.parent.is_dir():
        raise EmissionError(
            worded("cannot write {path}: the folder {parent} does not exist", path=path, parent=path.parent),
            remedy=worded("make it first: mkdir -p {parent}", parent=shlex.quote(str(path.parent))),
        )
    if path.is_dir():
        raise EmissionError(
            worded("cannot write {path}: it is a folder", path=path), remedy=worded("name a file")
        )
    written = content.encode() if isinstance(content, str) else content
    temporary = ""
    try:
        for stream in (sys.stdout, sys.stderr):
            if _goes_to(stream, path):
                stream.flush()
                with open(os.dup(stream.fileno()), "wb") as through:
                    through.write(written)
                return
        if path.exists() and not path.is_file():
            path.write_bytes(written)
            return
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name[:_LONGEST_PREFIX]}.", delete=False
        ) as stream:
            temporary = stream.name
            stream.write(written)
        os.chmod(temporary, _permissions(path))
        os.replace(temporary, path)
    except OSError as error:
        if temporary and os.path.exists(temporary):
            os.unlink(temporary)
        raise EmissionError(worded("cannot write {path}: {said}", path=path, said=error.strerror)) from error


def _goes_to(stream: TextIO | None, path: Path) -> bool:
    """Whether what is written to a stream is written to this file."""
    try:
        return stream is not None and os.path.samestat(os.fstat(stream.fileno()), path.stat())
    except (OSError, ValueError):  # no such file, or a stream that is closed or none of the system's
        return False


def _permissions(path: Path) -> int:
    """Those of the file that is replaced, or what a new file gets."""
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
