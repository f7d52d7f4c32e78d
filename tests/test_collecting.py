"""The collector passes seldom while a derivation is made, and as before afterwards."""

import gc
import sys
from collections.abc import Iterator

import pytest

from symbackprop.cli.main import main
from symbackprop.collecting import NODES_BETWEEN_PASSES, few_passes
from symbackprop.derivation.driver import derive
from symbackprop.errors import NotationError
from symbackprop.language.model import parse_system


@pytest.fixture(autouse=True)
def own_threshold() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


@pytest.mark.parametrize(
    ("given", "meanwhile"),
    [((700, 7, 5), (NODES_BETWEEN_PASSES, 7, 5)), ((0, 7, 5), (0, 7, 5)), ((10**9, 7, 5), (10**9, 7, 5))],
)
def test_passes_are_few_meanwhile_and_never_more_than_before(given, meanwhile):
    gc.set_threshold(*given)
    with few_passes():
        assert gc.get_threshold() == meanwhile
    assert gc.get_threshold() == given


def test_a_derivation_that_fails_leaves_the_collector_as_it_was():
    gc.set_threshold(700, 7, 5)
    with pytest.raises(NotationError):
        derive(parse_system("param w\nloss E = w^2"), ["v"])
    assert gc.get_threshold() == (700, 7, 5)


def test_no_pass_looks_through_what_a_command_leaves_at_its_end(monkeypatch):
    before = gc.get_freeze_count()
    monkeypatch.setattr(sys, "argv", ["symbackprop", "--version"])
    try:
        with pytest.raises(SystemExit):
            main()
        assert gc.get_freeze_count() > before
    finally:
        gc.unfreeze()
