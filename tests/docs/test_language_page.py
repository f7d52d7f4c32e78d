"""docs/language.md names every word of the language, states each function's derivative, and the limits."""

from __future__ import annotations

import re

import pytest

from symbackprop.errors import DerivationError
from symbackprop.pipeline import loads
from symbackprop.syntax import limits
from symbackprop.syntax.words import CALLABLE, CONNECTIVES, CONSTANTS, ELEMENTWISE, STATEMENTS, YIELDING
from tests.docs.pages import ROOT

PAGE = (ROOT / "docs" / "language.md").read_text(encoding="utf-8")
TABLE = PAGE.partition("| function | is | derivative by u |\n|---|---|---|\n")[2].partition("\n\n")[0]
FUNCTIONS = [tuple(cell.strip(" `") for cell in line.strip("|").split(" | ")) for line in TABLE.splitlines()]
LIMITS = [value for name, value in vars(limits).items() if name.isupper()]


@pytest.mark.parametrize(("function", "derivative"), [(row[0], row[-1]) for row in FUNCTIONS])
def test_a_function_has_the_derivative_that_the_table_states(function: str, derivative: str) -> None:
    model = loads(f"param u, v\nloss z = {function}")
    if derivative == "none":
        with pytest.raises(DerivationError):
            model.derive(["u"])
    else:
        assert model.derive(["u"]).result_text() == f"dz/du = {derivative}\n"


def test_the_table_has_every_function() -> None:
    assert {row[0].partition("(")[0] for row in FUNCTIONS} == ELEMENTWISE | {"sqrt", "clip", "floor"}


def test_every_word_is_named() -> None:
    code = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`\n]+)`", PAGE))))
    assert code >= CALLABLE | STATEMENTS | CONNECTIVES | CONSTANTS


def test_every_form_has_an_example_that_runs() -> None:
    run = " ".join(re.findall(r"^```(?:model|equations)[^\n]*\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
    assert set(re.findall(r"\w+", run)) >= (CALLABLE - ELEMENTWISE) | STATEMENTS | CONNECTIVES | CONSTANTS


def test_the_words_that_a_model_may_take_are_named() -> None:
    sentence = re.search(r"Of these, (.*?) may\s+be given", PAGE, re.DOTALL)[1]
    assert set(re.findall(r"`(\w+)`", sentence)) == YIELDING


@pytest.mark.parametrize("limit", LIMITS)
def test_every_limit_is_stated(limit: int) -> None:
    assert f"| {limit:,} |" in PAGE
