"""Reading named pipes, which wait for a writer, without waiting for one that never comes."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

WAIT_IN_SECONDS = 3.0
PAUSE_IN_SECONDS = 0.02


def is_named_pipe(path: str | Path) -> bool:
    """Whether there is a FIFO at the path."""
    return stat.S_ISFIFO(os.stat(path).st_mode)


def read_named_pipe(path: str | Path, largest: int) -> bytes:
    """What is written to a FIFO, at most so many bytes; a writer that has opened it may take its time.

    Raises TimeoutError where nobody opens it for WAIT_IN_SECONDS.
    """
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb", buffering=0) as file:
        first = _first_bytes(file.fileno(), largest)
        os.set_blocking(file.fileno(), True)
        parts = [first]
        while parts[-1] and (missing := largest - sum(map(len, parts))) > 0:
            parts.append(file.read(missing))
        return b"".join(parts)


def _first_bytes(descriptor: int, largest: int) -> bytes:
    until = time.monotonic() + WAIT_IN_SECONDS
    while True:
        try:
            content = os.read(descriptor, largest)
        except BlockingIOError:  # a writer has opened it, and has not written yet
            os.set_blocking(descriptor, True)
            return os.read(descriptor, largest)
        if content:
            return content
        if time.monotonic() > until:
            raise TimeoutError(0, "nobody writes to this named pipe")
        time.sleep(PAUSE_IN_SECONDS)
