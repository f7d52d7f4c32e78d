"""Long texts are read in parts, and what comes of it is what the grammar makes of the whole."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from symbackprop.errors import LanguageError
from symbackprop.syntax.equal_lines import FEWEST_LINES, statements_of
from symbackprop.syntax.grammar import read_model
from symbackprop.syntax.nodes import Statement
from symbackprop.syntax.source import Source

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.model"))

HEAD = "index i, j : D\ninput x[i]\n"
ODD = [
    "y{n}[i] = sum(j, x[j]*{n}.5) + 1e-{n}  # a comment (with [one bracket",
    "y{n}[i] = sum(j,\n    # open ((\n  x[j]) - {n}",
    'param W{n}[i,j] as "W^{{(1}}", b{n}[i]; y{n}[i] = 2'.replace("; ", "\n"),
    "func f{n}(u) = (\n  m = u*{n}\n  m + 1\n)\ny{n}[i] = f{n}(x[i])",
    "y{n}[i] = where(i >= {n} and not i < j, -x[i]^{n}, log1p(x[i])/{n})",
    "fact sum(i, x[i]) == {n} in y{n}",
    "loss E{n} = sum(i, x[i])\nloss y{n}",
    "input p{n}[i] in argsort(x), q{n}[i] in D\n\n   # nothing",
]


def long(lines: list[str]) -> str:
    """Each of the lines with some numbers, in a text that is long enough to be read in parts."""
    text = HEAD + "\n".join([line.format(n=number) for number in (7, 8, 12, 345, 9) for line in lines] * 3)
    assert text.count("\n") >= FEWEST_LINES
    return text


@pytest.fixture
def whole(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], tuple[Statement, ...]]:
    """By the grammar at once, as short texts are read."""

    def read(text: str) -> tuple[Statement, ...]:
        with monkeypatch.context() as changed:
            changed.setattr("symbackprop.syntax.grammar.FEWEST_LINES", sys.maxsize)
            return read_model(Source("model", text))

    return read


def test_parts_are_read_as_the_whole_is(whole: Callable[[str], tuple[Statement, ...]]):
    text = long(ODD)
    assert read_model(Source("model", text)) == whole(text)


def test_lines_that_differ_in_digits_are_read_once(whole: Callable[[str], tuple[Statement, ...]]):
    read: list[str] = []

    def reading(part: str) -> tuple[Statement, ...]:
        read.append(part)
        return whole(part)

    text = "\n".join(f"x{n}[i] = x{n - 1}[i]*{n}" for n in range(11, 90))
    assert statements_of(text, reading) == whole(text)
    assert len(read) == 1


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_are_read_alike(path: Path, whole: Callable[[str], tuple[Statement, ...]]):
    text = path.read_text()
    assert statements_of(text, whole) == whole(text)


@pytest.mark.parametrize(
    "wrong",
    [
        "y[i] = (x[i]",
        "y[i] = x[i])",
        "y[i] = x[i",
        "y[i] = 3 4",
        "y[i] = $",
        "_y[i] = 3",
        'y[i] as "\\input{a}" = 2',
        "func f(u) =\n  u",
        '"a"',
        "\u00a0",
        "\x0c",
        "y[i] = 3 \u2028",
    ],
)
def test_what_is_wrong_in_a_long_text_is_told_of_the_whole(
    wrong: str, whole: Callable[[str], tuple[Statement, ...]]
):
    text = long([*ODD, wrong.replace("{", "{{").replace("}", "}}")])
    with pytest.raises(LanguageError) as in_parts:
        read_model(Source("model", text))
    with pytest.raises(LanguageError) as at_once:
        whole(text)
    assert str(in_parts.value) == str(at_once.value)
    assert in_parts.value.place == at_once.value.place
