import io
import logging
import re
import time

import pytest
from rich.console import Console

import symbackprop as sb
from symbackprop.cli.progress import ProgressLine, progress
from tests.explanation.explained import EXAMPLES

LOG = logging.getLogger("symbackprop.derivation.driver")


def console(is_terminal=True, width=60):
    return Console(file=io.StringIO(), force_terminal=is_terminal, width=width, color_system=None)


def shown(of, delay, work):
    """The words that a terminal was sent while the work lasted."""
    with progress(of, delay):
        work()
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", of.file.getvalue())


def until_due():
    LOG.info("deriving %s", "dE/dW[i]")
    time.sleep(0.3)
    LOG.info("deriving %s", "dE/d[red]b[i]")
    time.sleep(0.2)


def test_the_equation_at_hand_is_shown_when_it_takes_long():
    words = shown(console(), 0.05, until_due)
    assert "deriving dE/dW[i]" in words and "deriving dE/d[red]b[i]" in words


def test_nothing_is_shown_of_what_is_done_soon():
    assert shown(console(), 60.0, lambda: LOG.info("deriving")) == ""


def test_nothing_is_shown_where_no_terminal_is():
    assert shown(console(is_terminal=False), 0.0, lambda: LOG.info("deriving")) == ""


def test_a_long_formula_keeps_to_one_line():
    words = shown(console(width=30), 0.0, lambda: (time.sleep(0.1), LOG.info("x" * 200), time.sleep(0.2)))
    assert "x" * 10 in words and "x" * 30 not in words


def test_the_line_goes_when_the_work_fails():
    of = console()
    with pytest.raises(ValueError, match="wrong"), progress(of, 0.0):
        LOG.info("deriving")
        time.sleep(0.1)
        raise ValueError("wrong")
    package = logging.getLogger("symbackprop")
    assert not package.handlers and not package.isEnabledFor(logging.INFO)
    length = len(of.file.getvalue())
    time.sleep(0.2)
    assert len(of.file.getvalue()) == length


def test_a_timer_that_comes_late_begins_nothing():
    of = console()
    line = ProgressLine(of)
    line.emit(LOG.makeRecord(LOG.name, logging.INFO, "", 0, "deriving", (), None))
    line.stop()
    line._show()
    assert of.file.getvalue() == ""


def test_a_derivation_says_where_it_is(caplog):
    with caplog.at_level(logging.INFO, "symbackprop"):
        sb.load(EXAMPLES / "seed.model").derive(["W2"])
    assert "deriving dE/dW2[k,j]" in caplog.messages
