"""The pairs of a sequence's repeated words are all that differ on both sides, each in one word alone."""

import random

import pytest

from symbackprop.passes.maximal_repeats import RepeatedWords


def common_prefix(sequence: list[int], one: int, other: int) -> int:
    length = 0
    while other + length < len(sequence) and sequence[one + length] == sequence[other + length]:
        length += 1
    return length


@pytest.mark.parametrize("letters", [1, 2, 3])
def test_all_pairs_and_no_others(letters: int) -> None:
    for seed in range(300):
        draw = random.Random(seed)
        sequence = [draw.randrange(letters) for _ in range(draw.randrange(14))]
        before = [draw.randrange(3) for _ in sequence]
        found = RepeatedWords(sequence, before)
        pairs = sorted((one, other, word.length) for word in found.words for one, other in found.pairs(word))
        places = range(len(sequence))
        assert pairs == [
            (one, other, common_prefix(sequence, one, other))
            for one in places
            for other in places[one + 1 :]
            if sequence[one] == sequence[other] and before[one] != before[other]
        ]


def test_a_parent_is_shorter_and_begins_where_its_words_do() -> None:
    found = RepeatedWords([1, 2, 1, 2, 3, 1, 2, 1], [0] * 8)
    inner = [word for word in found.words if word.parent is not None]
    assert inner
    for word in inner:
        parent = found.words[word.parent or 0]
        assert parent.length < word.length
        assert parent.begin <= word.begin and word.end <= parent.end and word.count < parent.count


def test_a_chain_overlaps_itself() -> None:
    chain, apart = RepeatedWords([1, 1, 1], [0, 1, 1]), RepeatedWords([1, 2, 3, 1, 2, 4], [0] * 6)
    assert [chain.overlaps_itself(word) for word in chain.words] == [False, True]
    assert not any(map(apart.overlaps_itself, apart.words))
