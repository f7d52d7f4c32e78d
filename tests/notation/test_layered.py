"""Mappings that grow: they say what a dictionary says, and those that they grew from stay as they are."""

import random

import pytest

from symbackprop.notation.layered import Layered


@pytest.mark.parametrize("keys", [3, 40, 400])
def test_it_says_what_a_dictionary_says(keys: int) -> None:
    rng = random.Random(keys)
    grown: Layered[int, int | None] = Layered({0: 5})
    plain: dict[int, int | None] = {0: 5}
    for step in range(3 * keys):
        key = rng.randrange(keys)
        if rng.random() < 0.3:
            grown, _ = grown.without(key), plain.pop(key, None)
        else:
            plain[key] = rng.choice([step, None])
            grown = grown.having(key, plain[key])
        assert grown == plain and len(grown) == len(plain)
        assert all(grown.get(each, -1) == plain.get(each, -1) for each in range(keys))
        assert (key in grown) == (key in plain)
    with pytest.raises(KeyError):
        grown[keys]


def test_what_it_grew_from_stays() -> None:
    stages: list[Layered[int, int]] = [Layered()]
    for key in range(100):
        stages.append(stages[-1].having(key, key))
    assert [len(stage) for stage in stages] == list(range(101))
    assert list(stages[-1].without(3)) == [key for key in range(100) if key != 3] and 3 in stages[-1]
