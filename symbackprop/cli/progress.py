"""A line on the terminal that says which equation a long command is at."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, Timer

from rich.console import Console
from rich.status import Status
from rich.text import Text

from symbackprop.notation.faces import shortened

DELAY = 2.0  # seconds that a command may take without a word
_BESIDE = 4  # columns for what turns beside the line, and for the cursor
_LOGGER = logging.getLogger("symbackprop")


class ProgressLine(logging.Handler):
    """Shows the last message of the package's log, once `delay` seconds have passed."""

    def __init__(self, console: Console, delay: float = DELAY) -> None:
        super().__init__(logging.INFO)
        self._status = Status("", console=console)
        self._width = max(console.width - _BESIDE, _BESIDE)
        self._timer = Timer(delay, self._show)
        self._timer.daemon = True
        self._guard = Lock()
        self._message: Text | None = None
        self._is_due = self._is_shown = self._is_over = False

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the message, and show it where the time has come."""
        with self._guard:
            self._message = Text(shortened(record.getMessage(), self._width))
            self._update()

    def start(self) -> None:
        """Begin to count the seconds."""
        self._timer.start()

    def stop(self) -> None:
        """Take the line away."""
        self._timer.cancel()
        with self._guard:
            self._is_over = True  # the timer may be waiting to begin
            self._status.stop()

    def _show(self) -> None:
        with self._guard:
            self._is_due = True
            self._update()

    def _update(self) -> None:
        if self._is_due and not self._is_over and self._message is not None:
            self._status.update(self._message)
            if not self._is_shown:
                self._is_shown = True
                self._status.start()


@contextmanager
def progress(console: Console | None = None, delay: float = DELAY) -> Iterator[None]:
    """Show what the package is at while the work lasts, on standard error where that is a terminal."""
    console = console or Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    line, level = ProgressLine(console, delay), _LOGGER.level
    _LOGGER.addHandler(line)
    _LOGGER.setLevel(logging.INFO)
    line.start()
    try:
        yield
    finally:
        line.stop()
        _LOGGER.removeHandler(line)
        _LOGGER.setLevel(level)
