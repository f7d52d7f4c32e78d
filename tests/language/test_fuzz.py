"""Any text gives a system or one of our errors, soon; never another exception."""

import time
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from symbackprop.errors import SymbackpropError
from symbackprop.language.model import parse_system

SEED = (Path(__file__).parents[2] / "examples" / "seed.model").read_text()
WORDS = (
    "index", "input", "target", "param", "const", "func", "fact", "loss", "and", "or", "not", "in", "sum",
    "mean", "prod", "max", "min", "where", "delta", "size", "pi", "exp", "sqrt", "inv", "pad", "f", "x",
    "y", "W", "b", "i", "k'", "I", "B", "1", "0", "2.5", "1e9", "1e-400", ".", "(", ")", "[", "]", ",",
    ":", "=", "==", "<=", "<", "+", "-", "*", "/", "^", "**", "#", "\n", "\t", "'", "\"", "_",
    "__class__", "\u00e9", "\0", "\r", "\u2212",
)  # fmt: skip


def answers(text: str) -> None:
    started = time.perf_counter()
    try:
        parse_system(text)
    except SymbackpropError as error:
        assert error.cause and str(error)
        assert error.place is None or error.place.line >= 1
    assert time.perf_counter() - started < 2


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200))
@example("\ud800")
def test_any_text(text: str) -> None:
    answers(text)


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=40))
def test_any_words_of_the_language(words: list[str]) -> None:
    answers(" ".join(words))


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(SEED)), st.integers(0, 12), st.lists(st.sampled_from(WORDS), max_size=3))
def test_the_seed_with_a_piece_replaced(start: int, length: int, words: list[str]) -> None:
    answers(SEED[:start] + " ".join(words) + SEED[start + length :])


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(WORDS), st.integers(1, 3000))
def test_a_word_over_and_over(word: str, times: int) -> None:
    answers(f"index i : I\nparam x[i], W\ny = {word * times}")
    answers(f"param x, W\ny = x{f'{word} x ' * times}")
